//! Results on their way to the client: bounded in bytes, so that a client that sends its whole
//! request before it reads the first result still gets through for any usual length.
//!
//! **Invariant:** a client that never reads holds a bounded amount of memory for a bounded time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::IDLE;
use crate::limits::ARI_REPLY_BYTES_MAX;

type Waiting = (Bytes, OwnedSemaphorePermit);

/// The sending half.
pub struct Replies {
    sender: mpsc::UnboundedSender<Waiting>,
    room: Arc<Semaphore>,
    bytes_max: usize,
    patience: Duration,
}

/// Nobody reads any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// The sending half and the reply's body.
pub fn channel() -> (Replies, Body) {
    bounded(ARI_REPLY_BYTES_MAX, IDLE)
}

fn bounded(bytes_max: usize, patience: Duration) -> (Replies, Body) {
    let (sender, receiver) = mpsc::unbounded_channel::<Waiting>();
    let body = Body::from_stream(stream::unfold(receiver, async |mut receiver| {
        // The room is given back once hyper asks for the next piece.
        let (bytes, _room) = receiver.recv().await?;
        Some((Ok::<_, Infallible>(bytes), receiver))
    }));
    let room = Arc::new(Semaphore::new(bytes_max));
    (Replies { sender, room, bytes_max, patience }, body)
}

impl Replies {
    /// Queues `bytes`, waiting for room where the client is slow.
    pub async fn send(&self, bytes: Vec<u8>) -> Result<(), Gone> {
        let length = bytes.len().min(self.bytes_max);
        let length = u32::try_from(length).map_err(|_| Gone)?;
        let room = tokio::select! {
            room = Arc::clone(&self.room).acquire_many_owned(length) => room.map_err(|_| Gone)?,
            () = self.sender.closed() => return Err(Gone),
            () = tokio::time::sleep(self.patience) => return Err(Gone),
        };
        self.sender.send((bytes.into(), room)).map_err(|_| Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_reader_that_never_reads_is_given_up_and_one_that_does_gets_all() {
        let (replies, mut body) = bounded(8, Duration::ZERO);
        replies.send(vec![b'x'; 4]).await.unwrap();
        replies.send(vec![b'x'; 4]).await.unwrap();
        assert_eq!(replies.send(vec![b'x']).await, Err(Gone));
        body.frame().await.unwrap().unwrap();
        replies.send(vec![b'x'; 4]).await.unwrap();
        drop(body);
        assert_eq!(replies.send(vec![b'x']).await, Err(Gone));
    }

    #[tokio::test]
    async fn a_reply_longer_than_the_bound_goes_through_alone() {
        let (replies, mut body) = bounded(8, Duration::ZERO);
        replies.send(vec![b'x'; 100]).await.unwrap();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), 100);
    }
}
