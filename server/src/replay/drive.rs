//! Sends the days: two rounds each, every round worked by `concurrency` tasks and ended before the
//! next begins.
//!
//! Within a round requests start in file order. Owns what is said to the server about one stay;
//! what the answers add up to is the books' business.
//! Invariant: no answer is guessed. Where none is definite after the client's patience the run ends
//! with an error.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::books::{Books, Fate, Refusal};
use super::house::House;
use super::measure::{Call, Measure, Step, Stopwatch};
use super::plan::{Plan, PlannedStay};
use crate::client::{Client, Reply, Request};

/// A child's age where the file gives none.
const CHILD_AGE: u32 = 8;
const BABY_AGE: u32 = 1;

pub struct Driver {
    pub client: Client,
    /// Makes keys and references of this run unlike those of any other.
    pub run: Arc<str>,
    pub concurrency: usize,
    pub books: Books,
    pub measure: Measure,
    pub progress: ProgressBar,
}

/// All that was said about one stay in one round.
struct Told {
    stay: usize,
    calls: Vec<Call>,
    end: End,
}

enum End {
    Booked { booking: String },
    Cancelled,
    Refused(Refusal),
}

impl Driver {
    pub async fn run(&mut self, plan: &Plan, house: &House) -> anyhow::Result<()> {
        self.measure.start();
        for day in &plan.days {
            let mut bookings = Vec::with_capacity(day.booked.len());
            for &stay in &day.booked {
                bookings.push(
                    self.caller(stay, plan.stays[stay].line)
                        .book(hold_body(plan, house, stay, &self.run)),
                );
            }
            self.round(plan, bookings).await?;
            self.books.round_ends(plan);

            let mut cancellations = Vec::with_capacity(day.cancelled.len());
            for &stay in &day.cancelled {
                match &self.books.fates[stay] {
                    Fate::Booked { booking } => {
                        let caller = self.caller(stay, plan.stays[stay].line);
                        cancellations.push(caller.cancel(booking.clone()));
                    }
                    _ => {
                        self.books.cancellations_moot += 1;
                        self.progress.inc(1);
                    }
                }
            }
            self.round(plan, cancellations).await?;
        }
        self.measure.stop();
        Ok(())
    }

    fn caller(&self, stay: usize, line: u64) -> Caller {
        Caller {
            client: self.client.clone(),
            run: Arc::clone(&self.run),
            stay,
            line,
            calls: vec![],
        }
    }

    /// Works `tasks` off, in order of starting, at most `concurrency` at once, and waits for all of
    /// them.
    async fn round<F>(&mut self, plan: &Plan, tasks: Vec<F>) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<Told>> + Send + 'static,
    {
        let mut waiting = tasks.into_iter();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < self.concurrency {
                let Some(task) = waiting.next() else { break };
                under_way.spawn(task);
            }
            let Some(done) = under_way.join_next().await else { return Ok(()) };
            self.enter(plan, done.context("a worker died")??);
        }
    }

    fn enter(&mut self, plan: &Plan, told: Told) {
        for call in &told.calls {
            self.measure.add(call);
        }
        match told.end {
            End::Booked { booking } => self.books.booked(plan, told.stay, booking),
            End::Cancelled => self.books.cancelled(plan, told.stay),
            End::Refused(refusal) => self.books.refused(refusal),
        }
        self.progress.inc(1);
    }
}

/// Speaks for one stay.
struct Caller {
    client: Client,
    run: Arc<str>,
    stay: usize,
    line: u64,
    calls: Vec<Call>,
}

impl Caller {
    async fn book(mut self, hold: Value) -> anyhow::Result<Told> {
        let request = Request::post("/v1/holds").key(self.key("hold")).json(&hold);
        let held = self.call(Step::Hold, request).await?;
        if !held.is_success() {
            return Ok(self.refused(Step::Hold, &held));
        }
        let hold = self.id(&held)?;
        let request = Request::post("/v1/bookings").key(self.key("book")).json(&json!({
            "hold_id": hold,
            "guest": {
                "name": format!("Guest of line {}", self.line),
                "email": format!("line-{}@replay.invalid", self.line),
            },
            "payment": {"method": "mock", "token": "tok_ok"},
        }));
        let booked = self.call(Step::Book, request).await?;
        if booked.is_success() {
            let booking = self.id(&booked)?;
            return Ok(self.told(End::Booked { booking }));
        }
        let refusal = self.refusal(Step::Book, &booked);
        self.call(Step::Release, Request::delete(format!("/v1/holds/{hold}"))).await?;
        Ok(self.told(End::Refused(refusal)))
    }

    async fn cancel(mut self, booking: String) -> anyhow::Result<Told> {
        let request = Request::delete(format!("/v1/bookings/{booking}")).key(self.key("cancel"));
        let cancelled = self.call(Step::Cancel, request).await?;
        if cancelled.is_success() {
            return Ok(self.told(End::Cancelled));
        }
        Ok(self.refused(Step::Cancel, &cancelled))
    }

    async fn call(&mut self, step: Step, request: Request) -> anyhow::Result<Reply> {
        let watch = Stopwatch::start();
        let settled = self
            .client
            .settle(&request)
            .await
            .with_context(|| format!("line {} of the file, {}", self.line, step.name()))?;
        self.calls.push(Call {
            step,
            took: watch.took(),
            attempts: settled.attempts,
            accepted: settled.reply.is_success(),
        });
        Ok(settled.reply)
    }

    fn key(&self, step: &str) -> String {
        format!("replay-{}-{}-{step}", self.run, self.line)
    }

    fn id(&self, reply: &Reply) -> anyhow::Result<String> {
        reply.field("id").ok_or_else(|| {
            let body = String::from_utf8_lossy(&reply.body);
            anyhow!("line {}: a {} without an id: {body}", self.line, reply.status)
        })
    }

    fn told(self, end: End) -> Told {
        Told { stay: self.stay, calls: self.calls, end }
    }

    fn refused(self, step: Step, reply: &Reply) -> Told {
        let refusal = self.refusal(step, reply);
        self.told(End::Refused(refusal))
    }

    fn refusal(&self, step: Step, reply: &Reply) -> Refusal {
        Refusal {
            stay: self.stay,
            step,
            status: reply.status,
            code: reply.code(),
            detail: reply.field("detail").unwrap_or_default(),
        }
    }
}

fn hold_body(plan: &Plan, house: &House, stay: usize, run: &str) -> Value {
    let planned: &PlannedStay = &plan.stays[stay];
    let kind = &house.room_types[planned.room_type];
    let ages = std::iter::repeat_n(CHILD_AGE, planned.children as usize)
        .chain(std::iter::repeat_n(BABY_AGE, planned.babies as usize));
    json!({
        "hotel_id": house.hotels[plan.room_types[planned.room_type].hotel],
        "check_in": house.night(planned.from),
        "check_out": house.night(planned.span().end),
        "lines": [{
            "room_type_id": kind.room_type,
            "rate_plan_id": kind.rate_plan,
            "quantity": 1,
            "adults": planned.adults,
            "children_ages": ages.collect::<Vec<_>>(),
        }],
        "client_reference": format!("replay-{run}-{}", planned.line),
    })
}
