//! Offers: every product of a hotel for one stay, with its price or everything in its way.

use axum::extract::State;
use holdfast_engine::catalogue::{Hotel, HotelStatus, RatePlan, RoomType};
use holdfast_engine::explain::Ask;
use holdfast_engine::ids::HotelId;
use holdfast_engine::promo::{Promo, PromoCode};
use holdfast_engine::refusal::{Layer, Reason};
use holdfast_engine::stay::{self, Moment, State as Rooms, Stay};
use holdfast_engine::{Blocker, Reader};
use http::HeaderMap;

use super::explain::nearest_view;
use super::visible_hotel;
use crate::auth::MaybePrincipal;
use crate::http::query::{Id, Query};
use crate::http::refusal;
use crate::http::reply::Reply;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::explain::NearestView;
use crate::wire::instant;
use crate::wire::language::Language;
use crate::wire::offer::{OfferState, OfferView, OffersParams, OffersView};
use crate::wire::quote::{Priceable, StayQuote, free_until};
use crate::wire::stay::Party;
use crate::wire::text::Text;

/// Read a hotel's offers
///
/// Every room type on every rate plan: available with its price, or all that stands in the way.
#[utoipa::path(get, path = "/v1/hotels/{id}/offers", tag = "guests",
    params(("id" = String, Path), OffersParams), security((), ("bearer" = [])),
    responses((status = 200, body = OffersView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    MaybePrincipal(principal): MaybePrincipal,
    Id(id): Id<HotelId>,
    headers: HeaderMap,
    Query(params): Query<OffersParams>,
) -> Result<Reply, Problem> {
    let (stay, party, promo) = params.check()?;
    let (hotel, _) = visible_hotel(&state, principal.as_deref(), id)?;
    let reader = state.reader();
    let now = state.now_ms();
    stay::check_dates(reader, &hotel, stay, now)
        .map_err(|refused| refusal::problem(&refused, reader))?;
    let code = promo;
    let promo = code.as_ref().and_then(|code| reader.promo_named(hotel.partner, code));
    let asked = Asked { reader, hotel: &hotel, stay, party, now, code, promo };
    let room_types = hotel.room_types.iter().filter_map(|ix| reader.room_type(*ix));
    let room_types = room_types.filter(|room_type| !room_type.removed);
    let items: Vec<_> = room_types.flat_map(|room_type| asked.offers_of(&room_type)).collect();
    let none = items.iter().all(|offer| offer.state != OfferState::Available);
    let view = OffersView {
        hotel_id: hotel.id.to_string(),
        check_in: stay.check_in.to_string(),
        check_out: stay.check_out.to_string(),
        nights: stay.nights(),
        rooms: asked.party.rooms,
        nearest: if none { asked.nearest() } else { Vec::new() },
        items,
    };
    Ok(Reply::ok(&view).language(Language::choose(params.lang, &headers)))
}

struct Asked<'a> {
    reader: &'a Reader,
    hotel: &'a Hotel,
    stay: Stay,
    party: Party,
    now: u64,
    /// The promotion that every offer is wanted with.
    code: Option<PromoCode>,
    promo: Option<Promo>,
}

impl Asked<'_> {
    fn offers_of(&self, room_type: &RoomType) -> Vec<OfferView> {
        let rate_plans = room_type.rate_plans.iter().filter_map(|ix| self.reader.rate_plan(*ix));
        let rate_plans = rate_plans.filter(|rate_plan| !rate_plan.removed);
        rate_plans.map(|rate_plan| self.offer(room_type, &rate_plan)).collect()
    }

    fn offer(&self, room_type: &RoomType, rate_plan: &RatePlan) -> OfferView {
        let (blockers, left) = self.blockers(room_type, rate_plan);
        let quote = blockers.is_empty().then(|| self.quote(rate_plan)).flatten();
        let (blockers, quote) = match quote {
            Some(Err(exhausted)) => (exhausted, None),
            Some(Ok(quote)) => (blockers, Some(quote)),
            None => (blockers, None),
        };
        let state = self.state(room_type, &blockers, quote.is_some());
        let policy = &rate_plan.draft.policy;
        let free = quote
            .as_ref()
            .and_then(|_| free_until(policy, self.hotel, self.stay.check_in, self.now));
        let blockers = blockers.iter().map(|blocker| refusal::blocker(blocker, self.reader));
        OfferView {
            room_type_id: room_type.id.to_string(),
            room_type_name: Text::from(&room_type.draft.name),
            rate_plan_id: rate_plan.id.to_string(),
            rate_plan_name: Text::from(&rate_plan.draft.name),
            meal_plan: rate_plan.draft.meal_plan.into(),
            state,
            available: if state == OfferState::Closed { 0 } else { left },
            quote,
            free_cancellation_until: free,
            earliest_expiry: (state == OfferState::HeldOut)
                .then(|| self.earliest_expiry())
                .flatten(),
            blockers: blockers.collect(),
        }
    }

    /// Everything in the way, and the rooms of the type that are left on every night.
    fn blockers(&self, room_type: &RoomType, rate_plan: &RatePlan) -> (Vec<Blocker>, u32) {
        let mut blockers = Vec::new();
        let night = self.stay.check_in;
        if self.hotel.status != HotelStatus::Live {
            blockers.push(Blocker { reason: Reason::HotelNotLive, layer: Layer::Hotel, night });
        }
        let party = (self.party.adults, self.party.children.as_slice());
        let pricing = stay::Pricing::of(&self.hotel.draft, &room_type.draft, rate_plan, party);
        pricing.find_blockers(self.reader, self.stay, &mut blockers);
        let wanted = u32::from(self.party.rooms);
        let moment = Moment::new(self.stay, self.hotel, self.now);
        if let Some(code) = &self.code {
            stay::judge_promo(self.reader, self.hotel, (code, &moment), &mut blockers);
        }
        stay::find_rate_blockers(self.reader, rate_plan, &moment, &mut blockers);
        stay::find_cell_blockers(self.reader, room_type.ix, self.stay, wanted, &mut blockers);
        let last = self.stay.check_out.minus(1);
        let cells = self.reader.cells(room_type.ix, self.stay.check_in, last);
        let left = cells.iter().map(|(_, cell)| cell.available()).min().unwrap_or(0);
        (blockers, left)
    }

    /// In one word. Rooms that are missing decide only where nothing else does: a hold that ends
    /// would not open what is closed.
    fn state(&self, room_type: &RoomType, blockers: &[Blocker], quoted: bool) -> OfferState {
        let missing = |blocker: &Blocker| matches!(blocker.reason, Reason::Insufficient { .. });
        if quoted {
            return OfferState::Available;
        }
        if blockers.is_empty() || !blockers.iter().all(missing) {
            return OfferState::Closed;
        }
        match stay::state(self.reader, room_type, self.stay, u32::from(self.party.rooms)) {
            // Rooms came back between two looks: what was seen first is told.
            Rooms::HeldOut | Rooms::Available(_) => OfferState::HeldOut,
            Rooms::SoldOut => OfferState::SoldOut,
            Rooms::Closed => OfferState::Closed,
        }
    }

    /// The price of all rooms; the blockers where the promotion has not the money for it.
    fn quote(&self, rate_plan: &RatePlan) -> Option<Result<StayQuote, Vec<Blocker>>> {
        let asked = stay::Asked {
            stay: self.stay,
            adults: self.party.adults,
            children: &self.party.children,
            discount: self.promo.as_ref().map(|promo| promo.draft.discount),
            quoted: None,
        };
        let (_, quote) = stay::quote_room(self.reader, self.hotel, rate_plan, asked)?;
        let rooms = i64::from(self.party.rooms);
        quote.total.checked_mul(rooms)?;
        if let Some(promo) = &self.promo {
            let exhausted = promo.find_exhaustion(self.stay, quote.discount.checked_mul(rooms)?);
            if !exhausted.is_empty() {
                return Some(Err(exhausted));
            }
        }
        let about = Priceable {
            check_in: self.stay.check_in,
            quantity: self.party.rooms,
            currency: self.hotel.draft.currency,
            policy: &rate_plan.draft.policy,
            deposit: rate_plan.draft.deposit,
            zone: &self.hotel.zone,
        };
        Some(Ok(StayQuote::of(&quote, about)))
    }

    fn nearest(&self) -> Vec<NearestView> {
        let ask = Ask {
            hotel: self.hotel.ix,
            stay: self.stay,
            rooms: self.party.rooms,
            adults: self.party.adults,
            children: &self.party.children,
            room_type: None,
            rate_plan: None,
            promo: self.code.as_ref(),
        };
        let found = self.reader.explain(&ask, self.now).map(|found| found.nearest);
        let found = found.unwrap_or_default();
        found.iter().map(|one| nearest_view(one, self.hotel, self.reader)).collect()
    }

    fn earliest_expiry(&self) -> Option<String> {
        let at = self.reader.earliest_expiry(self.hotel.ix);
        (at != u64::MAX).then(|| instant::local(at, &self.hotel.zone))
    }
}
