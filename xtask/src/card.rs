//! Lays a card of an invented person on the virtual reader of the running demo, and lifts it.
//!
//! Refuses real cards: only the files in `assets/cards` are known here.
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use hardware::card_file;
use virtual_reader::control::Control;

use crate::demo::state;
use crate::workspace;

/// How long a tapped card stays: a read takes far less.
const TAP: Duration = Duration::from_secs(2);

/// What to do with a card.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Gesture {
    /// Lay a card down and lift it after two seconds.
    Tap {
        /// A name from `cargo xtask card list`, such as courier.
        name: String,
    },
    /// Lay a card down and leave it there.
    Lay {
        /// A name from `cargo xtask card list`, such as courier.
        name: String,
    },
    /// Lift the card that lies there.
    Lift,
    /// Names of the cards.
    List,
}

/// Does it at the reader of the running demo.
///
/// # Errors
/// If no demo runs, there is no such card, or the reader does not answer.
pub fn run(gesture: &Gesture) -> Result<()> {
    if *gesture == Gesture::List {
        let list = names()?.join("\n");
        return writeln!(std::io::stdout(), "{list}").context("standard output");
    }
    if let Gesture::Tap { name } | Gesture::Lay { name } = gesture {
        known(name)?;
    }
    let demo = state::running(&workspace::demo_output())?;
    match gesture {
        Gesture::Tap { name } => {
            lay(&demo.reader, name)?;
            std::thread::sleep(TAP);
            lift(&demo.reader)
        }
        Gesture::Lay { name } => lay(&demo.reader, name),
        Gesture::Lift => lift(&demo.reader),
        Gesture::List => Ok(()),
    }
}

/// Lays a card on the reader with this control socket.
///
/// # Errors
/// If there is no such card or the reader does not answer.
pub fn lay(reader: &Path, name: &str) -> Result<()> {
    let image = card_file::load_image(&known(name)?).with_context(|| format!("card \"{name}\""))?;
    control(reader)?.insert(&image).context("cannot lay the card down")
}

/// Lifts whatever lies there.
///
/// # Errors
/// If the reader does not answer.
pub fn lift(reader: &Path) -> Result<()> {
    control(reader)?.remove().context("cannot lift the card")
}

fn control(reader: &Path) -> Result<Control> {
    Control::connect(reader).context("the virtual reader of the demo cannot be reached")
}

fn known(name: &str) -> Result<std::path::PathBuf> {
    let names = names()?;
    if !names.iter().any(|n| n == name) {
        bail!("there is no card \"{name}\"; there are: {}", names.join(", "));
    }
    Ok(workspace::assets("cards").join(name).with_extension("toml"))
}

fn names() -> Result<Vec<String>> {
    let folder = workspace::assets("cards");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let files = entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "toml"));
    let mut names: Vec<String> =
        files.filter_map(|p| Some(p.file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cards_of_the_tour_are_there_and_others_are_refused_by_name() {
        let names = names().unwrap();
        assert!(names.iter().any(|n| n == "courier") && names.iter().any(|n| n == "elder"), "{names:?}");
        let refused = known("../courier").unwrap_err().to_string();
        assert!(refused.contains("courier, ") && refused.contains("there are"), "{refused}");
    }
}
