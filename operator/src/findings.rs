//! What a doctor found: one thing looked at, how bad it is, what was seen, and what to do about it.
//!
//! Refuses a finding that is not well and says nothing to do: [`Finding::warn`] and [`Finding::fail`] take a remedy.
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::exit::Exit;
use crate::private;

/// This program was written after this instant (milliseconds since 1970, 2026-09-21): a clock before it is wrong.
pub const WRITTEN_AFTER_MS: i64 = 1_790_000_000_000;
/// Two clocks may be this far apart, in milliseconds.
pub const MAX_CLOCK_SKEW_MS: i64 = 5 * 60 * 1_000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, but somebody should look.
    Warn,
    /// Does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What: store, clock, reader … A stable word.
    pub subject: &'static str,
    /// How bad.
    pub level: Level,
    /// What was seen; no personal data.
    pub found: String,
    /// What to do; empty if nothing.
    pub remedy: String,
}

impl Finding {
    /// All is well.
    pub fn ok(subject: &'static str, found: impl Into<String>) -> Self {
        Self { subject, level: Level::Ok, found: found.into(), remedy: String::new() }
    }

    /// It works, but somebody should do what the remedy says.
    pub fn warn(subject: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { subject, level: Level::Warn, found: found.into(), remedy: remedy.into() }
    }

    /// It does not work until somebody does what the remedy says.
    pub fn fail(subject: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { subject, level: Level::Fail, found: found.into(), remedy: remedy.into() }
    }
}

/// Causes of an error that are told, at most.
const MAX_CAUSES: usize = 4;

/// An error with what it came from, on one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |e| e.source()).take(MAX_CAUSES);
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

/// [`Exit::Ok`] if all is well, [`Exit::Degraded`] if something works badly, [`Exit::Failure`] if something does not.
pub fn exit(findings: &[Finding]) -> Exit {
    match findings.iter().map(|f| f.level).max() {
        Some(Level::Fail) => Exit::Failure,
        Some(Level::Warn) => Exit::Degraded,
        _ => Exit::Ok,
    }
}

/// The list for people: a line each, with the remedy below what is not well.
pub fn render(findings: &[Finding]) -> String {
    let mut text = String::new();
    for f in findings {
        let mark = match f.level {
            Level::Ok => "ok",
            Level::Warn => "LOOK",
            Level::Fail => "FAIL",
        };
        text.push_str(&format!("{mark:<5} {:<12} {}\n", f.subject, f.found));
        if !f.remedy.is_empty() {
            text.push_str(&format!("{:<19}-> {}\n", "", f.remedy));
        }
    }
    text
}

/// The clock: against a server's where one answered, and in any case not before this program was written.
pub fn clock(now_ms: i64, server_ms: Option<i64>) -> Finding {
    const REMEDY: &str = "set the clock, or let it be set from the network (timedatectl set-ntp true)";
    if now_ms < WRITTEN_AFTER_MS {
        let found = "the clock stands before this program was written";
        return Finding::fail("clock", found, format!("{REMEDY}; its battery may be empty"));
    }
    match server_ms.map(|server| now_ms.saturating_sub(server)) {
        None => Finding::ok("clock", "plausible"),
        Some(skew) if skew.abs() <= MAX_CLOCK_SKEW_MS => {
            Finding::ok("clock", format!("{} s from the server's", skew / 1_000))
        }
        Some(skew) => {
            let side = if skew > 0 { "ahead of" } else { "behind" };
            let seconds = skew.unsigned_abs() / 1_000;
            Finding::warn("clock", format!("{seconds} s {side} the server's"), REMEDY)
        }
    }
}

/// Room on the disk of a folder, or of the nearest folder above it that is there; little room is less than this
/// many MiB.
pub fn disk(folder: &Path, little_mib: u64) -> Finding {
    let there = folder.ancestors().find(|f| f.is_dir()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(there) {
        Ok(about) => {
            let free_mib = about.f_bavail.saturating_mul(about.f_frsize) / (1_024 * 1_024);
            let found = format!("{free_mib} MiB free");
            if free_mib < little_mib {
                Finding::warn("disk", found, format!("make room on the disk of {}", there.display()))
            } else {
                Finding::ok("disk", found)
            }
        }
        Err(e) => Finding::fail("disk", e.to_string(), format!("see that {} can be read", there.display())),
    }
}

/// A span of time as people say it: the largest unit that fits, rounded down.
pub fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Whether files and folders are for their owner only; those that are not there are passed over.
pub fn closed(places: &[PathBuf]) -> Finding {
    const SUBJECT: &str = "files";
    let open = places.iter().filter_map(|place| {
        let mode = private::open_to_others(place).ok().flatten()?;
        Some((place.display().to_string(), format!("{} (mode {mode:o})", place.display())))
    });
    let (names, said): (Vec<_>, Vec<_>) = open.unzip();
    if names.is_empty() {
        return Finding::ok(SUBJECT, "for their owner only");
    }
    let found = format!("others on this machine may open {}", said.join(", "));
    Finding::warn(SUBJECT, found, format!("chmod go-rwx {}", names.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_makes_the_exit_code() {
        let (ok, warn) = (Finding::ok("a", "x"), Finding::warn("b", "y", "do"));
        let fail = Finding::fail("c", "z", "mend");
        assert_eq!(exit(&[]), Exit::Ok);
        assert_eq!(exit(std::slice::from_ref(&ok)), Exit::Ok);
        assert_eq!(exit(&[ok.clone(), warn.clone()]), Exit::Degraded);
        assert_eq!(exit(&[fail.clone(), warn.clone()]), Exit::Failure);
        let text = render(&[ok, warn, fail]);
        assert!(text.contains("LOOK  b") && text.contains("-> mend"), "{text}");
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        #[derive(Debug)]
        struct Outer(std::io::Error);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("outer")
            }
        }
        impl std::error::Error for Outer {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        assert_eq!(with_causes(&Outer(std::io::Error::other("inner"))), "outer: inner");
        assert_eq!(with_causes(&std::io::Error::other("alone")), "alone");
    }

    #[test]
    fn a_clock_is_judged_by_the_server_and_by_the_age_of_the_program() {
        let now = WRITTEN_AFTER_MS + 1_000_000;
        assert_eq!(clock(0, None).level, Level::Fail);
        assert_eq!(clock(now, None).level, Level::Ok);
        assert_eq!(clock(now, Some(now + MAX_CLOCK_SKEW_MS)).level, Level::Ok);
        let behind = clock(now, Some(now + MAX_CLOCK_SKEW_MS + 1_000));
        assert_eq!((behind.level, behind.found.as_str()), (Level::Warn, "301 s behind the server's"));
        assert_eq!(clock(now, Some(i64::MIN)).level, Level::Warn);
    }

    #[test]
    fn room_is_measured_where_the_folder_would_be_made() {
        let nowhere = Path::new("/does/not/exist/yet");
        assert_eq!(disk(nowhere, 0).level, Level::Ok);
        let full = disk(nowhere, u64::MAX);
        assert_eq!((full.level, full.remedy.as_str()), (Level::Warn, "make room on the disk of /"));
    }

    #[test]
    fn spans_have_one_unit() {
        let said: Vec<String> = [-5, 119_999, 120_000, 7_200_000, 172_800_000].map(span).into();
        assert_eq!(said, ["0 s", "119 s", "2 min", "2 h", "2 days"]);
    }
}
