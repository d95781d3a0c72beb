//! Replay at start: the log is read once, checked whole, and applied as far as it is committed.
//!
//! It owns the pipeline of two threads: one reads, checks and decodes, the other applies. It refuses to
//! skip: the first damaged or missing entry ends the start.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::OpenError;
use crate::limits::{READ_BYTES_MAX, REPLAY_CHUNKS_AHEAD, REPLAY_PROGRESS_EVERY};
use crate::log::{LogDamage, LogError, LogStore};
use crate::options::{OnProgress, Progress};
use crate::raft_types::{Entry, EntryPayload};
use crate::state_machine::StateMachine;

/// Entries of one chunk, so that a chunk of tiny ones is bounded too.
const CHUNK_ENTRIES_MAX: usize = 1_024;

type Chunk = Vec<Entry>;

/// Applies committed entries from the first one that the machine has not on; checks all from there on.
pub(super) fn replay(
    store: &LogStore,
    machine: &mut StateMachine,
    on_progress: &mut Option<OnProgress>,
) -> Result<(), OpenError> {
    let Some(last) = store.group().last().map(|id| id.index) else { return Ok(()) };
    let known = store.group().purged().max(machine.last());
    let begin = known.map_or(0, |id| id.index.saturating_add(1));
    let committed = store.committed().map(|id| id.index);
    let (chunks, incoming) = sync_channel(REPLAY_CHUNKS_AHEAD);
    let reader = store.clone();
    let name = thread::Builder::new().name("holdfast-replay".into());
    let scan = name
        .spawn(move || read(&reader, begin..last.saturating_add(1), &chunks))
        .map_err(OpenError::Thread)?;
    let applied = apply(&incoming, machine, committed, |applied| {
        let told = on_progress.as_mut().map(|told| told(Progress { applied, last }));
        told.unwrap_or(ControlFlow::Continue(()))
    });
    // A scan that found the receiver gone ends by itself.
    drop(incoming);
    let scanned = scan.join().map_err(|_| OpenError::ReplayPanicked)?;
    let group = store.group().id.0;
    scanned.map_err(|damage| LogError::of_damage(group, damage))?;
    applied
}

fn read(
    store: &LogStore,
    range: std::ops::Range<u64>,
    chunks: &SyncSender<Chunk>,
) -> Result<(), LogDamage> {
    let mut chunk = Chunk::new();
    let mut bytes = 0;
    let end = range.end;
    store.disk().scan(range, |entry| {
        if let EntryPayload::Normal(payload) = &entry.payload {
            bytes += payload.bytes().len();
            // Decoded here, beside the applying thread. A failure is that thread's to report, in order.
            let _ = payload.batch();
        }
        let is_last = entry.log_id.index + 1 == end;
        chunk.push(entry);
        if is_last || bytes >= READ_BYTES_MAX || chunk.len() >= CHUNK_ENTRIES_MAX {
            bytes = 0;
            // An applying thread that stopped has its own reason, which is the one that is told.
            let _ = chunks.send(std::mem::take(&mut chunk));
        }
        Ok(())
    })
}

fn apply(
    incoming: &Receiver<Chunk>,
    machine: &mut StateMachine,
    committed: Option<u64>,
    mut progress: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<(), OpenError> {
    let mut since = 0;
    let mut applied = None;
    for chunk in incoming {
        for entry in chunk.iter().filter(|entry| Some(entry.log_id.index) <= committed) {
            machine.apply_entry(entry, false).map_err(OpenError::Replay)?;
            applied = Some(entry.log_id.index);
            since += 1;
            if since >= REPLAY_PROGRESS_EVERY {
                since = 0;
                if progress(entry.log_id.index).is_break() {
                    return Err(OpenError::Stopped);
                }
            }
        }
    }
    match applied.map(progress) {
        Some(ControlFlow::Break(())) => Err(OpenError::Stopped),
        _ => Ok(()),
    }
}
