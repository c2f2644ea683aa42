//! The device check and the log of the reader: every state in words, in every look, and nothing of a person.
use std::time::Duration;

use hardware::device::{DeviceKind, DeviceState, Trouble};
use hardware::health::Counts;
use hardware::trace::Line;
use terminal::command::Command;
use terminal::devices::DeviceView;
use terminal::model::{Look, Model, Network, Screen};

use super::stage::{Stage, flex, looks, usual};

pub(super) fn view(kind: DeviceKind, state: DeviceState) -> DeviceView {
    DeviceView { kind, state, for_ms: 90_000, counts: Counts { done: 12, failed: 1, ..Counts::default() } }
}

fn at_check(look: Look, states: [DeviceState; 5]) -> Model {
    let mut model = flex(look);
    model.network = Network::Online;
    model.devices.list =
        DeviceKind::ALL.into_iter().zip(states).map(|(kind, state)| view(kind, state)).collect();
    model.screen = Screen::Devices;
    model
}

fn shows(stage: &Stage, words: &str) -> bool {
    stage.painted().iter().any(|painted| painted == words)
}

fn troubles() -> Vec<[DeviceState; 5]> {
    let mut all: Vec<DeviceState> = Trouble::ALL.into_iter().map(DeviceState::Trouble).collect();
    all.extend([DeviceState::Unknown, DeviceState::Working, DeviceState::Ready, DeviceState::Off]);
    all.chunks(5).map(|five| std::array::from_fn(|n| *five.get(n).unwrap_or(&DeviceState::Ready))).collect()
}

/// On the two narrowest pages that there are: smaller windows are scaled.
fn stages(model: impl Fn() -> Model) -> [(&'static str, Stage); 2] {
    [("wide", Stage::of(model())), ("upright", Stage::upright(model()))]
}

/// Sound, and nothing in it is shown in part only, whether or not it may be.
fn assert_whole(stage: &Stage, about: &str) {
    stage.assert_sound(about);
    let look = stage.model().look;
    let station = stage.model().station.as_ref().map(|station| station.name.get(look.language).to_owned());
    let is_station =
        |words: &String| station.as_ref().is_some_and(|name| name.contains(words) || words.contains(name));
    // A branch may have a name of any length.
    let elided: Vec<String> = stage.elided().into_iter().filter(|words| !is_station(words)).collect();
    assert_eq!(elided, Vec::<String>::new(), "{about}");
}

#[test]
fn every_trouble_has_its_words_in_every_look_and_none_is_cut() {
    for look in looks() {
        for (page, mut stage) in stages(|| at_check(look, [DeviceState::Ready; 5])) {
            for states in troubles() {
                stage.change(|model| *model = at_check(look, states));
                assert_whole(&stage, &format!("{page} {look:?} {states:?}"));
                for state in states {
                    let DeviceState::Trouble(trouble) = state else { continue };
                    let words = stage.t(&format!("devices.trouble.{}", trouble.name()));
                    assert!(shows(&stage, &words), "{page} {look:?}: {words}");
                }
            }
        }
    }
}

#[test]
fn long_figures_and_a_lost_link_are_whole_as_well() {
    for look in looks() {
        for (page, mut stage) in stages(|| at_check(look, [DeviceState::Ready; 5])) {
            for network in [Network::Online, Network::Weak, Network::Offline] {
                stage.change(|model| {
                    model.network = network;
                    model.queue.waiting = 1_234;
                    model.queue.parked = 567;
                    model.queue.oldest_ms = Some(model.now_ms - 999 * 3_600_000);
                    for device in &mut model.devices.list {
                        device.counts = Counts { done: 123_456, failed: 12_345, ..Counts::default() };
                    }
                });
                assert_whole(&stage, &format!("{page} {network:?} {look:?}"));
            }
        }
    }
}

#[test]
fn it_says_whether_the_doors_can_be_opened_and_checks_again() {
    let ready = [DeviceState::Ready; 5];
    let mut stage = Stage::of(at_check(usual(), ready));
    assert!(shows(&stage, "可以开门办事，都正常"));
    assert_eq!(stage.tap("全部再测一次"), [Command::CheckDevices]);
    assert_eq!(stage.tap("读卡记录"), [Command::OpenDeviceTrace]);
    stage.change(|model| model.devices.list[1].state = DeviceState::Trouble(Trouble::PaperLow));
    assert!(shows(&stage, "可以开门办事，1 项要留意"), "it still prints");
    stage.change(|model| model.devices.list[0].state = DeviceState::Trouble(Trouble::NotFound));
    assert!(shows(&stage, "1 项有问题，1 项要留意"));
    stage.change(|model| model.devices.list.truncate(1));
    assert!(shows(&stage, "本机没有配"), "what a terminal is not meant to have is no trouble");
}

#[test]
fn the_way_there_is_on_the_help_page() {
    let mut model = flex(usual());
    model.screen = Screen::Help;
    assert_eq!(Stage::of(model).tap("设备自检"), [Command::OpenDevices]);
}

/// Two adapters of a model: their names differ in one letter, far from both ends.
const ADAPTERS: [&str; 2] = [
    "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
    "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BJ-if00-port0",
];

fn at_log(look: Look) -> Model {
    let mut model = flex(look);
    model.screen = Screen::DeviceTrace;
    model
}

#[test]
fn the_log_of_the_reader_has_pages_and_its_empty_state_teaches() {
    let line = |number: u64| Line {
        number,
        reader: ADAPTERS[usize::from(number.is_multiple_of(2))].into(),
        asked: "ReadTextPhoto 30 01".to_owned(),
        sent: 10,
        came: "the frame ends early or does not begin".to_owned(),
        received: 1_295,
        took: Duration::from_micros(112_345),
        times: if number == 38 { 123_456 } else { 1 },
    };
    for look in looks() {
        for (page, mut stage) in stages(|| at_log(look)) {
            assert_whole(&stage, &format!("empty {page} {look:?}"));
            stage.change(|model| model.devices.lines = (1..=40).map(line).collect());
            for page_number in 0..9 {
                stage.change(|model| model.list_page = page_number);
                assert_whole(&stage, &format!("{page} {page_number} {look:?}"));
                let both = ["…T_A50285BI-if00-po…", "…T_A50285BJ-if00-po…"];
                let shown = both.iter().filter(|name| shows(&stage, name)).count();
                assert!(shown == 2 || page_number > 0 && shown == 1, "{:?}", stage.painted());
            }
        }
    }
    let mut stage = Stage::of(at_log(usual()));
    assert!(shows(&stage, "还没有记录。放一张卡到读卡器上，这里就会出现读卡的每一步。"));
    stage.change(|model| model.devices.lines = (1..=40).map(line).collect());
    assert!(shows(&stage, "40") && shows(&stage, "112.3 ms"));
    assert!(shows(&stage, "读文字和照片 30 01") && shows(&stage, "回答不完整"));
    assert!(shows(&stage, "123456 × 读文字和照片 30 01"));
}
