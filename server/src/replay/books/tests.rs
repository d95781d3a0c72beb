//! The own count, fed with made-up replies.

use super::super::demand::{Demand, Stay};
use super::*;

/// Two rooms of one type; every stay covers nights 0 and 1, but for the last, which covers night 1
/// alone.
fn plan() -> Plan {
    let stay = |line, arrival, nights| Stay {
        line,
        hotel: "H".into(),
        room_type: "A".into(),
        arrival,
        nights,
        adults: 1,
        children: 0,
        babies: 0,
        booked_on: 0,
        cancelled_on: None,
    };
    let stays = vec![stay(2, 10, 2), stay(3, 10, 2), stay(4, 10, 2), stay(5, 11, 1)];
    Plan::new(&Demand { rows: 4, stays, ..Demand::default() }, Some(2)).unwrap()
}

fn refusal(stay: usize, step: Step, code: &str) -> Refusal {
    Refusal { stay, step, status: 409, code: code.into(), detail: String::new() }
}

fn sold(books: &Books) -> [u32; 2] {
    [books.sold.on(0, 0), books.sold.on(0, 1)]
}

#[test]
fn bookings_add_cancellations_take_refusals_do_neither() {
    let plan = plan();
    let mut books = Books::new(&plan);
    books.booked(&plan, 0, "bkg_1".into());
    books.booked(&plan, 3, "bkg_2".into());
    books.refused(refusal(1, Step::Hold, "inventory.insufficient"));
    assert_eq!(sold(&books), [1, 2]);
    books.cancelled(&plan, 0);
    assert_eq!(sold(&books), [0, 1]);
    assert_eq!(books.count(|fate| *fate == Fate::Cancelled), 1);
    assert_eq!(books.count(|fate| *fate == Fate::Waiting), 1);
    assert_eq!(books.refused[&(Step::Hold, "inventory.insufficient".into())], 1);
}

#[test]
fn a_booking_that_could_not_be_cancelled_stays_sold() {
    let plan = plan();
    let mut books = Books::new(&plan);
    books.booked(&plan, 0, "bkg_1".into());
    books.refused(refusal(0, Step::Cancel, "booking.state"));
    assert_eq!(sold(&books), [1, 1]);
    assert!(matches!(books.fates[0], Fate::Booked { .. }));
}

#[test]
fn a_refusal_with_a_full_night_is_just() {
    let plan = plan();
    let mut books = Books::new(&plan);
    books.booked(&plan, 0, "bkg_1".into());
    // Refused while the other room was only held: by the end of the round it is sold.
    books.refused(refusal(2, Step::Hold, "inventory.insufficient"));
    books.booked(&plan, 3, "bkg_2".into());
    books.round_ends(&plan);
    assert!(books.unjust.is_none());
}

#[test]
fn a_refusal_with_rooms_on_every_night_is_unjust() {
    let plan = plan();
    let mut books = Books::new(&plan);
    books.booked(&plan, 0, "bkg_1".into());
    books.refused(refusal(2, Step::Hold, "inventory.insufficient"));
    books.round_ends(&plan);
    assert_eq!(books.unjust.unwrap().stay, 2);
}

#[test]
fn a_hold_that_failed_to_become_a_booking_excuses_its_round_only() {
    let plan = plan();
    let mut books = Books::new(&plan);
    books.refused(refusal(0, Step::Book, "hold.expired"));
    books.refused(refusal(1, Step::Hold, "inventory.insufficient"));
    books.round_ends(&plan);
    assert!(books.unjust.is_none());
    books.refused(refusal(2, Step::Hold, "inventory.insufficient"));
    books.round_ends(&plan);
    assert!(books.unjust.is_some());
}

#[test]
fn a_booking_beyond_the_rooms_is_remembered_after_its_cancellation() {
    let plan = plan();
    let mut books = Books::new(&plan);
    for stay in 0..3 {
        books.booked(&plan, stay, "bkg".into());
    }
    books.cancelled(&plan, 2);
    assert_eq!(books.oversold, Some(2));
}

#[test]
#[should_panic(expected = "booked once")]
fn a_stay_cannot_be_booked_twice() {
    let plan = plan();
    let mut books = Books::new(&plan);
    books.booked(&plan, 0, "bkg_1".into());
    books.booked(&plan, 0, "bkg_1".into());
}
