//! The virtual devices together: an hour of use with a real terminal, and the panel by which somebody plays with them.
mod ended;
mod faults;
mod in_use;
mod matrix;
mod pairs;
mod rig;

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::http;

const PROGRAM: &str = env!("CARGO_BIN_EXE_virtual-devices");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[test]
fn an_hour_of_use_loses_no_visit_and_leaves_no_thread() -> Result<()> {
    let output = Command::new(PROGRAM).args(["soak", "--hours", "1", "--json"]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let soaked: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(
        (&soaked["visits"], &soaked["printed"], &soaked["on_a4"]),
        (&12.into(), &3.into(), &1.into()),
        "{soaked}"
    );
    assert_eq!(soaked["pages"], 12, "{soaked}");
    assert_eq!(soaked["threads"][0], soaked["threads"][1]);
    Ok(())
}

#[test]
fn the_panel_has_a_button_for_everything_and_takes_orders_from_its_own_page_only() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(PROGRAM);
    command.arg("serve").arg("--folder").arg(folder.path());
    // It ends with its standard input.
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("its words")?).read_line(&mut line)?;
    let told: Value = serde_json::from_str(&line)?;
    let base = told["panel"].as_str().context("a panel")?.trim_end_matches('/').to_owned();
    let settings = std::fs::read_to_string(folder.path().join("terminal.toml"))?;
    assert!(settings.contains("receipt_printer = ") && settings.contains("scanner = "), "{settings}");

    let page = || -> Result<String> { Ok(http::get(&base, "/", &[])?.text()) };
    assert!(page()?.contains("value=lay-courier") && page()?.contains("value=receipt-no-paper"));
    assert!(page()?.contains("value=scanner-jam") && page()?.contains("value=camera-gone"));
    assert!(page()?.contains("value=see-good") && page()?.contains("value=receipt-unplug"));
    let press = |what: &str, headers: &[(&str, &str)]| -> Result<u16> {
        let headers = [&[FORM][..], headers].concat();
        Ok(http::post(&base, "/do", &headers, format!("what={what}").as_bytes())?.status)
    };
    assert_eq!(press("lay-courier", &[])?, 303);
    assert!(page()?.contains("done: courier"));
    assert_eq!(press("receipt-no-paper", &[])?, 303);
    // The cables of what the settings name: nobody answers there, until they are plugged in.
    let printer = settings.lines().find_map(|line| line.strip_prefix("receipt_printer = \"tcp:"));
    let printer = printer.and_then(|rest| rest.split([',', '"']).next()).context("a receipt printer")?;
    let readers = settings.lines().find_map(|line| line.strip_prefix("readers = \""));
    let readers = Path::new(readers.context("a readers file")?.trim_end_matches('"'));
    let port = readers.with_file_name("serial-reader");
    for (what, there) in [("unplug", false), ("plug", true)] {
        assert_eq!(press(&format!("receipt-{what}"), &[])?, 303);
        assert_eq!(TcpStream::connect(printer).is_ok(), there, "{what}");
        assert_eq!(press(&format!("serial-{what}"), &[])?, 303);
        assert_eq!(std::fs::File::open(&port).is_ok(), there, "{what}");
    }
    assert_eq!(press("stop-service", &[])?, 303);
    assert_eq!(press("lift", &[])?, 303);
    assert!(page()?.contains("not done: lift the card"), "there is no service that would do it");
    assert_eq!(press("no-such-button", &[])?, 404);
    assert_eq!(press("lay-courier", &[("origin", "http://elsewhere.example")])?, 403);

    drop(child.stdin.take());
    ensure!(child.wait()?.success(), "it ends by itself");
    assert!(!folder.path().join("devices.json").exists(), "nobody is led to a panel that is gone");
    Ok(())
}
