//! What each fault does to the world, and how it ends.
use anyhow::{Context as _, Result, bail};
use terminal::store::StoreError;

use super::START_MS;
use super::desk::Printer;
use super::disk::{Disk, End};
use super::faults::Fault;
use super::network::Link;
use super::terminal::SimulatedTerminal;
use super::world::{CALM_MS, DAY_MS, Event, HOUR_MS, MINUTE_MS, World};
use crate::history::Op;
use rand_core::Rng as _;

/// Changes of a disk until it dies, at most.
const CHANGES: i64 = 60;
/// A year of the calendar, in milliseconds.
const YEAR_MS: i64 = 365 * 24 * HOUR_MS;

impl World {
    /// A fault comes; it is counted if it strikes. One that ends a machine at a write is counted when it does.
    ///
    /// # Errors
    /// If a file of a disk cannot be used.
    pub fn fault(&mut self, fault: Fault) -> Result<()> {
        let place = usize::try_from(self.below(self.terminals.len() as i64)).unwrap_or(0);
        let while_ms = MINUTE_MS + self.below(HOUR_MS);
        let name = self.terminals[place].name.clone();
        let strikes = match fault {
            Fault::Partition => self.link_for(place, Link::Down, while_ms),
            Fault::DnsGone => self.link_for(place, Link::NoName, while_ms),
            Fault::OneWay => self.link_for(place, Link::OneWay, while_ms),
            Fault::Portal => self.link_for(place, Link::Portal, while_ms),
            Fault::TlsFails => self.link_for(place, Link::Stranger, while_ms),
            Fault::SwizzleClog => self.swizzle(),
            Fault::CatalogueBehind => self.publish()?,
            _ if fault.is_of_centre() => self.fault_of_centre(fault, while_ms)?,
            _ => self.fault_of_terminal(place, fault, while_ms)?,
        };
        if strikes {
            self.say(&name, &format_args!("fault {}", fault.name()));
            if !fault.lies_in_wait() {
                self.count(fault.name());
            }
        }
        Ok(())
    }

    fn fault_of_terminal(&mut self, place: usize, fault: Fault, while_ms: i64) -> Result<bool> {
        let changes = u32::try_from(self.below(CHANGES)).unwrap_or(0);
        let power_cut = self.a_power_cut(fault);
        let terminal = &mut self.terminals[place];
        if terminal.running.is_none() {
            return Ok(false);
        }
        match fault {
            Fault::TerminalKill => self.end_terminal(place, End::Kill)?,
            Fault::TerminalPowerCut => self.end_terminal(place, power_cut)?,
            Fault::CrashInRecovery => {
                self.end_terminal(place, End::Kill)?;
                self.terminals[place].disk.die_after_reads(changes / 4);
            }
            Fault::DiskCloned => return self.clone_disk(place),
            Fault::StoreRestored => return self.copy_terminal(place, while_ms),
            Fault::CatalogueAhead => self.fill_in_unknown(place)?,
            Fault::CatalogueRollback => return self.roll_back(place),
            Fault::DatabaseFlipped => return self.flip_database(place),
            Fault::PaperOut => {
                terminal.printer = if changes % 2 == 0 { Printer::Empty } else { Printer::RunsOut };
            }
            Fault::PageFlipped => {
                terminal.flips_next = true;
                return Ok(true);
            }
            Fault::TerminalCrash => terminal.disk.die_after(changes),
            Fault::TerminalSyncFails => terminal.disk.fail_syncs(1),
            Fault::TerminalDiskFull => terminal.disk.set_full(true),
            Fault::TerminalDiskSlow => terminal.disk.set_slow(2_000),
            Fault::ClockYearAhead => terminal.clock.jump(YEAR_MS),
            Fault::ClockYearBack => terminal.clock.jump(-YEAR_MS),
            Fault::ClockSecondsBack => terminal.clock.jump(-5_000),
            Fault::ClockFrozen => terminal.clock.freeze(),
            other => bail!("{} comes by itself", other.name()),
        }
        // Whoever looks at the clock looks again soon.
        self.wake(place, 1_000);
        self.after(while_ms, Event::Heal(place, fault));
        Ok(true)
    }

    fn fault_of_centre(&mut self, fault: Fault, while_ms: i64) -> Result<bool> {
        let changes = u32::try_from(self.below(CHANGES)).unwrap_or(0);
        let power_cut = self.a_power_cut(fault);
        if !self.centre.runs() {
            return Ok(false);
        }
        match fault {
            Fault::CentreKill => self.end_centre(End::Kill)?,
            Fault::CentrePowerCut => self.end_centre(power_cut)?,
            Fault::CentreCrashInRecovery => {
                self.end_centre(End::Kill)?;
                self.centre.disk.die_after_reads(changes / 4);
            }
            Fault::CentreRestored => return self.set_back_centre(),
            Fault::CentreBlobFlipped => return self.flip_at_centre(),
            Fault::CentreCrash => self.centre.disk.die_after(changes),
            Fault::CentreDiskFull => self.centre.disk.set_full(true),
            Fault::CentreSyncFails => self.centre.disk.fail_syncs(1),
            Fault::CentreDiskSlow => self.centre.disk.set_slow(200),
            Fault::CentreClockBack => self.centre.clock.jump(-HOUR_MS),
            other => bail!("{} comes by itself", other.name()),
        }
        // A centre is looked after sooner than a terminal; that its clock is wrong nobody notices so soon.
        let while_ms = if fault == Fault::CentreClockBack { while_ms } else { while_ms / 4 };
        self.after(while_ms, Event::HealCentre(fault));
        Ok(true)
    }

    fn set_back_centre(&mut self) -> Result<bool> {
        let set_back = self.centre.set_back()?;
        if set_back {
            self.history.note_at("server", self.now_ms(), Op::Restored);
            self.after(MINUTE_MS, Event::StartCentre);
        }
        Ok(set_back)
    }

    fn link_for(&mut self, place: usize, link: Link, while_ms: i64) -> bool {
        self.links[place] = link;
        self.after(while_ms, Event::Link(place, Link::Up));
        true
    }

    /// Links go one by one, and come back in another order.
    fn swizzle(&mut self) -> bool {
        for place in 0..self.terminals.len() {
            if self.rng.next_u32().is_multiple_of(2) {
                let (down, up) = (self.below(10 * MINUTE_MS), self.below(20 * MINUTE_MS));
                self.after(down, Event::Link(place, Link::Down));
                self.after(10 * MINUTE_MS + up, Event::Link(place, Link::Up));
            }
        }
        true
    }

    /// A power cut that leaves what it will, if that is the fault.
    fn a_power_cut(&mut self, fault: Fault) -> End {
        if !matches!(fault, Fault::TerminalPowerCut | Fault::CentrePowerCut) {
            return End::Kill;
        }
        let survive = usize::try_from(self.below(8)).unwrap_or(0);
        let torn = self.weather.0.iter().any(|(f, _)| *f == Fault::TornWrite);
        let sectors = if torn { usize::try_from(self.below(9)).unwrap_or(0) } else { 0 };
        if sectors > 0 {
            self.count(Fault::TornWrite.name());
        }
        End::PowerCut { survive, sectors }
    }

    /// Whoever used a dead disk is gone.
    ///
    /// # Errors
    /// If its files cannot be used.
    pub fn look_after(&mut self, place: usize) -> Result<()> {
        if !self.terminals[place].disk.is_dead() || self.terminals[place].running.is_none() {
            return Ok(());
        }
        self.count(Fault::TerminalCrash.name());
        let kill = self.rng.next_u32().is_multiple_of(2);
        let end = self.a_power_cut(if kill { Fault::TerminalKill } else { Fault::TerminalPowerCut });
        self.end_terminal(place, end)
    }

    /// As [`World::look_after`], of the centre.
    ///
    /// # Errors
    /// If its files cannot be used.
    pub fn look_after_centre(&mut self) -> Result<()> {
        if !self.centre.runs() || !self.centre.disk.is_dead() {
            return Ok(());
        }
        self.count(Fault::CentreCrash.name());
        let kill = self.rng.next_u32().is_multiple_of(2);
        let end = self.a_power_cut(if kill { Fault::CentreKill } else { Fault::CentrePowerCut });
        self.end_centre(end)
    }

    /// Ends a terminal; it starts again by itself.
    ///
    /// # Errors
    /// If its files cannot be used.
    pub fn end_terminal(&mut self, place: usize, end: End) -> Result<()> {
        let lost = self.terminals[place].end(end)?;
        let name = self.terminals[place].name.clone();
        self.say(&name, &format_args!("ends, {lost} writes lost"));
        let (who, point) = ("terminal".to_owned(), "any".to_owned());
        self.history.note_at(&name, self.now_ms(), Op::Crash { who, point });
        let off_ms = 1_000 + self.below(10 * MINUTE_MS);
        self.after(off_ms, Event::Start(place));
        Ok(())
    }

    /// Ends the centre; it starts again by itself.
    ///
    /// # Errors
    /// If its files cannot be used.
    pub fn end_centre(&mut self, end: End) -> Result<()> {
        let lost = self.centre.end(end)?;
        self.say("centre", &format_args!("ends, {lost} writes lost"));
        let (who, point) = ("server".to_owned(), "any".to_owned());
        self.history.note_at("server", self.now_ms(), Op::Crash { who, point });
        let off_ms = 1_000 + self.below(10 * MINUTE_MS);
        self.after(off_ms, Event::StartCentre);
        Ok(())
    }

    /// A terminal is switched on.
    ///
    /// # Errors
    /// If its store is not sound any more.
    pub fn start(&mut self, place: usize) -> Result<()> {
        let terminal = &mut self.terminals[place];
        if terminal.running.is_some() {
            return Ok(());
        }
        let name = terminal.name.clone();
        let started = terminal.start();
        if terminal.disk.is_dead() {
            self.count(Fault::CrashInRecovery.name());
            return self.end_terminal(place, End::Kill);
        }
        match started {
            Ok(put_aside) => {
                self.say(&name, &format_args!("starts"));
                if put_aside {
                    self.put_aside(place)?;
                }
                self.after(1_000, Event::Print(place));
                self.wake(place, 1);
            }
            Err(e) if matches!(e.downcast_ref(), Some(StoreError::Corrupt | StoreError::Newer { .. })) => {
                return Err(e).with_context(|| format!("the store of {name}"));
            }
            Err(_) => self.after(MINUTE_MS, Event::Start(place)),
        }
        Ok(())
    }

    /// The centre is started.
    ///
    /// # Errors
    /// If its files cannot be used.
    pub fn start_centre(&mut self) -> Result<()> {
        if self.centre.runs() {
            return Ok(());
        }
        let started = self.centre.start();
        if self.centre.disk.is_dead() {
            self.count(Fault::CentreCrashInRecovery.name());
            return self.end_centre(End::Kill);
        }
        let said = if started.is_ok() { "starts" } else { "does not start" };
        self.say("centre", &format_args!("{said}"));
        if started.is_err() {
            self.after(MINUTE_MS, Event::StartCentre);
        }
        Ok(())
    }

    fn clone_disk(&mut self, place: usize) -> Result<bool> {
        let original = &self.terminals[place];
        if self.terminals.len() >= self.options.terminals * 2 {
            return Ok(false);
        }
        let twin = format!("{}-copy{}", original.name, self.terminals.len());
        let folder = self.folder.join(&twin);
        original.copy_to(&folder)?;
        let (name, disk) = (original.name.clone(), Disk::new(&folder)?);
        let of = original.place;
        let seed = self.rng.next_u64();
        let mut copy = SimulatedTerminal::new(twin.clone(), of, disk, self.time.clone(), seed);
        copy.follow(&self.terminals[place]);
        copy.start()?;
        self.history.note_at(&name, self.now_ms(), Op::Cloned { twin });
        self.add(copy);
        let new = self.terminals.len() - 1;
        // Nobody comes during the drain: a case of then may be decided after its terminal has asked for the last time.
        let left_ms = CALM_MS - (self.now_ms() - START_MS).rem_euclid(DAY_MS);
        for _ in 0..3 {
            let at_ms = self.below(HOUR_MS.min(left_ms).max(1));
            self.after(at_ms, Event::Citizen(new));
        }
        Ok(true)
    }

    /// Copies a terminal's disk now; it is set back to it later.
    fn copy_terminal(&mut self, place: usize, while_ms: i64) -> Result<bool> {
        if self.terminals[place].copy.is_some() {
            return Ok(false);
        }
        let folder = self.folder.join(format!("{}-old", self.terminals[place].name));
        self.terminals[place].copy_to(&folder)?;
        self.terminals[place].copy = Some(folder);
        let name = self.terminals[place].name.clone();
        self.history.note_at(&name, self.now_ms(), Op::Copied);
        self.after(while_ms, Event::Heal(place, Fault::StoreRestored));
        Ok(true)
    }

    /// A terminal is well again.
    ///
    /// # Errors
    /// If its files cannot be used.
    pub fn heal(&mut self, place: usize, fault: Fault) -> Result<()> {
        let terminal = &mut self.terminals[place];
        match fault {
            Fault::StoreRestored => {
                if terminal.set_back()? {
                    let name = terminal.name.clone();
                    self.history.note_at(&name, self.now_ms(), Op::Restored);
                    self.say(&name, &format_args!("is set back"));
                    self.after(MINUTE_MS, Event::Start(place));
                }
            }
            Fault::TerminalDiskFull => terminal.disk.set_full(false),
            Fault::TerminalDiskSlow => terminal.disk.set_slow(0),
            Fault::PaperOut => terminal.printer = Printer::Ready,
            _ => terminal.clock.set_right(),
        }
        self.wake(place, 1_000);
        Ok(())
    }

    /// The centre is well again.
    ///
    /// # Errors
    /// Never: as the others.
    pub fn heal_centre(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::CentreDiskFull => self.centre.disk.set_full(false),
            Fault::CentreDiskSlow => self.centre.disk.set_slow(0),
            _ => self.centre.clock.set_right(),
        }
        Ok(())
    }

    /// All faults end: links work, clocks are right, disks have room, everything is switched on.
    ///
    /// # Errors
    /// If a file of a disk cannot be used.
    pub fn calm(&mut self) -> Result<()> {
        self.weather.0.clear();
        self.is_calm = true;
        self.say("world", &format_args!("calm"));
        for place in 0..self.terminals.len() {
            self.links[place] = Link::Up;
            let terminal = &mut self.terminals[place];
            terminal.copy = None;
            terminal.printer = Printer::Ready;
            terminal.clock.set_right();
            terminal.disk.set_calm();
            self.start(place)?;
            self.wake(place, 1_000);
        }
        self.centre.clock.set_right();
        self.centre.disk.set_calm();
        self.start_centre()
    }
}
