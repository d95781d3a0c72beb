//! Rounds, peaks and shares on demands small enough to count by hand.

use super::super::demand::{Demand, Stay};
use super::*;

/// A stay of room type `kind`: booked on `booked`, `nights` nights from `arrival`.
fn stay(kind: &str, booked: i32, arrival: i32, nights: u32, cancelled: Option<i32>) -> Stay {
    Stay {
        line: 2,
        hotel: "H".into(),
        room_type: kind.into(),
        arrival,
        nights,
        adults: 2,
        children: 0,
        babies: 0,
        booked_on: booked,
        cancelled_on: cancelled,
    }
}

fn demand(stays: Vec<Stay>) -> Demand {
    Demand { rows: stays.len() as u64, stays, ..Demand::default() }
}

#[test]
fn a_room_given_back_earlier_is_not_needed_twice() {
    let plan =
        Plan::new(&demand(vec![stay("A", 1, 100, 2, Some(2)), stay("A", 3, 101, 2, None)]), None);
    assert_eq!(plan.unwrap().room_types[0].peak, 1);
}

#[test]
fn a_room_given_back_the_same_day_is_needed_twice() {
    // Bookings of a day go before its cancellations, whatever the order in the file.
    let plan =
        Plan::new(&demand(vec![stay("A", 1, 100, 2, Some(3)), stay("A", 3, 101, 2, None)]), None);
    assert_eq!(plan.unwrap().room_types[0].peak, 2);
}

#[test]
fn the_departure_night_is_free_for_the_next_guest() {
    let plan =
        Plan::new(&demand(vec![stay("A", 1, 100, 2, None), stay("A", 1, 102, 1, None)]), None);
    let plan = plan.unwrap();
    assert_eq!(plan.room_types[0].peak, 1);
    assert_eq!((plan.first_arrival, plan.nights), (100, 3));
    assert_eq!(plan.stays[1].span(), 2..3);
}

#[test]
fn days_keep_file_order_and_put_cancellations_last() {
    let plan = Plan::new(
        &demand(vec![
            stay("A", 5, 100, 1, None),
            stay("A", 3, 101, 1, Some(5)),
            stay("A", 5, 90, 1, Some(5)),
        ]),
        None,
    )
    .unwrap();
    let days: Vec<_> = plan.days.iter().map(|day| (&day.booked[..], &day.cancelled[..])).collect();
    assert_eq!(days, [(&[1][..], &[][..]), (&[0, 2][..], &[1, 2][..])]);
    assert_eq!(plan.first_arrival, 90);
    assert_eq!(plan.cancellations(), 2);
}

#[test]
fn a_room_type_holds_the_largest_party_that_booked_it() {
    let mut stays = vec![stay("A", 1, 100, 1, None); 3];
    (stays[0].adults, stays[0].children, stays[0].babies) = (3, 0, 0);
    (stays[1].adults, stays[1].children, stays[1].babies) = (1, 2, 1);
    (stays[2].adults, stays[2].children, stays[2].babies) = (2, 0, 1);
    let kind = &Plan::new(&demand(stays), None).unwrap().room_types[0];
    assert_eq!((kind.adults_max, kind.children_max, kind.people_max), (3, 3, 4));
}

#[test]
fn each_hotel_of_the_file_has_room_types_of_its_own() {
    let mut stays = vec![stay("A", 1, 100, 1, None), stay("A", 1, 100, 7, None)];
    stays[1].hotel = "B".into();
    let plan = Plan::new(&demand(stays), None).unwrap();
    let hotels: Vec<_> =
        plan.hotels.iter().map(|hotel| (&*hotel.name, hotel.longest_stay)).collect();
    assert_eq!(hotels, [("B", 7), ("H", 1)]);
    assert_eq!(plan.room_types.iter().map(|kind| kind.hotel).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(plan.stays[0].room_type, 1);
}

#[test]
fn shares_are_by_largest_remainder_with_one_room_each() {
    assert_eq!(share(10, &[6, 3, 1]).unwrap(), [6, 3, 1]);
    assert_eq!(share(5, &[6, 3, 1]).unwrap(), [2, 2, 1]);
    assert_eq!(share(3, &[6, 3, 1]).unwrap(), [1, 1, 1]);
    assert_eq!(share(20, &[6, 3, 1]).unwrap(), [13, 6, 1]);
    assert_eq!(share(5, &[1, 1, 1]).unwrap(), [2, 2, 1]);
    assert!(share(2, &[6, 3, 1]).unwrap_err().to_string().contains("3 room types"));
}

#[test]
fn every_share_adds_up_to_the_rooms_given() {
    let peaks = [187, 61, 44, 17, 9, 9, 6, 2, 1];
    for total in 9..400 {
        let shares = share(total, &peaks).unwrap();
        assert_eq!(shares.iter().sum::<u32>(), total);
        assert!(shares.iter().all(|rooms| *rooms >= 1));
    }
}

#[test]
fn a_cell_too_small_for_the_demand_is_said_before_anything_is_sent() {
    let stays = vec![stay("A", 1, 100, 1, None); 4_096];
    let error = Plan::new(&demand(stays.clone()), None).unwrap_err().to_string();
    assert!(error.contains("4096 rooms") && error.contains("--rooms"), "{error}");
    assert_eq!(Plan::new(&demand(stays), Some(4_095)).unwrap().rooms(), 4_095);
}

#[test]
fn a_file_without_a_single_stay_is_refused() {
    assert!(Plan::new(&demand(vec![]), None).is_err());
}
