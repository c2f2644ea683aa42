//! Query parameters of calls, and the signature of a terminal over its address.
//!
//! Unknown parameters are left alone, as unknown fields of bodies are; one that stands twice, is no whole number or is
//! out of its range is refused. `148.0` is the whole number 148 here too.
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::Query;
use axum::http::{HeaderMap, Uri};
use domain::envelope::{Bytes, Signature};
use domain::ids::{StationId, TerminalId};
use domain::wire::v1::{SIGNATURE_HEADER, TERMINAL_HEADER};

use super::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::shell::App;

/// The query of a request.
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads the query.
    ///
    /// # Errors
    /// `malformed-request` if a name or value holds NUL.
    pub fn read(uri: &Uri) -> Result<Self, ServiceError> {
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
            return Err(malformed("the query cannot be read"));
        };
        if pairs.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(malformed("the query has a text with NUL"));
        }
        Ok(Self(pairs))
    }

    /// A whole number.
    ///
    /// # Errors
    /// `malformed-request` if it is none, out of range, or named twice.
    pub fn number(
        &self,
        name: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Result<u64, ServiceError> {
        Ok(self.optional(name, range)?.unwrap_or(default))
    }

    /// A text that is the written form of some type, such as an id.
    ///
    /// # Errors
    /// `malformed-request` if it is missing, none, or named twice.
    pub fn parsed<T: FromStr>(&self, name: &'static str) -> Result<T, ServiceError> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let value = values.next().filter(|_| values.next().is_none());
        value
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| malformed(&format!("{name} is missing or is none")))
    }

    /// A whole number, if it is there.
    ///
    /// # Errors
    /// As [`Parameters::number`].
    pub fn optional(
        &self,
        name: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, ServiceError> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let Some(value) = values.next() else { return Ok(None) };
        let (lowest, highest) = (range.start(), range.end());
        let refused = || malformed(&format!("{name} is one whole number from {lowest} to {highest}"));
        let number = whole(value).filter(|n| range.contains(n) && values.next().is_none());
        number.map(Some).ok_or_else(refused)
    }
}

/// Digits, and a fraction of zeros at most.
fn whole(text: &str) -> Option<u64> {
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// The terminal that signed this GET, and its station.
///
/// # Errors
/// `terminal-unknown`, `terminal-blocked`, `signature-invalid`, or the store's.
pub async fn signer(
    app: &App,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(TerminalId, StationId), ServiceError> {
    let (terminal, signature) = credentials(headers)?;
    let path = uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let centre = app.centre.clone();
    blocking(move || {
        let station = centre.station_of(&terminal, &path, &signature)?;
        Ok((terminal, station))
    })
    .await
}

/// Who says to have signed a call, and the signature.
///
/// # Errors
/// `terminal-unknown` or `signature-invalid` if a header is missing or is none.
pub(super) fn credentials(headers: &HeaderMap) -> Result<(TerminalId, Signature), ServiceError> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let terminal = text(TERMINAL_HEADER).and_then(|t| t.parse().ok()).ok_or(ProblemCode::TerminalUnknown)?;
    let quoted = text(SIGNATURE_HEADER).map(|s| serde_json::Value::String(s.to_owned()));
    let signature: Option<Bytes> = quoted.and_then(|s| serde_json::from_value(s).ok());
    Ok((terminal, Signature(signature.ok_or(ProblemCode::SignatureInvalid)?)))
}

fn malformed(detail: &str) -> ServiceError {
    ServiceError::refused(ProblemCode::MalformedRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(query: &str) -> Option<u64> {
        let uri = format!("/x?{query}").parse().expect("an address");
        Parameters::read(&uri).ok()?.number("n", 7, 1..=200).ok()
    }

    #[test]
    fn whole_numbers_within_their_range_are_read() {
        for (query, value) in
            [("", 7), ("m=x", 7), ("n=1", 1), ("n=200", 200), ("n=148.0", 148), ("n=%31", 1), ("n=007", 7)]
        {
            assert_eq!(number(query), Some(value), "{query}");
        }
        for query in [
            "n=",
            "n",
            "n=0",
            "n=201",
            "n=-1",
            "n=+1",
            "n=%2B1",
            "n=1.5",
            "n=1.",
            "n=.0",
            "n=1e1",
            "n=0x1",
            "n=1&n=1",
            "n=18446744073709551616",
            "n=%00",
            "m=%00",
            "n=1%00",
            "n=%EF%BC%91",
            "n=null",
            "n=1%20",
        ] {
            assert_eq!(number(query), None, "{query}");
        }
    }
}
