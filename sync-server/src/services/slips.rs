//! What somebody may see who holds a slip, or who knows its number and the end of the phone number in the form.
//!
//! Refuses to tell an unknown number from a wrong proof, in words and in work: numbers can be counted through, digests
//! cannot. Both proofs are always looked at, for a case that is not there as for one that is.
use domain::case::CaseState;
use domain::envelope::Digest;
use domain::ids::{CaseNo, EnvelopeId, ItemCode, StationId};
use domain::wire::v1::ReceiptBody;

use super::sign_in_failures::{self as failures, Counted};
use super::{blobs, cases, person_key, receipt};
use crate::auth::lockout;
use crate::error::ServiceError;
use crate::keys::Keys;
use crate::store::{StoreError, Tx};

/// Digits at the end of a phone number that are asked for.
const PHONE_DIGITS: usize = 4;
/// Signs of what somebody typed that are looked at.
const MAX_TYPED_CHARS: usize = 40;
/// Digits of the shortest phone number whose end is a proof.
const SHORTEST_PHONE: usize = 7;
/// The id of no envelope: looked after where there is none.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
/// The kind of the search key under which the end of a case's phone number is found.
pub const PHONE_END: &str = "phone_end";

/// A submission as its slip's page shows it: no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipView {
    /// The submission.
    pub envelope_id: EnvelopeId,
    /// Its number at the centre.
    pub number: CaseNo,
    /// The number on the slip, if it is another one (更正).
    pub slip_number: Option<CaseNo>,
    /// Item or bundle.
    pub item: Option<ItemCode>,
    /// Where it was handed in.
    pub station: StationId,
    /// Where the case stands.
    pub state: CaseState,
    /// What the device's clock said when the slip was made, milliseconds since 1970.
    pub device_time_ms: i64,
    /// How many pages are there, of how many.
    pub pages: (usize, usize),
    /// When the case was accepted, milliseconds since 1970.
    pub accepted_at_ms: Option<i64>,
    /// When the case last changed, milliseconds since 1970.
    pub changed_at_ms: i64,
    /// What the centre's receipt says.
    pub receipt: ReceiptBody,
}

/// What somebody brings along with a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Proof<'a> {
    /// The token of the slip: the first 64 bits of the digest.
    Token(&'a str),
    /// The last four digits of a phone number in the form.
    PhoneEnd(&'a str),
}

impl<'a> Proof<'a> {
    /// What a text is, by its length; one of any other length is a token, and wrong.
    pub fn of(text: &'a str) -> Self {
        let digits = text.len() == PHONE_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
        if digits { Self::PhoneEnd(text) } else { Self::Token(text) }
    }
}

/// What somebody typed, and from where.
#[derive(Clone)]
pub struct Asked {
    /// The number as it was typed.
    pub number: String,
    /// Token or digits, as they were typed.
    pub proof: String,
    /// The address, if wrong tries are counted under it.
    pub address: Option<String>,
}

/// Looks after somebody's slip, and counts it if there is none: by the address, and with digits of a phone number also
/// by the case number, of which there are only ten thousand. A token has 64 bits and cannot be guessed, so that nobody
/// can shut out whoever holds the slip. Whoever has to wait is told the same as whoever is wrong.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn ask(
    tx: &mut Tx<'_>,
    now_ms: i64,
    keys: &Keys,
    asked: &Asked,
) -> Result<Option<SlipView>, ServiceError> {
    let (typed, proof) = (plain(&asked.number).to_ascii_uppercase(), plain(&asked.proof));
    let proof = Proof::of(&proof);
    let mut counted: Vec<Counted> = Vec::new();
    if let Proof::PhoneEnd(_) = proof {
        counted.push(Counted::new(keys, "slip-number", &typed, lockout::SLIP));
    }
    if let Some(address) = &asked.address {
        counted.push(Counted::new(keys, "slip-address", address, lockout::ADDRESS));
    }
    let mut waits = false;
    for one in &counted {
        waits |= failures::wait_ms(tx, now_ms, one)?.is_some();
    }
    let number: Option<CaseNo> = typed.parse().ok();
    let found = number.map(|number| find(tx, keys, &number, proof)).transpose()?.flatten();
    if waits {
        return Ok(None);
    }
    match (&found, proof, counted.first()) {
        (None, ..) => {
            for one in &counted {
                failures::count(tx, now_ms, one)?;
            }
        }
        (Some(_), Proof::PhoneEnd(_), Some(of_number)) => failures::forget(tx, of_number)?,
        (Some(_), ..) => {}
    }
    Ok(found)
}

/// What somebody typed without what people put in between, cut where nothing right is that long.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(MAX_TYPED_CHARS).collect()
}

/// The search key of the end of a phone number in the form of one case; nothing if the number is too short for that.
pub fn phone_end(keys: &Keys, id: &EnvelopeId, phone: &str) -> Option<[u8; 32]> {
    let end = phone.get(phone.len().checked_sub(PHONE_DIGITS)?..)?;
    (phone.len() >= SHORTEST_PHONE).then(|| keys.person_hmac(PHONE_END, &format!("{id}:{end}")))
}

/// The submission that a number and a proof name; none if the centre does not have it (yet), or the proof is wrong.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn find(
    tx: &mut Tx<'_>,
    keys: &Keys,
    number: &CaseNo,
    proof: Proof<'_>,
) -> Result<Option<SlipView>, StoreError> {
    let (mut right, mut looked_at) = (None, 0);
    for case in cases::by_number(tx, number)? {
        let Some(stored) = receipt::stored(tx, &case.envelope_id)? else { continue };
        looked_at += 1;
        let proven = proves(tx, keys, (&case.envelope_id, &stored.digest), proof)?;
        if proven && right.is_none() {
            right = Some((case, stored));
        }
    }
    if let (0, Ok(nobody)) = (looked_at, NOBODY.parse()) {
        receipt::stored(tx, &nobody)?;
        proves(tx, keys, (&nobody, &Digest::of(NOBODY.as_bytes())), proof)?;
    }
    let Some((case, stored)) = right else { return Ok(None) };
    let sql = "SELECT device_time_ms FROM envelope WHERE envelope_id = $1";
    let device_time_ms = tx.query_int(sql, &[case.envelope_id.to_string().into()])?;
    Ok(Some(SlipView {
        envelope_id: case.envelope_id,
        number: case.number,
        slip_number: case.slip_number,
        item: case.item,
        station: case.station,
        state: case.state,
        device_time_ms,
        pages: blobs::count(tx, &case.envelope_id)?,
        accepted_at_ms: case.accepted_at_ms,
        changed_at_ms: case.changed_at_ms,
        receipt: stored,
    }))
}

/// Whether a proof is that of an envelope. Both kinds are looked at whichever came; tokens are compared by their keyed
/// hashes, whose differences tell nothing.
fn proves(
    tx: &mut Tx<'_>,
    keys: &Keys,
    (id, digest): (&EnvelopeId, &Digest),
    proof: Proof<'_>,
) -> Result<bool, StoreError> {
    let (token, end) = match proof {
        Proof::Token(token) => (token, ""),
        Proof::PhoneEnd(end) => ("", end),
    };
    let hashed = |token: &str| keys.person_hmac("slip-token", token);
    let by_token = hashed(&token.to_ascii_lowercase()) == hashed(&digest.short());
    let hmac = keys.person_hmac(PHONE_END, &format!("{id}:{end}"));
    let by_end = person_key::is_of(tx, (PHONE_END, &hmac), id)?;
    Ok(by_token | by_end)
}
