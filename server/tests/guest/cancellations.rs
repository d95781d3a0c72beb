//! Cancellations: what they cost at each moment, said before and done once.

use holdfast_server::client::Request;
use serde_json::json;

use crate::house::House;

const DAY_S: u64 = 86_400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fee_follows_the_policy_and_a_dry_run_tells_it_before() {
    let house = House::open().await;
    let hotel = house.hotel("Tiered", (1, 50), |_| {}).await;
    let guest = house.guest("ann");
    // Free until 2027-01-13 18:00, half until 2027-01-19 18:00, the whole after that.
    let stay = hotel.hold("2027-01-20", "2027-01-22", 1);
    let mut paths = Vec::new();
    for key in ["free", "half", "whole", "late"] {
        paths.push(format!("/v1/bookings/{}", guest.books(key, &stay).await.id()));
    }
    // From the 10th, 10:00: to the 13th, 18:00; a second more; to the 19th, 18:00 and a second.
    for (path, (wait, fee)) in
        paths.iter().zip([(3 * DAY_S + 8 * 3_600, 0), (1, 150_000), (6 * DAY_S, 300_000)])
    {
        house.wait(wait);
        let asked = guest.delete(&format!("{path}?dry_run=true")).await.expect(200);
        assert_eq!(asked.body["status"], "confirmed");
        assert_eq!(asked.body["cancellation"]["dry_run"], true);
        assert_eq!(asked.body["cancellation"]["fee"]["amount"], fee);
        let done = guest.delete(path).await.expect(200);
        assert_eq!(done.body["status"], "cancelled");
        assert_eq!(done.body["cancellation"]["dry_run"], false);
        assert_eq!(done.body["cancellation"]["fee"]["amount"], fee);
        assert_eq!(done.body["cancellation"]["refund"]["amount"], 300_000 - fee);
        // Again, and asked again: the first result.
        assert_eq!(guest.delete(path).await.expect(200).body, done.body);
        let asked = guest.delete(&format!("{path}?dry_run=true")).await.expect(200);
        assert_eq!(asked.body, done.body);
    }
    // The day after check-in it is too late.
    house.wait(2 * DAY_S);
    let late = &paths[3];
    guest.delete(&format!("{late}?dry_run=true")).await.refuses(409, "booking.state");
    guest.delete(late).await.refuses(409, "booking.state");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_that_is_old_is_refused_and_other_methods_are_not_there() {
    let house = House::open().await;
    let hotel = house.hotel("Tagged", (1, 50), |_| {}).await;
    let guest = house.guest("ann");
    let booked = guest.books("k", &hotel.hold("2027-01-20", "2027-01-22", 1)).await;
    let path = format!("/v1/bookings/{}", booked.id());
    let with = |tag: &str| Request::delete(&path).if_match(tag);
    guest.send(with("\"7\"")).await.refuses(412, "precondition.failed");
    guest.send(with("nonsense")).await.refuses(412, "precondition.failed");
    let tag = booked.header("etag").unwrap().to_owned();
    let done = guest.send(with(&tag)).await.expect(200);
    assert_eq!(done.header("etag"), Some("\"2\""));
    // What is done stays done, whatever the tag.
    guest.send(with(&tag)).await.expect(200);
    let put = Request::new(http::Method::PUT, &path).json(&json!({}));
    guest.send(put).await.refuses(405, "route.method_not_allowed");
    guest.delete(&format!("{path}?dry_run=maybe")).await.refuses(422, "field.invalid");
    guest.delete(&format!("{path}?dryrun=true")).await.refuses(400, "field.unknown");
    house.close().await;
}
