//! Two hundred kills of servers in mid-sync and two hundred of terminals, at every named point and at any moment.
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use tests::storm::{Options, State, run};

/// The seed of the storm in the tests; `kill-storm storm --kills 200 --seed 4` repeats it.
const SEED: u64 = 4;
/// Of each kind.
const KILLS: u32 = 200;

fn options(folder: &std::path::Path, kills: u32) -> Options {
    Options {
        program: PathBuf::from(env!("CARGO_BIN_EXE_kill-storm")),
        folder: folder.to_owned(),
        seed: SEED,
        stores: 2,
        terminals: 2,
        kills,
        most: Duration::from_secs(240),
        show: false,
    }
}

#[test]
fn two_hundred_kills_of_servers_and_two_hundred_of_terminals_lose_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let report = run(&options(folder.path(), KILLS))?;
    let repeat = format!("seed {SEED}: kill-storm storm --kills {KILLS} --seed {SEED}");
    assert!(report.is_clean(), "{repeat}\nmissed {:?}\n{}", report.missed, report.complaints);
    assert!(report.server_kills >= KILLS && report.terminal_kills >= KILLS, "{repeat}: {report:?}");
    assert!(
        report.submissions > 50 && report.acknowledged > 50 && report.pages > 25,
        "{repeat}: hardly anything was done: {report:?}"
    );
    Ok(())
}

#[test]
fn an_interrupted_storm_goes_on_where_it_was() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut short = options(folder.path(), 24);
    short.most = Duration::from_millis(1_500);
    let interrupted = run(&short).err().map(|e| format!("{e:#}")).unwrap_or_default();
    assert!(interrupted.contains("stopped"), "it should have been cut off: {interrupted}");
    let before = State::load_or_new(&short)?;
    let done: u32 = before.lanes.iter().map(|l| l.server + l.terminal).sum();
    short.most = Duration::from_secs(240);
    let report = run(&short)?;
    assert_eq!((report.broken, report.lost, report.doubled), (0, 0, 0), "{}", report.complaints);
    assert!(done > 0 && report.server_kills + report.terminal_kills > done, "{done} before, {report:?}");
    assert!(report.server_kills >= 24 && report.terminal_kills >= 24);
    Ok(())
}
