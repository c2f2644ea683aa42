//! A stage for the form, check, slip and countdown screens: a model in a known state, drawn headless.
//!
//! What a screen asks for is only collected; [`Stage::go_on`] hands it to the model, as the window does.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use domain::applicant::{Applicant, IdentitySource};
use domain::catalogue::Catalogue;
use domain::text::Language;
use egui::accesskit::Role;
use egui::{Rect, UiBuilder, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use terminal::command::Command;
use terminal::fonts::{self, FontChoice};
use terminal::model::{Look, Model, TextSize};
use terminal::screens::draw;
use terminal::theme::Theme;
use terminal::widgets::Kit;

use super::contrast::{elided_words, painted_words, weak_texts};
use super::picture;
pub use super::visits::{answer, answer_all, answer_situation, flex, in_form, signature, to_field};

/// 2026-11-24 14:00 in China.
pub const NOW_MS: i64 = 1_795_500_000_000;
/// The item of the story.
pub const FLEX: &str = "hrss.flex-enroll";
const WINDOW: Vec2 = Vec2::new(1920.0, 1080.0);
/// An upright panel.
const UPRIGHT: Vec2 = Vec2::new(1080.0, 1920.0);
/// Words may touch by this much: line heights leave room.
const TOLERANCE: f32 = 7.0;

/// All looks that are tested: size, contrast, language.
pub fn looks() -> Vec<Look> {
    let mut looks = Vec::new();
    for size in [TextSize::Normal, TextSize::Elder] {
        for language in [Language::ZhCn, Language::En] {
            for high_contrast in [false, true] {
                looks.push(Look { size, high_contrast, language });
            }
        }
    }
    looks
}

/// The look of most citizens.
pub fn usual() -> Look {
    Look::default()
}

/// What lives on the stage.
struct Play {
    model: Model,
    kit: Kit,
    asked: Vec<Command>,
}

/// A screen that is drawn.
pub struct Stage {
    harness: Harness<'static, Play>,
}

impl Stage {
    /// Draws a model.
    pub fn of(model: Model) -> Self {
        Self::with(model, |_| {})
    }

    /// Draws a model on an upright panel.
    pub fn upright(model: Model) -> Self {
        Self::sized(model, UPRIGHT, |_| {})
    }

    /// Draws a model with a kit that is changed before.
    pub fn with(model: Model, change: impl FnOnce(&mut Kit)) -> Self {
        Self::sized(model, WINDOW, change)
    }

    fn sized(model: Model, window: Vec2, change: impl FnOnce(&mut Kit)) -> Self {
        let mut kit = Kit::load(&assets()).expect("words and icons");
        change(&mut kit);
        kit.audit.switch_on();
        let definitions = fonts::load(&assets(), FontChoice::System).expect("fonts").definitions;
        let play = Play { model, kit, asked: Vec::new() };
        let harness = Harness::builder()
            .with_size(window)
            .with_max_steps(64)
            .with_context_setup(move |context| context.set_fonts(definitions))
            .build_ui_state(
                |ui, play: &mut Play| {
                    let window = ui.ctx().content_rect();
                    ui.scope_builder(UiBuilder::new().max_rect(window), |ui| {
                        ui.set_clip_rect(window);
                        draw(ui, &play.model, &play.kit, &mut play.asked);
                    });
                },
                play,
            );
        let mut stage = Self { harness };
        stage.harness.run_steps(3);
        stage
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.harness.state().model
    }

    /// Draws again after a change.
    pub fn change(&mut self, change: impl FnOnce(&mut Model)) {
        change(&mut self.harness.state_mut().model);
        self.harness.run_steps(2);
        self.harness.state_mut().asked.clear();
    }

    /// Taps what has this name; gives what the screen asked for.
    pub fn tap(&mut self, name: &str) -> Vec<Command> {
        self.harness.state_mut().asked.clear();
        self.harness.get_by_label(name).click();
        self.harness.run_steps(4);
        std::mem::take(&mut self.harness.state_mut().asked)
    }

    /// Taps at a place.
    pub fn tap_at(&mut self, place: egui::Pos2) -> Vec<Command> {
        self.drag(&[place])
    }

    /// Presses at the first place, moves through the others and lets go at the last.
    pub fn drag(&mut self, places: &[egui::Pos2]) -> Vec<Command> {
        self.harness.state_mut().asked.clear();
        let [first, .., last] = [places, places].concat()[..] else { return Vec::new() };
        self.harness.hover_at(first);
        self.harness.run_steps(1);
        self.harness.drag_at(first);
        self.harness.run_steps(1);
        for place in places {
            self.harness.hover_at(*place);
            self.harness.run_steps(1);
        }
        self.harness.drop_at(last);
        self.harness.run_steps(3);
        std::mem::take(&mut self.harness.state_mut().asked)
    }

    /// Types on a physical keyboard.
    pub fn type_text(&mut self, text: &str) -> Vec<Command> {
        self.harness.state_mut().asked.clear();
        self.harness.event(egui::Event::Text(text.to_owned()));
        self.harness.run_steps(2);
        std::mem::take(&mut self.harness.state_mut().asked)
    }

    /// Taps and hands to the model what was asked for.
    pub fn go_on(&mut self, name: &str) {
        for command in self.tap(name) {
            self.harness.state_mut().model.command(command);
        }
        self.harness.run_steps(2);
        self.harness.state_mut().asked.clear();
    }

    /// There is something with this name.
    pub fn has(&self, name: &str) -> bool {
        self.harness.query_all_by_label(name).next().is_some()
    }

    /// What was painted in the last frame, in order.
    pub fn shapes(&self) -> &[egui::epaint::ClippedShape] {
        &self.harness.output().shapes
    }

    /// Words that were painted, also those of controls that have a name of their own.
    pub fn painted(&self) -> Vec<String> {
        painted_words(self.shapes())
    }

    /// Words that were painted in part only, also those that may be cut.
    pub fn elided(&self) -> Vec<String> {
        elided_words(self.shapes())
    }

    /// All names in the tree.
    pub fn names(&self) -> Vec<String> {
        self.nodes().into_iter().map(|node| node.name).collect()
    }

    /// Where something with this name is.
    pub fn place(&self, name: &str) -> Rect {
        self.harness.get_by_label(name).rect()
    }

    /// Words of a key in the look of the model.
    pub fn t(&self, key: &str) -> String {
        let play = self.harness.state();
        play.kit.words.get(play.model.look.language, key).to_owned()
    }

    fn nodes(&self) -> Vec<Node> {
        let root = self.harness.root();
        root.children_recursive()
            .filter(|node| {
                !matches!(node.accesskit_node().role(), Role::GenericContainer | Role::Window | Role::Unknown)
            })
            .map(|node| {
                let inner = node.accesskit_node();
                let name = inner.label().or_else(|| inner.value()).unwrap_or_default();
                Node { role: inner.role(), name, rect: node.rect() }
            })
            .collect()
    }

    /// Words that were cut since somebody asked last.
    pub fn cut(&self) -> Vec<String> {
        self.harness.state().kit.audit.take()
    }

    /// Names, sizes, overlaps, contrast, the window's edge and words that were cut.
    pub fn assert_sound(&self, about: &str) {
        picture::keep(&self.harness.ctx, self.shapes(), about);
        let play = self.harness.state();
        let cut = self.cut();
        assert!(cut.is_empty(), "{about}: {cut:?}");
        let weak = weak_texts(self.shapes());
        assert!(weak.is_empty(), "{about}: {weak:?}");
        let theme = Theme::of(play.model.look);
        let nodes = self.nodes();
        let window = self.harness.ctx.content_rect();
        let targets: Vec<&Node> = nodes.iter().filter(|node| node.is_target()).collect();
        assert!(!targets.is_empty(), "{about}: nothing can be tapped");
        for node in &nodes {
            assert!(!node.name.trim().is_empty(), "{about}: {:?} at {:?} has no name", node.role, node.rect);
            assert!(
                window.expand(1.0).contains_rect(node.rect),
                "{about}: `{}` leaves the window",
                node.name
            );
        }
        for (index, node) in targets.iter().enumerate() {
            // Letter keys stand ten in a row, also in the elder version; everything else has the size of a finger.
            let letter = node.name.chars().count() == 1;
            let least = if letter { 84.0 } else { theme.metrics.target } - 0.5;
            assert!(
                node.rect.width() >= least && node.rect.height() >= least,
                "{about}: `{}` is {:?}",
                node.name,
                node.rect.size()
            );
            for other in &targets[index + 1..] {
                assert!(
                    !overlaps(node.rect, other.rect, 0.5),
                    "{about}: `{}` covers `{}`",
                    node.name,
                    other.name
                );
            }
        }
        let words: Vec<&Node> = nodes.iter().filter(|node| node.role == Role::Label).collect();
        for (index, node) in words.iter().enumerate() {
            for other in words[index + 1..].iter().chain(&targets) {
                let inside = other.rect.contains_rect(node.rect) || node.rect.contains_rect(other.rect);
                let covered =
                    overlaps(node.rect, other.rect, TOLERANCE) && (!inside || other.role == Role::Label);
                assert!(!covered, "{about}: `{}` stands on `{}`", node.name, other.name);
            }
        }
    }
}

struct Node {
    role: Role,
    name: String,
    rect: Rect,
}

impl Node {
    fn is_target(&self) -> bool {
        matches!(
            self.role,
            Role::Button | Role::RadioButton | Role::CheckBox | Role::TextInput | Role::Canvas
        )
    }
}

fn overlaps(a: Rect, b: Rect, by: f32) -> bool {
    let common = a.intersect(b);
    common.width() > by && common.height() > by
}

/// The project's assets.
pub fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets")
}

/// The sample catalogue.
pub fn catalogue() -> Arc<Catalogue> {
    static CATALOGUE: OnceLock<Arc<Catalogue>> = OnceLock::new();
    Arc::clone(CATALOGUE.get_or_init(|| {
        let root = assets().join("catalogue");
        let mut files = BTreeMap::new();
        collect(&root, &root, &mut files);
        Arc::new(Catalogue::load(&files).expect("sample catalogue"))
    }))
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
            files.insert(name, std::fs::read(&path).expect("file"));
        }
    }
}

/// An invented person.
pub fn person() -> Applicant {
    Applicant {
        source: IdentitySource::Read,
        name: "样小川".to_owned(),
        id_number: "639900199005201035".to_owned(),
        sex: 1,
        nation: "01".to_owned(),
        birth: "1990-05-20".parse().ok(),
        address: "青海省西宁市城东区样例路12号6号楼502室".to_owned(),
        valid_to: None,
    }
}

/// A person with as much of everything as a card holds, and rare characters.
pub fn long_person() -> Applicant {
    let mut person = person();
    person.name = "阿卜杜拉·买买提江·努尔麦麦提·托合提·居马洪·𠅤𬀩".to_owned();
    person.address = "青海省西宁市城东区".to_owned() + &"很长的路名".repeat(12);
    person
}
