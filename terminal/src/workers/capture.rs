//! The thread of scanner and camera: takes pages, makes them straight and small, and tells how far it is.
//!
//! Whoever wants it to stop counts up its round: work of an older round breaks off at its next look, ten times a second.
//! Refuses to keep a page: it is handed on at once, and only the picture that is being cut stays, until it is stopped.
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use hardware::camera::{FileCamera, FrameSource, V4lCamera};
use hardware::device::{DeviceKind, Trouble};
use hardware::image::Policy;
use hardware::pages::{Cut, Finding, Page, PageError, Shot, Wanted};
use hardware::scanner::{Go, Heard, SaneConfig, SaneScanner, ScanOrder, Scanner, Source};

use super::EventSender;
use crate::config::{CameraChoice, Config, ScannerChoice};
use crate::devices::Board;
use crate::event::{CaptureJob, Event, Take};
use crate::model::{CaptureDevices, Taken, TakenPage, Way};

/// Orders that wait, at most: a person taps no faster.
const QUEUE: usize = 16;
/// How long a camera may take for a frame.
const FRAME_WITHIN: Duration = Duration::from_secs(3);
/// Pixels of the longer side of the picture that is shown.
const SHOWN_SIDE: usize = 1_100;
/// Folder of the scanner's pipes in the data folder.
const SCANNER_FOLDER: &str = "scanner";
/// How fine is scanned: text of a form can be read, and a page fits into half a megabyte.
const DPI: u16 = 200;

/// Scanner and camera of this terminal.
#[derive(Default)]
pub(crate) struct Devices {
    pub(crate) scanner: Option<Box<dyn Scanner>>,
    pub(crate) camera: Option<Box<dyn FrameSource>>,
}

impl Devices {
    /// By their settings; whether they are there shows when they are used. `scanimage` is what stands in for the
    /// program of this name.
    pub(crate) fn of(config: &Config, scanimage: Option<&Path>) -> Self {
        Self::in_folder(config, scanimage, SCANNER_FOLDER)
    }

    /// The same, with the scanner's pipes in this folder of the data folder: two that scan must not share one.
    pub(crate) fn in_folder(config: &Config, scanimage: Option<&Path>, folder: &str) -> Self {
        let scanner = match &config.scanner {
            ScannerChoice::Sane(device) => {
                let usual = SaneConfig::new(device, config.data.join(folder));
                let program = scanimage.map_or_else(|| usual.program.clone(), Path::to_owned);
                let sane = SaneScanner::new(SaneConfig { program, ..usual });
                sane.map(|scanner| Box::new(scanner) as Box<dyn Scanner>)
                    .inspect_err(|error| tracing::error!(error = %error, "there is no scanner"))
                    .ok()
            }
            ScannerChoice::None => None,
        };
        let camera = match &config.camera {
            CameraChoice::V4l(device) => V4lCamera::new(device)
                .map(|camera| Box::new(camera) as Box<dyn FrameSource>)
                .inspect_err(|error| tracing::error!(error = %error, "there is no camera"))
                .ok(),
            CameraChoice::File(path) => Some(Box::new(FileCamera::new(path)) as Box<dyn FrameSource>),
            CameraChoice::None => None,
        };
        Self { scanner, camera }
    }

    /// Which there are.
    pub(crate) fn there(&self) -> CaptureDevices {
        CaptureDevices { scanner: self.scanner.is_some(), camera: self.camera.is_some() }
    }
}

/// Gives orders to the thread, from the window: never waits.
pub(super) struct Orders {
    sender: SyncSender<(u64, CaptureJob)>,
    round: Arc<AtomicU64>,
}

impl Orders {
    /// Orders, and where the thread gets them.
    pub(super) fn new() -> (Self, Receiver<(u64, CaptureJob)>, Arc<AtomicU64>) {
        let (sender, orders) = sync_channel(QUEUE);
        let round = Arc::new(AtomicU64::new(0));
        (Self { sender, round: Arc::clone(&round) }, orders, round)
    }

    /// Gives an order; false if it could not be taken.
    pub(super) fn give(&self, job: CaptureJob) -> bool {
        if matches!(job, CaptureJob::Stop) {
            self.round.fetch_add(1, Ordering::SeqCst);
        }
        let round = self.round.load(Ordering::SeqCst);
        let sent = self.sender.try_send((round, job));
        // A stop that finds no room has stopped already: what waits is of an older round.
        matches!(sent, Ok(()) | Err(TrySendError::Full((_, CaptureJob::Stop))))
    }
}

impl Drop for Orders {
    /// The thread breaks off what it does.
    fn drop(&mut self) {
        self.round.fetch_add(1, Ordering::SeqCst);
    }
}

/// What the thread has.
struct Worker<'a> {
    devices: Devices,
    board: &'a Board,
    events: &'a EventSender,
    round: &'a AtomicU64,
    /// The picture that is shown, to be cut anew.
    shot: Option<Shot>,
}

pub(super) fn run(
    devices: Devices,
    orders: &Receiver<(u64, CaptureJob)>,
    round: &AtomicU64,
    (events, board): (&EventSender, &Board),
) {
    let mut worker = Worker { devices, board, events, round, shot: None };
    while let Ok((of, job)) = orders.recv() {
        let late = of != round.load(Ordering::SeqCst);
        match job {
            CaptureJob::Stop => worker.shot = None,
            _ if late => {}
            CaptureJob::Take(take) => worker.take(of, take),
            CaptureJob::Cut { ticket, cut, wanted } => worker.cut(ticket, &cut, &wanted),
        }
    }
}

impl Worker<'_> {
    fn take(&mut self, of: u64, take: Take) {
        self.shot = None;
        let failed = match take.way {
            Way::Camera => self.photograph(take).err(),
            Way::Glass | Way::Feeder => self.scan(of, take),
        };
        if let Some(key) = failed {
            tracing::warn!(why = key, "no page, or not all pages, could be taken");
        }
        self.events.send(Event::TakingEnded { ticket: take.ticket, failed });
    }

    /// A picture of the camera, and the page on it.
    fn photograph(&mut self, take: Take) -> Result<(), &'static str> {
        let camera = self.devices.camera.as_mut().ok_or(Trouble::NotFound.name())?;
        self.board.begin(DeviceKind::Camera);
        let frame = camera.frame(FRAME_WITHIN).map_err(|error| error.trouble());
        self.board.end(DeviceKind::Camera, frame.as_ref().map(|_| None).map_err(|trouble| *trouble));
        let frame = frame.map_err(Trouble::name)?;
        let shot = Shot::photographed(&frame, &Policy::PHOTO).map_err(|error| key_of(&error))?;
        let cut = shot.cut();
        self.show(shot, &cut, take)
    }

    /// Makes the page of a picture that is to be shown, and keeps the picture.
    fn show(&mut self, shot: Shot, cut: &Cut, take: Take) -> Result<(), &'static str> {
        let page = shot.page(cut, &take.wanted).map_err(|error| key_of(&error))?;
        let picture = Some(Arc::new(shot.preview(SHOWN_SIDE)));
        self.shot = Some(shot);
        let page = taken_page(page, take.way);
        self.events.send(Event::PageTaken(Box::new(Taken { ticket: take.ticket, picture, cut: *cut, page })));
        Ok(())
    }

    /// Scans, and tells each page as it comes; why it gave less than it should.
    fn scan(&mut self, of: u64, take: Take) -> Option<&'static str> {
        let Some(mut scanner) = self.devices.scanner.take() else { return Some(Trouble::NotFound.name()) };
        let source = if take.way == Way::Feeder { Source::Feeder } else { Source::Glass };
        let order = ScanOrder { source, dpi: DPI, color: true, pages: take.pages };
        let mut unfit = None;
        self.board.begin(DeviceKind::Scanner);
        let scanned = scanner.scan(&order, &mut |heard| {
            match heard {
                Heard::Nothing => {}
                Heard::Progress { page, percent } => {
                    self.events.send(Event::Taking { ticket: take.ticket, page, percent });
                }
                Heard::Page(bytes) => unfit = self.scanned(&bytes, take).err(),
            }
            let stops = unfit.is_some() || self.round.load(Ordering::SeqCst) != of;
            if stops { Go::Stop } else { Go::On }
        });
        self.devices.scanner = Some(scanner);
        match scanned.as_ref().map_err(|error| error.trouble()) {
            Ok(_) => self.board.end(DeviceKind::Scanner, Ok(None)),
            Err(Some(trouble)) => self.board.end(DeviceKind::Scanner, Err(trouble)),
            // Stopped, or a page that was no picture.
            Err(None) => self.board.spoilt(DeviceKind::Scanner),
        }
        match scanned {
            Ok(_) => unfit,
            Err(error) => {
                tracing::info!(why = %error, "a scan ended early");
                unfit.or(error.trouble().map(Trouble::name))
            }
        }
    }

    /// A page of the scanner.
    fn scanned(&mut self, bytes: &[u8], take: Take) -> Result<(), &'static str> {
        let shot = Shot::scanned(bytes, &Policy::PAGE).map_err(|error| key_of(&error))?;
        if take.way == Way::Glass {
            return self.show(shot, &Cut::WHOLE, take);
        }
        let page = shot.page(&Cut::WHOLE, &take.wanted).map_err(|error| key_of(&error))?;
        let (ticket, page) = (take.ticket, taken_page(page, take.way));
        self.events.send(Event::PageTaken(Box::new(Taken { ticket, picture: None, cut: Cut::WHOLE, page })));
        Ok(())
    }

    /// The shown picture, cut another way.
    fn cut(&self, ticket: u64, cut: &Cut, wanted: &Wanted) {
        let Some(shot) = &self.shot else { return };
        match shot.page(cut, wanted) {
            Ok(page) => {
                // Which device it came from changes only what a scanner cannot have.
                let page = taken_page(page, Way::Camera);
                self.events.send(Event::PageTaken(Box::new(Taken {
                    ticket,
                    picture: None,
                    cut: *cut,
                    page,
                })));
            }
            Err(error) => {
                self.events.send(Event::TakingEnded { ticket, failed: Some(key_of(&error)) });
            }
        }
    }
}

/// A scanner has its own light, close to the paper: what it shows is no mirrored lamp and no finger.
fn taken_page(page: Page, way: Way) -> Arc<TakenPage> {
    let seen = |finding: &Finding| way == Way::Camera || !matches!(finding, Finding::Glare | Finding::Finger);
    let findings = page.scores.findings().into_iter().filter(seen).collect();
    Arc::new(TakenPage { jpeg: page.jpeg, findings })
}

/// Key of the words `capture.failed.{key}`.
fn key_of(error: &PageError) -> &'static str {
    match error {
        PageError::Image(_) | PageError::Encode(_) => "picture",
        PageError::Size => "size",
    }
}
