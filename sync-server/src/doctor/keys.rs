//! What the doctor says of the private keys: whether they are there, closed to others, and those of the store.
use operator::findings::Finding;

use crate::data_folder::DataFolder;
use crate::keys::{AUTHORITY_FILE, KeyError, Keys, MAIN_FILES, readable_by_others};
use crate::services::{cases, meta};
use crate::store::{StoreError, Tx};

/// What to do about keys that are gone or not the right ones.
const RESTORE: &str = "restore the key backup before the server is stopped, or share the folder of the servers that \
                       use the store";

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
