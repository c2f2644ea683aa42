//! The locks of a database's log on a simulated disk: who reads, who writes, who recovers.
//!
//! SQLite asks the system for them, because other processes might use the file; a tenth of a simulation's time went
//! there. All connections of a simulation are of one thread, so a table does. The rules are those of SQLite's
//! `xShmLock`: many may share a place, one alone may have it.
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::c_int;

use rusqlite::ffi::{SQLITE_SHM_EXCLUSIVE, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK};

const PLACES: usize = SQLITE_SHM_NLOCK as usize;

/// How many connections share each place; -1 where one has it alone.
type Table = [i32; PLACES];

thread_local! {
    static TABLES: RefCell<BTreeMap<String, Table>> = const { RefCell::new(BTreeMap::new()) };
}

/// What one connection holds: nothing, a share, or a place alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    Nothing,
    Share,
    Alone,
}

/// What one connection holds of a file's locks; all of them go with it.
pub struct Locks {
    path: String,
    held: Cell<[Hold; PLACES]>,
}

impl Locks {
    /// None yet of the file with this path.
    pub fn new(path: &str) -> Self {
        Self { path: path.to_owned(), held: Cell::new([Hold::Nothing; PLACES]) }
    }

    /// Takes or gives back `n` places from one on, as SQLite's flags say; false if somebody else is in the way.
    pub fn change(&self, from: c_int, n: c_int, flags: c_int) -> bool {
        let (Ok(from), Ok(n)) = (usize::try_from(from), usize::try_from(n)) else { return false };
        let Some(places) = from.checked_add(n).filter(|end| *end <= PLACES).map(|end| from..end) else {
            return false;
        };
        let wanted = match flags {
            _ if flags & SQLITE_SHM_UNLOCK != 0 => Hold::Nothing,
            _ if flags & SQLITE_SHM_EXCLUSIVE != 0 => Hold::Alone,
            _ => Hold::Share,
        };
        let mut held = self.held.get();
        let granted = TABLES.with_borrow_mut(|tables| {
            if !tables.contains_key(&self.path) {
                tables.insert(self.path.clone(), [0; PLACES]);
            }
            let Some(table) = tables.get_mut(&self.path) else { return false };
            let free = |place: usize| match (held[place], wanted) {
                (_, Hold::Nothing) => true,
                (own, wanted) if own == wanted => true,
                (Hold::Nothing, Hold::Share) => table[place] >= 0,
                (Hold::Nothing, _) => table[place] == 0,
                // SQLite never turns a share into a place alone, nor back, without letting go of it.
                _ => false,
            };
            if !places.clone().all(free) {
                return false;
            }
            for place in places {
                table[place] += weight(wanted) - weight(held[place]);
                held[place] = wanted;
            }
            true
        });
        self.held.set(held);
        granted
    }

    /// Gives everything back.
    pub fn release(&self) {
        self.change(0, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK);
        TABLES.with_borrow_mut(|tables| {
            if tables.get(&self.path).is_some_and(|table| table.iter().all(|n| *n == 0)) {
                tables.remove(&self.path);
            }
        });
    }
}

impl Drop for Locks {
    fn drop(&mut self) {
        self.release();
    }
}

fn weight(hold: Hold) -> i32 {
    match hold {
        Hold::Nothing => 0,
        Hold::Share => 1,
        Hold::Alone => -1,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi::{SQLITE_SHM_LOCK, SQLITE_SHM_SHARED};

    use super::*;

    const SHARE: c_int = SQLITE_SHM_LOCK | SQLITE_SHM_SHARED;
    const ALONE: c_int = SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE;
    const BACK: c_int = SQLITE_SHM_UNLOCK;

    #[test]
    fn many_share_a_place_and_one_alone_has_it() {
        let [a, b] = [(), ()].map(|()| Locks::new("/disk/t.db"));
        let elsewhere = Locks::new("/disk/u.db");
        assert!(a.change(3, 1, SHARE) && b.change(3, 1, SHARE) && a.change(3, 1, SHARE));
        assert!(!a.change(3, 1, ALONE), "b shares it, and a as well");
        assert!(!b.change(0, 8, ALONE), "one place of many is taken");
        assert!(a.change(3, 1, BACK | SQLITE_SHM_SHARED) && b.change(3, 1, BACK | SQLITE_SHM_SHARED));
        assert!(b.change(0, 8, ALONE) && !a.change(3, 1, SHARE) && !a.change(7, 1, ALONE));
        assert!(elsewhere.change(3, 1, ALONE), "another file");
        b.release();
        assert!(a.change(3, 1, ALONE));
        drop(a);
        assert!(b.change(3, 1, SHARE), "they go with the connection");
        assert!(!b.change(7, 2, SHARE) && !b.change(-1, 1, SHARE), "there are eight places");
    }
}
