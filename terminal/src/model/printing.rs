//! The paper of a slip: asked for, printed, or why not. The number and its code stay on the screen whatever happens.
use domain::ids::EnvelopeId;
use hardware::device::{DeviceKind, DeviceState, Trouble};

use super::{Model, Screen};
use crate::event::Job;

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
        let Some(kind) = kind else { return Vec::new() };
        match self.print_of(id) {
            Some(PrintStep::Printing) => return Vec::new(),
            Some(PrintStep::Waiting(_)) if self.page_beside().is_none() => return Vec::new(),
            _ => {}
        }
        self.note_print(id, PrintStep::Printing);
        if let Some(session) = &mut self.session {
            session.print_kind = Some(kind);
        }
        vec![Job::Print { kind, envelope_id: id, language: self.look.language }]
    }

    /// Where the paper of a slip of this visit is.
    pub fn print_of(&self, id: EnvelopeId) -> Option<PrintStep> {
        let session = self.session.as_ref()?;
        let of_slip = session.print.filter(|(of, _)| *of == id).map(|(_, step)| step);
        let of_case = || session.cases.as_ref()?.iter().find(|case| case.envelope_id == id)?.print;
        of_slip.or_else(of_case)
    }

    /// Which paper it is that was printed last in this visit; none if there is no printer.
    pub fn printed_on(&self) -> Option<PrintKind> {
        self.session.as_ref().and_then(|session| session.print_kind).or_else(|| self.paper())
    }

    /// The printer's thread says where a paper is.
    pub(super) fn note_print(&mut self, id: EnvelopeId, step: PrintStep) {
        let Some(session) = &mut self.session else { return };
        let of_slip = session.slip.as_ref().is_some_and(|slip| slip.envelope_id == id);
        let case = session.cases.iter_mut().flatten().find(|case| case.envelope_id == id);
        // A paper of somebody who has left is nobody's business here.
        if of_slip || case.is_some() {
            session.print = Some((id, step));
        }
        if let Some(case) = case {
            case.print = Some(step);
        }
    }
}
