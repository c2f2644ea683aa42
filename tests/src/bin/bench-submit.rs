//! `submit`: handing in at the terminal until the slip may be shown, beside one raw SQLite commit of as many bytes.
//!
//! Both write to the same disk with WAL and `synchronous=FULL`, one after the other in turns. The terminal's side is
//! what its desk worker does: compile and validate the form, seal, number, sign, store, commit.
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use domain::catalogue::Catalogue;
use domain::date::CivilDate;
use domain::envelope::DataKey;
use domain::form::{Answers, Form};
use domain::ids::{EnvelopeId, ItemCode};
use domain::wire::v1::Submission;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rusqlite::Connection;
use sync_server::startup::load_catalogue;
use terminal::store::{DATABASE_FILE, NewSubmission, Store};
use tests::bench::row::Row;
use tests::bench::stats::{in_turns, percentile};
use tests::binaries::repository;
use tests::centre::Centre;
use tests::device::{ITEM, courier, now_ms};

/// Submissions before the clock counts, so that both files have their pages.
const WARM_UP: usize = 20;

struct Desk {
    store: Store,
    rng: ChaCha20Rng,
    catalogue: Catalogue,
    item: ItemCode,
    submission: Submission,
}

fn main() -> Result<()> {
    let rounds = if std::env::args().any(|a| a == "--quick") { 100 } else { 600 };
    let folder = tempfile::tempdir()?;
    let mut desk = Desk::open(&folder.path().join("terminal"))?;
    for _ in 0..WARM_UP {
        desk.submit()?;
    }
    let row = vec![7_u8; desk.row_bytes(&folder.path().join("terminal"))?];
    let floor = raw(&folder.path().join("floor.db"))?;
    for _ in 0..WARM_UP {
        commit(&floor, &row)?;
    }
    let (real, floor) = in_turns(rounds, |_| desk.submit(), |_| commit(&floor, &row))?;
    for (name, share) in [("submit.p50", 0.5), ("submit.p99", 0.99)] {
        Row::beside(name, percentile(&real, share), "ms", percentile(&floor, share)).tell()?;
    }
    Ok(())
}

impl Desk {
    fn open(folder: &Path) -> Result<Self> {
        let mut store = Store::open(folder, now_ms())?;
        store.save_enrolment(&Centre::default().enrolment()?)?;
        let catalogue = load_catalogue(&repository().join("assets/catalogue"))?;
        let (rng, item) = (ChaCha20Rng::seed_from_u64(1), ITEM.parse()?);
        Ok(Self { store, rng, catalogue, item, submission: courier() })
    }

    /// One submission; gives the milliseconds it took.
    fn submit(&mut self) -> Result<f64> {
        let now_ms = now_ms();
        let (envelope_id, data_key) = (EnvelopeId::new(now_ms, &mut self.rng), DataKey::new(&mut self.rng));
        let answers = Answers::from_map(self.submission.answers.clone());
        let person = self.submission.applicant.clone();
        let started = Instant::now();
        let entry = self.catalogue.entry(&self.item).context("the sample item")?;
        let form = Form::compile(entry.form())?;
        ensure!(form.validate(&answers, CivilDate::in_china(now_ms)).is_empty(), "the sample is valid");
        let new = NewSubmission {
            envelope_id,
            data_key,
            item: self.item.clone(),
            catalogue_version: self.catalogue.version,
            person,
            answers: &answers,
            situation: self.submission.situation.as_ref(),
            now_ms,
            boot_ms: 1,
        };
        let slip = self.store.submit(new, &mut self.rng)?;
        let took = started.elapsed().as_secs_f64() * 1e3;
        ensure!(slip.envelope_id == envelope_id, "another slip");
        Ok(took)
    }

    /// Bytes of header and content in the outbox.
    fn row_bytes(&self, folder: &Path) -> Result<usize> {
        let sql = "SELECT length(header) + length(ciphertext) FROM outbox ORDER BY seq DESC LIMIT 1";
        let look = Connection::open(folder.join(DATABASE_FILE))?;
        Ok(usize::try_from(look.query_row(sql, [], |r| r.get::<_, i64>(0))?)?)
    }
}

fn raw(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE row_ (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")?;
    Ok(connection)
}

fn commit(connection: &Connection, row: &[u8]) -> Result<f64> {
    let mut insert = connection.prepare_cached("INSERT INTO row_ (body) VALUES (?1)")?;
    let started = Instant::now();
    insert.execute([row])?;
    Ok(started.elapsed().as_secs_f64() * 1e3)
}
