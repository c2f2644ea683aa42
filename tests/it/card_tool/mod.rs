//! `card-tool` as a technician meets it: the real program, its output, its exit codes.
mod blocks;
mod captures;
mod chips;
mod numbers;
mod readers;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::binaries::binary;

/// Runs the program with these arguments and this standard input.
fn card_tool(arguments: &[&str], input: &[u8]) -> Result<Output> {
    run(Command::new(binary("card-tool")).args(arguments), input)
}

fn run(command: &mut Command, input: &[u8]) -> Result<Output> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut pipe = child.stdin.take().context("a pipe")?;
    std::thread::scope(|scope| {
        // A program that refuses an input need not read it to its end.
        scope.spawn(move || drop(pipe.write_all(input)));
        Ok(child.wait_with_output()?)
    })
}

/// What it printed, if it ended well.
fn good(output: &Output) -> Result<String> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(0), "{:?}: {said}", output.status);
    ensure!(said.is_empty(), "not silent: {said}");
    Ok(String::from_utf8(output.stdout.clone())?)
}

/// What it complained about, in one line, with nothing on standard output and exit code 1.
fn refused(output: &Output) -> Result<String> {
    let said = String::from_utf8(output.stderr.clone())?;
    ensure!(output.status.code() == Some(1), "{:?}: {said}", output.status);
    ensure!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    ensure!(said.starts_with("card-tool: ") && said.lines().count() == 1, "{said}");
    Ok(said)
}

fn json(output: &Output) -> Result<Value> {
    Ok(serde_json::from_str(&good(output)?)?)
}

#[test]
fn wrong_arguments_end_with_two_and_help_with_zero() -> Result<()> {
    let wrong: [&[&str]; 9] = [
        &[],
        &["explode"],
        &["decode"],
        &["check"],
        &["check", "1", "2"],
        &["read", "--route", "magic"],
        &["read", "--ins", "20"],
        &["read", "--cla", "00"],
        &["status-word"],
    ];
    for arguments in wrong {
        let output = card_tool(arguments, &[])?;
        ensure!(output.status.code() == Some(2), "{arguments:?}: {:?}", output.status);
        ensure!(String::from_utf8_lossy(&output.stderr).contains("--help"), "{arguments:?}");
    }
    for task in ["list", "read", "decode", "check", "status-word", "completions"] {
        let help = good(&card_tool(&[task, "--help"], &[])?)?;
        ensure!(help.contains("Example"), "{task}: {help}");
    }
    let help = good(&card_tool(&["--help"], &[])?)?;
    for word in ["list", "read", "decode", "check", "completions", "Examples", "Exit codes"] {
        ensure!(help.contains(word), "{word}: {help}");
    }
    Ok(())
}

#[test]
fn completions_know_the_tasks_of_every_shell() -> Result<()> {
    for shell in ["bash", "zsh", "fish"] {
        let text = good(&card_tool(&["completions", shell], &[])?)?;
        ensure!(
            ["decode", "check", "status-word", "completions"].iter().all(|task| text.contains(task)),
            "{shell}"
        );
    }
    Ok(())
}
