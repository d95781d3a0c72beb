//! A file becomes a state: one thread reads and checks blocks, the next reads records out of them, the
//! calling one puts them in their places. Blocks keep their order.

use std::io::Read;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use holdfast_engine::archive::Archived;
use holdfast_engine::state::{Decoded, LoadError as StateError, Loading, Part};
use holdfast_engine::{Reader as StateReader, State, Writer as StateWriter};

use crate::archived::{self, Malformed};
use crate::limits::BLOCKS_AHEAD;
use crate::read::Block;
use crate::{Meta, ReadError, Reader, Summary};

/// Why a file does not become a state.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the snapshot does not make a state: {0}")]
    State(#[from] StateError),
    #[error("the snapshot's head says entry {index}, its state stands at {found}")]
    AnotherIndex { index: u64, found: u64 },
    #[error("a record of the archive is malformed")]
    Archive(#[from] Malformed),
    #[error("the state has archived {expected} bookings, the snapshot carries {found} or others")]
    AnotherArchive { expected: u64, found: u64 },
    #[error("reading the snapshot panicked")]
    Panicked,
}

/// A state out of a file.
#[derive(Debug)]
pub struct Loaded {
    pub meta: Meta,
    pub summary: Summary,
    pub writer: StateWriter,
    pub reader: StateReader,
}

/// What [`crate::load()`] does with a file that was opened.
pub(crate) fn load<R: Read + Send>(mut reader: Reader<R>) -> Result<Loaded, LoadError> {
    let meta = reader.meta().clone();
    let (blocks, checked) = sync_channel(BLOCKS_AHEAD);
    let (pieces, incoming) = sync_channel(BLOCKS_AHEAD);
    let (summary, loading) = thread::scope(|scope| {
        let reading = scope.spawn(move || read_all(&mut reader, &blocks));
        scope.spawn(move || {
            // Who loads has stopped: so does this, and lets the reading thread go on alone.
            checked.iter().map(Piece::of).try_for_each(|piece| pieces.send(piece).ok())
        });
        let begun = (State::load(), Archived::default());
        let loading = incoming.iter().try_fold(begun, put);
        drop(incoming);
        let summary = reading.join().map_err(|_| LoadError::Panicked)?;
        // Damage first: what does not fit together may be its work.
        Ok::<_, LoadError>((summary?, loading?))
    })?;
    let (loading, archived) = loading;
    let (writer, reader) = loading.finish()?;
    let (index, found) = (meta.index, reader.applied_index());
    if index != found {
        return Err(LoadError::AnotherIndex { index, found });
    }
    let expected = writer.archived();
    if expected != archived {
        let (expected, found) = (expected.bookings, archived.bookings);
        return Err(LoadError::AnotherArchive { expected, found });
    }
    Ok(Loaded { meta, summary, writer, reader })
}

type Made = (Loading, Archived);

/// What a block has for a state under construction.
enum Piece {
    Decoded(Decoded),
    Archived(Vec<u8>),
}

impl Piece {
    fn of(block: Block) -> Result<Self, LoadError> {
        Ok(match block.part {
            Part::Archived => Self::Archived(block.bytes),
            part => Self::Decoded(Decoded::of(part, block.bytes)?),
        })
    }
}

fn put(
    (mut loading, mut archived): Made,
    piece: Result<Piece, LoadError>,
) -> Result<Made, LoadError> {
    match piece? {
        Piece::Decoded(records) => loading.put(records)?,
        Piece::Archived(bytes) => {
            for record in archived::records(&bytes) {
                archived.add(record?.record);
            }
        }
    }
    Ok((loading, archived))
}

fn read_all<R: Read>(
    reader: &mut Reader<R>,
    blocks: &SyncSender<Block>,
) -> Result<Summary, ReadError> {
    while let Some(block) = reader.next_block()? {
        // Who loads has stopped: the rest is still checked, for what it says of the file.
        let _ = blocks.send(block);
    }
    Ok(reader.summary())
}
