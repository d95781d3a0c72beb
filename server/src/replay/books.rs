//! What became of every stay, from reply codes alone: the books the server is compared with.
//!
//! Owns the fate of each row and the rooms sold by it. Asks the server nothing.
//! Invariant: a stay's fate only moves `Waiting → Booked → Cancelled` or `Waiting → Refused`.

use std::collections::BTreeMap;

use super::measure::Step;
use super::occupancy::Occupancy;
use super::plan::Plan;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Waiting,
    Booked { booking: String },
    Cancelled,
    Refused,
}

/// A definite no.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub stay: usize,
    pub step: Step,
    pub status: u16,
    pub code: String,
    pub detail: String,
}

#[derive(Debug)]
pub struct Books {
    pub fates: Vec<Fate>,
    pub sold: Occupancy,
    /// By step and code.
    pub refused: BTreeMap<(Step, String), u64>,
    pub first_refusal: Option<Refusal>,
    /// Cancellations not sent, their booking having been refused.
    pub cancellations_moot: u64,
    /// The first stay booked though, by these books, a night had no room left.
    pub oversold: Option<usize>,
    /// A refusal for want of rooms though, by these books, rooms were free on every night.
    pub unjust: Option<Refusal>,
    /// Refused for want of rooms in the round under way.
    short: Vec<Refusal>,
    /// Holds that never became bookings may have stood in another's way in the round under way.
    clouded: bool,
}

impl Books {
    pub fn new(plan: &Plan) -> Self {
        Self {
            fates: vec![Fate::Waiting; plan.stays.len()],
            sold: Occupancy::new(plan.room_types.len(), plan.nights),
            refused: BTreeMap::new(),
            first_refusal: None,
            cancellations_moot: 0,
            oversold: None,
            unjust: None,
            short: Vec::new(),
            clouded: false,
        }
    }

    pub fn booked(&mut self, plan: &Plan, stay: usize, booking: String) {
        assert_eq!(self.fates[stay], Fate::Waiting, "a stay is booked once");
        self.fates[stay] = Fate::Booked { booking };
        let planned = &plan.stays[stay];
        self.sold.add(planned.room_type, planned.span());
        // Cancellations never share a round with bookings, so the order of replies cannot make this
        // up.
        let rooms = plan.room_types[planned.room_type].rooms;
        if self.sold.fullest(planned.room_type, planned.span()) > rooms {
            self.oversold.get_or_insert(stay);
        }
    }

    pub fn cancelled(&mut self, plan: &Plan, stay: usize) {
        assert!(matches!(self.fates[stay], Fate::Booked { .. }), "only a booking is cancelled");
        self.fates[stay] = Fate::Cancelled;
        self.sold.take(plan.stays[stay].room_type, plan.stays[stay].span());
    }

    pub fn refused(&mut self, refusal: Refusal) {
        match refusal.step {
            Step::Hold => self.fates[refusal.stay] = Fate::Refused,
            Step::Book => {
                self.fates[refusal.stay] = Fate::Refused;
                self.clouded = true;
            }
            // A booking that cannot be cancelled, a hold that cannot be released: the stay stays
            // what it is.
            Step::Cancel | Step::Release => {}
        }
        *self.refused.entry((refusal.step, refusal.code.clone())).or_default() += 1;
        if refusal.step == Step::Hold && refusal.code == "inventory.insufficient" {
            self.short.push(refusal.clone());
        }
        self.first_refusal.get_or_insert(refusal);
    }

    /// Judges the refusals of a round of bookings. In such a round the books only fill up, so
    /// whoever was refused must by its end find a full night.
    pub fn round_ends(&mut self, plan: &Plan) {
        let clouded = std::mem::take(&mut self.clouded);
        for refusal in std::mem::take(&mut self.short) {
            let stay = &plan.stays[refusal.stay];
            let rooms = plan.room_types[stay.room_type].rooms;
            if !clouded && self.sold.fullest(stay.room_type, stay.span()) < rooms {
                self.unjust.get_or_insert(refusal);
            }
        }
    }

    pub fn count(&self, of: impl Fn(&Fate) -> bool) -> u64 {
        self.fates.iter().filter(|fate| of(fate)).count() as u64
    }
}

#[cfg(test)]
mod tests;
