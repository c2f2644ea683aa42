//! The table of the fault story: which device fails at which step of a visit, and how. Pure.
use hardware::device::{DeviceKind, Trouble};
use tests::devices::scanner::Condition as Scanner;
use tests::printers::{Condition, Manner};

/// A step of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nobody is here.
    Attract,
    /// The card is to be laid down.
    Card,
    /// The card was read: the person sees whose visit this is.
    Identity,
    /// A page of the form, half filled in.
    Form,
    /// Papers are to be taken.
    Capture,
    /// All answers are looked at once more before they are handed in.
    Check,
    /// The slip is on the screen and may be printed.
    Slip,
}

impl Step {
    pub const ALL: [Self; 7] =
        [Self::Attract, Self::Card, Self::Identity, Self::Form, Self::Capture, Self::Check, Self::Slip];
}

/// How a device fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The smart-card service is killed.
    Service,
    /// The cable of the card reader is pulled.
    Cable,
    /// The card is lifted in the middle of the read.
    Lifted,
    /// The reader says that it is out of order.
    Module,
    /// The receipt printer is in this condition.
    Receipt(Condition),
    /// It fails in mid-page.
    MidPage(Manner),
    /// Nobody answers at its address.
    ReceiptGone,
    /// The page printer's program is killed.
    PageGone,
    /// It has no paper, which it says only when it is given a job.
    PageNoPaper,
    /// It gives every job up.
    PageGivesUp,
    /// The scanner is in this condition.
    Scanner(Scanner),
    /// The camera's folder is gone.
    CameraGone,
    /// It gives no frame.
    CameraSilent,
    /// It gives bytes that are no picture.
    CameraGarbage,
}

impl Fault {
    /// What a look at the device finds before anybody uses it; none if only use shows it.
    pub fn seen(self) -> Option<Trouble> {
        match self {
            Self::Service => Some(Trouble::ServiceOff),
            Self::Cable | Self::ReceiptGone | Self::PageGone | Self::CameraGone => Some(Trouble::NotFound),
            Self::Receipt(condition) => Some(match condition {
                Condition::NoPaper => Trouble::NoPaper,
                Condition::CoverOpen => Trouble::CoverOpen,
                Condition::Jammed => Trouble::Jammed,
                Condition::Offline => Trouble::Busy,
                Condition::PaperLow => Trouble::PaperLow,
                Condition::Well | Condition::Broken => Trouble::OutOfOrder,
            }),
            Self::Scanner(Scanner::Unplugged) => Some(Trouble::NotFound),
            Self::Scanner(Scanner::Crashes) => Some(Trouble::Silent),
            _ => None,
        }
    }

    /// The words `capture.failed.{key}` of whoever tries to take a page; none if no page is taken with it.
    pub fn refusal(self) -> Option<&'static str> {
        Some(match self {
            Self::Scanner(condition) => match condition {
                Scanner::Well | Scanner::Unplugged => "not_found",
                Scanner::Jammed => "jammed",
                Scanner::CoverOpen => "cover_open",
                Scanner::NoPaper => "no_paper",
                Scanner::Busy => "busy",
                Scanner::Loose | Scanner::Crashes => "silent",
            },
            Self::CameraGone => "not_found",
            Self::CameraSilent => "silent",
            Self::CameraGarbage => "picture",
            _ => return None,
        })
    }
}

/// All that fails: every device at every step, and in more ways at the step at which it is used.
pub fn of(device: DeviceKind) -> Vec<(Step, Fault)> {
    let (step, faults) = in_use(device);
    let more = faults.into_iter().map(|fault| (step, fault));
    Step::ALL.into_iter().zip(at_each_step(device)).chain(more).collect()
}

/// How a device fails at each step.
fn at_each_step(device: DeviceKind) -> [Fault; 7] {
    use Fault::{
        Cable, CameraGarbage, CameraGone, CameraSilent, PageGivesUp, PageGone, PageNoPaper, Service,
    };
    match device {
        DeviceKind::CardReader => [Service, Cable, Service, Cable, Service, Cable, Service],
        DeviceKind::ReceiptPrinter => [
            Fault::ReceiptGone,
            Fault::Receipt(Condition::NoPaper),
            Fault::Receipt(Condition::Jammed),
            Fault::Receipt(Condition::CoverOpen),
            Fault::Receipt(Condition::Broken),
            Fault::Receipt(Condition::NoPaper),
            Fault::Receipt(Condition::Offline),
        ],
        DeviceKind::PagePrinter => {
            [PageGone, PageNoPaper, PageGone, PageGivesUp, PageGone, PageNoPaper, PageGone]
        }
        DeviceKind::Scanner => [
            Scanner::Unplugged,
            Scanner::Jammed,
            Scanner::Crashes,
            Scanner::CoverOpen,
            Scanner::Unplugged,
            Scanner::Unplugged,
            Scanner::Crashes,
        ]
        .map(Fault::Scanner),
        DeviceKind::Camera => {
            [CameraGone, CameraSilent, CameraGone, CameraGarbage, CameraGone, CameraGone, CameraGone]
        }
    }
}

/// The step at which a device is used, and how else it fails there.
fn in_use(device: DeviceKind) -> (Step, Vec<Fault>) {
    match device {
        DeviceKind::CardReader => (Step::Card, vec![Fault::Service, Fault::Lifted, Fault::Module]),
        DeviceKind::ReceiptPrinter => {
            let conditions =
                [Condition::Jammed, Condition::CoverOpen, Condition::NoPaper].map(Fault::Receipt);
            let rest = [
                Fault::ReceiptGone,
                Fault::MidPage(Manner::FailsAfter(200, Condition::NoPaper)),
                Fault::MidPage(Manner::ClosesAfter(200)),
            ];
            (Step::Slip, [conditions, rest].concat())
        }
        DeviceKind::PagePrinter => (Step::Slip, vec![Fault::PageNoPaper, Fault::PageGivesUp]),
        DeviceKind::Scanner => {
            let conditions = [
                Scanner::Jammed,
                Scanner::CoverOpen,
                Scanner::NoPaper,
                Scanner::Busy,
                Scanner::Loose,
                Scanner::Crashes,
            ];
            (Step::Capture, conditions.map(Fault::Scanner).to_vec())
        }
        DeviceKind::Camera => (Step::Capture, vec![Fault::CameraSilent, Fault::CameraGarbage]),
    }
}
