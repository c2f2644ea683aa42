//! Who may depend on whom: between crates by their manifests, and inside crates by the paths that the code names.
//!
//! Refuses to know more than ARCHITECTURE.md says under *Direction*.
use super::source::Source;
use super::{File, is_below};

/// Rooms, and the rooms that each may name in its manifest.
const CRATES: &[(&str, &str, &[&str])] = &[
    ("documents", "documents", &["domain"]),
    ("domain", "domain", &[]),
    ("hardware", "hardware", &["domain"]),
    ("hardware/virtual-reader", "virtual-reader", &["hardware"]),
    ("operator", "operator", &[]),
    ("publishing", "publishing", &["domain"]),
    ("terminal", "terminal", &["documents", "domain", "hardware", "operator"]),
    ("sync-server", "sync-server", &["documents", "domain", "hardware", "operator", "publishing"]),
    (
        "tests",
        "tests",
        &[
            "documents",
            "domain",
            "hardware",
            "virtual-reader",
            "operator",
            "publishing",
            "terminal",
            "sync-server",
        ],
    ),
    ("xtask", "xtask", &["domain", "hardware", "virtual-reader"]),
];

/// Rooms that may reach real devices (and so need a system library).
const DEVICES: &[&str] = &["terminal", "tests"];

/// Packages, and the only places that may name them. A manifest may name them where such a place lies in its room.
const HOMES: &[(&str, &[&str])] = &[
    ("pcsc", &["hardware/src/transport/pcsc.rs"]),
    ("serialport", &["hardware/src/transport/serial.rs"]),
    ("encoding_rs", &["hardware/src/social_security/records.rs"]),
    ("reqwest", &["terminal/src/sync/http.rs", "tests"]),
    ("rusqlite", &["terminal/src/store", "sync-server/src/store", "tests"]),
    ("tokio_postgres", POSTGRES),
    ("tokio_postgres_rustls", POSTGRES),
    ("rustls", TLS),
    ("tokio_rustls", &["sync-server/src/shell/tls.rs"]),
    ("rusmpp_core", SMS),
    ("tokio_util", SMS),
    ("rcgen", &["sync-server/src/authority.rs", "terminal/src/sync/tls", "tests"]),
    ("x509_parser", &["sync-server/src/authority.rs"]),
    ("egui", WINDOW),
    ("eframe", WINDOW),
    ("egui_kittest", &["tests"]),
    ("axum", PAGES),
    ("hyper", &["sync-server/src/shell"]),
    ("hyper_util", &["sync-server/src/shell", "sync-server/src/blobs"]),
    ("object_store", &["sync-server/src/blobs"]),
    ("tower_http", PAGES),
    ("utoipa_axum", &["sync-server/src/routes.rs"]),
    ("askama", PAGES),
    ("hpke", &["domain/src/envelope"]),
    ("aes_gcm", NATIONAL),
    ("sm2", NATIONAL),
    ("sm3", NATIONAL),
    ("sm4", NATIONAL),
    ("jsonschema", &["domain/src/form", "tests/src/bin/bench-validate.rs"]),
    ("qrcode", &["domain/src/document"]),
    ("pkcs8", &["publishing/src/key_file.rs"]),
    ("tough", &["publishing/src", "terminal/src/sync/catalogue_client", "tests"]),
    ("url", &["terminal/src/sync/catalogue_client"]),
    ("futures_util", &["terminal/src/sync/catalogue_client"]),
    ("atspi", &["xtask/src/demo/accessibility.rs"]),
    ("krilla", &["documents/src"]),
    ("ab_glyph", &["documents/src"]),
    ("escpos", &["hardware/src/printer"]),
    ("ipp", &["hardware/src/printer"]),
    ("httparse", &["hardware/src/printer"]),
    ("rust_xlsxwriter", &["sync-server/src/xlsx_file.rs"]),
    ("tokio", ASYNC),
];

const SMS: &[&str] = &["sync-server/src/sms/smpp.rs", "tests/src/smsc.rs"];
const NATIONAL: &[&str] = &["domain/src/envelope/national.rs"];

const WINDOW: &[&str] = &[
    "terminal/src/app.rs",
    "terminal/src/app",
    "terminal/src/screens",
    "terminal/src/widgets",
    "terminal/src/theme",
    "terminal/src/icons",
    "terminal/src/fonts.rs",
    "terminal/examples",
    "tests",
];

const PAGES: &[&str] = &[
    "sync-server/src/api",
    "sync-server/src/pages",
    "sync-server/src/shell",
    "sync-server/src/routes.rs",
    "tests",
];

const POSTGRES: &[&str] = &["sync-server/src/store/postgres.rs", "sync-server/src/store/postgres"];

const TLS: &[&str] = &[
    "sync-server/src/store/postgres.rs",
    "sync-server/src/store/postgres",
    "sync-server/src/shell/tls.rs",
    "terminal/src/sync/tls",
    "tests",
];

const ASYNC: &[&str] = &[
    "sync-server/src/api",
    "sync-server/src/pages",
    "sync-server/src/shell",
    "sync-server/src/cli.rs",
    "sync-server/src/store/postgres/session.rs",
    "sync-server/src/blobs",
    "terminal/src/sync/http.rs",
    "terminal/src/sync/catalogue_client",
    "xtask/src/demo/accessibility.rs",
    "tests",
];

/// Places inside crates, and the paths that the product's code there must not name.
const INSIDE: &[(&str, &[&str])] = &[
    (
        "domain/src",
        &["std::fs", "std::net", "std::thread", "std::env", "std::process", "std::os", "getrandom"],
    ),
    (
        "domain/src",
        &["std::time::SystemTime", "std::time::Instant", "jiff::Zoned::now", "jiff::Timestamp::now"],
    ),
    ("domain/src/envelope", &["crate::wire"]),
    ("hardware/src", &["domain::item", "domain::catalogue", "domain::case", "domain::form", "domain::wire"]),
    ("terminal/src/screens", IO),
    ("terminal/src/widgets", IO),
    ("terminal/src/widgets", &["crate::screens"]),
    ("terminal/src/model", IO),
    ("terminal/src/model", &["crate::screens", "crate::widgets", "crate::app"]),
    (
        "terminal/src/store",
        &["crate::sync", "crate::workers", "crate::runtime", "crate::screens", "crate::app"],
    ),
    (
        "terminal/src/sync",
        &["crate::workers", "crate::runtime", "crate::screens", "crate::widgets", "crate::app"],
    ),
    ("terminal/src/workers", &["crate::screens", "crate::widgets", "crate::app", "crate::runtime"]),
    (
        "sync-server/src/services",
        &["crate::api", "crate::pages", "crate::shell", "crate::jobs", "crate::routes"],
    ),
    ("sync-server/src/services", &["std::time", "std::thread", "std::net", "std::fs", "getrandom"]),
    ("sync-server/src/auth", &["crate::api", "crate::pages", "crate::shell", "crate::jobs", "crate::routes"]),
    (
        "sync-server/src/store",
        &["crate::api", "crate::pages", "crate::shell", "crate::jobs", "crate::services"],
    ),
    ("sync-server/src/jobs", &["crate::api", "crate::pages", "crate::shell"]),
];

const IO: &[&str] = &[
    "crate::store",
    "crate::sync",
    "crate::workers",
    "crate::runtime",
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::time::SystemTime",
    "std::time::Instant",
];

/// A manifest that names a room or package that its own room may not name.
pub fn wrong_dependencies(file: &File) -> Vec<String> {
    let Ok(manifest) = file.text.parse::<toml::Table>() else { return vec!["not TOML".to_owned()] };
    let Some(package) = manifest.get("package").and_then(|p| p.get("name")).and_then(toml::Value::as_str)
    else {
        return Vec::new();
    };
    let Some((room, _, allowed)) = CRATES.iter().find(|(_, name, _)| *name == package) else {
        return vec![format!("the crate {package} has no place in the map (tests/it/tidy/edges.rs)")];
    };
    let mut complaints = Vec::new();
    for (name, value) in dependencies(&manifest) {
        let ours = CRATES.iter().any(|(_, other, _)| *other == name);
        if ours && !allowed.contains(&name.as_str()) {
            complaints.push(format!("{package} must not depend on {name}"));
        }
        let devices = value.get("features").and_then(toml::Value::as_array);
        let devices = devices.is_some_and(|f| f.iter().any(|f| f.as_str() == Some("devices")));
        if devices && !DEVICES.contains(&package) {
            complaints.push(format!("{package} must not reach devices"));
        }
        let home = HOMES.iter().find(|(package, _)| *package == name.replace('-', "_"));
        if home.is_some_and(|(_, places)| !places.iter().any(|p| room_of(p) == Some(room))) {
            complaints.push(format!("{package} must not name the package {name}"));
        }
    }
    complaints
}

/// Tables of dependencies of all kinds, also those for one platform only.
fn dependencies(manifest: &toml::Table) -> Vec<(String, toml::Value)> {
    let mut found = Vec::new();
    for (key, value) in manifest {
        let Some(table) = value.as_table() else { continue };
        match key.as_str() {
            "dependencies" | "dev-dependencies" | "build-dependencies" => {
                found.extend(table.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            "target" => found.extend(table.values().filter_map(|t| t.as_table()).flat_map(dependencies)),
            _ => {}
        }
    }
    found
}

/// The room (folder of a crate) that a place lies in: the deepest one.
fn room_of(place: &str) -> Option<&'static str> {
    let rooms = CRATES.iter().map(|(folder, ..)| *folder).filter(|folder| is_below(place, folder));
    rooms.max_by_key(|folder| folder.len())
}

/// A package named outside its home.
pub fn strangers(file: &File) -> Vec<String> {
    let source = Source::new(&file.text);
    let paths = source.paths();
    let mut complaints = Vec::new();
    for (package, homes) in HOMES {
        let at_home = homes.iter().any(|home| is_below(&file.path, home));
        // A module of the same name is not the package.
        let module = source.code.contains(&format!("mod {package};"));
        if at_home || module {
            continue;
        }
        let named = paths.iter().filter(|(_, path)| path.split("::").next() == Some(package));
        complaints.extend(named.map(|(line, path)| format!("line {line}: `{path}` is not at home here")));
    }
    complaints
}

/// A path inside a crate that leads upwards or sideways.
pub fn wrong_paths(file: &File) -> Vec<String> {
    let rules: Vec<_> = INSIDE.iter().filter(|(place, _)| is_below(&file.path, place)).collect();
    if rules.is_empty() {
        return Vec::new();
    }
    let paths = Source::new(&file.text).product().paths();
    let forbidden = |path: &str| {
        let mut all = rules.iter().flat_map(|(_, forbidden)| forbidden.iter());
        all.any(|f| path.strip_prefix(f).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")))
    };
    let wrong = paths.into_iter().filter(|(_, path)| forbidden(path));
    wrong.map(|(line, path)| format!("line {line}: `{path}` is out of bounds here")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_wrong_dependency_is_red() {
        let manifest =
            |name: &str, rest: &str| file("x/Cargo.toml", &format!("[package]\nname = '{name}'\n{rest}"));
        let table = [
            ("domain", "[dependencies]\nhardware.workspace = true"),
            ("hardware", "[dev-dependencies]\nterminal.workspace = true"),
            ("sync-server", "[target.'cfg(unix)'.dependencies]\nterminal.workspace = true"),
            ("sync-server", "[dependencies]\nhardware = { workspace = true, features = ['devices'] }"),
            ("xtask", "[dependencies]\nrusqlite.workspace = true"),
            ("hardware", "[dependencies]\nreqwest.workspace = true"),
            ("new-crate", ""),
        ];
        for (name, rest) in table {
            assert_eq!(wrong_dependencies(&manifest(name, rest)).len(), 1, "{name} {rest}");
        }
        assert_eq!(wrong_dependencies(&file("Cargo.toml", "[package")), ["not TOML"]);
        assert!(
            wrong_dependencies(&manifest("terminal", "[dependencies]\ndomain.workspace = true")).is_empty()
        );
    }

    #[test]
    fn a_package_outside_its_home_is_red() {
        let red = [
            ("terminal/src/workers/reader.rs", "use pcsc::Context;"),
            ("hardware/src/pcsc_reader.rs", "fn a() -> pcsc::Error { }"),
            ("sync-server/src/services/cases.rs", "use rusqlite::Connection;"),
            ("terminal/src/model/mod.rs", "fn a(ui: &mut egui::Ui) {}"),
            ("terminal/src/sync/engine.rs", "use reqwest;"),
            ("domain/src/ids.rs", "async fn a() { tokio::spawn(b) }"),
        ];
        for (path, text) in red {
            assert_eq!(strangers(&file(path, text)).len(), 1, "{path}");
        }
        let green = [
            ("hardware/src/transport/pcsc.rs", "use pcsc::Context;"),
            ("hardware/src/transport/mod.rs", "pub mod pcsc;\npub use pcsc::PcscControl;"),
            ("terminal/src/model/mod.rs", "// egui::Ui is not here\nconst A: &str = \"egui::Ui\";"),
            ("terminal/src/main.rs", "let tokio = 1; crate::pcsc::x();"),
        ];
        for (path, text) in green {
            assert!(strangers(&file(path, text)).is_empty(), "{path}");
        }
    }

    #[test]
    fn a_path_upwards_is_red() {
        let red = [
            ("terminal/src/screens/home.rs", "use crate::{model::Model, store::Store};"),
            ("terminal/src/widgets/field.rs", "use std::{fs, fmt};"),
            ("domain/src/date.rs", "use std::time::{Duration, SystemTime};"),
            ("domain/src/ids.rs", "fn a() { std::thread::yield_now() }"),
            ("sync-server/src/services/cases.rs", "use crate::pages::view;"),
            ("sync-server/src/store/sqlite.rs", "crate::services::cases::open();"),
        ];
        for (path, text) in red {
            assert_eq!(wrong_paths(&file(path, text)).len(), 1, "{path}");
        }
        let green = [
            ("terminal/src/screens/home.rs", "use crate::{model::Model, storefront::Store};"),
            ("domain/src/date.rs", "use std::time::Duration;\n#[cfg(test)]\nmod tests { use std::fs; }"),
            ("sync-server/src/pages/case.rs", "use crate::services::cases;"),
        ];
        for (path, text) in green {
            assert!(wrong_paths(&file(path, text)).is_empty(), "{path}");
        }
    }
}
