//! The laws of a simulation, one a file.
//!
//! Each owns its name, which a failure begins with, and the check. None knows how the others look.

pub(crate) mod ages_true;
pub(crate) mod clock_steady;
pub(crate) mod converges;
pub(crate) mod cut_stands;
pub(crate) mod digests_equal;
pub(crate) mod expiry_on_time;
pub(crate) mod never_oversold;
pub(crate) mod nothing_doubled;
pub(crate) mod nothing_lost;
pub(crate) mod one_log;
pub(crate) mod reads_linear;
pub(crate) mod refusals_true;
pub(crate) mod snapshots_true;
