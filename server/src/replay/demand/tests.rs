//! The file's traps, each on a line or two of CSV.

use std::io::Write;

use super::*;

const HEADER: &str = "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,\
    arrival_date_day_of_month,stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,\
    reserved_room_type,assigned_room_type,adr,reservation_status,reservation_status_date";

fn read(rows: &[&str]) -> Demand {
    Demand::read(format!("{HEADER}\n{}\n", rows.join("\n")).as_bytes()).unwrap()
}

fn day(date: &str) -> i32 {
    day_number(date.parse().unwrap())
}

#[test]
fn a_row_becomes_a_stay_with_its_days() {
    let demand =
        read(&["Resort Hotel,1,737,2015,July,1,1,2,2,1.0,1,C,D,-6.38,Canceled,2015-06-30"]);
    let expected = Stay {
        line: 2,
        hotel: "Resort Hotel".into(),
        room_type: "C".into(),
        arrival: day("2015-07-01"),
        nights: 3,
        adults: 2,
        children: 1,
        babies: 1,
        booked_on: day("2013-06-24"),
        cancelled_on: Some(day("2015-06-30")),
    };
    assert_eq!(demand.stays, [expected]);
    assert!(demand.set_aside.is_empty());
}

#[test]
fn padding_is_no_part_of_a_field() {
    let demand =
        read(&["H,0,  3,2016,February ,29,0,1,2,0,0,A               ,A  ,9,Check-Out,2016-03-01"]);
    assert_eq!(demand.stays[0].room_type, "A");
    assert_eq!(demand.stays[0].arrival, day("2016-02-29"));
}

#[test]
fn the_status_date_counts_for_cancelled_rows_only() {
    let demand = read(&[
        "H,1,3,2016,May,9,0,1,2,0,0,A,A,9,No-Show,2016-05-09",
        "H,0,3,2016,May,9,0,1,2,0,0,A,A,9,Check-Out,whenever",
    ]);
    assert_eq!(demand.stays.len(), 2);
    assert!(demand.stays.iter().all(|stay| stay.cancelled_on.is_none()));
}

#[test]
fn rows_that_repeat_are_all_kept() {
    let row = "H,0,3,2016,May,9,0,1,2,0,0,A,A,9,Check-Out,2016-05-10";
    let demand = read(&[row, row, row]);
    assert_eq!(demand.stays.len(), 3);
    assert_eq!(demand.stays.iter().map(|stay| stay.line).collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn rows_no_hotel_could_take_are_counted_once_by_their_first_reason() {
    let demand = read(&[
        "H,0,3,2016,May,9,0,0,0,0,0,A,A,9,Check-Out,2016-05-10",
        "H,0,3,2016,May,9,0,0,2,0,0,A,A,9,Check-Out,2016-05-10",
        "H,0,3,2016,May,9,0,1,0,2,0,A,A,9,Check-Out,2016-05-10",
        "H,0,3,2016,May,9,0,1,55,0,0,A,A,9,Check-Out,2016-05-10",
        "H,0,3,2016,May,9,0,1,2,6,0,A,A,9,Check-Out,2016-05-10",
        "H,0,3,2016,May,9,0,1,2,6,1,A,A,9,Check-Out,2016-05-10",
        "H,0,3,2016,May,9,105,261,2,0,0,A,A,9,Check-Out,2016-05-10",
        "H,0,3,2016,May,9,104,261,2,0,0,A,A,9,Check-Out,2016-05-10",
    ]);
    let counted: Vec<(Reason, u64, u64)> = demand
        .set_aside
        .iter()
        .map(|(reason, aside)| (*reason, aside.rows, aside.first_line))
        .collect();
    assert_eq!(
        counted,
        [
            (Reason::NoGuests, 1, 2),
            (Reason::ZeroNights, 1, 3),
            (Reason::NoAdult, 1, 4),
            (Reason::TooManyPeople, 2, 5),
            (Reason::StayTooLong, 1, 8),
        ]
    );
    assert_eq!(demand.rows, 8);
    assert_eq!(demand.stays.iter().map(|stay| stay.line).collect::<Vec<_>>(), [6, 9]);
}

#[test]
fn an_unreadable_row_spoils_itself_only() {
    let demand = read(&[
        "H,0,3,2015,February,29,0,1,2,0,0,A,A,9,Check-Out,2016-05-10",
        "H,0,3,2016,Mai,9,0,1,2,0,0,A,A,9,Check-Out,2016-05-10",
        "H,0,-3,2016,May,9,0,1,2,0,0,A,A,9,Check-Out,2016-05-10",
        "H,0,3,2016,May,9,0,1,2,0,0,NULL,A,9,Check-Out,2016-05-10",
        "H,0,3,2016,May,9,0,1,2,0,0,A,A,9,Moved,2016-05-10",
        "H,1,3,2016,May,9,0,1,2,0,0,A,A,9,Canceled,",
        "H,0,3,2016,May,9,0,1,2,0",
        "H,0,3,2016,May,9,0,1,2,0,0,A,A,9,Check-Out,2016-05-10",
    ]);
    assert_eq!(demand.rows, 8);
    assert_eq!(demand.set_aside[&Reason::Unreadable].rows, 7);
    assert_eq!(demand.set_aside[&Reason::Unreadable].first_line, 2);
    assert_eq!(demand.stays.iter().map(|stay| stay.line).collect::<Vec<_>>(), [9]);
}

#[test]
fn unknown_children_are_none_and_said() {
    let demand = read(&["H,0,3,2016,May,9,0,1,2,NA,0,A,A,9,Check-Out,2016-05-10"]);
    assert_eq!((demand.children_unknown, demand.stays[0].children), (1, 0));
}

#[test]
fn a_cancellation_cannot_precede_its_booking() {
    let demand = read(&["H,1,3,2016,May,9,0,1,2,0,0,A,A,9,Canceled,2016-05-01"]);
    assert_eq!(demand.cancelled_too_early, 1);
    assert_eq!(demand.stays[0].cancelled_on, Some(day("2016-05-06")));
}

#[test]
fn a_missing_or_doubled_column_is_named() {
    let missing = Demand::read("a,b\n1,2\n".as_bytes()).unwrap_err();
    assert!(missing.to_string().contains("no column reserved_room_type"), "{missing}");
    let doubled = Demand::read(format!("{HEADER},adults\n").as_bytes()).unwrap_err();
    assert!(doubled.to_string().contains("two columns adults"), "{doubled}");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_column() {
    let text = format!("\u{feff}{HEADER}\nCity Hotel,0,3,2016,May,9,0,1,2,0,0,A,A,9,Check-Out,\n");
    assert_eq!(Demand::read(text.as_bytes()).unwrap().stays[0].hotel, "City Hotel");
}

#[test]
fn plain_and_gzip_files_read_alike_and_a_zip_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{HEADER}\nH,0,3,2016,May,9,0,1,2,0,0,A,A,9,Check-Out,2016-05-10\n");
    let plain = folder.path().join("plain.csv.gz");
    std::fs::write(&plain, &text).unwrap();
    let packed = folder.path().join("packed.csv");
    let mut encoder =
        flate2::write::GzEncoder::new(File::create(&packed).unwrap(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
    assert_eq!(Demand::open(&plain).unwrap().stays, Demand::open(&packed).unwrap().stays);

    let zip = folder.path().join("demand.zip");
    std::fs::write(&zip, b"PK\x03\x04").unwrap();
    assert!(Demand::open(&zip).unwrap_err().to_string().contains("unpack it first"));
}

#[test]
fn a_cut_gzip_file_is_an_error_and_no_shorter_demand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.csv.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let row = "H,0,3,2016,May,9,0,1,2,0,0,A,A,9,Check-Out,2016-05-10\n";
    encoder.write_all(format!("{HEADER}\n{}", row.repeat(500)).as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    assert!(Demand::open(&path).is_err());
}

#[test]
fn days_and_dates_convert_both_ways() {
    for date in ["1970-01-01", "2013-06-24", "2016-02-29", "2028-12-31"] {
        assert_eq!(date_of(day(date)).to_string(), date);
    }
    assert_eq!(day("2016-03-01") - day("2016-02-28"), 2);
}
