//! Whether bytes are an answer to reset at all (ISO 7816-3): where it begins, how long it says that it is. Pure.
//!
//! Its check byte is not looked at: there are cards in use that have it wrong, or leave it out.

/// Most bytes of an answer to reset.
pub(crate) const MAX_ATR: usize = 33;

/// Whether these bytes are shaped like an answer to reset: the first says which convention, then come as many bytes as
/// the others announce, with or without a check byte.
pub(crate) fn is_sound(atr: &[u8]) -> bool {
    let [0x3B | 0x3F, format, rest @ ..] = atr else { return false };
    let historical = usize::from(format & 0x0F);
    let (mut announces, mut interface) = (format >> 4, 0);
    // Each round has one byte at least, so this ends with the bytes.
    while announces != 0 {
        let count = announces.count_ones() as usize;
        let last = rest.get(interface + count - 1);
        interface += count;
        announces = match last {
            None => return false,
            Some(next) if announces & 0b1000 != 0 => next >> 4,
            Some(_) => 0,
        };
    }
    let wanted = interface + historical;
    atr.len() <= MAX_ATR && (rest.len() == wanted || rest.len() == wanted + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_to_reset_are_told_from_garbage() {
        let good: [&[u8]; 6] = [
            &[0x3B, 0x00],
            // A contactless card without historical bytes, and one with (PC/SC part 3).
            &[0x3B, 0x80, 0x80, 0x01, 0x01],
            &[0x3B, 0x88, 0x80, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 0x09],
            // A chip card with contacts, T=0, without a check byte.
            &[0x3B, 0x64, 0x00, 0x00, 1, 2, 3, 4],
            &[0x3F, 0x65, 0x25, 0x00, 1, 2, 3, 4, 5],
            &crate::simulated_card::ATR,
        ];
        for atr in good {
            assert!(is_sound(atr), "{atr:02X?}");
        }
        let random: Vec<u8> = (0..33_u8).map(|n| n.wrapping_mul(37).wrapping_add(11)).collect();
        let endless = [&[0x3B][..], &[0x80; 32]].concat();
        let garbage: [&[u8]; 9] = [
            &[],
            &[0x3B],
            &[0x3B, 0xFF],
            &[0x00; 33],
            &[0xFF; 33],
            &[0x3F; 33],
            &random,
            &endless,
            &[0x3B, 0x02, 1, 2, 3, 4],
        ];
        for atr in garbage {
            assert!(!is_sound(atr), "{atr:02X?}");
        }
    }
}
