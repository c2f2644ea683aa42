//! What the log of the reader says, in the language of the screen: the log itself is kept in English, for the log file.
//!
//! Refuses to guess: what it does not know stands as it is, and status bytes of a chip card are the same in every language.
use hardware::samv::{Command, FrameError, Sw3};
use hardware::trace::Line;
use hardware::transport::TransportError;

use crate::widgets::Cx;

/// What was asked, and how often in a row.
pub(super) fn asked(cx: &Cx<'_>, line: &Line) -> String {
    let words = command(&line.asked)
        .map(|(key, code)| format!("{} {code}", cx.tf(&format!("devices.command.{key}"), &[])))
        .or_else(|| error_key(&line.asked).map(|key| cx.tf(&format!("devices.came.{key}"), &[])));
    let words = words.unwrap_or_else(|| line.asked.clone());
    if line.times > 1 { format!("{} × {words}", line.times) } else { words }
}

/// What came: a status of the module with its byte, an error, or status bytes as they are.
pub(super) fn came(cx: &Cx<'_>, line: &Line) -> String {
    if let Some(status) = status(&line.came) {
        let words = cx.tf(&format!("devices.came.{}", status_key(status)), &[]);
        return format!("{:02X} {words}", status.byte());
    }
    let words = error_key(&line.came).map(|key| cx.tf(&format!("devices.came.{key}"), &[]));
    words.unwrap_or_else(|| line.came.clone())
}

/// `ReadTextPhoto 30 01`: the key of the name, and the two bytes.
fn command(asked: &str) -> Option<(&'static str, &str)> {
    let (name, code) = asked.split_once(' ')?;
    if name == "?" {
        return Some(("other", code));
    }
    let mut bytes = code.split(' ').map(|byte| u8::from_str_radix(byte, 16).ok());
    let (first, second) = (bytes.next()??, bytes.next()??);
    let command = Command::from_code([first, second]).filter(|command| format!("{command:?}") == name)?;
    Some((command_key(command), code))
}

fn command_key(command: Command) -> &'static str {
    match command {
        Command::Reset => "reset",
        Command::Status => "status",
        Command::SamId => "sam_id",
        Command::Find => "find",
        Command::Select => "select",
        Command::ReadTextPhoto => "read_text_photo",
        Command::ReadNewestAddress => "read_newest_address",
        Command::ReadBodyNumber => "read_body_number",
    }
}

/// A status by the name that the log gives it.
fn status(came: &str) -> Option<Sw3> {
    let other = || came.strip_prefix("Other(")?.strip_suffix(')')?.parse().ok().map(Sw3::Other);
    Sw3::all().find(|status| format!("{status:?}") == came).or_else(other)
}

fn status_key(status: Sw3) -> &'static str {
    match status {
        Sw3::Done => "done",
        Sw3::AbsentOnCard => "absent_on_card",
        Sw3::Found => "found",
        Sw3::ReceivedChecksum => "received_checksum",
        Sw3::ReceivedLength => "received_length",
        Sw3::BadCommand => "bad_command",
        Sw3::NotPermitted => "not_permitted",
        Sw3::UnknownCommand => "unknown_command",
        Sw3::CardRefusedModule => "card_refused_module",
        Sw3::ModuleRefusedCard => "module_refused_card",
        Sw3::DataVerification => "data_verification",
        Sw3::FingerprintVerification => "fingerprint_verification",
        Sw3::InformationLength => "information_length",
        Sw3::UnknownCardKind => "unknown_card_kind",
        Sw3::ReadFailed => "read_failed",
        Sw3::NoRandomNumber => "no_random_number",
        Sw3::SelfTestFailed => "self_test_failed",
        Sw3::NotAuthorised => "not_authorised",
        Sw3::NoCard => "no_card",
        Sw3::SelectFailed => "select_failed",
        Sw3::HostPort => "host_port",
        Sw3::HostTimeout => "host_timeout",
        Sw3::HostTransfer => "host_transfer",
        Sw3::HostNoModule => "host_no_module",
        Sw3::HostFile => "host_file",
        Sw3::Other(_) => "other",
    }
}

/// Why nothing of use came, by the English words.
fn error_key(words: &str) -> Option<&'static str> {
    let transport = TRANSPORT.into_iter().find(|error| error.to_string() == words).map(transport_key);
    let frame = || match words {
        "no status" => Some("no_status"),
        _ if words == FrameError::Incomplete.to_string() => Some("incomplete"),
        _ if words == FrameError::Checksum.to_string() => Some("checksum"),
        _ => words.strip_prefix("impossible length ").map(|_| "length"),
    };
    transport.or_else(frame)
}

const TRANSPORT: [TransportError; 8] = [
    TransportError::Unsupported,
    TransportError::CardRemoved,
    TransportError::CardMute,
    TransportError::Busy,
    TransportError::Refused,
    TransportError::Failed,
    TransportError::ReaderGone,
    TransportError::ServiceGone,
];

fn transport_key(error: TransportError) -> &'static str {
    match error {
        TransportError::Unsupported => "unsupported",
        TransportError::CardRemoved => "card_removed",
        TransportError::CardMute => "card_mute",
        TransportError::Busy => "busy",
        TransportError::Refused => "host_port",
        TransportError::Failed => "failed",
        TransportError::ReaderGone => "reader_gone",
        TransportError::ServiceGone => "service_gone",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use domain::text::Language;
    use hardware::samv::Answer;
    use hardware::trace::Trace;
    use hardware::transport::{ApduChannel, Transport};
    use zeroize::Zeroizing;

    use super::*;
    use crate::model::{Look, Model};
    use crate::widgets::Kit;

    /// A reader that says one thing.
    struct Says(Result<Vec<u8>, TransportError>);

    impl Transport for Says {
        fn exchange(&mut self, _: &[u8], _: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError> {
            self.0.clone().map(Zeroizing::new)
        }
    }

    impl ApduChannel for Says {
        fn transmit(&mut self, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
            self.0.clone().map(Zeroizing::new)
        }
    }

    /// Everything that a module can make the real log say.
    fn log() -> Vec<Line> {
        let trace = Trace::default();
        let says = |frame: &[u8], answer| drop(trace.over("a", Says(answer)).exchange(frame, Duration::ZERO));
        for command in Command::ALL {
            says(&command.encode(), Ok(Answer::encode(0x90, &[])));
        }
        let find = Command::Find.encode();
        Sw3::all()
            .chain([Sw3::Other(0xAB)])
            .for_each(|status| says(&find, Ok(Answer::encode(status.byte(), &[]))));
        TRANSPORT.into_iter().for_each(|error| says(&find, Err(error)));
        let mut spoilt = Answer::encode(0x90, &[]);
        spoilt.last_mut().into_iter().for_each(|byte| *byte ^= 1);
        says(&find, Ok(spoilt));
        says(&find, Ok(vec![0xAA, 0xAA, 0xAA, 0x96, 0x69, 0xFF, 0xFF, 0]));
        says(&find, Ok(vec![0]));
        says(b"no frame", Ok(vec![0]));
        drop(trace.over("a", Says(Ok(Vec::new()))).transmit(&[0, 0xA4, 4, 0]));
        trace.newest(usize::MAX)
    }

    fn told(language: Language, lines: &[Line]) -> Vec<(String, String)> {
        let kit = Kit::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets")).unwrap();
        let mut model = Model::new(Arc::new(Model::empty_catalogue()), 0);
        model.look = Look { language, ..Look::default() };
        let mut out = Vec::new();
        let cx = Cx::new(&model, &kit, &mut out);
        lines.iter().map(|line| (asked(&cx, line), came(&cx, line))).collect()
    }

    /// Letters that no byte in hexadecimal digits has.
    fn has_english(words: &str) -> bool {
        words.split(' ').any(|word| word.chars().any(|c| c.is_ascii_alphabetic()) && word.len() > 2)
    }

    #[test]
    fn everything_that_the_log_says_is_chinese_on_the_chinese_page_and_tells_states_apart() {
        let lines = log();
        assert!(lines.len() > 45, "{}", lines.len());
        let chinese = told(Language::ZhCn, &lines);
        for (asked, came) in &chinese {
            assert!(!has_english(asked) && !has_english(came), "{asked} | {came}");
            assert!(!came.contains("devices.") && !asked.contains("devices."), "{asked} | {came}");
        }
        let english = told(Language::En, &lines);
        assert!(english.iter().all(|(asked, came)| asked.is_ascii() && came.is_ascii()), "{english:?}");
        assert!(chinese.iter().any(|(_, came)| came.starts_with("AB ")), "an unknown status keeps its byte");
        let states = |told: &[(String, String)]| {
            told.iter().map(|(_, came)| came.clone()).collect::<std::collections::BTreeSet<_>>().len()
        };
        assert_eq!((states(&chinese), states(&english)), (26 + 8 + 4, 26 + 8 + 4));
    }

    #[test]
    fn bytes_stay_and_repetitions_are_counted() {
        let line = |asked: &str, came: &str, times| Line {
            number: 1,
            reader: "a".into(),
            asked: asked.to_owned(),
            sent: 1,
            came: came.to_owned(),
            received: 1,
            took: Duration::ZERO,
            times,
        };
        let lines =
            [line("Find 20 01", "NoCard", 12), line("00 A4 04 00", "6A 82", 1), line("? 30 10", "new", 1)];
        let told = told(Language::En, &lines);
        let told: Vec<_> = told.iter().map(|(asked, came)| (asked.as_str(), came.as_str())).collect();
        assert_eq!(
            told,
            [("12 × find 20 01", "80 no card"), ("00 A4 04 00", "6A 82"), ("other 30 10", "new")]
        );
    }
}
