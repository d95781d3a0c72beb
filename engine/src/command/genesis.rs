//! Genesis: the first command of a log. It fixes what every replica must agree on for ever.

use crate::codec::{Decode, Encode};
use crate::limits::{HORIZON_NIGHTS_MAX, HORIZON_NIGHTS_MIN};
use crate::limits::{QUOTA_HOLDS, QUOTA_ROOM_NIGHTS, QUOTA_ROOMS};
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::state::Writer;

/// The rules of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Genesis {
    /// Nights that can be sold ahead, 30–1,100.
    pub horizon_nights: u16,
    pub quota: Quota,
}

/// What one guest may have in active holds at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Quota {
    pub holds: u32,
    pub rooms: u32,
    pub room_nights: u32,
    /// Whether one guest may hold no more than a share of each cell: one in
    /// [`QUOTA_SHARE_OF_FREE`](crate::limits::QUOTA_SHARE_OF_FREE) of what would be free without that guest's holds, at least one room.
    pub cell_share: bool,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            holds: QUOTA_HOLDS,
            rooms: QUOTA_ROOMS,
            room_nights: QUOTA_ROOM_NIGHTS,
            cell_share: false,
        }
    }
}

impl Genesis {
    /// Refused: horizon out of range; a second genesis that differs. The same one again is accepted.
    pub(crate) fn apply(self, writer: &mut Writer) -> Outcome {
        if !(HORIZON_NIGHTS_MIN..=HORIZON_NIGHTS_MAX).contains(&self.horizon_nights) {
            return Code::Malformed.into();
        }
        if let Some(settings) = writer.shared.settings() {
            return if settings == self { Outcome::Done } else { Code::StateConflict.into() };
        }
        // From here the command must succeed.
        writer.shared.configure(self);
        writer.roll_window();
        Outcome::Done
    }
}
