//! What lies around a store: listeners, the bank's picture, the catalogue's files. Refuses to open the store.
use std::path::Path;

use operator::findings::{Finding, with_causes};

use crate::bank_mark::BankMark;
use crate::config::Config;
use crate::startup::load_catalogue;

/// No terminal elsewhere can reach the server.
pub const NO_NAMES: &str = "terminals is on every network and terminals_names is empty: the certificate names this \
                            machine only, and terminals elsewhere refuse it";

/// Whether a listener is open to every network of the machine.
pub(super) fn listeners(config: &Config) -> Finding {
    const SUBJECT: &str = "listeners";
    let open = config.open_to_all();
    if open.is_empty() {
        return Finding::ok(SUBJECT, "none is open to every network");
    }
    let list: Vec<String> = open.iter().map(|(name, address)| format!("{name} ({address})")).collect();
    let found = format!("open to every network of this machine: {}", list.join(", "));
    let remedy = "name the address in the network that is meant, or let a firewall keep the others out";
    if config.lacks_names() {
        let further = "; name the addresses under which terminals reach this server in terminals_names";
        return Finding::warn(SUBJECT, format!("{found}; {NO_NAMES}"), format!("{remedy}{further}"));
    }
    Finding::warn(SUBJECT, found, remedy)
}

/// The bank's picture; the server works without it.
pub(super) fn mark(file: Option<&Path>) -> Finding {
    const SUBJECT: &str = "mark";
    let Some(file) = file else { return Finding::ok(SUBJECT, "none, as configured") };
    match BankMark::read(file) {
        Ok(mark) => Finding::ok(SUBJECT, format!("{}, {}", file.display(), mark.size())),
        Err(e) => Finding::warn(SUBJECT, with_causes(&e), hardware::image::MARK_REMEDY),
    }
}

/// The catalogue's files.
pub(super) fn catalogue(assets: &Path) -> Finding {
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
            Finding::ok("catalogue", said)
        }
        Err(e) => Finding::fail(
            "catalogue",
            with_causes(&e),
            "correct the files that are named, or name their folder with --assets",
        ),
    }
}
