//! Laws of promotions: what is given is counted, what comes back is given again, and no cap is exceeded.

use holdfast_engine::block::{BlockDraft, BlockLine};
use holdfast_engine::booking::Booking;
use holdfast_engine::command::{
    AddBlock, AddPromo, BeginPayment, ChangePromo, CheckIn, CheckOut, Hold, HoldLine, JoinWaitlist,
    Modify, NoShow, Release, RemovePromo,
};
use holdfast_engine::explain::Ask;
use holdfast_engine::hold::Terms;
use holdfast_engine::ids::{BlockId, BookingId, HoldId, PromoId, WaitId};
use holdfast_engine::promo::{Asked, Period, PromoCode, PromoDraft, Tally};
use holdfast_engine::quote::Discount;
use holdfast_engine::refusal::Reason;
use holdfast_engine::stay::{Asked as Line, Wanted, quote_room};
use holdfast_engine::{Code, Command, Outcome, Principal, Verb, Verifier};

use crate::world::{
    DAY, GUEST, HORIZON, HOUR, MINUTE, OWNER, PARTNER, Product, World, cancel, drafts, hold_line,
    night, stay,
};

const ID: PromoId = PromoId(1);

fn code() -> PromoCode {
    PromoCode::new("SAVE").unwrap()
}

fn add(world: &mut World, draft: PromoDraft) {
    let (id, partner, principal) = (ID, PARTNER, OWNER);
    let verb = Verb::AddPromo(AddPromo { id, partner, principal, code: code(), draft });
    assert!(matches!(world.run(verb), Outcome::Promo(_)));
}

fn change(world: &mut World, draft: PromoDraft) {
    let (partner, principal, version) = (PARTNER, OWNER, None);
    let verb = Verb::ChangePromo(ChangePromo { partner, code: code(), principal, version, draft });
    assert!(matches!(world.run(verb), Outcome::Promo(_)));
}

fn remove(world: &mut World) {
    let (partner, principal, version) = (PARTNER, OWNER, None);
    let verb = Verb::RemovePromo(RemovePromo { partner, code: code(), principal, version });
    assert!(matches!(world.run(verb), Outcome::Promo(_)));
}

fn off(discount: Discount) -> PromoDraft {
    PromoDraft { discount, ..drafts::promo() }
}

/// Plenty of rooms at 1,000.00 without taxes, and a promotion.
fn open(draft: PromoDraft) -> (World, Product) {
    let (mut world, product) = World::open(50);
    add(&mut world, draft);
    (world, product)
}

/// For the hotel's own people, who have no quota.
fn wish(world: &mut World, product: Product, from: u16, nights: u16) -> Hold {
    let promo = Some(Asked::of(&code()));
    Hold { promo, principal: OWNER, ..world.wish(product, stay(from, nights), 1) }
}

fn held(outcome: &Outcome) -> &Terms {
    match outcome {
        Outcome::Held { terms, .. } => terms,
        other => panic!("{other:?}"),
    }
}

fn hold(world: &mut World, product: Product, from: u16, nights: u16) -> HoldId {
    let wish = wish(world, product, from, nights);
    held(&world.run(Verb::Hold(wish))).id
}

fn book(world: &mut World, product: Product, from: u16, nights: u16) -> BookingId {
    let hold = hold(world, product, from, nights);
    let confirm = world.confirmation(hold);
    match world.run(Verb::Confirm(confirm_by_owner(confirm))) {
        Outcome::Booked(booking) => booking.id,
        other => panic!("{other:?}"),
    }
}

fn confirm_by_owner(
    confirm: holdfast_engine::command::Confirm,
) -> holdfast_engine::command::Confirm {
    holdfast_engine::command::Confirm { principal: OWNER, ..confirm }
}

/// Reserved and committed: uses, money.
fn used(world: &World) -> [(u64, i64); 2] {
    let promo = world.reader.promo(ID).unwrap();
    [promo.reserved, promo.committed].map(|Tally { uses, money }| (uses, money))
}

fn refused(world: &mut World, verb: Verb) -> Code {
    match world.run(verb) {
        Outcome::Refused(refusal) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn fifteen_percent_off_three_nights_is_555_55_and_twice_that_of_two_rooms() {
    let (mut world, product) = open(off(Discount::PercentBp(1_500)));
    world.offer(product, 1, 3, 50, 123_456);
    let one = wish(&mut world, product, 1, 3);
    let mut two = wish(&mut world, product, 1, 3);
    two.lines = vec![hold_line(product, 2)];
    let one = held(&world.run(Verb::Hold(one))).clone();
    assert_eq!((one.lines[0].quote.discount, one.total), (55_555, 370_535));
    let two = held(&world.run(Verb::Hold(two))).clone();
    assert_eq!(two.total, 2 * one.total);
    assert_eq!(two.promo.unwrap().off, 111_110);
    // One use a hold, whatever the rooms.
    assert_eq!(used(&world), [(2, 166_665), (0, 0)]);
}

#[test]
fn a_fixed_discount_is_for_each_room_and_never_more_than_the_room() {
    let (mut world, product) = open(off(Discount::Fixed(150_000)));
    let mut wish = wish(&mut world, product, 1, 1);
    wish.lines = vec![hold_line(product, 3)];
    let terms = held(&world.run(Verb::Hold(wish))).clone();
    assert_eq!((terms.total, terms.promo.unwrap().off), (0, 300_000));
    let terms = hold(&mut world, product, 1, 2);
    assert_eq!(world.reader.hold(terms).unwrap().terms.lines[0].quote.discount, 150_000);
}

#[test]
fn competing_holds_never_exceed_the_caps_and_the_last_use_is_given_once() {
    let caps = [(Some(3), None, 3), (None, Some(25_000), 2), (Some(4), Some(30_000), 3)];
    for (uses_max, money_max, given) in caps {
        let (mut world, product) =
            open(PromoDraft { uses_max, money_max, ..off(Discount::PercentBp(1_000)) });
        let wishes: Vec<_> = (0..10).map(|_| wish(&mut world, product, 1, 1)).collect();
        let commands = wishes.into_iter().map(Verb::Hold).map(Command::plain).collect();
        let outcomes = world.apply(commands);
        let (taken, refused): (Vec<_>, Vec<_>) =
            outcomes.iter().partition(|outcome| outcome.refusal().is_none());
        assert_eq!(taken.len(), given);
        let exhausted =
            |outcome: &&Outcome| outcome.refusal().unwrap().code == Code::PromoExhausted;
        assert!(refused.iter().all(exhausted), "{refused:?}");
        assert_eq!(used(&world)[0], (given as u64, given as i64 * 10_000));
    }
}

#[test]
fn a_hold_that_has_run_out_anywhere_gives_its_use_back_before_any_sweep() {
    let (mut world, product) = open(PromoDraft { uses_max: Some(1), ..drafts::promo() });
    let other = world.product();
    world.offer(other, 0, HORIZON - 1, 5, 100_000);
    let first = hold(&mut world, product, 1, 1);
    let second = wish(&mut world, other, 1, 1);
    assert_eq!(refused(&mut world, Verb::Hold(second.clone())), Code::PromoExhausted);
    world.now = world.reader.hold(first).unwrap().expires_ms - 1;
    assert_eq!(refused(&mut world, Verb::Hold(second.clone())), Code::PromoExhausted);
    world.now += 1;
    held(&world.run(Verb::Hold(second)));
    assert_eq!(used(&world)[0].0, 1);
}

#[test]
fn release_expiry_and_cancellation_return_what_was_reserved_or_committed() {
    let (mut world, product) = open(PromoDraft { uses_max: Some(1), ..drafts::promo() });
    let released = hold(&mut world, product, 1, 1);
    world.run(Verb::Release(Release { hold: released, principal: OWNER }));
    assert_eq!(used(&world), [(0, 0); 2]);
    hold(&mut world, product, 1, 1);
    world.now += 15 * MINUTE;
    world.sweep();
    assert_eq!(used(&world), [(0, 0); 2]);
    let booking = book(&mut world, product, 3, 2);
    assert_eq!(used(&world), [(0, 0), (1, 20_000)]);
    for _ in 0..2 {
        assert!(matches!(world.run(cancel_by_owner(booking)), Outcome::Cancelled(_)));
        assert_eq!(used(&world), [(0, 0); 2]);
    }
    book(&mut world, product, 3, 2);
}

fn cancel_by_owner(booking: BookingId) -> Verb {
    let Verb::Cancel(verb) = cancel(booking) else { unreachable!() };
    Verb::Cancel(holdfast_engine::command::Cancel { principal: OWNER, ..verb })
}

#[test]
fn a_payment_that_comes_to_nothing_returns_the_use_with_its_hold() {
    let (mut world, product) = open(PromoDraft { uses_max: Some(1), ..drafts::promo() });
    let hold = hold(&mut world, product, 1, 1);
    let (intent, key, principal) = (5, 6, OWNER);
    let begin = BeginPayment { hold, principal, intent, key, expected_total: None, revive: false };
    world.run(Verb::BeginPayment(begin));
    assert_eq!(used(&world)[0].0, 1, "it stands still");
    world.now += 2 * MINUTE;
    world.sweep();
    assert_eq!(used(&world), [(0, 0); 2]);
}

#[test]
fn guests_who_came_or_did_not_keep_their_use() {
    let (mut world, product) = open(drafts::promo());
    let (came, absent) = (book(&mut world, product, 1, 2), book(&mut world, product, 1, 2));
    let (principal, version) = (OWNER, None);
    world.now += DAY + 2 * HOUR;
    world.run(Verb::CheckIn(CheckIn { booking: came, principal, version }));
    world.run(Verb::CheckOut(CheckOut { booking: came, principal, version }));
    let outcome = world.run(Verb::NoShow(NoShow { booking: absent, principal, version }));
    assert!(matches!(outcome, Outcome::BookingChanged(_)), "{outcome:?}");
    assert_eq!(used(&world), [(0, 0), (2, 40_000)]);
}

#[test]
fn an_expired_hold_is_revived_with_its_promotion_where_that_can_still_be_had() {
    let (mut world, product) = open(PromoDraft { uses_max: Some(1), ..drafts::promo() });
    let id = hold(&mut world, product, 3, 1);
    let total = world.reader.hold(id).unwrap().terms.total;
    world.now += 15 * MINUTE;
    let mut revive = confirm_by_owner(world.confirmation(id));
    (revive.revive, revive.expected_total) = (true, Some(total));
    // Somebody else has the last use.
    let other = hold(&mut world, product, 3, 1);
    assert_eq!(refused(&mut world, Verb::Confirm(revive.clone())), Code::PromoExhausted);
    world.run(Verb::Release(Release { hold: other, principal: OWNER }));
    match world.run(Verb::Confirm(revive)) {
        Outcome::Booked(booking) => assert_eq!(booking.terms.total, total),
        other => panic!("{other:?}"),
    }
    assert_eq!(used(&world), [(0, 0), (1, 10_000)]);
    // A code that is gone is not revived with.
    change(&mut world, drafts::promo());
    let id = hold(&mut world, product, 3, 1);
    world.now += 15 * MINUTE;
    remove(&mut world);
    let mut revive = confirm_by_owner(world.confirmation(id));
    (revive.revive, revive.expected_total) = (true, Some(i64::MAX));
    assert_eq!(refused(&mut world, Verb::Confirm(revive)), Code::PromoUnknown);
}

#[test]
fn a_quote_made_with_a_promotion_that_has_changed_is_made_again() {
    let (mut world, product) = open(drafts::promo());
    let mut wish = wish(&mut world, product, 1, 1);
    let hotel = world.reader.hotel(product.hotel).unwrap();
    let plan = world.reader.rate_plan(product.rate_plan).unwrap();
    let asked = Line::of(wish.stay, &wish.lines[0]).with(Some(Discount::PercentBp(1_000)));
    let (version, mut quote) = quote_room(&world.reader, &hotel, &plan, asked).unwrap();
    // Not what would be quoted, so that it shows whose quote was taken.
    (quote.fee, quote.total) = (quote.fee + 1, quote.total + 1);
    wish.lines[0].quote = Some((version, quote.clone()));
    wish.promo = Some(Box::new(Asked { code: code(), quoted: Some((ID, 1)) }));
    let id = HoldId(world.mint());
    let taken = held(&world.run(Verb::Hold(Hold { id, ..wish.clone() }))).total;
    assert_eq!(taken, quote.total);
    change(&mut world, off(Discount::PercentBp(2_000)));
    let again = Hold { expected_total: Some(taken), ..wish.clone() };
    match world.run(Verb::Hold(again)) {
        Outcome::Refused(refusal) => {
            assert_eq!((refusal.code, refusal.total), (Code::PriceChanged, Some(94_160)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(held(&world.run(Verb::Hold(wish.clone()))).total, 94_160);
    // Nor is a quote with a promotion taken for a hold without it.
    let id = HoldId(world.mint());
    let without = Hold { id, promo: Some(Asked::of(&code())), ..wish };
    assert_eq!(held(&world.run(Verb::Hold(without))).total, 94_160);
}

#[test]
fn a_cap_below_what_is_used_is_accepted_and_nothing_more_is_given() {
    let (mut world, product) = open(drafts::promo());
    let mut verifier = Verifier::new(0);
    verifier.check_all(&world.writer);
    let booking = book(&mut world, product, 1, 1);
    hold(&mut world, product, 1, 1);
    change(&mut world, PromoDraft { uses_max: Some(1), money_max: Some(5), ..drafts::promo() });
    assert_eq!(used(&world), [(1, 10_000), (1, 10_000)]);
    let more = wish(&mut world, product, 1, 1);
    assert_eq!(refused(&mut world, Verb::Hold(more)), Code::PromoExhausted);
    // Changes that take nothing more of it go on.
    let outcome = world.run(modify(booking, &[], (1, 1)));
    assert!(matches!(outcome, Outcome::BookingChanged(_)), "{outcome:?}");
    verifier.after(&world.writer, &world.events);
    verifier.check_all(&world.writer);
    assert_eq!(verifier.findings(), []);
}

/// To so many nights from a day, with other lines where there are any.
fn modify(booking: BookingId, lines: &[HoldLine], (from, nights): (u16, u16)) -> Verb {
    let (check_in, check_out) = (Some(night(from)), Some(night(from + nights)));
    let lines = (!lines.is_empty()).then(|| lines.to_vec());
    Verb::Modify(Modify {
        booking,
        principal: OWNER,
        version: None,
        wanted: Wanted { check_in, check_out, lines },
        guest: None,
        guest_key: None,
        expected_total: None,
    })
}

fn changed(world: &mut World, verb: Verb) -> Booking {
    match world.run(verb) {
        Outcome::BookingChanged(booking) => booking.as_ref().clone(),
        other => panic!("{other:?}"),
    }
}

/// What the booking has off, and what the promotion counts as committed.
fn kept(world: &World, booking: &Booking) -> (Option<i64>, (u64, i64)) {
    (booking.terms.promo.as_ref().map(|taken| taken.off), used(world)[1])
}

#[test]
fn nights_that_a_booking_gets_have_the_promotion_while_it_is_good() {
    let (mut world, product) = open(PromoDraft {
        booking: Period { first: None, last: Some(night(0)) },
        stay: Period { first: None, last: Some(night(9)) },
        ..drafts::promo()
    });
    let id = book(&mut world, product, 5, 2);
    // The day on which it could be booked is over; that of the booking counts.
    world.now += DAY;
    let booking = changed(&mut world, modify(id, &[], (5, 3)));
    assert_eq!(kept(&world, &booking), (Some(30_000), (1, 30_000)));
    assert_eq!(booking.terms.total, 3 * 105_930);
    // Other percents since: the nights it has keep theirs.
    change(&mut world, off(Discount::PercentBp(5_000)));
    let booking = changed(&mut world, modify(id, &[], (5, 4)));
    assert_eq!(kept(&world, &booking), (Some(80_000), (1, 80_000)));
    let booking = changed(&mut world, modify(id, &[hold_line(product, 2)], (5, 4)));
    assert_eq!(kept(&world, &booking), (Some(280_000), (1, 280_000)));
    let booking = changed(&mut world, modify(id, &[hold_line(product, 1)], (6, 1)));
    assert_eq!(kept(&world, &booking), (Some(10_000), (1, 10_000)));
    world.run(cancel_by_owner(id));
    assert_eq!(used(&world), [(0, 0); 2]);
}

#[test]
fn nights_beyond_the_promotion_are_at_the_full_price_and_the_others_keep_theirs() {
    let window = Period { first: None, last: Some(night(6)) };
    let (mut world, product) = open(PromoDraft { stay: window, ..drafts::promo() });
    let id = book(&mut world, product, 5, 2);
    let booking = changed(&mut world, modify(id, &[], (5, 3)));
    assert_eq!(kept(&world, &booking), (Some(20_000), (1, 20_000)));
    let booking = changed(&mut world, modify(id, &[], (5, 2)));
    assert_eq!(kept(&world, &booking), (Some(20_000), (1, 20_000)));
    assert_eq!(booking.terms.total, 2 * 105_930);
    // None of its nights is left: nor is its use.
    let booking = changed(&mut world, modify(id, &[], (9, 2)));
    assert_eq!(kept(&world, &booking), (None, (0, 0)));
    assert_eq!(booking.terms.total, 2 * 117_700);
    // One that was removed is no different.
    let id = book(&mut world, product, 5, 2);
    remove(&mut world);
    let booking = changed(&mut world, modify(id, &[], (4, 2)));
    assert_eq!(kept(&world, &booking), (Some(10_000), (1, 10_000)));
}

#[test]
fn a_stay_cut_below_the_nights_it_was_given_for_loses_the_promotion() {
    let (mut world, product) = open(PromoDraft { min_nights: 3, ..drafts::promo() });
    let id = book(&mut world, product, 5, 4);
    // More nights are asked for since, of others.
    change(&mut world, PromoDraft { min_nights: 4, ..drafts::promo() });
    let booking = changed(&mut world, modify(id, &[], (5, 3)));
    assert_eq!(kept(&world, &booking), (Some(30_000), (1, 30_000)));
    let booking = changed(&mut world, modify(id, &[], (5, 2)));
    assert_eq!(kept(&world, &booking), (None, (0, 0)));
    assert_eq!(booking.terms.total, 2 * 117_700);
}

#[test]
fn a_fixed_discount_goes_on_with_what_the_kept_nights_left_of_it() {
    let (mut world, product) = open(off(Discount::Fixed(60_000)));
    let id = book(&mut world, product, 5, 3);
    // Two nights keep 40,000 of it, the new one has the rest.
    let booking = changed(&mut world, modify(id, &[], (6, 3)));
    assert_eq!(kept(&world, &booking), (Some(60_000), (1, 60_000)));
    let booking = changed(&mut world, modify(id, &[], (6, 1)));
    assert_eq!(kept(&world, &booking), (Some(20_000), (1, 20_000)));
}

#[test]
fn a_change_that_the_money_does_not_reach_for_is_at_the_full_price() {
    let (mut world, product) = open(PromoDraft { money_max: Some(30_000), ..drafts::promo() });
    let id = book(&mut world, product, 5, 2);
    let waiting = hold(&mut world, product, 5, 1);
    let booking = changed(&mut world, modify(id, &[], (5, 3)));
    assert_eq!(kept(&world, &booking), (Some(20_000), (1, 20_000)));
    // Once the other has run out, swept or not, it does.
    world.now = world.reader.hold(waiting).unwrap().expires_ms;
    let booking = changed(&mut world, modify(id, &[], (4, 4)));
    assert_eq!(kept(&world, &booking), (Some(30_000), (1, 30_000)));
    assert_eq!(used(&world)[0], (0, 0));
}

#[test]
fn an_offer_comes_with_the_promotion_or_without_where_it_is_over() {
    let (mut world, product) = World::open(1);
    add(&mut world, PromoDraft { uses_max: Some(1), ..drafts::promo() });
    let first = world.hold(product, stay(1, 1), 1);
    let join = |world: &mut World| {
        let wish = wish(world, product, 1, 1);
        let join = JoinWaitlist { id: WaitId(world.mint()), wish };
        let id = join.wish.id;
        assert!(matches!(world.run(Verb::JoinWaitlist(join)), Outcome::Waitlist(_)));
        id
    };
    let (one, two) = (join(&mut world), join(&mut world));
    // Nobody waits with a code that there is not.
    let mut wrong = wish(&mut world, product, 1, 1);
    wrong.promo = Some(Asked::of(&PromoCode::new("NONE").unwrap()));
    let wrong = JoinWaitlist { id: WaitId(world.mint()), wish: wrong };
    assert_eq!(refused(&mut world, Verb::JoinWaitlist(wrong)), Code::PromoUnknown);
    world.run(Verb::Release(Release { hold: first, principal: GUEST }));
    assert_eq!(world.reader.hold(one).unwrap().terms.total, 105_930);
    assert_eq!(used(&world)[0], (1, 10_000));
    let confirm = confirm_by_owner(world.confirmation(one));
    let Outcome::Booked(booking) = world.run(Verb::Confirm(confirm)) else { panic!() };
    change(&mut world, PromoDraft { uses_max: Some(0), ..drafts::promo() });
    world.run(cancel_by_owner(booking.id));
    let offer = world.reader.hold(two).unwrap();
    assert_eq!((offer.terms.total, offer.terms.promo.clone()), (117_700, None));
}

#[test]
fn rooms_of_a_block_are_picked_up_with_a_promotion_as_others_are_held() {
    let (mut world, product) = open(drafts::promo());
    let id = BlockId(7);
    let draft = BlockDraft {
        name: "Group".to_owned(),
        stay: stay(1, 2),
        lines: vec![BlockLine { room_type: product.room_type, rooms: 2 }],
        definite: true,
        release_on: None,
    };
    let block = AddBlock { id, hotel: product.hotel, principal: OWNER, draft };
    world.run(Verb::AddBlock(block));
    let wish = Hold { block: Some(id), ..wish(&mut world, product, 1, 2) };
    assert_eq!(held(&world.run(Verb::Hold(wish))).total, 2 * 105_930);
    assert_eq!(used(&world)[0], (1, 20_000));
}

#[test]
fn explain_names_what_is_in_the_way_of_a_promotion_and_stays_that_can_be_had_with_it() {
    let window = Period { first: Some(night(6)), last: Some(night(9)) };
    let money_max = Some(25_000);
    let (mut world, product) =
        open(PromoDraft { stay: window, min_nights: 2, money_max, ..drafts::promo() });
    let code = code();
    let ask = |from, nights| Ask {
        hotel: product.hotel,
        stay: stay(from, nights),
        rooms: 1,
        adults: 2,
        children: &[],
        room_type: Some(product.room_type),
        rate_plan: Some(product.rate_plan),
        promo: Some(&code),
    };
    let reasons = |world: &World, ask: &Ask<'_>| -> (Vec<Reason>, usize) {
        let found = world.reader.explain(ask, world.now).unwrap();
        let blockers = found.offerings[0].blockers.iter().map(|blocker| blocker.reason).collect();
        (blockers, found.nearest.len())
    };
    let outside = world.reader.explain(&ask(4, 2), world.now).unwrap();
    assert_eq!(
        outside.offerings[0].blockers.iter().map(|it| it.reason).collect::<Vec<_>>(),
        [Reason::PromoStayWindow; 2]
    );
    assert!(!outside.nearest.is_empty());
    for nearest in &outside.nearest {
        let nights = nearest.stay.nights();
        let wish = wish(&mut world, product, nearest.stay.check_in.0 - night(0).0, nights);
        let terms = held(&world.run(Verb::Hold(wish))).clone();
        assert_eq!((terms.total, nights), (nearest.total, 2));
        world.run(Verb::Release(Release { hold: terms.id, principal: OWNER }));
    }
    assert_eq!(reasons(&world, &ask(7, 1)).0, [Reason::PromoMinNights(2)]);
    // Three nights would take more than is left.
    assert_eq!(reasons(&world, &ask(6, 3)).0, [Reason::PromoMoney]);
    assert_eq!(reasons(&world, &ask(6, 2)), (vec![], 3));
    let none = PromoCode::new("NONE").unwrap();
    let unknown = Ask { promo: Some(&none), ..ask(6, 2) };
    assert_eq!(reasons(&world, &unknown), (vec![Reason::PromoUnknown], 0));
    change(&mut world, PromoDraft { uses_max: Some(0), ..drafts::promo() });
    assert_eq!(reasons(&world, &ask(6, 2)), (vec![Reason::PromoUses], 0));
    // The same for a hold of several lines.
    change(&mut world, PromoDraft { stay: window, money_max, ..drafts::promo() });
    let mut several = wish(&mut world, product, 6, 1);
    several.lines = vec![hold_line(product, 1), HoldLine { adults: 1, ..hold_line(product, 1) }];
    let nearest = world.reader.nearest_for(&several, world.now);
    assert_eq!(nearest.first().map(|it| it.total), Some(2 * 105_930));
    assert!(nearest.iter().all(|it| it.stay.nights() == 1), "{nearest:?}");
}

#[test]
fn another_partners_guests_know_nothing_of_a_code() {
    let (mut world, _) = open(drafts::promo());
    let listed = world.reader.promos_of(crate::world::RIVAL, None, 9);
    assert_eq!(listed, []);
    let rival = Principal::Partner(crate::world::RIVAL.0);
    let (partner, version) = (PARTNER, None);
    let verb = RemovePromo { partner, code: code(), principal: rival, version };
    assert_eq!(refused(&mut world, Verb::RemovePromo(verb)), Code::NotFound);
    let listed = world.reader.promos_of(PARTNER, None, 9);
    assert_eq!(listed.iter().map(|promo| promo.id).collect::<Vec<_>>(), [ID]);
    assert_eq!(world.reader.promos_of(PARTNER, Some(&code()), 9), []);
}
