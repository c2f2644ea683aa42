//! Help, completions and manual pages: every command has examples that this very program understands.
use anyhow::Result;
use clap::Command;
use operator::manual;

use super::{PROGRAMS, run, text};

fn definition(program: &str) -> Command {
    match program {
        "terminal" => manual::command::<terminal::cli::Cli>(),
        _ => manual::command::<sync_server::cli::Cli>(),
    }
}

/// All commands with their path, hidden ones left out.
fn commands(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
    found.push((path.to_owned(), command.clone()));
    for sub in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        commands(sub, &format!("{path} {}", sub.get_name()), found);
    }
}

fn all(program: &str) -> Vec<(String, Command)> {
    let mut found = Vec::new();
    commands(&definition(program), program, &mut found);
    found
}

#[test]
fn every_command_has_examples_and_every_example_is_understood() {
    for program in PROGRAMS {
        let all = all(program);
        assert!(all.len() >= 8, "{}", all.len());
        for (path, command) in all {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let begin = format!("  {program} ");
            let examples: Vec<&str> = help.lines().filter(|l| l.starts_with(&begin)).collect();
            assert!(help.contains("Examples:") && !examples.is_empty(), "{path} has no example: {help}");
            assert!(command.get_about().is_some(), "{path} says nothing about itself");
            for example in examples {
                let words = example.split('>').next().unwrap_or_default().split_whitespace();
                let read = definition(program).try_get_matches_from(words);
                assert!(read.is_ok(), "{path}: `{example}`: {:?}", read.err().map(|e| e.to_string()));
                assert!(example.trim().starts_with(&path), "{path}: `{example}` is of another command");
            }
        }
    }
}

#[test]
fn every_argument_says_what_it_is() {
    for program in PROGRAMS {
        for (path, command) in all(program) {
            for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
                assert!(argument.get_help().is_some(), "{path}: {} says nothing", argument.get_id());
            }
        }
    }
}

#[test]
fn completions_and_manual_pages_name_every_command() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for program in PROGRAMS {
        for shell in ["bash", "zsh", "fish"] {
            let script = text(&run(program, folder.path(), &["completions", shell], &[])?.stdout);
            for name in ["doctor", "config", "completions", "check", "--data"] {
                let bare = name.trim_start_matches('-');
                assert!(script.contains(bare), "{program} {shell}: {name} is missing");
            }
        }
        let pages = folder.path().join(program);
        let output = run(program, folder.path(), &["man", program], &[])?;
        assert!(output.status.success(), "{}", text(&output.stderr));
        for (path, _) in all(program) {
            let page = pages.join(path.replace(' ', "-") + ".1");
            let words = std::fs::read_to_string(&page)?;
            assert!(words.contains(".SH NAME") && words.contains("Examples"), "{}", page.display());
        }
        let listed = text(&output.stdout).lines().count();
        assert_eq!(listed, std::fs::read_dir(&pages)?.count(), "every page is named on standard output");
    }
    Ok(())
}

#[test]
fn a_completion_script_is_one_that_bash_reads() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for program in PROGRAMS {
        let script = folder.path().join(program);
        std::fs::write(&script, run(program, folder.path(), &["completions", "bash"], &[])?.stdout)?;
        let read = std::process::Command::new("bash").arg("-n").arg(&script).output()?;
        assert!(read.status.success(), "{}", text(&read.stderr));
    }
    Ok(())
}

#[test]
fn without_a_console_or_with_no_color_there_are_no_colours() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for program in PROGRAMS {
        for arguments in [&["--help"][..], &["doctor"], &["config", "check", "--log", "loud"], &["nonsense"]]
        {
            let output =
                run(program, folder.path(), arguments, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")])?;
            let said = [output.stdout, output.stderr].concat();
            assert!(!said.is_empty() && !said.contains(&0x1b), "{program} {arguments:?} is coloured");
        }
    }
    Ok(())
}
