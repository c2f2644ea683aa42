//! The window: hears the workers and the clock, draws the model, sends what was asked. Refuses to decide anything.
//!
//! It paints on demand: an event of a worker, a touch, or the next tick; nothing else.
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use domain::text::Language;
use eframe::{App, Frame, NativeOptions};
use egui::{Color32, ColorImage, Context, Event, Ui, ViewportBuilder, Visuals};
use hardware::image::{Policy, clean_file};
use operator::findings::with_causes;

use crate::command::Command;
use crate::config::{Config, WindowSize};
use crate::fonts::{self, FontChoice};
use crate::runtime::Runtime;
use crate::screens;
use crate::widgets::Kit;
use crate::widgets::bank_mark::pixels_of;

/// Least size of the canvas in points, landscape; portrait has them the other way round.
const CANVAS: (f32, f32) = (1920.0, 1080.0);

struct Window {
    runtime: Runtime,
    kit: Kit,
    commands: Vec<Command>,
    /// What the window was cleared with for this frame, before the model heard the news.
    cleared: Cell<Color32>,
}

/// Opens the window and runs until it is closed.
///
/// # Errors
/// If words, icons or fonts cannot be read, or there is no display.
pub fn run_window(config: &Config) -> anyhow::Result<()> {
    let mut kit = Kit::load(&config.assets).context("words and icons")?;
    kit.mark = config.mark.as_deref().and_then(bank_mark);
    let fonts = fonts::load(&config.assets, FontChoice::System).context("fonts")?;
    let title = kit.words.get(Language::ZhCn, "header.name").to_owned();
    let viewport = ViewportBuilder::default().with_title(title).with_app_id("jinban-terminal");
    let viewport = match config.window {
        WindowSize::Fullscreen => viewport.with_fullscreen(true).with_decorations(false),
        // Sizes are given in pixels; points are scaled below.
        WindowSize::Pixels(width, height) => {
            viewport.with_inner_size([width as f32, height as f32]).with_decorations(false)
        }
    };
    // Noise against banding costs every pixel of every frame, and the screens have flat colours.
    let options = NativeOptions { viewport, dithering: false, ..NativeOptions::default() };
    let config = config.clone();
    let start = move |creation: &eframe::CreationContext<'_>| -> Result<Box<dyn App>, _> {
        let context = creation.egui_ctx.clone();
        context.set_fonts(fonts.definitions);
        prepare(&context);
        let waker = context.clone();
        let runtime = Runtime::start(&config, Box::new(move || waker.request_repaint()));
        let cleared = Cell::new(Color32::TRANSPARENT);
        Ok(Box::new(Window { runtime, kit, commands: Vec::new(), cleared }))
    };
    eframe::run_native("jinban-terminal", options, Box::new(start)).map_err(|e| anyhow!("the window: {e}"))
}

/// The bank's picture; one that cannot be used is told and left out.
fn bank_mark(file: &Path) -> Option<Arc<ColorImage>> {
    let cleaned = clean_file(file, &Policy::MARK)
        .inspect_err(|e| {
            tracing::warn!(error = with_causes(e), "the bank's mark is not shown: see `terminal doctor`")
        })
        .ok()?;
    pixels_of(&cleaned)
        .inspect_err(|e| tracing::warn!(error = with_causes(e), "the bank's mark is not shown"))
        .ok()
}

/// What a kiosk does not want of a desktop: zooming, tooltips, a visible text cursor blinking, animations. Without
/// these a press never waits for a frame that only moves a colour a little.
pub fn prepare(context: &Context) {
    context.options_mut(|o| o.zoom_with_keyboard = false);
    context.all_styles_mut(|style| {
        style.interaction.selectable_labels = false;
        style.visuals.text_cursor.blink = false;
        style.animation_time = 0.0;
    });
}

/// Points are scaled so that the canvas is at least 1920x1080 points (1080x1920 upright), whatever the window.
pub fn scale(context: &Context) {
    let now = context.pixels_per_point();
    let pixels = context.content_rect().size() * now;
    let (width, height) = if pixels.x >= pixels.y { CANVAS } else { (CANVAS.1, CANVAS.0) };
    let wanted = (pixels.x / width).min(pixels.y / height);
    if wanted.is_finite() && wanted > 0.0 && (wanted - now).abs() > 0.001 {
        context.set_pixels_per_point(wanted);
    }
}

/// Whether somebody touched something since the last frame.
fn touched(ui: &Ui) -> bool {
    ui.input(|i| {
        i.events.iter().any(|e| {
            matches!(
                e,
                Event::PointerButton { pressed: true, .. }
                    | Event::Key { pressed: true, .. }
                    | Event::Text(_)
            )
        })
    })
}

impl App for Window {
    fn logic(&mut self, context: &Context, _frame: &mut Frame) {
        scale(context);
        self.runtime.pump();
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        if touched(ui) {
            self.commands.push(Command::Touch);
        }
        let model = self.runtime.model();
        if self.cleared.get() == screens::ground(model) {
            screens::draw_on_ground(ui, model, &self.kit, &mut self.commands);
        } else {
            screens::draw(ui, model, &self.kit, &mut self.commands);
        }
        let asked = !self.commands.is_empty();
        for command in std::mem::take(&mut self.commands) {
            self.runtime.send(command);
        }
        if asked {
            ui.ctx().request_repaint();
        }
        ui.ctx().request_repaint_after(self.runtime.next_wake().max(Duration::from_millis(16)));
    }

    fn clear_color(&self, _visuals: &Visuals) -> [f32; 4] {
        let ground = screens::ground(self.runtime.model());
        self.cleared.set(ground);
        ground.to_normalized_gamma_f32()
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}
