//! `card-tool`: what a technician asks about readers, cards, captures and ID numbers.
//!
//! | module | what it holds |
//! |---|---|
//! | `cli` | the arguments and their help |
//! | `report` | a card as lines or as JSON |
//! | `status_word` | what a card or module means by a status |
//! | `number` | what kind of number it is, or what is wrong with it |
//! | `devices` | readers and the card on one (feature `devices`) |
//!
//! Exit codes: 0 good, 1 not good (said on standard error), 2 wrong arguments. Prints a person's data on standard
//! output because that is what it is asked for; never a photo, never anything into a file or log.
mod cli;
#[cfg(feature = "devices")]
mod devices;
mod number;
mod report;
mod status_word;

use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{CommandFactory, Parser};
use zeroize::Zeroizing;

use crate::capture::{self, MAX_CAPTURE_LEN};
#[cfg(feature = "devices")]
use crate::card_reader::CardData;
use crate::social_security::{self, SocialSecurityCard};
use cli::{Cli, Task};

/// What `-` stands for.
const STANDARD_INPUT: &str = "-";

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    // Wrong arguments end here, with code 2.
    let cli = Cli::parse();
    match run(&cli, &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever closed standard error does not want to hear it.
            let _ = writeln!(std::io::stderr(), "card-tool: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does what was asked and prints it to `out`.
///
/// # Errors
/// Whatever makes the exit code 1.
fn run(cli: &Cli, out: &mut dyn Write) -> Result<()> {
    match &cli.task {
        #[cfg(feature = "devices")]
        Task::List(options) => devices::list(options, cli.json, out),
        #[cfg(feature = "devices")]
        Task::Read(options) => devices::read(options, cli.json, out),
        Task::Decode { file, social_security: false } => {
            let bytes = read_bounded(file)?;
            let card = capture::decode(&bytes)?;
            report::write(&report::rows(&card), cli.json, out)
        }
        Task::Decode { file, social_security: true } => {
            let bytes = read_bounded(file)?;
            if bytes.len() > MAX_CAPTURE_LEN {
                bail!("the capture is longer than {MAX_CAPTURE_LEN} bytes");
            }
            let mut card = SocialSecurityCard::default();
            social_security::take_in(&mut card, &bytes)?;
            if card == SocialSecurityCard::default() {
                bail!("the capture holds no record of a social-security card");
            }
            report::write(&report::social_security_rows(&card), cli.json, out)
        }
        Task::StatusWord { word } => status_word::explain(word, cli.json, out),
        Task::Check { number } => number::check(&number_of(number)?, cli.json, out),
        Task::Completions { shell } => {
            // Whole first: the generator breaks off where a reader went away.
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "card-tool", &mut script);
            Ok(out.write_all(&script)?)
        }
    }
}

/// All that a card says, whichever it is.
#[cfg(feature = "devices")]
fn rows_of(card: &CardData) -> Vec<report::Row> {
    match card {
        CardData::IdCard(card) => {
            let mut rows = report::rows(card);
            rows.push(("address_is_newest", card.address_is_newest.into()));
            rows
        }
        CardData::SocialSecurity(card) => report::social_security_rows(card),
        CardData::Staff(number) => {
            vec![("kind", "staff".into()), ("staff_number", number.as_str().into())]
        }
    }
}

/// The bytes of a file or of standard input; one more than a capture may have is enough to refuse it.
fn read_bounded(file: &str) -> Result<Zeroizing<Vec<u8>>> {
    let most = u64::try_from(MAX_CAPTURE_LEN).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_CAPTURE_LEN + 1));
    if file == STANDARD_INPUT {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes).context("cannot read standard input")?;
    } else {
        let opened = std::fs::File::open(file).with_context(|| format!("cannot open {file}"))?;
        opened.take(most).read_to_end(&mut bytes).with_context(|| format!("cannot read {file}"))?;
    }
    Ok(bytes)
}

/// The number as an argument, or as the first line of standard input, where no list of processes shows it.
fn number_of(argument: &str) -> Result<Zeroizing<String>> {
    if argument != STANDARD_INPUT {
        return Ok(Zeroizing::new(argument.to_owned()));
    }
    let bytes = read_bounded(argument)?;
    let text = std::str::from_utf8(&bytes).context("standard input is no text")?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().trim().to_owned()))
}
