//! Tick: an idle log still moves its clock; nights behind today are retired, old answers forgotten.

use crate::codec::{Decode, Encode};
use crate::outcome::Outcome;
use crate::state::Writer;

/// Nothing but time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Tick;

impl Tick {
    pub(crate) fn apply(self, writer: &mut Writer) -> Outcome {
        let retired_nights = writer.roll_window();
        writer.look_at_all_waiting();
        let forgotten = writer.forget_old();
        Outcome::Ticked { retired_nights, forgotten }
    }
}
