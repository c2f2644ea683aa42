//! Looks for what must be nowhere: the data of an invented person in files, logs and the memory of a program.
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use anyhow::Result;
use base64::Engine as _;
use memchr::memmem;

/// Mappings of a program that are larger are no heap and no stack.
const MAX_MAPPING: u64 = 1 << 30;

/// A phone number of a seed, so that no program needs to hold it.
pub fn phone(seed: u64) -> String {
    format!("139{:08}", seed.wrapping_mul(2_654_435_761) % 100_000_000)
}

/// Whether a text stands in bytes: as UTF-8, as UTF-16 of both orders, or in base64 at any offset.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    let utf16 = |swap: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if swap { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    let mut forms = vec![text.as_bytes().to_vec(), utf16(false), utf16(true)];
    for shift in 0..3 {
        let shifted = [&vec![0; shift][..], text.as_bytes()].concat();
        let whole = base64::engine::general_purpose::STANDARD_NO_PAD.encode(shifted);
        // The first and last signs depend on what stands around.
        let inside = whole.get((shift * 4).div_ceil(3)..whole.len() - 2).unwrap_or_default();
        forms.push(inside.as_bytes().to_vec());
    }
    forms.iter().any(|form| form.len() > 5 && memmem::find(bytes, form).is_some())
}

/// All bytes of all files below a folder.
///
/// # Errors
/// If one cannot be read.
pub fn bytes_below(folder: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        bytes.extend(if path.is_dir() { bytes_below(&path)? } else { std::fs::read(&path)? });
    }
    Ok(bytes)
}

/// What a running program has in its own writable memory: heap, stacks, its own data.
///
/// # Errors
/// If its memory cannot be read; that takes root.
pub fn memory_of(pid: u32) -> Result<Vec<u8>> {
    let mut memory = std::fs::File::open(format!("/proc/{pid}/mem"))?;
    let mut bytes = Vec::new();
    for line in std::fs::read_to_string(format!("/proc/{pid}/maps"))?.lines() {
        let mut words = line.split_whitespace();
        let (Some(range), Some(rights)) = (words.next(), words.next()) else { continue };
        let ends = range.split_once('-').and_then(|(from, to)| {
            Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
        });
        let Some((from, to)) = ends else { continue };
        if !rights.starts_with("rw") || to - from > MAX_MAPPING {
            continue;
        }
        memory.seek(SeekFrom::Start(from))?;
        let mut part = vec![0; usize::try_from(to - from)?];
        // A guard page in it, or a mapping that just went: what can be read of it counts.
        let mut read = 0;
        while let Ok(more @ 1..) = memory.read(&mut part[read..]) {
            read += more;
        }
        bytes.extend_from_slice(&part[..read]);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_every_form() {
        let text = "639900199005201035";
        let base64 = |shift: usize| {
            let padded = [&vec![b'x'; shift][..], text.as_bytes(), b"yy"].concat();
            base64::engine::general_purpose::STANDARD.encode(padded).into_bytes()
        };
        for shift in 0..3 {
            assert!(holds(&base64(shift), text), "{shift}");
        }
        assert!(holds(text.as_bytes(), text));
        assert!(holds(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>(), text));
        assert!(!holds(b"639900199005201034 and nothing else", text));
    }

    #[test]
    fn the_memory_of_a_program_is_read() {
        let seed = std::process::id();
        let kept: Vec<u8> = format!("canary {seed} of this test").into_bytes();
        let memory = memory_of(seed).expect("own memory");
        assert!(holds(&memory, std::str::from_utf8(&kept).expect("text")));
    }
}
