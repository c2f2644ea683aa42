//! Everything that the model may hear from workers, and the jobs it may give them.
use std::sync::Arc;

use domain::applicant::Applicant;
use domain::case::CaseState;
use domain::catalogue::Catalogue;
use domain::form::Answers;
use domain::ids::{CaseNo, EnvelopeId, ItemCode};
use domain::situation::SituationAnswers;
use domain::text::Language;
use domain::wire::v1::{BlobKind, WithdrawnItem};
use hardware::card_reader::{ReadError, ReaderStatus};
use hardware::pages::{Cut, Finding, Wanted};
use hardware::photo::Photo;
use hardware::trace::Line;

use crate::devices::DeviceView;
use crate::model::{
    CaseLine, DraftLine, Network, NewCatalogue, OpenedForm, Outage, PagesSent, PrintKind, PrintStep,
    QueueView, SlipView, Snapshot, Standing, Taken, TakenPage, Way,
};

/// A card that was read and opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherCard {
    /// A card of the bank's staff. Its number proves nothing by itself.
    Staff,
    /// A social-security card that does not say whole who its holder is.
    SocialSecurity,
}

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
    /// Another card was laid down while one is being used.
    SecondCard,
    /// How the devices are: at least one changed.
    Devices(Vec<DeviceView>),
    /// The newest exchanges with the card reader; only while somebody looks.
    DeviceTrace(Vec<Line>),
    /// An ID card was read.
    CardRead(Box<Applicant>),
    /// A social-security card that says whole who its holder is was read.
    SocialSecurityRead(Box<Applicant>),
    /// A card was read that opens nothing here.
    OtherCard(OtherCard),
    /// The photo of the ID card that was read last; silhouettes stand for everybody else.
    CardPhoto(Box<Photo>),
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
    /// Where the paper of a slip is.
    Print {
        /// The submission.
        envelope_id: EnvelopeId,
        /// Which paper it is: not always the one that was asked for last.
        kind: PrintKind,
        /// Where it is.
        step: PrintStep,
    },
    /// A device is at work on a page.
    Taking {
        /// What began it.
        ticket: u64,
        /// Which page, from 1.
        page: u16,
        /// How far it is.
        percent: u8,
    },
    /// A page was taken, or the shown one was cut anew.
    PageTaken(Box<Taken>),
    /// A device has ended its work.
    TakingEnded {
        /// What began it.
        ticket: u64,
        /// Why it gave less than was wanted (text key `capture.failed.{key}`).
        failed: Option<&'static str>,
    },
    /// A page lies sealed on the disk.
    PageKept(Box<KeptPage>),
    /// A page could not be kept (text key `capture.failed.{key}`).
    PageRefused {
        /// The form.
        envelope_id: EnvelopeId,
        /// Key of the words.
        key: &'static str,
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
    /// Print the slip of a submission.
    Print {
        /// On which paper.
        kind: PrintKind,
        /// The submission.
        envelope_id: EnvelopeId,
        /// In which language.
        language: Language,
    },
    /// Work for scanner and camera.
    Capture(CaptureJob),
    /// Seal a page of the open form and keep it.
    KeepPage(Box<NewPage>),
    /// Forget a page of this form, known by its hash.
    DropPage(EnvelopeId, String),
    /// Somebody called for staff.
    CallStaff,
    /// Look at every device now.
    CheckDevices,
    /// Somebody looks at what is said to the card reader, or nobody does any more.
    WatchDevices(bool),
    /// Validate against this version from now on.
    UseCatalogue(Arc<Catalogue>),
    /// The visit ended: forget everything (data key, buffers).
    Wipe,
}

/// Work for the worker that has scanner and camera.
#[derive(Debug)]
pub enum CaptureJob {
    /// Take pages.
    Take(Take),
    /// Cut the picture that was taken last another way.
    Cut {
        /// What began it.
        ticket: u64,
        /// The cut.
        cut: Cut,
        /// What the page is to be.
        wanted: Wanted,
    },
    /// Stop, and forget the picture.
    Stop,
}

/// Pages that are to be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Take {
    /// What news of it carry.
    pub ticket: u64,
    /// How.
    pub way: Way,
    /// How many, at most.
    pub pages: u16,
    /// What each is to be.
    pub wanted: Wanted,
}

/// A page that is to be kept.
#[derive(Debug)]
pub struct NewPage {
    /// The form.
    pub envelope_id: EnvelopeId,
    /// Its field.
    pub key: String,
    /// What it is.
    pub kind: BlobKind,
    /// The page.
    pub page: Arc<TakenPage>,
}

/// A page that is kept.
#[derive(Debug)]
pub struct KeptPage {
    /// The form.
    pub envelope_id: EnvelopeId,
    /// Its field.
    pub key: String,
    /// Of its sealed bytes.
    pub hash: String,
    /// Bytes of the page itself.
    pub bytes: u64,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
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
