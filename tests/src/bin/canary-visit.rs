//! A headless terminal with the real program's allocator, which one person visits, for a look into its memory.
//!
//! `canary-visit DATA SERVER PHONE_SEED`. It says `card` when a card is to be laid down, `filled` when the form is
//! filled in and the visit goes on with the next line of standard input, and `ended` when it is over; then it stays
//! until the next line. Whoever calls lays the card. `canary-visit abort` and `canary-visit panic TEXT` break off, with a core
//! dump and the text if the program's own settings let them. Refuses to hold what it types: the phone number is put together from its seed.
use std::alloc::System;
use std::io::{BufRead as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use terminal::command::Command;
use terminal::model::{CardStep, Screen};
use tests::visit;
use zeroizing_alloc::ZeroAlloc;

#[global_allocator]
static WIPED: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    terminal::dumps::keep_out()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["abort"] => std::process::abort(),
        ["panic", words] => {
            // The words of this panic quote the text.
            drop(words[1..].to_owned());
            bail!("the first sign has one byte")
        }
        [data, server, seed] => one_visit(Path::new(data), server, seed.parse()?),
        _ => bail!("DATA SERVER PHONE_SEED, abort, or panic TEXT"),
    }
}

fn one_visit(data: &Path, server: &str, seed: u64) -> Result<()> {
    let config = visit::config(data, server);
    let mut terminal = visit::start(&config);
    visit::search(&mut terminal)?;
    visit::begin(&mut terminal)?;
    if terminal.model().screen == Screen::Needs {
        terminal.command(Command::Continue);
    }
    say("card")?;
    visit::wait(&mut terminal, "the card", |m| {
        m.session.as_ref().is_some_and(|s| s.card == CardStep::Done && s.drafts.lines.is_some())
    })?;
    if terminal.model().screen == Screen::Card {
        terminal.command(Command::Continue);
    }
    let mut answers = visit::answers();
    let phone = answers.iter_mut().find(|(key, _)| *key == "phone").context("a field for a phone")?;
    phone.1 = Value::String(tests::canary::phone(seed));
    visit::fill_with(&mut terminal, &answers)?;
    drop(answers);
    say("filled")?;
    next_line()?;
    visit::submit(&mut terminal)?;
    visit::delivered(&mut terminal)?;
    terminal.command(Command::Finish);
    visit::wait(&mut terminal, "the end of the visit", |m| m.session.is_none())?;
    say("ended")?;
    next_line()
}

fn say(word: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word}")?;
    Ok(out.flush()?)
}

fn next_line() -> Result<()> {
    std::io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}
