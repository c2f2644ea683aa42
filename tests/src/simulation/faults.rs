//! The faults that a simulation knows, each with its name; which of them a seed has, and how often.

macro_rules! faults {
    ($($variant:ident $name:literal $about:literal,)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $(#[doc = $about] $variant,)*
        }

        impl Fault {
            /// All kinds.
            pub const ALL: &[Fault] = &[$(Self::$variant),*];

            /// Its name in logs and summaries.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

faults! {
    RequestLost "request-lost" "A request never arrives.",
    AnswerLost "answer-lost" "The centre commits, and its answer is lost.",
    Duplicate "duplicate" "A request arrives twice.",
    LateDuplicate "late-duplicate" "A request arrives once more, minutes or hours later.",
    Delay "delay" "A request or its answer takes so long that nobody waits for it any more.",
    Reorder "reorder" "A request arrives after one that was sent later.",
    RequestCut "request-cut" "A request is cut in the middle.",
    AnswerCut "answer-cut" "An answer is cut in the middle.",
    Status500 "status-500" "Something answers 500.",
    Status503 "status-503" "Something answers 503 with Retry-After.",
    Status429 "status-429" "Something answers 429 with Retry-After.",
    AnswerNewer "answer-newer" "A centre of the next version answers: with fields and news that the terminal does not know.",
    AnswerOlder "answer-older" "A centre of the version before answers: without what is optional.",
    RequestNewer "request-newer" "A terminal of the next version asks: with fields that the centre does not know.",
    Redirect "redirect" "Something answers with a redirect.",
    Portal "portal" "A captive portal answers 200 with a page for a while.",
    TlsFails "tls-fails" "TLS does not come about for a while: whoever answers is not the centre.",
    Partition "partition" "Nothing gets through for a while.",
    DnsGone "dns-gone" "The centre's name is not found for a while.",
    OneWay "one-way" "Requests arrive and answers do not, for a while.",
    SwizzleClog "swizzle-clog" "The links of a group of terminals go one by one and come back in another order.",
    TerminalKill "terminal-kill" "A terminal's program ends at once.",
    TerminalCrash "terminal-crash" "A terminal ends at any write of its disk, before or after its commit.",
    TerminalPowerCut "terminal-power-cut" "A terminal loses its power, and its disk what was not synced.",
    TornWrite "torn-write" "A power cut leaves a part of a write.",
    CrashInRecovery "crash-in-recovery" "A terminal ends again while it starts.",
    TerminalDiskFull "terminal-disk-full" "A terminal's disk is full for a while.",
    TerminalSyncFails "terminal-sync-fails" "A sync of a terminal's disk fails.",
    TerminalDiskSlow "terminal-disk-slow" "A terminal's disk is slow for a while.",
    ClockYearAhead "clock-year-ahead" "A terminal's clock jumps a year ahead.",
    ClockYearBack "clock-year-back" "A terminal's clock jumps a year back.",
    ClockSecondsBack "clock-seconds-back" "A terminal's clock jumps five seconds back.",
    ClockFrozen "clock-frozen" "A terminal's clock stands still for a while.",
    DiskCloned "disk-cloned" "A copy of a terminal's disk lives on beside it.",
    StoreRestored "store-restored" "A terminal's store is set back to an old copy.",
    DatabaseFlipped "database-flipped" "A bit in the head of a page of a terminal's database turns while it is off.",
    DoublePress "double-press" "A citizen presses twice.",
    BadContent "bad-content" "A submission's answers do not fit its form.",
    CatalogueBehind "catalogue-behind" "A terminal uses an older catalogue than the centre's newest.",
    CatalogueAhead "catalogue-ahead" "A terminal uses a catalogue that the centre does not have.",
    CatalogueRollback "catalogue-rollback" "A terminal goes back from the newest catalogue to the one before.",
    CardPulled "card-pulled" "A citizen lifts the card in mid-read.",
    PaperOut "paper-out" "A terminal's printer has no paper for a while; perhaps it ends in the middle of a slip.",
    CentreKill "centre-kill" "The centre's program ends at once.",
    CentreCrash "centre-crash" "The centre ends at any write of its disk, before or after its commit.",
    CentrePowerCut "centre-power-cut" "The centre loses its power, and its disk what was not synced.",
    CentreCrashInRecovery "centre-crash-in-recovery" "The centre ends again while it starts.",
    CentreDiskFull "centre-disk-full" "The centre's disk is full for a while.",
    CentreSyncFails "centre-sync-fails" "A sync of the centre's disk fails.",
    CentreDiskSlow "centre-disk-slow" "The centre's disk is slow for a while.",
    CentreClockBack "centre-clock-back" "The centre's clock jumps an hour back for a while.",
    CentreRestored "centre-restored" "The centre's store is set back to its last copy.",
    PageFlipped "page-flipped" "A bit of a page turns on a terminal's disk before the page is sent.",
    CentreBlobFlipped "centre-blob-flipped" "A bit of a page turns at the centre before the page is copied.",
}

impl Fault {
    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    /// How often it comes in a day, if it comes at certain times; none of those that lie in wait for every message or
    /// every citizen.
    pub fn a_day(self) -> Option<u64> {
        match self {
            Self::RequestLost | Self::AnswerLost | Self::Duplicate | Self::LateDuplicate => None,
            Self::Delay | Self::Reorder | Self::RequestCut | Self::AnswerCut => None,
            Self::Status500 | Self::Status503 | Self::Status429 | Self::Redirect => None,
            Self::AnswerNewer | Self::AnswerOlder | Self::RequestNewer => None,
            Self::DoublePress | Self::BadContent | Self::CardPulled | Self::TornWrite => None,
            Self::TlsFails | Self::Partition | Self::DnsGone | Self::OneWay | Self::Portal => Some(8),
            Self::TerminalKill | Self::TerminalCrash | Self::TerminalPowerCut => Some(8),
            Self::TerminalDiskFull | Self::TerminalSyncFails | Self::TerminalDiskSlow => Some(4),
            Self::ClockYearAhead | Self::ClockYearBack | Self::ClockSecondsBack | Self::ClockFrozen => {
                Some(3)
            }
            Self::CatalogueBehind | Self::CrashInRecovery | Self::PaperOut => Some(4),
            Self::CatalogueRollback | Self::DatabaseFlipped => Some(2),
            Self::SwizzleClog | Self::DiskCloned | Self::StoreRestored | Self::CatalogueAhead => Some(2),
            Self::CentreKill | Self::CentreCrash | Self::CentrePowerCut | Self::CentreCrashInRecovery => {
                Some(1)
            }
            Self::CentreDiskFull | Self::CentreSyncFails | Self::CentreDiskSlow | Self::CentreClockBack => {
                Some(1)
            }
            Self::PageFlipped => Some(1),
            Self::CentreRestored | Self::CentreBlobFlipped => Some(2),
        }
    }

    /// Whether it befalls the centre's machine.
    pub fn is_of_centre(self) -> bool {
        self.name().starts_with("centre-")
    }

    /// Whether it comes later than it is set: at a write, at the next start, or with the next page.
    pub fn lies_in_wait(self) -> bool {
        matches!(
            self,
            Self::TerminalCrash
                | Self::CrashInRecovery
                | Self::CentreCrash
                | Self::CentreCrashInRecovery
                | Self::PageFlipped
        )
    }

    /// Whether it takes something from a terminal's disk, so that the centre must not lose it as well in the same run:
    /// what both lose is lost.
    pub fn sets_terminal_back(self) -> bool {
        matches!(self, Self::DiskCloned | Self::StoreRestored | Self::DatabaseFlipped | Self::PageFlipped)
    }

    /// Whether it takes something from the centre, so that no terminal must lose it as well in the same run.
    pub fn sets_centre_back(self) -> bool {
        matches!(self, Self::CentreRestored | Self::CentreBlobFlipped)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_fault_has_its_own_name() {
        let names: BTreeSet<&str> = Fault::ALL.iter().map(|f| f.name()).collect();
        assert_eq!(names.len(), Fault::ALL.len());
        assert!(names.len() >= 50);
    }
}
