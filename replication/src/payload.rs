//! What one log entry carries, as commands and as bytes.
//!
//! It owns the pairing of the two forms: a leader has both from the start, so it never decodes what it
//! proposed; a log read back has only bytes and decodes them once, when first asked.
//!
//! **Invariant**: the bytes are `codec::encode` of the batch, whoever made them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use holdfast_engine::{Batch, Command, codec};

/// Bytes before the first command of an encoded batch: version, `at_ms`, number of commands.
const HEAD_BYTES: usize = 1 + 8 + 8;

#[derive(Clone)]
pub(crate) struct Payload(Arc<Forms>);

struct Forms {
    batch: OnceLock<Batch>,
    bytes: Bytes,
}

/// One command in both forms, encoded by the thread that submitted it.
pub(crate) struct Part {
    pub command: Command,
    pub encoded: Vec<u8>,
}

impl Part {
    pub fn new(command: Command) -> Self {
        let mut encoded = Vec::with_capacity(128);
        codec::encode_into(&command, &mut encoded);
        Self { command, encoded }
    }

    /// A command that was read from its versioned form.
    pub fn from_versioned(command: Command, versioned: &[u8]) -> Self {
        Self { command, encoded: versioned.get(1..).unwrap_or_default().to_vec() }
    }

    /// The command as a value of its own, with the version of its encoding.
    pub fn versioned(&self) -> Vec<u8> {
        [&[codec::VERSION], self.encoded.as_slice()].concat()
    }
}

impl Payload {
    /// Joins commands that were encoded one by one into an entry, without encoding again.
    pub fn assemble(at_ms: u64, parts: impl ExactSizeIterator<Item = Part>) -> Self {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + parts.len() * 128);
        let mut commands = Vec::with_capacity(parts.len());
        bytes.push(codec::VERSION);
        bytes.extend_from_slice(&at_ms.to_le_bytes());
        bytes.extend_from_slice(&(parts.len() as u64).to_le_bytes());
        for part in parts {
            bytes.extend_from_slice(&part.encoded);
            commands.push(part.command);
        }
        let batch = OnceLock::from(Batch { at_ms, commands });
        Self(Arc::new(Forms { batch, bytes: bytes.into() }))
    }

    pub fn from_bytes(bytes: Bytes) -> Self {
        Self(Arc::new(Forms { batch: OnceLock::new(), bytes }))
    }

    /// The same entry as bytes alone: what a log keeps once the commands were handed out.
    pub fn bytes_only(&self) -> Self {
        Self::from_bytes(self.0.bytes.clone())
    }

    /// The commands; decoded on the first call where only bytes were there.
    pub fn batch(&self) -> Result<&Batch, codec::Error> {
        if let Some(batch) = self.0.batch.get() {
            return Ok(batch);
        }
        let decoded = codec::decode::<Batch>(&self.0.bytes)?;
        Ok(self.0.batch.get_or_init(|| decoded))
    }

    /// When the leader stamped it, in the log's time; read without decoding the commands.
    pub fn at_ms(&self) -> Option<u64> {
        let stamp = self.0.bytes.get(1..)?.first_chunk()?;
        Some(u64::from_le_bytes(*stamp))
    }

    #[cfg(test)]
    pub fn is_decoded(&self) -> bool {
        self.0.batch.get().is_some()
    }

    pub fn bytes(&self) -> &Bytes {
        &self.0.bytes
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Commands hold sealed personal data and may be long: a log line gets their size alone.
        write!(out, "Payload({} bytes)", self.0.bytes.len())
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}
