//! Which lines of one command a later one makes void: "the same cell twice in one batch: the last wins".
//!
//! A line is superseded where later lines that were taken write every field of every night that it wrote.
//! What a line adds to (`allotment_delta`) does not void what came before.

use std::collections::HashMap;

use super::{Change, Line, LineOutcome, Rules};
use crate::civil::Night;
use crate::ids::{HotelIx, RatePlanIx, RoomTypeIx};

/// Fields of a cell or a rate word, one bit each.
type Fields = u16;

const ALLOTMENT: Fields = 1;

/// What later lines have written, night by night.
#[derive(Default)]
struct Written {
    cells: HashMap<RoomTypeIx, Vec<Fields>>,
    words: HashMap<RatePlanIx, Vec<Fields>>,
    hotels: HashMap<HotelIx, Vec<Fields>>,
}

/// Marks what is superseded. `first` is the first night any line may write. Where a superseded line
/// changed something, later ones that only repeated it count as applied.
pub(crate) fn mark(lines: &[Line], outcomes: &mut [LineOutcome], first: Night) {
    // Alone in its command, nothing is written over.
    if lines.len() < 2 {
        return;
    }
    let is_taken =
        |outcome: LineOutcome| matches!(outcome, LineOutcome::Applied | LineOutcome::Unchanged);
    let mut written = Written::default();
    let mut voided = Vec::new();
    for (line, outcome) in lines.iter().zip(outcomes.iter_mut()).rev() {
        if !is_taken(*outcome) {
            continue;
        }
        if written.covers(line, first) {
            if *outcome == LineOutcome::Applied {
                voided.push(*line);
            }
            *outcome = LineOutcome::Superseded;
        } else {
            written.add(line, first);
        }
    }
    if voided.is_empty() {
        return;
    }
    for (line, outcome) in lines.iter().zip(outcomes) {
        let repeats = |earlier: &Line| earlier.seq < line.seq && earlier.shares_with(line);
        if *outcome == LineOutcome::Unchanged && voided.iter().any(repeats) {
            *outcome = LineOutcome::Applied;
        }
    }
}

impl Written {
    fn covers(&self, line: &Line, first: Night) -> bool {
        let (of_cell, of_word) = line.fields();
        let (cells, words) = match line.hotel {
            Some(hotel) => (self.hotels.get(&hotel), None),
            None => (
                self.cells.get(&line.room_type),
                line.rate_plan.and_then(|rate_plan| self.words.get(&rate_plan)),
            ),
        };
        let has = |nights: Option<&Vec<Fields>>, night: Night, fields: Fields| {
            let at = usize::from(night.0.saturating_sub(first.0));
            let written = nights.and_then(|nights| nights.get(at)).copied().unwrap_or(0);
            written & fields == fields
        };
        let mut nights = line.nights().peekable();
        nights.peek().is_some()
            && nights.all(|night| has(cells, night, of_cell) && has(words, night, of_word))
    }

    fn add(&mut self, line: &Line, first: Night) {
        let (mut of_cell, of_word) = line.fields();
        if line.change.allotment_delta.is_some() {
            of_cell &= !ALLOTMENT;
        }
        let length = usize::from(line.to.0.saturating_sub(first.0)) + 1;
        let put = |nights: &mut Vec<Fields>, fields: Fields| {
            if nights.len() < length {
                nights.resize(length, 0);
            }
            for night in line.nights() {
                if let Some(known) = nights.get_mut(usize::from(night.0.saturating_sub(first.0))) {
                    *known |= fields;
                }
            }
        };
        if let Some(hotel) = line.hotel {
            put(self.hotels.entry(hotel).or_default(), of_cell);
            return;
        }
        if of_cell != 0 {
            put(self.cells.entry(line.room_type).or_default(), of_cell);
        }
        if let Some(rate_plan) = line.rate_plan.filter(|_| of_word != 0) {
            put(self.words.entry(rate_plan).or_default(), of_word);
        }
    }
}

impl Line {
    /// What it writes of cells (its room type's, or its hotel's) and of its plan's rate words.
    fn fields(&self) -> (Fields, Fields) {
        self.change.fields(self.hotel.is_none() && self.rate_plan.is_some())
    }

    /// Whether both write some field of some night.
    fn shares_with(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.fields(), other.fields());
        let same = match (self.hotel, other.hotel) {
            (None, None) => self.room_type == other.room_type,
            hotels => hotels.0 == hotels.1,
        };
        let cells = same && mine.0 & theirs.0 != 0;
        let words = same && self.rate_plan == other.rate_plan && mine.1 & theirs.1 != 0;
        (cells || words)
            && self
                .nights()
                .any(|night| (other.from..=other.to).contains(&night) && other.days.contains(night))
    }
}

impl Change {
    /// What it writes of the room type's cells and of the plan's rate words.
    fn fields(&self, has_plan: bool) -> (Fields, Fields) {
        let allotted =
            self.allotment.is_some() || self.allotment_delta.is_some() || self.available.is_some();
        let of_cell = [
            (ALLOTMENT, allotted),
            (1 << 1, self.overbook.is_some()),
            (1 << 2, self.closed.is_some() && !has_plan),
        ];
        let clears = |rule: Rules| self.clear.contains(rule);
        let of_word = [
            (1 << 0, self.price.is_some()),
            (1 << 1, self.min_stay_arrival.is_some() || clears(Rules::MIN_STAY_ARRIVAL)),
            (1 << 2, self.max_stay_arrival.is_some() || clears(Rules::MAX_STAY_ARRIVAL)),
            (1 << 3, self.min_stay_through.is_some() || clears(Rules::MIN_STAY_THROUGH)),
            (1 << 4, self.max_stay_through.is_some() || clears(Rules::MAX_STAY_THROUGH)),
            (1 << 5, self.closed_to_arrival.is_some()),
            (1 << 6, self.closed_to_departure.is_some()),
            (1 << 7, self.closed.is_some() && has_plan),
            (1 << 8, self.min_advance.is_some() || clears(Rules::MIN_ADVANCE)),
            (1 << 9, self.max_advance.is_some() || clears(Rules::MAX_ADVANCE)),
            (1 << 10, self.cut_off.is_some() || clears(Rules::CUT_OFF)),
            (1 << 11, self.occupancy.is_some()),
        ];
        let sum = |fields: &[(Fields, bool)]| {
            fields.iter().filter(|field| field.1).fold(0, |sum, field| sum | field.0)
        };
        (sum(&of_cell), sum(&of_word))
    }
}
