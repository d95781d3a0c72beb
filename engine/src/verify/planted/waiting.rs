//! Corruptions of the waitlist.

use std::sync::Arc;

use super::house::{House, NIGHT};
use super::{found, named};
use crate::command::{Hold, HoldLine, JoinWaitlist, LeaveWaitlist, Principal, Release};
use crate::ids::{BookingId, HoldId, HotelIx, RatePlanIx, RoomTypeIx, WaitId};
use crate::state::Writer;
use crate::stay::Stay;
use crate::waitlist::{Entry, Status};
use crate::{Event, Verb};

const FIRST: WaitId = WaitId(900);
const SECOND: WaitId = WaitId(901);
const OFFER: HoldId = HoldId(910);

fn join(house: &mut House, id: WaitId, hold: HoldId) {
    let line = HoldLine {
        room_type: RoomTypeIx(0),
        rate_plan: RatePlanIx(0),
        quantity: 1,
        adults: 2,
        children: Vec::new(),
        quote: None,
    };
    let wish = Hold {
        id: hold,
        hotel: HotelIx(0),
        principal: Principal::Guest(id.0),
        stay: Stay { check_in: NIGHT, check_out: NIGHT.plus(1) },
        lines: vec![line],
        ttl_s: 7_200,
        expected_total: None,
        client_reference: None,
        block: None,
        promo: None,
    };
    house.run(Verb::JoinWaitlist(JoinWaitlist { id, wish }));
}

/// Two wait for the same room, and nobody else came.
fn wait(house: &mut House) {
    house.hold(0, 700, 1, 2);
    join(house, FIRST, OFFER);
    join(house, SECOND, HoldId(911));
    house.verifier.check_all(&house.writer);
    assert_eq!(house.verifier.findings(), []);
}

/// One of them is offered a room.
fn offer(house: &mut House) {
    wait(house);
    let cut = |house: &mut House| house.write(0, 3);
    cut(house);
    let (hold, principal) = (HoldId(700), super::GUEST);
    house.run(Verb::Release(Release { hold, principal }));
    house.verifier.check_all(&house.writer);
    assert_eq!(house.verifier.findings(), []);
    assert_eq!(status(&house.writer, FIRST), Status::Offered(OFFER));
    assert_eq!(status(&house.writer, SECOND), Status::Waiting);
}

fn status(writer: &Writer, id: WaitId) -> Status {
    writer.shared.waitlist.get(&id).unwrap().status
}

fn change(house: &House, id: WaitId, change: impl FnOnce(&mut Entry)) {
    let mut entry = Entry::clone(&house.writer.shared.waitlist.get(&id).unwrap());
    change(&mut entry);
    house.writer.shared.waitlist.insert(id, Arc::new(entry));
}

#[test]
fn an_offer_that_is_no_live_hold_is_found() {
    let release = |house: &mut House| {
        offer(house);
        let holds = &house.writer.shared.holds;
        holds.change(&OFFER, |hold| hold.status = crate::hold::Status::Released).unwrap();
    };
    let expected = (format!("live hold {OFFER}"), "none");
    found("released", release, &named("waitlist", format!("{FIRST} offer"), None, expected));
    let forget = |house: &mut House| {
        offer(house);
        change(house, FIRST, |entry| entry.status = Status::Waiting);
    };
    let expected = (format!("offered as {OFFER}"), "Some(Waiting)");
    found("of nobody", forget, &named("waitlist", format!("{FIRST} of a hold"), None, expected));
    let use_it = |house: &mut House| {
        offer(house);
        change(house, FIRST, |entry| entry.status = Status::Used(BookingId(5)));
    };
    let expected = (format!("booking {}", BookingId(5)), "none");
    found("unused", use_it, &named("waitlist", format!("{FIRST} used"), None, expected));
}

#[test]
fn an_entry_that_changed_or_was_lost_without_an_event_is_found() {
    let close = |house: &mut House| {
        wait(house);
        change(house, SECOND, |entry| entry.status = Status::Closed);
    };
    let words = ("(2, Waiting)", "(2, Closed)");
    found("closed", close, &named("waitlist", SECOND, None, words));
    let ended = ("an end", "None");
    found("closed", close, &named("waitlist", format!("{SECOND} end"), None, ended));
    let lose = |house: &mut House| {
        wait(house);
        house.writer.shared.waitlist.remove(&SECOND);
    };
    found("lost", lose, &named("waitlist", SECOND, None, ("Waiting", "nothing")));
}

#[test]
fn queues_and_counters_that_do_not_fit_their_entries_are_found() {
    let lose = |house: &mut House| {
        wait(house);
        house.writer.plant_waiting().lose_queues();
    };
    let id = format!("{FIRST} in a queue");
    found("queue", lose, &named("waitlist", &id, None, ("place 1 of hotel 0", "nothing")));
    let miscount = |house: &mut House| {
        wait(house);
        house.writer.plant_waiting().miscount();
    };
    found("open", miscount, &named("waitlist", "open", None, (2, 3)));
    let id = format!("{:?} waits", Principal::Guest(FIRST.0));
    found("of a guest", miscount, &named("waitlist", id, None, (1, 2)));
    let forget = |house: &mut House| {
        wait(house);
        let (id, principal) = (FIRST, Principal::Guest(FIRST.0));
        house.run(Verb::LeaveWaitlist(LeaveWaitlist { id, principal }));
        house.writer.plant_waiting().lose_ended();
    };
    let mut house = House::new();
    forget(&mut house);
    let ended = format!("{:?}", house.writer.shared.waitlist.get(&FIRST).unwrap().ended_ms);
    let id = format!("{FIRST} to be forgotten");
    found("ended", forget, &named("waitlist", id, None, (ended, "None")));
}

#[test]
fn who_is_served_out_of_turn_is_found() {
    // The queue has them the wrong way round.
    let swap = |house: &mut House| {
        wait(house);
        house.writer.plant_waiting().number_anew();
        join(house, WaitId(902), HoldId(912));
    };
    let id = format!("{} place", WaitId(902));
    found("place", swap, &named("waitlist", id, None, ("a place after 2", 1)));
    // The second is offered the room while the first, who came for the same, still waits.
    let mut house = House::new();
    wait(&mut house);
    change(&house, SECOND, |entry| entry.status = Status::Offered(HoldId(911)));
    let offered = Arc::clone(&house.writer.shared.waitlist.get(&SECOND).unwrap());
    house.verifier.after(&house.writer, &[Event::WaitlistChanged(offered)]);
    let told = house.verifier.findings().iter().map(|it| (it.id.clone(), it.expected.clone()));
    assert_eq!(told.collect::<Vec<_>>(), [(format!("{SECOND} turn"), format!("after {FIRST}"))]);
}

#[test]
fn an_entry_that_goes_on_after_its_end_is_found() {
    let mut house = House::new();
    wait(&mut house);
    let (id, principal) = (FIRST, Principal::Guest(FIRST.0));
    house.run(Verb::LeaveWaitlist(LeaveWaitlist { id, principal }));
    change(&house, FIRST, |entry| entry.status = Status::Offered(OFFER));
    let offered = Arc::clone(&house.writer.shared.waitlist.get(&FIRST).unwrap());
    house.verifier.after(&house.writer, &[Event::WaitlistChanged(offered)]);
    let told: Vec<_> = house.verifier.findings().iter().map(|it| it.expected.as_str()).collect();
    assert_eq!(told, ["after Cancelled"]);
}
