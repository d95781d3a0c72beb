//! Reads the published hotel booking demand file (Antonio, de Almeida, Nunes 2019) into stays.
//!
//! Owns the traps of that file: padded fields, `NA` and `NULL`, English month names, day of booking
//! only as a lead time, rows that repeat exactly (several rooms of one party: all kept), a status
//! date that means something only for cancelled rows, rows no hotel could take. Knows no server.
//! Invariant: every row of the file is either a stay or counted under one [`Reason`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, bail};
use csv::StringRecord;
use jiff::civil::Date;
use serde::Serialize;

/// More people than this do not sleep in one room; such rows are whole groups on one line.
pub const PEOPLE_PER_ROOM_MAX: u32 = 8;
/// The longest stay a hotel may allow.
pub const STAY_NIGHTS_MAX: u32 = 365;
/// Rows read at most: far above the published 119,390, far below what memory holds.
pub const ROWS_MAX: u64 = 5_000_000;

/// One row that a hotel can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Line in the unpacked file; the header is line 1.
    pub line: u64,
    pub hotel: String,
    /// The room type *booked*; the one assigned on arrival is the front desk's business.
    pub room_type: String,
    /// Days since 1970-01-01, as all days here.
    pub arrival: i32,
    pub nights: u32,
    pub adults: u32,
    pub children: u32,
    pub babies: u32,
    pub booked_on: i32,
    pub cancelled_on: Option<i32>,
}

/// Why a row cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A field is missing, not a number or not a date.
    Unreadable,
    NoGuests,
    ZeroNights,
    /// Children or babies without an adult.
    NoAdult,
    TooManyPeople,
    StayTooLong,
}

impl Reason {
    pub fn text(self) -> &'static str {
        match self {
            Reason::Unreadable => "a field is unreadable",
            Reason::NoGuests => "no guests",
            Reason::ZeroNights => "zero nights",
            Reason::NoAdult => "children without an adult",
            Reason::TooManyPeople => "more people than a room can hold",
            Reason::StayTooLong => "longer than any hotel allows",
        }
    }
}

/// How many rows share a reason, and the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetAside {
    pub rows: u64,
    pub first_line: u64,
    pub first: String,
}

/// The file, read.
#[derive(Debug, Default)]
pub struct Demand {
    pub rows: u64,
    /// In file order.
    pub stays: Vec<Stay>,
    pub set_aside: BTreeMap<Reason, SetAside>,
    /// Rows whose number of children is `NA`, taken as none.
    pub children_unknown: u64,
    /// Rows cancelled before they were booked, taken as cancelled on the day of booking.
    pub cancelled_too_early: u64,
}

impl Demand {
    /// Reads `path`, plain or gzip (told by its first bytes, not by its name).
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let mut file = File::open(path).with_context(|| format!("cannot open {shown}"))?;
        let mut start = [0_u8; 2];
        let read = file.read(&mut start).with_context(|| format!("cannot read {shown}"))?;
        let start = start.get(..read).unwrap_or_default().to_vec();
        if start == *b"PK" {
            bail!("{shown} is a zip archive: unpack it first");
        }
        let packed = start == [0x1f, 0x8b];
        let whole = BufReader::new(std::io::Cursor::new(start).chain(file));
        let demand = if packed {
            Self::read(flate2::read::MultiGzDecoder::new(whole))
        } else {
            Self::read(whole)
        };
        demand.with_context(|| format!("{shown} is not the booking demand file"))
    }

    /// Reads the unpacked CSV.
    pub fn read(source: impl Read) -> anyhow::Result<Self> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
        let columns = Columns::find(reader.headers()?)?;
        let mut demand = Demand::default();
        let mut record = StringRecord::new();
        loop {
            let line = reader.position().line();
            let read = reader.read_record(&mut record);
            if matches!(read, Ok(false)) {
                return Ok(demand);
            }
            demand.rows += 1;
            if demand.rows > ROWS_MAX {
                bail!("more than {ROWS_MAX} rows");
            }
            match read {
                Ok(_) => demand.take(line, &columns, &record),
                // A row of the wrong shape spoils itself only; what cannot be read at all ends the
                // reading.
                Err(error) if is_of_the_row(&error) => {
                    demand.put_aside(Reason::Unreadable, line, &error.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take(&mut self, line: u64, columns: &Columns, record: &StringRecord) {
        let row = match columns.row(record) {
            Ok(row) => row,
            Err(error) => return self.put_aside(Reason::Unreadable, line, &format!("{error:#}")),
        };
        if let Some((reason, what)) = row.refusal() {
            return self.put_aside(reason, line, &what);
        }
        self.children_unknown += u64::from(row.children.is_none());
        let booked_on = row.arrival.saturating_sub_unsigned(row.lead_days);
        let cancelled_on = row.cancelled_on.map(|day| {
            self.cancelled_too_early += u64::from(day < booked_on);
            day.max(booked_on)
        });
        self.stays.push(Stay {
            line,
            hotel: row.hotel,
            room_type: row.room_type,
            arrival: row.arrival,
            nights: row.nights,
            adults: row.adults,
            children: row.children.unwrap_or(0),
            babies: row.babies,
            booked_on,
            cancelled_on,
        });
    }

    fn put_aside(&mut self, reason: Reason, line: u64, what: &str) {
        self.set_aside
            .entry(reason)
            .or_insert_with(|| SetAside { rows: 0, first_line: line, first: what.to_owned() })
            .rows += 1;
    }
}

fn is_of_the_row(error: &csv::Error) -> bool {
    matches!(error.kind(), csv::ErrorKind::UnequalLengths { .. } | csv::ErrorKind::Utf8 { .. })
}

/// One row, read but not judged.
struct Row {
    hotel: String,
    room_type: String,
    arrival: i32,
    nights: u32,
    lead_days: u32,
    adults: u32,
    children: Option<u32>,
    babies: u32,
    cancelled_on: Option<i32>,
}

impl Row {
    /// The first reason, in this order, why no hotel could take the row.
    fn refusal(&self) -> Option<(Reason, String)> {
        let minors = self.children.unwrap_or(0).saturating_add(self.babies);
        let people = self.adults.saturating_add(minors);
        let guests = format!("{} adults, {minors} children and babies", self.adults);
        if people == 0 {
            Some((Reason::NoGuests, guests))
        } else if self.nights == 0 {
            Some((Reason::ZeroNights, format!("arrives and departs {}", date_of(self.arrival))))
        } else if self.adults == 0 {
            Some((Reason::NoAdult, guests))
        } else if people > PEOPLE_PER_ROOM_MAX {
            Some((Reason::TooManyPeople, guests))
        } else if self.nights > STAY_NIGHTS_MAX {
            Some((Reason::StayTooLong, format!("{} nights", self.nights)))
        } else {
            None
        }
    }
}

/// Where the columns are. Found by name: published copies differ in order and in extra columns.
struct Columns {
    hotel: Option<usize>,
    room_type: usize,
    year: usize,
    month: usize,
    day: usize,
    lead_days: usize,
    weekend_nights: usize,
    week_nights: usize,
    adults: usize,
    children: usize,
    babies: usize,
    status: usize,
    status_date: usize,
}

impl Columns {
    fn find(headers: &StringRecord) -> anyhow::Result<Self> {
        let position = |name: &str| {
            let mut found = headers
                .iter()
                .enumerate()
                .filter(|(_, header)| header.trim_start_matches('\u{feff}') == name);
            match (found.next(), found.next()) {
                (Some((at, _)), None) => Ok(at),
                (None, _) => bail!("it has no column {name}"),
                (Some(_), Some(_)) => bail!("it has two columns {name}"),
            }
        };
        Ok(Self {
            hotel: position("hotel").ok(),
            room_type: position("reserved_room_type")?,
            year: position("arrival_date_year")?,
            month: position("arrival_date_month")?,
            day: position("arrival_date_day_of_month")?,
            lead_days: position("lead_time")?,
            weekend_nights: position("stays_in_weekend_nights")?,
            week_nights: position("stays_in_week_nights")?,
            adults: position("adults")?,
            children: position("children")?,
            babies: position("babies")?,
            status: position("reservation_status")?,
            status_date: position("reservation_status_date")?,
        })
    }

    fn row(&self, record: &StringRecord) -> anyhow::Result<Row> {
        let field = |at: usize| record.get(at).unwrap_or_default();
        let number = |at: usize, name: &str| {
            whole_number(field(at)).with_context(|| format!("{name} is {:?}", field(at)))
        };
        let room_type = field(self.room_type).to_owned();
        if is_missing(&room_type) {
            bail!("reserved_room_type is {room_type:?}");
        }
        let children = match field(self.children) {
            missing if is_missing(missing) => None,
            _ => Some(number(self.children, "children")?),
        };
        let weekend_nights = number(self.weekend_nights, "stays_in_weekend_nights")?;
        let week_nights = number(self.week_nights, "stays_in_week_nights")?;
        Ok(Row {
            hotel: self.hotel.map_or("Hotel", field).to_owned(),
            room_type,
            arrival: arrival(field(self.year), field(self.month), field(self.day))?,
            nights: weekend_nights.saturating_add(week_nights),
            lead_days: number(self.lead_days, "lead_time")?,
            adults: number(self.adults, "adults")?,
            children,
            babies: number(self.babies, "babies")?,
            cancelled_on: cancelled_on(field(self.status), field(self.status_date))?,
        })
    }
}

/// Only `Canceled` rows were cancelled; `is_canceled` is also 1 for no-shows, who keep their room.
/// The date is read for those rows alone: for the others it says when the guest left, or something
/// else.
fn cancelled_on(status: &str, date: &str) -> anyhow::Result<Option<i32>> {
    match status {
        "Canceled" => {
            let date: Date =
                date.parse().with_context(|| format!("reservation_status_date is {date:?}"))?;
            Ok(Some(day_number(date)))
        }
        "Check-Out" | "No-Show" => Ok(None),
        other => bail!("reservation_status is {other:?}"),
    }
}

fn arrival(year: &str, month: &str, day: &str) -> anyhow::Result<i32> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let number = MONTHS.iter().zip(1_i8..).find(|(name, _)| name.eq_ignore_ascii_case(month));
    let date = number
        .and_then(|(_, number)| Date::new(year.parse().ok()?, number, day.parse().ok()?).ok());
    Ok(day_number(date.with_context(|| format!("arrival is {year} {month} {day}"))?))
}

/// A count; copies that went through a data frame write `2.0`. Bounded so that sums cannot
/// overflow.
fn whole_number(text: &str) -> anyhow::Result<u32> {
    let number: u16 = text.strip_suffix(".0").unwrap_or(text).parse()?;
    Ok(number.into())
}

fn is_missing(text: &str) -> bool {
    matches!(text, "" | "NA" | "NULL" | "NaN")
}

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// Days since 1970-01-01.
pub fn day_number(date: Date) -> i32 {
    i32::try_from(EPOCH.duration_until(date).as_hours() / 24).unwrap_or(i32::MAX)
}

/// The date `day` days after 1970-01-01; years outside 1..=9999 do not come from [`day_number`].
pub fn date_of(day: i32) -> Date {
    EPOCH.saturating_add(jiff::SignedDuration::from_hours(i64::from(day) * 24))
}

#[cfg(test)]
mod tests;
