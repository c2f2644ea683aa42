//! The layer between SQLite and the file system where a simulated disk does its harm; the only file here with `unsafe`.
//!
//! It hands everything on to SQLite's own layer, and asks [`super::disk`] before whatever changes a file. Files that lie on
//! no simulated disk of this thread pass untouched, so the rest of the process notices nothing. Refuses memory-mapped
//! pages: they would be written without being asked for.
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{from_ref, null};
use std::sync::{Once, OnceLock};

use rusqlite::ffi::{
    self, SQLITE_BUSY, SQLITE_ERROR, SQLITE_FULL, SQLITE_IOERR, SQLITE_IOERR_DELETE, SQLITE_IOERR_FSYNC,
    SQLITE_IOERR_READ, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE, SQLITE_OK, sqlite3_file, sqlite3_int64,
    sqlite3_io_methods, sqlite3_vfs,
};

use super::disk::{self, DiskFile, Refused};
use super::locks::Locks;

/// SQLite's own layer; its address stays the same as long as the process lives.
static REAL: OnceLock<usize> = OnceLock::new();

/// A file of ours; SQLite's own one follows behind it in the same piece of memory.
#[repr(C, align(16))]
struct Shim {
    base: sqlite3_file,
    disk: Option<Box<OnDisk>>,
}

/// A file on a simulated disk.
struct OnDisk {
    file: DiskFile,
    /// What this connection holds of the locks of its log.
    locks: Locks,
}

/// Puts the layer in front of SQLite's own, for all connections that are opened from now on. Harmless if repeated.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: a null name asks for the default layer; SQLite keeps it for the life of the process.
        let real = unsafe { ffi::sqlite3_vfs_find(null()) };
        if real.is_null() || REAL.set(real as usize).is_err() {
            return;
        }
        // SAFETY: `real` was just given by SQLite and is not null.
        let mut own = unsafe { *real };
        own.szOsFile += c_int::try_from(size_of::<Shim>()).unwrap_or(0);
        own.zName = c"jinban-simulated".as_ptr();
        own.xOpen = Some(open);
        own.xDelete = Some(delete);
        own.xRandomness = Some(randomness);
        // SAFETY: the leaked structure lives as long as the process, as SQLite asks for.
        unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(own)), 1) };
    });
}

fn real_layer() -> *mut sqlite3_vfs {
    REAL.get().copied().unwrap_or(0) as *mut sqlite3_vfs
}

/// SQLite's own file behind ours.
///
/// # Safety
/// `file` is one that [`open`] was given.
unsafe fn behind(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: SQLite gives `szOsFile` bytes: ours, and behind them those that its own layer asks for.
    unsafe { file.cast::<u8>().add(size_of::<Shim>()).cast() }
}

/// What a file is on the simulated disk, if it lies on one.
///
/// # Safety
/// `file` is one that [`open`] opened.
unsafe fn on_disk<'a>(file: *mut sqlite3_file) -> Option<&'a DiskFile> {
    // SAFETY: the memory holds a `Shim` from `open` to `close`.
    unsafe { (*file.cast::<Shim>()).disk.as_deref().map(|disk| &disk.file) }
}

/// The locks that a connection holds of the log beside a file, if that lies on a simulated disk.
///
/// # Safety
/// `file` is one that [`open`] opened.
unsafe fn locks<'a>(file: *mut sqlite3_file) -> Option<&'a Locks> {
    // SAFETY: as above.
    unsafe { (*file.cast::<Shim>()).disk.as_deref().map(|disk| &disk.locks) }
}

/// Calls a method of SQLite's own file.
macro_rules! hand_on {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: SQLite calls the methods of open files only, and `open` left an open file behind ours.
        unsafe {
            let real = behind($file);
            match (*real).pMethods.as_ref().and_then(|methods| methods.$method) {
                Some(method) => method(real $(, $argument)*),
                None => SQLITE_IOERR,
            }
        }
    }};
}

fn code(refused: Refused, broken: c_int) -> c_int {
    match refused {
        Refused::Full => SQLITE_FULL,
        Refused::Broken => broken,
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let real = real_layer();
    // SAFETY: SQLite gives a name that ends with zero, or none for a temporary file.
    let path = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_string_lossy());
    // SAFETY: `file` has room for both files; the layer behind is SQLite's own and is given what it was meant to get.
    unsafe {
        (*file).pMethods = null();
        let Some(open) = real.as_ref().and_then(|real| real.xOpen) else { return SQLITE_ERROR };
        let opened = open(real, name, behind(file), flags, out_flags);
        if opened != SQLITE_OK {
            return opened;
        }
        let disk = path.and_then(|path| disk::find(&path)).map(|file| {
            let locks = Locks::new(file.path());
            Box::new(OnDisk { file, locks })
        });
        file.cast::<Shim>().write(Shim { base: sqlite3_file { pMethods: from_ref(&METHODS) }, disk });
    }
    SQLITE_OK
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let closed = hand_on!(file, xClose);
    // SAFETY: the `Shim` that `open` wrote; nobody uses the file afterwards.
    unsafe { file.cast::<Shim>().drop_in_place() };
    closed
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, n: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    if let Some(disk) = unsafe { on_disk(file) }
        && let Err(refused) = disk.before_read()
    {
        return code(refused, SQLITE_IOERR_READ);
    }
    hand_on!(file, xRead, to, n, at)
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    n: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: an open file.
    if let Some(disk) = unsafe { on_disk(file) }
        && let Err(refused) = disk.before_write(at, i64::from(n))
    {
        return code(refused, SQLITE_IOERR_WRITE);
    }
    hand_on!(file, xWrite, from, n, at)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    if let Some(disk) = unsafe { on_disk(file) }
        && let Err(refused) = disk.before_truncate(size)
    {
        return code(refused, SQLITE_IOERR_TRUNCATE);
    }
    hand_on!(file, xTruncate, size)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: an open file.
    match unsafe { on_disk(file) } {
        // What is synced is only written down: the machine's own disk has no part in a simulation.
        Some(disk) => disk.sync().map_or_else(|refused| code(refused, SQLITE_IOERR_FSYNC), |()| SQLITE_OK),
        None => hand_on!(file, xSync, flags),
    }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    hand_on!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    hand_on!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    hand_on!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, held: *mut c_int) -> c_int {
    hand_on!(file, xCheckReservedLock, held)
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, op: c_int, argument: *mut c_void) -> c_int {
    hand_on!(file, xFileControl, op, argument)
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    hand_on!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    hand_on!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    to: *mut *mut c_void,
) -> c_int {
    hand_on!(file, xShmMap, page, size, extend, to)
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, from: c_int, n: c_int, flags: c_int) -> c_int {
    // Whoever uses the file of a simulation is of its thread: no other process needs to be asked.
    // SAFETY: an open file.
    match unsafe { locks(file) } {
        Some(locks) if locks.change(from, n, flags) => SQLITE_OK,
        Some(_) => SQLITE_BUSY,
        None => hand_on!(file, xShmLock, from, n, flags),
    }
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: as in `hand_on`.
    unsafe {
        let real = behind(file);
        if let Some(barrier) = (*real).pMethods.as_ref().and_then(|methods| methods.xShmBarrier) {
            barrier(real);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: an open file.
    if let Some(locks) = unsafe { locks(file) } {
        locks.release();
    }
    hand_on!(file, xShmUnmap, delete)
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite gives a name that ends with zero.
    let path = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    let found = disk::find(&path);
    if let Some(Err(refused)) = found.as_ref().map(DiskFile::before_delete) {
        return code(refused, SQLITE_IOERR_DELETE);
    }
    let real = real_layer();
    // SAFETY: SQLite's own layer gets what it was meant to get; the folder of a simulated disk needs no sync.
    unsafe {
        match real.as_ref().and_then(|real| real.xDelete) {
            Some(delete) => delete(real, name, if found.is_some() { 0 } else { sync }),
            None => SQLITE_ERROR,
        }
    }
}

unsafe extern "C" fn randomness(_: *mut sqlite3_vfs, n: c_int, to: *mut c_char) -> c_int {
    let length = usize::try_from(n).unwrap_or(0);
    // SAFETY: SQLite gives room for `n` bytes.
    let bytes = unsafe { std::slice::from_raw_parts_mut(to.cast::<u8>(), length) };
    if disk::random(bytes) {
        return n;
    }
    let real = real_layer();
    // SAFETY: SQLite's own layer gets what it was meant to get.
    unsafe { real.as_ref().and_then(|real| real.xRandomness).map_or(0, |random| random(real, n, to)) }
}
