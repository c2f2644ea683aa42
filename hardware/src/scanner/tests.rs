//! The real `scanimage` with SANE's own `test` back end; where that cannot fail on demand, a small program in front of it
//! that says so by its name.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::*;
use crate::image::Policy;
use crate::pages::Shot;

const GLASS: ScanOrder = ScanOrder { source: Source::Glass, dpi: 200, color: true, pages: 1 };
const FEEDER: ScanOrder = ScanOrder { source: Source::Feeder, dpi: 75, color: false, pages: MAX_PAGES };

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn pipes(&self) -> PathBuf {
        self.folder.path().join("pipes")
    }

    fn scanner(&self, device: &str) -> SaneScanner {
        SaneScanner::new(SaneConfig::new(device, self.pipes())).expect("a name")
    }

    /// A scanner behind a simulator: a program that stands before `scanimage` and meddles.
    fn simulated(&self, script: &str, silence: Duration) -> SaneScanner {
        let program = self.folder.path().join("simulator-before-scanimage");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("a program");
        let config = SaneConfig { program, silence, ..SaneConfig::new("test:0", self.pipes()) };
        SaneScanner::new(config).expect("a name")
    }

    /// A scanner of the test back end whose reads end like this.
    fn failing(&self, status: &str) -> SaneScanner {
        let script = format!("exec scanimage \"$@\" --read-return-value={status}");
        self.simulated(&script, Duration::from_secs(10))
    }
}

/// Scans and keeps what was heard.
fn scan(scanner: &mut SaneScanner, order: &ScanOrder) -> (Result<u16, ScanError>, Vec<Vec<u8>>, Vec<u8>) {
    let (mut pages, mut percents) = (Vec::new(), Vec::new());
    let result = scanner.scan(order, &mut |heard| {
        match heard {
            Heard::Page(bytes) => pages.push(bytes.to_vec()),
            Heard::Progress { percent, .. } => percents.push(percent),
            Heard::Nothing => {}
        }
        Go::On
    });
    (result, pages, percents)
}

/// Processes whose command line names this folder.
fn processes(folder: &Path) -> Vec<i32> {
    let name = folder.to_str().expect("a name").as_bytes();
    let names_it = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.windows(name.len()).any(|part| part == name)
    };
    let all = fs::read_dir("/proc").expect("processes").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(names_it).collect()
}

#[test]
fn the_test_devices_are_listed_quickly_and_no_other_back_end_is_loaded() {
    let bench = Bench::new();
    let started = Instant::now();
    let listed = bench.scanner("test:0").list().expect("a list");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let names: Vec<_> = listed.iter().map(|device| device.device.as_str()).collect();
    assert_eq!(names, ["test:0", "test:1"]);
    assert!(listed[0].model.contains("frontend-tester"), "{listed:?}");
}

#[test]
fn a_page_from_the_glass_comes_with_progress_in_colour_and_nothing_stays_in_the_folder() {
    let bench = Bench::new();
    let mut scanner = bench.scanner("test:0");
    scanner.look().expect("it is there");
    let (result, pages, percents) = scan(&mut scanner, &GLASS);
    assert_eq!(result.expect("a page"), 1);
    assert!(percents.windows(2).all(|two| two[0] < two[1]) && percents.last() == Some(&100), "{percents:?}");
    let shot = Shot::scanned(&pages[0], &Policy::PAGE).expect("a picture");
    let picture = shot.preview(99_999);
    // 200 by 200 mm at 200 dpi.
    assert!((1_560..1_590).contains(&picture.width()) && picture.width() == picture.height(), "{picture:?}");
    // Nothing but pipes and the settings.
    for entry in fs::read_dir(bench.pipes()).expect("a folder").flatten() {
        let (about, name) = (entry.metadata().expect("a file"), entry.file_name());
        assert!(
            about.len() == 0 || name == "dll.conf" || about.is_dir(),
            "{name:?} has {} bytes",
            about.len()
        );
    }
    drop(scanner);
    assert!(!bench.pipes().exists());
}

#[test]
fn a_feeder_gives_its_ten_pages_and_its_end_is_no_error() {
    let bench = Bench::new();
    let (result, pages, _) = scan(&mut bench.scanner("test:1"), &FEEDER);
    assert_eq!(result.expect("pages"), 10);
    assert_eq!(pages.len(), 10);
    for page in &pages {
        Shot::scanned(page, &Policy::PAGE).expect("a picture");
    }
    // No more than are wanted.
    let (result, pages, _) = scan(&mut bench.scanner("test:1"), &ScanOrder { pages: 3, ..FEEDER });
    assert_eq!((result.expect("pages"), pages.len()), (3, 3));
}

#[test]
fn a_jam_on_page_seven_keeps_the_six_before_it() {
    let bench = Bench::new();
    // The test back end cannot jam on a chosen page: six real ones, then the words and the code of a jam.
    let script = "case \"$*\" in *--batch=*) ;; *) exec scanimage \"$@\" ;; esac\n\
                  scanimage \"$@\" --batch-count=6 || exit 99\n\
                  echo 'scanimage: sane_start: Document feeder jammed' >&2\nexit 6";
    let (result, pages, _) = scan(&mut bench.simulated(script, Duration::from_secs(20)), &FEEDER);
    let error = result.expect_err("a jam");
    assert_eq!(error.trouble(), Some(crate::device::Trouble::Jammed));
    assert_eq!(pages.len(), 6);
}

#[test]
fn every_status_of_sane_is_told_apart() {
    use crate::device::Trouble::*;
    let table = [
        ("UNSUPPORTED", Some(Unsupported)),
        ("CANCELLED", None),
        ("DEVICE_BUSY", Some(Busy)),
        ("INVAL", Some(Unsupported)),
        ("EOF", Some(Silent)),
        ("JAMMED", Some(Jammed)),
        ("NO_DOCS", Some(NoPaper)),
        ("COVER_OPEN", Some(CoverOpen)),
        ("IO_ERROR", Some(Silent)),
        ("NO_MEM", Some(OutOfOrder)),
        ("ACCESS_DENIED", Some(OutOfOrder)),
    ];
    for (status, trouble) in table {
        let bench = Bench::new();
        let mut failing = bench.failing(&format!("SANE_STATUS_{status}"));
        // One of some two hundred runs of the test back end hangs when it gives up a page (measured with `scanimage`
        // alone): that is told as silence, and a citizen would scan once more.
        let mut tries = (0..3).map(|_| scan(&mut failing, &GLASS));
        let (result, pages, _) =
            tries.find(|(r, ..)| !matches!(r, Err(ScanError::Silent(_)))).expect("it hangs");
        let error = result.expect_err(status);
        assert!(matches!(error, ScanError::Status(_)), "{status}: {error:?}");
        assert_eq!(error.trouble(), trouble, "{status}: {error}");
        assert!(pages.is_empty(), "{status}: half a page is none");
    }
}

#[test]
fn a_device_or_a_program_that_is_not_there_is_not_found() {
    let bench = Bench::new();
    for device in ["test:9", "nosuch:0"] {
        let error = bench.scanner(device).look().expect_err(device);
        assert_eq!(error.trouble(), Some(crate::device::Trouble::NotFound), "{device}: {error}");
    }
    let config = SaneConfig { program: "/nonexistent".into(), ..SaneConfig::new("test:0", bench.pipes()) };
    let error = SaneScanner::new(config).expect("a name").look().expect_err("no program");
    assert_eq!(error.trouble(), Some(crate::device::Trouble::ServiceOff));
    let long = format!("test:{}", "a".repeat(300));
    for device in ["", "test", "--help:0", "te st:0", "a/b:0", "test:0\n", &long] {
        let config = SaneConfig::new(device, bench.pipes());
        assert!(matches!(SaneScanner::new(config), Err(ScanError::Name(_))), "{device:?}");
    }
}

#[test]
fn a_scan_that_is_stopped_ends_at_once_and_leaves_no_process() {
    let bench = Bench::new();
    // Two tenths of a second for every read: the whole page would take minutes.
    let script = "scanimage \"$@\" --read-delay=yes --read-delay-duration=200000";
    let mut scanner = bench.simulated(script, Duration::from_secs(20));
    scanner.look().expect("it is there");
    let mut running = 0;
    let result = scanner.scan(&GLASS, &mut |heard| {
        let begun = matches!(heard, Heard::Progress { .. });
        if begun {
            running = processes(&bench.pipes()).len();
        }
        if begun { Go::Stop } else { Go::On }
    });
    assert!(matches!(result, Err(ScanError::Stopped)), "{result:?}");
    assert!(running > 0, "it ran");
    assert_eq!(processes(&bench.pipes()).len(), 0, "and does not any more");
}

#[test]
fn a_scanner_that_falls_silent_or_is_unplugged_is_silent_and_works_when_it_comes_back() {
    let bench = Bench::new();
    let hangs =
        "case \"$*\" in *--batch=*) exec tail -f /dev/null \"$0\" ;; *) exec scanimage \"$@\" ;; esac";
    let (result, ..) = scan(&mut bench.simulated(hangs, Duration::from_millis(300)), &GLASS);
    assert!(matches!(result, Err(ScanError::Silent(_))), "{result:?}");

    let slow = "exec scanimage \"$@\" --read-delay=yes --read-delay-duration=100000";
    let mut scanner = bench.simulated(slow, Duration::from_secs(20));
    let mut ended = false;
    let result = scanner.scan(&GLASS, &mut |heard| {
        if matches!(heard, Heard::Progress { .. }) && !ended {
            for pid in processes(&bench.pipes()) {
                let pid = rustix::process::Pid::from_raw(pid).expect("a process");
                ended |= rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok();
            }
        }
        Go::On
    });
    let error = result.expect_err("it broke off");
    assert!(ended && matches!(error, ScanError::BrokeOff), "{error:?}");
    assert_eq!(error.trouble(), Some(crate::device::Trouble::Silent));
    assert_eq!(scan(&mut bench.scanner("test:0"), &GLASS).0.expect("a page"), 1);
}

#[test]
fn a_page_without_end_is_cut_off() {
    let bench = Bench::new();
    let script = format!(
        "case \"$*\" in *--batch=*) exec cat /dev/zero > {0}/1.jpg.part ;; *) exec scanimage \"$@\" ;; esac",
        bench.pipes().display()
    );
    let (result, pages, _) = scan(&mut bench.simulated(&script, Duration::from_secs(20)), &GLASS);
    assert!(matches!(result, Err(ScanError::TooMuch(_))), "{result:?}");
    assert!(pages.is_empty());
}
