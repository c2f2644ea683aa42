//! 打印队列: papers that are to be printed, each at most once by itself.
//!
//! A row holds no words: number, item and code are taken from the slip when it is printed. Refuses to print twice: what
//! was given to the printer is noted before, and what nobody knows of is told as doubtful and left to the citizen.
use domain::ids::EnvelopeId;
use domain::text::Language;
use hardware::device::Trouble;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::statements::Kept as _;
use super::{Store, StoreError};
use crate::model::{PrintKind, PrintStep};

/// Rows that are kept, at most; the oldest ended ones go first.
pub const MAX_PRINT_ROWS: i64 = 100;
/// How long a paper is waited for while the citizen is there: time to fetch somebody with paper.
const WAIT_MS: i64 = 10 * 60_000;
/// How long it is waited for once the citizen has left.
const WAIT_ALONE_MS: i64 = 60_000;

/// A paper that is to be printed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuePrint {
    /// Its row.
    pub id: i64,
    /// On which printer.
    pub kind: PrintKind,
    /// Whose slip.
    pub envelope_id: EnvelopeId,
    /// In which language.
    pub language: Language,
}

/// How a paper ended that was given to the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintEnd {
    /// The printer said afterwards that it is well.
    Printed,
    /// Nothing was printed and will not be.
    Failed(Option<Trouble>),
    /// Nobody knows whether it was printed.
    Doubtful(Option<Trouble>),
}

impl Store {
    /// Puts a paper into the queue and gives the slip's paper as it is then. One of the same slip that still waits or is
    /// being printed stays the only one; one that waits for another printer goes to this one, one that is being printed
    /// there does not.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses, [`StoreError::Value`] if the queue is full of papers that wait.
    pub fn queue_print(
        &mut self,
        (kind, envelope_id): (PrintKind, EnvelopeId),
        language: Language,
        now_ms: i64,
    ) -> Result<(PrintKind, PrintStep), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let open = paper_of(&tx, envelope_id)?.filter(|(_, step)| step.is_open());
        if let Some(paper) = open {
            let moved = tx.execute_kept(
                "UPDATE print_job SET kind = ?2, language = ?3, tries = 0, trouble = NULL
                 WHERE envelope_id = ?1 AND state = 'queued' AND kind <> ?2",
                (envelope_id.to_string(), kind.name(), language_name(language)),
            )?;
            tx.commit()?;
            return Ok(if moved == 0 { paper } else { (kind, PrintStep::Printing) });
        }
        tx.execute_kept(
            "DELETE FROM print_job WHERE state IN ('printed', 'failed') AND id NOT IN
             (SELECT id FROM print_job ORDER BY id DESC LIMIT ?1)",
            [MAX_PRINT_ROWS - 1],
        )?;
        let rows: i64 = tx.row_kept("SELECT COUNT(*) FROM print_job", [], |r| r.get(0))?;
        if rows >= MAX_PRINT_ROWS {
            return Err(StoreError::Value("print_job"));
        }
        tx.execute_kept(
            "INSERT INTO print_job (kind, envelope_id, language, state, made_ms, wait_until_ms)
             VALUES (?1, ?2, ?3, 'queued', ?4, ?5)",
            (kind.name(), envelope_id.to_string(), language_name(language), now_ms, now_ms + WAIT_MS),
        )?;
        tx.commit()?;
        Ok((kind, PrintStep::Printing))
    }

    /// After a start: what was being printed is doubtful, and nobody waits for the rest for long.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn doubt_prints(&mut self) -> Result<(), StoreError> {
        self.connection.execute_kept(
            "UPDATE print_job SET state = 'failed', doubtful = 1, trouble = NULL WHERE state = 'printing'",
            [],
        )?;
        self.nobody_waits()
    }

    /// The citizen has left: what still waits is given up after a minute.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn nobody_waits(&mut self) -> Result<(), StoreError> {
        self.connection.execute_kept(
            "UPDATE print_job SET wait_until_ms = MIN(wait_until_ms, made_ms + ?1) WHERE state = 'queued'",
            [WAIT_ALONE_MS],
        )?;
        Ok(())
    }

    /// Gives up what nobody waits for any more, and says whose slips that were.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn give_up_prints(&mut self, now_ms: i64) -> Result<Vec<EnvelopeId>, StoreError> {
        // A row from the future was made while the clock was wrong.
        let mut statement = self.connection.prepare_cached(
            "UPDATE print_job SET state = 'failed'
             WHERE state = 'queued' AND (wait_until_ms < ?1 OR made_ms > ?1 + ?2) RETURNING envelope_id",
        )?;
        let rows = statement.query_map([now_ms, WAIT_MS], |r| r.get::<_, String>(0))?;
        rows.map(|row| row?.parse().map_err(|_| StoreError::Value("print_job"))).collect()
    }

    /// The paper that was tried least, and of those the one that waits longest: one whose printer will not keeps nobody
    /// from the other printer.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn due_print(&self) -> Result<Option<DuePrint>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, kind, envelope_id, language FROM print_job WHERE state = 'queued' ORDER BY tries, id LIMIT 1",
        )?;
        let row: Option<(i64, String, String, String)> =
            statement.query_row([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))).optional()?;
        let Some((id, kind, envelope_id, language)) = row else { return Ok(None) };
        Ok(Some(DuePrint {
            id,
            kind: PrintKind::of_name(&kind).ok_or(StoreError::Value("print_job"))?,
            envelope_id: envelope_id.parse().map_err(|_| StoreError::Value("print_job"))?,
            language: language_of(&language),
        }))
    }

    /// Notes that a paper is about to be given to the printer; committed before anything is sent. False if it does not
    /// wait any more, or waits for another printer.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses; then nothing may be sent.
    pub fn begin_print(&mut self, due: &DuePrint) -> Result<bool, StoreError> {
        let changed = self.connection.execute_kept(
            "UPDATE print_job SET state = 'printing', tries = tries + 1
             WHERE id = ?1 AND state = 'queued' AND kind = ?2",
            (due.id, due.kind.name()),
        )?;
        Ok(changed == 1)
    }

    /// The printer refused before anything was sent: the paper waits again.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn put_back_print(&mut self, id: i64, trouble: Trouble) -> Result<(), StoreError> {
        self.connection.execute_kept(
            "UPDATE print_job SET state = 'queued', trouble = ?2 WHERE id = ?1 AND state = 'printing'",
            (id, trouble.name()),
        )?;
        Ok(())
    }

    /// Notes how a paper ended.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn end_print(&mut self, id: i64, end: PrintEnd) -> Result<(), StoreError> {
        // A planted fault: it waits again, as if nobody knew that it was printed.
        fail::fail_point!("planted::print_again", |_| self.put_back_print(id, Trouble::OutOfOrder));
        let (state, doubtful, trouble) = match end {
            PrintEnd::Printed => ("printed", false, None),
            PrintEnd::Failed(trouble) => ("failed", false, trouble),
            PrintEnd::Doubtful(trouble) => ("failed", true, trouble),
        };
        self.connection.execute_kept(
            "UPDATE print_job SET state = ?2, doubtful = ?3, trouble = ?4 WHERE id = ?1",
            (id, state, doubtful, trouble.map(Trouble::name)),
        )?;
        Ok(())
    }

    /// Where the newest paper of a slip is; none if none was asked for.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn print_step(&self, envelope_id: EnvelopeId) -> Result<Option<PrintStep>, StoreError> {
        Ok(self.paper(envelope_id)?.map(|(_, step)| step))
    }

    /// What the newest paper of a slip is printed on, and where it is; none if none was asked for.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn paper(&self, envelope_id: EnvelopeId) -> Result<Option<(PrintKind, PrintStep)>, StoreError> {
        paper_of(&self.connection, envelope_id)
    }
}

fn paper_of(
    connection: &Connection,
    envelope_id: EnvelopeId,
) -> Result<Option<(PrintKind, PrintStep)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, state, doubtful, trouble FROM print_job WHERE envelope_id = ?1 ORDER BY id DESC LIMIT 1",
    )?;
    let row: Option<(String, String, bool, Option<String>)> = statement
        .query_row([envelope_id.to_string()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
        .optional()?;
    let Some((kind, state, doubtful, trouble)) = row else { return Ok(None) };
    let kind = PrintKind::of_name(&kind).ok_or(StoreError::Value("print_job"))?;
    let trouble = trouble.and_then(|name| Trouble::ALL.into_iter().find(|t| t.name() == name));
    let step = match (state.as_str(), trouble, doubtful) {
        ("printed", ..) => PrintStep::Printed,
        ("queued", Some(trouble), _) => PrintStep::Waiting(trouble),
        ("queued" | "printing", ..) => PrintStep::Printing,
        (_, trouble, true) => PrintStep::Doubtful(trouble),
        (_, trouble, false) => PrintStep::Failed(trouble),
    };
    Ok(Some((kind, step)))
}

fn language_name(language: Language) -> &'static str {
    match language {
        Language::ZhCn => "zh-CN",
        Language::En => "en",
    }
}

fn language_of(name: &str) -> Language {
    if name == "en" { Language::En } else { Language::ZhCn }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> EnvelopeId {
        format!("0197a2b4-0000-7000-8000-0000000000{n:02x}").parse().unwrap()
    }

    fn queue(store: &mut Store, n: u8, now_ms: i64) -> PrintStep {
        store.queue_print((PrintKind::Slip, id(n)), Language::ZhCn, now_ms).unwrap().1
    }

    #[test]
    fn a_paper_is_queued_once_printed_once_and_told_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), 0).unwrap();
        assert_eq!(store.print_step(id(1)).unwrap(), None);
        assert_eq!(queue(&mut store, 1, 0), PrintStep::Printing);
        assert_eq!(queue(&mut store, 1, 1), PrintStep::Printing, "a second tap");
        let due = store.due_print().unwrap().unwrap();
        assert_eq!((due.envelope_id, due.kind, due.language), (id(1), PrintKind::Slip, Language::ZhCn));
        assert!(store.begin_print(&due).unwrap());
        assert!(!store.begin_print(&due).unwrap(), "it was begun");
        assert_eq!(store.due_print().unwrap(), None);
        store.put_back_print(due.id, Trouble::NoPaper).unwrap();
        assert_eq!(store.print_step(id(1)).unwrap(), Some(PrintStep::Waiting(Trouble::NoPaper)));
        assert!(store.begin_print(&due).unwrap());
        store.end_print(due.id, PrintEnd::Printed).unwrap();
        assert_eq!(
            (store.print_step(id(1)).unwrap(), store.due_print().unwrap()),
            (Some(PrintStep::Printed), None)
        );
        queue(&mut store, 1, 5);
        let again = store.due_print().unwrap().unwrap();
        assert_ne!(again.id, due.id, "somebody asked for another one");
        store.end_print(again.id, PrintEnd::Doubtful(Some(Trouble::Jammed))).unwrap();
        let doubtful = Some(PrintStep::Doubtful(Some(Trouble::Jammed)));
        assert_eq!(store.print_step(id(1)).unwrap(), doubtful);
    }

    #[test]
    fn a_paper_that_waits_goes_to_the_other_printer_and_keeps_nobody_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), 0).unwrap();
        queue(&mut store, 1, 0);
        let slip = store.due_print().unwrap().unwrap();
        assert!(store.begin_print(&slip).unwrap());
        let page =
            |store: &mut Store, n| store.queue_print((PrintKind::Page, id(n)), Language::En, 1).unwrap();
        let strip = (PrintKind::Slip, PrintStep::Printing);
        assert_eq!(page(&mut store, 1), strip, "the strip is being printed, and no page will be");
        store.put_back_print(slip.id, Trouble::NoPaper).unwrap();
        page(&mut store, 2);
        let due = store.due_print().unwrap().unwrap();
        assert_eq!((due.envelope_id, due.kind), (id(2), PrintKind::Page), "who was not tried yet is first");
        assert_eq!(page(&mut store, 1), (PrintKind::Page, PrintStep::Printing));
        assert_eq!(store.paper(id(1)).unwrap(), Some((PrintKind::Page, PrintStep::Printing)));
        assert!(!store.begin_print(&slip).unwrap(), "no strip any more");
        let due = store.due_print().unwrap().unwrap();
        assert_eq!(
            (due.id, due.kind, due.language),
            (slip.id, PrintKind::Page, Language::En),
            "the same wish"
        );
        store.end_print(slip.id, PrintEnd::Printed).unwrap();
        assert_eq!(store.due_print().unwrap().map(|due| due.envelope_id), Some(id(2)), "one paper");
    }

    #[test]
    fn what_was_being_printed_at_a_kill_is_doubtful_and_not_printed_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), 0).unwrap();
        queue(&mut store, 1, 0);
        queue(&mut store, 2, 0);
        let due = store.due_print().unwrap().unwrap();
        store.begin_print(&due).unwrap();
        drop(store);
        let mut store = Store::open(folder.path(), 0).unwrap();
        store.doubt_prints().unwrap();
        assert_eq!(store.print_step(id(1)).unwrap(), Some(PrintStep::Doubtful(None)));
        assert_eq!(store.due_print().unwrap().unwrap().envelope_id, id(2), "the other one still waits");
    }

    #[test]
    fn nobody_gets_paper_long_after_leaving() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), 0).unwrap();
        queue(&mut store, 1, 1_000);
        assert!(store.give_up_prints(5 * 60_000).unwrap().is_empty(), "somebody waits");
        store.nobody_waits().unwrap();
        assert!(store.give_up_prints(61_000).unwrap().is_empty());
        assert_eq!(store.give_up_prints(61_001).unwrap(), [id(1)]);
        assert_eq!(store.print_step(id(1)).unwrap(), Some(PrintStep::Failed(None)));
        queue(&mut store, 2, 3_600_000);
        assert_eq!(store.give_up_prints(1_000).unwrap(), [id(2)], "the clock was set back");
    }

    #[test]
    fn the_queue_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), 0).unwrap();
        for n in 0..150 {
            queue(&mut store, n, 0);
            let due = store.due_print().unwrap().unwrap();
            store.end_print(due.id, PrintEnd::Failed(None)).unwrap();
        }
        let rows = |store: &Store| -> i64 {
            store.connection.query_row("SELECT COUNT(*) FROM print_job", [], |r| r.get(0)).unwrap()
        };
        assert_eq!(rows(&store), MAX_PRINT_ROWS);
        assert_eq!(store.print_step(id(0)).unwrap(), None, "the oldest went");
        for n in 150..=255 {
            let result = store.queue_print((PrintKind::Page, id(n)), Language::En, 0);
            assert_eq!(result.is_ok(), n < 250, "{n}");
        }
        assert_eq!(rows(&store), MAX_PRINT_ROWS);
    }
}
