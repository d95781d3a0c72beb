//! Suggestions of places and hotels on the wire.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::language::Language;
use super::text::Text;
use crate::gazetteer::{Destination, Gazetteer, Kind};

/// What has been typed so far.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DestinationsParams {
    /// The beginning of a name, in Thai or English.
    #[param(example = "phu")]
    pub q: String,
    /// Suggestions wanted, 1 to 50; 10 where not said.
    pub limit: Option<usize>,
    #[param(inline)]
    pub lang: Option<Language>,
}

/// What a suggestion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DestinationKind {
    Province,
    City,
    /// A beach, island or quarter that guests name.
    Area,
    District,
    Hotel,
}

impl From<Kind> for DestinationKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Province => Self::Province,
            Kind::City => Self::City,
            Kind::Area => Self::Area,
            Kind::District => Self::District,
            Kind::Hotel => Self::Hotel,
        }
    }
}

/// One suggestion.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DestinationView {
    /// For `destination=` of a search.
    #[schema(example = "prv_83")]
    pub id: String,
    pub kind: DestinationKind,
    pub name: Text,
    /// The name in the language asked for, with its province where that is another.
    #[schema(example = "Patong, Phuket")]
    pub display_name: String,
    #[schema(example = "TH-83")]
    pub province: String,
    pub lat: f64,
    pub lon: f64,
}

/// Suggestions, best first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DestinationsView {
    pub items: Vec<DestinationView>,
}

impl DestinationView {
    pub fn of_place(place: &Destination, language: Language) -> Self {
        let name = language.one_of(place.name_th, place.name_en);
        Self {
            id: place.id.clone(),
            kind: place.kind.into(),
            name: Text { th: place.name_th.to_owned(), en: place.name_en.to_owned() },
            display_name: with_province(name, place.province, language),
            province: format!("TH-{:02}", place.province),
            lat: place.lat,
            lon: place.lon,
        }
    }

    pub fn of_hotel(hotel: &holdfast_engine::catalogue::Hotel, language: Language) -> Self {
        let draft = &hotel.draft;
        Self {
            id: hotel.id.to_string(),
            kind: DestinationKind::Hotel,
            name: Text::from(&draft.name),
            display_name: with_province(language.of(&draft.name), draft.province, language),
            province: format!("TH-{:02}", draft.province),
            lat: f64::from(draft.lat_e6) / 1e6,
            lon: f64::from(draft.lon_e6) / 1e6,
        }
    }
}

/// `Patong, Phuket`; a name that is the province's stands alone.
fn with_province(name: &str, code: u8, language: Language) -> String {
    let province = Gazetteer::get().province(code);
    let province = province.map_or("", |found| language.one_of(found.name_th, found.name_en));
    if province.is_empty() || province == name {
        name.to_owned()
    } else {
        format!("{name}, {province}")
    }
}
