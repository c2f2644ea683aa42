//! Delivery receipts of SMPP: the TLVs of version 3.4 and up where they are there, the text of its appendix B
//! (`id:… stat:…`) where they are not.
use super::{Fate, Report};

/// Bytes of a receipt's text that are looked at.
const MAX_TEXT: usize = 255;

/// The receipt that a text is; nothing if it is none.
pub fn of_text(text: &[u8]) -> Option<Report> {
    let text = String::from_utf8_lossy(text.get(..MAX_TEXT).unwrap_or(text));
    let lower = text.to_ascii_lowercase();
    // ASCII case only, so that places agree.
    let word = |name: &str| -> Option<&str> {
        let at = lower.find(name)? + name.len();
        text.get(at..)?.split(|c: char| c.is_ascii_whitespace() || c.is_ascii_control()).next()
    };
    let id = word("id:").filter(|id| is_name(id))?;
    let fate = fate_of_word(word("stat:")?);
    Some(Report { id: id.to_owned(), fate })
}

/// Whether a gateway may call a message so: what every store can keep.
pub fn is_name(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())
}

/// What a word of a receipt's text means; one that is not known says nothing.
fn fate_of_word(word: &str) -> Fate {
    match word.to_ascii_uppercase().as_str() {
        "DELIVRD" => Fate::Delivered,
        "EXPIRED" | "DELETED" | "UNDELIV" | "REJECTD" => Fate::Undelivered(word.to_ascii_uppercase()),
        _ => Fate::OnItsWay,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn receipts_are_read_as_gateways_write_them() {
        let text = b"id:0A1b-77 sub:001 dlvrd:001 submit date:2611301700 done date:2611301701 stat:DELIVRD err:000 text:";
        assert_eq!(of_text(text), Some(Report { id: "0A1b-77".into(), fate: Fate::Delivered }));
        let undelivered = of_text(b"ID:9 STAT:undeliv ERR:012").expect("a receipt");
        assert_eq!(undelivered.fate, Fate::Undelivered("UNDELIV".into()));
        for stat in ["ENROUTE", "ACCEPTD", "UNKNOWN", "????"] {
            let text = format!("id:9 stat:{stat}");
            assert_eq!(of_text(text.as_bytes()).map(|r| r.fate), Some(Fate::OnItsWay), "{stat}");
        }
        let cut = of_text(b"id:7\0x stat:DELIVRD\0").expect("a receipt");
        assert_eq!((cut.id.as_str(), cut.fate), ("7", Fate::Delivered));
        for other in ["", "stat:DELIVRD", "id: stat:DELIVRD", "hello", "id:1"] {
            assert_eq!(of_text(other.as_bytes()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_there_it_is_a_receipt_or_none(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = of_text(&text);
        }
    }
}
