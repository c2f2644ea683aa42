//! Every named point gives an error once, and is slow: the process goes on, and the checker stays clean.
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sync_server::store::Sqlite;
use tests::history::{CentreView, DiskView, History, Op, check, report};
use tests::link::{Link, State};
use tests::storm::points::{Action, CATALOGUE, PAGES, Plan, Point, SAFETY, SERVER, TERMINAL, When, named};
use tests::storm::process::{End, Process, ServerFolder};

pub(super) const PATIENCE: Duration = Duration::from_secs(60);
const NOBODY: &str = "https://127.0.0.1:9";

/// A terminal, a centre, and the link between them: real processes that a plan kills, fails or slows.
pub(super) struct Rig {
    pub(super) folder: tempfile::TempDir,
    pub(super) link: Link,
    pub(super) code: Option<String>,
    /// Pages of a submission, at most.
    pub(super) pages: u32,
}

impl Rig {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, link: Link::new()?, code: None, pages: 0 })
    }

    /// One with an enrolled terminal, whose citizens give so many pages at most.
    pub(super) fn enrolled(pages: u32) -> Result<Self> {
        let mut rig = Self { pages, ..Self::new()? };
        rig.enrol()?;
        Ok(rig)
    }

    fn enrol(&mut self) -> Result<()> {
        let mut server = self.serve(None)?;
        self.code = Some(self.server().enrol_code()?);
        let end = self.life("t", &self.link.secure_url(), None, 0)?.wait(PATIENCE)?;
        ensure!(end == Some(End::Done), "the first life: {end:?}");
        server.kill()
    }

    /// What the terminal's lives wrote down.
    pub(super) fn history(&self) -> PathBuf {
        self.folder.path().join("t.history")
    }

    pub(super) fn program() -> PathBuf {
        PathBuf::from(env!("CARGO_BIN_EXE_kill-storm"))
    }

    pub(super) fn server(&self) -> ServerFolder {
        ServerFolder { program: Self::program(), data: self.folder.path().join("server") }
    }

    pub(super) fn life(
        &self,
        name: &str,
        url: &str,
        plan: Option<Plan>,
        submissions: u32,
    ) -> Result<Process> {
        let data = self.folder.path().join(name);
        let mut arguments: Vec<String> =
            ["terminal", "--server", url, "--name", name].map(str::to_owned).into();
        arguments.extend([
            format!("--data={}", data.display()),
            format!("--history={}", data.with_extension("history").display()),
            "--seed=5".to_owned(),
            format!("--submissions={submissions}"),
            format!("--pages={}", self.pages),
        ]);
        if url == NOBODY {
            arguments.push("--patience-ms=400".to_owned());
        } else {
            arguments.extend(["--patience-ms=60000".to_owned(), "--must-settle".to_owned()]);
        }
        arguments.extend(self.code.iter().map(|c| format!("--code={c}")));
        Process::start(&Self::program(), plan, &arguments, &data.with_extension("log"))
    }

    /// A server that lives, with the link led to it.
    pub(super) fn serve(&self, plan: Option<Plan>) -> Result<Process> {
        let (process, address) = self.server().start(plan)?;
        self.link.set(State::Up, &address.context("it lives")?)?;
        Ok(process)
    }

    /// A server with this plan and one life of the terminal; neither has to end well.
    fn live_under(&mut self, plan: Plan) -> Result<()> {
        if self.code.is_none() {
            self.enrol()?;
        }
        let mut server = self.serve(Some(plan))?;
        // What a failed job left is opened by the next server, so not every life settles under this one.
        let mut life = self.life("t", &self.link.secure_url(), None, 2)?;
        if life.wait(Duration::from_millis(700)).with_context(|| plan.to_string())?.is_none() {
            life.kill()?;
        }
        server.kill()
    }

    /// A server and a life without any fault: everything arrives, and all rules hold.
    pub(super) fn settle(&self) -> Result<()> {
        let mut server = self.serve(None)?;
        let end = self.life("t", &self.link.secure_url(), None, 1)?.wait(PATIENCE * 2);
        server.kill()?;
        self.check(&["t"])?;
        ensure!(end? == Some(End::Done), "it did not end well");
        Ok(())
    }

    pub(super) fn check(&self, names: &[&str]) -> Result<History> {
        let mut history = History::default();
        let mut disks = Vec::new();
        for name in names {
            let data = self.folder.path().join(name);
            history.load(&data.with_extension("history"))?;
            disks.push(DiskView::read(name, &data)?);
        }
        let centre =
            CentreView::read(&mut Sqlite::open_read_only(&self.folder.path().join("server/server.db"))?)?;
        let broken = check(&history, &centre, &disks);
        ensure!(broken.is_empty(), "{}", report(&broken));
        Ok(history)
    }
}

/// A plan for the first passage of a point.
pub(super) fn at(point: &Point, action: Action) -> Option<Plan> {
    Some(Plan { point: *point, nth: 1, action })
}

#[test]
fn an_error_at_any_point_of_the_terminal_harms_nothing() -> Result<()> {
    let mut rig = Rig::new()?;
    let mut server = rig.serve(None)?;
    rig.code = Some(rig.server().enrol_code()?);
    for point in TERMINAL.iter().filter(|p| p.fails) {
        let url = if point.when == When::Offline { NOBODY.to_owned() } else { rig.link.secure_url() };
        let mut life = rig.life("t", &url, at(point, Action::Fail), 2)?;
        match (life.wait(PATIENCE), point.when) {
            // A store that cannot be opened, or an enrolment that cannot be kept, ends the program with advice.
            (Err(e), When::Fresh | When::Start) => ensure!(format!("{e:#}").contains("full"), "{e:#}"),
            (Ok(Some(End::Done)), When::Running | When::Offline) => {}
            (other, _) => anyhow::bail!("{}: {other:?}", point.name),
        }
    }
    let end = rig.life("t", &rig.link.secure_url(), None, 1)?.wait(PATIENCE)?;
    ensure!(end == Some(End::Done), "{end:?}");
    server.kill()?;
    let history = rig.check(&["t"])?;
    let refused = history.count(|o| matches!(o, Op::Refused { .. }));
    assert_eq!(refused, 5, "each point of submitting was felt by a citizen, who pressed once more");
    Ok(())
}

#[test]
fn an_error_at_any_point_of_the_server_harms_nothing() -> Result<()> {
    let mut rig = Rig::new()?;
    for point in SERVER.iter().filter(|p| p.fails) {
        if matches!(point.when, When::Fresh | When::Start) {
            let refused = rig.server().start(at(point, Action::Fail)).err();
            let refused = refused.map(|e| format!("{e:#}")).unwrap_or_default();
            ensure!(refused.contains("full"), "{}: {refused}", point.name);
            continue;
        }
        // The writer serves intake and jobs: only some passages are those of an envelope.
        let passages = if point.name.starts_with("server::writer") { 4 } else { 1 };
        for nth in 1..=passages {
            rig.live_under(Plan { point: *point, nth, action: Action::Fail })?;
        }
    }
    rig.settle()
}

#[test]
fn no_answer_goes_out_before_its_commit() -> Result<()> {
    let mut rig = Rig::new()?;
    for name in ["server::intake::after_case", "server::writer::before_commit"] {
        for nth in 1..=4 {
            // The writer stands still long enough for an answer to arrive; then the server is killed.
            rig.live_under(Plan { point: named(name)?, nth, action: Action::Kill(150) })?;
        }
    }
    rig.settle()
}

#[test]
fn slow_borders_change_nothing() -> Result<()> {
    let mut rig = Rig::new()?;
    let slow = |name: &str| Ok::<_, anyhow::Error>(at(&named(name)?, Action::Wait(15)));
    let pairs = [
        ("server::writer::before_commit", "terminal::submit::before_commit"),
        ("server::writer::after_commit", "terminal::send::after_exchange"),
        ("server::batch::before_answer", "terminal::receipt::before_commit"),
        ("server::job::before_write", "terminal::news::before_case"),
    ];
    let names = ["a", "b"];
    for (of_server, of_terminal) in pairs {
        let mut server = rig.serve(slow(of_server)?)?;
        for name in names {
            rig.code = Some(rig.server().enrol_code()?);
            let mut one = rig.life(name, &rig.link.secure_url(), slow(of_terminal)?, 3)?;
            let end = one.wait(PATIENCE)?;
            ensure!(end == Some(End::Done), "{of_server} {of_terminal}: {end:?}");
        }
        server.kill()?;
    }
    rig.check(&names)?;
    Ok(())
}

#[test]
fn a_plan_is_read_as_it_is_written() -> Result<()> {
    for text in [
        "terminal::submit::after_commit@3=kill25",
        "server::job::after_read@1=fail",
        "server::job::after_read@2=wait40",
    ] {
        assert_eq!(text.parse::<Plan>()?.to_string(), text);
    }
    for bad in [
        "",
        "a@1=kill0",
        "server::job::after_read=kill0",
        "server::job::after_read@1=kill",
        "server::job::after_read@1=explode",
    ] {
        assert!(bad.parse::<Plan>().is_err(), "{bad}");
    }
    let cannot: Plan = "terminal::submit::after_commit@1=fail".parse()?;
    assert!(cannot.arm().is_err(), "a point after the COMMIT takes nothing back");
    Ok(())
}

#[test]
fn every_named_point_stands_in_the_code_and_every_one_of_the_code_is_named() -> Result<()> {
    let mut found = Vec::new();
    for root in ["terminal/src", "sync-server/src"] {
        collect(&tests::binaries::repository().join(root), &mut found)?;
    }
    // Planted faults are no borders: the simulation turns each of them on.
    found.retain(|name| !name.starts_with("planted::"));
    found.sort();
    let mut named: Vec<String> = TERMINAL
        .iter()
        .chain(SERVER)
        .chain(CATALOGUE)
        .chain(SAFETY)
        .chain(PAGES)
        .map(|p| p.name.to_owned())
        .collect();
    named.sort();
    assert_eq!(found, named);
    assert!(named.len() >= 40, "{} points", named.len());
    Ok(())
}

/// A point of a kind that no story kills at would be named, found, and never hit.
#[test]
fn every_list_holds_only_the_kinds_of_points_that_its_story_kills_at() {
    let of_terminal = [When::Fresh, When::Start, When::Running, When::Offline, When::Visit];
    let safety = [When::BackUp, When::Copy, When::Restore, When::Erase, When::Offer, When::Return];
    let lists: [(&[Point], &[When]); 5] = [
        (TERMINAL, &of_terminal),
        (SERVER, &of_terminal[..3]),
        (SAFETY, &safety),
        (CATALOGUE, &[When::Update]),
        (PAGES, &[When::Pages]),
    ];
    for (points, kinds) in lists {
        for point in points {
            assert!(kinds.contains(&point.when), "{} is killed by nobody", point.name);
        }
        let missing = kinds.iter().find(|kind| !points.iter().any(|p| p.when == **kind));
        assert_eq!(missing, None, "no point is left for it");
    }
}

fn collect(folder: &Path, found: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path)?;
            let names = text.split("fail_point!(\"").skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(names.map(str::to_owned));
        }
    }
    Ok(())
}
