//! Fees of bookings that are given up: each line by the policy frozen in it, added up.

use super::Booking;
use crate::catalogue::policy::Priced;
use crate::hold::Line;
use crate::zone::Zone;

/// What cancelling `booking` costs at an instant: in `0..=total`, and no less than it cost when the
/// booking was changed.
#[must_use]
pub fn cancelling(booking: &Booking, at_ms: u64, zone: &Zone) -> i64 {
    sum(booking, |line, priced| line.policy.fee(priced, at_ms, zone)).max(booking.fee_floor)
}

/// What not coming costs when it is said at an instant: what cancelling would cost then; by a policy
/// without tiers, which is free until check-in alone, the first night, which stays sold.
#[must_use]
pub fn not_coming(booking: &Booking, at_ms: u64, zone: &Zone) -> i64 {
    let fee = sum(booking, |line, priced| {
        if line.policy.tiers.is_empty() {
            return priced.nightly.first().copied().unwrap_or(0);
        }
        line.policy.fee(priced, at_ms, zone)
    });
    fee.max(booking.fee_floor)
}

fn sum(booking: &Booking, fee: impl Fn(&Line, Priced<'_>) -> i64) -> i64 {
    let terms = &booking.terms;
    let mut sum = 0i64;
    for line in &terms.lines {
        let (total, nightly) = (line.total(), line.nightly_total());
        let priced = Priced { check_in: terms.check_in, total, nightly: &nightly };
        sum = sum.saturating_add(fee(line, priced));
    }
    sum.clamp(0, terms.total.max(0))
}
