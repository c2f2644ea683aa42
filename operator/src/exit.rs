//! Exit codes of all programs. Scripts and systemd units rely on them; a code never changes its meaning.
//!
//! The numbers above 63 are those of BSD's `sysexits.h`, which mail and init systems know.
use std::process::ExitCode;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// Done.
    Ok,
    /// It did not work, and trying the same again will not help by itself.
    Failure,
    /// The command line cannot be understood.
    Usage,
    /// It works, but somebody should look (`doctor`).
    Degraded,
    /// Something outside is not there: a server, a database, an address to listen on.
    Unavailable,
    /// Not now, but later: another process holds what is needed, or the other side is busy.
    TemporaryFailure,
    /// The settings are wrong; nothing was started.
    Configuration,
}

impl Exit {
    /// All of them, in the order of their numbers.
    pub const ALL: &[Self] = &[
        Self::Ok,
        Self::Failure,
        Self::Usage,
        Self::Degraded,
        Self::Unavailable,
        Self::TemporaryFailure,
        Self::Configuration,
    ];

    /// The number that the operating system sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Degraded => 3,
            Self::Unavailable => 69,
            Self::TemporaryFailure => 75,
            Self::Configuration => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Exit codes as every `--help` lists them.
pub const HELP: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 works but needs attention (doctor),
  69 something outside is not there, 75 try again later, 78 the settings are wrong";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_number_of_its_own_and_stands_in_the_help() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|e| e.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 69, 75, 78]);
        for code in codes {
            assert!(HELP.contains(&format!("{code} ")), "{code}");
        }
    }
}
