//! What can be done with the virtual devices by pressing a button: a fixed list, each with a name and its words. Pure.
use hardware::pages::invented::Invented;
use hardware::simulated_card::Sample;
use virtual_reader::order::{Fault, Order, Part};

use super::scanner::Condition as Scanner;
use crate::printers::{Condition, Manner};

/// Something that is done.
#[derive(Clone, PartialEq, Eq)]
pub enum Deed {
    /// A sample card is laid on the reader of pcscd.
    Lay(String),
    /// A sample card is laid on the reader of the serial line.
    LaySerial(String),
    /// It is lifted there.
    LiftSerial,
    /// The plug of that reader is pulled.
    UnplugSerial,
    /// It is plugged in again.
    PlugSerial,
    /// An order to the reader of pcscd.
    Reader(Order),
    /// The smart-card service is killed.
    StopService,
    /// It is started again.
    StartService,
    /// The receipt printer is in this condition.
    Receipt(Condition),
    /// The receipt printer behaves so.
    ReceiptManner(Manner),
    /// The receipt printer holds what it cuts.
    HoldPaper,
    /// Somebody takes the paper.
    TakePaper,
    /// The plug of the receipt printer is pulled.
    UnplugReceipt,
    /// It is plugged in again.
    PlugReceipt,
    /// The page printer has paper or none.
    PagePaper(bool),
    /// The page printer gives jobs up, or works.
    PageGivesUp(bool),
    /// The plug of the page printer is pulled.
    UnplugPage,
    /// It is plugged in again.
    PlugPage,
    /// The scanner is in this condition.
    Scanner(Scanner),
    /// What lies under the camera.
    See(Light),
    /// The next frames have this width and height.
    Frame(usize, usize),
    /// The camera gives no frame.
    NoFrame,
    /// It gives bytes that are no picture.
    Garbage,
    /// It is gone, or back.
    CameraGone(bool),
}

/// How good a picture the camera takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// As it should be.
    Good,
    /// Out of focus.
    Blurred,
    /// A lamp is mirrored on the page.
    Glare,
    /// A finger holds the page.
    Finger,
    /// Too dark.
    Dark,
    /// An empty page.
    Blank,
}

impl Light {
    /// The picture in this light; large enough that the good one has no fault.
    pub fn picture(self) -> Invented {
        let good = Invented { width: 2_000, height: 1_500, tilt: 0.06, ..Invented::default() };
        match self {
            Self::Good => good,
            Self::Blurred => Invented { soft: 20, ..good },
            Self::Glare => Invented { glare: true, ..good },
            Self::Finger => Invented { finger: true, ..good },
            Self::Dark => Invented { light: 0.2, ..good },
            Self::Blank => Invented { text: false, ..good },
        }
    }
}

/// A button: its stable name, its words, and what it does.
pub struct Button {
    /// Name in the form.
    pub name: String,
    /// Words on it.
    pub words: String,
    /// What it does.
    pub deed: Deed,
}

/// A group of buttons.
pub struct Group {
    /// Its heading.
    pub title: &'static str,
    /// Its buttons.
    pub buttons: Vec<Button>,
}

fn group(title: &'static str, rows: impl IntoIterator<Item = (String, String, Deed)>) -> Group {
    let buttons = rows.into_iter().map(|(name, words, deed)| Button { name, words, deed }).collect();
    Group { title, buttons }
}

fn row(name: &str, words: &str, deed: Deed) -> (String, String, Deed) {
    (name.to_owned(), words.to_owned(), deed)
}

/// All buttons; `cards` are the names of the sample cards.
pub fn all(cards: &[String]) -> Vec<Group> {
    let lay = cards.iter().map(|card| (format!("lay-{card}"), card.clone(), Deed::Lay(card.clone())));
    let chips = Sample::ALL.into_iter().map(|(name, sample)| {
        (format!("chip-{name}"), format!("chip: {name}"), Deed::Reader(Order::InsertChip(sample)))
    });
    let serial = cards.iter().take(2).map(|card| {
        (format!("serial-{card}"), format!("serial line: {card}"), Deed::LaySerial(card.clone()))
    });
    vec![
        group("Lay a card on the reader", lay.chain(chips)),
        group(
            "Lift it",
            [
                row("lift", "lift the card", Deed::Reader(Order::Remove)),
                row(
                    "lift-mid-read",
                    "lift it in the middle of the next read",
                    Deed::Reader(Order::RemoveMidRead),
                ),
                row("mute", "lay a card the wrong way round (mute)", Deed::Reader(Order::InsertMute)),
            ],
        ),
        group(
            "Serial line",
            serial.chain([
                row("serial-lift", "serial line: lift the card", Deed::LiftSerial),
                row("serial-unplug", "pull its cable", Deed::UnplugSerial),
                row("serial-plug", "plug it in", Deed::PlugSerial),
            ]),
        ),
        group("Trouble of the reader", reader()),
        group("Receipt printer", receipt()),
        group(
            "Page printer",
            [
                row("page-no-paper", "take its paper away", Deed::PagePaper(false)),
                row("page-paper", "give it paper", Deed::PagePaper(true)),
                row("page-gives-up", "give every job up", Deed::PageGivesUp(true)),
                row("page-works", "work again", Deed::PageGivesUp(false)),
                row("page-unplug", "pull its plug", Deed::UnplugPage),
                row("page-plug", "plug it in", Deed::PlugPage),
            ],
        ),
        group("Scanner", scanner()),
        group("Under the camera", camera()),
    ]
}

fn reader() -> Vec<(String, String, Deed)> {
    vec![
        row("unplug", "pull its cable at the next exchange", Deed::Reader(Order::UnplugAt(Some(0)))),
        row("plug", "plug it in", Deed::Reader(Order::UnplugAt(None))),
        row("no-module", "without a security module", Deed::Reader(Order::Switch(Part::Module, false))),
        row("garbage", "three answers of garbage", Deed::Reader(Order::Fault(Fault::Garbage, 3))),
        row(
            "broken",
            "out of order (SW 60, 20 times)",
            Deed::Reader(Order::Fault(Fault::Status(0x60, None), 20)),
        ),
        row("reset", "well again, no card", Deed::Reader(Order::Reset)),
        row("stop-service", "kill pcscd", Deed::StopService),
        row("start-service", "start pcscd", Deed::StartService),
    ]
}

fn receipt() -> Vec<(String, String, Deed)> {
    vec![
        row("receipt-well", "well", Deed::Receipt(Condition::Well)),
        row("receipt-no-paper", "no paper", Deed::Receipt(Condition::NoPaper)),
        row("receipt-low", "paper low", Deed::Receipt(Condition::PaperLow)),
        row("receipt-cover", "open its cover", Deed::Receipt(Condition::CoverOpen)),
        row("receipt-jam", "jam its cutter", Deed::Receipt(Condition::Jammed)),
        row("receipt-offline", "off line", Deed::Receipt(Condition::Offline)),
        row("receipt-broken", "out of order", Deed::Receipt(Condition::Broken)),
        row("receipt-silent", "takes calls and never reads", Deed::ReceiptManner(Manner::NeverReads)),
        row(
            "receipt-ends",
            "paper ends in the middle of the next slip",
            Deed::ReceiptManner(Manner::FailsAfter(200, Condition::NoPaper)),
        ),
        row("receipt-hold", "holds what it cuts", Deed::HoldPaper),
        row("receipt-take", "take the paper", Deed::TakePaper),
        row("receipt-unplug", "pull its cable", Deed::UnplugReceipt),
        row("receipt-plug", "plug it in", Deed::PlugReceipt),
    ]
}

fn scanner() -> Vec<(String, String, Deed)> {
    vec![
        row("scanner-well", "well", Deed::Scanner(Scanner::Well)),
        row("scanner-unplug", "pull its cable", Deed::Scanner(Scanner::Unplugged)),
        row("scanner-jam", "jam paper in it", Deed::Scanner(Scanner::Jammed)),
        row("scanner-cover", "open its cover", Deed::Scanner(Scanner::CoverOpen)),
        row("scanner-no-paper", "empty its feeder", Deed::Scanner(Scanner::NoPaper)),
        row("scanner-busy", "another program has it", Deed::Scanner(Scanner::Busy)),
        row("scanner-loose", "its cable comes loose in mid-scan", Deed::Scanner(Scanner::Loose)),
        row("scanner-crash", "its program crashes", Deed::Scanner(Scanner::Crashes)),
    ]
}

fn camera() -> Vec<(String, String, Deed)> {
    vec![
        row("see-good", "a good page", Deed::See(Light::Good)),
        row("see-blurred", "blurred", Deed::See(Light::Blurred)),
        row("see-glare", "with glare", Deed::See(Light::Glare)),
        row("see-finger", "with a finger", Deed::See(Light::Finger)),
        row("see-dark", "too dark", Deed::See(Light::Dark)),
        row("see-blank", "blank", Deed::See(Light::Blank)),
        row("see-small", "a small frame", Deed::Frame(640, 480)),
        row("see-nothing", "no frame", Deed::NoFrame),
        row("see-garbage", "no picture", Deed::Garbage),
        row("camera-gone", "pull its cable", Deed::CameraGone(true)),
        row("camera-back", "plug it in", Deed::CameraGone(false)),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hardware::image::Policy;
    use hardware::pages::{Finding, Shot, Wanted};

    use super::*;

    /// What a terminal finds wrong with a picture in this light.
    fn findings(light: Light) -> Vec<Finding> {
        let jpeg = light.picture().jpeg().expect("a picture");
        let shot = Shot::photographed(&jpeg, &Policy::PAGE).expect("it is taken");
        let wanted = Wanted { max_bytes: 3 << 20, is_paper: true };
        shot.page(&shot.cut(), &wanted).expect("a page").scores.findings()
    }

    #[test]
    fn every_light_is_told_by_its_own_name_and_the_good_one_has_no_fault() {
        assert_eq!(findings(Light::Good), []);
        for (light, finding) in [
            (Light::Blurred, Finding::Blurred),
            (Light::Glare, Finding::Glare),
            (Light::Finger, Finding::Finger),
            (Light::Dark, Finding::Dark),
            (Light::Blank, Finding::Blank),
        ] {
            assert!(findings(light).contains(&finding), "{light:?}: {:?}", findings(light));
        }
    }

    #[test]
    fn every_button_has_a_name_of_its_own() {
        let groups = all(&["courier".to_owned(), "elder".to_owned()]);
        let names: Vec<&str> =
            groups.iter().flat_map(|group| &group.buttons).map(|button| button.name.as_str()).collect();
        let different: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(different.len(), names.len());
        assert!(names.len() > 30 && names.contains(&"lay-courier") && names.contains(&"chip-staff"));
        assert!(
            names
                .iter()
                .all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
        );
    }
}
