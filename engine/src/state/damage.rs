//! Damage that is met where no command can be refused for it: an expiry must come to its end, and what
//! was validated is not asked twice.
//!
//! It owns a count for the alarm; what is damaged stays so until a person has looked. **Invariant**: no
//! room is taken out of a count that has not so many, and none of these passes unnoticed.

use std::sync::atomic::Ordering;

use super::Writer;
use crate::sync::AtomicU64;

/// How often it was met.
#[derive(Debug, Default)]
pub(super) struct Damage(AtomicU64);

impl Writer {
    /// How often a count was found too small for what had to be taken out of it, since this writer was
    /// made. 0 for every log; anything else means damaged memory or a defect.
    #[must_use]
    pub fn damage(&self) -> u64 {
        // Relaxed: a count on its own, raised by the thread that applies.
        self.damage.0.load(Ordering::Relaxed)
    }

    pub(super) fn note_damage(&self) {
        // Relaxed: as above.
        self.damage.0.fetch_add(1, Ordering::Relaxed);
    }

    /// So many rooms fewer; none, and an alarm, where there are not so many.
    pub(super) fn less(&self, count: u32, rooms: u32) -> u32 {
        count.checked_sub(rooms).unwrap_or_else(|| {
            self.note_damage();
            0
        })
    }

    /// As [`Self::less`], of a guest's rooms and room-nights.
    pub(super) fn less_usage(&self, count: u64, by: u64) -> u64 {
        count.checked_sub(by).unwrap_or_else(|| {
            self.note_damage();
            0
        })
    }
}
