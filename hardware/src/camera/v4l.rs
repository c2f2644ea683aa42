//! A camera of Linux (V4L2) through the program `v4l2-ctl`: one frame as the camera compresses it itself.
//!
//! A program and not a library, as for scanners: a driver that hangs takes a process with it and not the terminal, and
//! nothing has to be generated from headers. **Unproven**: no camera was there to try (`docs/hardware.md`). Refuses cameras
//! that give no JPEG by themselves: pictures of that size would not come through USB in time.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{FrameError, FrameSource, MAX_FRAME_BYTES};
use crate::process::{Process, ProcessError};

/// The largest size that is asked for; a driver takes the nearest that it has. 12 megapixels.
const SIZE: (u32, u32) = (4_000, 3_000);
/// Frames that go by until exposure and focus have settled.
const SETTLES: u32 = 8;
/// How long a look may take.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// Letters of a device's path, at most.
const MAX_PATH: usize = 200;

/// Whether a text is the path of a device: below `/dev`, without a way out of it.
pub fn is_video_device(path: &Path) -> bool {
    let text = path.to_str().unwrap_or_default();
    let plain = text.len() <= MAX_PATH && !text.contains("..") && !text.chars().any(char::is_control);
    plain && text.strip_prefix("/dev/").is_some_and(|rest| !rest.is_empty())
}

/// A camera of Linux.
#[derive(Debug)]
pub struct V4lCamera {
    program: PathBuf,
    device: PathBuf,
}

impl V4lCamera {
    /// The camera at this device, such as `/dev/video0`; nothing is looked at yet.
    ///
    /// # Errors
    /// [`FrameError::NotFound`] if that is no path below `/dev`.
    pub fn new(device: &Path) -> Result<Self, FrameError> {
        if !is_video_device(device) {
            return Err(FrameError::NotFound);
        }
        Ok(Self { program: "v4l2-ctl".into(), device: device.to_owned() })
    }

    /// Runs the program; what it wrote, if it ended well.
    fn ask(&self, arguments: &[String], within: Duration) -> Result<Zeroizing<Vec<u8>>, FrameError> {
        let mut command = Command::new(&self.program);
        command.env_clear().env("LC_ALL", "C");
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let mut device = std::ffi::OsString::from("--device=");
        device.push(&self.device);
        command.arg(device).args(arguments);
        let mut process = Process::start(&mut command, MAX_FRAME_BYTES)?;
        match process.finish(within)? {
            0 => Ok(process.out.take()),
            // It says one thing for a device that is not there, that is no camera, or that somebody else has open.
            _ => Err(FrameError::NotFound),
        }
    }
}

impl FrameSource for V4lCamera {
    fn look(&mut self) -> Result<(), FrameError> {
        self.ask(&["--get-fmt-video".to_owned()], LOOK_WITHIN).map(drop)
    }

    fn frame(&mut self, within: Duration) -> Result<Zeroizing<Vec<u8>>, FrameError> {
        let (width, height) = SIZE;
        let arguments = [
            format!("--set-fmt-video=width={width},height={height},pixelformat=MJPG"),
            "--stream-mmap=3".to_owned(),
            format!("--stream-skip={SETTLES}"),
            "--stream-count=1".to_owned(),
            "--stream-to=-".to_owned(),
        ];
        let frame = self.ask(&arguments, within)?;
        if frame.is_empty() { Err(FrameError::Silent(within)) } else { Ok(frame) }
    }
}

impl From<ProcessError> for FrameError {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::Program(e) => Self::Program(e),
            ProcessError::BrokeOff => Self::Io(std::io::ErrorKind::BrokenPipe.into()),
            ProcessError::Silent(within) => Self::Silent(within),
            ProcessError::TooMuch(_) => Self::TooMuch,
            ProcessError::Pipe(e) => Self::Io(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Instant;

    use super::*;
    use crate::device::Trouble;
    use crate::image::Policy;
    use crate::pages::Shot;
    use crate::pages::invented::Invented;

    /// A simulator: a program in the place of `v4l2-ctl`, beside a picture.
    fn simulated(script: &str) -> (tempfile::TempDir, V4lCamera) {
        let folder = tempfile::tempdir().expect("a folder");
        let jpeg = Invented { width: 640, height: 480, ..Invented::default() }.jpeg().expect("a picture");
        fs::write(folder.path().join("frame.jpg"), jpeg).expect("a file");
        let program = folder.path().join("simulator-of-v4l2-ctl");
        let script = script.replace("FRAME", &folder.path().join("frame.jpg").display().to_string());
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("a program");
        (folder, V4lCamera { program, device: "/dev/video0".into() })
    }

    #[test]
    fn one_frame_comes_as_the_camera_compressed_it_and_only_the_device_is_asked() {
        let script = "[ \"$1\" = --device=/dev/video0 ] && [ -z \"$HOME\" ] || exit 9\n\
                      case \"$*\" in *pixelformat=MJPG*--stream-count=1*--stream-to=-) cat FRAME ;; *--get-fmt-video) echo MJPG ;; *) exit 8 ;; esac";
        let (_folder, mut camera) = simulated(script);
        camera.look().expect("it is there");
        let frame = camera.frame(Duration::from_secs(10)).expect("a frame");
        let picture = Shot::photographed(&frame, &Policy::PHOTO).expect("a picture").preview(9_999);
        assert_eq!((picture.width(), picture.height()), (640, 480));
    }

    #[test]
    fn whatever_else_happens_is_told_in_bounded_time() {
        let within = Duration::from_millis(500);
        for (script, trouble) in [
            ("echo 'Cannot open device' >&2; exit 1", Trouble::NotFound),
            ("exit 0", Trouble::Silent),
            ("exec sleep 600", Trouble::Silent),
            ("sleep 600 & exec sleep 600", Trouble::Silent),
            ("exec cat /dev/zero", Trouble::Unsupported),
            ("kill -9 $$", Trouble::OutOfOrder),
        ] {
            let (_folder, mut camera) = simulated(script);
            let begun = Instant::now();
            let error = camera.frame(within).expect_err(script);
            assert_eq!(error.trouble(), trouble, "{script}: {error}");
            assert!(begun.elapsed() < Duration::from_secs(5) && !error.remedy().is_empty(), "{script}");
        }
    }

    #[test]
    fn the_real_program_finds_no_camera_where_there_is_none_and_a_missing_one_is_told() {
        let mut camera = V4lCamera::new(Path::new("/dev/jinban-no-such-camera")).expect("a path");
        assert_eq!(camera.look().expect_err("no camera").trouble(), Trouble::NotFound);
        camera.program = "/nonexistent".into();
        assert_eq!(camera.look().expect_err("no program").trouble(), Trouble::ServiceOff);
        for bad in ["", "video0", "/dev/", "/etc/passwd", "/dev/../etc/passwd", "/dev/video\n0"] {
            assert!(V4lCamera::new(Path::new(bad)).is_err(), "{bad:?}");
        }
    }
}
