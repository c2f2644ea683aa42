//! The nine attacks on an update system by name (TUF specification, section 1.5.2): each is refused, the catalogue in
//! force goes on serving, and afterwards an honest centre is believed again.
use anyhow::{Context as _, Result};
use domain::catalogue::CatalogueDocument;
use domain::wire::v1::tuf::{TUF_METADATA, TUF_TARGETS};
use publishing::bundle::Bundle;
use publishing::key::RoleKey;
use publishing::repository::TARGETS_MS;
use publishing::root::RootDraft;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::{Value, json};
use terminal::sync::catalogue_client::Updated;
use tests::signed::{Cut, DAY_MS, Files, NOW_MS, Publisher, catalogue};

use super::Rig;

fn metadata(name: &str) -> String {
    format!("{TUF_METADATA}{name}")
}

/// The address of the newest file of a kind of metadata.
fn newest(files: &Files, kind: &str) -> Result<String> {
    let versions = files.keys().filter_map(|a| {
        let (version, rest) = a.strip_prefix(TUF_METADATA)?.split_once('.')?;
        (rest == kind).then(|| version.parse::<u64>().ok()).flatten()
    });
    Ok(metadata(&format!("{}.{kind}", versions.max().context("one of that kind")?)))
}

fn change(files: &mut Files, address: &str, change: impl FnOnce(&mut Value)) -> Result<()> {
    let mut value: Value = serde_json::from_slice(files.get(address).context("the file")?)?;
    change(&mut value);
    files.insert(address.to_owned(), serde_json::to_vec(&value)?);
    Ok(())
}

#[test]
fn arbitrary_install_of_another_content() -> Result<()> {
    let mut rig = Rig::ready()?;
    rig.publish(3, NOW_MS)?;
    let evil: Vec<u8> = zstd::bulk::compress(br#"{"version":3}"#, 3)?;
    for (address, body) in &mut rig.mirror.state().files {
        if address.starts_with(TUF_TARGETS) {
            let length = body.len();
            body.clone_from(&evil);
            body.resize(length, 0);
        }
    }
    rig.refuses("not what the metadata says")?;
    assert_eq!(std::fs::read_dir(rig.staging().folder())?.count(), 0, "nothing of it stays");
    rig.heals(4)
}

#[test]
fn arbitrary_install_of_a_list_that_nobody_signed() -> Result<()> {
    let mut rig = Rig::ready()?;
    let stranger = Publisher::new(&rig.folder.path().join("stranger"), 7, NOW_MS)?;
    stranger.publish(3, NOW_MS)?;
    let mut evil = stranger.files()?;
    evil.remove(&metadata("1.root.json"));
    rig.mirror.state().files = evil;
    rig.refuses("signature")?;
    rig.heals(3)
}

#[test]
fn rollback_to_what_was_published_before() -> Result<()> {
    let mut rig = Rig::new()?;
    let old = rig.publisher.files()?;
    rig.publish(3, NOW_MS)?;
    assert_eq!(rig.update()?, Updated::Activated(3));
    rig.mirror.state().files = old;
    let error = rig.update().expect_err("older metadata");
    assert!(error.to_string().contains("timestamp") && error.is_alarm(), "{error}");
    assert_eq!(rig.in_force()?, 3);
    rig.heals(4)
}

#[test]
fn rollback_by_whoever_has_the_timestamp_key_only() -> Result<()> {
    let mut rig = Rig::ready()?;
    let old = rig.publisher.files()?;
    rig.publish(3, NOW_MS)?;
    assert_eq!(rig.update()?, Updated::Activated(3));
    // A newer timestamp, validly signed, that names the snapshot of before.
    let before = Publisher::new(&rig.folder.path().join("same-keys"), 1, NOW_MS)?;
    before.publish(2, NOW_MS)?;
    for _ in 0..5 {
        before.repository.refresh(&before.online, NOW_MS)?;
    }
    let forged = before.files()?;
    assert_ne!(forged[&metadata("timestamp.json")], old[&metadata("timestamp.json")]);
    rig.mirror.state().files = forged;
    let error = rig.update().expect_err("an older snapshot");
    assert!(error.to_string().contains("napshot") && error.is_alarm(), "{error}");
    assert_eq!(rig.in_force()?, 3);
    rig.heals(4)
}

#[test]
fn fast_forward_is_undone_by_new_online_keys() -> Result<()> {
    let mut rig = Rig::ready()?;
    // Somebody with the online keys lets the versions run far ahead.
    let thief = Publisher::new(&rig.folder.path().join("thief"), 1, NOW_MS)?;
    thief.publish(2, NOW_MS)?;
    for _ in 0..40 {
        thief.repository.refresh(&thief.online, NOW_MS)?;
    }
    rig.mirror.state().files = thief.files()?;
    assert_eq!(rig.update()?, Updated::Nothing, "numbers alone change no catalogue");
    // The centre itself is behind now, and refused.
    rig.publisher.publish(3, NOW_MS)?;
    rig.mirror.follow(&rig.publisher)?;
    rig.refuses("timestamp")?;
    // New online keys by the root: what the old ones said is forgotten.
    rig.publisher.rotate_online(NOW_MS)?;
    rig.mirror.follow(&rig.publisher)?;
    assert_eq!(rig.update()?, Updated::Activated(3));
    // And the thief is heard no more.
    rig.mirror.state().files = thief.files()?;
    assert!(rig.update().expect_err("revoked keys").is_alarm());
    assert_eq!(rig.in_force()?, 3);
    rig.heals(4)
}

#[test]
fn freeze_is_noticed_by_the_time_that_the_centre_put_its_name_to() -> Result<()> {
    let mut rig = Rig::ready()?;
    assert_eq!(rig.standing()?.confirmed_ms, Some(NOW_MS));
    rig.publisher.publish(3, NOW_MS + 2 * DAY_MS)?;
    // The mirror stays as it is. Within a week nothing is wrong by what is known here.
    rig.authenticate(NOW_MS + 6 * DAY_MS)?;
    assert_eq!(rig.update()?, Updated::Nothing);
    rig.authenticate(NOW_MS + 8 * DAY_MS)?;
    rig.refuses("expired")?;
    let standing = rig.standing()?;
    assert_eq!(standing.confirmed_ms, Some(NOW_MS), "it says since when");
    assert!(standing.trouble.is_some_and(|t| t.contains("timestamp")));
    rig.publisher.repository.refresh(&rig.publisher.online, NOW_MS + 8 * DAY_MS)?;
    rig.mirror.follow(&rig.publisher)?;
    assert_eq!(rig.update()?, Updated::Activated(3));
    assert_eq!(rig.standing()?.confirmed_ms, Some(NOW_MS + 8 * DAY_MS));
    Ok(())
}

#[test]
fn endless_data_ends() -> Result<()> {
    let mut rig = Rig::ready()?;
    rig.publish(3, NOW_MS)?;
    let honest = rig.publisher.files()?;
    for kind in ["timestamp.json", "snapshot.json", "targets.json"] {
        let mut files = honest.clone();
        let address = if kind == "timestamp.json" { metadata(kind) } else { newest(&files, kind)? };
        files.get_mut(&address).context("the file")?.resize(3 << 20, b' ');
        rig.mirror.state().files = files;
        rig.refuses("size")?;
    }
    let root = metadata(&format!("{}.root.json", rig.publisher.root()?.version() + 1));
    rig.mirror.state().files = honest.clone();
    rig.mirror.state().files.insert(root, vec![b' '; 3 << 20]);
    rig.refuses("size")?;
    rig.mirror.state().files = honest;
    rig.mirror.state().cuts.push_back(Cut::Endless);
    rig.mirror.state().given = 0;
    rig.refuses("more came than the catalogue has")?;
    let length =
        rig.mirror.state().files.iter().find(|(a, _)| a.contains("catalogue-3")).map_or(0, |f| f.1.len());
    assert!(rig.mirror.state().given <= length + 2_000, "{} of {length}", rig.mirror.state().given);
    assert_eq!(std::fs::read_dir(rig.staging().folder())?.count(), 0, "nothing of it stays");
    assert_eq!(rig.update()?, Updated::Activated(3));
    Ok(())
}

#[test]
fn extraneous_dependencies_are_refused_and_never_fetched() -> Result<()> {
    let mut rig = Rig::ready()?;
    for extra in ["catalogue-3.json.zst.sh", "helper.bin", "../catalogue-3.json.zst"] {
        let target = json!({ "length": 1, "hashes": { "sha256": "0".repeat(64) } });
        let list = |v: &mut Value| v["signed"]["targets"][extra] = target.clone();
        rig.publish_forged(list, NOW_MS)?;
        rig.refuses("refused")?;
    }
    let delegations = json!({ "keys": {}, "roles": [] });
    rig.publish_forged(|v| v["signed"]["delegations"] = delegations, NOW_MS)?;
    rig.refuses("delegates")?;
    let asked = rig.mirror.state().asked.clone();
    let targets: Vec<_> = asked.iter().filter(|(a, _)| a.starts_with(TUF_TARGETS)).collect();
    assert!(targets.len() == 1 && targets[0].0.ends_with("catalogue-2.json.zst"), "{targets:?}");
    Ok(())
}

#[test]
fn mix_and_match_of_two_states() -> Result<()> {
    let mut rig = Rig::ready()?;
    rig.publish(3, NOW_MS)?;
    let third = rig.publisher.files()?;
    rig.publish(4, NOW_MS)?;
    let fourth = rig.publisher.files()?;
    for kind in ["snapshot.json", "targets.json"] {
        let mut mixed = fourth.clone();
        let (new, old) = (newest(&fourth, kind)?, newest(&third, kind)?);
        assert_ne!(new, old);
        mixed.insert(new, third[&old].clone());
        rig.mirror.state().files = mixed;
        rig.refuses("")?;
    }
    // The packed catalogue of one version under the name of another.
    let mut mixed = fourth.clone();
    let of = |version: &str| fourth.keys().find(|a| a.contains(version)).cloned().context("a target");
    mixed.insert(of("catalogue-4")?, fourth[&of("catalogue-3")?].clone());
    rig.mirror.state().files = mixed;
    rig.refuses("")?;
    rig.heals(5)
}

#[test]
fn a_wrong_mirror_is_another_publisher_or_no_centre_at_all() -> Result<()> {
    let mut rig = Rig::ready()?;
    let other = Publisher::new(&rig.folder.path().join("other"), 9, NOW_MS)?;
    other.publish(3, NOW_MS)?;
    other.repository.refresh(&other.online, NOW_MS)?;
    rig.mirror.state().files = other.files()?;
    rig.refuses("signature")?;
    let portals = [
        (200, "text/html", "<html>"),
        (302, "text/html", ""),
        (503, "text/plain", "busy"),
        (404, "text/html", ""),
    ];
    for (status, media_type, body) in portals {
        rig.mirror.state().stranger = Some((status, media_type, body.as_bytes().to_vec()));
        let error = rig.update().expect_err("no centre");
        assert!(!error.is_alarm(), "a link that is not there is ordinary: {status} {error}");
        assert_eq!(rig.in_force()?, 2);
    }
    rig.heals(3)
}

#[test]
fn key_compromise_ends_with_the_rotation() -> Result<()> {
    let mut rig = Rig::ready()?;
    let stolen = rig.publisher.targets.clone();
    // The targets key alone is not enough: the list counts only once the online keys name it.
    let view = rig.publisher.repository.view()?;
    let evil =
        Bundle::sign(&view.root, view.targets.as_ref(), &[evil_catalogue()?], &stolen, NOW_MS + TARGETS_MS)?;
    let list = newest(&rig.publisher.files()?, "targets.json")?;
    rig.publisher.repository.refresh(&rig.publisher.online, NOW_MS + 1)?;
    rig.mirror.follow(&rig.publisher)?;
    rig.mirror.state().files.insert(list, evil.targets.to_bytes()?);
    rig.refuses("")?;
    rig.publisher.rotate_targets(NOW_MS)?;
    rig.mirror.follow(&rig.publisher)?;
    assert_eq!(rig.update()?, Updated::Nothing);
    // Somebody takes over the server with its online keys as well, and hides the new root.
    let thief = Publisher::new(&rig.folder.path().join("thief"), 1, NOW_MS)?;
    thief.publish(2, NOW_MS)?;
    thief.publish(9, NOW_MS)?;
    for _ in 0..10 {
        thief.repository.refresh(&thief.online, NOW_MS)?;
    }
    rig.mirror.state().files = thief.files()?;
    rig.refuses("targets")?;
    // The centre takes the server back: new online keys as well.
    rig.publisher.rotate_online(NOW_MS)?;
    rig.heals(3)
}

#[test]
fn key_compromise_of_one_root_key_gives_nothing() -> Result<()> {
    let mut rig = Rig::ready()?;
    let root = rig.publisher.root()?;
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let own = RoleKey::new(&mut rng);
    let change = publishing::root::RoleChange {
        role: publishing::key::RoleName::Targets,
        remove: root.key_ids(publishing::key::RoleName::Targets),
        add: vec![own.public()?],
    };
    let mut draft = RootDraft::next(&root, &[change], NOW_MS + TARGETS_MS)?;
    draft.sign(&rig.publisher.roots[2], Some(&root))?;
    let standing = draft.standing(Some(&root))?;
    assert_eq!((standing.of_new, standing.of_old, standing.is_enough()), (1, 1, false));
    rig.mirror.state().files.insert(metadata("2.root.json"), draft.to_bytes()?);
    // The timestamp must differ, else nobody looks further.
    rig.publisher.repository.refresh(&rig.publisher.online, NOW_MS + 5)?;
    let timestamp = rig.publisher.files()?[&metadata("timestamp.json")].clone();
    rig.mirror.state().files.insert(metadata("timestamp.json"), timestamp);
    rig.refuses("signature")?;
    assert!(draft.clone().finish(Some(&root)).is_err());
    assert!(rig.publisher.repository.install(draft, None, &rig.publisher.online, NOW_MS).is_err());
    rig.heals(3)
}

#[test]
fn a_new_root_is_not_forgotten() -> Result<()> {
    let mut rig = Rig::ready()?;
    let before = rig.publisher.files()?;
    rig.publisher.rotate_online(NOW_MS + 1)?;
    rig.mirror.follow(&rig.publisher)?;
    assert_eq!(rig.update()?, Updated::Nothing);
    let trust = rig.store.lock().expect("the store").catalogue_trust()?.context("trust")?;
    let root: Value = serde_json::from_str(&trust.root)?;
    assert_eq!(root["signed"]["version"], 2);
    rig.mirror.state().files = before;
    rig.refuses("signature")?;
    Ok(())
}

fn evil_catalogue() -> Result<CatalogueDocument> {
    catalogue(9)
}

impl Rig {
    /// A receipt of the centre says this time.
    fn authenticate(&mut self, at_ms: i64) -> Result<()> {
        Ok(self.store.lock().expect("the store").note_authenticated_time(at_ms)?)
    }

    /// Publishes a list that was changed before its holder signed it: what a careless or bribed holder could do.
    fn publish_forged(&mut self, forge: impl FnOnce(&mut Value), now_ms: i64) -> Result<()> {
        let mut files = self.publisher.files()?;
        let list = newest(&files, "targets.json")?;
        change(&mut files, &list, forge)?;
        tests::signed::sign_anew(&self.publisher, &mut files, &list, now_ms)?;
        self.mirror.state().files = files;
        Ok(())
    }
}
