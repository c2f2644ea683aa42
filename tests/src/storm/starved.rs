//! A process without memory: a real limit of its address space (`RLIMIT_AS`), all of it taken but for a little, and a
//! store that is asked for one more row. What asks for more than that little ends the process where it stands, because
//! a Rust program that gets no memory aborts.
//!
//! Refuses to judge: its parent looks at the store afterwards, and at the history that was written before the end.
use std::hint::black_box;
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::scarce::{Kind, NAME, Subject};
use crate::history::{Op, Recorder};

/// What may come beside what the process has already, in bytes; taken as well.
const ROOM: u64 = 1024 * 1024;
/// Sizes of the pieces in which memory is taken, in bytes: also the holes between what is in use.
const PIECES: [usize; 6] = [65_536, 4_096, 1_024, 256, 64, 24];
/// Pieces, at most.
const MOST_PIECES: usize = 1 << 18;
/// How much of the stack is touched before, in bytes: what it has then it keeps.
const STACK: usize = 512 * 1024;

/// Saves one submission with memory, so that whatever is made once is there; then takes all memory but for `left` bytes,
/// tries to save another, and writes down what came of it.
///
/// # Errors
/// If the store cannot be opened, or the limit cannot be set.
pub fn starve(kind: Kind, folder: &Path, history: &Path, left: usize) -> Result<()> {
    let core = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, core).context("no core dump")?;
    let mut recorder = Recorder::open(history, NAME)?;
    let mut subject = Subject::open(kind, folder)?;
    recorder.note(Op::Created { id: subject.prepare()? })?;
    subject.attempt()?.ops(kind).into_iter().try_for_each(|op| recorder.note(op))?;
    recorder.note(Op::Created { id: subject.prepare()? })?;
    touch_stack();
    let mut hoard: Vec<Vec<u8>> = Vec::with_capacity(MOST_PIECES);
    let cushion: Vec<u8> = vec![1; left];
    let before = getrlimit(Resource::As);
    let limit = Rlimit { current: Some(address_space()? + ROOM), maximum: before.maximum };
    setrlimit(Resource::As, limit).context("the limit")?;
    take_all(&mut hoard);
    drop(black_box(cushion));
    let attempt = subject.attempt();
    drop(black_box(hoard));
    setrlimit(Resource::As, before).context("the old limit")?;
    attempt?.ops(kind).into_iter().try_for_each(|op| recorder.note(op))
}

/// Takes pieces until there are none, the largest first.
fn take_all(hoard: &mut Vec<Vec<u8>>) {
    for size in PIECES {
        while hoard.len() < hoard.capacity() {
            let mut piece = Vec::new();
            if piece.try_reserve_exact(size).is_err() {
                break;
            }
            hoard.push(piece);
        }
    }
}

/// Makes the stack as large as it will have to be; it cannot grow later.
#[inline(never)]
fn touch_stack() {
    black_box(&mut [1_u8; STACK]);
}

/// What the process has of its address space, in bytes.
fn address_space() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmSize:")).context("VmSize")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}
