//! A booking whose stay is long over: read as it stood, changed no more, listed no more.

use holdfast_engine::command::Tick;
use holdfast_engine::ids::BookingId;
use holdfast_engine::{Command, Verb};
use holdfast_server::client::Request;
use http::Method;
use serde_json::{Value, json};

use crate::house::{Answer, Caller, House};

const HOUR_S: u64 = 3_600;
/// Calls of the clock after which what is over must have left memory.
const TICKS_MAX: usize = 50;

/// Time passes until a booking has left memory.
async fn wait_until_archived(house: &House, hours: u64, booking: &str) {
    let id: BookingId = booking.parse().unwrap();
    house.wait(hours * HOUR_S);
    for _ in 0..TICKS_MAX {
        house.wait(1);
        // An entry: the tick that is due by now rides with it or came before.
        house.state.node().submit(Command::plain(Verb::Tick(Tick)), None).await.unwrap();
        if house.state.reader().booking(id).is_none() {
            return;
        }
    }
    panic!("{booking} is in memory still");
}

fn same(one: &Answer, other: &Answer) {
    assert_eq!(one.body, other.body);
    assert_eq!(one.header("etag"), other.header("etag"));
}

async fn listed(caller: &Caller, path: &str) -> Vec<String> {
    let page = caller.get(path).await.expect(200);
    let items = page.body["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_booking_is_read_as_it_stood_and_changed_no_more() {
    let house = House::open().await;
    let hotel = house.hotel("Past", (1, 9), |_| {}).await;
    let (guest, desk, admin) = (house.guest("ann"), house.partner("chain"), house.admin());
    let stay = hotel.hold("2027-01-12", "2027-01-13", 1);
    let slept = guest.books("slept", &stay).await.id();
    let gone = guest.books("gone", &stay).await.id();
    let ahead = guest.books("ahead", &hotel.hold("2027-03-01", "2027-03-02", 1)).await.id();
    let at = |id: &str| format!("/v1/bookings/{id}");
    let cancelled = guest.delete(&at(&gone)).await.expect(200);
    let before = guest.get(&at(&slept)).await.expect(200);
    assert_eq!(before.body["guest"]["name"], "สมชาย ใจดี");

    wait_until_archived(&house, 36 * 24, &slept).await;
    for caller in [&guest, &desk, &admin] {
        same(&caller.get(&at(&slept)).await.expect(200), &before);
    }
    for stranger in [house.guest("bob"), house.partner("rival")] {
        stranger.get(&at(&slept)).await.refuses(404, "booking.not_found");
        stranger.delete(&at(&slept)).await.refuses(404, "booking.not_found");
    }
    let unknown = BookingId(7).to_string();
    guest.get(&at(&unknown)).await.refuses(404, "booking.not_found");
    assert_eq!(listed(&guest, "/v1/bookings").await, std::slice::from_ref(&ahead));
    assert_eq!(listed(&desk, &format!("/v1/hotels/{}/bookings", hotel.id)).await, [ahead]);

    guest.delete(&at(&slept)).await.refuses(409, "booking.state");
    let told = format!("{}?dry_run=true", at(&slept));
    guest.delete(&told).await.refuses(409, "booking.state");
    same(&guest.delete(&at(&gone)).await.expect(200), &cancelled);
    let patch =
        |tag: &str, body: &Value| Request::new(Method::PATCH, at(&slept)).json(body).if_match(tag);
    let longer = json!({"check_out": "2027-01-14"});
    guest.send(patch("*", &longer)).await.refuses(409, "booking.state");
    guest.send(patch("\"7\"", &longer)).await.refuses(412, "precondition.failed");
    for verb in ["check-in", "check-out", "no-show"] {
        let path = format!("{}/{verb}", at(&slept));
        desk.post(&path, verb, &json!({})).await.refuses(409, "booking.state");
    }
    same(&guest.get(&at(&slept)).await.expect(200), &before);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_under_a_key_is_answered_so_when_the_booking_is_archived() {
    let house = House::open().await;
    let hotel = house.hotel("Late", (1, 9), |_| {}).await;
    let (guest, desk) = (house.guest("ann"), house.partner("chain"));
    let id = guest.books("k", &hotel.hold("2027-01-10", "2027-01-11", 1)).await.id();
    let arrival = format!("/v1/bookings/{id}/check-in");
    desk.post(&arrival, "in", &json!({})).await.expect(200);
    // The hotel forgets its guest for 31 days: it may still say that the guest has left. At eleven in the
    // evening, UTC: an hour before the booking leaves memory.
    house.wait((31 * 24 + 20) * HOUR_S);
    let departure = format!("/v1/bookings/{id}/check-out");
    let left = desk.post(&departure, "out", &json!({})).await.expect(200);
    wait_until_archived(&house, 2, &id).await;
    let again = desk.post(&departure, "out", &json!({})).await.expect(200);
    assert!(again.is_replayed());
    assert_eq!(again.body, left.body);
    desk.post(&departure, "anew", &json!({})).await.refuses(409, "booking.state");
    house.close().await;
}
