//! Cameras above the desk: one frame after the other, each a whole picture of whatever size.
//!
//! [`FrameSource`] is what a terminal uses; `V4lCamera` takes frames of a camera of Linux (feature `devices`), and
//! [`FileCamera`] is a simulator that gives files in the place of frames. Refuses to decode: a frame is bytes of unknown
//! content until [`crate::pages::Shot`] took it.
mod file;
#[cfg(feature = "devices")]
mod v4l;

use std::time::Duration;

use zeroize::Zeroizing;

use crate::device::Trouble;

pub use file::FileCamera;
#[cfg(feature = "devices")]
pub use v4l::{V4lCamera, is_video_device};

/// Bytes of a frame, at most: what [`crate::image::Policy::PHOTO`] takes.
pub const MAX_FRAME_BYTES: usize = crate::image::Policy::PHOTO.max_bytes;

/// A frame did not come.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// No camera is there.
    #[error("the camera was not found")]
    NotFound,
    /// It gave no frame in time.
    #[error("the camera gave no frame within {} ms", .0.as_millis())]
    Silent(Duration),
    /// `v4l2-ctl` cannot be started.
    #[error("the program v4l2-ctl cannot be started")]
    Program(#[source] std::io::Error),
    /// A frame of more bytes than are taken.
    #[error("a frame has more than {MAX_FRAME_BYTES} bytes")]
    TooMuch,
    /// Reading from it failed.
    #[error("the camera cannot be read")]
    Io(#[source] std::io::Error),
}

impl FrameError {
    /// What it means for the device.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::NotFound => Trouble::NotFound,
            Self::Silent(_) => Trouble::Silent,
            Self::Program(_) => Trouble::ServiceOff,
            Self::TooMuch => Trouble::Unsupported,
            Self::Io(_) => Trouble::OutOfOrder,
        }
    }

    /// What a technician does about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotFound => {
                "check its cable, look with `v4l2-ctl --list-devices`, close other programs that use it, and let the terminal's user into the group `video`; a simulator needs a picture or a folder of pictures"
            }
            Self::Silent(_) => {
                "switch it off and on; look with `v4l2-ctl --list-formats-ext` whether it gives MJPG; a simulator needs a JPEG or PNG in its folder"
            }
            Self::Program(_) => "install the package v4l-utils (`cargo xtask setup` names it)",
            Self::TooMuch => "use a camera or pictures of at most 6 MiB a frame",
            Self::Io(_) => "let the terminal's user read what `camera` names",
        }
    }
}

/// Where frames come from.
pub trait FrameSource: Send {
    /// Looks whether the camera is there; gives no frame.
    ///
    /// # Errors
    /// [`FrameError`]
    fn look(&mut self) -> Result<(), FrameError>;

    /// The next frame, within a time: a JPEG or PNG as it came, whose size may be another than the last one's.
    ///
    /// # Errors
    /// [`FrameError`]; the next call tries again.
    fn frame(&mut self, within: Duration) -> Result<Zeroizing<Vec<u8>>, FrameError>;
}
