//! Backups, restores, offers and erasures that give an error at any of their steps: it is told, nothing is lost, and the
//! same once more ends it. What a kill at these steps leaves is tried in `safety/steps.rs`.
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sync_server::erasure_journal;
use sync_server::store::{Database, Sqlite};
use terminal::store::read_status;
use tests::history::CentreView;
use tests::storm::pages::{check_centre, given};
use tests::storm::points::{Action, Plan, Point, SAFETY, When};
use tests::storm::process::{End, Process, ServerFolder};

use super::points::{PATIENCE, Rig, at};
use crate::safety::copy_keys;

/// Pages of a submission, at most.
const PAGES: u32 = 1;
/// Between two looks at a store that a server works on.
const GLANCE: Duration = Duration::from_millis(20);

fn points(when: When) -> impl Iterator<Item = &'static Point> {
    SAFETY.iter().filter(move |p| p.when == when && p.fails)
}

fn well(output: &Output) -> Result<()> {
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// It said that the disk is full, and ended so.
fn told(output: &Output, point: &Point) -> Result<()> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code().is_some_and(|code| code != 0), "{}: {:?}", point.name, output.status);
    ensure!(said.contains("full"), "{}: {said}", point.name);
    Ok(())
}

/// A centre with a submission and its page, and where its backups go.
struct Kept {
    rig: Rig,
    key: String,
    backups: String,
}

impl Kept {
    fn new() -> Result<Self> {
        let rig = Rig::enrolled(PAGES)?;
        rig.settle()?;
        let text = |name: &str| rig.folder.path().join(name).display().to_string();
        let (key, backups) = (text("backup.key"), text("backups"));
        well(&rig.server().command(None, "backup-key", &["--out", &key])?)?;
        Ok(Self { rig, key, backups })
    }

    fn back_up(&self, plan: Option<Plan>) -> Result<Output> {
        self.rig.server().command(plan, "backup", &["--to", &self.backups])
    }

    /// Restores the newest backup.
    fn restore(&self, to: &ServerFolder, plan: Option<Plan>) -> Result<Output> {
        to.command(plan, "restore", &["--from", &self.backups, "--key", &self.key])
    }

    fn beside(&self, name: &str) -> ServerFolder {
        ServerFolder { program: Rig::program(), data: self.rig.folder.path().join(name) }
    }

    /// A life of the terminal with a submission with a page and one without, whose receipt is offered to a restored centre:
    /// all that it has is at the centre then.
    fn hand_in(&self, plan: Option<Plan>) -> Result<()> {
        let mut server = self.rig.serve(None)?;
        let end = self.rig.life("t", &self.rig.link.secure_url(), plan, 2)?.wait(PATIENCE)?;
        ensure!(end == Some(End::Done), "it did not end well: {end:?}");
        server.kill()
    }

    /// Envelopes and pages of the terminal are at this centre, which does not run: with their digests, and no others.
    fn assert_all_at(&self, data: &Path) -> Result<()> {
        let rows = read_status(&self.rig.folder.path().join("t"), u32::MAX)?;
        let saved: BTreeSet<_> = rows.into_iter().map(|r| (r.envelope_id, r.digest)).collect();
        let view = CentreView::read(&mut Sqlite::open_read_only(&data.join("server.db"))?)?;
        ensure!(view.unsound.is_empty() && view.broken_link.is_none(), "{:?}", view.unsound);
        let stored = view.envelopes.iter().map(|e| (e.id.to_string(), e.computed.to_string()));
        ensure!(
            stored.collect::<BTreeSet<_>>() == saved,
            "{} of the terminal are not those at the centre",
            saved.len()
        );
        ensure!(check_centre(data, &given(&self.rig.history())?)? > 0, "no page at all");
        Ok(())
    }

    /// The centre is gone, and what its newest backup held is there instead.
    fn set_back(&self) -> Result<()> {
        let (own, keys) = (self.rig.server(), self.beside("keys-of-it"));
        copy_keys(&own.data, &keys.data)?;
        std::fs::remove_dir_all(&own.data)?;
        copy_keys(&keys.data, &own.data)?;
        well(&self.restore(&own, None)?)
    }
}

#[test]
fn an_error_at_any_step_of_backup_and_restore_is_told_and_the_same_once_more_ends_it() -> Result<()> {
    let kept = Kept::new()?;
    for point in points(When::BackUp) {
        told(&kept.back_up(at(point, Action::Fail))?, point)?;
        well(&kept.back_up(None)?).context(point.name)?;
    }
    for (nth, point) in points(When::Restore).enumerate() {
        let to = kept.beside(&format!("restored-{nth}"));
        copy_keys(&kept.rig.server().data, &to.data)?;
        told(&kept.restore(&to, at(point, Action::Fail))?, point)?;
        well(&kept.restore(&to, None)?).context(point.name)?;
        let (mut process, address) = to.start(None).context(point.name)?;
        ensure!(address.is_some(), "{}: it serves", point.name);
        process.kill()?;
        kept.assert_all_at(&to.data).context(point.name)?;
    }
    Ok(())
}

#[test]
fn an_error_at_any_step_of_an_offer_is_made_good_by_the_next_one() -> Result<()> {
    let kept = Kept::new()?;
    for point in points(When::Offer) {
        well(&kept.back_up(None)?)?;
        // What comes now is in no backup.
        kept.hand_in(None)?;
        kept.set_back()?;
        kept.hand_in(at(point, Action::Fail)).context(point.name)?;
        kept.assert_all_at(&kept.rig.server().data).context(point.name)?;
    }
    Ok(())
}

/// Waits until something is so while a server runs.
fn until(server: &mut Process, what: &str, mut so: impl FnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while !so()? {
        ensure!(Instant::now() < end, "never: {what}");
        ensure!(server.wait(GLANCE)?.is_none(), "the server ended by itself");
    }
    Ok(())
}

#[test]
fn an_error_after_the_journal_of_an_erasure_is_made_good() -> Result<()> {
    let rig = Rig::enrolled(PAGES)?;
    rig.settle()?;
    let data = rig.server().data;
    let store = Database::Sqlite(data.join("server.db"));
    // A page that its form does not name: the case was returned, long ago.
    store.open()?.run_script("UPDATE case_ SET changed_at_ms = 1")?;
    let number = |sql: &str| -> Result<i64> { Ok(store.open_read_only()?.query(sql, &[])?[0].int(0)?) };
    let left = || number("SELECT COUNT(*) FROM envelope WHERE LENGTH(ciphertext) > 0");
    let journal = data.join(erasure_journal::FILE);
    for point in points(When::Erase) {
        ensure!(left()? > 0, "something is to be erased");
        let mut server = rig.serve(at(point, Action::Fail))?;
        until(&mut server, "the journal", || Ok(!erasure_journal::read(&journal)?.is_empty()))?;
        server.kill()?;
        let mut server = rig.serve(None)?;
        until(&mut server, "the erasure", || Ok(left()? == 0))?;
        server.kill()?;
    }
    assert_eq!(number("SELECT COUNT(*) FROM audit WHERE event = 'content.erased'")?, 1, "once");
    Ok(())
}
