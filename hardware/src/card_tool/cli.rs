//! Arguments of `card-tool` and their help.
use clap::{Parser, Subcommand};
use clap_complete::Shell;

/// Readers, ID cards, captures and ID numbers at the command line.
#[derive(Debug, Parser)]
#[command(
    name = "card-tool",
    version,
    after_help = "Examples:\n  card-tool list\n  card-tool read --json\n  card-tool decode capture.bin\n  \
                  card-tool decode - < capture.bin\n  card-tool check 11010519491231002X\n  \
                  echo 11010519491231002X | card-tool check -\n  card-tool completions bash\n\n\
                  Exit codes: 0 good, 1 not good (said on standard error), 2 wrong arguments.\n\
                  A card's data are personal data: they go to standard output and nowhere else; photos are never \
                  shown."
)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub task: Task,
    /// Print JSON instead of lines.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// List the readers: name, whether a card lies there, number of the security module.
    #[cfg(feature = "devices")]
    #[command(after_help = "Examples:\n  card-tool list\n  card-tool list --json")]
    List(ReaderOptions),
    /// Wait for a card, read it once and print its fields.
    #[cfg(feature = "devices")]
    #[command(
        after_help = "Examples:\n  card-tool read\n  card-tool read --reader 'synjones*' --wait 30\n  \
                      card-tool read --route image --json"
    )]
    Read(ReadOptions),
    /// Print the fields in a capture: SAM_V frames, an image (1284 bytes) or a text block (256 bytes).
    #[command(
        after_help = "Examples:\n  card-tool decode capture.bin\n  card-tool decode --json - < capture.bin\n  \
                      card-tool decode --social-security records.bin"
    )]
    Decode {
        /// The capture holds records of a social-security card: tag, length, value, one behind another.
        #[arg(long)]
        social_security: bool,
        /// The file, or `-` for standard input.
        #[arg(value_name = "FILE|-")]
        file: String,
    },
    /// Say of which kind an ID number is, or what is wrong with it.
    #[command(
        after_help = "Knows the numbers of residents, of people from Hong Kong, Macao and Taiwan, and of foreigners \
                      (15 signs of 2017, 18 digits of 2023).\n\nExamples:\n  card-tool check 11010519491231002X\n  \
                      card-tool check KAZ110090123105 --json\n  card-tool check - < number.txt"
    )]
    Check {
        /// The number, or `-` for the first line of standard input (a list of processes shows arguments).
        #[arg(value_name = "NUMBER|-")]
        number: String,
    },
    /// Say what a status word of a chip card or the third status byte of a security module means.
    #[command(
        after_help = "Four digits are a status word (SW1 SW2), two a byte of the module (SW3).\n\nExamples:\n  \
                      card-tool status-word 6982\n  card-tool status-word 63C2 --json\n  card-tool status-word 80\n  \
                      card-tool status-word all"
    )]
    StatusWord {
        /// Four or two hexadecimal digits, or `all` for every word with a meaning of its own.
        #[arg(value_name = "WORD|all")]
        word: String,
    },
    /// Print completions for a shell.
    #[command(after_help = "Example:\n  card-tool completions bash > /etc/bash_completion.d/card-tool")]
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

/// Which reader, and how to talk to it.
#[cfg(feature = "devices")]
#[derive(Debug, clap::Args)]
pub(super) struct ReaderOptions {
    /// Only readers whose name fits: `*` for any characters; without `*` a part of the name suffices.
    #[arg(long, value_name = "PATTERN")]
    pub reader: Option<String>,
    /// Function number of the vendor's control command (libccid's escape is 1).
    #[arg(long, value_name = "NUMBER", default_value_t = 3500)]
    pub control_function: u32,
}

/// How to read.
#[cfg(feature = "devices")]
#[derive(Debug, clap::Args)]
pub(super) struct ReadOptions {
    /// Which reader.
    #[command(flatten)]
    pub reader: ReaderOptions,
    /// Use the readers of a terminal's readers file, serial ones too, in place of the other options.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reader", "control_function"])]
    pub readers: Option<std::path::PathBuf>,
    /// The way to the security module.
    #[arg(long, value_enum, default_value_t = RouteChoice::Auto, conflicts_with = "readers")]
    pub route: RouteChoice,
    /// Class byte of the command that passes frames through, hexadecimal, 80 to FF.
    #[arg(long, value_name = "HEX", default_value = "FF", value_parser = class_byte)]
    pub cla: u8,
    /// Instruction byte of the command that passes frames through, hexadecimal; never 20.
    #[arg(long, value_name = "HEX", default_value = "00", value_parser = instruction_byte)]
    pub ins: u8,
    /// Seconds to wait for a card.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub wait: u64,
}

/// The way to the security module.
#[cfg(feature = "devices")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum RouteChoice {
    /// Control commands; if the reader knows none, the card image; then chip cards.
    Auto,
    /// SAM_V frames in control commands.
    Control,
    /// The card image by `FF B0` pseudo-APDUs.
    Image,
    /// SAM_V frames inside pseudo-APDUs (`--cla`, `--ins`).
    PassThrough,
    /// Chip cards only: social-security and staff cards.
    Contact,
}

#[cfg(feature = "devices")]
fn class_byte(text: &str) -> Result<u8, String> {
    byte(text).filter(|class| *class >= 0x80).ok_or_else(|| "two hexadecimal digits from 80 to FF".to_owned())
}

#[cfg(feature = "devices")]
fn instruction_byte(text: &str) -> Result<u8, String> {
    let good = byte(text).filter(|instruction| *instruction != 0x20);
    good.ok_or_else(|| "two hexadecimal digits, and not 20, which hands a PIN to a card".to_owned())
}

#[cfg(feature = "devices")]
fn byte(text: &str) -> Option<u8> {
    u8::from_str_radix(text, 16).ok().filter(|_| text.len() == 2)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_hold_together() {
        Cli::command().debug_assert();
        let cli = Cli::try_parse_from(["card-tool", "decode", "-", "--json"]).expect("understood");
        assert!(cli.json && matches!(cli.task, Task::Decode { file, .. } if file == "-"));
        assert!(Cli::try_parse_from(["card-tool", "explode"]).is_err());
        assert!(Cli::try_parse_from(["card-tool", "check"]).is_err());
    }

    #[test]
    fn every_task_shows_an_example() {
        for task in Cli::command().get_subcommands().filter(|task| task.get_name() != "help") {
            let help = task.clone().render_long_help().to_string();
            assert!(help.contains("Example"), "{}", task.get_name());
        }
    }
}
