//! The photo of an ID card: 1,024 bytes that only a licensed program of a vendor can decode.
//!
//! No open decoder is known and none is shipped. An operator may name a program; it gets the bytes on standard input
//! and gives a picture on standard output. A read never depends on it: without a picture a silhouette is shown.
//! Refuses a shell, arguments, more output than a picture has, and any wait beyond [`TIME`].
use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

use crate::child::end_group;
use crate::id_card::PHOTO_LEN;

/// Width of the picture in pixels.
pub const WIDTH: u32 = 102;
/// Height of the picture in pixels.
pub const HEIGHT: u32 = 126;
/// Bytes of the picture: header, and rows of 102 times three bytes filled up to 308.
pub const BMP_LEN: usize = 54 + 126 * (102 * 3 + 2);
/// How long a program may take.
pub const TIME: Duration = Duration::from_secs(3);

/// Why there is no picture; a silhouette then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// No decoder is set up, or the card has no photo.
    #[error("no photo decoder is set up")]
    None,
    /// The program cannot be started.
    #[error("the photo decoder cannot be started")]
    Start,
    /// It took too long.
    #[error("the photo decoder took longer than 3 s")]
    TooSlow,
    /// It ended with an error.
    #[error("the photo decoder failed")]
    Failed,
    /// What it gave is no picture of the right size.
    #[error("the photo decoder gave no BMP of 102x126 pixels")]
    Picture,
}

/// A decoded photo: a BMP of 24 bits a pixel; redacted in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Photo(Zeroizing<Vec<u8>>);

impl Photo {
    /// The picture, if the bytes are one: BMP, 102×126, 24 bits, not compressed.
    pub fn from_bmp(bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        let number = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let good = bytes.len() == BMP_LEN
            && bytes.starts_with(b"BM")
            && number(10) == Some(54)
            && number(18) == Some(WIDTH)
            && matches!(number(22), Some(height) if height == HEIGHT || height == HEIGHT.wrapping_neg())
            && bytes.get(28..30) == Some(&[24, 0])
            && number(30) == Some(0);
        good.then_some(Self(bytes))
    }

    /// The BMP.
    pub fn bmp(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Photo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Photo(..)")
    }
}

/// Decodes the photo of a card.
pub trait PhotoDecoder: Send {
    /// The picture in the bytes of a card.
    ///
    /// # Errors
    /// [`PhotoError`]: nothing that a read depends on.
    fn decode(&self, photo: &[u8]) -> Result<Photo, PhotoError>;
}

/// No decoder: a silhouette for everybody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDecoder;

impl PhotoDecoder for NoDecoder {
    fn decode(&self, _: &[u8]) -> Result<Photo, PhotoError> {
        Err(PhotoError::None)
    }
}

/// A program of the operator's, without arguments and with an empty environment.
#[derive(Debug, Clone)]
pub struct ExternalDecoder {
    program: PathBuf,
    time: Duration,
}

impl ExternalDecoder {
    /// The program at this path.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), time: TIME }
    }
}

impl PhotoDecoder for ExternalDecoder {
    fn decode(&self, photo: &[u8]) -> Result<Photo, PhotoError> {
        if photo.len() != PHOTO_LEN {
            return Err(PhotoError::None);
        }
        let end = Instant::now() + self.time;
        let mut command = Command::new(&self.program);
        // A group of its own, so that whatever it starts ends with it.
        command.env_clear().process_group(0).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running(command.spawn().map_err(|_| PhotoError::Start)?);
        let (Some(mut input), Some(output)) = (running.0.stdin.take(), running.0.stdout.take()) else {
            return Err(PhotoError::Start);
        };
        // An empty pipe has room for far more than this; a program that does not read has no say in it.
        let _ = input.write_all(photo);
        drop(input);
        let picture = read_all(output, end)?;
        // More than a picture is none, and nobody waits for the end of it.
        if picture.len() > BMP_LEN {
            return Err(PhotoError::Picture);
        }
        if !running.wait(end)? {
            return Err(PhotoError::Failed);
        }
        Photo::from_bmp(picture).ok_or(PhotoError::Picture)
    }
}

/// A program that ends with this value.
struct Running(Child);

impl Running {
    /// Waits for its end; whether it ended well.
    fn wait(&mut self, end: Instant) -> Result<bool, PhotoError> {
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) => return Ok(status.success()),
                Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(2)),
                Ok(None) => return Err(PhotoError::TooSlow),
                Err(_) => return Err(PhotoError::Failed),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end_group(&mut self.0);
    }
}

/// All that the program writes, one byte more than a picture at most.
fn read_all(mut output: ChildStdout, end: Instant) -> Result<Zeroizing<Vec<u8>>, PhotoError> {
    let mut bytes = Zeroizing::new(vec![0; BMP_LEN + 1]);
    let mut filled = 0;
    while filled < bytes.len() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(PhotoError::TooSlow);
        }
        let wait = Timespec::try_from(left).map_err(|_| PhotoError::TooSlow)?;
        let mut fds = [PollFd::new(&output, PollFlags::IN)];
        match poll(&mut fds, Some(&wait)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(_) => return Err(PhotoError::Failed),
        }
        match output.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(PhotoError::Failed),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn bmp() -> Vec<u8> {
        let mut bytes = vec![0x80; BMP_LEN];
        bytes[..54].fill(0);
        bytes[..2].copy_from_slice(b"BM");
        for (at, number) in [(2, BMP_LEN as u32), (10, 54), (14, 40), (18, WIDTH), (22, HEIGHT)] {
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        bytes[26] = 1;
        bytes[28] = 24;
        bytes
    }

    /// Runs a program of these lines on a photo.
    fn with(lines: &str, time: Duration) -> (Result<Photo, PhotoError>, Duration) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("good.bmp"), bmp()).expect("written");
        let program = folder.path().join("decoder");
        let text = format!("#!/bin/sh\ncd {}\n{lines}\n", folder.path().display());
        std::fs::write(&program, text).expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("set");
        let begun = Instant::now();
        let result = ExternalDecoder { program, time }.decode(&[7; PHOTO_LEN]);
        (result, begun.elapsed())
    }

    #[test]
    fn a_program_gets_the_bytes_and_gives_a_picture() {
        let lines = "[ $(/usr/bin/wc -c) = 1024 ] || exit 1\n[ -z \"$HOME\" ] || exit 1\n/bin/cat good.bmp";
        let (result, _) = with(lines, TIME);
        let photo = result.expect("a picture");
        assert_eq!(photo.bmp(), bmp());
        assert_eq!(format!("{photo:?}"), "Photo(..)");
    }

    #[test]
    fn whatever_else_a_program_does_gives_none_in_bounded_time() {
        let short = Duration::from_millis(300);
        let table = [
            ("exit 3", PhotoError::Failed),
            ("/bin/cat good.bmp; exit 1", PhotoError::Failed),
            ("/bin/cat", PhotoError::Picture),
            ("/bin/cat good.bmp good.bmp", PhotoError::Picture),
            ("/usr/bin/head -c 38861 good.bmp", PhotoError::Picture),
            ("/usr/bin/head -c 38862 /dev/zero", PhotoError::Picture),
            ("exec /bin/cat /dev/zero", PhotoError::Picture),
            ("exec /bin/sleep 20", PhotoError::TooSlow),
            // A child that holds the pipe open after its parent has ended.
            ("/bin/sleep 20 &\nexit 0", PhotoError::TooSlow),
        ];
        for (lines, error) in table {
            let (result, took) = with(lines, short);
            assert_eq!(result, Err(error), "{lines}");
            assert!(took < short + Duration::from_secs(2), "{lines}: {took:?}");
        }
    }

    #[test]
    fn without_a_program_or_a_photo_there_is_none() {
        assert_eq!(NoDecoder.decode(&[7; PHOTO_LEN]), Err(PhotoError::None));
        let missing = ExternalDecoder::new("/no/such/decoder");
        assert_eq!(missing.decode(&[7; PHOTO_LEN]), Err(PhotoError::Start));
        assert_eq!(missing.decode(&[]), Err(PhotoError::None));
    }

    #[test]
    fn pictures_of_another_size_or_depth_are_refused() {
        assert!(Photo::from_bmp(Zeroizing::new(bmp())).is_some());
        let mut upside_down = bmp();
        upside_down[22..26].copy_from_slice(&(-126_i32).to_le_bytes());
        assert!(Photo::from_bmp(Zeroizing::new(upside_down)).is_some());
        for (at, value) in [(0, b'X'), (10, 55), (18, 103), (22, 125), (28, 32), (30, 1)] {
            let mut bad = bmp();
            bad[at] = value;
            assert!(Photo::from_bmp(Zeroizing::new(bad)).is_none(), "byte {at}");
        }
    }
}
