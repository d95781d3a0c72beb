//! Snapshots from node to node: offered, sent from where the other side's file ends, acknowledged piece by
//! piece.
//!
//! ```text
//! offer    | method u8 = 5 | vote | log id: term u64, node u64, index u64 | bytes u64 | checksum u128 |
//! standing | vote | 0, from u64  or  1: has it  or  2: follows a later leader |
//! piece    | bytes of the file |                  answered by: | bytes on disk u64 |
//! ```
//!
//! Little-endian. It owns both ends. **Invariant**: a sender calls a snapshot taken in only where the other
//! node has applied what is in it; until then the sending has failed and is tried again.

use std::future::Future;
use std::io::{self, Read, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use bytes::{BufMut, Bytes};
use holdfast_snapshot::Input;
use openraft::async_runtime::WatchReceiver;
use tokio::sync::mpsc;

use super::answer::Group;
use crate::GroupId;
use crate::limits::{SNAPSHOT_CHUNK_BYTES, SNAPSHOT_CHUNKS_IN_FLIGHT, SNAPSHOT_SILENCE_MAX};
use crate::log::record::{self, Body, Damage};
use crate::peer::link::{Call, Link};
use crate::peer::listen::Answers;
use crate::raft_types::Vote;
use crate::runtime::{self, FILES};
use crate::snapshots::incoming::{Offer, Part};
use crate::snapshots::{SnapshotFile, Snapshots};

/// In the simulation a snapshot is a hundred thousand bytes, and goes in several pieces all the same.
const CHUNK_BYTES: usize = if cfg!(holdfast_sim) { 1_024 } else { SNAPSHOT_CHUNK_BYTES };
/// Shares its byte with the methods of [`crate::peer::message`].
pub(crate) const OFFER: u8 = 5;

const FROM: u8 = 0;
const HAS_IT: u8 = 1;
const FOLLOWS_LATER: u8 = 2;

/// How the other side stands to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It has so many bytes of this file.
    From(u64),
    /// It has applied what is in it.
    HasIt,
    /// It has voted for a later leader.
    FollowsLater,
}

fn write_offer(vote: &Vote, offer: &Offer) -> Bytes {
    let mut out = Vec::with_capacity(96);
    out.push(OFFER);
    record::put_vote_fields(vote, &mut out);
    record::put_log_id_fields(&offer.last, &mut out);
    out.put_u64_le(offer.bytes);
    out.put_u128_le(offer.checksum);
    out.into()
}

fn read_offer(bytes: &[u8]) -> Result<(Vote, Offer), Damage> {
    let mut body = Body::new(bytes);
    if body.u8()? != OFFER {
        return Err(Damage::Malformed);
    }
    let vote = body.vote()?;
    let offer = Offer { last: body.log_id()?, bytes: body.u64()?, checksum: body.u128()? };
    body.end()?;
    Ok((vote, offer))
}

fn write_standing(vote: &Vote, standing: Standing) -> Bytes {
    let mut out = Vec::with_capacity(32);
    record::put_vote_fields(vote, &mut out);
    match standing {
        Standing::From(from) => {
            out.push(FROM);
            out.put_u64_le(from);
        }
        Standing::HasIt => out.push(HAS_IT),
        Standing::FollowsLater => out.push(FOLLOWS_LATER),
    }
    out.into()
}

fn read_standing(bytes: &[u8]) -> Result<(Vote, Standing), Damage> {
    let mut body = Body::new(bytes);
    let vote = body.vote()?;
    let standing = match body.u8()? {
        FROM => Standing::From(body.u64()?),
        HAS_IT => Standing::HasIt,
        FOLLOWS_LATER => Standing::FollowsLater,
        _ => return Err(Damage::Malformed),
    };
    body.end()?;
    Ok((vote, standing))
}

fn damaged(damage: Damage) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("an answer is damaged: {damage}"))
}

/// Sends a snapshot; the other side's vote once it has it, or will not have it. All that is still under way
/// then is an error: it is tried again, and goes on where it was. `is_taken` is called whenever the other side
/// acknowledges a piece, and where it says from where it wants it.
pub(super) async fn send(
    (link, group): (&Link, GroupId),
    vote: Vote,
    (file, offer): (&SnapshotFile, Offer),
    is_taken: impl Fn(),
) -> io::Result<Vote> {
    let mut call = link.call(group).await?;
    call.request(write_offer(&vote, &offer)).await;
    let answer = answer(&mut call).await?;
    let from = match read_standing(&answer).map_err(damaged)? {
        (theirs, Standing::HasIt | Standing::FollowsLater) => return Ok(theirs),
        (_, Standing::From(from)) => from,
    };
    tracing::info!(index = offer.last.index, from, bytes = offer.bytes, "a snapshot is sent");
    #[cfg(all(test, holdfast_sim))]
    crate::sim::witness::offered(offer.last.index, from);
    let mut pieces = Pieces::open(&file.path, from).await?;
    is_taken();
    let mut in_flight = 0;
    loop {
        while in_flight < SNAPSHOT_CHUNKS_IN_FLIGHT
            && let Some(piece) = pieces.next().await?
        {
            call.request(piece).await;
            in_flight += 1;
        }
        if in_flight == 0 {
            break;
        }
        self::answer(&mut call).await?;
        is_taken();
        in_flight -= 1;
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "it has all of it, and takes it in"))
}

/// The next answer of a call, waited for so long and no longer.
async fn answer(call: &mut Call) -> io::Result<Bytes> {
    let ended = || Err(io::Error::new(io::ErrorKind::ConnectionAborted, "it ended the call"));
    match runtime::timeout(SNAPSHOT_SILENCE_MAX, call.answer()).await {
        Ok(answer) => answer.unwrap_or_else(ended),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer")),
    }
}

/// A file in pieces, read beside the tasks. The file stays readable where its name goes meanwhile.
struct Pieces(Option<Box<dyn Input>>);

impl Pieces {
    async fn open(path: &Path, from: u64) -> io::Result<Self> {
        let path = path.to_owned();
        let opened = runtime::spawn_blocking(move || {
            let mut file = FILES.open(&path)?;
            file.seek(SeekFrom::Start(from))?;
            Ok(Self(Some(file)))
        });
        opened.await.unwrap_or_else(|_| Err(panicked()))
    }

    /// `None` at the end.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let Some(mut file) = self.0.take() else { return Ok(None) };
        let read = runtime::spawn_blocking(move || {
            let mut bytes = Vec::with_capacity(CHUNK_BYTES);
            let most = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
            (&mut file).take(most).read_to_end(&mut bytes)?;
            Ok::<_, io::Error>((file, bytes))
        });
        let (file, bytes) = read.await.unwrap_or_else(|_| Err(panicked()))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.0 = Some(file);
        Ok(Some(bytes.into()))
    }
}

fn panicked() -> io::Error {
    io::Error::other("reading or writing a snapshot panicked")
}

/// What of a group receives snapshots.
pub(crate) struct Receiving {
    pub snapshots: Arc<Snapshots>,
    /// Told the index of a snapshot that lies ready to be taken in.
    pub staged: Box<dyn Fn(u64) + Send + Sync>,
}

impl Group {
    /// Receives what is offered, to its end or until the call breaks off.
    pub(super) async fn receive(
        &self,
        first: &[u8],
        mut pieces: mpsc::Receiver<Bytes>,
        answers: &Answers,
    ) -> Result<(), String> {
        let text = |error: io::Error| error.to_string();
        let (vote, offer) = read_offer(first).map_err(|damage| damage.to_string())?;
        let mine = self.raft.metrics().borrow_watched().vote;
        let standing = if mine > vote {
            Some(Standing::FollowsLater)
        } else {
            (self.applied.index() >= Some(offer.last.index)).then_some(Standing::HasIt)
        };
        if let Some(standing) = standing {
            answers.send(write_standing(&mine, standing)).await;
            return Ok(());
        }
        let snapshots = self.receiving.snapshots.clone();
        let turn = snapshots.turn().await;
        let files = snapshots.clone();
        let begun = runtime::spawn_blocking(move || files.receive(offer, turn)).await;
        let begun = begun.unwrap_or_else(|_| Err(panicked()));
        let Some((mut part, mut later)) = begun.map_err(text)? else {
            // Said once already, unless the disk failed with the very last step of receiving it.
            (self.receiving.staged)(offer.last.index);
            return Err("a snapshot that was received waits to be taken in".to_owned());
        };
        if self.space.free() < offer.bytes.saturating_sub(part.have()) {
            return Err("there is no room for the snapshot on its disk".to_owned());
        }
        answers.send(write_standing(&mine, Standing::From(part.have()))).await;
        while !part.is_whole() {
            let piece = tokio::select! {
                biased;
                () = later.came() => Err("another node sends one"),
                piece = runtime::timeout(SNAPSHOT_SILENCE_MAX, pieces.recv()) => match piece {
                    Ok(piece) => piece.ok_or("the sender broke off"),
                    Err(_) => Err("the sender fell silent"),
                },
            }?;
            part = appended(part, piece).await.map_err(refused)?;
            answers.send(Bytes::copy_from_slice(&part.have().to_le_bytes())).await;
        }
        let staged = runtime::spawn_blocking(move || part.stage(&snapshots)).await;
        let index = staged.unwrap_or_else(|_| Err(panicked().to_string()))?;
        tracing::info!(index, "a snapshot was received");
        (self.receiving.staged)(index);
        Ok(())
    }
}

fn refused(error: io::Error) -> String {
    if error.kind() == io::ErrorKind::Unsupported {
        tracing::error!(%error, "a snapshot is refused: a later build than this one has written it");
    }
    error.to_string()
}

fn appended(mut part: Part, piece: Bytes) -> impl Future<Output = io::Result<Part>> {
    let appended = runtime::spawn_blocking(move || part.append(&piece).map(|()| part));
    async { appended.await.unwrap_or_else(|_| Err(panicked())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft_types::{Leader, LogId};

    #[test]
    fn offers_and_standings_read_back_and_cuts_do_not() {
        let leader_id = Leader { term: 3, node_id: 2 };
        let vote = Vote { leader_id, committed: true };
        let offer = Offer { last: LogId::new(leader_id, 9), bytes: 77, checksum: 1 << 100 };
        let written = write_offer(&vote, &offer);
        assert_eq!(read_offer(&written), Ok((vote, offer)));
        for cut in 0..written.len() {
            assert!(read_offer(&written[..cut]).is_err(), "cut {cut}");
        }
        for standing in [Standing::From(5), Standing::HasIt, Standing::FollowsLater] {
            let written = write_standing(&vote, standing);
            assert_eq!(read_standing(&written), Ok((vote, standing)));
            for cut in 0..written.len() {
                assert!(read_standing(&written[..cut]).is_err(), "cut {cut}");
            }
        }
    }
}
