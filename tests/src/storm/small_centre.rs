//! A whole centre in this process on one SQLite file, without HTTP: for tests of what lies on its disk.
//!
//! Its private keys are the same in every process, so a store can be opened again. Refuses nothing by itself.
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use domain::catalogue::Catalogue;
use domain::wire::v1::{EnrolRequest, EnvelopeBatch, EnvelopeResult, EnvelopeUpload};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::centre::{Centre, Surroundings};
use sync_server::keys::Keys;
use sync_server::services::catalogue::{Shelf, newest_version, publish};
use sync_server::services::{Context, enrol, meta};
use sync_server::startup::load_catalogue;
use sync_server::store::{Driver, Sqlite, in_transaction, migrate};

use crate::binaries::repository;
use crate::device::{Device, STATION, now_ms};

/// The machine's clock and the system's randomness.
struct Here;

impl Surroundings for Here {
    fn now_ms(&self) -> i64 {
        now_ms()
    }

    fn random(&self) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(now_ms().unsigned_abs())
    }
}

/// Opens a centre on this file; with its writer on a thread of its own, or on one connection.
///
/// # Errors
/// If the store cannot be made or opened.
pub fn open(file: &Path, threads: bool) -> Result<Arc<Centre>> {
    let mut rng = ChaCha20Rng::seed_from_u64(77);
    let keys = Keys::in_memory(&mut rng)?;
    let mut store = Sqlite::open(file)?;
    let context = prepare(&mut store, keys, &[sample_catalogue()?], (now_ms(), &mut rng))?;
    if !threads {
        return Ok(Arc::new(Centre::single(Box::new(store), context, Box::new(Here))));
    }
    let reader: Box<dyn Driver> = Box::new(Sqlite::open_read_only(file)?);
    Ok(Arc::new(Centre::with_threads(Box::new(store), vec![reader], context, Box::new(Here))?))
}

/// The catalogue in `assets/`.
///
/// # Errors
/// If it has mistakes.
pub fn sample_catalogue() -> Result<Catalogue> {
    Ok(load_catalogue(&repository().join("assets/catalogue"))?)
}

/// Brings a store up to date as a start of the server does: schema, catalogue versions, epoch.
///
/// # Errors
/// If the store refuses.
pub fn prepare(
    store: &mut Sqlite,
    keys: Keys,
    catalogues: &[Catalogue],
    (now_ms, rng): (i64, &mut ChaCha20Rng),
) -> Result<Context> {
    migrate(store, now_ms)?;
    let newest = in_transaction(store, newest_version)?;
    for catalogue in catalogues.iter().filter(|c| newest.is_none_or(|newest| c.version > newest)) {
        in_transaction(store, |tx| publish(tx, now_ms, catalogue))?;
    }
    let epoch = in_transaction(store, |tx| meta::epoch(tx, rng))?;
    Ok(Context {
        keys,
        epoch,
        people_url: "http://127.0.0.1:1".into(),
        shelf: Shelf::default(),
        durable: Default::default(),
    })
}

/// Enrols a device at it.
///
/// # Errors
/// If the store refuses.
pub fn enrol_device(centre: &Arc<Centre>, seed: u64) -> Result<Device> {
    let station = STATION.parse()?;
    let now_ms = now_ms();
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let code = centre.write(move |tx| enrol::make_code(tx, now_ms, &station, &mut rng))?.code;
    Device::enrol_through(seed, |key| {
        let request = EnrolRequest {
            code,
            public_key: key.public(),
            software: "test".into(),
            csr: None,
            terminal: None,
            returning: None,
        };
        Ok(centre.enrol(request)?)
    })
}

/// Hands in one envelope.
///
/// # Errors
/// The code of the problem if the whole batch was not taken.
pub fn hand_in(centre: &Centre, upload: &EnvelopeUpload) -> Result<EnvelopeResult> {
    let batch = EnvelopeBatch { envelopes: vec![upload.clone()] };
    let mut answer = centre.take_batch(batch).map_err(|e| anyhow!(e.to_problem(None).code))?;
    answer.results.pop().context("a result")
}
