//! A snapshot being received: a file that grows, survives a broken connection and a restart, and counts for
//! nothing until it was checked whole.
//!
//! It owns these files. It refuses to take a snapshot in: that is a start's.
//!
//! **Invariant**: a file is staged only once all of it is on disk, matches its checksums, and is of this
//! cluster and group and of the entry that was announced.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdfast_snapshot::{Output, check_start};
use tokio::sync::OwnedMutexGuard;

use super::{Snapshots, head};
use crate::limits::SNAPSHOT_SYNC_BYTES;
use crate::raft_types::LogId;
use crate::runtime::{FILES, watch};

/// In the simulation a snapshot is a hundred thousand bytes, and is synced several times all the same.
const SYNC_BYTES: u64 = if cfg!(holdfast_sim) { 16_384 } else { SNAPSHOT_SYNC_BYTES };
/// Ending of a file that is being received.
const PART: &str = "part";
/// Ending of one that was received whole.
const STAGED: &str = "staged";

/// What a leader offers to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The last entry in it.
    pub last: LogId,
    /// Of the whole file.
    pub bytes: u64,
    /// Over the whole but its end.
    pub checksum: u128,
}

/// A file being received; one at a time.
pub(crate) struct Part {
    offer: Offer,
    file: Output,
    path: PathBuf,
    have: u64,
    unsynced: u64,
    // Held by whoever writes, also where the connection ended meanwhile.
    _held: OwnedMutexGuard<()>,
}

/// One sender's turn, until a later one comes.
pub(crate) struct Turn {
    nth: u64,
    senders: watch::Receiver<u64>,
    held: OwnedMutexGuard<()>,
}

/// Tells that a later sender came.
pub(crate) struct Later {
    nth: u64,
    senders: watch::Receiver<u64>,
}

impl Later {
    /// Resolves when one has come.
    pub async fn came(&mut self) {
        let nth = self.nth;
        // Where nobody can come any more, this node ends.
        let _ = self.senders.wait_for(|latest| *latest != nth).await;
    }
}

impl Snapshots {
    /// Waits until whoever sent before has broken off: a sender whose machine lost its power tells nobody, and
    /// must not stand before the next leader for good.
    pub async fn turn(&self) -> Turn {
        let mut nth = 0;
        self.senders.send_modify(|senders| {
            *senders += 1;
            nth = *senders;
        });
        let senders = self.senders.subscribe();
        let held = self.receiving.clone().lock_owned().await;
        Turn { nth, senders, held }
    }

    /// Begins to receive what is offered, or goes on where it broke off; `None` while another waits to be
    /// taken in: what comes meanwhile would come in vain. Blocks.
    pub fn receive(&self, offer: Offer, turn: Turn) -> io::Result<Option<(Part, Later)>> {
        let Turn { nth, senders, held } = turn;
        if !self.staged()?.is_empty() {
            return Ok(None);
        }
        let Offer { last, bytes, checksum } = offer;
        let path = self.dir.join(format!("{:020}-{bytes}-{checksum:032x}.{PART}", last.index));
        for other in with_ending(&self.dir, PART)?.into_iter().filter(|other| *other != path) {
            FILES.remove(&other)?;
        }
        let (mut file, mut have) = FILES.extend(&path)?;
        if have > bytes {
            (file, have) = (FILES.create(&path)?, 0);
        }
        let part = Part { offer, file, path, have, unsynced: 0, _held: held };
        Ok(Some((part, Later { nth, senders })))
    }

    /// The path of a staged file.
    fn staged_path(&self, index: u64) -> PathBuf {
        self.dir.join(format!("{index:020}.{STAGED}"))
    }

    /// Removes what was received of snapshots that a log with this last entry has no use for.
    pub(super) fn drop_parts(&self, last: u64) -> io::Result<()> {
        for path in with_ending(&self.dir, PART)? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let index = name.split('-').next().and_then(|digits| digits.parse::<u64>().ok());
            if index.is_none_or(|index| index <= last) {
                FILES.remove(&path)?;
            }
        }
        Ok(())
    }

    /// What was received whole and not taken in yet, the newest last.
    pub(super) fn staged(&self) -> io::Result<Vec<PathBuf>> {
        let mut staged = with_ending(&self.dir, STAGED)?;
        staged.sort_unstable();
        Ok(staged)
    }
}

impl Part {
    /// Bytes that lie on disk.
    pub fn have(&self) -> u64 {
        self.have
    }

    pub fn is_whole(&self) -> bool {
        self.have == self.offer.bytes
    }

    /// Adds what follows. Blocks.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if more > self.offer.bytes.saturating_sub(self.have) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "more came than was offered"));
        }
        if self.have == 0 {
            // Known from the first piece: a file of a later build is not received in vain.
            check_start(bytes).map_err(|why| io::Error::new(io::ErrorKind::Unsupported, why))?;
        }
        self.file.write_all(bytes)?;
        self.have = self.have.saturating_add(more);
        self.unsynced = self.unsynced.saturating_add(more);
        if self.unsynced >= SYNC_BYTES {
            self.file.sync()?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// Checks all of it and stages it for the next start; where it is damaged it is removed, and is to be
    /// sent again. Blocks for as long as reading it takes.
    pub fn stage(mut self, snapshots: &Arc<Snapshots>) -> Result<u64, String> {
        let text = |error: io::Error| error.to_string();
        if cfg!(not(holdfast_bug = "cut_before_the_snapshot_is_durable")) {
            self.file.sync().map_err(text)?;
        }
        if let Err(why) = self.check(snapshots) {
            FILES.remove(&self.path).map_err(text)?;
            return Err(why);
        }
        let index = self.offer.last.index;
        FILES.rename(&self.path, &snapshots.staged_path(index)).map_err(text)?;
        FILES.sync_dir(&snapshots.dir).map_err(text)?;
        Ok(index)
    }

    fn check(&self, snapshots: &Snapshots) -> Result<(), String> {
        let (meta, summary) = FILES.verify(&self.path).map_err(|error| error.to_string())?;
        if (meta.cluster, meta.group) != (snapshots.cluster, snapshots.group.0) {
            return Err("the snapshot is of another cluster or group".to_owned());
        }
        let (last, _) = head::place(&meta).map_err(|damage| damage.to_string())?;
        if last != self.offer.last || summary.checksum != self.offer.checksum {
            return Err("the snapshot is not the one that was offered".to_owned());
        }
        Ok(())
    }
}

fn with_ending(dir: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let mut paths = FILES.list(dir)?;
    paths.retain(|path| path.extension().is_some_and(|has| has == ending));
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::GroupId;
    use crate::fixture;
    use crate::raft_types::Leader;

    /// A leader whose machine lost its power while it sent one tells nobody that it is gone.
    #[tokio::test]
    async fn a_sender_that_fell_silent_gives_its_turn_to_the_next() {
        let dir = tempfile::tempdir().expect("made");
        let snapshots = Snapshots::open(dir.path(), 1, GroupId(0), fixture::time()).expect("made");
        let last = LogId::new(Leader { term: 1, node_id: 1 }, 7);
        let offer = Offer { last, bytes: 100, checksum: 1 };
        let first = snapshots.turn().await;
        let begun = snapshots.receive(offer, first).expect("readable");
        let (mut part, mut silent) = begun.expect("begun");
        part.append(b"HFSNAP\r\n\x01\0").expect("written");
        assert!(silent.came().now_or_never().is_none(), "nobody else sends");

        let mut next = Box::pin(snapshots.turn());
        assert!(next.as_mut().now_or_never().is_none(), "the first one still writes");
        assert!(silent.came().now_or_never().is_some(), "and is told to stop");
        drop(part);
        let begun = snapshots.receive(offer, next.await).expect("readable");
        let (part, mut later) = begun.expect("begun");
        assert_eq!(part.have(), 10, "it goes on where the first one was");
        assert!(later.came().now_or_never().is_none());
    }
}
