//! 快递: who carries parcels. A carrier takes an order and gives its own number; later it calls back, signed with a shared
//! secret ([`signature`]).
//!
//! Which carriers there are stands in `carriers.json` of the data folder, read whenever one is needed. Over sample data
//! there is a simulator as well, which says so wherever it is shown. Refuses to keep to whom anything goes.
pub mod signature;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::keys::{Seed, read_seed_file};
use crate::loopback;
use crate::services::parcels::{BY_HAND, MAX_CARRIER_CHARS};
use crate::sources::{Http, MAX_ANSWER_BYTES};

/// The name of the simulator.
pub const SIMULATED: &str = "simulated";
/// The file with the carriers, in the data folder.
pub const FILE: &str = "carriers.json";
/// The most bytes of the file.
const MAX_FILE_BYTES: u64 = 64 << 10;
/// The most carriers.
const MAX_CARRIERS: usize = 20;

/// An order. Never printed: it names somebody.
#[derive(Serialize)]
pub struct Order<'a> {
    /// The centre's name of it: the same one again is the same order.
    pub order: &'a str,
    /// Name of whoever gets it.
    pub name: &'a str,
    /// Phone number; may be empty.
    pub phone: &'a str,
    /// Address in words.
    pub address: &'a str,
    /// How many things are in it.
    pub pieces: usize,
    /// The number of its seal.
    pub seal: &'a str,
}

/// A carrier takes orders.
pub trait Carrier: Send + Sync {
    /// Its number for the order; the same order again gives the same one. Nothing if it did not take it.
    fn order(&self, order: &Order<'_>) -> Option<String>;
}

/// How a carrier is reached. What it is called is its key in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where orders go: HTTP with JSON at an address of this machine, where a proxy speaks TLS to the carrier.
    pub order: Http,
    /// File of 64 hexadecimal digits with the secret of its call-backs, which nobody else may read.
    pub secret: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    carriers: BTreeMap<String, Settings>,
}

/// The carriers of a centre.
#[derive(Debug, Clone)]
pub struct Carriers {
    path: PathBuf,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CarriersError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    File(#[from] std::io::Error),
    /// It is no such file.
    #[error("{0}")]
    Wrong(String),
}

impl Carriers {
    /// Those of a data folder.
    pub fn new(data: &std::path::Path) -> Self {
        Self { path: data.join(FILE) }
    }

    /// The carriers as they are set up now, by their names; none without the file.
    ///
    /// # Errors
    /// [`CarriersError`] for a file that has a mistake.
    pub fn now(&self) -> Result<BTreeMap<String, Settings>, CarriersError> {
        let length = match std::fs::metadata(&self.path) {
            Ok(found) => found.len(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(e) => return Err(e.into()),
        };
        if length > MAX_FILE_BYTES {
            return Err(CarriersError::Wrong(format!("more than {MAX_FILE_BYTES} bytes")));
        }
        parse(&std::fs::read(&self.path)?)
    }

    /// The secret of a carrier's call-backs; none if it is not set up, or its file cannot be used.
    /// Why not is written to the log.
    pub fn secret(&self, name: &str) -> Option<Seed> {
        let mut all = self
            .now()
            .inspect_err(|e| tracing::error!("no carrier is heard: {}", operator::findings::with_causes(e)))
            .ok()?;
        read_seed_file(&all.remove(name)?.secret)
            .inspect_err(|e| tracing::error!("carrier {name}: {}", operator::findings::with_causes(e)))
            .ok()
    }
}

fn parse(json: &[u8]) -> Result<BTreeMap<String, Settings>, CarriersError> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let file: File = serde_path_to_error::deserialize(&mut reader)
        .map_err(|e| CarriersError::Wrong(format!("{}: {}", e.path(), e.inner())))?;
    let plain = |name: &str| {
        let signs = !name.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, ':' | '/'));
        signs
            && (2..=MAX_CARRIER_CHARS).contains(&name.chars().count())
            && name != SIMULATED
            && name != BY_HAND
    };
    if let Some(name) = file.carriers.keys().find(|name| !plain(name)) {
        return Err(CarriersError::Wrong(format!("carriers.{name}: not a name of a carrier")));
    }
    if file.carriers.len() > MAX_CARRIERS {
        return Err(CarriersError::Wrong(format!("more than {MAX_CARRIERS} carriers")));
    }
    for (name, settings) in &file.carriers {
        if loopback::local(&settings.order.address).is_none() {
            let why = "address is IP and port of this machine: a TLS proxy there goes on";
            return Err(CarriersError::Wrong(format!("carriers.{name}: {why}")));
        }
    }
    Ok(file.carriers)
}

#[derive(Deserialize)]
struct Taken {
    tracking: String,
}

impl Carrier for Settings {
    fn order(&self, order: &Order<'_>) -> Option<String> {
        let body = zeroize::Zeroizing::new(serde_json::to_vec(order).ok()?);
        let answer = self.order.post(&body).filter(|answer| answer.len() <= MAX_ANSWER_BYTES)?;
        Some(serde_json::from_slice::<Taken>(&answer).ok()?.tracking)
    }
}

/// Nobody: gives a number at once, and carries nothing.
pub struct Simulated;

impl Carrier for Simulated {
    fn order(&self, order: &Order<'_>) -> Option<String> {
        Some(format!(
            "SIM{}",
            domain::envelope::Digest::of(order.order.as_bytes()).short().to_ascii_uppercase()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulator_gives_an_order_the_same_number_again() {
        let order =
            |order| Simulated.order(&Order { order, name: "", phone: "", address: "", pieces: 1, seal: "" });
        assert_eq!(order("JP1-1"), order("JP1-1"));
        assert!(order("JP1-1") != order("JP1-2") && order("JP1-1").is_some_and(|n| n.starts_with("SIM")));
    }

    #[test]
    fn a_file_with_a_mistake_sets_up_nobody() {
        let one = |name: &str| {
            format!(
                r#"{{"carriers":{{"{name}":{{"order":{{"address":"127.0.0.1:1","path":"/"}},"secret":"s"}}}}}}"#
            )
        };
        assert!(parse(one("EMS").as_bytes()).is_ok_and(|carriers| carriers.len() == 1));
        let far = ["192.0.2.1:80", "localhost:80", "127.0.0.1"].map(|a| one("EMS").replace("127.0.0.1:1", a));
        for json in &far {
            assert!(parse(json.as_bytes()).is_err(), "{json}");
        }
        let wrong =
            ["", "{}", "[]", &one("simulated"), &one("by_hand"), &one("E"), &one("E:S"), &one("E MS")];
        for json in wrong {
            assert!(parse(json.as_bytes()).is_err(), "{json}");
        }
    }
}
