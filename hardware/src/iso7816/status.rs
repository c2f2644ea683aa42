//! Status words: the last two bytes of every answer of a card, and what they mean.
//!
//! Names as ISO 7816-4 gives them, with the few that social-security cards add. English: technicians read them.
use std::fmt;

/// The two status bytes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusWord(pub u16);

impl From<[u8; 2]> for StatusWord {
    fn from(bytes: [u8; 2]) -> Self {
        Self(u16::from_be_bytes(bytes))
    }
}

impl fmt::Display for StatusWord {
    /// The word and its meaning.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X} ({})", self.0, self.meaning())
    }
}

impl StatusWord {
    /// The file or application is not there.
    pub const NOT_FOUND: Self = Self(0x6A82);
    /// The record is not there.
    pub const NO_RECORD: Self = Self(0x6A83);
    /// P1 or P2 is wrong: the card addresses its records in another way.
    pub const WRONG_P1_P2: Self = Self(0x6A86);
    /// A PIN or another card would be needed.
    pub const NOT_ALLOWED_YET: Self = Self(0x6982);

    /// The two bytes.
    pub fn bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }

    /// Whether what came with it may be used: done, or the end of a file before the asked length.
    pub fn is_good(self) -> bool {
        matches!(self.0, 0x9000 | 0x6282)
    }

    /// Whether only something that speaks ISO 7816 answers a SELECT like this: the application is not there, is
    /// blocked, or cannot be chosen now.
    pub fn is_of_a_card(self) -> bool {
        matches!(self.0, 0x6A80..=0x6A82 | 0x6A86 | 0x6A87 | 0x6283 | 0x6285 | 0x6999 | 0x6985 | 0x9303)
    }

    /// Every word that has a meaning of its own.
    pub fn all() -> impl Iterator<Item = Self> {
        EXACT.iter().map(|(word, _)| Self(*word))
    }

    /// What it means.
    pub fn meaning(self) -> String {
        if let Some((_, words)) = EXACT.iter().find(|(word, _)| *word == self.0) {
            return (*words).to_owned();
        }
        let [first, second] = self.bytes();
        match (first, second) {
            (0x61, more) => format!("done, {} more bytes wait (GET RESPONSE)", length(more)),
            (0x6C, exact) => format!("wrong Le; the right one is {}", length(exact)),
            (0x63, 0xC0..=0xCF) => format!("verification failed, {} tries left", second & 0x0F),
            _ => FAMILIES
                .iter()
                .find(|(family, _)| *family == first)
                .map_or("in no table", |(_, words)| words)
                .to_owned(),
        }
    }
}

/// 00 stands for 256.
fn length(byte: u8) -> u16 {
    if byte == 0 { 256 } else { byte.into() }
}

/// Words with a meaning of their own.
const EXACT: [(u16, &str); 46] = [
    (0x9000, "done"),
    (0x6281, "part of the data may be damaged"),
    (0x6282, "end of file or record before the asked length"),
    (0x6283, "the chosen file is out of use"),
    (0x6284, "file control information in a wrong format"),
    (0x6285, "the chosen file is at the end of its life"),
    (0x6300, "verification failed"),
    (0x6381, "the file was filled up by the last write"),
    (0x6400, "execution failed, the card's memory is unchanged"),
    (0x6401, "the card wants an immediate answer"),
    (0x6500, "execution failed, the card's memory has changed"),
    (0x6581, "writing to the card's memory failed"),
    (0x6700, "wrong length"),
    (0x6800, "the function of the class byte is not supported"),
    (0x6881, "the logical channel is not supported"),
    (0x6882, "secure messaging is not supported"),
    (0x6883, "the last command of the chain is missing"),
    (0x6884, "chained commands are not supported"),
    (0x6900, "the command is not allowed"),
    (0x6981, "the command does not fit the file's structure"),
    (0x6982, "security status not satisfied: a PIN or a PSAM would be needed"),
    (0x6983, "the PIN or key is locked"),
    (0x6984, "the data cannot be used: no random number, or out of use"),
    (0x6985, "conditions of use not satisfied"),
    (0x6986, "the command is not allowed: no file is chosen"),
    (0x6987, "data of secure messaging are missing"),
    (0x6988, "data of secure messaging are wrong"),
    (0x6999, "the application could not be chosen"),
    (0x6A00, "wrong P1 or P2"),
    (0x6A80, "wrong parameters in the data"),
    (0x6A81, "the function is not supported, or the application is locked"),
    (0x6A82, "file or application not found"),
    (0x6A83, "record not found"),
    (0x6A84, "not enough memory in the file"),
    (0x6A85, "Lc does not fit the TLV structure"),
    (0x6A86, "wrong P1 or P2"),
    (0x6A87, "Lc does not fit P1 and P2"),
    (0x6A88, "the referenced data or key was not found"),
    (0x6A89, "the file exists already"),
    (0x6B00, "wrong P1 or P2: the offset lies outside of the file"),
    (0x6D00, "the instruction is unknown"),
    (0x6E00, "the class is not supported"),
    (0x6F00, "no precise diagnosis"),
    (0x9302, "the MAC is wrong"),
    (0x9303, "the application is locked for ever"),
    (0x9401, "the amount is not enough"),
];

/// What the first byte alone says.
const FAMILIES: [(u8, &str); 13] = [
    (0x62, "warning, the card's memory is unchanged"),
    (0x63, "warning, the card's memory has changed"),
    (0x64, "execution failed, the card's memory is unchanged"),
    (0x65, "execution failed, the card's memory has changed"),
    (0x66, "security related"),
    (0x68, "functions of the class byte are not supported"),
    (0x69, "the command is not allowed"),
    (0x6A, "wrong parameters"),
    (0x6F, "no precise diagnosis"),
    (0x91, "the card's own status"),
    (0x92, "the card's memory"),
    (0x93, "the card's security"),
    (0x94, "the card's files or keys"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_meaning_and_none_is_said_twice() {
        for (at, (word, words)) in EXACT.iter().enumerate() {
            assert!(!words.is_empty());
            assert!(EXACT[..at].iter().all(|(earlier, _)| earlier != word), "{word:04X} twice");
        }
        for word in 0..=u16::MAX {
            assert!(!StatusWord(word).meaning().is_empty(), "{word:04X}");
        }
    }

    #[test]
    fn counted_words_tell_their_number() {
        let table = [
            (0x6110, "16 more"),
            (0x6100, "256 more"),
            (0x6C0B, "right one is 11"),
            (0x63C2, "2 tries left"),
            (0x6982, "PIN"),
            (0x6283, "out of use"),
            (0x6F42, "no precise"),
            (0x1234, "in no table"),
        ];
        for (word, wanted) in table {
            assert!(StatusWord(word).meaning().contains(wanted), "{word:04X}: {}", StatusWord(word));
        }
        assert!(StatusWord(0x6982).to_string().starts_with("6982 ("));
    }
}
