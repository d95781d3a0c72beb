//! Both sides of a connection, over pipes in memory.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, mpsc};

use super::Purpose;
use super::hello::Identity;
use super::link::{Dial, Io, Link};
use super::listen::{Accepted, Caller, Handler, Incoming, serve};
use crate::GroupId;
use crate::limits::REQUESTS_IN_FLIGHT_MAX;
use crate::member::{ANY_DISK, Member};

const ONE: Identity = Identity { cluster: 7, node: 1, disk: 10 };
const TWO: Identity = Identity { cluster: 7, node: 2, disk: 20 };
const GROUP: GroupId = GroupId(3);

/// Connects to a handler in this process, as node two.
struct Pipe {
    answers_as: Identity,
    handler: Arc<dyn Handler>,
    dialled: AtomicU32,
    /// Each connection ends when this is notified.
    cut: Arc<Notify>,
}

impl Dial for Pipe {
    fn dial<'a>(&'a self, _to: u64, _address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Io>>> {
        self.dialled.fetch_add(1, Ordering::Relaxed);
        let (here, there) = tokio::io::duplex(1_000);
        let (me, handler, cut) = (self.answers_as, self.handler.clone(), self.cut.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = serve(Accepted { io: Box::new(there), certificate: None }, me, handler) => {}
                () = cut.notified() => {}
            }
        });
        Box::pin(async move { Ok(Box::new(here) as Box<dyn Io>) })
    }
}

fn link(answers_as: Identity, handler: impl Handler) -> (Link, Arc<Pipe>) {
    let handler = Arc::new(handler);
    let (dialled, cut) = (AtomicU32::new(0), Arc::default());
    let pipe = Arc::new(Pipe { answers_as, handler, dialled, cut });
    (
        Link::new(
            ONE,
            (2, &Member { address: "pipe".into(), disk: 20 }),
            Purpose::Entries,
            pipe.clone(),
        ),
        pipe,
    )
}

/// Answers each request with itself, until one says `fail`.
struct Echo;

impl Handler for Echo {
    fn disk_of(&self, _: u64) -> u128 {
        ANY_DISK
    }

    fn handle(&self, caller: Caller, call: Incoming) -> BoxFuture<'static, Result<(), String>> {
        assert_eq!(caller, Caller { node: 1, group: GROUP, purpose: Purpose::Entries });
        Box::pin(async move {
            let Incoming { mut requests, answers } = call;
            while let Some(body) = requests.recv().await {
                if body == "fail" {
                    return Err("asked to".to_owned());
                }
                answers.send(body).await;
            }
            Ok(())
        })
    }
}

#[tokio::test]
async fn calls_share_a_connection_and_get_their_own_answers() {
    let (link, pipe) = link(TWO, Echo);
    let asked = (0..1_000u32).map(|number| {
        let link = link.clone();
        async move {
            let body = Bytes::from(number.to_le_bytes().repeat(50));
            let answer = link.call(GROUP).await.expect("connects").ask(body.clone()).await;
            assert_eq!(answer.expect("answered"), body);
        }
    });
    futures_util::future::join_all(asked).await;
    assert_eq!(pipe.dialled.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn requests_of_one_call_are_answered_in_order_while_more_are_sent() {
    let (link, _pipe) = link(TWO, Echo);
    let mut call = link.call(GROUP).await.expect("connects");
    let (mut sent, mut answered) = (0u32, 0u32);
    while answered < 10_000 {
        while sent < 10_000
            && sent - answered < u32::try_from(REQUESTS_IN_FLIGHT_MAX).expect("fits")
        {
            call.request(Bytes::copy_from_slice(&sent.to_le_bytes())).await;
            sent += 1;
        }
        let answer = call.answer().await.expect("goes on").expect("answered");
        assert_eq!(&answer[..], answered.to_le_bytes());
        answered += 1;
    }
}

#[tokio::test]
async fn a_call_that_fails_says_why_and_others_go_on() {
    let (link, _pipe) = link(TWO, Echo);
    let mut other = link.call(GROUP).await.expect("connects");
    let mut call = link.call(GROUP).await.expect("connects");
    call.request(Bytes::from_static(b"fail")).await;
    // Already under way when the call fails: dropped there, and no new call.
    call.request(Bytes::from_static(b"late")).await;
    let error = call.answer().await.expect("an answer").expect_err("failed");
    assert_eq!(error.to_string(), "asked to");
    assert!(call.answer().await.is_none());
    other.request(Bytes::from_static(b"hi")).await;
    assert_eq!(other.answer().await.expect("goes on").expect("answered"), "hi");
}

#[tokio::test]
async fn a_lost_connection_ends_its_calls_and_the_next_call_connects_anew() {
    let (link, pipe) = link(TWO, Echo);
    let mut call = link.call(GROUP).await.expect("connects");
    call.request(Bytes::from_static(b"hi")).await;
    assert!(call.answer().await.expect("an answer").is_ok());
    pipe.cut.notify_waiters();
    assert!(call.answer().await.expect("an answer").is_err());
    call.request(Bytes::from_static(b"into the void")).await;
    let again = link.call(GROUP).await.expect("connects").ask(Bytes::from_static(b"hi")).await;
    assert_eq!(again.expect("answered"), "hi");
    assert_eq!(pipe.dialled.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_node_of_another_cluster_is_refused_and_attempts_are_paced() {
    let (link, pipe) = link(Identity { cluster: 8, node: 2, disk: 20 }, Echo);
    let why = link.call(GROUP).await.map(drop).expect_err("refused").to_string();
    assert!(why.contains("belongs to cluster"), "{why}");
    for _ in 0..100 {
        assert_eq!(link.call(GROUP).await.map(drop).expect_err("refused").to_string(), why);
    }
    assert_eq!(pipe.dialled.load(Ordering::Relaxed), 1, "a pause is not worn out by asking");
    tokio::time::advance(crate::limits::PEER_RETRY_AFTER_MAX).await;
    assert!(link.call(GROUP).await.is_err());
    assert_eq!(pipe.dialled.load(Ordering::Relaxed), 2);
}

/// Tells when a call's requests have ended.
struct Ends(mpsc::UnboundedSender<()>);

impl Handler for Ends {
    fn disk_of(&self, _: u64) -> u128 {
        ANY_DISK
    }

    fn handle(&self, _: Caller, mut call: Incoming) -> BoxFuture<'static, Result<(), String>> {
        let ended = self.0.clone();
        Box::pin(async move {
            while call.requests.recv().await.is_some() {}
            let _ = ended.send(());
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_on_the_other_side_too() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let (link, _pipe) = link(TWO, Ends(ended));
    let mut call = link.call(GROUP).await.expect("connects");
    call.request(Bytes::from_static(b"hi")).await;
    drop(call);
    ends.recv().await.expect("ended");
}
