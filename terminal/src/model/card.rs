//! The card at the reader: whose visit this is.
use domain::applicant::{Applicant, id_number_kind};
use domain::catalogue::Entry;
use domain::ids::ItemCode;
use domain::item::AcceptedCard;
use hardware::card_reader::{ReadError, ReaderStatus};

use super::{CardStep, Model, Screen, Session};
use crate::event::Job;

impl Model {
    pub(super) fn reader_changed(&mut self, status: ReaderStatus) -> Vec<Job> {
        self.reader = status;
        if status == ReaderStatus::Card
            && let Some(session) = &mut self.session
            && session.applicant.is_none()
        {
            session.card = CardStep::Reading;
        }
        // A contactless card that is lifted ends nothing; a failed read keeps its words until the next card.
        if status != ReaderStatus::Card
            && let Some(session) = &mut self.session
            && session.card == CardStep::Reading
        {
            session.card = CardStep::Waiting;
        }
        Vec::new()
    }

    /// A card was read. Another person's card ends the visit and begins a new one.
    pub(super) fn card_read(&mut self, applicant: Applicant) -> Vec<Job> {
        if self.outage.is_some() || self.is_saving() {
            return Vec::new();
        }
        let mut jobs = Vec::new();
        let known = self.session.as_ref().and_then(|s| s.applicant.as_ref());
        if known.is_some_and(|a| a.id_number != applicant.id_number) {
            let look = self.look;
            jobs = self.finish();
            self.look = look;
        }
        self.idle.last_touch_ms = self.now_ms;
        let today = self.today();
        if self.screen == Screen::Attract {
            self.screen = Screen::Home;
        }
        let accepted = self.accepts(self.session.as_ref().and_then(|s| s.item.as_ref()), &applicant);
        let now_ms = self.now_ms;
        let session = self.session.get_or_insert_with(|| Session::new(now_ms));
        if applicant.valid_to.is_some_and(|day| day < today) {
            session.card = CardStep::Expired;
        } else if !accepted {
            session.card = CardStep::NotAccepted;
        } else {
            session.card = CardStep::Done;
            session.applicant = Some(applicant);
            if session.drafts.lines.is_none() {
                jobs.extend(self.look_for_drafts());
            }
        }
        jobs
    }

    pub(super) fn card_failed(&mut self, error: ReadError) -> Vec<Job> {
        if let Some(session) = &mut self.session
            && session.applicant.is_none()
        {
            session.card = CardStep::Failed(error);
        }
        Vec::new()
    }

    /// Whether the card that this person laid down does for an item; the number tells what kind of card it was.
    pub(super) fn accepts(&self, code: Option<&ItemCode>, applicant: &Applicant) -> bool {
        let card =
            id_number_kind(&applicant.id_number, None).map_or(AcceptedCard::Idcard, |k| k.accepted_card());
        match code.and_then(|c| self.catalogue.entry(c)) {
            Some(Entry::Item(item)) => item.accepted_cards.contains(&card),
            Some(Entry::Bundle(_)) | None => true,
        }
    }

    /// To the card page, or straight to the form if the card was read before.
    pub(super) fn ask_for_card(&mut self) -> Vec<Job> {
        let Some(session) = &self.session else { return Vec::new() };
        let accepted =
            session.applicant.as_ref().map(|applicant| self.accepts(session.item.as_ref(), applicant));
        if accepted == Some(true) {
            return self.start_or_resume();
        }
        // What a card said that was laid down during the questions stands until the next one.
        if let Some(session) = self.session.as_mut().filter(|_| accepted == Some(false)) {
            session.card = CardStep::NotAccepted;
        }
        self.open(Screen::Card)
    }
}
