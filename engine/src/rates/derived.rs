//! Derived plans: prices that come from another plan's, kept as words of their own so that every reader
//! finds a price where it looks for one.
//!
//! It owns which derivations may be, and the rewriting of the words beneath a plan. It refuses to know
//! who wrote. **Invariant**: after a command, each word of a derived plan has the price that its
//! derivation makes of its parent's word of the same night, or none where that is no price of the plan.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::catalogue::{Derivation, RatePlan, RoomType};
use crate::civil::Night;
use crate::event::Event;
use crate::ids::{HotelIx, PartnerId, RatePlanIx};
use crate::limits::{DERIVATION_DEPTH_MAX, DERIVED_PLANS_MAX};
use crate::rates::RateWord;
use crate::refusal::Code;
use crate::state::{Shared, Writer};

/// Whether a plan of a hotel may have these prices; `None` for a plan that is about to be made.
/// Refusals in order: no such plan of the hotel, cycle, too deep, too many plans beneath one.
pub fn check(
    shared: &Shared,
    hotel: HotelIx,
    plan: Option<RatePlanIx>,
    derivation: Option<Derivation>,
) -> Result<(), Code> {
    let Some(derivation) = derivation else { return Ok(()) };
    let parent = shared.rate_plans.get_full(derivation.parent.0).filter(|parent| {
        let room_type = shared.room_types.get_full(parent.room_type.0);
        let stands = |kind: &RoomType| kind.hotel == hotel && !kind.removed;
        !parent.removed && room_type.is_some_and(|kind| stands(&kind))
    });
    let Some(parent) = parent else { return Err(Code::RatePlanParent) };
    let mut above = vec![parent];
    while let Some(next) = above.last().and_then(|last| last.draft.derived_from) {
        // What stands has no cycles; the bound keeps it so that nothing here can go on for ever.
        let Some(next) = shared.rate_plans.get_full(next.parent.0) else { break };
        if above.len() > DERIVATION_DEPTH_MAX {
            break;
        }
        above.push(next);
    }
    if above.iter().any(|ancestor| Some(ancestor.ix) == plan) {
        return Err(Code::RatePlanCycle);
    }
    let plan = plan.and_then(|plan| shared.rate_plans.get_full(plan.0));
    let below = plan.as_ref().map_or_else(Vec::new, |plan| beneath(shared, plan));
    let height = below.iter().map(|one| one.0).max().unwrap_or(0);
    if above.len() + height > DERIVATION_DEPTH_MAX {
        return Err(Code::RatePlanTooDeep);
    }
    let root = above.last().map_or_else(Vec::new, |root| beneath(shared, root));
    let known = |ix| root.iter().any(|one| one.1.ix == ix);
    let mine = plan.iter().map(|plan| plan.ix).chain(below.iter().map(|one| one.1.ix));
    let more = if plan.is_none() { 1 } else { mine.filter(|ix| !known(*ix)).count() };
    if root.len() + more > DERIVED_PLANS_MAX {
        return Err(Code::CapacityReached);
    }
    Ok(())
}

/// The plans whose prices come from a plan's, with how many derivations lie between; parents first.
fn beneath(shared: &Shared, plan: &RatePlan) -> Vec<(usize, Arc<RatePlan>)> {
    let children = |depth: usize, plan: &RatePlan| {
        let children = plan.derived.iter().filter_map(|ix| shared.rate_plans.get_full(ix.0));
        children.map(|child| (depth + 1, child)).collect::<Vec<_>>()
    };
    let mut found = children(0, plan);
    let mut at = 0;
    while let Some((depth, next)) = found.get(at).cloned() {
        if depth < DERIVATION_DEPTH_MAX {
            found.extend(children(depth, &next));
        }
        at += 1;
    }
    found
}

/// Tells the parents of a plan that it has come or gone. Their versions do not rise: what a partner says
/// of them is the same.
pub(crate) fn move_plan(
    shared: &Shared,
    plan: RatePlanIx,
    before: Option<Derivation>,
    after: Option<Derivation>,
) {
    let (before, after) = (before.map(|one| one.parent), after.map(|one| one.parent));
    if before == after {
        return;
    }
    let change = |parent: Option<RatePlanIx>, change: &dyn Fn(&mut Vec<RatePlanIx>)| {
        if let Some(parent) = parent.and_then(|parent| shared.rate_plans.get_full(parent.0)) {
            let mut changed = RatePlan::clone(&parent);
            change(&mut changed.derived);
            shared.rate_plans.replace(parent.ix.0, Arc::new(changed));
        }
    };
    change(before, &|derived| derived.retain(|one| *one != plan));
    change(after, &|derived| derived.push(plan));
}

/// Rewrites a derived plan on all nights, and with it the plans beneath.
pub(crate) fn rewrite_plan(writer: &mut Writer, partner: PartnerId, plan: &RatePlan) {
    let Some((first, end)) = writer.shared.window() else { return };
    let nights = (first, end.minus(1));
    if rewrite(writer, partner, plan, nights) {
        rewrite_beneath(writer, partner, plan, nights);
    }
}

/// Rewrites the plans beneath one whose prices were written on nights `from..=to`.
pub(crate) fn rewrite_beneath(
    writer: &mut Writer,
    partner: PartnerId,
    plan: &RatePlan,
    nights: (Night, Night),
) {
    if plan.derived.is_empty() {
        return;
    }
    for (_, derived) in beneath(&writer.shared, plan) {
        rewrite(writer, partner, &derived, nights);
    }
}

/// Whether any night's price changed.
fn rewrite(
    writer: &mut Writer,
    partner: PartnerId,
    plan: &RatePlan,
    (from, to): (Night, Night),
) -> bool {
    let Writer { shared, events, .. } = writer;
    let Some(derivation) = plan.draft.derived_from else { return false };
    let rows = (shared.rates.row(derivation.parent.0), shared.rates.row(plan.ix.0));
    let (Some(parent), Some(row)) = rows else { return false };
    let mut changed = false;
    shared.rates.keep(plan.ix.0, from, to.0.saturating_sub(from.0).saturating_add(1));
    for night in from.until(to.plus(1)) {
        let (Some(parent), Some(slot)) = (parent.slot(night), row.slot(night)) else { continue };
        // Relaxed: the writer alone stores.
        let listed = RateWord(parent.load(Ordering::Relaxed)).price();
        let before = RateWord(slot.load(Ordering::Relaxed));
        let price = listed.and_then(|listed| derivation.by.of(listed));
        let after = match price.filter(|price| plan.draft.admits_price(*price)) {
            Some(price) => before.with_price(price),
            None => before.without_price(),
        };
        if after != before {
            changed = true;
            // Release: readers see the night whole.
            slot.store(after.0, Ordering::Release);
        }
    }
    if changed {
        // After the words: whoever quotes in between carries the old version and is quoted again.
        shared.bump_quote_version(plan.ix);
        let (room_type, rate_plan) = (plan.room_type, Some(plan.ix));
        events.push(Event::AriChanged { partner, room_type, rate_plan, from, to });
    }
    changed
}
