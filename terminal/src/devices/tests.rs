//! The board and its supervisor on a clock that stands until it is moved.
use super::*;
use crate::clock::ManualClock;

/// Answers what it is told to, and counts the looks.
struct Told(Arc<Mutex<(Result<(), Trouble>, u32)>>);

impl Probe for Told {
    fn kind(&self) -> DeviceKind {
        DeviceKind::ReceiptPrinter
    }
    fn look(&mut self) -> Result<(), Trouble> {
        let mut told = self.0.lock().unwrap();
        told.1 += 1;
        told.0
    }
}

fn states(view: &[DeviceView]) -> Vec<(DeviceKind, DeviceState)> {
    view.iter().map(|device| (device.kind, device.state)).collect()
}

#[test]
fn a_device_is_looked_at_when_it_is_due_and_only_news_are_told() {
    let clock = Arc::new(ManualClock::at(1_000));
    let kinds = [DeviceKind::CardReader, DeviceKind::ReceiptPrinter];
    let board = Arc::new(Board::new(Arc::clone(&clock) as Arc<dyn Clock>, kinds));
    let told = Arc::new(Mutex::new((Ok(()), 0)));
    let mut supervisor = Supervisor::new(Arc::clone(&board), vec![Box::new(Told(Arc::clone(&told)))]);
    let looks = || told.lock().unwrap().1;

    let first = supervisor.round().view.expect("the first round tells");
    let (reader, printer) = (DeviceKind::CardReader, DeviceKind::ReceiptPrinter);
    assert_eq!(states(&first), [(reader, DeviceState::Unknown), (printer, DeviceState::Ready)]);
    assert_eq!((supervisor.round().view, looks()), (None, 1), "nothing is due");
    told.lock().unwrap().0 = Err(Trouble::NoPaper);
    clock.advance(60_000);
    let view = supervisor.round().view.expect("a trouble is news");
    assert_eq!(view[1].state, DeviceState::Trouble(Trouble::NoPaper));
    clock.advance(1_999);
    assert_eq!((supervisor.round().view, looks()), (None, 2));
    clock.advance(1);
    assert_eq!((supervisor.round().view, looks()), (None, 3), "the same trouble is no news");
    told.lock().unwrap().0 = Ok(());
    board.check_all_soon();
    assert!(supervisor.round().view.is_some_and(|view| view[1].state == DeviceState::Ready));

    board.begin(printer);
    clock.advance(100_000);
    assert!(supervisor.round().view.is_some_and(|view| view[1].state == DeviceState::Working));
    assert_eq!(looks(), 4, "whoever works is not disturbed");
    clock.advance(400_000);
    let view = supervisor.round().view.expect("the watchdog");
    assert_eq!(view[1].state, DeviceState::Trouble(Trouble::Silent));
    let report = board.reports().pop().expect("the printer");
    assert_eq!((report.device.as_str(), report.trouble), ("receipt_printer", Some(DeviceTrouble::Silent)));
    assert_eq!((report.done, report.failed, report.recovered), (0, 1, 1));
}

#[test]
fn what_the_reader_says_is_its_state_and_a_bad_card_is_not_its_fault() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(0));
    let board = Board::new(clock, [DeviceKind::CardReader]);
    let state = || board.state(DeviceKind::CardReader);
    board.reader_says(ReaderStatus::Unknown, false);
    assert_eq!(state(), DeviceState::Unknown);
    let table = [
        (ReaderStatus::NoReader, DeviceState::Trouble(Trouble::NotFound)),
        (ReaderStatus::Busy, DeviceState::Trouble(Trouble::Busy)),
        (ReaderStatus::ServiceOff, DeviceState::Trouble(Trouble::ServiceOff)),
        (ReaderStatus::OutOfOrder, DeviceState::Trouble(Trouble::OutOfOrder)),
        (ReaderStatus::Empty, DeviceState::Ready),
        (ReaderStatus::Card, DeviceState::Ready),
    ];
    for (status, wanted) in table {
        board.reader_says(status, false);
        assert_eq!(state(), wanted, "{status:?}");
    }
    for error in [ReadError::Removed, ReadError::LayAgain, ReadError::UnknownCard, ReadError::Damaged] {
        board.card_read(Some(error), false);
        assert_eq!(state(), DeviceState::Ready, "{error}");
    }
    board.card_read(None, false);
    board.card_read(Some(ReadError::OutOfOrder), false);
    assert_eq!(state(), DeviceState::Trouble(Trouble::OutOfOrder));
    let counts = &board.view()[0].counts;
    assert_eq!((counts.done, counts.failed), (1, 5));
    assert_eq!(board.state(DeviceKind::Camera), DeviceState::Off, "there is none");
    board.begin(DeviceKind::Camera);
    assert_eq!(board.view().len(), 1, "nor does it come by itself");
}

#[test]
fn a_reader_that_is_missed_beside_one_that_serves_is_told_until_it_is_back() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(0));
    let board = Board::new(clock, [DeviceKind::CardReader]);
    let state = || board.state(DeviceKind::CardReader);
    board.reader_says(ReaderStatus::Empty, true);
    assert_eq!(state(), DeviceState::Trouble(Trouble::OneLost));
    assert!(state().is_usable(), "citizens go on");
    board.reader_says(ReaderStatus::Card, true);
    for error in [None, Some(ReadError::Removed)] {
        board.begin(DeviceKind::CardReader);
        board.card_read(error, true);
        assert_eq!(state(), DeviceState::Trouble(Trouble::OneLost), "{error:?}");
    }
    let report = board.reports().pop().expect("the reader");
    assert_eq!((report.trouble, report.done, report.failed), (Some(DeviceTrouble::OneLost), 1, 1));
    board.reader_says(ReaderStatus::NoReader, true);
    assert_eq!(state(), DeviceState::Trouble(Trouble::NotFound), "none serves");
    board.reader_says(ReaderStatus::Empty, false);
    assert_eq!(state(), DeviceState::Ready);
}

#[test]
fn a_reader_that_is_missed_or_back_changes_no_other_trouble() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(0));
    let board = Board::new(clock, [DeviceKind::CardReader]);
    let state = || board.state(DeviceKind::CardReader);
    board.reader_misses(true);
    assert_eq!(state(), DeviceState::Unknown, "it has said nothing yet");
    board.reader_says(ReaderStatus::Empty, false);
    board.reader_misses(true);
    assert_eq!(state(), DeviceState::Trouble(Trouble::OneLost));
    board.reader_misses(false);
    assert_eq!(state(), DeviceState::Ready);
    let standing = [
        (ReadError::NoSecurityModule, Trouble::Unsupported),
        (ReadError::OutOfOrder, Trouble::OutOfOrder),
        (ReadError::Busy, Trouble::Busy),
        (ReadError::ReaderGone, Trouble::NotFound),
    ];
    for (error, trouble) in standing {
        board.reader_says(ReaderStatus::Card, false);
        board.card_read(Some(error), false);
        for misses in [true, false] {
            board.reader_misses(misses);
            assert_eq!(state(), DeviceState::Trouble(trouble), "{misses}");
        }
    }
    let counts = &board.view()[0].counts;
    assert_eq!((counts.failed, counts.recovered), (4, 3), "and none was counted as mended by it");
}

#[test]
fn the_trace_is_told_only_while_somebody_looks() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(0));
    let board = Arc::new(Board::new(clock, []));
    let mut supervisor = Supervisor::new(Arc::clone(&board), Vec::new());
    assert_eq!(supervisor.round(), News { view: None, lines: None });
    board.watch_trace(true);
    assert_eq!(supervisor.round().lines, Some(Vec::new()), "empty is told as well, once");
    assert_eq!(supervisor.round().lines, None);
    board.watch_trace(false);
    supervisor.round();
    board.watch_trace(true);
    assert_eq!(supervisor.round().lines, Some(Vec::new()), "whoever comes anew sees it anew");
}
