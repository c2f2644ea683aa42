//! The part of the conformance suite about pages and photos: awaited, on their way, here.
use anyhow::{Context as _, Result, ensure};
use domain::envelope::Digest;
use domain::ids::{EnvelopeId, TerminalId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::backup::{alarms, blobs as copies, came};
use sync_server::services::uploads::{self, UPLOAD_TIME_MS, UploadState, Wish};
use sync_server::services::{blobs, terminals};
use sync_server::store::{Driver, in_transaction};

/// The pages of an envelope that was taken before come by uploads; one is given up, one is forgotten.
pub fn live(driver: &mut dyn Driver, now_ms: i64) -> Result<()> {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    in_transaction(driver, |tx| -> Result<()> {
        let sql =
            "SELECT b.envelope_id, e.terminal FROM blob_ b JOIN envelope e ON e.envelope_id = b.envelope_id
                   ORDER BY b.page LIMIT 1";
        let row = tx.query_first(sql, &[])?.context("an envelope with pages")?;
        let (id, terminal): (EnvelopeId, TerminalId) = (row.parsed(0)?, row.parsed(1)?);
        let terminal = terminals::active(tx, &terminal)?;
        let pages = blobs::of_envelope(tx, &id)?;
        ensure!(pages.len() == 2 && blobs::missing(tx, &id)?.len() == 2, "{pages:?}");
        let wish = |n: usize| Wish { envelope_id: id, digest: pages[n].digest, length: pages[n].length };
        let first = uploads::begin(tx, now_ms, (&terminal, &wish(0)), &mut rng)?;
        ensure!(
            uploads::begin(tx, now_ms, (&terminal, &wish(0)), &mut rng)? == first,
            "one upload of a page"
        );
        ensure!(uploads::is_open(tx, now_ms, &first.id)?);
        ensure!(uploads::find(tx, now_ms, &first.id, &terminal.id)?.state == UploadState::Open);
        let stranger = Wish { digest: Digest::of(b"other"), ..wish(0) };
        ensure!(uploads::begin(tx, now_ms, (&terminal, &stranger), &mut rng).is_err());
        ensure!(copies::listed(tx)?.is_empty() && copies::whole_upto(tx, 1_000)? < 1_000, "awaited");
        let late = now_ms + UPLOAD_TIME_MS;
        ensure!(
            uploads::find(tx, late, &first.id, &terminal.id).is_err()
                && !uploads::is_open(tx, late, &first.id)?
        );
        ensure!(uploads::begin(tx, late, (&terminal, &wish(0)), &mut rng)?.id != first.id, "a new one");
        uploads::forget(tx, &first.id)?;
        ensure!(uploads::find(tx, now_ms, &first.id, &terminal.id).is_err());
        ensure!(!blobs::arrived(tx, now_ms, &id, &pages[0].digest)?, "one is missing");
        ensure!(!blobs::arrived(tx, now_ms, &id, &pages[0].digest)?, "again changes nothing");
        let second = uploads::begin(tx, now_ms, (&terminal, &wish(1)), &mut rng)?;
        uploads::finish(tx, &second.id)?;
        ensure!(blobs::arrived(tx, now_ms, &id, &pages[1].digest)?, "the last one");
        ensure!(uploads::find(tx, late, &second.id, &terminal.id)?.state == UploadState::Done);
        ensure!(blobs::missing(tx, &id)?.is_empty());
        ensure!(uploads::has_old(tx, now_ms + 30 * UPLOAD_TIME_MS)? && !uploads::has_old(tx, now_ms)?);
        ensure!(uploads::forget_old(tx, now_ms + 30 * UPLOAD_TIME_MS)? == 2);
        ensure!(copies::listed(tx)?.len() == 2 && copies::whole_upto(tx, 1_000)? == 1_000, "both are here");
        ensure!(copies::upto_without(tx, &[pages[1].digest], 1_000)? < 1_000, "one cannot be had");
        let number =
            tx.query_first("SELECT number FROM case_ WHERE envelope_id = $1", &[id.to_string().into()])?;
        let found = came::of_case(tx, &number.context("a case")?.parsed(0)?)?;
        ensure!(found.iter().any(|(of, files)| *of == id && files.len() == 2), "{found:?}");
        ensure!(!came::is_backed_up(tx)? && came::backed_up(tx, &found[0].1)?.is_empty());
        let lacking = copies::Lacking {
            gone: vec![pages[1].digest],
            unread: vec![pages[0].digest],
            ..copies::Lacking::default()
        };
        let untold = alarms::untold(tx, &lacking)?;
        ensure!(untold != alarms::Untold::default() && alarms::unread(tx)?.is_empty());
        alarms::raise(tx, now_ms, &untold)?;
        ensure!(alarms::untold(tx, &lacking)? == alarms::Untold::default(), "told once");
        ensure!(alarms::unread(tx)?.into_iter().eq([pages[0].digest]));
        copies::await_again(tx, now_ms, &[pages[1].digest])?;
        ensure!(blobs::missing(tx, &id)? == [pages[1].digest], "asked for again");
        ensure!(blobs::waiting(tx, i64::MAX)?.iter().any(|w| w.awaited == 1), "its case waits");
        ensure!(copies::whole_upto(tx, 1_000)? < 1_000, "and keeps others from being durable");
        ensure!(blobs::give_up(tx, now_ms, &id)? == [pages[1].digest], "given up");
        ensure!(blobs::waiting(tx, i64::MAX)?.is_empty() && copies::whole_upto(tx, 1_000)? == 1_000);
        ensure!(blobs::of_envelope(tx, &id)?[1].given_up, "and said so");
        ensure!(blobs::arrived(tx, now_ms, &id, &pages[1].digest)?, "and here again");
        Ok(())
    })
}
