//! The HTTP library answers a head that it cannot read by itself, without a body. Here such an answer becomes
//! problem+json like every other one.
//!
//! Known by three signs: a 4xx, no body, and none of our own headers. Everything else passes as it is.
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use domain::wire::v1::PROBLEM_MEDIA_TYPE;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::ProblemCode;

/// A connection on which bare answers are dressed on their way out; under TLS it lies above it.
pub struct Dressed<S> {
    stream: S,
    /// What is written instead of a bare answer, and how much of it was written.
    instead: Option<(Vec<u8>, usize)>,
}

impl<S> Dressed<S> {
    /// Dresses what is written to this stream.
    pub fn new(stream: S) -> Self {
        Self { stream, instead: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Dressed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Dressed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.instead.is_none() {
            self.instead = dressed(bytes).map(|answer| (answer, 0));
        }
        let Some((answer, mut done)) = self.instead.take() else {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        };
        while done < answer.len() {
            match Pin::new(&mut self.stream).poll_write(cx, &answer[done..]) {
                Poll::Ready(Ok(n)) if n > 0 => done += n,
                Poll::Ready(Ok(_)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                Poll::Pending => {
                    self.instead = Some((answer, done));
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The whole answer to send instead, if these bytes are a bare one.
fn dressed(bytes: &[u8]) -> Option<Vec<u8>> {
    let rest = bytes.strip_prefix(b"HTTP/1.1 ")?;
    // The only ones that the library writes; others are somebody's own.
    let too_large = rest.starts_with(b"431 ") || rest.starts_with(b"414 ");
    if !too_large && !rest.starts_with(b"400 ") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok()?;
    let bare = head.ends_with("\r\n\r\n")
        && head.contains("content-length: 0\r\n")
        && !head.contains("jinban-request-id");
    if !bare {
        return None;
    }
    let code = if too_large { ProblemCode::HeadersTooLarge } else { ProblemCode::MalformedRequest };
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let id = format!("bare-{:x}", COUNT.fetch_add(1, Ordering::Relaxed));
    let detail = (code == ProblemCode::MalformedRequest).then(|| "the head is not HTTP/1.1".to_owned());
    let body = serde_json::to_string(&code.problem(detail, Some(id.clone()))).ok()?;
    let status = if code == ProblemCode::HeadersTooLarge {
        "431 Request Header Fields Too Large"
    } else {
        "400 Bad Request"
    };
    tracing::info!(http.status = code.status(), request.id = id, "a head that is not HTTP or too large");
    Some(
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: {PROBLEM_MEDIA_TYPE}\r\ncontent-length: {}\r\n\
             jinban-request-id: {id}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n\
             connection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_answers_are_dressed() {
        let bare =
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let text = String::from_utf8(dressed(bare).expect("dressed")).expect("text");
        assert!(text.starts_with("HTTP/1.1 431 ") && text.contains("headers-too-large"), "{text}");
        assert!(dressed(text.as_bytes()).is_none(), "once is enough");
        let malformed = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        assert!(dressed(malformed).is_some());
        let ours = b"HTTP/1.1 404 Not Found\r\njinban-request-id: a\r\ncontent-length: 0\r\n\r\n";
        let plain = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        let good = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        for other in [&ours[..], &plain[..], &good[..], b"", b"HTTP/1.1 400 Bad"] {
            assert!(dressed(other).is_none(), "{}", String::from_utf8_lossy(other));
        }
    }
}
