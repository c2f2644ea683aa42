//! (i): what came with pages has them all at the centre, the very bytes, and is complete; and no page waits anywhere.
//!
//! A page whose bytes turned on a disk cannot be whole again by itself. It is excused only where people are told of it, it
//! counts for nothing, and nobody threw away what is left. Refuses to excuse anything else but what a disk that was set
//! back lost.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use domain::envelope::Digest;
use domain::ids::EnvelopeId;
use rusqlite::{Connection, OpenFlags};
use sync_server::store::{Driver, Row, Tx};
use terminal::store::DATABASE_FILE;

use super::changed::Changed;
use super::{Broken, CentreView, History, Op, Rule};

/// Where a terminal keeps sealed pages, in its data folder.
pub const PAGES_FOLDER: &str = "pages";
/// What a terminal says of a page whose file is damaged, where people look.
const DAMAGED: &str = "its file is damaged";
/// Who notes what befalls the centre.
const SERVER: &str = "server";

/// A page as the centre knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAtCentre {
    /// The submission.
    pub id: EnvelopeId,
    /// Digest of its sealed bytes.
    pub digest: Digest,
    /// It counts as here.
    pub arrived: bool,
    /// The submission counts as complete.
    pub complete: bool,
    /// The very bytes lie there.
    pub sound: bool,
}

/// All pages that a centre knows.
#[derive(Debug, Clone, Default)]
pub struct PagesAtCentre(pub Vec<PageAtCentre>);

impl PagesAtCentre {
    /// Reads a store; `sound` says whether the very bytes of a digest lie there.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(driver: &mut dyn Driver, sound: impl Fn(&Digest) -> bool) -> Result<Self> {
        let sql = "SELECT b.envelope_id, b.digest, b.arrived_at_ms, e.complete FROM blob_ b
                   JOIN envelope e ON e.envelope_id = b.envelope_id ORDER BY e.server_seq, b.page";
        let page = |row: &Row| -> Result<PageAtCentre> {
            let (arrived, digest) = (row.int_or_null(2)?.is_some(), row.parsed(1)?);
            let (complete, sound) = (row.int(3)? != 0, arrived && sound(&digest));
            Ok(PageAtCentre { id: row.parsed(0)?, digest, arrived, complete, sound })
        };
        driver.begin_read()?;
        let rows = Tx::new(driver).query(sql, &[]);
        driver.rollback();
        Ok(Self(rows?.iter().map(page).collect::<Result<_>>()?))
    }
}

/// A page as it lies on a terminal's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOnDisk {
    /// The submission.
    pub id: EnvelopeId,
    /// Digest of its sealed bytes.
    pub digest: Digest,
    /// captured, waiting, sent.
    pub state: String,
    /// What the last try said.
    pub last_error: Option<String>,
    /// The text was receipted, and its content is here.
    pub sendable: bool,
    /// The very bytes lie there.
    pub sound: bool,
}

impl PageOnDisk {
    /// Its bytes turned, and the terminal says so: it waits until somebody brings the page once more.
    pub fn needs_a_person(&self) -> bool {
        !self.sound && self.last_error.as_deref() == Some(DAMAGED)
    }
}

/// All pages on a terminal's disk.
#[derive(Debug, Clone)]
pub struct PagesOnDisk {
    /// The terminal's name in the history.
    pub terminal: String,
    /// Its pages.
    pub pages: Vec<PageOnDisk>,
}

impl PagesOnDisk {
    /// Reads the data folder of a terminal, also beside a running one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(terminal: &str, folder: &Path) -> Result<Self> {
        let sql = "SELECT b.envelope_id, b.digest, b.state, b.last_error,
                          COALESCE(o.state = 'delivered' AND o.ciphertext IS NOT NULL, 0)
                   FROM blob b LEFT JOIN outbox o ON o.envelope_id = b.envelope_id ORDER BY b.rowid";
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(folder.join(DATABASE_FILE), flags)?;
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |r| {
            let texts: (String, String) = (r.get(0)?, r.get(1)?);
            Ok((texts, r.get(2)?, r.get(3)?, r.get(4)?))
        })?;
        let mut pages = Vec::new();
        for row in rows {
            let ((id, digest), state, last_error, sendable) =
                row.with_context(|| format!("the pages of {terminal}"))?;
            let bytes = std::fs::read(folder.join(PAGES_FOLDER).join(&digest));
            let (id, digest) = (id.parse()?, digest.parse()?);
            let sound = bytes.is_ok_and(|bytes| Digest::of(&bytes) == digest);
            pages.push(PageOnDisk { id, digest, state, last_error, sendable, sound });
        }
        Ok(Self { terminal: terminal.to_owned(), pages })
    }

    /// Those that wait to be sent.
    pub fn waiting(&self) -> impl Iterator<Item = &PageOnDisk> {
        self.pages.iter().filter(|p| p.state == "waiting" && p.sendable)
    }
}

/// Checks the pages of a drained run; empty if (i) holds.
pub fn check_pages(
    history: &History,
    (centre, pages): (&CentreView, &PagesAtCentre),
    disks: &[PagesOnDisk],
) -> Vec<Broken> {
    let checker = Checker { history, pages, disks, changed: Changed::of(history, centre) };
    let mut broken = checker.whole();
    broken.extend(checker.named(centre));
    broken.extend(checker.waiting());
    broken.into_iter().map(|what| Broken { rule: Rule::Pages, what }).collect()
}

struct Checker<'a> {
    history: &'a History,
    pages: &'a PagesAtCentre,
    disks: &'a [PagesOnDisk],
    changed: Changed,
}

impl Checker<'_> {
    /// Every page that was awaited is there, and its submission is complete once all are.
    fn whole(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut arrived: BTreeMap<EnvelopeId, (bool, bool)> = BTreeMap::new();
        for page in &self.pages.0 {
            let all = arrived.entry(page.id).or_insert((true, page.complete));
            all.0 &= page.arrived;
            let (id, digest) = (page.id, page.digest.short());
            if !page.arrived && !self.changed.excuses(&page.id) && !self.is_told_by_terminal(&page.digest) {
                broken.push(format!("page {digest} of {id} is awaited still"));
            }
            if page.arrived && !page.sound && !self.is_told_by_centre(&page.digest) {
                broken.push(format!("page {digest} of {id} counts as here, and its bytes are not"));
            }
        }
        let odd = arrived.into_iter().filter(|(_, (arrived, complete))| arrived != complete);
        broken.extend(odd.map(|(id, _)| format!("{id} is complete without its pages, or not with them")));
        broken
    }

    /// What is at the centre names the very pages that were captured for it.
    fn named(&self, centre: &CentreView) -> Vec<String> {
        let mut captured: BTreeMap<EnvelopeId, BTreeSet<Digest>> = BTreeMap::new();
        let mut named = captured.clone();
        for record in &self.history.0 {
            if let Op::Pages { id, digests } = &record.op {
                captured.entry(*id).or_default().extend(digests);
            }
        }
        for page in &self.pages.0 {
            named.entry(page.id).or_default().insert(page.digest);
        }
        let stored = centre.envelopes.iter().map(|e| e.id);
        let odd = stored.filter(|id| captured.get(id) != named.get(id));
        odd.map(|id| format!("{id} does not name the pages that were captured for it")).collect()
    }

    /// Nothing waits on any terminal.
    fn waiting(&self) -> Vec<String> {
        let waiting = self.disks.iter().flat_map(|d| d.waiting().map(|page| (&d.terminal, page)));
        let odd = waiting.filter(|(_, page)| !page.needs_a_person());
        let line = |(terminal, page): (&String, &PageOnDisk)| {
            format!(
                "page {} of {} still waits on {terminal}: {:?}",
                page.digest.short(),
                page.id,
                page.last_error
            )
        };
        odd.map(line).collect()
    }

    /// A page turned on a terminal's disk before it was sent: the terminal says so and goes on asking for a person.
    fn is_told_by_terminal(&self, digest: &Digest) -> bool {
        let turned = self.history.0.iter().any(|r| r.terminal != SERVER && is_flip(&r.op, digest));
        let mut there = self.disks.iter().flat_map(PagesOnDisk::waiting).filter(|p| p.digest == *digest);
        turned && there.any(PageOnDisk::needs_a_person)
    }

    /// A page turned at the centre: the next copy says so, and a terminal still has the very bytes and can
    /// send them.
    fn is_told_by_centre(&self, digest: &Digest) -> bool {
        let turned = self.history.0.iter().rposition(|r| r.terminal == SERVER && is_flip(&r.op, digest));
        let told = self.history.0.iter().rposition(|r| r.op == Op::NotCopied { digest: *digest });
        let mut kept = self.disks.iter().flat_map(|d| &d.pages).filter(|p| p.digest == *digest);
        turned.is_some_and(|turned| told.is_some_and(|told| told > turned))
            && kept.any(|p| p.sound && p.sendable)
    }
}

fn is_flip(op: &Op, of: &Digest) -> bool {
    matches!(op, Op::Flipped { digest } if digest == of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Record, StoredEnvelope};

    struct Run {
        history: History,
        centre: CentreView,
        pages: PagesAtCentre,
        disk: PagesOnDisk,
    }

    fn id() -> EnvelopeId {
        use rand_core::SeedableRng as _;
        EnvelopeId::new(1, &mut rand_chacha::ChaCha20Rng::seed_from_u64(1))
    }

    fn digest(n: u8) -> Digest {
        Digest::of(&[n])
    }

    /// A submission with two pages, all well.
    fn sound() -> Run {
        let at_centre =
            |n| PageAtCentre { id: id(), digest: digest(n), arrived: true, complete: true, sound: true };
        let on_disk = |n| PageOnDisk {
            id: id(),
            digest: digest(n),
            state: "sent".into(),
            last_error: None,
            sendable: true,
            sound: true,
        };
        let envelope = StoredEnvelope {
            id: id(),
            terminal: "T-1".into(),
            lineage: "L".into(),
            seq: 1,
            digest: digest(9),
            computed: digest(9),
        };
        let mut run = Run {
            history: History::default(),
            centre: CentreView { envelopes: vec![envelope], ..CentreView::default() },
            pages: PagesAtCentre([1, 2].map(at_centre).into()),
            disk: PagesOnDisk { terminal: "t".into(), pages: [1, 2].map(on_disk).into() },
        };
        note(&mut run, "t", Op::Pages { id: id(), digests: vec![digest(1), digest(2)] });
        run
    }

    fn note(run: &mut Run, who: &str, op: Op) {
        run.history.0.push(Record { terminal: who.to_owned(), at_ms: 1, op });
    }

    /// What a forgery breaks.
    fn broken_by(forge: impl FnOnce(&mut Run)) -> Vec<String> {
        let mut run = sound();
        forge(&mut run);
        let broken = check_pages(&run.history, (&run.centre, &run.pages), std::slice::from_ref(&run.disk));
        broken.into_iter().map(|b| b.what).collect()
    }

    #[test]
    fn a_page_that_is_missing_another_or_damaged_is_red_and_a_sound_run_is_not() {
        assert_eq!(broken_by(|_| {}), [""; 0]);
        let awaited = |run: &mut Run| {
            run.pages.0[0].arrived = false;
            run.pages.0.iter_mut().for_each(|p| p.complete = false);
        };
        assert_eq!(broken_by(awaited).len(), 1, "awaited");
        assert_eq!(broken_by(|run| run.pages.0[0].sound = false).len(), 1, "other bytes");
        let incomplete = |run: &mut Run| run.pages.0.iter_mut().for_each(|p| p.complete = false);
        assert_eq!(broken_by(incomplete).len(), 1, "never complete");
        assert_eq!(broken_by(|run| run.pages.0[1].arrived = false).len(), 2, "complete without a page");
        assert_eq!(broken_by(|run| run.pages.0.truncate(1)).len(), 1, "one is not named");
        assert_eq!(broken_by(|run| run.pages.0[0].digest = digest(3)).len(), 1, "another one is named");
        assert_eq!(broken_by(|run| run.pages.0.clear()).len(), 1, "none is named");
        assert_eq!(broken_by(|run| run.disk.pages[0].state = "waiting".into()).len(), 1, "one still waits");
    }

    #[test]
    fn a_turned_bit_at_a_terminal_is_excused_once_it_is_told() {
        let turned = |told: bool, noted: bool| {
            broken_by(|run| {
                run.pages.0[0].arrived = false;
                run.pages.0.iter_mut().for_each(|p| p.complete = false);
                let page = &mut run.disk.pages[0];
                (page.state, page.sound) = ("waiting".into(), false);
                page.last_error = told.then(|| DAMAGED.to_owned());
                if noted {
                    note(run, "t", Op::Flipped { digest: digest(1) });
                }
            })
        };
        assert_eq!(turned(true, true), [""; 0]);
        assert_eq!((turned(false, true).len(), turned(true, false).len()), (2, 1));
    }

    #[test]
    fn a_turned_bit_at_the_centre_is_excused_once_it_is_told_and_while_somebody_has_the_page() {
        let (flip, told) = (Op::Flipped { digest: digest(1) }, Op::NotCopied { digest: digest(1) });
        let turned = |ops: &[&Op], (kept, sendable): (bool, bool)| {
            broken_by(|run| {
                run.pages.0[0].sound = false;
                (run.disk.pages[0].sound, run.disk.pages[0].sendable) = (kept, sendable);
                ops.iter().for_each(|op| note(run, SERVER, (*op).clone()));
            })
        };
        let yes = (true, true);
        assert_eq!(turned(&[&flip, &told], yes), [""; 0]);
        assert_eq!(turned(&[&flip, &told], (false, true)).len(), 1, "nobody has it");
        assert_eq!(turned(&[&flip, &told], (true, false)).len(), 1, "its text was erased: nobody sends it");
        assert_eq!(turned(&[&told, &flip], yes).len(), 1, "told before it turned");
        assert_eq!(turned(&[&flip], yes).len() + turned(&[&told], yes).len(), 2, "never told, never turned");
    }
}
