//! The printers' thread: prints what waits in the queue, looks how the printers are, and watches paper that is held.
//!
//! What is to be printed stands in the store; this thread notes there that it begins before the first byte goes out, and
//! how it ended. Refuses to print twice: what it does not know is told as doubtful, and the citizen decides.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use documents::RollWidth;
use domain::catalogue::Catalogue;
use domain::ids::EnvelopeId;
use hardware::device::{DeviceKind, DeviceState, Trouble};
use hardware::printer::{PagePrinter, PrintError, Printed, ReceiptPrinter, Roll, Strip};

use super::EventSender;
use crate::clock::Clock;
use crate::config::Config;
use crate::devices::Board;
use crate::event::Event;
use crate::fonts::FontChoice;
use crate::model::PrintKind;
use crate::paper::{Around, PaperMaker};
use crate::store::{DuePrint, PrintEnd, Store, StoreError};

/// How often a wait looks whether the thread shall end.
const GLANCE: Duration = Duration::from_millis(300);
/// Between two looks at a printer that is well.
const LOOK_AGAIN: Duration = Duration::from_secs(20);
/// Between two looks at a printer that is not, and two tries of a paper that it refused.
const LOOK_SOON: Duration = Duration::from_secs(2);
/// Between two looks at paper that is held.
const LOOK_AT_PAPER: Duration = Duration::from_secs(1);
/// Paper that is held longer is left behind.
const TAKEN_WITHIN_MS: u64 = 30_000;

/// What this thread looks after.
const PRINTERS: [DeviceKind; 2] = [DeviceKind::ReceiptPrinter, DeviceKind::PagePrinter];

/// What the thread is told.
pub(super) enum PrintCall {
    /// Something waits in the queue.
    Look,
    /// Names of items come from this version from now on.
    UseCatalogue(Arc<Catalogue>),
}

/// What the thread works with.
pub(crate) struct PrintShop {
    store: Arc<Mutex<Store>>,
    receipt: Option<ReceiptPrinter>,
    page: Option<PagePrinter>,
    /// None if words or fonts cannot be read: then every paper fails, and that is told.
    maker: Option<PaperMaker>,
    catalogue: Arc<Catalogue>,
    clock: Arc<dyn Clock>,
    /// Where it notes how the printers are.
    board: Arc<Board>,
}

impl PrintShop {
    /// What prints; none without a printer in the settings.
    pub(crate) fn of(
        config: &Config,
        store: &Arc<Mutex<Store>>,
        (catalogue, clock, board): (&Arc<Catalogue>, &Arc<dyn Clock>, &Arc<Board>),
    ) -> Option<Self> {
        let (receipt, page) = (config.receipt_printer.0.clone(), config.page_printer.0.clone());
        if receipt.is_none() && page.is_none() {
            return None;
        }
        let maker = PaperMaker::load(&config.assets, FontChoice::System)
            .inspect_err(|error| tracing::error!(error = %error, "nothing can be printed"))
            .ok();
        Some(Self {
            store: Arc::clone(store),
            receipt: receipt.map(ReceiptPrinter::new),
            page: page.map(PagePrinter::new),
            maker,
            catalogue: Arc::clone(catalogue),
            clock: Arc::clone(clock),
            board: Arc::clone(board),
        })
    }
}

/// Prints until it is told to stop.
pub(super) fn run(shop: PrintShop, calls: &Receiver<PrintCall>, events: &EventSender, stop: &AtomicBool) {
    let mut bench = Bench { shop, events, held_since_ms: None, look_at: Instant::now() };
    if let Err(error) = bench.store().doubt_prints() {
        tracing::error!(error = %error, "the print queue cannot be used");
    }
    while !stop.load(Ordering::SeqCst) {
        let wait = bench.turn();
        match calls.recv_timeout(wait.min(GLANCE)) {
            Ok(PrintCall::Look) => bench.look_at = Instant::now(),
            Ok(PrintCall::UseCatalogue(catalogue)) => bench.shop.catalogue = catalogue,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

struct Bench<'a> {
    shop: PrintShop,
    events: &'a EventSender,
    /// Since when cut paper is held, milliseconds since the machine was started.
    held_since_ms: Option<u64>,
    /// When to do something next.
    look_at: Instant,
}

impl Bench<'_> {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.shop.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One turn: what nobody waits for goes, what is due is printed, printers and held paper are looked at. Says how
    /// long there is nothing to do.
    fn turn(&mut self) -> Duration {
        let left = self.look_at.saturating_duration_since(Instant::now());
        let wanted = PRINTERS.into_iter().any(|kind| self.shop.board.is_due(kind));
        if !left.is_zero() && !wanted {
            return left;
        }
        let next = match self.work() {
            Ok(Some(again)) if again.is_zero() => again,
            // Its printer refused a paper: meanwhile the other one and held paper are looked at.
            Ok(Some(again)) => again.min(self.look()),
            Ok(None) => self.look(),
            Err(error) => {
                tracing::error!(error = %error, "the print queue cannot be used");
                self.look();
                LOOK_AGAIN
            }
        };
        self.look_at = Instant::now() + next;
        next
    }

    /// Prints one paper, if one waits; says when to look for the next.
    fn work(&mut self) -> Result<Option<Duration>, StoreError> {
        let now_ms = self.shop.clock.now_ms();
        let given_up = self.store().give_up_prints(now_ms)?;
        for envelope_id in given_up {
            tracing::info!(%envelope_id, "nobody waits for this paper any more");
            self.tell(envelope_id)?;
        }
        let due = self.store().due_print()?;
        let Some(due) = due else { return Ok(None) };
        if !self.store().begin_print(&due)? {
            return Ok(Some(Duration::ZERO));
        }
        let result = self.print(&due);
        let again = self.note(&due, result)?;
        self.tell(due.envelope_id)?;
        Ok(Some(again))
    }

    /// Tells the screen where a paper is, as the store has it; the desk, which tells as well, waits meanwhile.
    fn tell(&self, envelope_id: EnvelopeId) -> Result<(), StoreError> {
        let store = self.store();
        if let Some((kind, step)) = store.paper(envelope_id)? {
            self.events.send(Event::Print { envelope_id, kind, step });
        }
        Ok(())
    }

    /// Draws and prints; none if it cannot be drawn.
    fn print(&mut self, due: &DuePrint) -> Option<Result<Printed, PrintError>> {
        self.shop.board.begin(device(due.kind));
        let now_ms = self.shop.clock.now_ms();
        let (slip, identity) = {
            let store = self.store();
            (store.slip_to_print(due.envelope_id).ok()??, store.identity().ok()?)
        };
        let catalogue = Arc::clone(&self.shop.catalogue);
        let station = identity.and_then(|identity| catalogue.stations.get(&identity.station));
        let around = Around { catalogue: &catalogue, station, language: due.language, now_ms };
        let maker = self.shop.maker.as_ref()?;
        let paper = maker.slip(&slip, around);
        let drawn = |error| tracing::error!(error = %error, "a paper could not be drawn");
        match due.kind {
            PrintKind::Slip => {
                let printer = self.shop.receipt.clone()?;
                let dots = maker.dots(&paper, width(printer.place().roll)).map_err(drawn).ok()?;
                let strip = Strip { bytes_per_row: dots.width() / 8, rows: dots.bytes() };
                let result = printer.print(strip);
                let held = result.is_ok() && printer.place().holds;
                self.held_since_ms = held.then(|| self.shop.clock.boot_ms());
                Some(result)
            }
            PrintKind::Page => {
                let printer = self.shop.page.clone()?;
                let pdf = maker.page(&paper).map_err(drawn).ok()?;
                Some(printer.print(&pdf, slip.number.as_str()))
            }
        }
    }

    /// Notes how a paper ended; says when to look for the next.
    fn note(
        &mut self,
        due: &DuePrint,
        result: Option<Result<Printed, PrintError>>,
    ) -> Result<Duration, StoreError> {
        let kind = device(due.kind);
        let known = self.shop.board.state(kind);
        self.note_on_board(kind, result.as_ref());
        let mut store = self.store();
        let end = match result {
            None => PrintEnd::Failed(None),
            Some(Ok(_)) => PrintEnd::Printed,
            Some(Err(PrintError::Refused(trouble))) => {
                store.put_back_print(due.id, trouble)?;
                drop(store);
                // It is tried every two seconds: once is enough for the log.
                if known != DeviceState::Trouble(trouble) {
                    let (printer, trouble) = (kind.name(), trouble.name());
                    tracing::warn!(printer, trouble, "a paper waits for its printer");
                }
                return Ok(LOOK_SOON);
            }
            Some(Err(PrintError::Broken(trouble))) => PrintEnd::Doubtful(Some(trouble)),
        };
        store.end_print(due.id, end)?;
        drop(store);
        match end {
            PrintEnd::Printed => tracing::info!(printer = kind.name(), "a paper was printed"),
            _ => tracing::warn!(printer = kind.name(), ?end, "a paper was not printed, or nobody knows"),
        }
        // The next one follows at once; after the last one the printers are looked at.
        Ok(Duration::ZERO)
    }

    /// A paper that waits for its printer is tried again and again: that is a look, and no work that failed.
    fn note_on_board(&self, kind: DeviceKind, result: Option<&Result<Printed, PrintError>>) {
        let board = &self.shop.board;
        match result {
            None => board.spoilt(kind),
            Some(Ok(warning)) => board.end(kind, Ok(*warning)),
            Some(Err(PrintError::Refused(trouble))) => board.seen(kind, Err(*trouble)),
            Some(Err(PrintError::Broken(trouble))) => board.end(kind, Err(*trouble)),
        }
    }

    /// Looks how the printers are; says when to look again.
    fn look(&mut self) -> Duration {
        let held = self.look_at_paper();
        if held.is_none()
            && let Some(printer) = self.shop.receipt.clone()
        {
            self.seen(DeviceKind::ReceiptPrinter, printer.look());
        }
        // Held paper is looked at every second, and the other printer no oftener than otherwise.
        let due = held.is_none() || self.shop.board.is_due(DeviceKind::PagePrinter);
        if let Some(printer) = self.shop.page.clone().filter(|_| due) {
            self.seen(DeviceKind::PagePrinter, printer.look());
        }
        let well = |kind| !matches!(self.shop.board.state(kind), DeviceState::Trouble(_));
        let next = if PRINTERS.into_iter().all(well) { LOOK_AGAIN } else { LOOK_SOON };
        held.map_or(next, |wait| wait.min(next))
    }

    /// Looks whether paper that was cut was taken; none if there is none.
    fn look_at_paper(&mut self) -> Option<Duration> {
        let held_ms = self.shop.clock.boot_ms().saturating_sub(self.held_since_ms?);
        let printer = self.shop.receipt.clone()?;
        match printer.holds_paper() {
            Ok(true) if held_ms >= TAKEN_WITHIN_MS => {
                self.seen(DeviceKind::ReceiptPrinter, Some(Trouble::Unclaimed));
                Some(LOOK_AT_PAPER)
            }
            Ok(true) => Some(LOOK_AT_PAPER),
            Ok(false) | Err(_) => {
                self.held_since_ms = None;
                None
            }
        }
    }

    /// Notes on the board how a printer is: log, screen and centre hear it from there.
    fn seen(&self, kind: DeviceKind, trouble: Option<Trouble>) {
        self.shop.board.seen(kind, trouble.map_or(Ok(()), Err));
    }
}

fn device(kind: PrintKind) -> DeviceKind {
    match kind {
        PrintKind::Slip => DeviceKind::ReceiptPrinter,
        PrintKind::Page => DeviceKind::PagePrinter,
    }
}

/// The roll as the drawing wants it.
pub(crate) fn width(roll: Roll) -> RollWidth {
    match roll {
        Roll::Mm80 => RollWidth::Mm80,
        Roll::Mm58 => RollWidth::Mm58,
    }
}
