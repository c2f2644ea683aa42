//! `terminal doctor`: what a technician needs to know, each finding with what to do. Changes nothing.
//!
//! What keeps the terminal from working is a failure; what a citizen does not notice today is a warning.
mod devices;
mod holder;
mod readers;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hardware::image::{MARK_REMEDY, Policy, clean_file};
use operator::exit::Exit;
use operator::findings::{self, Finding, span};
use operator::output::{print, print_json};

use crate::assets::load_catalogue;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::store::{
    DATABASE_FILE, KEY_FILE, KEY_REMEDY, StoreError, StoreState, database_files, read_key_trouble, read_state,
};
use crate::sync::http::HttpTransport;
use crate::sync::tls::Trust;
use crate::sync::{Reachable, reach};

/// Less free room than this is a warning, in MiB: room for weeks of submissions.
const LITTLE_DISK_MIB: u64 = 512;
/// A row that waits longer than this is a warning, in milliseconds: a day.
const LONG_WAIT_MS: i64 = 24 * 3_600 * 1_000;
/// A catalogue older than this is a warning, in milliseconds: its calendar of holidays changes every year.
const OLD_CATALOGUE_MS: i64 = 366 * 24 * 3_600 * 1_000;
/// A catalogue that nobody confirmed for so long is a warning, in milliseconds: two weeks.
const UNCONFIRMED_MS: i64 = 14 * 24 * 3_600 * 1_000;

/// Runs all checks and prints them.
///
/// # Errors
/// Only if standard output cannot be written.
pub(crate) fn run(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    let findings = examine(config);
    let printed = if as_json { print_json(&findings) } else { print(&findings::render(&findings)) };
    printed.context("standard output")?;
    Ok(findings::exit(&findings))
}

fn examine(config: &Config) -> Vec<Finding> {
    let now_ms = SystemClock.now_ms();
    let known = read_state(&config.data).ok().and_then(|state| state.identity);
    let reached = HttpTransport::new(&config.server, &Trust::without_key(known.as_ref()))
        .map_err(|e| e.to_string())
        .and_then(|mut transport| reach(&mut transport));
    let mut all = vec![
        findings::clock(now_ms, reached.as_ref().ok().map(|r| r.server_time_ms)),
        findings::disk(&config.data, LITTLE_DISK_MIB),
        findings::closed(&private_places(&config.data)),
    ];
    all.extend(store(&config.data, now_ms));
    all.push(catalogue_files(&config.assets));
    all.extend(devices::examine(config));
    all.push(mark(config.mark.as_deref()));
    all.push(fonts());
    all.push(server(&config.server, reached));
    all
}

/// What is for the owner of the terminal's process only; the key is looked at apart.
fn private_places(data: &Path) -> Vec<PathBuf> {
    std::iter::once(data.to_owned()).chain(database_files(data)).collect()
}

/// Store, enrolment, keys, queue and the kept catalogue.
fn store(data: &Path, now_ms: i64) -> Vec<Finding> {
    if !data.join(DATABASE_FILE).exists() {
        let found = format!("there is none in {}", data.display());
        return vec![Finding::warn("store", found, "run `terminal enrol` with a one-time code")];
    }
    match read_state(data) {
        Ok(state) => vec![
            Finding::ok("store", format!("sound, schema {}", state.schema)),
            enrolled(&state),
            certificate(&state, now_ms),
            key(data).unwrap_or_else(unreadable),
            queue(&state, now_ms),
            parked(&state),
            kept_catalogue(&state, now_ms),
            signatures(&state, now_ms),
        ],
        Err(e) => vec![unreadable(e)],
    }
}

/// A store that cannot be looked at.
fn unreadable(error: StoreError) -> Finding {
    if error.is_busy() {
        return Finding::warn("store", "another process holds the database", "try again in a minute");
    }
    let remedy = "keep the folder as it is and call central IT; the terminal is enrolled with a new folder (--data), \
                  and what was not sent yet lies in the old one";
    Finding::fail("store", error.to_string(), remedy)
}

fn enrolled(state: &StoreState) -> Finding {
    match &state.identity {
        Some(identity) => {
            Finding::ok("enrolment", format!("terminal {} at {}", identity.terminal, identity.station))
        }
        None => Finding::warn("enrolment", "not enrolled", "run `terminal enrol` with a one-time code"),
    }
}

/// How long the certificate is good. It is renewed when a third of its time is left.
fn certificate(state: &StoreState, now_ms: i64) -> Finding {
    const SUBJECT: &str = "certificate";
    let Some(identity) = &state.identity else { return Finding::ok(SUBJECT, "none before enrolment") };
    let Some(certified) = &identity.certified else {
        let remedy = "fine on a machine for trying things out; elsewhere enrol anew with an https address";
        return Finding::warn(SUBJECT, "none: this terminal was enrolled over plain HTTP", remedy);
    };
    let left_ms = certified.expires_at_ms.saturating_sub(now_ms);
    if left_ms < 0 {
        let found = format!("it ended {} ago", span(-left_ms));
        let remedy =
            "it is renewed with the device key as soon as the centre is reached; check link and clock";
        return Finding::warn(SUBJECT, found, remedy);
    }
    Finding::ok(SUBJECT, format!("good for {}, renewed by itself", span(left_ms)))
}

/// Whether the device key is the one that was enrolled, and only its owner reads it.
fn key(data: &Path) -> Result<Finding, StoreError> {
    if let Some(trouble) = read_key_trouble(data)? {
        return Ok(Finding::fail("key", trouble.to_string(), KEY_REMEDY));
    }
    let file = data.join(KEY_FILE);
    Ok(match std::fs::metadata(&file) {
        Ok(about) if about.permissions().mode() & 0o077 != 0 => {
            let mode = about.permissions().mode() & 0o777;
            let remedy = format!("chmod 600 {}; if others may have read it, enrol anew", file.display());
            Finding::warn("key", format!("others may read the device key (mode {mode:o})"), remedy)
        }
        Ok(_) => Finding::ok("key", "present, readable by its owner only"),
        Err(_) => Finding::ok("key", "made at the next start"),
    })
}

fn queue(state: &StoreState, now_ms: i64) -> Finding {
    let Some(oldest) = state.oldest_waiting_ms else { return Finding::ok("queue", "nothing waits") };
    let age = now_ms.saturating_sub(oldest);
    let found = format!("{} submissions wait, the oldest for {}", state.waiting, span(age));
    if age > LONG_WAIT_MS {
        let why =
            state.last_error.as_deref().map(|e| format!(" (the last try said: {e})")).unwrap_or_default();
        let remedy =
            "nothing is lost; see the finding on the server, and mend the network or call the centre";
        Finding::warn("queue", found + &why, remedy)
    } else {
        Finding::ok("queue", found)
    }
}

fn parked(state: &StoreState) -> Finding {
    match state.parked {
        0 => Finding::ok("parked", "none"),
        n => {
            let remedy =
                "read the reasons in `terminal status` and tell the centre the numbers; nothing is erased";
            Finding::warn("parked", format!("{n} submissions are not sent by themselves"), remedy)
        }
    }
}

fn kept_catalogue(state: &StoreState, now_ms: i64) -> Finding {
    let Some((version, kept_ms)) = state.catalogue else {
        return Finding::warn(
            "catalogue-age",
            "no catalogue is kept yet",
            "start the terminal once with --assets",
        );
    };
    let age = now_ms.saturating_sub(kept_ms);
    let found = format!("version {version}, here for {}", span(age));
    if age > OLD_CATALOGUE_MS {
        Finding::warn("catalogue-age", found, "install the assets of the newest release")
    } else {
        Finding::ok("catalogue-age", found)
    }
}

/// When the centre last confirmed the catalogue, and what went wrong since.
fn signatures(state: &StoreState, now_ms: i64) -> Finding {
    const SUBJECT: &str = "signatures";
    if !state.trusts_root {
        return Finding::ok(SUBJECT, "no root is trusted: catalogues come with the program");
    }
    let confirmed = match state.standing.confirmed_ms {
        Some(ms) => format!("the catalogue was confirmed {} ago", span(now_ms.saturating_sub(ms))),
        None => "the catalogue was never confirmed".to_owned(),
    };
    if let Some(trouble) = &state.standing.trouble {
        let remedy = "the catalogue in force goes on serving; tell central IT, with these words";
        return Finding::warn(SUBJECT, format!("{confirmed}; {trouble}"), remedy);
    }
    let old = state.standing.confirmed_ms.is_some_and(|ms| now_ms.saturating_sub(ms) > UNCONFIRMED_MS);
    if old {
        let remedy =
            "check the link and the clock; if both are well, somebody may keep this terminal from news";
        return Finding::warn(SUBJECT, confirmed, remedy);
    }
    Finding::ok(SUBJECT, confirmed)
}

fn catalogue_files(assets: &Path) -> Finding {
    match load_catalogue(assets) {
        Ok(c) => Finding::ok(
            "catalogue",
            format!(
                "version {}, {} items, {} bundles ({})",
                c.version,
                c.items.len(),
                c.bundles.len(),
                c.data_label
            ),
        ),
        Err(e) => {
            let remedy = "name the folder with --assets, and mend the file, item and field that are named";
            Finding::fail("catalogue", format!("{e} ({})", assets.display()), remedy)
        }
    }
}

/// The bank's picture; the terminal works without it.
fn mark(file: Option<&Path>) -> Finding {
    const SUBJECT: &str = "mark";
    let Some(file) = file else { return Finding::ok(SUBJECT, "none, as configured") };
    match clean_file(file, &Policy::MARK) {
        Ok(mark) => {
            Finding::ok(SUBJECT, format!("{}, {}x{} pixels", file.display(), mark.width, mark.height))
        }
        Err(e) => Finding::warn(SUBJECT, findings::with_causes(&e), MARK_REMEDY),
    }
}

fn fonts() -> Finding {
    let font = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";
    if Path::new(font).exists() {
        Finding::ok("fonts", font)
    } else {
        Finding::warn("fonts", "Noto Sans CJK is not installed", "apt install fonts-noto-cjk fonts-hanazono")
    }
}

fn server(address: &str, reached: Result<Reachable, String>) -> Finding {
    match reached {
        Ok(server) => Finding::ok("server", format!("{address} answers, version {}", server.version)),
        Err(why) => {
            let remedy =
                "submissions are kept and sent later; check the address (--server), the cable and the centre";
            Finding::warn("server", format!("{address}: {why}"), remedy)
        }
    }
}
