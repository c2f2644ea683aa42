//! The countdown: any touch means "I am still here", only the outlined button ends the visit.
use egui::pos2;
use terminal::command::Command;
use terminal::model::Look;

use super::stage::{Stage, flex, looks, usual};

fn counting(look: Look, left: u32) -> Stage {
    let mut model = flex(look);
    model.idle.seconds_left = Some(left);
    model.idle.countdown_secs = 20;
    Stage::of(model)
}

#[test]
fn it_says_how_long_in_every_look() {
    for look in looks() {
        for left in [20, 7, 0] {
            let stage = counting(look, left);
            let ring = stage.t("countdown.ring").replace("{n}", &left.to_string());
            assert!(stage.has(&ring), "{:?}", stage.names());
            let stay = stage.place(&stage.t("countdown.still_here"));
            assert!(stay.width() >= 1_000.0 && stay.height() >= 180.0);
        }
    }
}

#[test]
fn a_touch_anywhere_else_keeps_the_visit() {
    for look in looks() {
        let mut stage = counting(look, 9);
        for place in [pos2(20.0, 20.0), pos2(1_700.0, 1_010.0), pos2(960.0, 200.0)] {
            assert_eq!(stage.tap_at(place), [Command::StillHere], "{place:?} {look:?}");
        }
        assert_eq!(stage.tap(&stage.t("countdown.still_here")), [Command::StillHere]);
        assert_eq!(stage.tap(&stage.t("countdown.finish")), [Command::Finish]);
    }
}

#[test]
fn a_key_keeps_the_visit_and_types_nothing() {
    let mut stage = counting(usual(), 9);
    let commands = stage.type_text("5");
    assert!(commands.contains(&Command::StillHere), "{commands:?}");
    assert!(!commands.iter().any(|c| matches!(c, Command::Answer { .. })), "{commands:?}");
}
