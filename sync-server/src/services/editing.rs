//! 目录编辑: one draft for each item that is being changed, its way from the one who makes it to the one who checks it.
//!
//! Whoever changed a draft never checks it: that is decided here, whatever roles the caller has. A change names the
//! state it was made from; whoever comes second hears what is stored now. Refuses to judge content beyond its size:
//! that is the catalogue's part.
pub mod candidate;
mod draft;

use std::sync::Arc;

use domain::envelope::Digest;
use domain::ids::ItemCode;
use domain::item::Item;

pub use draft::{Credit, Draft, DraftState, EditError};

use super::audit;
use super::catalogue::{Shelf, Volume};
use crate::auth::names::AccountId;
use crate::error::{ProblemCode, ServiceError};
use crate::store::{Row, StoreError, Tx};

/// The largest content, in bytes of JSON: a form with 200 fields has less than 200 KiB.
pub const MAX_CONTENT_BYTES: usize = 1 << 20;
/// The longest note or reason, in characters.
pub const MAX_NOTE_CHARS: usize = 200;
/// The most drafts at the same time.
pub const MOST_DRAFTS: u64 = 1_000;
/// The most people who work on one draft.
const MOST_MAKERS: usize = 20;

/// What came of a request: done, or why not; beside it, whether the store failed.
pub type Outcome<T> = Result<Result<T, EditError>, StoreError>;

/// Who asks, about which draft, in which state he saw it (0: there was none).
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub by: AccountId,
    /// The item.
    pub code: ItemCode,
    /// The version of the draft that he saw.
    pub seen: u64,
}

const COLUMNS: &str = "code, base_version, content, version, state, makers, editor, note, checker, reason, \
                       begun_at_ms, changed_at_ms";

/// The version that drafts are made from and compared with: the newest one.
///
/// # Errors
/// [`ServiceError`] if the store fails or there is no version yet.
pub fn base(tx: &mut Tx<'_>, shelf: &Shelf) -> Result<Arc<Volume>, ServiceError> {
    Ok(shelf.newest(tx)?.ok_or(ProblemCode::NotFound)?)
}

/// The draft of an item.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn of_item(tx: &mut Tx<'_>, code: &ItemCode) -> Result<Option<Draft>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM catalogue_draft WHERE code = $1");
    tx.query_first(&sql, &[code.as_str().into()])?.map(|row| read(&row)).transpose()
}

/// All drafts by code.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Draft>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM catalogue_draft ORDER BY code LIMIT $1");
    tx.query(&sql, &[MOST_DRAFTS.into()])?.iter().map(read).collect()
}

/// How many drafts are in each state, and in all.
pub fn counts(tx: &mut Tx<'_>) -> Result<(u64, u64), StoreError> {
    let row = tx.query_first(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN state = $1 THEN 1 ELSE 0 END), 0) FROM catalogue_draft",
        &[DraftState::Ready.as_str().into()],
    )?;
    row.map_or(Ok((0, 0)), |r| Ok((r.uint(0)?, r.uint(1)?)))
}

/// Keeps the content of a draft and begins one if there is none. What was ready or approved is being worked on again.
/// `base_version` is the version that the content was made from.
pub fn save(
    tx: &mut Tx<'_>,
    now_ms: i64,
    request: &Request,
    (base_version, item): (u64, &Item),
) -> Outcome<Draft> {
    let content = serde_json::to_string(item).unwrap_or_default();
    if content.len() > MAX_CONTENT_BYTES {
        return Ok(Err(EditError::TooLarge));
    }
    let before = of_item(tx, &request.code)?;
    if before.as_ref().map_or(0, |draft| draft.version) != request.seen {
        return Ok(Err(EditError::Changed));
    }
    match before {
        Some(draft) => change(tx, now_ms, request, &draft, (base_version, &content)),
        None => begin(tx, now_ms, request, (base_version, &content)),
    }
}

fn begin(
    tx: &mut Tx<'_>,
    now_ms: i64,
    request: &Request,
    (base_version, content): (u64, &str),
) -> Outcome<Draft> {
    if counts(tx)?.0 >= MOST_DRAFTS {
        return Ok(Err(EditError::TooMany));
    }
    // Numbers go on where the last draft of the item ended: a page of that one never fits this one.
    let version = u64::try_from(now_ms).unwrap_or(1).max(1);
    tx.execute(
        "INSERT INTO catalogue_draft (code, base_version, content, version, state, makers, editor, note, checker,
             reason, begun_at_ms, changed_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', '', $8, $8)",
        &[
            request.code.as_str().into(),
            base_version.into(),
            content.into(),
            version.into(),
            DraftState::Editing.as_str().into(),
            makers_text(std::slice::from_ref(&request.by)).into(),
            request.by.as_str().into(),
            now_ms.into(),
        ],
    )?;
    told(tx, now_ms, request, "item.draft-begun", content)
}

fn change(
    tx: &mut Tx<'_>,
    now_ms: i64,
    request: &Request,
    draft: &Draft,
    (base_version, content): (u64, &str),
) -> Outcome<Draft> {
    let mut makers = draft.makers.clone();
    if !makers.contains(&request.by) {
        makers.push(request.by.clone());
    }
    if makers.len() > MOST_MAKERS {
        return Ok(Err(EditError::TooMany));
    }
    tx.execute(
        "UPDATE catalogue_draft SET content = $2, version = version + 1, state = $3, makers = $4, editor = $5,
             checker = '', changed_at_ms = $6, base_version = $7 WHERE code = $1",
        &[
            request.code.as_str().into(),
            content.into(),
            DraftState::Editing.as_str().into(),
            makers_text(&makers).into(),
            request.by.as_str().into(),
            now_ms.into(),
            base_version.into(),
        ],
    )?;
    told(tx, now_ms, request, "item.draft-saved", content)
}

/// Takes a draft away: the item stays as it is published.
pub fn discard(tx: &mut Tx<'_>, now_ms: i64, request: &Request) -> Outcome<()> {
    let draft = match seen(tx, request)? {
        Ok(draft) => draft,
        Err(error) => return Ok(Err(error)),
    };
    tx.execute("DELETE FROM catalogue_draft WHERE code = $1", &[request.code.as_str().into()])?;
    note(tx, now_ms, request, "item.draft-discarded", &draft.content)?;
    Ok(Ok(()))
}

/// Hands a draft to the checkers with a note that says why it is made.
pub fn mark_ready(tx: &mut Tx<'_>, now_ms: i64, request: &Request, why: &str) -> Outcome<Draft> {
    let Some(why) = said(why) else { return Ok(Err(EditError::Note)) };
    step(tx, now_ms, request, (DraftState::Editing, DraftState::Ready), |draft| {
        draft.note = why;
        draft.reason.clear();
    })
}

/// Approves a draft that is ready.
pub fn approve(tx: &mut Tx<'_>, now_ms: i64, request: &Request) -> Outcome<Draft> {
    step(tx, now_ms, request, (DraftState::Ready, DraftState::Approved), |draft| {
        draft.checker = Some(request.by.clone());
        draft.reason.clear();
    })
}

/// Sends a draft that is ready or approved back to its makers, with a reason.
pub fn send_back(tx: &mut Tx<'_>, now_ms: i64, request: &Request, why: &str) -> Outcome<Draft> {
    let Some(why) = said(why) else { return Ok(Err(EditError::Note)) };
    let from = match seen(tx, request)? {
        Ok(draft) if draft.state == DraftState::Approved => DraftState::Approved,
        _ => DraftState::Ready,
    };
    step(tx, now_ms, request, (from, DraftState::Editing), |draft| {
        draft.checker = Some(request.by.clone());
        draft.reason = why;
    })
}

/// One step of a draft from a state to another.
fn step(
    tx: &mut Tx<'_>,
    now_ms: i64,
    request: &Request,
    (from, to): (DraftState, DraftState),
    with: impl FnOnce(&mut Draft),
) -> Outcome<Draft> {
    let mut draft = match seen(tx, request)? {
        Ok(draft) => draft,
        Err(error) => return Ok(Err(error)),
    };
    if draft.state != from {
        return Ok(Err(EditError::WrongState));
    }
    let checks = to != DraftState::Ready;
    if checks && draft.makers.contains(&request.by) {
        return Ok(Err(EditError::OwnWork));
    }
    with(&mut draft);
    tx.execute(
        "UPDATE catalogue_draft SET version = version + 1, state = $2, note = $3, checker = $4, reason = $5,
             changed_at_ms = $6 WHERE code = $1",
        &[
            request.code.as_str().into(),
            to.as_str().into(),
            draft.note.as_str().into(),
            draft.checker.as_ref().map_or("", AccountId::as_str).into(),
            draft.reason.as_str().into(),
            now_ms.into(),
        ],
    )?;
    let event = match to {
        DraftState::Editing => "item.draft-sent-back",
        DraftState::Ready => "item.draft-ready",
        DraftState::Approved => "item.draft-approved",
    };
    let content = draft.content.clone();
    told(tx, now_ms, request, event, &content)
}

/// The draft, if it is still as the caller saw it.
fn seen(tx: &mut Tx<'_>, request: &Request) -> Outcome<Draft> {
    Ok(match of_item(tx, &request.code)? {
        None => Err(EditError::Unknown),
        Some(draft) if draft.version != request.seen => Err(EditError::Changed),
        Some(draft) => Ok(draft),
    })
}

/// A note or reason as it is kept.
fn said(text: &str) -> Option<String> {
    let text = text.trim();
    let count = text.chars().count();
    ((1..=MAX_NOTE_CHARS).contains(&count) && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn told(tx: &mut Tx<'_>, now_ms: i64, request: &Request, event: &str, content: &str) -> Outcome<Draft> {
    note(tx, now_ms, request, event, content)?;
    of_item(tx, &request.code)?.map(Ok).ok_or(StoreError::Stored { what: "draft" })
}

fn note(
    tx: &mut Tx<'_>,
    now_ms: i64,
    request: &Request,
    event: &str,
    content: &str,
) -> Result<(), StoreError> {
    let digest = Digest::of(content.as_bytes()).to_string();
    let (actor, subject) = (request.by.as_str(), request.code.as_str());
    audit::append(tx, now_ms, audit::Event { actor, event, subject, object_digest: &digest })
}

fn makers_text(makers: &[AccountId]) -> String {
    makers.iter().fold(" ".to_owned(), |text, id| text + id.as_str() + " ")
}

fn read(row: &Row) -> Result<Draft, StoreError> {
    let unreadable = StoreError::Stored { what: "makers" };
    let makers = row.text(5)?.split_whitespace().map(str::parse).collect::<Result<_, _>>();
    let checker = row.text(8)?;
    Ok(Draft {
        code: row.parsed(0)?,
        base_version: row.uint(1)?,
        content: row.text(2)?.to_owned(),
        version: row.uint(3)?,
        state: row.text(4)?.parse().map_err(|()| StoreError::Stored { what: "state of a draft" })?,
        makers: makers.map_err(|_| unreadable)?,
        editor: row.parsed(6)?,
        note: row.text(7)?.to_owned(),
        checker: if checker.is_empty() { None } else { Some(row.parsed(8)?) },
        reason: row.text(9)?.to_owned(),
        begun_at_ms: row.int(10)?,
        changed_at_ms: row.int(11)?,
    })
}

#[cfg(test)]
#[path = "editing_tests.rs"]
mod tests;
