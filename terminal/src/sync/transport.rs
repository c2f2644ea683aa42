//! Bytes to the server and back, blocking, so that tests and a simulator can stand in for the network.
use std::sync::Arc;

use super::tls::Trouble;

/// Method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
}

impl Method {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A request to the server's terminal listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path and query, beginning with `/`.
    pub path_and_query: String,
    /// Headers besides those of the content.
    pub headers: Vec<(&'static str, String)>,
    /// JSON text; the transport compresses it.
    pub body: Option<Vec<u8>>,
}

/// The answer, decompressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Value of `Content-Type`, lower case, without parameters.
    pub content_type: String,
    /// Seconds of `Retry-After`, if it was given as a number.
    pub retry_after_secs: Option<u32>,
    /// The body, at most [`MAX_RESPONSE_BYTES`].
    pub body: Vec<u8>,
}

/// One step of an upload (tus 1.0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadStep {
    /// POST: begins it, or finds the one on its way.
    Begin {
        /// Bytes of all of it.
        length: u64,
    },
    /// HEAD: how far it has come.
    Ask,
    /// PATCH: adds bytes.
    Add {
        /// Where they begin.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

impl UploadStep {
    /// Its method on the wire.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Begin { .. } => "POST",
            Self::Ask => "HEAD",
            Self::Add { .. } => "PATCH",
        }
    }
}

/// A call of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadCall {
    /// What it does.
    pub step: UploadStep,
    /// Path and query, beginning with `/`.
    pub path_and_query: String,
    /// Headers besides those of tus.
    pub headers: Vec<(&'static str, String)>,
}

/// The head of an answer to a call of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadAnswer {
    /// HTTP status.
    pub status: u16,
    /// Value of `Content-Type`, lower case, without parameters.
    pub content_type: String,
    /// Value of `Tus-Resumable`: nobody else says it.
    pub version: Option<String>,
    /// Seconds of `Retry-After`, if it was given as a number.
    pub retry_after_secs: Option<u32>,
    /// Value of `Location`.
    pub location: Option<String>,
    /// Value of `Upload-Offset`.
    pub offset: Option<u64>,
}

/// Most bytes of an answer.
pub const MAX_RESPONSE_BYTES: usize = 4 * 1024 * 1024;

/// No answer that could be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection, or it broke.
    #[error("the server cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// More than [`MAX_RESPONSE_BYTES`].
    #[error("the answer is too large")]
    TooLarge,
    /// Whoever answers is not the centre, or does not know this terminal; nothing was sent to a stranger.
    #[error("the link is not safe: {}", .0.words())]
    Untrusted(Trouble),
    /// Nothing may be sent over this link: plain HTTP to another machine or of an enrolled terminal, or TLS without
    /// anybody to trust.
    #[error(
        "the link is not safe: the address must begin with https://, and the code must come with the centre's fingerprint"
    )]
    NotSecure,
    /// The address of the server is not usable.
    #[error("the server's address is not usable")]
    BadAddress,
}

/// The head of an answer whose body comes piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// HTTP status.
    pub status: u16,
    /// Value of `Content-Range`, if there is one.
    pub content_range: Option<String>,
}

/// Takes in a body while it arrives. What it has taken stays taken, also if the link breaks afterwards.
pub trait Sink {
    /// The head; false refuses the body.
    fn head(&mut self, head: &Head) -> bool;
    /// The next piece; false ends the download.
    fn piece(&mut self, piece: &[u8]) -> bool;
}

/// Breaks off what a transport is waiting for, now and from now on; for the end of a program.
pub type HangUp = Arc<dyn Fn() + Send + Sync>;

/// Something that carries a request to the server.
pub trait Transport: Send {
    /// What breaks off a long wait, if this transport can.
    fn hang_up(&self) -> Option<HangUp> {
        None
    }

    /// Sends and waits for the answer, bounded in time and size. Never follows a redirect.
    ///
    /// # Errors
    /// [`TransportError`] if there is no whole answer.
    fn exchange(&mut self, request: &Request) -> Result<Response, TransportError>;

    /// Makes a call of an upload. Never follows a redirect.
    ///
    /// # Errors
    /// [`TransportError`] if there is no answer.
    fn upload(&mut self, call: &UploadCall) -> Result<UploadAnswer, TransportError>;

    /// Sends and gives the body piece by piece to the sink, which bounds its size. Never follows a redirect.
    ///
    /// # Errors
    /// [`TransportError`] if the body did not come to its end; the sink has what came.
    fn download(&mut self, request: &Request, sink: &mut dyn Sink) -> Result<(), TransportError> {
        let answer = self.exchange(request)?;
        if sink.head(&Head { status: answer.status, content_range: None }) {
            sink.piece(&answer.body);
        }
        Ok(())
    }
}
