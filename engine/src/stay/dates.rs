//! The rules for dates: which stays a hotel takes at all, whatever is free.

use super::Stay;
use crate::catalogue::Hotel;
use crate::civil::LogTimeMs;
use crate::limits::MAX_STAY_MAX;
use crate::refusal::{Code, Refusal};
use crate::state::Shared;

/// The rules for dates, in order: too short, too long, in the past, beyond the horizon.
pub fn check_dates(
    shared: &Shared,
    hotel: &Hotel,
    stay: Stay,
    now: LogTimeMs,
) -> Result<(), Refusal> {
    let Some((_, end)) = shared.window() else { return Err(Code::NotConfigured.into()) };
    let nights = stay.nights();
    if nights == 0 {
        return Err(Code::StayTooShort.into());
    }
    if nights > hotel.draft.max_stay.min(MAX_STAY_MAX) {
        return Err(Code::StayTooLong.into());
    }
    if stay.check_in < hotel.zone.night_at(now) {
        return Err(Code::StayInPast.into());
    }
    if stay.check_out > end {
        return Err(Code::StayBeyondHorizon.into());
    }
    Ok(())
}
