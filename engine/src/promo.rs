//! Promotions: what a partner takes off the price for those who name a code, under which conditions, and
//! how often and how much at most.
//!
//! It owns the words, their bounds and what is counted of each. It refuses to know prices: what a discount
//! comes to is `quote`'s. **Invariant**: what is reserved is that of the live holds that took the
//! promotion, what is committed that of the bookings that were not cancelled.

use std::fmt;
use std::sync::Arc;

use crate::catalogue::Hotel;
use crate::civil::{LogTimeMs, Night};
use crate::codec::{Decode, Encode};
use crate::hold::Line;
use crate::ids::{HotelIx, PartnerId, PromoId};
use crate::limits::{MAX_STAY_MAX, PRICE_MAX, PROMO_CODE_BYTES_MAX, PROMO_HOTELS_MAX};
use crate::money::{Currency, WHOLE_BP};
use crate::quote::Discount;
use crate::refusal::{Blocker, Layer, Reason};
use crate::stay::Stay;

/// A code as a guest types it, in upper case: 1–32 of `A`–`Z`, `0`–`9`, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct PromoCode(String);

/// Why a text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {PROMO_CODE_BYTES_MAX} of A-Z, 0-9, `-` and `_`, in either case")]
pub struct BadCode;

impl PromoCode {
    /// The code that a text means, whatever its case.
    pub fn new(text: &str) -> Result<Self, BadCode> {
        let code = Self(text.to_ascii_uppercase());
        if code.is_valid() { Ok(code) } else { Err(BadCode) }
    }

    fn is_valid(&self) -> bool {
        let known = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_');
        (1..=PROMO_CODE_BYTES_MAX).contains(&self.0.len()) && self.0.bytes().all(known)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PromoCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Dates from one to another, both included; open where one is not said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Period {
    pub first: Option<Night>,
    pub last: Option<Night>,
}

impl Period {
    #[must_use]
    pub fn contains(self, date: Night) -> bool {
        self.first.is_none_or(|first| date >= first) && self.last.is_none_or(|last| date <= last)
    }

    fn is_valid(self) -> bool {
        self.first.zip(self.last).is_none_or(|(first, last)| first <= last)
    }
}

/// What a partner says of a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PromoDraft {
    /// Off one room and stay, extras included, before service charge and taxes: 1–10,000 basis points, or
    /// a fixed amount of 1 minor unit or more, never beyond what the room is listed at.
    pub discount: Discount,
    /// Of all amounts in here; hotels of another currency do not take the code.
    pub currency: Currency,
    /// Dates on which it can be booked, hotel-local.
    pub booking: Period,
    /// Every night of the stay lies in here.
    pub stay: Period,
    /// Fewest nights of the stay, 1–365.
    pub min_nights: u16,
    /// The hotels that take it, ascending, at most 256; empty for all of the partner's.
    pub hotels: Vec<HotelIx>,
    /// Holds and bookings that may have it at once and for good; `None` for any number.
    pub uses_max: Option<u32>,
    /// What it may take off them together, minor units; `None` for any amount.
    pub money_max: Option<i64>,
}

impl PromoDraft {
    /// Within every bound. The door has said why not to the client; this is the authority's own look.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let discount = match self.discount {
            Discount::PercentBp(share) => (1..=WHOLE_BP).contains(&i64::from(share)),
            Discount::Fixed(amount) => (1..=PRICE_MAX).contains(&amount),
        };
        discount
            && self.booking.is_valid()
            && self.stay.is_valid()
            && (1..=MAX_STAY_MAX).contains(&self.min_nights)
            && self.hotels.len() <= PROMO_HOTELS_MAX
            && self.hotels.is_sorted_by(|one, two| one < two)
            && self.money_max.is_none_or(|most| most >= 0)
    }
}

/// Uses, and what was taken off for them in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Tally {
    pub uses: u64,
    pub money: i64,
}

impl Tally {
    /// One use of so much.
    #[must_use]
    pub const fn one(money: i64) -> Self {
        Self { uses: 1, money }
    }

    /// `None` on overflow.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let uses = self.uses.checked_add(other.uses)?;
        Some(Self { uses, money: self.money.checked_add(other.money)? })
    }

    /// `None` where there is not so much.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        let uses = self.uses.checked_sub(other.uses)?;
        let money = self.money.checked_sub(other.money).filter(|&money| money >= 0)?;
        Some(Self { uses, money })
    }
}

/// A promotion as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Promo {
    pub id: PromoId,
    pub partner: PartnerId,
    /// Unique among those of the partner that are not removed.
    pub code: PromoCode,
    /// Of what the partner says of it; what is counted changes it not.
    pub version: u32,
    pub draft: Arc<PromoDraft>,
    /// Nobody gets it any more; holds and bookings that have it keep it.
    pub removed: bool,
    /// By live holds.
    pub reserved: Tally,
    /// By bookings that were not cancelled.
    pub committed: Tally,
    /// The latest check-out of all that ever had it.
    pub last_check_out: Night,
    pub created_ms: LogTimeMs,
}

/// What a hold asks for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Asked {
    pub code: PromoCode,
    /// The promotion that the door's quotes were made with, and its version.
    pub quoted: Option<(PromoId, u32)>,
}

impl Asked {
    /// To be quoted anew.
    #[must_use]
    pub fn of(code: &PromoCode) -> Box<Self> {
        Box::new(Self { code: code.clone(), quoted: None })
    }

    pub(crate) fn is_valid(&self) -> bool {
        self.code.is_valid()
    }
}

/// What a hold, then its booking, has of a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Taken {
    pub promo: PromoId,
    pub code: PromoCode,
    /// Off all rooms, minor units.
    pub off: i64,
    /// The fewest nights it was given for.
    pub min_nights: u16,
}

impl Taken {
    /// What it counts.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        Tally::one(self.off)
    }
}

/// What promotions take off all rooms of some lines. `None` on overflow.
#[must_use]
pub fn off(lines: &[Line]) -> Option<i64> {
    lines.iter().try_fold(0i64, |sum, line| {
        sum.checked_add(line.quote.discount.checked_mul(i64::from(line.quantity))?)
    })
}

impl Promo {
    /// What stands in the way of a stay at one of the partner's hotels that is booked on a date there:
    /// hotel and currency, the date, the stay's length, then its nights. What is left of it is
    /// [`Self::find_exhaustion`]'s.
    pub fn find_blockers(
        &self,
        hotel: &Hotel,
        stay: Stay,
        booked_on: Night,
        blockers: &mut Vec<Blocker>,
    ) {
        let draft = &self.draft;
        let mut add = |reason, night| blockers.push(Blocker { reason, layer: Layer::Promo, night });
        if !draft.hotels.is_empty() && draft.hotels.binary_search(&hotel.ix).is_err() {
            add(Reason::PromoHotel, stay.check_in);
        }
        if draft.currency != hotel.draft.currency {
            add(Reason::PromoCurrency, stay.check_in);
        }
        if !draft.booking.contains(booked_on) {
            add(Reason::PromoBookingWindow, stay.check_in);
        }
        if stay.nights() < draft.min_nights {
            add(Reason::PromoMinNights(draft.min_nights), stay.check_in);
        }
        for night in stay.check_in.until(stay.check_out) {
            if !draft.stay.contains(night) {
                add(Reason::PromoStayWindow, night);
            }
        }
    }

    /// Whether it is for stays of this length on these nights.
    #[must_use]
    pub fn takes(&self, stay: Stay) -> bool {
        let nights = self.draft.stay;
        stay.nights() >= self.draft.min_nights
            && nights.contains(stay.check_in)
            && nights.contains(stay.check_out.minus(1))
    }

    /// What stands in the way of one use more that takes off so much: uses or money that are gone.
    #[must_use]
    pub fn find_exhaustion(&self, stay: Stay, off: i64) -> Vec<Blocker> {
        let blocker = |reason| Blocker { reason, layer: Layer::Promo, night: stay.check_in };
        let used = self.reserved.plus(self.committed);
        let after = used.and_then(|used| used.plus(Tally::one(off)));
        let most = self.draft.uses_max.map_or(u64::MAX, u64::from);
        let uses = after.is_none_or(|after| after.uses > most).then_some(Reason::PromoUses);
        let money = (!self.has_money_for(off)).then_some(Reason::PromoMoney);
        uses.into_iter().chain(money).map(blocker).collect()
    }

    /// Whether so much more may be taken off.
    #[must_use]
    pub fn has_money_for(&self, off: i64) -> bool {
        let used = self.reserved.money.checked_add(self.committed.money);
        let after = used.and_then(|used| used.checked_add(off));
        after.is_some_and(|after| self.draft.money_max.is_none_or(|most| after <= most))
    }

    /// Whether nothing counts on it any more: it is removed, no hold has it, and the nights of all that
    /// had it lie before `first`.
    #[must_use]
    pub fn is_over(&self, first: Night) -> bool {
        self.removed && self.reserved == Tally::default() && self.last_check_out <= first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_in_either_case_and_nothing_but_short_plain_text() {
        assert_eq!(PromoCode::new("song-Kran_27").unwrap().as_str(), "SONG-KRAN_27");
        assert_eq!(PromoCode::new("a"), PromoCode::new("A"));
        let longest = "x".repeat(PROMO_CODE_BYTES_MAX);
        assert!(PromoCode::new(&longest).is_ok());
        for bad in ["", " ", "a b", "ก", "é", "a.b", &(longest + "x")] {
            assert_eq!(PromoCode::new(bad), Err(BadCode), "{bad:?}");
        }
    }

    #[test]
    fn a_period_has_both_its_ends() {
        let period = Period { first: Some(Night(5)), last: Some(Night(6)) };
        let within: Vec<_> = (4..8).filter(|&date| period.contains(Night(date))).collect();
        assert_eq!(within, [5, 6]);
        assert!(period.is_valid());
        assert!(!Period { first: Some(Night(6)), last: Some(Night(5)) }.is_valid());
        assert!(Period::default().contains(Night(0)));
    }

    #[test]
    fn a_tally_neither_wraps_nor_falls_below_nothing() {
        let most = Tally { uses: 1, money: i64::MAX };
        assert_eq!(most.plus(Tally::one(1)), None);
        assert_eq!(most.minus(Tally { uses: 2, money: 0 }), None);
        assert_eq!(Tally::one(5).minus(Tally::one(6)), None);
        assert_eq!(Tally::one(5).minus(Tally::one(5)), Some(Tally::default()));
    }
}
