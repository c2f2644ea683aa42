//! Terminals get to know the centre: before the first day, and anew where a damaged store did not say any more who they are.
use anyhow::{Context as _, Result};
use rand_core::Rng as _;

use super::disk::Disk;
use super::terminal::SimulatedTerminal;
use super::world::{Event, MINUTE_MS, World};

impl World {
    /// A code for a terminal at its station.
    fn code_for(&mut self, place: usize) -> Result<String> {
        let stations: Vec<_> =
            self.centre.catalogues.iter().flat_map(|c| c.stations.keys()).cloned().collect();
        let station = stations.get(place % stations.len().max(1)).context("a station")?;
        self.centre.enrol_code(station, self.rng.next_u64())
    }

    /// Enrols a terminal that lost who it is; later, if the centre or a disk does not let it now.
    ///
    /// # Errors
    /// If a file of a disk cannot be used.
    pub(super) fn enrol_anew(&mut self, place: usize) -> Result<()> {
        if self.terminals[place].is_enrolled() != Some(false) {
            return Ok(());
        }
        let of = self.terminals[place].place;
        let code = if self.centre.runs() { self.code_for(of).ok() } else { None };
        let enrolled = match (code, self.centre.straight()) {
            (Some(code), Some(mut straight)) => self.terminals[place].enrol(&code, &mut straight).is_ok(),
            _ => false,
        };
        if !enrolled {
            self.after(MINUTE_MS, Event::Enrol(place));
        }
        let name = self.terminals[place].name.clone();
        self.say(&name, &format_args!("is enrolled anew: {enrolled}"));
        self.look_after_centre()?;
        self.look_after(place)
    }

    /// A terminal that never was one is installed and enrolled, before the first day.
    ///
    /// # Errors
    /// If a disk cannot be used, or the centre refuses.
    pub(super) fn enrol(&mut self, place: usize) -> Result<()> {
        let code = self.code_for(place)?;
        let name = format!("t{place:02}");
        let disk = Disk::new(&self.folder.join(&name))?;
        let seed = self.rng.next_u64();
        let mut terminal = SimulatedTerminal::new(name, place, disk, self.time.clone(), seed);
        terminal.start()?;
        let mut straight = self.centre.straight().context("it runs")?;
        terminal.enrol(&code, &mut straight)?;
        self.add(terminal);
        Ok(())
    }
}
