//! `sync-server doctor`: looks at a data folder and says what is wrong and what to do. Changes nothing.
mod attachments;
mod backups;
mod keys;
mod surroundings;

pub use surroundings::NO_NAMES;

use domain::case::CaseState;
use operator::findings::{self, Finding, with_causes};
use publishing::repository::RepositoryError;
use publishing::status::Status;

use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::services::blobs::NOTHING_AWAITED;
use crate::services::{accounts, audit, catalogue, meta, series};
use crate::startup::now_ms;
use crate::store::{Database, Driver, MigrateError, SCHEMA_VERSION, StoreError, Tx, require_current};

/// Less free room than this is a warning, in MiB.
const LOW_DISK_MIB: u64 = 1_024;
/// A submission that waits to be opened for longer than this is a warning, in milliseconds: an hour.
const LONG_WAIT_MS: i64 = 3_600 * 1_000;
/// A catalogue older than this is a warning, in milliseconds: its calendar of holidays changes every year.
const OLD_CATALOGUE_MS: i64 = 366 * 24 * 3_600 * 1_000;
/// So long before an offline signature ends its holder is called, in milliseconds: thirty days.
const CEREMONY_AHEAD_MS: i64 = 30 * 24 * 3_600 * 1_000;
/// A timestamp older than this is a warning, in milliseconds: two days; it is signed anew every day.
const OLD_TIMESTAMP_MS: i64 = 2 * 24 * 3_600 * 1_000;

/// Looks at everything.
pub fn examine(config: &Config) -> Vec<Finding> {
    let data = &config.data_folder();
    let mut findings = vec![
        findings::clock(now_ms(), None),
        findings::disk(data.path(), LOW_DISK_MIB),
        surroundings::listeners(config),
        surroundings::mark(config.mark.as_deref()),
        surroundings::catalogue(&config.assets),
        keys::examine_files(data),
        findings::closed(&data.private_places()),
        examine_signatures(data, now_ms()),
    ];
    match data.database().open_read_only() {
        Ok(mut store) => examine_store(store.as_mut(), config, &mut findings),
        Err(e @ StoreError::Unreachable(_)) => findings.push(Finding::fail(
            "store",
            format!("{}: {e}", data.database()),
            "start PostgreSQL, or correct --database; terminals keep what they have meanwhile",
        )),
        Err(e) => findings.push(Finding::fail(
            "store",
            format!("{} cannot be opened: {}", data.database(), with_causes(&e)),
            match data.database() {
                Database::Sqlite(_) => "start `sync-server serve` once, or restore a backup",
                Database::Postgres(_) => {
                    "correct user, password, name, sslmode or sslrootcert in its address"
                }
            },
        )),
    }
    findings
}

/// How the signed catalogues stand.
fn examine_signatures(data: &DataFolder, now_ms: i64) -> Finding {
    const SUBJECT: &str = "signatures";
    let status = match data.signed().view() {
        Err(RepositoryError::Empty { .. }) => {
            return Finding::ok(SUBJECT, "no key ceremony was held: catalogues come with the programs");
        }
        Err(e) => Err(e.to_string()),
        Ok(view) => Status::of(&view).map_err(|e| e.to_string()),
    };
    let status = match status {
        Ok(status) => status,
        Err(said) => {
            let remedy = "restore the folder `tuf` from the backup, or publish the last folder again";
            return Finding::fail(SUBJECT, said, remedy);
        }
    };
    for role in &status.roles {
        let left_ms = role.expires_ms.unwrap_or(0).saturating_sub(now_ms);
        let (name, offline) = (role.role, role.role.is_offline());
        if !role.signed || left_ms < 0 {
            let said = if role.signed { "has expired" } else { "is not signed by keys that count" };
            let remedy = if offline {
                "its holder signs anew: see docs/operations/keys.md"
            } else {
                "run `sync-server catalogue refresh`; if that fails, see docs/operations/keys.md"
            };
            return Finding::fail(SUBJECT, format!("{name} {said}"), remedy);
        }
        if offline && left_ms < CEREMONY_AHEAD_MS {
            let said = format!("{name} ends in {}", findings::span(left_ms));
            return Finding::warn(SUBJECT, said, "its holder signs anew: see docs/operations/keys.md");
        }
    }
    let age_ms = now_ms.saturating_sub(status.confirmed_ms.unwrap_or(0));
    let said = format!("{} catalogues, confirmed {} ago", status.catalogues.len(), findings::span(age_ms));
    if age_ms > OLD_TIMESTAMP_MS {
        return Finding::warn(SUBJECT, said, "start the server, or run `sync-server catalogue refresh`");
    }
    Finding::ok(SUBJECT, said)
}

fn examine_store(store: &mut dyn Driver, config: &Config, findings: &mut Vec<Finding>) {
    let data = &config.data_folder();
    match store.check() {
        Ok(said) if said.is_empty() => {
            findings.push(Finding::ok("store", format!("the {} database is sound", data.database().kind())));
        }
        Ok(said) => {
            let what = said.into_iter().take(5).collect::<Vec<_>>().join("; ");
            findings.push(Finding::fail("store", what, remedy_of_unsound(data.database())));
            return;
        }
        Err(e) => {
            findings.push(Finding::fail("store", with_causes(&e), remedy_of_unsound(data.database())));
            return;
        }
    }
    match store.advice() {
        Ok(advice) => findings.extend(advice.into_iter().map(|a| Finding::warn("store", a.found, a.remedy))),
        Err(e) => findings.push(Finding::fail("store", with_causes(&e), "see the log of the server")),
    }
    if let Err(e) = require_current(store) {
        findings.push(Finding::fail("schema", e.to_string(), remedy_of_schema(&e)));
        return;
    }
    findings.push(Finding::ok("schema", format!("version {SCHEMA_VERSION}")));
    if store.begin_read().is_ok() {
        let mut tx = Tx::new(store);
        let contents = examine_contents(&mut tx, data).and_then(|mut more| {
            more.push(backups::examine(&mut tx, config.backup.is_some(), now_ms())?);
            more.push(backups::examine_clock(&mut tx, now_ms())?);
            Ok(more)
        });
        store.rollback();
        match contents {
            Ok(more) => findings.extend(more),
            Err(e) => findings.push(Finding::fail("store", e.to_string(), "see the log of the server")),
        }
    }
}

fn remedy_of_schema(error: &MigrateError) -> &'static str {
    match error {
        MigrateError::Older { .. } => "run `sync-server migrate`",
        MigrateError::Newer { .. } => {
            "run the program that wrote the store, or a newer one; nothing was changed"
        }
        MigrateError::Foreign => {
            "this is not a store of the sync server: name the right one with --data or --database; nothing was changed"
        }
        MigrateError::Altered { .. } => "restore the last backup, or run the program that wrote the store",
        MigrateError::Missing => "start `sync-server serve` once, or restore a backup",
        MigrateError::Store(_) => "see the log of the server",
    }
}

fn remedy_of_unsound(database: &Database) -> &'static str {
    match database {
        Database::Sqlite(_) => "stop the server, keep the file, restore the last backup",
        Database::Postgres(_) => {
            "set them on in postgresql.conf and restart PostgreSQL; if they are on, see its log"
        }
    }
}

/// A store that was moved away, or whose rows never came, is not one to go on with.
fn examine_place(tx: &mut Tx<'_>) -> Result<Option<Finding>, StoreError> {
    if let Some(to) = meta::moved_to(tx)? {
        let found = format!("this store was moved to {to}; here is only what it was then");
        return Ok(Some(Finding::fail("store", found, "name the new store with --database")));
    }
    Ok(meta::moving_from(tx)?.map(|from| {
        let found = format!("bringing rows from {from} to this store was broken off");
        Finding::fail("store", found, "run `sync-server move-store` or `restore` once more")
    }))
}

fn examine_contents(tx: &mut Tx<'_>, data: &DataFolder) -> Result<Vec<Finding>, StoreError> {
    let mut findings: Vec<_> = examine_place(tx)?.into_iter().collect();
    let Counts { cases, envelopes, alarms, waiting_since_ms, catalogue_since_ms } = count_all(tx)?;
    findings.push(Finding::ok("contents", format!("{envelopes} envelopes, {cases} cases")));
    findings.push(examine_job(count_waiting(tx)?, waiting_since_ms));
    let version = catalogue::newest_version(tx)?;
    findings.push(examine_catalogue_age(version, catalogue_since_ms));
    findings.push(attachments::examine(tx, now_ms())?);
    findings.extend(keys::compare(tx, data)?);
    findings.extend(keys::examine_sealing(tx, data)?);
    findings.push(match audit::verify_all(tx)? {
        Ok(last) => Finding::ok("audit", format!("the chain of {last} rows holds")),
        Err(row) => Finding::fail(
            "audit",
            format!("the chain breaks at row {row}"),
            "somebody changed the store by hand: keep the file and restore the last backup",
        ),
    });
    let gaps = series::gaps(tx)?;
    findings.push(match gaps.first() {
        None => Finding::ok("series", "no gap in any terminal's series"),
        Some(gap) => {
            let said = format!("{} series with gaps; {} misses {}", gaps.len(), gap.terminal, gap.missing);
            Finding::warn(
                "series",
                said,
                "look at the terminal's queue: something is parked or still to come",
            )
        }
    });
    findings.push(examine_accounts(accounts::count(tx)?));
    findings.push(match alarms {
        0 => Finding::ok("alarms", "none"),
        n => Finding::warn("alarms", format!("{n} alarms were raised"), "see the quarantine on the console"),
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
    /// When the oldest submission that waits to be opened came, milliseconds since 1970; 0 if none waits.
    pub waiting_since_ms: i64,
    /// When the newest catalogue was taken in, milliseconds since 1970; 0 if there is none.
    pub catalogue_since_ms: i64,
}

/// Counts what a store holds.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn count_all(tx: &mut Tx<'_>) -> Result<Counts, StoreError> {
    let mut count = |table| tx.query_int(&format!("SELECT COUNT(*) FROM {table}"), &[]);
    let (cases, envelopes, alarms) = (count("case_")?, count("envelope")?, count("alarm")?);
    let received = CaseState::Received.as_str();
    let sql =
        format!("SELECT COALESCE(MIN(received_at_ms), 0) FROM case_ WHERE state = $1 AND {NOTHING_AWAITED}");
    let waiting_since_ms = tx.query_int(&sql, &[received.into()])?;
    let catalogue_since_ms = tx.query_int("SELECT COALESCE(MAX(stored_at_ms), 0) FROM catalogue", &[])?;
    Ok(Counts { cases, envelopes, alarms, waiting_since_ms, catalogue_since_ms })
}

/// How many submissions wait to be opened, and for nothing else.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn count_waiting(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let received = CaseState::Received.as_str();
    let sql = format!("SELECT COUNT(*) FROM case_ WHERE state = $1 AND {NOTHING_AWAITED}");
    tx.query_int(&sql, &[received.into()])
}

fn examine_job(waiting: i64, since_ms: i64) -> Finding {
    if waiting == 0 {
        return Finding::ok("opening", "nothing waits to be opened");
    }
    let age = now_ms().saturating_sub(since_ms);
    let found = format!("{waiting} submissions wait to be opened, the oldest for {}", findings::span(age));
    if age > LONG_WAIT_MS {
        Finding::warn(
            "opening",
            found,
            "start `sync-server serve`; if it runs, its log says what is in the way",
        )
    } else {
        Finding::ok("opening", found)
    }
}

fn examine_accounts((all, admins): (u64, u64)) -> Finding {
    let found = format!("{all} accounts, {admins} administrators who can sign in");
    if admins == 0 {
        let remedy =
            "run `sync-server account add NAME --role admin`; until then nobody can give out accounts";
        Finding::warn("sign-in", found, remedy)
    } else {
        Finding::ok("sign-in", found)
    }
}

fn examine_catalogue_age(version: Option<u64>, since_ms: i64) -> Finding {
    let Some(version) = version else {
        return Finding::warn(
            "catalogue-age",
            "the store has no catalogue",
            "start `sync-server serve` once",
        );
    };
    let age = now_ms().saturating_sub(since_ms);
    let found = format!("version {version}, here for {}", findings::span(age));
    if age > OLD_CATALOGUE_MS {
        Finding::warn("catalogue-age", found, "install the assets of the newest release")
    } else {
        Finding::ok("catalogue-age", found)
    }
}
