//! The terminal's work on one frame of the largest form that compiles: screen code, layout of texts, triangles. Pixels
//! are the graphics driver's part and are measured from press to pixel.
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use domain::applicant::{Applicant, IdentitySource};
use domain::catalogue::Catalogue;
use egui::{Context, Pos2, RawInput, Rect, UiBuilder, Vec2};
use terminal::app::prepare;
use terminal::command::Command;
use terminal::event::Event;
use terminal::fonts::{self, FontChoice};
use terminal::model::{Look, Model, Network, Screen, TextSize};
use terminal::screens::draw;
use terminal::widgets::Kit;

use super::largest_form::largest_form;
use super::stats::micros_a_call;
use crate::binaries::repository;
use crate::device::{ITEM, now_ms};

/// The size that all screens are made for, in points.
const CANVAS: Vec2 = Vec2::new(1920.0, 1080.0);
/// Frames until all letters are in the atlas.
const WARM: usize = 10;

/// Milliseconds a frame takes while somebody looks at the largest form, round by round.
///
/// # Errors
/// If the form does not open.
pub fn milliseconds(sample: &Catalogue, size: TextSize, rounds: usize) -> Result<Vec<f64>> {
    let model = filled_in(sample, size)?;
    let assets = repository().join("assets");
    let kit = Kit::load(&assets)?;
    let context = Context::default();
    context.set_fonts(fonts::load(&assets, FontChoice::System)?.definitions);
    prepare(&context);
    let frame = || {
        let mut asked = Vec::new();
        let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, CANVAS));
        let output = context.run_ui(RawInput { screen_rect, ..RawInput::default() }, |ui| {
            let window = ui.ctx().content_rect();
            ui.scope_builder(UiBuilder::new().max_rect(window), |ui| draw(ui, &model, &kit, &mut asked));
        });
        std::hint::black_box(context.tessellate(output.shapes, output.pixels_per_point));
    };
    (0..WARM).for_each(|_| frame());
    Ok((0..rounds).map(|_| micros_a_call(20, frame) / 1e3).collect())
}

/// A visit that has come to the largest form, all of it answered.
fn filled_in(sample: &Catalogue, size: TextSize) -> Result<Model> {
    let (spec, answers) = largest_form()?;
    let mut catalogue = sample.clone();
    let code = ITEM.parse()?;
    let item = catalogue.items.get_mut(&code).context("an item")?;
    item.form = spec;
    item.situations = Default::default();
    let mut model = Model::new(Arc::new(catalogue), now_ms());
    model.station = model.catalogue.stations.values().next().cloned();
    model.network = Network::Online;
    model.command(Command::Start(size));
    model.look = Look { size, ..Look::default() };
    model.command(Command::OpenGuide(code));
    model.command(Command::Begin);
    through_questions(&mut model);
    model.event(Event::CardRead(Box::new(sample_person())));
    model.command(Command::Continue);
    ensure!(model.screen == Screen::Form, "the form does not open: {:?}", model.screen);
    for (key, value) in answers.as_map() {
        model.command(Command::Answer { key: key.clone(), value: value.clone() });
    }
    Ok(model)
}

/// Answers what is asked of every item with the first option that does not end the matter.
fn through_questions(model: &mut Model) {
    while let Some(question) = model.question().filter(|_| model.screen == Screen::Question) {
        let option = question.options.iter().find(|option| option.ends_with.is_none());
        let option = option.map(|option| option.id.clone());
        let question = question.id.clone();
        model.command(Command::Choose { question, option });
        model.command(Command::Continue);
    }
    if model.screen == Screen::Needs {
        model.command(Command::Continue);
    }
}

fn sample_person() -> Applicant {
    Applicant {
        source: IdentitySource::Read,
        name: "样例甲".to_owned(),
        id_number: "639900199005201035".to_owned(),
        sex: 1,
        nation: "01".to_owned(),
        birth: "1990-05-20".parse().ok(),
        address: "样例省样例市样例路1号".to_owned(),
        valid_to: None,
    }
}
