//! News of the centre and of this machine: only receipts and case news move the marks.
use domain::applicant::Applicant;
use domain::case::{CaseState, Mark};
use domain::ids::{CaseNo, EnvelopeId};

use super::{CaseLine, Model, Outage, PagesSent, Screen, SlipView};
use crate::event::Job;

impl Model {
    fn slip_of(&mut self, id: EnvelopeId) -> Option<&mut SlipView> {
        self.session.as_mut()?.slip.as_mut().filter(|s| s.envelope_id == id)
    }

    pub(super) fn delivered(&mut self, id: EnvelopeId, number: CaseNo, at_ms: i64) -> Vec<Job> {
        if let Some(slip) = self.slip_of(id) {
            slip.marks.delivered_ms.get_or_insert(at_ms);
            if slip.number != number {
                slip.corrected_from = Some(std::mem::replace(&mut slip.number, number));
            }
        }
        self.reload_cases()
    }

    pub(super) fn pages_sent(&mut self, id: EnvelopeId, pages: PagesSent) -> Vec<Job> {
        if let Some(slip) = self.slip_of(id) {
            slip.marks.pages = Some(pages);
        }
        self.reload_cases()
    }

    pub(super) fn case_changed(&mut self, id: EnvelopeId, state: CaseState, at_ms: i64) -> Vec<Job> {
        if let Some(slip) = self.slip_of(id) {
            slip.state = Some(state);
            match state.mark() {
                Mark::Saved => {}
                Mark::Delivered => {
                    slip.marks.delivered_ms.get_or_insert(at_ms);
                }
                Mark::Accepted => {
                    slip.marks.accepted_ms.get_or_insert(at_ms);
                }
                Mark::Completed => {
                    slip.marks.completed_ms.get_or_insert(at_ms);
                }
            }
        }
        self.reload_cases()
    }

    /// An open list of own cases follows the news.
    fn reload_cases(&mut self) -> Vec<Job> {
        let applicant = self.session.as_ref().and_then(|s| s.applicant.clone());
        match applicant.filter(|_| self.screen == Screen::MyCases) {
            Some(applicant) => vec![Job::LoadCases(Box::new(applicant))],
            None => Vec::new(),
        }
    }

    /// The list that was asked for; one that comes late for a person who has left is dropped.
    pub(super) fn cases_loaded(&mut self, of: &Applicant, cases: Vec<CaseLine>) -> Vec<Job> {
        if self.screen == Screen::MyCases
            && let Some(session) = &mut self.session
            && session.applicant.as_ref().is_some_and(|a| a.id_number == of.id_number)
        {
            session.cases = Some(cases);
        }
        Vec::new()
    }

    pub(super) fn outage_changed(&mut self, outage: Option<Outage>) -> Vec<Job> {
        let before = std::mem::replace(&mut self.outage, outage);
        match (before, outage) {
            // Whoever looked for another station meanwhile begins anew where everything can be done.
            (_, Some(_)) | (Some(_), None) => self.finish(),
            (None, None) => Vec::new(),
        }
    }
}
