//! Cut links, killed servers, two callers at once: what came is kept, nothing is added twice.
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use domain::wire::v1::uploads::UPLOAD_OFFSET;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::{Awaited, OCTETS, TUS};

/// What is awaited happens within this time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Calls of which nothing comes, one after the other.
const MOST_CALLS: usize = 20;

impl Awaited {
    /// A PATCH of which only the first bytes are sent yet.
    fn half(&self, address: &str, offset: usize, (announced, sent): (usize, &[u8])) -> Result<TcpStream> {
        let host = self.server.terminals.strip_prefix("http://").context("an address")?;
        let signature = self.device.signature("PATCH", address)?;
        let head = format!(
            "PATCH {address} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ntus-resumable: 1.0.0\r\n\
             upload-offset: {offset}\r\ncontent-type: application/offset+octet-stream\r\njinban-terminal: {}\r\n\
             jinban-signature: {signature}\r\ncontent-length: {announced}\r\n\r\n",
            self.device.enrolled.terminal
        );
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&[head.as_bytes(), sent].concat())?;
        Ok(stream)
    }

    /// Sends a part of a call, which breaks off then; gives where the upload stands. A call that broke off before it had
    /// begun brought nothing, and comes again, as a terminal's does.
    fn cut(&self, address: &str, (offset, next): (usize, usize), bytes: &[u8]) -> Result<usize> {
        for _ in 0..MOST_CALLS {
            let part = (bytes.len() - offset, &bytes[offset..next]);
            let mut stream = self.half(address, offset, part)?;
            stream.shutdown(Shutdown::Write)?;
            // The centre lets go of the call when it is over for it; how it says so does not matter.
            let _ = stream.read_to_end(&mut Vec::new());
            self.wait_until_free(address, offset)?;
            let stands = self.offset(address)?;
            if stands != offset || next == offset {
                return Ok(stands);
            }
        }
        bail!("{MOST_CALLS} calls brought nothing")
    }

    /// Waits until nobody adds to an upload any more.
    fn wait_until_free(&self, address: &str, offset: usize) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.add(address, offset, b"")?.status == 423 {
            ensure!(Instant::now() < end, "it stays locked");
        }
        Ok(())
    }

    /// Waits until the centre has so many bytes of an upload.
    fn wait_for_offset(&self, address: &str, reached: impl Fn(usize) -> bool) -> Result<usize> {
        let end = Instant::now() + PATIENCE;
        loop {
            let offset = self.offset(address)?;
            if reached(offset) {
                return Ok(offset);
            }
            ensure!(Instant::now() < end, "it stays at {offset}");
        }
    }
}

#[test]
fn every_call_is_cut_at_any_byte_and_nothing_that_came_is_lost() -> Result<()> {
    const LENGTH: usize = 900_000;
    let awaited = Awaited::with(&[LENGTH])?;
    let address = awaited.begin(0)?;
    let bytes = &awaited.pages[0].bytes;
    let mut rng = ChaCha20Rng::seed_from_u64(26);
    let (mut offset, mut cuts) = (0, 0);
    while offset < bytes.len() {
        let most = (bytes.len() - offset).min(LENGTH / 12);
        let cut = usize::try_from(rng.next_u64())? % most + usize::from(cuts % 2 == 0);
        let next = (offset + cut).min(bytes.len());
        // All of it was on its way when the link broke; nothing of it comes twice.
        offset = awaited.cut(&address, (offset, next), bytes)?;
        ensure!(offset == next, "{offset} instead of {next}");
        cuts += 1;
    }
    assert!(cuts >= 12, "{cuts}");
    awaited.assert_complete()
}

#[test]
fn a_killed_server_goes_on_where_its_file_ends() -> Result<()> {
    let mut awaited = Awaited::with(&[2_000_000, 5_000])?;
    let address = awaited.begin(0)?;
    let bytes = awaited.pages[0].bytes.clone();
    let mut seen = 0;
    for part in [700_000, 1_400_000] {
        let open = awaited.half(&address, seen, (bytes.len() - seen, &bytes[seen..part]))?;
        // Written, and not yet answered.
        let written = awaited.wait_for_offset(&address, |n| n > seen)?;
        awaited.server = awaited.server.kill_and_restart()?;
        drop(open);
        let offset = awaited.offset(&address)?;
        ensure!(offset >= written, "{offset} after {written}");
        seen = offset;
    }
    awaited.send_rest(0, &address)?;
    // Killed between the last byte and the note of it: the file is whole, and the next question finishes it.
    let last = awaited.begin(1)?;
    let id = last.rsplit('/').next().context("an id")?.to_owned();
    awaited.server.kill()?;
    std::fs::write(awaited.server.data().join("uploads").join(id), &awaited.pages[1].bytes)?;
    awaited.server = awaited.server.kill_and_restart()?;
    assert_eq!(awaited.send()?.1, 1, "not noted yet");
    assert_eq!(awaited.offset(&last)?, awaited.pages[1].bytes.len());
    awaited.assert_complete()
}

#[test]
fn two_callers_never_both_add_to_one_upload() -> Result<()> {
    let awaited = Awaited::with(&[600_000])?;
    let address = awaited.begin(0)?;
    let bytes = &awaited.pages[0].bytes;
    let half = 300_000;
    let mut first = awaited.half(&address, 0, (bytes.len(), &bytes[..half]))?;
    let written = awaited.wait_for_offset(&address, |n| n > 0)?;
    // The second one comes at the very place that the first has come to, and is told to wait.
    for (offset, bytes) in [(written, &bytes[written..]), (0, &bytes[..])] {
        let answer = awaited.add(&address, offset, bytes)?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (423, "upload-locked"));
    }
    assert_eq!(awaited.call("DELETE", &address, &[], None)?.status, 423);
    first.write_all(&bytes[half..])?;
    let mut answer = String::new();
    first.read_to_string(&mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    awaited.assert_complete()
}

#[test]
fn many_callers_at_once_leave_one_whole_page() -> Result<()> {
    let awaited = Awaited::with(&[400_000])?;
    let address = awaited.begin(0)?;
    let bytes = &awaited.pages[0].bytes;
    let (device, base) = (awaited.device.clone(), awaited.server.terminals.clone());
    let end = Instant::now() + PATIENCE;
    let go_on = || -> Result<()> {
        loop {
            let answer = device.signed_call(&base, ("HEAD", &address), &[TUS], None)?;
            let offset: usize = answer.header(UPLOAD_OFFSET).context("an offset")?.parse()?;
            if offset == bytes.len() {
                return Ok(());
            }
            let next = (offset + 30_000).min(bytes.len());
            let headers = [TUS, OCTETS, (UPLOAD_OFFSET, &offset.to_string())];
            match device.signed_call(&base, ("PATCH", &address), &headers, Some(&bytes[offset..next]))?.status
            {
                204 | 409 | 423 => {}
                other => bail!("{other}"),
            }
            ensure!(Instant::now() < end, "it stays at {offset}");
        }
    };
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..6).map(|_| scope.spawn(go_on)).collect();
        callers.into_iter().try_for_each(|c| c.join().map_err(|_| anyhow::anyhow!("it broke off"))?)
    })?;
    awaited.assert_complete()
}
