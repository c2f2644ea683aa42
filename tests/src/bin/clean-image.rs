//! Cleans the image on standard input in a process of its own and says as JSON what came out, how much memory it took
//! at its peak, and how long the call took. For tests of image bombs: the memory of a test process says nothing.
use std::io::{Read as _, Write as _};
use std::time::Instant;

use hardware::image::{Policy, clean};
use serde_json::json;

fn main() -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(64 * 1024 * 1024).read_to_end(&mut bytes)?;
    let before = peak_kib()?;
    let started = Instant::now();
    let result = clean(&bytes, &Policy::PAGE);
    let micros = started.elapsed().as_micros();
    let grown_kib = peak_kib()?.saturating_sub(before);
    let (outcome, size) = match &result {
        Ok(cleaned) => ("clean".to_owned(), json!([cleaned.width, cleaned.height])),
        Err(error) => (error.to_string(), json!(null)),
    };
    let said = json!({ "outcome": outcome, "size": size, "grown_kib": grown_kib, "micros": micros });
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}

/// The most memory that this process ever had resident.
fn peak_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let digits = line.unwrap_or_default().trim().trim_end_matches("kB").trim();
    Ok(digits.parse()?)
}
