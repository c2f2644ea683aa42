//! What one citizen brought and typed: wiped when the session ends; never printed.
use std::sync::Arc;

use domain::applicant::Applicant;
use domain::case::{CaseState, Mark};
use domain::catalogue::Catalogue;
use domain::date::CivilDate;
use domain::form::{Answers, Facts, FieldError, Form, RenderPlan};
use domain::ids::{CaseNo, EnvelopeId, ItemCode};
use hardware::card_reader::ReadError;
use hardware::pages::Finding;
use hardware::photo::Photo;

use super::{Capture, Drafts, PrintKind, PrintStep, Situation};

/// One person's visit from the first tap to the wipe.
#[derive(Debug)]
pub struct Session {
    /// When it started, milliseconds since 1970 (hard cap 30 min).
    pub started_ms: i64,
    /// The item or bundle being done.
    pub item: Option<ItemCode>,
    /// Id of the open form, once the desk has made it; afterwards that of the slip.
    pub envelope_id: Option<EnvelopeId>,
    /// The person whose card was read.
    pub applicant: Option<Applicant>,
    /// The person was read from a social-security card, which anybody can copy: it opens a form where the item takes
    /// it, and neither drafts nor own cases.
    pub social_security: bool,
    /// The photo of the person's ID card, if a decoder is set up.
    pub photo: Option<Photo>,
    /// What the card page shows.
    pub card: CardStep,
    /// The card is read to show own cases, not to fill in a form.
    pub for_cases: bool,
    /// The situation questions of the item and what was answered.
    pub situation: Situation,
    /// Drafts of this person on this terminal, and whether the open form is one.
    pub drafts: Drafts,
    /// The catalogue version that the form was begun with; it stays for as long as the form is open.
    pub catalogue: Option<Arc<Catalogue>>,
    /// The compiled form of the item, adjusted to the situation.
    pub form: Option<Arc<Form>>,
    /// Answers so far.
    pub answers: Answers,
    /// The plan to draw, made anew with each answer; what was measured for one is known by it.
    pub plan: Arc<RenderPlan>,
    /// Page of the plan.
    pub page: usize,
    /// Errors to show (summary and beside the fields); filled by Continue, shrinks as answers are mended.
    pub errors: Vec<FieldError>,
    /// Field that has the on-screen keys: its key, perhaps with the open part of its editor after a slash
    /// (`phone`, `hukou_region/region/630000/1`; see `screens::form::focus`).
    pub focus: Option<String>,
    /// The row that was taken out of a repeat group last, while it can be put back.
    pub removed_row: Option<super::RemovedRow>,
    /// The page was opened by Change on the check page: Continue goes back there.
    pub from_check: bool,
    /// Personal data are shown in clear on the check page until this time (hold to reveal, 5 s).
    pub revealed_until_ms: Option<i64>,
    /// Photos and scans can be taken here.
    pub captures: bool,
    /// Pages that are being taken for a field.
    pub capture: Option<Capture>,
    /// What was wrong with pages that were taken in this visit, by their hash.
    pub findings: Vec<(String, Vec<Finding>)>,
    /// What submitting is doing.
    pub submit: SubmitStep,
    /// The slip, once queued.
    pub slip: Option<SlipView>,
    /// The paper of the slip on the screen, once it was asked for.
    pub print: Option<(EnvelopeId, PrintStep)>,
    /// Which paper that is: the one that was asked for, and then the one that is really printed.
    pub print_kind: Option<PrintKind>,
    /// When it was asked for, Unix milliseconds.
    pub print_asked_ms: Option<i64>,
    /// Own cases, once loaded.
    pub cases: Option<Vec<CaseLine>>,
}

impl Session {
    /// A visit that starts now; nothing is known of the person yet.
    pub fn new(now_ms: i64) -> Self {
        Self {
            started_ms: now_ms,
            item: None,
            envelope_id: None,
            applicant: None,
            social_security: false,
            photo: None,
            card: CardStep::Waiting,
            for_cases: false,
            situation: Situation::default(),
            drafts: Drafts::default(),
            catalogue: None,
            form: None,
            answers: Answers::default(),
            plan: Arc::default(),
            page: 0,
            errors: Vec::new(),
            focus: None,
            removed_row: None,
            from_check: false,
            revealed_until_ms: None,
            captures: false,
            capture: None,
            findings: Vec::new(),
            submit: SubmitStep::Idle,
            slip: None,
            print: None,
            print_kind: None,
            print_asked_ms: None,
            cases: None,
        }
    }

    /// What the form may take from the card and the day.
    pub fn facts(&self, today: CivilDate) -> Facts {
        let facts =
            self.applicant.as_ref().map_or_else(|| Facts::on(today), |a| Facts::of_applicant(a, today));
        Facts { captures: self.captures, ..facts }
    }

    /// Forgets the item and its answers; the person stays.
    pub fn drop_item(&mut self) {
        let applicant = self.applicant.take();
        let card = if applicant.is_some() { CardStep::Done } else { CardStep::Waiting };
        let drafts = Drafts { lines: self.drafts.lines.take(), ..Drafts::default() };
        let (social_security, photo) = (self.social_security, self.photo.take());
        let captures = self.captures;
        *self =
            Self { applicant, social_security, photo, card, drafts, captures, ..Self::new(self.started_ms) };
    }
}

/// What the card page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CardStep {
    /// Waiting for a card.
    #[default]
    Waiting,
    /// Reading.
    Reading,
    /// It failed; the words say what to do.
    Failed(ReadError),
    /// The card is not valid any more: told, staff decide.
    Expired,
    /// The item does not accept this card.
    NotAccepted,
    /// A social-security card that does not do here: the ID card is asked for.
    UseIdCard,
    /// A staff card.
    Staff,
    /// Read.
    Done,
}

/// What submitting is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SubmitStep {
    /// Nothing.
    #[default]
    Idle,
    /// Being saved; until it is done nothing else happens on this screen.
    Saving {
        /// Since when, milliseconds since 1970: bounded, so that a dead desk never locks the screen.
        since_ms: i64,
    },
    /// Could not be saved; nothing was lost, the answers are still there (text key `submit.error.{key}`).
    Failed {
        /// Key of the words.
        key: &'static str,
    },
}

impl SubmitStep {
    /// A save runs.
    pub fn saving(self) -> bool {
        matches!(self, Self::Saving { .. })
    }
}

/// How many pages and photos of a submission the centre has, of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PagesSent {
    /// It has.
    pub sent: u32,
    /// There are.
    pub all: u32,
}

/// When each mark was reached; only receipts and case news set the later three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// 已保存本机, milliseconds since 1970.
    pub saved_ms: Option<i64>,
    /// 已送达中心
    pub delivered_ms: Option<i64>,
    /// 部门已受理
    pub accepted_ms: Option<i64>,
    /// 已办结
    pub completed_ms: Option<i64>,
    /// 已达待附件: the text is at the centre, and so many of its pages; none before that, and where there are none.
    pub pages: Option<PagesSent>,
}

impl Marks {
    /// When a mark was reached.
    pub fn at(&self, mark: Mark) -> Option<i64> {
        match mark {
            Mark::Saved => self.saved_ms,
            Mark::Delivered => self.delivered_ms,
            Mark::Accepted => self.accepted_ms,
            Mark::Completed => self.completed_ms,
        }
    }
}

/// The slip as shown: number, QR, marks. No ID number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipView {
    /// The submission.
    pub envelope_id: EnvelopeId,
    /// Number on the slip; the receipt may correct it (更正).
    pub number: CaseNo,
    /// The number was corrected by the receipt; this is the one printed first.
    pub corrected_from: Option<CaseNo>,
    /// Item or bundle.
    pub item: ItemCode,
    /// Name masked for a public screen.
    pub masked_name: String,
    /// Address in the QR code.
    pub qr_url: String,
    /// The marks.
    pub marks: Marks,
    /// Case news may say that the content was sent back.
    pub state: Option<CaseState>,
}

/// One line of "my cases".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseLine {
    /// The submission.
    pub envelope_id: EnvelopeId,
    /// Its number.
    pub number: CaseNo,
    /// Item or bundle.
    pub item: ItemCode,
    /// The marks.
    pub marks: Marks,
    /// State, once there is news.
    pub state: Option<CaseState>,
    /// Its newest paper, if one was asked for: on what, and where it is.
    pub print: Option<(PrintKind, PrintStep)>,
}
