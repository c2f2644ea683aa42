//! What a person sees while a long command runs: numbered steps with their time, one clear end line.
//!
//! Everything goes to standard error, so that standard output stays free for answers.
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Numbered steps of one command.
pub struct Steps {
    total: usize,
    done: usize,
    started: Instant,
    timings: Vec<(String, Duration)>,
}

impl Steps {
    /// A run of `total` steps.
    pub fn new(total: usize) -> Self {
        Self { total, done: 0, started: Instant::now(), timings: Vec::new() }
    }

    /// Runs one step under its heading; a failure is told with the step's name.
    ///
    /// # Errors
    /// Whatever the step failed with.
    pub fn run<T>(&mut self, heading: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        self.done += 1;
        let started = Instant::now();
        eprintln!("{} {heading} …", bold(&format!("[{}/{}]", self.done, self.total)));
        let outcome = step().with_context(|| format!("step \"{heading}\" failed"));
        let took = started.elapsed();
        self.timings.push((heading.to_owned(), took));
        if outcome.is_ok() {
            eprintln!("      done in {}", seconds(took));
        }
        outcome
    }

    /// Prints the end line with the total time.
    pub fn finish(&self, message: &str) {
        eprintln!("{} in {}", bold(message), seconds(self.started.elapsed()));
    }

    /// Prints how long each step took.
    pub fn summary(&self) {
        for (heading, took) in &self.timings {
            eprintln!("{:>10}  {heading}", seconds(*took));
        }
    }
}

/// A line below the current step.
pub fn note(message: &str) {
    eprintln!("      {message}");
}

/// The last line of a command that failed: what, and the chain of causes.
pub fn failure(error: &anyhow::Error) {
    eprintln!("{} {error}", bold("FAILED:"));
    for cause in error.chain().skip(1) {
        eprintln!("  because {}", cause.to_string().trim_end());
    }
}

/// `75.3 s` or `12 min 05 s`.
pub fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(120) {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", duration.as_secs() / 60, duration.as_secs() % 60)
    }
}

fn bold(text: &str) -> String {
    if std::io::stderr().is_terminal() { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_well() {
        assert_eq!(seconds(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn a_failed_step_is_named() {
        let mut steps = Steps::new(1);
        let error = steps.run("build", || -> Result<()> { anyhow::bail!("no compiler") }).unwrap_err();
        assert!(format!("{error:#}").contains("step \"build\" failed: no compiler"));
    }
}
