//! Pages are killed on their way, at every named point of terminal and centre, and each point gives an error and is slow:
//! what was handed in is at the centre with its digest, once, and nothing else is left anywhere.
use anyhow::{Context as _, Result, ensure};
use domain::envelope::Digest;
use tests::history::Op;
use tests::storm::pages::{Given, check_centre, check_terminal, failures, given};
use tests::storm::points::{Action, PAGES, Plan, Point};
use tests::storm::process::End;

use super::points::{PATIENCE, Rig, at};

/// Pages of a submission at most: a life of two submissions hands in three.
const MOST: u32 = 2;
/// Passages at which a process is killed: at the first page of a submission, at its last one, and at one of the next.
const PASSAGES: [u32; 3] = [1, 2, 3];

fn of(side: &str) -> impl Iterator<Item = &'static Point> + Clone {
    PAGES.iter().filter(move |p| p.name.starts_with(side))
}

impl Rig {
    /// Everything arrives, all rules hold, and every page is where it belongs; how many pages the centre has.
    fn settle_pages(&self) -> Result<usize> {
        self.settle()?;
        // Files of uploads that a kill left are removed by a start.
        self.serve(None)?.kill()?;
        let given = given(&self.history())?;
        check_terminal(&self.folder.path().join("t"), &given)?;
        check_centre(&self.server().data, &given)
    }

    /// As [`Rig::settle_pages`], with so many pages at least.
    fn settle_with_more(&self, least: usize) -> Result<usize> {
        let pages = self.settle_pages()?;
        ensure!(pages >= least, "{pages} pages at the centre, {least} were given");
        Ok(pages)
    }

    fn failures(&self) -> Result<u32> {
        failures(&self.folder.path().join("t"))
    }
}

#[test]
fn a_terminal_killed_at_any_point_of_a_page_loses_none() -> Result<()> {
    let rig = Rig::enrolled(MOST)?;
    let mut at_centre = 0;
    for point in of("terminal::") {
        let mut server = rig.serve(None)?;
        for nth in PASSAGES {
            let plan = Plan { point: *point, nth, action: Action::Kill(0) };
            let end = rig.life("t", &rig.link.secure_url(), Some(plan), 2)?.wait(PATIENCE)?;
            ensure!(end == Some(End::Killed), "{plan} was not reached: {end:?}");
        }
        server.kill()?;
        at_centre = rig.settle_with_more(at_centre + 2).with_context(|| point.name)?;
    }
    Ok(())
}

#[test]
fn a_centre_killed_at_any_point_of_a_page_loses_none_and_goes_on() -> Result<()> {
    let rig = Rig::enrolled(MOST)?;
    let mut at_centre = 0;
    for point in of("server::") {
        for nth in PASSAGES {
            // What the thread at the point did wrong could travel meanwhile.
            let plan = Plan { point: *point, nth, action: Action::Kill(u64::from(nth - 1) * 20) };
            let mut server = rig.serve(Some(plan))?;
            let mut life = rig.life("t", &rig.link.secure_url(), None, 2)?;
            let killed = server.wait(PATIENCE)?;
            ensure!(killed == Some(End::Killed), "{plan} was not reached: {killed:?}");
            let mut next = rig.serve(None)?;
            let end = life.wait(PATIENCE)?;
            ensure!(end == Some(End::Done), "{plan}: {end:?}");
            next.kill()?;
        }
        at_centre = rig.settle_with_more(at_centre + 11).with_context(|| point.name)?;
    }
    Ok(())
}

#[test]
fn an_error_at_any_point_of_a_page_is_felt_and_mended() -> Result<()> {
    let rig = Rig::enrolled(MOST)?;
    let mut server = rig.serve(None)?;
    for point in of("terminal::").filter(|p| p.fails) {
        let end = rig.life("t", &rig.link.secure_url(), at(point, Action::Fail), 2)?.wait(PATIENCE)?;
        ensure!(end == Some(End::Done), "{}: {end:?}", point.name);
    }
    server.kill()?;
    for point in of("server::").filter(|p| p.fails) {
        let before = rig.failures()?;
        let mut server = rig.serve(at(point, Action::Fail))?;
        let end = rig.life("t", &rig.link.secure_url(), None, 2)?.wait(PATIENCE)?;
        ensure!(end == Some(End::Done), "{}: {end:?}", point.name);
        server.kill()?;
        // The writer runs a bad piece of its group once more by itself: that error never leaves the centre.
        let mended = point.name == "server::blob::after_arrived";
        ensure!(mended || rig.failures()? > before, "{}: no terminal felt it", point.name);
    }
    let refused = rig.check(&["t"])?.count(|o| matches!(o, Op::Refused { .. }));
    assert_eq!(refused, 2, "file and row of a page were felt by a citizen, who scanned once more");
    rig.settle_with_more(9 * 3).map(drop)
}

#[test]
fn slow_points_of_a_page_change_nothing() -> Result<()> {
    let rig = Rig::enrolled(MOST)?;
    let slow = |point| at(point, Action::Wait(15));
    for (of_terminal, of_server) in of("terminal::").zip(of("server::").cycle()) {
        let mut server = rig.serve(slow(of_server))?;
        let end = rig.life("t", &rig.link.secure_url(), slow(of_terminal), 2)?.wait(PATIENCE)?;
        ensure!(end == Some(End::Done), "{} {}: {end:?}", of_terminal.name, of_server.name);
        server.kill()?;
    }
    rig.settle_with_more(5 * 3).map(drop)
}

/// The check of this story can fail: a page that the centre lost, one that it altered, and one that nobody named.
#[test]
fn lost_altered_and_stray_pages_are_seen() -> Result<()> {
    let rig = Rig::enrolled(MOST)?;
    assert_eq!(rig.settle_pages()?, 2);
    let (data, terminal) = (rig.server().data, rig.folder.path().join("t"));
    let known = given(&rig.history())?;
    let first = known.first().context("a page")?;
    let complaint =
        |given| check_centre(&data, given).map_err(|e| format!("{e:#}")).err().unwrap_or_default();
    let name = first.digest.to_string();
    let file = data.join("blobs").join(&name[..2]).join(&name);
    let bytes = std::fs::read(&file)?;
    std::fs::write(&file, b"altered")?;
    assert!(complaint(&known).contains("holds"), "{}", complaint(&known));
    std::fs::remove_file(&file)?;
    assert!(complaint(&known).contains("1 files for 2 pages"), "{}", complaint(&known));
    std::fs::write(&file, bytes)?;
    assert_eq!(complaint(&known), "");
    let unknown = Given { digest: Digest::of(b"a page that nobody sent"), ..first.clone() };
    let all = known.iter().cloned().chain([unknown]).collect();
    assert!(complaint(&all).contains("knows nothing of"), "{}", complaint(&all));
    assert!(check_terminal(&terminal, &all).is_err());
    std::fs::write(data.join("uploads").join("left"), b"left")?;
    assert!(complaint(&known).contains("uploads are left"), "{}", complaint(&known));
    Ok(())
}
