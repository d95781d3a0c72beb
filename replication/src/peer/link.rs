//! Links: the calling side. One link is the way to one node for one purpose, connected when first needed.
//!
//! It owns the connection and the calls open on it. A failed connection ends every call on it with an
//! error; the next call tries again, after a pause that doubles while attempts fail. It refuses to retry
//! a request: whether that is safe is for the caller to say.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Purpose;
use super::frame::{Frame, Frames, Kind, malformed};
use super::hello::{Hello, Identity, read_welcome};
use crate::GroupId;
use crate::clock;
use crate::limits::{
    FRAMES_QUEUED_MAX, PEER_CONNECT_WAIT_MAX, PEER_RETRY_AFTER_MAX, PEER_RETRY_AFTER_MIN,
};
use crate::member::Member;
use crate::runtime::{self, AbortHandle, Elapsed, Instant, timeout};

/// A connected byte stream, plain or encrypted.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// How bytes reach another node.
pub(crate) trait Dial: Send + Sync + 'static {
    /// Connects to node `to` at `address`.
    fn dial<'a>(&'a self, to: u64, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Io>>>;
}

/// The way to one node for one purpose. Clones share it.
#[derive(Clone)]
pub(crate) struct Link(Arc<Shared>);

struct Shared {
    me: Identity,
    to: u64,
    member: Member,
    purpose: Purpose,
    dial: Arc<dyn Dial>,
    /// Held while connecting, so that one attempt serves all who wait.
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<Arc<Connection>>,
    failures: u32,
    /// Before this instant a further attempt is not worth its cost, and why the last one failed.
    wait: Option<(Instant, String)>,
}

impl Link {
    pub fn new(
        me: Identity,
        (to, member): (u64, &Member),
        purpose: Purpose,
        dial: Arc<dyn Dial>,
    ) -> Self {
        let state = tokio::sync::Mutex::default();
        Self(Arc::new(Shared { me, to, member: member.clone(), purpose, dial, state }))
    }

    pub fn member(&self) -> &Member {
        &self.0.member
    }

    /// The disk of the node that answers; asks it who it is where no connection stands.
    pub async fn disk(&self) -> io::Result<u128> {
        Ok(self.connection().await?.disk)
    }

    /// As [`Self::disk`], also while a pause lasts: for an operator who has just started that node.
    pub async fn disk_now(&self) -> io::Result<u128> {
        self.0.state.lock().await.wait = None;
        self.disk().await
    }

    /// Opens a call. Fails where the node cannot be reached now, at once while a pause lasts.
    pub async fn call(&self, group: GroupId) -> io::Result<Call> {
        Ok(self.connection().await?.open(group))
    }

    async fn connection(&self) -> io::Result<Arc<Connection>> {
        let mut state = self.0.state.lock().await;
        if let Some(live) = state.live.as_ref().filter(|live| live.is_open()) {
            return Ok(live.clone());
        }
        state.live = None;
        if let Some((until, why)) = &state.wait
            && clock::timer_now() < *until
        {
            return Err(io::Error::new(io::ErrorKind::NotConnected, why.clone()));
        }
        match timeout(PEER_CONNECT_WAIT_MAX, self.connect()).await.unwrap_or_else(too_slow) {
            Ok(connection) => {
                tracing::info!(peer = self.0.to, purpose = ?self.0.purpose, "connected");
                *state = State { live: Some(connection.clone()), failures: 0, wait: None };
                Ok(connection)
            }
            Err(error) => {
                let why = format!("node {} at {}: {error}", self.0.to, self.0.member.address);
                if state.failures == 0 {
                    tracing::warn!(purpose = ?self.0.purpose, "cannot reach {why}");
                }
                let pause = PEER_RETRY_AFTER_MIN * 2u32.saturating_pow(state.failures.min(16));
                let until = clock::timer_now() + pause.min(PEER_RETRY_AFTER_MAX);
                state.failures = state.failures.saturating_add(1);
                state.wait = Some((until, why.clone()));
                Err(io::Error::new(error.kind(), why))
            }
        }
    }

    async fn connect(&self) -> io::Result<Arc<Connection>> {
        let Shared { me, to, member, purpose, dial, .. } = &*self.0;
        let io = dial.dial(*to, &member.address).await?;
        let (read, mut write) = tokio::io::split(io);
        let Identity { cluster, node: from, disk } = *me;
        let hello = Hello { cluster, from, disk, to: *to, purpose: *purpose };
        let mut bytes = BytesMut::new();
        hello.frame().put(&mut bytes)?;
        write.write_all(&bytes).await?;
        write.flush().await?;
        let mut frames = Frames::new(read);
        let answer = frames.next().await?;
        let answer = answer.ok_or_else(|| malformed("it closed without a welcome"))?;
        let disk = read_welcome(&answer, *to, member.disk)?;
        Ok(Connection::run(frames, write, disk))
    }
}

fn too_slow<T>(_: Elapsed) -> io::Result<T> {
    let text = format!("no welcome within {} ms", PEER_CONNECT_WAIT_MAX.as_millis());
    Err(io::Error::new(io::ErrorKind::TimedOut, text))
}

impl fmt::Debug for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Link({} at {}, {:?})", self.0.to, self.0.member.address, self.0.purpose)
    }
}

type Answer = io::Result<Bytes>;
type Queued = (Frame, Option<OwnedSemaphorePermit>);

/// A greeted connection and the calls open on it.
struct Connection {
    /// The disk of the node at the other end.
    disk: u128,
    queue: mpsc::UnboundedSender<Queued>,
    /// Permits for requests that wait to be written.
    room: Arc<Semaphore>,
    calls: Mutex<Calls>,
    next: AtomicU32,
    tasks: Mutex<Vec<AbortHandle>>,
}

#[derive(Default)]
struct Calls {
    open: BTreeMap<u32, mpsc::UnboundedSender<Answer>>,
    /// Why the connection ended, once it has.
    ended: Option<String>,
}

impl Connection {
    fn run(
        frames: Frames<impl AsyncRead + Unpin + Send + 'static>,
        write: Half,
        disk: u128,
    ) -> Arc<Self> {
        let (queue, queued) = mpsc::unbounded_channel();
        let connection = Arc::new(Self {
            disk,
            queue,
            room: Arc::new(Semaphore::new(FRAMES_QUEUED_MAX)),
            calls: Mutex::default(),
            next: AtomicU32::new(1),
            tasks: Mutex::default(),
        });
        // Weak: tasks end with the last call and the link that hold the connection.
        let (reader, writer) = (Arc::downgrade(&connection), Arc::downgrade(&connection));
        let end = |connection: std::sync::Weak<Self>, result: io::Result<()>| {
            let why =
                result.err().map_or_else(|| "it closed".to_owned(), |error| error.to_string());
            if let Some(connection) = connection.upgrade() {
                connection.end(&why);
            }
        };
        let read = runtime::spawn(async move {
            let result = route(frames, &reader).await;
            end(reader, result);
        });
        let write = runtime::spawn(async move {
            let result = write_all(queued, write).await;
            end(writer, result);
        });
        connection.tasks.lock().extend([read.abort_handle(), write.abort_handle()]);
        connection
    }

    fn is_open(&self) -> bool {
        self.calls.lock().ended.is_none()
    }

    fn open(self: Arc<Self>, group: GroupId) -> Call {
        let (answer, answers) = mpsc::unbounded_channel();
        // Relaxed: only the number itself must be its own.
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut calls = self.calls.lock();
        if let Some(why) = &calls.ended {
            let _ = answer.send(Err(lost(why)));
        } else {
            calls.open.insert(id, answer);
        }
        drop(calls);
        Call { connection: self, group, id, answers, is_begun: false }
    }

    fn end(&self, why: &str) {
        let mut calls = self.calls.lock();
        calls.ended.get_or_insert_with(|| why.to_owned());
        for (_, answer) in std::mem::take(&mut calls.open) {
            let _ = answer.send(Err(lost(why)));
        }
        // Wakes who waits for room; what they queue is answered already.
        self.room.close();
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.end("it is no longer needed");
    }
}

fn lost(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, format!("the connection was lost: {why}"))
}

type Half = WriteHalf<Box<dyn Io>>;

/// Writes what is queued, as much at once as has gathered.
async fn write_all(mut queued: mpsc::UnboundedReceiver<Queued>, mut to: Half) -> io::Result<()> {
    let (mut batch, mut bytes) = (Vec::new(), BytesMut::new());
    while queued.recv_many(&mut batch, FRAMES_QUEUED_MAX).await > 0 {
        for (frame, permit) in batch.drain(..) {
            frame.put(&mut bytes)?;
            drop(permit);
        }
        to.write_all(&bytes).await?;
        to.flush().await?;
        bytes.clear();
    }
    Ok(())
}

/// Hands each answer to its call, until the connection ends.
async fn route<R: AsyncRead + Unpin>(
    mut frames: Frames<R>,
    connection: &std::sync::Weak<Connection>,
) -> io::Result<()> {
    while let Some(frame) = frames.next().await? {
        let Some(connection) = connection.upgrade() else { return Ok(()) };
        let mut calls = connection.calls.lock();
        // An answer to a call that was dropped meanwhile has nobody to go to.
        match frame.kind {
            Kind::Answer => {
                if let Some(call) = calls.open.get(&frame.call) {
                    let _ = call.send(Ok(frame.body));
                }
            }
            Kind::Failed => {
                if let Some(call) = calls.open.remove(&frame.call) {
                    let why = String::from_utf8_lossy(&frame.body).into_owned();
                    let _ = call.send(Err(io::Error::other(why)));
                }
            }
            Kind::End => drop(calls.open.remove(&frame.call)),
            _ => return Err(malformed("a frame that only a caller sends")),
        }
    }
    Ok(())
}

/// One call: requests out, answers in, in order. Dropping it ends it on both sides.
pub(crate) struct Call {
    connection: Arc<Connection>,
    group: GroupId,
    id: u32,
    answers: mpsc::UnboundedReceiver<Answer>,
    is_begun: bool,
}

impl Call {
    /// Sends a request once there is room on the connection. Where the connection has ended nothing is
    /// sent, and [`Call::answer`] says so.
    pub async fn request(&mut self, body: Bytes) {
        let Ok(permit) = self.connection.room.clone().acquire_owned().await else { return };
        let kind = if self.is_begun { Kind::Request } else { Kind::Open };
        self.is_begun = true;
        let frame = Frame { kind, group: self.group, call: self.id, body };
        let _ = self.connection.queue.send((frame, Some(permit)));
    }

    /// The next answer; `None` where the other side ended the call in order. Safe to drop and call again.
    pub async fn answer(&mut self) -> Option<Answer> {
        self.answers.recv().await
    }

    /// One request, one answer.
    pub async fn ask(mut self, body: Bytes) -> Answer {
        self.request(body).await;
        let ended = || Err(malformed("the call ended without its answer"));
        self.answer().await.unwrap_or_else(ended)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut calls = self.connection.calls.lock();
        if calls.open.remove(&self.id).is_some() && self.is_begun {
            let (group, call) = (self.group, self.id);
            let end = Frame { kind: Kind::End, group, call, body: Bytes::new() };
            let _ = self.connection.queue.send((end, None));
        }
    }
}
