//! Bringing a packed catalogue here: over a link that may break at any byte, each try goes on where the last ended.
use std::fs::File;

use domain::wire::v1::tuf::{TUF_TARGETS, target_file};

use super::staging::append;
use super::{FetchError, Offer, StageError, Staging};
use crate::sync::transport::{Head, Method, Request, Sink, Transport};

/// Tries in a row that may bring nothing new before the fetch ends; each that brings something starts the count anew.
const IDLE_TRIES: u32 = 3;
/// Tries in all: with the time limit of the transport, a bound for the whole fetch.
const MOST_TRIES: u32 = 64;

/// Fetches a version into the staging folder.
pub(super) fn fetch(
    transport: &mut dyn Transport,
    offer: &Offer,
    staging: &Staging,
) -> Result<(), FetchError> {
    let mut idle = 0;
    for _ in 0..MOST_TRIES {
        let (file, from) = staging.open_part(offer)?;
        if from == offer.length {
            return Ok(staging.seal(offer)?);
        }
        let mut part = Part { file, from, length: offer.length, at: from, failure: None };
        let came = transport.download(&request(offer, from), &mut part);
        match part.failure {
            Some(FetchError::TooLong | FetchError::Answer(416)) => {
                staging.discard(offer)?;
                if matches!(part.failure, Some(FetchError::TooLong)) {
                    return Err(FetchError::TooLong);
                }
            }
            Some(failure) => return Err(failure),
            None if part.at > from => idle = 0,
            None => {}
        }
        if part.at == offer.length {
            return Ok(staging.seal(offer)?);
        }
        idle += 1;
        if idle >= IDLE_TRIES {
            came?;
            return Err(FetchError::Unfinished);
        }
    }
    Err(FetchError::Unfinished)
}

fn request(offer: &Offer, from: u64) -> Request {
    let range = (from > 0).then(|| ("range", format!("bytes={from}-")));
    Request {
        method: Method::Get,
        path_and_query: format!("{TUF_TARGETS}{}", target_file(&offer.digest, offer.version)),
        headers: range.into_iter().collect(),
        body: None,
    }
}

/// The end of a part: writes what comes, up to the length of the version.
struct Part {
    file: File,
    from: u64,
    length: u64,
    at: u64,
    failure: Option<FetchError>,
}

impl Part {
    fn fail(&mut self, failure: FetchError) -> bool {
        self.failure = Some(failure);
        false
    }
}

impl Sink for Part {
    fn head(&mut self, head: &Head) -> bool {
        match head.status {
            200 => {
                // The whole file again: what was here is written anew.
                if let Err(e) = self.file.set_len(0) {
                    return self.fail(StageError::from(e).into());
                }
                (self.from, self.at) = (0, 0);
                true
            }
            206 => {
                let begins = format!("bytes {}-", self.from);
                let ends = format!("/{}", self.length);
                let range = head.content_range.as_deref().unwrap_or_default();
                if range.starts_with(&begins) && range.ends_with(&ends) {
                    true
                } else {
                    self.fail(FetchError::Answer(206))
                }
            }
            other => self.fail(FetchError::Answer(other)),
        }
    }

    fn piece(&mut self, piece: &[u8]) -> bool {
        let next = self.at.saturating_add(piece.len() as u64);
        if next > self.length {
            return self.fail(FetchError::TooLong);
        }
        if let Err(e) = append(&self.file, piece) {
            return self.fail(e.into());
        }
        self.at = next;
        true
    }
}
