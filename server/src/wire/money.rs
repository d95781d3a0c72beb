//! Amounts as shown outside: minor units and a currency, never a float.

use holdfast_engine::money::Currency;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount in minor units (satang for THB).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    #[schema(example = 123_456)]
    pub amount: i64,
    #[schema(example = "THB")]
    pub currency: String,
}

impl Money {
    pub fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency: currency.code().to_owned() }
    }
}

/// An ISO 4217 code, or nothing.
pub fn parse_currency(text: &str) -> Option<Currency> {
    let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
    bytes.iter().all(u8::is_ascii_uppercase).then_some(Currency(bytes))
}
