//! A room type on the wire.

use holdfast_engine::catalogue::{RoomType as EngineRoomType, RoomTypeDraft};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check::Check;
use super::hotel::check_amenities;
use super::text::Text;
use super::words;
use crate::limits::{LIST_ITEMS_MAX, WORD_BYTES_MAX};
use crate::problem::Problem;

/// What a partner says of a room type.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomTypeBody {
    pub name: Text,
    #[schema(example = 2, minimum = 1)]
    pub max_adults: u8,
    #[schema(example = 1)]
    pub max_children: u8,
    /// Adults and children together.
    #[schema(example = 3, minimum = 1)]
    pub max_occupancy: u8,
    #[serde(default)]
    pub beds: Vec<Bed>,
    #[serde(default)]
    #[schema(example = 28)]
    pub size_m2: u16,
    #[serde(default)]
    #[schema(example = json!(["balcony", "sea_view"]))]
    pub amenities: Vec<String>,
}

/// A kind of bed; `"king"` is short for one king bed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Bed {
    Counted(BedCount),
    One(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BedCount {
    #[schema(example = "king")]
    pub kind: String,
    #[schema(example = 1, minimum = 1, maximum = 20)]
    pub count: u8,
}

impl Bed {
    fn counted(&self) -> BedCount {
        match self {
            Self::Counted(bed) => bed.clone(),
            Self::One(text) => match text.split_once(' ') {
                Some((count, kind)) if count.parse::<u8>().is_ok() => {
                    BedCount { kind: kind.to_owned(), count: count.parse().unwrap_or(1) }
                }
                _ => BedCount { kind: text.clone(), count: 1 },
            },
        }
    }
}

impl RoomTypeBody {
    pub fn check(&self) -> Result<RoomTypeDraft, Problem> {
        let mut check = Check::new();
        if self.max_adults < 1 {
            check.fault("/max_adults", "field.range", "must be at least 1");
        }
        if self.max_occupancy < self.max_adults {
            let detail = "must be at least max_adults";
            check.fault("/max_occupancy", "occupancy.contradiction", detail);
        }
        if self.max_children >= self.max_occupancy.max(1) {
            let detail = "must be below max_occupancy, since a room takes at least one adult";
            check.fault("/max_children", "occupancy.contradiction", detail);
        }
        let draft = RoomTypeDraft {
            name: self.name.check_name("/name", &mut check),
            max_adults: self.max_adults,
            max_children: self.max_children,
            max_occupancy: self.max_occupancy,
            beds: check_beds(&self.beds, &mut check),
            size_m2: check.range("/size_m2", self.size_m2, 0..=10_000),
            amenities: check_amenities("/amenities", &self.amenities, &mut check),
        };
        check.finish()?;
        Ok(draft)
    }

    pub fn of(draft: &RoomTypeDraft) -> Self {
        Self {
            name: Text::from(&draft.name),
            max_adults: draft.max_adults,
            max_children: draft.max_children,
            max_occupancy: draft.max_occupancy,
            beds: beds_of(&draft.beds).into_iter().map(Bed::Counted).collect(),
            size_m2: draft.size_m2,
            amenities: words::amenity_words(draft.amenities),
        }
    }
}

/// Beds as the engine keeps them: `2 single, 1 king`.
fn check_beds(beds: &[Bed], check: &mut Check) -> String {
    if beds.len() > LIST_ITEMS_MAX {
        let detail = format!("must have at most {LIST_ITEMS_MAX} items");
        check.fault("/beds", "list.too_long", detail);
        return String::new();
    }
    let mut texts = Vec::with_capacity(beds.len());
    for (position, bed) in beds.iter().enumerate() {
        let BedCount { kind, count } = bed.counted();
        let word = kind.len() <= WORD_BYTES_MAX
            && !kind.is_empty()
            && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b' ');
        if !word || !(1..=20).contains(&count) {
            let detail = "must be a kind of bed in small letters (`king`) and a count of 1 to 20";
            check.fault(&format!("/beds/{position}"), "field.invalid", detail);
        }
        texts.push(format!("{count} {kind}"));
    }
    texts.join(", ")
}

/// The beds of a text made by `check_beds`.
pub fn beds_of(text: &str) -> Vec<BedCount> {
    let one = |part: &str| {
        let (count, kind) = part.split_once(' ').unwrap_or(("1", part));
        BedCount { kind: kind.to_owned(), count: count.parse().unwrap_or(1) }
    };
    if text.is_empty() { Vec::new() } else { text.split(", ").map(one).collect() }
}

/// A room type as its partner sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RoomTypeView {
    #[schema(example = "rt_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub id: String,
    pub hotel_id: String,
    pub version: u32,
    #[serde(flatten)]
    pub body: RoomTypeBody,
    /// Ids of its rate plans.
    pub rate_plans: Vec<String>,
}

impl RoomTypeView {
    pub fn of(room_type: &EngineRoomType, hotel_id: String, rate_plans: Vec<String>) -> Self {
        Self {
            id: room_type.id.to_string(),
            hotel_id,
            version: room_type.version,
            body: RoomTypeBody::of(&room_type.draft),
            rate_plans,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(beds: serde_json::Value) -> RoomTypeBody {
        serde_json::from_value(serde_json::json!({
            "name": {"th": "ก", "en": "A"}, "max_adults": 2, "max_children": 1,
            "max_occupancy": 3, "beds": beds
        }))
        .unwrap()
    }

    #[test]
    fn beds_are_understood_short_and_long_and_read_back_the_same() {
        let draft = body(serde_json::json!(["king", "2 single", {"kind": "sofa_bed", "count": 1}]))
            .check()
            .unwrap();
        assert_eq!(draft.beds, "1 king, 2 single, 1 sofa_bed");
        assert!(draft.is_valid());
        assert_eq!(RoomTypeBody::of(&draft).check().unwrap(), draft);
    }

    #[test]
    fn contradicting_occupancies_are_refused() {
        for (adults, children, occupancy) in [(0, 0, 1), (3, 0, 2), (1, 2, 2), (1, 0, 0)] {
            let mut body = body(serde_json::json!([]));
            body.max_adults = adults;
            body.max_children = children;
            body.max_occupancy = occupancy;
            assert!(body.check().is_err(), "{adults} {children} {occupancy}");
        }
    }
}
