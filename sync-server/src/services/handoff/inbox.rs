//! 收件箱: what other centres say. Signature, addressee, version and order are judged; what was taken is signed for after the
//! COMMIT. The same message again gets the same answer, and changes nothing.
use domain::envelope::{Digest, SignedDocument, SignedKind, sign_document, verify_document};
use domain::handoff::{Side, Step};
use domain::ids::{EnvelopeId, UnitId};
use domain::item::{Period, PeriodUnit};
use domain::wire::v1::{
    MAX_PARTNER_MESSAGE_BYTES, PartnerAnswer, PartnerContent, PartnerMessage, PartnerMistake, PartnerOutcome,
    PartnerReceipt, PartnerSaid, SealedFor,
};

use super::{New, Own, Row, add, begin, content, rows};
use crate::error::{ProblemCode, ServiceError};
use crate::services::audit;
use crate::store::{StoreError, Tx};

/// Who stands in the steps that a message brings.
const PARTNER: &str = "partner";
/// Handoffs of one partner that wait for this centre or for the person, at most: it waits with the next one.
const MOST_OPEN: i64 = 500;
/// Messages of one partner in a day that do not follow, at most.
const MOST_ODD: i64 = 100;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// A message that is signed by whom it names and meant for this centre.
#[derive(Debug)]
pub struct Judged {
    message: PartnerMessage,
    digest: Digest,
    document: SignedDocument,
}

/// Takes a message, or finds it.
///
/// # Errors
/// [`ServiceError`]: `too-many-requests` if its region has sent more than people here can look at, or the store's; nothing
/// was written then.
pub fn take(
    tx: &mut Tx<'_>,
    own: Own<'_>,
    now_ms: i64,
    Judged { message, digest, document }: &Judged,
) -> Result<PartnerAnswer, ServiceError> {
    let (digest, expected) = (*digest, expected(tx, message)?);
    let outcome = match known(tx, message)? {
        Some(before) if before == digest.to_string() => PartnerOutcome::Duplicate,
        Some(_) => PartnerOutcome::Conflict,
        None if message.seq > expected => PartnerOutcome::Early,
        None if message.seq < expected => PartnerOutcome::Conflict,
        None => {
            keep(tx, own, now_ms, (message, &digest, document))?;
            PartnerOutcome::Taken
        }
    };
    if outcome == PartnerOutcome::Conflict {
        raise(tx, now_ms, "partner.conflict", message, &digest)?;
    }
    let expected = expected + u32::from(outcome == PartnerOutcome::Taken);
    let receipt = PartnerReceipt { message: message.id, digest, outcome, expected };
    let body = serde_json::to_vec(&receipt)
        .map_err(|e| ServiceError::Inconsistent(format!("message {}: {e}", message.id)))?;
    Ok(PartnerAnswer { receipt: sign_document(SignedKind::PartnerReceipt, body, &own.context.keys.receipt) })
}

/// Reads a message that is signed by whom it names and meant for this centre; asks no store.
///
/// # Errors
/// [`ServiceError`]: `malformed-request`, `too-large`, `partner-unknown`, `partner-version` or `signature-invalid`.
pub fn judge(own: Own<'_>, document: SignedDocument) -> Result<Judged, ServiceError> {
    if document.body.0.len() > MAX_PARTNER_MESSAGE_BYTES {
        return Err(ProblemCode::TooLarge.into());
    }
    // Whoever signed may be told that this program is older; nobody else is told anything.
    let signer = own.register.partners.iter().find(|p| p.signing_key.key_id() == document.key_id);
    let signer = signer.ok_or(ProblemCode::PartnerUnknown)?;
    verify_document(SignedKind::PartnerMessage, &document, &signer.ring())
        .map_err(|_| ServiceError::from(ProblemCode::SignatureInvalid))?;
    let message = PartnerMessage::read(&document.body.0).map_err(|mistake| match mistake {
        PartnerMistake::TooLarge => ProblemCode::TooLarge.into(),
        PartnerMistake::Version(v) => {
            ServiceError::refused(ProblemCode::PartnerVersion, format!("version {v}"))
        }
        PartnerMistake::Malformed => ServiceError::from(ProblemCode::MalformedRequest),
    })?;
    if message.from != signer.adcode {
        return Err(ProblemCode::PartnerUnknown.into());
    }
    if message.to != own.register.own.adcode {
        let detail = "the message is for another region";
        return Err(ServiceError::refused(ProblemCode::PartnerUnknown, detail));
    }
    Ok(Judged { message, digest: Digest::of(&document.body.0), document })
}

/// The place of the next message of a handoff.
fn expected(tx: &mut Tx<'_>, message: &PartnerMessage) -> Result<u32, StoreError> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM partner_message
               WHERE handoff = $1 AND partner = $2 AND direction = 'in'";
    let last = tx.query_int(sql, &[message.handoff.to_string().into(), message.from.as_str().into()])?;
    Ok(u32::try_from(last + 1).unwrap_or(u32::MAX))
}

/// The digest of a message that has this id.
fn known(tx: &mut Tx<'_>, message: &PartnerMessage) -> Result<Option<String>, StoreError> {
    let sql = "SELECT digest FROM partner_message WHERE id = $1";
    let row = tx.query_first(sql, &[message.id.to_string().into()])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

fn raise(
    tx: &mut Tx<'_>,
    now_ms: i64,
    kind: &str,
    message: &PartnerMessage,
    digest: &Digest,
) -> Result<(), StoreError> {
    let subject = message.handoff.to_string();
    if audit::is_raised(tx, kind, &subject)? {
        return Ok(());
    }
    audit::raise_alarm(tx, now_ms, kind, &subject, Some(digest))
}

/// Keeps a message whose turn it is, with the steps that it brings. One that does not follow is kept, too, and people
/// look at it: whoever sent it can do nothing about it, and what comes behind it must not be held up. Of such a one its
/// place and digest are kept and not its content, and only so many a day.
fn keep(
    tx: &mut Tx<'_>,
    own: Own<'_>,
    now_ms: i64,
    (message, digest, document): (&PartnerMessage, &Digest, &SignedDocument),
) -> Result<(), ServiceError> {
    let text = serde_json::to_string(document)
        .map_err(|e| ServiceError::Inconsistent(format!("message {}: {e}", message.id)))?;
    let follows = apply(tx, own, now_ms, message)?;
    if !follows && odd_ones(tx, message, now_ms)? >= MOST_ODD {
        return Err(ProblemCode::TooManyRequests.into());
    }
    tx.execute(
        "INSERT INTO partner_message (id, handoff, partner, direction, seq, state, digest, document, tries, next_ms, at_ms)
         VALUES ($1, $2, $3, 'in', $4, $5, $6, $7, 0, 0, $8)",
        &[
            message.id.to_string().into(),
            message.handoff.to_string().into(),
            message.from.as_str().into(),
            i64::from(message.seq).into(),
            (if follows { "taken" } else { "odd" }).into(),
            digest.to_string().into(),
            (if follows { text } else { String::new() }).into(),
            now_ms.into(),
        ],
    )?;
    if follows {
        settle(tx, message)?;
    } else {
        raise(tx, now_ms, "partner.odd", message, digest)?;
    }
    Ok(())
}

/// Messages of its region in the last day that did not follow.
fn odd_ones(tx: &mut Tx<'_>, message: &PartnerMessage, now_ms: i64) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM partner_message WHERE state = 'odd' AND partner = $1 AND at_ms > $2";
    tx.query_int(sql, &[message.from.as_str().into(), now_ms.saturating_sub(DAY_MS).into()])
}

/// Handoffs of its region that wait for people here, or for the person.
fn open_ones(tx: &mut Tx<'_>, message: &PartnerMessage) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM handoff WHERE side = 'home' AND partner = $1
               AND state IN ('sent', 'signed_for', 'returned')";
    tx.query_int(sql, &[message.from.as_str().into()])
}

/// What is needed no more after a message: what was brought belongs nowhere. What was accepted is kept for some days
/// ([`super::put_away`]), in case the home region has to be restored from a backup of before.
fn settle(tx: &mut Tx<'_>, message: &PartnerMessage) -> Result<(), StoreError> {
    match message.said {
        PartnerSaid::NotOurs { .. } => content::wipe_brought(tx, &message.handoff),
        _ => Ok(()),
    }
}

/// The steps that a message brings; whether they follow.
fn apply(tx: &mut Tx<'_>, own: Own<'_>, now_ms: i64, message: &PartnerMessage) -> Result<bool, ServiceError> {
    let at_ms = message.made_at_ms.min(now_ms);
    let said_by = message.said.side();
    if !rows::is_there(tx, &message.handoff)? {
        return first(tx, own, (now_ms, at_ms), message);
    }
    let mut row = rows::find(tx, &message.handoff)?;
    if row.partner != message.from || row.side == said_by {
        return Ok(false);
    }
    let steps = match &message.said {
        PartnerSaid::HandedOver { .. } => vec![Step::FormChecked, Step::IdentityChecked, message.said.step()],
        said => vec![said.step()],
    };
    let mut tried = row.handoff.clone();
    if !steps.iter().all(|step| tried.take(said_by, step, at_ms).is_ok()) {
        return Ok(false);
    }
    for step in &steps {
        add(tx, now_ms, &mut row, (said_by, step, at_ms), (PARTNER, Some(&message.id)))?;
    }
    Ok(true)
}

/// A handoff of which this centre hears for the first time.
fn first(
    tx: &mut Tx<'_>,
    own: Own<'_>,
    (now_ms, at_ms): (i64, i64),
    message: &PartnerMessage,
) -> Result<bool, ServiceError> {
    let PartnerSaid::HandedOver { mode, item, form_version, round: 1, .. } = &message.said else {
        return Ok(false);
    };
    if !mode.hands_over() || i64::try_from(*form_version).is_err() {
        return Ok(false);
    }
    if open_ones(tx, message)? >= MOST_OPEN {
        return Err(ProblemCode::TooManyRequests.into());
    }
    // Whose it is does not hang on whether it is taken still: that is asked when it is accepted.
    let newest = own.context.shelf.newest(tx)?;
    let named = own.context.shelf.get(tx, *form_version)?;
    let known = [&newest, &named].into_iter().flatten().find_map(|volume| volume.catalogue.items.get(item));
    let nobody = String::new();
    let new = New {
        id: message.handoff,
        side: Side::Home,
        partner: &message.from,
        item,
        title: known.map_or(item.as_str(), |item| item.name.get(domain::text::Language::ZhCn)),
        unit: known.map_or(nobody.as_str(), |item| UnitId::as_str(&item.department)),
        clerk: "",
        legal: known.map_or(Period { tenths: 0, unit: PeriodUnit::WorkingDay }, |item| item.legal),
        form_version: *form_version,
    };
    let received = Step::Received { mode: *mode };
    begin(tx, (now_ms, PARTNER), &new, (at_ms, &received, Some(&message.id)))?;
    let mut row = rows::find(tx, &message.handoff)?;
    for step in [Step::FormChecked, Step::IdentityChecked, message.said.step()] {
        add(tx, now_ms, &mut row, (Side::Accepting, &step, at_ms), (PARTNER, Some(&message.id)))?;
    }
    Ok(true)
}

/// The newest message of the other side about a handoff.
pub(super) fn newest(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Option<EnvelopeId>, StoreError> {
    let sql =
        "SELECT id FROM partner_message WHERE handoff = $1 AND direction = 'in' ORDER BY seq DESC LIMIT 1";
    tx.query_first(sql, &[id.to_string().into()])?.map(|row| row.parsed(0)).transpose()
}

/// The newest thing that the other side sealed for this centre: an application, or words; none if it is kept no more.
///
/// # Errors
/// [`ServiceError`] if it does not open.
pub fn told(tx: &mut Tx<'_>, own: Own<'_>, row: &Row) -> Result<Option<PartnerContent>, ServiceError> {
    let sql =
        "SELECT document FROM partner_message WHERE handoff = $1 AND direction = 'in' AND state = 'taken'
               AND document <> '' ORDER BY seq DESC LIMIT 50";
    let wrong = |what: &str| ServiceError::Inconsistent(format!("handoff {}: {what}", row.id));
    for stored in tx.query(sql, &[row.id.to_string().into()])? {
        let document: SignedDocument =
            serde_json::from_str(stored.text(0)?).map_err(|_| wrong("a message cannot be read"))?;
        let message =
            PartnerMessage::read(&document.body.0).map_err(|_| wrong("a message cannot be read"))?;
        let Some(sealed) = message.said.sealed() else { continue };
        let key = own.context.keys.sealing.find(&sealed.key_id);
        let key = key.map_err(|e| wrong(&operator::findings::with_causes(&e)))?;
        let key = key.ok_or_else(|| ServiceError::from(ProblemCode::SealingKeyMissing))?;
        let place =
            SealedFor { message: message.id, handoff: message.handoff, from: &message.from, to: &message.to };
        return sealed.open(place, &key).map(Some).map_err(|_| wrong("what was sealed does not open"));
    }
    Ok(None)
}

/// As [`told`]; what does not open is told to operators, and people see that it does not: true then.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn told_if_it_opens(
    tx: &mut Tx<'_>,
    own: Own<'_>,
    row: &Row,
) -> Result<(Option<PartnerContent>, bool), ServiceError> {
    match told(tx, own, row) {
        Ok(content) => Ok((content, false)),
        Err(e @ (ServiceError::Store(_) | ServiceError::Write(_))) => Err(e),
        Err(e) => {
            tracing::warn!(handoff = %row.id, "what another region sealed cannot be read: {e}");
            Ok((None, true))
        }
    }
}
