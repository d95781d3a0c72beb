//! Descriptions of hotels in Thai and English, put together from sentences that say the same in
//! both.
//!
//! Owns the sentences (`assets/demo/texts.csv`). **Invariant**: what a text says (number of rooms,
//! amenities, the setting) is so for the hotel it describes.

use super::body::Text;
use super::dice::Dice;
use super::rooms::House;
use super::spots::Spot;
use crate::gazetteer::rows::rows_apart;
use crate::gazetteer::{Gazetteer, Province};

const SENTENCES: &str = include_str!("../../assets/demo/texts.csv");
/// Amenities mentioned at most.
const EXTRAS_MAX: usize = 2;

#[derive(Clone, Copy, Debug)]
struct Sentence {
    part: &'static str,
    when: &'static str,
    en: &'static str,
    th: &'static str,
}

/// The sentences, read once for a whole run.
#[derive(Debug)]
pub(super) struct Writer {
    sentences: Vec<Sentence>,
}

/// What there is to say.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub name: &'a Text,
    pub spot: &'a Spot,
    pub house: House,
    pub amenities: &'a [&'static str],
    /// Rooms, or beds of a hostel.
    pub rooms: u32,
}

impl Writer {
    pub fn new() -> Self {
        let sentences = rows_apart(SENTENCES, ';')
            .map(|[part, when, en, th]| Sentence { part, when, en, th })
            .collect();
        Self { sentences }
    }

    pub fn describe(&self, facts: &Facts<'_>, dice: &mut Dice) -> Text {
        let mut said = vec![*dice.pick(&self.of("open", facts.spot.setting.word()))];
        said.push(*dice.pick(&self.of("rooms", rooms_style(facts.house))));
        let mut extras: Vec<Sentence> =
            facts.amenities.iter().flat_map(|amenity| self.of("extra", amenity)).collect();
        while extras.len() > EXTRAS_MAX {
            extras.remove(dice.below(extras.len()));
        }
        said.extend(extras);
        let mut closing = self.of("close", "any");
        closing.extend(self.of("close", closing_style(facts.house)));
        said.push(*dice.pick(&closing));
        let join = |text: fn(&Sentence) -> &'static str| {
            said.iter().map(text).collect::<Vec<_>>().join(" ")
        };
        facts.fill(join(|sentence| sentence.th), join(|sentence| sentence.en))
    }

    fn of(&self, part: &str, when: &str) -> Vec<Sentence> {
        let fitting = |s: &&Sentence| s.part == part && s.when == when;
        self.sentences.iter().filter(fitting).copied().collect()
    }
}

fn rooms_style(house: House) -> &'static str {
    match (house.property_type, house.stars) {
        ("hostel", _) => "beds",
        ("serviced_apartment", _) => "flats",
        ("villa" | "bungalow" | "lodge", _) => "houses",
        (_, 4..) => "fine",
        _ => "any",
    }
}

fn closing_style(house: House) -> &'static str {
    match (house.property_type, house.stars) {
        ("guesthouse" | "homestay" | "hostel" | "bungalow" | "lodge", _) => "small",
        (_, 5) => "grand",
        _ => "none",
    }
}

impl Facts<'_> {
    fn fill(&self, th: String, en: String) -> Text {
        let place = self.spot.place;
        let capital = Gazetteer::get().province(place.province);
        let fill = |text: String, name: &str, place: &str, capital: &str| {
            text.replace("{n}", name)
                .replace("{p}", place)
                .replace("{c}", capital)
                .replace("{k}", &self.rooms.to_string())
        };
        let province = |name: fn(&Province) -> &'static str| capital.map_or("", name);
        let district_th = place.name_th.strip_prefix("เขต").unwrap_or(place.name_th);
        Text {
            th: fill(th, &self.name.th, district_th, province(|p| p.name_th)),
            en: fill(en, &self.name.en, place.name_en, province(|p| p.name_en)),
        }
    }
}
