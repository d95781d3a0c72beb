//! Hold: rooms for a stay are set aside, on all nights and lines or not at all.

use std::sync::Arc;

use crate::admission::Demand;
use crate::catalogue::Hotel;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::few::Few;
use crate::hold::{self, Line, Status, Terms};
use crate::ids::{BlockId, HoldId, HotelIx, RatePlanIx, RoomTypeIx, WaitId};
use crate::limits::{
    CHILDREN_MAX, HOLD_LINES_MAX, HOLD_TTL_S_MAX, HOLD_TTL_S_MIN, LINE_QUANTITY_MAX,
    REFERENCE_BYTES_MAX,
};
use crate::money::Currency;
use crate::outcome::Outcome;
use crate::promo::{self, Promo, Taken};
use crate::quote::{self, RoomQuote};
use crate::refusal::{Code, Refusal};
use crate::state::{Shared, Writer};
use crate::stay::{self, Stay};

/// A guest's request, priced at the door.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Hold {
    /// Made at the door.
    pub id: HoldId,
    pub hotel: HotelIx,
    pub principal: Principal,
    pub stay: Stay,
    /// 1–16 lines.
    pub lines: Vec<HoldLine>,
    /// Life in seconds, 1–900.
    pub ttl_s: u32,
    /// What the guest agreed to pay for all lines, minor units.
    pub expected_total: Option<i64>,
    /// The client's own name for it, unique within the principal.
    pub client_reference: Option<String>,
    /// The block whose rooms are picked up; all lines come from it.
    pub block: Option<BlockId>,
    /// The promotion whose code the guest names.
    pub promo: Option<Box<promo::Asked>>,
}

/// So many rooms of one type on one plan.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HoldLine {
    pub room_type: RoomTypeIx,
    pub rate_plan: RatePlanIx,
    /// 1–1,000.
    pub quantity: u16,
    /// Per room, at least 1.
    pub adults: u8,
    /// Ages in years, per room.
    pub children: Vec<u8>,
    /// The door's quote and the versions of what it was made from. Taken where both still
    /// stand, made again where not.
    pub quote: Option<(quote::Version, RoomQuote)>,
}

/// The lines of a request that has passed, with what they cost together.
pub(crate) struct Priced {
    lines: Few<Line, 1>,
    currency: Currency,
    pub(super) total: i64,
    promo: Option<Box<Taken>>,
}

impl Hold {
    /// What the request takes from each room type, summed over its lines.
    #[must_use]
    pub fn demand(&self) -> Demand {
        Demand::of(
            self.stay,
            self.lines.iter().map(|line| (line.room_type, u32::from(line.quantity))),
        )
    }

    /// What was asked for once, asked for again, to be priced anew.
    pub(super) fn again(terms: &Terms, ttl_s: u32) -> Self {
        let line = |line: &Line| HoldLine {
            room_type: line.room_type,
            rate_plan: line.rate_plan,
            quantity: line.quantity,
            adults: line.adults,
            children: line.children.to_vec(),
            quote: None,
        };
        Self {
            id: terms.id,
            hotel: terms.hotel,
            principal: terms.principal,
            stay: terms.stay(),
            lines: terms.lines.iter().map(line).collect(),
            ttl_s,
            expected_total: None,
            client_reference: terms.client_reference.clone(),
            block: terms.block,
            promo: terms.promo.as_ref().map(|taken| promo::Asked::of(&taken.code)),
        }
    }

    /// As a waitlist keeps it: to be priced when it is offered.
    pub(super) fn to_be_offered(&self) -> Self {
        let unpriced = |line: &HoldLine| HoldLine { quote: None, ..line.clone() };
        let lines = self.lines.iter().map(unpriced).collect();
        let promo = self.promo.as_ref().map(|asked| promo::Asked::of(&asked.code));
        Self { lines, expected_total: None, promo, ..self.clone() }
    }

    pub(super) fn is_well_formed(&self, ttl_s_max: u32) -> bool {
        !self.lines.is_empty()
            && self.lines.len() <= HOLD_LINES_MAX
            && (HOLD_TTL_S_MIN..=ttl_s_max).contains(&self.ttl_s)
            && self.client_reference.as_ref().is_none_or(|text| text.len() <= REFERENCE_BYTES_MAX)
            && self.promo.as_ref().is_none_or(|asked| asked.is_valid())
            && self.lines.iter().all(|line| {
                (1..=LINE_QUANTITY_MAX).contains(&line.quantity)
                    && line.adults >= 1
                    && line.children.len() <= CHILDREN_MAX
            })
    }

    /// Refusals in order: malformed, the id is taken, not found (no such hotel, or another partner's),
    /// dates, not found (a line's room type or plan, the block), the block is not definite, then every
    /// blocker of the stay at once (closures, missing prices, restrictions, guests, the promotion, missing
    /// rooms), quota, duplicate reference, capacity, the promotion is used up, price changed.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let priced = match self.validate(writer) {
            Ok(priced) => priced,
            Err(refusal) => return refusal.into(),
        };
        // From here the command must succeed.
        let hold = self.take(writer, priced);
        Outcome::Held { terms: hold.terms, expires_ms: hold.expires_ms }
    }

    /// The rooms are held for so long, at this price. The caller has judged.
    pub(super) fn take(&self, writer: &mut Writer, priced: Priced) -> hold::Hold {
        self.take_for(writer, priced, None)
    }

    /// The rooms are held, for somebody who waited or for anybody.
    pub(crate) fn take_for(
        &self,
        writer: &mut Writer,
        priced: Priced,
        waitlist: Option<WaitId>,
    ) -> hold::Hold {
        let Priced { lines, currency, total, promo } = priced;
        let terms = Arc::new(Terms {
            id: self.id,
            hotel: self.hotel,
            principal: self.principal,
            check_in: self.stay.check_in,
            check_out: self.stay.check_out,
            lines,
            total,
            currency,
            tax_version: writer.shared.tax_version(),
            client_reference: self.client_reference.clone(),
            block: self.block,
            waitlist,
            promo,
            created_ms: writer.now_ms,
        });
        let expires_ms = writer.now_ms + u64::from(self.ttl_s) * 1_000;
        let hold = hold::Hold {
            terms: Arc::clone(&terms),
            status: Status::Active,
            expires_ms,
            extensions: 0,
            ended_ms: None,
        };
        writer.add_hold(hold.clone());
        // After its expiry is known: admission refuses on the word of no hold that it cannot see ending.
        match self.block {
            Some(block) => writer.pick_up(block, &self.demand()),
            None => writer.hold_rooms(&self.demand()),
        }
        writer.events.push(Event::Held(terms));
        hold
    }

    fn validate(&self, writer: &mut Writer) -> Result<Priced, Refusal> {
        if !self.is_well_formed(HOLD_TTL_S_MAX) {
            return Err(Code::Malformed.into());
        }
        if writer.shared.holds.contains(&self.id) {
            return Err(Code::StateConflict.into());
        }
        self.judge(writer)
    }

    /// All that is asked of a request that is well formed and whose id is its own.
    pub(super) fn judge(&self, writer: &mut Writer) -> Result<Priced, Refusal> {
        self.judge_with(writer, true)
    }

    /// As [`Self::judge`], for an offer: who waited may take it whatever else they hold. The waitlist has
    /// bounds of its own. Nor is anybody kept waiting by a promotion that is over: the offer is without it.
    pub(crate) fn judge_offer(&self, writer: &mut Writer) -> Result<Priced, Refusal> {
        if writer.shared.holds.contains(&self.id) {
            return Err(Code::StateConflict.into());
        }
        match self.judge_uncounted(writer) {
            Err(refusal) if refusal.code.is_promo() => {
                Self { promo: None, ..self.clone() }.judge_uncounted(writer)
            }
            judged => judged,
        }
    }

    /// As [`Self::judge`], whatever else the guest holds.
    pub(super) fn judge_uncounted(&self, writer: &mut Writer) -> Result<Priced, Refusal> {
        self.judge_with(writer, false)
    }

    fn judge_with(&self, writer: &mut Writer, is_counted: bool) -> Result<Priced, Refusal> {
        let shared = Arc::clone(&writer.shared);
        let guard = shared.hotels.get(self.hotel.0);
        let Some(hotel) = guard.as_ref().and_then(|guard| guard.as_ref()) else {
            return Err(Code::NotFound.into());
        };
        // Guests hold anywhere; partners only in their own hotels.
        if !self.principal.is_guest() && !self.principal.acts_for(hotel.partner) {
            return Err(Code::NotFound.into());
        }
        stay::check_dates(&shared, hotel, self.stay, writer.now_ms)?;
        writer.expire_due_in(self.hotel);
        if cfg!(not(holdfast_bug = "apply_without_validation")) {
            stay::check_lines(&shared, hotel, self, writer.now_ms)?;
        }
        if is_counted && self.principal.is_guest() {
            writer.check_quota(self)?;
        }
        if let Some(reference) = &self.client_reference {
            writer.check_reference(self.principal, reference)?;
        }
        if !writer.make_room_for_hold() {
            return Err(Code::CapacityReached.into());
        }
        let asked = self.promo.as_deref();
        let promo = asked.and_then(|asked| shared.promo_named(hotel.partner, &asked.code));
        let (lines, total) = self.price(&shared, hotel, promo.as_ref())?;
        let promo = promo.map(|promo| self.take_promo(writer, &promo, &lines)).transpose()?;
        if self.expected_total.is_some_and(|expected| expected != total) {
            return Err(Refusal { total: Some(total), ..Code::PriceChanged.into() });
        }
        Ok(Priced { lines, currency: hotel.draft.currency, total, promo })
    }

    /// The lines with their prices, and what they cost together.
    fn price(
        &self,
        shared: &Shared,
        hotel: &Hotel,
        promo: Option<&Promo>,
    ) -> Result<(Few<Line, 1>, i64), Refusal> {
        let mut total = 0i64;
        let mut lines = Few::default();
        let discount = promo.map(|promo| promo.draft.discount);
        let quoted = self.promo.as_deref().and_then(|asked| asked.quoted);
        let is_quoted = quoted == promo.map(|promo| (promo.id, promo.version));
        for line in &self.lines {
            let asked = stay::Asked::of(self.stay, line);
            let quoted = asked.quoted.filter(|_| is_quoted);
            let asked = stay::Asked { discount, quoted, ..asked };
            let (line, amount) = stay::price_line(shared, hotel, asked, line)?;
            total = total.checked_add(amount).ok_or(Code::PriceOutOfRange)?;
            lines.push(line);
        }
        Ok((lines, total))
    }

    /// What these lines take of a promotion, where that much is left of it.
    fn take_promo(
        &self,
        writer: &mut Writer,
        promo: &Promo,
        lines: &[Line],
    ) -> Result<Box<Taken>, Refusal> {
        let off = promo::off(lines).ok_or(Code::PriceOutOfRange)?;
        writer.check_promo(promo, self.stay, off)?;
        let (id, code) = (promo.id, promo.code.clone());
        Ok(Box::new(Taken { promo: id, code, off, min_nights: promo.draft.min_nights }))
    }
}
