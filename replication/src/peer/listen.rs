//! Listening: the answering side. Greets callers and hands each call to a handler.
//!
//! It owns the accepted connections and their bounds. A caller that breaks the protocol loses its
//! connection and nothing else; a handler that ends a call with an error says so to that call alone.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::Purpose;
use super::frame::{Frame, Frames, Kind, malformed};
use super::hello::{self, Hello, Identity};
use super::link::Io;
use super::tls::is_for;
use crate::GroupId;
use crate::limits::{
    CALLS_OPEN_MAX, FRAMES_QUEUED_MAX, PEER_CONNECT_WAIT_MAX, REQUESTS_IN_FLIGHT_MAX,
};
use crate::runtime::{JoinSet, timeout};

/// Who calls, for which group, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub node: u64,
    pub group: GroupId,
    pub purpose: Purpose,
}

/// What answers calls.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The disk with which `node` is a member, as far as this node knows.
    fn disk_of(&self, node: u64) -> u128;

    /// Answers the requests of one call, in order. The call ends with the future; its error is told to
    /// the caller.
    fn handle(&self, caller: Caller, call: Incoming) -> BoxFuture<'static, Result<(), String>>;
}

/// The answering end of a call.
pub(crate) struct Incoming {
    /// Ends where the caller sends no more.
    pub requests: mpsc::Receiver<Bytes>,
    pub answers: Answers,
}

/// Where answers go.
#[derive(Clone)]
pub(crate) struct Answers {
    queue: mpsc::Sender<Frame>,
    group: GroupId,
    call: u32,
}

impl Answers {
    /// Queues an answer, once there is room on the connection; false where that has ended.
    pub async fn send(&self, body: Bytes) -> bool {
        self.put(Kind::Answer, body).await
    }

    async fn put(&self, kind: Kind, body: Bytes) -> bool {
        let frame = Frame { kind, group: self.group, call: self.call, body };
        self.queue.send(frame).await.is_ok()
    }
}

/// A connection that was accepted, and what the caller showed of itself.
pub(crate) struct Accepted {
    pub io: Box<dyn Io>,
    /// Its checked certificate; `None` where the connection is not encrypted.
    pub certificate: Option<CertificateDer<'static>>,
}

/// Greets a caller and answers its calls until either side ends the connection.
pub(crate) async fn serve(
    accepted: Accepted,
    me: Identity,
    handler: Arc<dyn Handler>,
) -> io::Result<()> {
    let Accepted { io, certificate } = accepted;
    let objects = |hello: &Hello| {
        let proven = certificate.as_ref().is_none_or(|shown| is_for(shown, hello.from));
        let unproven = || format!("the certificate shown is not node {}'s", hello.from);
        let meant = handler.disk_of(hello.from);
        // Who it is comes before what it has: a stranger learns nothing about members.
        (!proven).then(unproven).or_else(|| hello.objection(me, meant))
    };
    let (read, write) = tokio::io::split(io);
    let (mut frames, mut write) = (Frames::new(read), write);
    let greeted =
        timeout(PEER_CONNECT_WAIT_MAX, greet(&mut frames, &mut write, (me, objects))).await;
    let slow = |_| Err(io::Error::new(io::ErrorKind::TimedOut, "the caller said no hello"));
    let hello = greeted.unwrap_or_else(slow)?;
    let (queue, queued) = mpsc::channel(FRAMES_QUEUED_MAX);
    // All that runs for the connection is in here, and ends with it.
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { write_all(queued, write).await.map(|()| None) });
    let result = dispatch(frames, hello, &handler, (queue, &mut tasks)).await;
    tasks.shutdown().await;
    result
}

async fn greet<R, W>(
    frames: &mut Frames<R>,
    write: &mut W,
    (me, objects): (Identity, impl Fn(&Hello) -> Option<String>),
) -> io::Result<Hello>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let read = match frames.next().await {
        Ok(Some(first)) => Hello::read(&first),
        Ok(None) => return Err(malformed("the caller closed at once")),
        Err(error) => Err(error),
    };
    let hello = match read {
        Ok(hello) => hello,
        Err(error) => {
            // One that speaks another version of the frames cannot read this, but its operator can.
            let _ = say(write, &hello::refuse(&error.to_string())).await;
            return Err(error);
        }
    };
    match objects(&hello) {
        None => say(write, &hello::welcome(me)).await.map(|()| hello),
        Some(why) => {
            say(write, &hello::refuse(&why)).await?;
            Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
        }
    }
}

async fn say<W: AsyncWrite + Unpin>(write: &mut W, frame: &Frame) -> io::Result<()> {
    let mut bytes = BytesMut::new();
    frame.put(&mut bytes)?;
    write.write_all(&bytes).await?;
    write.flush().await
}

type Reading = Frames<ReadHalf<Box<dyn Io>>>;

async fn dispatch(
    mut frames: Reading,
    hello: Hello,
    handler: &Arc<dyn Handler>,
    (queue, tasks): (mpsc::Sender<Frame>, &mut JoinSet<Ended>),
) -> io::Result<()> {
    let mut open: BTreeMap<u32, mpsc::Sender<Bytes>> = BTreeMap::new();
    loop {
        let frame = tokio::select! {
            biased;
            // First, since it cannot go on: each call ends once.
            Some(ended) = tasks.join_next() => {
                // The writer's error, or a handler's panic, ends the connection.
                if let Some(call) = ended.map_err(io::Error::other)?? {
                    open.remove(&call);
                }
                continue;
            }
            frame = frames.next() => frame?,
        };
        let Some(Frame { kind, group, call, body }) = frame else { return Ok(()) };
        match kind {
            Kind::End => drop(open.remove(&call)),
            Kind::Open => {
                if open.len() >= CALLS_OPEN_MAX {
                    return Err(malformed("too many calls open on one connection"));
                }
                let (requests, incoming) = mpsc::channel(REQUESTS_IN_FLIGHT_MAX);
                let caller = Caller { node: hello.from, group, purpose: hello.purpose };
                let answers = Answers { queue: queue.clone(), group, call };
                let incoming = Incoming { requests: incoming, answers: answers.clone() };
                tasks.spawn(run(handler.handle(caller, incoming), answers));
                let _ = requests.try_send(body);
                if open.insert(call, requests).is_some() {
                    return Err(malformed("a call was opened twice"));
                }
            }
            Kind::Request => {
                if let Some(requests) = open.get(&call) {
                    // An honest caller has fewer in flight than there is room for: this does not wait.
                    let _ = requests.send(body).await;
                }
            }
            _ => return Err(malformed("a frame that only the answering side sends")),
        }
    }
}

type Ended = io::Result<Option<u32>>;

/// A call to its end, and its number.
async fn run(handled: BoxFuture<'static, Result<(), String>>, answers: Answers) -> Ended {
    let (kind, body) = match handled.await {
        Ok(()) => (Kind::End, Bytes::new()),
        Err(why) => (Kind::Failed, Bytes::from(why)),
    };
    let _ = answers.put(kind, body).await;
    Ok(Some(answers.call))
}

async fn write_all(
    mut queued: mpsc::Receiver<Frame>,
    mut to: WriteHalf<Box<dyn Io>>,
) -> io::Result<()> {
    let (mut batch, mut bytes) = (Vec::new(), BytesMut::new());
    while queued.recv_many(&mut batch, FRAMES_QUEUED_MAX).await > 0 {
        for frame in batch.drain(..) {
            frame.put(&mut bytes)?;
        }
        to.write_all(&bytes).await?;
        to.flush().await?;
        bytes.clear();
    }
    Ok(())
}
