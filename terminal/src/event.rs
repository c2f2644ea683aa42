//! Everything that the model may hear from workers, and the jobs it may give them.
use std::sync::Arc;

use domain::applicant::Applicant;
use domain::case::CaseState;
use domain::catalogue::Catalogue;
use domain::form::Answers;
use domain::ids::{CaseNo, EnvelopeId, ItemCode};
use domain::situation::SituationAnswers;
use domain::wire::v1::WithdrawnItem;
use hardware::card_reader::{ReadError, ReaderStatus};

use crate::model::{
    CaseLine, DraftLine, Network, NewCatalogue, OpenedForm, Outage, PagesSent, QueueView, SlipView, Snapshot,
    Standing,
};

/// News from a worker.
#[derive(Debug)]
pub enum Event {
    /// The clock, about once a second.
    Tick {
        /// Milliseconds since 1970.
        now_ms: i64,
    },
    /// The reader's state changed.
    Reader(ReaderStatus),
    /// A card was read.
    CardRead(Box<Applicant>),
    /// A card could not be read.
    CardFailed(ReadError),
    /// The link to the centre changed.
    Network(Network),
    /// A form was opened under this id; its submission and no other may show a slip for it.
    FormStarted {
        /// The id.
        envelope_id: EnvelopeId,
    },
    /// A submission is on disk: the slip may be shown.
    Queued(Box<SlipView>),
    /// A submission could not be saved (text key `submit.error.{key}`).
    SubmitFailed {
        /// Key of the words.
        key: &'static str,
    },
    /// A verified receipt arrived.
    Delivered {
        /// The submission.
        envelope_id: EnvelopeId,
        /// The number in the receipt.
        number: CaseNo,
        /// When the centre committed it.
        at_ms: i64,
    },
    /// The text of a submission is at the centre, and so many of its pages.
    PagesSent {
        /// The submission.
        envelope_id: EnvelopeId,
        /// How many.
        pages: PagesSent,
    },
    /// News of a case.
    CaseChanged {
        /// The submission.
        envelope_id: EnvelopeId,
        /// Its state.
        state: CaseState,
        /// When.
        at_ms: i64,
    },
    /// Slips of a person whose card was read.
    Cases {
        /// Whose they are: nobody else may see them.
        applicant: Box<Applicant>,
        /// The slips.
        cases: Vec<CaseLine>,
    },
    /// What waits on this machine.
    Queue(QueueView),
    /// What the centre withdrew in an emergency: all of it, and nothing else is.
    Withdrawn(Vec<WithdrawnItem>),
    /// A new catalogue version is in force.
    Catalogue(Box<NewCatalogue>),
    /// How current the catalogue is.
    Standing(Standing),
    /// Drafts of a person whose card was read.
    Drafts {
        /// Whose they are: nobody else may see them.
        of: Box<Applicant>,
        /// The drafts, newest first.
        lines: Vec<DraftLine>,
    },
    /// Whether the form of this id could be kept as a draft.
    DraftKept {
        /// The form.
        envelope_id: EnvelopeId,
        /// It lies on the disk.
        kept: bool,
    },
    /// A draft was opened, to be gone on with.
    DraftOpened(Box<OpenedForm>),
    /// The draft of this item cannot be opened, and is gone.
    DraftLost {
        /// Item or bundle.
        item: ItemCode,
    },
    /// The terminal cannot take anything, or can again.
    Outage(Option<Outage>),
}

/// Work for the desk worker.
#[derive(Debug)]
pub enum Job {
    /// A form starts: make the envelope id and data key.
    StartForm,
    /// Validate, seal, number and store: one transaction. The answers are wiped by the worker afterwards.
    Submit(Box<Draft>),
    /// Load the slips of this person from the store.
    LoadCases(Box<Applicant>),
    /// Look for the drafts of this person.
    FindDrafts(Box<Applicant>),
    /// Keep the open form as a draft.
    KeepDraft(Box<Unfinished>),
    /// Open the draft of an item, and go on with its id and data key.
    OpenDraft {
        /// Whose it is.
        applicant: Box<Applicant>,
        /// Item or bundle.
        item: ItemCode,
    },
    /// Erase the draft of an item.
    EraseDraft {
        /// Whose it is.
        applicant: Box<Applicant>,
        /// Item or bundle.
        item: ItemCode,
    },
    /// Somebody called for staff.
    CallStaff,
    /// Validate against this version from now on.
    UseCatalogue(Arc<Catalogue>),
    /// The visit ended: forget everything (data key, buffers).
    Wipe,
}

/// What is handed in.
pub struct Draft {
    /// Item or bundle.
    pub item: ItemCode,
    /// Catalogue version that the form came from.
    pub catalogue_version: u64,
    /// The person.
    pub applicant: Applicant,
    /// Answers to the situation questions.
    pub situation: SituationAnswers,
    /// The answers.
    pub answers: Answers,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({}, catalogue {})", self.item, self.catalogue_version)
    }
}

/// What is kept of a form that was not handed in yet.
#[derive(Debug)]
pub struct Unfinished {
    /// The person.
    pub applicant: Applicant,
    /// Item or bundle.
    pub item: ItemCode,
    /// Enough to go on.
    pub snapshot: Snapshot,
}
