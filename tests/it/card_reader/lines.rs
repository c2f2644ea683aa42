//! Readers that are asked whether a card lies there: on a serial line, and behind pcscd where the slot says nothing.
use std::ops::Deref;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use hardware::card_reader::{CardData, CardReader, ReadError, ReaderEvent, ReaderStatus};
use hardware::readers_file;
use hardware::trace::Trace;
use tests::pcscd::Pcscd;
use virtual_reader::order::{Fault, Order};
use virtual_reader::serial::SerialReader;

use super::{SOON, image};

/// All readers of a file, as a terminal opens them.
fn open(text: &str) -> Result<Box<dyn CardReader>> {
    Ok(readers_file::open(&readers_file::parse(text)?, &Trace::default()))
}

fn serial_entry(port: &Path) -> String {
    format!("[[reader]]\nport = \"{}\"\n", port.display())
}

fn next(reader: &mut dyn CardReader) -> Result<ReaderStatus> {
    match reader.wait_event(SOON) {
        ReaderEvent::Status(status) => Ok(status),
        other => bail!("{other:?}"),
    }
}

/// The next event must be this one.
fn tells(reader: &mut dyn CardReader, wanted: ReaderStatus) -> Result<()> {
    let told = next(reader)?;
    ensure!(told == wanted, "{told:?} instead of {wanted:?}");
    Ok(())
}

fn reads(reader: &mut dyn CardReader, number: &str) -> Result<()> {
    match reader.read()? {
        CardData::IdCard(card) => ensure!(card.id_number == number, "another card"),
        other => bail!("another kind of card: {other:?}"),
    }
    Ok(())
}

/// The reader comes to miss one of its readers, or none, without a word of its status.
fn comes_to_miss(reader: &mut dyn CardReader, one: bool) -> Result<()> {
    let end = Instant::now() + SOON;
    while reader.misses() != one {
        ensure!(Instant::now() < end, "misses() stays {}", !one);
        let event = reader.wait_event(Duration::from_millis(50));
        ensure!(event == ReaderEvent::Nothing, "{event:?}");
    }
    Ok(())
}

const COURIER: &str = "639900199005201035";
const ELDER: &str = "639900194403150015";

/// A port with a name that stays, as udev gives one.
struct Port(tempfile::TempDir);

impl Port {
    fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("reader")
    }

    fn plug_in(&self) -> Result<Plugged> {
        let reader = SerialReader::plug_in(None)?;
        symlink(reader.port(), self.path())?;
        Ok(Plugged { reader, path: self.path() })
    }
}

/// A reader that is plugged in there. As with udev, the name goes with it: the system may give the number of its
/// pseudo-terminal to that of another test.
struct Plugged {
    reader: SerialReader,
    path: PathBuf,
}

impl Deref for Plugged {
    type Target = SerialReader;

    fn deref(&self) -> &SerialReader {
        &self.reader
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        // If it is gone already, so much the better.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[test]
fn a_slow_module_on_a_line_is_left_after_five_seconds() -> Result<()> {
    let port = Port::new()?;
    let serial = port.plug_in()?;
    let mut reader = open(&serial_entry(&port.path()))?;
    tells(reader.as_mut(), ReaderStatus::Empty)?;
    serial.obey(Order::Insert(image("courier")));
    tells(reader.as_mut(), ReaderStatus::Card)?;
    // Each of the six answers is in time, all of them are not.
    serial.obey(Order::Delay(Duration::from_millis(950)));
    let begun = Instant::now();
    reads(reader.as_mut(), COURIER)?;
    ensure!(begun.elapsed() < Duration::from_millis(5_500), "{:?}", begun.elapsed());
    ensure!(reader.sam_id().is_none(), "what is not needed is asked last");
    Ok(())
}

#[test]
fn a_card_on_a_serial_reader_lies_there_until_it_is_lifted() -> Result<()> {
    let port = Port::new()?;
    let serial = port.plug_in()?;
    let mut reader = open(&serial_entry(&port.path()))?;
    tells(reader.as_mut(), ReaderStatus::Empty)?;
    for (name, number) in [("courier", COURIER), ("elder", ELDER)] {
        serial.obey(Order::Insert(image(name)));
        tells(reader.as_mut(), ReaderStatus::Card)?;
        reads(reader.as_mut(), number)?;
        ensure!(reader.sam_id().is_some());
        // Several questions long it lies there still.
        assert_eq!(reader.wait_event(hardware::MIN_POLL * 3), ReaderEvent::Nothing);
        serial.obey(Order::Remove);
        tells(reader.as_mut(), ReaderStatus::Empty)?;
        assert_eq!(reader.read().err(), Some(ReadError::Removed));
    }
    Ok(())
}

#[test]
fn a_serial_line_with_faults_reads_or_says_lay_again() -> Result<()> {
    let port = Port::new()?;
    let serial = port.plug_in()?;
    let mut reader = open(&serial_entry(&port.path()))?;
    tells(reader.as_mut(), ReaderStatus::Empty)?;
    for fault in [Fault::Noise, Fault::WrongChecksum, Fault::Truncate, Fault::Garbage, Fault::Oversize] {
        serial.obey(Order::Insert(image("courier")));
        tells(reader.as_mut(), ReaderStatus::Card)?;
        serial.obey(Order::Fault(fault, 1));
        reads(reader.as_mut(), COURIER).with_context(|| format!("{fault:?}"))?;
        serial.obey(Order::Remove);
        tells(reader.as_mut(), ReaderStatus::Empty)?;
    }
    serial.obey(Order::Insert(image("courier")));
    tells(reader.as_mut(), ReaderStatus::Card)?;
    serial.obey(Order::RemoveMidRead);
    assert_eq!(reader.read().err(), Some(ReadError::Removed));
    tells(reader.as_mut(), ReaderStatus::Empty)
}

#[test]
fn a_serial_reader_is_unplugged_and_plugged_in_again() -> Result<()> {
    let port = Port::new()?;
    let mut reader = open(&serial_entry(&port.path()))?;
    tells(reader.as_mut(), ReaderStatus::NoReader)?;
    for _ in 0..2 {
        let serial = port.plug_in()?;
        tells(reader.as_mut(), ReaderStatus::Empty)?;
        serial.obey(Order::Insert(image("courier")));
        tells(reader.as_mut(), ReaderStatus::Card)?;
        drop(serial);
        assert_eq!(reader.read().err(), Some(ReadError::ReaderGone));
        tells(reader.as_mut(), ReaderStatus::NoReader)?;
    }
    Ok(())
}

#[test]
fn of_a_serial_and_another_reader_the_card_laid_first_counts_and_one_may_be_lost() -> Result<()> {
    let port = Port::new()?;
    let serial = port.plug_in()?;
    let mut pcscd = Pcscd::lock()?;
    let mut hand = pcscd.control()?;
    let text = format!("[[reader]]\npattern = \"jinban*\"\n{}", serial_entry(&port.path()));
    let mut reader = open(&text)?;
    let reader = reader.as_mut();
    tells(reader, ReaderStatus::Empty)?;
    comes_to_miss(reader, false)?;
    serial.obey(Order::Insert(image("courier")));
    tells(reader, ReaderStatus::Card)?;
    hand.insert(&image("elder"))?;
    reads(reader, COURIER)?;
    assert_eq!(reader.wait_event(SOON), ReaderEvent::Second, "one card only, and that is told");
    serial.obey(Order::Remove);
    tells(reader, ReaderStatus::Empty)?;
    tells(reader, ReaderStatus::Card)?;
    reads(reader, ELDER)?;
    hand.remove()?;
    tells(reader, ReaderStatus::Empty)?;
    // Either may be lost, which is told; the other serves.
    pcscd.kill()?;
    comes_to_miss(reader, true)?;
    serial.obey(Order::Insert(image("courier")));
    tells(reader, ReaderStatus::Card)?;
    reads(reader, COURIER)?;
    drop(serial);
    while next(reader)? != ReaderStatus::ServiceOff {}
    pcscd.restart()?;
    let mut hand = pcscd.control()?;
    tells(reader, ReaderStatus::Empty)?;
    hand.insert(&image("elder"))?;
    tells(reader, ReaderStatus::Card)?;
    reads(reader, ELDER)?;
    ensure!(reader.misses(), "the serial one is still gone");
    let _serial = port.plug_in()?;
    comes_to_miss(reader, false)
}

#[test]
fn a_port_that_the_readers_file_names_is_missed_and_a_pattern_that_nothing_fits_is_not() -> Result<()> {
    let port = Port::new()?;
    let serial = port.plug_in()?;
    let _pcscd = Pcscd::lock()?;
    let nothing = "[[reader]]\npattern = \"another make\"\nroute = \"control\"\npresence = \"module\"\n";
    let mut reader = open(&format!("{nothing}{}", serial_entry(&port.path())))?;
    tells(reader.as_mut(), ReaderStatus::Empty)?;
    assert_eq!(reader.wait_event(hardware::MIN_POLL * 3), ReaderEvent::Nothing);
    ensure!(!reader.misses(), "there never was such a reader");
    drop(serial);
    tells(reader.as_mut(), ReaderStatus::NoReader)?;
    let mut reader = open(&format!("[[reader]]\npattern = \"jinban*\"\n{}", serial_entry(&port.path())))?;
    tells(reader.as_mut(), ReaderStatus::Empty)?;
    comes_to_miss(reader.as_mut(), true)
}

#[test]
fn a_slot_that_says_nothing_of_cards_is_polled_through_its_module() -> Result<()> {
    let pcscd = Pcscd::lock()?;
    let mut hand = pcscd.control()?;
    let mut reader = open("[[reader]]\npattern = \"jinban*\"\nroute = \"control\"\npresence = \"module\"\n")?;
    let reader = reader.as_mut();
    tells(reader, ReaderStatus::Empty)?;
    hand.insert(&image("courier"))?;
    tells(reader, ReaderStatus::Card)?;
    reads(reader, COURIER)?;
    assert_eq!(reader.wait_event(hardware::MIN_POLL * 3), ReaderEvent::Nothing);
    // Another card in its place between two questions is lifted and laid down.
    hand.insert(&image("elder"))?;
    tells(reader, ReaderStatus::Empty)?;
    tells(reader, ReaderStatus::Card)?;
    reads(reader, ELDER)?;
    hand.remove()?;
    tells(reader, ReaderStatus::Empty)
}
