//! One connection of the simulated receipt printer: commands in, dots kept, answers out.
//!
//! Refuses what this project does not send: an unknown command ends the connection with a complaint.
use std::io::{BufReader, Read, Write};
use std::sync::{MutexGuard, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};

use super::{Dots, Manner, Shared, State};

/// Talks until the other end goes; what was not understood is kept as a complaint.
pub(super) fn talk(reader: impl Read, mut writer: impl Write, shared: &Shared) {
    let ended = Call { writer: &mut writer, shared, rows: 0 }.run(BufReader::new(reader));
    if let Err(error) = ended {
        let mut state = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.complaints.push(format!("{error:#}"));
    }
}

/// One connection.
struct Call<'a> {
    writer: &'a mut dyn Write,
    shared: &'a Shared,
    /// Rows of this connection.
    rows: usize,
}

impl Call<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds the connection without a word until the manner changes or the simulator ends.
    fn stand(&self, manner: Manner) {
        let state = self.state();
        let still = |state: &mut State| state.manner == manner && !state.ends;
        drop(self.shared.1.wait_while(state, still).unwrap_or_else(PoisonError::into_inner));
    }

    fn run(&mut self, mut reader: impl Read) -> Result<()> {
        loop {
            let state = self.state();
            let (manner, ends) = (state.manner, state.ends);
            drop(state);
            match manner {
                _ if ends => return Ok(()),
                Manner::NeverReads => {
                    self.stand(manner);
                    return Ok(());
                }
                Manner::StandsAfter(rows) if self.rows >= rows => {
                    self.stand(manner);
                    return Ok(());
                }
                Manner::ClosesAfter(rows) if self.rows >= rows && rows > 0 => return Ok(()),
                _ => {}
            }
            let Some(first) = byte(&mut reader) else { return Ok(()) };
            match first {
                0x10 => self.real_time(&mut reader)?,
                0x1b => self.escape(&mut reader)?,
                0x1d => self.group(&mut reader)?,
                b'\n' => {}
                other => bail!("the byte {other:02x} is no command"),
            }
        }
    }

    fn real_time(&mut self, reader: &mut impl Read) -> Result<()> {
        let [eot, n] = bytes(reader)?;
        ensure!(eot == 4, "DLE {eot:02x}");
        let state = self.state();
        let answer = match n {
            1..=4 => state.condition.answers()[usize::from(n) - 1],
            8 => {
                let [kind] = bytes(reader)?;
                ensure!(kind == 3, "DLE EOT 8 {kind}");
                if state.held { 0x16 } else { 0x12 }
            }
            n => bail!("DLE EOT {n}"),
        };
        let manner = state.manner;
        drop(state);
        self.answer(answer, manner)
    }

    fn answer(&mut self, answer: u8, manner: Manner) -> Result<()> {
        // The other end may have gone meanwhile.
        let _ = match manner {
            Manner::Mute => Ok(()),
            Manner::Garbage => self.writer.write_all(&[0xff, 0x91, 0x00, 0x83]),
            Manner::Chatter => self.writer.write_all(&[0x12; 8_192]),
            _ => self.writer.write_all(&[answer]),
        };
        Ok(())
    }

    /// `ESC @` begins anew, `ESC d n` feeds.
    fn escape(&mut self, reader: &mut impl Read) -> Result<()> {
        match bytes(reader)? {
            [b'@'] => {
                // What was not cut is half a paper of somebody who gave up.
                self.state().open = Dots::default();
                Ok(())
            }
            [b'd'] => bytes::<1>(reader).map(|_| ()),
            [other] => bail!("ESC {other:02x}"),
        }
    }

    fn group(&mut self, reader: &mut impl Read) -> Result<()> {
        let [command] = bytes(reader)?;
        match command {
            b'v' => self.raster(reader),
            b'V' => {
                let [kind, _feed] = bytes(reader)?;
                ensure!(kind == b'A', "GS V {kind:02x}");
                let mut state = self.state();
                if state.condition.prints() {
                    let strip = std::mem::take(&mut state.open);
                    state.strips.push(strip);
                    state.held = state.holds;
                    self.shared.1.notify_all();
                }
                Ok(())
            }
            b'r' => {
                let [n] = bytes(reader)?;
                ensure!(n == 1, "GS r {n}");
                let state = self.state();
                let (works, manner) = (state.condition.prints(), state.manner);
                drop(state);
                // A printer that has stopped works nothing off.
                if works && manner != Manner::NeverDone { self.answer(0, manner) } else { Ok(()) }
            }
            other => bail!("GS {other:02x}"),
        }
    }

    fn raster(&mut self, reader: &mut impl Read) -> Result<()> {
        let [zero, mode, xl, xh, yl, yh] = bytes(reader)?;
        ensure!(zero == b'0' && mode == 0, "GS v {zero:02x} {mode}");
        let (width, height) = (u16::from_le_bytes([xl, xh]).into(), u16::from_le_bytes([yl, yh]).into());
        for _ in 0..height {
            let mut row = vec![0; width];
            if reader.read_exact(&mut row).is_err() {
                return Ok(());
            }
            self.rows += 1;
            let mut state = self.state();
            if let Manner::FailsAfter(rows, condition) = state.manner
                && self.rows > rows
            {
                state.condition = condition;
            }
            if let Manner::ClosesAfter(rows) | Manner::StandsAfter(rows) = state.manner
                && self.rows >= rows
            {
                self.shared.1.notify_all();
                return Ok(());
            }
            if state.condition.prints() {
                // A strip that somebody gave up lies under the new one.
                if state.open.bytes_per_row != width {
                    state.open = Dots { bytes_per_row: width, rows: Vec::new() };
                }
                state.open.rows.extend(row);
            }
            self.shared.1.notify_all();
        }
        Ok(())
    }
}

fn byte(reader: &mut impl Read) -> Option<u8> {
    bytes::<1>(reader).ok().map(|[byte]| byte)
}

fn bytes<const N: usize>(reader: &mut impl Read) -> Result<[u8; N]> {
    let mut found = [0; N];
    reader.read_exact(&mut found).context("the line ended within a command")?;
    Ok(found)
}
