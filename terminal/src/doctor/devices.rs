//! What the doctor says of devices: each is asked how it is, and nothing is printed, scanned or read.
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use hardware::camera::{FileCamera, FrameSource as _, V4lCamera};
use hardware::device::Trouble;
use hardware::printer::{PagePrinter, ReceiptPort, ReceiptPrinter};
use hardware::scanner::{SaneConfig, SaneScanner, Scanner as _};
use operator::findings::{self, Finding};

use super::holder::holder;
use super::readers;
use crate::config::{CameraChoice, Config, ScannerChoice};

/// All devices, in the order of a technician's list.
pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let mut all = readers::examine(config);
    all.extend([
        photos(config.photo_decoder.as_deref()),
        receipt_printer(config),
        page_printer(config),
        scanner(&config.scanner),
        camera(&config.camera),
    ]);
    all
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

/// Asks the receipt printer how it is; nothing is printed.
fn receipt_printer(config: &Config) -> Finding {
    const SUBJECT: &str = "receipt_printer";
    let Some(place) = &config.receipt_printer.0 else { return Finding::ok(SUBJECT, "none, as configured") };
    let trouble = ReceiptPrinter::new(place.clone()).look();
    let user = match &place.port {
        ReceiptPort::File(path) | ReceiptPort::Serial(path, _) if trouble == Some(Trouble::Busy) => {
            holder(path)
        }
        _ => None,
    };
    let text = user.map_or_else(|| place.text(), |(process, name)| in_use(&place.text(), process, &name));
    printer_finding(SUBJECT, &text, trouble)
}

/// A place, and who has it.
fn in_use(place: &str, process: u32, name: &str) -> String {
    format!("{place}: in use by {name} (process {process})")
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
