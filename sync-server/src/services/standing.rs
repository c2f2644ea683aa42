//! 终端的情况: how each terminal stands, what it last said that it holds, and what of its series never came.
//!
//! A terminal that is lost says nothing more: what is shown of it is what was known, and since when nothing is. Refuses
//! to guess what lies on its disk.
use domain::ids::{StationId, TerminalId};
use domain::wire::v1::{DeviceReport, DeviceTrouble};

use super::accounts::containing;
use crate::store::{Row, StoreError, Tx};

/// A terminal tells how it is every minute; one that was not heard for so long is silent, milliseconds.
pub const SILENT_MS: i64 = 15 * 60_000;
/// Terminals on a page of the list.
pub const PAGE: u64 = 50;
/// Stretches of a series that are shown as missing, at most.
pub const MAX_STRETCHES: u64 = 20;
/// Series of a terminal that are shown, at most.
const MAX_SERIES: u64 = 20;
/// Steps that are shown, at most.
const MAX_STEPS: u64 = 30;

/// How a terminal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its id.
    pub terminal: TerminalId,
    /// Where it stands.
    pub station: StationId,
    /// The name of that station.
    pub station_name: String,
    /// It may send.
    pub active: bool,
    /// Version of its program at enrolment.
    pub software: String,
    /// When it was enrolled, milliseconds since 1970.
    pub enrolled_at_ms: i64,
    /// The end of its newest certificate, milliseconds since 1970, if it has one.
    pub certificate_until_ms: Option<i64>,
    /// When an envelope of it was taken in last, milliseconds since 1970.
    pub sent_ms: Option<i64>,
    /// Places of its series that never came, up to the highest one seen.
    pub missing: u64,
    /// A series of it forked: its disk was copied.
    pub forked: bool,
    /// Its last heartbeat.
    pub heard: Option<Heard>,
}

/// What a terminal last said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// When, milliseconds since 1970 by the centre's clock.
    pub at_ms: i64,
    /// The catalogue version that it runs.
    pub catalogue: u64,
    /// Version of its program.
    pub program: String,
    /// Submissions that wait on it.
    pub queued: u64,
    /// When the oldest of them was saved, milliseconds since 1970 by its clock.
    pub oldest_ms: Option<i64>,
    /// Submissions that it does not send by itself any more.
    pub parked: u64,
    /// Bytes free on its disk.
    pub disk_free: Option<u64>,
    /// The centre's clock minus its own, milliseconds.
    pub clock_offset_ms: Option<i64>,
    /// How its devices are.
    pub devices: Vec<DeviceReport>,
}

impl Heard {
    /// The devices that do not work: paper that is low or left lying, or one reader of two, stops nothing.
    pub fn broken(&self) -> impl Iterator<Item = &DeviceReport> {
        let works = [
            None,
            Some(DeviceTrouble::PaperLow),
            Some(DeviceTrouble::Unclaimed),
            Some(DeviceTrouble::OneLost),
        ];
        self.devices.iter().filter(move |device| !works.contains(&device.trouble))
    }
}

impl Standing {
    /// Since when nothing is known of it, milliseconds since 1970.
    pub fn known_ms(&self) -> i64 {
        let heard = self.heard.as_ref().map(|heard| heard.at_ms);
        self.enrolled_at_ms.max(self.sent_ms.unwrap_or(0)).max(heard.unwrap_or(0))
    }

    /// Whether nothing was heard of it for long.
    pub fn is_silent(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.known_ms()) > SILENT_MS
    }
}

/// Which terminals are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// In id, station or its name.
    pub text: String,
    /// Only those that may send, or only those that may not.
    pub active: Option<bool>,
    /// Those after this one.
    pub after: Option<TerminalId>,
}

const COLUMNS: &str = "t.id, t.station, s.name, t.status, t.software, t.enrolled_at_ms, t.certificate_until_ms, \
                       (SELECT MAX(changed_at_ms) FROM series WHERE terminal = t.id), \
                       (SELECT CAST(COALESCE(SUM(highest_seq - seqs_seen), 0) AS BIGINT) FROM series \
                           WHERE terminal = t.id), \
                       (SELECT COUNT(*) FROM series WHERE terminal = t.id AND state = 'forked'), \
                       h.at_ms, h.catalogue, h.program, h.queued, h.oldest_ms, h.parked, h.disk_free, \
                       h.clock_offset_ms, h.devices \
                       FROM terminal t JOIN station s ON s.id = t.station LEFT JOIN heartbeat h ON h.terminal = t.id";

/// A page of terminals by their ids, and the last of them if there are more.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn list(tx: &mut Tx<'_>, filter: &Filter) -> Result<(Vec<Standing>, Option<TerminalId>), StoreError> {
    let status = match filter.active {
        None => "",
        Some(true) => "active",
        Some(false) => "blocked",
    };
    let after = filter.after.as_ref().map_or("", TerminalId::as_str);
    let sql = format!(
        "SELECT {COLUMNS} WHERE ($1 = '' OR t.status = $1)
             AND (LOWER(t.id) LIKE $2 ESCAPE '!' OR LOWER(t.station) LIKE $2 ESCAPE '!'
                 OR LOWER(s.name) LIKE $2 ESCAPE '!')
             AND ($3 = '' OR LENGTH(t.id) > LENGTH($3) OR (LENGTH(t.id) = LENGTH($3) AND t.id > $3))
         ORDER BY LENGTH(t.id), t.id LIMIT $4"
    );
    let values = [status.into(), containing(&filter.text).into(), after.into(), (PAGE + 1).into()];
    let rows = tx.query(&sql, &values)?;
    let mut found: Vec<Standing> = rows.iter().map(read).collect::<Result<_, _>>()?;
    let more = found.len() as u64 > PAGE;
    found.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|last| last.terminal.clone());
    Ok((found, next))
}

/// One terminal.
///
/// # Errors
/// As [`list`].
pub fn of(tx: &mut Tx<'_>, terminal: &TerminalId) -> Result<Option<Standing>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE t.id = $1");
    let row = tx.query_first(&sql, &[terminal.as_str().into()])?;
    row.map(|row| read(&row)).transpose()
}

/// How many terminals there are, and how many of them may not send.
///
/// # Errors
/// As [`list`].
pub fn counts(tx: &mut Tx<'_>) -> Result<(u64, u64), StoreError> {
    let sql =
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN status = 'active' THEN 0 ELSE 1 END), 0) FROM terminal";
    tx.query_first(sql, &[])?.map_or(Ok((0, 0)), |row| Ok((row.uint(0)?, row.uint(1)?)))
}

/// A series of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesStanding {
    /// Its random id.
    pub lineage: String,
    /// `active`, `superseded` or `forked`.
    pub state: String,
    /// The highest place seen.
    pub highest: u64,
    /// Places that came.
    pub seen: u64,
    /// Stretches that did not come, first and last place of each, at most [`MAX_STRETCHES`].
    pub missing: Vec<(u64, u64)>,
}

/// The series of a terminal, the newest first, each with what never came.
///
/// # Errors
/// As [`list`].
pub fn series(tx: &mut Tx<'_>, terminal: &TerminalId) -> Result<Vec<SeriesStanding>, StoreError> {
    let rows = tx.query(
        "SELECT lineage, state, highest_seq, seqs_seen FROM series WHERE terminal = $1 ORDER BY place DESC LIMIT $2",
        &[terminal.as_str().into(), MAX_SERIES.into()],
    )?;
    let mut found = Vec::new();
    for row in rows {
        let (lineage, highest, seen) = (row.text(0)?.to_owned(), row.uint(2)?, row.uint(3)?);
        let missing = if highest > seen { missing(tx, terminal, &lineage)? } else { Vec::new() };
        found.push(SeriesStanding { lineage, state: row.text(1)?.to_owned(), highest, seen, missing });
    }
    Ok(found)
}

/// Stretches between places that came: each ends before a place without the one before it.
fn missing(tx: &mut Tx<'_>, terminal: &TerminalId, lineage: &str) -> Result<Vec<(u64, u64)>, StoreError> {
    let rows = tx.query(
        "SELECT e.seq, COALESCE((SELECT MAX(b.seq) FROM envelope b
                 WHERE b.terminal = $1 AND b.lineage = $2 AND b.seq < e.seq), 0)
         FROM envelope e
         WHERE e.terminal = $1 AND e.lineage = $2 AND e.seq > 1 AND NOT EXISTS (SELECT 1 FROM envelope n
                 WHERE n.terminal = $1 AND n.lineage = $2 AND n.seq = e.seq - 1)
         GROUP BY e.seq ORDER BY e.seq LIMIT $3",
        &[terminal.as_str().into(), lineage.into(), MAX_STRETCHES.into()],
    )?;
    rows.iter().map(|row| Ok((row.uint(1)? + 1, row.uint(0)?.saturating_sub(1)))).collect()
}

/// Something that people did with a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepTaken {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The account, `operator` for the command line, or the terminal itself.
    pub actor: String,
    /// What: `enrolled`, `block`, `unblock`, `replace`.
    pub step: String,
    /// Why, or what it replaces.
    pub reason: String,
}

/// What was done with a terminal, the newest first.
///
/// # Errors
/// As [`list`].
pub fn steps(tx: &mut Tx<'_>, terminal: &TerminalId) -> Result<Vec<StepTaken>, StoreError> {
    let rows = tx.query(
        "SELECT at_ms, actor, step, reason FROM terminal_step WHERE terminal = $1 ORDER BY id DESC LIMIT $2",
        &[terminal.as_str().into(), MAX_STEPS.into()],
    )?;
    let text = |row: &Row, n| row.text(n).map(str::to_owned);
    rows.iter()
        .map(|r| {
            Ok(StepTaken { at_ms: r.int(0)?, actor: text(r, 1)?, step: text(r, 2)?, reason: text(r, 3)? })
        })
        .collect()
}

fn read(row: &Row) -> Result<Standing, StoreError> {
    let heard = match row.int_or_null(10)? {
        None => None,
        Some(at_ms) => Some(Heard {
            at_ms,
            catalogue: row.uint(11)?,
            program: row.text(12)?.to_owned(),
            queued: row.uint(13)?,
            oldest_ms: row.int_or_null(14)?,
            parked: row.uint(15)?,
            disk_free: row.int_or_null(16)?.and_then(|n| u64::try_from(n).ok()),
            clock_offset_ms: row.int_or_null(17)?,
            devices: devices(row.text_or_null(18)?),
        }),
    };
    Ok(Standing {
        terminal: row.parsed(0)?,
        station: row.parsed(1)?,
        station_name: row.text(2)?.to_owned(),
        active: row.text(3)? == "active",
        software: row.text(4)?.to_owned(),
        enrolled_at_ms: row.int(5)?,
        certificate_until_ms: row.int_or_null(6)?,
        sent_ms: row.int_or_null(7)?,
        missing: row.uint(8)?,
        forked: row.uint(9)? > 0,
        heard,
    })
}

/// What a later program wrote and this one does not understand is left out.
fn devices(stored: Option<&str>) -> Vec<DeviceReport> {
    stored.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}
