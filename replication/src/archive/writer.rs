//! The one thread that writes the archive: steps that came together in one batch, then out of memory.
//!
//! It owns the order: a record is readable here before the state lets go of it. **Invariant**: after a failed
//! write nothing more is written, and nothing more leaves memory.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use holdfast_engine::Reader;
use holdfast_engine::booking::Booking;
use parking_lot::Mutex;
use rocksdb::WriteBatch;

use super::record::{self, Key};
use crate::GroupId;
use crate::disk::{DiskFailure, OnDiskFailure};
use crate::limits::{ARCHIVE_STEPS_TOGETHER_MAX, ARCHIVE_STEPS_WAITING_MAX};
use crate::log::{Database, rocks};

enum Work {
    Keep { index: u64, bookings: Vec<Arc<Booking>> },
    Then(Then),
}

/// What is done once all that came before is written.
enum Then {
    Settle(Sender<io::Result<()>>),
    Stop,
}

pub(super) struct Writer {
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
        let end = End { db, group, reader, on_failure, inbox, failed: None };
        let thread = thread::Builder::new().name("holdfast-archive".into()).spawn(|| end.run())?;
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

/// The writing end.
struct End {
    db: Arc<Database>,
    group: GroupId,
    reader: Reader,
    on_failure: OnDiskFailure,
    inbox: Receiver<Work>,
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
    fn run(mut self) {
        let mut value = Vec::new();
        while let Ok(first) = self.inbox.recv() {
            let mut round = Round::default();
            let mut next = Some(first);
            let then = loop {
                match next {
                    Some(Work::Keep { index, bookings }) => {
                        self.add(&mut round, (index, bookings), &mut value);
                    }
                    Some(Work::Then(then)) => break Some(then),
                    None => break None,
                }
                if round.steps >= ARCHIVE_STEPS_TOGETHER_MAX {
                    break None;
                }
                next = self.inbox.try_recv().ok();
            };
            self.write(round);
            match then {
                // Whoever asked may have gone.
                Some(Then::Settle(told)) => drop(told.send(self.sync())),
                Some(Then::Stop) => return,
                None => {}
            }
        }
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
            Some(db) => {
                db.write_opt(batch, &rocks::unsynced()).map_err(rocksdb::Error::into_string)
            }
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
