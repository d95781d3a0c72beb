//! A request whose lines go up while the reply's lines come down.
//!
//! Owns the framing by newline. Invariant: memory is bounded both ways: [`CHUNKS_MAX`] chunks on
//! the way up (a slow server makes `send` wait), one line and one network read on the way down.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;

use super::body::Body;
use super::{Client, Error, Request, causes};

/// Chunks taken before the network has sent them.
const CHUNKS_MAX: usize = 16;

/// The way up. Dropping it ends the request's body.
#[derive(Debug)]
pub struct Upload {
    chunks: mpsc::Sender<Bytes>,
}

impl Upload {
    /// Sends a chunk of whole or partial lines; waits while the server is slow. An error means that
    /// the server has stopped reading: [`Download::next_line`] says why.
    pub async fn send(&self, chunk: impl Into<Bytes>) -> Result<(), Error> {
        self.chunks
            .send(chunk.into())
            .await
            .map_err(|_| Error::Broken("the server stopped reading the stream".to_owned()))
    }

    /// Ends the body.
    pub fn finish(self) {}
}

/// The way down.
#[derive(Debug)]
pub struct Download {
    client: Client,
    body: Source,
    buffer: BytesMut,
    /// Bytes at the start of `buffer` known to hold no newline.
    searched: usize,
    _slot: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Source {
    /// The reply's head has not come yet; the task drives the request meanwhile.
    Opening(JoinHandle<Result<http::Response<Incoming>, Error>>),
    Reading(Incoming),
    Ended,
}

pub(super) fn open(
    client: Client,
    request: Request,
    slot: OwnedSemaphorePermit,
) -> (Upload, Download) {
    let (to_body, chunks) = mpsc::channel(CHUNKS_MAX);
    let opener = client.clone();
    let opening = tokio::spawn(async move { opener.open(&request, Body::Chunks(chunks)).await });
    let body = Source::Opening(opening);
    let download = Download { client, body, buffer: BytesMut::new(), searched: 0, _slot: slot };
    (Upload { chunks: to_body }, download)
}

impl Download {
    /// The next line without its newline; `None` after the last. A reply that is no success is an
    /// error.
    pub async fn next_line(&mut self) -> Result<Option<Bytes>, Error> {
        let wait = self.client.limits.request;
        match tokio::time::timeout(wait, self.read_line()).await {
            Ok(line) => line,
            Err(_) => Err(Error::Timeout(wait)),
        }
    }

    /// The next line as JSON.
    pub async fn next_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        let Some(line) = self.next_line().await? else { return Ok(None) };
        serde_json::from_slice(&line).map(Some).map_err(|error| {
            let start: String = String::from_utf8_lossy(&line).chars().take(120).collect();
            Error::Json(format!("{error} in {start:?}"))
        })
    }

    async fn read_line(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(line) = self.line_in_buffer() {
                return Ok(Some(line));
            }
            if self.buffer.len() > self.client.limits.line_bytes_max {
                return Err(Error::TooLong(self.client.limits.line_bytes_max));
            }
            match &mut self.body {
                Source::Opening(task) => {
                    let opened = task.await.map_err(|error| Error::Broken(error.to_string()))??;
                    self.body = self.accepted(opened).await?;
                }
                Source::Reading(incoming) => match incoming.frame().await {
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            self.buffer.extend_from_slice(&data);
                        }
                    }
                    Some(Err(error)) => return Err(Error::Broken(causes(&error))),
                    None => self.body = Source::Ended,
                },
                Source::Ended => return Ok(self.rest()),
            }
        }
    }

    async fn accepted(&self, response: http::Response<Incoming>) -> Result<Source, Error> {
        if response.status().is_success() {
            return Ok(Source::Reading(response.into_body()));
        }
        Err(self.client.read_whole(response).await?.refusal())
    }

    fn line_in_buffer(&mut self) -> Option<Bytes> {
        let unsearched = self.buffer.get(self.searched..)?;
        let Some(offset) = unsearched.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let mut line = self.buffer.split_to(self.searched + offset + 1);
        self.searched = 0;
        line.truncate(line.len() - 1);
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        Some(line.freeze())
    }

    /// A last line without a newline.
    fn rest(&mut self) -> Option<Bytes> {
        self.searched = 0;
        let rest = self.buffer.split();
        (!rest.is_empty()).then(|| rest.freeze())
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        // Whoever no longer listens has given the stream up: close the connection rather than feed
        // it.
        if let Source::Opening(task) = &self.body {
            task.abort();
        }
    }
}
