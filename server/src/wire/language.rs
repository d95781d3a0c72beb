//! The language a reader asked for: `?lang=`, else `Accept-Language`, else English.

use holdfast_engine::catalogue::Text;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A language the product speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Th,
    En,
}

/// The one parameter of doors that take no other.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Spoken {
    #[param(inline)]
    pub lang: Option<Language>,
}

impl Language {
    pub fn choose(asked: Option<Self>, headers: &HeaderMap) -> Self {
        asked.unwrap_or_else(|| {
            let value = headers.get(header::ACCEPT_LANGUAGE);
            value.and_then(|value| value.to_str().ok()).map_or(Self::En, accepted)
        })
    }

    /// The text in this language; in the other where the partner gave only that.
    pub fn of(self, text: &Text) -> &str {
        self.one_of(&text.th, &text.en)
    }

    pub fn one_of<'t>(self, th: &'t str, en: &'t str) -> &'t str {
        match self {
            Self::Th if !th.is_empty() => th,
            Self::Th => en,
            Self::En if !en.is_empty() => en,
            Self::En => th,
        }
    }

    /// For `Content-Language`.
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Th => "th",
            Self::En => "en",
        })
    }
}

/// The first of the two languages by weight, then by order.
fn accepted(header: &str) -> Language {
    let mut best = (0.0, Language::En);
    for part in header.split(',') {
        let mut fields = part.split(';');
        let tag = fields.next().unwrap_or_default().trim().to_ascii_lowercase();
        let weight = fields
            .find_map(|field| field.trim().strip_prefix("q=")?.parse::<f32>().ok())
            .unwrap_or(1.0);
        let language = match tag.split('-').next() {
            Some("th") => Language::Th,
            Some("en" | "*") => Language::En,
            _ => continue,
        };
        if weight > best.0 {
            best = (weight, language);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_known_language_wins() {
        for (header, language) in [
            ("th", Language::Th),
            ("th-TH,th;q=0.9,en;q=0.8", Language::Th),
            ("en;q=0.5, th;q=0.7", Language::Th),
            ("de, en;q=0.7, th;q=0.3", Language::En),
            ("de", Language::En),
            ("th;q=0", Language::En),
            ("", Language::En),
        ] {
            assert_eq!(accepted(header), language, "{header}");
        }
    }

    #[test]
    fn a_missing_translation_falls_back_to_the_other() {
        let text = Text { th: String::new(), en: "A".into() };
        assert_eq!(Language::Th.of(&text), "A");
    }
}
