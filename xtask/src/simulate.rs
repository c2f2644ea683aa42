//! The simulator: builds the `simulate` program of the tests crate in release and runs it to its end.
//!
//! Refuses to judge: the program's own checker does, and its exit code is the answer.
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::process::{Interrupt, run_bounded};
use crate::progress::Steps;
use crate::workspace;

/// A build from nothing on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);

/// How much is simulated.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Seeds to run; one for each day if only days are named, otherwise 10.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Days of the fleet in all, dealt out to the seeds; at least one each.
    #[arg(long)]
    days: Option<u64>,
    /// Terminals.
    #[arg(long, default_value_t = 49)]
    terminals: usize,
    /// Submissions of each terminal a day.
    #[arg(long, default_value_t = 20)]
    submissions: u32,
    /// Of a hundred submissions so many have pages; ten, if it is not named.
    #[arg(long)]
    pages: Option<u8>,
    /// Without any fault.
    #[arg(long)]
    no_faults: bool,
    /// Only faults of this kind, and of others named so, instead of those that a seed chooses.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Runs side by side; as many as there are processors, if it is not named.
    #[arg(long)]
    jobs: Option<usize>,
    /// Write the log of all events of the (one) seed here.
    #[arg(long, value_name = "FILE")]
    log: Option<std::path::PathBuf>,
    /// Give the figures as JSON on standard output.
    #[arg(long)]
    json: bool,
    /// The longest time, minutes.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
}

impl Options {
    fn words(&self) -> Vec<String> {
        let mut words = vec![
            format!("--from={}", self.from),
            format!("--terminals={}", self.terminals),
            format!("--submissions={}", self.submissions),
        ];
        words.extend(self.seeds.map(|n| format!("--seeds={n}")));
        words.extend(self.days.map(|n| format!("--days={n}")));
        words.extend(self.pages.map(|n| format!("--pages={n}")));
        words.extend(self.only.iter().map(|name| format!("--only={name}")));
        words.extend(self.jobs.map(|n| format!("--jobs={n}")));
        words.extend(self.log.iter().map(|path| format!("--log={}", path.display())));
        words.extend(self.no_faults.then(|| "--no-faults".to_owned()));
        words.extend(self.json.then(|| "--json".to_owned()));
        words
    }
}

/// Runs a simulation.
///
/// # Errors
/// If it cannot be built or run, or is not clean.
pub fn run(options: &Options, interrupt: &Interrupt) -> Result<()> {
    let mut steps = Steps::new(2);
    steps.run("release build without failpoints", || {
        // The same packages and features as for a bench, so that nothing is built twice.
        let mut build = workspace::cargo(&["build", "--quiet", "--release", "--no-default-features"]);
        build.args(["-p", "sync-server", "-p", "terminal", "-p", "tests", "--bin", "simulate"]);
        run_bounded(build, BUILD_LIMIT, interrupt)
    })?;
    steps.run("days of the fleet", || {
        let program = workspace::target().join("release/simulate");
        let mut simulation = std::process::Command::new(program);
        simulation.args(options.words()).current_dir(workspace::root());
        run_bounded(simulation, Duration::from_secs(options.minutes * 60), interrupt)
    })?;
    steps.finish("NOTHING LOST, NOTHING TWICE");
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn what_is_asked_is_handed_on() {
        let asked = "x --seeds 7 --from 9 --days 14 --no-faults --pages 30 --only portal --only one-way";
        let words = Line::parse_from(asked.split(' ')).options.words();
        for word in ["--seeds=7", "--from=9", "--days=14", "--terminals=49", "--no-faults", "--pages=30"] {
            assert!(words.iter().any(|w| w == word), "{word} in {words:?}");
        }
        let only: Vec<_> = words.iter().filter_map(|w| w.strip_prefix("--only=")).collect();
        assert_eq!(only, ["portal", "one-way"]);
    }
}
