//! Events: what happened, for those who follow: mirror, live streams, outbox, audit.
//!
//! A position is the log index of the entry and the ordinal of the event within it.

use std::sync::Arc;

use crate::block::Block;
use crate::booking::Booking;
use crate::catalogue::{Hotel, Partner, RatePlan, RoomType};
use crate::civil::Night;
use crate::hold::{Hold, Terms};
use crate::ids::{HoldId, PartnerId, RatePlanIx, RoomTypeIx};
use crate::promo::Promo;
use crate::waitlist::Entry;

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    PartnerAdded(Arc<Partner>),
    HotelChanged(Arc<Hotel>),
    RoomTypeChanged(Arc<RoomType>),
    RatePlanChanged(Arc<RatePlan>),
    /// Cells or rate words of these nights were written by the partner; `to` inclusive.
    AriChanged {
        partner: PartnerId,
        room_type: RoomTypeIx,
        rate_plan: Option<RatePlanIx>,
        from: Night,
        to: Night,
    },
    /// A cut went below what is promised.
    InventoryOversubscribed {
        room_type: RoomTypeIx,
        night: Night,
        deficit: u32,
    },
    Held(Arc<Terms>),
    /// Extended, released, expired, or a payment began or failed.
    HoldChanged(Arc<Hold>),
    Booked(Arc<Booking>),
    BookingCancelled(Arc<Booking>),
    NightsRetired {
        first: Night,
    },
    /// A payment came to nothing: its hold expired while it was under way. What the provider has set
    /// aside for the intent is to be given back.
    PaymentLapsed {
        hold: HoldId,
        intent: u128,
    },
    /// Checked in, checked out, or marked as a no-show.
    BookingChanged(Arc<Booking>),
    /// Quotes are made with another table of taxes from here on.
    TaxesChanged {
        version: u32,
    },
    /// Added, changed or released. Pickups show as the holds and bookings that name it.
    BlockChanged(Arc<Block>),
    /// Joined, offered, ended. The offer itself is a hold and has its events.
    WaitlistChanged(Arc<Entry>),
    /// Its stay is long over: it has left memory for the archive, as it stood.
    BookingArchived(Arc<Booking>),
    /// Added, changed or removed. What is used of it shows as the holds and bookings that have it.
    PromoChanged(Arc<Promo>),
}
