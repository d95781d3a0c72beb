//! The shares that go on top of a room: service charge, VAT and provincial fee.

use crate::civil::Night;
use crate::codec::{Decode, Encode};

/// The shares in force for one stay, basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Taxes {
    /// Of the room.
    pub service_bp: u16,
    /// Of room and service charge.
    pub vat_bp: u16,
    /// Of the room.
    pub fee_bp: u16,
}

/// The version of the table below; frozen into every hold.
pub const TABLE_VERSION: u32 = 1;

/// The shares for a supply in a province from a night on: service charge 10 %, VAT 7 %, and no
/// provincial fee, everywhere and always in table version 1.
#[must_use]
pub const fn taxes(_province: u8, _supply: Night) -> Taxes {
    Taxes { service_bp: 1_000, vat_bp: 700, fee_bp: 0 }
}
