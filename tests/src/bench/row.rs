//! One figure of a bench, as a line of JSON: what was measured, its floor, and their ratio.
use std::io::Write as _;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// A figure. Field names are read by other programs and do not change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What was measured, such as `ingest.throughput`.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// The same of the floor in the same run; none where there is none.
    pub floor: Option<f64>,
    /// `value / floor`.
    pub ratio_to_floor: Option<f64>,
}

impl Row {
    /// A figure beside its floor.
    pub fn beside(name: &str, value: f64, unit: &str, floor: f64) -> Self {
        let ratio = (floor != 0.0).then(|| rounded(value / floor));
        Self {
            name: name.to_owned(),
            value: rounded(value),
            unit: unit.to_owned(),
            floor: Some(rounded(floor)),
            ratio_to_floor: ratio,
        }
    }

    /// A figure without a floor.
    pub fn alone(name: &str, value: f64, unit: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: rounded(value),
            unit: unit.to_owned(),
            floor: None,
            ratio_to_floor: None,
        }
    }

    /// Writes the row to standard output, a line.
    ///
    /// # Errors
    /// If standard output is closed.
    pub fn tell(&self) -> Result<()> {
        let line = serde_json::to_string(self)? + "\n";
        std::io::stdout().write_all(line.as_bytes()).context("standard output")
    }
}

/// Four significant digits: more would be noise.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    #[allow(clippy::cast_possible_truncation)] // an exponent of ten
    let scale = 10_f64.powi(3 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_exactly_the_five_fields_that_others_read() {
        let row = Row::beside("ingest.throughput", 3_123.456, "1/s", 6_000.0);
        let json = serde_json::to_value(&row).expect("JSON");
        let wanted = serde_json::json!({
            "name": "ingest.throughput", "value": 3_123.0, "unit": "1/s", "floor": 6_000.0, "ratio_to_floor": 0.5206
        });
        assert_eq!(json, wanted);
        let alone = serde_json::to_value(Row::alone("x", 0.000_123_456, "s")).expect("JSON");
        let wanted = serde_json::json!({
            "name": "x", "value": 0.000_123_5, "unit": "s", "floor": null, "ratio_to_floor": null
        });
        assert_eq!(alone, wanted);
    }

    #[test]
    fn no_ratio_to_nothing() {
        assert_eq!(Row::beside("x", 1.0, "s", 0.0).ratio_to_floor, None);
        assert!(rounded(0.0).abs() < f64::EPSILON && rounded(f64::INFINITY).is_infinite());
    }
}
