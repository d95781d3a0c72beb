//! The archive written by whoever hands something over: in the simulation nothing runs beside its one
//! thread.

use std::io;
use std::sync::Arc;

use holdfast_engine::Reader;
use holdfast_engine::booking::Booking;
use parking_lot::Mutex;

use super::{End, Round};
use crate::GroupId;
use crate::disk::OnDiskFailure;
use crate::log::Database;

pub(in crate::archive) struct Writer(Mutex<End>);

impl Writer {
    pub fn start(
        db: Arc<Database>,
        group: GroupId,
        reader: Reader,
        on_failure: OnDiskFailure,
    ) -> io::Result<Self> {
        Ok(Self(Mutex::new(End::new(db, group, reader, on_failure))))
    }

    pub fn keep(&self, index: u64, bookings: Vec<Arc<Booking>>) -> io::Result<()> {
        let mut end = self.0.lock();
        let mut round = Round::default();
        end.add(&mut round, (index, bookings), &mut Vec::new());
        end.write(round);
        Ok(())
    }

    pub fn settle(&self) -> io::Result<()> {
        self.0.lock().sync()
    }

    pub fn stop(&self) {}
}
