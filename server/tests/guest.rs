//! The guests' doors, through HTTP, on a real node whose clock the test drives.

#[path = "guest/archive.rs"]
mod archive;
#[path = "guest/arrivals.rs"]
mod arrivals;
#[path = "guest/bookings.rs"]
mod bookings;
#[path = "guest/calendar.rs"]
mod calendar;
#[path = "guest/cancellations.rs"]
mod cancellations;
#[path = "guest/changes.rs"]
mod changes;
#[path = "guest/deposits.rs"]
mod deposits;
#[path = "guest/description.rs"]
mod description;
#[path = "guest/desk.rs"]
mod desk;
#[path = "guest/destinations.rs"]
mod destinations;
#[path = "guest/explain.rs"]
mod explain;
#[path = "guest/groups.rs"]
mod groups;
#[path = "guest/holds.rs"]
mod holds;
#[path = "guest/house.rs"]
mod house;
#[path = "guest/idempotency.rs"]
mod idempotency;
#[path = "guest/journey.rs"]
mod journey;
#[path = "guest/offers.rs"]
mod offers;
#[path = "guest/payments.rs"]
mod payments;
#[path = "guest/promos.rs"]
mod promos;
#[path = "guest/quotas.rs"]
mod quotas;
#[path = "guest/search.rs"]
mod search;
