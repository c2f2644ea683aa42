//! Cleans the image on standard input, or with the argument `page` makes a page of it, in a process of its own, and says
//! as JSON what came out, how much memory it took at its peak, and how long the call took. For tests of image bombs and
//! for the bench of pages: the memory of a test process says nothing.
use std::io::{Read as _, Write as _};
use std::time::Instant;

use anyhow::Context as _;
use hardware::image::{Policy, clean};
use hardware::pages::{Shot, Wanted};
use serde_json::json;

fn main() -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(64 * 1024 * 1024).read_to_end(&mut bytes)?;
    let before = peak_kib()?;
    let started = Instant::now();
    let result = if std::env::args().any(|argument| argument == "page") {
        page(&bytes)
    } else {
        clean(&bytes, &Policy::PAGE).map(|c| (c.width as usize, c.height as usize)).map_err(Into::into)
    };
    let micros = started.elapsed().as_micros();
    let grown_kib = peak_kib()?.saturating_sub(before);
    let (outcome, size) = match &result {
        Ok((width, height)) => ("clean".to_owned(), json!([width, height])),
        Err(error) => (format!("{error:#}"), json!(null)),
    };
    let said = json!({ "outcome": outcome, "size": size, "grown_kib": grown_kib, "micros": micros });
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}

/// What a camera's picture goes through: found, straightened, levelled, judged, written.
fn page(bytes: &[u8]) -> anyhow::Result<(usize, usize)> {
    let shot = Shot::photographed(bytes, &Policy::PHOTO)?;
    let cut = shot.cut();
    shot.found().context("no page was found")?;
    let page = shot.page(&cut, &Wanted { max_bytes: 2 << 20, is_paper: true })?;
    Ok((page.width, page.height))
}

/// The most memory that this process ever had resident.
fn peak_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let digits = line.unwrap_or_default().trim().trim_end_matches("kB").trim();
    Ok(digits.parse()?)
}
