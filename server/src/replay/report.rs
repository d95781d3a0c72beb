//! What the run printed at its end: tables for a person, or one JSON object. Decides nothing.

use std::collections::BTreeMap;
use std::fmt;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::books::{Books, Fate};
use super::check::Verdict;
use super::demand::{Demand, date_of};
use super::house::House;
use super::measure::{Measure, Step};
use super::plan::Plan;

pub struct Report {
    pub run: String,
    pub demand: Demand,
    pub plan: Plan,
    pub house: House,
    pub books: Books,
    pub measure: Measure,
    pub verdict: Verdict,
}

/// Shares of the calls whose times are shown, with their names.
const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("p99_9", 0.999)];

impl Report {
    pub fn json(&self) -> Value {
        let hotels: Vec<Value> =
            (0..self.plan.hotels.len()).map(|hotel| self.hotel_json(hotel)).collect();
        let reasons: BTreeMap<_, _> = self.demand.set_aside.iter().collect();
        json!({
            "run": self.run,
            "hotels": hotels,
            "rooms": self.plan.rooms(),
            "rooms_for_all": self.plan.rooms_for_all(),
            "first_arrival": date_of(self.plan.first_arrival),
            "first_night": self.house.night(0),
            "nights": self.plan.nights,
            "rows": self.demand.rows,
            "set_aside": reasons.iter().map(|(reason, aside)| {
                json!({
                    "reason": reason,
                    "rows": aside.rows,
                    "first_line": aside.first_line,
                    "first": aside.first,
                })
            }).collect::<Vec<_>>(),
            "children_unknown": self.demand.children_unknown,
            "cancelled_too_early": self.demand.cancelled_too_early,
            "sent": self.plan.stays.len(),
            "held": self.measure.of(Step::Hold).accepted,
            "booked": self.booked(),
            "cancelled": self.books.count(|fate| *fate == Fate::Cancelled),
            "refused": self.books.refused.iter().map(|((step, code), rows)| {
                json!({"step": step, "code": code, "rows": rows})
            }).collect::<Vec<_>>(),
            "cancellations_moot": self.books.cancellations_moot,
            "calls": Step::ALL.iter().map(|step| (step.name(), self.calls_json(*step)))
                .collect::<BTreeMap<_, _>>(),
            "elapsed_s": self.measure.elapsed.as_secs_f64(),
            "rows_per_second": self.measure.per_second(self.plan.stays.len() as u64),
            "calls_per_second": self.measure.per_second(self.calls()),
            "check": {
                "adds_up": self.verdict.adds_up(),
                "cells": self.verdict.cells,
                "room_nights_sold": self.verdict.room_nights_sold,
                "differing": self.verdict.differing,
                "first_difference": self.verdict.first_difference,
                "oversold": self.verdict.oversold,
                "unjust_refusal": self.verdict.unjust,
            },
        })
    }

    fn hotel_json(&self, hotel: usize) -> Value {
        let kinds = self.plan.room_types.iter().zip(&self.house.room_types);
        json!({
            "name": self.plan.hotels[hotel].name,
            "hotel_id": self.house.hotels[hotel],
            "max_stay": self.plan.hotels[hotel].longest_stay,
            "room_types": kinds.filter(|(kind, _)| kind.hotel == hotel).map(|(kind, open)| json!({
                "code": kind.code,
                "room_type_id": open.room_type,
                "rooms": kind.rooms,
                "rooms_for_all": kind.peak,
                "max_occupancy": kind.people_max,
                "price_satang": open.price,
            })).collect::<Vec<_>>(),
        })
    }

    fn calls_json(&self, step: Step) -> Value {
        let calls = self.measure.of(step);
        json!({
            "sent": calls.sent,
            "accepted": calls.accepted,
            "repeats": calls.repeats,
            "ms": QUANTILES.iter().map(|(name, part)| (*name, calls.quantile_ms(*part)))
                .collect::<BTreeMap<_, _>>(),
        })
    }

    fn booked(&self) -> u64 {
        self.books.count(|fate| matches!(fate, Fate::Booked { .. } | Fate::Cancelled))
    }

    fn calls(&self) -> u64 {
        Step::ALL.iter().map(|step| self.measure.of(*step).sent).sum()
    }

    fn room_types(&self) -> Table {
        let header =
            ["hotel", "room type", "rooms", "rooms for all", "people", "price a night (THB)"];
        let mut table = table(&header, 2);
        for (kind, open) in self.plan.room_types.iter().zip(&self.house.room_types) {
            table.add_row([
                self.plan.hotels[kind.hotel].name.clone(),
                kind.code.clone(),
                kind.rooms.to_string(),
                kind.peak.to_string(),
                kind.people_max.to_string(),
                format!("{}.{:02}", open.price / 100, open.price % 100),
            ]);
        }
        let [rooms, for_all] = [self.plan.rooms(), self.plan.rooms_for_all()];
        table.add_row(["all", "", &rooms.to_string(), &for_all.to_string()]);
        table
    }

    fn rows(&self) -> Table {
        let mut table = table(&["rows", "", "count"], 2);
        let mut row = |what: &str, detail: String, count: u64| {
            table.add_row([what.to_owned(), detail, count.to_string()]);
        };
        row("in the file", String::new(), self.demand.rows);
        for (reason, aside) in &self.demand.set_aside {
            let first = format!("{}; first: line {}", reason.text(), aside.first_line);
            row("set aside", first, aside.rows);
        }
        row("sent", String::new(), self.plan.stays.len() as u64);
        row("held", String::new(), self.measure.of(Step::Hold).accepted);
        row("booked", String::new(), self.booked());
        row("cancelled", String::new(), self.books.count(|fate| *fate == Fate::Cancelled));
        for ((step, code), count) in &self.books.refused {
            row("refused", format!("{} {code}", step.name()), *count);
        }
        if self.books.cancellations_moot > 0 {
            let why = "cancellation of a refused row, not sent".to_owned();
            row("moot", why, self.books.cancellations_moot);
        }
        table
    }

    fn times(&self) -> Table {
        let header =
            ["call", "sent", "accepted", "repeated", "p50 ms", "p99 ms", "p99.9 ms", "per second"];
        let mut table = table(&header, 1);
        for step in Step::ALL {
            let calls = self.measure.of(step);
            if calls.sent > 0 {
                let [p50, p99, p99_9] = QUANTILES.map(|(_, part)| calls.quantile_ms(part));
                table.add_row([
                    step.name().to_owned(),
                    calls.sent.to_string(),
                    calls.accepted.to_string(),
                    calls.repeats.to_string(),
                    format!("{p50:.3}"),
                    format!("{p99:.3}"),
                    format!("{p99_9:.3}"),
                    format!("{:.0}", self.measure.per_second(calls.sent)),
                ]);
            }
        }
        table
    }

    fn notes(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "Dates are moved so that the first arrival, {}, is {}; {} nights in all. One constant \
             price per room type: the file's adr is in euros and no price of this hotel.",
            date_of(self.plan.first_arrival),
            self.house.night(0),
            self.plan.nights
        )?;
        if self.demand.children_unknown > 0 {
            let rows = self.demand.children_unknown;
            writeln!(out, "{rows} rows do not say how many children came: taken as none.")?;
        }
        if self.demand.cancelled_too_early > 0 {
            let rows = self.demand.cancelled_too_early;
            writeln!(
                out,
                "{rows} rows were cancelled before they were booked: taken as same day."
            )?;
        }
        Ok(())
    }

    fn verdict(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = &self.verdict;
        let cells = verdict.cells;
        if verdict.adds_up() {
            return writeln!(
                out,
                "The books add up: {cells} room-type-nights compared, {} room-nights sold, none \
                 held, none above its allotment.",
                verdict.room_nights_sold
            );
        }
        writeln!(out, "THE BOOKS DO NOT ADD UP.")?;
        if let Some(difference) = &verdict.first_difference {
            writeln!(
                out,
                "{} of {cells} room-type-nights differ. First: {difference}",
                verdict.differing
            )?;
        }
        if let Some(booking) = &verdict.oversold {
            writeln!(out, "Sold too often: {booking}")?;
        }
        match &verdict.unjust {
            Some(refusal) => writeln!(out, "Refused without need: {refusal}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n\n{}\n", self.room_types(), self.rows())?;
        writeln!(out, "{}", self.times())?;
        writeln!(
            out,
            "{:.1} s, {:.0} rows and {:.0} calls a second\n",
            self.measure.elapsed.as_secs_f64(),
            self.measure.per_second(self.plan.stays.len() as u64),
            self.measure.per_second(self.calls())
        )?;
        self.notes(out)?;
        self.verdict(out)
    }
}

/// A plain table whose columns from `numbers_from` on are numbers.
fn table(header: &[&str], numbers_from: usize) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.iter().copied());
    for column in table.column_iter_mut().skip(numbers_from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
