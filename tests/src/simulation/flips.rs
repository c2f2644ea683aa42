//! Bits that turn on disks: in a page that waits at a terminal, in one that lies at the centre and is in no copy yet, and in
//! a terminal's database.
//!
//! What the program promises then is judged afterwards: it counts such a page for nothing, and says so; a damaged store is
//! put aside whole. Refuses to turn other bits of a database than those that say what a page of it is: SQLite notices
//! only what breaks its structure.
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use anyhow::{Result, ensure};
use domain::envelope::Digest;
use rand_core::Rng as _;
use terminal::store::DATABASE_FILE;

use super::disk::End;
use super::faults::Fault;
use super::terminal::SimulatedTerminal;
use super::world::{Event, World};
use crate::history::{Op, PAGES_FOLDER};

/// Bytes of a page of a terminal's database.
const DATABASE_PAGE: u64 = 4096;

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

    /// A terminal loses its power, and a bit of its database turns before it is on again; false if it has too few pages.
    pub(super) fn flip_database(&mut self, place: usize) -> Result<bool> {
        let (which, bit) = (self.rng.next_u32() as usize, self.rng.next_u32());
        self.end_terminal(place, End::Kill)?;
        let terminal = &mut self.terminals[place];
        let Some(page) = terminal.flip_database(which, bit)? else { return Ok(false) };
        terminal.damaged = terminal.database().ok();
        let name = terminal.name.clone();
        self.say(&name, &format_args!("a bit of page {page} of its database turns"));
        Ok(true)
    }

    /// A terminal put a damaged store aside: whole, and goes on, or is enrolled anew.
    ///
    /// # Errors
    /// If what lies aside is not what lay there.
    pub(super) fn put_aside(&mut self, place: usize) -> Result<()> {
        let terminal = &mut self.terminals[place];
        let damaged = terminal.damaged.take();
        ensure!(
            damaged.is_some_and(|bytes| terminal.lies_aside(&bytes)),
            "a sound store was put aside, or not whole"
        );
        let name = terminal.name.clone();
        self.say(&name, &format_args!("puts its store aside"));
        self.history.note_at(&name, self.now_ms(), Op::PutAside);
        self.count("store put aside");
        self.after(1, Event::Enrol(place));
        Ok(())
    }
}

impl SimulatedTerminal {
    /// Turns a bit of a page that the last citizen handed in, if that was to happen; gives which.
    ///
    /// # Errors
    /// If its file cannot be used.
    pub fn flip_page(&mut self, bit: usize) -> Result<Option<Digest>> {
        let Some(digest) = self.captured.take().filter(|_| self.flips_next) else { return Ok(None) };
        self.flips_next = false;
        let file = self.disk.folder().join(PAGES_FOLDER).join(digest.to_string());
        let mut bytes = std::fs::read(&file)?;
        let place = bit / 8 % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << (bit % 8);
        }
        std::fs::write(&file, bytes)?;
        Ok(Some(digest))
    }

    /// Turns a bit in the head of a page of its database, which nobody may use meanwhile; which page, if it has more than
    /// its first.
    ///
    /// # Errors
    /// If its file cannot be used.
    pub fn flip_database(&self, which: usize, bit: u32) -> Result<Option<usize>> {
        let file = File::options().read(true).write(true).open(self.disk.folder().join(DATABASE_FILE))?;
        let pages = usize::try_from(file.metadata()?.len() / DATABASE_PAGE)?;
        let Some(further) = pages.checked_sub(1).filter(|further| *further > 0) else { return Ok(None) };
        let (page, mut kind) = (1 + which % further, [0]);
        file.read_exact_at(&mut kind, page as u64 * DATABASE_PAGE)?;
        file.write_all_at(&[kind[0] ^ 1 << (bit % 8)], page as u64 * DATABASE_PAGE)?;
        Ok(Some(page + 1))
    }

    /// Its database, byte for byte.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn database(&self) -> Result<Vec<u8>> {
        Ok(std::fs::read(self.disk.folder().join(DATABASE_FILE))?)
    }

    /// Whether a store with these bytes was put aside.
    pub fn lies_aside(&self, database: &[u8]) -> bool {
        let entries = std::fs::read_dir(self.disk.folder()).into_iter().flatten().flatten();
        let mut stores = entries.filter_map(|e| std::fs::read(e.path().join(DATABASE_FILE)).ok());
        stores.any(|bytes| bytes == database)
    }
}
