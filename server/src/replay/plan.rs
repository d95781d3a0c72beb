//! What will be asked of the server and in which order: hotels, room types with their rooms, the
//! days.
//!
//! A day is two rounds: first the bookings made that day, in file order, then the cancellations of
//! that day, in file order. A round ends before the next begins, so with any concurrency a
//! cancellation follows its booking, and the rooms needed at once are the most on the books at the
//! end of a day's bookings: inside that round the count only rises. Knows no server.
//! Invariant: with `rooms` not given, every stay finds a room whatever the order inside a round.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::bail;

use super::demand::{Demand, Stay};
use super::occupancy::Occupancy;

/// Rooms one cell can count.
pub const ROOMS_PER_TYPE_MAX: u32 = 4_095;

#[derive(Debug)]
pub struct Plan {
    pub hotels: Vec<HotelPlan>,
    pub room_types: Vec<RoomTypePlan>,
    /// As in the demand, in file order.
    pub stays: Vec<PlannedStay>,
    pub days: Vec<Day>,
    /// Nights from the first arrival to the last departure.
    pub nights: usize,
    /// The day that becomes tomorrow.
    pub first_arrival: i32,
}

#[derive(Debug)]
pub struct HotelPlan {
    pub name: String,
    pub longest_stay: u32,
}

#[derive(Debug)]
pub struct RoomTypePlan {
    pub hotel: usize,
    pub code: String,
    pub adults_max: u32,
    /// Children and babies together.
    pub children_max: u32,
    pub people_max: u32,
    /// Rooms that let every stay in.
    pub peak: u32,
    /// Rooms given.
    pub rooms: u32,
}

#[derive(Debug)]
pub struct PlannedStay {
    pub line: u64,
    pub room_type: usize,
    /// Nights after the first arrival.
    pub from: usize,
    pub nights: usize,
    pub adults: u32,
    pub children: u32,
    pub babies: u32,
}

impl PlannedStay {
    pub fn span(&self) -> Range<usize> {
        self.from..self.from + self.nights
    }
}

/// Indexes into [`Plan::stays`].
#[derive(Debug, Default)]
pub struct Day {
    pub booked: Vec<usize>,
    pub cancelled: Vec<usize>,
}

impl Plan {
    /// Plans `demand` with the rooms it needs, or with `rooms` in all.
    pub fn new(demand: &Demand, rooms: Option<u32>) -> anyhow::Result<Self> {
        let stays = &demand.stays;
        let Some(first_arrival) = stays.iter().map(|stay| stay.arrival).min() else {
            bail!("no row of the file is a stay that a hotel could take");
        };
        let (hotels, mut room_types) = house(stays);
        let hotel_at: BTreeMap<&str, usize> =
            hotels.iter().enumerate().map(|(at, hotel)| (hotel.name.as_str(), at)).collect();
        let type_at: BTreeMap<(usize, String), usize> = room_types
            .iter()
            .enumerate()
            .map(|(at, kind)| ((kind.hotel, kind.code.clone()), at))
            .collect();
        let planned: Vec<PlannedStay> = stays
            .iter()
            .map(|stay| PlannedStay {
                line: stay.line,
                room_type: type_at[&(hotel_at[stay.hotel.as_str()], stay.room_type.clone())],
                from: nights_between(first_arrival, stay.arrival),
                nights: stay.nights as usize,
                adults: stay.adults,
                children: stay.children,
                babies: stay.babies,
            })
            .collect();
        let nights = planned.iter().map(|stay| stay.span().end).max().unwrap_or(0);
        let days = days(stays);
        set_peaks(&mut room_types, &planned, &days, nights);
        set_rooms(&mut room_types, rooms)?;
        Ok(Self { hotels, room_types, stays: planned, days, nights, first_arrival })
    }

    pub fn rooms(&self) -> u32 {
        self.room_types.iter().map(|kind| kind.rooms).sum()
    }

    /// Rooms that let every stay in.
    pub fn rooms_for_all(&self) -> u32 {
        self.room_types.iter().map(|kind| kind.peak).sum()
    }

    pub fn cancellations(&self) -> usize {
        self.days.iter().map(|day| day.cancelled.len()).sum()
    }
}

/// The hotels and room types that `stays` name, in order of name.
fn house(stays: &[Stay]) -> (Vec<HotelPlan>, Vec<RoomTypePlan>) {
    let names: BTreeSet<&str> = stays.iter().map(|stay| stay.hotel.as_str()).collect();
    let mut hotels = Vec::new();
    let mut room_types = Vec::new();
    for (hotel, name) in names.into_iter().enumerate() {
        let mut longest_stay = 0;
        let mut kinds: BTreeMap<&str, RoomTypePlan> = BTreeMap::new();
        for stay in stays.iter().filter(|stay| stay.hotel == name) {
            longest_stay = longest_stay.max(stay.nights);
            let kind = kinds.entry(&stay.room_type).or_insert_with(|| RoomTypePlan {
                hotel,
                code: stay.room_type.clone(),
                adults_max: 0,
                children_max: 0,
                people_max: 0,
                peak: 0,
                rooms: 0,
            });
            let minors = stay.children + stay.babies;
            kind.adults_max = kind.adults_max.max(stay.adults);
            kind.children_max = kind.children_max.max(minors);
            kind.people_max = kind.people_max.max(stay.adults + minors);
        }
        hotels.push(HotelPlan { name: name.to_owned(), longest_stay });
        room_types.extend(kinds.into_values());
    }
    (hotels, room_types)
}

fn days(stays: &[Stay]) -> Vec<Day> {
    let mut days: BTreeMap<i32, Day> = BTreeMap::new();
    for (at, stay) in stays.iter().enumerate() {
        days.entry(stay.booked_on).or_default().booked.push(at);
        if let Some(day) = stay.cancelled_on {
            days.entry(day).or_default().cancelled.push(at);
        }
    }
    days.into_values().collect()
}

fn set_peaks(room_types: &mut [RoomTypePlan], stays: &[PlannedStay], days: &[Day], nights: usize) {
    let mut books = Occupancy::new(room_types.len(), nights);
    for day in days {
        for stay in day.booked.iter().map(|at| &stays[*at]) {
            books.add(stay.room_type, stay.span());
            let kind = &mut room_types[stay.room_type];
            kind.peak = kind.peak.max(books.fullest(stay.room_type, stay.span()));
        }
        for stay in day.cancelled.iter().map(|at| &stays[*at]) {
            books.take(stay.room_type, stay.span());
        }
    }
}

fn set_rooms(room_types: &mut [RoomTypePlan], rooms: Option<u32>) -> anyhow::Result<()> {
    let peaks: Vec<u32> = room_types.iter().map(|kind| kind.peak).collect();
    let shares = match rooms {
        None => peaks,
        Some(total) => share(total, &peaks)?,
    };
    for (kind, rooms) in room_types.iter_mut().zip(shares) {
        if rooms > ROOMS_PER_TYPE_MAX {
            bail!(
                "room type {} would have {rooms} rooms; one night counts {ROOMS_PER_TYPE_MAX} at \
                 most: give fewer with --rooms",
                kind.code
            );
        }
        kind.rooms = rooms;
    }
    Ok(())
}

/// `total` rooms over the room types: one each, the rest in proportion to what each peak needs
/// beyond one, by largest remainder, ties to the earlier. `total` equal to the peaks' sum gives the
/// peaks.
fn share(total: u32, peaks: &[u32]) -> anyhow::Result<Vec<u32>> {
    let kinds = u32::try_from(peaks.len())?;
    let Some(rest) = total.checked_sub(kinds) else {
        bail!(
            "--rooms {total} is too few: the data has {kinds} room types, one room each at least"
        );
    };
    let beyond: Vec<u64> = peaks.iter().map(|peak| u64::from(peak.saturating_sub(1))).collect();
    let weights =
        if beyond.iter().all(|weight| *weight == 0) { vec![1; peaks.len()] } else { beyond };
    let sum: u64 = weights.iter().sum();
    let mut shares = Vec::with_capacity(peaks.len());
    let mut remainders = Vec::with_capacity(peaks.len());
    for (at, weight) in weights.iter().enumerate() {
        let exact = u64::from(rest) * weight;
        shares.push(1 + u32::try_from(exact / sum)?);
        remainders.push((std::cmp::Reverse(exact % sum), at));
    }
    remainders.sort_unstable();
    let left = total - shares.iter().sum::<u32>();
    for (_, at) in remainders.into_iter().take(left as usize) {
        shares[at] += 1;
    }
    Ok(shares)
}

/// Both come from the same file and `to` is never the earlier.
fn nights_between(from: i32, to: i32) -> usize {
    to.abs_diff(from) as usize
}

#[cfg(test)]
mod tests;
