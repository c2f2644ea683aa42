//! A receipt is the centre's word: verified by the terminal, the same bytes at each replay, never for other bytes.
use anyhow::{Context as _, Result};
use domain::envelope::Digest;
use domain::wire::v1::{BlobEntry, BlobKind, EnvelopeKind, Outcome};
use rand_core::SeedableRng as _;
use sync_server::store::Row;
use tests::device::{Device, JSON, courier, header_of, new_key, send_raw};
use tests::http;
use tests::server::Server;

#[test]
fn t04_an_envelope_is_receipted_and_its_replay_gives_the_same_bytes() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    let header = header_of(&upload)?;
    let first = device.send(&server, std::slice::from_ref(&upload))?.results.remove(0);
    assert_eq!((first.outcome, first.problem.as_ref()), (Outcome::Accepted, None));
    let receipt = first.receipt.context("a receipt")?;
    let body = device.verify(&receipt)?;
    assert_eq!((body.envelope_id, body.digest), (header.envelope_id, upload.digest));
    assert_eq!((body.number, body.complete, body.server_seq), (header.number, true, 1));
    for _ in 0..3 {
        let again = device.send(&server, std::slice::from_ref(&upload))?.results.remove(0);
        assert_eq!(again.outcome, Outcome::Duplicate);
        assert_eq!(again.receipt.as_ref(), Some(&receipt));
    }
    Ok(())
}

#[test]
fn the_same_id_with_other_bytes_is_a_conflict_and_overwrites_nothing() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    let id = header_of(&upload)?.envelope_id;
    let receipt = device.send(&server, std::slice::from_ref(&upload))?.results.remove(0).receipt;
    device.seq -= 1;
    let other = device.seal_with(b"{}", |h| h.envelope_id = id)?;
    assert_ne!(other.digest, upload.digest);
    let result = device.send(&server, std::slice::from_ref(&other))?.results.remove(0);
    assert_eq!(result.outcome, Outcome::Conflict);
    assert_eq!(result.digest, other.digest);
    assert!(result.receipt.is_none());
    let problem = result.problem.context("a problem")?;
    assert_eq!((problem.status, problem.code.as_str()), (409, "envelope-conflict"));
    let again = device.send(&server, &[upload])?.results.remove(0);
    assert_eq!((again.outcome, again.receipt), (Outcome::Duplicate, receipt));
    Ok(())
}

#[test]
fn a_batch_has_a_result_for_each_and_one_bad_row_holds_up_nobody() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let mut uploads = (0..50).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    uploads[20].ciphertext.0[0] ^= 1;
    uploads[30] = uploads[10].clone();
    let response = device.send(&server, &uploads)?;
    assert_eq!(response.results.len(), 50);
    for (n, (result, upload)) in response.results.iter().zip(&uploads).enumerate() {
        assert_eq!(result.digest, upload.digest, "{n}");
        let wanted = match n {
            20 => Outcome::Refused,
            30 => Outcome::Duplicate,
            _ => Outcome::Accepted,
        };
        assert_eq!(result.outcome, wanted, "{n}: {:?}", result.problem);
        if let Some(receipt) = &result.receipt {
            assert_eq!(device.verify(receipt)?.digest, upload.digest);
        }
    }
    uploads.push(device.seal(&courier())?);
    let answer = send_raw(&server, &uploads)?;
    assert_eq!((answer.status, answer.problem()?.as_str()), (413, "too-many-envelopes"));
    Ok(())
}

#[test]
fn strangers_and_forged_signatures_are_refused_and_stored_nowhere() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let mut forged = device.seal(&courier())?;
    forged.signature.0.0[0] ^= 1;
    let mut thief = device.clone();
    thief.key = new_key(&mut rand_chacha::ChaCha20Rng::from_seed([9; 32]));
    let stolen = thief.seal(&courier())?;
    let mut stranger = device.clone();
    stranger.enrolled.terminal = "T-9999".parse()?;
    let unknown = stranger.seal(&courier())?;
    let table = [(forged, "signature-invalid"), (stolen, "signature-invalid"), (unknown, "terminal-unknown")];
    for (upload, code) in table {
        let result = device.send(&server, &[upload])?.results.remove(0);
        assert_eq!(result.outcome, Outcome::Refused);
        assert!(result.receipt.is_none());
        let problem = result.problem.context("a problem")?;
        assert_eq!((problem.status, problem.code.as_str()), (401, code));
    }
    assert!(server.page("/cases")?.text().contains("还没有办件"));
    Ok(())
}

#[test]
fn missing_pages_make_a_receipt_incomplete_and_are_named() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let page = BlobEntry { digest: Digest::of(b"page"), length: 4, kind: BlobKind::Page, page: 1 };
    let upload = device.seal_with(b"{}", |h| h.blobs = vec![page.clone()])?;
    let result = device.send(&server, &[upload])?.results.remove(0);
    assert_eq!((result.outcome, result.missing_blobs), (Outcome::Accepted, vec![page.digest]));
    assert!(!device.verify(&result.receipt.context("a receipt")?)?.complete);
    Ok(())
}

#[test]
fn an_unknown_kind_is_stored_and_receipted_and_a_reference_may_come_first() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let unknown = device.seal_with(b"?", |h| h.kind = EnvelopeKind::Other("hologram".into()))?;
    let submission = device.seal(&courier())?;
    let id = header_of(&submission)?.envelope_id;
    let rating = device.seal_with(b"{}", |h| {
        h.kind = EnvelopeKind::Rating;
        h.refers_to = Some(id);
        h.number = None;
    })?;
    for upload in [unknown, rating, submission] {
        let result = device.send(&server, std::slice::from_ref(&upload))?.results.remove(0);
        assert_eq!(result.outcome, Outcome::Accepted, "{:?}", result.problem);
        let body = device.verify(&result.receipt.context("a receipt")?)?;
        assert_eq!(body.number.is_some(), header_of(&upload)?.kind == EnvelopeKind::Submission);
    }
    let rows = server.rows("SELECT kind, disposition FROM envelope ORDER BY kind", &[])?;
    let text = |row: &Row, column| row.text(column).map(str::to_owned);
    let rows: Vec<_> = rows.iter().map(|r| Ok((text(r, 0)?, text(r, 1)?))).collect::<Result<_>>()?;
    let wanted = [("hologram", "quarantined"), ("rating", "held"), ("submission", "case")];
    assert_eq!(rows, wanted.map(|(a, b)| (a.to_owned(), b.to_owned())));
    Ok(())
}

#[test]
fn answers_are_compressed_when_asked_and_carry_the_contact() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    let batch = serde_json::to_vec(&domain::wire::v1::EnvelopeBatch { envelopes: vec![upload] })?;
    let headers = [JSON, ("accept-encoding", "zstd")];
    let answer = http::post(&server.terminals, "/api/v1/envelopes", &headers, &batch)?;
    assert_eq!(answer.header("content-encoding"), Some("zstd"));
    let plain = zstd::decode_all(answer.body.as_slice())?;
    let response: domain::wire::v1::BatchResponse = serde_json::from_slice(&plain)?;
    assert_eq!(response.contact.server_epoch, device.enrolled.contact.server_epoch);
    assert_eq!(
        answer.header("jinban-server-epoch"),
        Some(response.contact.server_epoch.to_string().as_str())
    );
    Ok(())
}
