//! A plan's defaults: the stay and advance rules that hold on every night whose row says nothing else.

use crate::codec::{Decode, Encode};
use crate::limits::{ADVANCE_DAYS_MAX, STAY_LIMIT_MAX};
use crate::rates::{CutOff, Dated, RateWord};

/// Rules of a plan. `None` is no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct StayRules {
    /// Nights, 1–62, of a stay that arrives on the night.
    pub min_stay_arrival: Option<u8>,
    pub max_stay_arrival: Option<u8>,
    /// Nights, 1–62, of a stay that includes the night.
    pub min_stay_through: Option<u8>,
    pub max_stay_through: Option<u8>,
    /// Days from the hotel's today to check-in; zero is zero days.
    pub min_advance: Option<u16>,
    pub max_advance: Option<u16>,
    /// The cut-off of every night.
    pub cut_off: Option<CutOff>,
}

impl StayRules {
    /// Within every bound, and no maximum below its minimum.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let stay = [
            (self.min_stay_arrival, self.max_stay_arrival),
            (self.min_stay_through, self.max_stay_through),
        ];
        let fits = |limit: Option<u8>| limit.is_none_or(|n| (1..=STAY_LIMIT_MAX).contains(&n));
        let days = |limit: Option<u16>| limit.is_none_or(|days| days <= ADVANCE_DAYS_MAX);
        stay.iter().all(|&(min, max)| fits(min) && fits(max) && !is_below(max, min))
            && days(self.min_advance)
            && days(self.max_advance)
            && !is_below(self.max_advance, self.min_advance)
            && self.cut_off.is_none_or(CutOff::is_valid)
    }

    /// The stay limits as a rate word carries them.
    #[must_use]
    pub fn limits(&self) -> RateWord {
        let dated = |limit: Option<u8>| limit.map_or(Dated::Unset, Dated::Set);
        RateWord::default()
            .with_min_stay_arrival(dated(self.min_stay_arrival))
            .with_max_stay_arrival(dated(self.max_stay_arrival))
            .with_min_stay_through(dated(self.min_stay_through))
            .with_max_stay_through(dated(self.max_stay_through))
    }

    /// Whether there is a rule that looks at the clock.
    #[must_use]
    pub const fn watches_clock(&self) -> bool {
        self.min_advance.is_some() || self.max_advance.is_some() || self.cut_off.is_some()
    }

    /// Whether there is no rule at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a maximum lies below a minimum of its kind.
pub(crate) fn is_below<T: PartialOrd>(max: Option<T>, min: Option<T>) -> bool {
    matches!((max, min), (Some(max), Some(min)) if max < min)
}
