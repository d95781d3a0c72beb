//! Catalogue: positions, ids and lists lead to each other both ways.

use super::finding::Findings;
use crate::ids::{HotelIx, RoomTypeIx};
use crate::state::Writer;

pub(super) fn check_all(writer: &Writer, findings: &mut Findings) {
    let shared = &writer.shared;
    for hotel in 0..shared.hotels.len() {
        check_hotel(HotelIx(hotel), writer, findings);
    }
    for at in 0..shared.room_types.len() {
        let Some(kind) = shared.room_types.get_full(at) else { continue };
        let hotel = shared.hotels.get_full(kind.hotel.0);
        if !hotel.is_some_and(|hotel| hotel.room_types.contains(&RoomTypeIx(at))) {
            findings.add(
                ("catalogue", kind.id.to_string(), None),
                "in its hotel's list",
                "not there",
            );
        }
    }
    for at in 0..shared.rate_plans.len() {
        let Some(plan) = shared.rate_plans.get_full(at) else { continue };
        let kind = shared.room_types.get_full(plan.room_type.0);
        if !kind.is_some_and(|kind| kind.rate_plans.contains(&plan.ix)) {
            let about = ("catalogue", plan.id.to_string(), None);
            findings.add(about, "in its room type's list", "not there");
        }
        if shared.rate_plan_ids.pin().get(&plan.id) != Some(&plan.ix) {
            findings.add(("catalogue", plan.id.to_string(), None), "found by its id", "not found");
        }
    }
}

/// A hotel, its room types, and where both are listed.
pub(super) fn check_hotel(ix: HotelIx, writer: &Writer, findings: &mut Findings) {
    let shared = &writer.shared;
    let Some(hotel) = shared.hotels.get_full(ix.0) else { return };
    let about = |id: String| ("catalogue", id, None);
    if shared.hotel_ids.pin().get(&hotel.id) != Some(&ix) {
        findings.add(about(hotel.id.to_string()), "found by its id", "not found");
    }
    let listed = shared.partner_hotels.get(&hotel.partner);
    if !listed.is_some_and(|list| list.contains(&ix)) {
        findings.add(about(hotel.id.to_string()), "in its partner's list", "not there");
    }
    for &kind in &hotel.room_types {
        let Some(kind) = shared.room_types.get_full(kind.0) else {
            findings.add(about(hotel.id.to_string()), format!("room type {}", kind.0), "nothing");
            continue;
        };
        if kind.hotel != ix {
            findings.add(about(kind.id.to_string()), format!("of hotel {}", ix.0), kind.hotel.0);
        }
        if shared.room_type_ids.pin().get(&kind.id) != Some(&kind.ix) {
            findings.add(about(kind.id.to_string()), "found by its id", "not found");
        }
    }
    for offering in hotel.offerings.iter() {
        let plan = shared.rate_plans.get_full(offering.rate_plan.0);
        if plan.is_none_or(|plan| plan.room_type != offering.room_type) {
            let id = format!("{} offering of rate plan {}", hotel.id, offering.rate_plan.0);
            findings.add(about(id), "a plan of its room type", "another's or none");
        }
    }
}
