//! The part of the conformance suite about backups, restores, audit heads and erasure.
use anyhow::{Context as _, Result, ensure};
use domain::envelope::{KeyRing, SignedKind, sign_document};
use domain::ids::{EnvelopeId, ServerEpoch};
use domain::wire::v1::{OfferedReceipt, ReceiptBody};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::jobs::open_case;
use sync_server::keys::Keys;
use sync_server::services::audit_heads::{self, Verdict};
use sync_server::services::durability::{self, Backup};
use sync_server::services::erasure::{self, Erasure, Why};
use sync_server::services::{audit, enrol, meta, offers, receipt, series, sessions};
use sync_server::store::{Driver, Tx, in_transaction};

/// A backup is noted, a head is signed, content is erased, held and released, the centre is restored, and what it lost is
/// offered.
pub fn live(driver: &mut dyn Driver, now_ms: i64) -> Result<()> {
    let mut rng = ChaCha20Rng::seed_from_u64(21);
    let keys = Keys::in_memory(&mut rng)?;
    in_transaction(driver, |tx| -> Result<()> {
        ensure!(open_case::waiting_for_key(tx, 0, 3)?.is_empty());
        let epoch = meta::known_epoch(tx)?.context("an epoch")?;
        let backup = |server_seq, epoch| Backup {
            made_at_ms: now_ms,
            id: EnvelopeId::new(now_ms, &mut ChaCha20Rng::seed_from_u64(server_seq)),
            server_seq,
            epoch,
        };
        durability::note(tx, now_ms, &backup(3, epoch), 3)?;
        durability::note(tx, now_ms, &backup(9, ServerEpoch::new(&mut rng)), 9)?;
        ensure!(durability::durable_upto(tx)? == Some(3) && durability::last(tx)? == Some(backup(3, epoch)));
        ensure!(durability::first_accepted_ms(tx, i64::MAX)? < i64::MAX);
        ensure!(audit_heads::sign_today(tx, now_ms, &keys)? && !audit_heads::sign_today(tx, now_ms, &keys)?);
        let head = audit_heads::newest(tx)?.context("a head")?;
        ensure!(audit_heads::kept(tx)? == std::slice::from_ref(&head));
        let ring = KeyRing::new([keys.receipt.public()]);
        ensure!(audit_heads::judge(tx, &head, &ring)? == Verdict::Holds);
        erase(tx, now_ms)?;
        restored(tx, now_ms, &mut rng)?;
        lost(tx, now_ms, &keys, &mut rng)
    })
}

fn erase(tx: &mut Tx<'_>, now_ms: i64) -> Result<()> {
    let due = erasure::due(tx, i64::MAX, 10)?;
    let [first, ..] = due.as_slice() else { anyhow::bail!("a returned case") };
    erasure::hold(tx, now_ms, first, ("operator", "dispute"))?;
    ensure!(!erasure::due(tx, i64::MAX, 10)?.contains(first));
    let erasures = [Erasure { envelope_id: *first, at_ms: now_ms, why: Why::Retention }];
    ensure!(erasure::erase(tx, &erasures)? == 0, "on hold");
    ensure!(erasure::release(tx, now_ms, first, "operator")?);
    ensure!(erasure::erase(tx, &erasures)? == 1 && erasure::erase(tx, &erasures)? == 0);
    ensure!(erasure::replay(tx, &erasures)? == 0 && erasure::erase_returned(tx)? == 0);
    // What refers to it and comes too late goes as well.
    let late = "SELECT envelope_id FROM envelope WHERE LENGTH(ciphertext) > 0 ORDER BY server_seq LIMIT 1";
    let late = tx.query_first(late, &[])?.context("an envelope")?.text(0)?.to_owned();
    let refer = "UPDATE envelope SET refers_to = $1 WHERE envelope_id = $2";
    tx.execute(refer, &[first.to_string().into(), late.as_str().into()])?;
    ensure!(erasure::erase_returned(tx)? == 1 && erasure::erase_returned(tx)? == 0);
    let left = "SELECT COUNT(*) FROM envelope WHERE envelope_id = $1 AND LENGTH(ciphertext) > 0";
    ensure!(tx.query_int(left, &[late.as_str().into()])? == 0, "its content is gone");
    ensure!(erasure::erased_at(tx, first)? == Some(now_ms) && !erasure::is_held(tx, first)?);
    ensure!(erasure::hold(tx, now_ms, first, ("operator", "too late")).is_err());
    Ok(())
}

fn restored(tx: &mut Tx<'_>, now_ms: i64, rng: &mut ChaCha20Rng) -> Result<()> {
    durability::forget(tx)?;
    sessions::end_of_everybody(tx)?;
    enrol::void_codes(tx, now_ms)?;
    let before = meta::known_epoch(tx)?;
    let (last, _) = audit::last(tx)?.context("a row")?;
    let epoch = meta::begin_epoch(tx, last, rng)?;
    ensure!(meta::known_epoch(tx)? == Some(epoch) && before != Some(epoch));
    ensure!(series::ends(tx)?.iter().any(|end| end.highest_seq > 0));
    Ok(())
}

fn lost(tx: &mut Tx<'_>, now_ms: i64, keys: &Keys, rng: &mut ChaCha20Rng) -> Result<()> {
    let there =
        tx.query_first("SELECT envelope_id FROM case_ WHERE state = $1 LIMIT 1", &["submitted".into()])?;
    let there: EnvelopeId = there.context("a case")?.parsed(0)?;
    let there = receipt::stored(tx, &there)?.context("a receipt")?;
    let lost = ReceiptBody { envelope_id: EnvelopeId::new(now_ms, rng), ..there.clone() };
    let kept = ReceiptBody { envelope_id: EnvelopeId::new(now_ms, rng), ..there.clone() };
    let offered = |body: &ReceiptBody, kept| -> Result<OfferedReceipt> {
        Ok(OfferedReceipt {
            receipt: sign_document(SignedKind::Receipt, serde_json::to_vec(body)?, &keys.receipt),
            kept,
        })
    };
    let all = [offered(&there, false)?, offered(&lost, false)?, offered(&kept, true)?];
    let terminal = "T-02".parse()?;
    let ring = KeyRing::new([keys.receipt.public()]);
    for _ in 0..2 {
        let lacking = offers::take(tx, now_ms, (&terminal, &ring), &all)?;
        ensure!(lacking == [lost.envelope_id, kept.envelope_id]);
    }
    ensure!(tx.query_int("SELECT COUNT(*) FROM lost_submission", &[])? == 1);
    let stranger = KeyRing::new([Keys::in_memory(rng)?.receipt.public()]);
    ensure!(offers::take(tx, now_ms, (&terminal, &stranger), &all).is_err());
    Ok(())
}
