//! Taxes on the wire: what holds in a province, or in the country, from a night on.

use holdfast_engine::Night;
use holdfast_engine::limits::{FEE_BP_MAX, SERVICE_BP_MAX, VAT_BP_MAX};
use holdfast_engine::quote::tax::{Entry, Rates, Scope, Table, Taxes, VatOn};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check::Check;
use super::stay::check_night;
use crate::problem::Problem;

/// What is said; what is not is as it was, or as in the whole country.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxesBody {
    /// First check-in it holds for.
    #[schema(example = "2027-01-01", format = Date)]
    pub from: String,
    /// Basis points of the room, 0 to 3,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_bp: Option<u16>,
    /// Basis points of the lines it covers, 0 to 3,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_bp: Option<u16>,
    /// Basis points of the room, 0 to 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 100)]
    pub fee_bp: Option<u16>,
    /// Lines that VAT covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_covers: Option<Vec<TaxLine>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxLine {
    Room,
    ServiceCharge,
    ProvincialFee,
}

const LINES: [(TaxLine, VatOn); 3] = [
    (TaxLine::Room, VatOn::ROOM),
    (TaxLine::ServiceCharge, VatOn::SERVICE),
    (TaxLine::ProvincialFee, VatOn::FEE),
];

/// What was said, and in which version of the table.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaxEntryView {
    pub version: u32,
    /// `country` or `province`.
    pub scope: &'static str,
    #[serde(flatten)]
    pub body: TaxesBody,
}

/// What holds for a check-in today.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaxesView {
    /// `country`, or a province's ISO 3166-2 code.
    #[schema(example = "TH-83")]
    pub province: String,
    /// Of the whole table.
    pub version: u32,
    pub service_bp: u16,
    pub vat_bp: u16,
    pub fee_bp: u16,
    pub vat_covers: Vec<TaxLine>,
    /// Everything that was ever said of it and of the country, the oldest first.
    pub entries: Vec<TaxEntryView>,
}

fn lines(vat_on: VatOn) -> Vec<TaxLine> {
    LINES.iter().filter(|line| vat_on.covers(line.1)).map(|line| line.0).collect()
}

impl TaxesBody {
    pub fn check(&self) -> Result<(Night, Rates), Problem> {
        let mut check = Check::new();
        let from = check_night("/from", &self.from, &mut check);
        let bounds = [
            ("/service_bp", self.service_bp, SERVICE_BP_MAX),
            ("/vat_bp", self.vat_bp, VAT_BP_MAX),
            ("/fee_bp", self.fee_bp, FEE_BP_MAX),
        ];
        for (pointer, share, most) in bounds {
            check.range(pointer, share.unwrap_or(0), 0..=most);
        }
        let covers = |covered: &Vec<TaxLine>| {
            let bits = LINES.iter().filter(|line| covered.contains(&line.0)).map(|line| line.1.0);
            VatOn(bits.fold(0, |all, bit| all | bit))
        };
        let rates = Rates {
            service_bp: self.service_bp,
            vat_bp: self.vat_bp,
            fee_bp: self.fee_bp,
            vat_on: self.vat_covers.as_ref().map(covers),
        };
        if rates == Rates::default() {
            check.fault("", "taxes.empty", "says nothing: name at least one share");
        }
        check.finish()?;
        Ok((from, rates))
    }

    fn of(entry: &Entry) -> Self {
        Self {
            from: entry.from.to_string(),
            service_bp: entry.rates.service_bp,
            vat_bp: entry.rates.vat_bp,
            fee_bp: entry.rates.fee_bp,
            vat_covers: entry.rates.vat_on.map(lines),
        }
    }
}

impl TaxesView {
    pub fn of(table: &Table, scope: Scope, today: Night) -> Self {
        let (province, now) = match scope {
            // A code that no province has sees the country's alone.
            Scope::Country => ("country".to_owned(), table.country(today)),
            Scope::Province(code) => (format!("TH-{code:02}"), table.now(code, today)),
        };
        let Taxes { service_bp, vat_bp, fee_bp, vat_on } = now;
        let mine = |entry: &&Entry| entry.scope == scope || entry.scope == Scope::Country;
        let entries = table.entries().iter().filter(mine).map(|entry| TaxEntryView {
            version: entry.version,
            scope: if entry.scope == Scope::Country { "country" } else { "province" },
            body: TaxesBody::of(entry),
        });
        let (version, vat_covers) = (table.version(), lines(vat_on));
        let entries = entries.collect();
        Self { province, version, service_bp, vat_bp, fee_bp, vat_covers, entries }
    }
}
