//! A plan's default rules on the wire: stay limits, advance, cut-off, and bounds of its prices.

use holdfast_engine::catalogue::{RatePlanDraft, StayRules};
use holdfast_engine::limits::{ADVANCE_DAYS_MAX, PRICE_MAX, STAY_LIMIT_MAX};
use holdfast_engine::rates::CutOff;

use super::check::{Check, minute_text};
use super::rate_plan::RatePlanBody;

impl RatePlanBody {
    /// The rules; each fault with its field.
    pub(super) fn check_rules(&self, check: &mut Check) -> StayRules {
        let nights = 1..=STAY_LIMIT_MAX;
        let days = 0..=ADVANCE_DAYS_MAX;
        for (pointer, value) in [
            ("/min_stay_arrival", self.min_stay_arrival),
            ("/max_stay_arrival", self.max_stay_arrival),
            ("/min_stay_through", self.min_stay_through),
            ("/max_stay_through", self.max_stay_through),
        ] {
            value.map(|value| check.range(pointer, value, nights.clone()));
        }
        for (pointer, value) in [
            ("/min_advance", self.min_advance),
            ("/max_advance", self.max_advance),
            ("/release_days", self.release_days),
        ] {
            value.map(|value| check.range(pointer, value, days.clone()));
        }
        self.check_order(check);
        StayRules {
            min_stay_arrival: self.min_stay_arrival,
            max_stay_arrival: self.max_stay_arrival,
            min_stay_through: self.min_stay_through,
            max_stay_through: self.max_stay_through,
            min_advance: self.min_advance,
            max_advance: self.max_advance,
            cut_off: self.check_cut_off(check),
        }
    }

    fn check_order(&self, check: &mut Check) {
        let wide = |limit: Option<u8>| limit.map(u16::from);
        for (pointer, max, min) in [
            ("/max_stay_arrival", wide(self.max_stay_arrival), wide(self.min_stay_arrival)),
            ("/max_stay_through", wide(self.max_stay_through), wide(self.min_stay_through)),
            ("/max_advance", self.max_advance, self.min_advance),
        ] {
            if matches!((max, min), (Some(max), Some(min)) if max < min) {
                check.fault(pointer, "field.range", "must not lie below the minimum");
            }
        }
    }

    fn check_cut_off(&self, check: &mut Check) -> Option<CutOff> {
        let time = self.release_time.as_deref();
        let minute = time.map_or(0, |time| check.minute_of_day("/release_time", time));
        if self.release_days.is_none() && time.is_some() {
            check.fault("/release_days", "field.required", "a release time needs its days");
        }
        self.release_days.map(|days| CutOff { days, minute })
    }

    /// The bounds of prices, least and most.
    pub(super) fn check_bounds(&self, check: &mut Check) -> (Option<i64>, Option<i64>) {
        for (pointer, value) in [("/price_min", self.price_min), ("/price_max", self.price_max)] {
            value.map(|value| check.range(pointer, value, 0..=PRICE_MAX));
        }
        if matches!((self.price_max, self.price_min), (Some(max), Some(min)) if max < min) {
            check.fault("/price_max", "field.range", "must not lie below the minimum");
        }
        (self.price_min, self.price_max)
    }

    /// The same with the rules of a plan as it stands.
    pub(super) fn with_rules(self, draft: &RatePlanDraft) -> Self {
        let rules = draft.rules;
        Self {
            min_stay_arrival: rules.min_stay_arrival,
            max_stay_arrival: rules.max_stay_arrival,
            min_stay_through: rules.min_stay_through,
            max_stay_through: rules.max_stay_through,
            min_advance: rules.min_advance,
            max_advance: rules.max_advance,
            release_days: rules.cut_off.map(|cut_off| cut_off.days),
            release_time: rules.cut_off.map(|cut_off| minute_text(cut_off.minute)),
            price_min: draft.price_min,
            price_max: draft.price_max,
            ..self
        }
    }
}
