//! The nearest stays that would work: every move of the dates in order of its distance, until enough of
//! them work.
//!
//! A distance is the greater of the moves of check-in and check-out. Only the moves of the last distance
//! that is needed are priced in vain.

use super::Nearest;
use super::product::{Price, Product, Window};
use crate::limits::{NEAREST_MAX, NEAREST_OTHER_NIGHTS, NEAREST_SHIFT_NIGHTS};

/// At most [`NEAREST_MAX`] stays of the products that work: by distance, total, check-in, check-out, and
/// the order of the products.
pub fn rank(window: &Window<'_>, products: &[Product]) -> Vec<Nearest> {
    search(|distance, by, found| {
        let Some(stay) = window.moved(by) else { return };
        for product in products.iter().filter(|product| distance == 0 || product.meant()) {
            let price = product.price(window, stay).filter(|price| window.affords(*price));
            found.extend(price.map(|price| product.answer(stay, price.total, distance)));
        }
    })
}

/// As [`rank`], of stays on which all the products can be had together. They are named by the first.
pub fn rank_together(window: &Window<'_>, products: &[Product]) -> Vec<Nearest> {
    search(|distance, by, found| {
        let (Some(stay), [first, ..]) = (window.moved(by), products) else { return };
        let mut prices = products.iter().map(|product| product.price(window, stay));
        let price = prices.try_fold(Price::default(), |sum, price| sum.plus(price?));
        let price = price.filter(|price| window.affords(*price));
        found.extend(price.map(|price| first.answer(stay, price.total, distance)));
    })
}

fn search(look: impl Fn(u16, (i16, i16), &mut Vec<Nearest>)) -> Vec<Nearest> {
    let mut found: Vec<Nearest> = Vec::new();
    for distance in 0..=NEAREST_SHIFT_NIGHTS.cast_signed() {
        for by in moves(distance) {
            look(distance.unsigned_abs(), by, &mut found);
        }
        if found.len() >= NEAREST_MAX {
            break;
        }
    }
    // Stable: products of one price stay in their order.
    found.sort_by_key(|one| (one.distance, one.total, one.stay.check_in, one.stay.check_out));
    found.truncate(NEAREST_MAX);
    found
}

/// Every move of check-in and check-out at a distance: the same length earlier and later, another length
/// from the same check-in, and more nights around the stay.
fn moves(distance: i16) -> impl Iterator<Item = (i16, i16)> {
    let other = NEAREST_OTHER_NIGHTS.cast_signed();
    let shifts = [(-distance, -distance), (distance, distance)];
    let lengths = [(0, -distance), (0, distance)];
    let lengths = lengths.into_iter().filter(move |_| distance <= other);
    // One end moves by the distance, the other by no more; together by no more than the bound.
    let earlier = (0..=distance).map(move |later| (-distance, later));
    let later = (1..distance).map(move |earlier| (-earlier, distance));
    let around = earlier.chain(later).filter(move |by| by.1 - by.0 <= other);
    let moved = shifts.into_iter().chain(lengths).chain(around);
    let still = std::iter::once((0, 0)).filter(move |_| distance == 0);
    still.chain(moved.filter(move |_| distance > 0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_move_is_made_once_at_its_distance() {
        let shift = NEAREST_SHIFT_NIGHTS.cast_signed();
        let other = NEAREST_OTHER_NIGHTS.cast_signed();
        let mut seen = BTreeSet::new();
        for distance in 0..=shift {
            for by in moves(distance) {
                assert_eq!(by.0.abs().max(by.1.abs()), distance, "{by:?}");
                assert!(seen.insert(by), "{by:?} twice");
            }
        }
        let mut expected = BTreeSet::new();
        for check_in in -shift..=shift {
            for check_out in -shift..=shift {
                let longer = check_out - check_in;
                let covering = check_in <= 0 && check_out >= 0;
                let same_check_in = check_in == 0;
                if longer == 0 || (longer.abs() <= other && (covering || same_check_in)) {
                    expected.insert((check_in, check_out));
                }
            }
        }
        assert_eq!(seen, expected);
    }
}
