//! Extractors: a door that names `Partner` in its arguments cannot be entered by anyone else.
//!
//! 401 where there is no valid token, 403 where the role is wrong. Whether a hotel belongs to the
//! caller is the door's question, and its answer is 404.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use holdfast_engine::ids::{PartnerId, UserId};
use http::header;
use http::request::Parts;

use super::{Principal, Role};
use crate::problem::Problem;
use crate::state::AppState;

/// A signed-in guest.
#[derive(Debug, Clone)]
pub struct Guest(pub Arc<Principal>);

/// Somebody of a partner organisation.
#[derive(Debug, Clone)]
pub struct Partner {
    pub principal: Arc<Principal>,
    pub org: PartnerId,
}

/// Somebody who runs hotels: a partner, or an admin in its place.
#[derive(Debug, Clone)]
pub struct Manager(pub Arc<Principal>);

/// One of the marketplace's own people.
#[derive(Debug, Clone)]
pub struct Admin(pub Arc<Principal>);

/// Anybody with a valid token.
#[derive(Debug, Clone)]
pub struct AnyPrincipal(pub Arc<Principal>);

/// Anybody; a token that is there must still be valid.
#[derive(Debug, Clone)]
pub struct MaybePrincipal(pub Option<Arc<Principal>>);

impl Guest {
    pub fn user(&self) -> UserId {
        self.0.user
    }
}

impl Partner {
    pub fn user(&self) -> UserId {
        self.principal.user
    }
}

impl Admin {
    pub fn user(&self) -> UserId {
        self.0.user
    }
}

fn bearer(parts: &Parts) -> Result<Option<&str>, Problem> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::unauthorized("auth.invalid", "Send one Authorization header."));
    }
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Problem::unauthorized(
            "auth.invalid",
            "The Authorization header must read `Bearer <token>`.",
        )),
    }
}

fn optional(parts: &Parts, state: &AppState) -> Result<Option<Arc<Principal>>, Problem> {
    let Some(token) = bearer(parts)? else { return Ok(None) };
    match state.keys().verify(token) {
        Ok(principal) => Ok(Some(principal)),
        Err(super::keys::Refused::Expired) => {
            Err(Problem::unauthorized("auth.expired", super::keys::Refused::Expired.to_string()))
        }
        Err(refused) => Err(Problem::unauthorized("auth.invalid", refused.to_string())),
    }
}

fn required(parts: &Parts, state: &AppState) -> Result<Arc<Principal>, Problem> {
    optional(parts, state)?.ok_or_else(|| {
        Problem::unauthorized("auth.missing", "This call needs `Authorization: Bearer <token>`.")
    })
}

fn in_role(parts: &Parts, state: &AppState, role: Role) -> Result<Arc<Principal>, Problem> {
    let principal = required(parts, state)?;
    if principal.role == role {
        return Ok(principal);
    }
    let (wanted, found) = (role.name(), principal.role.name());
    Err(Problem::forbidden(format!("This call is for a {wanted}; the token is a {found}'s.")))
}

impl FromRequestParts<AppState> for Guest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        in_role(parts, state, Role::Guest).map(Self)
    }
}

impl FromRequestParts<AppState> for Partner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let principal = in_role(parts, state, Role::Partner)?;
        let org = principal
            .org
            .ok_or_else(|| Problem::forbidden("The token names no partner organisation."))?;
        Ok(Self { principal, org })
    }
}

impl FromRequestParts<AppState> for Manager {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let principal = required(parts, state)?;
        match principal.role {
            Role::Partner | Role::Admin => Ok(Self(principal)),
            Role::Guest => Err(Problem::forbidden("This call is for partners and admins.")),
        }
    }
}

impl FromRequestParts<AppState> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        in_role(parts, state, Role::Admin).map(Self)
    }
}

impl FromRequestParts<AppState> for AnyPrincipal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        required(parts, state).map(Self)
    }
}

impl FromRequestParts<AppState> for MaybePrincipal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        optional(parts, state).map(Self)
    }
}
