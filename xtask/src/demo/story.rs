//! The story of the first thread, played on the real programs and the real window: a courier joins the pension with
//! the network down, the window is killed, the link comes back, the centre holds exactly one case.
//!
//! Refuses to touch the programs in any other way than a person, a power cut or an operator could.
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::accessibility::Role;
use super::item_words::{ItemWords, own_matter};
use super::outcome::{self, Row};
use super::people::Visitor;
use super::phrase::Phrase;
use super::programs::version;
use super::screen::Screen;
use super::words::Words;
use super::{Options, Stage};
use crate::process::{Interrupt, kill_now, wait_until};
use crate::progress::{self, seconds};
use crate::{card, workspace};

/// The item that the story fills in, and what is typed to find it: the initials of its name.
const ITEM: &str = "hrss.flex-enroll";
const INITIALS: &str = "lhjycb";
/// The card of an invented person that is laid down.
const CARD: &str = "courier";
/// A number that nobody has.
const PHONE: &str = "13900000000";
/// Who looks at the console.
const CLERK: &str = "sample.clerk";
/// Places of the chosen answers among all choices of the form: the second contribution level, platform delivery.
const BASE_LEVEL: usize = 1;
const JOB: usize = 7;
/// How long the supervisor may take to bring the window back.
const RESTART_LIMIT: Duration = Duration::from_secs(30);
/// A signature: strokes as shares of the pad.
const SIGNATURE: [&[(f64, f64)]; 3] = [
    &[(0.20, 0.25), (0.28, 0.24), (0.36, 0.24), (0.44, 0.22)],
    &[(0.32, 0.12), (0.32, 0.30), (0.30, 0.48), (0.24, 0.64)],
    &[(0.34, 0.32), (0.42, 0.48), (0.52, 0.62), (0.62, 0.66), (0.72, 0.60)],
];

/// Looks of half a minute until the countdown has come.
const IDLE_LOOKS: usize = 3;

/// Plays the story and writes `story.json`.
///
/// # Errors
/// Names the step, what was on the screen, and the log to read.
pub fn play(stage: &mut Stage, options: &Options, folder: &Path, interrupt: &Interrupt) -> Result<()> {
    let words = Words::read(&workspace::assets("text/zh-CN.toml"))?;
    let item = ItemWords::read(&workspace::assets("catalogue/items"), ITEM)?;
    let display = std::rc::Rc::clone(&stage.display);
    let eyes = stage.eyes.take().context("the story needs an accessibility bus")?;
    let screen = Screen::new(eyes, &display, folder, interrupt)?;
    let mut story = Story { stage, screen, words, item, interrupt, steps: Vec::new() };
    let told = story.tell()?;
    let report = json!({
        "item": ITEM, "card": CARD, "screen": options.size.to_string(), "database": story.stage.database.kind(),
        "programs": { "terminal": version("terminal")?, "sync-server": version("sync-server")? },
        "story": told, "steps": story.steps, "pictures": story.screen.pictures(),
    });
    let path = folder.join("story.json");
    let text = serde_json::to_string_pretty(&report).context("cannot write the story")?;
    std::fs::write(&path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    progress::note(&format!(
        "{} pictures and story.json in {}",
        story.screen.pictures().len(),
        folder.display()
    ));
    Ok(())
}

struct Story<'a> {
    stage: &'a mut Stage,
    screen: Screen<'a>,
    words: Words,
    item: ItemWords,
    interrupt: &'a Interrupt,
    steps: Vec<Value>,
}

impl Story<'_> {
    /// All of it; gives what came of it.
    fn tell(&mut self) -> Result<Value> {
        self.step("the terminal is ready", Self::arrive)?;
        let offline = Instant::now();
        self.step("the sync server is stopped", Self::cut_the_link)?;
        self.step("start, and search by initials", Self::search)?;
        self.step("guide", Self::guide)?;
        self.step("situation question", Self::say_whose_matter)?;
        self.step("card", Self::lay_card)?;
        self.step("form", Self::fill_in)?;
        self.step("signature", Self::sign)?;
        self.step("check answers, submit, slip", Self::submit)?;
        let slip = self.row()?;
        ensure!(slip.receipt.is_none() && slip.all["state"] == "queued", "the slip was not made offline");
        let restart_ms = self.step("the window process is killed", Self::kill_window)?;
        self.step("the sync server is started again", |story| {
            story.stage.server.start_again(story.interrupt)
        })?;
        let row = self.step("the submission arrives, the receipt comes home", |story| {
            Row::delivered(&story.stage.terminal, story.interrupt)
        })?;
        let offline = offline.elapsed();
        ensure!(row.slip == slip.slip, "the slip changed after it was shown");
        self.step("my cases show it as delivered", Self::look_at_cases)?;
        self.step("a tour of other pages", Self::look_around)?;
        let visitor = self.step("a sample clerk signs in at the console", Self::sign_in)?;
        let centre = self.step("the centre holds exactly one case with the slip's digest", |story| {
            let centre = outcome::centre(&story.stage.server, &visitor, &row.slip, story.interrupt)?;
            outcome::judge(&row, &centre).map(|()| centre)
        })?;
        let mut told = outcome::report(&row, &centre);
        told["offline_secs"] = json!(offline.as_secs_f64());
        told["window_back_after_ms"] = json!(restart_ms);
        told["slip_page"] = json!(centre.slip_page);
        Ok(told)
    }

    /// One step with its name, its time, and the logs in its error.
    fn step<T>(&mut self, name: &str, act: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let outcome = act(self);
        let took = started.elapsed();
        self.steps.push(json!({ "step": name, "secs": took.as_secs_f64() }));
        if outcome.is_ok() {
            progress::note(&format!("{:>7}  {name}", seconds(took)));
            return outcome;
        }
        // The last look is worth more than any message.
        let _ = self.screen.photograph("failed");
        let logs = self.stage.ended_badly().err().map(|e| format!(" ({e:#})")).unwrap_or_default();
        outcome.with_context(|| {
            format!(
                "the story stopped at \"{name}\"{logs}; pictures and logs: {}",
                workspace::demo_output().display()
            )
        })
    }

    fn arrive(&mut self) -> Result<()> {
        self.see("attract.start")?;
        self.picture("attract")
    }

    fn cut_the_link(&mut self) -> Result<()> {
        self.stage.server.stop();
        let address = format!("{}/healthz", self.stage.server.addresses().people);
        ensure!(super::http::get(&address, None).is_err(), "the sync server still answers");
        Ok(())
    }

    fn sign_in(&mut self) -> Result<Visitor> {
        let people = &self.stage.people;
        let clerk = people.iter().find(|person| person.name == CLERK).context("there is no sample clerk")?;
        Visitor::sign_in(&self.stage.server.addresses().people, clerk)
    }

    fn search(&mut self) -> Result<()> {
        self.tap("attract.start")?;
        self.see("home.title")?;
        self.see("header.offline")?;
        self.picture("home")?;
        self.tap("home.search_hint")?;
        self.see("search.start")?;
        let mut typed = String::new();
        for letter in INITIALS.chars() {
            self.screen.tap(&Phrase::exact(&letter.to_string()))?;
            typed.push(letter);
            self.screen.see(&Phrase::exact(&typed))?;
        }
        let (found, one) = (self.words.phrase("search.found")?, self.words.phrase("search.one_found")?);
        let ours = Phrase::starting(&self.item.short_name);
        let first = self.screen.wait_for("a search result", |elements| {
            let heading = elements.iter().position(|e| found.matches(&e.name) || one.matches(&e.name))?;
            elements[heading..].iter().find(|e| e.role == Role::Button).map(|e| e.name.clone())
        })?;
        ensure!(ours.matches(&first), "the first result for {INITIALS} is \"{first}\", not {ours}");
        self.picture("search")?;
        self.screen.tap(&ours)
    }

    fn guide(&mut self) -> Result<()> {
        self.see("guide.begin")?;
        self.picture("guide")?;
        self.tap("guide.begin")
    }

    fn say_whose_matter(&mut self) -> Result<()> {
        let own = own_matter(&workspace::assets("catalogue/situations.json"))?;
        let answers: Vec<String> = std::iter::once(own).chain(self.item.situation.clone()).collect();
        for (n, answer) in answers.iter().enumerate() {
            self.screen.choose(&Phrase::exact(answer))?;
            self.picture(&format!("question-{}", n + 1))?;
            self.tap("form.go_on")?;
        }
        Ok(())
    }

    fn lay_card(&mut self) -> Result<()> {
        self.see("card.state.waiting")?;
        self.picture("card")?;
        card::lay(&self.stage.reader.control_socket(), CARD)?;
        self.see("card.state.done")?;
        self.picture("card-read")?;
        self.tap("card.continue")?;
        self.screen.see(&Phrase::exact(&self.item.pages[0]))?;
        card::lift(&self.stage.reader.control_socket())
    }

    fn fill_in(&mut self) -> Result<()> {
        for digit in PHONE.chars() {
            self.screen.tap(&Phrase::exact(&digit.to_string()))?;
        }
        self.see("form.phone_complete")?;
        self.page_done("form-phone", 1)?;
        self.tap("form.same_as_card")?;
        self.screen.gone(&self.words.phrase("form.choose_region")?)?;
        self.page_done("form-address", 2)?;
        self.screen.choose(&Phrase::exact(self.item.choice(BASE_LEVEL)?))?;
        self.screen.choose(&Phrase::starting(self.words.get("form.this_month")?))?;
        self.page_done("form-contribution", 3)?;
        self.screen.choose(&Phrase::exact(self.item.choice(JOB)?))?;
        self.page_done("form-work", 4)?;
        // The bank card may be left empty.
        self.page_done("form-bank-card", 5)
    }

    /// A picture of the filled page, Continue, and the title of the next page.
    fn page_done(&mut self, picture: &str, next: usize) -> Result<()> {
        self.picture(picture)?;
        self.tap("form.go_on")?;
        let title = self.item.pages.get(next).context("the form has fewer pages than the story")?;
        self.screen.see(&Phrase::exact(title)).map(|_| ())
    }

    fn sign(&mut self) -> Result<()> {
        self.see("signature.pad")?;
        self.tap("signature.done")?;
        self.see("form.summary.title")?;
        self.picture("form-error")?;
        self.screen.draw(&self.words.phrase("signature.pad")?, &SIGNATURE)?;
        self.picture("signature")?;
        self.tap("signature.done")
    }

    fn submit(&mut self) -> Result<()> {
        self.see("check.title")?;
        self.picture("check")?;
        self.tap("check.submit")?;
        let name = self.words.phrase("slip.number_name")?;
        let element = self.screen.see(&name)?;
        let shown = name.gap(&element.name).context("the slip shows no number")?.to_owned();
        self.see("slip.saved")?;
        self.see("slip.mark.saved")?;
        self.see("slip.mark.wait_delivered")?;
        let picture = self.screen.photograph("slip")?;
        let number = self.row()?.slip.number.to_string();
        ensure!(shown == number, "the screen shows {shown}, the store holds {number}");
        let code = outcome::qr_code(&picture)?;
        let people = &self.stage.server.addresses().people;
        ensure!(code.starts_with(people.as_str()) && code.contains(&number), "the QR code says {code}");
        Ok(())
    }

    fn row(&self) -> Result<Row> {
        Row::read(&self.stage.terminal)
    }

    /// Kills the window; gives the milliseconds until the attract page is there again.
    fn kill_window(&mut self) -> Result<u64> {
        let pid = self.stage.terminal.window_pid().context("there is no window process")?;
        kill_now(pid)?;
        let killed = Instant::now();
        let terminal = &self.stage.terminal;
        let new = wait_until(RESTART_LIMIT, self.interrupt, || {
            Ok(terminal.window_pid().filter(|new| *new != pid))
        })?;
        if new.is_none() {
            bail!("the supervisor did not start a new window process");
        }
        self.see("attract.start")?;
        let took = u64::try_from(killed.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.picture("attract-after-kill").map(|()| took)
    }

    fn look_at_cases(&mut self) -> Result<()> {
        self.tap("attract.start")?;
        self.screen.tap(&Phrase::starting(self.words.get("home.my_cases")?))?;
        self.see("card.state.waiting")?;
        card::lay(&self.stage.reader.control_socket(), CARD)?;
        self.see("card.state.done")?;
        self.tap("card.continue")?;
        self.see("my_cases.title")?;
        self.see("my_cases.state.delivered")?;
        self.see("slip.mark.delivered")?;
        self.picture("my-cases")?;
        card::lift(&self.stage.reader.control_socket())?;
        self.tap("my_cases.finish")?;
        self.see("attract.start").map(|_| ())
    }

    /// Pages that the story does not need, for those who look at the pictures.
    fn look_around(&mut self) -> Result<()> {
        self.tap("attract.start")?;
        self.see("home.title")?;
        self.tap("home.all")?;
        self.see("items.all")?;
        self.picture("items")?;
        self.tap("footer.back")?;
        self.screen.tap(&Phrase::starting(self.words.get("home.help")?))?;
        self.see("help.title")?;
        self.picture("help")?;
        self.tap("footer.back")?;
        self.see("home.title")?;
        self.tap("footer.finish")?;
        self.tap("attract.elder")?;
        self.see("home.title_elder")?;
        self.picture("home-elder")?;
        self.tap("footer.finish")?;
        self.walk_away()
    }

    /// Nobody touches anything: the countdown comes, and ends the visit at a tap.
    fn walk_away(&mut self) -> Result<()> {
        self.tap("attract.start")?;
        self.see("home.title")?;
        let title = self.words.phrase("countdown.title")?;
        // A minute without a touch takes longer than a look at the screen waits.
        for _ in 0..IDLE_LOOKS {
            if self.screen.see(&title).is_ok() {
                break;
            }
            self.interrupt.check()?;
        }
        self.see("countdown.still_here")?;
        self.picture("countdown")?;
        self.tap("countdown.finish")?;
        self.see("attract.start")
    }

    fn see(&self, key: &str) -> Result<()> {
        self.screen.see(&self.words.phrase(key)?).map(|_| ())
    }

    fn tap(&self, key: &str) -> Result<()> {
        self.screen.tap(&self.words.phrase(key)?)
    }

    fn picture(&mut self, name: &str) -> Result<()> {
        self.screen.photograph(name).map(|_| ())
    }
}
