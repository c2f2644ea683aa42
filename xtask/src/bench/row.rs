//! A figure as a bench writes it: one JSON object a line.
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// What was measured, beside its floor. Field names are read by other programs and do not change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Such as `ingest.throughput`.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// The same of the floor in the same run, if there is one.
    pub floor: Option<f64>,
    /// `value / floor`.
    pub ratio_to_floor: Option<f64>,
}

/// Reads the lines of a bench.
///
/// # Errors
/// If a line is no row, or there is none.
pub fn read(lines: &str) -> Result<Vec<Row>> {
    let rows = lines.lines().map(|l| serde_json::from_str(l).with_context(|| format!("no row: {l}")));
    let rows: Vec<Row> = rows.collect::<Result<_>>()?;
    anyhow::ensure!(!rows.is_empty(), "the bench told nothing");
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        r#"{"name":"ingest.throughput","value":3100.0,"unit":"1/s","floor":6000.0,"ratio_to_floor":0.5167}"#;

    #[test]
    fn rows_come_out_as_they_came_in() {
        let alone = r#"{"name":"x","value":0.0,"unit":"","floor":null,"ratio_to_floor":null}"#;
        let rows = read(&format!("{LINE}\n{alone}\n")).unwrap();
        assert_eq!((rows.len(), rows[1].floor), (2, None));
        assert_eq!(serde_json::to_string(&rows).unwrap(), format!("[{LINE},{alone}]"));
    }

    #[test]
    fn anything_else_is_an_error() {
        for bad in ["", "ready", r#"{"name":"x"}"#, &LINE.replace("\"unit\"", "\"units\"")] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
