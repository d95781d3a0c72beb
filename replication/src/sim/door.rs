//! A door, as the server's are: asks admission before the log, and refuses only on the word of a leader that
//! a quorum has confirmed.
//!
//! It owns the steps of a request in a process. They are the server's `http/guest/hold_request`, without
//! HTTP.

use holdfast_engine::stay::Stay;
use holdfast_engine::{Admission, Command, Verb};

use crate::node::Node;
use crate::submit::Applied;

pub(crate) enum Answer {
    Applied(Applied),
    /// Without an entry: so many rooms were not there on all nights.
    Refused {
        stay: Stay,
        rooms: u32,
    },
    /// What became of it is not known, or nothing did.
    None,
}

pub(crate) async fn ask(node: Node, command: Command) -> Answer {
    let mut ticket = None;
    if let (Verb::Hold(hold), Some(key)) = (&command.verb, command.idempotency) {
        let (reader, demand) = (node.reader(), hold.demand());
        match reader.admit(hold.hotel, demand.clone(), node.now_ms()) {
            Admission::Admitted(taken) => ticket = Some(taken),
            Admission::Contended => {}
            Admission::Refused => {
                if node.read_point().await.is_err() {
                    return Answer::None;
                }
                let answered = reader.stored(key.key).is_some();
                let short = reader.still_short(hold.hotel, &demand, node.now_ms());
                if !answered && short.is_some() {
                    let rooms = demand.rooms().iter().map(|(_, rooms)| *rooms).sum();
                    return Answer::Refused { stay: hold.stay, rooms };
                }
            }
        }
    }
    match node.submit(command, ticket).await {
        Ok(applied) => Answer::Applied(applied),
        Err(_) => Answer::None,
    }
}
