//! Catalogue commands in the model.

use holdfast_engine::catalogue::{HotelDraft, HotelStatus, RatePlanDraft, RoomTypeDraft};
use holdfast_engine::command::{
    AddHotel, AddRatePlan, AddRoomType, ChangeHotel, ChangeRatePlan, ChangeRoomType, SetHotelStatus,
};
use holdfast_engine::ids::{HotelIx, PartnerId, RatePlanIx, RoomTypeIx};
use holdfast_engine::{Code, Principal};

use super::{Hotel, Model, Plan, RoomType};
use crate::world::answer::Answer;
use crate::world::traffic::ZONES;

/// Whether a principal acts for a partner's hotels.
pub fn acts(principal: Principal, partner: PartnerId) -> bool {
    match principal {
        Principal::Guest(_) => false,
        Principal::Partner(id) => id == partner.0,
        Principal::Admin(_) => true,
    }
}

fn hotel_is_right(draft: &HotelDraft) -> bool {
    (10..=96).contains(&draft.province)
        && (1..=365).contains(&draft.max_stay)
        && ZONES.iter().any(|zone| zone.0 == draft.zone)
        && draft.age_bands.0.windows(2).all(|pair| pair[0].up_to_age < pair[1].up_to_age)
}

fn room_type_is_right(draft: &RoomTypeDraft) -> bool {
    draft.max_adults >= 1 && draft.max_adults <= draft.max_occupancy
}

fn plan_is_right(draft: &RatePlanDraft) -> bool {
    let rules = &draft.rules;
    let stay = [
        rules.min_stay_arrival,
        rules.max_stay_arrival,
        rules.min_stay_through,
        rules.max_stay_through,
    ];
    let turned =
        |min: Option<i64>, max: Option<i64>| min.zip(max).is_some_and(|(min, max)| max < min);
    let nights = |limit: Option<u8>| limit.map(i64::from);
    let days = |limit: Option<u16>| limit.map(i64::from);
    terms_are_right(draft)
        && stay.iter().flatten().all(|limit| (1..=62).contains(limit))
        && !turned(nights(rules.min_stay_arrival), nights(rules.max_stay_arrival))
        && !turned(nights(rules.min_stay_through), nights(rules.max_stay_through))
        && !turned(days(rules.min_advance), days(rules.max_advance))
        && !turned(draft.price_min, draft.price_max)
        && draft.occupancy.prices.iter().all(|one| one.adults > 0)
}

fn terms_are_right(draft: &RatePlanDraft) -> bool {
    use holdfast_engine::catalogue::{Deposit, Penalty::PercentBp};
    let mut tiers = draft.policy.tiers.iter();
    tiers.all(|tier| !matches!(tier.penalty, PercentBp(share) if share > 10_000))
        && !matches!(draft.deposit, Deposit::PercentBp(share) if share > 10_000)
}

impl Model {
    fn hotel_of(&mut self, ix: HotelIx, principal: Principal) -> Option<&mut Hotel> {
        self.hotels.get_mut(ix.at()).filter(|hotel| acts(principal, hotel.partner))
    }

    fn owns_room_type(&self, room_type: u32, principal: Principal) -> bool {
        self.room_types
            .get(room_type as usize)
            .filter(|kind| !kind.removed)
            .is_some_and(|kind| acts(principal, self.hotels[kind.hotel as usize].partner))
    }

    pub(super) fn add_hotel(&mut self, verb: &AddHotel) -> Answer {
        if !hotel_is_right(&verb.draft) {
            return Code::Malformed.into();
        }
        if !self.partners.contains(&verb.partner) {
            return Code::NotFound.into();
        }
        if self.hotels.iter().any(|hotel| hotel.id == verb.id) {
            return Code::StateConflict.into();
        }
        self.hotels.push(Hotel {
            id: verb.id,
            partner: verb.partner,
            version: 1,
            status: HotelStatus::Draft,
            draft: verb.draft.clone(),
        });
        let ix = HotelIx(self.hotels.len() as u32 - 1);
        Answer::Hotel { ix, version: 1, status: HotelStatus::Draft }
    }

    pub(super) fn change_hotel(&mut self, verb: &ChangeHotel) -> Answer {
        if !hotel_is_right(&verb.draft) {
            return Code::Malformed.into();
        }
        let Some(hotel) = self.hotel_of(verb.hotel, verb.principal) else {
            return Code::NotFound.into();
        };
        if verb.version.is_some_and(|version| version != hotel.version) {
            return Code::VersionMismatch.into();
        }
        hotel.version += 1;
        hotel.draft = verb.draft.clone();
        Answer::Hotel { ix: verb.hotel, version: hotel.version, status: hotel.status }
    }

    pub(super) fn set_hotel_status(&mut self, verb: &SetHotelStatus) -> Answer {
        use HotelStatus::{Draft, Live, Pending, Suspended};
        let Some(hotel) = self.hotel_of(verb.hotel, verb.principal) else {
            return Code::NotFound.into();
        };
        if hotel.status != verb.status {
            let by_admin = matches!(verb.principal, Principal::Admin(_));
            let may = match (hotel.status, verb.status) {
                (Draft, Pending) => true,
                (Pending | Suspended, Live) | (Live | Pending, Suspended) => by_admin,
                _ => false,
            };
            if !may {
                return Code::StateConflict.into();
            }
            hotel.status = verb.status;
            hotel.version += 1;
        }
        Answer::Hotel { ix: verb.hotel, version: hotel.version, status: hotel.status }
    }

    pub(super) fn add_room_type(&mut self, verb: &AddRoomType) -> Answer {
        if !room_type_is_right(&verb.draft) {
            return Code::Malformed.into();
        }
        if self.hotel_of(verb.hotel, verb.principal).is_none() {
            return Code::NotFound.into();
        }
        if self.room_types.iter().any(|kind| kind.id == verb.id) {
            return Code::StateConflict.into();
        }
        let (id, hotel, draft) = (verb.id, verb.hotel.0, verb.draft.clone());
        self.room_types.push(RoomType { id, hotel, version: 1, draft, removed: false });
        Answer::RoomType { ix: RoomTypeIx(self.room_types.len() as u32 - 1), version: 1 }
    }

    pub(super) fn change_room_type(&mut self, verb: &ChangeRoomType) -> Answer {
        if !room_type_is_right(&verb.draft) {
            return Code::Malformed.into();
        }
        if !self.owns_room_type(verb.room_type.0, verb.principal) {
            return Code::NotFound.into();
        }
        let room_type = &mut self.room_types[verb.room_type.at()];
        if verb.version.is_some_and(|version| version != room_type.version) {
            return Code::VersionMismatch.into();
        }
        room_type.version += 1;
        room_type.draft = verb.draft.clone();
        Answer::RoomType { ix: verb.room_type, version: room_type.version }
    }

    pub(super) fn add_rate_plan(&mut self, verb: &AddRatePlan) -> Answer {
        if !plan_is_right(&verb.draft) {
            return Code::Malformed.into();
        }
        if !self.owns_room_type(verb.room_type.0, verb.principal) {
            return Code::NotFound.into();
        }
        if let Some(code) = self.why_not_derived(verb.room_type.0, None, &verb.draft) {
            return code.into();
        }
        if self.plans.iter().any(|plan| plan.id == verb.id) {
            return Code::StateConflict.into();
        }
        let (id, room_type, draft) = (verb.id, verb.room_type.0, verb.draft.clone());
        self.plans.push(Plan { id, room_type, version: 1, draft, removed: false });
        Answer::RatePlan { ix: RatePlanIx(self.plans.len() as u32 - 1), version: 1 }
    }

    /// Why a plan (`None` for a new one) cannot have its prices from where its draft says.
    fn why_not_derived(
        &self,
        room_type: u32,
        plan: Option<u32>,
        draft: &RatePlanDraft,
    ) -> Option<Code> {
        let derivation = draft.derived_from?;
        let hotel_of = |plan: &Plan| self.room_types[plan.room_type as usize].hotel;
        let hotel = self.room_types[room_type as usize].hotel;
        let gone = |plan: &Plan| plan.removed || self.room_types[plan.room_type as usize].removed;
        let parent = self.plans.get(derivation.parent.at());
        if parent.is_none_or(|parent| hotel_of(parent) != hotel || gone(parent)) {
            return Some(Code::RatePlanParent);
        }
        let me = plan.unwrap_or(u32::MAX);
        let parent_of = |at: u32| match self.plans.get(at as usize) {
            _ if at == me => Some(derivation.parent.0),
            plan => plan.and_then(|plan| plan.draft.derived_from).map(|one| one.parent.0),
        };
        let levels = |from: u32| {
            let mut above = std::iter::successors(parent_of(from), |at| parent_of(*at));
            above.by_ref().take(9).count()
        };
        let mut above = std::iter::successors(parent_of(me), |at| parent_of(*at)).take(9);
        if above.any(|at| at == me) {
            return Some(Code::RatePlanCycle);
        }
        let all = (0..self.plans.len() as u32).chain([me]);
        (all.map(levels).max() > Some(3)).then_some(Code::RatePlanTooDeep)
    }

    pub(super) fn change_rate_plan(&mut self, verb: &ChangeRatePlan) -> Answer {
        if !plan_is_right(&verb.draft) {
            return Code::Malformed.into();
        }
        let plan = self.plans.get(verb.rate_plan.at()).filter(|plan| !plan.removed);
        let room_type = plan.map(|plan| plan.room_type);
        if !room_type.is_some_and(|room_type| self.owns_room_type(room_type, verb.principal)) {
            return Code::NotFound.into();
        }
        let plan = &mut self.plans[verb.rate_plan.at()];
        if verb.version.is_some_and(|version| version != plan.version) {
            return Code::VersionMismatch.into();
        }
        let room_type = plan.room_type;
        if let Some(code) = self.why_not_derived(room_type, Some(verb.rate_plan.0), &verb.draft) {
            return code.into();
        }
        // What it derived stays its price until it derives anew.
        for night in self.window.0..self.window.1 {
            let rate = self.rate(verb.rate_plan.0, night);
            self.rates.insert((verb.rate_plan.0, night), rate);
        }
        let plan = &mut self.plans[verb.rate_plan.at()];
        plan.version += 1;
        plan.draft = verb.draft.clone();
        Answer::RatePlan { ix: verb.rate_plan, version: plan.version }
    }
}
