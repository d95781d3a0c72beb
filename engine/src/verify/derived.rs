//! Derived plans: at every level a night's price is what the derivation makes of the price above it.
//!
//! It owns the arithmetic told a second time, in wide integers. It refuses to know which command wrote.

use super::Written;
use super::calendar::word;
use super::finding::Findings;
use crate::catalogue::{Adjustment, RatePlan};
use crate::civil::Night;
use crate::ids::RatePlanIx;
use crate::limits::PRICE_MAX;
use crate::rates::RateWord;
use crate::state::Writer;

/// The plan that was written, and those that come from it, on its nights.
pub(super) fn check_written(ari: &Written, writer: &Writer, findings: &mut Findings) {
    let plans = &writer.shared.rate_plans;
    let Some(plan) = ari.rate_plan.and_then(|ix| plans.get_full(ix.0)) else { return };
    let nights = (ari.from, ari.to.plus(1));
    check(&plan, nights, writer, findings);
    for derived in plan.derived.iter().filter_map(|ix| plans.get_full(ix.0)) {
        check(&derived, nights, writer, findings);
    }
}

/// A plan that was added or changed, on every night.
pub(super) fn check_plan(ix: RatePlanIx, writer: &Writer, findings: &mut Findings) {
    let Some(window) = writer.shared.window() else { return };
    if let Some(plan) = writer.shared.rate_plans.get_full(ix.0) {
        check(&plan, window, writer, findings);
    }
}

/// Every plan, and that every parent knows whom it feeds.
pub(super) fn check_all(writer: &Writer, findings: &mut Findings) {
    let plans = &writer.shared.rate_plans;
    for ix in (0..plans.len()).map(RatePlanIx) {
        check_plan(ix, writer, findings);
        let Some(plan) = plans.get_full(ix.0) else { continue };
        let parent = plan.draft.derived_from.and_then(|from| plans.get_full(from.parent.0));
        if let Some(parent) = parent
            && parent.derived.iter().filter(|derived| **derived == ix).count() != 1
        {
            let about = ("rates", format!("{} among those from {}", plan.id, parent.id), None);
            findings.add(about, "once", format!("{:?}", parent.derived));
        }
        for derived in plan.derived.iter().filter_map(|ix| plans.get_full(ix.0)) {
            if derived.draft.derived_from.map(|from| from.parent) != Some(ix) {
                let about = ("rates", format!("{} among those from {}", derived.id, plan.id), None);
                findings.add(about, "not there", "there");
            }
        }
    }
}

fn check(plan: &RatePlan, nights: (Night, Night), writer: &Writer, findings: &mut Findings) {
    let Some(derivation) = plan.draft.derived_from else { return };
    let Some((first, end)) = writer.shared.window() else { return };
    let rates = &writer.shared.rates;
    let (above, row) = (rates.row(derivation.parent.0), rates.row(plan.ix.0));
    for night in nights.0.max(first).until(nights.1.min(end)) {
        let listed = RateWord(word(above, night)).price();
        let expected = listed.and_then(|listed| made_of(listed, derivation.by));
        let least = plan.draft.price_min.unwrap_or(i64::MIN);
        let most = plan.draft.price_max.unwrap_or(i64::MAX);
        let expected = expected.filter(|price| (least..=most).contains(price));
        let found = RateWord(word(row, night)).price();
        if expected != found {
            let about = ("rates", format!("{} derived", plan.id), Some(night));
            findings.add(about, format!("{expected:?}"), format!("{found:?}"));
        }
    }
}

/// A price made of another, half-up; none where it is no price.
fn made_of(listed: i64, by: Adjustment) -> Option<i64> {
    let listed = i128::from(listed);
    let made = match by {
        Adjustment::Absolute(amount) => listed.saturating_add(amount.into()),
        // Half-up of what is not negative: the floor of one half more.
        Adjustment::PercentBp(points) => {
            let parts = listed.saturating_mul(i128::from(points).saturating_add(10_000));
            parts.saturating_add(5_000).div_euclid(10_000)
        }
    };
    i64::try_from(made).ok().filter(|made| (0..=PRICE_MAX).contains(made))
}
