//! Trouble that nobody means: cut links, full disks, power cuts, ended roots, wrong clocks, kept files that rot.
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use terminal::store::Store;
use terminal::sync::catalogue_client::{FetchError, UpdateError, Updated, update};
use tests::device::now_ms;
use tests::link::{Fault, Link, State};
use tests::server::Server;
use tests::signed::{Cut, DAY_MS, NOW_MS, Publisher};
use tests::storm::points::{Action, CATALOGUE, Plan};

use super::Rig;

const PROGRAM: &str = env!("CARGO_BIN_EXE_catalogue-update");

#[test]
fn a_truncated_download_goes_on_where_it_was() -> Result<()> {
    let mut rig = Rig::ready()?;
    rig.publish(3, NOW_MS)?;
    let length = rig.packed_length("catalogue-3")?;
    rig.mirror.state().asked.clear();
    rig.mirror.state().given = 0;
    // Three tries bring something, then nobody answers: what came is kept.
    rig.mirror.state().cuts.extend([
        Cut::After(1_000),
        Cut::After(0),
        Cut::After(2_500),
        Cut::After(0),
        Cut::After(0),
        Cut::After(0),
    ]);
    let error = rig.update().expect_err("cut");
    assert!(matches!(error, UpdateError::Fetch(FetchError::Link(_))) && !error.is_alarm(), "{error:?}");
    assert_eq!((rig.in_force()?, rig.standing()?.trouble), (2, None));
    assert_eq!(rig.update()?, Updated::Activated(3));
    let state = rig.mirror.state();
    let firsts: Vec<usize> =
        state.asked.iter().filter(|(a, _)| a.contains("catalogue-3")).map(|(_, first)| *first).collect();
    assert_eq!(firsts, [0, 1_000, 1_000, 3_500, 3_500, 3_500, 3_500]);
    assert_eq!(state.given, length, "no byte came twice");
    Ok(())
}

#[test]
fn a_part_that_rotted_is_thrown_away_and_fetched_anew() -> Result<()> {
    let mut rig = Rig::ready()?;
    rig.publish(3, NOW_MS)?;
    rig.mirror.state().cuts.extend([Cut::After(5_000), Cut::After(0), Cut::After(0)]);
    assert!(rig.update().is_err());
    let part = rig.staged("part")?;
    let mut bytes = std::fs::read(&part)?;
    assert_eq!(bytes.len(), 5_000);
    bytes[4_321] ^= 1;
    std::fs::write(&part, &bytes)?;
    rig.refuses("not what the metadata says")?;
    assert_eq!(rig.update()?, Updated::Activated(3));
    // One that is longer than the whole.
    rig.publish(4, NOW_MS)?;
    rig.mirror.state().cuts.extend([Cut::After(5_000), Cut::After(0), Cut::After(0)]);
    assert!(rig.update().is_err());
    std::fs::write(rig.staged("part")?, vec![7; rig.packed_length("catalogue-4")? + 1])?;
    assert_eq!(rig.update()?, Updated::Activated(4));
    Ok(())
}

#[test]
fn a_kept_catalogue_that_rotted_is_passed_over() -> Result<()> {
    let mut rig = Rig::ready()?;
    rig.publish(3, NOW_MS)?;
    assert_eq!(rig.update()?, Updated::Activated(3));
    let file = rig.folder.path().join("terminal").join(terminal::store::DATABASE_FILE);
    let damage = |version: i64| {
        rusqlite::Connection::open(&file)?
            .execute(
                "UPDATE catalogue SET json = replace(json, '示例', '示範') WHERE version = ?1",
                [version],
            )
            .map_err(anyhow::Error::from)
    };
    assert_eq!(damage(3)?, 1);
    assert_eq!(rig.in_force()?, 2, "the one before serves");
    assert_eq!(damage(2)?, 1);
    assert!(rig.in_force().is_err(), "none is sound");
    assert_eq!(rig.update()?, Updated::Activated(3), "the centre's copy mends it");
    assert_eq!(rig.in_force()?, 3);
    Ok(())
}

#[test]
fn an_expired_root_is_refused_until_the_ceremony_comes_back() -> Result<()> {
    let mut rig = Rig::ready()?;
    // The server goes on signing for a year and more; only the ceremony could renew the root.
    let late = NOW_MS + 366 * DAY_MS;
    rig.publisher.repository.refresh(&rig.publisher.online, late)?;
    rig.mirror.follow(&rig.publisher)?;
    rig.refuses("root metadata has expired")?;
    assert_eq!(rig.standing()?.confirmed_ms, Some(NOW_MS), "it says since when");
    let draft = rig.publisher.draft(&[], late)?;
    rig.publisher.repository.install(draft, None, &rig.publisher.online, late)?;
    rig.mirror.follow(&rig.publisher)?;
    rig.refuses("targets metadata has expired")?;
    rig.publish(3, late)?;
    assert_eq!(rig.update()?, Updated::Activated(3));
    assert_eq!(rig.standing()?.trouble, None);
    Ok(())
}

#[test]
fn a_look_leaves_no_memory_of_the_time() -> Result<()> {
    let mut rig = Rig::new()?;
    // What a look in 2040 by the machine's clock would have left.
    let look = rig.folder.path().join("look");
    std::fs::create_dir_all(&look)?;
    std::fs::write(look.join("latest_known_time.json"), "\"2040-01-01T00:00:00Z\"")?;
    assert_eq!(rig.update()?, Updated::Activated(2));
    assert!(!look.exists(), "the fresh copy is gone");
    Ok(())
}

#[test]
fn a_terminal_that_trusts_no_root_asks_for_nothing() -> Result<()> {
    let mut rig = Rig::new()?;
    let store = Store::open(&rig.folder.path().join("other"), NOW_MS)?;
    let staging = rig.staging();
    let store = std::sync::Mutex::new(store);
    assert_eq!(update(&store, &mut rig.client, &staging, u64::MAX, NOW_MS)?, Updated::NoRoot);
    assert!(rig.mirror.state().asked.is_empty());
    Ok(())
}

#[test]
fn news_that_are_none_cost_one_request() -> Result<()> {
    let mut rig = Rig::ready()?;
    rig.mirror.state().asked.clear();
    assert_eq!(rig.update()?, Updated::Nothing);
    assert_eq!(rig.mirror.state().asked.len(), 1);
    Ok(())
}

#[test]
fn a_terminal_takes_no_version_beyond_what_it_is_told() -> Result<()> {
    let mut rig = Rig::ready()?;
    rig.publish(3, NOW_MS)?;
    rig.publish(4, NOW_MS)?;
    let staging = rig.staging();
    assert_eq!(update(&rig.store, &mut rig.client, &staging, 3, NOW_MS)?, Updated::Activated(3));
    assert_eq!(update(&rig.store, &mut rig.client, &staging, 3, NOW_MS)?, Updated::Nothing);
    assert_eq!(rig.update()?, Updated::Activated(4));
    Ok(())
}

/// A real server with a repository in its data folder, and the folder of a terminal.
struct Real {
    folder: tempfile::TempDir,
    server: Server,
    publisher: Publisher,
}

impl Real {
    fn new() -> Result<Self> {
        let server = Server::start()?;
        let publisher = Publisher::new(&server.data().join("tuf"), 1, now_ms())?;
        publisher.publish(2, now_ms())?;
        Ok(Self { folder: tempfile::tempdir()?, server, publisher })
    }

    fn arguments(&self, server: &str, plan: Option<Plan>) -> Vec<String> {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let root = self.publisher.repository.folder().join("metadata/1.root.json");
        let mut arguments: Vec<String> =
            ["--data", &path("terminal"), "--staging", &path("staging"), "--server", server, "--root"]
                .map(str::to_owned)
                .into();
        arguments.push(root.display().to_string());
        if let Some(plan) = plan {
            arguments.extend(["--plan".to_owned(), plan.to_string()]);
        }
        arguments
    }

    /// One update in a process of its own; its report, or none if it was killed.
    fn run(&self, program: &str, before: &[&str], plan: Option<Plan>) -> Result<Option<Value>> {
        let mut command = Command::new(program);
        command.args(before).args(self.arguments(&self.server.terminals, plan));
        report(&mut command)
    }
}

fn report(command: &mut Command) -> Result<Option<Value>> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code().is_none() {
        return Ok(None);
    }
    ensure!(output.status.success(), "{said}");
    Ok(Some(serde_json::from_slice(&output.stdout).context(said)?))
}

#[test]
fn a_power_cut_at_any_step_leaves_the_old_or_the_new_catalogue() -> Result<()> {
    for point in CATALOGUE {
        let real = Real::new()?;
        let plan = |action| Some(Plan { point: *point, nth: 1, action });
        let first = real.run(PROGRAM, &[], None)?.context("a report")?;
        assert_eq!(first["in_force"], 2, "{first}");
        real.publisher.publish(3, now_ms())?;
        assert!(real.run(PROGRAM, &[], plan(Action::Kill(0)))?.is_none(), "{}: it lived", point.name);
        let store = Store::open(&real.folder.path().join("terminal"), now_ms())?;
        let in_force = store.newest_catalogue()?.context("a catalogue")?.version;
        let committed = point.name.ends_with("after_commit");
        assert_eq!(in_force, if committed { 3 } else { 2 }, "{}", point.name);
        drop(store);
        let again = real.run(PROGRAM, &[], None)?.context("a report")?;
        assert_eq!(again["in_force"], 3, "{}: {again}", point.name);
        let left: Vec<_> = std::fs::read_dir(real.folder.path().join("staging"))?.collect();
        assert!(left.is_empty(), "{}: {left:?}", point.name);
    }
    Ok(())
}

#[test]
fn an_error_at_any_step_is_told_and_done_again() -> Result<()> {
    let real = Real::new()?;
    for point in CATALOGUE.iter().filter(|p| p.fails) {
        let plan = Plan { point: *point, nth: 1, action: Action::Fail };
        let failed = real.run(PROGRAM, &[], Some(plan))?.context("a report")?;
        assert!(failed["done"]["Err"].as_str().is_some_and(|e| e.contains("Full")), "{failed}");
        assert!(failed["standing"]["trouble"].is_string(), "{failed}");
    }
    let healed = real.run(PROGRAM, &[], None)?.context("a report")?;
    assert_eq!((&healed["in_force"], &healed["standing"]["trouble"]), (&Value::from(2), &Value::Null));
    Ok(())
}

/// Mounts a small disk where catalogues arrive, fills it but for so many KiB, and becomes the program.
const ENTER: &str = "mount -t tmpfs -o size=64k tmpfs \"$1\" && head -c \"$2\" /dev/zero > \"$1/filler\" && shift 2 && exec \"$@\"";

#[test]
fn a_full_disk_while_staging_is_told_and_the_old_catalogue_serves() -> Result<()> {
    let real = Real::new()?;
    assert_eq!(real.run(PROGRAM, &[], None)?.context("a report")?["in_force"], 2);
    real.publisher.publish(3, now_ms())?;
    let staging = real.folder.path().join("staging");
    std::fs::create_dir_all(&staging)?;
    let staging = staging.display().to_string();
    let before = |room: &str| -> Vec<String> {
        let root = if rustix::process::geteuid().is_root() { None } else { Some("--map-root-user") };
        let rest = ["--mount", "sh", "-c", ENTER, "sh", &staging, room, PROGRAM];
        root.into_iter().chain(rest).map(str::to_owned).collect()
    };
    let words = before("40000");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let full = real.run("unshare", &words, None)?.context("a report")?;
    assert!(full["done"]["Err"].as_str().is_some_and(|e| e.contains("Full")), "{full}");
    assert_eq!(full["in_force"], 2, "{full}");
    assert!(full["standing"]["trouble"].as_str().is_some_and(|t| t.contains("full")), "{full}");
    // The small disk went with its process; on the real one there is room.
    assert_eq!(real.run(PROGRAM, &[], None)?.context("a report")?["in_force"], 3);
    Ok(())
}

#[test]
fn a_clock_in_1970_or_2040_changes_nothing() -> Result<()> {
    let real = Real::new()?;
    let faked = |time: &str| -> Result<Value> {
        let mut command = Command::new("faketime");
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").args(["-f", time, PROGRAM]);
        command.args(real.arguments(&real.server.terminals, None));
        report(&mut command)?.context("a report")
    };
    let first = faked("@1970-01-05 00:00:00")?;
    assert!(first["clock_ms"].as_i64().is_some_and(|ms| ms < 30 * DAY_MS), "the clock was faked: {first}");
    assert_eq!(first["in_force"], 2, "{first}");
    for (version, time) in
        [(3, "@2040-01-01 00:00:00"), (4, "@1970-01-05 00:00:00"), (5, "@2040-01-01 00:00:00")]
    {
        real.publisher.publish(version, now_ms())?;
        let report = faked(time)?;
        assert_eq!(report["in_force"], version, "{time}: {report}");
        assert_eq!(report["standing"]["trouble"], Value::Null, "{time}: {report}");
    }
    real.publisher.publish(6, now_ms())?;
    assert_eq!(real.run(PROGRAM, &[], None)?.context("a report")?["in_force"], 6);
    Ok(())
}

#[test]
fn a_download_over_a_real_link_that_breaks_is_resumed() -> Result<()> {
    let real = Real::new()?;
    let link = Link::new()?;
    link.set(State::Up, &real.server.terminals)?;
    let mut command = Command::new(PROGRAM);
    command.args(real.arguments(&link.url(), None));
    // Timestamp, root, timestamp, snapshot and list may share connections; each that is cut is a new one.
    link.fault([Fault::CutAnswer(12_000), Fault::CutAnswer(9_000)]);
    let report = report(&mut command)?.context("a report")?;
    assert_eq!((&report["in_force"], link.faults_left()), (&Value::from(2), 0), "{report}");
    let (_, last) = link.carried();
    let length = real.packed_length("catalogue-2")?;
    assert!((last as usize) < length, "the last connection carried the rest only: {last} of {length}");
    Ok(())
}

impl Real {
    fn packed_length(&self, name: &str) -> Result<usize> {
        let files = self.publisher.files()?;
        files.iter().find(|(a, _)| a.contains(name)).map(|(_, body)| body.len()).context("a target")
    }
}

impl Rig {
    fn packed_length(&self, name: &str) -> Result<usize> {
        let state = self.mirror.state();
        state.files.iter().find(|(a, _)| a.contains(name)).map(|(_, body)| body.len()).context("a target")
    }

    /// The one staged file with this ending.
    fn staged(&self, ending: &str) -> Result<PathBuf> {
        let ends = |path: &Path| path.extension().is_some_and(|e| e == ending);
        let mut files = std::fs::read_dir(self.staging().folder())?.flatten().map(|e| e.path());
        files.find(|p| ends(p)).context("a staged file")
    }
}
