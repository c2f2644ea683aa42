//! A status word of a chip card, or the third status byte of a security module, in words.
use std::io::Write;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::report;
use crate::iso7816::StatusWord;
use crate::samv::{Reaction, Sw3};

/// Prints what it means; `all` prints every one that has a meaning of its own.
///
/// # Errors
/// If it is neither four nor two hexadecimal digits.
pub(super) fn explain(word: &str, json: bool, out: &mut dyn Write) -> Result<()> {
    if word == "all" {
        return all(json, out);
    }
    // `from_str_radix` takes a sign.
    let digits = word.bytes().all(|digit| digit.is_ascii_hexdigit());
    let row: (String, String) = match (word.len(), u16::from_str_radix(word, 16)) {
        (4, Ok(value)) if digits => of_card(StatusWord(value)),
        (2, Ok(value)) if digits => of_module(Sw3::from(value.to_be_bytes()[1])),
        _ => bail!("a status is four hexadecimal digits (a card's) or two (a security module's)"),
    };
    report::write(&[("status", row.0.into()), ("meaning", row.1.into())], json, out)
}

fn all(json: bool, out: &mut dyn Write) -> Result<()> {
    let words: Vec<_> = StatusWord::all().map(of_card).chain(Sw3::all().map(of_module)).collect();
    if json {
        let rows: Vec<Value> =
            words.iter().map(|(status, meaning)| json!({ "status": status, "meaning": meaning })).collect();
        return report::write(&[("status_words", rows.into())], json, out);
    }
    for (status, meaning) in words {
        writeln!(out, "{status:4}  {meaning}")?;
    }
    Ok(())
}

fn of_card(word: StatusWord) -> (String, String) {
    (format!("{:04X}", word.0), word.meaning())
}

fn of_module(sw3: Sw3) -> (String, String) {
    let reaction = match sw3.reaction() {
        Reaction::GoOn => "it goes on",
        Reaction::KeepLooking => "a card is looked for again, in silence",
        Reaction::Repeat => "the command is repeated",
        Reaction::LayAgain => "the citizen is asked to lift the card and to lay it down again",
        Reaction::OutOfOrder => "staff are told that the reader is out of order",
    };
    (format!("{:02X}", sw3.byte()), format!("{sw3:?}: {reaction}"))
}
