//! ARI lines in the model.

use std::collections::BTreeSet;

use holdfast_engine::ari::{Change, Line, LineOutcome, LineRefusal, OnConflict, Rules};
use holdfast_engine::catalogue::StayRules;
use holdfast_engine::command::Allot;
use holdfast_engine::{Code, Night};

use super::catalogue::acts;
use super::rules::{Own, Rate};
use super::{Given, Model, taken};
use crate::world::answer::Answer;

/// One field of one night: of a room type's cell (`true`) or a plan's word, by name.
type Field = (bool, u32, u16, &'static str);

/// A night of a room type or plan, and what shall stand there.
type Write<T> = ((u32, u16), T);

fn nights(line: &Line) -> Vec<u16> {
    let all = line.from.0..line.to.0.saturating_add(1);
    all.filter(|&night| line.days.contains(Night(night))).collect()
}

/// The fields of the cell and of the word that a line names; `absolute` leaves out what is added to.
fn names(line: &Line, absolute: bool) -> (Vec<&'static str>, Vec<&'static str>) {
    let change = &line.change;
    if line.hotel.is_some() {
        return (change.closed.iter().map(|_| "hotel closed").collect(), Vec::new());
    }
    let mut of_cell = Vec::new();
    let mut of_word = Vec::new();
    let adds = change.allotment_delta.is_some();
    let allots = change.allotment.is_some() || change.available.is_some();
    if (allots || adds) && !(absolute && adds) {
        of_cell.push("allotment");
    }
    if change.overbook.is_some() {
        of_cell.push("overbook");
    }
    if change.closed.is_some() {
        if line.rate_plan.is_none() { of_cell.push("closed") } else { of_word.push("closed") }
    }
    let [min_arrival, max_arrival, min_through, max_through, min_advance, max_advance, cut_off] =
        rules_written(change);
    for (name, named) in [
        ("price", change.price.is_some()),
        ("min_stay_arrival", min_arrival),
        ("max_stay_arrival", max_arrival),
        ("min_stay_through", min_through),
        ("max_stay_through", max_through),
        ("min_advance", min_advance),
        ("max_advance", max_advance),
        ("cut_off", cut_off),
        ("occupancy", change.occupancy.is_some()),
        ("closed_to_arrival", change.closed_to_arrival.is_some()),
        ("closed_to_departure", change.closed_to_departure.is_some()),
    ] {
        if named {
            of_word.push(name);
        }
    }
    (of_cell, of_word)
}

/// The rules with defaults, in the order of their bits: whether a change sets them, and clears them.
fn rules_touched(change: &Change) -> [(bool, bool); 7] {
    let set = [
        change.min_stay_arrival.is_some(),
        change.max_stay_arrival.is_some(),
        change.min_stay_through.is_some(),
        change.max_stay_through.is_some(),
        change.min_advance.is_some(),
        change.max_advance.is_some(),
        change.cut_off.is_some(),
    ];
    std::array::from_fn(|bit| (set[bit], change.clear.0 >> bit & 1 == 1))
}

fn rules_written(change: &Change) -> [bool; 7] {
    rules_touched(change).map(|(set, cleared)| set || cleared)
}

fn fields(line: &Line, absolute: bool) -> BTreeSet<Field> {
    let (of_cell, of_word) = names(line, absolute);
    let mut found = BTreeSet::new();
    for night in nights(line) {
        let of = line.hotel.map_or(line.room_type.0, |hotel| hotel.0);
        found.extend(of_cell.iter().map(|&name| (true, of, night, name)));
        if let Some(plan) = line.rate_plan.filter(|_| line.hotel.is_none()) {
            found.extend(of_word.iter().map(|&name| (false, plan.0, night, name)));
        }
    }
    found
}

impl Model {
    pub(super) fn allot(&mut self, verb: &Allot) -> Answer {
        if !acts(verb.principal, verb.partner) {
            return Code::NotFound.into();
        }
        let name = (verb.partner, verb.source.clone());
        let mut outcomes = Vec::new();
        for line in &verb.lines {
            let last = self.sources.get(&name).copied();
            let outcome = if last.is_some_and(|last| line.seq <= last) {
                LineOutcome::Stale
            } else {
                self.write(verb, line)
            };
            if taken(outcome) {
                self.sources.insert(name.clone(), line.seq);
            }
            outcomes.push(outcome);
        }
        Answer::Allotted(void(&verb.lines, &outcomes))
    }

    fn write(&mut self, verb: &Allot, line: &Line) -> LineOutcome {
        if line.hotel.is_some() {
            return self.write_hotel(verb, line);
        }
        let changes = match self.refusal(verb, line) {
            Some(refusal) => Err(refusal),
            None => self.cells(line).and_then(|cells| Ok((cells, self.words(line)?))),
        };
        let (cells, words) = match changes {
            Ok(changes) => changes,
            Err(refusal) => return LineOutcome::Rejected(refusal),
        };
        let same =
            cells.iter().all(|&((room_type, night), new)| self.given(room_type, night) == new)
                && words.iter().all(|((plan, night), new)| self.rate(*plan, *night) == *new);
        self.given.extend(cells);
        self.rates.extend(words);
        if same {
            return LineOutcome::Unchanged;
        }
        self.touch(self.room_types[line.room_type.at()].hotel);
        LineOutcome::Applied
    }

    fn write_hotel(&mut self, verb: &Allot, line: &Line) -> LineOutcome {
        let of = line.hotel.unwrap();
        let hotel = self.hotels.get(of.at());
        let closed_only = Change { closed: line.change.closed, ..Change::default() };
        let is_past = hotel.is_some_and(|hotel| line.from.0 < self.today_at(hotel));
        let rules = [
            (line.change != closed_only, LineRefusal::HotelTakesClosedOnly),
            (line.change.closed.is_none(), LineRefusal::NothingToWrite),
            (line.to < line.from, LineRefusal::EmptyRange),
            (line.days.0 & 0x7F == 0, LineRefusal::NoWeekday),
            (hotel.is_none_or(|hotel| hotel.partner != verb.partner), LineRefusal::UnknownHotel),
            (is_past, LineRefusal::PastNight),
            (line.to.0 >= self.window.1, LineRefusal::BeyondHorizon),
        ];
        if let Some((_, refusal)) = rules.iter().find(|rule| rule.0) {
            return LineOutcome::Rejected(*refusal);
        }
        let before = self.closed.clone();
        for night in nights(line) {
            if line.change.closed == Some(true) {
                self.closed.insert((of.0, night));
            } else {
                self.closed.remove(&(of.0, night));
            }
        }
        if before == self.closed {
            return LineOutcome::Unchanged;
        }
        self.touch(of.0);
        LineOutcome::Applied
    }

    fn refusal(&self, verb: &Allot, line: &Line) -> Option<LineRefusal> {
        let change = &line.change;
        let limits = [
            change.min_stay_arrival,
            change.max_stay_arrival,
            change.min_stay_through,
            change.max_stay_through,
        ];
        let (of_cell, of_word) = names(line, false);
        let needs_plan = of_word.iter().any(|&name| name != "closed");
        let room_type = self.room_types.get(line.room_type.at()).filter(|kind| !kind.removed);
        let hotel = room_type.map(|kind| &self.hotels[kind.hotel as usize]);
        let plan_fits = line.rate_plan.is_none_or(|plan| {
            let found = self.plans.get(plan.at()).filter(|plan| !plan.removed);
            found.is_some_and(|plan| plan.room_type == line.room_type.0)
        });
        let rules = [
            (of_cell.is_empty() && of_word.is_empty(), LineRefusal::NothingToWrite),
            (needs_plan && line.rate_plan.is_none(), LineRefusal::NeedsRatePlan),
            (line.to < line.from, LineRefusal::EmptyRange),
            (line.days.0 & 0x7F == 0, LineRefusal::NoWeekday),
            (
                change.available.is_some()
                    && (change.allotment.is_some() || change.allotment_delta.is_some()),
                LineRefusal::Contradiction,
            ),
            (change.allotment.is_some_and(|rooms| rooms > 4_095), LineRefusal::TooLarge),
            (
                change.price.is_some_and(|price| !(0..1 << 32).contains(&price)),
                LineRefusal::PriceOutOfRange,
            ),
            (limits.iter().flatten().any(|&limit| limit > 62), LineRefusal::StayLimitOutOfRange),
            (
                [change.min_advance, change.max_advance]
                    .iter()
                    .any(|days| days.flatten() > Some(1_100)),
                LineRefusal::AdvanceOutOfRange,
            ),
            (
                change.cut_off.flatten().is_some_and(|at| at.days > 1_100 || at.minute > 1_439),
                LineRefusal::CutOffOutOfRange,
            ),
            (
                rules_touched(change).iter().any(|&(set, cleared)| set && cleared),
                LineRefusal::Contradiction,
            ),
            (room_type.is_none(), LineRefusal::UnknownRoomType),
            (hotel.is_some_and(|hotel| hotel.partner != verb.partner), LineRefusal::NotYours),
            (!plan_fits, LineRefusal::UnknownRatePlan),
            (self.is_price_derived(line), LineRefusal::DerivedPrice),
            (self.is_price_out(line), LineRefusal::PriceOutsideBounds),
            (hotel.is_some_and(|hotel| line.from.0 < self.today_at(hotel)), LineRefusal::PastNight),
            (line.to.0 >= self.window.1, LineRefusal::BeyondHorizon),
        ];
        rules.iter().find(|rule| rule.0).map(|rule| rule.1)
    }

    fn is_price_derived(&self, line: &Line) -> bool {
        let plan = line.rate_plan.and_then(|plan| self.plans.get(plan.at()));
        let pairs = line.change.occupancy.unwrap_or_default().pairs().count();
        plan.is_some_and(|plan| plan.draft.derived_from.is_some())
            && (line.change.price.is_some() || pairs > 0)
    }

    fn is_price_out(&self, line: &Line) -> bool {
        let Some(plan) = line.rate_plan.and_then(|plan| self.plans.get(plan.at())) else {
            return false;
        };
        let least = plan.draft.price_min.unwrap_or(0);
        let most = plan.draft.price_max.unwrap_or(i64::MAX);
        let occupancy = line.change.occupancy.unwrap_or_default();
        let mut prices = occupancy.pairs().map(|pair| pair.1).chain(line.change.price);
        prices.any(|price| price < least || price > most)
    }

    fn cells(&self, line: &Line) -> Result<Vec<Write<Given>>, LineRefusal> {
        if names(line, false).0.is_empty() {
            return Ok(Vec::new());
        }
        let keys = nights(line).into_iter().map(|night| (line.room_type.0, night));
        keys.map(|key| Ok((key, self.changed_cell(line, key)?))).collect()
    }

    fn words(&self, line: &Line) -> Result<Vec<Write<Rate>>, LineRefusal> {
        let Some(plan) = line.rate_plan else { return Ok(Vec::new()) };
        let keys = nights(line).into_iter().map(|night| (plan.0, night));
        let defaults = self.plans[plan.at()].draft.rules;
        let changed = |before| changed_word(line, before, &defaults);
        keys.map(|key| Ok((key, changed(self.rate(key.0, key.1))?))).collect()
    }

    fn changed_cell(&self, line: &Line, key: (u32, u16)) -> Result<Given, LineRefusal> {
        let change = &line.change;
        let before = self.given(key.0, key.1);
        let mut after = before;
        if let Some(rooms) = change.allotment {
            after.allotment = i64::from(rooms);
        }
        after.allotment += i64::from(change.allotment_delta.unwrap_or(0));
        if let Some(rooms) = change.overbook {
            after.overbook = i64::from(rooms);
        }
        let promised =
            self.held(key.0, key.1) + self.sold(key.0, key.1) + self.blocked(key.0, key.1);
        if let Some(left) = change.available {
            after.allotment = i64::from(left.rooms) + promised - after.overbook;
        }
        if let Some(closed) = change.closed.filter(|_| line.rate_plan.is_none()) {
            after.closed = closed;
        }
        if after.allotment < 0 {
            return Err(LineRefusal::BelowZero);
        }
        let limit = |given: Given| given.allotment + given.overbook;
        let is_cut = limit(after) < limit(before) && limit(after) < promised;
        match line.on_conflict {
            OnConflict::Reject if is_cut => return Err(LineRefusal::BelowPromised),
            OnConflict::Clamp if is_cut => {
                // As much of the old allotment, then of the old overbooking, as the promises need.
                while limit(after) < promised && after.allotment < before.allotment {
                    after.allotment += 1;
                }
                while limit(after) < promised && limit(after) < limit(before) {
                    after.overbook += 1;
                }
            }
            _ => {}
        }
        if limit(after) > 4_095 {
            return Err(LineRefusal::TooLarge);
        }
        Ok(after)
    }
}

fn changed_word(line: &Line, before: Rate, defaults: &StayRules) -> Result<Rate, LineRefusal> {
    let change = &line.change;
    let stay = |new: Option<u8>, rule: Rules, old: Own<u8>| match new {
        Some(0) => Some(None),
        Some(nights) => Some(Some(nights)),
        None if change.clear.contains(rule) => None,
        None => old,
    };
    let days = |new: Own<u16>, rule: Rules, old: Own<u16>| match new {
        Some(days) => Some(days),
        None if change.clear.contains(rule) => None,
        None => old,
    };
    let cleared = change.clear.contains(Rules::CUT_OFF);
    let after = Rate {
        price: change.price.or(before.price),
        min_arrival: stay(change.min_stay_arrival, Rules::MIN_STAY_ARRIVAL, before.min_arrival),
        max_arrival: stay(change.max_stay_arrival, Rules::MAX_STAY_ARRIVAL, before.max_arrival),
        min_through: stay(change.min_stay_through, Rules::MIN_STAY_THROUGH, before.min_through),
        max_through: stay(change.max_stay_through, Rules::MAX_STAY_THROUGH, before.max_through),
        min_advance: days(change.min_advance, Rules::MIN_ADVANCE, before.min_advance),
        max_advance: days(change.max_advance, Rules::MAX_ADVANCE, before.max_advance),
        cut_off: change.cut_off.or(before.cut_off.filter(|_| !cleared)),
        occupancy: change.occupancy.map_or(before.occupancy, |prices| prices.pairs().collect()),
        no_arrival: change.closed_to_arrival.unwrap_or(before.no_arrival),
        no_departure: change.closed_to_departure.unwrap_or(before.no_departure),
        closed: change.closed.unwrap_or(before.closed),
    };
    let rules = after.over(defaults);
    let [a, b, c, d, e, f, _] = rules_written(change);
    let upside_down =
        |min: Option<u16>, max: Option<u16>| min.zip(max).is_some_and(|(min, max)| max < min);
    let wide = |limit: Option<u8>| limit.map(u16::from);
    let stays = upside_down(wide(rules.min_stay_arrival), wide(rules.max_stay_arrival))
        || upside_down(wide(rules.min_stay_through), wide(rules.max_stay_through));
    let advance = upside_down(rules.min_advance, rules.max_advance);
    if (a || b || c || d) && stays || (e || f) && advance {
        return Err(LineRefusal::MaxBelowMin);
    }
    Ok(after)
}

/// The same cell twice in one batch: the last wins, the earlier is superseded, where all of it is written
/// again. What a superseded line changed counts for the later lines that say it again.
fn void(lines: &[Line], outcomes: &[LineOutcome]) -> Vec<LineOutcome> {
    let mut result = outcomes.to_vec();
    for (at, line) in lines.iter().enumerate() {
        let mine = fields(line, false);
        if !taken(outcomes[at]) || mine.is_empty() {
            continue;
        }
        let later = || (at + 1..lines.len()).filter(|&later| taken(outcomes[later]));
        let again: BTreeSet<_> = later().flat_map(|later| fields(&lines[later], true)).collect();
        if !mine.is_subset(&again) {
            continue;
        }
        result[at] = LineOutcome::Superseded;
        for later in later().filter(|_| outcomes[at] == LineOutcome::Applied) {
            let repeats = !fields(&lines[later], false).is_disjoint(&mine);
            if repeats && result[later] == LineOutcome::Unchanged {
                result[later] = LineOutcome::Applied;
            }
        }
    }
    result
}
