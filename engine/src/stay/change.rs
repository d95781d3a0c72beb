//! Changes of bookings: what a booking would become, what it would cost, and what stands in the way.
//!
//! Pure reads: apply judges with it, and doors answer dry runs. **Invariant**: what was sold to the
//! booking before (the same rooms on the same nights) is neither judged nor priced again.

mod portions;
mod priced;
mod promotion;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use self::portions::{Portion, portions};
use self::priced::price;
use super::blockers::judge_cells;
use super::{Moment, Pricing, Stay, find_rate_blockers};
use crate::booking::{Booking, Status};
use crate::catalogue::{Hotel, HotelStatus, RatePlan, RoomType};
use crate::civil::{LogTimeMs, Night};
use crate::codec::{Decode, Encode};
use crate::command::HoldLine;
use crate::hold::{Line, Terms};
use crate::ids::RoomTypeIx;
use crate::inventory::Cell;
use crate::limits::{HOLD_LINES_MAX, MAX_STAY_MAX};
use crate::refusal::{Blocker, Code, Layer, Reason, Refusal};
use crate::state::Shared;

/// What a booking shall become; what is not said stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Wanted {
    pub check_in: Option<Night>,
    pub check_out: Option<Night>,
    /// All lines, 1–16; a door's quotes are not looked at.
    pub lines: Option<Vec<HoldLine>>,
}

impl Wanted {
    /// The stay of a booking that gets what is wanted.
    #[must_use]
    pub fn stay(&self, terms: &Terms) -> Stay {
        let check_in = self.check_in.unwrap_or(terms.check_in);
        Stay { check_in, check_out: self.check_out.unwrap_or(terms.check_out) }
    }
}

/// The terms that a booking would have, at `now_ms` by the log's clock.
///
/// Refusals in order: state (only a booking that is confirmed or checked in; once its check-in day is over
/// or the guest has come, only its check-out date; neither dates nor rooms of one that was picked up from a
/// block), dates, not found, every blocker at once, more than 16
/// lines (malformed), price out of range.
pub fn judge_change(
    shared: &Shared,
    hotel: &Hotel,
    booking: &Booking,
    wanted: &Wanted,
    now_ms: LogTimeMs,
) -> Result<Terms, Refusal> {
    let terms = booking.terms.as_ref();
    let stay = wanted.stay(terms);
    let portions = portions(&terms.lines, wanted.lines.as_deref());
    let moment = Moment::new(stay, hotel, now_ms);
    let arrived = match booking.status {
        Status::Confirmed => moment.today() > terms.check_in,
        Status::CheckedIn => true,
        _ => return Err(Code::BookingState.into()),
    };
    let other_rooms = are_other_rooms(&portions, &terms.lines);
    let moves = stay != terms.stay() || other_rooms;
    if (arrived && (stay.check_in != terms.check_in || other_rooms))
        || (terms.block.is_some() && moves)
    {
        return Err(Code::BookingState.into());
    }
    check_dates(shared, hotel, terms.stay(), &moment)?;
    let judged = Judged { shared, hotel, terms, moment };
    judged.check_blockers(&portions)?;
    let mut going = judged.going();
    let (mut lines, mut total) = price(&judged, &portions, going)?;
    if going.discount.is_some() && !judged.affords(&lines) {
        going.discount = None;
        (lines, total) = price(&judged, &portions, going)?;
    }
    if lines.len() > HOLD_LINES_MAX {
        return Err(Code::Malformed.into());
    }
    let (check_in, check_out) = (stay.check_in, stay.check_out);
    let promo = judged.taken(going, &lines);
    Ok(Terms { check_in, check_out, lines: lines.into(), total, promo, ..terms.clone() })
}

/// A change that is being judged: of which booking, to which stay, when.
struct Judged<'a> {
    shared: &'a Shared,
    hotel: &'a Hotel,
    terms: &'a Terms,
    moment: Moment<'a>,
}

/// Whether the portions are not the very rooms that the booking has.
fn are_other_rooms(portions: &[Portion<'_>], lines: &[Line]) -> bool {
    let kept = portions.iter().filter(|portion| portion.kept.is_some());
    let kept_rooms: u32 = kept.map(|portion| u32::from(portion.quantity)).sum();
    let rooms: u32 = lines.iter().map(|line| u32::from(line.quantity)).sum();
    kept_rooms != rooms || portions.iter().any(|portion| portion.kept.is_none())
}

/// The rules for dates, of those that change.
fn check_dates(
    shared: &Shared,
    hotel: &Hotel,
    before: Stay,
    moment: &Moment<'_>,
) -> Result<(), Refusal> {
    let Some((_, end)) = shared.window() else { return Err(Code::NotConfigured.into()) };
    let (stay, today) = (moment.stay, moment.today());
    let nights = stay.nights();
    if nights == 0 {
        return Err(Code::StayTooShort.into());
    }
    if nights > hotel.draft.max_stay.min(MAX_STAY_MAX) && nights > before.nights() {
        return Err(Code::StayTooLong.into());
    }
    let moves_in = stay.check_in != before.check_in;
    let moves_out = stay.check_out != before.check_out;
    // Nights that are over cannot be given back, nor had.
    if (moves_in && stay.check_in < today) || (moves_out && stay.check_out < today) {
        return Err(Code::StayInPast.into());
    }
    if moves_out && stay.check_out > end {
        return Err(Code::StayBeyondHorizon.into());
    }
    Ok(())
}

impl Judged<'_> {
    /// Whether the booking has this night of its rooms already.
    fn has(&self, night: Night) -> bool {
        (self.terms.check_in..self.terms.check_out).contains(&night)
    }

    fn check_blockers(&self, portions: &[Portion<'_>]) -> Result<(), Refusal> {
        let (stay, terms) = (self.moment.stay, self.terms);
        let mut found = Vec::new();
        let is_longer = stay.check_in < terms.check_in || stay.check_out > terms.check_out;
        let takes_more = is_longer || portions.iter().any(|portion| portion.kept.is_none());
        if takes_more && self.hotel.status != HotelStatus::Live {
            let (layer, night) = (Layer::Hotel, stay.check_in);
            found.push(Blocker { reason: Reason::HotelNotLive, layer, night });
        }
        for portion in portions {
            self.check_portion(portion, &mut found)?;
        }
        for (room_type, extra) in self.extra_rooms(portions) {
            let Some(row) = self.shared.cells.row(room_type.0) else { continue };
            for (night, rooms) in extra {
                let one = Stay { check_in: night, check_out: night.plus(1) };
                // Acquire: pairs with the writer's Release, so that a night is seen whole.
                let cell = row.slot(night).map(|slot| Cell(slot.load(Ordering::Acquire)));
                judge_cells(Layer::RoomType(room_type), one, cell.into_iter(), rooms, &mut found);
            }
        }
        if found.is_empty() { Ok(()) } else { Err(Refusal::blocked(found)) }
    }

    fn check_portion(
        &self,
        portion: &Portion<'_>,
        blockers: &mut Vec<Blocker>,
    ) -> Result<(), Refusal> {
        let (room_type, rate_plan) = self.product(portion)?;
        let mut found = Vec::new();
        let party = (portion.adults, portion.children);
        let pricing = Pricing::of(&self.hotel.draft, &room_type.draft, &rate_plan, party);
        pricing.find_blockers(self.shared, self.moment.stay, &mut found);
        find_rate_blockers(self.shared, &rate_plan, &self.moment, &mut found);
        if portion.kept.is_some() {
            found.retain(|blocker| self.bars_kept_rooms(*blocker));
        }
        blockers.extend(found);
        Ok(())
    }

    /// Whether a blocker counts for rooms that the booking has. What sells nights (closures, prices,
    /// cut-offs) counts on nights it does not have; what reads the arrival or the departure, where that
    /// moves; what reads the length, where the stay changes.
    fn bars_kept_rooms(&self, blocker: Blocker) -> bool {
        let (stay, before) = (self.moment.stay, self.terms.stay());
        match blocker.reason {
            Reason::ClosedToArrival | Reason::MinAdvance(_) | Reason::MaxAdvance(_) => {
                stay.check_in != before.check_in
            }
            Reason::ClosedToDeparture => stay.check_out != before.check_out,
            Reason::MinStayArrival(_)
            | Reason::MaxStayArrival(_)
            | Reason::MinStayThrough(_)
            | Reason::MaxStayThrough(_) => stay != before,
            _ => !self.has(blocker.night),
        }
    }

    /// The room type and plan of a portion, where they are this hotel's.
    fn product(&self, portion: &Portion<'_>) -> Result<(Arc<RoomType>, Arc<RatePlan>), Refusal> {
        let room_type = self.shared.room_types.get_full(portion.room_type.0);
        let rate_plan = self.shared.rate_plans.get_full(portion.rate_plan.0);
        match (room_type, rate_plan) {
            (Some(room_type), Some(rate_plan))
                if room_type.hotel == self.hotel.ix
                    && rate_plan.room_type == room_type.ix
                    && !(room_type.removed || rate_plan.removed) =>
            {
                Ok((room_type, rate_plan))
            }
            _ => Err(Code::NotFound.into()),
        }
    }

    /// Rooms that the booking does not have yet, by room type and night, where there are any.
    fn extra_rooms(&self, portions: &[Portion<'_>]) -> BTreeMap<RoomTypeIx, BTreeMap<Night, u32>> {
        let stay = self.moment.stay;
        let mut extra: BTreeMap<RoomTypeIx, BTreeMap<Night, u32>> = BTreeMap::new();
        for portion in portions {
            let nights = extra.entry(portion.room_type).or_default();
            for night in stay.check_in.until(stay.check_out) {
                *nights.entry(night).or_default() += u32::from(portion.quantity);
            }
        }
        for line in &self.terms.lines {
            let Some(nights) = extra.get_mut(&line.room_type) else { continue };
            for (_, rooms) in nights.iter_mut().filter(|(night, _)| self.has(**night)) {
                *rooms = rooms.saturating_sub(u32::from(line.quantity));
            }
        }
        for nights in extra.values_mut() {
            nights.retain(|_, rooms| *rooms > 0);
        }
        extra
    }
}
