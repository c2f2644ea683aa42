//! Between `tough`, which asks for URLs, and this terminal's own transport, which knows one server.
//!
//! So the rules of that transport hold here too: no proxy, no redirect, bounded time and size. Remembers whether the
//! link failed, because `tough` takes some failures for a file that is not there.
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream;
use tough::{Bytes, TransportError, TransportErrorKind, TransportStream, async_trait};
use url::Url;

use domain::wire::v1::tuf::TUF_METADATA;

use crate::sync::transport::{Method, Request, Transport};

/// Media type of metadata.
const JSON: &str = "application/json";

/// The shared transport.
#[derive(Clone)]
pub(super) struct Bridge {
    transport: Arc<Mutex<Box<dyn Transport>>>,
    trouble: Arc<Mutex<Option<String>>>,
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bridge(..)")
    }
}

impl Bridge {
    pub(super) fn new(transport: Box<dyn Transport>) -> Self {
        Self { transport: Arc::new(Mutex::new(transport)), trouble: Arc::default() }
    }

    /// Uses the transport itself, for what is not metadata.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut dyn Transport) -> T) -> T {
        work(self.transport.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
    }

    /// What was wrong with the link since the last time; forgets it.
    pub(super) fn take_trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Asks for a metadata file; blocks. None if there is none.
    pub(super) fn metadata(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let request = Request {
            method: Method::Get,
            path_and_query: format!("{TUF_METADATA}{name}"),
            headers: Vec::new(),
            body: None,
        };
        let answer = self.with(|t| t.exchange(&request)).map_err(|e| e.to_string())?;
        match (answer.status, answer.content_type.as_str()) {
            (200, JSON) => Ok(Some(answer.body)),
            (404, domain::wire::v1::PROBLEM_MEDIA_TYPE) => Ok(None),
            // A captive portal, a proxy, or a server in trouble.
            (status, _) => Err(format!("status {status} instead of metadata")),
        }
    }

    fn note(&self, trouble: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }
}

#[async_trait]
impl tough::Transport for Bridge {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        let error = |kind| TransportError::new(kind, &url);
        let Some(name) = url.path().strip_prefix(TUF_METADATA).map(str::to_owned) else {
            return Err(error(TransportErrorKind::Other));
        };
        let own = self.clone();
        // The transport blocks on a runtime of its own, which must not happen on this one's thread.
        let asked = tokio::task::spawn_blocking(move || own.metadata(&name)).await;
        match asked.unwrap_or_else(|e| Err(e.to_string())) {
            Ok(Some(body)) => Ok(Box::pin(stream::iter([Ok(Bytes::from(body))]))),
            Ok(None) => Err(error(TransportErrorKind::FileNotFound)),
            Err(trouble) => {
                self.note(trouble);
                Err(error(TransportErrorKind::Other))
            }
        }
    }
}
