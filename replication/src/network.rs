//! The way to other nodes and from them.
//!
//! It owns Raft's view of the network and what nodes ask each other besides. A node that is alone has
//! nobody to reach: every peer is unreachable.

pub(crate) mod answer;
pub(crate) mod ask;
pub(crate) mod peers;
pub(crate) mod snapshots;

use std::io;

use futures_util::future::BoxFuture;

use crate::peer::link::{Dial, Io};

/// A node that runs alone.
#[derive(Debug)]
pub(crate) struct Alone;

impl Dial for Alone {
    fn dial<'a>(&'a self, to: u64, _: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Io>>> {
        let text = format!("node {to} cannot be reached: this node runs alone");
        Box::pin(async { Err(io::Error::new(io::ErrorKind::NotConnected, text)) })
    }
}
