//! Versions of the catalogue: published, unknown to the centre, and gone back from.
use anyhow::Result;
use rand_core::Rng as _;

use super::disk::End;
use super::terminal::Odd;
use super::world::World;
use crate::device::CATALOGUE;

/// The oldest catalogue version that is not there yet when it is used.
const UNKNOWN_CATALOGUE: u64 = 900;

impl World {
    /// A citizen fills in the form of a version that the centre does not have.
    ///
    /// # Errors
    /// If a file of the terminal's disk cannot be used.
    pub(super) fn fill_in_unknown(&mut self, place: usize) -> Result<()> {
        self.fill_in(place, UNKNOWN_CATALOGUE)
    }

    /// A citizen fills in the form of this version.
    fn fill_in(&mut self, place: usize, catalogue: u64) -> Result<()> {
        let odd = Odd { catalogue: Some(catalogue), ..Odd::default() };
        let _ = self.terminals[place].hand_in(odd, &mut self.history)?;
        self.wake(place, 1);
        self.look_after(place)
    }

    /// A terminal goes back from the newest version, which is published if there is none yet; somebody fills in both.
    ///
    /// # Errors
    /// As [`World::fill_in_unknown`].
    pub(super) fn roll_back(&mut self, place: usize) -> Result<bool> {
        let newest = |world: &Self| world.centre.catalogues.last().map_or(0, |c| c.version);
        if newest(self) <= CATALOGUE && !self.publish()? {
            return Ok(false);
        }
        let newest = newest(self);
        self.fill_in(place, newest)?;
        self.terminals[place].catalogue = CATALOGUE;
        self.fill_in(place, CATALOGUE)?;
        Ok(true)
    }

    /// A newer catalogue is published; terminals take it one by one, or not. False if there is one already.
    ///
    /// # Errors
    /// If a file of the centre's disk cannot be used.
    pub(super) fn publish(&mut self) -> Result<bool> {
        let Some(newest) = self.centre.catalogues.last().cloned() else { return Ok(false) };
        if newest.version > CATALOGUE || !self.centre.runs() {
            return Ok(false);
        }
        let mut newer = newest;
        newer.version += 1;
        self.centre.catalogues.push(newer.clone());
        // It is taken in by the next start, as one from the files is.
        self.end_centre(End::Kill)?;
        for place in 0..self.terminals.len() {
            if self.rng.next_u32().is_multiple_of(2) {
                self.terminals[place].catalogue = newer.version;
            }
        }
        Ok(true)
    }
}
