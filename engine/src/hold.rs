//! Holds: rooms set aside for one guest until an instant, with the price frozen in them.

use std::sync::Arc;

use crate::catalogue::{Deposit, Policy};
use crate::civil::{LogTimeMs, Night};
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::few::Few;
use crate::ids::{BlockId, BookingId, HoldId, HotelIx, RatePlanIx, RoomTypeIx, WaitId};
use crate::limits::{HOLD_LIFE_S_MAX, WAITLIST_OFFER_S_MAX};
use crate::money::Currency;
use crate::promo::Taken;
use crate::quote::RoomQuote;
use crate::stay::Stay;

/// One line of a hold, priced.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Line {
    pub room_type: RoomTypeIx,
    pub rate_plan: RatePlanIx,
    pub quantity: u16,
    /// Per room.
    pub adults: u8,
    /// Ages in years, per room.
    pub children: Few<u8, 16>,
    /// For one room.
    pub quote: RoomQuote,
    /// The cancellation policy as it stood.
    pub policy: Arc<Policy>,
    /// What is due at booking, as it stood.
    pub deposit: Deposit,
}

impl Line {
    /// All rooms of the line with service charge and taxes.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.quote.total.saturating_mul(i64::from(self.quantity))
    }

    /// Each night of all rooms of the line; sums to [`Self::total`].
    #[must_use]
    pub fn nightly_total(&self) -> Vec<i64> {
        let rooms = i64::from(self.quantity);
        self.quote.nightly_total().into_iter().map(|night| night.saturating_mul(rooms)).collect()
    }

    /// What is due of it at booking: in `0..=total`.
    #[must_use]
    pub fn deposit_due(&self) -> i64 {
        match self.deposit {
            Deposit::Whole => self.total(),
            deposit => deposit.due(self.total(), &self.nightly_total()),
        }
    }
}

/// What a hold is about, fixed when it is made, shared by hold, booking and stored replies.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Terms {
    pub id: HoldId,
    pub hotel: HotelIx,
    pub principal: Principal,
    pub check_in: Night,
    pub check_out: Night,
    pub lines: Few<Line, 1>,
    /// All lines with service charge and taxes, minor units.
    pub total: i64,
    pub currency: Currency,
    pub tax_version: u32,
    pub client_reference: Option<String>,
    /// The block its rooms are picked up from.
    pub block: Option<BlockId>,
    /// The place in a waitlist that it is the offer of.
    pub waitlist: Option<WaitId>,
    /// What it has of a promotion. Boxed: most have none.
    pub promo: Option<Box<Taken>>,
    pub created_ms: LogTimeMs,
}

impl Terms {
    /// No hold lives longer than this, however often it is extended or its clock is stopped.
    #[must_use]
    pub fn latest_ms(&self) -> LogTimeMs {
        let life_s = if self.waitlist.is_some() { WAITLIST_OFFER_S_MAX } else { HOLD_LIFE_S_MAX };
        self.created_ms + u64::from(life_s) * 1_000
    }

    #[must_use]
    pub fn stay(&self) -> Stay {
        Stay { check_in: self.check_in, check_out: self.check_out }
    }

    /// Nights of the stay, at least 1.
    #[must_use]
    pub fn nights(&self) -> u16 {
        self.check_out.0 - self.check_in.0
    }

    /// Rooms over all lines.
    #[must_use]
    pub fn rooms(&self) -> u32 {
        self.lines.iter().map(|line| u32::from(line.quantity)).sum()
    }

    /// What is due at booking: each line by its own deposit. In `0..=total`.
    #[must_use]
    pub fn deposit_due(&self) -> i64 {
        self.lines.iter().fold(0i64, |sum, line| sum.saturating_add(line.deposit_due()))
    }

    /// Each night of all rooms with service charge and taxes; sums to `total`.
    #[must_use]
    pub fn nightly_total(&self) -> Vec<i64> {
        let mut nights = vec![0i64; usize::from(self.nights())];
        for line in &self.lines {
            for (sum, night) in nights.iter_mut().zip(line.quote.nightly_total()) {
                *sum = sum.saturating_add(night.saturating_mul(i64::from(line.quantity)));
            }
        }
        nights
    }
}

/// Where a hold stands. [`Status::Active`] past its expiry counts as expired, swept or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Status {
    Active,
    /// A payment is under way; the expiry stands still.
    Confirming(Confirming),
    Confirmed(BookingId),
    Released,
    Expired,
}

/// The payment a hold waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Confirming {
    /// The payment intent, made at the door.
    pub intent: u128,
    /// The idempotency key of the confirmation under way; only its owner may go on with it.
    pub key: u128,
    /// Life the hold had left when the payment began, milliseconds.
    pub left_ms: u64,
}

/// A hold as it stands.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Hold {
    pub terms: Arc<Terms>,
    pub status: Status,
    /// When it ends by itself: its expiry, or the payment's deadline while confirming.
    pub expires_ms: LogTimeMs,
    pub extensions: u8,
    /// When it ended, for holds that have.
    pub ended_ms: Option<LogTimeMs>,
}

impl Hold {
    /// The status at an instant: what is due has ended, whether or not the sweep has come by.
    #[must_use]
    pub fn status_at(&self, now: LogTimeMs) -> Status {
        match self.status {
            Status::Active | Status::Confirming(_) if now >= self.expires_ms => Status::Expired,
            status => status,
        }
    }

    /// Whether its rooms are still counted as held in the cells.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.status, Status::Active | Status::Confirming(_))
    }
}
