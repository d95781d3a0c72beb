//! The one thread that writes the archive: steps that came together in one batch, then out of memory.
//!
//! It owns the order: a record is readable here before the state lets go of it. **Invariant**: after a failed
//! write nothing more is written, and nothing more leaves memory.

#[cfg(holdfast_sim)]
#[path = "writer/inline.rs"]
mod driver;
#[cfg(not(holdfast_sim))]
#[path = "writer/thread.rs"]
mod driver;

use std::io;
use std::sync::Arc;

pub(super) use driver::Writer;
use holdfast_engine::Reader;
use holdfast_engine::booking::Booking;

use super::record::{self, Key};
use crate::GroupId;
use crate::disk::{DiskFailure, OnDiskFailure};
use crate::log::Database;
use crate::log::rocks::{self, WriteBatch};

/// The writing end.
struct End {
    db: Arc<Database>,
    group: GroupId,
    reader: Reader,
    on_failure: OnDiskFailure,
    failed: Option<DiskFailure>,
}

/// Steps that are written together.
#[derive(Default)]
struct Round {
    batch: WriteBatch,
    bookings: Vec<Arc<Booking>>,
    steps: usize,
}

impl End {
    fn new(db: Arc<Database>, group: GroupId, reader: Reader, on_failure: OnDiskFailure) -> Self {
        Self { db, group, reader, on_failure, failed: None }
    }

    /// `value` is kept for its capacity.
    fn add(
        &self,
        round: &mut Round,
        (index, bookings): (u64, Vec<Arc<Booking>>),
        value: &mut Vec<u8>,
    ) {
        for booking in &bookings {
            let key = Key { group: self.group, id: booking.id };
            record::put(key, index, booking, value);
            round.batch.put(key.bytes(), &value);
        }
        round.bookings.extend(bookings);
        round.steps += 1;
    }

    fn write(&mut self, round: Round) {
        let Round { batch, bookings, .. } = round;
        if self.failed.is_some() || bookings.is_empty() {
            return;
        }
        let written = match self.db.get() {
            Some(db) => db.write_opt(batch, &rocks::unsynced()).map_err(rocks::Error::into_string),
            // Closed only after this thread has ended.
            None => Err("the archive is closed".to_owned()),
        };
        match written {
            Ok(()) => bookings.iter().for_each(|booking| self.reader.has_left(booking.id)),
            Err(error) => self.fail(error),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.failed.is_none() {
            let synced = self.db.get().map_or(Ok(()), |db| db.flush_wal(true));
            if let Err(error) = synced {
                self.fail(error.into_string());
            }
        }
        match &self.failed {
            None => Ok(()),
            Some(failure) => Err(io::Error::other(failure.clone())),
        }
    }

    fn fail(&mut self, error: String) {
        let failure = DiskFailure::Archive(error);
        (self.on_failure)(&failure);
        self.failed.get_or_insert(failure);
    }
}
