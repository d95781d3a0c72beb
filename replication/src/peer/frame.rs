//! Frames: what travels between nodes, one request or one answer each.
//!
//! ```text
//! frame | length u32, of what follows | version u8 = 1 | kind u8 | group u16 | call u32 | body |
//! ```
//!
//! Little-endian. A call is numbered by the side that opened the connection; every frame of it, in both
//! directions, carries that number. **Invariant**: no length read from the wire is believed past
//! [`FRAME_BYTES_MAX`], and memory is taken as bytes arrive, not as they are announced.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::GroupId;
use crate::limits::FRAME_BYTES_MAX;

pub(crate) const VERSION: u8 = 1;
/// Bytes from the version to the call.
const HEAD_BYTES: usize = 1 + 1 + 2 + 4;
/// Bytes asked of the socket at once, at least.
const READ_BYTES: usize = 64 * 1024;

/// What a frame is. The numbers are the wire's: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Hello = 1,
    Welcome = 2,
    Refuse = 3,
    /// The first request of a call.
    Open = 4,
    /// A further request of a call; one of a call that has ended is dropped.
    Request = 5,
    /// An answer; a call with several requests has one for each, in order.
    Answer = 6,
    /// From the caller: no more requests of this call will come. From the other side: no more answers.
    End = 7,
    /// The call ends without further answers; the body says why.
    Failed = 8,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        use Kind::{Answer, End, Failed, Hello, Open, Refuse, Request, Welcome};
        [Hello, Welcome, Refuse, Open, Request, Answer, End, Failed]
            .into_iter()
            .find(|&kind| kind as u8 == byte)
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub kind: Kind,
    pub group: GroupId,
    pub call: u32,
    pub body: Bytes,
}

impl Frame {
    /// Appends the frame's bytes to `out`. The body fits by the bounds of what it is made from; one that
    /// does not is the writer's defect, and is refused rather than cut.
    pub fn put(&self, out: &mut BytesMut) -> io::Result<()> {
        let length = HEAD_BYTES + self.body.len();
        let announced = u32::try_from(length).ok().filter(|_| length <= FRAME_BYTES_MAX);
        let Some(announced) = announced else {
            let text = format!("a frame of {length} bytes passes the bound of {FRAME_BYTES_MAX}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        };
        out.reserve(4 + length);
        out.put_u32_le(announced);
        out.put_u8(VERSION);
        out.put_u8(self.kind as u8);
        out.put_u16_le(self.group.0);
        out.put_u32_le(self.call);
        out.put_slice(&self.body);
        Ok(())
    }
}

/// The reading half of a connection, with what has arrived and is not yet a frame.
#[derive(Debug)]
pub(crate) struct Frames<R> {
    from: R,
    arrived: BytesMut,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub fn new(from: R) -> Self {
        Self { from, arrived: BytesMut::new() }
    }

    /// The next frame; `None` where the other side closed between two frames. Safe to drop and call again.
    pub async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = take(&mut self.arrived)? {
                return Ok(Some(frame));
            }
            self.arrived.reserve(READ_BYTES);
            if self.from.read_buf(&mut self.arrived).await? == 0 {
                return if self.arrived.is_empty() {
                    Ok(None)
                } else {
                    Err(malformed("the connection ended within a frame"))
                };
            }
        }
    }
}

/// Takes one whole frame off the front of what has arrived.
fn take(arrived: &mut BytesMut) -> io::Result<Option<Frame>> {
    let Some(announced) = arrived.first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_le_bytes(*announced)).unwrap_or(usize::MAX);
    if length > FRAME_BYTES_MAX {
        return Err(malformed("a frame announces more bytes than one may have"));
    }
    if length < HEAD_BYTES {
        return Err(malformed("a frame announces fewer bytes than its head"));
    }
    if arrived.len() < 4 + length {
        return Ok(None);
    }
    arrived.advance(4);
    let mut body = arrived.split_to(length).freeze();
    let (version, kind) = (body.get_u8(), body.get_u8());
    let (group, call) = (GroupId(body.get_u16_le()), body.get_u32_le());
    if version != VERSION {
        let text = format!("a frame of version {version}; this build speaks {VERSION}");
        return Err(malformed(&text));
    }
    let kind = Kind::from_byte(kind).ok_or_else(|| malformed("a frame of a kind unknown here"))?;
    Ok(Some(Frame { kind, group, call, body }))
}

pub(super) fn malformed(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(body: &[u8]) -> Frame {
        Frame {
            kind: Kind::Request,
            group: GroupId(3),
            call: 77,
            body: Bytes::copy_from_slice(body),
        }
    }

    fn bytes(frame: &Frame) -> BytesMut {
        let mut out = BytesMut::new();
        frame.put(&mut out).expect("fits");
        out
    }

    #[tokio::test]
    async fn frames_read_back_however_they_are_cut() {
        let wire = [bytes(&frame(b"rooms")), bytes(&frame(b""))].concat();
        for cut in 0..wire.len() {
            let (head, tail) = wire.split_at(cut);
            let mut frames = Frames::new(AsyncReadExt::chain(head, tail));
            assert_eq!(frames.next().await.expect("reads"), Some(frame(b"rooms")), "cut {cut}");
            assert_eq!(frames.next().await.expect("reads"), Some(frame(b"")), "cut {cut}");
            assert_eq!(frames.next().await.expect("ends"), None, "cut {cut}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_ends_within_a_frame_is_an_error() {
        let wire = bytes(&frame(b"rooms"));
        for cut in 1..wire.len() {
            assert!(Frames::new(&wire[..cut]).next().await.is_err(), "cut {cut}");
        }
    }

    #[tokio::test]
    async fn lengths_and_versions_from_the_wire_are_not_believed() {
        let past = u32::try_from(FRAME_BYTES_MAX).expect("fits") + 1;
        for length in [0, 7, past, u32::MAX] {
            let wire = [&length.to_le_bytes()[..], &[0; 64]].concat();
            assert!(Frames::new(&wire[..]).next().await.is_err(), "length {length}");
        }
        let mut wire = bytes(&frame(b"rooms"));
        wire[4] = VERSION + 1;
        let error = Frames::new(&wire[..]).next().await.expect_err("refused").to_string();
        assert!(error.contains("version 2"), "{error}");
        let mut wire = bytes(&frame(b"rooms"));
        wire[5] = 0;
        assert!(Frames::new(&wire[..]).next().await.is_err());
    }

    #[test]
    fn a_frame_at_the_bound_is_written_and_one_past_it_is_not() {
        let at = frame(&vec![0; FRAME_BYTES_MAX - HEAD_BYTES]);
        assert_eq!(bytes(&at).len(), 4 + FRAME_BYTES_MAX);
        let past = frame(&vec![0; FRAME_BYTES_MAX - HEAD_BYTES + 1]);
        assert!(past.put(&mut BytesMut::new()).is_err());
    }

    #[test]
    fn the_bytes_of_version_one_never_change() {
        let wire = [10, 0, 0, 0, 1, 5, 3, 0, 77, 0, 0, 0, b'h', b'i'];
        assert_eq!(&bytes(&frame(b"hi"))[..], wire);
    }
}
