//! What an operator sets for readers and photos, as a terminal and its doctor take it.
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command as Process;

use anyhow::{Context as _, Result, ensure};
use hardware::card_reader::{ReaderEvent, ReaderStatus};
use hardware::device::{DeviceKind, DeviceState, Trouble};
use hardware::photo::BMP_LEN;
use hardware::readers_file;
use hardware::trace::Trace;
use serde_json::Value;
use terminal::command::Command;
use terminal::config::{Config, ReaderChoice};
use terminal::headless::HeadlessTerminal;
use terminal::model::{CardStep, TextSize};
use terminal::store::Store;
use tests::binaries::binary;
use tests::centre::Centre;
use tests::device::now_ms;
use tests::pcscd::Pcscd;
use tests::visit::{self, PATIENCE};
use virtual_reader::order::Order;
use virtual_reader::serial::SerialReader;

use super::image;

/// A server that nobody runs.
const NOBODY: &str = "http://127.0.0.1:9";

/// What the doctor finds of a subject with these flags.
fn finding(subject: &str, data: &Path, flags: &[&str]) -> Result<(String, String)> {
    let output = Process::new(binary("terminal"))
        .args(["doctor", "--json", "--server", NOBODY, "--data"])
        .arg(data)
        .args(flags)
        .output()?;
    let all: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let rows = all.as_array().or_else(|| all["findings"].as_array()).context("a list")?;
    let row = rows.iter().find(|row| row["subject"] == subject).with_context(|| format!("{all}"))?;
    let word = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    Ok((word("level"), word("found")))
}

#[test]
fn the_doctor_names_the_line_and_key_of_a_bad_readers_file() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("readers.toml");
    let path = file.to_str().context("a path")?;
    std::fs::write(&file, "[[reader]]\nport = \"/dev/no-such-port\"\n")?;
    let (level, found) = finding("readers", folder.path(), &["--readers", path])?;
    ensure!(level == "ok" && found.contains("1 entries"), "{level}: {found}");
    let (level, found) = finding("reader", folder.path(), &["--readers", path])?;
    ensure!(level == "warn" && found.contains("no reader"), "{level}: {found}");
    std::fs::write(&file, "[[reader]]\nport = \"/dev/ttyS9\"\nspeed = 9600\n")?;
    let (level, found) = finding("readers", folder.path(), &["--readers", path])?;
    ensure!(level == "fail" && found.contains("line 3") && found.contains("`speed`"), "{level}: {found}");
    let (level, _) = finding("readers", folder.path(), &["--readers", path, "--reader", "none"])?;
    assert_eq!(level, "warn");
    let (level, found) = finding("photos", folder.path(), &["--photo-decoder", "/no/such/program"])?;
    ensure!(level == "warn" && found.contains("/no/such/program"), "{level}: {found}");
    Ok(())
}

#[test]
fn a_terminal_reads_over_a_serial_line_and_has_the_photo_if_a_decoder_gives_one() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let serial = SerialReader::plug_in(None)?;
    let readers = folder.path().join("readers.toml");
    std::fs::write(&readers, format!("[[reader]]\nport = \"{}\"\n", serial.port().display()))?;
    let decoder = folder.path().join("decoder");
    Store::open(folder.path(), now_ms())?.save_enrolment(&Centre::default().enrolment()?)?;
    let config = Config {
        reader: ReaderChoice::Pcsc,
        readers: Some(readers),
        photo_decoder: Some(decoder.clone()),
        ..visit::config(folder.path(), NOBODY)
    };
    let mut terminal = visit::start(&config);
    ensure!(terminal.wait_until(PATIENCE, |m| m.reader == ReaderStatus::Empty), "no serial reader");
    let picture = folder.path().join("picture.bmp");
    std::fs::write(&picture, bmp())?;
    for (lines, gives) in
        [("exit 1", false), ("/bin/cat", false), ("exec /bin/cat \"$(dirname \"$0\")/picture.bmp\"", true)]
    {
        std::fs::write(&decoder, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{lines}\n"))?;
        std::fs::set_permissions(&decoder, std::fs::Permissions::from_mode(0o700))?;
        terminal.command(Command::Start(TextSize::Normal));
        serial.obey(Order::Insert(image("courier")));
        // The text never waits for the photo.
        let read =
            terminal.wait_until(PATIENCE, |m| m.session.as_ref().is_some_and(|s| s.card == CardStep::Done));
        ensure!(read, "{lines}: not read");
        let photo = |m: &terminal::model::Model| m.session.as_ref().is_some_and(|s| s.photo.is_some());
        if gives {
            ensure!(terminal.wait_until(PATIENCE, photo), "no photo");
            let said = format!("{:?}", terminal.model().session);
            ensure!(said.contains("Photo(..)") && !said.contains("639900"), "{said}");
        }
        serial.obey(Order::Remove);
        ensure!(terminal.wait_until(PATIENCE, |m| m.reader == ReaderStatus::Empty));
        ensure!(photo(terminal.model()) == gives, "{lines}");
        terminal.command(Command::Finish);
        ensure!(terminal.model().session.is_none(), "the visit ended, and the photo with it");
    }
    Ok(())
}

#[test]
fn of_two_readers_a_lost_one_is_told_and_citizens_go_on() -> Result<()> {
    let lost = DeviceState::Trouble(Trouble::OneLost);
    let folder = tempfile::tempdir()?;
    let pcscd = Pcscd::lock()?;
    let mut hand = pcscd.control()?;
    let serial = SerialReader::plug_in(None)?;
    let (port, readers) = (folder.path().join("port"), folder.path().join("readers.toml"));
    std::os::unix::fs::symlink(serial.port(), &port)?;
    let entries = format!("[[reader]]\npattern = \"jinban*\"\n[[reader]]\nport = \"{}\"\n", port.display());
    std::fs::write(&readers, entries)?;
    Store::open(folder.path(), now_ms())?.save_enrolment(&Centre::default().enrolment()?)?;
    let config = Config {
        reader: ReaderChoice::Pcsc,
        readers: Some(readers.clone()),
        ..visit::config(folder.path(), NOBODY)
    };
    let mut terminal = visit::start(&config);
    let is = |terminal: &mut HeadlessTerminal, state| {
        let came = terminal.wait_until(PATIENCE, |m| m.device(DeviceKind::CardReader) == state);
        ensure!(came, "not {state:?}, but {:?}", terminal.model().device(DeviceKind::CardReader));
        Ok(())
    };
    is(&mut terminal, DeviceState::Ready)?;
    // As with udev, the name goes with it: the system may give the number to another test's.
    std::fs::remove_file(&port)?;
    drop(serial);
    is(&mut terminal, lost)?;
    // Whoever is here does not notice.
    terminal.command(Command::Start(TextSize::Normal));
    hand.insert(&image("courier"))?;
    let read =
        terminal.wait_until(PATIENCE, |m| m.session.as_ref().is_some_and(|s| s.card == CardStep::Done));
    ensure!(read, "not read");
    is(&mut terminal, lost)?;
    hand.remove()?;
    ensure!(terminal.wait_until(PATIENCE, |m| m.reader == ReaderStatus::Empty));
    terminal.command(Command::Finish);
    let flags = ["--readers", readers.to_str().context("a path")?];
    let (level, found) = finding("reader", folder.path(), &flags)?;
    ensure!(level == "warn" && found.contains("another one"), "{level}: {found}");
    // Plugged in again it is found without anybody's doing.
    let serial = SerialReader::plug_in(None)?;
    std::os::unix::fs::symlink(serial.port(), &port)?;
    is(&mut terminal, DeviceState::Ready)?;
    drop(terminal);
    let (level, found) = finding("reader", folder.path(), &flags)?;
    ensure!(level == "ok", "{level}: {found}");
    Ok(())
}

#[test]
fn the_doctor_says_that_a_port_is_in_use_and_which_name_no_reader_has() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let pcscd = Pcscd::lock()?;
    let serial = SerialReader::plug_in(None)?;
    let (link, file) = (folder.path().join("port"), folder.path().join("readers.toml"));
    std::os::unix::fs::symlink(serial.port(), &link)?;
    let port = link.display().to_string();
    let write =
        |entries: &[&str]| std::fs::write(&file, format!("[[reader]]\n{}", entries.join("\n[[reader]]\n")));
    let (entry, flags) = (format!("port = \"{port}\""), ["--readers", file.to_str().context("a path")?]);
    let says = |subject: &str| finding(subject, folder.path(), &flags);
    write(&["pattern = \"jinban*\"", &entry])?;
    let (level, found) = says("reader")?;
    ensure!(level == "ok" && found.contains("the terminal that runs knows"), "{level}: {found}");
    ensure!(
        says("reader_port").is_err() && says("reader_pattern").is_err(),
        "nobody has it, and all are there"
    );
    // What a terminal does while it runs.
    let mut holder =
        readers_file::open(&readers_file::parse(&format!("[[reader]]\n{entry}\n"))?, &Trace::default());
    ensure!(holder.wait_event(PATIENCE) == ReaderEvent::Status(ReaderStatus::Empty), "not opened");
    let (level, found) = says("reader")?;
    ensure!(level == "ok" && found.contains("ready"), "the other one is not missed: {level}: {found}");
    let (_, found) = says("reader_port")?;
    let process = format!("process {}", std::process::id());
    ensure!(found.contains(&port) && found.contains("in use") && found.contains(&process), "{found}");
    write(&[&entry])?;
    let (level, found) = says("reader")?;
    ensure!(level == "ok" && found.contains("not asked"), "{level}: {found}");
    // Gone is another thing.
    std::fs::remove_file(&link)?;
    drop((holder, serial));
    let (level, found) = says("reader")?;
    ensure!(level == "warn" && found.contains("no reader"), "{level}: {found}");
    ensure!(says("reader_port").is_err(), "nobody has what is not there");
    write(&["pattern = \"jinban*\"", "pattern = \"another make*\""])?;
    let (level, found) = says("reader_pattern")?;
    ensure!(level == "warn" && found.contains("another make*"), "{level}: {found}");
    drop(pcscd);
    Ok(())
}

fn bmp() -> Vec<u8> {
    let mut bytes = vec![0; BMP_LEN];
    bytes[..2].copy_from_slice(b"BM");
    let numbers: [(usize, u32); 4] = [(10, 54), (14, 40), (18, 102), (22, 126)];
    for (at, number) in numbers {
        bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    bytes[28] = 24;
    bytes
}
