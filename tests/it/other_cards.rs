//! People from Hong Kong, Macao and Taiwan and foreigners at the terminal: their cards over a real pcscd, their
//! cases at a real centre.
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use domain::ids::ItemCode;
use hardware::card_file;
use hardware::card_reader::{ReadError, ReaderStatus};
use hardware::simulated_card::Sample;
use serde_json::json;
use terminal::command::Command;
use terminal::config::{Config, ReaderChoice};
use terminal::headless::HeadlessTerminal;
use terminal::model::{CardStep, Screen, SlipView, TextSize};
use tests::binaries::repository;
use tests::pcscd::Pcscd;
use tests::server::Server;
use tests::visit::{self, PATIENCE};
use virtual_reader::control::Control;
use virtual_reader::order::Order;

/// Takes the cards of residents, of people from Hong Kong, Macao and Taiwan, and of foreigners.
const FOR_ALL: &str = "psb.no-crime";
/// Takes social-security cards.
const FOR_SOCIAL_SECURITY: &str = "hrss.resident-pension-enroll";
/// Does not take those of foreigners.
const NOT_FOR_FOREIGNERS: &str = "hrss.flex-enroll";

const CARDS: [(&str, &str); 4] = [
    ("courier", "639900199005201035"),
    ("taiwan", "830000198808080025"),
    ("foreigner-2017", "UTO639985060700"),
    ("foreigner-2023", "963999199002140022"),
];

fn image(name: &str) -> Result<Vec<u8>> {
    Ok(card_file::load_image(&repository().join("assets/cards").join(format!("{name}.toml")))?.to_vec())
}

/// To the page that asks for the card.
fn begin(terminal: &mut HeadlessTerminal, item: &str) -> Result<()> {
    let code: ItemCode = item.parse()?;
    terminal.command(Command::Start(TextSize::Normal));
    terminal.command(Command::OpenGuide(code));
    visit::begin(terminal)?;
    ensure!(terminal.model().screen == Screen::Card, "the screen is {:?}", terminal.model().screen);
    Ok(())
}

fn step(terminal: &HeadlessTerminal) -> Option<CardStep> {
    terminal.model().session.as_ref().map(|session| session.card)
}

/// From the form to the slip.
fn fill_and_submit(terminal: &mut HeadlessTerminal) -> Result<SlipView> {
    let strokes: Vec<[i64; 3]> = (0..40).map(|n| [n * 9, 100 + (n % 7) * 11, n * 20]).collect();
    let answers = [
        ("purpose", json!("就业")),
        ("phone", json!(visit::PHONE)),
        ("receive_way", json!("服务大厅自取")),
        ("sign", json!({ "strokes": [strokes], "width": 800, "height": 300 })),
    ];
    visit::fill_with(terminal, &answers)?;
    visit::submit(terminal)
}

/// A centre and a terminal with a real reader that is empty. The hand goes first and the data folder last.
struct Rig {
    hand: Control,
    terminal: HeadlessTerminal,
    server: Server,
    _pcscd: Pcscd,
    _data: tempfile::TempDir,
}

impl Rig {
    fn start() -> Result<Self> {
        let server = Server::start_secure(&[])?;
        let data = tempfile::tempdir()?;
        visit::enrol(&server, data.path())?;
        let config = Config { reader: ReaderChoice::Pcsc, ..visit::config(data.path(), &server.terminals) };
        let pcscd = Pcscd::lock()?;
        let hand = pcscd.control()?;
        let terminal = visit::start(&config);
        let mut rig = Self { hand, terminal, server, _pcscd: pcscd, _data: data };
        rig.wait_for_empty_reader()?;
        Ok(rig)
    }

    fn wait_for_empty_reader(&mut self) -> Result<()> {
        ensure!(
            self.terminal.wait_until(PATIENCE, |m| m.reader == ReaderStatus::Empty),
            "the reader is not empty"
        );
        Ok(())
    }
}

/// Waits until the centre has opened so many cases, and found nothing to return.
fn opened(server: &Server, count: i64) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let waiting = server.number("SELECT COUNT(*) FROM case_ WHERE state = 'received'")?;
        if waiting == 0 {
            break;
        }
    }
    let submitted = server.number("SELECT COUNT(*) FROM case_ WHERE state = 'submitted'")?;
    ensure!(submitted == count, "{submitted} of {count} cases wait for their department");
    Ok(())
}

#[test]
fn everybody_gets_a_slip_and_a_case_with_the_own_card() -> Result<()> {
    let mut rig = Rig::start()?;
    for (count, (name, number)) in (1..).zip(CARDS) {
        begin(&mut rig.terminal, FOR_ALL)?;
        rig.hand.insert(&image(name)?)?;
        let read = rig.terminal.wait_until(PATIENCE, |m| {
            m.session.as_ref().is_some_and(|s| s.card != CardStep::Waiting && s.card != CardStep::Reading)
        });
        ensure!(read && step(&rig.terminal) == Some(CardStep::Done), "{name}: {:?}", step(&rig.terminal));
        let person =
            rig.terminal.model().session.as_ref().and_then(|s| s.applicant.clone()).context("a person")?;
        assert_eq!(person.id_number, number);
        rig.terminal.command(Command::Continue);
        ensure!(rig.terminal.model().screen == Screen::Form, "{name}: {:?}", rig.terminal.model().screen);
        let slip = fill_and_submit(&mut rig.terminal).context(name)?;
        ensure!(!slip.masked_name.is_empty() && slip.masked_name.contains('*'), "{}", slip.masked_name);
        visit::delivered(&mut rig.terminal)?;
        opened(&rig.server, count).context(name)?;
        rig.terminal.command(Command::Finish);
        rig.hand.remove()?;
        rig.wait_for_empty_reader()?;
    }
    Ok(())
}

#[test]
fn an_item_that_does_not_take_a_card_says_so() -> Result<()> {
    let mut rig = Rig::start()?;
    for (name, accepted) in
        [("taiwan", true), ("foreigner-2017", false), ("foreigner-2023", false), ("courier", true)]
    {
        begin(&mut rig.terminal, NOT_FOR_FOREIGNERS)?;
        rig.hand.insert(&image(name)?)?;
        let wanted = if accepted { CardStep::Done } else { CardStep::NotAccepted };
        let said =
            rig.terminal.wait_until(PATIENCE, |m| m.session.as_ref().is_some_and(|s| s.card == wanted));
        ensure!(said, "{name}: {:?}", step(&rig.terminal));
        let kept = rig.terminal.model().session.as_ref().is_some_and(|s| s.applicant.is_some());
        assert_eq!(kept, accepted, "{name}: a person who cannot go on is not kept");
        rig.terminal.command(Command::Finish);
        rig.terminal.command(Command::Home);
        rig.hand.remove()?;
        rig.wait_for_empty_reader()?;
    }
    Ok(())
}

#[test]
fn a_social_security_card_opens_a_form_where_it_is_taken_and_other_chip_cards_say_what_is_wanted()
-> Result<()> {
    let mut rig = Rig::start()?;
    let table = [
        (FOR_SOCIAL_SECURITY, Sample::SocialSecurity, CardStep::Done),
        (FOR_SOCIAL_SECURITY, Sample::SocialSecurityLocked, CardStep::UseIdCard),
        (FOR_SOCIAL_SECURITY, Sample::SocialSecurityLongName, CardStep::UseIdCard),
        (FOR_SOCIAL_SECURITY, Sample::Staff, CardStep::Staff),
        (FOR_SOCIAL_SECURITY, Sample::Bank, CardStep::Failed(ReadError::UnknownCard)),
        (FOR_ALL, Sample::SocialSecurity, CardStep::UseIdCard),
    ];
    for (item, sample, wanted) in table {
        begin(&mut rig.terminal, item)?;
        rig.hand.order(&Order::InsertChip(sample))?;
        let said =
            rig.terminal.wait_until(PATIENCE, |m| m.session.as_ref().is_some_and(|s| s.card == wanted));
        ensure!(said, "{sample:?} at {item}: {:?}", step(&rig.terminal));
        let session = rig.terminal.model().session.as_ref().context("a session")?;
        assert_eq!(session.applicant.is_some(), wanted == CardStep::Done, "{sample:?}");
        if let Some(person) = &session.applicant {
            assert_eq!((person.name.as_str(), person.id_number.as_str()), ("样小川", "639900199005201035"));
            assert!(person.address.is_empty() && session.drafts.lines.is_none());
        }
        ensure!(rig.hand.status()?.ends_with(" forbidden=0"), "{}", rig.hand.status()?);
        rig.terminal.command(Command::Finish);
        rig.terminal.command(Command::Home);
        rig.hand.remove()?;
        rig.wait_for_empty_reader()?;
    }
    Ok(())
}
