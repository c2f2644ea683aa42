//! What the doctor says of the private keys: whether they are there, closed to others, and those of the store.
use operator::findings::Finding;

use crate::data_folder::DataFolder;
use crate::jobs::open_case;
use crate::keys::{AUTHORITY_FILE, KeyError, Keys, MAIN_FILES, readable_by_others};
use crate::services::sealing_keys::{self, KeyState};
use crate::services::{cases, meta};
use crate::store::{StoreError, Tx};

/// What to do about keys that are gone or not the right ones.
const RESTORE: &str = "restore the key backup before the server is stopped, or share the folder of the servers that \
                       use the store";

/// Submissions that wait for a key and are looked at, at most.
const LOOKED_AT: u64 = 200;

/// Whether the files are there and only their owner reads them.
pub(super) fn examine_files(data: &DataFolder) -> Finding {
    let folder = data.keys_path();
    let missing: Vec<_> = MAIN_FILES.into_iter().filter(|name| !folder.join(name).exists()).collect();
    if !missing.is_empty() {
        let said = format!("missing in {}: {}", folder.display(), missing.join(", "));
        return Finding::fail(
            "keys",
            said,
            "start `sync-server serve` once; if the store is older, restore the key backup",
        );
    }
    match readable_by_others(&folder) {
        Ok(open) if open.is_empty() => {
            let authority = Keys::load_authority(&folder).map(|a| format!("; authority {}", a.fingerprint()));
            Finding::ok(
                "keys",
                format!("present, readable by their owner only{}", authority.unwrap_or_default()),
            )
        }
        Ok(open) => {
            Finding::warn("keys", format!("readable by others: {}", open.join(", ")), "chmod 600 these files")
        }
        Err(e) => Finding::fail("keys", e.to_string(), "check the folder's owner and mode"),
    }
}

/// Holds the keys against the fingerprints that the store knows. A running server has its keys in memory and would
/// not notice a loss.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn compare(tx: &mut Tx<'_>, data: &DataFolder) -> Result<Vec<Finding>, StoreError> {
    let Some(known) = meta::fingerprint(tx)? else {
        let said = "the store is not bound to keys";
        return Ok(vec![Finding::warn("keys", said, "start `sync-server serve` once")]);
    };
    let mut findings = Vec::new();
    let keys = match Keys::load(&data.keys_path()) {
        Ok(keys) => keys,
        Err(e) => return Ok(vec![Finding::fail("keys", e.to_string(), RESTORE)]),
    };
    if keys.fingerprint() != known {
        let error = KeyError::NotOfThisStore { path: data.keys_path() };
        findings.push(Finding::fail("keys", error.to_string(), RESTORE));
    }
    let trusted = meta::authority(tx)?;
    if trusted.is_some_and(|trusted| trusted != keys.authority.fingerprint().to_string()) {
        let error = KeyError::OtherAuthority { path: data.keys_path().join(AUTHORITY_FILE) };
        findings.push(Finding::fail("keys", error.to_string(), RESTORE));
    }
    for (id, known) in year_keys(tx)? {
        let unfit = match (keys.load_year(&id), known) {
            (Err(e), _) => Some(e),
            (Ok(found), Some(known)) if found != known => {
                Some(KeyError::OtherYear { path: keys.year_path(&id) })
            }
            _ => None,
        };
        findings.extend(unfit.map(|e| Finding::fail("keys", e.to_string(), RESTORE)));
    }
    Ok(findings)
}

/// Year keys that the store needs, each with its fingerprint if the store knows one.
fn year_keys(tx: &mut Tx<'_>) -> Result<Vec<(String, Option<String>)>, StoreError> {
    let mut ids: Vec<_> = meta::year_keys(tx)?.into_iter().map(|(id, f)| (id, Some(f))).collect();
    for id in cases::key_ids(tx)? {
        if !ids.iter().any(|(known, _)| *known == id) {
            ids.push((id, None));
        }
    }
    Ok(ids)
}

/// Whether every key to which terminals seal, or sealed, is there; and how many submissions wait for one that is not.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn examine_sealing(tx: &mut Tx<'_>, data: &DataFolder) -> Result<Vec<Finding>, StoreError> {
    const SUBJECT: &str = "sealing";
    let Ok(keys) = Keys::load(&data.keys_path()) else { return Ok(Vec::new()) };
    let mut findings = Vec::new();
    let known = sealing_keys::all(tx)?;
    for key in known.iter().filter(|key| key.state != KeyState::Destroyed) {
        let said = match keys.sealing.find(&key.id) {
            Ok(Some(_)) => continue,
            Ok(None) => format!("the private half of key {} ({}) is gone", key.id, key.state.as_str()),
            Err(e) => e.to_string(),
        };
        let remedy =
            "restore it from the key backup: what is sealed to it waits for it and opens by itself then";
        findings.push(Finding::fail(SUBJECT, said, remedy));
    }
    let waiting = open_case::waiting_for_key(tx, 0, LOOKED_AT)?;
    if !waiting.is_empty() {
        let mut ids: Vec<_> =
            waiting.iter().filter_map(|(.., key)| key.clone()).map(|id| id.to_string()).collect();
        ids.sort();
        ids.dedup();
        let more = if waiting.len() as u64 == LOOKED_AT { " or more" } else { "" };
        let said = format!(
            "{}{more} submissions wait for keys that are not here: {}",
            waiting.len(),
            ids.join(", ")
        );
        let remedy =
            "bring sealing-ID.key from the key backup into the key folder: they open within a minute";
        findings.push(Finding::fail(SUBJECT, said, remedy));
    }
    if findings.is_empty() {
        let in_force =
            known.iter().filter(|key| key.state == KeyState::InForce).map(|key| key.id.to_string());
        let in_force = in_force.collect::<Vec<_>>().join(", ");
        let suite = u8::from(sealing_keys::suite(tx)?);
        findings.push(Finding::ok(SUBJECT, format!("suite {suite}; in force: {in_force}")));
    }
    Ok(findings)
}
