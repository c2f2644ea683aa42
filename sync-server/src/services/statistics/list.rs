//! The cases behind a figure, newest first, a page by cursor: numbers, items and times, nothing of a person.
use domain::ids::{CaseNo, EnvelopeId};

use super::{Filter, facts};
use crate::store::{Row, StoreError, Tx, Value};

/// Cases on a page.
pub const PAGE: u64 = 50;

/// Which of the cases of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All that were opened.
    All,
    /// Decided.
    Decided,
    /// Not decided yet.
    Open,
    /// Decided without a supplement.
    FirstTime,
    /// Decided after one.
    Supplemented,
    /// Over the promised time.
    Overdue,
    /// In no time and no share.
    Excluded,
    /// Those that took longer than so many seconds by the clock of the promise.
    Slower(i64),
}

impl Of {
    /// The name in an address.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Decided => "decided",
            Self::Open => "open",
            Self::FirstTime => "first",
            Self::Supplemented => "supplemented",
            Self::Overdue => "overdue",
            Self::Excluded => "excluded",
            Self::Slower(_) => "slower",
        }
    }

    /// As it was named in an address.
    pub fn from_name(name: &str, seconds: i64) -> Option<Self> {
        [
            Self::All,
            Self::Decided,
            Self::Open,
            Self::FirstTime,
            Self::Supplemented,
            Self::Overdue,
            Self::Excluded,
            Self::Slower(seconds),
        ]
        .into_iter()
        .find(|of| of.name() == name)
    }
}

/// A case as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Its number.
    pub number: CaseNo,
    /// Item or bundle; empty if the envelope named none.
    pub item: String,
    /// Where it was handed in.
    pub station: String,
    /// How it ended, or that it has not.
    pub state: String,
    /// When it was received, milliseconds since 1970.
    pub received_at_ms: i64,
    /// Time until the decision by the clock of the promise, in seconds.
    pub used_s: Option<i64>,
    /// By which clock; empty before it is decided.
    pub clock: String,
    /// The same by the wall.
    pub wall_s: Option<i64>,
    /// How often a supplement was asked for.
    pub rounds: u64,
    /// It is or was over the promised time.
    pub overdue: bool,
    /// Its place in the list.
    pub place: Place,
}

/// A place in the list: day and case.
pub type Place = (i64, EnvelopeId);

/// A page, and where the next one begins.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn page(
    tx: &mut Tx<'_>,
    filter: &Filter,
    of: Of,
    (before, limit): (Option<Place>, u64),
) -> Result<(Vec<Counted>, Option<Place>), StoreError> {
    let (mut condition, mut values) = filter.condition();
    let excluded = || facts::EXCLUDED.map(|state| format!("'{state}'")).join(", ");
    let decided = || format!(" AND f.state NOT IN ('{}', {})", facts::OPEN, excluded());
    let more = match of {
        Of::All => String::new(),
        Of::Decided => decided(),
        Of::Open => format!(" AND f.state = '{}'", facts::OPEN),
        Of::FirstTime => decided() + " AND f.rounds = 0",
        Of::Supplemented => decided() + " AND f.rounds > 0",
        Of::Overdue => format!(" AND f.overdue = 1 AND f.state NOT IN ({})", excluded()),
        Of::Excluded => format!(" AND f.state IN ({})", excluded()),
        Of::Slower(seconds) => {
            values.push(seconds.into());
            format!(" AND f.used_s > ${}", values.len())
        }
    };
    condition.push_str(&more);
    if let Some((day, id)) = before {
        values.extend([Value::from(day), id.to_string().into()]);
        let n = values.len();
        condition.push_str(&format!(" AND (f.day_, f.envelope_id) < (${}, ${n})", n - 1));
    }
    values.push((limit + 1).into());
    let sql = format!(
        "SELECT c.number, f.item, f.station, f.state, c.received_at_ms, f.used_s, f.wall_s, f.rounds, f.overdue,
             f.day_, f.envelope_id, f.clock
         FROM case_fact f JOIN case_ c ON c.envelope_id = f.envelope_id WHERE {condition}
         ORDER BY f.day_ DESC, f.envelope_id DESC LIMIT ${}",
        values.len()
    );
    let mut cases: Vec<_> = tx.query(&sql, &values)?.iter().map(read).collect::<Result<_, _>>()?;
    let more = cases.len() as u64 > limit;
    cases.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = cases.last().filter(|_| more).map(|case: &Counted| case.place);
    Ok((cases, next))
}

fn read(row: &Row) -> Result<Counted, StoreError> {
    Ok(Counted {
        number: row.parsed(0)?,
        item: row.text(1)?.to_owned(),
        station: row.text(2)?.to_owned(),
        state: row.text(3)?.to_owned(),
        received_at_ms: row.int(4)?,
        used_s: row.int_or_null(5)?,
        wall_s: row.int_or_null(6)?,
        rounds: row.uint(7)?,
        overdue: row.int(8)? != 0,
        place: (row.int(9)?, row.parsed(10)?),
        clock: row.text(11)?.to_owned(),
    })
}
