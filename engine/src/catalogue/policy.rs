//! Cancellation policies: what a guest pays who cancels, by how long before check-in.
//!
//! Tiers are ordered from the earliest deadline to the latest. Cancelling at or before a tier's deadline
//! costs what the first such tier says; the deadline itself is in the guest's favour. After the last
//! deadline the whole total is due. A policy without tiers is free until check-in.

use crate::civil::{LogTimeMs, Night};
use crate::codec::{Decode, Encode};
use crate::limits::POLICY_TIERS_MAX;
use crate::money::{WHOLE_BP, share};
use crate::zone::Zone;

/// What cancelling costs. Never more than the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Penalty {
    /// Basis points of the room total with taxes, 0–10,000.
    PercentBp(u16),
    /// The first n nights' actual prices, with their share of service charge and taxes.
    Nights(u8),
    /// Minor units, for each line of the booking.
    Fixed(i64),
}

/// Until `until_days` before check-in at `until_minute` (hotel-local), cancelling costs `penalty`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Tier {
    pub until_days: u16,
    /// Minute of the day, 0–1,439.
    pub until_minute: u16,
    pub penalty: Penalty,
}

/// The tiers of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Policy {
    pub tiers: Vec<Tier>,
}

/// What a policy needs to know of a booking to price its cancellation.
#[derive(Debug, Clone, Copy)]
pub struct Priced<'a> {
    pub check_in: Night,
    pub total: i64,
    /// Each night of all rooms with service charge and taxes; sums to `total`.
    pub nightly: &'a [i64],
}

impl Policy {
    /// Tiers in order, deadlines strictly falling, penalties in range.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.tiers.len() <= POLICY_TIERS_MAX
            && self.tiers.iter().all(|tier| {
                tier.until_minute < 1_440
                    && match tier.penalty {
                        Penalty::PercentBp(share) => i64::from(share) <= WHOLE_BP,
                        Penalty::Nights(_) => true,
                        Penalty::Fixed(amount) => amount >= 0,
                    }
            })
            && self.tiers.windows(2).all(|pair| match pair {
                [a, b] => {
                    b.until_days < a.until_days
                        || b.until_days == a.until_days && b.until_minute > a.until_minute
                }
                _ => true,
            })
    }

    /// Last instant at which cancelling is free, for tiers that begin free. `None` where it never is,
    /// and where there are no tiers: then it is free until check-in.
    #[must_use]
    pub fn free_until(&self, check_in: Night, zone: &Zone) -> Option<LogTimeMs> {
        let free = self.tiers.iter().take_while(|tier| tier.penalty.is_free()).last()?;
        Some(free.deadline(check_in, zone))
    }

    /// Whether there is a moment at which cancelling is free.
    #[must_use]
    pub fn is_free_at_first(&self) -> bool {
        self.tiers.first().is_none_or(|tier| tier.penalty.is_free())
    }

    /// The fee of cancelling at `at`: in `0..=total`.
    #[must_use]
    pub fn fee(&self, priced: Priced<'_>, at: LogTimeMs, zone: &Zone) -> i64 {
        if self.tiers.is_empty() {
            return 0;
        }
        let tier = self.tiers.iter().find(|tier| at <= tier.deadline(priced.check_in, zone));
        let fee = match tier.map(|tier| tier.penalty) {
            None => priced.total,
            Some(Penalty::PercentBp(basis_points)) => {
                share(priced.total, basis_points).unwrap_or(priced.total)
            }
            Some(Penalty::Nights(count)) => priced.nightly.iter().take(usize::from(count)).sum(),
            Some(Penalty::Fixed(amount)) => amount,
        };
        fee.clamp(0, priced.total.max(0))
    }
}

impl Tier {
    /// The last instant at which this tier holds.
    #[must_use]
    pub fn deadline(&self, check_in: Night, zone: &Zone) -> LogTimeMs {
        zone.instant(check_in.minus(self.until_days), self.until_minute)
    }
}

impl Penalty {
    const fn is_free(self) -> bool {
        matches!(self, Self::PercentBp(0) | Self::Nights(0) | Self::Fixed(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(until_days: u16, until_minute: u16, penalty: Penalty) -> Tier {
        Tier { until_days, until_minute, penalty }
    }

    #[test]
    fn the_deadline_second_itself_is_in_the_guests_favour() {
        let zone = Zone::find("Asia/Bangkok").unwrap();
        let check_in: Night = "2027-01-10".parse().unwrap();
        let policy = Policy {
            tiers: vec![
                tier(7, 18 * 60, Penalty::PercentBp(0)),
                tier(1, 18 * 60, Penalty::PercentBp(5_000)),
                tier(0, 0, Penalty::Nights(2)),
            ],
        };
        assert!(policy.is_valid());
        let priced = Priced { check_in, total: 30_001, nightly: &[10_001, 10_000, 10_000] };
        let week = zone.instant("2027-01-03".parse().unwrap(), 18 * 60);
        let day = zone.instant("2027-01-09".parse().unwrap(), 18 * 60);
        let midnight = zone.instant(check_in, 0);
        let fees = [week, week + 1, day, day + 1, midnight, midnight + 1]
            .map(|at| policy.fee(priced, at, &zone));
        assert_eq!(fees, [0, 15_001, 15_001, 20_001, 20_001, 30_001]);
        assert_eq!(policy.free_until(check_in, &zone), Some(week));
    }

    #[test]
    fn no_tiers_are_free_and_a_fee_never_exceeds_the_total() {
        let zone = Zone::find("Asia/Bangkok").unwrap();
        let check_in: Night = "2027-01-10".parse().unwrap();
        let priced = Priced { check_in, total: 5_000, nightly: &[5_000] };
        assert_eq!(Policy::default().fee(priced, zone.instant(check_in, 0), &zone), 0);
        let fixed = Policy { tiers: vec![tier(0, 0, Penalty::Fixed(9_999))] };
        assert_eq!(fixed.fee(priced, 0, &zone), 5_000);
        assert!(!fixed.is_free_at_first());
    }

    #[test]
    fn tiers_out_of_order_or_out_of_range_are_refused() {
        let free = Penalty::PercentBp(0);
        for tiers in [
            vec![tier(1, 0, free), tier(7, 0, free)],
            vec![tier(1, 0, free), tier(1, 0, free)],
            vec![tier(1, 1_440, free)],
            vec![tier(1, 0, Penalty::PercentBp(10_001))],
            vec![tier(1, 0, Penalty::Fixed(-1))],
            vec![tier(1, 0, free); POLICY_TIERS_MAX + 1],
        ] {
            assert!(!Policy { tiers }.is_valid());
        }
        assert!(Policy { tiers: vec![tier(1, 0, free), tier(1, 60, free)] }.is_valid());
        assert!(!Policy { tiers: vec![tier(1, 60, free), tier(1, 0, free)] }.is_valid());
    }
}
