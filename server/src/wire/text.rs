//! Texts people read: Thai and English, normalised, bounded, free of characters that deceive.

use holdfast_engine::catalogue::Text as EngineText;
use holdfast_engine::limits::TEXT_BYTES_MAX;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use utoipa::ToSchema;

use super::check::Check;
use crate::limits::{DESCRIPTION_GRAPHEMES_MAX, NAME_GRAPHEMES_MAX};

/// A text in Thai and English.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    #[serde(default)]
    #[schema(example = "โรงแรมริมทะเล")]
    pub th: String,
    #[serde(default)]
    #[schema(example = "Seaside Hotel")]
    pub en: String,
}

impl From<&EngineText> for Text {
    fn from(text: &EngineText) -> Self {
        Self { th: text.th.clone(), en: text.en.clone() }
    }
}

impl Text {
    /// A name: both languages given, 1 to 200 grapheme clusters each.
    pub fn check_name(&self, pointer: &str, check: &mut Check) -> EngineText {
        let th = check_line(&format!("{pointer}/th"), &self.th, 1..=NAME_GRAPHEMES_MAX, check);
        let en = check_line(&format!("{pointer}/en"), &self.en, 1..=NAME_GRAPHEMES_MAX, check);
        EngineText { th, en }
    }

    /// A description: either language may be missing; line breaks are welcome.
    pub fn check_description(&self, pointer: &str, check: &mut Check) -> EngineText {
        let mut one = |language: &str, text: &str| {
            let pointer = format!("{pointer}/{language}");
            let bounds = 0..=DESCRIPTION_GRAPHEMES_MAX;
            let lines: Vec<String> = text
                .replace("\r\n", "\n")
                .split('\n')
                .map(|line| check_line(&pointer, line, 0..=DESCRIPTION_GRAPHEMES_MAX, check))
                .collect();
            let joined = lines.join("\n");
            check_length(&pointer, &joined, bounds, check);
            joined
        };
        let th = one("th", &self.th);
        let en = one("en", &self.en);
        EngineText { th, en }
    }
}

/// One line: trimmed, NFC, without control or direction-changing characters, within `graphemes`.
pub fn check_line(
    pointer: &str,
    text: &str,
    graphemes: std::ops::RangeInclusive<usize>,
    check: &mut Check,
) -> String {
    let text: String = text.trim().nfc().collect();
    if let Some(bad) = text.chars().find(|symbol| is_deceptive(*symbol)) {
        check.fault(
            pointer,
            "text.forbidden_character",
            format!("must not contain the control or direction character U+{:04X}", bad as u32),
        );
    }
    check_length(pointer, &text, graphemes, check);
    text
}

fn check_length(
    pointer: &str,
    text: &str,
    graphemes: std::ops::RangeInclusive<usize>,
    check: &mut Check,
) {
    let length = text.graphemes(true).count();
    let (least, most) = (*graphemes.start(), *graphemes.end());
    if length < least {
        check.fault(pointer, "text.too_short", format!("must have {least} to {most} characters"));
    } else if length > most || text.len() > TEXT_BYTES_MAX {
        check.fault(pointer, "text.too_long", format!("must have {least} to {most} characters"));
    }
}

/// Control characters, bidirectional overrides, embeddings and isolates, and line separators.
/// The zero-width joiners that scripts need are not among them.
fn is_deceptive(symbol: char) -> bool {
    symbol.is_control()
        || matches!(symbol,
            '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(name: &str) -> Vec<String> {
        let mut check = Check::new();
        check_line("/name/th", name, 1..=NAME_GRAPHEMES_MAX, &mut check);
        match check.finish() {
            Ok(()) => Vec::new(),
            Err(problem) => problem.errors.iter().map(|error| error.code.clone()).collect(),
        }
    }

    #[test]
    fn names_are_counted_in_grapheme_clusters() {
        // One cluster of four code points: consonant, vowel above, tone mark, and its base.
        assert!(faults(&"ที่".repeat(NAME_GRAPHEMES_MAX)).is_empty());
        assert_eq!(faults(&"ที่".repeat(NAME_GRAPHEMES_MAX + 1)), ["text.too_long"]);
        assert_eq!(faults("  "), ["text.too_short"]);
    }

    #[test]
    fn deceptive_characters_are_refused() {
        for text in ["a\u{202E}b", "a\u{2066}b", "a\0b", "a\nb", "a\u{200F}b"] {
            assert_eq!(faults(text), ["text.forbidden_character"], "{text:?}");
        }
        assert!(faults("Ha\u{200D}a").is_empty());
    }

    #[test]
    fn names_become_nfc() {
        let mut check = Check::new();
        assert_eq!(check_line("/x", "Cafe\u{301}", 1..=200, &mut check), "Café");
    }

    #[test]
    fn descriptions_keep_their_lines() {
        let mut check = Check::new();
        let text = Text { th: String::new(), en: "one\r\ntwo\n\nthree".into() };
        assert_eq!(text.check_description("/d", &mut check).en, "one\ntwo\n\nthree");
        assert!(check.finish().is_ok());
    }
}
