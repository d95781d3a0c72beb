//! Restrictions in the model: what a night of a plan says, and whom it turns away.

use holdfast_engine::catalogue::StayRules;
use holdfast_engine::ids::RatePlanIx;
use holdfast_engine::rates::{CutOff, Dated, DatedRules, RateWord};
use holdfast_engine::refusal::Reason;

use super::{Hotel, Model};
use crate::world::traffic::ZONES;
use crate::world::{DAY, HOUR, MINUTE};

/// A rule of a night: nothing said, lifted, or set.
pub type Own<T> = Option<Option<T>>;

/// What is written of a plan's night.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rate {
    pub price: Option<i64>,
    pub min_arrival: Own<u8>,
    pub max_arrival: Own<u8>,
    pub min_through: Own<u8>,
    pub max_through: Own<u8>,
    pub min_advance: Own<u16>,
    pub max_advance: Own<u16>,
    pub cut_off: Own<CutOff>,
    pub occupancy: Vec<(u8, i64)>,
    pub no_arrival: bool,
    pub no_departure: bool,
    pub closed: bool,
}

fn own<T: Copy>(dated: Dated<T>) -> Own<T> {
    match dated {
        Dated::Unset => None,
        Dated::Lifted => Some(None),
        Dated::Set(value) => Some(Some(value)),
    }
}

impl Rate {
    /// As the engine has it.
    pub fn seen(word: RateWord, dated: &DatedRules) -> Self {
        Self {
            price: word.price(),
            min_arrival: own(word.min_stay_arrival()),
            max_arrival: own(word.max_stay_arrival()),
            min_through: own(word.min_stay_through()),
            max_through: own(word.max_stay_through()),
            min_advance: own(dated.min_advance),
            max_advance: own(dated.max_advance),
            cut_off: own(dated.cut_off),
            occupancy: dated.occupancy.pairs().collect(),
            no_arrival: word.closed_to_arrival(),
            no_departure: word.closed_to_departure(),
            closed: word.closed(),
        }
    }

    /// What holds on the night: its own word where it has one, else the plan's.
    pub fn over(&self, plan: &StayRules) -> StayRules {
        StayRules {
            min_stay_arrival: self.min_arrival.unwrap_or(plan.min_stay_arrival),
            max_stay_arrival: self.max_arrival.unwrap_or(plan.max_stay_arrival),
            min_stay_through: self.min_through.unwrap_or(plan.min_stay_through),
            max_stay_through: self.max_through.unwrap_or(plan.max_stay_through),
            min_advance: self.min_advance.unwrap_or(plan.min_advance),
            max_advance: self.max_advance.unwrap_or(plan.max_advance),
            cut_off: self.cut_off.unwrap_or(plan.cut_off),
        }
    }
}

/// The reason where there is a rule and it is broken.
fn broken<T: Copy>(
    rule: Option<T>,
    is_broken: impl Fn(T) -> bool,
    reason: impl Fn(T) -> Reason,
) -> Option<Reason> {
    rule.filter(|&rule| is_broken(rule)).map(reason)
}

impl Model {
    /// Why a plan of this hotel turns a stay away, night by night.
    pub fn rate_reasons(
        &self,
        hotel: &Hotel,
        plan: RatePlanIx,
        (check_in, check_out): (u16, u16),
    ) -> Vec<(Reason, u16)> {
        let length = check_out - check_in;
        let hours = ZONES.iter().find(|zone| zone.0 == hotel.draft.zone).unwrap().1;
        let local = self.now as i64 + hours * HOUR as i64;
        let ahead = i64::from(check_in) - local / DAY as i64;
        let short = |least: u8| length < u16::from(least);
        let long = |most: u8| length > u16::from(most);
        let mut found = Vec::new();
        for night in check_in..check_out {
            let rate = self.rate(plan.0, night);
            let rules = rate.over(&self.plans[plan.at()].draft.rules);
            let past = |cut_off: CutOff| {
                let day = i64::from(night) - i64::from(cut_off.days);
                local >= day * DAY as i64 + i64::from(cut_off.minute) * MINUTE as i64
            };
            found.extend(
                [
                    rate.closed.then_some(Reason::Closed),
                    rate.price.is_none().then_some(Reason::NoPrice),
                    broken(rules.min_stay_through, short, Reason::MinStayThrough),
                    broken(rules.max_stay_through, long, Reason::MaxStayThrough),
                    broken(rules.cut_off, past, Reason::CutOff),
                ]
                .into_iter()
                .flatten()
                .map(|reason| (reason, night)),
            );
            if night > check_in {
                continue;
            }
            let near = |least: u16| ahead < i64::from(least);
            let far = |most: u16| ahead > i64::from(most);
            found.extend(
                [
                    rate.no_arrival.then_some(Reason::ClosedToArrival),
                    broken(rules.min_stay_arrival, short, Reason::MinStayArrival),
                    broken(rules.max_stay_arrival, long, Reason::MaxStayArrival),
                    broken(rules.min_advance, near, Reason::MinAdvance),
                    broken(rules.max_advance, far, Reason::MaxAdvance),
                ]
                .into_iter()
                .flatten()
                .map(|reason| (reason, night)),
            );
        }
        if self.rate(plan.0, check_out).no_departure {
            found.push((Reason::ClosedToDeparture, check_out));
        }
        found
    }
}
