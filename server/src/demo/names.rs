//! Names of hotels in Thai and English that belong together.
//!
//! Owns the word lists and patterns (`assets/demo/words.csv`, `names.csv`). No name is that of a
//! chain. **Invariant**: within a province no two hotels share a name in either language.

use std::collections::HashSet;

use super::body::Text;
use super::dice::Dice;
use super::spots::{Setting, Spot};
use crate::gazetteer::rows::rows;

const WORDS: &str = include_str!("../../assets/demo/words.csv");
const PATTERNS: &str = include_str!("../../assets/demo/names.csv");

/// Draws before a taken name gets a number, as a second branch would.
const DRAWS_MAX: usize = 30;
/// How often a word that fits the setting is preferred to one that fits anywhere, in percent.
const LOCAL_WORDS_PERCENT: u32 = 60;

#[derive(Clone, Copy, Debug)]
struct Pair {
    en: &'static str,
    th: &'static str,
}

#[derive(Debug)]
struct Pattern {
    property_type: &'static str,
    settings: &'static str,
    /// `thai` or `brand`.
    words: &'static str,
    text: Pair,
}

/// The lists, read once for a whole run.
#[derive(Debug)]
pub(super) struct Namer {
    words: Vec<(&'static str, Pair)>,
    patterns: Vec<Pattern>,
    taken: HashSet<(u8, String)>,
}

impl Namer {
    pub fn new() -> Self {
        let words = rows(WORDS).map(|[kind, en, th]| (kind, Pair { en, th })).collect();
        let patterns = rows(PATTERNS)
            .map(|[property_type, settings, words, en, th]| Pattern {
                property_type,
                settings,
                words,
                text: Pair { en, th },
            })
            .collect();
        Self { words, patterns, taken: HashSet::new() }
    }

    /// A name not yet given in the spot's province.
    pub fn name(&mut self, property_type: &str, spot: &Spot, dice: &mut Dice) -> Text {
        let province = spot.place.province;
        let mut name = self.draw(property_type, spot.setting, spot, dice);
        for _ in 0..DRAWS_MAX {
            if self.is_free(province, &name) {
                break;
            }
            name = self.draw(property_type, spot.setting, spot, dice);
        }
        let drawn = name.clone();
        let mut branch = 2;
        while !self.is_free(province, &name) {
            name =
                Text { th: format!("{} {branch}", drawn.th), en: format!("{} {branch}", drawn.en) };
            branch += 1;
        }
        self.taken.insert((province, name.th.clone()));
        self.taken.insert((province, name.en.clone()));
        name
    }

    fn is_free(&self, province: u8, name: &Text) -> bool {
        // The set is asked by owned keys; a name is drawn once per hotel, so the copies do not
        // matter.
        !self.taken.contains(&(province, name.th.clone()))
            && !self.taken.contains(&(province, name.en.clone()))
    }

    fn draw(&self, property_type: &str, setting: Setting, spot: &Spot, dice: &mut Dice) -> Text {
        let fitting: Vec<&Pattern> = self
            .patterns
            .iter()
            .filter(|pattern| pattern.property_type == property_type && fits(pattern, setting))
            .collect();
        let pattern = dice.pick(&fitting);
        let word = self.word(pattern.words, setting, dice);
        let place = place_in_name(spot);
        Text {
            en: fill(pattern.text.en, word.en, place.en),
            th: fill(pattern.text.th, word.th, place.th),
        }
    }

    fn word(&self, class: &str, setting: Setting, dice: &mut Dice) -> Pair {
        let local = match (class, setting) {
            ("thai", Setting::Beach | Setting::Island) => "thai_sea",
            ("thai", Setting::Mountain) => "thai_hill",
            ("thai", Setting::River) => "thai_river",
            ("thai", Setting::Heritage) => "thai_old",
            ("brand", Setting::Beach | Setting::Island) => "brand_sea",
            ("brand", Setting::Mountain) => "brand_hill",
            ("brand", Setting::River) => "brand_river",
            ("brand", Setting::City) => "brand_city",
            (class, _) => class,
        };
        let wanted = if dice.percent(LOCAL_WORDS_PERCENT) { local } else { class };
        let list: Vec<Pair> = self
            .words
            .iter()
            .filter(|(kind, _)| *kind == wanted || *kind == class && wanted == class)
            .map(|(_, pair)| *pair)
            .collect();
        *dice.pick(&list)
    }
}

fn fits(pattern: &Pattern, setting: Setting) -> bool {
    match pattern.settings {
        "sea" => setting.is_seaside(),
        "hill" => setting == Setting::Mountain,
        "old" => setting == Setting::Heritage,
        "river" => setting == Setting::River,
        "city" => setting == Setting::City,
        "town" => matches!(setting, Setting::Town | Setting::City | Setting::River),
        _ => true,
    }
}

/// How the place is called in a hotel's name: islands go by their bare name.
fn place_in_name(spot: &Spot) -> Pair {
    let (en, th) = (spot.place.name_en, spot.place.name_th);
    let th = th.strip_prefix("เขต").unwrap_or(th);
    match (en.strip_prefix("Ko "), th.strip_prefix("เกาะ")) {
        (Some(en), Some(th)) => Pair { en, th },
        _ => Pair { en: en.strip_suffix(" Beach").unwrap_or(en), th },
    }
}

/// Thai words that patterns put right before a word which may begin with them.
const STUTTERS_TH: [&str; 4] = ["สวน", "เรือน", "บ้าน", "ไร่"];

/// Puts word and place into a pattern; what is already said is not said twice.
fn fill(pattern: &str, word: &str, place: &str) -> String {
    let mut text = pattern.replace("{w}", word).replace("{p}", place);
    for stutter in STUTTERS_TH {
        text = text.replace(&stutter.repeat(2), stutter);
    }
    let mut said: Vec<&str> = Vec::new();
    for part in text.split(' ') {
        if said.last() != Some(&part) {
            said.push(part);
        }
    }
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn names_do_not_stutter() {
        assert_eq!(fill("Suan {w} Resort {p}", "Suan Mali", "Pai"), "Suan Mali Resort Pai");
        assert_eq!(fill("สวน{w} รีสอร์ท {p}", "สวนมะลิ", "ปาย"), "สวนมะลิ รีสอร์ท ปาย");
        assert_eq!(fill("{w} Bay Resort {p}", "Turtle Bay", "Karon"), "Turtle Bay Resort Karon");
    }
}
