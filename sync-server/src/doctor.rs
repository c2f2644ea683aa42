//! `sync-server doctor`: looks at a data folder and says what is wrong and what to do. Changes nothing.
use std::path::Path;

use serde::Serialize;

use crate::data_folder::DataFolder;
use crate::keys::readable_by_others;
use crate::services::{audit, cases, catalogue, meta, series};
use crate::startup::load_catalogue;
use crate::store::{Driver, SCHEMA_VERSION, StoreError, Tx, require_current};

/// Less free room than this is a warning, in MiB.
const LOW_DISK_MIB: u64 = 1_024;
/// Audit rows checked in one go.
const CHAIN_STRETCH: u64 = 5_000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, but somebody should look.
    Warn,
    /// Does not work.
    Fail,
}

impl Level {
    /// The word in the list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What: store, schema, keys …
    pub subject: &'static str,
    /// How bad.
    pub level: Level,
    /// What was seen.
    pub said: String,
    /// What to do; empty if nothing.
    pub advice: String,
}

/// 0 if all is well, 3 if something works badly, 1 if something does not work.
pub fn exit_code(findings: &[Finding]) -> u8 {
    match findings.iter().map(|f| f.level).max() {
        Some(Level::Fail) => 1,
        Some(Level::Warn) => 3,
        _ => 0,
    }
}

/// Looks at everything.
pub fn examine(data: &DataFolder, assets: &Path) -> Vec<Finding> {
    let mut findings = vec![examine_catalogue(assets), examine_keys(data), examine_disk(data)];
    match data.database().open_read_only() {
        Ok(mut store) => examine_store(store.as_mut(), data, &mut findings),
        Err(e) => findings.push(fail(
            "store",
            format!("{} cannot be opened: {e}", data.database()),
            "start `sync-server serve` once, or restore a backup",
        )),
    }
    findings.push(Finding {
        subject: "sign-in",
        level: Level::Ok,
        said: "people's pages have no sign-in yet and are served on loopback only".into(),
        advice: String::new(),
    });
    findings
}

fn examine_store(store: &mut dyn Driver, data: &DataFolder, findings: &mut Vec<Finding>) {
    match store.check() {
        Ok(said) if said.is_empty() => {
            findings.push(ok("store", &format!("the {} database is sound", data.database().kind())));
        }
        Ok(said) => {
            let what = said.into_iter().take(5).collect::<Vec<_>>().join("; ");
            findings.push(fail("store", what, "stop the server, keep the file, restore the last backup"));
            return;
        }
        Err(e) => {
            findings.push(fail(
                "store",
                e.to_string(),
                "stop the server, keep the file, restore the last backup",
            ));
            return;
        }
    }
    if let Err(e) = require_current(store) {
        findings.push(fail("schema", e.to_string(), "nothing was changed"));
        return;
    }
    findings.push(ok("schema", &format!("version {SCHEMA_VERSION}")));
    if store.begin_read().is_ok() {
        let contents = examine_contents(&mut Tx::new(store), data);
        store.rollback();
        match contents {
            Ok(more) => findings.extend(more),
            Err(e) => findings.push(fail("store", e.to_string(), "see the log of the server")),
        }
    }
}

fn examine_contents(tx: &mut Tx<'_>, data: &DataFolder) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let Counts { cases, envelopes, alarms } = count_all(tx)?;
    let version = catalogue::newest_version(tx)?.map_or_else(|| "none".into(), |v| v.to_string());
    let said = format!("{envelopes} envelopes, {cases} cases, newest catalogue {version}");
    findings.push(ok("contents", &said));
    if !meta::has_keys(tx)? {
        findings.push(warn(
            "keys",
            "the store is not bound to keys".into(),
            "start `sync-server serve` once",
        ));
    }
    findings.extend(examine_year_keys(tx, data)?);
    let mut checked = 0;
    let chain = loop {
        match audit::verify(tx, checked, CHAIN_STRETCH)? {
            Ok(last) if last == checked => break Ok(last),
            Ok(last) => checked = last,
            Err(broken) => break Err(broken),
        }
    };
    findings.push(match chain {
        Ok(last) => ok("audit", &format!("the chain of {last} rows holds")),
        Err(row) => {
            fail("audit", format!("the chain breaks at row {row}"), "somebody changed the store by hand")
        }
    });
    let gaps = series::gaps(tx)?;
    findings.push(match gaps.first() {
        None => ok("series", "no gap in any terminal's series"),
        Some(gap) => {
            let said = format!("{} series with gaps; {} misses {}", gaps.len(), gap.terminal, gap.missing);
            warn("series", said, "look at the terminal's queue: something is parked or still to come")
        }
    });
    findings.push(match alarms {
        0 => ok("alarms", "none"),
        n => warn("alarms", format!("{n} alarms were raised"), "see the quarantine on the console"),
    });
    Ok(findings)
}

/// How much there is.
pub struct Counts {
    /// Cases.
    pub cases: i64,
    /// Envelopes.
    pub envelopes: i64,
    /// Alarms ever raised.
    pub alarms: i64,
}

/// Counts what a store holds.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn count_all(tx: &mut Tx<'_>) -> Result<Counts, StoreError> {
    let mut count = |table| tx.query_int(&format!("SELECT COUNT(*) FROM {table}"), &[]);
    Ok(Counts { cases: count("case_")?, envelopes: count("envelope")?, alarms: count("alarm")? })
}

/// Keys of years under which cases are sealed: a running server has them in memory and would not notice a loss.
fn examine_year_keys(tx: &mut Tx<'_>, data: &DataFolder) -> Result<Vec<Finding>, StoreError> {
    let gone = |id: &String| !data.keys_path().join(format!("{id}.key")).exists();
    let lost: Vec<_> = cases::key_ids(tx)?.into_iter().filter(gone).collect();
    Ok(if lost.is_empty() {
        vec![]
    } else {
        let said = format!("cases are sealed under keys that are gone: {}", lost.join(", "));
        vec![fail("keys", said, "restore the key backup before the server is stopped")]
    })
}

fn examine_catalogue(assets: &Path) -> Finding {
    match load_catalogue(&assets.join("catalogue")) {
        Ok(c) => {
            let said = format!(
                "version {} ({}): {} items, {} bundles, {} stations",
                c.version,
                c.data_label,
                c.items.len(),
                c.bundles.len(),
                c.stations.len()
            );
            ok("catalogue", &said)
        }
        Err(e) => {
            fail("catalogue", e.to_string(), "correct the files that are named, or name them with --assets")
        }
    }
}

fn examine_keys(data: &DataFolder) -> Finding {
    let folder = data.keys_path();
    let missing: Vec<_> = ["receipt.key", "sealing.key", "person.key"]
        .into_iter()
        .filter(|name| !folder.join(name).exists())
        .collect();
    if !missing.is_empty() {
        let said = format!("missing in {}: {}", folder.display(), missing.join(", "));
        return fail(
            "keys",
            said,
            "start `sync-server serve` once; if the store is older, restore the key backup",
        );
    }
    match readable_by_others(&folder) {
        Ok(open) if open.is_empty() => ok("keys", "present, readable by their owner only"),
        Ok(open) => warn("keys", format!("readable by others: {}", open.join(", ")), "chmod 600 these files"),
        Err(e) => fail("keys", e.to_string(), "check the folder's owner and mode"),
    }
}

fn examine_disk(data: &DataFolder) -> Finding {
    match rustix::fs::statvfs(data.path()) {
        Ok(about) => {
            let free_mib = about.f_bavail.saturating_mul(about.f_frsize) / (1024 * 1024);
            let said = format!("{free_mib} MiB free");
            if free_mib < LOW_DISK_MIB {
                warn("disk", said, "make room: a full disk stops intake")
            } else {
                ok("disk", &said)
            }
        }
        Err(e) => fail("disk", e.to_string(), "check that the data folder is there"),
    }
}

fn ok(subject: &'static str, said: &str) -> Finding {
    Finding { subject, level: Level::Ok, said: said.to_owned(), advice: String::new() }
}

fn warn(subject: &'static str, said: String, advice: &str) -> Finding {
    Finding { subject, level: Level::Warn, said, advice: advice.to_owned() }
}

fn fail(subject: &'static str, said: String, advice: &str) -> Finding {
    Finding { subject, level: Level::Fail, said, advice: advice.to_owned() }
}
