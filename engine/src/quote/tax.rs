//! The shares that go on top of a room: service charge, VAT and provincial fee.
//!
//! It owns what the shares of one stay are; which are in force where and when is the [`Table`]'s.

mod table;

pub use table::{Entry, Scope, Table};

use crate::catalogue::TaxProfile;
use crate::codec::{Decode, Encode};
use crate::limits::{FEE_BP_MAX, SERVICE_BP_MAX, VAT_BP_MAX};

/// The shares in force for one stay, basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Taxes {
    /// Of the room.
    pub service_bp: u16,
    /// Of the lines it covers.
    pub vat_bp: u16,
    /// Of the room.
    pub fee_bp: u16,
    pub vat_on: VatOn,
}

/// Which lines VAT covers: a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct VatOn(pub u8);

/// Shares as they are written: what is not said is as it was, or as it is in the whole country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Rates {
    /// 0–3,000.
    pub service_bp: Option<u16>,
    /// 0–3,000.
    pub vat_bp: Option<u16>,
    /// 0–300.
    pub fee_bp: Option<u16>,
    pub vat_on: Option<VatOn>,
}

impl VatOn {
    pub const ROOM: Self = Self(1);
    pub const SERVICE: Self = Self(2);
    pub const FEE: Self = Self(4);
    /// What the law says: room and service charge.
    pub const USUAL: Self = Self(Self::ROOM.0 | Self::SERVICE.0);

    #[must_use]
    pub const fn covers(self, line: Self) -> bool {
        self.0 & line.0 == line.0
    }
}

impl Taxes {
    /// In force until something else is written: 10 % service charge, 7 % VAT on room and service charge,
    /// no provincial fee.
    pub const DEFAULT: Self =
        Self { service_bp: 1_000, vat_bp: 700, fee_bp: 0, vat_on: VatOn::USUAL };

    /// What a hotel with such a profile charges of them.
    #[must_use]
    pub const fn under(self, profile: TaxProfile) -> Self {
        let service_bp = if profile.service_charge { self.service_bp } else { 0 };
        let vat_bp = if profile.vat { self.vat_bp } else { 0 };
        Self { service_bp, vat_bp, ..self }
    }
}

impl Rates {
    /// Something is said, and all of it within bounds.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        *self != Self::default()
            && self.service_bp.is_none_or(|share| share <= SERVICE_BP_MAX)
            && self.vat_bp.is_none_or(|share| share <= VAT_BP_MAX)
            && self.fee_bp.is_none_or(|share| share <= FEE_BP_MAX)
            && self.vat_on.is_none_or(|lines| lines.0 <= 7)
    }

    /// These, and where they say nothing the others.
    const fn over(self, other: Self) -> Self {
        const fn or<T: Copy>(this: Option<T>, other: Option<T>) -> Option<T> {
            if this.is_some() { this } else { other }
        }
        Self {
            service_bp: or(self.service_bp, other.service_bp),
            vat_bp: or(self.vat_bp, other.vat_bp),
            fee_bp: or(self.fee_bp, other.fee_bp),
            vat_on: or(self.vat_on, other.vat_on),
        }
    }

    fn or_default(self) -> Taxes {
        let default = Taxes::DEFAULT;
        Taxes {
            service_bp: self.service_bp.unwrap_or(default.service_bp),
            vat_bp: self.vat_bp.unwrap_or(default.vat_bp),
            fee_bp: self.fee_bp.unwrap_or(default.fee_bp),
            vat_on: self.vat_on.unwrap_or(default.vat_on),
        }
    }
}
