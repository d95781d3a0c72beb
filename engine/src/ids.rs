//! Names of things: 128-bit ids made at the door, and the dense indexes the state gives them.
//!
//! An id is a UUIDv7 whose last 16 bits are the Raft group it belongs to; outside it is a prefix and 26
//! Crockford base32 digits. An index is a position in an append-only table, assigned in log order and
//! never reused, so every replica gives the same one.

use std::{fmt, str::FromStr};

use crate::codec::{Decode, Encode};

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("expected an id that begins with `{0}_`")]
    Prefix(&'static str),
    #[error("expected {LENGTH} digits of 0-9 a-z (without i, l, o, u) after the prefix")]
    Digits,
}

/// A UUIDv7: `unix_ms` (48 bits), version 7, 12 + 46 bits of `random`, variant, and `group` last.
#[must_use]
pub fn mint(unix_ms: u64, group: u16, random: u128) -> u128 {
    let time = u128::from(unix_ms & 0xFFFF_FFFF_FFFF) << 80;
    let version = 0x7u128 << 76;
    let high = (random & 0xFFF) << 64;
    let variant = 0b10u128 << 62;
    let low = ((random >> 12) & 0x3FFF_FFFF_FFFF) << 16;
    time | version | high | variant | low | u128::from(group)
}

fn write_digits(value: u128, prefix: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0u8; LENGTH];
    let mut rest = value;
    for digit in text.iter_mut().rev() {
        #[allow(clippy::cast_possible_truncation, clippy::indexing_slicing)]
        // `rest & 31` is below 32, the length of the table.
        {
            *digit = DIGITS[(rest & 31) as usize];
        }
        rest >>= 5;
    }
    // The digits are ASCII by construction; an error here would be a formatter's.
    let text = std::str::from_utf8(&text).map_err(|_| fmt::Error)?;
    f.write_str(prefix)?;
    f.write_str("_")?;
    f.write_str(text)
}

fn read_digits(text: &str) -> Option<u128> {
    if text.len() != LENGTH {
        return None;
    }
    let mut value = 0u128;
    for (position, byte) in text.bytes().enumerate() {
        let byte = byte.to_ascii_lowercase();
        let digit = DIGITS.iter().position(|&known| known == byte)? as u128;
        // 26 digits hold 130 bits: the first may only use three.
        if position == 0 && digit > 7 {
            return None;
        }
        value = (value << 5) | digit;
    }
    Some(value)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        pub struct $name(pub u128);

        impl $name {
            /// What stands before the underscore outside.
            pub const PREFIX: &'static str = $prefix;

            /// The Raft group the thing belongs to.
            #[must_use]
            pub fn group(self) -> u16 {
                (self.0 & 0xFFFF) as u16
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_digits(self.0, Self::PREFIX, f)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                let digits = text
                    .strip_prefix(Self::PREFIX)
                    .and_then(|rest| rest.strip_prefix('_'))
                    .ok_or(Error::Prefix(Self::PREFIX))?;
                read_digits(digits).map(Self).ok_or(Error::Digits)
            }
        }
    };
}

id!(/// A partner organisation.
    PartnerId, "ptn");
id!(/// A hotel.
    HotelId, "htl");
id!(/// A room type.
    RoomTypeId, "rt");
id!(/// A rate plan.
    RatePlanId, "rp");
id!(/// A hold.
    HoldId, "hold");
id!(/// A booking.
    BookingId, "bkg");
id!(/// A block of rooms for a group.
    BlockId, "blk");
id!(/// A place in a waitlist.
    WaitId, "wl");
id!(/// A promotion.
    PromoId, "prm");
id!(/// A person or program that signs in.
    UserId, "usr");

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        pub struct $name(pub u32);

        impl $name {
            /// The position as an array index.
            #[must_use]
            pub fn at(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(/// Position of a hotel in the catalogue.
    HotelIx);
index!(/// Position of a room type in the catalogue, and of its calendar.
    RoomTypeIx);
index!(/// Position of a rate plan in the catalogue, and of its calendar.
    RatePlanIx);

impl BookingId {
    /// What a guest reads out at the desk: ten digits of the id's random part. Not a key: two bookings
    /// share one with a chance of about 1 in 10^15.
    #[must_use]
    pub fn reference(self) -> String {
        let mut rest = (self.0 >> 16) & 0x3FFF_FFFF_FFFF | ((self.0 >> 64) & 0xF) << 46;
        let mut text = [0u8; 10];
        for digit in text.iter_mut().rev() {
            #[allow(clippy::cast_possible_truncation, clippy::indexing_slicing)]
            // `rest & 31` is below 32, the length of the table.
            {
                *digit = DIGITS[(rest & 31) as usize].to_ascii_uppercase();
            }
            rest >>= 5;
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_round_trip(value: u128) {
            prop_assert_eq!(HotelId(value).to_string().parse(), Ok(HotelId(value)));
        }

        #[test]
        fn minted_ids_are_uuid_v7_and_carry_their_group(ms in 0u64..1 << 48, group: u16, random: u128) {
            let id = HoldId(mint(ms, group, random));
            prop_assert_eq!(id.group(), group);
            prop_assert_eq!((id.0 >> 80) as u64, ms);
            prop_assert_eq!((id.0 >> 76) & 0xF, 7);
            prop_assert_eq!((id.0 >> 62) & 0b11, 0b10);
        }
    }

    #[test]
    fn other_prefixes_digits_and_lengths_are_refused() {
        let id = HoldId(u128::MAX).to_string();
        assert_eq!(id, "hold_7zzzzzzzzzzzzzzzzzzzzzzzzz");
        assert_eq!(id.parse::<HotelId>(), Err(Error::Prefix("htl")));
        assert_eq!("hold_8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<HoldId>(), Err(Error::Digits));
        assert_eq!("hold_7zz".parse::<HoldId>(), Err(Error::Digits));
        assert_eq!("hold_uzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<HoldId>(), Err(Error::Digits));
    }
}
