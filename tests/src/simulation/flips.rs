//! Bits that turn on disks: in a page that waits at a terminal, and in one that lies at the centre and is in no copy yet.
//!
//! What the program promises then is judged afterwards: it counts such a page for nothing, and says so. Refuses to turn
//! bits of a database: SQLite notices only those that break its structure.
use anyhow::Result;
use rand_core::Rng as _;

use super::faults::Fault;
use super::world::World;
use crate::history::Op;

impl World {
    /// Turns a bit of a page that was just captured, if that lies in wait for this terminal.
    ///
    /// # Errors
    /// If its file cannot be used.
    pub fn flip_at_terminal(&mut self, place: usize) -> Result<()> {
        let bit = self.rng.next_u32() as usize;
        let terminal = &mut self.terminals[place];
        let Some(digest) = terminal.flip_page(bit)? else { return Ok(()) };
        let name = terminal.name.clone();
        self.say(&name, &format_args!("a bit of page {} turns", digest.short()));
        self.history.note_at(&name, self.now_ms(), Op::Flipped { digest });
        self.count(Fault::PageFlipped.name());
        Ok(())
    }

    /// Turns a bit of a page at the centre that is in no copy yet; false if there is none.
    pub(super) fn flip_at_centre(&mut self) -> Result<bool> {
        let (which, bit) = (self.rng.next_u32() as usize, self.rng.next_u32() as usize);
        let Some(digest) = self.centre.flip_page(which, bit)? else { return Ok(false) };
        self.say("centre", &format_args!("a bit of page {} turns", digest.short()));
        self.history.note_at("server", self.now_ms(), Op::Flipped { digest });
        Ok(true)
    }
}
