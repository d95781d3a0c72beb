//! Payments: declined, unanswered, resumed, overtaken, too late.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};
use holdfast_replication::DrivenTime;
use holdfast_server::payment::{Authorisation, Charge, PaymentProvider, Payments};
use serde_json::json;
use tokio::sync::Notify;

use crate::house::{House, booking};

/// A provider that the token tells when to answer.
#[derive(Clone)]
struct Fickle {
    time: Arc<DrivenTime>,
    asked: Arc<Mutex<Vec<u128>>>,
    voided: Arc<Mutex<BTreeSet<u128>>>,
    told: Arc<Notify>,
}

impl Fickle {
    fn new(time: &Arc<DrivenTime>) -> Self {
        Self {
            time: time.clone(),
            asked: Arc::default(),
            voided: Arc::default(),
            told: Arc::default(),
        }
    }

    async fn has_voided(&self, intent: u128) {
        while !self.voided.lock().unwrap().contains(&intent) {
            self.told.notified().await;
        }
    }
}

impl PaymentProvider for Fickle {
    fn method(&self) -> &'static str {
        "fickle"
    }

    fn knows(&self, _token: &str) -> bool {
        true
    }

    fn authorise<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Authorisation> {
        let mut asked = self.asked.lock().unwrap();
        let first = asked.is_empty();
        asked.push(charge.intent);
        match charge.token.as_str() {
            "second" if first => return future::pending().boxed(),
            // Longer than a hold waits for a payment.
            "late" => self.time.advance(Duration::from_secs(121)),
            _ => {}
        }
        future::ready(Authorisation::Granted { reference: charge.intent.to_string() }).boxed()
    }

    fn void(&self, intent: u128) -> BoxFuture<'_, ()> {
        self.voided.lock().unwrap().insert(intent);
        self.told.notify_one();
        future::ready(()).boxed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_goes_on_with_the_same_payment_and_learns_its_end() {
    let mut fickle = None;
    let house = House::open_with(|time| {
        let provider = fickle.insert(Fickle::new(time)).clone();
        Payments::new(vec![Box::new(provider)])
    })
    .await;
    let fickle = fickle.unwrap();
    let hotel = house.hotel("Fickle", (1, 2), |_| {}).await;
    let guest = house.guest("ann");
    let hold = guest.holds("k", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    let mut body = booking(&hold, "second");
    body["payment"]["method"] = "fickle".into();
    guest.post("/v1/bookings", "1", &body).await.refuses(504, "payment.unknown");
    let booked = guest.post("/v1/bookings", "1", &body).await.expect(201);
    let asked = fickle.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1], "one payment, however often it is asked about");
    assert_eq!(booked.body["payment"]["reference"], asked[0].to_string());
    assert!(fickle.voided.lock().unwrap().is_empty());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_set_aside_for_a_hold_that_ended_meanwhile_is_given_back() {
    let mut fickle = None;
    let house = House::open_with(|time| {
        let provider = fickle.insert(Fickle::new(time)).clone();
        Payments::new(vec![Box::new(provider)])
    })
    .await;
    let fickle = fickle.unwrap();
    let hotel = house.hotel("Too late", (1, 2), |_| {}).await;
    let guest = house.guest("ann");
    let hold = guest.holds("k", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    let mut body = booking(&hold, "late");
    body["payment"]["method"] = "fickle".into();
    guest.post("/v1/bookings", "1", &body).await.refuses(410, "hold.expired");
    let asked = fickle.asked.lock().unwrap().clone();
    assert_eq!(fickle.voided.lock().unwrap().iter().copied().collect::<Vec<_>>(), asked);
    guest.post("/v1/bookings", "1", &body).await.refuses(410, "hold.expired");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_first_request_of_a_key_runs_the_second_is_told_to_wait() {
    let house = House::open().await;
    let hotel = house.hotel("Running", (1, 2), |_| {}).await;
    let guest = house.guest("ann");
    let hold = guest.holds("k", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    let body = booking(&hold, "tok_timeout");
    let first = {
        let (guest, body) = (guest.clone(), body.clone());
        tokio::spawn(async move { guest.post("/v1/bookings", "1", &body).await })
    };
    let path = format!("/v1/holds/{hold}");
    while guest.get(&path).await.expect(200).body["status"] != "confirming" {}
    let second = guest.post("/v1/bookings", "1", &body).await;
    let second = second.refuses(409, "idempotency.in_progress");
    assert!(second.header("retry-after").is_some());
    first.await.unwrap().refuses(504, "payment.unknown");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_declined_payment_leaves_the_hold_as_it_was() {
    let house = House::open().await;
    let hotel = house.hotel("Declined", (1, 2), |_| {}).await;
    let guest = house.guest("ann");
    let held = guest.post("/v1/holds", "k", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    let hold = held.expect(201);
    let path = format!("/v1/holds/{}", hold.id());
    let body = booking(&hold.id(), "tok_declined");
    guest.post("/v1/bookings", "1", &body).await.refuses(402, "payment.declined");
    assert_eq!(guest.get(&path).await.expect(200).body, hold.body);
    guest.post("/v1/bookings", "2", &booking(&hold.id(), "tok_ok")).await.expect(201);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unanswered_payment_keeps_the_hold_for_its_key_until_its_time_is_up() {
    let house = House::open().await;
    let hotel = house.hotel("Unanswered", (1, 1), |_| {}).await;
    let (guest, other) = (house.guest("ann"), house.guest("bob"));
    let request = hotel.hold("2027-01-20", "2027-01-21", 1);
    let hold = guest.holds("k", &request).await;
    let body = booking(&hold, "tok_timeout");
    let answer = guest.post("/v1/bookings", "1", &body).await.refuses(504, "payment.unknown");
    assert!(answer.header("retry-after").is_some());
    let path = format!("/v1/holds/{hold}");
    let read = guest.get(&path).await.expect(200);
    assert_eq!(read.body["status"], "confirming");
    assert_eq!(read.body["expires_at"], "2027-01-10T10:02:00+07:00");

    // Another key does not get in between, the same key with another body is a mistake, and neither
    // giving the hold back nor more time is possible meanwhile.
    let good = booking(&hold, "tok_ok");
    let answer = guest.post("/v1/bookings", "2", &good).await.refuses(409, "hold.confirming");
    assert!(answer.header("retry-after").is_some());
    let reused = guest.post("/v1/bookings", "1", &good).await;
    reused.refuses(422, "idempotency.key_reused");
    guest.delete(&path).await.refuses(409, "hold.confirming");
    let extend = format!("{path}/extend");
    guest.post(&extend, "e", &json!({})).await.refuses(409, "hold.confirming");

    // The same request goes on with the same payment.
    house.wait(60);
    guest.post("/v1/bookings", "1", &body).await.refuses(504, "payment.unknown");
    let read = guest.get(&path).await.expect(200);
    assert_eq!(read.body["expires_at"], "2027-01-10T10:02:00+07:00");

    // Past the limit the hold has ended, for every key, and its room is another's to take.
    house.wait(61);
    guest.post("/v1/bookings", "1", &body).await.refuses(410, "hold.expired");
    guest.post("/v1/bookings", "2", &good).await.refuses(410, "hold.expired");
    other.post("/v1/holds", "k", &request).await.expect(201);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_past_its_time_is_gone_or_revived_for_no_more_than_was_agreed() {
    let house = House::open().await;
    let hotel = house.hotel("Late", (1, 2), |_| {}).await;
    let guest = house.guest("ann");
    let hold = guest.holds("k", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    house.wait(899);
    let early = guest.holds("k2", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    house.wait(1);
    let mut body = booking(&hold, "tok_ok");
    guest.post("/v1/bookings", "1", &body).await.refuses(410, "hold.expired");
    body["revive"] = true.into();
    let answer = guest.post("/v1/bookings", "2", &body).await.refuses(422, "field.required");
    assert_eq!(answer.fields()[0].0, "/expected_total");
    // Dearer by now than was agreed: refused with what it costs, and the refusal stands for its key.
    let kind = &hotel.kinds[0];
    let line = |price: u32| {
        json!({
            "seq": price, "room_type": kind.room_type, "rate_plan": kind.rate_plan,
            "from": "2027-01-20", "to": "2027-01-20", "price": price,
        })
    };
    house.ari("price", &line(160_000)).await;
    body["expected_total"] = json!({"amount": 150_000, "currency": "THB"});
    let answer = guest.post("/v1/bookings", "3", &body).await.refuses(409, "price.changed");
    assert_eq!(answer.body["quote"]["total"]["amount"], 160_000);
    house.ari("price-2", &line(140_000)).await;
    let again = guest.post("/v1/bookings", "3", &body).await.refuses(409, "price.changed");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let booked = guest.post("/v1/bookings", "4", &body).await.expect(201);
    assert_eq!(booked.body["total"]["amount"], 140_000);
    assert_eq!(booked.body["payment"]["amount"]["amount"], 140_000);
    guest.post("/v1/bookings", "5", &body).await.refuses(409, "hold.already_confirmed");
    // A hold that stands needs no reviving.
    let mut body = booking(&early, "tok_ok");
    body["revive"] = true.into();
    body["expected_total"] = json!({"amount": 150_000, "currency": "THB"});
    guest.post("/v1/bookings", "6", &body).await.expect(201);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_nobody_came_back_for_is_voided_once_its_hold_has_expired() {
    let mut fickle = None;
    let house = House::open_with(|time| {
        let provider = fickle.insert(Fickle::new(time)).clone();
        Payments::new(vec![Box::new(provider)])
    })
    .await;
    let fickle = fickle.unwrap();
    let hotel = house.hotel("Abandoned", (1, 2), |_| {}).await;
    let guest = house.guest("ann");
    let hold = guest.holds("k", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    let mut body = booking(&hold, "second");
    body["payment"]["method"] = "fickle".into();
    guest.post("/v1/bookings", "1", &body).await.refuses(504, "payment.unknown");
    assert!(fickle.voided.lock().unwrap().is_empty());
    house.wait(121);
    // Somebody looks at the hotel's rooms, so that the log notices.
    guest.holds("k2", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    let asked = fickle.asked.lock().unwrap()[0];
    fickle.has_voided(asked).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_provider_knows_is_refused_before_anything_is_recorded() {
    let house = House::open().await;
    let hotel = house.hotel("Unknown", (1, 2), |_| {}).await;
    let guest = house.guest("ann");
    let hold = guest.holds("k", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    let good = booking(&hold, "tok_ok");
    let cases = [
        ("/payment/method", json!("card"), 422, "payment.method_unknown"),
        ("/payment/token", json!("tok_visa"), 422, "payment.token_unknown"),
        ("/guest/email", json!("nobody"), 422, "email.invalid"),
        ("/guest/name", json!(""), 422, "text.too_short"),
        ("/expected_total", json!({"amount": 1, "currency": "USD"}), 422, "currency.mismatch"),
        ("/expected_total", json!({"amount": 1, "currency": "THB"}), 409, "price.changed"),
        ("/hold_id", json!("hold_00000000000000000000000000"), 404, "hold.not_found"),
        ("/hold_id", json!("anything"), 404, "hold.not_found"),
    ];
    for (at, (pointer, value, status, code)) in cases.into_iter().enumerate() {
        let mut body = good.clone();
        match body.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => body[pointer.trim_start_matches('/')] = value,
        }
        let answer = guest.post("/v1/bookings", &format!("case-{at}"), &body).await;
        let answer = answer.refuses(status, code);
        if code == "price.changed" {
            assert_eq!(answer.body["quote"]["total"]["amount"], 150_000);
        }
    }
    let read = guest.get(&format!("/v1/holds/{hold}")).await.expect(200);
    assert_eq!(read.body["status"], "active");
    let mut body = good;
    body["expected_total"] = json!({"amount": 150_000, "currency": "THB"});
    guest.post("/v1/bookings", "good", &body).await.expect(201);
    house.close().await;
}
