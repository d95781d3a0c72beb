//! From a body to lines: bounded, each numbered, the cut last one never passed on.

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use tokio::sync::mpsc;

use super::IDLE;
use super::inflate::{Encoding, Inflate};
use crate::limits::{ARI_INFLATE_STEP_BYTES, ARI_LINE_BYTES_MAX, ARI_STREAM_BYTES_MAX};

/// What the applier gets to see of the stream, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// A whole line without its line feed; never empty.
    Line { number: u64, bytes: Vec<u8> },
    /// A line past the bound; its text is gone.
    TooLong { number: u64 },
    /// The request was cut within this line.
    Partial { number: u64 },
    /// The request was read to its end.
    End,
    /// It could not be: what the client is told.
    Broken { code: &'static str, detail: String },
}

/// Reads a body into [`Input`].
pub struct LineReader {
    body: Body,
    inflate: Inflate,
    compressed: bool,
    /// A frame read ahead of [`LineReader::run`].
    first: Option<Frame>,
    /// The line that has not ended yet.
    rest: Vec<u8>,
    /// Its beginning was thrown away already.
    skipping: bool,
    number: u64,
    bytes: u64,
}

enum Frame {
    Data(Bytes),
    End,
    Broken(&'static str, String),
}

impl LineReader {
    pub fn new(body: Body, encoding: Encoding) -> Self {
        Self {
            body,
            inflate: Inflate::new(encoding),
            compressed: encoding != Encoding::Identity,
            first: None,
            rest: Vec::new(),
            skipping: false,
            number: 0,
            bytes: 0,
        }
    }

    /// Reads the first frame ahead.
    pub async fn fill(&mut self) {
        let frame = self.frame().await;
        self.first = Some(frame);
    }

    /// Sends lines until the body ends or nobody wants them any more; the latter reads on for a
    /// while, since a client that is still sending would otherwise lose the reply.
    pub async fn run(mut self, sender: mpsc::Sender<Input>) {
        let mut out = Vec::new();
        loop {
            let frame = match self.first.take() {
                Some(frame) => frame,
                None => self.frame().await,
            };
            let sent = match frame {
                Frame::Data(bytes) => self.take(&bytes, &mut out, &sender).await,
                Frame::End => return self.end(&mut out, &sender).await,
                Frame::Broken(code, detail) => {
                    self.cut(&sender).await;
                    // Nobody left to tell is as good as told.
                    let _ = sender.send(Input::Broken { code, detail }).await;
                    return;
                }
            };
            if sent.is_err() {
                return self.drain().await;
            }
        }
    }

    async fn frame(&mut self) -> Frame {
        loop {
            return match tokio::time::timeout(IDLE, self.body.frame()).await {
                Err(_) => Frame::Broken("ari.idle", "Nothing came for too long.".to_owned()),
                Ok(None) => Frame::End,
                Ok(Some(Err(_))) => {
                    Frame::Broken("request.cut", "The request was cut short.".to_owned())
                }
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => Frame::Data(bytes),
                    // Trailers say nothing to us.
                    Err(_) => continue,
                },
            };
        }
    }

    async fn take(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        sender: &mpsc::Sender<Input>,
    ) -> Result<(), ()> {
        let step = if self.compressed { ARI_INFLATE_STEP_BYTES } else { bytes.len().max(1) };
        for step in bytes.chunks(step) {
            out.clear();
            if self.inflate.push(step, out).is_err() {
                return self.broken("ari.gzip", "The gzip data is damaged.", sender).await;
            }
            self.bytes += out.len() as u64;
            if self.bytes > ARI_STREAM_BYTES_MAX {
                let detail = format!("The stream is longer than {ARI_STREAM_BYTES_MAX} bytes.");
                return self.broken("request.too_large", &detail, sender).await;
            }
            self.split(out, sender).await?;
        }
        Ok(())
    }

    /// Cuts `text` into lines and sends the whole ones.
    async fn split(&mut self, text: &[u8], sender: &mpsc::Sender<Input>) -> Result<(), ()> {
        let mut pieces = text.split(|byte| *byte == b'\n');
        // The last piece has no line feed behind it.
        let last = pieces.next_back().unwrap_or_default();
        for piece in pieces {
            self.grow(piece);
            self.line(sender).await?;
        }
        self.grow(last);
        Ok(())
    }

    fn grow(&mut self, piece: &[u8]) {
        if self.skipping {
            return;
        }
        if self.rest.len() + piece.len() > ARI_LINE_BYTES_MAX {
            self.skipping = true;
            self.rest = Vec::new();
        } else {
            self.rest.extend_from_slice(piece);
        }
    }

    async fn line(&mut self, sender: &mpsc::Sender<Input>) -> Result<(), ()> {
        self.number += 1;
        let number = self.number;
        let mut bytes = std::mem::take(&mut self.rest);
        if std::mem::take(&mut self.skipping) {
            return sender.send(Input::TooLong { number }).await.map_err(|_| ());
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        sender.send(Input::Line { number, bytes }).await.map_err(|_| ())
    }

    /// An orderly end: a last line without a line feed counts where it is whole.
    async fn end(mut self, out: &mut Vec<u8>, sender: &mpsc::Sender<Input>) {
        out.clear();
        if self.inflate.finish(out).is_err() {
            self.cut(sender).await;
            let _ = self.broken("ari.gzip", "The gzip data ends too early.", sender).await;
            return;
        }
        if self.split(out, sender).await.is_err() {
            return;
        }
        if serde_json::from_slice::<serde::de::IgnoredAny>(&self.rest).is_ok() || self.skipping {
            if self.line(sender).await.is_err() {
                return;
            }
        } else {
            self.cut(sender).await;
        }
        // Nobody left to tell is as good as told.
        let _ = sender.send(Input::End).await;
    }

    async fn cut(&mut self, sender: &mpsc::Sender<Input>) {
        if self.skipping || !self.rest.iter().all(u8::is_ascii_whitespace) {
            self.rest = Vec::new();
            // As above.
            let _ = sender.send(Input::Partial { number: self.number + 1 }).await;
        }
    }

    async fn broken(
        &mut self,
        code: &'static str,
        detail: &str,
        sender: &mpsc::Sender<Input>,
    ) -> Result<(), ()> {
        // As above.
        let _ = sender.send(Input::Broken { code, detail: detail.to_owned() }).await;
        Err(())
    }

    async fn drain(mut self) {
        let rest = async { while let Frame::Data(_) = self.frame().await {} };
        // Past the bound the connection is closed on the client, which then sees an error.
        let _ = tokio::time::timeout(crate::limits::ARI_DRAIN_TIMEOUT, rest).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(parts: Vec<Result<&'static [u8], std::io::Error>>) -> Vec<Input> {
        let parts = parts.into_iter().map(|part| part.map(Bytes::from_static));
        let body = Body::from_stream(futures_util::stream::iter(parts));
        let (sender, mut receiver) = mpsc::channel(1_000);
        LineReader::new(body, Encoding::Identity).run(sender).await;
        let mut inputs = Vec::new();
        while let Some(input) = receiver.recv().await {
            inputs.push(input);
        }
        inputs
    }

    fn line(number: u64, text: &str) -> Input {
        Input::Line { number, bytes: text.as_bytes().to_vec() }
    }

    #[tokio::test]
    async fn lines_are_the_same_whatever_the_cuts() {
        let whole: &[u8] = b"{\"a\":1}\r\n\n{\"b\":2}\n";
        let wanted = [line(1, "{\"a\":1}"), line(3, "{\"b\":2}"), Input::End];
        assert_eq!(read(vec![Ok(whole)]).await, wanted);
        assert_eq!(read(whole.chunks(1).map(Ok).collect()).await, wanted);
    }

    #[tokio::test]
    async fn a_last_line_without_line_feed_counts_only_where_it_is_whole() {
        assert_eq!(read(vec![Ok(b"{\"a\":1}")]).await, [line(1, "{\"a\":1}"), Input::End]);
        let cut = read(vec![Ok(b"{\"a\":1}\n{\"b\":")]).await;
        assert_eq!(cut, [line(1, "{\"a\":1}"), Input::Partial { number: 2 }, Input::End]);
    }

    #[tokio::test]
    async fn a_cut_connection_never_passes_the_last_line_on() {
        let error = std::io::Error::other("gone");
        let inputs = read(vec![Ok(b"{\"a\":1}\n{\"b\":2}"), Err(error)]).await;
        assert_eq!(inputs[..2], [line(1, "{\"a\":1}"), Input::Partial { number: 2 }]);
        assert!(matches!(inputs[2], Input::Broken { code: "request.cut", .. }));
    }

    #[tokio::test]
    async fn a_line_one_past_the_bound_is_named_and_the_next_is_read() {
        let fits: &'static [u8] = Vec::leak(vec![b'x'; ARI_LINE_BYTES_MAX]);
        let long: &'static [u8] = Vec::leak(vec![b'x'; ARI_LINE_BYTES_MAX + 1]);
        let inputs = read(vec![Ok(fits), Ok(b"\n"), Ok(long), Ok(b"\n{}\n")]).await;
        assert!(matches!(&inputs[0], Input::Line { number: 1, .. }));
        assert_eq!(inputs[1..], [Input::TooLong { number: 2 }, line(3, "{}"), Input::End]);
    }
}
