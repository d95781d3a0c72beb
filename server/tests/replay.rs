//! `holdfast replay` against the real server, both as processes: with room for all, squeezed, and
//! again.
//!
//! `HOLDFAST_DEMAND_CSV` names the published booking demand file to replay as well; without it that
//! part is skipped, which the output says.

#[expect(dead_code, reason = "killing is for the crash test")]
#[path = "support/server.rs"]
mod server;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use server::{BINARY, Server};

const HEADER: &str = "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,\
    arrival_date_day_of_month,stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,\
    reserved_room_type,assigned_room_type,adr,reservation_status,reservation_status_date";
/// Rows of the made-up demand.
const ROWS: usize = 1_500;

/// A demand of three room types over two months, with rows of every kind.
fn made_up_demand(folder: &Path) -> PathBuf {
    let mut dice = StdRng::seed_from_u64(20_161_122);
    let first = jiff::civil::date(2016, 5, 1);
    let mut text = format!("{HEADER}\n");
    for row in 0..ROWS {
        let arrival = first.saturating_add(jiff::Span::new().days(dice.random_range(0..60)));
        let lead: i64 = dice.random_range(0..120);
        let nights = if row % 50 == 0 { 0 } else { dice.random_range(1..9) };
        let adults = if row % 70 == 0 { 26 } else { dice.random_range(1..=3) };
        let kind = ["A", "A", "A", "B", "B", "C"][dice.random_range(0..6)];
        let (canceled, status, date) = match dice.random_range(0..10) {
            0..3 => {
                let back = jiff::Span::new().days(dice.random_range(0..=lead));
                (1, "Canceled", arrival.saturating_sub(back))
            }
            3 => (1, "No-Show", arrival),
            _ => (0, "Check-Out", arrival),
        };
        writeln!(
            text,
            "Made-up Hotel,{canceled},{lead},{},{},{},0,{nights},{adults},{},{},{kind}    ,{kind},\
             {},{status},{date}",
            arrival.year(),
            ["May", "June"][usize::from(arrival.month() == 6)],
            arrival.day(),
            row % 2,
            row % 11 / 10,
            dice.random_range(-6..300),
        )
        .unwrap();
    }
    let path = folder.join("demand.csv");
    std::fs::write(&path, text).unwrap();
    path
}

struct Run<'a> {
    server: &'a Server,
    tokens: [String; 2],
    file: PathBuf,
}

impl Run<'_> {
    fn output(&self, flags: &[&str]) -> Output {
        let [partner, admin] = &self.tokens;
        Command::new(BINARY)
            .arg("replay")
            .arg(&self.file)
            .args(["--url", &self.server.url()])
            .args(["--token-partner", partner, "--token-admin", admin])
            .args(flags)
            .output()
            .unwrap()
    }

    /// The report of a run whose books add up.
    fn report(&self, flags: &[&str]) -> Value {
        let output = self.output(&[&["--json"], flags].concat());
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["check"]["adds_up"], true, "{report}");
        report
    }
}

fn run(server: &Server, file: PathBuf) -> Run<'_> {
    let tokens = ["partner", "admin"].map(|role| server.token(role, &format!("replay-{role}")));
    Run { server, tokens, file }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// With room for all, then with half the rooms, on one server.
fn replay_roomy_and_squeezed(run: &Run<'_>) -> [Value; 2] {
    let roomy = run.report(&["--concurrency", "8"]);
    assert_eq!(roomy["refused"], serde_json::json!([]));
    assert_eq!(roomy["booked"], roomy["sent"]);
    let aside: u64 =
        roomy["set_aside"].as_array().unwrap().iter().map(|aside| number(&aside["rows"])).sum();
    assert_eq!(number(&roomy["sent"]) + aside, number(&roomy["rows"]));

    let half = (number(&roomy["rooms_for_all"]) / 2).to_string();
    let squeezed = run.report(&["--concurrency", "8", "--rooms", &half]);
    let refused: u64 =
        squeezed["refused"].as_array().unwrap().iter().map(|code| number(&code["rows"])).sum();
    assert!(refused > 0, "half the rooms are enough for all?");
    assert_eq!(squeezed["refused"][0]["code"], "inventory.insufficient");
    assert_eq!(number(&squeezed["booked"]) + refused, number(&squeezed["sent"]));
    assert_ne!(roomy["hotels"][0]["hotel_id"], squeezed["hotels"][0]["hotel_id"]);
    [roomy, squeezed]
}

#[test]
fn the_books_add_up_with_room_for_all_and_squeezed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let run = run(&server, made_up_demand(folder.path()));
    let [roomy, _] = replay_roomy_and_squeezed(&run);
    assert_eq!(number(&roomy["rows"]), ROWS as u64);
    let reasons: Vec<_> =
        roomy["set_aside"].as_array().unwrap().iter().map(|aside| &aside["reason"]).collect();
    assert_eq!(reasons, ["zero_nights", "too_many_people"]);
    assert!(number(&roomy["cancelled"]) > 0);

    // For a person: tables, on standard output, and one room more changes nothing for anyone.
    let rooms = (number(&roomy["rooms_for_all"]) + 1).to_string();
    let output = run.output(&["--concurrency", "1", "--rooms", &rooms]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("The books add up") && text.contains("p99.9 ms"), "{text}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_wrong_token_ends_with_exit_code_1_and_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let mut run = run(&server, made_up_demand(folder.path()));
    run.tokens.swap(0, 1);
    let output = run.output(&[]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("auth."), "{text}");
}

#[test]
fn the_published_demand_adds_up_with_room_for_all_and_squeezed() {
    let Some(file) = std::env::var_os("HOLDFAST_DEMAND_CSV") else {
        // Past the capture of the test's output, so that a skipped test is seen to be one.
        let _ = writeln!(std::io::stderr(), "replay: SKIPPED, HOLDFAST_DEMAND_CSV is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::try_start(&folder.path().join("data"), &["--horizon", "1000"]).unwrap();
    for report in replay_roomy_and_squeezed(&run(&server, file.into())) {
        let _ = writeln!(std::io::stderr(), "replay: {report}");
    }
}
