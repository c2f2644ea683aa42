//! The receipt printer against the simulator: the same dots, the right word for each trouble, and an end to each wait.
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hardware::device::Trouble;
use hardware::printer::{PrintError, Printed, ReceiptPlace, ReceiptPrinter, Strip};
use tests::printers::{Condition, Manner, ReceiptSimulator, SerialSimulator};

use super::place;

const BYTES_PER_ROW: usize = 72;

/// A strip of some bands with dots that are nowhere the same, `DLE EOT` among them.
fn dots() -> Vec<u8> {
    let mut rows: Vec<u8> = (0..BYTES_PER_ROW * 700).map(|at| ((at * 7 + at / 72) % 251) as u8).collect();
    rows[5_000..5_003].copy_from_slice(&[0x10, 0x04, 0x01]);
    rows
}

fn print(place_text: &str) -> Result<Result<Printed, PrintError>> {
    let printer = ReceiptPrinter::new(place(place_text)?).with_patience(Duration::from_secs(6));
    Ok(printer.print(Strip { bytes_per_row: BYTES_PER_ROW, rows: &dots() }))
}

#[test]
fn every_dot_arrives_over_network_and_serial_line() -> Result<()> {
    let network = ReceiptSimulator::start()?;
    assert_eq!(print(&network.place())?, Ok(None));
    let serial = SerialSimulator::start()?;
    assert_eq!(print(&serial.place)?, Ok(None));
    for simulator in [&network, &serial.printer] {
        let strips = simulator.strips();
        assert_eq!((strips.len(), strips[0].count(), strips[0].rows == dots()), (1, 700, true));
        assert!(simulator.complaints().is_empty(), "{:?}", simulator.complaints());
    }
    Ok(())
}

#[test]
fn a_file_keeps_what_a_printer_would_get() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("paper.escpos");
    let text = format!("file:{}", file.display());
    assert_eq!(print(&text)?, Err(PrintError::Refused(Trouble::NotFound)), "it is not made by itself");
    std::fs::write(&file, "")?;
    assert_eq!(print(&text)?, Ok(None));
    let bytes = std::fs::read(&file)?;
    assert!(bytes.len() > dots().len() && bytes.starts_with(b"\x1b@\x1dv0\0\x48\0\x80\0"));
    Ok(())
}

#[test]
fn a_file_that_is_no_printer_and_no_simulator_is_not_written_to() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (file, other) = (folder.path().join("passwd"), folder.path().join("other.escpos"));
    std::fs::write(&file, "root:x:0:0")?;
    ensure!(ReceiptPlace::read(&format!("file:{}", file.display())).is_none(), "no such setting is taken");
    // The name alone is not believed: what lies below /dev, or behind a link, is looked at.
    std::os::unix::fs::symlink("/dev/null", &other)?;
    let dev = std::path::Path::new("/dev/shm").join(format!("jinban-{}", std::process::id()));
    std::fs::write(&dev, "root:x:0:0")?;
    let printed = print(&format!("file:{}", dev.display()));
    let kept = std::fs::read(&dev);
    std::fs::remove_file(&dev)?;
    assert_eq!(printed?, Err(PrintError::Refused(Trouble::Unsupported)));
    assert_eq!(kept?, b"root:x:0:0");
    let folder = format!("file:{}", folder.path().join("folder.escpos").display());
    std::fs::create_dir(folder.trim_start_matches("file:"))?;
    assert_eq!(print(&folder)?, Err(PrintError::Refused(Trouble::Unsupported)));
    // A device that swallows all and answers nothing is a device, and is not trusted.
    assert!(matches!(print(&format!("file:{}", other.display()))?, Err(PrintError::Refused(_))));
    Ok(())
}

#[test]
fn a_printer_that_is_not_well_is_given_nothing() -> Result<()> {
    let simulator = ReceiptSimulator::start()?;
    let table = [
        (Condition::NoPaper, Trouble::NoPaper),
        (Condition::CoverOpen, Trouble::CoverOpen),
        (Condition::Jammed, Trouble::Jammed),
        (Condition::Offline, Trouble::Busy),
        (Condition::Broken, Trouble::OutOfOrder),
    ];
    for (condition, trouble) in table {
        simulator.set(condition);
        assert_eq!(print(&simulator.place())?, Err(PrintError::Refused(trouble)), "{condition:?}");
        assert_eq!(ReceiptPrinter::new(place(&simulator.place())?).look(), Some(trouble));
    }
    simulator.set(Condition::PaperLow);
    assert_eq!(print(&simulator.place())?, Ok(Some(Trouble::PaperLow)), "it warns and prints");
    assert_eq!(simulator.strips().len(), 1);
    let gone = simulator.place();
    drop(simulator);
    // The listener ends with its next call.
    let end = Instant::now() + Duration::from_secs(10);
    while ReceiptPrinter::new(place(&gone)?).look() != Some(Trouble::NotFound) {
        ensure!(Instant::now() < end, "somebody still answers at {gone}");
    }
    assert_eq!(print(&gone)?, Err(PrintError::Refused(Trouble::NotFound)));
    Ok(())
}

#[test]
fn nothing_that_a_printer_does_or_leaves_undone_is_waited_for_without_end() -> Result<()> {
    use PrintError::{Broken, Refused};
    let table = [
        (Manner::NeverReads, Refused(Trouble::Silent)),
        (Manner::Mute, Refused(Trouble::Silent)),
        (Manner::Garbage, Refused(Trouble::Unsupported)),
        (Manner::Chatter, Refused(Trouble::Unsupported)),
        (Manner::NeverDone, Broken(Trouble::Silent)),
        (Manner::ClosesAfter(150), Broken(Trouble::NotFound)),
        (Manner::StandsAfter(150), Broken(Trouble::Silent)),
        (Manner::FailsAfter(150, Condition::NoPaper), Broken(Trouble::NoPaper)),
        (Manner::FailsAfter(150, Condition::Jammed), Broken(Trouble::Jammed)),
        (Manner::FailsAfter(699, Condition::CoverOpen), Broken(Trouble::CoverOpen)),
    ];
    for (manner, wanted) in table {
        let simulator = ReceiptSimulator::start()?;
        simulator.behave(manner);
        let began = Instant::now();
        assert_eq!(print(&simulator.place())?, Err(wanted), "{manner:?}");
        assert!(began.elapsed() < Duration::from_secs(12), "{manner:?} took {:?}", began.elapsed());
        if manner != Manner::NeverDone {
            assert!(simulator.strips().is_empty(), "{manner:?} cut nothing");
        }
    }
    Ok(())
}

#[test]
fn held_paper_is_seen_until_somebody_takes_it() -> Result<()> {
    let simulator = ReceiptSimulator::start()?;
    simulator.hold_paper();
    let printer = ReceiptPrinter::new(place(&format!("{},holds", simulator.place()))?);
    assert_eq!(printer.holds_paper(), Ok(false));
    print(&simulator.place())?.expect("printed");
    assert_eq!(printer.holds_paper(), Ok(true));
    let without_sensor = ReceiptPrinter::new(place(&simulator.place())?);
    assert_eq!(without_sensor.holds_paper(), Ok(false), "nobody asks where no sensor is");
    simulator.take_paper();
    assert_eq!(printer.holds_paper(), Ok(false));
    Ok(())
}
