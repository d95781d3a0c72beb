//! Query strings: strict like bodies, with problems instead of plain text.

use axum::extract::FromRequestParts;
use axum::extract::{Path as AxumPath, Query as AxumQuery};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The query string as a `T`; unknown parameters are refused where `T` says so.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match AxumQuery::<T>::from_request_parts(parts, state).await {
            Ok(AxumQuery(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused(&rejection.body_text())),
        }
    }
}

fn refused(text: &str) -> Problem {
    let message = text.rsplit("query string: ").next().unwrap_or(text);
    let name = message.split('`').nth(1);
    let (pointer, code) = match name {
        Some(name) if message.contains("unknown field") => (name, "field.unknown"),
        Some(name) if message.contains("missing field") => (name, "field.missing"),
        _ => (
            message.split(": ").next().filter(|head| !head.contains(' ')).unwrap_or(""),
            "field.invalid",
        ),
    };
    let mut problem = Problem::field(&format!("?{pointer}"), code, message);
    if code == "field.unknown" {
        // A parameter that is no part of the call at all is a malformed request, not a wrong value.
        problem.status = http::StatusCode::BAD_REQUEST;
        problem.title = "Bad Request".to_owned();
    }
    problem
}

/// An id in the path. One that cannot be an id names nothing, so the answer is 404.
#[derive(Debug)]
pub struct Id<T>(pub T);

impl<T: IdKind, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AxumPath(text) = AxumPath::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found(T::NAME))?;
        text.parse().map(Self).map_err(|_| Problem::not_found(T::NAME))
    }
}

/// An id that can stand in a path.
pub trait IdKind: std::str::FromStr {
    /// What 404 calls it.
    const NAME: &'static str;
}

impl IdKind for holdfast_engine::ids::HotelId {
    const NAME: &'static str = "hotel";
}
impl IdKind for holdfast_engine::ids::RoomTypeId {
    const NAME: &'static str = "room_type";
}
impl IdKind for holdfast_engine::ids::RatePlanId {
    const NAME: &'static str = "rate_plan";
}
impl IdKind for holdfast_engine::ids::HoldId {
    const NAME: &'static str = "hold";
}
impl IdKind for holdfast_engine::ids::BookingId {
    const NAME: &'static str = "booking";
}
impl IdKind for holdfast_engine::ids::BlockId {
    const NAME: &'static str = "block";
}
impl IdKind for holdfast_engine::ids::WaitId {
    const NAME: &'static str = "waitlist";
}
