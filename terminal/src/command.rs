//! Everything that the UI may ask.
use domain::ids::{EnvelopeId, ItemCode, StationId};
use domain::text::Language;
use hardware::pages::Point;
use serde_json::Value;

use crate::model::{ListOf, TextSize, Way};

/// A wish of the citizen (or of the person beside). Values of answers print redacted.
#[derive(Clone, PartialEq)]
pub enum Command {
    /// Any touch or key: somebody is here.
    Touch,
    /// From the attract page to home, in this size.
    Start(TextSize),
    /// Switch size.
    SetSize(TextSize),
    /// Switch contrast.
    SetHighContrast(bool),
    /// Switch language.
    SetLanguage(Language),
    /// To the home page; keeps the session unless a form is open (then as Finish without a slip: asks nothing).
    Home,
    /// One page back; never loses an answer.
    Back,
    /// End the visit: everything is wiped, the attract page comes.
    Finish,
    /// To the search page.
    OpenSearch,
    /// The search text changed.
    SetQuery(String),
    /// Another page of results or of a list (from 0).
    ShowPage(usize),
    /// A list of items.
    OpenList(ListOf),
    /// The guide of an item or bundle.
    OpenGuide(ItemCode),
    /// Begin the item whose guide is open: to its situation questions, then the card page.
    Begin,
    /// Choose an option of the situation question on the screen.
    Choose {
        /// Id of the question.
        question: String,
        /// Id of the option, switched where several may be chosen; none for "none of these".
        option: Option<String>,
    },
    /// From the check page to this situation question.
    ChangeSituation(String),
    /// My cases: to the card page, then the list.
    MyCases,
    /// How to use it.
    OpenHelp,
    /// Other stations, perhaps for this item or bundle.
    OpenStations(Option<ItemCode>),
    /// Which of them are shown.
    FilterStations {
        /// Only those that are open now.
        only_open: bool,
        /// Only those that can do the item.
        only_able: bool,
    },
    /// One of them.
    OpenStation(StationId),
    /// How the devices are: a page for staff and technicians, without anything of a person.
    OpenDevices,
    /// What was said to the card reader, without any data.
    OpenDeviceTrace,
    /// Look at every device now.
    CheckDevices,
    /// Call a bank employee.
    CallStaff,
    /// A field got the on-screen keys, or none has.
    Focus(Option<String>),
    /// An answer changed.
    Answer {
        /// Field key.
        key: String,
        /// Its new value, shaped as [`domain::form::Answers`] says.
        value: Value,
    },
    /// An answer was cleared.
    ClearAnswer(String),
    /// One more row in this repeat group.
    AddRow(String),
    /// Take a row out of a repeat group.
    RemoveRow {
        /// Key of the group.
        key: String,
        /// Number of the row, from 0.
        row: usize,
    },
    /// Put the row back that was taken out last.
    UndoRow,
    /// Copy the card's address into this field.
    UseCardAddress(String),
    /// Take pages for this field.
    OpenCapture(String),
    /// Take a page, or a batch.
    TakePage(Way),
    /// Stop taking, or let the shown page go.
    StopTaking,
    /// Take the shown page once more.
    RetakePage,
    /// Put a corner of the shown page elsewhere; the arrows move it from now on.
    MoveCorner {
        /// Which one, clockwise from the top left.
        corner: usize,
        /// Where, as fractions of the picture.
        at: Point,
    },
    /// Turn the shown page by a quarter.
    TurnPage,
    /// The shown page is the whole picture.
    WholePage,
    /// Keep the shown page.
    UsePage,
    /// Take the page with this hash out of the list.
    RemovePage(String),
    /// Put the page with this hash before the one before it.
    MovePageUp(String),
    /// To the next page, or to the check page after the last one; shows errors if there are any.
    Continue,
    /// From the check page to the page of this field.
    Change(String),
    /// From the error summary to this field.
    JumpTo(String),
    /// Show personal data in clear for five seconds on the check page.
    Reveal,
    /// Submit what was checked; ignored while a submit runs.
    Submit,
    /// Go on with the draft that is offered.
    Resume,
    /// Erase the draft that is offered and begin its item anew.
    StartOver,
    /// Erase the draft that is offered.
    DeleteDraft,
    /// Print the slip on the screen; ignored while its paper is on its way.
    Print,
    /// The same on an A4 page, where there is a printer for each.
    PrintPage,
    /// Print the slip of one of the own cases once more.
    PrintCase(EnvelopeId),
    /// "I am still here" on the countdown page.
    StillHere,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answer { key, .. } => write!(f, "Answer({key})"),
            Self::Choose { question, .. } => write!(f, "Choose({question})"),
            Self::ChangeSituation(question) => write!(f, "Go({question})"),
            Self::SetQuery(_) => f.write_str("SetQuery(..)"),
            Self::OpenGuide(c) => write!(f, "OpenGuide({c})"),
            Self::Change(k) | Self::JumpTo(k) => write!(f, "Go({k})"),
            other => write!(f, "{:?}", std::mem::discriminant(other)),
        }
    }
}
