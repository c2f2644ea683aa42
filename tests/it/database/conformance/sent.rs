//! What terminals send in the life that is told to both databases.
use anyhow::Result;
use domain::ids::{EnvelopeId, Lineage};
use domain::wire::v1::{EnvelopeKind, EnvelopeUpload, Supplement, Withdrawal};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::json;
use tests::device::{Device, courier, header_of, now_ms};

/// A life's worth of envelopes: good, wrong, foreign, forked, early, doubled.
pub(super) fn envelopes(first: &Device, second: &Device) -> Result<Vec<Vec<EnvelopeUpload>>> {
    let (mut device, mut other) = (first.clone(), second.clone());
    let good = device.seal(&courier())?;
    let id = header_of(&good)?.envelope_id;
    let mut wrong = courier();
    wrong.answers.insert("phone".into(), json!("1"));
    let returned = device.seal(&wrong)?;
    let plain = serde_json::to_vec(&courier())?;
    let later = EnvelopeId::new(now_ms(), &mut ChaCha20Rng::seed_from_u64(9));
    let early = device.seal_with(b"{}", |h| {
        h.kind = EnvelopeKind::Other("note".into());
        h.refers_to = Some(later);
    })?;
    let awaited = device.seal_with(&plain, |h| h.envelope_id = later)?;
    let added = Supplement { applicant: courier().applicant, answers: Default::default() };
    let taken_back = Withdrawal { applicant: courier().applicant };
    let mut refers = |kind, plain: Vec<u8>| {
        device.seal_with(&plain, |h| (h.kind, h.refers_to, h.number) = (kind, Some(id), None))
    };
    let added = refers(EnvelopeKind::Supplement, serde_json::to_vec(&added)?)?;
    let again = refers(EnvelopeKind::Supplement, serde_json::to_vec(&taken_back)?)?;
    let taken_back = refers(EnvelopeKind::Withdrawal, serde_json::to_vec(&taken_back)?)?;
    let unopenable = device.seal_with(b"no", |h| h.refers_to = Some(id))?;
    // A cloned disk, a restored disk and the ghost of the old one.
    let mut clone = device.clone();
    clone.reseed(77);
    let (original, cloned) = (device.seal(&courier())?, clone.seal(&courier())?);
    let mut restored = other.clone();
    let ghost = other.seal(&courier())?;
    restored.lineage = Lineage::new(&mut ChaCha20Rng::seed_from_u64(5));
    restored.reseed(88);
    restored.counter = restored.counter.next(restored.counter.date)?;
    let anew = restored.seal(&courier())?;
    let ghost_again = other.seal(&courier())?;
    let (paged, _) = device.seal_with_pages(&plain, &[b"a page".to_vec(), b"another".to_vec()])?;
    Ok(vec![
        vec![good.clone(), returned, early],
        vec![good, awaited, unopenable, added],
        vec![again],
        vec![taken_back],
        vec![original, cloned],
        vec![ghost],
        vec![anew],
        vec![ghost_again],
        vec![paged],
    ])
}
