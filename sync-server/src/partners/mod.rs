//! 协作地区: which other regions this centre hands matters to and takes them from, with their keys, and how they are asked.
//!
//! The register is the file `partners.json` in the data folder, read again whenever it is needed. Without it this centre
//! hands nothing over and takes nothing. Refuses to learn a key over the network: two operators exchange them.
mod client;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use domain::envelope::{KeyRing, PublicKey, SealingPublicKey};
use domain::handoff::{Adcode, TRANSFER};
use domain::item::{Period, PeriodUnit};
use serde::Deserialize;

pub use client::{Silence, form_of, items_of, send};

use crate::loopback;

/// Its name in the data folder.
pub const FILE: &str = "partners.json";
/// The most bytes of the file.
const MAX_BYTES: u64 = 256 << 10;
/// The most partners.
pub const MAX_PARTNERS: usize = 500;
/// The longest name, phone or initials, in characters.
const MAX_CHARS: usize = 60;
/// The longest time for a transfer that regions agree on, in tenths of a working day.
const MAX_TRANSFER_TENTHS: u32 = 300;

/// The register cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The file cannot be read.
    #[error("partners.json cannot be read")]
    File(#[from] std::io::Error),
    /// It is no such file.
    #[error("partners.json: {0}")]
    Wrong(String),
}

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Who this centre is for the others.
    pub own: Own,
    /// The others.
    pub partners: Vec<Partner>,
}

/// Who a centre is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Own {
    /// Code of its region.
    pub adcode: Adcode,
    /// Name of the unit that answers, with its region.
    pub name: String,
    /// Its phone.
    pub phone: String,
}

/// Another region's centre.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// Code of its region.
    pub adcode: Adcode,
    /// Name of the unit that answers, with its region.
    pub name: String,
    /// Pinyin initials of the region's name, for the picker.
    pub initials: String,
    /// Its phone.
    pub phone: String,
    /// IP and port of this machine, where a TLS proxy goes on to the partner's listener for terminals.
    pub address: String,
    /// The key of its receipts: it signs its messages.
    pub signing_key: PublicKey,
    /// A sealing key of it: what is personal is sealed to it.
    pub sealing_key: SealingPublicKey,
    /// How long the transfer may take, in tenths of a working day.
    #[serde(default = "usual_transfer")]
    pub transfer_tenths: u32,
}

fn usual_transfer() -> u32 {
    TRANSFER.tenths
}

impl Partner {
    /// The keys whose signatures count as its own.
    pub fn ring(&self) -> KeyRing {
        KeyRing::new([self.signing_key.clone()])
    }

    /// How long the transfer may take.
    pub fn transfer(&self) -> Period {
        Period { tenths: self.transfer_tenths, unit: PeriodUnit::WorkingDay }
    }

    /// Whether a search finds it: by the initials, the code or a part of the name.
    pub fn is_found_by(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.initials.to_lowercase().starts_with(&text)
            || self.adcode.as_str().starts_with(&text)
            || self.name.to_lowercase().contains(&text)
    }
}

impl Register {
    /// The partner of this region.
    pub fn partner(&self, code: &Adcode) -> Option<&Partner> {
        self.partners.iter().find(|partner| partner.adcode == *code)
    }

    /// Reads and checks the text of a register.
    ///
    /// # Errors
    /// [`RegisterError`] with the place of the first mistake.
    pub fn parse(json: &[u8]) -> Result<Self, RegisterError> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let register: Self = serde_path_to_error::deserialize(&mut reader)
            .map_err(|e| RegisterError::Wrong(format!("{}: {}", e.path(), e.inner())))?;
        let wrong = |at: &str, why: &str| Err(RegisterError::Wrong(format!("{at}: {why}")));
        if register.partners.len() > MAX_PARTNERS {
            return wrong("partners", "too many");
        }
        let (mut codes, mut signers) = (BTreeSet::from([&register.own.adcode]), BTreeSet::new());
        let text = |text: &String| !text.trim().is_empty() && text.chars().count() <= MAX_CHARS;
        if !text(&register.own.name) || !text(&register.own.phone) {
            return wrong("own", "name and phone are 1 to 60 characters");
        }
        for partner in &register.partners {
            let at = partner.adcode.as_str();
            if !codes.insert(&partner.adcode) {
                return wrong(at, "stands twice, or is this centre's own");
            }
            if ![&partner.name, &partner.phone, &partner.initials].into_iter().all(text) {
                return wrong(at, "name, phone and initials are 1 to 60 characters");
            }
            if loopback::local(&partner.address).is_none() {
                return wrong(at, "address is IP and port of this machine: a TLS proxy there goes on");
            }
            if partner.signing_key.verifier().is_err() || ![32, 65].contains(&partner.sealing_key.0.0.len()) {
                return wrong(at, "signing_key or sealing_key is no key");
            }
            // Whoever signs is known by the key alone.
            if !signers.insert(partner.signing_key.key_id().to_string()) {
                return wrong(at, "has the signing_key of another partner");
            }
            if partner.transfer_tenths == 0 || partner.transfer_tenths > MAX_TRANSFER_TENTHS {
                return wrong(at, "transfer_tenths is from 1 to 300");
            }
        }
        Ok(register)
    }
}

impl Register {
    /// It, if none of the partners has this centre's own key.
    ///
    /// # Errors
    /// [`RegisterError`] that names the partner.
    pub fn of(self, own: &PublicKey) -> Result<Self, RegisterError> {
        match self.partners.iter().find(|partner| partner.signing_key == *own) {
            None => Ok(self),
            Some(partner) => {
                let at = partner.adcode.as_str();
                Err(RegisterError::Wrong(format!("{at}: has the signing_key of this centre")))
            }
        }
    }
}

/// Where the register lies.
#[derive(Debug, Clone)]
pub struct Place(PathBuf);

impl Place {
    /// In a data folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self(folder.join(FILE))
    }

    /// The register as it is now; none if there is no file.
    ///
    /// # Errors
    /// [`RegisterError`]
    pub fn read(&self) -> Result<Option<Register>, RegisterError> {
        let length = match std::fs::metadata(&self.0) {
            Ok(metadata) => metadata.len(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        if length > MAX_BYTES {
            return Err(RegisterError::Wrong(format!("more than {MAX_BYTES} bytes")));
        }
        Register::parse(&std::fs::read(&self.0)?).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use domain::envelope::{DeviceKey, SealingKey};
    use serde_json::{Value, json};

    use super::*;

    fn sound() -> Value {
        let signing = DeviceKey::from_seed([1; 32]).public();
        let sealing = SealingKey::from_seed([2; 32]).public();
        json!({
            "own": { "adcode": "630100", "name": "Xining (sample)", "phone": "0971-0000001" },
            "partners": [{
                "adcode": "632700", "name": "Yushu (sample)", "initials": "YS", "phone": "0976-0000001",
                "address": "127.0.0.1:9", "signing_key": signing, "sealing_key": sealing,
            }],
        })
    }

    #[test]
    fn a_register_is_read_and_searched() {
        let register = Register::parse(sound().to_string().as_bytes()).expect("sound");
        let partner = register.partner(&"632700".parse().expect("a code")).expect("there");
        assert_eq!(partner.transfer(), TRANSFER);
        for text in ["", "y", "ys", "6327", "yushu"] {
            assert!(partner.is_found_by(text), "{text}");
        }
        assert!(!partner.is_found_by("xn") && register.partner(&register.own.adcode).is_none());
    }

    #[test]
    fn this_centre_is_no_partner_of_its_own() {
        let parsed = || Register::parse(sound().to_string().as_bytes()).expect("sound");
        let own = DeviceKey::from_seed([1; 32]).public();
        assert!(parsed().of(&own).is_err());
        assert!(parsed().of(&DeviceKey::from_seed([3; 32]).public()).is_ok());
    }

    #[test]
    fn each_mistake_is_told() {
        type Break = fn(&mut Value);
        let broken: [(&str, Break); 10] = [
            ("632600", |v| {
                let mut same_key = v["partners"][0].clone();
                same_key["adcode"] = json!("632600");
                v["partners"].as_array_mut().expect("a list").push(same_key);
            }),
            ("632700", |v| v["partners"][0]["address"] = json!("192.0.2.1:80")),
            ("632700", |v| v["partners"][0]["initials"] = json!(" ")),
            ("632700", |v| v["partners"][0]["sealing_key"] = json!("AAAA")),
            ("632700", |v| v["partners"][0]["transfer_tenths"] = json!(0)),
            ("630100", |v| v["partners"][0]["adcode"] = json!("630100")),
            ("adcode", |v| v["partners"][0]["adcode"] = json!("63270")),
            ("own", |v| v["own"]["phone"] = json!("")),
            ("more", |v| v["more"] = json!(1)),
            ("632700", |v| {
                let twice = v["partners"][0].clone();
                v["partners"].as_array_mut().expect("a list").push(twice);
            }),
        ];
        for (at, break_it) in broken {
            let mut value = sound();
            break_it(&mut value);
            let error = Register::parse(value.to_string().as_bytes()).expect_err("a mistake").to_string();
            assert!(error.contains(at), "{error}");
        }
        let none = Place::in_folder(Path::new("/nowhere")).read().expect("nothing");
        assert!(none.is_none());
    }
}
