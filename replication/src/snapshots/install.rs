//! Taking a received snapshot in, before anything else of a start: the log begins behind it.
//!
//! It owns the order, which a crash may end at any step: the file and its name are on disk, the log is cut to
//! begin behind it in one synced write, then the file takes its place among the snapshots. It refuses to do
//! so while the node runs: readers hold the state that it would replace.
//!
//! **Invariant**: a log is never cut before what stands for it is on disk and was checked.

use std::io;
use std::path::Path;

use super::{Snapshots, head};
use crate::log::LogStore;
use crate::runtime::FILES;

impl Snapshots {
    /// Takes in what was received; whether the log begins anew behind it. What is left of others goes, unless
    /// it may still be of use. Blocks.
    pub fn take_in(&self, log: &LogStore) -> io::Result<bool> {
        let mut staged = self.staged()?;
        let newest = staged.pop();
        for older in staged {
            FILES.remove(&older)?;
        }
        let taken = newest.map_or(Ok(false), |newest| self.take_one_in(&newest, log))?;
        if let Some(last) = log.group().last().max(log.group().purged()) {
            self.drop_parts(last.index)?;
        }
        Ok(taken)
    }

    fn take_one_in(&self, path: &Path, log: &LogStore) -> io::Result<bool> {
        let place = FILES.verify(path).map_err(|error| error.to_string()).and_then(|(meta, _)| {
            let is_ours = (meta.cluster, meta.group) == (self.cluster, self.group.0);
            let place = head::place(&meta).map_err(|damage| damage.to_string())?;
            if is_ours { Ok(place.0) } else { Err("it is of another cluster or group".to_owned()) }
        });
        let last = match place {
            Ok(last) => last,
            Err(why) => {
                // The log is as it was: the leader sends another.
                tracing::error!(why, "a snapshot that was received is not taken in");
                FILES.remove(path)?;
                return Ok(false);
            }
        };
        let purged = log.group().purged().map_or(0, |purged| purged.index);
        let has_it = purged > last.index || log.disk().id_at(last.index)? == Some(last);
        if !has_it {
            // A process that was killed right after the renaming has left the name to a cache alone.
            FILES.sync_dir(&self.dir)?;
            log.begin_behind(last)?;
            tracing::info!(last.index, "the log begins behind a snapshot that was received");
            #[cfg(all(test, holdfast_sim))]
            crate::sim::witness::taken_in(last);
        }
        FILES.rename(path, &self.shelf.path_of(last.index))?;
        FILES.sync_dir(&self.dir)?;
        Ok(!has_it)
    }
}
