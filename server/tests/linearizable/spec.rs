//! What a few cells may answer, one request after the other: written from the rules, not from the engine.
//!
//! Owns the reference that histories are checked against. Knows no HTTP and nothing of how rooms are
//! counted inside.

use std::cell::Cell;
use std::collections::BTreeMap;

use stateright::semantics::SequentialSpec;

/// Nights of one history, of one room type.
pub const CELLS: usize = 3;

/// Steps after which a search for an order is given up: histories are meant to be short.
const STEPS_MAX: u64 = 1_000_000;

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// Begins to count the steps of a search anew.
pub fn begin_search() {
    STEPS.set(0);
}

/// A hold, by the number it has in its history.
pub type Number = u8;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// So many rooms on the cells `from..to`.
    Hold {
        number: Number,
        from: usize,
        to: usize,
        rooms: i32,
    },
    Release(Number),
    Confirm(Number),
    /// Of the booking that a hold became.
    Cancel(Number),
    /// The partner gives so many rooms.
    Allot {
        cell: usize,
        rooms: i32,
    },
    /// How many rooms are left.
    Look(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ret {
    Done,
    /// Too few rooms on these cells.
    Short(Vec<usize>),
    Released,
    AlreadyConfirmed,
    /// Somebody's payment for the hold is under way.
    Confirming,
    Left(i32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Held,
    Released,
    Booked,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Hold {
    from: usize,
    to: usize,
    rooms: i32,
    state: State,
}

/// The cells and the holds on them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rooms {
    given: [i32; CELLS],
    promised: [i32; CELLS],
    holds: BTreeMap<Number, Hold>,
}

impl Rooms {
    pub fn new(given: i32) -> Self {
        Self { given: [given; CELLS], promised: [0; CELLS], holds: BTreeMap::new() }
    }

    fn free(&self, cell: usize) -> i32 {
        self.given[cell] - self.promised[cell]
    }

    fn give_back(&mut self, number: Number, state: State) {
        let Some(hold) = self.holds.get_mut(&number) else { return };
        hold.state = state;
        for cell in hold.from..hold.to {
            self.promised[cell] -= hold.rooms;
        }
    }

    fn state(&self, number: Number) -> Option<State> {
        self.holds.get(&number).map(|hold| hold.state)
    }

    fn hold(&mut self, number: Number, (from, to): (usize, usize), rooms: i32) -> Ret {
        let short: Vec<_> = (from..to).filter(|&cell| self.free(cell) < rooms).collect();
        if !short.is_empty() {
            return Ret::Short(short);
        }
        for cell in from..to {
            self.promised[cell] += rooms;
        }
        self.holds.insert(number, Hold { from, to, rooms, state: State::Held });
        Ret::Done
    }

    fn release(&mut self, number: Number) -> Ret {
        match self.state(number) {
            Some(State::Held) => {
                self.give_back(number, State::Released);
                Ret::Done
            }
            Some(State::Released) => Ret::Done,
            _ => Ret::AlreadyConfirmed,
        }
    }

    fn confirm(&mut self, number: Number) -> Ret {
        match self.holds.get_mut(&number) {
            Some(hold) if hold.state == State::Held => {
                hold.state = State::Booked;
                Ret::Done
            }
            Some(hold) if hold.state == State::Released => Ret::Released,
            _ => Ret::AlreadyConfirmed,
        }
    }

    fn cancel(&mut self, number: Number) -> Ret {
        if self.state(number) == Some(State::Booked) {
            self.give_back(number, State::Cancelled);
        }
        Ret::Done
    }
}

impl SequentialSpec for Rooms {
    type Op = Op;
    type Ret = Ret;

    fn invoke(&mut self, op: &Op) -> Ret {
        match *op {
            Op::Hold { number, from, to, rooms } => self.hold(number, (from, to), rooms),
            Op::Release(number) => self.release(number),
            Op::Confirm(number) => self.confirm(number),
            Op::Cancel(number) => self.cancel(number),
            Op::Allot { cell, rooms } => {
                self.given[cell] = rooms;
                Ret::Done
            }
            Op::Look(cell) => Ret::Left(self.free(cell).max(0)),
        }
    }

    fn is_valid_step(&mut self, op: &Op, ret: &Ret) -> bool {
        STEPS.set(STEPS.get() + 1);
        assert!(STEPS.get() < STEPS_MAX, "the history is too long to be searched");
        match (op, ret) {
            // The cells named may have been short one after the other; one that is short is reason
            // enough, and a refusal changes nothing.
            (Op::Hold { from, to, rooms, .. }, Ret::Short(named)) => {
                let short = |cell: &usize| (*from..*to).contains(cell) && self.free(*cell) < *rooms;
                named.iter().any(short)
            }
            // A payment that is under way shows nowhere else until it ends.
            (Op::Release(number) | Op::Confirm(number), Ret::Confirming) => {
                self.state(*number) == Some(State::Held)
            }
            _ => self.invoke(op) == *ret,
        }
    }
}
