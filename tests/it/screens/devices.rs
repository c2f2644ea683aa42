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

#[test]
fn every_trouble_has_its_words_in_every_look() {
    for look in looks() {
        for states in troubles() {
            let stage = Stage::of(at_check(look, states));
            stage.assert_sound(&format!("{look:?} {states:?}"));
        }
    }
}

#[test]
fn it_stands_upright_as_well() {
    let states = [DeviceState::Trouble(Trouble::Jammed); 5];
    for look in looks() {
        Stage::upright(at_check(look, states)).assert_sound(&format!("upright {look:?}"));
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

#[test]
fn the_log_of_the_reader_has_pages_and_its_empty_state_teaches() {
    let line = |number: u64| Line {
        number,
        reader: "Jinban virtual SAM_V (simulator) 00 00".into(),
        asked: "ReadTextPhoto 30 01".to_owned(),
        sent: 10,
        came: "the card did not answer in the time that it has".to_owned(),
        received: 1_295,
        took: Duration::from_micros(112_345),
        times: 1,
    };
    for look in looks() {
        let mut model = flex(look);
        model.screen = Screen::DeviceTrace;
        let mut stage = Stage::of(model);
        stage.assert_sound(&format!("empty {look:?}"));
        stage.change(|model| model.devices.lines = (1..=40).map(line).collect());
        stage.assert_sound(&format!("{look:?}"));
    }
    let mut model = flex(usual());
    model.screen = Screen::DeviceTrace;
    let mut stage = Stage::of(model);
    assert!(shows(&stage, "还没有记录。放一张卡到读卡器上，这里就会出现读卡的每一步。"));
    stage.change(|model| model.devices.lines = (1..=40).map(line).collect());
    assert!(shows(&stage, "40") && shows(&stage, "112.3 ms"));
}
