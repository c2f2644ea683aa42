//! The demo: everything of the product on this machine, for a person to try or to play the story by itself.
//!
//! Refuses to leave anything running: whatever is started here ends with this command, also after Ctrl-C or a kill.
mod accessibility;
pub mod database;
mod display;
mod http;
mod item_words;
mod outcome;
mod people;
mod phrase;
mod pointer;
mod programs;
mod screen;
pub mod screen_size;
pub mod state;
mod story;
mod words;

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{Interrupt, run_bounded, wait_until};
use crate::progress::{self, Steps};
use crate::{setup, workspace};
use accessibility::{Bus, Reader};
use database::Database;
use display::Display;
use people::SamplePerson;
use programs::{ReaderService, Server, Surroundings, Terminal};
use screen_size::ScreenSize;
use state::{Claim, DemoState};

/// From nothing on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(35 * 60);
/// How long somebody may look at an open demo: a working day.
const LONGEST_VISIT: Duration = Duration::from_secs(12 * 60 * 60);
/// Files of an earlier demo that are removed before the next one.
const OLD_FILES: [&str; 3] = ["png", "log", "json"];

/// What somebody asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Play the story and end.
    pub headless: bool,
    /// Of the window, or of the virtual screen.
    pub size: ScreenSize,
    /// Where the server keeps its store.
    pub database: database::Choice,
}

/// Starts everything, waits or plays, and stops everything.
///
/// # Errors
/// Names the step that failed and the log to read.
pub fn run(options: &Options, interrupt: &Interrupt) -> Result<()> {
    let folder = workspace::demo_output();
    let claim = Claim::take(&folder)?;
    let mut steps = Steps::new(if options.headless { 4 } else { 3 });
    steps.run("system packages", || setup::run(interrupt))?;
    let build = workspace::cargo(&["build", "--workspace"]);
    steps.run("build", || run_bounded(build, BUILD_LIMIT, interrupt))?;
    let scratch = tempfile::Builder::new().prefix(state::SCRATCH_PREFIX).tempdir();
    let scratch = scratch.context("cannot make a folder")?;
    remove_old(&folder)?;
    let start = || Stage::start(options, scratch.path(), &folder, interrupt);
    let mut stage = steps.run("card reader service, sync server, terminal", start)?;
    claim.publish(&stage.state(scratch.path()))?;
    if options.headless {
        steps.run("the story", || story::play(&mut stage, options, &folder, interrupt))?;
    } else {
        stage.welcome();
        stage.wait(interrupt)?;
    }
    drop(stage);
    steps.finish(if options.headless {
        "THE STORY CAME TRUE"
    } else {
        "The demo has ended, nothing is left behind,"
    });
    Ok(())
}

/// Everything that runs. Dropped from top to bottom: first the terminal, last the card reader service.
struct Stage {
    terminal: Terminal,
    eyes: Option<Reader>,
    _bus: Option<Bus>,
    server: Server,
    people: Vec<SamplePerson>,
    database: Database,
    display: Rc<Display>,
    reader: ReaderService,
}

impl Stage {
    fn start(options: &Options, scratch: &Path, logs: &Path, interrupt: &Interrupt) -> Result<Self> {
        let reader = ReaderService::start(scratch)?;
        let database = Database::start(&options.database, scratch, logs, interrupt)?;
        let server = Server::start(&database, scratch, logs, interrupt)?;
        let people = people::make(&server, &workspace::assets("text/pages/zh-CN.toml"))?;
        // The story always has a screen of its own: pictures of a real desktop are nobody's business.
        let display = if Display::is_there() && !options.headless {
            Display::Real
        } else {
            Display::start(options.size, scratch, logs, interrupt)?
        };
        let bus = match display.name() {
            Some(name) if options.headless => Some(Bus::start(name, scratch, logs, interrupt)?),
            _ => None,
        };
        // Before there is a window: so it builds its tree from the first frame on.
        let eyes = bus.as_ref().map(|bus| Reader::connect(bus, interrupt)).transpose()?;
        let size = options.size;
        let around =
            Surroundings { scratch, logs, reader: &reader, display: &display, bus: bus.as_ref(), size };
        let terminal = Terminal::start(&around, &server)?;
        Ok(Self { terminal, eyes, _bus: bus, server, people, database, display: Rc::new(display), reader })
    }

    fn state(&self, scratch: &Path) -> DemoState {
        DemoState {
            pid: std::process::id(),
            reader: self.reader.control_socket(),
            console: self.console(),
            scratch: scratch.to_owned(),
        }
    }

    fn console(&self) -> String {
        format!("{}/cases", self.server.addresses().people)
    }

    fn welcome(&self) {
        progress::note("");
        progress::note(&format!("console   {}", self.console()));
        progress::note("people    sample accounts; the first password must be changed at the first sign-in:");
        for person in &self.people {
            progress::note(&format!("          {:<17} {}  {}", person.name, person.password, person.role));
        }
        if let Some(address) = self.database.address() {
            progress::note(&format!("store     {} {address}", self.database.kind()));
        }
        progress::note(
            "card      cargo xtask card tap courier      (in a second shell; `card list` names more)",
        );
        if let Some(name) = self.display.name() {
            let picture = workspace::demo_output().join("now.png");
            progress::note(&format!(
                "screen    {name}, a virtual one, because there is no display here; a picture:"
            ));
            progress::note(&format!("          import -display {name} -window root {}", picture.display()));
        }
        progress::note(&format!("logs      {}", workspace::demo_output().display()));
        progress::note("end       Ctrl-C, or close the window");
        progress::note("");
    }

    /// An error if a program that should run has ended.
    fn ended_badly(&mut self) -> Result<()> {
        self.server.must_run()?;
        self.terminal.must_run()
    }

    /// Until somebody stops it, or something ends by itself.
    fn wait(&mut self, interrupt: &Interrupt) -> Result<()> {
        let ended = wait_until(LONGEST_VISIT, interrupt, || {
            self.server.must_run()?;
            Ok(self.terminal.closed()?.then_some(()))
        });
        if interrupt.came() { Ok(()) } else { ended.map(|_| ()) }
    }
}

fn remove_old(folder: &Path) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for path in entries.flatten().map(|e| e.path()) {
        let old = path.extension().is_some_and(|ending| OLD_FILES.iter().any(|o| *o == ending));
        if old {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
