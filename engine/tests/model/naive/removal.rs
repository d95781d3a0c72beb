//! Removals in the model: nothing goes while somebody has booked it.

use holdfast_engine::block;
use holdfast_engine::booking::Status;
use holdfast_engine::command::{RemoveRatePlan, RemoveRoomType};
use holdfast_engine::{Code, Principal};

use super::catalogue::acts;
use super::{Line, Model, Plan};
use crate::world::answer::{Answer, No};

impl Model {
    fn runs(&self, room_type: u32, principal: Principal) -> bool {
        let kind = self.room_types.get(room_type as usize);
        kind.is_some_and(|kind| acts(principal, self.hotels[kind.hotel as usize].partner))
    }

    /// Whether a plan that is still there has its prices from one that is meant.
    fn comes_from(&self, plan: &Plan, meant: impl Fn(&Plan) -> bool) -> bool {
        let parent = plan.draft.derived_from.map(|derivation| &self.plans[derivation.parent.at()]);
        !plan.removed && parent.is_some_and(meant)
    }

    fn in_use(&self, hotel: u32, meant: impl Fn(&Line) -> bool) -> Option<No> {
        let today = self.today_at(&self.hotels[hotel as usize]);
        let bookings = self.bookings.iter().filter(|(_, booking)| {
            matches!(booking.status, Status::Confirmed | Status::CheckedIn)
                && booking.hold.check_out > today
                && booking.hold.lines.iter().any(&meant)
        });
        let bookings: Vec<_> = bookings.map(|(id, _)| *id).take(20).collect();
        let mut holds = self.holds.values().filter(|hold| hold.holds_at(self.now));
        let held = holds.any(|hold| hold.lines.iter().any(&meant));
        let free = bookings.is_empty() && !held;
        (!free).then(|| No { bookings, ..Code::InUse.into() })
    }

    pub(super) fn remove_room_type(&mut self, verb: RemoveRoomType) -> Answer {
        let ix = verb.room_type;
        if !self.runs(ix.0, verb.principal) {
            return Code::NotFound.into();
        }
        let hotel = self.room_types[ix.at()].hotel;
        if !self.room_types[ix.at()].removed {
            if let Some(no) = self.in_use(hotel, |line| line.room_type == ix.0) {
                return Answer::Refused(no);
            }
            let today = self.today_at(&self.hotels[hotel as usize]);
            let blocked = self.blocks.values().any(|block| {
                block.hotel == hotel
                    && block.status != block::Status::Released
                    && block.draft.stay.check_out.0 > today
                    && block.draft.lines.iter().any(|line| line.room_type == ix)
            });
            let elsewhere = |plan: &Plan| {
                let other =
                    plan.room_type != ix.0 && !self.room_types[plan.room_type as usize].removed;
                other && self.comes_from(plan, |parent| parent.room_type == ix.0)
            };
            if blocked || self.plans.iter().any(elsewhere) {
                return Code::InUse.into();
            }
            self.room_types[ix.at()].removed = true;
            self.room_types[ix.at()].version += 1;
        }
        Answer::RoomType { ix, version: self.room_types[ix.at()].version }
    }

    pub(super) fn remove_rate_plan(&mut self, verb: RemoveRatePlan) -> Answer {
        let ix = verb.rate_plan;
        let room_type = self.plans.get(ix.at()).map(|plan| plan.room_type);
        let Some(room_type) = room_type.filter(|&kind| self.runs(kind, verb.principal)) else {
            return Code::NotFound.into();
        };
        let hotel = self.room_types[room_type as usize].hotel;
        if !self.plans[ix.at()].removed {
            if let Some(no) = self.in_use(hotel, |line| line.rate_plan == ix.0) {
                return Answer::Refused(no);
            }
            let derived =
                |plan: &Plan| self.comes_from(plan, |parent| parent.id == self.plans[ix.at()].id);
            if self.plans.iter().any(derived) {
                return Code::InUse.into();
            }
            self.plans[ix.at()].removed = true;
            self.plans[ix.at()].version += 1;
        }
        Answer::RatePlan { ix, version: self.plans[ix.at()].version }
    }
}
