//! Holds: races, bounds, life and every way of being refused.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::house::{House, booking};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_at_once_for_ten_rooms_get_ten_and_the_rest_learn_every_short_night() {
    let house = House::open().await;
    let hotel = house.hotel("Ten Rooms", (1, 10), |_| {}).await;
    let body = hotel.hold("2027-01-20", "2027-01-23", 1);
    let mut racers = JoinSet::new();
    for racer in 0..50 {
        let (guest, body) = (house.guest(&format!("guest-{racer}")), body.clone());
        racers.spawn(async move { guest.post("/v1/holds", "race", &body).await });
    }
    let mut counts: BTreeMap<u16, u32> = BTreeMap::new();
    while let Some(answer) = racers.join_next().await {
        let answer = answer.unwrap();
        *counts.entry(answer.status).or_default() += 1;
        if answer.status == 409 {
            let answer = answer.refuses(409, "inventory.insufficient");
            let nights = ["2027-01-20", "2027-01-21", "2027-01-22"];
            let short = nights.map(|night| (night.into(), "inventory.insufficient".into()));
            assert_eq!(answer.nights(), short);
            let layer = format!("room_type:{}", hotel.kinds[0].room_type);
            assert_eq!(answer.body["blockers"][0]["layer"], layer);
        }
    }
    assert_eq!(counts, BTreeMap::from([(201, 10), (409, 40)]));

    // Missing rooms are judged anew under the same key: once one is given back it is there.
    let late = house.guest("late");
    let before = house.state.reader().applied_index();
    late.post("/v1/holds", "late", &body).await.refuses(409, "inventory.insufficient");
    assert_eq!(house.state.reader().applied_index(), before, "a refusal is a read");
    house.wait(901);
    let held = late.post("/v1/holds", "late", &body).await.expect(201);
    assert!(!held.is_replayed());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_one_room_type_are_counted_together() {
    let house = House::open().await;
    let hotel = house.hotel("Summed", (1, 3), |_| {}).await;
    let guest = house.guest("ann");
    let mut body = hotel.hold("2027-01-20", "2027-01-21", 2);
    let line = body["lines"][0].clone();
    body["lines"] = json!([line, line]);
    let refused = guest.post("/v1/holds", "k", &body).await;
    refused.refuses(409, "inventory.insufficient");
    body["lines"][1]["quantity"] = 1.into();
    let held = guest.post("/v1/holds", "k", &body).await.expect(201);
    assert_eq!(held.body["lines"].as_array().unwrap().len(), 2);
    assert_eq!(held.body["quote"]["total"]["amount"], 450_000);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_is_extended_twice_at_most_and_never_past_its_longest_life() {
    let house = House::open().await;
    let hotel = house.hotel("Extended", (1, 3), |_| {}).await;
    let guest = house.guest("ann");
    let hold = guest.holds("k", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    let path = format!("/v1/holds/{hold}/extend");
    let (body, longest) = (json!({}), "2027-01-10T10:45:00+07:00");
    house.wait(890);
    let first = guest.post(&path, "1", &body).await.expect(200);
    assert_eq!(first.body["expires_at"], "2027-01-10T10:29:50+07:00");
    house.wait(890);
    let second = guest.post(&path, "2", &body).await.expect(200);
    assert_eq!(second.body["expires_at"], "2027-01-10T10:44:40+07:00");
    assert!(second.body["expires_at"].as_str().unwrap() <= longest);
    house.wait(10);
    guest.post(&path, "3", &body).await.refuses(409, "hold.extension_limit");
    house.wait(900);
    guest.post(&path, "4", &body).await.refuses(410, "hold.expired");
    let read = guest.get(&format!("/v1/holds/{hold}")).await.expect(200);
    assert_eq!(read.body["status"], "expired");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_released_hold_frees_its_rooms_and_releasing_again_says_the_same() {
    let house = House::open().await;
    let hotel = house.hotel("Released", (1, 1), |_| {}).await;
    let (ann, bob) = (house.guest("ann"), house.guest("bob"));
    let body = hotel.hold("2027-01-20", "2027-01-21", 1);
    let hold = ann.holds("k", &body).await;
    bob.post("/v1/holds", "k", &body).await.refuses(409, "inventory.insufficient");
    let path = format!("/v1/holds/{hold}");
    let first = ann.delete(&path).await.expect(200);
    assert_eq!(first.body["status"], "released");
    assert_eq!(ann.delete(&path).await.expect(200).body, first.body);
    bob.post("/v1/holds", "k", &body).await.expect(201);
    ann.post(&format!("{path}/extend"), "e", &json!({})).await.refuses(409, "hold.released");
    let body = booking(&hold, "tok_ok");
    ann.post("/v1/bookings", "b", &body).await.refuses(409, "hold.released");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_price_is_refused_with_the_new_quote() {
    let house = House::open().await;
    let hotel = house.hotel("Dearer", (1, 3), |_| {}).await;
    let guest = house.guest("ann");
    let mut body = hotel.hold("2027-01-20", "2027-01-22", 1);
    body["expected_total"] = json!({"amount": 299_999, "currency": "THB"});
    let refused = guest.post("/v1/holds", "k", &body).await.refuses(409, "price.changed");
    assert_eq!(refused.body["total"], json!({"amount": 300_000, "currency": "THB"}));
    assert_eq!(refused.body["quote"]["total"]["amount"], 300_000);
    assert_eq!(refused.body["quote"]["lines"][0]["nights"].as_array().unwrap().len(), 2);

    // The stored refusal is repeated, with its own total, whatever prices do since.
    let kind = &hotel.kinds[0];
    let line = json!({
        "seq": 2, "room_type": kind.room_type, "rate_plan": kind.rate_plan,
        "from": "2027-01-20", "to": "2027-01-20", "price": 250_000,
    });
    house.ari(&kind.room_type, &line).await;
    let again = guest.post("/v1/holds", "k", &body).await.refuses(409, "price.changed");
    assert!(again.is_replayed());
    assert_eq!(again.body["quote"]["total"]["amount"], 300_000);

    body["expected_total"]["amount"] = 400_000.into();
    guest.post("/v1/holds", "k2", &body).await.expect(201);
    house.close().await;
}

/// What is changed of a good request, and what it is refused with.
struct Case {
    change: fn(&mut Value),
    status: u16,
    code: &'static str,
    /// Of the one wrong field, where the refusal names one.
    pointer: Option<&'static str>,
}

fn wrong(change: fn(&mut Value), code: &'static str, pointer: &'static str) -> Case {
    Case { change, status: 422, code, pointer: Some(pointer) }
}

fn refused(change: fn(&mut Value), status: u16, code: &'static str) -> Case {
    Case { change, status, code, pointer: None }
}

/// No id of anything.
const NO_HOTEL: &str = "htl_00000000000000000000000000";
const NO_ROOM_TYPE: &str = "rt_00000000000000000000000000";
const NO_RATE_PLAN: &str = "rp_00000000000000000000000000";

fn cases() -> Vec<Case> {
    vec![
        wrong(|b| b["check_in"] = "2027-02-29".into(), "date.invalid", "/check_in"),
        wrong(|b| b["check_out"] = "2570-01-22".into(), "date.invalid", "/check_out"),
        wrong(|b| b["lines"] = json!([]), "list.length", "/lines"),
        wrong(|b| b["lines"][0]["quantity"] = 0.into(), "field.range", "/lines/0/quantity"),
        wrong(|b| b["lines"][0]["adults"] = 0.into(), "field.range", "/lines/0/adults"),
        wrong(
            |b| b["lines"][0]["children_ages"] = json!([18]),
            "field.range",
            "/lines/0/children_ages",
        ),
        wrong(|b| b["ttl_s"] = 901.into(), "field.range", "/ttl_s"),
        wrong(|b| b["promo_code"] = "S N".into(), "promo.code_invalid", "/promo_code"),
        wrong(|b| b["colour"] = "blue".into(), "field.unknown", "/colour"),
        wrong(|b| b["lines"][0]["adults"] = "two".into(), "field.invalid", "/lines/0/adults"),
        wrong(
            |b| b["expected_total"] = json!({"amount": 1, "currency": "USD"}),
            "currency.mismatch",
            "/expected_total/currency",
        ),
        refused(|b| b["hotel_id"] = NO_HOTEL.into(), 404, "hotel.not_found"),
        refused(|b| b["hotel_id"] = "somewhere".into(), 404, "hotel.not_found"),
        Case {
            change: |b| b["lines"][0]["room_type_id"] = NO_ROOM_TYPE.into(),
            status: 404,
            code: "room_type.not_found",
            pointer: Some("/lines/0/room_type_id"),
        },
        Case {
            change: |b| b["lines"][0]["rate_plan_id"] = NO_RATE_PLAN.into(),
            status: 404,
            code: "rate_plan.not_found",
            pointer: Some("/lines/0/rate_plan_id"),
        },
        refused(|b| b["check_out"] = "2027-01-20".into(), 422, "stay.too_short"),
        refused(|b| b["check_out"] = "2027-01-19".into(), 422, "stay.too_short"),
        refused(|b| b["check_out"] = "2027-02-20".into(), 422, "stay.too_long"),
        refused(|b| b["check_in"] = "2027-01-09".into(), 422, "stay.in_past"),
        refused(
            |b| {
                b["check_in"] = "2029-06-01".into();
                b["check_out"] = "2029-06-02".into();
            },
            422,
            "stay.beyond_horizon",
        ),
        refused(
            |b| {
                b["check_in"] = "2027-04-01".into();
                b["check_out"] = "2027-04-02".into();
            },
            409,
            "rate.missing",
        ),
        refused(|b| b["lines"][0]["adults"] = 3.into(), 422, "occupancy.too_many"),
        refused(|b| b["lines"][0]["quantity"] = 6.into(), 409, "inventory.insufficient"),
        refused(
            |b| {
                b["check_in"] = "2027-01-25".into();
                b["check_out"] = "2027-01-26".into();
            },
            409,
            "stay.restricted",
        ),
        refused(
            |b| {
                b["check_in"] = "2027-01-28".into();
                b["check_out"] = "2027-01-31".into();
            },
            409,
            "stay.closed",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_hold_is_refused_with_its_code_and_place() {
    let house = House::open().await;
    let hotel = house.hotel("Refusing", (1, 5), |_| {}).await;
    let kind = &hotel.kinds[0];
    for (seq, night, field, value) in
        [(2, "2027-01-25", "min_stay_arrival", json!(2)), (3, "2027-01-29", "closed", json!(true))]
    {
        let mut line = json!({
            "seq": seq, "room_type": kind.room_type, "rate_plan": kind.rate_plan,
            "from": night, "to": night,
        });
        line[field] = value;
        house.ari(&kind.room_type, &line).await;
    }
    let guest = house.guest("ann");
    for (at, case) in cases().into_iter().enumerate() {
        let mut body = hotel.hold("2027-01-20", "2027-01-22", 1);
        (case.change)(&mut body);
        let answer = guest.post("/v1/holds", &format!("case-{at}"), &body).await;
        let answer = answer.refuses(case.status, case.code);
        if let Some(pointer) = case.pointer {
            assert_eq!(answer.fields(), [(pointer.into(), case.code.into())]);
        }
        match case.code {
            "stay.closed" => {
                assert_eq!(answer.nights(), [("2027-01-29".into(), "stay.closed".into())]);
            }
            "stay.restricted" => {
                let night = ("2027-01-25".into(), "stay.min_stay_arrival".into());
                assert_eq!(answer.nights(), [night]);
            }
            _ => {}
        }
    }
    // Nothing of all that was held.
    let mut body = hotel.hold("2027-01-20", "2027-01-22", 5);
    body["client_reference"] = "mine".into();
    let hold = guest.holds("all", &body).await;
    let duplicate = guest.post("/v1/holds", "again", &body).await;
    // Missing rooms come before a name used twice.
    duplicate.refuses(409, "inventory.insufficient");
    body["check_in"] = "2027-02-01".into();
    body["check_out"] = "2027-02-02".into();
    let duplicate = guest.post("/v1/holds", "twice", &body).await;
    let duplicate = duplicate.refuses(409, "reference.duplicate");
    assert_eq!(duplicate.body["hold_id"], hold);
    assert_eq!(duplicate.body["link"], format!("/v1/holds/{hold}"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_hold_so_much_at_once_and_partners_as_much_as_they_need() {
    let house = House::open().await;
    let hotel = house.hotel("Hoarded", (1, 100), |_| {}).await;
    let (guest, partner) = (house.guest("ann"), house.partner("chain"));
    let body = hotel.hold("2027-01-20", "2027-01-21", 1);
    for at in 0..10 {
        guest.holds(&format!("k{at}"), &body).await;
    }
    let refused = guest.post("/v1/holds", "k10", &body).await;
    let refused = refused.refuses(429, "hold.quota_exceeded");
    assert!(refused.header("retry-after").is_some());
    for at in 0..12 {
        partner.holds(&format!("k{at}"), &body).await;
    }
    // What has ended counts no longer, swept or not.
    house.wait(901);
    guest.post("/v1/holds", "k10", &body).await.expect(201);
    house.close().await;
}
