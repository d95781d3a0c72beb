//! Catalogue commands: partners, hotels, room types and rate plans come to be and change.
//!
//! Every change names the version it saw where the client said one; the version rises by one.

use std::sync::Arc;

use crate::ari;
use crate::catalogue::{
    Hotel, HotelDraft, HotelStatus, Partner, RatePlan, RatePlanDraft, RoomType, RoomTypeDraft,
};
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::ids::{HotelId, HotelIx, PartnerId, RatePlanId, RatePlanIx, RoomTypeId, RoomTypeIx};
use crate::limits::{RATE_PLANS_PER_ROOM_TYPE_MAX, ROOM_TYPES_PER_HOTEL_MAX, TEXT_BYTES_MAX};
use crate::outcome::Outcome;
use crate::rates::derived;
use crate::refusal::Code;
use crate::state::Writer;
use crate::zone::Zone;

/// A partner organisation is seen for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AddPartner {
    pub id: PartnerId,
    pub name: String,
}

/// A partner adds a hotel, as a draft.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AddHotel {
    pub id: HotelId,
    pub partner: PartnerId,
    pub draft: HotelDraft,
}

/// A partner describes a hotel anew.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChangeHotel {
    pub hotel: HotelIx,
    pub principal: Principal,
    pub version: Option<u32>,
    pub draft: HotelDraft,
}

/// A hotel moves on: submitted by its partner, approved or suspended by an admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SetHotelStatus {
    pub hotel: HotelIx,
    pub principal: Principal,
    pub status: HotelStatus,
}

/// A partner adds a room type to a hotel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AddRoomType {
    pub id: RoomTypeId,
    pub hotel: HotelIx,
    pub principal: Principal,
    pub draft: RoomTypeDraft,
}

/// A partner describes a room type anew.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChangeRoomType {
    pub room_type: RoomTypeIx,
    pub principal: Principal,
    pub version: Option<u32>,
    pub draft: RoomTypeDraft,
}

/// A partner adds a rate plan to a room type.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AddRatePlan {
    pub id: RatePlanId,
    pub room_type: RoomTypeIx,
    pub principal: Principal,
    pub draft: RatePlanDraft,
}

/// A partner describes a rate plan anew.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChangeRatePlan {
    pub rate_plan: RatePlanIx,
    pub principal: Principal,
    pub version: Option<u32>,
    pub draft: RatePlanDraft,
}

impl AddPartner {
    /// Refused: a name past the bound. Adding a known partner changes nothing.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        if self.name.len() > TEXT_BYTES_MAX {
            return Code::Malformed.into();
        }
        if !writer.shared.partners.contains(&self.id) {
            // From here the command must succeed.
            let partner = Arc::new(Partner {
                id: self.id,
                name: self.name.clone(),
                created_ms: writer.now_ms,
            });
            writer.shared.partners.insert(self.id, Arc::clone(&partner));
            writer.events.push(Event::PartnerAdded(partner));
        }
        Outcome::Done
    }
}

impl AddHotel {
    /// Refusals in order: malformed, unknown partner, the id is taken, capacity.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let Some(zone) = Zone::find(&self.draft.zone).filter(|_| self.draft.is_valid()) else {
            return Code::Malformed.into();
        };
        if !writer.shared.partners.contains(&self.partner) {
            return Code::NotFound.into();
        }
        if writer.shared.hotel_ids.pin().contains_key(&self.id) {
            return Code::StateConflict.into();
        }
        let at = writer.shared.hotels.len();
        if at >= writer.bounds.hotels {
            return Code::CapacityReached.into();
        }
        // From here the command must succeed.
        let hotel = Arc::new(Hotel {
            ix: HotelIx(at),
            id: self.id,
            partner: self.partner,
            version: 1,
            status: HotelStatus::Draft,
            draft: self.draft.clone(),
            zone,
            room_types: Vec::new(),
            offerings: Arc::default(),
            created_ms: writer.now_ms,
        });
        writer.shared.hotels.push(Arc::clone(&hotel));
        writer.shared.hotel_ids.pin().insert(self.id, hotel.ix);
        writer.shared.places.place(&hotel, None);
        writer.partner_hotels(self.partner, hotel.ix);
        writer.events.push(Event::HotelChanged(Arc::clone(&hotel)));
        Outcome::Hotel(hotel)
    }
}

impl ChangeHotel {
    /// Refusals in order: malformed, not found, version mismatch.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let Some(zone) = Zone::find(&self.draft.zone).filter(|_| self.draft.is_valid()) else {
            return Code::Malformed.into();
        };
        let Some(hotel) = writer.hotel_for(self.hotel, self.principal) else {
            return Code::NotFound.into();
        };
        if self.version.is_some_and(|version| version != hotel.version) {
            return Code::VersionMismatch.into();
        }
        // From here the command must succeed.
        let version = hotel.version + 1;
        let changed = Hotel { draft: self.draft.clone(), zone, version, ..Hotel::clone(&hotel) };
        let changed = writer.publish_hotel(changed);
        // A province may have changed: quotes made before are made again. After the hotel, so that a
        // quote from the old one carries an old version.
        writer.touch_quotes(&changed.offerings);
        Outcome::Hotel(changed)
    }
}

impl SetHotelStatus {
    /// `draft → pending` by the partner; `pending | suspended → live` and `live | pending → suspended` by an
    /// admin. Refusals in order: not found, state conflict. The status it has already: yes, unchanged.
    pub(crate) fn apply(self, writer: &mut Writer) -> Outcome {
        use HotelStatus::{Draft, Live, Pending, Suspended};
        let Some(hotel) = writer.hotel_for(self.hotel, self.principal) else {
            return Code::NotFound.into();
        };
        let is_admin = matches!(self.principal, Principal::Admin(_));
        if hotel.status == self.status {
            return Outcome::Hotel(hotel);
        }
        let allowed = match (hotel.status, self.status) {
            (Draft, Pending) => true,
            (Pending | Suspended, Live) | (Live | Pending, Suspended) => is_admin,
            _ => false,
        };
        if !allowed {
            return Code::StateConflict.into();
        }
        // From here the command must succeed.
        let version = hotel.version + 1;
        let changed = Hotel { status: self.status, version, ..Hotel::clone(&hotel) };
        Outcome::Hotel(writer.publish_hotel(changed))
    }
}

impl AddRoomType {
    /// Refusals in order: malformed, not found, the id is taken, capacity.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        if !self.draft.is_valid() {
            return Code::Malformed.into();
        }
        let Some(hotel) = writer.hotel_for(self.hotel, self.principal) else {
            return Code::NotFound.into();
        };
        if writer.shared.room_type_ids.pin().contains_key(&self.id) {
            return Code::StateConflict.into();
        }
        let at = writer.shared.room_types.len();
        let full =
            at >= writer.bounds.room_types || hotel.room_types.len() >= ROOM_TYPES_PER_HOTEL_MAX;
        if full || !writer.shared.grow_room_type(at) {
            return Code::CapacityReached.into();
        }
        // From here the command must succeed.
        let room_type = Arc::new(RoomType {
            ix: RoomTypeIx(at),
            id: self.id,
            hotel: self.hotel,
            version: 1,
            draft: self.draft.clone(),
            removed: false,
            rate_plans: Vec::new(),
        });
        writer.shared.room_types.push(Arc::clone(&room_type));
        writer.shared.room_type_ids.pin().insert(self.id, room_type.ix);
        let mut changed = Hotel::clone(&hotel);
        changed.room_types.push(room_type.ix);
        writer.publish_hotel(changed);
        writer.events.push(Event::RoomTypeChanged(Arc::clone(&room_type)));
        ari::hotel::inherit(writer, &hotel, &room_type);
        Outcome::RoomType(room_type)
    }
}

impl ChangeRoomType {
    /// Refusals in order: malformed, not found, version mismatch.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        if !self.draft.is_valid() {
            return Code::Malformed.into();
        }
        let Some((room_type, hotel)) = writer.room_type_for(self.room_type, self.principal) else {
            return Code::NotFound.into();
        };
        if self.version.is_some_and(|version| version != room_type.version) {
            return Code::VersionMismatch.into();
        }
        // From here the command must succeed.
        let version = room_type.version + 1;
        let changed = Arc::new(RoomType {
            draft: self.draft.clone(),
            version,
            ..RoomType::clone(&room_type)
        });
        writer.shared.room_types.replace(self.room_type.0, Arc::clone(&changed));
        // Prices may be for as many adults as the room takes.
        for &rate_plan in &changed.rate_plans {
            writer.shared.bump_quote_version(rate_plan);
        }
        writer.republish_offerings(&hotel);
        writer.events.push(Event::RoomTypeChanged(Arc::clone(&changed)));
        Outcome::RoomType(changed)
    }
}

impl AddRatePlan {
    /// Refusals in order: malformed, not found, its derivation (no such parent in the hotel, too deep,
    /// too many plans beneath one), the id is taken, capacity.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        if !self.draft.is_valid() {
            return Code::Malformed.into();
        }
        let Some((room_type, hotel)) = writer.room_type_for(self.room_type, self.principal) else {
            return Code::NotFound.into();
        };
        let derivation = self.draft.derived_from;
        if let Err(code) = derived::check(&writer.shared, hotel.ix, None, derivation) {
            return code.into();
        }
        if writer.shared.rate_plan_ids.pin().contains_key(&self.id) {
            return Code::StateConflict.into();
        }
        let at = writer.shared.rate_plans.len();
        let full = at >= writer.bounds.rate_plans
            || room_type.rate_plans.len() >= RATE_PLANS_PER_ROOM_TYPE_MAX;
        if full || !writer.shared.grow_rate_plan(at) {
            return Code::CapacityReached.into();
        }
        // From here the command must succeed.
        let rate_plan = Arc::new(RatePlan {
            ix: RatePlanIx(at),
            id: self.id,
            room_type: self.room_type,
            version: 1,
            draft: self.draft.clone(),
            derived: Vec::new(),
            removed: false,
        });
        writer.shared.rate_plans.push(Arc::clone(&rate_plan));
        writer.shared.rate_plan_ids.pin().insert(self.id, rate_plan.ix);
        let mut changed = RoomType::clone(&room_type);
        changed.rate_plans.push(rate_plan.ix);
        writer.shared.room_types.replace(self.room_type.0, Arc::new(changed));
        writer.republish_offerings(&hotel);
        writer.events.push(Event::RatePlanChanged(Arc::clone(&rate_plan)));
        derived::move_plan(&writer.shared, rate_plan.ix, None, derivation);
        derived::rewrite_plan(writer, hotel.partner, &rate_plan);
        Outcome::RatePlan(rate_plan)
    }
}

impl ChangeRatePlan {
    /// Refusals in order: malformed, not found, version mismatch, its derivation (no such parent in the
    /// hotel, cycle, too deep, too many plans beneath one). A plan that derives no longer keeps the prices
    /// it had.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        if !self.draft.is_valid() {
            return Code::Malformed.into();
        }
        let known = writer.shared.rate_plans.get_full(self.rate_plan.0);
        let found = known.filter(|plan| !plan.removed).and_then(|rate_plan| {
            writer
                .room_type_for(rate_plan.room_type, self.principal)
                .map(|(_, hotel)| (rate_plan, hotel))
        });
        let Some((rate_plan, hotel)) = found else {
            return Code::NotFound.into();
        };
        if self.version.is_some_and(|version| version != rate_plan.version) {
            return Code::VersionMismatch.into();
        }
        let (before, after) = (rate_plan.draft.derived_from, self.draft.derived_from);
        if let Err(code) = derived::check(&writer.shared, hotel.ix, Some(rate_plan.ix), after) {
            return code.into();
        }
        // From here the command must succeed.
        let version = rate_plan.version + 1;
        let changed = Arc::new(RatePlan {
            draft: self.draft.clone(),
            version,
            ..RatePlan::clone(&rate_plan)
        });
        writer.shared.rate_plans.replace(self.rate_plan.0, Arc::clone(&changed));
        writer.shared.bump_quote_version(self.rate_plan);
        writer.republish_offerings(&hotel);
        writer.events.push(Event::RatePlanChanged(Arc::clone(&changed)));
        derived::move_plan(&writer.shared, changed.ix, before, after);
        derived::rewrite_plan(writer, hotel.partner, &changed);
        Outcome::RatePlan(changed)
    }
}
