//! Identities, and the case number (办件编号) that a terminal issues without asking anybody.
//!
//! Identity of a submission is its [`EnvelopeId`]; a [`CaseNo`] is only a label that people read aloud.
use std::fmt;
use std::str::FromStr;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::date::CivilDate;

/// A text is not a valid identity of the named kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}")]
pub struct IdError {
    /// Which identity was expected.
    pub kind: &'static str,
}

macro_rules! text_id {
    ($name:ident, $kind:literal, $valid:expr, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identity as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(s) { Ok(Self(s.to_owned())) } else { Err(IdError { kind: $kind }) }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

fn is_word(s: &str, max: usize, extra: &[u8]) -> bool {
    !s.is_empty()
        && s.len() <= max
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || extra.contains(&b))
        && s.as_bytes()[0].is_ascii_alphanumeric()
}

fn is_code(s: &str) -> bool {
    matches!(s.split_once('.'), Some((a, b)) if is_word(a, 20, b"-") && is_word(b, 40, b"-"))
        && !s.bytes().any(|b| b.is_ascii_uppercase())
}

text_id!(
    StationId,
    "station id",
    |s| is_word(s, 40, b"-"),
    "A station (网点服务站), such as `XN-CCB-CD-01`."
);
text_id!(
    TerminalId,
    "terminal id",
    |s| is_word(s, 40, b"-"),
    "A terminal (终端), given by the server at enrolment."
);
text_id!(
    UnitId,
    "unit id",
    |s| !s.trim().is_empty() && s.len() <= 60,
    "A department (部门) that decides cases."
);
text_id!(
    KeyId,
    "key id",
    |s| is_word(s, 64, b"-"),
    "Names a public key: the first 16 hexadecimal digits of its SHA-256."
);
text_id!(
    ItemCode,
    "item code",
    is_code,
    "A service item (事项) or bundle, such as `hrss.flex-enroll`: a stable slug that is never used again."
);

macro_rules! uuid_id {
    ($name:ident, $kind:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// The 16 bytes.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                uuid::Uuid::try_parse(s).map(Self).map_err(|_| IdError { kind: $kind })
            }
        }
    };
}

uuid_id!(
    EnvelopeId,
    "envelope id",
    "What makes every send repeatable: a UUIDv7 made when the form or action starts."
);
uuid_id!(Lineage, "lineage", "Random id of a terminal's series (序列): new with a new or restored database.");
uuid_id!(ServerEpoch, "server epoch", "Changes when the server was restored from a backup (服务器纪元).");

impl EnvelopeId {
    /// A new id for a form or action that starts at `now_ms`.
    pub fn new<R: CryptoRng + ?Sized>(now_ms: i64, rng: &mut R) -> Self {
        let mut random = [0; 10];
        rng.fill_bytes(&mut random);
        let ms = u64::try_from(now_ms).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid())
    }
}

fn random_uuid<R: CryptoRng + ?Sized>(rng: &mut R) -> uuid::Uuid {
    let mut random = [0; 16];
    rng.fill_bytes(&mut random);
    uuid::Builder::from_random_bytes(random).into_uuid()
}

impl Lineage {
    /// A new random lineage.
    pub fn new<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(random_uuid(rng))
    }
}

impl ServerEpoch {
    /// A new random epoch.
    pub fn new<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(random_uuid(rng))
    }
}

/// Who may issue numbers: three digits. Terminals get theirs at enrolment; the server's own channels are 900 and up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Issuer(u16);

impl Issuer {
    /// An issuer from 0 to 999.
    pub fn new(n: u16) -> Option<Self> {
        (n <= 999).then_some(Self(n))
    }
    /// The number itself.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Issuer {
    type Error = IdError;
    fn try_from(n: u16) -> Result<Self, IdError> {
        Self::new(n).ok_or(IdError { kind: "issuer" })
    }
}

impl From<Issuer> for u16 {
    fn from(i: Issuer) -> u16 {
        i.0
    }
}

/// The last number used by an issuer: a date and the counter of that date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CounterState {
    /// The date in the last number.
    pub date: CivilDate,
    /// The counter in the last number, 0 if none was issued on that date.
    pub counter: u16,
}

/// An issuer has used up its 9,999 numbers of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no case number is left for this day")]
pub struct CounterExhausted;

impl CounterState {
    /// The state after one more number: the date is the later of today and the last one used, so that a clock
    /// set back never repeats a number.
    ///
    /// # Errors
    /// [`CounterExhausted`] after 9,999 numbers of one day.
    pub fn next(self, today: CivilDate) -> Result<Self, CounterExhausted> {
        if today > self.date {
            return Ok(Self { date: today, counter: 1 });
        }
        if self.counter >= 9_999 {
            return Err(CounterExhausted);
        }
        Ok(Self { date: self.date, counter: self.counter + 1 })
    }
}

/// 办件编号: `XN` yyMMdd + issuer (3) + counter (4) + check digit (ISO 7064 MOD 11,10 over the 13 digits).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CaseNo(String);

impl CaseNo {
    /// The number for an issuer's counter state.
    pub fn issue(issuer: Issuer, state: CounterState) -> Self {
        let digits = format!("{}{:03}{:04}", state.date.yymmdd(), issuer.get(), state.counter.min(9_999));
        let check = iso7064_mod11_10(digits.bytes().map(|b| b - b'0'));
        Self(format!("XN{digits}{check}"))
    }

    /// The number as text, 16 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The four groups of four in which it is shown; an old person reads the last one aloud.
    pub fn groups(&self) -> [&str; 4] {
        [&self.0[..4], &self.0[4..8], &self.0[8..12], &self.0[12..]]
    }
}

impl FromStr for CaseNo {
    type Err = IdError;
    /// Accepts spaces between groups and lower case, as people type it.
    fn from_str(s: &str) -> Result<Self, IdError> {
        let bad = IdError { kind: "case number" };
        if s.len() > 40 {
            return Err(bad);
        }
        let s: String = s.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        let digits = s.strip_prefix("XN").ok_or_else(|| bad.clone())?;
        if digits.len() != 14 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad);
        }
        let check = iso7064_mod11_10(digits.bytes().take(13).map(|b| b - b'0'));
        if digits.as_bytes()[13] - b'0' != check { Err(bad) } else { Ok(Self(s)) }
    }
}

impl fmt::Display for CaseNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CaseNo {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Hybrid check digit of ISO/IEC 7064, MOD 11,10.
pub(crate) fn iso7064_mod11_10(digits: impl Iterator<Item = u8>) -> u8 {
    let mut p = 10u8;
    for d in digits {
        let s = (p + d) % 10;
        p = (if s == 0 { 10 } else { s }) * 2 % 11;
    }
    (11 - p) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digit_of_the_standard_example() {
        // ISO 7064 example for MOD 11,10: 0794 has check digit 5.
        assert_eq!(iso7064_mod11_10([0, 7, 9, 4].into_iter()), 5);
    }

    #[test]
    fn a_number_is_issued_and_read_back() {
        let date = "2026-11-24".parse().expect("date");
        let state = CounterState { date, counter: 0 }.next(date).expect("next");
        let no = CaseNo::issue(Issuer::new(1).expect("issuer"), state);
        assert!(no.as_str().starts_with("XN2611240010001"), "{no}");
        assert_eq!(no.as_str().len(), 16);
        let spaced = no.groups().join(" ").to_lowercase();
        assert_eq!(spaced.parse::<CaseNo>().expect("spaced"), no);
    }

    #[test]
    fn every_single_wrong_digit_is_found() {
        let date = "2026-11-24".parse().expect("date");
        let no = CaseNo::issue(Issuer::new(50).expect("issuer"), CounterState { date, counter: 27 });
        for at in 2..16 {
            for digit in b'0'..=b'9' {
                let mut wrong = no.as_str().as_bytes().to_vec();
                if wrong[at] == digit {
                    continue;
                }
                wrong[at] = digit;
                let wrong = String::from_utf8(wrong).expect("ascii");
                assert!(wrong.parse::<CaseNo>().is_err(), "{wrong}");
            }
        }
    }

    #[test]
    fn a_clock_set_back_never_repeats_a_number() {
        let d = |s: &str| s.parse::<CivilDate>().expect("date");
        let s = CounterState { date: d("2026-11-24"), counter: 7 };
        assert_eq!(s.next(d("2026-11-01")), Ok(CounterState { date: d("2026-11-24"), counter: 8 }));
        assert_eq!(s.next(d("2026-11-25")), Ok(CounterState { date: d("2026-11-25"), counter: 1 }));
        assert_eq!(CounterState { counter: 9_999, ..s }.next(d("2026-11-24")), Err(CounterExhausted));
    }

    #[test]
    fn codes_and_ids_refuse_odd_texts() {
        for bad in ["", "a", "a.", ".b", "A.b", "a.b c", "a.b\0", &"a.".repeat(50)] {
            assert!(bad.parse::<ItemCode>().is_err(), "{bad}");
        }
        assert!("hrss.flex-enroll".parse::<ItemCode>().is_ok());
        assert!("../etc".parse::<StationId>().is_err());
    }
}
