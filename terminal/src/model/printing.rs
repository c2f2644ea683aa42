//! The paper of a slip: asked for, printed, or why not. The number and its code stay on the screen whatever happens.
use domain::ids::EnvelopeId;
use hardware::device::{DeviceKind, DeviceState, Trouble};

use super::{Model, Screen};
use crate::event::Job;

/// Taps that follow within this time of the first one are the same wish, milliseconds.
const TAP_AGAIN_MS: i64 = 1_500;

/// Which paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintKind {
    /// A strip of the receipt printer.
    Slip,
    /// An A4 page.
    Page,
}

impl PrintKind {
    /// Name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slip => "slip",
            Self::Page => "page",
        }
    }

    /// By its name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Slip, Self::Page].into_iter().find(|kind| kind.name() == name)
    }
}

/// Where the paper of a slip is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintStep {
    /// On its way.
    Printing,
    /// The printer would not yet; it comes as soon as it can.
    Waiting(Trouble),
    /// The printer said so.
    Printed,
    /// Nothing was printed; none if nobody waited for it, or it could not be drawn.
    Failed(Option<Trouble>),
    /// It may have been printed; none if this machine was started anew meanwhile.
    Doubtful(Option<Trouble>),
}

impl PrintStep {
    /// It has not ended yet: another wish is ignored.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Printing | Self::Waiting(_))
    }

    /// What the printer said.
    pub fn trouble(self) -> Option<Trouble> {
        match self {
            Self::Waiting(trouble) => Some(trouble),
            Self::Failed(trouble) | Self::Doubtful(trouble) => trouble,
            Self::Printing | Self::Printed => None,
        }
    }
}

impl Model {
    /// What a slip is printed on here; none if there is no printer.
    pub fn paper(&self) -> Option<PrintKind> {
        match (self.device(DeviceKind::ReceiptPrinter), self.device(DeviceKind::PagePrinter)) {
            (DeviceState::Off, DeviceState::Off) => None,
            (DeviceState::Off, _) => Some(PrintKind::Page),
            _ => Some(PrintKind::Slip),
        }
    }

    /// An A4 page, where it can be had instead of the strip.
    pub fn page_beside(&self) -> Option<PrintKind> {
        let there = |kind| self.device(kind) != DeviceState::Off;
        let both = there(DeviceKind::ReceiptPrinter) && there(DeviceKind::PagePrinter);
        both.then_some(PrintKind::Page)
    }

    /// What staff should look at: paper that nobody took, or a printer that does not print.
    pub fn printer_trouble(&self) -> Option<Trouble> {
        let both = [DeviceKind::ReceiptPrinter, DeviceKind::PagePrinter];
        both.into_iter().find_map(|kind| match self.device(kind) {
            DeviceState::Trouble(trouble) => Some(trouble),
            _ => None,
        })
    }

    /// Asks for the paper of the slip on the screen.
    pub(super) fn print_slip(&mut self, kind: Option<PrintKind>) -> Vec<Job> {
        let slip = self.session.as_ref().and_then(|s| s.slip.as_ref()).map(|slip| slip.envelope_id);
        match slip.filter(|_| self.screen == Screen::Slip) {
            Some(id) => self.print(id, kind),
            None => Vec::new(),
        }
    }

    /// Asks for the paper of one of the own cases.
    pub(super) fn print_case(&mut self, id: EnvelopeId) -> Vec<Job> {
        let cases = self.session.as_ref().and_then(|s| s.cases.as_deref()).unwrap_or_default();
        let own = self.screen == Screen::MyCases && cases.iter().any(|case| case.envelope_id == id);
        if own { self.print(id, self.paper()) } else { Vec::new() }
    }

    /// Further taps are ignored while it is on its way. What waits for its printer may go to the other one.
    fn print(&mut self, id: EnvelopeId, kind: Option<PrintKind>) -> Vec<Job> {
        let Some(kind) = kind.filter(|kind| self.on_its_way(id, *kind).is_none()) else { return Vec::new() };
        self.note_print(id, (kind, PrintStep::Printing));
        if let Some(session) = &mut self.session {
            session.print_asked_ms = Some(self.now_ms);
        }
        vec![Job::Print { kind, envelope_id: id, language: self.look.language }]
    }

    /// Where a paper is of one of the own cases, while asking for it once more would do nothing.
    pub fn case_on_its_way(&self, id: EnvelopeId) -> Option<PrintStep> {
        self.on_its_way(id, self.paper()?)
    }

    fn on_its_way(&self, id: EnvelopeId, kind: PrintKind) -> Option<PrintStep> {
        self.print_of(id).filter(|step| match step {
            PrintStep::Printing => true,
            PrintStep::Waiting(_) => self.printed_on(id) == Some(kind),
            PrintStep::Printed | PrintStep::Failed(_) | PrintStep::Doubtful(_) => false,
        })
    }

    /// Where the paper of a slip of this visit is.
    pub fn print_of(&self, id: EnvelopeId) -> Option<PrintStep> {
        let asked = self.session.as_ref()?.print.filter(|(of, _)| *of == id).map(|(_, step)| step);
        asked.or_else(|| self.paper_of_case(id).map(|(_, step)| step))
    }

    /// What the newest paper of a slip is printed on, or will be; none if there is no printer.
    pub fn printed_on(&self, id: EnvelopeId) -> Option<PrintKind> {
        let asked = self.session.as_ref().filter(|session| session.print.is_some_and(|(of, _)| of == id));
        let asked = asked.and_then(|session| session.print_kind);
        asked.or_else(|| self.paper_of_case(id).map(|(kind, _)| kind)).or_else(|| self.paper())
    }

    /// As the store had it when the own cases were loaded.
    fn paper_of_case(&self, id: EnvelopeId) -> Option<(PrintKind, PrintStep)> {
        self.session.as_ref()?.cases.as_ref()?.iter().find(|case| case.envelope_id == id)?.print
    }

    /// Whether a tap on the print button may still be a part of the one that asked for the paper: people tap twice.
    pub fn print_just_asked(&self) -> bool {
        let asked_ms = self.session.as_ref().and_then(|session| session.print_asked_ms);
        asked_ms.is_some_and(|asked_ms| self.now_ms.saturating_sub(asked_ms) < TAP_AGAIN_MS)
    }

    /// Store and printer's thread say which paper it is and where. It is believed rather than what was tapped: a strip that
    /// had begun stays a strip.
    pub(super) fn note_print(&mut self, id: EnvelopeId, (kind, step): (PrintKind, PrintStep)) {
        let Some(session) = &mut self.session else { return };
        let of_slip = session.slip.as_ref().is_some_and(|slip| slip.envelope_id == id);
        let case = session.cases.iter_mut().flatten().find(|case| case.envelope_id == id);
        // A paper of somebody who has left is nobody's business here.
        if of_slip || case.is_some() {
            session.print = Some((id, step));
            session.print_kind = Some(kind);
        }
        if let Some(case) = case {
            case.print = Some((kind, step));
        }
    }
}
