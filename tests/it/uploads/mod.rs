//! Pages and photos reach the centre whole, once, whatever cuts their way, and then the envelope is complete.
mod console;
mod cuts;
mod elsewhere;
mod outside;
mod protocol;
mod safe;
mod terminal;
mod unread;
mod waiting;

use anyhow::{Context as _, Result, ensure};
use domain::envelope::SealedBlob;
use domain::ids::EnvelopeId;
use domain::wire::v1::uploads::{OFFSET_OCTETS, TUS_RESUMABLE, TUS_VERSION, UPLOAD_OFFSET, UPLOADS};
use domain::wire::v1::{EnvelopeUpload, Outcome, ReceiptBody};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tests::device::{Device, courier, header_of};
use tests::http::Answer;
use tests::server::Server;

/// The version that every call names.
const TUS: (&str, &str) = (TUS_RESUMABLE, TUS_VERSION);
/// What a PATCH brings.
const OCTETS: (&str, &str) = ("content-type", OFFSET_OCTETS);

/// A terminal whose envelope names pages, and the centre that awaits them.
struct Awaited {
    server: Server,
    device: Device,
    envelope: EnvelopeUpload,
    id: EnvelopeId,
    pages: Vec<SealedBlob>,
}

/// Bytes that nobody can guess, the same at each run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ChaCha20Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

impl Awaited {
    /// An envelope with pages of these lengths, sent and receipted without them.
    fn with(lengths: &[usize]) -> Result<Self> {
        Self::at(Server::start()?, lengths)
    }

    fn at(server: Server, lengths: &[usize]) -> Result<Self> {
        let mut device = Device::enrol(&server, 1)?;
        let pages: Vec<_> = (0..).zip(lengths).map(|(seed, length)| noise(seed, *length)).collect();
        let (envelope, pages) = device.seal_with_pages(&serde_json::to_vec(&courier())?, &pages)?;
        let id = header_of(&envelope)?.envelope_id;
        let awaited = Self { server, device, envelope, id, pages };
        let (outcome, missing, receipt) = awaited.send()?;
        ensure!(outcome == Outcome::Accepted && !receipt.complete, "{outcome:?}");
        ensure!(missing == awaited.pages.len(), "{missing} missing");
        Ok(awaited)
    }

    /// Sends the envelope once more: what became of it, how many pages are missing, what its receipt says.
    fn send(&self) -> Result<(Outcome, usize, ReceiptBody)> {
        let sent = self.device.send(&self.server, std::slice::from_ref(&self.envelope))?.results.remove(0);
        let receipt = self.device.verify(&sent.receipt.context("a receipt")?)?;
        Ok((sent.outcome, sent.missing_blobs.len(), receipt))
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer> {
        self.device.signed_call(&self.server.terminals, (method, path), &[&[TUS], headers].concat(), body)
    }

    /// The address at which an upload of a page is made.
    fn door(&self, page: usize) -> String {
        format!("{UPLOADS}?envelope={}&blob={}", self.id, self.pages[page].digest)
    }

    /// Begins an upload of a page; its address.
    fn begin(&self, page: usize) -> Result<String> {
        let length = self.pages[page].bytes.len().to_string();
        let answer = self.call("POST", &self.door(page), &[("upload-length", &length)], Some(b""))?;
        ensure!(answer.status == 201, "{}: {}", answer.status, answer.text());
        Ok(answer.header("location").context("an address")?.to_owned())
    }

    /// How far an upload has come.
    fn offset(&self, address: &str) -> Result<usize> {
        let answer = self.call("HEAD", address, &[], None)?;
        ensure!(answer.status == 200, "{}", answer.status);
        Ok(answer.header(UPLOAD_OFFSET).context("an offset")?.parse()?)
    }

    /// Adds bytes at an offset.
    fn add(&self, address: &str, offset: usize, bytes: &[u8]) -> Result<Answer> {
        self.call("PATCH", address, &[OCTETS, (UPLOAD_OFFSET, &offset.to_string())], Some(bytes))
    }

    /// Sends what is left of a page.
    fn send_rest(&self, page: usize, address: &str) -> Result<()> {
        let bytes = &self.pages[page].bytes;
        let offset = self.offset(address)?;
        let answer = self.add(address, offset, &bytes[offset..])?;
        ensure!(answer.status == 204, "{}: {}", answer.status, answer.text());
        ensure!(answer.header(UPLOAD_OFFSET) == Some(bytes.len().to_string().as_str()), "all of it");
        Ok(())
    }

    /// The bytes that the centre keeps of a page.
    fn kept(&self, page: usize) -> Result<Vec<u8>> {
        let name = self.pages[page].digest.to_string();
        Ok(std::fs::read(self.server.data().join("blobs").join(&name[..2]).join(&name))?)
    }

    /// Nothing is missing any more, a newer receipt says so, and the centre has the very bytes.
    fn assert_complete(&self) -> Result<()> {
        let (outcome, missing, receipt) = self.send()?;
        ensure!(
            (outcome, missing, receipt.complete) == (Outcome::Duplicate, 0, true),
            "{outcome:?} {missing}"
        );
        for page in 0..self.pages.len() {
            ensure!(self.kept(page)? == self.pages[page].bytes, "page {page}");
        }
        let left = std::fs::read_dir(self.server.data().join("uploads"))?.count();
        ensure!(left == 0, "{left} files of uploads are left");
        Ok(())
    }
}
