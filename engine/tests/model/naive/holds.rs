//! Holds, payments and bookings in the model.

use std::collections::BTreeMap;

use holdfast_engine::booking;
use holdfast_engine::catalogue::HotelStatus;
use holdfast_engine::command::{
    BeginPayment, Confirm, DeclinePayment, Extend, Hold as Wish, HoldLine, Release,
};
use holdfast_engine::hold::{Confirming, Status};
use holdfast_engine::ids::{BookingId, HoldId, RoomTypeIx};
use holdfast_engine::refusal::{Blocker, Layer, Reason};
use holdfast_engine::{Code, Night, Principal};

use super::catalogue::acts;
use super::{Booking, Hold, Hotel, Line, Model, Price, money, promos};
use crate::world::MINUTE;
use crate::world::answer::{Answer, No};

pub(super) fn price_changed(total: i64) -> Answer {
    Answer::Refused(No { total: Some(total), ..Code::PriceChanged.into() })
}

impl Hold {
    /// It never lives longer.
    fn latest(&self) -> u64 {
        self.created + MINUTE * if self.waitlist.is_some() { 120 } else { 45 }
    }
}

impl Model {
    pub(super) fn hold(&mut self, wish: &Wish) -> Answer {
        let malformed = wish.lines.is_empty()
            || wish.lines.len() > 16
            || !(1..=900).contains(&wish.ttl_s)
            || wish
                .lines
                .iter()
                .any(|line| !(1..=1_000).contains(&line.quantity) || line.adults == 0);
        if malformed {
            return Code::Malformed.into();
        }
        if self.holds.contains_key(&wish.id) {
            return Code::StateConflict.into();
        }
        match self.priced(wish) {
            Ok(priced) => self.take(wish, priced),
            Err(answer) => answer,
        }
    }

    fn priced(&self, wish: &Wish) -> Result<(Vec<Line>, i64), Answer> {
        self.priced_for(wish, true)
    }

    /// The lines with their prices and what they cost together, where nothing stands in the way; `counted`
    /// toward what the guest may hold.
    pub(super) fn priced_for(
        &self,
        wish: &Wish,
        counted: bool,
    ) -> Result<(Vec<Line>, i64), Answer> {
        let hotel = self.hotels.get(wish.hotel.at()).ok_or(Code::NotFound)?;
        if !wish.principal.is_guest() && !acts(wish.principal, hotel.partner) {
            return Err(Code::NotFound.into());
        }
        if let Some(code) = self.dates(hotel, wish) {
            return Err(code.into());
        }
        let blockers = self.blockers(hotel, wish).ok_or(Code::NotFound)?;
        if let Some(code) = self.no_pickup(wish) {
            return Err(code.into());
        }
        if !blockers.is_empty() {
            return Err(refuse(&blockers));
        }
        if let Some(no) = self.over_quota(wish).filter(|_| counted) {
            return Err(Answer::Refused(no));
        }
        if let Some(no) = self.duplicate(wish) {
            return Err(Answer::Refused(no));
        }
        let lines: Vec<_> = wish.lines.iter().map(|line| self.price(wish, line)).collect();
        let total = lines.iter().map(Line::total).sum();
        if let Some(answer) = self.exhausted(wish, promos::off(&lines)) {
            return Err(answer);
        }
        if wish.expected_total.is_some_and(|expected| expected != total) {
            return Err(price_changed(total));
        }
        Ok((lines, total))
    }

    pub(super) fn take(&mut self, wish: &Wish, (lines, total): (Vec<Line>, i64)) -> Answer {
        let deposit = lines.iter().map(money::deposit).sum();
        let promo = self.promo_of(wish).map(|promo| promo.taken(&lines));
        let expires = self.now + u64::from(wish.ttl_s) * 1_000;
        let hold = Hold {
            id: wish.id,
            hotel: wish.hotel.0,
            principal: wish.principal,
            check_in: wish.stay.check_in.0,
            check_out: wish.stay.check_out.0,
            lines,
            wish: wish.clone(),
            total,
            reference: wish.client_reference.clone(),
            created: self.now,
            status: Status::Active,
            expires,
            extensions: 0,
            ended: None,
            perhaps_forgotten: false,
            block: wish.block,
            taxes: self.taxes.len(),
            waitlist: None,
            promo,
        };
        self.touch(wish.hotel.0);
        self.holds.insert(wish.id, hold);
        Answer::Held { id: wish.id, total, deposit, expires_ms: expires }
    }

    /// An expired hold taken anew, as a new one would be, for no more than was agreed.
    fn revive(&mut self, hold: &Hold, agreed: i64) -> Result<Hold, Answer> {
        let wish = Wish { expected_total: None, ttl_s: 900, ..hold.wish.clone() };
        let priced = self.priced(&wish)?;
        if priced.1 > agreed {
            return Err(price_changed(priced.1));
        }
        self.take(&wish, priced);
        Ok(self.holds[&hold.id].clone())
    }

    fn dates(&self, hotel: &Hotel, wish: &Wish) -> Option<Code> {
        let (check_in, check_out) = (wish.stay.check_in.0, wish.stay.check_out.0);
        if check_out <= check_in {
            Some(Code::StayTooShort)
        } else if check_out - check_in > hotel.draft.max_stay {
            Some(Code::StayTooLong)
        } else if check_in < self.today_at(hotel) {
            Some(Code::StayInPast)
        } else if check_out > self.window.1 {
            Some(Code::StayBeyondHorizon)
        } else {
            None
        }
    }

    /// Everything that stands in the way; `None` where a line names what is not there.
    fn blockers(&self, hotel: &Hotel, wish: &Wish) -> Option<Vec<Blocker>> {
        let (check_in, check_out) = (wish.stay.check_in, wish.stay.check_out);
        let mut found = Vec::new();
        if hotel.status != HotelStatus::Live {
            let (reason, layer) = (Reason::HotelNotLive, Layer::Hotel);
            found.push(Blocker { reason, layer, night: check_in });
        }
        let mut wanted: BTreeMap<u32, i64> = BTreeMap::new();
        for line in &wish.lines {
            *wanted.entry(line.room_type.0).or_default() += i64::from(line.quantity);
            let stay = (check_in.0, check_out.0);
            found.extend(self.line_blockers(wish.hotel.0, line, stay)?);
        }
        found.extend(self.promo_blockers(hotel, wish));
        for (room_type, rooms) in wanted {
            for night in check_in.0..check_out.0 {
                // Who picks up from a block needs nothing else, but that nobody has closed.
                let free = if wish.block.is_some() { 0 } else { rooms };
                found.extend(self.cell_blockers(wish.hotel.0, (room_type, night), free));
                if let Some(block) = wish.block {
                    let left = self.left_of(block, room_type, night);
                    if left < rooms {
                        let (left, wanted) = (left as u16, rooms as u16);
                        let reason = Reason::BlockInsufficient { left, wanted };
                        let layer = Layer::RoomType(RoomTypeIx(room_type));
                        found.push(Blocker { reason, layer, night: Night(night) });
                    }
                }
            }
        }
        Some(found)
    }

    /// Rooms of a night that nobody has and nobody keeps.
    pub(super) fn left(&self, room_type: u32, night: u16) -> i64 {
        let given = self.given(room_type, night);
        let promised = self.held(room_type, night) + self.sold(room_type, night);
        (given.allotment + given.overbook - promised - self.blocked(room_type, night)).max(0)
    }

    /// What of a night stands in the way of so many rooms more.
    pub(super) fn cell_blockers(
        &self,
        hotel: u32,
        (room_type, night): (u32, u16),
        rooms: i64,
    ) -> Vec<Blocker> {
        let (of_kind, left) = (Layer::RoomType(RoomTypeIx(room_type)), self.left(room_type, night));
        let wants = |free: i64| Reason::Insufficient {
            free: free as u16,
            wanted: rooms as u16,
            held: self.held(room_type, night) as u16,
        };
        let found = [
            self.closed.contains(&(hotel, night)).then_some((Reason::Closed, Layer::Hotel)),
            self.given(room_type, night).closed.then_some((Reason::Closed, of_kind)),
            (left < rooms).then(|| (wants(left), of_kind)),
        ];
        let night = Night(night);
        found
            .into_iter()
            .flatten()
            .map(|(reason, layer)| Blocker { reason, layer, night })
            .collect()
    }

    /// What of a line's room type and plan stands in the way; `None` where it names what is not there.
    pub(super) fn line_blockers(
        &self,
        hotel: u32,
        line: &HoldLine,
        (check_in, check_out): (u16, u16),
    ) -> Option<Vec<Blocker>> {
        let room_type = self.room_types.get(line.room_type.at())?;
        let plan = self.plans.get(line.rate_plan.at())?;
        let gone = room_type.removed || plan.removed;
        if gone || room_type.hotel != hotel || plan.room_type != line.room_type.0 {
            return None;
        }
        let hotel = &self.hotels[hotel as usize];
        let mut found = Vec::new();
        let mut add = |reason, layer, night| {
            found.push(Blocker { reason, layer, night: Night(night) });
        };
        let (adults, children) = money::guests(&hotel.draft, line.adults, &line.children);
        let is_small = adults > room_type.draft.max_adults.into()
            || children > room_type.draft.max_children.into()
            || adults + children > room_type.draft.max_occupancy.into();
        if is_small {
            add(Reason::TooManyGuests, Layer::RoomType(line.room_type), check_in);
        }
        for (reason, night) in self.rate_reasons(hotel, line.rate_plan, (check_in, check_out)) {
            add(reason, Layer::RatePlan(line.rate_plan), night);
        }
        for night in (check_in..check_out).filter(|_| !is_small) {
            if let Some(Err(reason)) = self.price_of(line, hotel, night) {
                add(reason, Layer::RatePlan(line.rate_plan), night);
            }
        }
        Some(found)
    }

    /// What a night costs one room of a line, or why it has no price for the party; `None` where it has
    /// none for anybody.
    fn price_of(&self, line: &HoldLine, hotel: &Hotel, night: u16) -> Option<Result<i64, Reason>> {
        let rate = self.rate(line.rate_plan.0, night);
        let (listed, dated) = (rate.price?, rate.occupancy);
        let plan = &self.plans[line.rate_plan.at()].draft;
        let max_adults = self.room_types[line.room_type.at()].draft.max_adults;
        let adults = money::guests(&hotel.draft, line.adults, &line.children).0;
        Some(money::for_adults(plan, (adults, max_adults), listed, &dated))
    }

    pub(super) fn duplicate(&self, wish: &Wish) -> Option<No> {
        let reference = wish.client_reference.as_ref()?;
        let same = |hold: &Hold| {
            hold.principal == wish.principal && hold.reference.as_ref() == Some(reference)
        };
        let refuse = |hold: HoldId, booking: Option<BookingId>| No {
            hold: Some(hold),
            booking,
            ..Code::ReferenceDuplicate.into()
        };
        let mut booked = self.bookings.iter().chain(&self.archived);
        if let Some((id, booking)) = booked.find(|(_, booking)| same(&booking.hold)) {
            return Some(refuse(booking.hold.id, Some(*id)));
        }
        let live = self.holds.values().find(|hold| hold.holds_at(self.now) && same(hold))?;
        Some(refuse(live.id, None))
    }

    fn price(&self, wish: &Wish, line: &HoldLine) -> Line {
        let plan = &self.plans[line.rate_plan.at()].draft;
        let nights = wish.stay.check_in.0..wish.stay.check_out.0;
        let hotel = &self.hotels[wish.hotel.at()].draft;
        let shares = self.shares(hotel, nights.start, self.taxes.len());
        let listed = self.listed(line, wish.hotel.0, nights).unwrap();
        let discount = self.promo_of(wish).map(|promo| promo.draft.discount);
        let off = promos::off_all(&listed, discount);
        Line {
            room_type: line.room_type.0,
            rate_plan: line.rate_plan.0,
            rooms: line.quantity.into(),
            party: (line.adults, line.children.clone()),
            price: Price::less(listed, off, plan.tax_inclusive, shares),
            policy: plan.policy.as_ref().clone(),
            deposit: plan.deposit,
        }
    }

    /// What each night costs one room of a line, where all have a price for the party.
    pub(super) fn listed(
        &self,
        line: &HoldLine,
        hotel: u32,
        mut nights: std::ops::Range<u16>,
    ) -> Option<Vec<i64>> {
        let hotel = &self.hotels[hotel as usize];
        let plan = &self.plans[line.rate_plan.at()].draft;
        let extra = money::extra(&hotel.draft, plan, &line.children);
        let price = |night| self.price_of(line, hotel, night)?.ok();
        nights.try_fold(Vec::new(), |mut prices, night| {
            prices.push(price(night)? + extra);
            Some(prices)
        })
    }

    /// The hold where the principal may touch it, as it stands at this instant.
    fn find(&self, id: HoldId, principal: Principal) -> Option<(Hold, Status)> {
        let hold = self.holds.get(&id)?;
        let partner = self.hotels[hold.hotel as usize].partner;
        if hold.principal != principal && !acts(principal, partner) {
            return None;
        }
        let ran_out = matches!(hold.status, Status::Active | Status::Confirming(_))
            && !hold.holds_at(self.now);
        Some((hold.clone(), if ran_out { Status::Expired } else { hold.status }))
    }

    /// The one answer, or "not found" where the hold ran out long ago.
    fn or_forgotten(&self, hold: HoldId, answer: Answer) -> Vec<Answer> {
        if self.holds.get(&hold).is_some_and(|hold| hold.perhaps_forgotten) {
            return vec![answer, Code::NotFound.into()];
        }
        vec![answer]
    }

    fn put(&mut self, hold: Hold) -> Answer {
        let answer = Answer::HoldChanged {
            id: hold.id,
            status: hold.status,
            expires_ms: hold.expires,
            extensions: hold.extensions,
        };
        let state = |hold: &Hold| (hold.status, hold.expires, hold.extensions);
        if self.holds.get(&hold.id).map(state) != Some(state(&hold)) {
            self.touch(hold.hotel);
        }
        self.holds.insert(hold.id, hold);
        answer
    }

    pub(super) fn extend(&mut self, verb: &Extend) -> Vec<Answer> {
        if !(1..=900).contains(&verb.ttl_s) {
            return vec![Code::Malformed.into()];
        }
        let Some((mut hold, status)) = self.find(verb.hold, verb.principal) else {
            return vec![Code::NotFound.into()];
        };
        if status != Status::Active {
            return self.or_forgotten(verb.hold, over(status));
        }
        if self.is_waited_for(&hold) {
            return vec![Code::HoldWaitlistWaiting.into()];
        }
        let wanted = self.now + u64::from(verb.ttl_s) * 1_000;
        if wanted <= hold.expires {
            return vec![self.put(hold)];
        }
        let longer = wanted.min(hold.latest());
        if hold.extensions == 2 || longer <= hold.expires {
            return vec![Code::HoldExtensionLimit.into()];
        }
        hold.extensions += 1;
        hold.expires = longer;
        vec![self.put(hold)]
    }

    pub(super) fn release(&mut self, verb: &Release) -> Vec<Answer> {
        let Some((mut hold, status)) = self.find(verb.hold, verb.principal) else {
            return vec![Code::NotFound.into()];
        };
        match status {
            Status::Active => {
                hold.status = Status::Released;
                hold.ended = Some(self.now);
                vec![self.put(hold)]
            }
            Status::Released => vec![self.put(hold)],
            status => self.or_forgotten(verb.hold, over(status)),
        }
    }

    pub(super) fn begin_payment(&mut self, verb: &BeginPayment) -> Vec<Answer> {
        if verb.revive && verb.expected_total.is_none() {
            return vec![Code::Malformed.into()];
        }
        let Some((mut hold, status)) = self.find(verb.hold, verb.principal) else {
            return vec![Code::NotFound.into()];
        };
        match (status, verb.expected_total) {
            (Status::Active, _) => {}
            (Status::Expired, Some(agreed)) if verb.revive => {
                hold = match self.revive(&hold, agreed) {
                    Ok(hold) => hold,
                    Err(answer) => return self.or_forgotten(verb.hold, answer),
                };
                // A payment that is declined leaves it as it was: expired.
                let (intent, key) = (verb.intent, verb.key);
                hold.status = Status::Confirming(Confirming { intent, key, left_ms: 0 });
                hold.expires = self.now + 2 * MINUTE;
                return vec![self.put(hold)];
            }
            (Status::Confirming(payment), _) if payment.key == verb.key => {
                return vec![self.put(hold)];
            }
            (status, _) => return self.or_forgotten(verb.hold, over(status)),
        }
        if verb.expected_total.is_some_and(|expected| expected != hold.total) {
            return vec![price_changed(hold.total)];
        }
        let left_ms = hold.expires - self.now;
        hold.status =
            Status::Confirming(Confirming { intent: verb.intent, key: verb.key, left_ms });
        hold.expires = self.now + 2 * MINUTE;
        vec![self.put(hold)]
    }

    pub(super) fn decline_payment(&mut self, verb: &DeclinePayment) -> Vec<Answer> {
        let Some((mut hold, status)) = self.find(verb.hold, verb.principal) else {
            return vec![Code::NotFound.into()];
        };
        match status {
            Status::Confirming(payment) if payment.intent == verb.intent => {
                hold.status = Status::Active;
                hold.expires = (self.now + payment.left_ms).min(hold.latest().max(self.now));
                self.put(hold);
                vec![Code::PaymentDeclined.into()]
            }
            Status::Active => vec![Code::HoldNotConfirming.into()],
            status => self.or_forgotten(verb.hold, over(status)),
        }
    }

    pub(super) fn confirm(&mut self, verb: &Confirm) -> Vec<Answer> {
        if verb.guest.bytes.len() > 16_384 || (verb.revive && verb.expected_total.is_none()) {
            return vec![Code::Malformed.into()];
        }
        let Some((mut hold, status)) = self.find(verb.hold, verb.principal) else {
            return vec![Code::NotFound.into()];
        };
        let mut agreed = verb.expected_total;
        match (status, verb.intent, verb.expected_total) {
            (Status::Active, None, _) => {}
            (Status::Active, Some(_), _) => return vec![Code::HoldNotConfirming.into()],
            (Status::Confirming(payment), Some(intent), _) if payment.intent == intent => {}
            (Status::Expired, None, Some(limit)) if verb.revive => {
                let before = self.holds.clone();
                match self.revive(&hold, limit) {
                    Err(answer) => return self.or_forgotten(verb.hold, answer),
                    Ok(_) if self.bookings.contains_key(&verb.booking) => {
                        self.holds = before;
                        return vec![Code::StateConflict.into()];
                    }
                    Ok(revived) => hold = revived,
                }
                agreed = None;
            }
            (status, ..) => return self.or_forgotten(verb.hold, over(status)),
        }
        if agreed.is_some_and(|expected| expected != hold.total) {
            return vec![price_changed(hold.total)];
        }
        if self.bookings.contains_key(&verb.booking) {
            return vec![Code::StateConflict.into()];
        }
        hold.status = Status::Confirmed(verb.booking);
        hold.ended = Some(self.now);
        let (total, paid) = (hold.total, verb.payment.amount);
        let status = booking::Status::Confirmed;
        let booking = Booking { hold: hold.clone(), version: 1, paid, status, fee_floor: 0 };
        self.bookings.insert(verb.booking, booking);
        self.put(hold);
        vec![Answer::Booked { id: verb.booking, hold: verb.hold, total }]
    }
}

/// Why a hold can no longer be used.
fn over(status: Status) -> Answer {
    match status {
        Status::Active => unreachable!("an active hold can be used"),
        Status::Confirming(_) => Code::HoldConfirming.into(),
        Status::Released => Code::HoldReleased.into(),
        Status::Expired => Code::HoldExpired.into(),
        Status::Confirmed(booking) => {
            Answer::Refused(No { booking: Some(booking), ..Code::HoldAlreadyConfirmed.into() })
        }
    }
}

fn is_restriction(reason: &Reason) -> bool {
    let rooms = matches!(reason, Reason::Insufficient { .. } | Reason::BlockInsufficient { .. });
    !rooms && !reason.is_promo() && !matches!(reason, Reason::TooManyGuests)
}

/// Closed before priced before restricted before crowded before a promotion before full.
pub(super) fn refuse(blockers: &[Blocker]) -> Answer {
    let any = |test: fn(&Reason) -> bool| blockers.iter().any(|blocker| test(&blocker.reason));
    let code = if any(|reason| matches!(reason, Reason::HotelNotLive | Reason::Closed)) {
        Code::StayClosed
    } else if any(|reason| matches!(reason, Reason::NoPrice)) {
        Code::RateMissing
    } else if any(is_restriction) {
        Code::StayRestricted
    } else if any(|reason| matches!(reason, Reason::TooManyGuests)) {
        Code::OccupancyTooMany
    } else if any(|reason| matches!(reason, Reason::PromoUnknown)) {
        Code::PromoUnknown
    } else if any(|reason| reason.is_promo()) {
        Code::PromoNotValid
    } else {
        Code::InventoryInsufficient
    };
    let mut blockers: Vec<_> = blockers.iter().map(|blocker| format!("{blocker:?}")).collect();
    blockers.sort();
    Answer::Refused(No { blockers, ..code.into() })
}
