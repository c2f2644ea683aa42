//! Taking pages for a field of the form: with the scanner or the camera, looked at, and kept sealed at once.
//!
//! Pages of a batch are kept as they come, so that their order stays; one page is shown first, with what is wrong with
//! it. Refuses to judge pixels and to hold a page longer than it takes to keep it.
use std::sync::Arc;

use domain::form::{MAX_FILE_BYTES, PlanField, Widget};
use hardware::pages::{Corners, Cut, Finding, Point, Raster, Wanted};
use zeroize::Zeroizing;

use super::kept_pages::takes_pages;
use super::{Model, Screen, Session};
use crate::event::{CaptureJob, Job, Take};

/// Bytes of a page, at most, whatever a form allows: A4 at 210 dpi has less than half of it.
const MAX_PAGE_BYTES: u64 = 3 << 20;

/// The devices that the settings name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaptureDevices {
    /// A scanner.
    pub scanner: bool,
    /// A camera.
    pub camera: bool,
}

impl CaptureDevices {
    /// Photos and scans can be taken here.
    pub fn any(self) -> bool {
        self.scanner || self.camera
    }
}

/// How a page is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One page from the scanner's glass.
    Glass,
    /// All pages from its feeder.
    Feeder,
    /// A picture of the camera.
    Camera,
}

/// The page on which pages are taken.
#[derive(Debug)]
pub struct Capture {
    /// The field that they belong to.
    pub key: String,
    /// What was begun last; news of anything else is late.
    pub ticket: u64,
    /// What happens.
    pub step: CaptureStep,
    /// Why the last try gave nothing (words `capture.failed.{key}`).
    pub failed: Option<&'static str>,
}

/// What happens on it.
#[derive(Debug)]
pub enum CaptureStep {
    /// Nothing: the pages so far, and ways to take more.
    Pages,
    /// A device is at work.
    Taking {
        /// How.
        way: Way,
        /// Which page, from 1.
        page: u16,
        /// How far it is.
        percent: u8,
    },
    /// A page is shown before it is kept.
    Shown(Box<Shown>),
    /// It is being kept.
    Keeping,
}

/// A page that is shown.
#[derive(Debug)]
pub struct Shown {
    /// How it was taken.
    pub way: Way,
    /// The whole picture, small.
    pub picture: Arc<Raster>,
    /// What of it is the page.
    pub cut: Cut,
    /// The page.
    pub page: Arc<TakenPage>,
    /// The corner that the arrows move.
    pub corner: usize,
    /// The page is being cut anew.
    pub cutting: bool,
}

/// A page that was taken and is not kept yet.
pub struct TakenPage {
    /// The file, a JPEG.
    pub jpeg: Zeroizing<Vec<u8>>,
    /// What is wrong with it, the weightiest first.
    pub findings: Vec<Finding>,
}

impl std::fmt::Debug for TakenPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TakenPage({} bytes, {:?})", self.jpeg.len(), self.findings)
    }
}

/// News of the worker: a page was taken, or the shown one was cut anew.
#[derive(Debug)]
pub struct Taken {
    /// What began it.
    pub ticket: u64,
    /// The whole picture, small; none of a batch, and where only the cut is new.
    pub picture: Option<Arc<Raster>>,
    /// What of it is the page.
    pub cut: Cut,
    /// The page.
    pub page: Arc<TakenPage>,
}

impl Model {
    /// To the page on which pages are taken for this field.
    pub(super) fn open_capture(&mut self, key: &str) -> Vec<Job> {
        if self.screen != Screen::Form || !self.capture_devices.any() {
            return Vec::new();
        }
        let Some(session) = &mut self.session else { return Vec::new() };
        let mut fields = session.plan.pages.iter().flat_map(|page| &page.fields);
        if session.envelope_id.is_none() || !fields.any(|field| field.key == key && takes_pages(field)) {
            return Vec::new();
        }
        let (key, step) = (key.to_owned(), CaptureStep::Pages);
        session.capture = Some(Capture { key, ticket: 0, step, failed: None });
        self.open(Screen::Capture)
    }

    /// The page, while it is on the screen.
    pub(super) fn capture(&mut self) -> Option<&mut Capture> {
        let shown = self.screen == Screen::Capture;
        self.session.as_mut()?.capture.as_mut().filter(|_| shown)
    }

    /// Begins to take a page, or a batch.
    pub(super) fn take_page(&mut self, way: Way) -> Vec<Job> {
        let devices = self.capture_devices;
        let there = if way == Way::Camera { devices.camera } else { devices.scanner };
        let room = self.session.as_ref().map_or(0, Session::captured_room);
        let wanted = self.session.as_ref().and_then(|s| s.captured_field()).map(wanted);
        let (true, Some(wanted)) = (there && room > 0, wanted) else { return Vec::new() };
        let ticket = self.capture_ticket + 1;
        let Some(capture) = self.capture() else { return Vec::new() };
        if matches!(capture.step, CaptureStep::Taking { .. } | CaptureStep::Keeping) {
            return Vec::new();
        }
        capture.ticket = ticket;
        capture.failed = None;
        capture.step = CaptureStep::Taking { way, page: 1, percent: 0 };
        self.capture_ticket = ticket;
        let pages = if way == Way::Feeder { u16::try_from(room).unwrap_or(u16::MAX) } else { 1 };
        vec![Job::Capture(CaptureJob::Take(Take { ticket, way, pages, wanted }))]
    }

    /// Stops the device, or lets the shown page go; the pages that were kept stay.
    pub(super) fn stop_taking(&mut self) -> Vec<Job> {
        let Some(capture) = self.capture() else { return Vec::new() };
        if matches!(capture.step, CaptureStep::Keeping) {
            return Vec::new();
        }
        capture.step = CaptureStep::Pages;
        capture.ticket = 0;
        vec![Job::Capture(CaptureJob::Stop)]
    }

    /// Back from the page: first from what is shown, then to the form.
    pub(super) fn back_from_capture(&mut self) -> Vec<Job> {
        let pages =
            self.capture().is_none_or(|c| matches!(c.step, CaptureStep::Pages | CaptureStep::Keeping));
        if pages { self.leave_capture() } else { self.stop_taking() }
    }

    /// To the form; what was shown and not kept is gone.
    pub(super) fn leave_capture(&mut self) -> Vec<Job> {
        if let Some(session) = &mut self.session {
            session.capture = None;
        }
        self.pop();
        vec![Job::Capture(CaptureJob::Stop)]
    }

    /// The shown page once more, by the same way.
    pub(super) fn retake_page(&mut self) -> Vec<Job> {
        let Some(capture) = self.capture() else { return Vec::new() };
        let CaptureStep::Shown(shown) = &capture.step else { return Vec::new() };
        let way = shown.way;
        capture.step = CaptureStep::Pages;
        self.take_page(way)
    }

    /// A corner of the shown page is put elsewhere; one that would make no page stays where it is.
    pub(super) fn move_corner(&mut self, corner: usize, at: Point) -> Vec<Job> {
        let moved = |shown: &mut Shown| {
            shown.corner = corner.min(3);
            let before = shown.cut.corners;
            let at = Point::new(at.x.clamp(0.0, 1.0), at.y.clamp(0.0, 1.0));
            shown.cut.corners = before.with(shown.corner, at).unwrap_or(before);
            shown.cut.corners != before
        };
        self.cut_anew(moved)
    }

    /// The shown page is turned by a quarter.
    pub(super) fn turn_page(&mut self) -> Vec<Job> {
        self.cut_anew(|shown| {
            shown.cut.quarters = (shown.cut.quarters + 1) % 4;
            true
        })
    }

    /// The shown page is the whole picture.
    pub(super) fn whole_page(&mut self) -> Vec<Job> {
        self.cut_anew(|shown| {
            let changed = shown.cut.corners != Corners::WHOLE;
            shown.cut.corners = Corners::WHOLE;
            changed
        })
    }

    fn cut_anew(&mut self, change: impl FnOnce(&mut Shown) -> bool) -> Vec<Job> {
        let wanted = self.session.as_ref().and_then(|s| s.captured_field()).map(wanted);
        let (Some(capture), Some(wanted)) = (self.capture(), wanted) else { return Vec::new() };
        let ticket = capture.ticket;
        let CaptureStep::Shown(shown) = &mut capture.step else { return Vec::new() };
        if !change(shown) {
            return Vec::new();
        }
        shown.cutting = true;
        vec![Job::Capture(CaptureJob::Cut { ticket, cut: shown.cut, wanted })]
    }

    /// The shown page is kept.
    pub(super) fn use_page(&mut self) -> Vec<Job> {
        let Some(capture) = self.capture() else { return Vec::new() };
        let CaptureStep::Shown(shown) = &capture.step else { return Vec::new() };
        if shown.cutting {
            return Vec::new();
        }
        let page = Arc::clone(&shown.page);
        capture.step = CaptureStep::Keeping;
        let mut jobs = self.keep_page(page);
        jobs.push(Job::Capture(CaptureJob::Stop));
        jobs
    }

    /// A device says how far it is: somebody waits for it, so nobody has left.
    pub(super) fn taking(&mut self, of: u64, page: u16, percent: u8) -> Vec<Job> {
        let now_ms = self.now_ms;
        if let Some(capture) = self.capture().filter(|capture| capture.ticket == of)
            && let CaptureStep::Taking { way, .. } = capture.step
        {
            capture.step = CaptureStep::Taking { way, page, percent };
            self.idle.last_touch_ms = now_ms;
        }
        Vec::new()
    }

    /// A page was taken.
    pub(super) fn page_taken(&mut self, taken: Taken) -> Vec<Job> {
        let now_ms = self.now_ms;
        let Some(capture) = self.capture().filter(|capture| capture.ticket == taken.ticket) else {
            return Vec::new();
        };
        match &mut capture.step {
            CaptureStep::Taking { way: Way::Feeder, page, percent } => {
                (*page, *percent) = (page.saturating_add(1), 0);
                self.idle.last_touch_ms = now_ms;
                self.keep_page(taken.page)
            }
            CaptureStep::Taking { way, .. } => {
                let (way, Some(picture)) = (*way, taken.picture) else { return Vec::new() };
                let shown =
                    Shown { way, picture, cut: taken.cut, page: taken.page, corner: 0, cutting: false };
                capture.step = CaptureStep::Shown(Box::new(shown));
                self.idle.last_touch_ms = now_ms;
                Vec::new()
            }
            // Only the last of several cuts counts.
            CaptureStep::Shown(shown) if shown.cut == taken.cut => {
                (shown.page, shown.cutting) = (taken.page, false);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// A device has ended its work; `failed` says why it gave less than was wanted.
    pub(super) fn taking_ended(&mut self, of: u64, failed: Option<&'static str>) -> Vec<Job> {
        if let Some(capture) = self.capture().filter(|capture| capture.ticket == of) {
            match &mut capture.step {
                CaptureStep::Taking { .. } => {
                    (capture.step, capture.failed) = (CaptureStep::Pages, failed);
                }
                // It could not be cut like this.
                CaptureStep::Shown(shown) if failed.is_some() => {
                    (shown.cutting, capture.failed) = (false, failed);
                }
                _ => {}
            }
        }
        Vec::new()
    }
}

/// What a page of a field is to be.
fn wanted(field: &PlanField) -> Wanted {
    let most = field.files.as_ref().and_then(|files| files.max_bytes).unwrap_or(MAX_FILE_BYTES);
    let max_bytes = usize::try_from(most.min(MAX_PAGE_BYTES)).unwrap_or(usize::MAX);
    // A portrait keeps its light.
    Wanted { max_bytes, is_paper: field.widget != Widget::Photo }
}
