//! An IPP answer from bytes. Pure.
//!
//! Looked through before the crate `ipp` (8.0.0) parses it: that slices texts with a language by a length that it does
//! not check, which is a panic, and it takes collections in collections without end, which overflows the stack when
//! they are dropped.
use std::io::Cursor;

use ipp::parser::IppParser;
use ipp::prelude::IppRequestResponse;
use ipp::reader::IppReader;

/// Bytes before the first tag: version, status, number.
const HEADER: usize = 8;
/// Collections in collections.
const MAX_DEPTH: usize = 8;
const END_OF_ATTRIBUTES: u8 = 0x03;
/// Tags up to here are delimiters of groups.
const LAST_DELIMITER: u8 = 0x0f;
const BEGIN_COLLECTION: u8 = 0x34;
const END_COLLECTION: u8 = 0x37;
/// Text and name with their language.
const WITH_LANGUAGE: [u8; 2] = [0x35, 0x36];

/// Reads an answer, if it is one. Its size was bounded when it came.
pub(super) fn parse(bytes: Vec<u8>) -> Option<IppRequestResponse> {
    if !is_sound(bytes.get(HEADER..)?) {
        return None;
    }
    IppParser::new(IppReader::new(Cursor::new(bytes))).parse().ok()
}

/// Whether nothing in it harms the parser. What is cut off is left to the parser, which says so.
fn is_sound(mut rest: &[u8]) -> bool {
    let mut depth = 0_usize;
    while let Some((tag, after)) = rest.split_first() {
        rest = after;
        match *tag {
            END_OF_ATTRIBUTES => return true,
            0..=LAST_DELIMITER => continue,
            BEGIN_COLLECTION => depth += 1,
            END_COLLECTION => depth = depth.saturating_sub(1),
            _ => {}
        }
        let Some(value) = take(&mut rest).and_then(|_name| take(&mut rest)) else { return true };
        if depth > MAX_DEPTH || (WITH_LANGUAGE.contains(tag) && !are_two_texts(value)) {
            return false;
        }
    }
    true
}

fn are_two_texts(mut value: &[u8]) -> bool {
    take(&mut value).and_then(|_language| take(&mut value)).is_some()
}

/// Bytes with their length before them, two bytes.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<2>()?;
    let (taken, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = after;
    Some(taken)
}
