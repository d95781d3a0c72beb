//! Why not: every obstacle of a stay, and the nearest stays that would work.
//!
//! Each calendar is read once, over the nights around the stay; obstacles and alternatives are derived
//! from that copy. It judges nothing by itself: what blocks a night is what [`crate::stay`] says.
//!
//! **Invariant**: an offering without blockers can be held as the state stands, and so can every stay
//! that is named. (Holds that are due and not yet swept still count here; a hold expires them first.)

mod nearest;
mod product;

use nearest::{rank, rank_together};
use product::{Window, Wish};

use crate::catalogue::{Hotel, HotelStatus, Offering};
use crate::civil::LogTimeMs;
use crate::command::Hold;
use crate::ids::{HotelIx, RatePlanIx, RoomTypeIx};
use crate::promo::{Promo, PromoCode};
use crate::refusal::{Blocker, Code, Layer, Reason, Refusal};
use crate::state::Reader;
use crate::stay::{self, Moment, Stay, judge_promo};

/// A stay that somebody would like.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub hotel: HotelIx,
    pub stay: Stay,
    /// Rooms of one type, at least 1.
    pub rooms: u16,
    /// Per room, at least 1.
    pub adults: u8,
    /// Ages in years, per room.
    pub children: &'a [u8],
    /// Only this room type is meant; `None` for any.
    pub room_type: Option<RoomTypeIx>,
    /// Only this plan is meant; `None` for any.
    pub rate_plan: Option<RatePlanIx>,
    /// With the promotion that this code names.
    pub promo: Option<&'a PromoCode>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Every offering that was meant, by room type, then plan.
    pub offerings: Vec<Explained>,
    /// At most [`crate::limits::NEAREST_MAX`], the nearest first, then the cheapest. The stay itself is
    /// among them where it can be had.
    pub nearest: Vec<Nearest>,
}

/// One offering and what stands in its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    pub room_type: RoomTypeIx,
    pub rate_plan: RatePlanIx,
    /// All of it, hotel first, then the promotion, the plan's nights, the room type's; empty where it can
    /// be had.
    pub blockers: Vec<Blocker>,
}

/// A stay that would work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nearest {
    pub stay: Stay,
    pub room_type: RoomTypeIx,
    pub rate_plan: RatePlanIx,
    /// All rooms, whole stay, with the promotion and taxes, minor units.
    pub total: i64,
    /// The greater of the moves of check-in and check-out, in nights; 0 for the dates that were asked.
    pub distance: u16,
}

impl Reader {
    /// Why a stay can or cannot be had, offering by offering, and what would work instead: the same
    /// length up to 14 nights away, up to 7 nights more or fewer (from the same check-in, or around the
    /// stay), or another offering on the same dates.
    ///
    /// Refused: an unknown hotel, and dates that no hotel or not this hotel takes.
    pub fn explain(&self, ask: &Ask<'_>, now: LogTimeMs) -> Result<Explanation, Refusal> {
        let guard = self.shared.hotels.get(ask.hotel.0);
        let Some(hotel) = guard.as_ref().and_then(|guard| guard.as_ref()) else {
            return Err(Code::NotFound.into());
        };
        stay::check_dates(&self.shared, hotel, ask.stay, now)?;
        let promotion = self.promotion(hotel, ask.promo, &Moment::new(ask.stay, hotel, now));
        let can_be_had = hotel.status == HotelStatus::Live && promotion.is_good_for_some_stay();
        let mut window = Window::around(&self.shared, hotel, ask.stay, now);
        window.promo = promotion.promo;
        let mut explanation = Explanation { offerings: Vec::new(), nearest: Vec::new() };
        let mut products = Vec::with_capacity(hotel.offerings.len());
        for offering in hotel.offerings.iter() {
            let meant = ask.means(offering);
            let party = (ask.adults, ask.children);
            let records = stay::find_records(&self.shared, hotel, offering, party.1);
            let pricing = records.as_ref().map(|found| found.pricing(hotel, party));
            let (rooms, wanted) = (ask.rooms, u32::from(ask.rooms));
            let wish = Wish { rooms, wanted, meant, pricing: pricing.as_ref() };
            let Some(product) = window.load(&self.shared, offering, wish) else { continue };
            if meant {
                let mut blockers = ask.standing(hotel, offering);
                blockers.extend(&promotion.blockers);
                if let Some(pricing) = pricing.filter(|_| ask.fits(hotel, offering)) {
                    pricing.find_blockers(&self.shared, ask.stay, &mut blockers);
                }
                product.name_blockers(&self.shared, &window, &mut blockers);
                if blockers.is_empty() {
                    blockers.extend(product.find_exhaustion(&window));
                }
                let (room_type, rate_plan) = (offering.room_type, offering.rate_plan);
                explanation.offerings.push(Explained { room_type, rate_plan, blockers });
            }
            if can_be_had && ask.fits(hotel, offering) {
                products.push(product);
            }
        }
        explanation.nearest = rank(&window, &products);
        Ok(explanation)
    }

    /// The nearest stays for a hold's party: of one line as [`Self::explain`] names them, of several the
    /// dates on which all lines can be had together. None where the hotel does not take the hold's dates.
    #[must_use]
    pub fn nearest_for(&self, hold: &Hold, now: LogTimeMs) -> Vec<Nearest> {
        if let [line] = hold.lines.as_slice() {
            let ask = Ask {
                hotel: hold.hotel,
                stay: hold.stay,
                rooms: line.quantity,
                adults: line.adults,
                children: &line.children,
                room_type: Some(line.room_type),
                rate_plan: Some(line.rate_plan),
                promo: hold.promo.as_deref().map(|asked| &asked.code),
            };
            return self.explain(&ask, now).map(|found| found.nearest).unwrap_or_default();
        }
        self.nearest_together(hold, now).unwrap_or_default()
    }

    fn nearest_together(&self, hold: &Hold, now: LogTimeMs) -> Option<Vec<Nearest>> {
        let guard = self.shared.hotels.get(hold.hotel.0)?;
        let hotel = guard.as_ref().filter(|hotel| hotel.status == HotelStatus::Live)?;
        stay::check_dates(&self.shared, hotel, hold.stay, now).ok()?;
        let moment = Moment::new(hold.stay, hotel, now);
        let code = hold.promo.as_deref().map(|asked| &asked.code);
        let promotion = self.promotion(hotel, code, &moment);
        if !promotion.is_good_for_some_stay() {
            return None;
        }
        let mut window = Window::around(&self.shared, hotel, hold.stay, now);
        window.promo = promotion.promo;
        let demand = hold.demand();
        let products = hold.lines.iter().map(|line| {
            let mut offerings = hotel.offerings.iter();
            let offering = offerings.find(|one| one.rate_plan == line.rate_plan)?;
            let wanted = demand.rooms().iter().find(|rooms| rooms.0 == line.room_type)?.1;
            let party = (line.adults, line.children.as_slice());
            let records = stay::find_records(&self.shared, hotel, offering, party.1);
            let pricing = records.as_ref().map(|found| found.pricing(hotel, party));
            let guests = hotel.draft.age_bands.count(party.0, party.1);
            let takes = offering.takes(guests.adults, guests.children);
            let pricing = pricing.as_ref();
            let wish = Wish { rooms: line.quantity, wanted, meant: true, pricing };
            let product = window.load(&self.shared, offering, wish)?;
            takes.then_some(product)
        });
        let products: Vec<_> = products.collect::<Option<_>>()?;
        Some(rank_together(&window, &products))
    }

    fn promotion(&self, hotel: &Hotel, code: Option<&PromoCode>, moment: &Moment<'_>) -> Promotion {
        let mut blockers = Vec::new();
        let promo =
            code.and_then(|code| judge_promo(&self.shared, hotel, (code, moment), &mut blockers));
        if let Some(promo) = &promo {
            blockers.extend(promo.find_exhaustion(moment.stay, 0));
        }
        Promotion { promo, blockers }
    }
}

/// The promotion that was asked for, and what of it stands in the way of the stay whatever it costs.
struct Promotion {
    promo: Option<Promo>,
    blockers: Vec<Blocker>,
}

impl Promotion {
    /// Nothing stands in its way but the dates of the stay.
    fn is_good_for_some_stay(&self) -> bool {
        let is_of_dates = |blocker: &Blocker| {
            matches!(blocker.reason, Reason::PromoStayWindow | Reason::PromoMinNights(_))
        };
        self.blockers.iter().all(is_of_dates)
    }
}

impl Ask<'_> {
    fn means(&self, offering: &Offering) -> bool {
        self.room_type.is_none_or(|wanted| wanted == offering.room_type)
            && self.rate_plan.is_none_or(|wanted| wanted == offering.rate_plan)
    }

    fn fits(&self, hotel: &Hotel, offering: &Offering) -> bool {
        let guests = hotel.draft.age_bands.count(self.adults, self.children);
        offering.takes(guests.adults, guests.children)
    }

    /// What stands in the way whatever the nights are.
    fn standing(&self, hotel: &Hotel, offering: &Offering) -> Vec<Blocker> {
        let night = self.stay.check_in;
        let dead = Blocker { reason: Reason::HotelNotLive, layer: Layer::Hotel, night };
        let layer = Layer::RoomType(offering.room_type);
        let small = Blocker { reason: Reason::TooManyGuests, layer, night };
        let dead = (hotel.status != HotelStatus::Live).then_some(dead);
        let small = (!self.fits(hotel, offering)).then_some(small);
        dead.into_iter().chain(small).collect()
    }
}
