//! `sync-server account`: on the centre's own machine, with passwords on standard input or generated, never arguments.
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tests::binaries::{binary, repository};
use tests::server::{PASSWORD, Server};

use super::{leads_to, made, sign_in};

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a command with something on its standard input.
fn fed(server: &Server, arguments: &[&str], input: &[u8]) -> Result<Output> {
    let mut child = Command::new(binary("sync-server"))
        .args(arguments)
        .arg("--data")
        .arg(server.data())
        .args(["--database", &server.address()?])
        .current_dir(repository())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // A program that refuses early closes its end.
    let _ = child.stdin.take().context("a pipe")?.write_all(input);
    Ok(child.wait_with_output()?)
}

#[test]
fn accounts_are_made_listed_locked_reset_and_given_roles_beside_the_running_server() -> Result<()> {
    let server = Server::start()?;
    let first = made(&server, "boss", &["admin"])?;
    let output = server.command(&["account", "add", "zhang", "--role", "clerk", "--role", "inspector"])?;
    let said = text(&output);
    assert!(
        output.status.success() && said.contains("A-0002  zhang  clerk,inspector  first password"),
        "{said}"
    );
    let password = String::from_utf8_lossy(&output.stdout).lines().nth(1).context("a password")?.to_owned();
    assert_eq!(sign_in(&server, "zhang", &password)?.status, 303);
    assert_eq!(leads_to(&sign_in(&server, "boss", &first)?), Some("/account/password"));
    for (arguments, says) in [
        (&["account", "lock", "zhang"][..], "locked"),
        (&["account", "unlock", "zhang"], "first password"),
        (&["account", "roles", "zhang", "--role", "reviewer"], "reviewer"),
    ] {
        let output = server.command(arguments)?;
        assert!(output.status.success() && text(&output).contains(says), "{arguments:?}: {}", text(&output));
    }
    let reset = server.command(&["account", "reset", "zhang", "--json"])?;
    let reset: Value = serde_json::from_slice(&reset.stdout)?;
    let other = reset["password"].as_str().context("a password")?;
    assert_eq!(
        (sign_in(&server, "zhang", &password)?.status, sign_in(&server, "zhang", other)?.status),
        (401, 303)
    );
    let list = server.command(&["account", "list", "--json"])?;
    let list: Value = serde_json::from_slice(&list.stdout)?;
    assert_eq!((&list[0]["name"], &list[1]["roles"][0]), (&"boss".into(), &"reviewer".into()));
    assert!(
        list.as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|a| a.get("password").is_none()))
    );
    assert!(text(&server.command(&["account", "list"])?).contains("A-0001  boss  admin"));
    let rows =
        server.rows("SELECT COUNT(*) FROM audit WHERE actor = 'operator' AND event LIKE 'account.%'", &[])?;
    assert_eq!(rows[0].int(0)?, 6);
    Ok(())
}

#[test]
fn a_password_comes_from_standard_input_and_is_not_printed() -> Result<()> {
    let server = Server::start()?;
    let add = ["account", "add", "zhang", "--role", "clerk", "--password-stdin"];
    let output = fed(&server, &add, format!("{PASSWORD}\n").as_bytes())?;
    assert!(output.status.success() && !text(&output).contains(PASSWORD), "{}", text(&output));
    assert_eq!(leads_to(&sign_in(&server, "zhang", PASSWORD)?), Some("/account/password"));
    let reset = ["account", "reset", "zhang", "--password-stdin", "--json"];
    let output = fed(&server, &reset, b"Deep-lake-73\r\n")?;
    let answer: Value = serde_json::from_slice(&output.stdout).with_context(|| text(&output))?;
    assert!(answer.get("password").is_none());
    assert_eq!(sign_in(&server, "zhang", "Deep-lake-73")?.status, 303);
    let endless = vec![b'x'; 1 << 20];
    let table: [(&[u8], &str); 6] = [
        (b"", "at least 10"),
        (b"short\n", "at least 10"),
        (b"Blue-zhang-37\n", "sign-in name"),
        (b"two\nlines-Of-1\n", "control"),
        (b"\xff\xfe not text\n", "UTF-8"),
        (&endless, "longer than a password"),
    ];
    for (input, says) in table {
        let output = fed(&server, &reset, input)?;
        assert!(output.status.code() == Some(1) && text(&output).contains(says), "{says}: {}", text(&output));
    }
    assert_eq!(sign_in(&server, "zhang", "Deep-lake-73")?.status, 303, "nothing was changed");
    Ok(())
}

#[test]
fn what_cannot_be_done_is_said_with_the_usual_exit_codes() -> Result<()> {
    let server = Server::start()?;
    made(&server, "boss", &["admin"])?;
    let table = [
        (&["account", "add", "boss", "--role", "admin"][..], 1, "another account"),
        (&["account", "add", "both", "--role", "editor", "--role", "checker"], 1, "editor and checker"),
        (&["account", "add", "zhang"], 2, "--role"),
        (&["account", "add", "zhang", "--role", "emperor"], 2, "clerk, window, reviewer"),
        (&["account", "add", "Z", "--role", "clerk"], 2, "2 to 32"),
        (&["account", "add", "zhang", "--role", "clerk", "--password", "x"], 2, "--password"),
        (&["account", "lock", "boss"], 1, "last administrator"),
        (&["account", "roles", "boss", "--role", "clerk"], 1, "last administrator"),
        (&["account", "lock", "nobody"], 1, "no such account"),
        (&["account", "reset", "nobody"], 1, "no such account"),
        (&["account", "roles", "nobody", "--role", "clerk"], 1, "no such account"),
        (&["account"], 2, "Usage"),
    ];
    for (arguments, code, says) in table {
        let output = Command::new(binary("sync-server"))
            .args(arguments)
            .env("JINBAN_DATA", server.data())
            .env("JINBAN_DATABASE", server.address()?)
            .current_dir(repository())
            .stdin(Stdio::null())
            .output()?;
        let said = text(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    let folder = tempfile::tempdir()?;
    let output = tests::server::command_in(folder.path(), &["account", "list"])?;
    assert!(
        output.status.code() == Some(1) && text(&output).contains("there is no store"),
        "{}",
        text(&output)
    );
    Ok(())
}
