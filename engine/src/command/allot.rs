//! Allot: a batch of ARI lines of one source is written to cells and rate words.
//!
//! Each line is applied whole or not at all, and a bad line never stops a later one. Lines carry a `seq`
//! that rises within the source; what was applied before is stale.

use std::sync::Arc;

use crate::ari::{self, Change, Line, LineOutcome, LineRefusal, Rules, supersede, write};
use crate::catalogue::{Hotel, RatePlan};
use crate::civil::Night;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::ids::{HotelIx, PartnerId};
use crate::limits::{
    ADVANCE_DAYS_MAX, ARI_LINES_MAX, ARI_NIGHTS_MAX, PRICE_MAX, ROOMS_PER_CELL_MAX,
    SOURCE_BYTES_MAX, STAY_LIMIT_MAX,
};
use crate::outcome::Outcome;
use crate::rates::derived;
use crate::refusal::Code;
use crate::state::Writer;

/// Lines of one source of one partner.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Allot {
    pub principal: Principal,
    /// Whose hotels are written, and in whose name the source counts.
    pub partner: PartnerId,
    pub source: String,
    /// At most 4,096 lines, and at most 1,048,576 nights over all of them.
    pub lines: Vec<Line>,
}

impl Line {
    /// Nights from `from` to `to`, whatever their weekday.
    #[must_use]
    pub const fn span(&self) -> u16 {
        if self.to.0 < self.from.0 { 0 } else { (self.to.0 - self.from.0).saturating_add(1) }
    }

    /// The nights it writes.
    pub(crate) fn nights(&self) -> impl Iterator<Item = Night> + Clone + use<> {
        let days = self.days;
        self.from.until(self.to.plus(1)).filter(move |&night| days.contains(night))
    }

    /// What can be said of a line without looking at any state.
    fn check_shape(&self) -> Result<(), LineRefusal> {
        let change = &self.change;
        let has_plan = self.rate_plan.is_some();
        let of_hotel = Change { closed: change.closed, ..Change::default() };
        if self.hotel.is_some() && *change != of_hotel {
            return Err(LineRefusal::HotelTakesClosedOnly);
        }
        if !change.touches_cells(has_plan) && !change.needs_plan() && change.closed.is_none() {
            return Err(LineRefusal::NothingToWrite);
        }
        if change.needs_plan() && !has_plan {
            return Err(LineRefusal::NeedsRatePlan);
        }
        if self.span() == 0 {
            return Err(LineRefusal::EmptyRange);
        }
        if self.days.is_empty() {
            return Err(LineRefusal::NoWeekday);
        }
        if change.available.is_some()
            && (change.allotment.is_some() || change.allotment_delta.is_some())
        {
            return Err(LineRefusal::Contradiction);
        }
        if let Some(rooms) = change.allotment.or(change.available.map(|left| left.rooms))
            && u32::from(rooms) > ROOMS_PER_CELL_MAX
        {
            return Err(LineRefusal::TooLarge);
        }
        change.check_values()
    }

    /// Whether the hotel's calendar has every night of it, none behind its today.
    fn check_nights(&self, writer: &Writer, hotel: &Hotel) -> Result<(), LineRefusal> {
        let (_, end) = writer.shared.window().ok_or(LineRefusal::BeyondHorizon)?;
        if self.from < hotel.zone.night_at(writer.now_ms) {
            return Err(LineRefusal::PastNight);
        }
        if self.to >= end { Err(LineRefusal::BeyondHorizon) } else { Ok(()) }
    }
}

impl Change {
    /// What can be said of the values of a plan without looking at any state.
    fn check_values(&self) -> Result<(), LineRefusal> {
        if self.price.is_some_and(|price| !(0..=PRICE_MAX).contains(&price)) {
            return Err(LineRefusal::PriceOutOfRange);
        }
        let limits = [
            (self.min_stay_arrival, Rules::MIN_STAY_ARRIVAL),
            (self.max_stay_arrival, Rules::MAX_STAY_ARRIVAL),
            (self.min_stay_through, Rules::MIN_STAY_THROUGH),
            (self.max_stay_through, Rules::MAX_STAY_THROUGH),
        ];
        if limits.iter().any(|limit| limit.0.is_some_and(|nights| nights > STAY_LIMIT_MAX)) {
            return Err(LineRefusal::StayLimitOutOfRange);
        }
        let advance =
            [(self.min_advance, Rules::MIN_ADVANCE), (self.max_advance, Rules::MAX_ADVANCE)];
        let too_far =
            |days: Option<Option<u16>>| days.flatten().is_some_and(|days| days > ADVANCE_DAYS_MAX);
        if advance.iter().any(|rule| too_far(rule.0)) {
            return Err(LineRefusal::AdvanceOutOfRange);
        }
        if self.cut_off.flatten().is_some_and(|cut_off| !cut_off.is_valid()) {
            return Err(LineRefusal::CutOffOutOfRange);
        }
        if self.occupancy.is_some_and(|prices| !prices.is_valid()) {
            return Err(LineRefusal::OccupancyInvalid);
        }
        let both = limits.iter().any(|limit| limit.0.is_some() && self.clear.contains(limit.1))
            || advance.iter().any(|rule| rule.0.is_some() && self.clear.contains(rule.1))
            || (self.cut_off.is_some() && self.clear.contains(Rules::CUT_OFF));
        if both { Err(LineRefusal::Contradiction) } else { Ok(()) }
    }

    /// Whether it writes a price, of a night or of a number of adults. Taking prices away is none.
    fn writes_prices(&self) -> bool {
        self.price.is_some() || self.occupancy.is_some_and(|prices| !prices.is_empty())
    }

    /// Whether every price it writes lies within the plan's bounds.
    fn prices_fit(&self, plan: &RatePlan) -> bool {
        self.price.is_none_or(|price| plan.draft.admits_price(price))
            && self.occupancy.is_none_or(|prices| {
                prices.pairs().all(|(_, price)| plan.draft.admits_price(price))
            })
    }
}

impl Allot {
    /// Refused as a whole, in order: malformed, not found (the partner is another's), capacity.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let nights: usize = self.lines.iter().map(|line| usize::from(line.span())).sum();
        let fits = self.lines.len() <= ARI_LINES_MAX
            && nights <= ARI_NIGHTS_MAX
            && self.source.len() <= SOURCE_BYTES_MAX;
        if !fits {
            return Code::Malformed.into();
        }
        if !self.principal.acts_for(self.partner) {
            return Code::NotFound.into();
        }
        let name = (self.partner, self.source.clone());
        let known = writer.shared.sources.get(&name);
        if known.is_none() && writer.shared.sources.len() >= writer.bounds.sources {
            return Code::CapacityReached.into();
        }
        // From here the command must succeed.
        let mut seq = known;
        let mut outcomes = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let outcome = if seq.is_some_and(|seq| line.seq <= seq) {
                LineOutcome::Stale
            } else {
                self.write(writer, line)
            };
            let counts = !matches!(outcome, LineOutcome::Stale | LineOutcome::Rejected(_));
            seq = if counts { Some(line.seq) } else { seq };
            outcomes.push(outcome);
        }
        if let Some((first, _)) = writer.shared.window() {
            supersede::mark(&self.lines, &mut outcomes, first);
        }
        if let Some(seq) = seq {
            writer.shared.sources.insert(name, seq);
        }
        Outcome::Allotted(outcomes.into())
    }

    /// What the catalogue and the window say of a line; its rate plan.
    fn check(
        &self,
        writer: &mut Writer,
        line: &Line,
    ) -> Result<Option<Arc<RatePlan>>, LineRefusal> {
        line.check_shape()?;
        let shared = Arc::clone(&writer.shared);
        let room_type = shared
            .room_types
            .get_full(line.room_type.0)
            .filter(|room_type| !room_type.removed)
            .ok_or(LineRefusal::UnknownRoomType)?;
        let hotel =
            shared.hotels.get_full(room_type.hotel.0).ok_or(LineRefusal::UnknownRoomType)?;
        if hotel.partner != self.partner {
            return Err(LineRefusal::NotYours);
        }
        let rate_plan = match line.rate_plan {
            None => None,
            Some(rate_plan) if !room_type.rate_plans.contains(&rate_plan) => {
                return Err(LineRefusal::UnknownRatePlan);
            }
            Some(rate_plan) => shared.rate_plans.get_full(rate_plan.0),
        };
        if rate_plan.as_ref().is_some_and(|plan| plan.removed) {
            return Err(LineRefusal::UnknownRatePlan);
        }
        let derived = rate_plan.as_ref().is_some_and(|plan| plan.draft.derived_from.is_some());
        if derived && line.change.writes_prices() {
            return Err(LineRefusal::DerivedPrice);
        }
        if rate_plan.as_ref().is_some_and(|plan| !line.change.prices_fit(plan)) {
            return Err(LineRefusal::PriceOutsideBounds);
        }
        line.check_nights(writer, &hotel)?;
        // Promises that are due no longer count against a cut.
        writer.expire_due_in(hotel.ix);
        let known = line.change.available.map(|left| left.as_of);
        if known.is_some_and(|as_of| shared.promised_at(line.room_type) > as_of) {
            return Err(LineRefusal::StaleVersion);
        }
        Ok(rate_plan)
    }

    fn write_hotel(
        &self,
        writer: &mut Writer,
        line: &Line,
        hotel: HotelIx,
    ) -> Result<bool, LineRefusal> {
        line.check_shape()?;
        let hotel = writer.shared.hotels.get_full(hotel.0).ok_or(LineRefusal::UnknownHotel)?;
        if hotel.partner != self.partner {
            return Err(LineRefusal::UnknownHotel);
        }
        line.check_nights(writer, &hotel)?;
        ari::hotel::close(writer, &hotel, line)
    }

    fn write(&self, writer: &mut Writer, line: &Line) -> LineOutcome {
        if let Some(hotel) = line.hotel {
            return match self.write_hotel(writer, line, hotel) {
                Err(refusal) => LineOutcome::Rejected(refusal),
                Ok(false) => LineOutcome::Unchanged,
                Ok(true) => LineOutcome::Applied,
            };
        }
        let judged = self
            .check(writer, line)
            .and_then(|plan| Ok((write::judge(&writer.shared, line, plan.as_deref())?, plan)));
        match judged {
            Err(refusal) => LineOutcome::Rejected(refusal),
            Ok((judged, _)) if judged.is_empty() => LineOutcome::Unchanged,
            Ok((judged, plan)) => {
                let Writer { shared, events, .. } = writer;
                judged.store(shared, line, events);
                let Line { room_type, rate_plan, from, to, .. } = *line;
                let partner = self.partner;
                events.push(Event::AriChanged { partner, room_type, rate_plan, from, to });
                if let Some(plan) = plan.filter(|_| line.change.price.is_some()) {
                    derived::rewrite_beneath(writer, partner, &plan, (from, to));
                }
                LineOutcome::Applied
            }
        }
    }
}
