//! A hotel on the wire.

use holdfast_engine::catalogue::{
    Hotel as EngineHotel, HotelDraft, HotelStatus, TaxProfile as EngineTaxProfile,
};
use holdfast_engine::limits::{MAX_STAY_DEFAULT, MAX_STAY_MAX};
use holdfast_engine::money::Currency;
use holdfast_engine::zone::{self, Zone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check::{Check, minute_text};
use super::money::parse_currency;
use super::pricing::{AgeBand, age_bands_of, check_age_bands};
use super::text::Text;
use super::words;
use crate::gazetteer::{Gazetteer, fold};
use crate::limits::{LIST_ITEMS_MAX, WORD_BYTES_MAX};
use crate::problem::Problem;

/// What a partner says of a hotel.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HotelBody {
    pub name: Text,
    #[serde(default)]
    pub description: Text,
    /// ISO 3166-2 code (`TH-83` or `83`), or the province's name in Thai or English.
    #[schema(example = "TH-83")]
    pub province: String,
    #[schema(example = 7.8804, minimum = -90, maximum = 90)]
    pub lat: f64,
    #[schema(example = 98.3923, minimum = -180, maximum = 180)]
    pub lon: f64,
    /// 0 (none) to 5.
    #[schema(example = 4, minimum = 0, maximum = 5)]
    pub stars: u8,
    #[serde(default = "default_property_type")]
    #[schema(example = "resort")]
    pub property_type: String,
    #[serde(default)]
    #[schema(example = json!(["wifi", "pool"]))]
    pub amenities: Vec<String>,
    /// IANA zone.
    #[serde(default = "default_zone")]
    #[schema(example = "Asia/Bangkok")]
    pub zone: String,
    #[serde(default = "default_currency")]
    #[schema(example = "THB")]
    pub currency: String,
    /// Longest stay, in nights.
    #[serde(default = "default_max_stay")]
    #[schema(example = 30, minimum = 1, maximum = 365)]
    pub max_stay: u16,
    /// What of service charge and VAT the hotel charges; the provincial fee is always charged.
    #[serde(default)]
    pub tax_profile: TaxProfile,
    /// What children cost and which of them take a place, by rising age; none: every child takes a place
    /// and costs nothing.
    #[serde(default)]
    pub age_bands: Vec<AgeBand>,
    /// Hotel-local time of day.
    #[serde(default = "default_check_in")]
    #[schema(example = "14:00")]
    pub check_in_time: String,
    #[serde(default = "default_check_out")]
    #[schema(example = "12:00")]
    pub check_out_time: String,
}

fn default_property_type() -> String {
    "hotel".to_owned()
}

fn default_zone() -> String {
    zone::DEFAULT.to_owned()
}

fn default_currency() -> String {
    Currency::THB.code().to_owned()
}

fn default_max_stay() -> u16 {
    MAX_STAY_DEFAULT
}

fn default_check_in() -> String {
    "14:00".to_owned()
}

fn default_check_out() -> String {
    "12:00".to_owned()
}

/// What a hotel charges on top of its rooms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxProfile {
    /// Service charge and VAT.
    #[default]
    Standard,
    NoServiceCharge,
    /// Not registered for VAT.
    NoVat,
    NoServiceChargeNoVat,
}

impl From<TaxProfile> for EngineTaxProfile {
    fn from(profile: TaxProfile) -> Self {
        use TaxProfile::{NoServiceCharge, NoServiceChargeNoVat, NoVat};
        Self {
            service_charge: !matches!(profile, NoServiceCharge | NoServiceChargeNoVat),
            vat: !matches!(profile, NoVat | NoServiceChargeNoVat),
        }
    }
}

impl From<EngineTaxProfile> for TaxProfile {
    fn from(profile: EngineTaxProfile) -> Self {
        match (profile.service_charge, profile.vat) {
            (true, true) => Self::Standard,
            (false, true) => Self::NoServiceCharge,
            (true, false) => Self::NoVat,
            (false, false) => Self::NoServiceChargeNoVat,
        }
    }
}

impl HotelBody {
    /// The engine's draft, or every fault of the body.
    pub fn check(&self) -> Result<HotelDraft, Problem> {
        let mut check = Check::new();
        let province = check_province(&self.province, &mut check);
        let property_type =
            words::property_type_position(&self.property_type).unwrap_or_else(|| {
                let known = words::PROPERTY_TYPES.join(", ");
                check.fault("/property_type", "word.unknown", format!("must be one of {known}"));
                0
            });
        if Zone::find(&self.zone).is_none() {
            let detail = "must be an IANA time zone such as `Asia/Bangkok`";
            check.fault("/zone", "zone.unknown", detail);
        }
        let currency = parse_currency(&self.currency).unwrap_or_else(|| {
            check.fault("/currency", "currency.unknown", "must be an ISO 4217 code such as `THB`");
            Currency::THB
        });
        let draft = HotelDraft {
            name: self.name.check_name("/name", &mut check),
            description: self.description.check_description("/description", &mut check),
            province,
            lat_e6: check.degrees("/lat", self.lat, 90.0),
            lon_e6: check.degrees("/lon", self.lon, 180.0),
            stars: check.range("/stars", self.stars, 0..=5),
            property_type,
            amenities: check_amenities("/amenities", &self.amenities, &mut check),
            zone: self.zone.clone(),
            currency,
            max_stay: check.range("/max_stay", self.max_stay, 1..=MAX_STAY_MAX),
            check_in_minute: check.minute_of_day("/check_in_time", &self.check_in_time),
            check_out_minute: check.minute_of_day("/check_out_time", &self.check_out_time),
            tax_profile: self.tax_profile.into(),
            age_bands: check_age_bands(&self.age_bands, &mut check),
        };
        check.finish()?;
        Ok(draft)
    }
}

pub fn check_province(text: &str, check: &mut Check) -> u8 {
    let provinces = Gazetteer::get().provinces();
    let digits = text.strip_prefix("TH-").unwrap_or(text);
    let found = match digits.parse::<u8>() {
        Ok(code) => provinces.iter().find(|province| province.code == code),
        Err(_) => {
            let wanted = fold(text);
            provinces.iter().find(|province| {
                fold(province.name_en) == wanted || fold(province.name_th) == wanted
            })
        }
    };
    found.map_or_else(
        || {
            let detail = "must be a province of Thailand: its ISO code (`TH-83`) or its name";
            check.fault("/province", "province.unknown", detail);
            10
        },
        |province| province.code,
    )
}

/// The bit set of amenity words.
pub fn check_amenities(pointer: &str, given: &[String], check: &mut Check) -> u64 {
    if given.len() > LIST_ITEMS_MAX {
        let detail = format!("must have at most {LIST_ITEMS_MAX} items");
        check.fault(pointer, "list.too_long", detail);
        return 0;
    }
    let mut bits = 0;
    for (position, word) in given.iter().enumerate() {
        match words::amenity_bit(word) {
            Some(bit) => bits |= bit,
            None => {
                let shown: String = word.chars().take(WORD_BYTES_MAX).collect();
                let detail = format!("`{shown}` is not a known amenity; see the API description");
                check.fault(&format!("{pointer}/{position}"), "word.unknown", detail);
            }
        }
    }
    bits
}

/// A hotel as its partner and admins see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HotelView {
    #[schema(example = "htl_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub id: String,
    pub partner_id: String,
    pub status: Status,
    /// Rises with every change; the same as the `ETag`.
    pub version: u32,
    #[serde(flatten)]
    pub body: HotelBody,
    /// Ids of the hotel's room types.
    pub room_types: Vec<String>,
    pub created_at: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Draft,
    Pending,
    Live,
    Suspended,
}

impl From<HotelStatus> for Status {
    fn from(status: HotelStatus) -> Self {
        match status {
            HotelStatus::Draft => Self::Draft,
            HotelStatus::Pending => Self::Pending,
            HotelStatus::Live => Self::Live,
            HotelStatus::Suspended => Self::Suspended,
        }
    }
}

impl HotelBody {
    pub fn of(draft: &HotelDraft) -> Self {
        Self {
            name: Text::from(&draft.name),
            description: Text::from(&draft.description),
            province: format!("TH-{:02}", draft.province),
            lat: f64::from(draft.lat_e6) / 1e6,
            lon: f64::from(draft.lon_e6) / 1e6,
            stars: draft.stars,
            property_type: words::property_type_word(draft.property_type).to_owned(),
            amenities: words::amenity_words(draft.amenities),
            zone: draft.zone.clone(),
            currency: draft.currency.code().to_owned(),
            max_stay: draft.max_stay,
            tax_profile: draft.tax_profile.into(),
            age_bands: age_bands_of(&draft.age_bands),
            check_in_time: minute_text(draft.check_in_minute),
            check_out_time: minute_text(draft.check_out_minute),
        }
    }
}

impl HotelView {
    pub fn of(hotel: &EngineHotel, room_types: Vec<String>) -> Self {
        Self {
            id: hotel.id.to_string(),
            partner_id: hotel.partner.to_string(),
            status: hotel.status.into(),
            version: hotel.version,
            body: HotelBody::of(&hotel.draft),
            room_types,
            created_at: super::instant::local(hotel.created_ms, &hotel.zone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(change: impl FnOnce(&mut serde_json::Value)) -> HotelBody {
        let mut value = serde_json::json!({
            "name": {"th": "ก", "en": "A"}, "province": "Phuket", "lat": 7.88, "lon": 98.39,
            "stars": 4
        });
        change(&mut value);
        serde_json::from_value(value).unwrap()
    }

    fn faults(body: &HotelBody) -> Vec<(String, String)> {
        let problem = body.check().unwrap_err();
        problem.errors.iter().map(|e| (e.pointer.clone(), e.code.clone())).collect()
    }

    #[test]
    fn provinces_are_understood_by_code_and_by_name() {
        for text in ["Phuket", "phuket", "ภูเก็ต", "83", "TH-83"] {
            let draft = body(|value| value["province"] = text.into()).check();
            assert_eq!(draft.unwrap().province, 83, "{text}");
        }
        for text in ["", "Atlantis", "99", "TH-00"] {
            let body = body(|value| value["province"] = text.into());
            assert_eq!(faults(&body), [("/province".into(), "province.unknown".into())], "{text}");
        }
    }

    #[test]
    fn what_is_checked_fits_the_engine_and_reads_back_the_same() {
        let draft =
            body(|value| value["amenities"] = serde_json::json!(["pool", "wifi"])).check().unwrap();
        assert!(draft.is_valid());
        assert_eq!(HotelBody::of(&draft).check().unwrap(), draft);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let body = body(|value| {
            value["stars"] = 6.into();
            value["lat"] = 91.into();
            value["zone"] = "Asia/Atlantis".into();
            value["currency"] = "baht".into();
            value["max_stay"] = 366.into();
            value["check_in_time"] = "25:00".into();
            value["amenities"] = serde_json::json!(["wifi", "helipad"]);
        });
        let mut found: Vec<_> = faults(&body).into_iter().map(|(pointer, _)| pointer).collect();
        found.sort();
        let wanted =
            ["/amenities/1", "/check_in_time", "/currency", "/lat", "/max_stay", "/stars", "/zone"];
        assert_eq!(found, wanted);
    }
}
