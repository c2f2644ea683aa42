//! `docs/threats.md`: a row for each threat, and each test that it names is in the tree.
use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use tests::binaries::repository;

use crate::tidy::files;

/// Threats, T01 to T42.
const THREATS: usize = 42;

/// Names of tests that stand between backticks.
fn named(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_threat_has_a_row_and_every_test_that_it_names_is_there() -> Result<()> {
    let text = std::fs::read_to_string(repository().join("docs/threats.md"))?;
    let there: BTreeSet<String> = files(".rs")
        .iter()
        .flat_map(|file| file.text.split("fn ").skip(1))
        .filter_map(|rest| rest.split_once('(').map(|(name, _)| name.to_owned()))
        .collect();
    let (mut number, mut tests) = (0, 0);
    for row in text.lines().filter(|line| line.starts_with("| T")) {
        number += 1;
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        ensure!(cells.len() == 4, "four cells: {row}");
        let last = cells.last().context("a cell")?;
        assert_eq!(cells[0], format!("T{number:02}"));
        ensure!(
            !named(last).is_empty() || last.starts_with("comes with "),
            "a test, or what brings it: {row}"
        );
        for name in named(last) {
            tests += 1;
            ensure!(there.contains(name), "{}: there is no test `{name}`", cells[0]);
        }
    }
    assert_eq!(number, THREATS);
    ensure!(tests > 20, "{tests}");
    Ok(())
}
