//! What the doctor says of devices: each is asked how it is, and nothing is printed, scanned or read.
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use hardware::camera::{FileCamera, FrameSource as _, V4lCamera};
use hardware::card_reader::{CardReader, ReaderEvent, ReaderStatus};
use hardware::device::Trouble;
use hardware::printer::{PagePrinter, ReceiptPrinter};
use hardware::scanner::{SaneConfig, SaneScanner, Scanner as _};
use hardware::trace::Trace;
use hardware::{PcscConfig, PcscReader, readers_file};
use operator::findings::{self, Finding};

use crate::config::{CameraChoice, Config, ReaderChoice, ScannerChoice};

/// How long a reader is waited for.
const READER_WAIT: Duration = Duration::from_secs(2);

/// All devices, in the order of a technician's list.
pub(super) fn examine(config: &Config) -> Vec<Finding> {
    vec![
        reader(config),
        readers(config),
        photos(config.photo_decoder.as_deref()),
        receipt_printer(config),
        page_printer(config),
        scanner(&config.scanner),
        camera(&config.camera),
    ]
}

fn reader(config: &Config) -> Finding {
    const SUBJECT: &str = "reader";
    match &config.reader {
        ReaderChoice::None => Finding::ok(SUBJECT, "none, as configured"),
        ReaderChoice::File(path) => Finding::ok(SUBJECT, format!("simulator at {}", path.display())),
        ReaderChoice::Pcsc => {
            let entries = config.readers.as_deref().and_then(|file| readers_file::load(file).ok());
            let several = entries.as_ref().is_some_and(|entries| entries.len() > 1);
            let mut reader: Box<dyn CardReader> = match entries {
                Some(entries) => readers_file::open(&entries, &Trace::default()),
                None => Box::new(PcscReader::new(PcscConfig::default())),
            };
            let (status, misses) = look(reader.as_mut(), several);
            reader_status(SUBJECT, status, misses)
        }
    }
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

/// The readers file; the terminal goes on with what pcscd has where it cannot be used.
fn readers(config: &Config) -> Finding {
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

/// The decoder of photos; a silhouette stands for everybody without it.
fn photos(program: Option<&Path>) -> Finding {
    const SUBJECT: &str = "photos";
    let Some(program) = program else { return Finding::ok(SUBJECT, "no decoder, as configured") };
    match std::fs::metadata(program) {
        Ok(about) if about.is_file() && about.permissions().mode() & 0o111 != 0 => {
            Finding::ok(SUBJECT, format!("decoder at {}", program.display()))
        }
        _ => {
            let found = format!("there is no program at {}", program.display());
            Finding::warn(SUBJECT, found, "install the vendor's decoder, or take it out of the settings")
        }
    }
}

/// What a real reader is doing, in words.
fn reader_status(subject: &'static str, status: ReaderStatus, misses: bool) -> Finding {
    let (found, remedy) = match status {
        ReaderStatus::Empty | ReaderStatus::Card if misses => (
            "one reader works; another one of the readers file is not there, or is out of order",
            "plug it in, or try another cable; if it is gone for good, take its port out of the readers file",
        ),
        ReaderStatus::Empty => return Finding::ok(subject, "ready, no card on it"),
        ReaderStatus::Card => return Finding::ok(subject, "ready, a card lies on it"),
        ReaderStatus::ServiceOff => (
            "the smart-card service (pcscd) does not run",
            "start it (systemctl start pcscd.socket) and plug in the reader; the terminal finds both",
        ),
        ReaderStatus::NoReader => {
            ("no reader is plugged in", "plug in the reader, or try another cable; the terminal finds it")
        }
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

/// Asks the receipt printer how it is; nothing is printed.
fn receipt_printer(config: &Config) -> Finding {
    const SUBJECT: &str = "receipt_printer";
    let Some(place) = &config.receipt_printer.0 else { return Finding::ok(SUBJECT, "none, as configured") };
    printer_finding(SUBJECT, &place.text(), ReceiptPrinter::new(place.clone()).look())
}

/// Asks the page printer how it is; nothing is printed.
fn page_printer(config: &Config) -> Finding {
    const SUBJECT: &str = "page_printer";
    let Some(place) = &config.page_printer.0 else { return Finding::ok(SUBJECT, "none, as configured") };
    printer_finding(SUBJECT, &place.text(), PagePrinter::new(place.clone()).look())
}

/// How a printer is, with what a technician does about it.
fn printer_finding(subject: &'static str, place: &str, trouble: Option<Trouble>) -> Finding {
    let Some(trouble) = trouble else { return Finding::ok(subject, format!("{place}: ready")) };
    let remedy = match trouble {
        Trouble::NotFound => "check power, cable and the address in the settings; the terminal finds it",
        Trouble::ServiceOff => {
            "start the print queue (cupsenable, cupsaccept), or look at the printer's own panel"
        }
        Trouble::Silent => {
            "switch it off and on; if it stays silent, look whether it answers DLE EOT or IPP at all"
        }
        Trouble::Busy => {
            "wait a minute; if it stays, close the other program or let the print head cool down"
        }
        Trouble::CoverOpen => "close the cover",
        Trouble::Jammed => "open it, take the paper out, close it; look at the cutter",
        Trouble::NoPaper | Trouble::PaperLow => "put paper in",
        Trouble::OneLost => "look at the other one as well",
        Trouble::Unclaimed => "take the paper out and shred it: nobody came for it",
        Trouble::Unsupported => {
            "look at the settings: another kind of printer answers there, none that tells its state, or the file is no character device"
        }
        Trouble::OutOfOrder => {
            "look at its panel; if it is in order there, check that this user may use the device file"
        }
    };
    Finding::warn(subject, format!("{place}: {trouble}"), remedy)
}

/// Whether the scanner answers; what it says when not.
fn scanner(choice: &ScannerChoice) -> Finding {
    const SUBJECT: &str = "scanner";
    let ScannerChoice::Sane(device) = choice else { return Finding::ok(SUBJECT, "none, as configured") };
    // A folder beside the terminal's own: a doctor changes nothing there, and the terminal may be scanning.
    let folder = std::env::temp_dir().join(format!("jinban-doctor-{}", std::process::id()));
    let looked = SaneScanner::new(SaneConfig::new(device, folder)).and_then(|mut scanner| scanner.look());
    match looked {
        Ok(()) => Finding::ok(SUBJECT, format!("{device} answers")),
        Err(e) => Finding::warn(SUBJECT, format!("{device}: {}", findings::with_causes(&e)), e.remedy()),
    }
}

/// Whether frames can be had; none is taken.
fn camera(choice: &CameraChoice) -> Finding {
    const SUBJECT: &str = "camera";
    let (looked, place, well) = match choice {
        CameraChoice::None => return Finding::ok(SUBJECT, "none, as configured"),
        CameraChoice::V4l(device) => {
            (V4lCamera::new(device).and_then(|mut camera| camera.look()), device, "answers at")
        }
        CameraChoice::File(path) => (FileCamera::new(path).look(), path, "simulator at"),
    };
    match looked {
        Ok(()) => Finding::ok(SUBJECT, format!("{well} {}", place.display())),
        Err(e) => {
            Finding::warn(SUBJECT, format!("{}: {}", place.display(), findings::with_causes(&e)), e.remedy())
        }
    }
}
