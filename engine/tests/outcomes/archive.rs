//! Bookings leave memory for the archive.

use std::collections::BTreeSet;

use holdfast_engine::archive::{self, Archived as Totals};
use holdfast_engine::booking::{Booking, Status};
use holdfast_engine::command::{Archive, CheckIn, CheckOut, Confirm, Modify, NoShow};
use holdfast_engine::ids::BookingId;
use holdfast_engine::limits::{ARCHIVE_DAYS_MAX, ARCHIVE_MAX};
use holdfast_engine::stay::Wanted;
use holdfast_engine::{Code, Event, Night, Outcome, Principal, Verb, Verifier};
use proptest::prelude::*;

use super::{Is::*, play};
use crate::world::{ADMIN, DAY, GUEST, OWNER, World, cancel, night, stay};

pub fn tables() -> BTreeSet<&'static str> {
    archivings()
}

fn after(days: u16) -> Verb {
    Verb::Archive(Archive { bookings_max: u32::MAX, days })
}

fn leave(world: &mut World, days: u64) -> Vec<Booking> {
    world.now += days * DAY;
    world.tick();
    world.take_events();
    world.run(after(3));
    let told = |event| match event {
        Event::BookingArchived(booking) => Some(Booking::clone(&booking)),
        _ => None,
    };
    world.take_events().into_iter().filter_map(told).collect()
}

fn archivings() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(20);
    let early = world.book(product, stay(1, 2), 1);
    let later = world.book(product, stay(1, 3), 1);
    let one = |days| Verb::Archive(Archive { bookings_max: 1, days });
    let none = |days| Verb::Archive(Archive { bookings_max: 0, days });
    let met = play(
        &mut world,
        vec![
            (0, after(2), No(Code::Malformed)),
            (0, after(ARCHIVE_DAYS_MAX + 1), No(Code::Malformed)),
            (0, after(ARCHIVE_DAYS_MAX), Archived(0)),
            // Check-out is three days from today; the first night kept is yesterday.
            (6 * DAY, Verb::Tick(Default::default()), Ticked(6)),
            (0, after(3), Archived(0)),
            // The window moves by ticks alone.
            (2 * DAY, after(3), Archived(0)),
            (0, Verb::Tick(Default::default()), Ticked(2)),
            (0, none(3), Archived(0)),
            (0, after(5), Archived(0)),
            (0, one(3), Archived(1)),
            (0, cancel(early), No(Code::NotFound)),
            (0, cancel(later), No(Code::BookingState)),
            (0, after(3), Archived(1)),
            (0, after(3), Archived(0)),
        ],
    );
    assert!(world.reader.booking(early).is_none() && world.reader.booking(later).is_none());
    met
}

#[test]
fn a_booking_leaves_so_many_days_after_its_check_out() {
    archivings();
}

#[test]
fn whatever_became_of_a_booking_it_leaves_as_it_stands() {
    let (mut world, product) = World::open(20);
    let [left, here, gone, missed, never] = [0; 5].map(|_| world.book(product, stay(0, 2), 1));
    let arrive = |booking| Verb::CheckIn(CheckIn { booking, principal: OWNER, version: None });
    world.run(arrive(left));
    world.run(arrive(here));
    world.run(Verb::CheckOut(CheckOut { booking: left, principal: OWNER, version: None }));
    world.run(cancel(gone));
    world.run(Verb::NoShow(NoShow { booking: missed, principal: ADMIN, version: None }));
    let ids = [left, here, gone, missed, never];
    let stood = ids.map(|id| world.reader.booking(id).unwrap());
    let told = leave(&mut world, 6);
    let mut expected: Vec<_> = stood.iter().map(|booking| Booking::clone(booking)).collect();
    let order = |booking: &Booking| booking.id;
    let mut sorted = told.clone();
    expected.sort_by_key(order);
    sorted.sort_by_key(order);
    assert_eq!(sorted, expected, "each as it stood, status and version");
    let kinds = stood.map(|booking| std::mem::discriminant(&booking.status));
    assert_eq!(kinds.iter().collect::<std::collections::HashSet<_>>().len(), 5);
    for booking in &told {
        assert!(world.reader.booking(booking.id).is_none());
        assert_eq!(world.reader.leaving(booking.id).as_deref(), Some(booking), "never nowhere");
        world.reader.has_left(booking.id);
        assert!(world.reader.leaving(booking.id).is_none());
    }
    assert_eq!(world.reader.leaving_count(), 0);
    let mut totals = Totals::default();
    told.iter().for_each(|booking| totals.add(&archive::record(booking)));
    assert_eq!(world.writer.archived(), totals);
}

#[test]
fn a_booking_that_is_moved_leaves_by_its_new_check_out() {
    let (mut world, product) = World::open(20);
    let [longer, shorter] = [1, 5].map(|nights| world.book(product, stay(1, nights), 1));
    for (booking, out) in [(longer, 6), (shorter, 2)] {
        let wanted = Wanted { check_out: Some(night(out)), ..Wanted::default() };
        let modify = Modify {
            booking,
            principal: GUEST,
            version: None,
            wanted,
            guest: None,
            guest_key: None,
            expected_total: None,
        };
        assert!(matches!(world.run(Verb::Modify(modify)), Outcome::BookingChanged(_)));
    }
    let ids = |told: Vec<Booking>| told.iter().map(|booking| booking.id).collect::<Vec<_>>();
    assert_eq!(ids(leave(&mut world, 5)), []);
    assert_eq!(ids(leave(&mut world, 1)), [shorter]);
    assert_eq!(ids(leave(&mut world, 3)), []);
    assert_eq!(ids(leave(&mut world, 1)), [longer]);
}

#[test]
fn one_step_archives_so_many_and_the_next_goes_on() {
    let (mut world, product) = World::open(900);
    for _ in 0..=ARCHIVE_MAX {
        world.book(product, stay(1, 1), 1);
    }
    world.now += 9 * DAY;
    assert!(!world.reader.archive_is_due(3), "the window has not moved");
    world.tick();
    assert!(world.reader.archive_is_due(3) && !world.reader.archive_is_due(7));
    for expected in [ARCHIVE_MAX, 1, 0] {
        let outcome = world.run(after(3));
        assert!(matches!(outcome, Outcome::Archived { bookings } if bookings == expected));
    }
    assert!(!world.reader.archive_is_due(3));
}

#[test]
fn an_archived_bookings_reference_stays_taken_and_names_it() {
    let (mut world, product) = World::open(5);
    let mut wish = world.wish(product, stay(1, 1), 1);
    wish.client_reference = Some("mine".to_owned());
    let hold = wish.id;
    world.run(Verb::Hold(wish.clone()));
    let confirm = world.confirmation(hold);
    let booking = confirm.booking;
    world.run(Verb::Confirm(Confirm { ..confirm }));
    let mut verifier = Verifier::new(0);
    world.take_events();
    verifier.after(&world.writer, &[]);
    world.now += 20 * DAY;
    world.tick();
    world.run(after(3));
    let events = world.take_events();
    verifier.after(&world.writer, &events);
    verifier.check_all(&world.writer);
    assert_eq!(verifier.findings(), [], "the name leads to a booking that is archived");
    let again = holdfast_engine::command::Hold {
        id: holdfast_engine::ids::HoldId(world.mint()),
        stay: stay(22, 1),
        ..wish
    };
    let outcome = world.run(Verb::Hold(again));
    let refusal = outcome.refusal().unwrap();
    assert_eq!((refusal.code, refusal.booking), (Code::ReferenceDuplicate, Some(booking)));
}

#[test]
fn a_list_shows_those_in_memory_and_positions_mean_what_they_meant() {
    let (mut world, product) = World::open(20);
    let [stays, goes, newest] =
        [(1, 9), (1, 1), (2, 9)].map(|(from, nights)| world.book(product, stay(from, nights), 1));
    let page = |world: &World, before, limit| world.reader.bookings_of(GUEST, before, limit);
    let first = page(&world, None, 1);
    assert_eq!((&first.bookings[..], first.next), (&[newest][..], Some(2)));
    leave(&mut world, 7);
    assert_eq!(page(&world, None, 9).bookings, [newest, stays]);
    assert_eq!(page(&world, first.next, 9).bookings, [stays], "{goes} is archived");
    leave(&mut world, 20);
    assert_eq!(page(&world, None, 9), Default::default());
    let other = page(&world, None, 9);
    assert_eq!(other.next, None);
}

/// Days until the check-in, nights, how it ends.
fn bookings() -> impl Strategy<Value = Vec<(u16, u16, u8)>> {
    proptest::collection::vec((0u16..6, 1u16..6, 0u8..3), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn memory_and_archive_together_are_all_that_was_ever_booked(
        bookings in bookings(), days in proptest::collection::vec(0u64..4, 1..20), most in 1u32..9,
    ) {
        let (mut world, product) = World::open(900);
        let mut made = BTreeSet::new();
        for (from, nights, end) in bookings {
            let id = world.book(product, stay(from, nights), 1);
            made.insert(id);
            if end == 0 {
                world.run(cancel(id));
            }
        }
        let mut archived: BTreeSet<BookingId> = BTreeSet::new();
        let mut last = (Night(0), Totals::default());
        for days in days {
            world.now += days * DAY;
            world.tick();
            world.take_events();
            world.run(Verb::Archive(Archive { bookings_max: most, days: 3 }));
            for event in world.take_events() {
                let Event::BookingArchived(booking) = event else { continue };
                prop_assert!(archived.insert(booking.id), "archived once");
                prop_assert!(last.0 <= booking.terms.check_out, "by check-out");
                last.0 = booking.terms.check_out;
                last.1.add(&archive::record(&booking));
                let read = archive::read(&archive::record(&booking)).unwrap();
                prop_assert_eq!(&read, booking.as_ref());
            }
            let live: BTreeSet<_> =
                made.iter().filter(|id| world.reader.booking(**id).is_some()).copied().collect();
            prop_assert!(live.is_disjoint(&archived));
            prop_assert_eq!(live.union(&archived).copied().collect::<BTreeSet<_>>(), made.clone());
            prop_assert_eq!(world.writer.archived(), last.1);
            let listed = world.reader.bookings_of(GUEST, None, 99).bookings;
            prop_assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), live);
        }
    }
}

#[test]
fn a_cancelled_booking_is_not_forgotten_before_its_check_out() {
    let (mut world, product) = World::open(5);
    let booking = world.book(product, stay(20, 2), 1);
    world.run(cancel(booking));
    assert_eq!(leave(&mut world, 20), []);
    let principal = Principal::Guest(1);
    assert_eq!(world.reader.bookings_of(principal, None, 9).bookings, [booking]);
    let told = leave(&mut world, 8);
    assert!(matches!(told[..], [Booking { status: Status::Cancelled(_), .. }]), "{told:?}");
}
