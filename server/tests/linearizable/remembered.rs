//! A search for an order that remembers where it was: for histories in which so much overlaps that a search
//! without memory does not end.
//!
//! Owns nothing of the rules; it goes by the same reference. Its answer is compared with that of the other
//! search wherever both have one. The idea is that of Wing, Gong and Lowe: what can follow depends only on which
//! requests have happened and on what they made of the rooms.

use std::collections::HashSet;

use stateright::semantics::SequentialSpec;

use super::spec::{Op, Ret, Rooms};

pub struct Asked<'a> {
    pub op: &'a Op,
    /// Places in the order of all that happened.
    pub asked: usize,
    /// `None`: it happened at any time after it was asked, or never.
    pub heard: Option<(usize, &'a Ret)>,
}

/// Whether all that was answered could have happened at once each, in some order that fits the times.
pub fn is_linearizable(rooms: Rooms, requests: &[Asked<'_>]) -> bool {
    let answered = |request: &Asked<'_>| request.heard.is_some();
    let bits = requests.iter().enumerate().filter(|(_, request)| answered(request));
    let all: u64 = bits.map(|(number, _)| 1 << number).sum();
    let mut seen = HashSet::from([(0, rooms.clone())]);
    let mut open = vec![(0, rooms)];
    while let Some((happened, rooms)) = open.pop() {
        if happened & all == all {
            return true;
        }
        for (number, request) in requests.iter().enumerate() {
            let waits = |(earlier, other): (usize, &Asked<'_>)| {
                let is_before = other.heard.is_some_and(|(heard, _)| heard < request.asked);
                is_before && happened & (1 << earlier) == 0
            };
            let is_open = happened & (1 << number) == 0;
            if !is_open || requests.iter().enumerate().any(waits) {
                continue;
            }
            let mut rooms = rooms.clone();
            let fits = match request.heard {
                Some((_, ret)) => rooms.is_valid_step(request.op, ret),
                None => {
                    rooms.invoke(request.op);
                    true
                }
            };
            let next = (happened | 1 << number, rooms);
            if fits && seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    false
}
