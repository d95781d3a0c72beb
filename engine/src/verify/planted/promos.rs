//! Corruptions of what promotions count: each must be named.

use std::sync::Arc;

use super::house::{House, NIGHT, OWNER, PARTNER};
use super::{Verifier, drafts, found, named};
use crate::Verb;
use crate::command::{AddPromo, Hold};
use crate::ids::{HoldId, PromoId};
use crate::promo::{Asked, Promo, PromoCode, PromoDraft, Tally};

#[test]
fn a_promotion_that_is_miscounted_overdrawn_or_lost_is_found() {
    let (id, code) = (PromoId(900), PromoCode::new("SAVE").unwrap());
    let give = |house: &mut House| {
        let draft = PromoDraft { uses_max: Some(2), ..drafts::promo() };
        let (partner, principal, code_of) = (PARTNER, OWNER, code.clone());
        let add = AddPromo { id, partner, principal, code: code_of, draft };
        house.run(Verb::AddPromo(add));
        for hold in [901, 902] {
            let promo = Some(Asked::of(&code));
            house.hold_as(Hold { promo, ..house.wish(0, hold, 1, 1) });
        }
        house.confirm(902);
        assert_eq!(house.verifier.findings(), []);
    };
    let plant = |change: fn(&mut Promo)| {
        move |house: &mut House| {
            give(house);
            house.writer.shared.promos.change(&id, change).unwrap();
        }
    };
    let counter =
        |name, numbers: (i64, i64)| named("promos", format!("{id} {name}"), None, numbers);
    found("use", plant(|it| it.reserved.uses += 1), &counter("reserved uses", (1, 2)));
    found("money", plant(|it| it.reserved.money -= 1), &counter("reserved money", (10_000, 9_999)));
    found("use", plant(|it| it.committed.uses -= 1), &counter("committed uses", (1, 0)));
    let more = plant(|it| it.committed.money += 1);
    found("money", more, &counter("committed money", (10_000, 10_001)));
    let lose = |house: &mut House| {
        give(house);
        house.writer.shared.promos.remove(&id);
    };
    found("lost", lose, &named("promos", id, None, ("a promotion", "none")));
    found("lost", lose, &named("promos", format!("{id} in a list"), None, ("nothing", "an entry")));
    let unlist = |house: &mut House| {
        give(house);
        house.writer.shared.promo_codes.remove(&PARTNER);
    };
    found("list", unlist, &named("promos", format!("{id} in a list"), None, ("SAVE", "nowhere")));
    let forget = |house: &mut House| {
        give(house);
        let forget = |hold: &mut crate::hold::Hold| Arc::make_mut(&mut hold.terms).promo = None;
        house.writer.shared.holds.change(&HoldId(901), forget).unwrap();
    };
    let was = format!("10000 reserved of {id} until {}", NIGHT.plus(1));
    found("terms", forget, &named("promos", HoldId(901), None, (was, "no promotion")));
    // What an archived booking has stays committed.
    let mut house = House::new();
    give(&mut house);
    house.archive_all();
    house.verifier.check_all(&house.writer);
    assert_eq!(house.verifier.findings(), []);
    let mut late = Verifier::new(0);
    late.after(&house.writer, &[]);
    assert_eq!(late.findings(), []);
    let lose = |house: &mut House| {
        give(house);
        house.archive_all();
        house.writer.shared.promos.change(&id, |it| it.committed = Tally::default()).unwrap();
    };
    found("archived use", lose, &counter("committed uses", (1, 0)));
    // One given beyond the cap, though every counter agrees.
    let mut house = House::new();
    give(&mut house);
    let draft = |it: &mut Promo| Arc::make_mut(&mut it.draft).uses_max = None;
    house.writer.shared.promos.change(&id, draft).unwrap();
    house.hold_as(Hold { promo: Some(Asked::of(&code)), ..house.wish(1, 903, 1, 1) });
    let draft = |it: &mut Promo| Arc::make_mut(&mut it.draft).uses_max = Some(2);
    house.writer.shared.promos.change(&id, draft).unwrap();
    assert_eq!(house.verifier.findings(), []);
    let terms = Arc::clone(&house.writer.shared.holds.get(&HoldId(903)).unwrap().terms);
    house.verifier.after(&house.writer, &[crate::Event::Held(terms)]);
    assert_eq!(house.verifier.findings()[0].expected, "at most 2");
}
