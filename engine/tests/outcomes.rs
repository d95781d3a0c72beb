//! Command @ time → outcome: tables of every answer of every command, and the order of refusals.
//!
//! A row says when, what is sent, and what is answered; rows of a table follow one another in one world.

mod archive;
mod ari;
mod arrivals;
mod blocks;
mod catalogue;
mod changes;
mod holds;
mod money;
mod payments;
mod promos;
mod removals;
mod revivals;
mod rules;
mod shares;
mod waiting;

use std::collections::BTreeSet;

use holdfast_engine::block;
use holdfast_engine::waitlist;
use holdfast_engine::{Code, Outcome, Verb};

use crate::world::World;

/// What a row expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Done,
    Hotel,
    RoomType,
    RatePlan,
    Allotted,
    Held,
    Changed,
    Booked,
    Cancelled,
    BookingChanged,
    Swept(u32),
    Ticked(u16),
    Archived(u32),
    Taxes(u32),
    Block(block::Status),
    Waitlist(waitlist::Status),
    /// Its version, and whether it is removed.
    Promo(u32, bool),
    No(Code),
}

use Is::*;

/// Milliseconds after the row before, what is sent, what is answered.
type Row = (u64, Verb, Is);

fn kind(outcome: &Outcome) -> Is {
    match outcome {
        Outcome::Done => Done,
        Outcome::Refused(refusal) => No(refusal.code),
        Outcome::Replayed(_) => panic!("rows carry no keys"),
        Outcome::Hotel(_) => Hotel,
        Outcome::RoomType(_) => RoomType,
        Outcome::RatePlan(_) => RatePlan,
        Outcome::Allotted(_) => Allotted,
        Outcome::Held { .. } => Held,
        Outcome::HoldChanged(_) => Changed,
        Outcome::Booked(_) => Booked,
        Outcome::Cancelled(_) => Cancelled,
        Outcome::BookingChanged(_) => BookingChanged,
        Outcome::Swept { expired } => Swept(*expired),
        Outcome::Ticked { retired_nights, .. } => Ticked(*retired_nights),
        Outcome::Archived { bookings } => Archived(*bookings),
        Outcome::Taxes(table) => Taxes(table.version()),
        Outcome::Block(block) => Block(block.status),
        Outcome::Waitlist(entry) => Waitlist(entry.status),
        Outcome::Promo(promo) => Promo(promo.version, promo.removed),
    }
}

/// Plays a table; the codes it met.
fn play(world: &mut World, rows: Vec<Row>) -> BTreeSet<&'static str> {
    let mut met = BTreeSet::new();
    for (at, (after_ms, verb, expected)) in rows.into_iter().enumerate() {
        world.now += after_ms;
        let outcome = world.run(verb.clone());
        assert_eq!(kind(&outcome), expected, "row {at}: {verb:?} @ {}: {outcome:?}", world.now);
        met.extend(outcome.refusal().map(|refusal| refusal.code.name()));
    }
    met
}

/// Every code there is. A new code does not compile until it is here.
fn every_code() -> Vec<Code> {
    use Code::*;
    let all = [
        NotConfigured,
        Invariant,
        NotFound,
        Malformed,
        CapacityReached,
        VersionMismatch,
        StateConflict,
        KeyReused,
        KeysFull,
        ReferenceDuplicate,
        StayTooShort,
        StayTooLong,
        StayInPast,
        StayBeyondHorizon,
        StayRestricted,
        StayClosed,
        RateMissing,
        OccupancyTooMany,
        InventoryInsufficient,
        InventoryTooLarge,
        PriceChanged,
        PriceOutOfRange,
        QuotaExceeded,
        HoldExpired,
        HoldReleased,
        HoldAlreadyConfirmed,
        HoldConfirming,
        HoldNotConfirming,
        HoldExtensionLimit,
        PaymentDeclined,
        BookingState,
        BlockState,
        WaitlistNotNeeded,
        WaitlistLimit,
        WaitlistState,
        HoldWaitlistWaiting,
        RatePlanParent,
        RatePlanCycle,
        RatePlanTooDeep,
        InUse,
        PromoUnknown,
        PromoNotValid,
        PromoExhausted,
        PromoTaken,
    ];
    for code in all {
        match code {
            NotConfigured
            | Invariant
            | NotFound
            | Malformed
            | CapacityReached
            | VersionMismatch
            | StateConflict
            | KeyReused
            | KeysFull
            | ReferenceDuplicate
            | StayTooShort
            | StayTooLong
            | StayInPast
            | StayBeyondHorizon
            | StayRestricted
            | StayClosed
            | RateMissing
            | OccupancyTooMany
            | InventoryInsufficient
            | InventoryTooLarge
            | PriceChanged
            | PriceOutOfRange
            | QuotaExceeded
            | HoldExpired
            | HoldReleased
            | HoldAlreadyConfirmed
            | HoldConfirming
            | HoldNotConfirming
            | HoldExtensionLimit
            | PaymentDeclined
            | BookingState
            | BlockState
            | WaitlistNotNeeded
            | WaitlistLimit
            | WaitlistState
            | HoldWaitlistWaiting
            | RatePlanParent
            | RatePlanCycle
            | RatePlanTooDeep
            | InUse
            | PromoUnknown
            | PromoNotValid
            | PromoExhausted
            | PromoTaken => {}
        }
    }
    all.to_vec()
}

#[test]
fn every_code_is_met_in_some_table() {
    let mut met = BTreeSet::new();
    met.extend(catalogue::tables());
    met.extend(holds::tables());
    met.extend(money::tables());
    met.extend(payments::tables());
    met.extend(arrivals::tables());
    met.extend(changes::tables());
    met.extend(revivals::tables());
    met.extend(blocks::tables());
    met.extend(waiting::tables());
    met.extend(removals::tables());
    met.extend(archive::tables());
    met.extend(promos::tables());
    let elsewhere = [
        // Keys: `payments::the_same_key_gets_the_same_answer`.
        Code::KeyReused,
        // Needs sixteen million keys.
        Code::KeysFull,
        // No log leads there.
        Code::Invariant,
        // Said of ARI lines, under the same name.
        Code::InventoryTooLarge,
    ];
    let missing: Vec<_> = every_code()
        .into_iter()
        .filter(|code| !elsewhere.contains(code) && !met.contains(code.name()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn names_of_codes_are_distinct_and_statuses_are_of_http() {
    let codes = every_code();
    let names: BTreeSet<_> = codes.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), codes.len());
    for code in codes {
        assert!((400..=503).contains(&code.status()), "{code:?}");
        // What a client may mend or wait for is judged anew.
        let anew = matches!(code.status(), 400 | 404 | 422 | 429 | 500..)
            || matches!(code, Code::InventoryInsufficient | Code::HoldConfirming);
        assert_eq!(code.is_stored(), !anew, "{code:?}");
    }
}
