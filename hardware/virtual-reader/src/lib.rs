//! **Simulator**, for development only: an IFD handler that the real pcscd loads and that plays a reader with a
//! SAM_V security module. The chain client, libpcsclite, pcscd, driver is real; radio and module are simulated.
//!
//! | module | what it holds |
//! |---|---|
//! | [`state`] | the simulated reader: what it answers, which faults it plays (pure) |
//! | [`order`] | the line protocol of the control socket (pure) |
//! | [`control`] | client of the control socket, for `xtask` and tests |
//! | [`daemon`] | a private pcscd with this reader in it |
//! | [`serial`] | the same module on a serial line, which is a pseudo-terminal |
//! | [`vpcd`] | a chip card in the virtual reader of another project |
//! | `reader`, `server`, `ifd` | the loaded part: waiting for changes, the socket, the C interface of pcscd |
//!
//! Refuses to be in a release: it is named in no package, and nothing in `hardware` or `terminal` depends on it.
use std::path::Path;

pub mod control;
pub mod daemon;
mod ifd;
pub mod order;
mod reader;
pub mod serial;
mod server;
pub mod state;
pub mod vpcd;

/// The reader's name as pcscd shows it; it says that it is a simulator.
pub const READER_NAME: &str = "Jinban virtual SAM_V (simulator)";
/// The file that pcscd loads, as cargo names it.
pub const LIBRARY_FILE: &str = "libvirtual_reader.so";

/// Where the package vsmartcard-vpcd puts its driver.
pub const VPCD_LIBRARY: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";

/// The entry in pcscd's `reader.conf` for the virtual reader vpcd, which takes cards at this port and the next.
pub fn vpcd_conf(port: u16) -> String {
    format!(
        "FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:{port:#06X}\nLIBPATH {VPCD_LIBRARY}\nCHANNELID {port:#06X}\n"
    )
}

/// The entry in pcscd's `reader.conf` for one reader. Both paths must be absolute; pcscd must be able to see them.
pub fn reader_conf(library: &Path, socket: &Path) -> String {
    format!(
        "FRIENDLYNAME \"{READER_NAME}\"\nDEVICENAME samv:{}\nLIBPATH {}\nCHANNELID 0\n",
        socket.display(),
        library.display()
    )
}
