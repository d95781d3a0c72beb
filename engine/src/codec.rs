//! The byte format of everything the log and the state keep: bincode's legacy layout.
//!
//! Fixed-width little-endian integers, `u32` enum tags, `u64` lengths, one leading version byte. Trailing
//! bytes are refused, lengths are bounded. Only this module names the library, so that the library can
//! change without a byte of a file changing.

use bincode::BorrowDecode;
use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::de::{BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};

pub use bincode::{Decode, Encode};

use crate::few::Few;
use crate::limits::BATCH_BYTES_MAX;

/// The version byte that this build writes.
pub const VERSION: u8 = 2;

/// Why bytes could not be read. Damage, or a file of a later version; never a client's fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no bytes to decode")]
    Empty,
    #[error("format version {found} is not readable by this build, which reads {VERSION}")]
    Version { found: u8 },
    #[error("malformed bytes: {0}")]
    Malformed(String),
    #[error("{extra} bytes follow the value")]
    Trailing { extra: usize },
}

type Legacy = Configuration<LittleEndian, Fixint, Limit<BATCH_BYTES_MAX>>;

fn legacy() -> Legacy {
    bincode::config::legacy().with_limit::<BATCH_BYTES_MAX>()
}

/// Version byte, then the value. Panics never: encoding into memory cannot fail for our own types.
pub fn encode<T: Encode>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.push(VERSION);
    encode_into(value, &mut bytes);
    bytes
}

/// The value alone, appended to `bytes`: for digests and nested fields.
pub fn encode_into<T: Encode>(value: &T, bytes: &mut Vec<u8>) {
    let outcome = bincode::encode_into_std_write(value, bytes, bincode::config::legacy());
    debug_assert!(outcome.is_ok(), "encoding into memory failed: {outcome:?}");
}

/// Reads what [`encode`] wrote.
pub fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, Error> {
    let (&version, body) = bytes.split_first().ok_or(Error::Empty)?;
    if version != VERSION {
        return Err(Error::Version { found: version });
    }
    let (value, read) = bincode::decode_from_slice::<T, _>(body, legacy())
        .map_err(|error| Error::Malformed(error.to_string()))?;
    match body.len() - read {
        0 => Ok(value),
        extra => Err(Error::Trailing { extra }),
    }
}

// A short list has the bytes of any list.

impl<T: Encode + 'static, const N: usize> Encode for Few<T, N> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.as_slice().encode(encoder)
    }
}

impl<C, T: Decode<C> + 'static, const N: usize> Decode<C> for Few<T, N> {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Vec::decode(decoder).map(Self::from)
    }
}

impl<'de, C, T: BorrowDecode<'de, C> + 'de, const N: usize> BorrowDecode<'de, C> for Few<T, N> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        Vec::borrow_decode(decoder).map(Self::from)
    }
}

/// The first value of `bytes`, without a version byte, and how many bytes it took: for records one after
/// another.
pub fn decode_first<T: Decode<()>>(bytes: &[u8]) -> Result<(T, usize), Error> {
    bincode::decode_from_slice::<T, _>(bytes, legacy())
        .map_err(|error| Error::Malformed(error.to_string()))
}

/// A type whose bytes are those of another, which it can be made from or not.
macro_rules! encoded_as {
    ($type:ty, $form:ty, $to:expr, $from:expr) => {
        impl bincode::Encode for $type {
            fn encode<E: bincode::enc::Encoder>(
                &self,
                encoder: &mut E,
            ) -> Result<(), bincode::error::EncodeError> {
                let to: fn(&Self) -> $form = $to;
                bincode::Encode::encode(&to(self), encoder)
            }
        }

        impl<C> bincode::Decode<C> for $type {
            fn decode<D: bincode::de::Decoder<Context = C>>(
                decoder: &mut D,
            ) -> Result<Self, bincode::error::DecodeError> {
                let from: fn($form) -> Option<Self> = $from;
                let form = bincode::Decode::decode(decoder)?;
                from(form).ok_or(bincode::error::DecodeError::Other("unknown to this build"))
            }
        }

        bincode::impl_borrow_decode!($type);
    };
}
pub(crate) use encoded_as;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_fixed_width_little_endian_behind_a_version() {
        let bytes = encode(&(7u32, vec![1u16, 2], Some(true)));
        assert_eq!(bytes, [2, 7, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 1, 1]);
    }

    #[test]
    fn trailing_bytes_and_other_versions_are_refused() {
        let mut bytes = encode(&1u64);
        bytes.push(0);
        assert!(matches!(decode::<u64>(&bytes), Err(Error::Trailing { extra: 1 })));
        bytes[0] = 9;
        assert!(matches!(decode::<u64>(&bytes), Err(Error::Version { found: 9 })));
        assert!(matches!(decode::<u64>(&[]), Err(Error::Empty)));
    }

    #[test]
    fn a_hostile_length_is_refused_before_memory_is_taken() {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(decode::<Vec<u64>>(&bytes), Err(Error::Malformed(_))));
    }
}
