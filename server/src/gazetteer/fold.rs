//! When two spellings are the same name, and how well a typed beginning fits a name.
//!
//! Owns folding (case, diacritics, spaces, hyphens, Thai typing slips) and the classes of a match.
//! Knows no place. **Invariant**: folding is idempotent, and a name's own folded form always
//! matches it exactly.

use unicode_normalization::UnicodeNormalization;

/// Thai words that begin a name without being the part people search for.
const GENERIC_TH: [&str; 16] = [
    "จังหวัด",
    "อำเภอ",
    "เขต",
    "เมือง",
    "เกาะ",
    "หมู่เกาะ",
    "บ้าน",
    "หาด",
    "อ่าว",
    "ดอย",
    "เขา",
    "แหลม",
    "โรงแรม",
    "ตำบล",
    "แขวง",
    "เดอะ",
];

/// The fewest characters that are looked for in the middle of a word or by sound.
const INSIDE_CHARS_MIN: usize = 3;

/// How well a name answers a query; better is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// The whole name.
    Exact,
    /// The name begins with it.
    Prefix,
    /// A later word begins with it.
    WordPrefix,
    /// Each word of the query begins some word of the name.
    EveryWord,
    /// It stands inside a word.
    Inside,
    /// It sounds alike: `Pitsanulok`, `Puket`, `Nakorn`.
    Alike,
}

/// A name, prepared to be matched many times.
#[derive(Clone, Debug)]
pub struct Key {
    /// All words run together: spaces and hyphens are where people differ.
    run: Box<str>,
    /// Where words begin in `run`.
    starts: Box<[u16]>,
    alike: Box<str>,
}

/// What was typed, prepared to be matched against many names.
#[derive(Clone, Debug)]
pub struct Query {
    run: String,
    words: Vec<String>,
    alike: String,
}

impl Query {
    #[must_use]
    pub fn new(text: &str) -> Self {
        let folded = fold(text);
        let words: Vec<String> = folded.split(' ').map(str::to_owned).collect();
        let run = words.concat();
        let alike = sound(&run);
        Self { run, words, alike }
    }

    /// Whether nothing is left to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.run.is_empty()
    }
}

impl Key {
    #[must_use]
    pub fn new(name: &str) -> Self {
        let folded = fold(name);
        let mut run = String::with_capacity(folded.len());
        let mut starts = Vec::new();
        for word in folded.split(' ') {
            starts.push(run.len());
            for generic in GENERIC_TH {
                if word.strip_prefix(generic).is_some_and(|rest| rest.chars().count() >= 2) {
                    starts.push(run.len() + generic.len());
                }
            }
            run.push_str(word);
        }
        // A name past 64 KiB is no name; its later words are simply not found.
        let starts = starts.into_iter().filter_map(|at| u16::try_from(at).ok()).collect();
        let alike = sound(&run).into_boxed_str();
        Self { run: run.into_boxed_str(), starts, alike }
    }

    /// How well this name answers `query`, if at all.
    #[must_use]
    pub fn matches(&self, query: &Query) -> Option<Match> {
        if query.is_empty() {
            return None;
        }
        if *self.run == query.run {
            return Some(Match::Exact);
        }
        if self.run.starts_with(&query.run) {
            return Some(Match::Prefix);
        }
        if self.begins_a_word(&query.run) {
            return Some(Match::WordPrefix);
        }
        if query.words.len() > 1 && query.words.iter().all(|word| self.begins_a_word(word)) {
            return Some(Match::EveryWord);
        }
        if query.run.chars().count() < INSIDE_CHARS_MIN {
            return None;
        }
        if self.run.contains(&query.run) {
            return Some(Match::Inside);
        }
        let by_sound = query.alike.len() >= INSIDE_CHARS_MIN && query.alike.is_ascii();
        (by_sound && self.alike.starts_with(&query.alike)).then_some(Match::Alike)
    }

    fn begins_a_word(&self, start: &str) -> bool {
        self.starts
            .iter()
            .filter_map(|at| self.run.get(usize::from(*at)..))
            .any(|rest| rest.starts_with(start))
    }
}

/// Lower-case words without diacritics, separated by single spaces.
///
/// Latin accents are dropped, Thai marks kept but put into their standard order; apostrophes and
/// invisible characters vanish, everything else that is no letter or digit separates words. `Koh`,
/// `Baan`, `Haad` … become the official spelling.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfd().flat_map(char::to_lowercase) {
        match c {
            '\u{300}'..='\u{36f}' => {}
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {}
            '\'' | '’' | '‘' | 'ʼ' | '`' | '.' | 'ฯ' => {}
            '๐'..='๙' => folded.extend(char::from_digit(u32::from(c) - u32::from('๐'), 10)),
            'เ' if folded.ends_with('เ') => {
                folded.pop();
                folded.push('แ');
            }
            'า' if folded.ends_with('\u{e4d}') => {
                folded.pop();
                folded.push('ำ');
            }
            c if is_upper_vowel(c) => push_vowel(&mut folded, c),
            c if c.is_alphanumeric() || is_thai_mark(c) => folded.push(c),
            _ => {
                if !folded.is_empty() && !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
        }
    }
    folded.split(' ').filter(|word| !word.is_empty()).map(spelling).collect::<Vec<_>>().join(" ")
}

/// Thai keyboards let the tone mark come before the vowel; the vowel belongs first.
fn push_vowel(folded: &mut String, vowel: char) {
    let tone = folded.chars().next_back().filter(|c| ('\u{e48}'..='\u{e4b}').contains(c));
    if let Some(tone) = tone {
        folded.pop();
        folded.push(vowel);
        folded.push(tone);
    } else {
        folded.push(vowel);
    }
}

fn is_upper_vowel(c: char) -> bool {
    matches!(c, '\u{e31}' | '\u{e34}'..='\u{e39}' | '\u{e4d}')
}

fn is_thai_mark(c: char) -> bool {
    matches!(c, '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}')
}

/// Words of place names with more than one romanisation.
fn spelling(word: &str) -> &str {
    match word {
        "koh" => "ko",
        "baan" => "ban",
        "haad" | "had" => "hat",
        "muang" => "mueang",
        "nakorn" => "nakhon",
        "aow" => "ao",
        "saint" => "st",
        other => other,
    }
}

/// What is left of Latin letters when aspiration, voice, length and doubling are not heard; other
/// scripts stay.
fn sound(run: &str) -> String {
    let mut heard = String::with_capacity(run.len());
    for c in run.chars() {
        let c = match c {
            'b' => 'p',
            'd' => 't',
            c => c,
        };
        let silent = match (heard.chars().next_back(), c) {
            (Some('k' | 'p' | 't'), 'h') => true,
            (Some(before), c) => before == c && c.is_ascii_alphabetic(),
            (None, _) => false,
        };
        if !silent {
            heard.push(c);
        }
    }
    heard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_fold_alike() {
        let same = [
            ["Hua-Hin", "hua hin", " HUA  HIN "],
            ["Phang-nga", "Phang Nga", "phang–nga"],
            ["Café", "cafe\u{301}", "CAFE"],
            ["Koh Samui", "ko samui", "KOH SAMUI"],
            ["น\u{e4d}\u{e49}า", "น\u{e49}\u{e4d}า", "น\u{e4d}\u{e49}า"],
            ["ท\u{e48}\u{e35}", "ท\u{e35}\u{e48}", "ท\u{e35}\u{e48}"],
            ["เเม่ริม", "แม่ริม", "แม\u{200b}่ริม"],
            ["ซอย ๑๒", "ซอย 12", "ซอย-12"],
        ];
        for [a, b, c] in same {
            assert_eq!(fold(a), fold(b), "{a} {b}");
            assert_eq!(fold(a), fold(c), "{a} {c}");
            assert_eq!(fold(&fold(a)), fold(a), "{a} is folded once");
        }
        assert_ne!(fold("เสือ"), fold("เสื่อ"), "a tone mark makes another word");
        assert_eq!(fold("  --  "), "");
    }

    #[test]
    fn matches_are_classed() {
        let cases = [
            ("Chon Buri", "chonburi", Some(Match::Exact)),
            ("Chon Buri", "chon b", Some(Match::Prefix)),
            ("Chon Buri", "bur", Some(Match::WordPrefix)),
            ("Chon Buri", "buri chon", Some(Match::EveryWord)),
            ("Phatthalung", "talu", None),
            ("Phatthalung", "thalu", Some(Match::Inside)),
            ("Phitsanulok", "pitsanu", Some(Match::Alike)),
            ("Phuket", "puket", Some(Match::Alike)),
            ("เกาะสมุย", "สมุย", Some(Match::WordPrefix)),
            ("เกาะสมุย", "เกาะส", Some(Match::Prefix)),
            ("หาดใหญ่", "ใหญ่", Some(Match::WordPrefix)),
            ("นครศรีธรรมราช", "ธรรม", Some(Match::Inside)),
            ("Phuket", "", None),
            ("Phuket", " - ", None),
            ("Phuket", "x", None),
        ];
        for (name, typed, expected) in cases {
            assert_eq!(Key::new(name).matches(&Query::new(typed)), expected, "{name} / {typed}");
        }
    }
}
