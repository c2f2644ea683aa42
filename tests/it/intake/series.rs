//! Series of terminals: forks are stored, receipted, quarantined and alarmed; numbers that collide are corrected.
use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::ids::Lineage;
use domain::wire::v1::{EnvelopeUpload, Outcome, ReceiptBody, SeriesNews};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::server::Server;

fn accepted(device: &Device, server: &Server, upload: &EnvelopeUpload) -> Result<ReceiptBody> {
    let result = device.send(server, std::slice::from_ref(upload))?.results.remove(0);
    assert_eq!(result.outcome, Outcome::Accepted, "{:?}", result.problem);
    device.verify(&result.receipt.context("a receipt")?)
}

#[test]
fn a_cloned_disk_is_noticed_and_nothing_is_lost() -> Result<()> {
    let server = Server::start()?;
    let mut original = Device::enrol(&server, 1)?;
    let first = original.seal(&courier())?;
    accepted(&original, &server, &first)?;
    let first_id = header_of(&first)?.envelope_id;
    wait_for_state(&original, &server, first_id, CaseState::Submitted)?;
    let mut clone = original.clone();
    let a = original.seal(&courier())?;
    clone.reseed(77);
    let b = clone.seal(&courier())?;
    // The clone's number is the original's: the later one gets a new one, and both are found.
    let (a_receipt, b_receipt) = (accepted(&original, &server, &a)?, accepted(&clone, &server, &b)?);
    let slip_number = header_of(&b)?.number.context("a number")?;
    assert_eq!(a_receipt.number, Some(slip_number.clone()));
    let corrected = b_receipt.number.context("a number")?;
    assert_ne!(corrected, slip_number);
    assert_eq!(&corrected.as_str()[8..11], "900", "issued by the centre");
    for upload in [&a, &b] {
        wait_for_state(&original, &server, header_of(upload)?.envelope_id, CaseState::Quarantined)?;
    }
    let page = server.page(&format!("/cases/{slip_number}"))?.text();
    assert!(page.contains(&format!("/cases/{corrected}")), "the slip's number leads to both");
    assert!(server.page(&format!("/cases/{corrected}"))?.text().contains(slip_number.as_str()));
    let slip = server.page(&format!("/slips/{slip_number}?d={}", b.digest.short()))?;
    assert!(slip.text().contains("已更正为"), "{}", slip.text());
    // What was before the fork stays as it was; what comes after it is looked at by people.
    let later = original.seal(&courier())?;
    accepted(&original, &server, &later)?;
    wait_for_state(&original, &server, header_of(&later)?.envelope_id, CaseState::Quarantined)?;
    let doctor = server.command(&["doctor", "--json"])?;
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert_eq!(doctor.status.code(), Some(3), "{said}");
    assert!(said.contains("alarms were raised"), "{said}");
    Ok(())
}

#[test]
fn two_lineages_at_once_are_a_fork_and_one_after_the_other_are_not() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let old = device.seal(&courier())?;
    accepted(&device, &server, &old)?;
    let mut restored = device.clone();
    restored.lineage = Lineage::new(&mut ChaCha20Rng::seed_from_u64(5));
    restored.seq = 0;
    restored.counter = restored.counter.next(restored.counter.date)?;
    restored.reseed(88);
    let new = restored.seal(&courier())?;
    accepted(&restored, &server, &new)?;
    wait_for_state(&device, &server, header_of(&new)?.envelope_id, CaseState::Submitted)?;
    // A replay from the old lineage is no sign of life, a new envelope is.
    let replay = device.send(&server, &[old])?.results.remove(0);
    assert_eq!(replay.outcome, Outcome::Duplicate);
    let ghost = device.seal(&courier())?;
    accepted(&device, &server, &ghost)?;
    wait_for_state(&device, &server, header_of(&ghost)?.envelope_id, CaseState::Quarantined)?;
    Ok(())
}

#[test]
fn a_gap_stops_nothing_and_is_reported_until_it_is_filled() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let uploads = (0..3).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    let gap = |server: &Server| -> Result<bool> {
        Ok(String::from_utf8_lossy(&server.command(&["doctor", "--json"])?.stdout)
            .contains("series with gaps"))
    };
    accepted(&device, &server, &uploads[0])?;
    accepted(&device, &server, &uploads[2])?;
    assert!(gap(&server)?);
    accepted(&device, &server, &uploads[1])?;
    assert!(!gap(&server)?);
    for upload in &uploads {
        wait_for_state(&device, &server, header_of(upload)?.envelope_id, CaseState::Submitted)?;
    }
    Ok(())
}

#[test]
fn a_terminal_hears_how_far_its_series_was_seen() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    assert_eq!(device.changes(&server, 0, 0)?.series, None, "nothing was sent yet");
    let uploads = (0..3).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    let lineage = header_of(&uploads[0])?.lineage;
    let expected = Some(SeriesNews { lineage, highest_seq: 3 });
    assert_eq!(device.send(&server, &uploads)?.series, expected);
    assert_eq!(device.changes(&server, 0, 0)?.series, expected);
    let other = Device::enrol(&server, 2)?;
    assert_eq!(other.changes(&server, 0, 0)?.series, None, "only its own");
    Ok(())
}
