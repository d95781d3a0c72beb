//! Changes of bookings on the wire: what is not said stays as it is.

use holdfast_engine::civil::Night;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::booking::{GuestBody, Personal, check_requests};
use super::check::Check;
use super::hold::{LineBody, LineDraft, check_lines};
use super::money::Money;
use super::stay::check_night;
use crate::problem::Problem;

/// What a booking shall become.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeBody {
    #[serde(default)]
    #[schema(example = "2027-04-13", format = Date)]
    pub check_in: Option<String>,
    #[serde(default)]
    #[schema(example = "2027-04-16", format = Date)]
    pub check_out: Option<String>,
    /// All lines anew, 1 to 16. Rooms of the same type, plan and party as before are kept, with the
    /// price of the nights that are kept.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 16)]
    pub lines: Option<Vec<LineBody>>,
    #[serde(default)]
    pub guest: Option<GuestBody>,
    #[serde(default)]
    #[schema(max_length = 1_000)]
    pub requests: Option<String>,
    /// What you have agreed to pay for all of it; anything else is refused with the new total.
    #[serde(default)]
    pub expected_total: Option<Money>,
}

/// How to change.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangeParams {
    /// Change nothing; say what it would cost now.
    #[serde(default)]
    pub dry_run: bool,
}

/// A change whose form is right.
#[derive(Debug)]
pub struct ChangeDraft {
    pub check_in: Option<Night>,
    pub check_out: Option<Night>,
    pub lines: Option<Vec<LineDraft>>,
    pub guest: Option<GuestBody>,
    pub requests: Option<String>,
    pub expected_total: Option<Money>,
}

impl ChangeBody {
    pub fn check(&self) -> Result<ChangeDraft, Problem> {
        let mut check = Check::new();
        let night = |pointer, text: &Option<String>, check: &mut Check| {
            text.as_ref().map(|text| check_night(pointer, text, check))
        };
        let draft = ChangeDraft {
            check_in: night("/check_in", &self.check_in, &mut check),
            check_out: night("/check_out", &self.check_out, &mut check),
            lines: self.lines.as_ref().map(|lines| check_lines(lines, &mut check)),
            guest: self.guest.as_ref().map(|guest| guest.check(&mut check)),
            requests: self.requests.as_ref().map(|text| check_requests(text, &mut check)),
            expected_total: self.expected_total.clone(),
        };
        check.finish()?;
        Ok(draft)
    }
}

impl ChangeDraft {
    /// The guest's data anew; `None` where it stays. What is not said is as it was.
    pub fn personal(&self, before: Option<Personal>) -> Result<Option<Personal>, Problem> {
        if self.guest.is_none() && self.requests.is_none() {
            return Ok(None);
        }
        let (guest, requests) = match before {
            Some(before) => (Some(before.guest), before.requests),
            None => (None, None),
        };
        let guest = self.guest.clone().or(guest).ok_or_else(|| {
            Problem::field("/guest", "field.required", "the guest's data has been erased")
        })?;
        let personal = Personal { guest, requests: self.requests.clone().or(requests) };
        personal.check_size()?;
        Ok(Some(personal))
    }
}
