//! A history: who asked what and when, who was told what and when, in the order in which it happened.
//!
//! Owns the recording. What has no answer stays in flight for ever: it may have happened or not, at any
//! time after it was asked.

use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stateright::semantics::{ConsistencyTester, LinearizabilityTester};

use super::remembered::{self, Asked};
use super::spec::{self, Op, Ret, Rooms};

/// Somebody who asks one thing after the other.
pub type Asker = usize;

pub struct History {
    given: i32,
    recorded: Mutex<Recorded>,
}

#[derive(Default)]
struct Recorded {
    askers: Asker,
    requests: Vec<Request>,
    /// What happened, in order: a request is asked, or its answer is heard.
    happened: Vec<(usize, Happened)>,
}

struct Request {
    asker: Asker,
    op: Op,
    answer: Option<Ret>,
    /// Another request with the same key stands for it.
    withdrawn: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Happened {
    Asked,
    Heard,
}

impl History {
    pub fn new(given: i32) -> Self {
        Self { given, recorded: Mutex::default() }
    }

    /// A search that was given up leaves the record as it was.
    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody new.
    pub fn asker(&self) -> Asker {
        let mut recorded = self.lock();
        recorded.askers += 1;
        recorded.askers
    }

    /// Call before the first byte is sent.
    pub fn asks(&self, asker: Asker, op: Op) {
        let mut recorded = self.lock();
        let number = recorded.requests.len();
        recorded.happened.push((number, Happened::Asked));
        recorded.requests.push(Request { asker, op, answer: None, withdrawn: false });
    }

    /// Call after the last byte was received.
    pub fn hears(&self, asker: Asker, ret: Ret) {
        let mut recorded = self.lock();
        let asked = |request: &Request| request.asker == asker && request.answer.is_none();
        let number = recorded.requests.iter().rposition(asked).unwrap();
        recorded.happened.push((number, Happened::Heard));
        recorded.requests[number].answer = Some(ret);
    }

    /// Takes back what an asker asked: an earlier request with the same key, still unanswered, began before
    /// it and is answered now, and the two together have one effect.
    pub fn withdraws(&self, asker: Asker) {
        let mut recorded = self.lock();
        let asked = |request: &Request| request.asker == asker && request.answer.is_none();
        let number = recorded.requests.iter().rposition(asked).unwrap();
        recorded.requests[number].withdrawn = true;
    }

    /// Whether there is an order in which all that was answered could have happened at once.
    ///
    /// The checker tries its threads in order, so each request is a thread of its own, numbered by whether
    /// it changed something and by when it was answered: the first order it tries is nearly right. That
    /// one asker's requests follow each other, it sees from their times. Where so much overlaps that it does not
    /// end, a search with memory decides. `None` where that was given up too.
    pub fn is_linearizable(&self) -> Option<bool> {
        let attempt = |search: &dyn Fn() -> bool| {
            spec::begin_search();
            std::panic::catch_unwind(AssertUnwindSafe(search)).ok()
        };
        let plain = attempt(&|| self.search());
        let remembered = attempt(&|| self.remembered());
        if let (Some(plain), Some(remembered)) = (plain, remembered) {
            assert_eq!(plain, remembered, "two searches disagree on {}", self.text());
        }
        plain.or(remembered)
    }

    fn remembered(&self) -> bool {
        let recorded = self.lock();
        let place = |number: usize, what: Happened| {
            recorded.happened.iter().position(|happened| *happened == (number, what))
        };
        let requests =
            recorded.requests.iter().enumerate().filter(|(_, request)| !request.withdrawn);
        let requests: Vec<_> = requests
            .map(|(number, request)| Asked {
                op: &request.op,
                asked: place(number, Happened::Asked).unwrap(),
                heard: place(number, Happened::Heard).zip(request.answer.as_ref()),
            })
            .collect();
        assert!(requests.len() < 64, "one bit for each");
        remembered::is_linearizable(Rooms::new(self.given), &requests)
    }

    fn search(&self) -> bool {
        let recorded = self.lock();
        let count = recorded.requests.len();
        // Unanswered requests come last.
        let mut thread: Vec<usize> = (2 * count..3 * count).collect();
        let heard = recorded.happened.iter().filter(|what| what.1 == Happened::Heard);
        for (place, (number, _)) in heard.enumerate() {
            // What changed nothing can stand as soon as it is right: that never spoils another answer.
            let changed = recorded.requests[*number].answer == Some(Ret::Done);
            thread[*number] = if changed { count + place } else { place };
        }
        let mut tester = LinearizabilityTester::new(Rooms::new(self.given));
        for &(number, what) in &recorded.happened {
            let Request { op, answer, withdrawn, .. } = &recorded.requests[number];
            if *withdrawn {
                continue;
            }
            match (what, answer) {
                (Happened::Heard, Some(ret)) => tester.on_return(thread[number], ret.clone()),
                _ => tester.on_invoke(thread[number], op.clone()),
            }
            .unwrap();
        }
        tester.is_consistent()
    }

    pub fn requests(&self) -> usize {
        self.lock().requests.len()
    }

    /// How many answers are such.
    pub fn count(&self, is_such: impl Fn(&Ret) -> bool) -> usize {
        let recorded = self.lock();
        recorded
            .requests
            .iter()
            .filter(|request| request.answer.as_ref().is_some_and(&is_such))
            .count()
    }

    /// For a person.
    pub fn text(&self) -> String {
        let recorded = self.lock();
        let mut text = format!("{} rooms on each night\n", self.given);
        for &(number, what) in &recorded.happened {
            let Request { asker, op, answer, .. } = &recorded.requests[number];
            let _ = match (what, answer) {
                (Happened::Heard, Some(ret)) => {
                    writeln!(text, "{asker} hears {ret:?} ({number})")
                }
                _ => writeln!(text, "{asker} asks  {op:?} ({number})"),
            };
        }
        text
    }
}
