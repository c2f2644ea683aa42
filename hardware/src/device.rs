//! What any device of a terminal can be and suffer: the words that readers, printers, scanners and cameras share.
//!
//! Pure. A fault is a value with a name that the texts and a technician's list know (`device.trouble.{name}`), never
//! a panic; how a device came to it is for its own module.

/// A kind of device that a branch may own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// Reads ID, social-security and staff cards.
    CardReader,
    /// Prints slips on a roll.
    ReceiptPrinter,
    /// Prints A4 pages.
    PagePrinter,
    /// Scans pages.
    Scanner,
    /// Takes pictures of pages and people.
    Camera,
}

impl DeviceKind {
    /// All kinds, in the order of a technician's list.
    pub const ALL: [Self; 5] =
        [Self::CardReader, Self::ReceiptPrinter, Self::PagePrinter, Self::Scanner, Self::Camera];

    /// Name in `assets/text`, settings and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::CardReader => "card_reader",
            Self::ReceiptPrinter => "receipt_printer",
            Self::PagePrinter => "page_printer",
            Self::Scanner => "scanner",
            Self::Camera => "camera",
        }
    }
}

/// What keeps a device from working, or will soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Nothing of its kind is plugged in or answers at its address.
    #[error("it was not found")]
    NotFound,
    /// The service behind it (pcscd, a print queue, a scanner's back end) does not run.
    #[error("its service does not run")]
    ServiceOff,
    /// It is there and does not answer in time.
    #[error("it does not answer")]
    Silent,
    /// Another program has it.
    #[error("another program uses it")]
    Busy,
    /// A cover is open.
    #[error("its cover is open")]
    CoverOpen,
    /// Paper is stuck.
    #[error("paper is jammed in it")]
    Jammed,
    /// No paper to print on, or nothing in the feeder to scan.
    #[error("it has no paper")]
    NoPaper,
    /// The paper will end soon; it still prints.
    #[error("its paper is low")]
    PaperLow,
    /// Printed paper lies there and nobody took it.
    #[error("printed paper was left in it")]
    Unclaimed,
    /// One of several of its kind does not work; another one does.
    #[error("one of several does not work, and another does")]
    OneLost,
    /// It does not know what it was asked for.
    #[error("it cannot do this")]
    Unsupported,
    /// It failed in a way that only a technician can mend.
    #[error("it is out of order")]
    OutOfOrder,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NotFound,
        Self::ServiceOff,
        Self::Silent,
        Self::Busy,
        Self::CoverOpen,
        Self::Jammed,
        Self::NoPaper,
        Self::PaperLow,
        Self::Unclaimed,
        Self::OneLost,
        Self::Unsupported,
        Self::OutOfOrder,
    ];

    /// Name in `assets/text`, in JSON and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::ServiceOff => "service_off",
            Self::Silent => "silent",
            Self::Busy => "busy",
            Self::CoverOpen => "cover_open",
            Self::Jammed => "jammed",
            Self::NoPaper => "no_paper",
            Self::PaperLow => "paper_low",
            Self::Unclaimed => "unclaimed",
            Self::OneLost => "one_lost",
            Self::Unsupported => "unsupported",
            Self::OutOfOrder => "out_of_order",
        }
    }

    /// Whether the device still does its work.
    pub fn still_works(self) -> bool {
        matches!(self, Self::PaperLow | Self::Unclaimed | Self::OneLost)
    }
}

/// How a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceState {
    /// This terminal is not meant to have one.
    #[default]
    Off,
    /// Not looked at yet.
    Unknown,
    /// It waits for work.
    Ready,
    /// It is at work.
    Working,
    /// Something is wrong, or soon will be.
    Trouble(Trouble),
}

impl DeviceState {
    /// Whether work may be given to it now.
    pub fn is_usable(self) -> bool {
        match self {
            Self::Ready | Self::Working => true,
            Self::Trouble(trouble) => trouble.still_works(),
            Self::Off | Self::Unknown => false,
        }
    }
}
