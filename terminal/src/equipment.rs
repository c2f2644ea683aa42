//! What devices a terminal is meant to have, by its settings: readers, printers, scanner and camera, and what looks at
//! them. Refuses to fail: what cannot be used is told in the log and by the doctor, and the terminal goes on without it.
use std::path::Path;

use hardware::card_reader::CardReader;
use hardware::device::DeviceKind;
use hardware::photo::{ExternalDecoder, NoDecoder, PhotoDecoder};
use hardware::trace::Trace;
use hardware::{FileReader, PcscConfig, PcscReader, readers_file};

use crate::config::{CameraChoice, Config, ReaderChoice, ScannerChoice};
use crate::devices::{CameraProbe, Probe, ScannerProbe};
use crate::workers::Devices;

/// Folder of the pipes of the supervisor's looks at a scanner: the terminal may be scanning.
const PROBE_FOLDER: &str = "scanner-look";

/// The kinds of devices that this terminal is meant to have.
pub(crate) fn kinds(config: &Config) -> Vec<DeviceKind> {
    let there = [
        (DeviceKind::CardReader, config.reader != ReaderChoice::None),
        (DeviceKind::ReceiptPrinter, config.receipt_printer.0.is_some()),
        (DeviceKind::PagePrinter, config.page_printer.0.is_some()),
        (DeviceKind::Scanner, config.scanner != ScannerChoice::None),
        (DeviceKind::Camera, config.camera != CameraChoice::None),
    ];
    there.into_iter().filter_map(|(kind, there)| there.then_some(kind)).collect()
}

/// What looks at scanner and camera; reader and printers tell of themselves.
pub(crate) fn probes(config: &Config, scanimage: Option<&Path>) -> Vec<Box<dyn Probe>> {
    let Devices { scanner, camera } = Devices::in_folder(config, scanimage, PROBE_FOLDER);
    let scanner = scanner.map(|scanner| Box::new(ScannerProbe(scanner)) as Box<dyn Probe>);
    let camera = camera.map(|camera| Box::new(CameraProbe(camera)) as Box<dyn Probe>);
    scanner.into_iter().chain(camera).collect()
}

/// Where cards come from; what is said to readers stands in this trace.
pub(crate) fn reader(config: &Config, trace: &Trace) -> Option<Box<dyn CardReader>> {
    match &config.reader {
        ReaderChoice::Pcsc => Some(real_reader(config, trace)),
        ReaderChoice::File(path) => Some(Box::new(FileReader::new(path))),
        ReaderChoice::None => None,
    }
}

/// The readers of the readers file. One that cannot be used is told, and the terminal goes on with what pcscd has:
/// the doctor says what is wrong with it.
fn real_reader(config: &Config, trace: &Trace) -> Box<dyn CardReader> {
    let all = || Box::new(PcscReader::new(PcscConfig { trace: trace.clone(), ..PcscConfig::default() }));
    match config.readers.as_deref().map(readers_file::load) {
        Some(Ok(entries)) => readers_file::open(&entries, trace),
        Some(Err(error)) => {
            tracing::error!(error = %error, "the readers file cannot be used");
            all()
        }
        None => all(),
    }
}

/// What decodes the photos of ID cards.
pub(crate) fn photos(config: &Config) -> Box<dyn PhotoDecoder> {
    match &config.photo_decoder {
        Some(program) => Box::new(ExternalDecoder::new(program)),
        None => Box::new(NoDecoder),
    }
}
