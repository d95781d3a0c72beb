//! The proposer's laws, against a log that answers when the test says so.

mod ticks;

use std::sync::atomic::{AtomicBool, Ordering};

use holdfast_engine::limits::SWEEP_MAX;
use holdfast_engine::{Batch, Outcome, Reader, Writer, codec};
use openraft::errors::{ClientWriteError, ForwardToLeader};
use openraft::raft::ClientWriteResponse;
use openraft::raft::responder::Responder;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::clock::DrivenTime;
use crate::fixture::{START_MS, add_partner, escrowed, state_with_hotel, ticket, time};
use crate::limits::{QUEUE_BULK_COMMANDS_MAX, QUEUE_COMMANDS_MAX, SUBMIT_WAIT_MAX};
use crate::raft_types::{LogId, Reply};
use crate::submit::{Deadline, ManySubmission, Pending, Submission, UnknownCause};

type WriteResponder = ProgressResponder<TypeConfig, openraft::raft::ClientWriteResult<TypeConfig>>;

const LEADER: Leader = Leader { term: 4, node_id: 1 };

struct Proposal {
    payload: Payload,
    responder: WriteResponder,
}

struct HeldLog {
    proposals: mpsc::UnboundedSender<Proposal>,
    due: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Log for HeldLog {
    async fn propose(&self, payload: Payload, leader: Leader, responder: WriteResponder) {
        assert_eq!(leader.node_id, LEADER.node_id);
        let proposal = Proposal { payload, responder };
        assert!(self.proposals.send(proposal).is_ok(), "the test listens");
    }

    fn holds_due(&self, _now_ms: u64) -> bool {
        self.due.load(Ordering::Relaxed)
    }

    fn archive_due(&self) -> Option<Archive> {
        self.over.load(Ordering::Relaxed).then(|| Archive::after(30))
    }
}

struct Bench {
    queue: Arc<Queue>,
    time: Arc<DrivenTime>,
    lead: watch::Sender<Lead>,
    due: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
    proposals: mpsc::UnboundedReceiver<Proposal>,
    writer: Writer,
    reader: Reader,
    next_index: u64,
    proposer: JoinHandle<()>,
    completer: JoinHandle<()>,
}

impl Bench {
    /// A proposer that leads, its first tick out of the way.
    async fn start() -> Self {
        let mut bench = Self::start_as(Lead::Leading(LEADER));
        let first = bench.proposal().await;
        bench.apply(first);
        bench
    }

    fn start_as(lead: Lead) -> Self {
        let (time, queue) = (time(), Arc::new(Queue::new()));
        let (proposals_tx, proposals) = mpsc::unbounded_channel();
        let (in_flight, entries) = mpsc::unbounded_channel();
        let (lead_tx, lead) = watch::channel(lead);
        let [due, over] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let proposer = Proposer {
            log: HeldLog { proposals: proposals_tx, due: due.clone(), over: over.clone() },
            queue: queue.clone(),
            clock: Arc::new(LogClock::new(time.clone())),
            time: time.clone(),
            lead,
            in_flight,
        };
        let (writer, reader) = state_with_hotel();
        Self {
            proposer: tokio::spawn(proposer.run()),
            completer: tokio::spawn(complete(entries, queue.clone())),
            queue,
            time,
            lead: lead_tx,
            due,
            over,
            proposals,
            writer,
            reader,
            next_index: 2,
        }
    }

    fn submit(&self, number: u128, ticket: Option<holdfast_engine::Ticket>) -> Submission {
        let (answer, pending) = oneshot::channel();
        let item = Item::one(Part::new(add_partner(number)), ticket, answer);
        match self.queue.push(item) {
            Ok(()) => Pending::queued(pending, Deadline::from_now(self.time.clone())),
            Err(error) => Pending::refused(error),
        }
    }

    async fn submit_many(&self, numbers: std::ops::Range<u128>) -> ManySubmission {
        let (answer, pending) = oneshot::channel();
        let parts = numbers.map(add_partner).map(Part::new).collect();
        self.queue.push_bulk(Item::many(parts, answer)).await.expect("queued");
        Pending::queued(pending, Deadline::from_now(self.time.clone()))
    }

    async fn proposal(&mut self) -> Proposal {
        self.proposals.recv().await.expect("the proposer runs")
    }

    /// Lets every task run as far as it can without the test.
    async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    async fn no_proposal(&mut self) {
        self.settle().await;
        assert!(matches!(self.proposals.try_recv(), Err(TryRecvError::Empty)));
    }

    /// Commits and applies, as the state machine would.
    fn apply(&mut self, proposal: Proposal) {
        let mut outcomes = Vec::new();
        let batch = proposal.payload.batch().expect("ours");
        self.writer.apply(self.next_index, batch, &mut outcomes, &mut Vec::new());
        self.answer(proposal, outcomes);
    }

    fn answer(&mut self, proposal: Proposal, outcomes: Vec<Outcome>) {
        let log_id = LogId::new(LEADER, self.next_index);
        self.next_index += 1;
        let data = Reply { outcomes };
        proposal.responder.on_complete(Ok(ClientWriteResponse { log_id, data, membership: None }));
    }
}

fn numbers(proposal: &Proposal) -> Vec<u128> {
    let commands = &proposal.payload.batch().expect("ours").commands;
    commands
        .iter()
        .filter_map(|command| match &command.verb {
            Verb::AddPartner(add) => Some(add.id.0),
            _ => None,
        })
        .collect()
}

#[test]
fn an_assembled_entry_is_the_encoded_batch() {
    for count in [0, 1, 7] {
        let commands: Vec<_> = (0..count).map(add_partner).collect();
        let batch = Batch { at_ms: START_MS, commands: commands.clone() };
        let payload = Payload::assemble(START_MS, commands.into_iter().map(Part::new));
        assert_eq!(payload.bytes().as_ref(), codec::encode(&batch));
        assert_eq!(payload.batch().expect("ours"), &batch);
        let read = Payload::from_bytes(payload.bytes().clone());
        assert_eq!(read.batch().expect("decoded"), &batch);
    }
}

#[tokio::test]
async fn an_idle_log_gets_a_batch_of_one_at_once() {
    let mut bench = Bench::start().await;
    let pending = bench.submit(1, None);
    let proposal = bench.proposal().await;
    assert_eq!(numbers(&proposal), [1]);
    bench.apply(proposal);
    let applied = pending.await.expect("applied");
    assert_eq!((applied.index, applied.ordinal), (3, 0));
}

#[tokio::test]
async fn commands_gather_while_entries_are_in_flight() {
    let mut bench = Bench::start().await;
    let mut pending = Vec::new();
    let mut in_flight = Vec::new();
    for number in 0..ENTRIES_IN_FLIGHT_MAX as u128 {
        pending.push(bench.submit(number, None));
        in_flight.push(bench.proposal().await);
    }
    for number in 100..150 {
        pending.push(bench.submit(number, None));
    }
    bench.no_proposal().await;
    for proposal in in_flight {
        bench.apply(proposal);
    }
    let gathered = bench.proposal().await;
    assert_eq!(numbers(&gathered), (100..150).collect::<Vec<_>>());
    bench.apply(gathered);
    let mut places = Vec::new();
    for pending in pending {
        let applied = pending.await.expect("applied");
        places.push((applied.index, applied.ordinal));
    }
    assert!(places.is_sorted(), "outcomes keep the order of submission: {places:?}");
}

#[tokio::test]
async fn an_entry_takes_so_many_commands_and_no_more() {
    let mut bench = Bench::start().await;
    let pending: Vec<_> =
        (0..=ENTRY_COMMANDS_MAX as u128).map(|number| bench.submit(number, None)).collect();
    let (first, second) = (bench.proposal().await, bench.proposal().await);
    assert_eq!((numbers(&first).len(), numbers(&second).len()), (ENTRY_COMMANDS_MAX, 1));
    bench.apply(first);
    bench.apply(second);
    for pending in pending {
        pending.await.expect("applied");
    }
}

#[tokio::test]
async fn a_ticket_comes_back_once_with_the_outcome() {
    let mut bench = Bench::start().await;
    let pending = bench.submit(1, Some(ticket(&bench.reader, 3)));
    let proposal = bench.proposal().await;
    assert_eq!(escrowed(&bench.reader), 3);
    bench.apply(proposal);
    pending.await.expect("applied");
    assert_eq!(escrowed(&bench.reader), 0);
}

#[tokio::test]
async fn a_full_queue_gives_the_ticket_back_and_says_when_to_retry() {
    let bench = Bench::start().await;
    // Nothing runs between these calls, so the queue fills to its bound.
    let pending: Vec<_> =
        (0..u128::from(QUEUE_COMMANDS_MAX)).map(|number| bench.submit(number, None)).collect();
    let held = ticket(&bench.reader, 2);
    let refused = bench.submit(9, Some(held)).await;
    assert!(matches!(refused, Err(SubmitError::Busy { .. })), "{refused:?}");
    assert_eq!(escrowed(&bench.reader), 0);
    drop(pending);
}

#[tokio::test]
async fn a_dropped_future_loses_neither_command_nor_ticket() {
    let mut bench = Bench::start().await;
    drop(bench.submit(7, Some(ticket(&bench.reader, 1))));
    let proposal = bench.proposal().await;
    assert_eq!(numbers(&proposal), [7]);
    assert_eq!(escrowed(&bench.reader), 1);
    bench.apply(proposal);
    bench.settle().await;
    assert_eq!(escrowed(&bench.reader), 0);
    assert!(crate::fixture::knows_partner(&bench.reader, 7));
}

#[tokio::test]
async fn a_lost_lead_refuses_what_waits_and_returns_its_tickets() {
    let mut bench = Bench::start_as(Lead::Leading(LEADER));
    let mut in_flight = Vec::new();
    for _ in 0..ENTRIES_IN_FLIGHT_MAX {
        drop(bench.submit(1, None));
        in_flight.push(bench.proposal().await);
    }
    let pending = bench.submit(2, Some(ticket(&bench.reader, 4)));
    bench.lead.send_replace(Lead::Following(Some(2)));
    assert_eq!(pending.await.unwrap_err(), SubmitError::NotLeader { leader: Some(2) });
    assert_eq!(escrowed(&bench.reader), 0);
    // With the lead it goes on.
    bench.lead.send_replace(Lead::Leading(LEADER));
    for proposal in in_flight {
        bench.apply(proposal);
    }
    let pending = bench.submit(3, None);
    let proposal = bench.proposal().await;
    bench.apply(proposal);
    pending.await.expect("applied");
}

#[tokio::test]
async fn what_is_submitted_in_a_lead_is_not_refused_though_the_proposer_is_yet_to_be_told_of_it() {
    let mut bench = Bench::start_as(Lead::Following(Some(1)));
    let early = bench.submit(1, None);
    assert_eq!(early.await.unwrap_err(), SubmitError::NotLeader { leader: Some(1) });
    // The lead is there to be read, and nobody is woken: so it is between the change and the last waker.
    bench.lead.send_if_modified(|lead| {
        *lead = Lead::Leading(LEADER);
        false
    });
    let pending = bench.submit(2, None);
    let proposal = bench.proposal().await;
    assert_eq!(numbers(&proposal), [2]);
    bench.apply(proposal);
    pending.await.expect("applied");
}

#[tokio::test]
async fn a_refused_entry_was_never_appended_and_a_discarded_one_is_unknown() {
    let mut bench = Bench::start().await;
    let pending = bench.submit(1, Some(ticket(&bench.reader, 1)));
    let proposal = bench.proposal().await;
    let forward = ClientWriteError::ForwardToLeader(ForwardToLeader::empty());
    proposal.responder.on_complete(Err(forward));
    assert_eq!(pending.await.unwrap_err(), SubmitError::NotLeader { leader: None });

    let pending = bench.submit(2, Some(ticket(&bench.reader, 1)));
    drop(bench.proposal().await);
    let unknown = SubmitError::Unknown { cause: UnknownCause::Stopped };
    assert_eq!(pending.await.unwrap_err(), unknown);
    assert_eq!(escrowed(&bench.reader), 0);
}

#[tokio::test]
async fn a_late_outcome_is_unknown_and_its_ticket_stays_until_the_end_is_known() {
    let mut bench = Bench::start().await;
    let pending = bench.submit(1, Some(ticket(&bench.reader, 5)));
    let proposal = bench.proposal().await;
    bench.time.advance(SUBMIT_WAIT_MAX);
    let unknown = SubmitError::Unknown { cause: UnknownCause::TimedOut };
    assert_eq!(pending.await.unwrap_err(), unknown);
    assert_eq!(escrowed(&bench.reader), 5);
    bench.apply(proposal);
    bench.settle().await;
    assert_eq!(escrowed(&bench.reader), 0);
}

#[tokio::test]
async fn every_submission_has_its_own_time_wherever_it_waits() {
    let mut bench = Bench::start().await;
    let (mut pending, mut held) = (Vec::new(), Vec::new());
    for number in 0..ENTRIES_IN_FLIGHT_MAX as u128 {
        pending.push(bench.submit(number, Some(ticket(&bench.reader, 1))));
        held.push(bench.proposal().await);
    }
    // No slot is left: this one waits to be proposed.
    pending.push(bench.submit(99, Some(ticket(&bench.reader, 1))));
    let half = SUBMIT_WAIT_MAX / 2;
    bench.time.advance(half);
    let mut later = Box::pin(bench.submit(100, None));
    bench.time.advance(half);
    let unknown = SubmitError::Unknown { cause: UnknownCause::TimedOut };
    for pending in pending {
        assert_eq!(pending.await.unwrap_err(), unknown);
    }
    assert!(futures_util::poll!(&mut later).is_pending(), "its time is not up");
    assert_eq!(usize::from(escrowed(&bench.reader)), ENTRIES_IN_FLIGHT_MAX + 1);
    bench.time.advance(half);
    assert_eq!(later.await.unwrap_err(), unknown);
    for proposal in held {
        bench.apply(proposal);
    }
    let last = bench.proposal().await;
    bench.apply(last);
    bench.settle().await;
    assert_eq!(escrowed(&bench.reader), 0);
}

#[tokio::test]
async fn a_closed_queue_finishes_what_waits_and_takes_nothing_more() {
    let mut bench = Bench::start().await;
    let pending = bench.submit(1, Some(ticket(&bench.reader, 1)));
    bench.queue.close();
    let held = ticket(&bench.reader, 1);
    assert_eq!(bench.submit(2, Some(held)).await.unwrap_err(), SubmitError::ShuttingDown);
    let proposal = bench.proposal().await;
    assert_eq!(numbers(&proposal), [1]);
    bench.apply(proposal);
    pending.await.expect("applied");
    bench.proposer.await.expect("ends");
    bench.completer.await.expect("ends");
    assert_eq!(escrowed(&bench.reader), 0);
}

#[tokio::test]
async fn a_stopped_proposer_returns_every_ticket() {
    let mut bench = Bench::start().await;
    let in_flight = bench.submit(1, Some(ticket(&bench.reader, 1)));
    drop(bench.proposal().await);
    let waiting = bench.submit(2, Some(ticket(&bench.reader, 1)));
    bench.proposer.abort();
    drop(bench.lead);
    bench.queue.refuse_all(&SubmitError::ShuttingDown);
    assert!(in_flight.await.is_err());
    assert!(waiting.await.is_err());
    assert_eq!(escrowed(&bench.reader), 0);
}

#[tokio::test]
async fn bulk_waits_for_room_and_leaves_the_rest_of_the_queue_to_others() {
    let bench = Bench::start_as(Lead::Leading(LEADER));
    let chunk = 1_024;
    for _ in 0..QUEUE_BULK_COMMANDS_MAX / chunk {
        drop(bench.submit_many(0..u128::from(chunk)).await);
    }
    let mut waits = Box::pin(bench.submit_many(0..1));
    assert!(futures_util::poll!(&mut waits).is_pending());
    // A guest is still taken in.
    drop(bench.submit(1, None));
    assert_eq!(bench.queue.depth(), QUEUE_BULK_COMMANDS_MAX as usize + 1);
    bench.queue.take(chunk as usize, usize::MAX);
    drop(waits.await);
}
