//! Journals of erasures and holds that lie in several places: a restore goes by their times, whichever it reads first.
use anyhow::Result;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::backup::recipient;
use sync_server::data_folder::DataFolder;
use sync_server::erasure_journal::{self, Hold, Line};
use sync_server::services::erasure::{Erasure, Why};
use tests::device::{header_of, now_ms};
use tests::storm::small_centre::enrol_device;

use super::erasure::{Rig, restored};

#[test]
fn of_two_journals_the_later_line_counts_whichever_is_read_first() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let rig = Rig::open(&data)?;
    let mut device = enrol_device(&rig.centre, 3)?;
    let envelope_id = header_of(&rig.returned(&mut device)?)?.envelope_id;
    let (mut rng, key) = (ChaCha20Rng::seed_from_u64(5), folder.path().join("backup.key"));
    recipient::make(&data, &key, &mut rng)?;
    let made = rig.back_up(&folder.path().join("backups"))?;
    rig.centre.stop();
    let at_ms = now_ms();
    let erased = Line::Erased(Erasure { envelope_id, at_ms, why: Why::Retention });
    // The hold was over before it was erased, or a hold came behind an erasure that a kill broke off.
    for (held_ms, expected) in [(at_ms - 1, (1, 0)), (at_ms + 1, (0, 1))] {
        let held = Line::Held(Hold { envelope_id, held_ms });
        for read_first in ["one", "other"] {
            let to = tempfile::tempdir()?;
            let mut journals = [to.path().join("one"), to.path().join("other")];
            erasure_journal::append(&journals[0], &[erased])?;
            erasure_journal::append(&journals[1], &[held])?;
            if read_first == "other" {
                journals.reverse();
            }
            let new = DataFolder::new(to.path().join("data"), None);
            let own_journal = to.path().join("journal");
            let restored = restored(&made, &key, (&journals, &own_journal), &new)?.note;
            assert_eq!((restored.erased, restored.held), expected, "{read_first} first, held at {held_ms}");
            assert_eq!(erasure_journal::read(&own_journal)?.len(), 2);
        }
    }
    Ok(())
}
