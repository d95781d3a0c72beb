//! What the leader proposes by itself as time goes by: ticks, sweeps and the archive's steps.

use super::*;

#[tokio::test]
async fn an_idle_log_ticks_with_the_clock_and_not_before() {
    let mut bench = Bench::start().await;
    bench.no_proposal().await;
    bench.time.advance(TICK_EVERY - Duration::from_millis(1));
    bench.no_proposal().await;
    bench.time.advance(Duration::from_millis(1));
    let tick = bench.proposal().await;
    let batch = tick.payload.batch().expect("ours");
    assert_eq!(batch.at_ms, START_MS + 1_000);
    assert_eq!(batch.commands, [Command::plain(Verb::Tick(Tick))]);
    bench.apply(tick);
    bench.no_proposal().await;
}

#[tokio::test]
async fn a_tick_sweeps_when_holds_are_due_and_goes_on_until_none_is() {
    let mut bench = Bench::start().await;
    bench.due.store(true, Ordering::Relaxed);
    bench.time.advance(TICK_EVERY);
    let tick = bench.proposal().await;
    let sweep = Command::plain(Verb::Sweep(Sweep::default()));
    assert_eq!(
        tick.payload.batch().expect("ours").commands,
        [Command::plain(Verb::Tick(Tick)), sweep.clone()]
    );
    let ticked = Outcome::Ticked { retired_nights: 0, forgotten: 0 };
    bench.answer(tick, vec![ticked, Outcome::Swept { expired: SWEEP_MAX }]);
    let again = bench.proposal().await;
    assert_eq!(again.payload.batch().expect("ours").commands, [sweep]);
    bench.answer(again, vec![Outcome::Swept { expired: 3 }]);
    bench.no_proposal().await;
}

/// It would otherwise come a second late, with the next tick.
#[tokio::test]
async fn a_sweep_that_was_refused_with_its_entry_goes_with_the_next_entry() {
    let mut bench = Bench::start().await;
    bench.due.store(true, Ordering::Relaxed);
    bench.time.advance(TICK_EVERY);
    let tick = bench.proposal().await;
    let refused = ForwardToLeader::empty();
    tick.responder.on_complete(Err(ClientWriteError::ForwardToLeader(refused)));
    bench.no_proposal().await;
    let _pending = bench.submit(1, None);
    let next = bench.proposal().await;
    let sweep = Command::plain(Verb::Sweep(Sweep::default()));
    let commands = &next.payload.batch().expect("ours").commands;
    assert!(commands.contains(&sweep) && commands.contains(&add_partner(1)), "{commands:?}");
}

/// Its clock may be past what was due by the one before.
#[tokio::test]
async fn whoever_leads_again_begins_with_a_tick() {
    let mut bench = Bench::start().await;
    bench.due.store(true, Ordering::Relaxed);
    bench.no_proposal().await;
    bench.lead.send_replace(Lead::Leading(Leader { term: LEADER.term + 1, ..LEADER }));
    let first = bench.proposal().await;
    let sweep = Command::plain(Verb::Sweep(Sweep::default()));
    let commands = [Command::plain(Verb::Tick(Tick)), sweep];
    assert_eq!(first.payload.batch().expect("ours").commands, commands);
}

#[tokio::test]
async fn a_tick_archives_what_is_over_before_it_sweeps() {
    let mut bench = Bench::start().await;
    for flag in [&bench.due, &bench.over] {
        flag.store(true, Ordering::Relaxed);
    }
    bench.time.advance(TICK_EVERY);
    let tick = bench.proposal().await;
    let verbs =
        [Verb::Tick(Tick), Verb::Archive(Archive::after(30)), Verb::Sweep(Sweep::default())];
    assert_eq!(tick.payload.batch().expect("ours").commands, verbs.map(Command::plain));
    let ticked = Outcome::Ticked { retired_nights: 0, forgotten: 0 };
    let archived = Outcome::Archived { bookings: 256 };
    bench.answer(tick, vec![ticked, archived, Outcome::Swept { expired: SWEEP_MAX }]);
    let again = bench.proposal().await;
    let sweep = Command::plain(Verb::Sweep(Sweep::default()));
    assert_eq!(again.payload.batch().expect("ours").commands, [sweep], "the next tick archives on");
}

#[tokio::test]
async fn a_tick_rides_with_waiting_commands_and_shifts_their_ordinals() {
    let mut bench = Bench::start().await;
    bench.time.advance(TICK_EVERY);
    let one = bench.submit(1, None);
    let many = bench.submit_many(10..13).await;
    let proposal = bench.proposal().await;
    bench.apply(proposal);
    assert_eq!(one.await.expect("applied").ordinal, 1);
    let many = many.await.expect("applied");
    assert_eq!((many.first_ordinal, many.outcomes.len()), (2, 3));
}
