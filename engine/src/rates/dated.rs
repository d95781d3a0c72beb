//! A dated rule: what one night of a plan says of a rule that the plan may have a default for.

use crate::codec::{Decode, Encode};

/// What a night says of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Encode, Decode)]
pub enum Dated<T> {
    /// Nothing: the plan's default holds.
    #[default]
    Unset,
    /// There is no such rule this night, whatever the plan's default says.
    Lifted,
    /// This, in place of the plan's default.
    Set(T),
}

impl<T: Copy> Dated<T> {
    /// The rule that holds this night, where there is one.
    #[must_use]
    pub fn over(self, default: Option<T>) -> Option<T> {
        match self {
            Self::Unset => default,
            Self::Lifted => None,
            Self::Set(rule) => Some(rule),
        }
    }

    /// Writes a value or lifts the rule.
    #[must_use]
    pub fn of(rule: Option<T>) -> Self {
        rule.map_or(Self::Lifted, Self::Set)
    }

    #[must_use]
    pub const fn is_unset(&self) -> bool {
        matches!(self, Self::Unset)
    }
}

/// The cut-off: night D stops selling `days` days earlier, at `minute` of the hotel's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct CutOff {
    /// 0 to [`crate::limits::ADVANCE_DAYS_MAX`].
    pub days: u16,
    /// Of the hotel-local day, 0–1,439.
    pub minute: u16,
}

impl CutOff {
    /// Within every bound.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.days <= crate::limits::ADVANCE_DAYS_MAX && self.minute < 1_440
    }
}
