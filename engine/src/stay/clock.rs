//! Rules that look at the clock: advance booking, and the cut-off of each night. "Now" is the log's,
//! "today" the hotel's.

use std::sync::atomic::Ordering;

use super::Stay;
use crate::catalogue::{Hotel, StayRules};
use crate::civil::{LogTimeMs, Night};
use crate::ids::RatePlanIx;
use crate::rates::{CutOff, RateWord};
use crate::refusal::{Blocker, Layer, Reason};
use crate::state::Shared;
use crate::zone::Zone;

/// A stay as it is moment for: of which hotel, and when.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    pub stay: Stay,
    zone: &'a Zone,
    now_ms: LogTimeMs,
    today: Night,
}

impl<'a> Moment<'a> {
    /// `now_ms` by the log's clock.
    #[must_use]
    pub fn new(stay: Stay, hotel: &'a Hotel, now_ms: LogTimeMs) -> Self {
        let today = hotel.zone.night_at(now_ms);
        Self { stay, zone: &hotel.zone, now_ms, today }
    }

    /// The hotel's today.
    #[must_use]
    pub const fn today(&self) -> Night {
        self.today
    }

    /// Whether a night no longer sells. From the instant of the cut-off on it does not.
    #[must_use]
    pub fn is_cut_off(&self, night: Night, cut_off: CutOff) -> bool {
        let day = night.0.saturating_sub(cut_off.days);
        // A civil day away, the hour does not matter; the zone's rules are moment only near it.
        if day > self.today.0.saturating_add(1) {
            return false;
        }
        if day.saturating_add(1) < self.today.0 {
            return true;
        }
        self.now_ms >= self.zone.instant(Night(day), cut_off.minute)
    }

    /// What bars a night, or an arrival on it, in order: too near, too far ahead, cut off.
    fn reasons(&self, night: Night, arrival: bool, rules: &ClockRules) -> [Option<Reason>; 3] {
        let ahead = night.0.saturating_sub(self.today.0);
        let near = rules.min_advance.filter(|&least| arrival && ahead < least);
        let far = rules.max_advance.filter(|&most| arrival && ahead > most);
        let late = rules.cut_off.filter(|&cut_off| self.is_cut_off(night, cut_off));
        [near.map(Reason::MinAdvance), far.map(Reason::MaxAdvance), late.map(Reason::CutOff)]
    }

    /// What the clock bars of the stay, by night, from words that were read before.
    pub(crate) fn judge_clock(
        &self,
        shared: &Shared,
        rate_plan: RatePlanIx,
        words: impl Iterator<Item = RateWord> + Clone,
        blockers: &mut Vec<Blocker>,
    ) {
        let nights = self.stay.check_in.until(self.stay.check_out).zip(words);
        let Some(rules) = watching(shared, rate_plan, nights.clone().map(|(_, word)| word)) else {
            return;
        };
        let layer = Layer::RatePlan(rate_plan);
        for (night, word) in nights {
            let rules = ClockRules::of(shared, rate_plan, &rules, (night, word));
            let found = self.reasons(night, night == self.stay.check_in, &rules);
            let found = found.into_iter().flatten();
            blockers.extend(found.map(|reason| Blocker { reason, layer, night }));
        }
    }

    /// A night's word as many stays over it see it: closed where the night is cut off, closed to arrival
    /// where an advance rule bars one.
    pub(crate) fn mark(
        &self,
        shared: &Shared,
        rate_plan: RatePlanIx,
        defaults: &StayRules,
        (night, word): (Night, RateWord),
    ) -> RateWord {
        let rules = ClockRules::of(shared, rate_plan, defaults, (night, word));
        let [near, far, late] = self.reasons(night, true, &rules);
        let barred = near.is_some() || far.is_some();
        word.with_closed(word.closed() || late.is_some())
            .with_closed_to_arrival(word.closed_to_arrival() || barred)
    }
}

/// The plan's defaults, where they or one of these nights have a rule that looks at the clock.
pub(crate) fn watching(
    shared: &Shared,
    rate_plan: RatePlanIx,
    mut words: impl Iterator<Item = RateWord>,
) -> Option<StayRules> {
    let guard = shared.rate_plans.get(rate_plan.0)?;
    let rules = guard.as_ref()?.draft.rules;
    (rules.watches_clock() || words.any(RateWord::overlaid)).then_some(rules)
}

/// The rules of one night that look at the clock, the plan's defaults included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockRules {
    pub min_advance: Option<u16>,
    pub max_advance: Option<u16>,
    pub cut_off: Option<CutOff>,
}

impl ClockRules {
    /// What holds on a night: its own row over the plan's defaults.
    #[must_use]
    pub fn of(
        shared: &Shared,
        rate_plan: RatePlanIx,
        defaults: &StayRules,
        (night, word): (Night, RateWord),
    ) -> Self {
        let StayRules { min_advance, max_advance, cut_off, .. } = *defaults;
        if !word.overlaid() {
            return Self { min_advance, max_advance, cut_off };
        }
        let dated = shared.overlays.at(rate_plan.0, night);
        Self {
            min_advance: dated.min_advance.over(min_advance),
            max_advance: dated.max_advance.over(max_advance),
            cut_off: dated.cut_off.over(cut_off),
        }
    }
}

/// Whether a rule that looks at the clock bars the stay. For plans that have such a rule, by default or
/// on a night of the stay; others need not be asked.
#[must_use]
pub fn is_barred_by_clock(shared: &Shared, rate_plan: RatePlanIx, moment: &Moment<'_>) -> bool {
    let Some(row) = shared.rates.row(rate_plan.0) else { return true };
    let words = row.nights(moment.stay.check_in, moment.stay.nights());
    let mut blockers = Vec::new();
    // Acquire: pairs with the writer's Release, so that a plan-night is seen whole.
    let words = words.map(|slot| RateWord(slot.load(Ordering::Acquire)));
    moment.judge_clock(shared, rate_plan, words, &mut blockers);
    !blockers.is_empty()
}
