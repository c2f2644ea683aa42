//! A simulator of a source, which everything that shows it calls so: delays, outages, nonsense, late and double answers.
use std::collections::BTreeMap;
use std::time::Duration;

use domain::rules::FactValue;
use serde::Deserialize;
use serde_json::json;

use super::{Adapter, Request};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// It does not answer.
    Down,
    /// What it answers is no answer.
    Nonsense,
    /// It answers to another request.
    Other,
    /// It gives its answer twice.
    Twice,
    /// It gives two answers.
    Two,
    /// Its answer is endless.
    Huge,
}

/// How it answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Simulated {
    /// How long it takes, in milliseconds.
    pub delay_ms: u64,
    /// What goes wrong.
    pub fault: Fault,
    /// What it says of everybody.
    pub values: BTreeMap<String, FactValue>,
    /// What it says otherwise of some, by ID number.
    pub but: BTreeMap<String, BTreeMap<String, FactValue>>,
}

impl Adapter for Simulated {
    fn ask(&self, request: &Request) -> Option<Vec<u8>> {
        std::thread::sleep(Duration::from_millis(self.delay_ms));
        let mut values = self.values.clone();
        values.extend(self.but.get(&request.person.id_number).cloned().unwrap_or_default());
        let answer =
            |id: &str| json!({ "id": id, "on": request.on, "values": values, "simulated": true }).to_string();
        let right = answer(&request.id);
        Some(match self.fault {
            Fault::Down => return None,
            Fault::None => right.into_bytes(),
            Fault::Nonsense => b"<html>502".to_vec(),
            Fault::Other => answer("another").into_bytes(),
            Fault::Twice => [right.as_bytes(), right.as_bytes()].concat(),
            Fault::Two => [right.as_bytes(), answer("another").as_bytes()].concat(),
            Fault::Huge => vec![b' '; super::MAX_ANSWER_BYTES + 1],
        })
    }
}
