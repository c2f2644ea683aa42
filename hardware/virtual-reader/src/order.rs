//! The line protocol of the control socket: one order a line, one answer a line (`ok …` or `error …`). Pure.
//!
//! | order | what it does |
//! |---|---|
//! | `insert HEX` | lays down a card with this image, lifting the one that lies there |
//! | `insert-chip NAME` | lays down a chip card (`hardware::simulated_card`), lifting the one that lies there |
//! | `insert-atr HEX` or without | lays down a card that answers a reset with these bytes, or none, and knows no command |
//! | `insert-mute` | lays down a card that does not wake up |
//! | `remove` | lifts the card |
//! | `newest-address HEX` or without | which newest address the cards have from now on (UTF-16LE); none |
//! | `remove-mid-read` | lifts it in the middle of the next read |
//! | `remove-at N` | lifts it before the exchange that is N further on |
//! | `unplug-at N` | the same with the reader; without N it is plugged in again |
//! | `status` | tells what lies there and which faults are set |
//! | `sw HEX [COUNT [status,sam-id,find,select,read,address,body-number]]` | the next answers carry this SW3 |
//! | `garbage`, `wrong-checksum`, `truncate`, `oversize`, `noise`, each `[COUNT]` | spoils the next answers |
//! | any of these with COUNT 0 | the next answers are good again |
//! | `delay MS` | every exchange takes so long |
//! | `module`, `control`, `image`, `pass`, each `on` or `off` | whether there is a security module; one way to it |
//! | `reset` | as after the start |
use std::fmt;
use std::time::Duration;

use hardware::samv::Command;
use hardware::simulated_card::Sample;

use crate::state::MAX_IMAGE_LEN;

/// Most bytes in a line, with the line's end.
pub const MAX_LINE_LEN: usize = 2 * MAX_IMAGE_LEN + 64;

/// What a client may order.
#[derive(Clone, PartialEq, Eq)]
pub enum Order {
    /// Lays down a card with this image.
    Insert(Vec<u8>),
    /// Lays down a chip card.
    InsertChip(Sample),
    /// Lays down a card that answers a reset with these bytes, and knows no command.
    InsertAtr(Vec<u8>),
    /// Lays down a card that does not wake up.
    InsertMute,
    /// Lifts the card.
    Remove,
    /// Gives the cards this newest address; none if it is empty.
    NewestAddress(Vec<u8>),
    /// Lifts the card in the middle of the next read.
    RemoveMidRead,
    /// Lifts the card before the exchange that is so much further on.
    RemoveAt(u32),
    /// Unplugs the reader before the exchange that is so much further on; none: it is plugged in again.
    UnplugAt(Option<u32>),
    /// Tells the state.
    Status,
    /// Spoils the next answers, this many.
    Fault(Fault, u32),
    /// Makes every exchange take so long.
    Delay(Duration),
    /// Switches a part of the reader on or off.
    Switch(Part, bool),
    /// As after the start.
    Reset,
}

/// How an answer is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It carries this SW3 and no data; only to this command, if one is named.
    Status(u8, Option<Command>),
    /// It is no frame at all.
    Garbage,
    /// Its checksum is wrong.
    WrongChecksum,
    /// Half of it is missing.
    Truncate,
    /// Its length field says 65,535.
    Oversize,
    /// It stands behind noise that looks like the beginning of a frame.
    Noise,
}

/// A part of the reader that can be switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The security module, and with it both ways.
    Module,
    /// Control commands.
    Control,
    /// The card image by `FF B0`.
    Image,
    /// Frames inside pseudo-APDUs.
    Pass,
}

/// Why a line is no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// No such order.
    #[error("unknown order")]
    Unknown,
    /// The order wants other words behind it.
    #[error("wrong argument")]
    Argument,
}

impl std::str::FromStr for Order {
    type Err = OrderError;

    fn from_str(line: &str) -> Result<Self, OrderError> {
        let mut words = line.split_ascii_whitespace();
        let name = words.next().ok_or(OrderError::Unknown)?;
        let first = words.next();
        let order = match name {
            "insert" => Self::Insert(image(first)?),
            "insert-chip" => {
                let sample = first.and_then(Sample::from_name);
                Self::InsertChip(sample.ok_or(OrderError::Argument)?)
            }
            "insert-atr" => Self::InsertAtr(match first {
                Some(digits) => image(Some(digits))?,
                None => Vec::new(),
            }),
            "insert-mute" => Self::none(first, Self::InsertMute)?,
            "remove-at" => Self::RemoveAt(first.map_or(Err(OrderError::Argument), |n| count(Some(n)))?),
            "unplug-at" => Self::UnplugAt(first.map(|n| count(Some(n))).transpose()?),
            "remove" => Self::none(first, Self::Remove)?,
            "newest-address" => Self::NewestAddress(match first {
                Some(digits) => image(Some(digits))?,
                None => Vec::new(),
            }),
            "remove-mid-read" => Self::none(first, Self::RemoveMidRead)?,
            "status" => Self::none(first, Self::Status)?,
            "reset" => Self::none(first, Self::Reset)?,
            "delay" => Self::Delay(Duration::from_millis(number(first)?)),
            "module" | "control" | "image" | "pass" => Self::Switch(part(name), switch(first)?),
            "sw" => {
                let sw3 =
                    u8::from_str_radix(first.unwrap_or_default(), 16).map_err(|_| OrderError::Argument)?;
                let count = count(words.next())?;
                Self::Fault(Fault::Status(sw3, command(words.next())?), count)
            }
            "garbage" => Self::Fault(Fault::Garbage, count(first)?),
            "wrong-checksum" => Self::Fault(Fault::WrongChecksum, count(first)?),
            "truncate" => Self::Fault(Fault::Truncate, count(first)?),
            "oversize" => Self::Fault(Fault::Oversize, count(first)?),
            "noise" => Self::Fault(Fault::Noise, count(first)?),
            _ => return Err(OrderError::Unknown),
        };
        if words.next().is_some() { Err(OrderError::Argument) } else { Ok(order) }
    }
}

impl Order {
    fn none(word: Option<&str>, order: Self) -> Result<Self, OrderError> {
        if word.is_some() { Err(OrderError::Argument) } else { Ok(order) }
    }
}

impl fmt::Display for Order {
    /// The line without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insert(bytes) => hex(f, "insert ", bytes),
            Self::NewestAddress(bytes) => hex(f, "newest-address ", bytes),
            Self::InsertChip(sample) => write!(f, "insert-chip {}", sample.name()),
            Self::InsertAtr(atr) => hex(f, "insert-atr ", atr),
            Self::InsertMute => f.write_str("insert-mute"),
            Self::RemoveAt(exchange) => write!(f, "remove-at {exchange}"),
            Self::UnplugAt(Some(exchange)) => write!(f, "unplug-at {exchange}"),
            Self::UnplugAt(None) => f.write_str("unplug-at"),
            Self::Remove => f.write_str("remove"),
            Self::RemoveMidRead => f.write_str("remove-mid-read"),
            Self::Status => f.write_str("status"),
            Self::Reset => f.write_str("reset"),
            Self::Delay(delay) => write!(f, "delay {}", delay.as_millis()),
            Self::Switch(part, on) => {
                let part = ["module", "control", "image", "pass"][*part as usize];
                write!(f, "{part} {}", if *on { "on" } else { "off" })
            }
            Self::Fault(Fault::Status(sw3, None), count) => write!(f, "sw {sw3:02x} {count}"),
            Self::Fault(Fault::Status(sw3, Some(only)), count) => {
                let name = COMMANDS.iter().find(|(_, command)| command == only).map_or("", |(name, _)| name);
                write!(f, "sw {sw3:02x} {count} {name}")
            }
            Self::Fault(Fault::Garbage, count) => write!(f, "garbage {count}"),
            Self::Fault(Fault::WrongChecksum, count) => write!(f, "wrong-checksum {count}"),
            Self::Fault(Fault::Truncate, count) => write!(f, "truncate {count}"),
            Self::Fault(Fault::Oversize, count) => write!(f, "oversize {count}"),
            Self::Fault(Fault::Noise, count) => write!(f, "noise {count}"),
        }
    }
}

impl fmt::Debug for Order {
    /// A card image is never printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insert(image) => write!(f, "insert ({} bytes)", image.len()),
            Self::NewestAddress(address) => write!(f, "newest-address ({} bytes)", address.len()),
            other => write!(f, "{other}"),
        }
    }
}

/// The commands that a status may be meant for.
const COMMANDS: [(&str, Command); 7] = [
    ("status", Command::Status),
    ("sam-id", Command::SamId),
    ("address", Command::ReadNewestAddress),
    ("body-number", Command::ReadBodyNumber),
    ("find", Command::Find),
    ("select", Command::Select),
    ("read", Command::ReadTextPhoto),
];

fn hex(f: &mut fmt::Formatter<'_>, name: &str, bytes: &[u8]) -> fmt::Result {
    f.write_str(name)?;
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn image(word: Option<&str>) -> Result<Vec<u8>, OrderError> {
    let digits = word.unwrap_or_default().as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) || digits.len() > 2 * MAX_IMAGE_LEN {
        return Err(OrderError::Argument);
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits
        .chunks_exact(2)
        .map(|pair| Some(value(pair[0])? * 16 + value(pair[1])?))
        .collect::<Option<_>>()
        .ok_or(OrderError::Argument)
}

fn number(word: Option<&str>) -> Result<u64, OrderError> {
    word.and_then(|word| word.parse().ok()).ok_or(OrderError::Argument)
}

fn count(word: Option<&str>) -> Result<u32, OrderError> {
    word.map_or(Ok(1), |word| word.parse().map_err(|_| OrderError::Argument))
}

fn command(word: Option<&str>) -> Result<Option<Command>, OrderError> {
    let Some(word) = word else { return Ok(None) };
    let known = COMMANDS.iter().find(|(name, _)| *name == word).ok_or(OrderError::Argument)?;
    Ok(Some(known.1))
}

fn part(name: &str) -> Part {
    match name {
        "control" => Part::Control,
        "image" => Part::Image,
        "pass" => Part::Pass,
        _ => Part::Module,
    }
}

fn switch(word: Option<&str>) -> Result<bool, OrderError> {
    match word {
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        _ => Err(OrderError::Argument),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_survives_the_line() {
        let orders = [
            Order::Insert(vec![0x00, 0xAB, 0xFF]),
            Order::Remove,
            Order::NewestAddress(vec![0x37, 0x68]),
            Order::NewestAddress(vec![]),
            Order::Fault(Fault::Status(0x24, Some(Command::SamId)), 3),
            Order::RemoveMidRead,
            Order::InsertChip(Sample::SocialSecurityByTag),
            Order::InsertMute,
            Order::InsertAtr(vec![]),
            Order::InsertAtr(vec![0xFF; 33]),
            Order::RemoveAt(3),
            Order::UnplugAt(Some(2)),
            Order::UnplugAt(None),
            Order::Switch(Part::Pass, true),
            Order::Status,
            Order::Reset,
            Order::Delay(Duration::from_millis(250)),
            Order::Switch(Part::Module, false),
            Order::Switch(Part::Control, true),
            Order::Switch(Part::Image, false),
            Order::Fault(Fault::Status(0x66, None), 3),
            Order::Fault(Fault::Status(0x41, Some(Command::ReadTextPhoto)), 1),
            Order::Fault(Fault::Garbage, 1),
            Order::Fault(Fault::WrongChecksum, 2),
            Order::Fault(Fault::Truncate, 1),
            Order::Fault(Fault::Oversize, 1),
            Order::Fault(Fault::Noise, 1),
        ];
        for order in orders {
            assert_eq!(order.to_string().parse(), Ok(order.clone()), "{order:?}");
        }
        let longest = Order::Insert(vec![1; MAX_IMAGE_LEN]).to_string();
        assert!(longest.len() < MAX_LINE_LEN);
        assert!(longest.parse::<Order>().is_ok());
    }

    #[test]
    fn short_forms_are_understood() {
        assert_eq!("sw 60".parse(), Ok(Order::Fault(Fault::Status(0x60, None), 1)));
        assert_eq!("garbage".parse(), Ok(Order::Fault(Fault::Garbage, 1)));
        assert_eq!("  remove \r".parse(), Ok(Order::Remove));
    }

    #[test]
    fn other_lines_are_refused() {
        let table = [
            ("", OrderError::Unknown),
            ("  ", OrderError::Unknown),
            ("explode", OrderError::Unknown),
            ("insert", OrderError::Argument),
            ("insert abc", OrderError::Argument),
            ("insert-chip", OrderError::Argument),
            ("insert-chip visa", OrderError::Argument),
            ("insert-mute 1", OrderError::Argument),
            ("remove-at", OrderError::Argument),
            ("remove-at soon", OrderError::Argument),
            ("unplug-at soon", OrderError::Argument),
            ("insert zz", OrderError::Argument),
            ("insert 样例样例", OrderError::Argument),
            ("insert 00 11", OrderError::Argument),
            ("remove now", OrderError::Argument),
            ("sw", OrderError::Argument),
            ("sw 100", OrderError::Argument),
            ("sw 41 x", OrderError::Argument),
            ("sw 41 1 everything", OrderError::Argument),
            ("garbage -1", OrderError::Argument),
            ("delay", OrderError::Argument),
            ("delay 1s", OrderError::Argument),
            ("module", OrderError::Argument),
            ("module maybe", OrderError::Argument),
        ];
        for (line, error) in table {
            assert_eq!(line.parse::<Order>(), Err(error), "{line}");
        }
        let too_long = format!("insert {}", "00".repeat(MAX_IMAGE_LEN + 1));
        assert_eq!(too_long.parse::<Order>(), Err(OrderError::Argument));
    }

    #[test]
    fn a_card_is_not_printed() {
        assert_eq!(format!("{:?}", Order::Insert(vec![0x41; 3])), "insert (3 bytes)");
        assert_eq!(format!("{:?}", Order::NewestAddress(vec![0x41; 2])), "newest-address (2 bytes)");
    }
}
