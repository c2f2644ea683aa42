//! Attachments that cannot be read just now: nobody calls them lost, and nobody gives them up.
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use domain::envelope::SealedBlob;
use serde_json::{Value, json};
use sync_server::backup::blobs;
use tests::server::Server;

use super::Awaited;
use super::safe::{backed_up, below, number_of, rot};
use crate::safety::Safe;

/// The folder of a file, moved away, with a file in its place: the system says neither that it is there nor that it is not.
pub(super) struct Hidden {
    folder: PathBuf,
    aside: PathBuf,
}

impl Hidden {
    pub(super) fn of(file: &Path) -> Result<Self> {
        let folder = file.parent().context("a folder")?.to_owned();
        let aside = folder.with_extension("aside");
        if folder.exists() {
            std::fs::rename(&folder, &aside)?;
        }
        std::fs::create_dir_all(folder.parent().context("a folder")?)?;
        std::fs::write(&folder, "in the way")?;
        Ok(Self { folder, aside })
    }

    pub(super) fn show(self) -> Result<()> {
        std::fs::remove_file(&self.folder)?;
        if self.aside.exists() {
            std::fs::rename(&self.aside, &self.folder)?;
        }
        Ok(())
    }
}

pub(super) fn with_one() -> Result<(Awaited, Safe)> {
    let awaited = Awaited::with(&[3_000])?;
    awaited.send_rest(0, &awaited.begin(0)?)?;
    let safe = Safe::of(&awaited.server)?;
    Ok((awaited, safe))
}

#[test]
fn a_page_that_a_backup_cannot_read_is_not_durable_and_not_rotten() -> Result<()> {
    let (awaited, safe) = with_one()?;
    let server = &awaited.server;
    let hidden = Hidden::of(&below(&server.data().join("blobs"), &awaited.pages[0]))?;
    assert_eq!(backed_up(&safe, server)?, (0, 0, 1), "rows are backed up all the same");
    let alarms = |kind| server.number(&format!("SELECT COUNT(*) FROM alarm WHERE kind = '{kind}'"));
    assert_eq!((alarms("blob.rotten")?, alarms("blob.unread")?), (0, 1), "nobody says that it is gone");
    hidden.show()?;
    assert_eq!(backed_up(&safe, server)?, (1, 1, 0));
    awaited.assert_complete()
}

#[test]
fn many_pages_that_cannot_be_read_keep_no_other_out_of_the_backups() -> Result<()> {
    let awaited = Awaited::with(&(100..130).collect::<Vec<_>>())?;
    for page in 0..awaited.pages.len() {
        awaited.send_rest(page, &awaited.begin(page)?)?;
    }
    let (server, safe) = (&awaited.server, Safe::of(&awaited.server)?);
    let folder =
        |page: &SealedBlob| Ok(below(&server.data().join("blobs"), page).parent().context("it")?.to_owned());
    let mut folders: Vec<_> = awaited.pages.iter().map(folder).collect::<Result<_>>()?;
    folders.sort();
    // Those that are asked for first, and more than one backup tries in vain.
    for (n, folder) in folders[..23].iter().enumerate() {
        if n == 0 || folders[n - 1] != *folder {
            Hidden::of(&folder.join("page"))?;
        }
    }
    let good = folders.iter().filter(|folder| folder.is_dir()).count();
    ensure!((1..8).contains(&good), "{good}");
    assert_eq!(backed_up(&safe, server)?, (0, 0, 30), "it does not try for ever");
    let good = u64::try_from(good)?;
    assert_eq!(backed_up(&safe, server)?, (0, good, 30 - good), "all that can be read is copied");
    Ok(())
}

#[test]
fn a_restore_that_cannot_read_a_page_is_refused_and_ended_once_it_can() -> Result<()> {
    for copies_answer in [false, true] {
        let (awaited, safe) = with_one()?;
        assert_eq!(backed_up(&safe, &awaited.server)?, (1, 1, 0));
        let (page, to) = (&awaited.pages[0], tempfile::tempdir()?);
        let there = below(&to.path().join("blobs"), page);
        let copy = below(&safe.path("backups").join(blobs::FOLDER), page);
        let hidden = if copies_answer {
            // Nobody has a copy, and the place to which it would go may have it.
            std::fs::create_dir_all(there.parent().context("a folder")?)?;
            std::fs::rename(&copy, &there)?;
            Hidden::of(&there)?
        } else {
            Hidden::of(&copy)?
        };
        let refused = safe.restore(awaited.server.data(), to.path(), None).map_err(|e| e.to_string());
        let names_it = |said: &String| said.contains(&page.digest.to_string());
        ensure!(refused.as_ref().is_err_and(names_it), "{refused:?}");
        hidden.show()?;
        let told = safe.restore(awaited.server.data(), to.path(), None)?;
        assert_eq!((&told["attachments"], &told["attachments_lost"]), (&json!(1), &json!(0)));
        Awaited { server: Server::start_in(to.path())?, ..awaited }.assert_complete()?;
    }
    Ok(())
}

#[test]
fn nothing_is_given_up_because_nobody_can_read_it() -> Result<()> {
    let (awaited, safe) = with_one()?;
    let server = &awaited.server;
    assert_eq!(backed_up(&safe, server)?, (1, 1, 0));
    let (number, page) = (number_of(server)?, &awaited.pages[0]);
    let give_up = |backups: &str| {
        server.command(&["attachments", "give-up", "--number", &number, "--backup", backups, "--json"])
    };
    let refused = |backups: &str| -> Result<()> {
        let output = give_up(backups)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success() && said.contains("nobody can say"), "{said}");
        ensure!(server.number("SELECT COUNT(*) FROM alarm WHERE kind = 'blob.lost'")? == 0, "given up");
        ensure!(server.number("SELECT COUNT(*) FROM blob_ WHERE arrived_at_ms IS NULL")? == 0);
        Ok(())
    };
    let at_centre = below(&server.data().join("blobs"), page);
    rot(&at_centre)?;
    // Its copy may be there.
    let hidden = Hidden::of(&below(&safe.path("backups").join(blobs::FOLDER), page))?;
    refused(&safe.backups)?;
    hidden.show()?;
    // It may be at the centre.
    let none = tempfile::tempdir()?;
    let without_copies = none.path().to_str().context("a path")?;
    let hidden = Hidden::of(&at_centre)?;
    refused(without_copies)?;
    hidden.show()?;
    // All of the centre's may be elsewhere.
    let (blobs_folder, aside) = (server.data().join("blobs"), server.data().join("blobs.aside"));
    std::fs::rename(&blobs_folder, &aside)?;
    refused(without_copies)?;
    ensure!(!blobs_folder.exists(), "nobody makes it by the way");
    std::fs::rename(&aside, &blobs_folder)?;
    // The disk of backups is not mounted.
    refused(none.path().join("not-mounted").to_str().context("a path")?)?;
    // Nor is it where the disk should be, and there was a backup: its copies may lie elsewhere.
    refused(without_copies)?;
    // Not even a folder of copies is the one that has them.
    std::fs::create_dir(none.path().join(blobs::FOLDER))?;
    refused(without_copies)?;
    // Somebody says that there are none any more.
    let without = ["attachments", "give-up", "--number", &number, "--without-copy", "--json"];
    let output = server.command(&without)?;
    let given_up: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    assert_eq!(given_up["given_up"], json!([page.digest.to_string()]));
    assert_eq!(backed_up(&safe, server)?, (1, 0, 0), "nobody is held back any longer");
    Ok(())
}
