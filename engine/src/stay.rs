//! Stays: whether a stay can be had, why not, and what it costs. Pure reads of cells and rate words.
//!
//! Doors use it to quote, search and explain; apply uses the same code as the authority.

mod blockers;
mod change;
mod clock;
mod dates;
mod price;
mod pricing;
mod promo;
mod state;

pub use blockers::{check_lines, find_cell_blockers, find_rate_blockers};
pub(crate) use blockers::{judge_cells, judge_rates};
pub use change::{Wanted, judge_change};
pub(crate) use clock::watching;
pub use clock::{ClockRules, Moment, is_barred_by_clock};
pub use dates::check_dates;
pub use price::{Asked, list_nights, list_sum, price_line, quote_room, standing_version};
pub use pricing::{Pricing, Records, find_records};
pub use promo::judge_promo;
pub use state::{State, state};

use crate::civil::Night;
use crate::codec::{Decode, Encode};

/// `[check_in, check_out)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Stay {
    pub check_in: Night,
    pub check_out: Night,
}

impl Stay {
    /// Nights of the stay; 0 where the dates are the same or turned round.
    #[must_use]
    pub const fn nights(self) -> u16 {
        self.check_out.0.saturating_sub(self.check_in.0)
    }
}
