//! Asking memory for what the next commands of an entry will touch.
//!
//! A hold touches a dozen places that nobody has touched for minutes; waiting for them one after another
//! is most of what it costs. Here the places of some commands are asked for together, in rounds: a
//! later round follows what an earlier one has brought. **Invariant**: it changes nothing but time.

use std::sync::Arc;

use super::Writer;
use super::hotel_holds::HotelHolds;
use crate::command::{Command, Principal, Verb};
use crate::hold::Terms;
use crate::ids::{HoldId, HotelIx};
use crate::prefetch::{prefetch, prefetch_lines};
use crate::stay::Stay;

/// Commands looked at together. Their lines (some thirty each) must stay in the nearest two caches.
pub(super) const COMMANDS_AHEAD: usize = 48;

/// Lines of memory of what a hold of one line is about.
const TERMS_LINES: usize = 6;

impl Writer {
    /// Asks for what these commands will touch.
    pub(super) fn look_ahead(&self, commands: &[Command]) {
        // Alone, a command would wait here as long as later.
        if commands.len() == 1 {
            return;
        }
        self.ask_for_free_places(commands);
        for command in commands {
            if let Some(idempotency) = &command.idempotency {
                self.shared.keys.prefetch(&idempotency.key);
            }
            match &command.verb {
                Verb::Hold(hold) => {
                    self.shared.holds.prefetch(&hold.id);
                    self.ask_for_hotel(hold.hotel);
                    self.ask_for_usage(hold.principal);
                    for line in &hold.lines {
                        self.ask_for_cells(line.room_type.0, hold.stay);
                        self.ask_for_rates(line.rate_plan.0, hold.stay);
                        self.shared.room_types.prefetch(line.room_type.0);
                        self.shared.rate_plans.prefetch(line.rate_plan.0);
                    }
                }
                Verb::Confirm(confirm) => {
                    self.shared.bookings.prefetch(&confirm.booking);
                    self.shared.bookings_of.prefetch(&confirm.principal);
                }
                _ => {}
            }
            if let Some(hold) = hold_named(&command.verb) {
                self.shared.holds.prefetch(&hold);
            }
        }
        for command in commands {
            if let Verb::Hold(hold) = &command.verb {
                self.ask_for_hotel_tail(hold.hotel);
                for line in &hold.lines {
                    self.shared.room_types.prefetch_record(line.room_type.0);
                    self.shared.rate_plans.prefetch_record(line.rate_plan.0);
                }
                if let Principal::Guest(guest) = hold.principal {
                    self.usage.prefetch_record::<2>(&guest);
                }
            }
            if let Verb::Confirm(confirm) = &command.verb {
                self.shared.bookings_of.prefetch_record::<2>(&confirm.principal);
            }
        }
        for command in commands {
            if let Verb::Hold(hold) = &command.verb {
                for line in &hold.lines {
                    self.ask_for_policy(line.rate_plan.0);
                }
            }
        }
        self.look_ahead_fronts(|| commands.iter().filter_map(|command| self.hotel_due(command)));
        self.look_ahead_records(|| commands.iter().filter_map(|command| hold_named(&command.verb)));
        self.look_ahead_arrivals::<false>(commands);
        self.look_ahead_arrivals::<true>(commands);
    }

    /// Asks for where new bookings are listed; twice, since one place names the other.
    fn look_ahead_arrivals<const AGAIN: bool>(&self, commands: &[Command]) {
        for command in commands {
            if let Verb::Confirm(confirm) = &command.verb {
                let arrivals = &self.shared.arrivals;
                self.with_terms(confirm.hold, |terms| arrivals.prefetch::<AGAIN>(terms.hotel));
            }
        }
    }

    /// Asks for where the records go that these commands make, if they succeed.
    fn ask_for_free_places(&self, commands: &[Command]) {
        let count = |is_one: fn(&&Command) -> bool| commands.iter().filter(is_one).count();
        let holds = count(|command| matches!(command.verb, Verb::Hold(_)));
        let keys = count(|command| command.idempotency.is_some());
        self.shared.keys.prefetch_free::<2>(keys);
        self.shared.holds.prefetch_free::<2>(holds);
        self.usage.prefetch_free::<2>(holds);
    }

    /// The hotel of a hold whose first entries are due, and will be looked at before it is judged.
    fn hotel_due(&self, command: &Command) -> Option<HotelIx> {
        let Verb::Hold(hold) = &command.verb else { return None };
        (self.shared.earliest_expiry(hold.hotel) <= self.now_ms).then_some(hold.hotel)
    }

    /// Asks for the holds that are the first to end in some hotels.
    pub(super) fn look_ahead_fronts<I: Iterator<Item = HotelIx>>(&self, hotels: impl Fn() -> I) {
        let holds = || hotels().filter_map(|hotel| self.hotel_holds.get(hotel.at()));
        holds().for_each(prefetch_one);
        holds().for_each(HotelHolds::prefetch_front);
        let fronts = || holds().flat_map(HotelHolds::front);
        fronts().for_each(|hold| self.shared.holds.prefetch(&hold));
        fronts().for_each(|hold| self.shared.holds.prefetch_record::<2>(&hold));
    }

    /// Asks for holds that are about to end.
    pub(super) fn look_ahead_holds(&self, holds: &[HoldId]) {
        for hold in holds {
            self.shared.holds.prefetch(hold);
        }
        self.look_ahead_records(|| holds.iter().copied());
    }

    /// Asks for the ended holds that are forgotten next, and for what goes with them.
    pub(super) fn look_ahead_forgotten(&self) {
        let next = || self.ended.iter().take(COMMANDS_AHEAD).map(|ended| ended.1);
        next().for_each(|hold| self.shared.holds.prefetch(&hold));
        next().for_each(|hold| self.shared.holds.prefetch_record::<3>(&hold));
        for hold in next() {
            self.with_terms(hold, |terms| prefetch_lines::<_, TERMS_LINES>(Arc::as_ptr(terms)));
        }
        for hold in next() {
            self.with_terms(hold, |terms| {
                for line in &terms.lines {
                    prefetch(Arc::as_ptr(&line.policy));
                }
            });
        }
    }

    fn look_ahead_records<I: Iterator<Item = HoldId>>(&self, holds: impl Fn() -> I) {
        for hold in holds() {
            self.shared.holds.prefetch_record::<3>(&hold);
        }
        for hold in holds() {
            self.with_terms(hold, |terms| prefetch_lines::<_, TERMS_LINES>(Arc::as_ptr(terms)));
        }
        for hold in holds() {
            self.with_terms(hold, |terms| {
                self.ask_for_hotel(terms.hotel);
                self.ask_for_usage(terms.principal);
            });
        }
        for hold in holds() {
            self.with_terms(hold, |terms| {
                if let Principal::Guest(guest) = terms.principal {
                    self.usage.prefetch_record::<2>(&guest);
                }
                let stay = Stay { check_in: terms.check_in, check_out: terms.check_out };
                for line in &terms.lines {
                    self.ask_for_cells(line.room_type.0, stay);
                }
            });
        }
    }

    fn with_terms(&self, hold: HoldId, ask: impl FnOnce(&Arc<Terms>)) {
        self.shared.holds.look(&hold, |hold| ask(&hold.terms));
    }

    fn ask_for_cells(&self, room_type: u32, stay: Stay) {
        if let Some(row) = self.shared.cells.row(room_type) {
            row.slot(stay.check_in).map(prefetch_one);
            row.slot(stay.check_out).map(prefetch_one);
        }
    }

    fn ask_for_rates(&self, rate_plan: u32, stay: Stay) {
        if let Some(row) = self.shared.rates.row(rate_plan) {
            row.slot(stay.check_in).map(prefetch_one);
            row.slot(stay.check_out).map(prefetch_one);
        }
    }

    /// A new hold shares it: its count of owners is written.
    fn ask_for_policy(&self, rate_plan: u32) {
        if let Some(rate_plan) = self.shared.rate_plans.get(rate_plan).as_deref()
            && let Some(rate_plan) = rate_plan
        {
            prefetch(Arc::as_ptr(&rate_plan.draft.policy));
        }
    }

    fn ask_for_hotel(&self, hotel: HotelIx) {
        if let Some(holds) = self.hotel_holds.get(hotel.at()) {
            prefetch(holds);
        }
    }

    /// Where the hotel's next hold is entered: behind the last one.
    fn ask_for_hotel_tail(&self, hotel: HotelIx) {
        if let Some(holds) = self.hotel_holds.get(hotel.at()) {
            holds.prefetch_tail();
        }
    }

    fn ask_for_usage(&self, principal: Principal) {
        if let Principal::Guest(guest) = principal {
            self.usage.prefetch(&guest);
        }
    }
}

fn prefetch_one<T>(value: &T) {
    prefetch(value);
}

/// The hold that a command is about, made by an earlier one.
const fn hold_named(verb: &Verb) -> Option<HoldId> {
    match verb {
        Verb::Extend(extend) => Some(extend.hold),
        Verb::Release(release) => Some(release.hold),
        Verb::BeginPayment(payment) => Some(payment.hold),
        Verb::DeclinePayment(payment) => Some(payment.hold),
        Verb::Confirm(confirm) => Some(confirm.hold),
        _ => None,
    }
}
