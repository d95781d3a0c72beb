//! Books that begin with a snapshot: what was there is no finding, what is more is one.

use super::house::{GUEST, House, NIGHT, SOLD};
use super::{found_in, named};
use crate::command::Tick;
use crate::ids::{BookingId, HoldId, RoomTypeId};
use crate::{Verb, Verifier};

/// With a cut below what is promised: two of its one room.
fn cut_short() -> House {
    let mut house = House::new();
    house.write(0, 1);
    assert_eq!(house.cell(0).deficit(), 1);
    house
}

/// With two of its three bookings in the archive.
fn archived() -> House {
    let mut house = House::new();
    house.hold(0, 520, 20, 1);
    house.confirm(520);
    house.archive_all();
    assert_eq!(house.writer.archived().bookings, 2);
    house
}

#[test]
fn what_was_over_its_limit_at_the_snapshot_is_no_finding_and_growth_of_it_is() {
    let house = cut_short().begun_anew();
    assert_eq!(house.verifier.findings(), []);
    let id = format!("{} limit", RoomTypeId(200));
    let more = named("cells", &id, Some(NIGHT), ("at most 2 promised", 3));
    let sell = |house: &mut House| house.change_cell(0, NIGHT, |it| it.with_sold(it.sold() + 1));
    found_in(house, "one more sold", sell, &more);
    let cut = |house: &mut House| house.change_cell(0, NIGHT, |it| it.with_allotment(0));
    let most = named("cells", &id, Some(NIGHT), ("at most 1 promised", 2));
    found_in(cut_short().begun_anew(), "one less given", cut, &most);
}

#[test]
fn what_was_over_its_limit_and_came_back_may_not_be_over_it_again() {
    let mut house = cut_short().begun_anew();
    house.write(0, 4);
    assert_eq!(house.verifier.findings(), []);
    let cut = |house: &mut House| house.change_cell(0, NIGHT, |it| it.with_allotment(1));
    let id = format!("{} limit", RoomTypeId(200));
    let expected = named("cells", id, Some(NIGHT), ("at most 1 promised", 2));
    found_in(house, "cut without an event", cut, &expected);
}

#[test]
fn a_cut_that_was_made_good_before_anyone_looked_covers_no_later_one() {
    let mut house = cut_short();
    house.verifier = Verifier::new(house.index + 2);
    house.write(0, 2);
    house.write(0, 0);
    house.write(0, 4);
    assert_eq!(house.verifier.findings(), []);
    let cut = |house: &mut House| house.change_cell(0, NIGHT, |it| it.with_allotment(1));
    let id = format!("{} limit", RoomTypeId(200));
    let expected = named("cells", id, Some(NIGHT), ("at most 1 promised", 2));
    found_in(house, "cut without an event", cut, &expected);
}

#[test]
fn checks_that_begin_after_the_snapshot_know_what_was_over_its_limit_in_it() {
    let mut house = cut_short().begun_anew();
    house.verifier = Verifier::new(house.index + 2);
    house.verifier.begin(&house.writer);
    for _ in 0..3 {
        house.run(Verb::Tick(Tick));
    }
    house.verifier.check_all(&house.writer);
    assert_eq!(house.verifier.findings(), []);
}

#[test]
fn names_and_lists_of_what_was_archived_before_the_snapshot_are_known_and_strays_are_found() {
    let mut house = archived().begun_anew();
    assert_eq!(house.verifier.findings(), []);
    house.run(Verb::Tick(Tick));
    house.verifier.check_all(&house.writer);
    assert_eq!(house.verifier.findings(), []);
    let lose = |house: &mut House| house.writer.plant_reference((GUEST, "ref 502"), None);
    let id = format!("{GUEST:?} {:?}", "ref 502");
    let told = format!("{}, {SOLD}", HoldId(502));
    let gone = named("references", &id, None, (told, "nothing"));
    found_in(archived().begun_anew(), "name lost", lose, &gone);
    let stray = BookingId(77);
    let list = |house: &mut House| {
        house.writer.shared.bookings_of.change(&GUEST, |list| list.plant_twice(stray)).unwrap();
    };
    let expected = named("bookings", format!("{stray} in a list"), None, ("nothing", "an entry"));
    found_in(archived().begun_anew(), "stray in a list", list, &expected);
    let less = |house: &mut House| house.writer.plant_archived(|it| it.bookings -= 1);
    let expected = named("archive", "count", None, (2, 1));
    found_in(archived().begun_anew(), "count", less, &expected);
}
