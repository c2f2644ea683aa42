//! The signature: strokes follow the pointer, can be taken back, and never get too large.
use egui::pos2;
use serde_json::Value;
use terminal::command::Command;
use terminal::model::{Look, TextSize};

use super::stage::{Stage, answer, flex, looks, signature, to_field, usual};

fn pad(look: Look) -> Stage {
    let mut model = flex(look);
    to_field(&mut model, "sign");
    Stage::of(model)
}

fn strokes(commands: &[Command]) -> Vec<Vec<Value>> {
    let value = commands.iter().find_map(|c| match c {
        Command::Answer { key, value } if key == "sign" => Some(value),
        _ => None,
    });
    let list = value.and_then(|v| v["strokes"].as_array()).cloned().unwrap_or_default();
    list.iter().map(|stroke| stroke.as_array().cloned().unwrap_or_default()).collect()
}

#[test]
fn a_drag_is_a_stroke_and_the_next_one_is_added() {
    for look in [usual(), Look { size: TextSize::Elder, ..usual() }] {
        let mut stage = pad(look);
        let place = stage.place(&stage.t("signature.pad"));
        let start = place.left_top();
        let line: Vec<egui::Pos2> =
            (0..30_u8).map(|n| start + egui::vec2(200.0 + f32::from(n) * 10.0, 60.0)).collect();
        let commands = stage.drag(&line);
        let first = strokes(&commands);
        assert_eq!(first.len(), 1, "{commands:?}");
        assert!(first[0].len() >= 20, "{} points", first[0].len());
        assert!(first[0].iter().flat_map(|p| p.as_array().cloned().unwrap_or_default()).all(|n| n.is_u64()));
        for command in commands {
            stage.change(|model| {
                model.command(command);
            });
        }
        let second: Vec<egui::Pos2> = line.iter().map(|p| *p + egui::vec2(0.0, 40.0)).collect();
        let commands = stage.drag(&second);
        let both = strokes(&commands);
        assert_eq!(both.len(), 2);
        let ms = |stroke: &[Value]| stroke.last().and_then(|p| p[2].as_u64()).unwrap();
        assert!(ms(&both[1]) > ms(&both[0]), "time goes on");
    }
}

#[test]
fn a_stroke_outside_the_pad_stays_on_its_edge() {
    let mut stage = pad(usual());
    let place = stage.place(&stage.t("signature.pad"));
    let commands = stage.drag(&[place.center(), pos2(1919.0, 1079.0), pos2(5.0, 5.0)]);
    for point in strokes(&commands).concat() {
        let (x, y) = (point[0].as_u64().unwrap(), point[1].as_u64().unwrap());
        assert!(x <= 1728 && y <= 800, "{x} {y}");
    }
}

#[test]
fn strokes_are_taken_back_one_by_one_or_all() {
    let mut stage = pad(usual());
    stage.change(|model| answer(model, "sign", signature()));
    assert_eq!(strokes(&stage.tap(&stage.t("signature.undo"))).len(), 1);
    assert_eq!(stage.tap(&stage.t("signature.clear")), [Command::ClearAnswer("sign".to_owned())]);
    stage.change(|model| model.session.as_mut().unwrap().answers.clear("sign"));
    stage.tap(&stage.t("signature.undo"));
    stage.assert_sound("nothing to take back");
}

#[test]
fn the_page_stands_in_every_look_empty_signed_and_with_an_error() {
    for look in looks() {
        let mut stage = pad(look);
        stage.assert_sound(&format!("empty {look:?}"));
        stage.change(|model| {
            model.command(Command::Continue);
        });
        stage.assert_sound(&format!("error {look:?}"));
        stage.change(|model| answer(model, "sign", signature()));
        stage.assert_sound(&format!("signed {look:?}"));
        assert!(stage.place(&stage.t("signature.pad")).height() > 250.0, "large enough to sign");
    }
}
