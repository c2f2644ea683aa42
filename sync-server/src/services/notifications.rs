//! 短信: messages to citizens about their cases, queued in the transaction of the action that they tell of.
//!
//! A row says that somebody is to be told and how far that has come; number and words are taken from the case when it is
//! sent. States only rise, so that whatever a gateway reports late, twice or in the wrong order takes nothing back.
//! Refuses to say with what a case ended.
use domain::case::{Action, Recorded};
use domain::ids::{CaseNo, EnvelopeId};

use crate::error::ServiceError;
use crate::store::{Row, StoreError, Tx, Value};

/// What is not sent within so long is not sent any more: it would tell what is over. Three days.
pub const LIFE_MS: i64 = 3 * 24 * 3_600 * 1_000;
/// A message that was handed over and of which nothing is known since is handed over again after this: ten minutes.
pub const IN_HAND_MS: i64 = 10 * 60 * 1_000;
/// Nothing waits so long: what is due later was put off by a clock that had jumped ahead. Two hours.
const TOO_FAR_MS: i64 = 2 * 3_600 * 1_000;
/// Tries, at most.
pub const MAX_TRIES: u64 = 6;
/// Rows on a page.
pub const PAGE: u64 = 50;
/// Messages of a case that are shown, at most.
const MAX_OF_CASE: u64 = 50;
/// Rows that are over are kept for so long: 400 days.
const KEPT_MS: i64 = 400 * 24 * 3_600 * 1_000;
/// Rows forgotten in one go, at most.
const TRIMMED_TOGETHER: u64 = 1_000;
/// The list counts messages of so many days: 30.
const COUNTED_MS: i64 = 30 * 24 * 3_600 * 1_000;
/// Longest name of a gateway for a message that is kept, in bytes: what SMPP allows.
const MAX_GATEWAY_ID: usize = 65;

macro_rules! named {
    ($(#[$doc:meta])+ $name:ident { $($(#[$variant_doc:meta])+ $variant:ident $text:literal,)* }) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])+ $variant,)* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[$name] = &[$(Self::$variant),*];

            /// The name in the store, in texts and in addresses.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
    };
}

named! {
    /// What a message tells.
    Kind {
        /// 已受理: the clock runs.
        Accepted "accepted",
        /// 补正: something is missing.
        Supplement "supplement",
        /// 退回: it could not be taken.
        Returned "returned",
        /// 已办结: it is decided, one way or the other.
        Completed "completed",
    }
}

named! {
    /// How far a message has come. Only rises.
    State {
        /// It waits for its turn.
        Queued "queued",
        /// It was handed over; the gateway has not answered yet.
        Sending "sending",
        /// The gateway took it.
        Sent "sent",
        /// It is not sent: the case went on meanwhile.
        Overtaken "overtaken",
        /// It is not sent: it would come too late.
        Expired "expired",
        /// It cannot be sent: the case has no mobile number, or was erased.
        Unreachable "unreachable",
        /// It did not arrive.
        Failed "failed",
        /// It arrived.
        Delivered "delivered",
    }
}

impl Kind {
    /// What an action tells the citizen; most tell nothing.
    pub fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Accepted { .. } => Some(Self::Accepted),
            Action::SupplementSent { .. } => Some(Self::Supplement),
            Action::Returned { .. } => Some(Self::Returned),
            Action::Completed { .. } => Some(Self::Completed),
            _ => None,
        }
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The case.
    pub envelope_id: EnvelopeId,
    /// The action that it tells of.
    pub version: u64,
    /// What it tells.
    pub kind: Kind,
    /// How far it has come.
    pub state: State,
    /// How often it was handed over.
    pub tries: u64,
    /// When it was queued, milliseconds since 1970.
    pub queued_at_ms: i64,
    /// When it last changed, milliseconds since 1970.
    pub changed_at_ms: i64,
    /// When something is to be done for it, milliseconds since 1970.
    pub next_ms: Option<i64>,
    /// Why it failed or waits, a short word; may be empty.
    pub reason: String,
}

const COLUMNS: &str = "n.envelope_id, n.version, n.kind, n.state, n.tries, n.queued_at_ms, n.changed_at_ms, n.next_ms, \
                       n.reason";

/// Queues what an action tells. What waits of the same case is overtaken by it.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn queue(tx: &mut Tx<'_>, id: &EnvelopeId, recorded: &Recorded) -> Result<(), ServiceError> {
    let Some(kind) = Kind::of(&recorded.action) else { return Ok(()) };
    tx.execute(
        "UPDATE notification SET state = $2, next_ms = NULL, changed_at_ms = $3
         WHERE envelope_id = $1 AND state = $4",
        &[
            id.to_string().into(),
            State::Overtaken.as_str().into(),
            recorded.at_ms.into(),
            State::Queued.as_str().into(),
        ],
    )?;
    tx.execute(
        "INSERT INTO notification (envelope_id, version, kind, state, tries, queued_at_ms, changed_at_ms, next_ms,
             gateway_id, reason) VALUES ($1, $2, $3, $4, 0, $5, $5, $5, NULL, '')",
        &[
            id.to_string().into(),
            recorded.version.into(),
            kind.as_str().into(),
            State::Queued.as_str().into(),
            recorded.at_ms.into(),
        ],
    )?;
    Ok(())
}

/// Messages for which something is to be done by now, the longest waiting first; and those that wait for a time that only
/// a clock that had jumped ahead can have named.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn due(tx: &mut Tx<'_>, now_ms: i64, limit: u64) -> Result<Vec<Notification>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM notification n
         WHERE n.next_ms IS NOT NULL AND (n.next_ms <= $1 OR n.next_ms > $2)
         ORDER BY n.next_ms, n.envelope_id, n.version LIMIT $3"
    );
    let values = [now_ms.into(), now_ms.saturating_add(TOO_FAR_MS).into(), limit.into()];
    tx.query(&sql, &values)?.iter().map(read).collect()
}

/// Notes that a message is about to be handed over; says no if somebody else was quicker, or it changed.
///
/// # Errors
/// As [`due`].
pub fn claim(tx: &mut Tx<'_>, now_ms: i64, of: &Notification) -> Result<bool, StoreError> {
    let done = tx.execute(
        "UPDATE notification SET state = $4, tries = tries + 1, changed_at_ms = $5, next_ms = $6
         WHERE envelope_id = $1 AND version = $2 AND state = $7 AND tries = $3",
        &[
            of.envelope_id.to_string().into(),
            of.version.into(),
            of.tries.into(),
            State::Sending.as_str().into(),
            now_ms.into(),
            now_ms.saturating_add(IN_HAND_MS).into(),
            of.state.as_str().into(),
        ],
    )?;
    Ok(done == 1)
}

/// Lets a message rise to a state, with a short word why; one that is as far or farther stays.
///
/// # Errors
/// As [`due`].
pub fn rise(
    tx: &mut Tx<'_>,
    now_ms: i64,
    of: (&EnvelopeId, u64),
    (state, gateway_id, reason): (State, Option<&str>, &str),
) -> Result<bool, StoreError> {
    let gateway_id = gateway_id.filter(|id| !id.is_empty() && id.len() <= MAX_GATEWAY_ID);
    let (id, version) = of;
    let sql = format!(
        "UPDATE notification SET state = $3, changed_at_ms = $4, next_ms = NULL, reason = $5,
             gateway_id = COALESCE($6, gateway_id)
         WHERE envelope_id = $1 AND version = $2 AND state IN ({})",
        below(state)
    );
    let done = tx.execute(
        &sql,
        &[
            id.to_string().into(),
            version.into(),
            state.as_str().into(),
            now_ms.into(),
            reason.into(),
            Value::from(gateway_id),
        ],
    )?;
    Ok(done == 1)
}

/// Puts a message that was handed over and not taken back into the queue until a moment. `counts`: this was a try.
///
/// # Errors
/// As [`due`].
pub fn put_off(
    tx: &mut Tx<'_>,
    now_ms: i64,
    of: (&EnvelopeId, u64),
    (next_ms, reason, counts): (i64, &str, bool),
) -> Result<(), StoreError> {
    let (id, version) = of;
    tx.execute(
        "UPDATE notification SET state = $3, changed_at_ms = $4, next_ms = $5, reason = $6, tries = tries - $8
         WHERE envelope_id = $1 AND version = $2 AND state = $7",
        &[
            id.to_string().into(),
            version.into(),
            State::Queued.as_str().into(),
            now_ms.into(),
            next_ms.into(),
            reason.into(),
            State::Sending.as_str().into(),
            u64::from(!counts).into(),
        ],
    )?;
    Ok(())
}

/// Lets a message wait until a moment, or ends it, if it still stands as it was seen.
///
/// # Errors
/// As [`due`].
pub fn set_aside(
    tx: &mut Tx<'_>,
    now_ms: i64,
    of: &Notification,
    (state, next_ms, reason): (State, Option<i64>, &str),
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE notification SET state = $5, next_ms = $6, reason = $7, changed_at_ms = $8
         WHERE envelope_id = $1 AND version = $2 AND state = $3 AND tries = $4",
        &[
            of.envelope_id.to_string().into(),
            of.version.into(),
            of.state.as_str().into(),
            of.tries.into(),
            state.as_str().into(),
            Value::from(next_ms),
            reason.into(),
            now_ms.into(),
        ],
    )?;
    Ok(())
}

/// Whether the case told something newer since.
///
/// # Errors
/// As [`due`].
pub fn is_overtaken(tx: &mut Tx<'_>, of: &Notification) -> Result<bool, StoreError> {
    let sql = "SELECT COUNT(*) FROM notification WHERE envelope_id = $1 AND version > $2";
    Ok(tx.query_int(sql, &[of.envelope_id.to_string().into(), of.version.into()])? > 0)
}

/// Takes what a gateway reports of a message; says no if no message has this name.
///
/// # Errors
/// As [`due`].
pub fn report(
    tx: &mut Tx<'_>,
    now_ms: i64,
    gateway_id: &str,
    (state, reason): (State, &str),
) -> Result<bool, StoreError> {
    let sql = "SELECT envelope_id, version FROM notification WHERE gateway_id = $1
               ORDER BY queued_at_ms DESC LIMIT 1";
    let Some(row) = tx.query_first(sql, &[gateway_id.into()])? else { return Ok(false) };
    let id: EnvelopeId = row.parsed(0)?;
    rise(tx, now_ms, (&id, row.uint(1)?), (state, None, reason))?;
    Ok(true)
}

/// Queues a message again that failed or expired; says no if it stands otherwise.
///
/// # Errors
/// As [`due`].
pub fn again(tx: &mut Tx<'_>, now_ms: i64, of: (&EnvelopeId, u64)) -> Result<bool, StoreError> {
    let (id, version) = of;
    let done = tx.execute(
        "UPDATE notification SET state = $3, tries = 0, queued_at_ms = $4, changed_at_ms = $4, next_ms = $4,
             gateway_id = NULL, reason = '' WHERE envelope_id = $1 AND version = $2 AND state IN ($5, $6)",
        &[
            id.to_string().into(),
            version.into(),
            State::Queued.as_str().into(),
            now_ms.into(),
            State::Failed.as_str().into(),
            State::Expired.as_str().into(),
        ],
    )?;
    Ok(done == 1)
}

/// Forgets messages that were over long ago.
///
/// # Errors
/// As [`due`].
pub fn trim(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, StoreError> {
    let sql = "DELETE FROM notification WHERE (envelope_id, version) IN
               (SELECT envelope_id, version FROM notification WHERE queued_at_ms < $1 AND next_ms IS NULL
                ORDER BY queued_at_ms LIMIT $2)";
    tx.execute(sql, &[now_ms.saturating_sub(KEPT_MS).into(), TRIMMED_TOGETHER.into()])
}

/// When the oldest message was queued that still waits, milliseconds since 1970.
///
/// # Errors
/// As [`due`].
pub fn oldest_waiting_ms(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    let row = tx.query_first("SELECT MIN(queued_at_ms) FROM notification WHERE next_ms IS NOT NULL", &[])?;
    row.map_or(Ok(None), |row| row.int_or_null(0))
}

/// How many messages of the last 30 days there are in each state.
///
/// # Errors
/// As [`due`].
pub fn counts(tx: &mut Tx<'_>, now_ms: i64) -> Result<Vec<(State, u64)>, StoreError> {
    let sql =
        "SELECT state, COUNT(*) FROM notification WHERE queued_at_ms > $1 GROUP BY state ORDER BY state";
    let rows = tx.query(sql, &[now_ms.saturating_sub(COUNTED_MS).into()])?;
    rows.iter().map(|row| Ok((state(row.text(0)?)?, row.uint(1)?))).collect()
}

/// How many messages did not arrive.
///
/// # Errors
/// As [`due`].
pub fn failed(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let sql = "SELECT COUNT(*) FROM notification WHERE state = 'failed'";
    tx.query_first(sql, &[])?.map_or(Ok(0), |row| row.uint(0))
}

/// A place in the list: when a message was queued, of which case, by which action.
pub type Place = (i64, EnvelopeId, u64);

/// Messages with their cases' numbers.
pub type Listed = Vec<(Notification, CaseNo)>;

/// A page of messages, the newest first, each with its case's number; and the last of them if there are more.
///
/// # Errors
/// As [`due`].
pub fn list(
    tx: &mut Tx<'_>,
    only: Option<State>,
    after: Option<&Place>,
) -> Result<(Listed, Option<Place>), StoreError> {
    // Each walks its own index.
    let of_state = if only.is_some() { "n.state = $1" } else { "$1 = ''" };
    let sql = format!(
        "SELECT {COLUMNS}, c.number FROM notification n JOIN case_ c ON c.envelope_id = n.envelope_id
         WHERE {of_state} AND ($2 = '' OR n.queued_at_ms < $3
             OR (n.queued_at_ms = $3 AND (n.envelope_id < $2 OR (n.envelope_id = $2 AND n.version < $4))))
         ORDER BY n.queued_at_ms DESC, n.envelope_id DESC, n.version DESC LIMIT $5"
    );
    let (at_ms, id, version) =
        after.map_or((0, String::new(), 0), |(at_ms, id, version)| (*at_ms, id.to_string(), *version));
    let values =
        [only.map_or("", State::as_str).into(), id.into(), at_ms.into(), version.into(), (PAGE + 1).into()];
    let rows = tx.query(&sql, &values)?;
    let mut found: Listed =
        rows.iter().map(|row| Ok((read(row)?, row.parsed(9)?))).collect::<Result<_, StoreError>>()?;
    let more = found.len() as u64 > PAGE;
    found.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let last = found.last().filter(|_| more);
    let last = last.map(|(n, _)| (n.queued_at_ms, n.envelope_id, n.version));
    Ok((found, last))
}

/// The messages of a case, the newest first.
///
/// # Errors
/// As [`due`].
pub fn of_case(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Notification>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM notification n WHERE n.envelope_id = $1 ORDER BY n.version DESC LIMIT $2"
    );
    tx.query(&sql, &[id.to_string().into(), MAX_OF_CASE.into()])?.iter().map(read).collect()
}

/// The states below one, as a list of SQL; the names are this file's own.
fn below(state: State) -> String {
    let names: Vec<String> = State::ALL
        .iter()
        .filter(|other| **other < state)
        .map(|other| format!("'{}'", other.as_str()))
        .collect();
    if names.is_empty() { "''".to_owned() } else { names.join(", ") }
}

fn state(name: &str) -> Result<State, StoreError> {
    State::from_name(name).ok_or(StoreError::Stored { what: "state of a message" })
}

fn read(row: &Row) -> Result<Notification, StoreError> {
    Ok(Notification {
        envelope_id: row.parsed(0)?,
        version: row.uint(1)?,
        kind: Kind::from_name(row.text(2)?).ok_or(StoreError::Stored { what: "kind of a message" })?,
        state: state(row.text(3)?)?,
        tries: row.uint(4)?,
        queued_at_ms: row.int(5)?,
        changed_at_ms: row.int(6)?,
        next_ms: row.int_or_null(7)?,
        reason: row.text(8)?.to_owned(),
    })
}
