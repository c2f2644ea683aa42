//! `pages`: a photo of twelve megapixels becomes a page: decoded, found, straightened, levelled, judged, written; beside
//! decoding it alone. The photo is drawn.
use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use hardware::image::Policy;
use hardware::pages::invented::Invented;
use hardware::pages::{Shot, Wanted};
use tests::bench::row::Row;
use tests::bench::stats::{in_turns, median, micros_a_call};

fn main() -> Result<()> {
    let rounds = if std::env::args().any(|a| a == "--quick") { 3 } else { 9 };
    let photo = Invented { width: 4_000, height: 3_000, tilt: 0.1, ..Invented::default() }.jpeg()?;
    for (name, max_bytes) in [("pages.photo_12mp", 2 << 20), ("pages.photo_12mp_searched", 300_000)] {
        let wanted = Wanted { max_bytes, is_paper: true };
        let page = || {
            let shot = Shot::photographed(&photo, &Policy::PHOTO).ok()?;
            shot.page(&shot.cut(), &wanted).ok()
        };
        anyhow::ensure!(page().is_some(), "{name}: no page");
        let real = |_| Ok(micros_a_call(1, || drop(black_box(page()))) / 1_000.0);
        let decode = || drop(black_box(Shot::scanned(&photo, &Policy::PHOTO)));
        let floor = |_| Ok(micros_a_call(1, decode) / 1_000.0);
        let (real, floor) = in_turns(rounds, real, floor)?;
        Row::beside(name, median(&real), "ms", median(&floor)).tell()?;
    }
    Row::alone("pages.memory", memory_mib(&photo)?, "MiB").tell()
}

/// What the same work adds to the memory of a process of its own, at its peak.
fn memory_mib(photo: &[u8]) -> Result<f64> {
    let program = std::env::current_exe()?.with_file_name("clean-image");
    let mut command = Command::new(program);
    let mut child = command.arg("page").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().context("a pipe")?.write_all(photo)?;
    let said: serde_json::Value = serde_json::from_slice(&child.wait_with_output()?.stdout)?;
    Ok(said["grown_kib"].as_f64().context("what it said")? / 1_024.0)
}
