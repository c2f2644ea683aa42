//! **Simulator**: a chip card of an invented person that answers APDUs, for simulated readers and tests.
//!
//! It knows SELECT, READ RECORD and GET RESPONSE as the published dialogues have them and simulates neither contacts
//! nor radio nor cryptography. It notes when somebody asks what this project never asks.
use crate::{social_security, staff_card};

/// The directory of payment applications, which is never to be selected.
const PPSE: &[u8] = b"2PAY.SYS.DDF01";
/// A payment application.
const PAYMENT: [u8; 7] = [0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01];
/// The answer to a reset of a card with historical bytes of nobody.
pub const ATR: [u8; 7] = [0x3B, 0x83, 0x80, 0x01, 0x4A, 0x42, 0x01];

/// The cards that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// A social-security card of the courier, records by number.
    SocialSecurity,
    /// The same, records by tag, and files by identifier only.
    SocialSecurityByTag,
    /// The same, with the holder's file behind a PIN.
    SocialSecurityLocked,
    /// The same, with the records of the holder's file in another order and a longer name.
    SocialSecurityLongName,
    /// The same, with a number whose check digit is wrong.
    SocialSecurityDamaged,
    /// A staff card, number `1007`.
    Staff,
    /// A bank card.
    Bank,
}

impl Sample {
    /// All of them, with their names in orders.
    pub const ALL: [(&'static str, Self); 7] = [
        ("social-security", Self::SocialSecurity),
        ("social-security-by-tag", Self::SocialSecurityByTag),
        ("social-security-locked", Self::SocialSecurityLocked),
        ("social-security-long-name", Self::SocialSecurityLongName),
        ("social-security-damaged", Self::SocialSecurityDamaged),
        ("staff", Self::Staff),
        ("bank", Self::Bank),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, sample)| *sample == self).map_or("", |(name, _)| name)
    }

    /// The sample of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, sample)| *sample)
    }
}

#[derive(Debug, Clone)]
struct File {
    id: [u8; 2],
    records: Vec<Vec<u8>>,
    locked: bool,
}

#[derive(Debug, Clone)]
struct Application {
    name: Vec<u8>,
    files: Vec<File>,
    /// Records are found by their tag, and files by identifier only.
    by_tag: bool,
}

/// A chip card.
#[derive(Debug, Clone)]
pub struct SimulatedCard {
    sample: Sample,
    applications: Vec<Application>,
    chosen: Option<(usize, Option<usize>)>,
    /// What GET RESPONSE fetches.
    waiting: Vec<u8>,
    forbidden: u32,
}

impl SimulatedCard {
    /// A sample.
    pub fn new(sample: Sample) -> Self {
        let applications = match sample {
            Sample::Staff => vec![Application {
                name: staff_card::AID.to_vec(),
                files: vec![File { id: [0, 1], records: vec![b"1007\0\0".to_vec()], locked: false }],
                by_tag: false,
            }],
            Sample::Bank => [PPSE, &PAYMENT]
                .iter()
                .map(|name| Application { name: name.to_vec(), files: vec![], by_tag: false })
                .collect(),
            _ => vec![social_security_application(sample)],
        };
        Self { sample, applications, chosen: None, waiting: Vec::new(), forbidden: 0 }
    }

    /// Which sample it is.
    pub fn sample(&self) -> Sample {
        self.sample
    }

    /// How often it was asked what this project never asks: to verify a PIN, or for the directory of payments.
    pub fn forbidden(&self) -> u32 {
        self.forbidden
    }

    /// Power was taken away: nothing is chosen.
    pub fn reset(&mut self) {
        self.chosen = None;
        self.waiting.clear();
    }

    /// Answers a command.
    pub fn answer(&mut self, apdu: &[u8]) -> Vec<u8> {
        let &[class, instruction, p1, p2, ref rest @ ..] = apdu else { return vec![0x67, 0x00] };
        if instruction == 0x20 {
            self.forbidden += 1;
        }
        if class != 0 {
            return vec![0x6E, 0x00];
        }
        match instruction {
            0xA4 => match rest {
                [length, data @ ..] if data.len() >= usize::from(*length) => {
                    self.select(p1, &data[..usize::from(*length)])
                }
                _ => vec![0x67, 0x00],
            },
            0xB2 => self.read_record(p1, p2, rest.first().copied().unwrap_or(0)),
            0xC0 => self.get_response(rest.first().copied().unwrap_or(0)),
            0x20 => vec![0x63, 0xC5],
            _ => vec![0x6D, 0x00],
        }
    }

    fn select(&mut self, p1: u8, name: &[u8]) -> Vec<u8> {
        if name == PPSE {
            self.forbidden += 1;
        }
        if p1 == 0x04 {
            let Some(at) = self.applications.iter().position(|app| app.name == name) else {
                return vec![0x6A, 0x82];
            };
            self.chosen = Some((at, (self.sample == Sample::Staff).then_some(0)));
            self.waiting = [&[0x6F, 2 + name.len() as u8, 0x84, name.len() as u8], name].concat();
            return vec![0x61, self.waiting.len() as u8];
        }
        let Some((at, _)) = self.chosen else { return vec![0x69, 0x85] };
        let application = &self.applications[at];
        if application.by_tag && p1 == 0x02 {
            return vec![0x6A, 0x86];
        }
        match application.files.iter().position(|file| file.id == name) {
            Some(file) => {
                self.chosen = Some((at, Some(file)));
                vec![0x90, 0x00]
            }
            None => vec![0x6A, 0x82],
        }
    }

    fn read_record(&mut self, p1: u8, p2: u8, le: u8) -> Vec<u8> {
        let Some((at, Some(file))) = self.chosen else { return vec![0x69, 0x86] };
        let application = &self.applications[at];
        let file = &application.files[file];
        if file.locked {
            return vec![0x69, 0x82];
        }
        let wanted_p2 = if application.by_tag { 0x00 } else { 0x04 };
        if p2 != wanted_p2 {
            return vec![0x6A, 0x86];
        }
        let record = if application.by_tag {
            file.records.iter().find(|record| record.first() == Some(&p1))
        } else {
            file.records.get(usize::from(p1).wrapping_sub(1))
        };
        match record {
            None => vec![0x6A, 0x83],
            // As cards with contacts do: the length has to be right.
            Some(record) if usize::from(le) != record.len() => vec![0x6C, record.len() as u8],
            Some(record) => [record, &[0x90, 0x00][..]].concat(),
        }
    }

    fn get_response(&mut self, le: u8) -> Vec<u8> {
        let wanted = if le == 0 { 256 } else { usize::from(le) };
        let piece: Vec<u8> = self.waiting.drain(..wanted.min(self.waiting.len())).collect();
        match u8::try_from(self.waiting.len()) {
            Ok(0) => [&piece, &[0x90, 0x00][..]].concat(),
            Ok(more) => [&piece, &[0x61, more][..]].concat(),
            Err(_) => [&piece, &[0x61, 0x00][..]].concat(),
        }
    }
}

/// `tag, length, value`, the value filled up to `length` with zeros.
fn record(tag: u8, length: u8, value: &[u8]) -> Vec<u8> {
    let mut record = vec![tag, length];
    record.extend_from_slice(value);
    record.resize(2 + usize::from(length), 0);
    record
}

/// The courier's name in GBK: U+6837 U+5C0F U+5DDD.
const NAME: [u8; 6] = [0xD1, 0xF9, 0xD0, 0xA1, 0xB4, 0xA8];

/// The courier of the sample ID cards once more: nobody.
fn social_security_application(sample: Sample) -> Application {
    let number: &[u8] =
        if sample == Sample::SocialSecurityDamaged { b"639900199005201030" } else { b"639900199005201035" };
    let mut code = [0x11; 16];
    code[..3].copy_from_slice(&[0x63, 0x99, 0x00]);
    let card = vec![
        record(0x01, 16, &code),
        record(0x02, 1, b"3"),
        record(0x03, 4, b"3.00"),
        record(0x04, 12, &[0x22; 12]),
        record(0x05, 4, &[0x20, 0x20, 0x01, 0x02]),
        record(0x06, 4, &[0x20, 0x49, 0x12, 0x31]),
        record(0x07, 9, b"Y12345678"),
    ];
    let mut holder = vec![
        record(0x08, 18, number),
        record(0x09, 30, &NAME),
        record(0x0A, 1, b"1"),
        record(0x0B, 1, &[0x01]),
        record(0x0C, 3, &[0x63, 0x99, 0x00]),
        record(0x0D, 4, &[0x19, 0x90, 0x05, 0x20]),
    ];
    if sample == Sample::SocialSecurityLongName {
        holder.insert(2, record(0x4E, 20, &NAME));
        holder.reverse();
    }
    let locked = sample == Sample::SocialSecurityLocked;
    Application {
        name: social_security::AID.to_vec(),
        files: vec![
            File { id: [0xEF, 0x05], records: card, locked: false },
            File { id: [0xEF, 0x06], records: holder, locked },
        ],
        by_tag: sample == Sample::SocialSecurityByTag,
    }
}
