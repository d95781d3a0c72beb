//! What must be true when all is over, of refusals, looks, sums, captures and the log.

use std::collections::BTreeSet;

use holdfast_engine::digest::Digest;
use holdfast_engine::hold::Status;
use holdfast_engine::state::Decoded;
use holdfast_engine::{Reader, State, booking};

use super::{Cells, Log, Look, Memory, NIGHTS, Records, Refused, cells, found};
use crate::world::{Product, night};

/// Every refusal had a reason in applied state, at some moment while it was made.
pub(super) fn check_refusals(history: &[Cells], first_index: u64, memories: &[Memory]) {
    for Refused { first, last, stay, rooms } in memories.iter().flat_map(|memory| &memory.refused) {
        let at = |index: u64| (index - first_index) as usize;
        let moments = &history[at(*first)..=at(*last).min(history.len() - 1)];
        let nights =
            usize::from(stay.check_in.0 - night(0).0)..usize::from(stay.check_out.0 - night(0).0);
        let short = |cells: &Cells| {
            cells.iter().zip(rooms).any(|(nights_of, &rooms)| {
                nights_of[nights.clone()].iter().any(|cell| cell.free() < rooms)
            })
        };
        assert!(
            moments.iter().any(short),
            "refused on the word of requests that may still fail: {stay:?} {rooms:?}"
        );
    }
}

/// What an index says is applied could be read: each cell was seen as some entry from there on left it.
/// Allotment and sold alone: an entry that expires several holds leaves steps in between.
pub(super) fn check_looks(history: &[Cells], first_index: u64, looks: &[Look]) {
    for Look { first, last, cells } in looks {
        let at = |index: u64| (index - first_index) as usize;
        let moments = &history[at(*first)..=at(*last).min(history.len() - 1)];
        for (nth, seen) in cells.as_flattened().iter().enumerate() {
            let same = |moment: &Cells| {
                let was = moment.as_flattened()[nth];
                (was.allotment(), was.sold()) == (seen.allotment(), seen.sold())
            };
            assert!(moments.iter().any(same), "{seen:?} was never so after entry {first}");
        }
    }
}

/// Held is the sum of the live holds, sold of the bookings, and escrow is empty.
pub(super) fn check_sums(reader: &Reader, products: [Product; 2], memories: &[Memory]) {
    let mut sums = [[[0u32; 2]; NIGHTS as usize]; 2];
    let holds: BTreeSet<_> = memories.iter().flat_map(|memory| &memory.holds).collect();
    for hold in holds.into_iter().filter_map(|&id| reader.hold(id)) {
        let booked = match hold.status {
            Status::Confirmed(booking) => {
                let booking = reader.booking(booking).expect("a confirmed hold has its booking");
                booking.status == booking::Status::Confirmed
            }
            _ => false,
        };
        if !booked && !hold.is_live() {
            continue;
        }
        for line in &hold.terms.lines {
            let which = usize::from(line.room_type != products[0].room_type);
            for at in hold.terms.check_in.0..hold.terms.check_out.0 {
                let night = usize::from(at - night(0).0);
                sums[which][night][usize::from(booked)] += u32::from(line.quantity);
            }
        }
    }
    for ((product, nights), sums) in products.iter().zip(cells(reader, products)).zip(sums) {
        for ((day, cell), [held, sold]) in (0..).zip(nights).zip(sums) {
            assert_eq!((cell.held(), cell.sold()), (held, sold), "held and sold of night {day}");
            let escrow = reader.escrowed(product.room_type, night(day));
            assert_eq!(escrow, Some(0), "escrow of night {day} when nothing is under way");
        }
    }
}

/// The log alone gives the same state, to the last byte.
pub(super) fn check_replay(log: &Log) {
    let (mut again, _) = found();
    for (index, batch) in (again.index + 1..).zip(&log.batches) {
        again.writer.apply(index, batch, &mut Vec::new(), &mut Vec::new());
    }
    assert_eq!(again.writer.digest(), log.writer.digest(), "the state is not that of its log");
}

/// What was read out beside the writer is the state at the mark.
pub(super) fn check_captures(marked: &[Digest], captured: &[Records]) {
    assert_eq!(marked.len(), captured.len());
    for (at_mark, records) in marked.iter().zip(captured) {
        let mut loading = State::load();
        for (part, record) in records {
            loading
                .put(Decoded::of(*part, record.clone()).expect("readable"))
                .expect("what was captured can be loaded");
        }
        let (loaded, _) = loading.finish().expect("all of it is there");
        assert_eq!(loaded.digest(), *at_mark, "the captured state is not that of its mark");
    }
}
