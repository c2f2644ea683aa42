//! Documents and folders: there and back to the same bytes, versions of the store, numbers of the next version.
use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use super::Desk;

#[test]
fn a_folder_becomes_a_document_and_the_same_folder_again() -> Result<()> {
    let desk = Desk::new()?;
    let said = desk.does("catalogue build c --out c.json")?;
    assert!(said.starts_with("version 2: 95 items, 21 bundles, ") && said.contains("SHA-256 "), "{said}");
    desk.does("catalogue export c.json --to again")?;
    let (before, after) = (desk.files("c")?, desk.files("again")?);
    let lost: BTreeSet<&str> =
        before.keys().filter(|name| !after.contains_key(*name)).map(String::as_str).collect();
    assert_eq!(lost, BTreeSet::from(["SOURCES.md", "allow.json", "readings.json"]));
    let other: BTreeSet<&str> = after
        .iter()
        .filter(|(name, bytes)| before.get(*name) != Some(*bytes))
        .map(|(name, _)| name.as_str())
        .collect();
    // The order of phrases, common materials and items of a policy means nothing; a version knows no festivals.
    assert_eq!(other, BTreeSet::from(["calendar.json", "phrases.json", "policies.json", "situations.json"]));
    let without = String::from_utf8(before["calendar.json"].clone())?;
    let mut days: Vec<&str> =
        without.lines().map(|line| line.split(", \"festival\"").next().unwrap_or(line)).collect();
    let kept = String::from_utf8(after["calendar.json"].clone())?;
    let mut left: Vec<&str> = kept.lines().map(|line| line.split('}').next().unwrap_or(line)).collect();
    assert_eq!(days.len(), left.len());
    // The file stands by festival, the document by day.
    days[2..].sort_unstable();
    left[2..].sort_unstable();
    assert!(days.iter().zip(&left).skip(2).all(|(a, b)| a.starts_with(b)), "{left:#?}");
    assert_eq!(desk.does("catalogue build again --out again.json")?, said);
    assert_eq!(desk.read("again.json")?, desk.read("c.json")?);
    assert!(
        desk.does("catalogue diff c again")?
            .ends_with("0 added, 0 removed, 0 changed in 0 fields, 0 new revisions\n")
    );
    Ok(())
}

#[test]
fn versions_of_the_store_are_sources_too() -> Result<()> {
    let desk = Desk::new()?;
    let none = desk.refuses("catalogue diff version:2 c")?;
    assert!(none.contains("there is no store"), "{none}");
    desk.does("migrate")?;
    desk.edit("c/items/psb.no-crime.json", |item| item["promised"]["tenths"] = json!(20))?;
    for version in ["version:2", "version:newest"] {
        let said = desk.does(&format!("catalogue diff {version} c"))?;
        assert!(said.contains("promised.tenths: 10 -> 20"), "{said}");
        assert!(said.contains("(its revision must rise)"), "{said}");
    }
    let answer: Value = serde_json::from_str(&desk.does("catalogue diff version:2 c --json")?)?;
    assert_eq!(answer["counts"]["changed"], 1);
    let missing = desk.refuses("catalogue export version:9 --to nine")?;
    assert!(missing.contains("no catalogue version 9"), "{missing}");
    assert_eq!(desk.says("catalogue diff version:x c")?.0, 2);
    assert!(!desk.path().join("nine").exists());
    let checked = desk.does("catalogue check version:newest")?;
    assert!(checked.contains("stations; 0 errors, 0 warnings, "), "{checked}");
    Ok(())
}

#[test]
fn the_next_version_has_the_next_numbers() -> Result<()> {
    let desk = Desk::new()?;
    desk.does("migrate")?;
    desk.edit("c/items/psb.no-crime.json", |item| item["promised"]["tenths"] = json!(20))?;
    let answer: Value =
        serde_json::from_str(&desk.does("catalogue build c --after version:newest --out 3.json --json")?)?;
    assert_eq!((&answer["version"], &answer["items"]), (&json!(3), &json!(95)));
    let said = desk.does("catalogue diff version:2 3.json")?;
    assert!(said.contains("psb.no-crime 无犯罪记录证明 (revision 2 -> 3)"), "{said}");
    assert!(
        said.ends_with("version 2 -> 3: 0 added, 0 removed, 1 changed in 1 fields, 1 new revisions\n"),
        "{said}"
    );
    Ok(())
}

#[test]
fn nothing_is_written_over_and_nothing_half() -> Result<()> {
    let desk = Desk::new()?;
    desk.write("full/mine.txt", b"mine")?;
    let said = desk.refuses("catalogue export c --to full")?;
    assert!(said.contains("not empty"), "{said}");
    assert_eq!(desk.read("full/mine.txt")?, b"mine");
    desk.write("file", b"mine")?;
    desk.refuses("catalogue export c --to file")?;
    let half = desk.read("c/stations.json")?;
    desk.write("c/stations.json", &half[..half.len() - 30])?;
    for command in ["build c --out c.json", "export c --to new", "export c --csv --to new", "diff c c"] {
        let said = desk.refuses(&format!("catalogue {command}"))?;
        assert!(said.contains("stations.json"), "{command}: {said}");
    }
    desk.holds_only(&["c", "file", "full"])?;
    std::fs::create_dir(desk.path().join("new"))?;
    desk.write("c/stations.json", &half)?;
    desk.does("catalogue export c --to new")?;
    assert_eq!(desk.read("new/stations.json")?, half);
    desk.holds_only(&["c", "file", "full", "new"])
}

#[test]
fn a_document_that_is_none_is_refused() -> Result<()> {
    let desk = Desk::new()?;
    desk.does("catalogue build c --out c.json")?;
    let whole = desk.read("c.json")?;
    let mut other = whole.clone();
    other.push(b'x');
    let bad: [(&str, &[u8]); 4] =
        [("half", &whole[..whole.len() / 2]), ("more", &other), ("none", b""), ("binary", b"\xff\0")];
    for (name, bytes) in bad {
        desk.write(name, bytes)?;
        let said = desk.refuses(&format!("catalogue export {name} --to new"))?;
        assert!(said.contains(name), "{name}: {said}");
    }
    assert!(!desk.path().join("new").exists());
    Ok(())
}
