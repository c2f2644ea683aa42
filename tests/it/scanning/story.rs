//! A citizen hands in papers: taken, looked at, kept sealed, gone on with as a draft, sent.
use std::path::Path;

use anyhow::{Context as _, Result};
use hardware::pages::invented::Invented;
use hardware::pages::{Corners, Finding, Point};
use serde_json::{Value, json};
use terminal::command::Command;
use terminal::config::{CameraChoice, Config, ScannerChoice};
use terminal::headless::HeadlessTerminal;
use terminal::model::{CaptureStep, CardStep, Model, Screen, Session, Way};
use tests::canary::bytes_below;
use tests::papers::{self, clear, failed, session, settled, shown, step, take, use_it};
use tests::server::Server;
use tests::visit::{self, wait};

struct Desk {
    server: Server,
    folder: tempfile::TempDir,
    camera: tempfile::TempDir,
}

impl Desk {
    fn new() -> Result<Self> {
        let desk =
            Self { server: Server::start()?, folder: tempfile::tempdir()?, camera: tempfile::tempdir()? };
        visit::enrol(&desk.server, desk.data())?;
        Ok(desk)
    }

    fn data(&self) -> &Path {
        self.folder.path()
    }

    /// What the camera sees from now on.
    fn sees(&self, scene: &Invented) -> Result<()> {
        Ok(std::fs::write(self.camera.path().join("1.jpg"), scene.jpeg()?)?)
    }

    fn start(&self) -> HeadlessTerminal {
        let camera = CameraChoice::File(self.camera.path().to_owned());
        let scanner = ScannerChoice::Sane("test:0".to_owned());
        visit::start(&Config { camera, scanner, ..visit::config(self.data(), &self.server.terminals) })
    }

    fn pages_on_disk(&self) -> usize {
        std::fs::read_dir(self.data().join("pages")).map_or(0, Iterator::count)
    }
}

/// A desk, its terminal, and the page on which papers are taken.
fn at_papers() -> Result<(Desk, HeadlessTerminal)> {
    let desk = Desk::new()?;
    let mut terminal = desk.start();
    papers::to_papers(&mut terminal, desk.data())?;
    Ok((desk, terminal))
}

/// The visit ends, and the same card is laid down once more.
fn comes_again(desk: &Desk, terminal: &mut HeadlessTerminal) -> Result<()> {
    terminal.command(Command::Finish);
    visit::lift(desk.data())?;
    wait(terminal, "an empty reader", |m| m.reader != hardware::card_reader::ReaderStatus::Card)?;
    visit::lay(desk.data(), "courier")
}

#[test]
fn papers_are_taken_judged_kept_sealed_and_sent() -> Result<()> {
    let (desk, mut terminal) = at_papers()?;

    // Out of focus: told, and taken once more.
    desk.sees(&Invented { soft: 20, ..clear() })?;
    assert_eq!(take(&mut terminal, Way::Camera)?, [Finding::Blurred]);
    desk.sees(&Invented { tilt: 0.1, ..clear() })?;
    terminal.command(Command::RetakePage);
    wait(&mut terminal, "another page", |m| shown(m).is_some_and(|s| s.page.findings.is_empty()))?;
    let found = shown(terminal.model()).context("a page")?.cut.corners;
    assert!(found != Corners::WHOLE, "the page was found on the table");

    // A corner by hand, and one that would make no page.
    let moved = Point::new(found.points()[0].x + 0.02, found.points()[0].y);
    terminal.command(Command::MoveCorner { corner: 0, at: moved });
    assert!(shown(terminal.model()).is_some_and(|s| s.cutting));
    wait(&mut terminal, "the new cut", |m| shown(m).is_some_and(|s| !s.cutting))?;
    terminal.command(Command::MoveCorner { corner: 0, at: Point::new(1.0, 1.0) });
    assert_eq!(shown(terminal.model()).context("a page")?.cut.corners.points()[0], moved);
    terminal.command(Command::TurnPage);
    wait(&mut terminal, "the turned page", |m| shown(m).is_some_and(|s| !s.cutting))?;
    let page = shown(terminal.model()).context("a page")?.page.jpeg.to_vec();
    assert!(
        image::load_from_memory(&page)?.width() > image::load_from_memory(&page)?.height(),
        "it was turned"
    );
    use_it(&mut terminal, 1)?;

    // Nothing of it lies on the disk in clear.
    let bytes = bytes_below(desk.data())?;
    for part in page.chunks_exact(32).step_by(page.len() / 32 / 20) {
        assert!(memchr::memmem::find(&bytes, part).is_none(), "a part of the page lies on the disk");
    }

    // A page of the scanner, one too many, and their order.
    let glass = take(&mut terminal, Way::Glass)?;
    assert!(!glass.contains(&Finding::Glare) && !glass.contains(&Finding::Finger), "{glass:?}");
    use_it(&mut terminal, 2)?;
    take(&mut terminal, Way::Camera)?;
    use_it(&mut terminal, 3)?;
    let hashes = |m: &Model| session(m).map(Session::captured_pages).unwrap_or_default();
    let before = hashes(terminal.model());
    terminal.command(Command::MovePageUp(before[2].hash.clone()));
    terminal.command(Command::RemovePage(before[0].hash.clone()));
    let after: Vec<_> = hashes(terminal.model()).into_iter().map(|page| page.hash).collect();
    assert_eq!(after, [before[2].hash.clone(), before[1].hash.clone()]);
    wait(&mut terminal, "the removal", |_| desk.pages_on_disk() == 2)?;

    // The pages reach the centre behind their text.
    papers::to_check(&mut terminal)?;
    visit::submit(&mut terminal)?;
    visit::delivered(&mut terminal)?;
    let slip = session(terminal.model()).and_then(|s| s.slip.clone()).context("a slip")?;
    assert_eq!(slip.marks.pages.map(|pages| (pages.sent, pages.all)), Some((2, 2)));
    Ok(())
}

#[test]
fn a_batch_is_kept_as_it_comes_and_no_more_than_the_form_takes() -> Result<()> {
    let (desk, mut terminal) = at_papers()?;
    desk.sees(&clear())?;
    take(&mut terminal, Way::Camera)?;
    use_it(&mut terminal, 1)?;
    // Ten lie in the feeder, and nine more are taken.
    terminal.command(Command::TakePage(Way::Feeder));
    wait(&mut terminal, "the batch", |m| settled(m) == Some(10))?;
    assert_eq!(failed(terminal.model()), None);
    terminal.command(Command::TakePage(Way::Camera));
    assert_eq!(settled(terminal.model()), Some(10), "there is room for no more");
    // The test back end's pages are black: told in the list.
    let pages = session(terminal.model()).map(Session::captured_pages).context("pages")?;
    assert!(pages[0].findings.is_empty() && pages[1..].iter().all(|page| !page.findings.is_empty()));
    Ok(())
}

#[test]
fn a_draft_keeps_its_pages_and_a_visit_that_is_left_does_not() -> Result<()> {
    let (desk, mut terminal) = at_papers()?;
    desk.sees(&clear())?;
    take(&mut terminal, Way::Camera)?;
    use_it(&mut terminal, 1)?;
    wait(&mut terminal, "the draft", |m| session(m).is_some_and(|s| s.drafts.kept))?;
    let hash = session(terminal.model()).map(Session::captured_pages).context("a page")?[0].hash.clone();
    comes_again(&desk, &mut terminal)?;
    wait(&mut terminal, "the offer", |m| {
        matches!(m.screen, Screen::Resume(_)) && session(m).is_some_and(|s| s.card == CardStep::Done)
    })?;
    terminal.command(Command::Resume);
    wait(&mut terminal, "the form", |m| m.screen == Screen::Form)?;
    let answered = session(terminal.model()).and_then(|s| s.answers.get("scan").cloned());
    assert_eq!(answered, Some(json!([hash])), "the page is still in the answer");
    assert_eq!(desk.pages_on_disk(), 1);

    // Deleted with its draft.
    comes_again(&desk, &mut terminal)?;
    wait(&mut terminal, "the offer", |m| matches!(m.screen, Screen::Resume(_)))?;
    terminal.command(Command::DeleteDraft);
    terminal.command(Command::Finish);
    wait(&mut terminal, "the removal", |_| desk.pages_on_disk() == 0)
}

#[test]
fn what_goes_wrong_is_told_and_the_visit_goes_on() -> Result<()> {
    let desk = Desk::new()?;
    let camera = CameraChoice::File(desk.camera.path().to_owned());
    let scanner = ScannerChoice::Sane("test:9".to_owned());
    let config = Config { camera, scanner, ..visit::config(desk.data(), &desk.server.terminals) };
    let mut terminal = visit::start(&config);
    papers::to_papers(&mut terminal, desk.data())?;
    papers::fails(&mut terminal, Way::Glass, "not_found")?;
    papers::fails(&mut terminal, Way::Camera, "silent")?;
    let whole = Invented::default().jpeg()?;
    for bytes in [&whole[..whole.len() / 2], &[][..], b"no picture"] {
        std::fs::write(desk.camera.path().join("1.jpg"), bytes)?;
        papers::fails(&mut terminal, Way::Camera, "picture")?;
    }
    std::fs::write(desk.camera.path().join("1.jpg"), vec![0; hardware::camera::MAX_FRAME_BYTES + 1])?;
    papers::fails(&mut terminal, Way::Camera, "unsupported")?;
    desk.sees(&clear())?;
    take(&mut terminal, Way::Camera)?;
    // Who goes home takes the shown page along: nothing of it was kept.
    terminal.command(Command::Finish);
    wait(&mut terminal, "the attract page", |m| m.session.is_none())?;
    assert_eq!(desk.pages_on_disk(), 0);
    Ok(())
}

#[test]
fn a_scan_that_is_stopped_is_not_heard_of_again() -> Result<()> {
    let (desk, mut terminal) = at_papers()?;
    terminal.command(Command::TakePage(Way::Feeder));
    assert!(matches!(step(terminal.model()), Some(CaptureStep::Taking { way: Way::Feeder, .. })));
    terminal.command(Command::StopTaking);
    assert!(settled(terminal.model()).is_some());
    desk.sees(&clear())?;
    take(&mut terminal, Way::Camera)?;
    assert_eq!(failed(terminal.model()), None);
    let before = settled(terminal.model());
    assert_eq!(before, None, "the camera's page is shown, whatever the scanner still said");
    Ok(())
}

#[test]
fn the_doctor_says_what_is_wrong_with_scanner_and_camera() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let say = |scanner: &str, camera: &str| -> Result<Vec<Value>> {
        let output = std::process::Command::new(tests::binaries::binary("terminal"))
            .args([
                "doctor",
                "--json",
                "--reader",
                "none",
                "--scanner",
                scanner,
                "--camera",
                camera,
                "--data",
            ])
            .arg(folder.path().join("data"))
            .output()?;
        let all: Vec<Value> = serde_json::from_slice(&output.stdout)?;
        Ok(all.into_iter().filter(|f| f["subject"] == "scanner" || f["subject"] == "camera").collect())
    };
    let good = say("sane:test:0", &format!("file:{}", folder.path().display()))?;
    assert!(good.len() == 2 && good.iter().all(|finding| finding["level"] == "ok"), "{good:?}");
    let bad = say("sane:test:9", "file:/nonexistent")?;
    assert!(bad.len() == 2 && bad.iter().all(|f| f["level"] == "warn" && f["remedy"].is_string()), "{bad:?}");
    let none = say("none", "none")?;
    assert!(none.iter().all(|finding| finding["level"] == "ok"), "{none:?}");
    Ok(())
}
