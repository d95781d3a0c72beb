//! Decompression of a bulk stream, in bounded steps.
//!
//! **Invariant:** one step never yields more than its few input bytes can inflate to, so memory is
//! bounded whatever the client sends; the caller counts the whole.

use std::io::Write;

use flate2::write::MultiGzDecoder;
use http::{HeaderMap, StatusCode, header};

use crate::problem::Problem;

/// How the body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let value = values.next().map(|value| value.to_str().unwrap_or_default().trim());
        match (value, values.next()) {
            (None | Some("identity"), None) => Ok(Self::Identity),
            (Some("gzip" | "x-gzip"), None) => Ok(Self::Gzip),
            _ => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "request.content_encoding",
                "This stream takes `Content-Encoding: gzip` or none.",
            )),
        }
    }
}

/// Turns sent bytes into read bytes.
pub enum Inflate {
    Identity,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Inflate {
    pub fn new(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Identity => Self::Identity,
            Encoding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
        }
    }

    /// Appends what `step` inflates to.
    pub fn push(&mut self, step: &[u8], out: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Self::Identity => out.extend_from_slice(step),
            Self::Gzip(decoder) => {
                decoder.write_all(step)?;
                // Without it the decoder keeps back what it has.
                decoder.flush()?;
                out.append(decoder.get_mut());
            }
        }
        Ok(())
    }

    /// Whether the stream may end here: an unfinished gzip member is a cut stream.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Self::Identity => Ok(()),
            Self::Gzip(decoder) => {
                decoder.try_finish()?;
                out.append(decoder.get_mut());
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn members_one_after_another_are_one_stream_whatever_the_cuts() {
        let sent = [gzip(b"one\n"), gzip(b"two\n")].concat();
        for step in [1, 3, 1_000] {
            let mut inflate = Inflate::new(Encoding::Gzip);
            let mut out = Vec::new();
            for bytes in sent.chunks(step) {
                inflate.push(bytes, &mut out).unwrap();
            }
            inflate.finish(&mut out).unwrap();
            assert_eq!(out, b"one\ntwo\n");
        }
    }

    #[test]
    fn a_cut_or_foreign_stream_is_noticed() {
        let sent = gzip(b"one\ntwo\nthree\n");
        let mut inflate = Inflate::new(Encoding::Gzip);
        let mut out = Vec::new();
        inflate.push(&sent[..sent.len() - 4], &mut out).unwrap();
        assert!(inflate.finish(&mut out).is_err());
        let mut inflate = Inflate::new(Encoding::Gzip);
        assert!(inflate.push(b"{\"seq\":1,\"room_type\":\"rt_x\"}", &mut out).is_err());
    }
}
