//! The thread that writes the archive.
//!
//! It owns the bounded queue before it, and which steps are written together.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use holdfast_engine::Reader;
use holdfast_engine::booking::Booking;
use parking_lot::Mutex;

use super::{End, Round};
use crate::GroupId;
use crate::disk::OnDiskFailure;
use crate::limits::{ARCHIVE_STEPS_TOGETHER_MAX, ARCHIVE_STEPS_WAITING_MAX};
use crate::log::Database;

enum Work {
    Keep { index: u64, bookings: Vec<Arc<Booking>> },
    Then(Then),
}

/// What is done once all that came before is written.
enum Then {
    Settle(Sender<io::Result<()>>),
    Stop,
}

pub(in crate::archive) struct Writer {
    work: Sender<Work>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub fn start(
        db: Arc<Database>,
        group: GroupId,
        reader: Reader,
        on_failure: OnDiskFailure,
    ) -> io::Result<Self> {
        let (work, inbox) = bounded(ARCHIVE_STEPS_WAITING_MAX);
        let end = End::new(db, group, reader, on_failure);
        let name = thread::Builder::new().name("holdfast-archive".into());
        let thread = name.spawn(move || run(end, &inbox))?;
        Ok(Self { work, thread: Mutex::new(Some(thread)) })
    }

    pub fn keep(&self, index: u64, bookings: Vec<Arc<Booking>>) -> io::Result<()> {
        self.work.send(Work::Keep { index, bookings }).map_err(|_| stopped())
    }

    pub fn settle(&self) -> io::Result<()> {
        let (told, settled) = bounded(1);
        self.work.send(Work::Then(Then::Settle(told))).map_err(|_| stopped())?;
        settled.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// Writes what was handed over, then ends the thread.
    pub fn stop(&self) {
        // A thread that is gone already needs no telling.
        let _ = self.work.send(Work::Then(Then::Stop));
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn stopped() -> io::Error {
    io::Error::other("the archive's writer has stopped")
}

fn run(mut end: End, inbox: &Receiver<Work>) {
    let mut value = Vec::new();
    while let Ok(first) = inbox.recv() {
        let mut round = Round::default();
        let mut next = Some(first);
        let then = loop {
            match next {
                Some(Work::Keep { index, bookings }) => {
                    end.add(&mut round, (index, bookings), &mut value);
                }
                Some(Work::Then(then)) => break Some(then),
                None => break None,
            }
            if round.steps >= ARCHIVE_STEPS_TOGETHER_MAX {
                break None;
            }
            next = inbox.try_recv().ok();
        };
        end.write(round);
        match then {
            // Whoever asked may have gone.
            Some(Then::Settle(told)) => drop(told.send(end.sync())),
            Some(Then::Stop) => return,
            None => {}
        }
    }
}
