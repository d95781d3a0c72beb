//! Rate words: none changes but on nights that an event names, and none contradicts itself.
//!
//! It owns a copy of every word as of its last event. What a change of a price means is the commands'.

use super::Written;
use super::calendar::{Copied, word};
use super::finding::Findings;
use crate::catalogue::stay_rules::is_below;
use crate::civil::Night;
use crate::rates::{Dated, RateWord};
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
        self.written.begin(&shared.rates, shared.rate_plans.len(), (writer.zeroed(), first));
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
        let (mut odd, mut unflagged) = (Vec::new(), Vec::new());
        let zeroed = writer.zeroed();
        self.written.each(&writer.shared.rates, zeroed, |row, night, written, found| {
            if written != found || contradicts_itself(RateWord(found)) {
                odd.push((row, night, written, found));
            }
            let entry = !writer.shared.overlays.at(row, night).is_empty();
            if entry != RateWord(found).overlaid() {
                unflagged.push((row, night, entry));
            }
        });
        let name = |row: u32| {
            let plan = writer.shared.rate_plans.get_full(row);
            plan.map_or_else(|| format!("rate plan {row}"), |plan| plan.id.to_string())
        };
        for (row, night, entry) in unflagged {
            let expected = format!("flag of dated rules: {entry}");
            findings.add(("rates", name(row), Some(night)), expected, (!entry).to_string());
        }
        for (row, night, written, found) in odd {
            let id = name(row);
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
    let below = |max: Dated<u8>, min: Dated<u8>| is_below(max.over(None), min.over(None));
    below(word.max_stay_arrival(), word.min_stay_arrival())
        || below(word.max_stay_through(), word.min_stay_through())
}
