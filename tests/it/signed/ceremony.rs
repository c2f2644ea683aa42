//! The ceremony of keys: who must sign what, and what the repository refuses.
use anyhow::Result;
use publishing::bundle::{Bundle, SignedTargets};
use publishing::key::{PublicEntry, RoleKey, RoleName};
use publishing::online::OnlineKeys;
use publishing::repository::{ROOT_MS, Repository, RepositoryError, SNAPSHOT_MS, TARGETS_MS, TIMESTAMP_MS};
use publishing::root::{RoleChange, RootDraft, TrustedRoot};
use publishing::status::Status;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tests::signed::{DAY_MS, NOW_MS, Publisher, catalogue};

fn publisher() -> Result<(tempfile::TempDir, Publisher)> {
    let folder = tempfile::tempdir()?;
    let publisher = Publisher::new(&folder.path().join("tuf"), 1, NOW_MS)?;
    Ok((folder, publisher))
}

#[test]
fn a_root_needs_two_of_three_and_each_counts_once() -> Result<()> {
    let (_folder, publisher) = publisher()?;
    let current = publisher.root()?;
    let mut draft = RootDraft::next(&current, &[], NOW_MS + ROOT_MS)?;
    let counted = |d: &RootDraft| d.standing(Some(&current)).map(|s| (s.of_new, s.of_old, s.is_enough()));
    assert_eq!(counted(&draft)?, (0, 0, false));
    draft.sign(&publisher.roots[2], Some(&current))?;
    draft.sign(&publisher.roots[2], Some(&current))?;
    assert_eq!(counted(&draft)?, (1, 1, false));
    assert!(draft.clone().finish(Some(&current)).is_err());
    assert!(draft.sign(&publisher.targets, Some(&current)).is_err(), "a targets key has no say");
    // Written and read again, as it goes from one holder to the next.
    let mut draft = RootDraft::read(&draft.to_bytes()?)?;
    draft.sign(&publisher.roots[0], Some(&current))?;
    assert_eq!(counted(&draft)?, (2, 2, true));
    assert_eq!(draft.finish(Some(&current))?.version(), 2);
    Ok(())
}

#[test]
fn a_root_key_is_replaced_with_signatures_of_old_and_new() -> Result<()> {
    let (_folder, publisher) = publisher()?;
    let current = publisher.root()?;
    let new = RoleKey::new(&mut ChaCha20Rng::seed_from_u64(8));
    let lost = publisher.roots[0].public()?.id()?;
    let change = RoleChange { role: RoleName::Root, remove: vec![lost], add: vec![new.public()?] };
    let mut draft = RootDraft::next(&current, &[change], NOW_MS + ROOT_MS)?;
    draft.sign(&new, Some(&current))?;
    draft.sign(&publisher.roots[1], Some(&current))?;
    let standing = draft.standing(Some(&current))?;
    assert_eq!((standing.of_new, standing.of_old), (2, 1));
    draft.sign(&publisher.roots[0], Some(&current))?;
    let standing = draft.standing(Some(&current))?;
    assert_eq!((standing.of_new, standing.of_old, standing.is_enough()), (2, 2, true), "its last signature");
    let root = publisher.repository.install(draft, None, &publisher.online, NOW_MS)?;
    assert!(!root.key_ids(RoleName::Root).contains(&lost));
    assert_eq!(publisher.root()?.version(), 2);
    Ok(())
}

#[test]
fn a_lost_key_is_revoked_without_another_in_its_place() -> Result<()> {
    let (_folder, publisher) = publisher()?;
    let lost = publisher.roots[2].public()?.id()?;
    let revoke = |id| RoleChange { role: RoleName::Root, remove: vec![id], add: Vec::new() };
    let draft = publisher.draft(&[revoke(lost)], NOW_MS)?;
    publisher.repository.install(draft, None, &publisher.online, NOW_MS)?;
    assert_eq!(publisher.root()?.key_ids(RoleName::Root).len(), 2);
    assert!(publisher.draft(&[revoke(lost)], NOW_MS).is_err(), "it is none any more");
    let second = publisher.roots[1].public()?.id()?;
    assert!(publisher.draft(&[revoke(second)], NOW_MS).is_err(), "two of one cannot sign");
    Ok(())
}

#[test]
fn house_rules_hold() -> Result<()> {
    let (_folder, publisher) = publisher()?;
    let shared = publisher.roots[0].public()?;
    let change = RoleChange { role: RoleName::Targets, remove: Vec::new(), add: vec![shared] };
    assert!(publisher.draft(&[change], NOW_MS).is_err(), "no key has two roles");
    let mut one = OnlineKeys::new(&mut ChaCha20Rng::seed_from_u64(3)).public()?;
    one.keys.push(PublicEntry { role: RoleName::Root, key: publisher.roots[0].public()? });
    one.keys.push(PublicEntry { role: RoleName::Targets, key: publisher.targets.public()? });
    assert!(RootDraft::first(&one, NOW_MS).is_err(), "one root key is too few");
    let text = String::from_utf8(publisher.root()?.to_bytes()?)?;
    for (from, to) in [
        ("\"threshold\":2", "\"threshold\":1"),
        ("\"consistent_snapshot\":true", "\"consistent_snapshot\":false"),
    ] {
        assert!(text.contains(from));
        assert!(TrustedRoot::read(text.replace(from, to).as_bytes()).is_err(), "{to}");
    }
    Ok(())
}

#[test]
fn a_published_version_never_changes() -> Result<()> {
    let (_folder, publisher) = publisher()?;
    publisher.publish(2, NOW_MS)?;
    let view = publisher.repository.view()?;
    let sign = |before: Option<&SignedTargets>, version| {
        let documents = [catalogue(version)?];
        anyhow::Ok(Bundle::sign(&view.root, before, &documents, &publisher.targets, NOW_MS + TARGETS_MS)?)
    };
    assert!(sign(view.targets.as_ref(), 2).is_err(), "the same version again");
    assert!(sign(view.targets.as_ref(), 1).is_err(), "a lower one");
    // A list made from an old copy, so that it forgets version 2 or gives it another content.
    let old = Bundle::sign(&view.root, None, &[], &publisher.targets, NOW_MS + TARGETS_MS)?;
    for forgetful in [old.clone(), sign(Some(&old.targets), 3)?] {
        let refused = publisher.repository.publish(&forgetful, &publisher.online, NOW_MS);
        assert!(matches!(refused, Err(RepositoryError::Metadata(_))), "{refused:?}");
    }
    assert_eq!(Status::of(&publisher.repository.view()?)?.catalogues, [2]);
    Ok(())
}

#[test]
fn publishing_the_same_again_changes_nothing() -> Result<()> {
    let (_folder, publisher) = publisher()?;
    let bundle = publisher.sign(2, NOW_MS)?;
    assert_eq!(publisher.repository.publish(&bundle, &publisher.online, NOW_MS)?, [2]);
    let files = publisher.files()?;
    assert!(publisher.repository.publish(&bundle, &publisher.online, NOW_MS + 1)?.is_empty());
    assert_eq!(publisher.files()?, files);
    Ok(())
}

#[test]
fn a_bundle_is_carried_and_damage_on_the_way_is_found() -> Result<()> {
    let (folder, publisher) = publisher()?;
    let carried = folder.path().join("stick");
    let bundle = publisher.sign(2, NOW_MS)?;
    bundle.write(&carried)?;
    let read = Bundle::read(&carried)?;
    assert_eq!((read.files.len(), read.document(2)?), (1, Some(catalogue(2)?.json)));
    let name = bundle.files.keys().next().expect("a file");
    let mut packed = std::fs::read(carried.join(name))?;
    packed[100] ^= 1;
    std::fs::write(carried.join(name), packed)?;
    assert!(Bundle::read(&carried).is_err());
    std::fs::remove_file(carried.join(name))?;
    let missing = publisher.repository.publish(&Bundle::read(&carried)?, &publisher.online, NOW_MS);
    assert!(matches!(missing, Err(RepositoryError::Part(_))), "{missing:?}");
    Ok(())
}

#[test]
fn signatures_are_renewed_in_time() -> Result<()> {
    let (_folder, publisher) = publisher()?;
    let repository = &publisher.repository;
    let due = |days: i64| repository.is_due(NOW_MS + days * DAY_MS);
    assert_eq!((due(0)?, due(1)?), (false, true));
    let snapshots =
        |p: &Publisher| anyhow::Ok(p.files()?.keys().filter(|a| a.ends_with("snapshot.json")).count());
    for day in 1..=21 {
        repository.refresh(&publisher.online, NOW_MS + day * DAY_MS)?;
    }
    assert_eq!(snapshots(&publisher)?, 2, "a snapshot is renewed when a third of its time is left");
    let status = Status::of(&repository.view()?)?;
    let ends: Vec<_> = status.roles.iter().map(|r| r.expires_ms.unwrap_or(0) - NOW_MS).collect();
    assert_eq!(ends, [ROOT_MS, TARGETS_MS, 21 * DAY_MS + SNAPSHOT_MS, 21 * DAY_MS + TIMESTAMP_MS]);
    assert!(status.roles.iter().all(|r| r.signed));
    // A clock that ran ahead for a while is mended: the next signature says so.
    repository.refresh(&publisher.online, NOW_MS + 5_000 * DAY_MS)?;
    assert!(repository.is_due(NOW_MS)?);
    repository.refresh(&publisher.online, NOW_MS)?;
    assert_eq!(Status::of(&repository.view()?)?.confirmed_ms, Some(NOW_MS));
    Ok(())
}

#[test]
fn keys_that_do_not_count_sign_nothing() -> Result<()> {
    let (folder, publisher) = publisher()?;
    let strange = OnlineKeys::new(&mut ChaCha20Rng::seed_from_u64(77));
    let files = publisher.files()?;
    assert!(publisher.repository.refresh(&strange, NOW_MS).is_err());
    let draft = publisher.draft(&[], NOW_MS)?;
    assert!(publisher.repository.install(draft, None, &strange, NOW_MS).is_err());
    assert_eq!(publisher.files()?, files, "nothing changed");
    let empty = Repository::new(folder.path().join("empty"));
    assert!(matches!(empty.view(), Err(RepositoryError::Empty { .. })));
    // The key of another role signs no list.
    let view = publisher.repository.view()?;
    assert!(Bundle::sign(&view.root, None, &[], &publisher.roots[0], NOW_MS).is_err());
    Ok(())
}

#[test]
fn old_files_are_swept_and_the_list_stays_short() -> Result<()> {
    let (_folder, publisher) = publisher()?;
    for version in 2..70 {
        publisher.publish(version, NOW_MS)?;
    }
    let files = publisher.files()?;
    let count = |end: &str| files.keys().filter(|a| a.ends_with(end)).count();
    assert_eq!((count("json.zst"), count("snapshot.json"), count("targets.json")), (64, 17, 17));
    let status = Status::of(&publisher.repository.view()?)?;
    assert_eq!((status.catalogues.first(), status.catalogues.last()), (Some(&6), Some(&69)));
    Ok(())
}
