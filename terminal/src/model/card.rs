//! The card at the reader: whose visit this is.
use domain::applicant::{Applicant, id_number_kind};
use domain::catalogue::Entry;
use domain::ids::ItemCode;
use domain::item::AcceptedCard;
use hardware::card_reader::{ReadError, ReaderStatus};
use hardware::photo::Photo;

use super::{CardStep, Model, Screen, Session};
use crate::event::{Job, OtherCard};

impl Model {
    pub(super) fn reader_changed(&mut self, status: ReaderStatus) -> Vec<Job> {
        self.reader = status;
        self.lying = None;
        self.second_card = false;
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

    /// One card after the other: that is said for a moment, and on the card page in the reader's place. Nobody tells of a
    /// second card that is lifted again.
    pub(super) fn second_card_came(&mut self) -> Vec<Job> {
        if self.session.is_some() {
            self.second_card = true;
            self.show_toast("toast.second_card");
        }
        Vec::new()
    }

    /// What the card page tells of: the card of this visit, or, while none was laid down in it, the one that lies there
    /// since before. That one is not read again until it is lifted, so nobody is asked to lay down another one over it.
    pub fn card_step(&self) -> CardStep {
        let step = self.session.as_ref().map_or(CardStep::Waiting, |session| session.card);
        if step != CardStep::Waiting || self.reader != ReaderStatus::Card {
            return step;
        }
        match self.lying {
            None => CardStep::Reading,
            // It was read for somebody who has left.
            Some(CardStep::Done) => CardStep::Failed(ReadError::LayAgain),
            Some(lying) => lying,
        }
    }

    /// An ID card was read. Another person's card ends the visit and begins a new one.
    pub(super) fn card_read(&mut self, applicant: Applicant) -> Vec<Job> {
        self.lying = Some(CardStep::Done);
        self.person_came(applicant, false)
    }

    /// A social-security card was read. It takes no place of an ID card of the same person.
    pub(super) fn social_security_read(&mut self, applicant: Applicant) -> Vec<Job> {
        self.lying = Some(CardStep::Done);
        let by_id_card = self.session.as_ref().filter(|session| !session.social_security);
        let known = by_id_card.and_then(|session| session.applicant.as_ref());
        if known.is_some_and(|known| known.id_number == applicant.id_number) {
            return Vec::new();
        }
        self.person_came(applicant, true)
    }

    /// A card that opens nothing: its words stand until the next one, unless somebody is known already.
    pub(super) fn other_card(&mut self, other: OtherCard) -> Vec<Job> {
        self.could_not_use(match other {
            OtherCard::Staff => CardStep::Staff,
            OtherCard::SocialSecurity => CardStep::UseIdCard,
        })
    }

    /// The photo belongs to the ID card that was read last.
    pub(super) fn photo_came(&mut self, photo: Photo) -> Vec<Job> {
        // Only the card page shows it: behind that nobody wants it any more.
        let behind = matches!(
            self.screen,
            Screen::Resume(_)
                | Screen::Form
                | Screen::Capture
                | Screen::Check
                | Screen::Slip
                | Screen::MyCases
        );
        if !behind
            && let Some(session) = &mut self.session
            && session.card == CardStep::Done
            && !session.social_security
        {
            session.photo = Some(photo);
        }
        Vec::new()
    }

    fn person_came(&mut self, applicant: Applicant, social_security: bool) -> Vec<Job> {
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
        let accepted = self.session.as_ref().is_none_or(|session| {
            !(social_security && session.for_cases)
                && self.accepts_card(session.item.as_ref(), &applicant, social_security)
        });
        let now_ms = self.now_ms;
        let session = self.session.get_or_insert_with(|| Session::new(now_ms));
        if applicant.valid_to.is_some_and(|day| day < today) {
            session.card = if social_security { CardStep::UseIdCard } else { CardStep::Expired };
        } else if !accepted {
            session.card = refusal(social_security);
        } else {
            session.card = CardStep::Done;
            session.applicant = Some(applicant);
            session.social_security = social_security;
            session.photo = None;
            if session.drafts.lines.is_none() && !social_security {
                jobs.extend(self.look_for_drafts());
            }
        }
        jobs
    }

    pub(super) fn card_failed(&mut self, error: ReadError) -> Vec<Job> {
        self.could_not_use(CardStep::Failed(error))
    }

    fn could_not_use(&mut self, step: CardStep) -> Vec<Job> {
        self.lying = Some(step);
        if let Some(session) = &mut self.session
            && session.applicant.is_none()
        {
            session.card = step;
        }
        Vec::new()
    }

    /// Whether the card that the person of the visit laid down does for an item.
    pub(super) fn accepts(&self, code: Option<&ItemCode>, applicant: &Applicant) -> bool {
        let social_security = self.session.as_ref().is_some_and(|session| session.social_security);
        self.accepts_card(code, applicant, social_security)
    }

    /// Whether a card does for an item; of an ID card the number tells what kind it is.
    fn accepts_card(&self, code: Option<&ItemCode>, applicant: &Applicant, social_security: bool) -> bool {
        let kind = id_number_kind(&applicant.id_number, None);
        let card = match kind {
            _ if social_security => AcceptedCard::Sscard,
            Ok(kind) => kind.accepted_card(),
            Err(_) => AcceptedCard::Idcard,
        };
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
            session.card = refusal(session.social_security);
        }
        self.open(Screen::Card)
    }
}

fn refusal(social_security: bool) -> CardStep {
    if social_security { CardStep::UseIdCard } else { CardStep::NotAccepted }
}
