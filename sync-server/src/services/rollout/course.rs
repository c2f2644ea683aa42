//! The rules of a rollout, pure: what was counted and the time come in, steps go out.
use domain::catalogue::Ring;

macro_rules! named {
    ($(#[$doc:meta])+ $name:ident { $($(#[$about:meta])+ $variant:ident $text:literal,)* }) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$about])+ $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$(Self::$variant),*];

            /// The stable name, as in the store.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
    };
}

named! {
    /// How a rollout stands.
    State {
        /// Ring after ring gets the version.
        Running "running",
        /// Whoever was told goes on, nobody else is told.
        Paused "paused",
        /// Whoever has it keeps it, nobody else takes it.
        Halted "halted",
        /// Every terminal is told to run it.
        Done "done",
        /// Whoever was told runs the way back.
        RolledBack "rolled_back",
    }
}

named! {
    /// A step of a rollout.
    Step {
        /// The first ring begins.
        Begin "begin",
        /// The next ring begins.
        NextRing "next_ring",
        /// The last ring is done.
        Finish "finish",
        /// No further ring begins for now.
        Pause "pause",
        /// It goes on; after a halt the ring is tried anew.
        GoOn "go_on",
        /// It stops.
        Halt "halt",
        /// Back to the content before.
        RollBack "roll_back",
    }
}

named! {
    /// Why a rollout stopped by itself.
    Why {
        /// Too many terminals failed.
        Failures "failures",
        /// The deadline passed, and too few have the version.
        Deadline "deadline",
    }
}

/// What became of the terminals of one ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Its terminals.
    pub all: u64,
    /// Those that have the version.
    pub adopted: u64,
    /// Those that said that they cannot.
    pub failed: u64,
    /// When enough of them had the version, milliseconds since 1970; none as long as there are too few.
    pub reached_ms: Option<i64>,
}

impl Count {
    /// Those that said nothing yet.
    pub fn silent(self) -> u64 {
        self.all.saturating_sub(self.adopted).saturating_sub(self.failed)
    }
}

/// What a rollout does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Wait,
    /// The ring is done.
    RingDone,
    /// It stops.
    Halt(Why),
}

/// Which version a terminal is told to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The new one.
    New,
    /// The one before.
    Before,
    /// The way back.
    Back,
}

/// Where a rollout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// Its rings, at least one.
    pub rings: Vec<Ring>,
    /// How it stands.
    pub state: State,
    /// The ring that was begun last, from 0.
    pub ring: usize,
    /// When it was begun, milliseconds since 1970.
    pub ring_began_ms: i64,
}

impl Course {
    /// A rollout whose first ring begins now.
    pub fn begin(rings: Vec<Ring>, now_ms: i64) -> Self {
        Self { rings, state: State::Running, ring: 0, ring_began_ms: now_ms }
    }

    /// Whether the ring in hand is the last one.
    pub fn is_last_ring(&self) -> bool {
        self.ring + 1 >= self.rings.len()
    }

    /// When silence becomes failure, milliseconds since 1970.
    pub fn deadline_ms(&self) -> i64 {
        let minutes = self.rings.get(self.ring).map_or(0, |ring| ring.deadline_minutes);
        self.ring_began_ms.saturating_add(i64::from(minutes) * 60_000)
    }

    /// When a ring that reached its share is done, milliseconds since 1970; none before it did.
    pub fn watched_ms(&self, count: Count) -> Option<i64> {
        let minutes = self.rings.get(self.ring).map_or(0, |ring| ring.watch_minutes);
        count.reached_ms.map(|reached| reached.saturating_add(i64::from(minutes) * 60_000))
    }

    /// What follows from what was counted in the ring in hand. Failures are looked at before successes, also while a
    /// ring is watched; silence is a failure at the deadline and not before, and none in a ring that reached its share
    /// in time.
    pub fn judge(&self, count: Count, now_ms: i64) -> Outcome {
        let Some(ring) = self.rings.get(self.ring).filter(|_| self.state == State::Running) else {
            return Outcome::Wait;
        };
        if count.all == 0 {
            return Outcome::RingDone;
        }
        let deadline_ms = self.deadline_ms();
        let late = now_ms >= deadline_ms && count.reached_ms.is_none_or(|reached| reached >= deadline_ms);
        let failed = count.failed + if late { count.silent() } else { 0 };
        if failed > 0 && failed * 100 >= u64::from(ring.failure_percent) * count.all {
            return Outcome::Halt(Why::Failures);
        }
        match self.watched_ms(count) {
            // Unwatched it is done at once, also where the clock was set back since.
            Some(watched_ms) if ring.watch_minutes == 0 || now_ms >= watched_ms => Outcome::RingDone,
            Some(_) => Outcome::Wait,
            None if late => Outcome::Halt(Why::Deadline),
            None => Outcome::Wait,
        }
    }

    /// Whether a step may be taken now. A way back must have been signed for [`Step::RollBack`].
    pub fn may(&self, step: Step, has_way_back: bool) -> bool {
        use State::{Done, Halted, Paused, RolledBack, Running};
        match (step, self.state) {
            (Step::NextRing, Running) => !self.is_last_ring(),
            (Step::Finish, Running) => self.is_last_ring(),
            (Step::Pause, Running) | (Step::Halt, Running | Paused) | (Step::GoOn, Paused | Halted) => true,
            (Step::RollBack, Running | Paused | Halted | Done) => has_way_back,
            (Step::Begin, _) | (_, Running | Paused | Halted | Done | RolledBack) => false,
        }
    }

    /// The rollout after a step that may be taken.
    #[must_use]
    pub fn after(mut self, step: Step, now_ms: i64) -> Self {
        self.state = match step {
            Step::Begin | Step::NextRing | Step::GoOn => State::Running,
            Step::Finish => State::Done,
            Step::Pause => State::Paused,
            Step::Halt => State::Halted,
            Step::RollBack => State::RolledBack,
        };
        if step == Step::NextRing {
            self.ring += 1;
        }
        if matches!(step, Step::Begin | Step::NextRing | Step::GoOn) {
            self.ring_began_ms = now_ms;
        }
        self
    }

    /// What a terminal is told: its ring, if it was there when the rollout began, and whether it has the version.
    pub fn tells(&self, ring: Option<usize>, adopted: bool) -> Told {
        let was_told = ring.map_or(self.is_last_ring(), |ring| ring <= self.ring);
        match self.state {
            State::Done => Told::New,
            State::RolledBack if was_told => Told::Back,
            // Newcomers wait for the end.
            State::Running | State::Paused if was_told && ring.is_some() => Told::New,
            State::Halted if was_told && adopted => Told::New,
            State::RolledBack | State::Running | State::Paused | State::Halted => Told::Before,
        }
    }
}
