//! What is left of a person when the visit is over: nothing in the memory of the program, on its disk, in its log.
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use tests::binaries::binary;
use tests::canary::{bytes_below, holds, memory_of, phone};
use tests::server::Server;
use tests::visit;

/// The visitor's card.
const CARD: &str = "dotted-name";

#[test]
fn t13_nothing_of_a_person_is_left_in_memory_on_disk_or_in_the_log() -> Result<()> {
    let server = Server::start()?;
    let data = tempfile::tempdir()?;
    visit::enrol(&server, data.path())?;
    let seed = u64::from(std::process::id());
    visit::lay(data.path(), CARD)?;
    let card = std::fs::read_to_string(visit::card_file(data.path()))?;
    visit::lift(data.path())?;
    let field = |name: &str| {
        let line = card.lines().find(|line| line.starts_with(&format!("{name} "))).context("a line")?;
        Ok::<_, anyhow::Error>(line.split('"').nth(1).context("a text")?.to_owned())
    };
    let canaries = [field("name")?, field("id_number")?, field("address")?, phone(seed)];

    let mut child = Command::new(binary("canary-visit"))
        .arg(data.path())
        .args([&server.terminals, &seed.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(data.path().join("log"))?)
        .spawn()?;
    let (pid, mut orders) = (child.id(), child.stdin.take().context("orders")?);
    let mut said = BufReader::new(child.stdout.take().context("words")?).lines();
    let mut hear = |word: &str| -> Result<()> {
        let line = said.next().context("it broke off")??;
        ensure!(line == word, "{line}");
        Ok(())
    };
    hear("card")?;
    visit::lay(data.path(), CARD)?;
    hear("filled")?;
    visit::lift(data.path())?;
    let during = memory_of(pid)?;
    let unseen: Vec<&String> = canaries.iter().filter(|text| !holds(&during, text)).collect();
    assert!(unseen.is_empty(), "a look into the memory would not find {unseen:?}");
    writeln!(orders, "on")?;
    hear("ended")?;
    let after = memory_of(pid)?;
    let left: Vec<&String> = canaries.iter().filter(|text| holds(&after, text)).collect();
    assert!(left.is_empty(), "in the memory: {left:?}");
    writeln!(orders, "end")?;
    ensure!(child.wait()?.success(), "{}", std::fs::read_to_string(data.path().join("log"))?);
    let files = bytes_below(data.path())?;
    let left: Vec<&String> = canaries.iter().filter(|text| holds(&files, text)).collect();
    assert!(left.is_empty(), "on the disk or in the log: {left:?}");
    Ok(())
}

#[test]
fn t14_a_crash_leaves_no_core_dump_and_does_not_say_what_was_typed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let crash = |arguments: &[&str]| {
        let mut command = Command::new(binary("canary-visit"));
        command.args(arguments).current_dir(folder.path()).output()
    };
    let aborted = crash(&["abort"])?;
    assert!(aborted.status.signal().is_some() && !aborted.status.core_dumped(), "{}", aborted.status);
    assert_eq!(bytes_below(folder.path())?, b"");
    let text = "仁青·卓玛才让";
    let broken = crash(&["panic", text])?;
    assert!(!broken.status.success());
    assert!(!holds(&broken.stderr, text) && !holds(&broken.stdout, text));
    Ok(())
}
