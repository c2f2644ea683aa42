//! The support matrix of `docs/hardware.md`: every row names tests that there are, or says that nothing proves it.
use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use tests::binaries::repository;

/// Rooms whose tests the matrix may name.
const ROOMS: [&str; 4] = ["documents", "hardware", "terminal", "tests/it"];
/// What a row says that nothing proves.
const UNPROVEN: &str = "未证明";
/// Where the matrix begins and ends.
const BETWEEN: [&str; 2] = ["\n## 支持表\n", "\n## "];
/// Fewer rows mean that the matrix was not found.
const LEAST_ROWS: usize = 60;

/// Adds the names of all tests in a folder.
fn collect(folder: &Path, names: &mut BTreeSet<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, names)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path)?;
            // The attribute, perhaps others, and the function.
            let tests = text.split("#[test]\n").skip(1).filter_map(|rest| rest.split_once("fn "));
            names.extend(tests.filter_map(|(_, name)| Some(name.split_once('(')?.0.to_owned())));
        }
    }
    Ok(())
}

/// The names in the last column of a row.
fn named(row: &str) -> Option<(&str, Vec<&str>)> {
    let cells: Vec<&str> = row.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
    let last = cells.last()?;
    Some((last, last.split('`').skip(1).step_by(2).collect()))
}

#[test]
fn every_row_of_the_support_matrix_names_tests_that_there_are_or_says_unproven() -> Result<()> {
    let mut tests = BTreeSet::new();
    for room in ROOMS {
        collect(&repository().join(room), &mut tests)?;
    }
    let page = std::fs::read_to_string(repository().join("docs/hardware.md"))?;
    let (_, matrix) = page.split_once(BETWEEN[0]).context("the matrix")?;
    let (matrix, _) = matrix.split_once(BETWEEN[1]).context("its end")?;
    let rows = matrix.lines().filter(|line| line.starts_with("| "));
    let mut count = 0;
    for row in rows.filter(|row| !row.ends_with("| 测试 |")) {
        let (last, names) = named(row).with_context(|| format!("no row: {row}"))?;
        // A command is run by hand: what it came to stands in its row.
        let (commands, names): (Vec<&str>, Vec<&str>) =
            names.into_iter().partition(|name| name.starts_with("cargo "));
        ensure!(last == UNPROVEN || !names.is_empty() || !commands.is_empty(), "nothing is named: {row}");
        let missing: Vec<&str> = names.into_iter().filter(|name| !tests.contains(*name)).collect();
        ensure!(missing.is_empty(), "no such tests {missing:?}: {row}");
        count += 1;
    }
    ensure!(count >= LEAST_ROWS, "{count} rows");
    Ok(())
}
