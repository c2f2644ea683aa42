//! The same command twice, a publication that was cut off, and what is refused before anything is published.
use anyhow::{Context as _, Result};
use publishing::bundle::Bundle;
use publishing::repository::TARGETS_MS;
use tests::signed::{NOW_MS, Publisher, catalogue};

use super::office::Office;
use super::rollout::{Enrolled, stations, two_rings};

/// Times that something is done again: a list of names in a table has another order each time.
const AGAIN: usize = 8;

#[test]
fn a_carried_list_of_several_versions_is_known_again_in_any_order() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let publisher = Publisher::new(&folder.path().join("tuf"), 3, NOW_MS)?;
    let view = publisher.repository.view()?;
    let documents = [catalogue(2)?, catalogue(3)?, catalogue(4)?];
    let ends_ms = NOW_MS + TARGETS_MS;
    let bundle = Bundle::sign(&view.root, view.targets.as_ref(), &documents, &publisher.targets, ends_ms)?;
    let carried = folder.path().join("stick");
    bundle.write(&carried)?;
    assert_eq!(publisher.repository.publish(&bundle, &publisher.online, NOW_MS)?, [2, 3, 4]);
    let files = publisher.files()?;
    for _ in 0..AGAIN {
        let again = Bundle::read(&carried)?;
        publisher.repository.check(&again)?;
        assert!(publisher.repository.publish(&again, &publisher.online, NOW_MS + 1)?.is_empty());
    }
    assert_eq!(publisher.files()?, files);
    Ok(())
}

#[test]
fn publishing_is_repeated_without_harm_and_goes_on_where_it_was_cut_off() -> Result<()> {
    let office = Office::new()?;
    office.ceremony()?;
    let said = office.does("keys status")?;
    assert!(said.contains("no catalogue is published yet"), "{said}");
    office.publish_edited((5, ""), two_rings)?;
    assert!(office.does("keys status")?.contains("catalogues 5; confirmed"), "one is");
    office.publish_edited((6, ""), two_rings)?;
    let rollouts = || office.server.number("SELECT COUNT(*) FROM rollout");
    assert_eq!(rollouts()?, 2);
    for _ in 0..AGAIN {
        let said = office.does("publish @v6")?;
        assert!(said.contains("published: []"), "{said}");
    }
    assert_eq!((rollouts()?, office.status()?["catalogues"].to_string()), (2, "[5,6,7]".to_owned()));

    // As after a power cut between the list and the rollout: 6 and its way back are listed, nobody is told of them.
    let mut store = office.server.database()?.open()?;
    for table in ["rollout_step", "rollout_terminal"] {
        store.execute(&format!("DELETE FROM {table} WHERE rollout = 2"), &[])?;
    }
    store.execute("DELETE FROM rollout WHERE version = 6", &[])?;
    let said = office.does("publish @v6")?;
    assert!(said.contains("rollout of 6") && said.contains("way back 7"), "{said}");
    assert_eq!(rollouts()?, 2);
    Ok(())
}

#[test]
fn a_pilot_that_nobody_knows_is_refused_before_anything_is_published() -> Result<()> {
    let office = Office::new()?;
    office.ceremony()?;
    office.publish_edited((5, ""), two_rings)?;
    let _first = Enrolled::at(&office, stations()?.first().context("a station")?)?;
    office.sign_edited(6, two_rings)?;
    let before = office.status()?;
    let (status, said) = office.says("publish @v6 --pilot T-01 --pilot T-99")?;
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("--pilot T-99: no enrolled terminal has this id"), "{said}");
    assert_eq!(office.status()?["catalogues"], before["catalogues"]);
    assert_eq!(office.server.number("SELECT COUNT(*) FROM catalogue WHERE version = 6")?, 0);
    assert!(office.does("publish @v6 --pilot T-01")?.contains("rollout of 6"));
    Ok(())
}
