//! What lies at the centre and on the terminals' disks after a run, read through their own stores.
//!
//! The centre is read with plain statements over [`Driver`], so any database that the server runs on can be
//! checked. Refuses to write.
use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use domain::case::{CaseState, Recorded};
use domain::envelope::{Digest, Suite, envelope_digest};
use domain::ids::{CaseNo, EnvelopeId};
use sync_server::refold_command::verify;
use sync_server::services::audit;
use sync_server::services::sealing_keys::{self, KeyState};
use sync_server::store::{Driver, Row, StoreError, Tx};
use terminal::store::{StatusRow, read_state, read_status};

/// Rows read in one go.
const STRETCH: u64 = 500;

/// An envelope as the centre stored it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEnvelope {
    /// Its id.
    pub id: EnvelopeId,
    /// Who sent it, by the centre's name.
    pub terminal: String,
    /// Its series.
    pub lineage: String,
    /// Its place there.
    pub seq: u64,
    /// The digest that was signed.
    pub digest: Digest,
    /// The digest of the bytes that lie there now.
    pub computed: Digest,
}

/// A case as the projection has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCase {
    /// The submission.
    pub id: EnvelopeId,
    /// Its number.
    pub number: CaseNo,
    /// The number on the slip, if it is another one.
    pub slip_number: Option<CaseNo>,
    /// Where it stands.
    pub state: CaseState,
    /// How many actions made it.
    pub version: u64,
}

/// An action of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAction {
    /// The submission.
    pub id: EnvelopeId,
    /// Version, time and what happened.
    pub recorded: Recorded,
    /// Digest of its stored text.
    pub digest: String,
}

/// What an audit row speaks of: event, subject, digest of the object.
pub type StoredAudit = (String, String, String);

/// The centre after a run.
#[derive(Debug, Clone, Default)]
pub struct CentreView {
    /// Envelopes, in the centre's order.
    pub envelopes: Vec<StoredEnvelope>,
    /// Cases.
    pub cases: Vec<StoredCase>,
    /// Actions, by case and version.
    pub actions: Vec<StoredAction>,
    /// Audit rows, in order.
    pub audit: Vec<StoredAudit>,
    /// What audit rows must speak of besides envelopes and actions: catalogues, codes, terminals, alarms,
    /// pages and photos that came.
    pub others: Vec<StoredAudit>,
    /// Envelopes of which pages or photos are awaited.
    pub awaiting: BTreeSet<EnvelopeId>,
    /// The first audit row at which the chain of hashes does not hold.
    pub broken_link: Option<u64>,
    /// Mistakes that the database finds in itself.
    pub unsound: Vec<String>,
    /// Rows and tasks of cases that are not what their actions say.
    pub differing: Vec<String>,
}

impl CentreView {
    /// Reads a store.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(driver: &mut dyn Driver) -> Result<Self> {
        let unsound = driver.check()?;
        let differing = verify(driver, &mut |_| {})?.told.iter().map(ToString::to_string).collect();
        driver.begin_read()?;
        let view = Self::read_in(&mut Tx::new(driver));
        driver.rollback();
        Ok(Self { unsound, differing, ..view? })
    }

    fn read_in(tx: &mut Tx<'_>) -> Result<Self> {
        let cases = "SELECT envelope_id, number, slip_number, state, version FROM case_ ORDER BY server_seq";
        let audit = "SELECT event, subject, object_digest FROM audit ORDER BY seq";
        Ok(Self {
            envelopes: envelopes(tx)?,
            cases: tx.query(cases, &[])?.iter().map(case).collect::<Result<_>>()?,
            actions: actions(tx)?,
            audit: triples(tx, audit)?,
            others: others(tx)?,
            awaiting: awaiting(tx)?,
            broken_link: broken_link(tx)?,
            unsound: Vec::new(),
            differing: Vec::new(),
        })
    }
}

fn envelopes(tx: &mut Tx<'_>) -> Result<Vec<StoredEnvelope>> {
    let sql = "SELECT server_seq, envelope_id, terminal, lineage, seq, digest, header, ciphertext
               FROM envelope WHERE server_seq > $1 ORDER BY server_seq LIMIT $2";
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let rows = tx.query(sql, &[after.into(), STRETCH.into()])?;
        let Some(last) = rows.last() else { return Ok(found) };
        after = last.uint(0)?;
        for row in &rows {
            found.push(StoredEnvelope {
                id: row.parsed(1)?,
                terminal: row.text(2)?.to_owned(),
                lineage: row.text(3)?.to_owned(),
                seq: row.uint(4)?,
                digest: row.parsed(5)?,
                computed: envelope_digest(row.blob(6)?, row.blob(7)?),
            });
        }
    }
}

fn case(row: &Row) -> Result<StoredCase> {
    Ok(StoredCase {
        id: row.parsed(0)?,
        number: row.parsed(1)?,
        slip_number: row.text_or_null(2)?.map(str::parse).transpose()?,
        state: CaseState::from_name(row.text(3)?).context("a state of a case")?,
        version: row.uint(4)?,
    })
}

fn actions(tx: &mut Tx<'_>) -> Result<Vec<StoredAction>> {
    let sql = "SELECT envelope_id, version, at_ms, body, kind FROM action ORDER BY envelope_id, version";
    let action = |row: &Row| -> Result<StoredAction> {
        let body = row.text(3)?;
        let action: domain::case::Action = serde_json::from_str(body)?;
        if action.name() != row.text(4)? {
            bail!("an action of {} is not of the kind that its row says", row.text(0)?);
        }
        Ok(StoredAction {
            id: row.parsed(0)?,
            recorded: Recorded { version: row.uint(1)?, at_ms: row.int(2)?, action },
            digest: Digest::of(body.as_bytes()).to_string(),
        })
    };
    tx.query(sql, &[])?.iter().map(action).collect()
}

fn others(tx: &mut Tx<'_>) -> Result<Vec<StoredAudit>> {
    let mut others = Vec::new();
    for (event, sql) in [
        ("catalogue.stored", "SELECT version, '', digest FROM catalogue"),
        ("enrol-code.made", "SELECT 0, station, digest FROM enrol_code"),
    ] {
        for row in tx.query(sql, &[])? {
            let subject =
                if row.text(1)?.is_empty() { row.uint(0)?.to_string() } else { row.text(1)?.into() };
            others.push((event.to_owned(), subject, row.text(2)?.to_owned()));
        }
    }
    for row in tx.query("SELECT station, public_key, certificate_until_ms FROM terminal", &[])? {
        let key = domain::envelope::PublicKey(domain::envelope::Bytes(row.blob(1)?.to_vec()));
        let (station, key) = (row.text(0)?.to_owned(), key.key_id().as_str().to_owned());
        // No run is long enough for a second certificate.
        if row.int_or_null(2)?.is_some() {
            others.push(("certificate.issued".to_owned(), station.clone(), key.clone()));
        }
        others.push(("terminal.enrolled".to_owned(), station, key));
    }
    others.extend(sealing(tx)?);
    others.extend(triples(tx, "SELECT kind, subject, object_digest FROM alarm")?);
    let blobs = "SELECT 'blob.stored', envelope_id, digest FROM blob_ WHERE arrived_at_ms IS NOT NULL";
    others.extend(triples(tx, blobs)?);
    let complete = "SELECT DISTINCT 'envelope.complete', e.envelope_id, '' FROM envelope e
                    JOIN blob_ b ON b.envelope_id = e.envelope_id WHERE e.complete = 1";
    others.extend(triples(tx, complete)?);
    Ok(others)
}

/// What was done with sealing keys besides the first one: made, put into force, its suite chosen, once each.
fn sealing(tx: &mut Tx<'_>) -> Result<Vec<StoredAudit>> {
    let later: Vec<_> = sealing_keys::all(tx)?.into_iter().filter(|key| key.suite != Suite::One).collect();
    let row = |event: &str, subject: String| (event.to_owned(), subject, String::new());
    let mut rows: Vec<StoredAudit> =
        later.iter().map(|key| row("sealing-key.made", key.id.to_string())).collect();
    let in_force = later.iter().filter(|key| key.state == KeyState::InForce);
    rows.extend(in_force.map(|key| row("sealing-key.in-force", key.id.to_string())));
    let suite = sealing_keys::suite(tx)?;
    rows.extend((suite != Suite::One).then(|| row("sealing-suite.chosen", u8::from(suite).to_string())));
    Ok(rows)
}

fn triples(tx: &mut Tx<'_>, sql: &str) -> Result<Vec<StoredAudit>> {
    let triple = |r: &Row| Ok::<_, StoreError>((r.text(0)?.into(), r.text(1)?.into(), r.text(2)?.into()));
    Ok(tx.query(sql, &[])?.iter().map(triple).collect::<Result<_, _>>()?)
}

fn awaiting(tx: &mut Tx<'_>) -> Result<BTreeSet<EnvelopeId>> {
    let sql = "SELECT DISTINCT envelope_id FROM blob_ WHERE arrived_at_ms IS NULL";
    Ok(tx.query(sql, &[])?.iter().map(|row| row.parsed(0)).collect::<Result<_, StoreError>>()?)
}

fn broken_link(tx: &mut Tx<'_>) -> Result<Option<u64>> {
    let mut checked = 0;
    loop {
        match audit::verify(tx, checked, STRETCH)? {
            Ok(last) if last == checked => return Ok(None),
            Ok(last) => checked = last,
            Err(broken) => return Ok(Some(broken)),
        }
    }
}

/// The queue on a terminal's disk after a run.
#[derive(Debug, Clone)]
pub struct DiskView {
    /// The terminal's name in the history.
    pub terminal: String,
    /// Its rows, oldest first.
    pub rows: Vec<StatusRow>,
}

impl DiskView {
    /// Reads the store of a folder.
    ///
    /// # Errors
    /// If it is not sound or cannot be read.
    pub fn read(terminal: &str, folder: &Path) -> Result<Self> {
        let about = || format!("the store of {terminal} in {}", folder.display());
        // Looks at every page.
        read_state(folder).with_context(about)?;
        let mut rows = read_status(folder, u32::MAX).with_context(about)?;
        rows.reverse();
        Ok(Self { terminal: terminal.to_owned(), rows })
    }
}
