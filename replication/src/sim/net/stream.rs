//! One connection: two ways of bytes, each with what is on its way.
//!
//! It owns delay, order and end of a stream's bytes.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use openraft_rt_sim::SimSleep;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use xxhash_rust::xxh3::xxh3_64;

use crate::sim::runtime::{self, Instant, Life};
use crate::sim::world::world;

#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub from: u64,
    pub to: u64,
}

#[derive(Debug)]
enum Cargo {
    Bytes(Bytes),
    /// The writer closed in order.
    End,
    Reset,
}

/// Bytes in one direction.
pub(crate) struct Pipe {
    way: Way,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    under_way: VecDeque<(Instant, Cargo)>,
    reader: Option<Waker>,
    /// Nobody reads any more.
    reader_gone: bool,
}

impl Pipe {
    pub fn new(way: Way) -> Arc<Self> {
        Arc::new(Self { way, state: Mutex::default() })
    }

    pub fn wake(&self) {
        let waker = self.state.lock().reader.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn send(&self, cargo: Cargo) {
        let due = Instant::now() + world().net.delay();
        let mut state = self.state.lock();
        let due = state.under_way.back().map_or(due, |(last, _)| due.max(*last));
        state.under_way.push_back((due, cargo));
        drop(state);
        self.wake();
    }

    /// The reading end fails now, whatever is still under way to it.
    pub fn reset_reader(&self) {
        let mut state = self.state.lock();
        state.under_way.clear();
        state.under_way.push_back((Instant::now(), Cargo::Reset));
        drop(state);
        self.wake();
    }
}

/// The twin of tokio's TCP stream.
pub(crate) struct TcpStream {
    input: Arc<Pipe>,
    output: Arc<Pipe>,
    timer: Option<SimSleep>,
    ended: bool,
}

impl TcpStream {
    pub(super) fn new(input: Arc<Pipe>, output: Arc<Pipe>) -> Self {
        Self { input, output, timer: None, ended: false }
    }

    /// What has arrived, or when to look again.
    fn arrived(&mut self, context: &mut Context<'_>, most: usize) -> Poll<Option<Cargo>> {
        let Way { from, to } = self.input.way;
        let mut state = self.input.state.lock();
        state.reader = Some(context.waker().clone());
        let Some((due, _)) = state.under_way.front() else { return Poll::Pending };
        let due = *due;
        if due > Instant::now() {
            drop(state);
            let wait = due.since_start().saturating_sub(Instant::now().since_start());
            let timer = self.timer.insert(runtime::sleep(wait));
            // It is only made when it is not due yet.
            let _ = Pin::new(timer).poll(context);
            return Poll::Pending;
        }
        // The end that failed here needs no network to be told.
        let is_reset = matches!(state.under_way.front(), Some((_, Cargo::Reset)));
        if !is_reset && world().net.is_cut(from, to) {
            return Poll::Pending;
        }
        let Some((due, cargo)) = state.under_way.pop_front() else { return Poll::Pending };
        let cargo = match cargo {
            Cargo::Bytes(mut bytes) if bytes.len() > most => {
                let taken = bytes.split_to(most);
                state.under_way.push_front((due, Cargo::Bytes(bytes)));
                Cargo::Bytes(taken)
            }
            cargo => cargo,
        };
        Poll::Ready(Some(cargo))
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(Ok(()));
        }
        let Poll::Ready(cargo) = this.arrived(context, into.remaining()) else {
            return Poll::Pending;
        };
        let Way { from, to } = this.input.way;
        match cargo {
            Some(Cargo::Bytes(bytes)) => {
                let sum = xxh3_64(&bytes);
                world().note(format_args!("{from}>{to} {} bytes {sum:016x}", bytes.len()));
                into.put_slice(bytes.chunk());
                Poll::Ready(Ok(()))
            }
            Some(Cargo::Reset) => {
                this.ended = true;
                world().note(format_args!("{from}>{to} reset"));
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            Some(Cargo::End) | None => {
                this.ended = true;
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let to = self.output.way.to;
        if self.output.state.lock().reader_gone {
            // A machine that is up and knows nothing of this connection says so; one that is down does not.
            if world().net.is_up(to) {
                self.input.send(Cargo::Reset);
            }
        } else {
            self.output.send(Cargo::Bytes(Bytes::copy_from_slice(bytes)));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.send(Cargo::End);
        Poll::Ready(Ok(()))
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        self.input.state.lock().reader_gone = true;
        // A machine without power closes nothing.
        if !Life::current().is_some_and(|life| life.is_silent()) {
            self.output.send(Cargo::End);
        }
    }
}
