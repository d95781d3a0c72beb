//! Corruptions of prices that come from other prices.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::house::{House, NIGHT, OWNER};
use super::{drafts, found, named};
use crate::catalogue::{Adjustment, Derivation, RatePlan, RatePlanDraft};
use crate::command::AddRatePlan;
use crate::event::Event;
use crate::ids::{RatePlanId, RatePlanIx, RoomTypeIx};
use crate::rates::RateWord;
use crate::{Night, Verb};

/// Ten percent off 1,000.00, then 50.00 more.
const OFF: RatePlanId = RatePlanId(310);
const MORE: RatePlanId = RatePlanId(311);

/// Two plans one above the other, beneath the first room type's own.
fn derive(house: &mut House) {
    let levels = [
        (OFF, RatePlanIx(0), Adjustment::PercentBp(-1_000)),
        (MORE, RatePlanIx(2), Adjustment::Absolute(5_000)),
    ];
    for (id, parent, by) in levels {
        let derived_from = Some(Derivation { parent, by });
        let draft = RatePlanDraft { derived_from, ..drafts::rate_plan() };
        let (room_type, principal) = (RoomTypeIx(0), OWNER);
        house.run(Verb::AddRatePlan(AddRatePlan { id, room_type, principal, draft }));
    }
    house.write(0, 5);
    house.verifier.check_all(&house.writer);
    assert_eq!(house.verifier.findings(), []);
    assert_eq!([0, 2, 3].map(|plan| price(house, plan)), [100_000, 90_000, 95_000].map(Some));
}

fn price(house: &House, plan: u32) -> Option<i64> {
    let row = house.writer.shared.rates.row(plan).unwrap();
    RateWord(row.slot(NIGHT).unwrap().load(Relaxed)).price()
}

fn set_price(house: &House, plan: u32, price: i64) {
    let row = house.writer.shared.rates.row(plan).unwrap();
    let slot = row.slot(NIGHT).unwrap();
    slot.store(RateWord(slot.load(Relaxed)).with_price(price).0, Relaxed);
}

#[test]
fn a_derived_price_that_its_parent_does_not_make_is_found_at_every_level() {
    let off = |house: &mut House| {
        derive(house);
        set_price(house, 2, 90_001);
    };
    let words = |price: i64| format!("Some({price})");
    let expected = (words(90_000), words(90_001));
    found("first level", off, &named("rates", format!("{OFF} derived"), Some(NIGHT), expected));
    let expected = (words(95_001), words(95_000));
    found("second level", off, &named("rates", format!("{MORE} derived"), Some(NIGHT), expected));
}

#[test]
fn a_parents_price_that_did_not_reach_its_plans_is_found_by_its_entry_alone() {
    let mut house = House::new();
    derive(&mut house);
    set_price(&house, 0, 200_000);
    let (partner, room_type, rate_plan) = (super::PARTNER, RoomTypeIx(0), Some(RatePlanIx(0)));
    let (from, to): (Night, Night) = (NIGHT, NIGHT);
    let event = Event::AriChanged { partner, room_type, rate_plan, from, to };
    house.verifier.after(&house.writer, &[event]);
    let told = house.verifier.findings().iter().map(|it| (it.id.clone(), it.expected.clone()));
    assert_eq!(told.collect::<Vec<_>>(), [(format!("{OFF} derived"), "Some(180000)".to_owned())]);
}

#[test]
fn a_parent_that_does_not_know_whom_it_feeds_is_found() {
    let forget = |house: &mut House| {
        derive(house);
        let plans = &house.writer.shared.rate_plans;
        let parent = plans.get_full(0).unwrap();
        plans.replace(0, Arc::new(RatePlan { derived: Vec::new(), ..RatePlan::clone(&parent) }));
    };
    let id = format!("{OFF} among those from {}", RatePlanId(300));
    found("forgotten", forget, &named("rates", id, None, ("once", "[]")));
    let add = |house: &mut House| {
        derive(house);
        let plans = &house.writer.shared.rate_plans;
        let stranger = plans.get_full(1).unwrap();
        let derived = vec![RatePlanIx(2)];
        plans.replace(1, Arc::new(RatePlan { derived, ..RatePlan::clone(&stranger) }));
    };
    let id = format!("{OFF} among those from {}", RatePlanId(301));
    found("stray", add, &named("rates", id, None, ("not there", "there")));
}
