//! The handshake: who calls, whom it means to call, in which cluster, and what for.
//!
//! ```text
//! hello   | cluster u128 | from u64 | to u64 | purpose u8 |     the caller's first frame
//! welcome | from u64 |                                         the other side agrees
//! refuse  | UTF-8 text |                                       and why; the connection ends
//! ```
//!
//! **Invariant**: a node answers only to its own cluster and its own id, so that a mixed-up address or a
//! wiped machine under an old address is told apart from the node that was meant.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::Purpose;
use super::frame::{Frame, Kind, malformed};
use crate::GroupId;

const HELLO_BYTES: usize = 16 + 8 + 8 + 1;

/// Who this node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub cluster: u128,
    pub node: u64,
}

/// What a caller says first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hello {
    pub cluster: u128,
    pub from: u64,
    pub to: u64,
    pub purpose: Purpose,
}

impl Hello {
    pub fn frame(&self) -> Frame {
        let mut body = BytesMut::with_capacity(HELLO_BYTES);
        body.put_u128_le(self.cluster);
        body.put_u64_le(self.from);
        body.put_u64_le(self.to);
        body.put_u8(self.purpose as u8);
        greeting(Kind::Hello, body.freeze())
    }

    pub fn read(frame: &Frame) -> io::Result<Self> {
        let mut body = frame.body.clone();
        if frame.kind != Kind::Hello || body.len() != HELLO_BYTES {
            return Err(malformed("a connection must begin with a hello"));
        }
        let (cluster, from, to) = (body.get_u128_le(), body.get_u64_le(), body.get_u64_le());
        let purpose = Purpose::from_byte(body.get_u8());
        let purpose =
            purpose.ok_or_else(|| malformed("a connection for a purpose unknown here"))?;
        Ok(Self { cluster, from, to, purpose })
    }

    /// Why this node does not answer to such a hello, where it does not.
    pub fn objection(&self, me: Identity) -> Option<String> {
        if self.cluster != me.cluster {
            return Some(format!(
                "this node belongs to cluster {:032x}, the caller to {:032x}: check the addresses in \
                 the configuration of node {}",
                me.cluster, self.cluster, self.from
            ));
        }
        if self.to != me.node {
            return Some(format!(
                "this is node {}, not node {}: check its address in the configuration of node {}",
                me.node, self.to, self.from
            ));
        }
        (self.from == me.node)
            .then(|| format!("the caller says it is node {}, which is this one", self.from))
    }
}

pub(crate) fn welcome(me: Identity) -> Frame {
    greeting(Kind::Welcome, Bytes::copy_from_slice(&me.node.to_le_bytes()))
}

pub(crate) fn refuse(why: &str) -> Frame {
    greeting(Kind::Refuse, Bytes::copy_from_slice(why.as_bytes()))
}

/// What the other side answered; the error says why it did not agree.
pub(crate) fn read_welcome(frame: &Frame, to: u64) -> io::Result<()> {
    match frame.kind {
        Kind::Welcome if frame.body[..] == to.to_le_bytes() => Ok(()),
        Kind::Refuse => {
            let why = String::from_utf8_lossy(&frame.body).into_owned();
            Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
        }
        _ => Err(malformed("the answer to a hello must be a welcome or a refusal")),
    }
}

fn greeting(kind: Kind, body: Bytes) -> Frame {
    Frame { kind, group: GroupId(0), call: 0, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Identity = Identity { cluster: 7, node: 2 };

    fn hello() -> Hello {
        Hello { cluster: 7, from: 1, to: 2, purpose: Purpose::Pulse }
    }

    #[test]
    fn a_hello_reads_back_and_is_welcome() {
        let read = Hello::read(&hello().frame()).expect("reads");
        assert_eq!(read, hello());
        assert_eq!(read.objection(ME), None);
        read_welcome(&welcome(ME), 2).expect("welcome");
    }

    #[test]
    fn another_cluster_another_node_and_oneself_are_told_apart() {
        for (wrong, says) in [
            (Hello { cluster: 8, ..hello() }, "belongs to cluster"),
            (Hello { to: 3, ..hello() }, "not node 3"),
            (Hello { from: 2, ..hello() }, "which is this one"),
        ] {
            let why = wrong.objection(ME).expect("refused");
            assert!(why.contains(says), "{why}");
            let error = read_welcome(&refuse(&why), 2).expect_err("refused");
            assert_eq!(error.to_string(), why);
        }
        assert!(read_welcome(&welcome(ME), 9).is_err(), "another node answered");
    }

    #[test]
    fn what_is_no_hello_is_refused() {
        let mut short = hello().frame();
        short.body.truncate(HELLO_BYTES - 1);
        let mut purpose = BytesMut::from(&hello().frame().body[..]);
        purpose[HELLO_BYTES - 1] = 9;
        let unknown = Frame { body: purpose.freeze(), ..hello().frame() };
        for frame in [short, unknown, welcome(ME)] {
            assert!(Hello::read(&frame).is_err());
        }
    }
}
