//! The people of a run: each comes, lays the card down, perhaps hands something in with or without papers, takes the slip
//! along, and goes. What fails on the way is told, mended, and tried again.
use anyhow::{Context as _, Result, ensure};
use hardware::card_reader::ReaderStatus;
use terminal::command::Command;
use terminal::model::{CardStep, Model, PrintStep, Screen, TextSize, Way};
use virtual_reader::order::Order;

use super::Play;
use crate::devices::deeds::Deed;
use crate::devices::scanner::Condition as Scanner;
use crate::papers;
use crate::printers::Condition;
use crate::visit::{self, wait};

/// Every so many visits end with a slip on paper.
const SLIP_EVERY: u32 = 4;
/// Every so many cards are lifted too early.
const LIFTED_EVERY: u32 = 5;
/// Pages in the feeder of the test back end.
const IN_THE_FEEDER: usize = 10;

/// How a slip fails to come on the roll.
const ROLL: [Condition; 3] = [Condition::Jammed, Condition::NoPaper, Condition::CoverOpen];
/// How the scanner fails, and the words.
const SCANNER: [(Scanner, &str); 7] = [
    (Scanner::Jammed, "jammed"),
    (Scanner::CoverOpen, "cover_open"),
    (Scanner::Unplugged, "not_found"),
    (Scanner::Loose, "silent"),
    (Scanner::NoPaper, "no_paper"),
    (Scanner::Crashes, "silent"),
    (Scanner::Busy, "busy"),
];
/// Frames of a camera: their size changes from one to the next.
const FRAMES: [(usize, usize); 5] = [(1_600, 1_200), (640, 480), (1_200, 1_600), (64, 900), (2_000, 1_500)];

/// How the page printer fails.
enum PageTrouble {
    Unplugged,
    NoPaper,
    GivesUp,
}

impl Play<'_> {
    pub(super) fn visit(&mut self) -> Result<()> {
        self.counts.visits += 1;
        let hands_in = self.counts.visits.is_multiple_of(SLIP_EVERY);
        let papers = hands_in && self.counts.slips.is_multiple_of(2);
        if hands_in {
            if papers {
                papers::to_guide(&mut self.terminal)?
            } else {
                visit::search(&mut self.terminal)?
            }
            visit::begin(&mut self.terminal)?;
            visit::on_the_card_page(&mut self.terminal);
        } else {
            self.terminal.command(Command::Start(TextSize::Normal));
            self.terminal.command(Command::MyCases);
        }
        self.identify()?;
        if hands_in {
            visit::to_the_form(&mut self.terminal)?;
            if papers {
                self.hand_in_papers()?
            } else {
                visit::fill(&mut self.terminal)?
            }
            visit::submit(&mut self.terminal)?;
            if papers {
                self.print_strip()?
            } else {
                self.print_page()?
            }
            self.counts.slips += 1;
        }
        self.terminal.command(Command::Finish);
        wait(&mut self.terminal, "the attract page", |m| m.screen == Screen::Attract && m.session.is_none())?;
        self.desk.act(&Deed::Reader(Order::Remove))?;
        wait(&mut self.terminal, "that the card is gone", |m| m.reader == ReaderStatus::Empty)
    }

    /// The card is laid down; now and then it is lifted too early, and laid down again.
    fn identify(&mut self) -> Result<()> {
        if self.counts.visits.is_multiple_of(LIFTED_EVERY) {
            self.counts.troubles += 1;
            self.desk.act(&Deed::Reader(Order::RemoveMidRead))?;
            self.desk.act(&Deed::Lay("courier".into()))?;
            wait(&mut self.terminal, "that the card was lifted", |m| {
                m.session.as_ref().is_some_and(|s| matches!(s.card, CardStep::Failed(_)))
            })?;
        }
        self.desk.act(&Deed::Lay("courier".into()))?;
        wait(&mut self.terminal, "the card", |m| {
            m.session.as_ref().is_some_and(|s| s.card == CardStep::Done && s.drafts.lines.is_some())
        })
    }

    /// A page of the camera and one of the scanner, each after a try that fails; every other time the rest of a batch.
    fn hand_in_papers(&mut self) -> Result<()> {
        papers::to_field(&mut self.terminal)?;
        papers::open(&mut self.terminal)?;
        let round = self.counts.slips as usize / 2;
        let broken =
            [(Deed::CameraGone(true), "not_found"), (Deed::NoFrame, "silent"), (Deed::Garbage, "picture")];
        let (deed, words) = &broken[round % broken.len()];
        self.fails(deed, Way::Camera, words)?;
        self.desk.act(&Deed::CameraGone(false))?;
        let (width, height) = FRAMES[round % FRAMES.len()];
        self.desk.act(&Deed::Frame(width, height))?;
        self.takes(Way::Camera, 1)?;
        let (condition, words) = SCANNER[round % SCANNER.len()];
        self.fails(&Deed::Scanner(condition), Way::Glass, words)?;
        self.desk.act(&Deed::Scanner(Scanner::Well))?;
        self.takes(Way::Glass, 2)?;
        if round.is_multiple_of(2) {
            self.terminal.command(Command::TakePage(Way::Feeder));
            wait(&mut self.terminal, "the batch", |m| papers::settled(m) == Some(IN_THE_FEEDER))?;
            self.counts.pages += 8;
        }
        papers::to_check(&mut self.terminal)
    }

    fn fails(&mut self, deed: &Deed, way: Way, words: &str) -> Result<()> {
        self.counts.troubles += 1;
        self.desk.act(deed)?;
        papers::fails(&mut self.terminal, way, words).with_context(|| format!("{way:?}"))
    }

    fn takes(&mut self, way: Way, pages: usize) -> Result<()> {
        papers::take(&mut self.terminal, way)?;
        papers::use_it(&mut self.terminal, pages)?;
        self.counts.pages += 1;
        Ok(())
    }

    /// The slip on the roll; every third time the printer is in trouble first.
    fn print_strip(&mut self) -> Result<()> {
        let round = self.counts.slips as usize / 2;
        self.desk.receipt().throw_away();
        if round % 3 == 1 {
            self.counts.troubles += 1;
            self.desk.act(&Deed::Receipt(ROLL[(round / 3) % ROLL.len()]))?;
            self.terminal.command(Command::Print);
            wait(&mut self.terminal, "the words of a trouble", |m| {
                step(m).is_some_and(|s| s.trouble().is_some())
            })?;
            self.desk.act(&Deed::Receipt(Condition::Well))?;
        }
        self.printed(Command::Print)?;
        let strips = self.desk.receipt().strips().len();
        ensure!(strips == 1, "{strips} strips came out for one slip");
        Ok(())
    }

    /// The slip on A4; every other time the printer is in trouble first.
    fn print_page(&mut self) -> Result<()> {
        let round = self.counts.slips as usize / 2;
        let before = self.desk.pages_printed();
        if round.is_multiple_of(2) {
            self.counts.troubles += 1;
            let trouble = [PageTrouble::Unplugged, PageTrouble::NoPaper, PageTrouble::GivesUp];
            match trouble[(round / 2) % trouble.len()] {
                PageTrouble::Unplugged => {
                    self.desk.act(&Deed::UnplugPage)?;
                    self.asks("the words of a trouble", |m| matches!(step(m), Some(PrintStep::Waiting(_))))?;
                    self.desk.act(&Deed::PlugPage)?;
                }
                // It is seen on the printer only: the paper is on its way until it stands too long.
                PageTrouble::NoPaper => {
                    self.desk.act(&Deed::PagePaper(false))?;
                    self.asks("that it is on its way", |m| step(m) == Some(PrintStep::Printing))?;
                    self.desk.act(&Deed::PagePaper(true))?;
                }
                PageTrouble::GivesUp => {
                    self.desk.act(&Deed::PageGivesUp(true))?;
                    self.asks("a doubt", |m| matches!(step(m), Some(PrintStep::Doubtful(_))))?;
                    self.desk.act(&Deed::PageGivesUp(false))?;
                }
            }
        }
        self.printed(Command::PrintPage)?;
        let pages = self.desk.pages_printed();
        ensure!(pages == before + 1, "{} pages came out for one slip", pages - before);
        self.counts.on_a4 += 1;
        Ok(())
    }

    fn asks(&mut self, what: &str, wanted: impl Fn(&Model) -> bool) -> Result<()> {
        self.terminal.command(Command::PrintPage);
        wait(&mut self.terminal, what, wanted)
    }

    /// What waits for the printer comes by itself; whatever ended is asked for once more.
    fn printed(&mut self, command: Command) -> Result<()> {
        if !step(self.terminal.model()).is_some_and(PrintStep::is_open) {
            self.terminal.command(command);
        }
        wait(&mut self.terminal, "the slip on paper", |m| step(m) == Some(PrintStep::Printed))?;
        self.counts.printed += 1;
        Ok(())
    }
}

/// Where the paper of the slip on the screen is.
fn step(model: &Model) -> Option<PrintStep> {
    let slip = model.session.as_ref().and_then(|s| s.slip.as_ref())?;
    model.print_of(slip.envelope_id)
}
