//! Corruptions planted one by one into a small state: each must be named, with its part, its id, its night,
//! what was expected and what was found.

#[path = "../../tests/world/drafts.rs"]
mod drafts;
mod house;
mod prices;
mod promos;
mod snapshots;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use house::{GUEST, HELD, House, NIGHT, OWNER, PARTNER, SOLD, TODAY};

use super::{Finding, Verifier};
use crate::block::{BlockDraft, BlockLine};
use crate::command::{AddBlock, Archive, Hold, HoldLine};
use crate::ids::{
    BlockId, BookingId, HoldId, HotelId, HotelIx, RatePlanId, RatePlanIx, RoomTypeId, RoomTypeIx,
    UserId,
};
use crate::inventory::Cell;
use crate::stay::Stay;
use crate::{Night, Verb};

/// What must be among the findings: part, id, night, expected, found.
type Named = (&'static str, String, Option<Night>, String, String);

fn named(
    part: &'static str,
    id: impl ToString,
    night: Option<Night>,
    (expected, found): (impl ToString, impl ToString),
) -> Named {
    (part, id.to_string(), night, expected.to_string(), found.to_string())
}

/// Whoever saw every entry names it, and so does whoever began with a snapshot.
#[track_caller]
fn found(what: &str, plant: impl Fn(&mut House), expected: &Named) {
    for house in [House::new(), House::new().begun_anew()] {
        found_in(house, what, &plant, expected);
    }
}

#[track_caller]
fn found_in(mut house: House, what: &str, plant: impl Fn(&mut House), expected: &Named) {
    plant(&mut house);
    house.verifier.check_all(&house.writer);
    let is_it = |finding: &Finding| {
        let Finding { part, id, night, expected: should, found, .. } = finding.clone();
        (part, id, night, should, found) == *expected
    };
    let told: Vec<_> = house.verifier.findings().iter().map(ToString::to_string).collect();
    assert!(house.verifier.findings().iter().any(is_it), "{what}: {expected:?} not in {told:#?}");
    // Told once: another look at the same damage adds nothing.
    let count = house.verifier.found();
    house.verifier.check_all(&house.writer);
    assert_eq!(house.verifier.found(), count, "{what}: told again");
}

#[test]
fn a_counter_that_is_off_by_one_is_found() {
    let cell = |name, expected: u32, found: u32| {
        let id = format!("{} {name}", RoomTypeId(200));
        named("cells", id, Some(NIGHT), (expected, found))
    };
    let plant =
        |change: fn(Cell) -> Cell| move |house: &mut House| house.change_cell(0, NIGHT, change);
    found("held + 1", plant(|it| it.with_held(it.held() + 1)), &cell("held", 1, 2));
    found("held - 1", plant(|it| it.with_held(it.held() - 1)), &cell("held", 1, 0));
    found("sold + 1", plant(|it| it.with_sold(it.sold() + 1)), &cell("sold", 1, 2));
    found("sold - 1", plant(|it| it.with_sold(it.sold() - 1)), &cell("sold", 1, 0));
    found("blocked", plant(|it| it.with_blocked(1)), &cell("blocked", 0, 1));
    found("overbook", plant(|it| it.with_overbook(9)), &cell("overbook", 0, 9));
    found("closed", plant(|it| it.with_closed(true)), &cell("closed", 0, 1));
}

#[test]
fn a_pickup_that_is_miscounted_and_a_block_that_is_lost_are_found() {
    let (id, room_type) = (BlockId(800), RoomTypeIx(1));
    let pick_up = |house: &mut House| {
        let draft = BlockDraft {
            name: "A".into(),
            stay: Stay { check_in: NIGHT, check_out: NIGHT.plus(2) },
            lines: vec![BlockLine { room_type, rooms: 1 }],
            definite: true,
            release_on: None,
        };
        house.run(Verb::AddBlock(AddBlock { id, hotel: HotelIx(0), principal: OWNER, draft }));
        let terms = house.writer.shared.holds.get(&HoldId(511)).unwrap().terms.clone();
        let line = HoldLine {
            room_type,
            rate_plan: RatePlanIx(1),
            quantity: 1,
            adults: 1,
            children: Vec::new(),
            quote: None,
        };
        house.run(Verb::Hold(Hold {
            id: HoldId(801),
            hotel: HotelIx(0),
            principal: GUEST,
            stay: Stay { check_in: terms.check_in, check_out: terms.check_in.plus(1) },
            lines: vec![line],
            ttl_s: 900,
            expected_total: None,
            client_reference: None,
            block: Some(id),
            promo: None,
        }));
        assert_eq!(house.verifier.findings(), []);
    };
    let about = format!("{id} picked up of room type 1");
    let more = |house: &mut House| {
        pick_up(house);
        let change = |block: &mut crate::block::Block| block.pick_up(room_type, NIGHT, 1);
        house.writer.shared.blocks.change(&id, change).unwrap();
    };
    found("picked up + 1", more, &named("blocks", &about, Some(NIGHT), (1, 2)));
    let lose = |house: &mut House| {
        pick_up(house);
        house.writer.shared.blocks.remove(&id);
    };
    let cell = format!("{} blocked", RoomTypeId(201));
    found("block lost", lose, &named("cells", cell, Some(NIGHT.plus(1)), (0, 1)));
}

#[test]
fn a_cell_above_its_limit_without_a_cut_is_found_and_a_named_cut_is_not() {
    let id = format!("{} limit", RoomTypeId(200));
    let expected = named("cells", id, Some(NIGHT), ("at most 1 promised", 2));
    let cut = |house: &mut House| house.change_cell(0, NIGHT, |it| it.with_allotment(1));
    found("cut without an event", cut, &expected);
    let mut house = House::new();
    house.write(0, 1);
    house.verifier.check_all(&house.writer);
    assert_eq!(house.verifier.findings(), []);
    assert_eq!(house.cell(0).deficit(), 1, "the cut went below what is promised");
    // One more than the cut announced.
    house.change_cell(0, NIGHT, |it| it.with_sold(it.sold() + 1));
    house.verifier.check_all(&house.writer);
    assert!(house.verifier.findings().iter().any(|it| it.expected == "at most 2 promised"));
}

#[test]
fn rooms_swapped_between_cells_are_found_though_their_sum_is_right() {
    let swap = |house: &mut House| {
        let (one, two) = (house.cell(0).sold(), house.cell(1).sold());
        house.change_cell(0, NIGHT, |it| it.with_sold(two));
        house.change_cell(1, NIGHT, |it| it.with_sold(one));
    };
    for (id, expected, is) in [(200, 1, 2), (201, 2, 1)] {
        let id = format!("{} sold", RoomTypeId(id));
        found("swapped", swap, &named("cells", id, Some(NIGHT), (expected, is)));
    }
}

#[test]
fn bookings_whose_terms_were_swapped_are_found() {
    let swap = |house: &mut House| {
        let bookings = &house.writer.shared.bookings;
        let terms = |id| Arc::clone(&bookings.get(&id).unwrap().terms);
        let (one, two) = (terms(BookingId(602)), terms(BookingId(612)));
        for (id, terms) in [(602, two), (612, one)] {
            bookings.change(&BookingId(id), |booking| Arc::make_mut(booking).terms = terms);
        }
    };
    let words = |rooms, at| format!("{rooms} sold of room type {at} {NIGHT} to {}", NIGHT.plus(1));
    let expected = named("bookings", SOLD, None, (words(1, 0), words(2, 1)));
    found("swapped terms", swap, &expected);
}

#[test]
fn a_record_lost_from_its_table_is_found() {
    let house = House::new();
    let until = house.writer.shared.holds.get(&HELD).unwrap().expires_ms;
    let to = NIGHT.plus(2);
    let held = format!("1 held of room type 0 {NIGHT} to {to} until {until} ms");
    let lose = |house: &mut House| drop(house.writer.shared.holds.remove(&HELD));
    found("hold lost", lose, &named("holds", HELD, None, (held, "no rooms")));
    found("hold lost", lose, &named("holds", "count", None, (5, 6)));
    let sold = format!("1 sold of room type 0 {NIGHT} to {}", NIGHT.plus(1));
    let lose = |house: &mut House| drop(house.writer.shared.bookings.remove(&SOLD));
    found("booking lost", lose, &named("bookings", SOLD, None, (sold, "no rooms")));
    found("booking lost", lose, &named("bookings", "count", None, (1, 2)));
    let listed = format!("{SOLD} in a list");
    found("booking lost", lose, &named("bookings", listed, None, ("nothing", "an entry")));
    let lose = |house: &mut House| house.writer.shared.guest_keys.change(&7, Vec::clear).unwrap();
    let (id, key) = (format!("of {SOLD}"), format!("{:032x}", 8));
    found("guest's key lost", lose, &named("guest_keys", id, None, (key, "not kept")));
}

#[test]
fn a_hold_that_lives_longer_than_any_event_said_is_found() {
    let later = |house: &mut House| {
        house.writer.shared.holds.change(&HELD, |hold| hold.expires_ms += 1).unwrap();
    };
    let until = House::new().writer.shared.holds.get(&HELD).unwrap().expires_ms;
    let words =
        |until| format!("1 held of room type 0 {NIGHT} to {} until {until} ms", NIGHT.plus(2));
    found("later", later, &named("holds", HELD, None, (words(until), words(until + 1))));
}

#[test]
fn an_expiry_that_nobody_will_find_is_found() {
    let until = House::new().writer.shared.holds.get(&HELD).unwrap().expires_ms;
    let id = format!("{HELD} in the sweep's index");
    let lose = |house: &mut House| house.writer.expiry = crate::state::expiry::Expiry::default();
    found("sweep's entry", lose, &named("expiry", id, None, (until, "no entry")));
    let id = format!("{HELD} in its hotel's index");
    let lose = |house: &mut House| house.writer.plant_lost_hotel_entries(HotelIx(0));
    found("hotel's entry", lose, &named("expiry", id, None, (until, "no entry")));
    let id = format!("earliest of the hotel of {HELD}");
    let late = |house: &mut House| {
        house.writer.shared.set_earliest_expiry(HotelIx(0), Some(until + 1));
    };
    let expected = named("expiry", id, None, (format!("at most {until}"), until + 1));
    found("hint too late", late, &expected);
}

#[test]
fn a_rate_word_that_changed_without_an_event_is_found() {
    let house = House::new();
    let word = house.writer.shared.rates.row(1).unwrap().slot(NIGHT).unwrap().load(Relaxed);
    let change = |house: &mut House| {
        let row = house.writer.shared.rates.row(1).unwrap();
        row.slot(NIGHT).unwrap().store(word + 1, Relaxed);
    };
    let (expected, is) = (format!("{word:016x}"), format!("{:016x}", word + 1));
    let expected = named("rates", RatePlanId(301), Some(NIGHT), (expected, is));
    found("rate word", change, &expected);
}

#[test]
fn a_night_that_is_not_kept_and_not_empty_is_found() {
    let spare = TODAY.plus(45);
    let change = |house: &mut House| house.change_cell(0, spare, |it| it.with_allotment(1));
    let id = format!("{} allotment", RoomTypeId(200));
    found("spare night", change, &named("cells", id, Some(spare), (0, 1)));
}

#[test]
fn a_wrong_quota_is_found() {
    let id = |name| format!("{} {name}", UserId(7));
    let more = |house: &mut House| house.writer.plant_usage(7, |usage| usage.rooms += 1);
    found("rooms", more, &named("quota", id("rooms"), None, (2, 3)));
    let more = |house: &mut House| house.writer.plant_usage(7, |usage| usage.room_nights -= 1);
    found("room-nights", more, &named("quota", id("room-nights"), None, (4, 3)));
    let more = |house: &mut House| house.writer.plant_usage(7, |it| it.holds.push(HoldId(9)));
    found("holds", more, &named("quota", id("holds"), None, (2, 3)));
    found("holds", more, &named("quota", HoldId(9), None, ("a live hold", "none")));
}

#[test]
fn a_reference_that_leads_nowhere_or_is_missing_is_found() {
    let plant = |hold| move |it: &mut House| it.writer.plant_reference((GUEST, "ref 501"), hold);
    let id = format!("{GUEST:?} {:?}", "ref 501");
    found("lost", plant(None), &named("references", &id, None, (HELD, "nothing")));
    let other = HoldId(77);
    found("another's", plant(Some(other)), &named("references", &id, None, (HELD, other)));
    let stray = |it: &mut House| it.writer.plant_reference((GUEST, "x"), Some(other));
    let id = format!("{GUEST:?} {:?}", "x");
    found("dangling", stray, &named("references", id, None, ("nothing", other)));
}

#[test]
fn counters_and_queues_that_do_not_fit_their_tables_are_found() {
    let count = |house: &mut House| house.writer.holds_count += 1;
    found("holds", count, &named("holds", "count", None, (6, 7)));
    let count = |house: &mut House| house.writer.bookings_count -= 1;
    found("bookings", count, &named("bookings", "count", None, (2, 1)));
    let lose = |house: &mut House| drop(house.writer.shared.keys.remove(&1));
    let house = House::new();
    let keys = house.writer.shared.keys.len();
    found("a key", lose, &named("keys", "count", None, (keys - 1, keys)));
    let lose = |house: &mut House| house.writer.plant_forgotten_key();
    let id = format!("{:032x}", 1);
    let expected = named("keys", id, None, ("to be forgotten one day", "kept for ever"));
    found("keys by age", lose, &expected);
    let lose = |house: &mut House| house.writer.plant_forgotten_end();
    found("ended holds", lose, &named("holds", "ended count", None, (4, 0)));
}

#[test]
fn a_list_without_its_record_or_a_record_without_its_list_is_found() {
    let lose = |house: &mut House| {
        let lists = &house.writer.shared.bookings_of;
        lists.change(&GUEST, |list| list.plant_lost(SOLD)).unwrap();
    };
    let expected = named("bookings", format!("{SOLD} in its list"), None, ("once", 0));
    found("listing", lose, &expected);
    let twice = |house: &mut House| {
        house.writer.shared.bookings_of.change(&GUEST, |list| list.plant_twice(SOLD)).unwrap();
    };
    let expected = named("bookings", format!("{SOLD} in its list"), None, ("once", 2));
    found("listing", twice, &expected);
    let stay = Stay { check_in: NIGHT, check_out: NIGHT.plus(1) };
    let lose = |house: &mut House| house.writer.shared.arrivals.remove(HotelIx(0), stay, SOLD);
    let once = format!("1 of {NIGHT} at hotel 0");
    found("arrival", lose, &named("arrivals", SOLD, None, (&once, "none")));
    let other = BookingId(77);
    let add = |house: &mut House| house.writer.shared.arrivals.add(HotelIx(0), stay, other);
    found("stray arrival", add, &named("arrivals", other, None, ("none", once)));
    let lose = |house: &mut House| {
        house.writer.shared.hotel_ids.pin().remove(&HotelId(100));
    };
    let expected = named("catalogue", HotelId(100), None, ("found by its id", "not found"));
    found("id", lose, &expected);
    let lose = |house: &mut House| {
        house.writer.shared.partner_hotels.remove(&PARTNER);
    };
    let expected = named("catalogue", HotelId(100), None, ("in its partner's list", "not there"));
    found("partner's list", lose, &expected);
}

#[test]
fn a_wrong_count_or_digest_of_the_archive_is_found() {
    let more = |house: &mut House| house.writer.plant_archived(|archived| archived.bookings += 1);
    found("count", more, &named("archive", "count", None, (0, 1)));
    let other = |house: &mut House| house.writer.plant_archived(|archived| archived.digest = 255);
    let hex = |digest: u128| format!("{digest:032x}");
    found("digest", other, &named("archive", "digest", None, (hex(0), hex(255))));
    let archived = |house: &mut House| {
        house.archive_all();
        house.writer.plant_archived(|archived| archived.bookings -= 1);
    };
    found("count", archived, &named("archive", "count", None, (2, 1)));
}

#[test]
fn a_booking_that_would_never_be_archived_or_was_too_early_is_found() {
    let (id, out) = (format!("{SOLD} to come"), NIGHT.plus(1));
    let lose = |house: &mut House| house.writer.check_outs.remove(out, SOLD);
    let once = format!("1 of {out}");
    found("never", lose, &named("archive", &id, None, (&once, "none")));
    let stray = |house: &mut House| house.writer.check_outs.add(out, BookingId(77));
    let id = format!("{} to come", BookingId(77));
    found("stray", stray, &named("archive", id, None, ("none", once)));
    let early = |house: &mut House| {
        house.writer.check_outs.remove(out, SOLD);
        house.writer.check_outs.add(TODAY.minus(9), SOLD);
        house.run(Verb::Archive(Archive::after(3)));
        assert_eq!(house.verifier.findings()[0].part, "cells", "seen in that very entry");
    };
    let id = format!("{} sold", RoomTypeId(200));
    found("early", early, &named("cells", id, Some(NIGHT), (0, 1)));
}

#[test]
fn an_archived_bookings_name_and_entry_in_its_list_are_no_finding_and_a_strays_are() {
    let mut house = House::new();
    house.archive_all();
    house.verifier.check_all(&house.writer);
    assert_eq!(house.verifier.findings(), []);
    let gone = |house: &mut House| {
        house.archive_all();
        house.writer.plant_reference((GUEST, "ref 502"), None);
    };
    let id = format!("{GUEST:?} {:?}", "ref 502");
    let told = format!("{}, {SOLD}", HoldId(502));
    found("name", gone, &named("references", id, None, (told, "nothing")));
}

#[test]
fn an_entry_alone_shows_a_counter_that_it_moved_wrongly() {
    let mut house = House::new();
    house.change_cell(0, NIGHT, |it| it.with_held(it.held() + 1));
    house.hold(0, 700, 1, 1);
    let finding = &house.verifier.findings()[0];
    assert_eq!((finding.part, finding.night), ("cells", Some(NIGHT)));
    assert_eq!((finding.expected.as_str(), finding.found.as_str()), ("2", "3"));
    assert_eq!(finding.index, house.index);
}

#[test]
fn nothing_is_checked_before_the_index_it_was_asked_from() {
    let mut house = House::new();
    house.verifier = Verifier::new(house.index + 2);
    house.change_cell(0, NIGHT, |it| it.with_held(it.held() + 1));
    house.hold(0, 700, 1, 1);
    assert_eq!(house.verifier.found(), 0);
    house.hold(1, 701, 1, 1);
    assert_eq!(house.verifier.findings()[0].id, format!("{} held", RoomTypeId(200)));
}

#[test]
fn an_altered_part_is_named_by_its_digest() {
    let house = House::new();
    let before = house.writer.digest();
    let names = |house: &House| -> Vec<_> {
        house.writer.digest().differences(&before).map(|part| part.0).collect()
    };
    assert_eq!(names(&house), [""; 0]);
    house.change_cell(0, NIGHT, |it| it.with_held(it.held() + 1));
    assert_eq!(names(&house), ["cells"]);
    house.writer.shared.holds.change(&HELD, |hold| hold.extensions += 1).unwrap();
    assert_eq!(names(&house), ["cells", "holds"]);
    house.writer.shared.rates.row(0).unwrap().slot(NIGHT).unwrap().fetch_add(1, Relaxed);
    house.writer.shared.keys.remove(&1);
    house.writer.shared.bookings.remove(&SOLD);
    assert_eq!(names(&house), ["cells", "rates", "holds", "bookings", "keys"]);
}

#[test]
fn rooms_that_are_not_there_are_not_taken_out_and_raise_an_alarm() {
    let mut house = House::new();
    assert_eq!(house.writer.damage(), 0);
    house.change_cell(0, NIGHT, |it| it.with_held(0));
    let hold = house.writer.shared.holds.get(&HELD).unwrap();
    house.pass(hold.expires_ms);
    // Each hold has ended; of their four nights one had lost its room.
    assert!(!house.writer.shared.holds.get(&HELD).unwrap().is_live());
    assert_eq!((house.cell(0).held(), house.writer.damage()), (0, 1));
}
