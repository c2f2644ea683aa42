//! All that is on the screen, and nothing else: the UI reads `&Model` and sends [`Command`](crate::command::Command)s.
//!
//! `Model::command` and `Model::event` are pure: they change the model and say which [`Job`](crate::event::Job)s
//! the desk worker shall do. No I/O, no clock (time comes in with [`Event::Tick`](crate::event::Event::Tick)).
mod availability;
mod capture;
mod card;
#[cfg(test)]
mod card_tests;
mod devices;
mod draft;
#[cfg(test)]
mod draft_tests;
mod filling;
mod idle;
mod kept_pages;
mod navigation;
mod new_catalogue;
mod news;
mod printing;
mod rows;
mod session;
mod situation;
mod stations;
#[cfg(test)]
mod tests;
mod update;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::catalogue::{Catalogue, Station};
use domain::ids::{ItemCode, StationId};
use domain::item::Withdrawal;
use domain::search::{Found, SearchIndex};
use domain::text::Language;
use hardware::card_reader::ReaderStatus;

pub use availability::{Caveat, Standing, Unavailable};
pub use capture::{Capture, CaptureDevices, CaptureStep, Shown, Taken, TakenPage, Way};
pub use devices::DevicesPage;
pub use draft::{DraftLine, Drafts, OpenedForm, Place, SNAPSHOT_FORM, Snapshot};
pub use kept_pages::{PageLine, hashes, takes_pages};
pub use new_catalogue::NewCatalogue;
pub use printing::{PrintKind, PrintStep};
pub use rows::RemovedRow;
pub use session::{CardStep, CaseLine, Marks, PagesSent, Session, SlipView, SubmitStep};
pub use situation::Situation;
pub use stations::StationsView;

/// Where the citizen is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Screen {
    /// Nobody is here.
    #[default]
    Attract,
    /// Frequent items and ways to look.
    Home,
    /// A list of items.
    Items(ListOf),
    /// Search with on-screen letter keys.
    Search,
    /// What an item is and needs.
    Guide(ItemCode),
    /// A situation question before the form; which one is in the session.
    Question,
    /// With the answers the matter ends before the form: why, and the nearest way.
    Ended,
    /// What the answers ask for: things to bring, steps of departments.
    Needs,
    /// Lay down the card.
    Card,
    /// A draft of this item is offered to the person whose card was read.
    Resume(ItemCode),
    /// A page of the form; which one is in the session.
    Form,
    /// Take pages for a field of the form; which one is in the session.
    Capture,
    /// Check answers before submitting.
    Check,
    /// The slip, which becomes the receipt when that arrives.
    Slip,
    /// Own slips of the card just read, with their marks.
    MyCases,
    /// How to use it.
    Help,
    /// How the devices are.
    Devices,
    /// What was said to the card reader, without any data.
    DeviceTrace,
    /// Other stations near this one.
    Stations,
    /// One of them.
    Station(StationId),
    /// The terminal cannot take anything now (corrupt or newer database, not enrolled …).
    OutOfService,
}

impl Screen {
    /// Between a guide and the slip: belongs to the item being done.
    pub fn is_of_an_item(&self) -> bool {
        use Screen::{Capture, Card, Check, Ended, Form, Needs, Question};
        matches!(self, Question | Ended | Needs | Card | Form | Capture | Check)
    }
}

/// Which items a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListOf {
    /// All items.
    All,
    /// All bundles.
    Bundles,
    /// The life events themselves (a chooser), then one of them.
    LifeEvents,
    /// Items of a life event (its id).
    LifeEvent(String),
    /// The departments themselves (a chooser).
    Departments,
    /// Items of a department.
    Department(String),
    /// What a phrase may mean (key in the catalogue's shared phrases): a chooser.
    Phrase(String),
    /// What to do where a phrase names something that is not done here (key in the catalogue's phrases).
    NotHere(String),
}

/// Text size: normal or elder version (长辈版).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextSize {
    /// 标准版
    #[default]
    Normal,
    /// 长辈版
    Elder,
}

/// How the person wants the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Size.
    pub size: TextSize,
    /// High contrast.
    pub high_contrast: bool,
    /// Language.
    pub language: Language,
}

/// The link to the centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// The last contact failed or there was none.
    #[default]
    Offline,
    /// Contact works but is slow.
    Weak,
    /// Contact works.
    Online,
}

/// What waits on this machine, for the header and the staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueView {
    /// Envelopes without a receipt.
    pub waiting: u64,
    /// When the oldest of them was saved, milliseconds since 1970.
    pub oldest_ms: Option<i64>,
    /// Rows parked with a reason (隔离, 冲突).
    pub parked: u64,
}

/// Why the terminal takes nothing now; each has its own words (`out_of_service.{name}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// Not enrolled yet.
    NotEnrolled,
    /// The database is damaged: opened read-only, never overwritten.
    StoreCorrupt,
    /// The database was written by a newer program: opened read-only, never overwritten.
    StoreNewer,
    /// The device key that was enrolled is not there: nothing is changed, and nothing more is signed.
    KeyLost,
    /// The disk is full or cannot be written.
    StoreFull,
    /// No catalogue that can be used.
    NoCatalogue,
}

/// Idle state: seconds left in the countdown, if it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Idle {
    /// When somebody last did something.
    pub last_touch_ms: i64,
    /// Seconds left until everything is cleared; `Some` shows the countdown page over everything.
    pub seconds_left: Option<u32>,
    /// Seconds that the countdown had at its start (the ring's full circle).
    pub countdown_secs: u32,
}

/// State of the search page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchState {
    /// What was typed, at most 40 characters.
    pub query: String,
    /// What it found.
    pub found: Found,
    /// Page of results shown, from 0.
    pub page: usize,
}

/// Everything on the screen.
pub struct Model {
    /// Device clock, milliseconds since 1970, to the second.
    pub now_ms: i64,
    /// Where this terminal stands; `None` before enrolment.
    pub station: Option<Station>,
    /// Address of the people's pages for QR codes, without a trailing slash.
    pub people_url: String,
    /// The catalogue in use.
    pub catalogue: Arc<Catalogue>,
    /// How current it is.
    pub standing: Standing,
    /// Items and bundles that the centre withdrew in an emergency, whatever the catalogue says.
    pub withdrawn: BTreeMap<ItemCode, Withdrawal>,
    /// Prepared search.
    pub index: Arc<SearchIndex>,
    /// A version that is taken when nobody is here.
    pub next_catalogue: Option<Box<NewCatalogue>>,
    /// Where the citizen is.
    pub screen: Screen,
    /// Screens to go back to.
    pub history: Vec<Screen>,
    /// How the person wants it.
    pub look: Look,
    /// Link to the centre.
    pub network: Network,
    /// Card reader.
    pub reader: ReaderStatus,
    /// What became of the card that lies there, once it was tried, be somebody here or not.
    pub(crate) lying: Option<CardStep>,
    /// It is being said that another card waits on another reader; as long as the toast that says so.
    pub second_card: bool,
    /// How the devices are: all that the screen knows of them, but for the cards at the reader.
    pub devices: DevicesPage,
    /// Scanner and camera that the settings name.
    pub capture_devices: CaptureDevices,
    /// The last time that a device was asked for pages: later news carry its number.
    pub(crate) capture_ticket: u64,
    /// Search page.
    pub search: SearchState,
    /// Page shown of a list, from 0.
    pub list_page: usize,
    /// Other stations.
    pub stations: StationsView,
    /// The citizen's own data; `None` between people.
    pub session: Option<Session>,
    /// What waits on this machine.
    pub queue: QueueView,
    /// Idle state.
    pub idle: Idle,
    /// Staff were called at this time; shown for a while.
    pub staff_called_ms: Option<i64>,
    /// A short message at the bottom (text key, shown until this time).
    pub toast: Option<Toast>,
    /// Why nothing can be taken now.
    pub outage: Option<Outage>,
}

impl Model {
    /// A model with this catalogue, on the attract page.
    pub fn new(catalogue: Arc<Catalogue>, now_ms: i64) -> Self {
        Self {
            now_ms,
            station: None,
            people_url: String::new(),
            index: Arc::new(SearchIndex::new(&catalogue)),
            catalogue,
            standing: Standing::default(),
            withdrawn: BTreeMap::new(),
            next_catalogue: None,
            screen: Screen::Attract,
            history: Vec::new(),
            look: Look::default(),
            network: Network::Offline,
            reader: ReaderStatus::Unknown,
            lying: None,
            second_card: false,
            devices: DevicesPage::default(),
            capture_devices: CaptureDevices::default(),
            capture_ticket: 0,
            search: SearchState::default(),
            list_page: 0,
            stations: StationsView::default(),
            session: None,
            queue: QueueView::default(),
            idle: Idle { last_touch_ms: now_ms, ..Idle::default() },
            staff_called_ms: None,
            toast: None,
            outage: None,
        }
    }

    /// A catalogue without anything, for a terminal that has none to use.
    pub fn empty_catalogue() -> Catalogue {
        Catalogue {
            version: 0,
            data_label: String::new(),
            notice: domain::text::Text::default(),
            items: BTreeMap::new(),
            bundles: BTreeMap::new(),
            stations: BTreeMap::new(),
            calendar: domain::catalogue::Calendar::default(),
            life_events: Vec::new(),
            phrases: domain::catalogue::Phrases::default(),
            regions: BTreeMap::new(),
            home_items: Vec::new(),
            situations: domain::situation::CommonSituations::default(),
            policies: domain::catalogue::Policies::default(),
            messages: Vec::new(),
        }
    }

    /// Today in China.
    pub fn today(&self) -> domain::date::CivilDate {
        domain::date::CivilDate::in_china(self.now_ms)
    }
}

/// A short message at the bottom, never the only place of what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// Key in `assets/text`.
    pub key: &'static str,
    /// When it goes away.
    pub until_ms: i64,
}
