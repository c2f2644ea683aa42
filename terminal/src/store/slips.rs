//! A person's own slips, found by the card just read; and what waits on this machine.
use domain::case::CaseState;
use domain::ids::{CaseNo, EnvelopeId, ItemCode};
use rusqlite::{OptionalExtension as _, Row};

use super::statements::Kept as _;
use super::{Store, StoreError, device_key};
use crate::model::{CaseLine, Marks, PagesSent, QueueView};

/// What stands on the paper of a slip. Nothing of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipToPrint {
    /// Its number.
    pub number: CaseNo,
    /// The number that was printed first, if the receipt corrected it.
    pub corrected_from: Option<CaseNo>,
    /// Item or bundle.
    pub item: ItemCode,
    /// Text of the QR code.
    pub qr_url: String,
    /// What is true now.
    pub marks: Marks,
}

/// Slips listed at most.
const MAX_LISTED: i64 = 50;

impl Store {
    /// Own slips of this person, newest first, at most 50.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn my_slips(&self, id_number: &str) -> Result<Vec<CaseLine>, StoreError> {
        let person = device_key::person_hmac(&self.device_key, id_number)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT number, item, saved_ms, delivered_ms, accepted_ms, completed_ms, case_state,
                    (SELECT COUNT(*) FROM blob b WHERE b.envelope_id = slip.envelope_id AND b.state = 'sent'),
                    (SELECT COUNT(*) FROM blob b WHERE b.envelope_id = slip.envelope_id AND b.state <> 'captured'),
                    EXISTS (SELECT 1 FROM receipt r WHERE r.envelope_id = slip.envelope_id), envelope_id
             FROM slip WHERE person_hmac = ?1 ORDER BY saved_ms DESC, envelope_id DESC LIMIT ?2",
        )?;
        let rows = statement.query_map((&person[..], MAX_LISTED), |r| {
            let pages = PagesSent { sent: r.get(7)?, all: r.get(8)? };
            let there = r.get(9)? && pages.all > 0;
            let marks = Marks { pages: there.then_some(pages), ..marks(r, 2)? };
            let texts = (r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(10)?);
            Ok((texts, marks, r.get::<_, Option<String>>(6)?))
        })?;
        rows.map(|row| {
            let ((number, item, envelope_id), marks, state) = row?;
            let envelope_id = envelope_id.parse().map_err(|_| StoreError::Value("envelope_id"))?;
            Ok(CaseLine {
                envelope_id,
                print: self.paper(envelope_id)?,
                number: number.parse().map_err(|_| StoreError::Value("number"))?,
                item: item.parse().map_err(|_| StoreError::Value("item"))?,
                marks,
                state: state.as_deref().and_then(state_from_text),
            })
        })
        .collect()
    }

    /// What stands on the paper of a slip; none if the slip is gone.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn slip_to_print(&self, envelope_id: EnvelopeId) -> Result<Option<SlipToPrint>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT saved_ms, delivered_ms, accepted_ms, completed_ms, number, corrected_from, item, qr_url
             FROM slip WHERE envelope_id = ?1",
        )?;
        let row = statement.query_row([envelope_id.to_string()], |r| {
            let number = (r.get::<_, String>(4)?, r.get::<_, Option<String>>(5)?);
            Ok((marks(r, 0)?, number, r.get::<_, String>(6)?, r.get::<_, String>(7)?))
        });
        let Some((marks, (number, corrected_from), item, qr_url)) = row.optional()? else { return Ok(None) };
        let case_number = |text: String| text.parse::<CaseNo>().map_err(|_| StoreError::Value("number"));
        Ok(Some(SlipToPrint {
            number: case_number(number)?,
            corrected_from: corrected_from.map(case_number).transpose()?,
            item: item.parse().map_err(|_| StoreError::Value("item"))?,
            qr_url,
            marks,
        }))
    }

    /// What waits on this machine.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn queue_view(&self) -> Result<QueueView, StoreError> {
        let (waiting, oldest_ms, parked): (i64, Option<i64>, i64) = self.connection.row_kept(
            "SELECT COALESCE(SUM(state = 'queued' OR to_offer = 1), 0), MIN(CASE WHEN state = 'queued' THEN created_ms END),
                    COALESCE(SUM(state IN ('quarantined', 'conflict')), 0) FROM outbox",
            [],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )?;
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(QueueView { waiting: count(waiting), oldest_ms, parked: count(parked) })
    }
}

/// Four columns from `first` on, as marks.
pub(super) fn marks(row: &Row<'_>, first: usize) -> Result<Marks, rusqlite::Error> {
    Ok(Marks {
        saved_ms: row.get(first)?,
        delivered_ms: row.get(first + 1)?,
        accepted_ms: row.get(first + 2)?,
        completed_ms: row.get(first + 3)?,
        pages: None,
    })
}

pub(super) fn state_to_text(state: CaseState) -> String {
    serde_json::to_string(&state).unwrap_or_default().trim_matches('"').to_owned()
}

pub(super) fn state_from_text(text: &str) -> Option<CaseState> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}
