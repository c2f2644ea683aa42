//! The whole centre without HTTP, threads or a clock of its own: what a simulator drives.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::wire::v1::{ChangeNews, ChangesQuery, EnrolRequest, EnvelopeBatch, Outcome};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::centre::Centre;
use sync_server::error::ServiceError;
use sync_server::jobs::open_received;
use sync_server::keys::Keys;
use sync_server::services::catalogue::{Shelf, publish};
use sync_server::services::{Context, cases, enrol, meta};
use sync_server::startup::load_catalogue;
use sync_server::store::{fresh_in_memory, in_transaction};
use tests::device::{Device, STATION, courier, header_of, now_ms};
use tests::told::Told;

fn centre(clock: &Arc<AtomicI64>) -> Result<(Arc<Centre>, String)> {
    let now_ms = clock.load(Ordering::Acquire);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut store = fresh_in_memory()?;
    let catalogue = load_catalogue(&tests::binaries::repository().join("assets/catalogue"))?;
    in_transaction(&mut store, |tx| publish(tx, now_ms, &catalogue))?;
    let epoch = in_transaction(&mut store, |tx| meta::epoch(tx, &mut rng))?;
    let station = STATION.parse()?;
    let code = in_transaction(&mut store, |tx| enrol::make_code(tx, now_ms, &station, &mut rng))?.code;
    let keys = Keys::in_memory(&mut rng)?;
    let context = Context {
        keys,
        epoch,
        people_url: "http://127.0.0.1:1".into(),
        shelf: Shelf::default(),
        durable: Default::default(),
    };
    Ok((Arc::new(Centre::single(Box::new(store), context, Box::new(Told(clock.clone())))), code))
}

/// A centre and a device that is enrolled there.
pub fn enrolled(clock: &Arc<AtomicI64>) -> Result<(Arc<Centre>, Device)> {
    let (centre, code) = centre(clock)?;
    let device = Device::enrol_through(1, |key| {
        let request = EnrolRequest {
            code,
            public_key: key.public(),
            software: String::new(),
            csr: None,
            terminal: None,
            returning: None,
        };
        Ok(centre.enrol(request)?)
    })?;
    Ok((centre, device))
}

#[test]
fn a_case_goes_its_way_without_a_thread_or_a_socket() -> Result<()> {
    let clock = Arc::new(AtomicI64::new(now_ms()));
    let (centre, mut device) = enrolled(&clock)?;
    let upload = device.seal(&courier())?;
    let id = header_of(&upload)?.envelope_id;
    let batch = EnvelopeBatch { envelopes: vec![upload] };
    let first = centre.take_batch(batch.clone())?.results.remove(0);
    assert_eq!(first.outcome, Outcome::Accepted, "{:?}", first.problem);
    let receipt = first.receipt.context("a receipt")?;
    clock.fetch_add(60_000, Ordering::AcqRel);
    let again = centre.take_batch(batch)?.results.remove(0);
    assert_eq!((again.outcome, again.receipt.as_ref()), (Outcome::Duplicate, Some(&receipt)), "at any time");
    let stop = AtomicBool::new(false);
    assert_eq!(open_received(&centre, &mut ChaCha20Rng::seed_from_u64(2), &stop)?, 1);
    assert_eq!(open_received(&centre, &mut ChaCha20Rng::seed_from_u64(2), &stop)?, 0, "done once");
    let case = centre.read(|tx| Ok::<_, ServiceError>(cases::by_id(tx, &id)?))?.context("a case")?;
    assert_eq!((case.state, case.version), (CaseState::Submitted, 2));
    assert_eq!(case.changed_at_ms - case.received_at_ms, 60_000, "by the told clock");
    let news = centre
        .changes((&device.enrolled.terminal, &device.enrolled.station), ChangesQuery::default())?
        .changes;
    let states: Vec<_> = news
        .iter()
        .filter_map(|c| if let ChangeNews::Case(n) = &c.news { Some(n.state) } else { None })
        .collect();
    assert_eq!(states, [CaseState::Received, CaseState::Submitted]);
    Ok(())
}
