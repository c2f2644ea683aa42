//! The conformance suite: every statement of the product runs on both databases with its parameters out of order, and
//! every answer is the same.
//!
//! A centre without threads goes through one life on each database. A driver in between turns the numbers of all
//! parameters round (`$1` becomes the last) and writes down each statement with its answer. A statement of the source
//! that was not run makes the test fail.
mod sent;
mod turned;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};

use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::catalogue::Calendar;
use domain::ids::Issuer;
use domain::wire::v1::{CasesQuery, ChangesQuery, EnrolRequest, EnvelopeBatch, EnvelopeUpload};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::admission::Admission;
use sync_server::auth::role::Role;
use sync_server::centre::Centre;
use sync_server::jobs::{open_received, take_follow_ups};
use sync_server::keys::Keys;
use sync_server::services::catalogue::{Shelf, publish};
use sync_server::services::work_list::{self, Query, TextQuery};
use sync_server::services::{
    Context, accounts, audit, blobs, case_key, case_story, cases, changes, citizen_cases, content, enrol,
    envelopes, meta, open_deadlines, readings, series, slips, supplements, tasks, terminals,
};
use sync_server::startup::load_catalogue;
use sync_server::store::{Database, Driver, StoreError, Tx, in_transaction, migrate, require_current};
use terminal::sync::tls::certificate_request;
use tests::binaries::repository;
use tests::device::{Device, STATION, courier, header_of, now_ms};
use tests::told::Told;

use self::sent::envelopes;
use self::turned::{Entry, Transcript, Turned, turned};
use super::driver::both_empty;
use crate::tidy::source::Source;

/// One centre's life. What terminals send is made once and sent to both.
struct Life {
    centre: Arc<Centre>,
    clock: Arc<AtomicI64>,
    codes: Vec<String>,
}

const STATIONS: [&str; 2] = [STATION, STATION];

impl Life {
    fn begin(store: &Database, transcript: &Transcript, start_ms: i64) -> Result<Self> {
        let mut driver = Turned { inner: store.open()?, transcript: transcript.clone() };
        anyhow::ensure!(migrate(&mut driver, start_ms)? == 0, "new");
        anyhow::ensure!(migrate(&mut driver, start_ms)? > 0, "known");
        require_current(&mut driver)?;
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let catalogue = load_catalogue(&repository().join("assets/catalogue"))?;
        anyhow::ensure!(in_transaction(&mut driver, |tx| publish(tx, start_ms, &catalogue))?);
        anyhow::ensure!(!in_transaction(&mut driver, |tx| publish(tx, start_ms, &catalogue))?, "known");
        let epoch = in_transaction(&mut driver, |tx| meta::epoch(tx, &mut rng))?;
        let keys = Keys::in_memory(&mut rng)?;
        anyhow::ensure!(in_transaction(&mut driver, |tx| meta::bind_keys(tx, &keys.fingerprint()))?.is_ok());
        let codes = STATIONS.iter().map(|station| {
            let station = station.parse()?;
            Ok(in_transaction(&mut driver, |tx| enrol::make_code(tx, start_ms, &station, &mut rng))?.code)
        });
        let codes = codes.collect::<Result<_>>()?;
        let context = Context {
            keys,
            epoch,
            people_url: "http://127.0.0.1:1".into(),
            shelf: Shelf::default(),
            durable: Default::default(),
        };
        let clock = Arc::new(AtomicI64::new(start_ms));
        let centre = Arc::new(Centre::single(Box::new(driver), context, Box::new(Told(clock.clone()))));
        centre.admit_by(Admission::new(1_000))?;
        Ok(Self { centre, clock, codes })
    }

    fn enrol(&self, code: usize, seed: u64) -> Result<Device> {
        let mut device = Device::enrol_through(seed, |key| {
            let (code, public_key) = (self.codes[code].clone(), key.public());
            let csr = Some(certificate_request(key)?);
            Ok(self.centre.enrol(EnrolRequest {
                code,
                public_key,
                software: "test".into(),
                csr,
                terminal: None,
                returning: None,
            })?)
        })?;
        device.reseed(seed);
        Ok(device)
    }

    fn go_on(&self, sent: &[Vec<EnvelopeUpload>]) -> Result<()> {
        for batch in sent {
            self.clock.fetch_add(60_000, Ordering::AcqRel);
            self.centre.take_batch(EnvelopeBatch { envelopes: batch.clone() })?;
            let (stop, mut rng) = (AtomicBool::new(false), ChaCha20Rng::seed_from_u64(2));
            open_received(&self.centre, &mut rng, &stop)?;
            take_follow_ups(&self.centre, &mut rng, &stop)?;
            anyhow::ensure!(take_follow_ups(&self.centre, &mut rng, &stop)? == 0, "each once");
        }
        Ok(())
    }

    fn look(&self, device: &Device, sent: &[Vec<EnvelopeUpload>]) -> Result<()> {
        let header = header_of(&sent[0][0])?;
        let number = header.number.clone().context("a number")?;
        self.centre.read(|tx| changes::touched_after(tx, 0))?;
        let query = ChangesQuery { after: 0, wait: 0, order: Some(0) };
        self.centre.changes((&device.enrolled.terminal, &device.enrolled.station), query)?;
        self.centre.series_of(&device.enrolled.terminal)?;
        self.centre.read(|tx| {
            let texts = [
                None,
                Some(TextQuery::Number(number.clone())),
                Some(TextQuery::Digits("26".into())),
                Some(TextQuery::Digits("261124".into())),
                Some(TextQuery::Items(vec!["hrss.flex-enroll".parse().map_err(|_| StoreError::Busy)?])),
                Some(TextQuery::Items(vec![])),
            ];
            for text in texts {
                for (state, before) in [(None, None), (Some(CaseState::Submitted), Some(5))] {
                    let station = before.map(|_| device.enrolled.station.clone());
                    let query = Query { state, station, text: text.clone(), before };
                    work_list::page(tx, &query)?;
                    work_list::counts(tx, &query)?;
                }
            }
            work_list::stations(tx)?;
            let calendar = Calendar::default();
            let effect = open_deadlines::moved(tx, &self.centre.context().shelf, (&calendar, &calendar), 10)?;
            anyhow::ensure!(effect.open > 0 && effect.moved == 0, "{effect:?}");
            series::gaps(tx)?;
            cases::key_ids(tx)?;
            cases::by_number(tx, &number)?;
            cases::history(tx, &header.envelope_id)?;
            envelopes::find(tx, &header.envelope_id)?;
            let context = self.centre.context();
            let reviewer = super::review::person(1, "人社", &[Role::Reviewer]);
            content::find(tx, context, &number, &reviewer)?;
            let key = case_key::find(tx, &header.envelope_id)?.open(&context.keys)?;
            case_story::of(tx, &key, &header.envelope_id)?;
            let unit = "人社".parse()?;
            tasks::own_counts(tx, &unit, reviewer.account.as_str())?;
            tasks::of_cases(tx, &[header.envelope_id])?;
            accounts::of_unit(tx, &unit)?;
            readings::cases_after(tx, &device.enrolled.station, CasesQuery { after: 1, limit: 3 })?;
            readings::case_of(tx, &device.enrolled.station, &header.envelope_id)?;
            let (version, _) = readings::edition(tx, None)?;
            readings::edition_text(tx, version)?;
            let token = sent[0][0].digest.short();
            anyhow::ensure!(!audit::is_raised(tx, "sealing.unknown-key", "none")?);
            anyhow::ensure!(blobs::newest_waiting(tx, &[header.envelope_id])?.is_none());
            anyhow::ensure!(!supplements::is_on_its_way(tx, &header.envelope_id, i64::MIN..=i64::MAX)?);
            anyhow::ensure!(supplements::waiting_long(tx, 0)?.is_empty());
            let wanted = citizen_cases::Wanted::new(&courier().applicant, &context.keys)?;
            anyhow::ensure!(!citizen_cases::of_person(tx, context, &wanted)?.is_empty());
            slips::find(tx, &self.centre.context().keys, &number, slips::Proof::Token(&token))?;
            terminals::all(tx)?;
            meta::moved_to(tx)?;
            audit::verify(tx, 3, 2)?.map_err(|_| StoreError::Busy)?;
            anyhow::ensure!(audit::verify(tx, 0, 10_000)?.is_ok(), "the chain holds");
            Ok::<_, anyhow::Error>(())
        })?;
        Ok(())
    }
}

/// Statements that the centre's life does not reach, run here with parameters of the right types.
fn the_rest(driver: &mut dyn Driver) -> Result<()> {
    sync_server::doctor::count_all(&mut Tx::new(driver))?;
    sync_server::doctor::count_waiting(&mut Tx::new(driver))?;
    let issuer = Issuer::new(7).context("an issuer")?;
    let today = "2026-11-24".parse()?;
    in_transaction(driver, |tx| {
        let used = enrol::last_counter(tx, issuer, today)?;
        enrol::note_counter(tx, issuer, used)?;
        tx.query_int("SELECT 1", &[])?;
        meta::fingerprint(tx)?;
        meta::authority(tx)?;
        meta::bind_authority(tx, "fingerprint")?.map_err(|_| StoreError::Busy)?;
        meta::year_keys(tx)?;
        meta::mark_moving(tx, "from elsewhere")?;
        meta::moving_from(tx)?;
        meta::mark_moved(tx, "elsewhere")
    })?;
    Ok(())
}

fn live(stores: &[Database]) -> Result<Vec<Vec<Entry>>> {
    let start_ms = now_ms();
    let mut sent: Option<Vec<Vec<EnvelopeUpload>>> = None;
    let mut all = Vec::new();
    for store in stores {
        let transcript = Transcript::default();
        let life = Life::begin(store, &transcript, start_ms)?;
        let (first, second) = (life.enrol(0, 1)?, life.enrol(1, 2)?);
        anyhow::ensure!(life.enrol(0, 1)?.enrolled.terminal == first.enrolled.terminal, "repeatable");
        let refused = life.enrol(0, 3).err().context("a used code")?;
        anyhow::ensure!(refused.to_string().contains("used"), "{refused}");
        let sent = match &sent {
            Some(sent) => sent,
            None => sent.insert(envelopes(&first, &second)?),
        };
        life.go_on(sent)?;
        life.look(&first, sent)?;
        // Versions leave the memory: the store is asked again.
        let unknown = life.centre.read(|tx| life.centre.context().shelf.newest(tx));
        anyhow::ensure!(unknown?.is_some());
        drop(life);
        let mut turned = Turned { inner: store.open()?, transcript: transcript.clone() };
        super::people::live(&mut turned, start_ms)?;
        super::drafts::live(&mut turned, start_ms)?;
        super::rollout::live(&mut turned, start_ms)?;
        super::terminals::live(&mut turned, start_ms)?;
        super::safety::live(&mut turned, start_ms)?;
        super::uploads::live(&mut turned, start_ms)?;
        super::review::live(&mut turned, start_ms)?;
        the_rest(&mut turned)?;
        let entries = transcript.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.push(entries);
    }
    Ok(all)
}

#[test]
fn every_statement_gives_the_same_on_both_with_parameters_out_of_order() -> Result<()> {
    let (_folder, stores) = both_empty()?;
    let lives = live(&stores)?;
    let (sqlite, postgres) = (&lives[0], &lives[1]);
    for (place, (one, other)) in sqlite.iter().zip(postgres).enumerate() {
        anyhow::ensure!(one.0 == other.0, "{place}: {} and {}", one.0, other.0);
        anyhow::ensure!(one.1 == other.1, "{place}: {} differs: {:?} {:?}", one.0, one.1, other.1);
    }
    assert_eq!(sqlite.len(), postgres.len());
    let run: BTreeSet<_> = sqlite.iter().map(|(sql, _)| flat(sql)).collect();
    let missing: Vec<_> = statements()?.into_iter().filter(|s| !run.iter().any(|r| fits(s, r))).collect();
    assert!(missing.is_empty(), "statements of the source that were not run:\n{}", missing.join("\n"));
    Ok(())
}

/// All statements that stand in the product's source, `{}` for what is put in when it runs.
fn statements() -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![repository().join("sync-server/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if !["sqlite.rs", "postgres.rs", "move_store.rs"].iter().any(|name| path.ends_with(name))
                && !path.to_string_lossy().ends_with("tests.rs")
            {
                let source = Source::new(&std::fs::read_to_string(&path)?).product();
                found.extend(source.literals.iter().map(|(_, literal)| flat(literal)));
            }
        }
    }
    let verbs = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "];
    found.retain(|s| verbs.iter().any(|v| s.starts_with(v)));
    assert!(found.len() > 40, "the statements are found: {}", found.len());
    Ok(found)
}

/// One line without quotes, continuations and doubled spaces.
fn flat(sql: &str) -> String {
    let text = sql.trim_matches('"').replace("\\\n", " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a statement that was run came from this one of the source.
fn fits(source: &str, run: &str) -> bool {
    let mut rest = run;
    let mut parts = source.split('{').map(|p| p.split_once('}').map_or(p, |(_, fixed)| fixed));
    let Some(first) = parts.next() else { return false };
    let Some(after) = rest.strip_prefix(first) else { return false };
    rest = after;
    for part in parts {
        let Some(at) = rest.find(part.trim()) else { return false };
        rest = &rest[at + part.trim().len()..];
    }
    source.ends_with('}') || rest.is_empty()
}

#[test]
fn parameters_are_really_turned_and_statements_really_matched() {
    assert_eq!(turned("a = $1 AND b = $2 LIMIT $3", 3), "a = $3 AND b = $2 LIMIT $1");
    assert!(fits("SELECT {COLUMNS} FROM t WHERE a = $1", "SELECT x, y FROM t WHERE a = $1"));
    assert!(!fits("SELECT {COLUMNS} FROM t WHERE a = $1", "SELECT x, y FROM t WHERE b = $1"));
    assert!(!fits("SELECT 1 FROM t", "SELECT 1 FROM t WHERE a = $1"));
}
