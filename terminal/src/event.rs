//! Everything that the model may hear from workers, and the jobs it may give them.
use std::sync::Arc;

use domain::applicant::Applicant;
use domain::case::CaseState;
use domain::catalogue::Catalogue;
use domain::form::Answers;
use domain::ids::{CaseNo, EnvelopeId, ItemCode};
use domain::situation::SituationAnswers;
use hardware::card_reader::{ReadError, ReaderStatus};

use crate::model::{CaseLine, Network, NewCatalogue, Outage, QueueView, SlipView};

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
    /// A new catalogue version is in force.
    Catalogue(Box<NewCatalogue>),
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
