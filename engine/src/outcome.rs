//! Outcomes: what a command answered. Cheap to clone, self-contained: a reply can be made from one alone,
//! so that a retry gets the first answer whatever has happened since.

use std::sync::Arc;

use crate::ari::LineOutcome;
use crate::block::Block;
use crate::booking::Booking;
use crate::catalogue::{Hotel, RatePlan, RoomType};
use crate::civil::LogTimeMs;
use crate::codec::{Decode, Encode};
use crate::hold::{Hold, Terms};
use crate::promo::Promo;
use crate::quote::tax::Table;
use crate::refusal::{Code, Refusal};
use crate::waitlist::Entry;

/// The answer to one command.
#[derive(Debug, Clone, Encode, Decode)]
pub enum Outcome {
    /// Nothing to say but yes.
    Done,
    Refused(Arc<Refusal>),
    /// The key was used before: this is what was answered then.
    Replayed(Arc<Self>),
    Hotel(Arc<Hotel>),
    RoomType(Arc<RoomType>),
    RatePlan(Arc<RatePlan>),
    /// One per line of the command, in order.
    Allotted(Arc<[LineOutcome]>),
    Held {
        terms: Arc<Terms>,
        expires_ms: LogTimeMs,
    },
    /// The hold as it stands after an extension, a release, or the begin of a payment.
    HoldChanged(Arc<Hold>),
    Booked(Arc<Booking>),
    /// The booking after its cancellation.
    Cancelled(Arc<Booking>),
    Swept {
        expired: u32,
    },
    Ticked {
        retired_nights: u16,
        forgotten: u32,
    },
    /// The booking after a change that did not end in its cancellation.
    BookingChanged(Arc<Booking>),
    /// The table of taxes after a write.
    Taxes(Arc<Table>),
    /// The block after it was added, changed or released.
    Block(Arc<Block>),
    /// The entry after somebody joined or left.
    Waitlist(Arc<Entry>),
    Archived {
        bookings: u32,
    },
    /// The promotion after it was added, changed or removed.
    Promo(Arc<Promo>),
}

impl From<Code> for Outcome {
    fn from(code: Code) -> Self {
        Self::Refused(Arc::new(Refusal::from(code)))
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Arc::new(refusal))
    }
}

impl Outcome {
    /// The refusal, where it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Replayed(first) => first.refusal(),
            _ => None,
        }
    }
}
