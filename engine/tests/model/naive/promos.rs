//! Promotions in the model: nothing is counted ahead. What is used is the sum over the holds that have not
//! ended by the clock and the bookings that were not cancelled.

use holdfast_engine::booking;
use holdfast_engine::command::{AddPromo, ChangePromo, Hold as Wish, RemovePromo};
use holdfast_engine::ids::{HotelIx, PartnerId, PromoId};
use holdfast_engine::promo::{Period, PromoDraft, Tally};
use holdfast_engine::quote::Discount;
use holdfast_engine::refusal::{Blocker, Layer, Reason};
use holdfast_engine::{Code, Night, Reader};

use super::catalogue::acts;
use super::money::{by_night, half_up};
use super::{Hold, Hotel, Line, Model};
use crate::world::answer::{Answer, No};
use crate::world::traffic::ZONES;
use crate::world::{DAY, HOUR};

#[derive(Debug)]
pub struct Promo {
    pub id: PromoId,
    pub partner: PartnerId,
    pub code: String,
    pub version: u32,
    pub draft: PromoDraft,
    pub removed: bool,
}

impl Promo {
    fn answer(&self) -> Answer {
        Answer::Promo { id: self.id, version: self.version, removed: self.removed }
    }

    /// What stands in the way of a stay that is booked on a date.
    fn blockers(
        &self,
        (ix, hotel): (HotelIx, &Hotel),
        (check_in, check_out): (u16, u16),
        booked_on: u16,
    ) -> Vec<Blocker> {
        let draft = &self.draft;
        let within = |period: Period, date: u16| {
            period.first.is_none_or(|first| first.0 <= date)
                && period.last.is_none_or(|last| date <= last.0)
        };
        let mut found = Vec::new();
        let mut add = |stands: bool, reason, night| {
            let (layer, night) = (Layer::Promo, Night(night));
            found.extend(stands.then_some(Blocker { reason, layer, night }));
        };
        let is_for = draft.hotels.is_empty() || draft.hotels.contains(&ix);
        add(!is_for, Reason::PromoHotel, check_in);
        add(draft.currency != hotel.draft.currency, Reason::PromoCurrency, check_in);
        add(!within(draft.booking, booked_on), Reason::PromoBookingWindow, check_in);
        let short = check_out - check_in < draft.min_nights;
        add(short, Reason::PromoMinNights(draft.min_nights), check_in);
        for night in check_in..check_out {
            add(!within(draft.stay, night), Reason::PromoStayWindow, night);
        }
        found
    }

    pub fn taken(&self, lines: &[Line]) -> Taken {
        Taken { promo: self.id, off: off(lines), min_nights: self.draft.min_nights }
    }
}

/// What a hold, then its booking, has of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    pub promo: PromoId,
    pub off: i64,
    pub min_nights: u16,
}

/// How a promotion goes on when its booking changes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Going {
    pub lost: bool,
    pub discount: Option<Discount>,
}

/// What all rooms have off.
pub fn off(lines: &[Line]) -> i64 {
    lines.iter().map(|line| line.price.off.iter().sum::<i64>() * line.rooms).sum()
}

/// What each night of one room has off, all of them new.
pub fn off_all(listed: &[i64], discount: Option<Discount>) -> Vec<i64> {
    off_new(listed, vec![None; listed.len()], discount)
}

/// What each night of one room has off: what those that are kept had, the new ones their percentage or what
/// the kept ones left of a fixed amount.
pub fn off_new(listed: &[i64], had: Vec<Option<i64>>, discount: Option<Discount>) -> Vec<i64> {
    let new = |(&listed, had): (&i64, &Option<i64>)| if had.is_none() { listed } else { 0 };
    let weights: Vec<i64> = listed.iter().zip(&had).map(new).collect();
    let sum: i64 = weights.iter().sum();
    let off = match discount {
        None => 0,
        Some(Discount::PercentBp(share)) => half_up(sum * i64::from(share), 10_000),
        Some(Discount::Fixed(amount)) => (amount - had.iter().flatten().sum::<i64>()).clamp(0, sum),
    };
    let more = if off > 0 { by_night(off, &weights) } else { vec![0; weights.len()] };
    had.into_iter().zip(more).map(|(had, more)| had.unwrap_or(more)).collect()
}

fn is_wrong(draft: &PromoDraft) -> bool {
    let discount = match draft.discount {
        Discount::PercentBp(share) => i64::from(share),
        Discount::Fixed(amount) => amount.min(10_000),
    };
    let turned =
        |first: Option<Night>, last: Option<Night>| first.zip(last).is_some_and(|it| it.0 > it.1);
    let mut sorted = draft.hotels.clone();
    sorted.sort_unstable();
    sorted.dedup();
    !(1..=10_000).contains(&discount)
        || turned(draft.booking.first, draft.booking.last)
        || turned(draft.stay.first, draft.stay.last)
        || !(1..=365).contains(&draft.min_nights)
        || sorted != draft.hotels
}

impl Model {
    fn has_hotels(&self, partner: PartnerId, draft: &PromoDraft) -> bool {
        let own = |at: usize| self.hotels.get(at).is_some_and(|hotel| hotel.partner == partner);
        draft.hotels.iter().all(|hotel| own(hotel.at()))
    }

    fn promo_at(&self, partner: PartnerId, code: &str) -> Option<usize> {
        let is_it =
            |promo: &Promo| promo.partner == partner && promo.code == code && !promo.removed;
        self.promos.iter().position(is_it)
    }

    pub(super) fn add_promo(&mut self, verb: &AddPromo) -> Answer {
        if is_wrong(&verb.draft) {
            return Code::Malformed.into();
        }
        let known = self.partners.contains(&verb.partner) && acts(verb.principal, verb.partner);
        if !known || !self.has_hotels(verb.partner, &verb.draft) {
            return Code::NotFound.into();
        }
        if self.promos.iter().any(|promo| promo.id == verb.id) {
            return Code::StateConflict.into();
        }
        if self.promo_at(verb.partner, verb.code.as_str()).is_some() {
            return Code::PromoTaken.into();
        }
        let (code, draft) = (verb.code.to_string(), verb.draft.clone());
        let (id, partner) = (verb.id, verb.partner);
        let promo = Promo { id, partner, code, version: 1, draft, removed: false };
        let answer = promo.answer();
        self.promos.push(promo);
        answer
    }

    pub(super) fn change_promo(&mut self, verb: &ChangePromo) -> Answer {
        if is_wrong(&verb.draft) {
            return Code::Malformed.into();
        }
        let at = self.promo_at(verb.partner, verb.code.as_str());
        let Some(at) = at.filter(|_| acts(verb.principal, verb.partner)) else {
            return Code::NotFound.into();
        };
        if !self.has_hotels(verb.partner, &verb.draft) {
            return Code::NotFound.into();
        }
        let promo = &mut self.promos[at];
        if verb.version.is_some_and(|version| version != promo.version) {
            return Code::VersionMismatch.into();
        }
        promo.version += 1;
        promo.draft = verb.draft.clone();
        promo.answer()
    }

    pub(super) fn remove_promo(&mut self, verb: &RemovePromo) -> Answer {
        let at = self.promo_at(verb.partner, verb.code.as_str());
        let Some(at) = at.filter(|_| acts(verb.principal, verb.partner)) else {
            return Code::NotFound.into();
        };
        let promo = &mut self.promos[at];
        if verb.version.is_some_and(|version| version != promo.version) {
            return Code::VersionMismatch.into();
        }
        promo.version += 1;
        promo.removed = true;
        promo.answer()
    }

    /// The promotion that a hold names.
    pub(super) fn promo_of(&self, wish: &Wish) -> Option<&Promo> {
        let hotel = self.hotels.get(wish.hotel.at())?;
        let code = &wish.promo.as_ref()?.code;
        self.promo_at(hotel.partner, code.as_str()).map(|at| &self.promos[at])
    }

    /// What of it stands in the way, whatever is left of it.
    pub(super) fn promo_blockers(&self, hotel: &Hotel, wish: &Wish) -> Vec<Blocker> {
        let (check_in, check_out) = (wish.stay.check_in, wish.stay.check_out);
        match self.promo_of(wish) {
            None if wish.promo.is_some() => {
                let (reason, layer) = (Reason::PromoUnknown, Layer::Promo);
                vec![Blocker { reason, layer, night: check_in }]
            }
            None => Vec::new(),
            Some(promo) => {
                let place = (wish.hotel, hotel);
                promo.blockers(place, (check_in.0, check_out.0), self.today_at(hotel))
            }
        }
    }

    /// How the promotion of a booking goes on, whatever money it has left.
    pub(super) fn going(&self, before: &Hold, after: &Hold) -> Going {
        let Some(taken) = before.promo else { return Going::default() };
        let nights = after.nights().len();
        if nights < taken.min_nights.into() && nights < before.nights().len() {
            return Going { lost: true, discount: None };
        }
        let hotel = &self.hotels[before.hotel as usize];
        let hours = ZONES.iter().find(|zone| zone.0 == hotel.draft.zone).expect("of the test's").1;
        let booked_on = (before.created as i64 + hours * HOUR as i64) / DAY as i64;
        let (place, stay) = ((HotelIx(before.hotel), hotel), (after.check_in, after.check_out));
        let good = |promo: &&Promo| {
            promo.id == taken.promo
                && !promo.removed
                && promo.blockers(place, stay, booked_on as u16).is_empty()
        };
        let discount = self.promos.iter().find(good).map(|promo| promo.draft.discount);
        Going { lost: false, discount }
    }

    /// Whether there is the money for what the rooms of a changed booking have off.
    pub(super) fn affords(&self, before: &Hold, lines: &[Line]) -> bool {
        let Some(taken) = before.promo else { return true };
        let more = off(lines) - taken.off;
        let [reserved, committed] = self.used(taken.promo);
        let promo = self.promos.iter().find(|promo| promo.id == taken.promo);
        let most = promo.and_then(|promo| promo.draft.money_max);
        more <= 0 || most.is_none_or(|most| reserved.money + committed.money + more <= most)
    }

    /// Reserved and committed, by the clock.
    fn used(&self, promo: PromoId) -> [Tally; 2] {
        let sum = |holds: &mut dyn Iterator<Item = &Hold>| {
            let mut sum = Tally::default();
            for taken in holds.filter_map(|hold| hold.promo).filter(|taken| taken.promo == promo) {
                sum = Tally { uses: sum.uses + 1, money: sum.money + taken.off };
            }
            sum
        };
        let stands =
            |booking: &&super::Booking| !matches!(booking.status, booking::Status::Cancelled(_));
        let all = self.bookings.values().chain(self.archived.values());
        [
            sum(&mut self.holds.values().filter(|hold| hold.holds_at(self.now))),
            sum(&mut all.filter(stands).map(|booking| &booking.hold)),
        ]
    }

    /// Refuses a use that takes off so much, where that is not left.
    pub(super) fn exhausted(&self, wish: &Wish, off: i64) -> Option<Answer> {
        let promo = self.promo_of(wish)?;
        let [reserved, committed] = self.used(promo.id);
        let uses = reserved.uses + committed.uses + 1;
        let money = reserved.money + committed.money + off;
        let mut blockers = Vec::new();
        let (layer, night) = (Layer::Promo, wish.stay.check_in);
        if promo.draft.uses_max.is_some_and(|most| uses > most.into()) {
            blockers.push(format!("{:?}", Blocker { reason: Reason::PromoUses, layer, night }));
        }
        if promo.draft.money_max.is_some_and(|most| money > most) {
            blockers.push(format!("{:?}", Blocker { reason: Reason::PromoMoney, layer, night }));
        }
        blockers.sort();
        (!blockers.is_empty())
            .then(|| Answer::Refused(No { blockers, ..Code::PromoExhausted.into() }))
    }

    /// What the engine counts is what is used, and what holds have that ran out and were not looked at.
    pub(super) fn compare_promos(&self, reader: &Reader) -> Result<(), String> {
        for promo in &self.promos {
            let [mut reserved, committed] = self.used(promo.id);
            let unswept = self.holds.values().filter(|hold| self.is_unswept(reader, hold));
            for taken in unswept.filter_map(|hold| hold.promo).filter(|it| it.promo == promo.id) {
                reserved = Tally { uses: reserved.uses + 1, money: reserved.money + taken.off };
            }
            let seen = reader.promo(promo.id).map(|seen| [seen.reserved, seen.committed]);
            if seen != Some([reserved, committed]) {
                let expected = [reserved, committed];
                return Err(format!("{}: used {seen:?}, expected {expected:?}", promo.id));
            }
        }
        Ok(())
    }
}
