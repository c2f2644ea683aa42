//! Completions for shells and manual pages, made from the same command definition that reads the command line.
use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, ValueEnum};
use clap_complete::Shell as Known;

/// A shell that completions are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

/// The completion script of a program.
pub fn completions(mut command: Command, shell: Shell) -> String {
    let name = command.get_name().to_owned();
    let shell = match shell {
        Shell::Bash => Known::Bash,
        Shell::Zsh => Known::Zsh,
        Shell::Fish => Known::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes a manual page for the program and one for each of its commands into a folder, which is made if it is not
/// there; gives the files, sorted.
///
/// # Errors
/// The operating system's, if folder or files cannot be written.
pub fn write_pages(command: Command, folder: &Path) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let name = command.get_name().to_owned();
    clap_mangen::generate_to(command.disable_help_subcommand(true), folder)?;
    let ours = |path: &PathBuf| {
        let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        file.starts_with(&name) && file.ends_with(".1")
    };
    let mut pages: Vec<PathBuf> =
        std::fs::read_dir(folder)?.filter_map(|e| e.ok().map(|e| e.path())).filter(ours).collect();
    pages.sort();
    Ok(pages)
}

/// Reads the command line of this process; a wrong one ends it with exit code 2, `--help` and `--version` with 0.
pub fn read_command_line<C: clap::CommandFactory + clap::FromArgMatches>() -> C {
    let mut command = command::<C>();
    let matches = command.get_matches_mut();
    C::from_arg_matches(&matches).unwrap_or_else(|e| e.format(&mut command).exit())
}

/// A program's command with its own name in the examples of shared commands, where they say `{bin}`.
pub fn command<C: clap::CommandFactory>() -> Command {
    let command = C::command();
    let name = command.get_name().to_owned();
    named(command, &name)
}

fn named(command: Command, name: &str) -> Command {
    let below: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let help = command.get_after_help().map(|h| h.to_string().replace("{bin}", name));
    let command = match help {
        Some(help) => command.after_help(help),
        None => command,
    };
    below.into_iter().fold(command, |command, sub| command.mut_subcommand(sub, |c| named(c, name)))
}
