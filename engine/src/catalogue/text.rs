//! A text in the languages the product speaks.

use crate::codec::{Decode, Encode};
use crate::limits::TEXT_BYTES_MAX;

/// The same text in Thai and in English. Either may be empty where the partner gave only one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Text {
    pub th: String,
    pub en: String,
}

impl Text {
    /// Within the byte bound of a text field.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.th.len() <= TEXT_BYTES_MAX && self.en.len() <= TEXT_BYTES_MAX
    }
}
