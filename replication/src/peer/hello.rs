//! The handshake: who calls, whom it means to call, in which cluster, and what for.
//!
//! ```text
//! hello   | cluster u128 | from u64 | disk u128 | to u64 | purpose u8 |   the caller's first frame
//! welcome | from u64 | disk u128 |                                        the other side agrees
//! refuse  | UTF-8 text |                                                  and why; the connection ends
//! ```
//!
//! **Invariant**: a node answers only to its own cluster, its own id, and members on the disks they became
//! members with, so that a mixed-up address, a second process under one id, or a wiped machine is told
//! apart from the node that was meant.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::Purpose;
use super::frame::{Frame, Kind, malformed};
use crate::GroupId;
use crate::member::is_meant;

const HELLO_BYTES: usize = 16 + 8 + 16 + 8 + 1;
const WELCOME_BYTES: usize = 8 + 16;

/// Who this node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub cluster: u128,
    pub node: u64,
    pub disk: u128,
}

/// What a caller says first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hello {
    pub cluster: u128,
    pub from: u64,
    pub disk: u128,
    pub to: u64,
    pub purpose: Purpose,
}

impl Hello {
    pub fn frame(&self) -> Frame {
        let mut body = BytesMut::with_capacity(HELLO_BYTES);
        body.put_u128_le(self.cluster);
        body.put_u64_le(self.from);
        body.put_u128_le(self.disk);
        body.put_u64_le(self.to);
        body.put_u8(self.purpose as u8);
        greeting(Kind::Hello, body.freeze())
    }

    pub fn read(frame: &Frame) -> io::Result<Self> {
        let mut body = frame.body.clone();
        if frame.kind != Kind::Hello || body.len() != HELLO_BYTES {
            return Err(malformed("a connection must begin with a hello"));
        }
        let (cluster, from) = (body.get_u128_le(), body.get_u64_le());
        let (disk, to) = (body.get_u128_le(), body.get_u64_le());
        let purpose = Purpose::from_byte(body.get_u8());
        let purpose =
            purpose.ok_or_else(|| malformed("a connection for a purpose unknown here"))?;
        Ok(Self { cluster, from, disk, to, purpose })
    }

    /// Why this node does not answer to such a hello, where it does not. `meant` is the disk with which the
    /// caller is a member, as far as this node knows.
    pub fn objection(&self, me: Identity, meant: u128) -> Option<String> {
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
        if self.from == me.node {
            return Some(format!("the caller says it is node {}, which is this one", self.from));
        }
        (!is_meant(meant, self.disk)).then(|| other_disk(self.from))
    }
}

/// What is said of a node that is not on the disk it became a member with.
fn other_disk(node: u64) -> String {
    format!(
        "node {node} of this cluster has another disk: what it acknowledged is not on this one. A \
         machine that was wiped joins again under a new id, once node {node} was removed"
    )
}

pub(crate) fn welcome(me: Identity) -> Frame {
    let mut body = BytesMut::with_capacity(WELCOME_BYTES);
    body.put_u64_le(me.node);
    body.put_u128_le(me.disk);
    greeting(Kind::Welcome, body.freeze())
}

pub(crate) fn refuse(why: &str) -> Frame {
    greeting(Kind::Refuse, Bytes::copy_from_slice(why.as_bytes()))
}

/// The disk of the node that answered; the error says why it did not agree, or is not the one meant.
pub(crate) fn read_welcome(frame: &Frame, to: u64, meant: u128) -> io::Result<u128> {
    match frame.kind {
        Kind::Welcome if frame.body.len() == WELCOME_BYTES => {
            let mut body = frame.body.clone();
            let (node, disk) = (body.get_u64_le(), body.get_u128_le());
            if node != to {
                return Err(malformed("another node answered"));
            }
            if !is_meant(meant, disk) {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, other_disk(node)));
            }
            Ok(disk)
        }
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
    use crate::member::ANY_DISK;

    const ME: Identity = Identity { cluster: 7, node: 2, disk: 20 };

    fn hello() -> Hello {
        Hello { cluster: 7, from: 1, disk: 10, to: 2, purpose: Purpose::Pulse }
    }

    #[test]
    fn a_hello_reads_back_and_is_welcome() {
        let read = Hello::read(&hello().frame()).expect("reads");
        assert_eq!(read, hello());
        for meant in [ANY_DISK, 10] {
            assert_eq!(read.objection(ME, meant), None);
        }
        for meant in [ANY_DISK, 20] {
            assert_eq!(read_welcome(&welcome(ME), 2, meant).expect("welcome"), 20);
        }
    }

    #[test]
    fn another_cluster_another_node_oneself_and_another_disk_are_told_apart() {
        for (wrong, says) in [
            (Hello { cluster: 8, ..hello() }, "belongs to cluster"),
            (Hello { to: 3, ..hello() }, "not node 3"),
            (Hello { from: 2, ..hello() }, "which is this one"),
            (Hello { disk: 11, ..hello() }, "has another disk"),
        ] {
            let why = wrong.objection(ME, 10).expect("refused");
            assert!(why.contains(says), "{why}");
            let error = read_welcome(&refuse(&why), 2, ANY_DISK).expect_err("refused");
            assert_eq!(error.to_string(), why);
        }
        assert!(read_welcome(&welcome(ME), 9, ANY_DISK).is_err(), "another node answered");
        let wiped = read_welcome(&welcome(ME), 2, 21).expect_err("refused").to_string();
        assert!(wiped.contains("node 2 of this cluster has another disk"), "{wiped}");
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
