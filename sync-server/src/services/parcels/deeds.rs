//! What people at the desk do with a parcel of their unit: pack, hand to a carrier, note what it told, keep at the window,
//! make again, settle. Each click is one event at the version that stood on the page.
use domain::parcel::{Event, News, ParcelNo, ParcelState};
use rand_core::CryptoRng;

use super::hear::{MAX_TRACKING, one_line, tell};
use super::inside::{self, Inside, Sealed};
use super::{By, Stored, add, by_number, done, recipient};
use crate::error::{ProblemCode, ServiceError};
use crate::services::sessions::Caller;
use crate::services::{Context, cases};
use crate::store::Tx;

/// The carrier to whom somebody goes: the number of the parcel is typed.
pub const BY_HAND: &str = "by_hand";
/// Lines that somebody may add to a packing list, at most.
pub const MAX_LINES: usize = 20;
/// Signs of a line, or of a note, at most.
pub const MAX_NOTE_CHARS: usize = 100;
/// Signs of a carrier's name that somebody typed, at most.
pub const MAX_CARRIER_CHARS: usize = 20;
/// The longest number of a seal, in bytes.
const MAX_SEAL: usize = 30;
/// The longest name of a click.
const MAX_CLICK: usize = 64;

/// What somebody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// 封装, with the number of the seal and what else is in it.
    Pack {
        /// 封条号
        seal: String,
        /// Further lines of the list.
        lines: Vec<String>,
    },
    /// 交寄: a carrier took the order and gave a number.
    Hand {
        /// Its code, or its name if somebody went there.
        carrier: String,
        /// Its number.
        tracking: String,
    },
    /// What the carrier told by telephone or on its page.
    Tell {
        /// What.
        news: News,
        /// In words.
        words: String,
    },
    /// 改为窗口领取
    ToWindow,
    /// 重新制作
    Again,
    /// 处理完毕
    Settle,
}

/// A click: its name, and the version that stood on the page.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The name that the page gave it.
    pub click: &'a str,
    /// The version of the parcel on the page.
    pub version: u64,
}

/// A parcel of the caller's unit.
///
/// # Errors
/// [`ServiceError`] `not-found`, `unit-needed`, or the store's.
pub fn of_unit(tx: &mut Tx<'_>, caller: &Caller, number: &ParcelNo) -> Result<Stored, ServiceError> {
    let stored = by_number(tx, number)?.ok_or(ProblemCode::NotFound)?;
    if caller.unit.as_ref() == Some(&stored.unit) { Ok(stored) } else { Err(ProblemCode::UnitNeeded.into()) }
}

/// The name of a click in the store: nobody's click is somebody else's.
pub(super) fn click_name(caller: &Caller, click: &str) -> Result<String, ServiceError> {
    let plain = !click.is_empty()
        && click.len() <= MAX_CLICK
        && click.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if plain { Ok(format!("{}/{click}", caller.account)) } else { Err(ProblemCode::MalformedRequest.into()) }
}

/// Does it; a click that was done already gives the parcel as it is.
///
/// # Errors
/// [`ServiceError`]: `case-changed` if somebody was quicker or it does not fit, `not-found`, `unit-needed`,
/// `malformed-request` for a number or a line that is none, or the store's.
pub fn perform(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    (caller, number): (&Caller, &ParcelNo),
    (seen, deed): (Seen<'_>, &Deed),
) -> Result<Stored, ServiceError> {
    let stored = of_unit(tx, caller, number)?;
    let key = click_name(caller, seen.click)?;
    if let Some(before) = done(tx, &key)? {
        return if before == *number { Ok(stored) } else { Err(ProblemCode::MalformedRequest.into()) };
    }
    if seen.version != stored.parcel.version {
        let detail = format!("the parcel is at version {}", stored.parcel.version);
        return Err(ServiceError::refused(ProblemCode::CaseChanged, detail));
    }
    let by = By { id: caller.account.as_str(), key: Some(&key) };
    match deed {
        Deed::Pack { seal, lines } => pack(tx, context, (now_ms, rng), &stored, (by, seal, lines)),
        Deed::Hand { carrier, tracking } => {
            hand(tx, context, (now_ms, rng), &stored, (by, carrier, tracking))
        }
        Deed::Tell { news, words } => {
            let event = Event::Told { round: stored.parcel.round, news: *news, at_ms: now_ms };
            tell(tx, context, (now_ms, rng), &stored, (by, event, one_line(words)))
        }
        Deed::ToWindow | Deed::Again => {
            if inside::contents(tx, &stored.envelope_id)?.is_empty() {
                return Err(nothing_left());
            }
            let event = if *deed == Deed::Again { Event::MadeAgain } else { Event::ToWindow };
            add(tx, now_ms, &stored, (by, event), (&Sealed::nothing(), None))
        }
        Deed::Settle => {
            let left = !inside::contents(tx, &stored.envelope_id)?.is_empty();
            if !may_settle(&stored, (left, inside::is_erased(tx, &stored.envelope_id)?)) {
                let detail = "it is made again or kept at the window, or nothing is to be settled";
                return Err(ServiceError::refused(ProblemCode::CaseChanged, detail));
            }
            add(tx, now_ms, &stored, (by, Event::Settled), (&Sealed::nothing(), None))
        }
    }
}

/// Whether a parcel may be settled: what was called back is taken or is made anew, or nothing good is left to hand over,
/// or its case is erased and nobody can get it any more.
pub fn may_settle(stored: &Stored, (left, erased): (bool, bool)) -> bool {
    use ParcelState::{AtWindow, Delivered, Lost, Packed, PickedUp, Refused, Returned, ToPack};
    let recalled = stored.parcel.recalled;
    match stored.parcel.state {
        Delivered | PickedUp => recalled,
        ToPack | Packed | AtWindow => recalled || erased,
        Refused | Lost | Returned => recalled && (erased || !left),
        ParcelState::Handed | ParcelState::OnTheWay | ParcelState::Withdrawn => false,
    }
}

pub(super) fn nothing_left() -> ServiceError {
    ServiceError::refused(ProblemCode::CaseChanged, "nothing that is good is left to hand over")
}

fn malformed(detail: &'static str) -> ServiceError {
    ServiceError::refused(ProblemCode::MalformedRequest, detail)
}

fn is_number(text: &str, most: usize) -> bool {
    (2..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn pack(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    stored: &Stored,
    (by, seal, lines): (By<'_>, &str, &[String]),
) -> Result<Stored, ServiceError> {
    if !is_number(seal, MAX_SEAL) {
        return Err(malformed("the number of a seal has 2 to 30 letters, digits and hyphens"));
    }
    if lines.len() > MAX_LINES || lines.iter().any(|line| line.chars().count() > MAX_NOTE_CHARS) {
        return Err(malformed("a packing list has at most 20 further lines of at most 100 signs"));
    }
    let (row, view) = cases::current(tx, &stored.envelope_id)?;
    let found = recipient(tx, context, (&row, &view))?;
    let to = found.filter(|(_, known)| *known).map(|(to, _)| to);
    let key = inside::key_of(tx, context, &stored.envelope_id)?;
    let (Some(to), Some(key)) = (to, key) else {
        return Err(ServiceError::refused(ProblemCode::CaseChanged, "nobody knows where to send it"));
    };
    let left = inside::left(tx, &stored.envelope_id)?;
    if left.is_empty() {
        return Err(nothing_left());
    }
    let (certificates, mut contents): (Vec<_>, Vec<_>) = left.into_iter().unzip();
    contents.extend(lines.iter().map(|line| one_line(line)).filter(|line| !line.is_empty()));
    let inside = Inside { to: Some(to), contents, ..Inside::default() };
    let sealed = Sealed::of((&key, rng), &stored.number, &inside)?;
    let event = Event::Packed { seal: seal.to_owned(), certificates };
    add(tx, now_ms, stored, (by, event), (&sealed, None))
}

fn hand(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    stored: &Stored,
    (by, carrier, tracking): (By<'_>, &str, &str),
) -> Result<Stored, ServiceError> {
    if !is_number(tracking, MAX_TRACKING) {
        return Err(malformed("the carrier's number has 2 to 40 letters, digits and hyphens"));
    }
    let carrier = one_line(carrier);
    if carrier.is_empty() || carrier.chars().count() > MAX_CARRIER_CHARS || carrier.contains(':') {
        return Err(malformed("the carrier has a name of 1 to 20 signs"));
    }
    // Of a case that is erased no number is kept: it leads to a person at the carrier.
    let (sealed, kept) = match inside::key_of(tx, context, &stored.envelope_id)? {
        Some(key) => {
            let inside = Inside { tracking: tracking.to_owned(), ..Inside::default() };
            (Sealed::of((&key, rng), &stored.number, &inside)?, tracking)
        }
        None => (Sealed::nothing(), ""),
    };
    add(tx, now_ms, stored, (by, Event::Handed { carrier }), (&sealed, Some(kept)))
}
