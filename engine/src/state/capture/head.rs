//! What of a state is one of a kind: settings, clock, window, counters.

use crate::archive::Archived;
use crate::civil::{LogTimeMs, Night};
use crate::codec::{Decode, Encode};
use crate::command::Genesis;
use crate::ids::HotelIx;
use crate::quote::tax;

/// The first record of a captured state.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Head {
    /// `None` before the first command of the log.
    pub settings: Option<Genesis>,
    /// The last entry in it.
    pub index: u64,
    pub now_ms: LogTimeMs,
    /// Every hold that was due before this instant has been ended.
    pub swept_ms: LogTimeMs,
    pub archived: Archived,
    pub window: Option<(Night, Night)>,
    /// Nights `0..1` are being zeroed, rows before `2` are done.
    pub retiring: Option<(Night, Night, u32)>,
    pub taxes: Vec<tax::Entry>,
    pub waiting: WaitingHead,
}

/// What of the waitlist does not follow from its entries.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WaitingHead {
    pub next_number: u64,
    pub due: Vec<HotelIx>,
    pub expiry_ms: LogTimeMs,
}
