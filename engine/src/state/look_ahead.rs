//! Asking memory for what the next commands of an entry will touch.
//!
//! A hold touches a dozen places that nobody has touched for minutes; waiting for them one after another
//! is most of what it costs. Here the places of some commands are asked for together, in rounds: a
//! later round follows what an earlier one has brought. **Invariant**: it changes nothing but time.

use std::sync::Arc;

use super::Writer;
use crate::command::{Command, Principal, Verb};
use crate::hold::Terms;
use crate::ids::{HoldId, HotelIx};
use crate::prefetch::{prefetch, prefetch_lines};
use crate::stay::Stay;

/// Commands looked at together. Their lines (some twenty each) must stay in the nearest cache.
pub(super) const COMMANDS_AHEAD: usize = 24;

impl Writer {
    /// Asks for what these commands will touch.
    pub(super) fn look_ahead(&self, commands: &[Command]) {
        // Alone, a command would wait here as long as later.
        if commands.len() == 1 {
            return;
        }
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
                Verb::Confirm(confirm) => self.shared.bookings.prefetch(&confirm.booking),
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
                    self.usage.prefetch_record::<1>(&guest);
                }
            }
        }
        self.look_ahead_records(|| commands.iter().filter_map(|command| hold_named(&command.verb)));
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
            self.with_terms(hold, |terms| prefetch_lines::<_, 3>(Arc::as_ptr(terms)));
        }
        for hold in next() {
            self.with_terms(hold, |terms| prefetch_lines::<_, 3>(terms.lines.as_ptr()));
        }
        for hold in next() {
            self.with_terms(hold, |terms| {
                for line in &terms.lines {
                    prefetch(line.quote.prices.as_ptr());
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
            self.with_terms(hold, |terms| prefetch_lines::<_, 4>(Arc::as_ptr(terms)));
        }
        for hold in holds() {
            self.with_terms(hold, |terms| {
                self.ask_for_hotel(terms.hotel);
                self.ask_for_usage(terms.principal);
                prefetch_lines::<_, 3>(terms.lines.as_ptr());
            });
        }
        for hold in holds() {
            self.with_terms(hold, |terms| {
                if let Principal::Guest(guest) = terms.principal {
                    self.usage.prefetch_record::<1>(&guest);
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
