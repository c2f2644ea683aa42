//! 查询记录: each look into a data source for a case: which one, what for, on what ground, with whose consent, and whether it
//! answered. Never what it said. The citizen is shown this list.
use domain::ids::EnvelopeId;
use domain::rules::Why;

use crate::store::{Row, StoreError, Tx};

/// Looks of one case that are kept, at most: it is asked again with growing pauses, and that has an end.
pub const MAX_LOOKS: u64 = 1_000;

/// With whose consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// The citizen signed the form, which says what is looked up.
    Signed,
    /// There is none: nothing was asked.
    None,
}

impl Consent {
    /// All.
    pub const ALL: [Consent; 2] = [Self::Signed, Self::None];

    /// The name in the store and in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::None => "none",
        }
    }
}

/// Whether a source answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// It did.
    Yes,
    /// It did not, or not in time.
    Down,
    /// What came made no sense.
    Unusable,
    /// It was not asked: no consent.
    NotAsked,
}

impl Answered {
    /// All.
    pub const ALL: [Answered; 4] = [Self::Yes, Self::Down, Self::Unusable, Self::NotAsked];

    /// The name in the store and in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Down => "down",
            Self::Unusable => "unusable",
            Self::NotAsked => "not_asked",
        }
    }

    /// What a rule set is told of it.
    pub fn of(answer: Result<(), Why>) -> Self {
        match answer {
            Ok(()) => Self::Yes,
            Err(Why::Unusable) => Self::Unusable,
            Err(Why::NoConsent | Why::NotAsked) => Self::NotAsked,
            Err(_) => Self::Down,
        }
    }
}

/// One look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The source.
    pub source: String,
    /// What for.
    pub purpose: String,
    /// On what ground.
    pub basis: String,
    /// With whose consent.
    pub consent: Consent,
    /// It was a simulator.
    pub simulated: bool,
    /// When, milliseconds since 1970.
    pub asked_at_ms: i64,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// Whether it answered.
    pub answered: Answered,
}

/// Writes looks of a case behind those that are there.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn write(tx: &mut Tx<'_>, id: &EnvelopeId, looks: &[Look]) -> Result<(), StoreError> {
    let id = id.to_string();
    let sql = "SELECT COUNT(*) FROM source_look WHERE envelope_id = $1";
    let before = tx.query_int(sql, &[id.clone().into()])?;
    for (place, look) in (before + 1..).zip(looks) {
        tx.execute(
            "INSERT INTO source_look (envelope_id, place, source, purpose, basis, consent, simulated, asked_at_ms,
                 took_ms, answered) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            &[
                id.clone().into(),
                place.into(),
                look.source.as_str().into(),
                look.purpose.as_str().into(),
                look.basis.as_str().into(),
                look.consent.as_str().into(),
                u64::from(look.simulated).into(),
                look.asked_at_ms.into(),
                look.took_ms.into(),
                look.answered.as_str().into(),
            ],
        )?;
    }
    Ok(())
}

/// The looks of a case, the newest first.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn of_case(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Look>, StoreError> {
    let rows = tx.query(
        "SELECT source, purpose, basis, consent, simulated, asked_at_ms, took_ms, answered FROM source_look
         WHERE envelope_id = $1 ORDER BY place DESC LIMIT $2",
        &[id.to_string().into(), MAX_LOOKS.into()],
    )?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Look, StoreError> {
    let wrong = || StoreError::Stored { what: "look" };
    Ok(Look {
        source: row.text(0)?.to_owned(),
        purpose: row.text(1)?.to_owned(),
        basis: row.text(2)?.to_owned(),
        consent: named(&Consent::ALL, Consent::as_str, row.text(3)?).ok_or_else(wrong)?,
        simulated: row.int(4)? != 0,
        asked_at_ms: row.int(5)?,
        took_ms: row.int(6)?,
        answered: named(&Answered::ALL, Answered::as_str, row.text(7)?).ok_or_else(wrong)?,
    })
}

fn named<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, wanted: &str) -> Option<T> {
    all.iter().copied().find(|one| name(*one) == wanted)
}
