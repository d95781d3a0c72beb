//! A guest names a promotion code: offers and holds with it, what is used of it, and what comes back.

use holdfast_server::client::Request;
use serde_json::{Value, json};

use crate::house::{Answer, Caller, House, booking};

const PLACE: &str = "/v1/promo-codes/SAVE";

async fn give(house: &House, change: impl FnOnce(&mut Value)) {
    let mut body = json!({"code": "save", "discount": {"percent_bp": 1_000}});
    change(&mut body);
    house.partner("chain").post("/v1/promo-codes", "give", &body).await.expect(201);
}

/// Uses and money: reserved, committed.
async fn used(owner: &Caller) -> [(u64, i64); 2] {
    let view = owner.get(PLACE).await.expect(200).body;
    ["reserved", "committed"].map(|kind| {
        let tally = &view[kind];
        (tally["uses"].as_u64().unwrap(), tally["money"]["amount"].as_i64().unwrap())
    })
}

fn codes(answer: &Answer) -> Vec<String> {
    let blockers = answer.body["blockers"].as_array().unwrap();
    blockers.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_reserved_by_the_hold_committed_by_the_booking_and_back_once_cancelled() {
    let house = House::open().await;
    let hotel = house.hotel("Saving", (1, 5), |_| {}).await;
    let (owner, guest) = (house.partner("chain"), house.guest("guest"));
    give(&house, |_| {}).await;
    let mut body = hotel.hold("2027-01-20", "2027-01-22", 2);
    body["promo_code"] = json!("Save");
    body["expected_total"] = json!({"amount": 540_000, "currency": "THB"});
    let held = guest.post("/v1/holds", "h", &body).await.expect(201);
    assert_eq!(
        (&held.body["promo_code"], &held.body["quote"]["promo"]["amount"]),
        (&json!("SAVE"), &json!(60_000))
    );
    assert_eq!(held.body["quote"]["total"]["amount"], 540_000);
    assert_eq!(used(&owner).await, [(1, 60_000), (0, 0)]);
    let booked = guest.post("/v1/bookings", "b", &booking(&held.id(), "tok_ok")).await.expect(201);
    assert_eq!(
        (&booked.body["promo_code"], &booked.body["total"]["amount"]),
        (&json!("SAVE"), &json!(540_000))
    );
    assert_eq!(used(&owner).await, [(0, 0), (1, 60_000)]);
    // One night more has the code too.
    let place = format!("/v1/bookings/{}", booked.id());
    let longer = json!({"check_out": "2027-01-23"});
    let patch = Request::new(http::Method::PATCH, &place).json(&longer).if_match("*");
    let changed = guest.send(patch).await.expect(200);
    assert_eq!(changed.body["total"]["amount"], 810_000);
    assert_eq!(used(&owner).await, [(0, 0), (1, 90_000)]);
    guest.delete(&place).await.expect(200);
    assert_eq!(used(&owner).await, [(0, 0); 2]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_use_is_given_to_one_of_many_and_again_once_it_has_run_out() {
    let house = House::open().await;
    let hotel = house.hotel("Race", (1, 20), |_| {}).await;
    let owner = house.partner("chain");
    give(&house, |body| body["uses_max"] = json!(1)).await;
    let mut body = hotel.hold("2027-01-20", "2027-01-21", 1);
    body["promo_code"] = json!("SAVE");
    let racers = (0..12).map(|at| {
        let (guest, body) = (house.guest(&format!("guest-{at}")), body.clone());
        tokio::spawn(async move { guest.post("/v1/holds", "race", &body).await })
    });
    let racers: Vec<_> = racers.collect();
    let mut won = 0;
    for racer in racers {
        let answer = racer.await.unwrap();
        if answer.status == 201 {
            won += 1;
        } else {
            assert_eq!(codes(&answer.refuses(409, "promo.exhausted")), ["promo.uses_exhausted"]);
        }
    }
    assert_eq!((won, used(&owner).await[0]), (1, (1, 15_000)));
    house.wait(15 * 60);
    house.guest("late").post("/v1/holds", "late", &body).await.expect(201);
    assert_eq!(used(&owner).await[0].0, 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offers_and_explain_take_a_code_and_say_what_is_in_its_way() {
    let house = House::open().await;
    let hotel = house.hotel("Offers", (1, 5), |_| {}).await;
    let guest = house.guest("guest");
    give(&house, |body| body["stay_from"] = json!("2027-01-20")).await;
    let ask = async |what: &str, dates: &str, code: &str| {
        let path = format!("/v1/hotels/{}/{what}?{dates}&promo_code={code}", hotel.id);
        guest.get(&path).await
    };
    let good = "check_in=2027-01-20&check_out=2027-01-22";
    let early = "check_in=2027-01-19&check_out=2027-01-21";
    let offers = ask("offers", good, "save").await.expect(200);
    let quote = &offers.body["items"][0]["quote"];
    assert_eq!(
        (&quote["promo"]["amount"], &quote["total"]["amount"]),
        (&json!(30_000), &json!(270_000))
    );
    let offers = ask("offers", early, "SAVE").await.expect(200);
    let offer = &offers.body["items"][0];
    assert_eq!(
        (&offer["state"], &offer["blockers"][0]["code"]),
        (&json!("closed"), &json!("promo.stay_window"))
    );
    assert_eq!(offers.body["nearest"][0]["check_in"], "2027-01-20");
    let explained = ask("explain", early, "SAVE").await.expect(200);
    let blocker = &explained.body["offers"][0]["blockers"][0];
    assert_eq!(
        (&blocker["code"], &blocker["layer"], &blocker["night"]),
        (&json!("promo.stay_window"), &json!("promo"), &json!("2027-01-19"))
    );
    assert_eq!(explained.body["nearest"][0]["total"]["amount"], 270_000);
    ask("offers", good, "no%20code").await.refuses(422, "promo.code_invalid");
    let explained = ask("explain", good, "NONE").await.expect(200);
    assert_eq!(explained.body["offers"][0]["blockers"][0]["code"], "promo.unknown");

    let mut body = hotel.hold("2027-01-19", "2027-01-21", 1);
    body["promo_code"] = json!("SAVE");
    let refused = guest.post("/v1/holds", "early", &body).await.refuses(409, "promo.not_valid");
    assert_eq!(codes(&refused), ["promo.stay_window"]);
    assert_eq!(refused.body["nearest"][0]["check_in"], "2027-01-20");
    body["promo_code"] = json!("NONE");
    guest.post("/v1/holds", "none", &body).await.refuses(422, "promo.unknown");
    // A code that was changed since: the new quote is in the refusal.
    let mut body = hotel.hold("2027-01-20", "2027-01-21", 1);
    body["promo_code"] = json!("SAVE");
    body["expected_total"] = json!({"amount": 1, "currency": "THB"});
    let refused = guest.post("/v1/holds", "dear", &body).await.refuses(409, "price.changed");
    assert_eq!(refused.body["quote"]["promo"]["amount"], 15_000);
    house.close().await;
}
