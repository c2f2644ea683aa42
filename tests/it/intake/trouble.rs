//! Trouble of the centre with one envelope or one case never holds up the others.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::date::CivilDate;
use domain::ids::EnvelopeId;
use domain::wire::v1::{EnvelopeBatch, EnvelopeUpload, Outcome};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::centre::Centre;
use sync_server::error::ServiceError;
use sync_server::jobs::open_received;
use sync_server::services::{cases, enrol, meta};
use tests::device::{Device, courier, header_of, now_ms};

use super::in_process::enrolled;

const FIRST_CENTRE_ISSUER: u16 = 900;

/// All numbers of some of the centre's own issuers are taken today.
fn exhaust(centre: &Centre, issuers: std::ops::RangeInclusive<u16>) -> Result<()> {
    let date = CivilDate::in_china(centre.now_ms());
    centre.write(move |tx| {
        for issuer in issuers.clone().filter_map(domain::ids::Issuer::new) {
            enrol::note_counter(tx, issuer, domain::ids::CounterState { date, counter: 9_999 })?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Two envelopes with one number, as a cloned disk makes them.
fn colliding(device: &mut Device) -> Result<(EnvelopeUpload, EnvelopeUpload)> {
    let mut clone = device.clone();
    clone.reseed(77);
    Ok((device.seal(&courier())?, clone.seal(&courier())?))
}

fn send(centre: &Centre, envelopes: &[&EnvelopeUpload]) -> Result<Vec<(Outcome, Option<u16>)>> {
    let envelopes = envelopes.iter().map(|u| (*u).clone()).collect();
    let response = centre.take_batch(EnvelopeBatch { envelopes })?;
    Ok(response.results.into_iter().map(|r| (r.outcome, r.problem.map(|p| p.status))).collect())
}

#[test]
fn issuers_of_the_centre_are_tried_in_turn_and_then_the_envelope_comes_again() -> Result<()> {
    let clock = Arc::new(AtomicI64::new(now_ms()));
    let (centre, mut device) = enrolled(&clock)?;
    let (first, second) = colliding(&mut device)?;
    exhaust(&centre, FIRST_CENTRE_ISSUER..=FIRST_CENTRE_ISSUER + 1)?;
    assert_eq!(send(&centre, &[&first, &second])?, [(Outcome::Accepted, None), (Outcome::Accepted, None)]);
    let id = header_of(&second)?.envelope_id;
    let case = centre.read(|tx| Ok::<_, ServiceError>(cases::by_id(tx, &id)?))?.context("a case")?;
    assert_eq!(&case.number.as_str()[8..11], "902", "the first issuer with a number left");

    let (third, fourth) = colliding(&mut device)?;
    exhaust(&centre, FIRST_CENTRE_ISSUER..=999)?;
    let good = device.seal(&courier())?;
    let told = send(&centre, &[&third, &fourth, &good])?;
    assert_eq!(
        told,
        [(Outcome::Accepted, None), (Outcome::Refused, Some(503)), (Outcome::Accepted, None)],
        "only the one without a number has to come again"
    );
    let alone = send(&centre, &[&fourth]).err().context("nothing of the batch was taken")?;
    assert!(alone.to_string().contains("numbers-exhausted"), "{alone}");
    // Tomorrow there are numbers again, and the same bytes are taken.
    clock.fetch_add(86_400_000, Ordering::AcqRel);
    assert_eq!(send(&centre, &[&fourth])?, [(Outcome::Accepted, None)]);
    Ok(())
}

fn state(centre: &Centre, id: EnvelopeId) -> Result<CaseState> {
    let case = centre.read(|tx| Ok::<_, ServiceError>(cases::by_id(tx, &id)?))?;
    Ok(case.context("a case")?.state)
}

#[test]
fn a_case_that_cannot_be_opened_now_waits_and_the_others_are_opened() -> Result<()> {
    let clock = Arc::new(AtomicI64::new(now_ms()));
    let (centre, mut device) = enrolled(&clock)?;
    let (old, new) = (device.seal(&courier())?, device.seal(&courier())?);
    send(&centre, &[&old])?;
    let year = CivilDate::in_china(centre.now_ms()).parts().0;
    clock.fetch_add(366 * 86_400_000, Ordering::AcqRel);
    send(&centre, &[&new])?;
    // The store knows another key for the year of the first case: it must not be sealed under this one.
    let id = format!("year-{year}");
    centre.write(move |tx| Ok(meta::bind_year_key(tx, &id, "another key")?.is_ok()))?;
    let (stop, mut rng) = (AtomicBool::new(false), ChaCha20Rng::seed_from_u64(2));
    assert_eq!(open_received(&centre, &mut rng, &stop)?, 1);
    let (old_id, new_id) = (header_of(&old)?.envelope_id, header_of(&new)?.envelope_id);
    assert_eq!(state(&centre, old_id)?, CaseState::Received);
    assert_ne!(state(&centre, new_id)?, CaseState::Received, "opened, whatever was in it");
    assert_eq!(open_received(&centre, &mut rng, &stop)?, 0, "it is tried again, and waits again");
    Ok(())
}
