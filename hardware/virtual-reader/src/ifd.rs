//! The C interface that pcscd calls (IFD handler API 3.0, `ifdhandler.h` of pcsc-lite).
//!
//! Only translates: pointers to slices, [`Reply`] to return codes. It never panics (a panic would take pcscd
//! down) and never keeps a pointer that pcscd gave it.
use std::collections::BTreeMap;
use std::ffi::{CStr, OsStr};
use std::mem::size_of;
use std::os::raw::{c_char, c_int, c_long, c_uchar, c_ulong};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::reader::Reader;
use crate::server::Server;
use crate::state::{ATR, Reply};

type Dword = c_ulong;
type ReturnCode = c_long;

const SUCCESS: ReturnCode = 0;
const ERROR_TAG: ReturnCode = 600;
const ERROR_NOT_SUPPORTED: ReturnCode = 606;
const ERROR_POWER_ACTION: ReturnCode = 608;
const COMMUNICATION_ERROR: ReturnCode = 612;
const ICC_PRESENT: ReturnCode = 615;
const ICC_NOT_PRESENT: ReturnCode = 616;
const NO_SUCH_DEVICE: ReturnCode = 617;
const INSUFFICIENT_BUFFER: ReturnCode = 618;

const TAG_ATR: Dword = 0x0303;
const TAG_ATR_ATTRIBUTE: Dword = 0x0009_0303;
const TAG_SLOT_THREAD_SAFE: Dword = 0x0FAC;
const TAG_THREAD_SAFE: Dword = 0x0FAD;
const TAG_SLOTS_NUMBER: Dword = 0x0FAE;
const TAG_SIMULTANEOUS_ACCESS: Dword = 0x0FAF;
const TAG_STOP_POLLING_THREAD: Dword = 0x0FB2;
const TAG_POLLING_THREAD_WITH_TIMEOUT: Dword = 0x0FB3;

const POWER_UP: Dword = 500;
const POWER_DOWN: Dword = 501;
const RESET: Dword = 502;

/// `SCARD_CTL_CODE(3500)` on Linux.
const CONTROL_CODE: Dword = 0x4200_0000 + 3500;
/// `MAX_ATR_SIZE`.
const MAX_ATR: usize = 33;
/// Most readers of this kind in one pcscd.
const MAX_READERS: usize = 8;

/// `SCARD_IO_HEADER`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct IoHeader {
    protocol: Dword,
    length: Dword,
}

type WaitFunction = extern "C" fn(Dword, c_int) -> ReturnCode;
type StopFunction = extern "C" fn(Dword) -> ReturnCode;

static READERS: Mutex<BTreeMap<Dword, (Arc<Reader>, Server)>> = Mutex::new(BTreeMap::new());

/// Opens the reader whose control socket stands behind `samv:` in the device name.
///
/// # Safety
/// `device_name` is null or a NUL-terminated text, as pcscd passes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHCreateChannelByName(lun: Dword, device_name: *const c_char) -> ReturnCode {
    if device_name.is_null() {
        return COMMUNICATION_ERROR;
    }
    // SAFETY: not null, and by this function's contract NUL-terminated; the text is not kept.
    let name = unsafe { CStr::from_ptr(device_name) };
    let Some(path) = name.to_bytes().strip_prefix(b"samv:") else { return NO_SUCH_DEVICE };
    let mut readers = READERS.lock().unwrap_or_else(PoisonError::into_inner);
    if readers.len() >= MAX_READERS {
        return COMMUNICATION_ERROR;
    }
    let reader = Arc::new(Reader::default());
    match Server::start(Path::new(OsStr::from_bytes(path)), Arc::clone(&reader)) {
        Ok(server) => {
            readers.insert(lun, (reader, server));
            SUCCESS
        }
        Err(error) => {
            eprintln!("virtual-reader: cannot open the control socket: {error}");
            COMMUNICATION_ERROR
        }
    }
}

/// Opening by number is not possible: there would be no path for the socket.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHCreateChannel(_lun: Dword, _channel: Dword) -> ReturnCode {
    COMMUNICATION_ERROR
}

/// Closes the reader and its control socket.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHCloseChannel(lun: Dword) -> ReturnCode {
    let closed = READERS.lock().unwrap_or_else(PoisonError::into_inner).remove(&lun);
    match closed {
        Some((reader, server)) => {
            reader.close();
            drop(server);
            SUCCESS
        }
        None => NO_SUCH_DEVICE,
    }
}

/// Tells pcscd what this driver can do.
///
/// # Safety
/// `value` points to `*length` writable bytes, `length` to a writable number, as pcscd passes them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHGetCapabilities(
    _lun: Dword,
    tag: Dword,
    length: *mut Dword,
    value: *mut c_uchar,
) -> ReturnCode {
    let wait: WaitFunction = wait_for_change;
    let stop: StopFunction = stop_waiting;
    let answer: &[u8] = match tag {
        TAG_ATR | TAG_ATR_ATTRIBUTE => &ATR,
        TAG_SLOTS_NUMBER | TAG_THREAD_SAFE => &[1],
        TAG_SLOT_THREAD_SAFE => &[0],
        TAG_SIMULTANEOUS_ACCESS => &[MAX_READERS as u8],
        TAG_POLLING_THREAD_WITH_TIMEOUT => &(wait as usize).to_ne_bytes(),
        TAG_STOP_POLLING_THREAD => &(stop as usize).to_ne_bytes(),
        _ => return ERROR_TAG,
    };
    const { assert!(size_of::<WaitFunction>() == size_of::<usize>()) };
    // SAFETY: by this function's contract.
    unsafe { give(answer, value, length) }
}

/// Nothing can be set.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHSetCapabilities(
    _lun: Dword,
    _tag: Dword,
    _len: Dword,
    _value: *const c_uchar,
) -> ReturnCode {
    ERROR_NOT_SUPPORTED
}

/// Every protocol is as good as any other: APDUs pass as they are.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHSetProtocolParameters(
    _lun: Dword,
    _protocol: Dword,
    _flags: c_uchar,
    _pts1: c_uchar,
    _pts2: c_uchar,
    _pts3: c_uchar,
) -> ReturnCode {
    SUCCESS
}

/// Powers the card up or down; gives its ATR.
///
/// # Safety
/// `atr` points to at least 33 writable bytes (`MAX_ATR_SIZE`), `length` to a writable number; pcscd's own `*length`
/// on entry is not the room.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHPowerICC(
    lun: Dword,
    action: Dword,
    atr: *mut c_uchar,
    length: *mut Dword,
) -> ReturnCode {
    let Some(reader) = reader(lun) else { return NO_SUCH_DEVICE };
    if atr.is_null() || length.is_null() {
        return COMMUNICATION_ERROR;
    }
    // SAFETY: not null, and writable by this function's contract.
    unsafe { *length = 0 };
    match action {
        POWER_DOWN => SUCCESS,
        POWER_UP | RESET => {
            let Some(bytes) = reader.power_up().filter(|bytes| bytes.len() <= MAX_ATR) else {
                return ERROR_POWER_ACTION;
            };
            // SAFETY: `atr` has room for 33 bytes by this function's contract, `bytes` is not longer, and they do not
            // overlap because `bytes` is ours.
            unsafe {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), atr, bytes.len());
                *length = bytes.len() as Dword;
            }
            SUCCESS
        }
        _ => ERROR_NOT_SUPPORTED,
    }
}

/// Carries an APDU to the card.
///
/// # Safety
/// `request` points to `request_len` readable bytes, `answer` to `*answer_len` writable ones, `answer_len` to a
/// writable number, `answer_header` is null or writable, as pcscd passes them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHTransmitToICC(
    lun: Dword,
    header: IoHeader,
    request: *const c_uchar,
    request_len: Dword,
    answer: *mut c_uchar,
    answer_len: *mut Dword,
    answer_header: *mut IoHeader,
) -> ReturnCode {
    let Some(reader) = reader(lun) else { return NO_SUCH_DEVICE };
    if !answer_header.is_null() {
        // SAFETY: not null, and writable by this function's contract.
        unsafe { *answer_header = header };
    }
    // SAFETY: by this function's contract.
    let apdu = unsafe { taken(request, request_len) };
    // SAFETY: by this function's contract.
    unsafe { finish(reader.exchange_apdu(apdu), answer, answer_len) }
}

/// Carries a SAM_V frame to the module.
///
/// # Safety
/// `request` points to `request_len` readable bytes, `answer` to `answer_room` writable ones, `answer_len` to a
/// writable number, as pcscd passes them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHControl(
    lun: Dword,
    code: Dword,
    request: *const c_uchar,
    request_len: Dword,
    answer: *mut c_uchar,
    answer_room: Dword,
    answer_len: *mut Dword,
) -> ReturnCode {
    if answer_len.is_null() {
        return COMMUNICATION_ERROR;
    }
    // SAFETY: not null, and writable by this function's contract.
    unsafe { *answer_len = 0 };
    let Some(reader) = reader(lun) else { return NO_SUCH_DEVICE };
    if code != CONTROL_CODE {
        return ERROR_NOT_SUPPORTED;
    }
    // SAFETY: by this function's contract.
    let frame = unsafe { taken(request, request_len) };
    let reply = reader.exchange_frame(frame);
    // SAFETY: writable by this function's contract; from here on it says how much room there is.
    unsafe { *answer_len = answer_room };
    // SAFETY: by this function's contract.
    unsafe { finish(reply, answer, answer_len) }
}

/// Whether a card lies there.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHICCPresence(lun: Dword) -> ReturnCode {
    match reader(lun) {
        Some(reader) if reader.is_unplugged() => NO_SUCH_DEVICE,
        Some(reader) if reader.present() => ICC_PRESENT,
        Some(_) => ICC_NOT_PRESENT,
        None => NO_SUCH_DEVICE,
    }
}

/// pcscd's event thread waits here for a change.
extern "C" fn wait_for_change(lun: Dword, timeout_ms: c_int) -> ReturnCode {
    let Some(reader) = reader(lun) else { return NO_SUCH_DEVICE };
    reader.wait_change(Duration::from_millis(timeout_ms.max(0).unsigned_abs().into()));
    SUCCESS
}

/// pcscd wants its event thread back.
extern "C" fn stop_waiting(lun: Dword) -> ReturnCode {
    match reader(lun) {
        Some(reader) => {
            reader.stop_waiting();
            SUCCESS
        }
        None => NO_SUCH_DEVICE,
    }
}

fn reader(lun: Dword) -> Option<Arc<Reader>> {
    READERS.lock().unwrap_or_else(PoisonError::into_inner).get(&lun).map(|(reader, _)| Arc::clone(reader))
}

/// # Safety
/// As [`give`].
unsafe fn finish(reply: Reply, answer: *mut c_uchar, length: *mut Dword) -> ReturnCode {
    let (bytes, code) = match reply {
        // SAFETY: by this function's contract.
        Reply::Bytes(bytes) => return unsafe { give(&bytes, answer, length) },
        Reply::Unsupported => ([], ERROR_NOT_SUPPORTED),
        Reply::Removed => ([], ICC_NOT_PRESENT),
        Reply::Unplugged => ([], NO_SUCH_DEVICE),
    };
    // SAFETY: by this function's contract.
    unsafe { give(&bytes, answer, length) };
    code
}

/// # Safety
/// `request` is null or points to `length` readable bytes that nobody changes while the slice lives.
unsafe fn taken<'a>(request: *const c_uchar, length: Dword) -> &'a [u8] {
    match usize::try_from(length) {
        // SAFETY: not null, and readable by this function's contract.
        Ok(length) if !request.is_null() && length > 0 => unsafe {
            std::slice::from_raw_parts(request, length)
        },
        _ => &[],
    }
}

/// Copies bytes to where pcscd wants them.
///
/// # Safety
/// `length` is null or writable; `room` is null or points to `*length` writable bytes.
unsafe fn give(bytes: &[u8], room: *mut c_uchar, length: *mut Dword) -> ReturnCode {
    if length.is_null() || room.is_null() {
        return COMMUNICATION_ERROR;
    }
    // SAFETY: not null, and readable and writable by this function's contract.
    let size = unsafe { std::mem::replace(&mut *length, 0) };
    if size < bytes.len() as Dword {
        return INSUFFICIENT_BUFFER;
    }
    // SAFETY: there is room for all bytes, and the two do not overlap: `bytes` is ours, `room` is pcscd's.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), room, bytes.len());
        *length = bytes.len() as Dword;
    }
    SUCCESS
}
