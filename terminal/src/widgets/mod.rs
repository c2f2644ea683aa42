//! The parts of which screens are drawn: by absolute rectangles, with words from one place and colours of the theme.
//!
//! Refuses I/O, state and truth of its own: a widget reads `&Model` and pushes [`Command`]s.
pub mod audit;
pub mod badge;
pub mod bank_mark;
pub mod button;
pub mod choice;
pub mod date_picker;
pub mod field;
pub mod footer;
pub mod header;
pub mod keyboard;
pub mod marks;
pub mod number_pad;
pub mod pager;
pub mod parts;
pub mod portrait;
pub mod qr;
pub mod region_picker;
pub mod shape;
pub mod signature_pad;
pub mod stepper;
pub mod strokes;
pub mod text;
pub mod tile;

use std::path::Path;
use std::sync::Arc;

use domain::text::{Language, Text};
use egui::{ColorImage, Rect, Ui, pos2, vec2};

use crate::command::Command;
use crate::icons::{Icons, IconsError};
use crate::model::Model;
use crate::theme::Theme;
use crate::words::{Words, WordsError};

pub use audit::Audit;
pub use badge::{Badge, badge, badges};
pub use button::{Button, button, press};
pub use footer::{Action, Back, Footer};
pub use pager::{Pages, pager};
pub use parts::parts;
pub use portrait::portrait;
pub use shape::{card, icon, icon_block, rule};
pub use text::{Lettering, best_fit, height_of, text, typed, width_of};
pub use tile::{Tile, row, tile};

/// What all screens share and nobody changes while they are drawn.
#[derive(Debug)]
pub struct Kit {
    /// Words.
    pub words: Words,
    /// Icons.
    pub icons: Icons,
    /// The bank's picture, if it gave one.
    pub mark: Option<Arc<ColorImage>>,
    /// What a test wants to know about the drawing.
    pub audit: Audit,
}

/// The kit cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// Words.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// Icons.
    #[error(transparent)]
    Icons(#[from] IconsError),
}

impl Kit {
    /// Loads words and icons from the `assets` folder; the bank's picture is put in by whoever has one.
    ///
    /// # Errors
    /// [`KitError`], naming the file.
    pub fn load(assets: &Path) -> Result<Self, KitError> {
        let (words, icons) = (Words::load(assets)?, Icons::load(assets)?);
        Ok(Self { words, icons, mark: None, audit: Audit::default() })
    }
}

/// What a screen gets: all it may read, and where its commands go.
pub struct Cx<'a> {
    /// All on-screen state.
    pub model: &'a Model,
    /// Words and icons.
    pub kit: &'a Kit,
    /// Colours and sizes of the look.
    pub theme: &'static Theme,
    /// Commands of this frame.
    pub out: &'a mut Vec<Command>,
}

impl<'a> Cx<'a> {
    /// A context for one frame.
    pub fn new(model: &'a Model, kit: &'a Kit, out: &'a mut Vec<Command>) -> Self {
        Self { model, kit, theme: Theme::of(model.look), out }
    }

    /// The language of the look.
    pub fn language(&self) -> Language {
        self.model.look.language
    }

    /// The words of a key.
    pub fn t(&self, key: &'static str) -> &'a str {
        let kit: &'a Kit = self.kit;
        kit.words.get(self.language(), key)
    }

    /// The words of a key (which may be put together) with values.
    pub fn tf(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.kit.words.fill(self.language(), key, values)
    }

    /// A catalogue text in the language of the look.
    pub fn say<'t>(&self, text: &'t Text) -> &'t str {
        text.get(self.language())
    }

    /// Asks for something.
    pub fn push(&mut self, command: Command) {
        self.out.push(command);
    }

    /// The elder version is on.
    pub fn elder(&self) -> bool {
        self.theme.elder()
    }
}

/// Margin of the narrow page of an upright panel.
const UPRIGHT_MARGIN: f32 = 56.0;

/// Header, content and footer of a page; `content` gets the rectangle between them, within the margins.
pub fn frame(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    footer: Footer<'_>,
    content: impl FnOnce(&mut Ui, &mut Cx<'_>, Rect),
) {
    let page = ui.max_rect();
    let metrics = &cx.theme.metrics;
    let top = Rect::from_min_size(page.min, vec2(page.width(), header::height(cx, page)));
    let bottom = Rect::from_min_max(pos2(page.left(), page.bottom() - metrics.footer), page.max);
    let middle = Rect::from_min_max(top.left_bottom(), bottom.right_top());
    header::header_ui(ui, cx, top);
    content(ui, cx, middle.shrink2(vec2(margin(cx, page), 0.0)));
    footer::footer_ui(ui, cx, bottom, footer);
    footer::toast_ui(ui, cx, middle);
}

/// Whether a place is higher than wide: the window of an upright panel, or the room on its page.
pub fn upright(place: Rect) -> bool {
    place.height() > place.width()
}

/// Margin at the left and right of a page.
pub fn margin(cx: &Cx<'_>, page: Rect) -> f32 {
    if upright(page) { UPRIGHT_MARGIN } else { cx.theme.metrics.margin }
}

/// A rectangle by left, top, width and height.
pub fn at(left: f32, top: f32, width: f32, height: f32) -> Rect {
    Rect::from_min_size(pos2(left, top), vec2(width, height))
}
