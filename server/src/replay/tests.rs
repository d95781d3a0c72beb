//! The whole replay against doors of its own: honest ones, and ones with one fault each that the
//! check must see.

mod doors;

use std::path::Path;

use super::*;
use doors::{Doors, Fault};

const HEADER: &str = "hotel,lead_time,arrival_date_year,arrival_date_month,\
    arrival_date_day_of_month,stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,\
    reserved_room_type,reservation_status,reservation_status_date";

/// Sixty rows of two room types over ten arrival days; every fourth is cancelled two days before
/// arrival.
fn csv(folder: &Path) -> PathBuf {
    let mut text = format!("{HEADER}\nH,3,2016,May,9,0,1,0,0,0,A,Check-Out,2016-05-10\n");
    for row in 0..60 {
        let (arrival, nights, lead) = (10 + row % 10, 1 + row % 3, 3 + row % 7);
        let kind = if row % 5 == 0 { "B" } else { "A" };
        let (children, babies) = (row % 2, row % 3 / 2);
        let status = if row % 4 == 0 {
            format!("Canceled,2016-05-{:02}", arrival - 2)
        } else {
            "Check-Out,2016-05-30".to_owned()
        };
        text.push_str(&format!(
            "H,{lead},2016,May,{arrival},0,{nights},2,{children},{babies},{kind},{status}\n"
        ));
    }
    let path = folder.join("demand.csv");
    std::fs::write(&path, text).unwrap();
    path
}

async fn replay_at(fault: Fault, rooms: Option<u32>, concurrency: u64) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir().unwrap();
    let args = Args {
        file: csv(folder.path()),
        url: Doors::open(fault).await,
        token_partner: "partner".into(),
        token_admin: "admin".into(),
        rooms,
        concurrency,
        json: false,
    };
    replay(&args).await
}

#[tokio::test]
async fn with_room_for_all_every_row_is_booked_and_the_books_add_up() {
    for concurrency in [1, 8] {
        let report = replay_at(Fault::None, None, concurrency).await.unwrap();
        assert!(report.verdict.adds_up(), "{report}");
        let json = report.json();
        assert_eq!((&json["rows"], &json["sent"]), (&61.into(), &60.into()));
        assert_eq!((&json["booked"], &json["cancelled"]), (&60.into(), &15.into()));
        assert_eq!(json["set_aside"][0]["reason"], "no_guests");
        assert_eq!(json["check"]["cells"], 2 * 12);
        let text = report.to_string();
        assert!(text.contains("The books add up: 24 room-type-nights"), "{text}");
        assert!(text.contains("no guests; first: line 2"), "{text}");
    }
}

#[tokio::test]
async fn squeezed_some_rows_are_refused_and_the_books_add_up() {
    for concurrency in [1, 8] {
        let report = replay_at(Fault::None, Some(6), concurrency).await.unwrap();
        assert!(report.verdict.adds_up(), "{report}");
        let json = report.json();
        let refused = json["refused"][0]["rows"].as_u64().unwrap();
        assert_eq!(json["refused"][0]["code"], "inventory.insufficient");
        assert!(refused > 10, "{refused}");
        assert_eq!(json["booked"].as_u64().unwrap() + refused, 60);
        let moot = json["cancellations_moot"].as_u64().unwrap();
        assert_eq!(json["cancelled"].as_u64().unwrap() + moot, 15);
    }
}

#[tokio::test]
async fn lost_replies_are_asked_for_again_and_nothing_is_counted_twice() {
    let report = replay_at(Fault::LosesReplies, None, 8).await.unwrap();
    assert!(report.verdict.adds_up(), "{report}");
    assert!(report.json()["calls"]["hold"]["repeats"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn each_fault_of_a_server_is_seen() {
    for (fault, words) in [
        (Fault::ForgetsABooking, "rows and replies add up to"),
        (Fault::KeepsAHold, "held though every hold has ended"),
        (Fault::SellsTooMany, "were sold on one of its nights"),
        (Fault::HidesANight, "leaves it out"),
        (Fault::RefusesAFreeRoom, "though rooms were free on every night"),
        (Fault::RefusesForAnotherReason, "though there is room for every row"),
    ] {
        let rooms = (fault == Fault::SellsTooMany).then_some(6);
        let report = replay_at(fault, rooms, 4).await.unwrap();
        assert!(!report.verdict.adds_up(), "{fault:?} went unseen");
        let text = report.to_string();
        assert!(text.contains("DO NOT ADD UP") && text.contains(words), "{fault:?}: {text}");
    }
}

#[tokio::test]
async fn a_horizon_too_short_ends_the_run_before_the_first_hold() {
    let Err(error) = replay_at(Fault::ShortHorizon, None, 4).await else {
        panic!("it went on");
    };
    let text = format!("{error:#}");
    assert!(text.contains("stay.beyond_horizon") && text.contains("--horizon 100"), "{text}");
}
