//! The keeper as a task of the simulation.
//!
//! It owns the same wait between two writes of the file as the keeper's thread does in the product.

use std::io;
use std::sync::Arc;

use tokio::sync::Notify;

use super::Shared;
use crate::disk::{DiskFailure, OnDiskFailure};
use crate::limits::GUARD_LAG_MAX;
use crate::runtime;

/// Rung when the marks differ from the file, and at the end.
pub(super) struct Changed(Notify);

impl Changed {
    pub fn new() -> Self {
        Self(Notify::new())
    }

    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    pub fn notify_all(&self) {
        self.0.notify_one();
    }
}

pub(super) struct Driver;

impl Driver {
    pub fn start(keeper: Arc<Shared>, on_failure: OnDiskFailure) -> io::Result<Self> {
        runtime::spawn(async move {
            if let Err(error) = keep(&keeper).await {
                on_failure(&DiskFailure::Guard(error.to_string()));
            }
        });
        Ok(Self)
    }

    /// The task ends by itself: what it would have written is written by who stops it.
    pub fn join(&self) {}
}

async fn keep(shared: &Shared) -> io::Result<()> {
    loop {
        shared.changed.0.notified().await;
        runtime::sleep(GUARD_LAG_MAX).await;
        if shared.state.lock().stopping {
            return Ok(());
        }
        shared.write_if_dirty()?;
    }
}
