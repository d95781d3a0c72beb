//! What a stay costs and what giving it up costs, by the order and rounding of the rule book.

use holdfast_engine::catalogue::{Penalty, Policy};

use crate::world::{DAY, HOUR};

fn half_up(numerator: i64, denominator: i64) -> i64 {
    (2 * numerator + denominator) / (2 * denominator)
}

/// Of one room: service charge 10 % of the room, VAT 7 % of both; an inclusive price is the total.
pub fn total(prices: &[i64], inclusive: bool) -> i64 {
    let room: i64 = prices.iter().sum();
    if inclusive {
        return room;
    }
    let service = half_up(room, 10);
    room + service + half_up((room + service) * 7, 100)
}

/// The total by nights, in proportion to `weights`, by largest remainder, ties to the earlier.
pub fn by_night(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
    let share = |weight: i64| match sum {
        0 => (i128::from(total), weights.len() as i128),
        _ => (i128::from(total) * i128::from(weight), sum),
    };
    let mut parts: Vec<i64> = weights.iter().map(|&w| (share(w).0 / share(w).1) as i64).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&at| (-(share(weights[at]).0 % share(weights[at]).1), at));
    let missing = total - parts.iter().sum::<i64>();
    for &at in order.iter().take(missing as usize) {
        parts[at] += 1;
    }
    parts
}

/// Each night of one room with everything on top: the listed prices where they include it, else the total
/// in proportion to them.
pub fn nightly(prices: &[i64], inclusive: bool) -> Vec<i64> {
    if inclusive { prices.to_vec() } else { by_night(total(prices, inclusive), prices) }
}

/// What cancelling at `now` costs of rooms that cost `total`, `nightly` by night.
pub fn fee(
    policy: &Policy,
    (check_in, hours): (u16, i64),
    now: u64,
    (total, nightly): (i64, &[i64]),
) -> i64 {
    if policy.tiers.is_empty() {
        return 0;
    }
    for tier in &policy.tiers {
        let midnight = (i64::from(check_in) - i64::from(tier.until_days)) * DAY as i64;
        let deadline = midnight + i64::from(tier.until_minute) * 60_000 - hours * HOUR as i64;
        if now as i64 <= deadline {
            let fee = match tier.penalty {
                Penalty::PercentBp(share) => half_up(total * i64::from(share), 10_000),
                Penalty::Nights(count) => nightly.iter().take(count.into()).sum(),
                Penalty::Fixed(amount) => amount,
            };
            return fee.min(total);
        }
    }
    total
}
