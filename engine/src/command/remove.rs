//! Removals: a room type or rate plan sells nothing any more and is shown only where it was booked.

use std::sync::Arc;

use crate::block::{Block, Status};
use crate::catalogue::{Hotel, RatePlan, RoomType};
use crate::civil::Night;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::hold::Terms;
use crate::ids::{RatePlanIx, RoomTypeIx};
use crate::outcome::Outcome;
use crate::refusal::{Code, Refusal};
use crate::state::Writer;

/// A partner removes a room type, and with it its plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RemoveRoomType {
    pub room_type: RoomTypeIx,
    pub principal: Principal,
}

/// A partner removes a rate plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RemoveRatePlan {
    pub rate_plan: RatePlanIx,
    pub principal: Principal,
}

impl RemoveRoomType {
    /// Refusals in order: not found, in use (a booking whose stay is not over, a live hold, a block that is
    /// not over, or a plan of another room type that is derived from one of its own). What is removed
    /// already: yes, unchanged.
    pub(crate) fn apply(self, writer: &mut Writer) -> Outcome {
        let found = writer.shared.room_types.get_full(self.room_type.0).and_then(|room_type| {
            Some((writer.hotel_for(room_type.hotel, self.principal)?, room_type))
        });
        let Some((hotel, room_type)) = found else { return Code::NotFound.into() };
        if room_type.removed {
            return Outcome::RoomType(room_type);
        }
        let meant = |terms: &Terms| terms.lines.iter().any(|line| line.room_type == self.room_type);
        let today = hotel.zone.night_at(writer.now_ms);
        let free = refuse_in_use(writer, &hotel, meant);
        if let Err(refusal) = free {
            return refusal.into();
        }
        let elsewhere = |plan: &RatePlan| {
            let kind = writer.shared.room_types.get_full(plan.room_type.0);
            plan.room_type != self.room_type && kind.is_some_and(|kind| !kind.removed)
        };
        let mut plans = room_type.rate_plans.iter();
        if is_blocked(writer, &hotel, self.room_type, today)
            || plans.any(|&plan| feeds(writer, plan, elsewhere))
        {
            return Code::InUse.into();
        }
        // From here the command must succeed.
        let version = room_type.version + 1;
        let removed = Arc::new(RoomType { removed: true, version, ..RoomType::clone(&room_type) });
        writer.shared.room_types.replace(self.room_type.0, Arc::clone(&removed));
        writer.republish_offerings(&hotel);
        writer.events.push(Event::RoomTypeChanged(Arc::clone(&removed)));
        Outcome::RoomType(removed)
    }
}

impl RemoveRatePlan {
    /// Refusals in order: not found, in use (a booking whose stay is not over, a live hold, or a plan
    /// that is derived from it). What is removed already: yes, unchanged.
    pub(crate) fn apply(self, writer: &mut Writer) -> Outcome {
        let found = writer.shared.rate_plans.get_full(self.rate_plan.0).and_then(|rate_plan| {
            let room_type = writer.shared.room_types.get_full(rate_plan.room_type.0)?;
            Some((writer.hotel_for(room_type.hotel, self.principal)?, rate_plan))
        });
        let Some((hotel, rate_plan)) = found else { return Code::NotFound.into() };
        if rate_plan.removed {
            return Outcome::RatePlan(rate_plan);
        }
        let meant = |terms: &Terms| terms.lines.iter().any(|line| line.rate_plan == self.rate_plan);
        if let Err(refusal) = refuse_in_use(writer, &hotel, meant) {
            return refusal.into();
        }
        if feeds(writer, self.rate_plan, |_| true) {
            return Code::InUse.into();
        }
        // From here the command must succeed.
        let version = rate_plan.version + 1;
        let removed = Arc::new(RatePlan { removed: true, version, ..RatePlan::clone(&rate_plan) });
        writer.shared.rate_plans.replace(self.rate_plan.0, Arc::clone(&removed));
        writer.shared.bump_quote_version(self.rate_plan);
        writer.republish_offerings(&hotel);
        writer.events.push(Event::RatePlanChanged(Arc::clone(&removed)));
        Outcome::RatePlan(removed)
    }
}

fn refuse_in_use(
    writer: &mut Writer,
    hotel: &Hotel,
    meant: impl Fn(&Terms) -> bool,
) -> Result<(), Refusal> {
    // A hold that is due no longer stands in the way.
    writer.expire_due_in(hotel.ix);
    let today = hotel.zone.night_at(writer.now_ms);
    let found = writer.standing_in_the_way(hotel.ix, today, meant);
    if found.is_empty() {
        return Ok(());
    }
    Err(Refusal { bookings: found.bookings, ..Code::InUse.into() })
}

/// Another plan that is still there, and meant, has its prices from this one.
fn feeds(writer: &Writer, rate_plan: RatePlanIx, meant: impl Fn(&RatePlan) -> bool) -> bool {
    let plans = &writer.shared.rate_plans;
    plans.get_full(rate_plan.0).is_some_and(|plan| {
        let mut derived = plan.derived.iter().filter_map(|derived| plans.get_full(derived.0));
        derived.any(|derived| !derived.removed && meant(&derived))
    })
}

/// A block that is not over keeps rooms of the type, or has them pencilled in.
fn is_blocked(writer: &Writer, hotel: &Hotel, room_type: RoomTypeIx, today: Night) -> bool {
    let blocks = writer.shared.blocks_of.get(&hotel.ix).unwrap_or_default();
    blocks.iter().any(|id| {
        let keeps = |block: &Block| {
            block.status != Status::Released
                && block.draft.stay.check_out > today
                && block.draft.lines.iter().any(|line| line.room_type == room_type)
        };
        writer.shared.blocks.look(id, keeps) == Some(true)
    })
}
