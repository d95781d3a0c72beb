//! Rate words: none changes but on nights that an event names, and none contradicts itself.
//!
//! It owns a copy of every word as of its last event. What a change of a price means is the commands'.

use super::Written;
use super::calendar::{Copied, word};
use super::finding::Findings;
use crate::civil::Night;
use crate::rates::RateWord;
use crate::state::Writer;

/// The words as partners left them.
#[derive(Debug, Default)]
pub(super) struct Rates {
    written: Copied,
}

impl Rates {
    pub fn begin(&mut self, writer: &Writer) {
        let shared = &writer.shared;
        let first = shared.window().map_or(Night(0), |window| window.0);
        self.written.begin(&shared.rates, shared.rate_plans.len(), first);
    }

    pub fn grow(&mut self, writer: &Writer) {
        self.written.grow(&writer.shared.rates, writer.shared.rate_plans.len());
    }

    pub fn retire(&mut self, first: Night) {
        self.written.retire(first);
    }

    /// A partner has written these nights.
    pub fn adopt(&mut self, writer: &Writer, ari: &Written) {
        let Some(rate_plan) = ari.rate_plan else { return };
        let row = writer.shared.rates.row(rate_plan.0);
        for night in ari.from.until(ari.to.plus(1)) {
            self.written.set(rate_plan.0, night, word(row, night));
        }
    }

    pub fn check_all(&mut self, writer: &Writer, findings: &mut Findings) {
        let mut odd = Vec::new();
        self.written.each(&writer.shared.rates, |row, night, written, found| {
            if written != found || contradicts_itself(RateWord(found)) {
                odd.push((row, night, written, found));
            }
        });
        for (row, night, written, found) in odd {
            let plan = writer.shared.rate_plans.get_full(row);
            let id = plan.map_or_else(|| format!("rate plan {row}"), |plan| plan.id.to_string());
            if written == found {
                let expected = "no longest stay below the shortest";
                findings.add(("rates", id, Some(night)), expected, format!("{found:016x}"));
            } else {
                let (written, found) = (format!("{written:016x}"), format!("{found:016x}"));
                findings.add(("rates", id, Some(night)), written, found);
            }
            self.written.set(row, night, found);
        }
    }
}

fn contradicts_itself(word: RateWord) -> bool {
    let below = |max: u8, min: u8| max != 0 && max < min;
    below(word.max_stay_arrival(), word.min_stay_arrival())
        || below(word.max_stay_through(), word.min_stay_through())
}
