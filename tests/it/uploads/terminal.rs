//! The terminal's half: pages are sealed before they touch the disk, handed in with their text, and reach the real
//! centre whatever breaks in between.
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use domain::enrolment::take_apart;
use domain::envelope::{DataKey, Digest};
use domain::form::Answers;
use domain::ids::EnvelopeId;
use domain::wire::v1::BlobKind;
use domain::wire::v1::uploads::UPLOADS;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::json;
use terminal::clock::{Clock, ManualClock};
use terminal::model::PagesSent;
use terminal::store::{CapturedPage, NewDraft, NewSubmission, Store, read_status};
use terminal::sync::http::HttpTransport;
use terminal::sync::tls::Trust;
use terminal::sync::transport::{
    Request, Response, Transport, TransportError, UploadAnswer, UploadCall, UploadStep,
};
use terminal::sync::{Engine, Renewing, enrol};
use tests::device::{CATALOGUE, STATION, now_ms};
use tests::server::Server;
use tests::submission::{COURIER_ID, courier};

use super::noise;

/// What stands in every captured page and must be found nowhere in clear.
const CANARY: &[u8] = b"canary-of-a-captured-page";

/// A link that loses calls and answers, as its seed says.
struct Flaky {
    inner: Box<dyn Transport>,
    rng: ChaCha20Rng,
    /// Of ten calls so many never arrive, and as many answers are lost.
    lost: u64,
}

impl Flaky {
    fn pass<T>(
        &mut self,
        call: impl FnOnce(&mut dyn Transport) -> Result<T, TransportError>,
    ) -> Result<T, TransportError> {
        let fate = self.rng.next_u64() % 10;
        if fate < self.lost {
            return Err(TransportError::Unreachable);
        }
        let answer = call(self.inner.as_mut());
        if fate < 2 * self.lost { Err(TransportError::TimedOut) } else { answer }
    }
}

impl Transport for Flaky {
    fn exchange(&mut self, request: &Request) -> Result<Response, TransportError> {
        self.pass(|link| link.exchange(request))
    }

    fn upload(&mut self, call: &UploadCall) -> Result<UploadAnswer, TransportError> {
        self.pass(|link| link.upload(call))
    }
}

pub(super) struct Desk {
    folder: tempfile::TempDir,
    pub(super) server: Server,
    pub(super) clock: Arc<ManualClock>,
    rng: ChaCha20Rng,
}

impl Desk {
    pub(super) fn new() -> Result<Self> {
        let server = Server::start()?;
        let code = server.enrol_code(STATION)?;
        Self::at(server, &code, &Trust::Nobody)
    }

    /// One whose centre is reached over TLS, with certificates on both sides.
    fn secure() -> Result<Self> {
        let server = Server::start_secure(&[])?;
        let code = server.typed_code(STATION)?;
        let centre = take_apart(&code).and_then(|(_, centre)| centre).context("a fingerprint")?;
        Self::at(server, &code, &Trust::Centre(centre))
    }

    fn at(server: Server, code: &str, trust: &Trust) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let desk = Self {
            folder,
            server,
            clock: Arc::new(ManualClock::at(now_ms())),
            rng: ChaCha20Rng::seed_from_u64(4),
        };
        enrol(&mut desk.store()?, &mut HttpTransport::new(&desk.server.terminals, trust)?, code)?;
        Ok(desk)
    }

    fn with_killed_server(self) -> Result<Self> {
        Ok(Self { server: self.server.kill_and_restart()?, ..self })
    }

    pub(super) fn data(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn store(&self) -> Result<Store> {
        Ok(Store::open(self.data(), now_ms())?)
    }

    pub(super) fn form(&mut self) -> (EnvelopeId, DataKey) {
        (EnvelopeId::new(now_ms(), &mut self.rng), DataKey::new(&mut self.rng))
    }

    pub(super) fn page(
        &mut self,
        store: &mut Store,
        form: &(EnvelopeId, DataKey),
        length: usize,
    ) -> Result<CapturedPage> {
        let plain = [CANARY, &noise(self.rng.next_u64(), length)].concat();
        let kept = store.keep_page((form.0, &form.1), (BlobKind::Page, &plain), &mut self.rng)?;
        ensure!(store.open_page((form.0, &form.1), &kept.digest)?.as_slice() == plain, "it opens");
        Ok(kept)
    }

    pub(super) fn submit(
        &mut self,
        store: &mut Store,
        form: (EnvelopeId, DataKey),
        pages: &[&CapturedPage],
    ) -> Result<()> {
        let file = |p: &&CapturedPage| json!({ "hash": p.digest, "bytes": p.bytes, "kind": "image/jpeg" });
        let mut answers = Answers::default();
        answers.set("scan", pages.iter().map(file).collect());
        let new = NewSubmission {
            envelope_id: form.0,
            data_key: form.1,
            item: "hrss.flex-enroll".parse()?,
            catalogue_version: CATALOGUE,
            person: courier(),
            answers: &answers,
            situation: None,
            now_ms: now_ms(),
            boot_ms: 1,
        };
        store.submit(new, &mut self.rng)?;
        Ok(())
    }

    /// An engine on the store as it lies on the disk, which loses so many of ten calls.
    pub(super) fn engine(&mut self, lost: u64) -> Result<(Arc<Mutex<Store>>, Engine)> {
        let mut store = self.store()?;
        let clock: Arc<dyn Clock> = self.clock.clone();
        let trust = Trust::of(&mut store, &clock)?;
        let store = Arc::new(Mutex::new(store));
        let link: Box<dyn Transport> = Box::new(HttpTransport::new(&self.server.terminals, &trust)?);
        let inner = match trust {
            Trust::Pinned(credentials) => Box::new(Renewing::new(link, credentials, store.clone(), clock)),
            _ => link,
        };
        let link = Flaky { inner, rng: ChaCha20Rng::seed_from_u64(self.rng.next_u64()), lost };
        let engine = Engine::new(Arc::clone(&store), Box::new(link), self.clock.clone(), self.rng.next_u64());
        Ok((store, engine))
    }

    /// Steps until the receipt says that all is there; false if it does not within so many.
    pub(super) fn drain(&mut self, id: EnvelopeId, lost: u64, steps: usize) -> Result<bool> {
        let (store, mut engine) = self.engine(lost)?;
        for _ in 0..steps {
            let step = engine.step();
            let store = store.lock().unwrap_or_else(PoisonError::into_inner);
            let waiting = store.queue_view()?.waiting;
            let PagesSent { sent, all } = store.pages_sent(id)?;
            if waiting == 0 && sent == all && self.delivered(id)? {
                return Ok(true);
            }
            self.clock.advance(i64::try_from(step.wait_ms)?.max(1));
        }
        Ok(false)
    }

    fn delivered(&self, id: EnvelopeId) -> Result<bool> {
        let rows = read_status(self.data(), 100)?;
        let row = rows.iter().find(|r| r.envelope_id == id.to_string()).context("a row")?;
        Ok(row.delivered_ms.is_some())
    }

    fn files(&self) -> Result<Vec<String>> {
        let folder = self.data().join("pages");
        let names =
            std::fs::read_dir(folder)?.map(|e| e.map(|e| e.file_name().to_string_lossy().into_owned()));
        let mut names = names.collect::<Result<Vec<_>, _>>()?;
        names.sort();
        Ok(names)
    }

    /// Every byte below the data folder.
    fn bytes(&self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        for folder in [self.data().to_owned(), self.data().join("pages")] {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_file() {
                    all.extend(std::fs::read(path)?);
                }
            }
        }
        Ok(all)
    }

    pub(super) fn at_centre(&self, digest: &Digest) -> bool {
        let name = digest.to_string();
        let file = self.server.data().join("blobs").join(&name[..2]).join(&name);
        std::fs::read(file).is_ok_and(|bytes| Digest::of(&bytes) == *digest)
    }
}

#[test]
fn pages_follow_their_text_and_only_with_the_last_one_it_is_delivered() -> Result<()> {
    let mut desk = Desk::new()?;
    let mut store = desk.store()?;
    let form = desk.form();
    let id = form.0;
    let pages = [desk.page(&mut store, &form, 700_000)?, desk.page(&mut store, &form, 10)?];
    let left_out = desk.page(&mut store, &form, 10)?;
    desk.submit(&mut store, form, &[&pages[0], &pages[1]])?;
    assert!(store.my_slips(COURIER_ID)?[0].marks.pages.is_none(), "nothing is at the centre");
    drop(store);
    let (store, mut engine) = desk.engine(0)?;
    engine.step();
    {
        let store = store.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = store.my_slips(COURIER_ID)?[0].marks;
        assert_eq!(
            (marks.delivered_ms, marks.pages),
            (None, Some(PagesSent { sent: 0, all: 2 })),
            "text first"
        );
    }
    drop((engine, store));
    assert!(desk.drain(id, 0, 60)?, "all of it arrives");
    assert!(pages.iter().all(|p| desk.at_centre(&p.digest)) && !desk.at_centre(&left_out.digest));
    let mut store = desk.store()?;
    assert_eq!(store.my_slips(COURIER_ID)?[0].marks.pages, Some(PagesSent { sent: 2, all: 2 }));
    // Kept until the content goes; the page that nobody handed in goes at once.
    assert_eq!(store.sweep_pages(None)?, 1);
    assert_eq!(desk.files()?.len(), 2);
    assert!(!desk.bytes()?.windows(CANARY.len()).any(|w| w == CANARY), "sealed on the disk");
    Ok(())
}

#[test]
fn a_page_goes_over_tls_with_certificates_on_both_sides() -> Result<()> {
    let mut desk = Desk::secure()?;
    let mut store = desk.store()?;
    let form = desk.form();
    let id = form.0;
    let page = desk.page(&mut store, &form, 600_000)?;
    desk.submit(&mut store, form, &[&page])?;
    drop(store);
    assert!(desk.server.terminals.starts_with("https://"));
    assert!(desk.drain(id, 1, 400)?, "it arrives");
    assert!(desk.at_centre(&page.digest));
    // A signature alone opens nothing there.
    let bare =
        HttpTransport::new(&desk.server.terminals, &Trust::without_key(desk.store()?.identity()?.as_ref()));
    let call = UploadCall {
        step: UploadStep::Ask,
        path_and_query: format!("{UPLOADS}/{}", "0".repeat(32)),
        headers: Vec::new(),
    };
    assert_eq!(bare?.upload(&call)?.status, 401, "without a certificate");
    Ok(())
}

#[test]
fn lost_calls_lost_answers_and_a_terminal_that_dies_anywhere_lose_and_double_nothing() -> Result<()> {
    let mut desk = Desk::new()?;
    let mut store = desk.store()?;
    let form = desk.form();
    let id = form.0;
    let pages = [desk.page(&mut store, &form, 900_000)?, desk.page(&mut store, &form, 300_000)?];
    desk.submit(&mut store, form, &[&pages[0], &pages[1]])?;
    drop(store);
    // Each life does a few steps over a bad link and is gone without a word.
    let mut lives = 0;
    while !desk.drain(id, 2, 5)? {
        lives += 1;
        ensure!(lives < 200, "it never arrives");
        if lives == 3 {
            desk = desk.with_killed_server()?;
        }
    }
    assert!(lives > 2, "{lives} lives");
    assert!(pages.iter().all(|p| desk.at_centre(&p.digest)));
    assert_eq!(std::fs::read_dir(desk.server.data().join("uploads"))?.count(), 0);
    Ok(())
}

#[test]
fn pages_of_forms_that_nobody_goes_on_with_leave_no_file() -> Result<()> {
    let mut desk = Desk::new()?;
    let mut store = desk.store()?;
    let (open, drafted, gone) = (desk.form(), desk.form(), desk.form());
    let kept = desk.page(&mut store, &open, 10)?;
    let drafted_page = desk.page(&mut store, &drafted, 10)?;
    desk.page(&mut store, &gone, 10)?;
    let retaken = desk.page(&mut store, &open, 10)?;
    store.drop_page(open.0, &retaken.digest)?;
    let item = "hrss.flex-enroll".parse()?;
    let draft = NewDraft {
        id_number: COURIER_ID,
        item: &item,
        envelope_id: drafted.0,
        data_key: &drafted.1,
        catalogue_version: CATALOGUE,
        content: b"{}",
    };
    store.keep_draft(&draft, 1, &mut desk.rng)?;
    // What a kill leaves between file and row, and in the middle of a file.
    let folder = desk.data().join("pages");
    std::fs::write(folder.join(Digest::of(b"x").to_string()), b"x")?;
    std::fs::write(folder.join("half.new"), b"y")?;
    assert_eq!(store.sweep_pages(Some(open.0))?, 3);
    let mut expected = vec![kept.digest.to_string(), drafted_page.digest.to_string()];
    expected.sort();
    assert_eq!(desk.files()?, expected);
    // A start: no form is open; then the draft goes, too.
    assert_eq!(store.sweep_pages(None)?, 1);
    store.erase_draft(COURIER_ID, &item)?;
    assert_eq!(store.sweep_pages(None)?, 1);
    assert!(desk.files()?.is_empty());
    Ok(())
}

#[test]
fn odd_pages_are_refused_and_a_handed_in_page_is_closed() -> Result<()> {
    let mut desk = Desk::new()?;
    let mut store = desk.store()?;
    let form = desk.form();
    let keep = |store: &mut Store, plain: &[u8]| {
        store
            .keep_page((form.0, &form.1), (BlobKind::Photo, plain), &mut ChaCha20Rng::seed_from_u64(1))
            .is_ok()
    };
    assert!(!keep(&mut store, b""), "empty");
    assert!(!keep(&mut store, &vec![0; (20 << 20) + 1]), "too large");
    let page = desk.page(&mut store, &form, 10)?;
    let stranger = desk.form();
    assert!(store.open_page((form.0, &stranger.1), &page.digest).is_err(), "another key");
    assert!(store.open_page((stranger.0, &form.1), &page.digest).is_err(), "another form");
    let key = form.1.clone();
    let id = form.0;
    desk.submit(&mut store, form, &[&page])?;
    assert!(store.open_page((id, &key), &page.digest).is_err(), "handed in");
    store.drop_page(id, &page.digest)?;
    assert_eq!(store.sweep_pages(None)?, 0, "what was handed in stays");
    Ok(())
}
