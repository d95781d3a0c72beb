//! From lines to results: what has arrived becomes one command, each line is answered in order.

use holdfast_engine::ari::{Line as EngineLine, LineRefusal};
use holdfast_engine::command::Allot;
use holdfast_engine::ids::{HotelId, PartnerId, RatePlanId, RoomTypeId, RoomTypeIx};
use holdfast_engine::{Command, Outcome, Principal, Verb};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::lines::Input;
use super::replies::Replies;
use crate::http::body;
use crate::http::envelope::position_text;
use crate::limits::{ARI_BATCH_LINES_MAX, ARI_BATCH_NIGHTS_MAX, ARI_LINE_BYTES_MAX};
use crate::problem::Problem;
use crate::state::AppState;
use crate::wire::ari::{Counts, Line, LineResult, LineStatus, Refusal, Summary};

/// In whose name lines are written.
#[derive(Debug, Clone)]
pub struct Source {
    pub partner: PartnerId,
    pub principal: Principal,
    pub name: String,
}

/// Applies one stream.
pub struct Applier {
    state: AppState,
    source: Source,
    stop_on_error: bool,
    replies: Replies,
    counts: Counts,
}

/// A line on its way: refused at the door, or part of the next command.
struct Prepared {
    number: u64,
    seq: Option<u64>,
    line: Result<EngineLine, Refusal>,
}

/// How the stream ended.
enum End {
    Complete,
    Broken {
        code: String,
        detail: String,
    },
    /// The client is gone; nobody reads a summary.
    Gone,
}

impl Applier {
    pub fn new(state: AppState, source: Source, stop_on_error: bool, replies: Replies) -> Self {
        Self { state, source, stop_on_error, replies, counts: Counts::default() }
    }

    pub async fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        let end = self.apply_all(&mut inputs).await;
        match end {
            End::Gone => return,
            End::Complete => self.counts.complete = true,
            End::Broken { code, detail } => {
                self.counts.code = Some(code);
                self.counts.detail = Some(detail);
            }
        }
        let reader = self.state.reader();
        self.counts.last_seq = reader.source_seq(self.source.partner, &self.source.name);
        let mut text = Vec::new();
        push_line(&mut text, &Summary { summary: self.counts.clone() });
        // Nobody left to tell is as good as told.
        let _ = self.replies.send(text).await;
    }

    async fn apply_all(&mut self, inputs: &mut mpsc::Receiver<Input>) -> End {
        let most = if self.stop_on_error { 1 } else { ARI_BATCH_LINES_MAX };
        let mut arrived = Vec::with_capacity(most);
        let mut batch: Vec<Prepared> = Vec::new();
        let mut nights = 0;
        loop {
            // Takes what is there, waits only where there is nothing.
            if inputs.recv_many(&mut arrived, most).await == 0 {
                return End::Gone;
            }
            let mut end = None;
            for input in arrived.drain(..) {
                let prepared = match input {
                    Input::End => {
                        end = Some(End::Complete);
                        break;
                    }
                    Input::Broken { code, detail } => {
                        end = Some(End::Broken { code: code.to_owned(), detail });
                        break;
                    }
                    other => self.prepare(other),
                };
                nights += span(&prepared);
                if nights > ARI_BATCH_NIGHTS_MAX {
                    nights = span(&prepared);
                    if let Some(end) = self.apply(std::mem::take(&mut batch)).await {
                        return end;
                    }
                }
                batch.push(prepared);
            }
            nights = 0;
            if let Some(end) = self.apply(std::mem::take(&mut batch)).await {
                return end;
            }
            if let Some(end) = end {
                return end;
            }
        }
    }

    fn prepare(&self, input: Input) -> Prepared {
        match input {
            Input::Line { number, bytes } => self.prepare_line(number, &bytes),
            Input::TooLong { number } => {
                let detail = format!("A line has at most {ARI_LINE_BYTES_MAX} bytes.");
                let refusal = Refusal::new("ari.line_too_long", "", detail);
                Prepared { number, seq: None, line: Err(refusal) }
            }
            Input::Partial { number } => {
                let detail = "The line was cut short; it was not applied.";
                let refusal = Refusal::new("ari.partial_line", "", detail);
                Prepared { number, seq: None, line: Err(refusal) }
            }
            // The loop above has taken these out.
            Input::End | Input::Broken { .. } => {
                let refusal = Refusal::new("internal.invariant", "", "Internal error.");
                Prepared { number: 0, seq: None, line: Err(refusal) }
            }
        }
    }

    fn prepare_line(&self, number: u64, bytes: &[u8]) -> Prepared {
        if std::str::from_utf8(bytes).is_err() {
            let detail = "The line is not UTF-8; convert TIS-620 or Windows-874 text first.";
            let refusal = Refusal::new("text.not_utf8", "", detail);
            return Prepared { number, seq: None, line: Err(refusal) };
        }
        match body::parse::<Line>(bytes) {
            Ok(line) => Prepared { number, seq: Some(line.seq), line: self.resolve(&line) },
            Err(problem) => {
                Prepared { number, seq: seq_of(bytes), line: Err(Refusal::from(&problem)) }
            }
        }
    }

    /// The line in the engine's terms. What belongs to another partner does not exist.
    fn resolve(&self, line: &Line) -> Result<EngineLine, Refusal> {
        let unknown = |what: &str| {
            let words = what.replace('_', " ");
            let detail = format!("There is no such {words} here.");
            Refusal::new(&format!("{what}.not_found"), &format!("/{what}"), detail)
        };
        if line.seq == 0 {
            return Err(Refusal::new("field.range", "/seq", "must be at least 1"));
        }
        let reader = self.state.reader();
        let Some(room_type) = &line.room_type else { return self.resolve_hotel(line) };
        let (room_type, hotel) = room_type
            .parse::<RoomTypeId>()
            .ok()
            .and_then(|id| reader.room_type_by_id(id))
            .filter(|room_type| !room_type.removed)
            .and_then(|room_type| Some((reader.hotel(room_type.hotel)?, room_type)))
            .filter(|(hotel, _)| hotel.partner == self.source.partner)
            .map(|(hotel, room_type)| (room_type, hotel))
            .ok_or_else(|| unknown("room_type"))?;
        if line.hotel.as_ref().is_some_and(|id| *id != hotel.id.to_string()) {
            return Err(unknown("hotel"));
        }
        if line.currency.as_deref().is_some_and(|code| code != hotel.draft.currency.code()) {
            let detail = format!("The hotel's prices are in {}.", hotel.draft.currency.code());
            return Err(Refusal::new("currency.mismatch", "/currency", detail));
        }
        let rate_plan = match &line.rate_plan {
            None => None,
            Some(id) => {
                let found = id.parse::<RatePlanId>().ok().and_then(|id| reader.rate_plan_by_id(id));
                let own = found.filter(|plan| plan.room_type == room_type.ix && !plan.removed);
                Some(own.ok_or_else(|| unknown("rate_plan"))?.ix)
            }
        };
        let (from, to, days) = line.nights()?;
        Ok(EngineLine {
            seq: line.seq,
            hotel: None,
            room_type: room_type.ix,
            rate_plan,
            from,
            to,
            days,
            change: line.change()?,
            on_conflict: line.on_conflict.into(),
        })
    }

    /// A line of a whole hotel: it names no room type and only closes or opens.
    fn resolve_hotel(&self, line: &Line) -> Result<EngineLine, Refusal> {
        let needed = |detail: &str| {
            Refusal::new(LineRefusal::HotelTakesClosedOnly.name().0, "/room_type", detail)
        };
        if line.rate_plan.is_some() {
            return Err(needed("A rate plan's line names its room type."));
        }
        let Some(id) = &line.hotel else {
            return Err(needed("Name a room type, or a hotel to close or open it whole."));
        };
        let found = id.parse::<HotelId>().ok().and_then(|id| self.state.reader().hotel_by_id(id));
        let own = found.filter(|hotel| hotel.partner == self.source.partner);
        let hotel = own.ok_or_else(|| {
            Refusal::new("hotel.not_found", "/hotel", "There is no such hotel here.")
        })?;
        let (from, to, days) = line.nights()?;
        Ok(EngineLine {
            seq: line.seq,
            hotel: Some(hotel.ix),
            room_type: RoomTypeIx(u32::MAX),
            rate_plan: None,
            from,
            to,
            days,
            change: line.change()?,
            on_conflict: line.on_conflict.into(),
        })
    }

    /// Submits a batch, answers its lines. `Some` where the stream ends with it.
    async fn apply(&mut self, batch: Vec<Prepared>) -> Option<End> {
        if batch.is_empty() {
            return None;
        }
        let lines: Vec<EngineLine> =
            batch.iter().filter_map(|prepared| prepared.line.as_ref().ok().copied()).collect();
        let mut outcomes = Vec::new();
        let mut index = String::new();
        if !lines.is_empty() {
            match self.submit(lines).await {
                Ok((at, found)) => (index, outcomes) = (position_text(at), found),
                Err(problem) => {
                    let (code, detail) = (problem.code.clone(), problem.detail.clone());
                    return Some(End::Broken { code, detail });
                }
            }
        }
        let mut outcomes = outcomes.into_iter();
        let mut text = Vec::with_capacity(batch.len() * 80);
        let mut refused = false;
        for Prepared { number, seq, line } in batch {
            let result = match line {
                Err(refusal) => LineResult::refused(number, seq, refusal),
                Ok(line) => match outcomes.next() {
                    Some(outcome) => LineResult::of(number, line.seq, outcome, index.clone()),
                    None => {
                        let refusal = Refusal::new("internal.invariant", "", "Internal error.");
                        LineResult::refused(number, seq, refusal)
                    }
                },
            };
            self.counts.count(result.status);
            let name = result.status.name();
            metrics::counter!("holdfast_ari_lines_total", "result" => name).increment(1);
            refused |= matches!(result.status, LineStatus::Rejected | LineStatus::Stale);
            push_line(&mut text, &result);
        }
        if self.replies.send(text).await.is_err() {
            return Some(End::Gone);
        }
        (refused && self.stop_on_error).then(|| End::Broken {
            code: "ari.stopped".to_owned(),
            detail: "Stopped at the first line that was not taken, as asked.".to_owned(),
        })
    }

    async fn submit(
        &self,
        lines: Vec<EngineLine>,
    ) -> Result<(u64, Vec<holdfast_engine::ari::LineOutcome>), Problem> {
        let verb = Verb::Allot(Allot {
            principal: self.source.principal,
            partner: self.source.partner,
            source: self.source.name.clone(),
            lines,
        });
        let applied = self.state.submit_bulk(Command::plain(verb)).await?;
        match applied.outcome {
            Outcome::Allotted(outcomes) => Ok((applied.index, outcomes.to_vec())),
            other => Err(crate::http::partner::unexpected(&other)),
        }
    }
}

fn span(prepared: &Prepared) -> u32 {
    prepared.line.as_ref().map_or(0, |line| u32::from(line.span()))
}

/// The number of a line that is otherwise not understood.
fn seq_of(bytes: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    serde_json::from_slice::<Numbered>(bytes).ok().map(|line| line.seq)
}

fn push_line(text: &mut Vec<u8>, value: &impl Serialize) {
    // Our own result types serialize without fail.
    if serde_json::to_writer(&mut *text, value).is_ok() {
        text.push(b'\n');
    }
}
