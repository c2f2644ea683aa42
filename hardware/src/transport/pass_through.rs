//! SAM_V frames inside pseudo-APDUs: `CLA INS 00 00 Lc frame`, which some readers hand to their security module.
//!
//! Class and instruction are the vendor's and come from the settings. The answer carries the module's frame in front
//! of its status word, in pieces (`61xx`, `6Cxx`) where it is too long for one.
use std::time::Duration;

use zeroize::Zeroizing;

use super::{ApduChannel, Transport, TransportError};
use crate::iso7816::{Dialogue, IsoError};

/// A reader that passes frames on.
pub struct PassThrough<C> {
    channel: C,
    class: u8,
    instruction: u8,
}

impl<C: ApduChannel> PassThrough<C> {
    /// Frames go over this channel behind these two bytes.
    pub fn new(channel: C, class: u8, instruction: u8) -> Self {
        Self { channel, class, instruction }
    }
}

impl<C: ApduChannel> Transport for PassThrough<C> {
    fn exchange(&mut self, frame: &[u8], timeout: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let header = [self.class, self.instruction, 0x00, 0x00];
        Dialogue::within(&mut self.channel, timeout).send(header, frame, None).map_err(|error| match error {
            IsoError::Transport(error) => error,
            // A reader that does not know the command, or a card that got it instead.
            IsoError::Status(_) | IsoError::Forbidden => TransportError::Unsupported,
            IsoError::Short | IsoError::Endless | IsoError::TooLong | IsoError::TooSlow => {
                TransportError::Failed
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samv::{Answer, Command, Sw3};
    use crate::security_module::{ModuleError, SecurityModule};

    /// A reader that hands an answer out in pieces of at most 100 bytes.
    struct Pieces {
        waiting: Vec<u8>,
        asked: Vec<Vec<u8>>,
        refuses: bool,
    }

    impl ApduChannel for Pieces {
        fn transmit(&mut self, apdu: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
            self.asked.push(apdu.to_vec());
            if self.refuses {
                return Ok(Zeroizing::new(vec![0x6D, 0x00]));
            }
            if apdu[1] != 0xC0 {
                self.waiting = Answer::encode(0x90, &[7; 300]);
            }
            let piece: Vec<u8> = self.waiting.drain(..self.waiting.len().min(100)).collect();
            let status = if self.waiting.is_empty() { [0x90, 0] } else { [0x61, 100] };
            Ok(Zeroizing::new([&piece[..], &status].concat()))
        }
    }

    #[test]
    fn a_frame_goes_behind_the_vendors_bytes_and_comes_back_in_pieces() {
        let pieces = Pieces { waiting: vec![], asked: vec![], refuses: false };
        let mut line = PassThrough::new(pieces, 0xFF, 0x70);
        let answer = line.exchange(&Command::Find.encode(), Duration::from_secs(1)).expect("an answer");
        let answer = Answer::parse(&answer).expect("a frame");
        assert_eq!((answer.status, answer.data.len()), (Sw3::Done, 300));
        let asked = &line.channel.asked;
        assert_eq!(asked[0], [&[0xFF, 0x70, 0, 0, 10][..], &Command::Find.encode()].concat());
        assert_eq!(asked[1], [0xFF, 0xC0, 0, 0, 100]);
        assert_eq!(asked.len(), 4);
    }

    #[test]
    fn a_reader_that_does_not_know_the_way_says_so_and_gets_no_pin() {
        for instruction in [0x70, 0x20] {
            let pieces = Pieces { waiting: vec![], asked: vec![], refuses: true };
            let mut module = SecurityModule::new(PassThrough::new(pieces, 0xFF, instruction));
            let error = ModuleError::Transport(TransportError::Unsupported);
            assert_eq!(module.check(), Err(error));
            let asked = module.into_transport().channel.asked;
            assert_eq!(asked.len(), usize::from(instruction != 0x20));
        }
    }
}
