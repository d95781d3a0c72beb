//! Outcomes in a form that can be compared: what a client would see of them.

use holdfast_engine::ari::LineOutcome;
use holdfast_engine::block;
use holdfast_engine::booking;
use holdfast_engine::catalogue::HotelStatus;
use holdfast_engine::hold::{self, Hold};
use holdfast_engine::ids::WaitId;
use holdfast_engine::ids::{BlockId, BookingId, HoldId, HotelIx, PromoId, RatePlanIx, RoomTypeIx};
use holdfast_engine::refusal::Cap;
use holdfast_engine::waitlist;
use holdfast_engine::{Code, Outcome};

/// Room type, plan and rooms; of one room the total and each night of it.
pub type BookedLine = ((u32, u32, i64), i64, Vec<i64>);

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done,
    Refused(No),
    Replayed(Box<Self>),
    Hotel {
        ix: HotelIx,
        version: u32,
        status: HotelStatus,
    },
    RoomType {
        ix: RoomTypeIx,
        version: u32,
    },
    RatePlan {
        ix: RatePlanIx,
        version: u32,
    },
    Allotted(Vec<LineOutcome>),
    Held {
        id: HoldId,
        total: i64,
        deposit: i64,
        expires_ms: u64,
    },
    HoldChanged {
        id: HoldId,
        status: hold::Status,
        expires_ms: u64,
        extensions: u8,
    },
    Booked {
        id: BookingId,
        hold: HoldId,
        total: i64,
    },
    Cancelled {
        id: BookingId,
        version: u32,
        fee: i64,
        refund: i64,
        owed: i64,
    },
    BookingChanged {
        id: BookingId,
        version: u32,
        status: booking::Status,
        /// Check-in and check-out.
        nights: (u16, u16),
        lines: Vec<BookedLine>,
        total: i64,
        fee_floor: i64,
    },
    Swept {
        expired: u32,
    },
    Ticked {
        retired_nights: u16,
        forgotten: u32,
    },
    Taxes {
        version: u32,
    },
    Waitlist {
        id: WaitId,
        status: waitlist::Status,
    },
    Block {
        id: BlockId,
        version: u32,
        status: block::Status,
    },
    Archived {
        bookings: u32,
    },
    Promo {
        id: PromoId,
        version: u32,
        removed: bool,
    },
}

/// A refusal; blockers as sorted text, so that their order does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct No {
    pub code: Code,
    pub blockers: Vec<String>,
    pub total: Option<i64>,
    pub booking: Option<BookingId>,
    pub hold: Option<HoldId>,
    pub bookings: Vec<BookingId>,
    pub cap: Option<Cap>,
}

impl From<Code> for No {
    fn from(code: Code) -> Self {
        Self {
            code,
            blockers: Vec::new(),
            total: None,
            booking: None,
            hold: None,
            bookings: Vec::new(),
            cap: None,
        }
    }
}

impl From<Code> for Answer {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

impl From<&Hold> for Answer {
    fn from(hold: &Hold) -> Self {
        Self::HoldChanged {
            id: hold.terms.id,
            status: hold.status,
            expires_ms: hold.expires_ms,
            extensions: hold.extensions,
        }
    }
}

impl From<&Outcome> for Answer {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Refused(refusal) => {
                let mut blockers: Vec<_> =
                    refusal.blockers.iter().map(|blocker| format!("{blocker:?}")).collect();
                blockers.sort();
                Self::Refused(No {
                    code: refusal.code,
                    blockers,
                    total: refusal.total,
                    booking: refusal.booking,
                    hold: refusal.hold,
                    bookings: refusal.bookings.clone(),
                    cap: refusal.cap,
                })
            }
            Outcome::Replayed(first) => Self::Replayed(Box::new(first.as_ref().into())),
            Outcome::Hotel(hotel) => {
                Self::Hotel { ix: hotel.ix, version: hotel.version, status: hotel.status }
            }
            Outcome::RoomType(kind) => Self::RoomType { ix: kind.ix, version: kind.version },
            Outcome::RatePlan(plan) => Self::RatePlan { ix: plan.ix, version: plan.version },
            Outcome::Allotted(lines) => Self::Allotted(lines.to_vec()),
            Outcome::Held { terms, expires_ms } => Self::Held {
                id: terms.id,
                total: terms.total,
                deposit: terms.deposit_due(),
                expires_ms: *expires_ms,
            },
            Outcome::HoldChanged(hold) => hold.as_ref().into(),
            Outcome::Booked(booking) => {
                Self::Booked { id: booking.id, hold: booking.terms.id, total: booking.terms.total }
            }
            Outcome::Cancelled(booking) => {
                let booking::Status::Cancelled(end) = booking.status else {
                    panic!("a cancelled booking that is not: {booking:?}");
                };
                let (id, version) = (booking.id, booking.version);
                let booking::Settlement { fee, refund, owed, .. } = end;
                Self::Cancelled { id, version, fee, refund, owed }
            }
            Outcome::BookingChanged(booking) => Self::BookingChanged {
                id: booking.id,
                version: booking.version,
                status: booking.status,
                nights: (booking.terms.check_in.0, booking.terms.check_out.0),
                lines: booking.terms.lines.iter().map(booked_line).collect(),
                total: booking.terms.total,
                fee_floor: booking.fee_floor,
            },
            Outcome::Archived { bookings } => Self::Archived { bookings: *bookings },
            Outcome::Swept { expired } => Self::Swept { expired: *expired },
            Outcome::Ticked { retired_nights, forgotten } => {
                Self::Ticked { retired_nights: *retired_nights, forgotten: *forgotten }
            }
            Outcome::Taxes(table) => Self::Taxes { version: table.version() },
            Outcome::Waitlist(entry) => Self::Waitlist { id: entry.id, status: entry.status },
            Outcome::Block(block) => {
                Self::Block { id: block.id, version: block.version, status: block.status }
            }
            Outcome::Promo(promo) => {
                Self::Promo { id: promo.id, version: promo.version, removed: promo.removed }
            }
        }
    }
}

fn booked_line(line: &hold::Line) -> BookedLine {
    let plan = (line.room_type.0, line.rate_plan.0, i64::from(line.quantity));
    (plan, line.quote.total, line.quote.nightly_total())
}
