//! What the doctor says of card readers: how they are now, which ports another program has, which names fit nothing.
//!
//! A doctor is a program of its own: it knows what is there now, and not what was there before. What was lost while the
//! terminal runs stands on the terminal's own page, and that is said.
use std::path::Path;
use std::time::{Duration, Instant};

use hardware::card_reader::{CardReader, ReaderEvent, ReaderStatus};
use hardware::readers_file::ReaderEntry;
use hardware::trace::Trace;
use hardware::transport::pcsc::Service;
use hardware::transport::serial::{NotOpened, look_at_port};
use hardware::{PcscConfig, PcscReader, readers_file};
use operator::findings::{self, Finding};

use super::holder::holder;
use crate::config::{Config, ReaderChoice};

/// How long a reader is waited for.
const READER_WAIT: Duration = Duration::from_secs(2);
/// The terminal's program, as the system shows it.
const TERMINAL: &str = "terminal";
/// What a doctor cannot know, behind whatever is well.
const NOW_ONLY: &str =
    "; that is what is there now: whether one was lost, the terminal that runs knows (its device check)";

/// Readers and the readers file.
pub(super) fn examine(config: &Config) -> Vec<Finding> {
    const SUBJECT: &str = "reader";
    let mut all = Vec::new();
    match &config.reader {
        ReaderChoice::None => all.push(Finding::ok(SUBJECT, "none, as configured")),
        ReaderChoice::File(path) => {
            all.push(Finding::ok(SUBJECT, format!("simulator at {}", path.display())));
        }
        ReaderChoice::Pcsc => {
            match config.readers.as_deref().and_then(|file| readers_file::load(file).ok()) {
                None => {
                    let mut reader = PcscReader::new(PcscConfig::default());
                    all.push(status(SUBJECT, look(&mut reader, false)));
                }
                Some(entries) => {
                    let ports = ports(&entries);
                    let free = |entry: &ReaderEntry| !matches!(entry, ReaderEntry::Serial { port, .. } if ports.iter().any(|(name, _)| name == port));
                    let asked: Vec<_> = entries.iter().filter(|entry| free(entry)).cloned().collect();
                    all.push(if asked.is_empty() {
                        Finding::ok(SUBJECT, "not asked: the port of each is in use, or closed to this user")
                    } else {
                        let mut reader = readers_file::open(&asked, &Trace::default());
                        status(SUBJECT, look(reader.as_mut(), asked.len() > 1))
                    });
                    all.extend(ports.into_iter().map(|(_, finding)| finding));
                    all.extend(names(&entries));
                }
            }
        }
    }
    all.push(file(config));
    all
}

/// How the readers are together, and whether one is missed. Several are all waited for: each tells by itself.
fn look(reader: &mut dyn CardReader, several: bool) -> (ReaderStatus, bool) {
    let end = Instant::now() + READER_WAIT;
    let mut last = ReaderStatus::Unknown;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match reader.wait_event(left) {
            ReaderEvent::Status(status) => last = status,
            ReaderEvent::Second => {}
            ReaderEvent::Nothing => return (last, reader.misses()),
        }
        let serves = matches!(last, ReaderStatus::Empty | ReaderStatus::Card);
        if (!several && last != ReaderStatus::Unknown) || (serves && reader.misses()) {
            return (last, reader.misses());
        }
    }
}

/// What real readers are doing, in words.
fn status(subject: &'static str, (status, misses): (ReaderStatus, bool)) -> Finding {
    let (found, remedy) = match status {
        ReaderStatus::Empty | ReaderStatus::Card if misses => (
            "one reader works; another one of the readers file is not there, or is out of order",
            "plug it in, or try another cable; if it is gone for good, take its port out of the readers file",
        ),
        ReaderStatus::Empty => return Finding::ok(subject, format!("ready, no card on it{NOW_ONLY}")),
        ReaderStatus::Card => return Finding::ok(subject, format!("ready, a card lies on it{NOW_ONLY}")),
        ReaderStatus::ServiceOff => (
            "the smart-card service (pcscd) does not run",
            "start it (systemctl start pcscd.socket) and plug in the reader; the terminal finds both",
        ),
        ReaderStatus::NoReader => {
            ("no reader is plugged in", "plug in the reader, or try another cable; the terminal finds it")
        }
        ReaderStatus::Busy => (
            "another program uses the reader",
            "end that program and see that it does not start again; the terminal finds the reader by itself",
        ),
        ReaderStatus::OutOfOrder => (
            "the reader says that it is out of order",
            "unplug it and plug it in again; if it stays, replace it",
        ),
        ReaderStatus::Unknown => (
            "the reader said nothing within 2 s",
            "try again; if it stays, restart pcscd and plug it in again",
        ),
    };
    Finding::warn(subject, found, remedy)
}

/// The ports that cannot be asked because somebody has them, or this user may not; each with what to say of it. One that
/// is not there at all is missed like any reader, and stands not here.
fn ports(entries: &[ReaderEntry]) -> Vec<(String, Finding)> {
    let ports = entries.iter().filter_map(|entry| match entry {
        ReaderEntry::Serial { port, .. } => Some(port),
        ReaderEntry::Pcsc(_) => None,
    });
    let closed = ports.filter_map(|port| {
        let finding = match look_at_port(port) {
            Ok(()) | Err(NotOpened::Gone) => return None,
            Err(NotOpened::Held) => held(port, holder(Path::new(port))),
            Err(NotOpened::Refused) => Finding::warn(
                "reader_port",
                format!("{port}: this user may not open it"),
                "run the doctor as the terminal's user, and put that user into the port's group (dialout)",
            ),
        };
        Some((port.clone(), finding))
    });
    closed.collect()
}

/// A port that a program has for itself: the terminal has all of its ports while it runs.
fn held(port: &str, holder: Option<(u32, String)>) -> Finding {
    const SUBJECT: &str = "reader_port";
    match holder {
        Some((process, name)) if name == TERMINAL => {
            let how = "its device check says how this reader is";
            Finding::ok(
                SUBJECT,
                format!("{port}: in use by the terminal that runs (process {process}); {how}"),
            )
        }
        Some((process, name)) => Finding::warn(
            SUBJECT,
            format!("{port}: in use by {name} (process {process})"),
            "end that program and see that it does not start again; the terminal finds the port by itself",
        ),
        None => Finding::warn(
            SUBJECT,
            format!("{port}: in use by another program, most likely by the terminal that runs"),
            format!(
                "if the terminal runs, look at its device check; if not, see who has the port (fuser {port})"
            ),
        ),
    }
}

/// The names in the readers file that no reader has. The terminal misses none of them, for a file may be the same for
/// all branches; whoever looks for a reader that is named there wants to know.
fn names(entries: &[ReaderEntry]) -> Vec<Finding> {
    let Ok(slots) = Service::open().and_then(|mut service| service.wait(Duration::ZERO)) else {
        return Vec::new();
    };
    let there: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
    unmatched(entries, &there)
}

fn unmatched(entries: &[ReaderEntry], there: &[&str]) -> Vec<Finding> {
    const REMEDY: &str = "plug it in, or mend the pattern (card-tool list has the names); nothing to do if the file is the \
                          same for all branches and this one has no such reader";
    let unmatched = entries.iter().filter_map(|entry| match entry {
        ReaderEntry::Pcsc(config) if !there.iter().any(|name| config.is_for(name)) => {
            config.reader_pattern.as_deref()
        }
        _ => None,
    });
    let finding = |pattern: &str| {
        let found = format!("no reader of pcscd fits {pattern:?} of the readers file");
        Finding::warn("reader_pattern", found, REMEDY)
    };
    unmatched.map(finding).collect()
}

/// The readers file; the terminal goes on with what pcscd has where it cannot be used.
fn file(config: &Config) -> Finding {
    const SUBJECT: &str = "readers";
    let Some(file) = config.readers.as_deref() else {
        return Finding::ok(SUBJECT, "no readers file, as configured");
    };
    if config.reader != ReaderChoice::Pcsc {
        let remedy = "set reader to pcsc, or take the readers file out of the settings";
        return Finding::warn(SUBJECT, "the readers file is set and not used", remedy);
    }
    match readers_file::load(file) {
        Ok(entries) => Finding::ok(SUBJECT, format!("{}, {} entries", file.display(), entries.len())),
        Err(error) => {
            let found = format!("{}: {}", file.display(), findings::with_causes(&error));
            Finding::fail(SUBJECT, found, "mend the line that is named; docs/hardware.md has the keys")
        }
    }
}

#[cfg(test)]
mod tests {
    use operator::findings::Level;

    use super::*;

    #[test]
    fn who_has_a_port_is_told_and_the_terminal_that_runs_is_no_fault() {
        let port = "/dev/jinban-reader";
        let terminal = held(port, Some((812, "terminal".to_owned())));
        assert_eq!(terminal.level, Level::Ok);
        assert!(terminal.found.contains("process 812") && terminal.found.contains("device check"));
        let manager = held(port, Some((99, "ModemManager".to_owned())));
        assert_eq!(manager.level, Level::Warn);
        assert!(manager.found.contains("ModemManager (process 99)"), "{}", manager.found);
        let unknown = held(port, None);
        assert!(unknown.found.contains("most likely") && unknown.remedy.contains("device check"));
        for finding in [terminal, manager, unknown] {
            assert!(finding.found.starts_with(port), "{}", finding.found);
            let said = format!("{} {}", finding.found, finding.remedy);
            assert!(!said.contains("readers file") && !said.contains("take"), "{said}");
        }
    }

    #[test]
    fn names_that_no_reader_has_are_told_each() {
        let text = "[[reader]]\npattern = \"synjones*\"\n[[reader]]\npattern = \"virtual\"\n\
                    [[reader]]\nport = \"/dev/ttyS9\"\n";
        let entries = readers_file::parse(text).expect("good");
        let found = |there: &[&str]| -> Vec<String> {
            unmatched(&entries, there).into_iter().map(|finding| finding.found).collect()
        };
        let one = "no reader of pcscd fits \"synjones*\" of the readers file";
        assert_eq!(found(&["Jinban virtual SAM_V 00 00"]), [one]);
        assert_eq!(found(&["Synjones iDR210 00 00", "A virtual reader"]), [""; 0]);
        assert_eq!(found(&[]).len(), 2);
    }
}
