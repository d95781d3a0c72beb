//! Compares the server's inventory with the books, night by night.
//!
//! Reads `GET /v1/hotels/{id}/inventory` and nothing else. Owns the verdict and the words of the
//! first difference.
//! Invariant: a night that the server does not answer for is a difference, not an omission.

use std::collections::HashMap;

use anyhow::{Context, bail};
use jiff::civil::Date;
use serde::Deserialize;

use super::books::Books;
use super::house::House;
use super::plan::Plan;
use crate::client::Client;

/// Room-type-nights asked for at once: the most one reply of the door holds, less a margin.
const CELLS_PER_CALL: usize = 1_000;
/// Pages of one call followed: far above what the nights of one call can fill.
const PAGES_MAX: usize = 1_000;

/// One night of one room type, as the server tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Cell {
    room_type_id: String,
    night: Date,
    allotment: u32,
    blocked: u32,
    held: u32,
    sold: u32,
    overbook: u32,
}

#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<Cell>,
    #[serde(default)]
    next_cursor: Option<String>,
}

#[derive(Debug, Default)]
pub struct Verdict {
    /// Room-type-nights compared.
    pub cells: u64,
    pub room_nights_sold: u64,
    /// Differing cells; the first is in words.
    pub differing: u64,
    pub first_difference: Option<String>,
    /// A booking beyond the rooms there were, in words; a later cancellation may have hidden it
    /// from the cells.
    pub oversold: Option<String>,
    /// Refusals that should not have been, in words.
    pub unjust: Option<String>,
}

impl Verdict {
    pub fn adds_up(&self) -> bool {
        self.first_difference.is_none() && self.oversold.is_none() && self.unjust.is_none()
    }
}

/// Compares every night of `plan`. `room_for_all`: no stay may have been refused.
pub async fn compare(
    plan: &Plan,
    house: &House,
    books: &Books,
    client: &Client,
    room_for_all: bool,
) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict {
        oversold: oversold(plan, books),
        unjust: unjust(plan, books, room_for_all),
        ..Verdict::default()
    };
    for (hotel, id) in house.hotels.iter().enumerate() {
        let kinds = plan.room_types.iter().filter(|kind| kind.hotel == hotel).count();
        let nights_per_call = (CELLS_PER_CALL / kinds.max(1)).max(1);
        for from in (0..books.sold.nights()).step_by(nights_per_call) {
            let to = (from + nights_per_call).min(books.sold.nights());
            let cells = read(client, id, house.night(from), house.night(to - 1)).await?;
            for night in from..to {
                for (at, kind) in plan.room_types.iter().enumerate() {
                    if kind.hotel == hotel {
                        let key = (house.room_types[at].room_type.clone(), house.night(night));
                        let own = books.sold.on(at, night);
                        let difference = difference(cells.get(&key), own, kind.rooms);
                        verdict.enter(own, difference, || {
                            format!("{}, room type {} ({})", key.1, kind.code, key.0)
                        });
                    }
                }
            }
        }
    }
    Ok(verdict)
}

impl Verdict {
    fn enter(&mut self, own: u32, difference: Option<String>, place: impl Fn() -> String) {
        self.cells += 1;
        self.room_nights_sold += u64::from(own);
        if let Some(what) = difference {
            self.differing += 1;
            self.first_difference.get_or_insert_with(|| format!("night {}: {what}", place()));
        }
    }
}

/// What is wrong with `cell`, if anything, where this program counts `own` rooms sold of `rooms`
/// given.
fn difference(cell: Option<&Cell>, own: u32, rooms: u32) -> Option<String> {
    let Some(cell) = cell else {
        return Some("the server's inventory leaves it out".to_owned());
    };
    let taken = cell.held + cell.sold + cell.blocked;
    if cell.sold != own {
        Some(format!("the server has {} sold, rows and replies add up to {own}", cell.sold))
    } else if cell.held != 0 {
        Some(format!("{} rooms are held though every hold has ended", cell.held))
    } else if taken > cell.allotment + cell.overbook {
        Some(format!(
            "{taken} rooms are taken of {} (allotment {}, overbook {})",
            cell.allotment + cell.overbook,
            cell.allotment,
            cell.overbook
        ))
    } else if cell.allotment != rooms {
        Some(format!("the allotment is {}, {rooms} were given", cell.allotment))
    } else {
        None
    }
}

fn oversold(plan: &Plan, books: &Books) -> Option<String> {
    let stay = &plan.stays[books.oversold?];
    let kind = &plan.room_types[stay.room_type];
    Some(format!(
        "line {} of the file: booked though the {} rooms of type {} were sold on one of its nights",
        stay.line, kind.rooms, kind.code
    ))
}

fn unjust(plan: &Plan, books: &Books, room_for_all: bool) -> Option<String> {
    let (refusal, why) = match (&books.unjust, &books.first_refusal) {
        (Some(refusal), _) => (refusal, "though rooms were free on every night"),
        (None, Some(refusal)) if room_for_all => (refusal, "though there is room for every row"),
        _ => return None,
    };
    Some(format!(
        "line {} of the file: {} refused with {} {} {why}. {}",
        plan.stays[refusal.stay].line,
        refusal.step.name(),
        refusal.status,
        refusal.code,
        refusal.detail
    ))
}

async fn read(
    client: &Client,
    hotel: &str,
    from: Date,
    to: Date,
) -> anyhow::Result<HashMap<(String, Date), Cell>> {
    let mut cells = HashMap::new();
    let first = format!("/v1/hotels/{hotel}/inventory?from={from}&to={to}");
    let mut path = first.clone();
    for _ in 0..PAGES_MAX {
        let page: Page = client
            .get(path)
            .await
            .and_then(|reply| reply.ok())
            .with_context(|| format!("reading the inventory of {from} to {to}"))?;
        for cell in page.items {
            let key = (cell.room_type_id.clone(), cell.night);
            if let Some(other) = cells.insert(key, cell.clone())
                && other != cell
            {
                bail!("the inventory names a night twice, differently: {other:?}, {cell:?}");
            }
        }
        match page.next_cursor {
            Some(cursor) => path = format!("{first}&cursor={cursor}"),
            None => return Ok(cells),
        }
    }
    bail!("the inventory of {from} to {to} has more than {PAGES_MAX} pages")
}

#[cfg(test)]
mod tests;
