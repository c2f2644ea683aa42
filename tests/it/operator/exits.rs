//! Exit codes of the real programs. Scripts and systemd units rely on them.
use std::net::TcpListener;
use std::path::Path;

use anyhow::Result;
use operator::exit::Exit;
use serde_json::Value;
use tests::binaries::binary;
use tests::server::Server;

use super::{json_of, run, text};

/// An address where nobody listens: the port is privileged and rarely used.
const NOBODY: &str = "127.0.0.1:1";

#[track_caller]
fn ends(program: &str, folder: &Path, arguments: &[&str], exit: Exit, words: &str) -> Result<()> {
    let output = run(program, folder, arguments, &[])?;
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(i32::from(exit.code())), "{program} {arguments:?}: {said}");
    assert!(said.contains(words), "{program} {arguments:?}: {words:?} is not said: {said}");
    Ok(())
}

#[test]
fn done_is_0_and_wrong_usage_is_2() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for program in super::PROGRAMS {
        ends(program, folder.path(), &["--version"], Exit::Ok, env!("CARGO_PKG_VERSION"))?;
        ends(program, folder.path(), &["config", "check"], Exit::Ok, "ok:")?;
        for wrong in [&["--no-such-flag"][..], &["no-such-command"], &["completions", "cmd.exe"], &["config"]]
        {
            ends(program, folder.path(), wrong, Exit::Usage, "--help")?;
        }
    }
    ends("sync-server", folder.path(), &["enrol-code", "--station", "?"], Exit::Usage, "--station")?;
    ends("terminal", folder.path(), &["enrol"], Exit::Usage, "--code")
}

#[test]
fn what_did_not_work_is_1() -> Result<()> {
    let folder = tempfile::tempdir()?;
    ends("terminal", folder.path(), &["status"], Exit::Failure, "the store in data/terminal")?;
    let code = ["enrol-code", "--station", "XN-CCB-CD-01"];
    ends("sync-server", folder.path(), &code, Exit::Failure, "there is no store")?;
    ends("sync-server", folder.path(), &["migrate"], Exit::Ok, "schema")?;
    let nowhere = ["enrol-code", "--station", "XN-NOWHERE-01"];
    ends("sync-server", folder.path(), &nowhere, Exit::Failure, "XN-NOWHERE-01")
}

#[test]
fn a_server_or_an_address_that_is_not_there_is_69() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let enrol = ["enrol", "--code", "ABCD-EFGH-JKMN", "--server", &format!("http://{NOBODY}")];
    ends("terminal", folder.path(), &enrol, Exit::Unavailable, "could not be asked")?;
    let database = format!("postgresql://jinban@{NOBODY}/jinban");
    for command in [&["migrate"][..], &["enrol-code", "--station", "XN-CCB-CD-01"]] {
        let arguments = [command, &["--database", &database]].concat();
        ends("sync-server", folder.path(), &arguments, Exit::Unavailable, "does not answer")?;
    }
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    for listener in ["--terminals", "--people", "--metrics"] {
        let mut arguments = vec!["serve"];
        for other in ["--terminals", "--people", "--metrics"] {
            arguments.extend([other, if other == listener { &address } else { "127.0.0.1:0" }]);
        }
        ends("sync-server", folder.path(), &arguments, Exit::Unavailable, listener)?;
    }
    Ok(())
}

#[test]
fn what_another_process_holds_is_75() -> Result<()> {
    let server = Server::start()?;
    for command in ["migrate", "serve"] {
        let output = server.command(&[command])?;
        assert_eq!(output.status.code(), Some(75), "{command}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("another sync-server works on"));
    }
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data/terminal");
    drop(terminal::store::Store::open(&data, 0)?);
    let holder = rusqlite::Connection::open(data.join(terminal::store::DATABASE_FILE))?;
    // Out of WAL, so that a reader has to wait as well.
    holder.execute_batch("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE")?;
    ends("terminal", folder.path(), &["status"], Exit::TemporaryFailure, "database")
}

fn finding<'a>(findings: &'a Value, subject: &str) -> &'a Value {
    let all = findings.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().find(|f| f["subject"] == subject).unwrap_or(&Value::Null)
}

/// Every finding has its four parts, and a remedy exactly if it is not well.
fn whole(findings: &Value) {
    let all = findings.as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(all.len() > 4, "{findings}");
    for f in all {
        let word = |name: &str| f[name].as_str().unwrap_or_default().to_owned();
        assert!(!word("subject").is_empty() && !word("found").is_empty(), "{f}");
        assert_eq!(word("level") == "ok", word("remedy").is_empty(), "{f}");
    }
}

#[test]
fn the_terminals_doctor_tells_well_degraded_and_broken_apart() -> Result<()> {
    let server = Server::start()?;
    let folder = tempfile::tempdir()?;
    let address = server.terminals.clone();
    let doctor = |server: &str| {
        run("terminal", folder.path(), &["doctor", "--json", "--reader", "none", "--server", server], &[])
    };
    let before = doctor(&address)?;
    let found = json_of(&before)?;
    whole(&found);
    assert_eq!((before.status.code(), &finding(&found, "store")["level"]), (Some(3), &"warn".into()));
    let code = server.enrol_code("XN-CCB-CD-01")?;
    let enrol =
        run("terminal", folder.path(), &["enrol", "--code", &code, "--server", &address, "--json"], &[])?;
    assert_eq!(json_of(&enrol)?["station"], "XN-CCB-CD-01");
    // No window was shown yet, so no catalogue is kept; everything else is well.
    let found = json_of(&doctor(&address)?)?;
    whole(&found);
    for subject in ["clock", "disk", "store", "enrolment", "key", "queue", "parked", "catalogue", "server"] {
        assert_eq!(finding(&found, subject)["level"], "ok", "{subject}: {found:#}");
    }
    let seen = finding(&found, "clock")["found"].as_str().unwrap_or_default();
    assert!(seen.contains("from the server's"), "the clock is judged by the server's: {seen}");
    let offline = doctor(&format!("http://{NOBODY}"))?;
    assert_eq!(offline.status.code(), Some(3));
    assert_eq!(finding(&json_of(&offline)?, "server")["level"], "warn");
    // A key that others can read, and then a store that is none.
    let data = folder.path().join("data/terminal");
    let key = data.join(terminal::store::KEY_FILE);
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    assert_eq!(finding(&json_of(&doctor(&address)?)?, "key")["level"], "warn");
    std::fs::write(data.join(terminal::store::DATABASE_FILE), vec![7; 4_096])?;
    let broken = doctor(&address)?;
    assert_eq!(broken.status.code(), Some(1), "{}", text(&broken.stdout));
    assert_eq!(finding(&json_of(&broken)?, "store")["level"], "fail");
    Ok(())
}

#[test]
fn what_waits_too_long_and_what_is_parked_is_told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data/terminal");
    drop(terminal::store::Store::open(&data, 0)?);
    let rows = rusqlite::Connection::open(data.join(terminal::store::DATABASE_FILE))?;
    for (seq, state) in [(1, "queued"), (2, "quarantined"), (3, "conflict")] {
        rows.execute(
            "INSERT INTO outbox (envelope_id, lineage, seq, kind, header, digest, signature, state, last_error,
                 created_ms) VALUES (?1, 'l', ?1, 'submission', x'00', 'd', x'00', ?2, '503 busy', 1)",
            (seq, state),
        )?;
    }
    drop(rows);
    let doctor = ["doctor", "--json", "--reader", "none", "--server", &format!("http://{NOBODY}")];
    let output = run("terminal", folder.path(), &doctor, &[])?;
    let found = json_of(&output)?;
    let queue = finding(&found, "queue");
    assert_eq!((&queue["level"], output.status.code()), (&"warn".into(), Some(3)), "{found:#}");
    let said = queue["found"].as_str().unwrap_or_default();
    assert!(said.starts_with("1 submissions wait") && said.contains("503 busy"), "{said}");
    assert_eq!(finding(&found, "parked")["found"], "2 submissions are not sent by themselves");
    Ok(())
}

#[test]
fn the_servers_doctor_tells_well_and_broken_apart() -> Result<()> {
    let server = Server::start()?;
    let nobody = server.command(&["doctor", "--json"])?;
    let remedy = finding(&json_of(&nobody)?, "sign-in")["remedy"].as_str().unwrap_or_default().to_owned();
    assert_eq!((nobody.status.code(), remedy.contains("account add")), (Some(3), true), "{remedy}");
    server.console()?;
    let well = server.command(&["doctor", "--json"])?;
    let found = json_of(&well)?;
    whole(&found);
    assert_eq!(well.status.code(), Some(0), "{found:#}");
    for subject in [
        "clock",
        "disk",
        "catalogue",
        "keys",
        "store",
        "schema",
        "contents",
        "sealing",
        "opening",
        "catalogue-age",
        "audit",
        "series",
        "alarms",
        "sign-in",
    ] {
        assert_eq!(finding(&found, subject)["level"], "ok", "{subject}: {found:#}");
    }
    let kind = server.database()?.kind();
    let said = finding(&found, "store")["found"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains(kind), "{said}");
    let folder = tempfile::tempdir()?;
    let away = ["doctor", "--json", "--database", &format!("postgresql://jinban@{NOBODY}/jinban")];
    let output = run("sync-server", folder.path(), &away, &[])?;
    let found = json_of(&output)?;
    whole(&found);
    assert_eq!(output.status.code(), Some(1));
    let remedy = finding(&found, "store")["remedy"].as_str().unwrap_or_default();
    assert!(remedy.contains("start PostgreSQL"), "{found:#}");
    Ok(())
}

/// `sync-server openapi 2>&1 | head -1`: an exit code, and no panic.
#[test]
fn a_reader_that_goes_away_is_an_error_and_no_panic() -> Result<()> {
    let tries: [(&str, &[&str]); 4] = [
        ("sync-server", &["openapi"]),
        ("sync-server", &["completions", "bash"]),
        ("terminal", &["completions", "bash"]),
        ("card-tool", &["completions", "bash"]),
    ];
    for (program, arguments) in tries {
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        let status = std::process::Command::new(binary(program))
            .args(arguments)
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .status()?;
        assert_eq!(status.code(), Some(1), "{program} {arguments:?}");
    }
    Ok(())
}

#[test]
fn the_servers_doctor_names_the_file_that_is_missing_and_a_listener_that_is_open_to_all() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let nowhere = ["doctor", "--json", "--assets", "no-such-folder", "--terminals", "0.0.0.0:8470"];
    let found = json_of(&run("sync-server", folder.path(), &nowhere, &[])?)?;
    whole(&found);
    let said =
        |subject: &str, part: &str| finding(&found, subject)[part].as_str().unwrap_or_default().to_owned();
    let catalogue = said("catalogue", "found");
    assert!(catalogue.contains("no-such-folder/catalogue: No such file"), "{catalogue}");
    assert_eq!(said("listeners", "level"), "warn");
    assert!(said("listeners", "found").contains("terminals (0.0.0.0:8470)"), "{found}");
    assert!(said("listeners", "remedy").contains("terminals_names"), "{found}");
    let usual = json_of(&run("sync-server", folder.path(), &["doctor", "--json"], &[])?)?;
    assert_eq!(finding(&usual, "listeners")["level"], "ok");
    Ok(())
}

#[test]
fn the_terminals_doctor_says_in_words_that_the_smart_card_service_is_off() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // Where a pcscd would be listened to; nobody does.
    let nobody = folder.path().join("pcscd.comm");
    let variables = [("PCSCLITE_CSOCK_NAME", nobody.to_str().unwrap_or_default())];
    let found = json_of(&run("terminal", folder.path(), &["doctor", "--json"], &variables)?)?;
    let reader = finding(&found, "reader");
    assert_eq!(reader["found"], "the smart-card service (pcscd) does not run");
    assert!(reader["remedy"].as_str().is_some_and(|r| r.contains("pcscd.socket")), "{reader}");
    Ok(())
}
