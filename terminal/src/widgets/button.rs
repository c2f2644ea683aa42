//! Buttons: primary, secondary, quiet, danger, keys, pills. Refuses to be disabled: a button always answers.
use egui::{Color32, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::shape::{fill, focus_ring, icon, outline_rect, shadow};
use super::text::{Lettering, text, width_of};
use super::{Cx, at};
use crate::command::Command;
use crate::theme::{TypeRole, radius};

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The one filled button of a page.
    Primary,
    /// Surface with a border.
    Secondary,
    /// Secondary with error text.
    Danger,
    /// Underlined link on a full target.
    Quiet,
    /// Header switch: icon and word, no border.
    Header,
    /// A letter or digit key.
    Key,
    /// A grey function key.
    FunctionKey,
    /// A round suggestion.
    Pill,
}

/// A button to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct Button<'a> {
    /// Words on it.
    pub label: &'a str,
    /// Accessible name, if it says more than the label.
    pub name: Option<&'a str>,
    /// Look.
    pub kind: Kind,
    /// Icon beside the label.
    pub icon: Option<&'a str>,
    /// The icon stands after the label.
    pub trailing: bool,
    /// A choice that is on or off.
    pub selected: Option<bool>,
    /// Lettering other than the kind's.
    pub lettering: Option<Lettering>,
}

impl<'a> Button<'a> {
    /// A button of a kind.
    pub fn new(kind: Kind, label: &'a str) -> Self {
        Self { label, name: None, kind, icon: None, trailing: false, selected: None, lettering: None }
    }
    /// The filled button.
    pub fn primary(label: &'a str) -> Self {
        Self::new(Kind::Primary, label)
    }
    /// With a border.
    pub fn secondary(label: &'a str) -> Self {
        Self::new(Kind::Secondary, label)
    }
    /// A link.
    pub fn quiet(label: &'a str) -> Self {
        Self::new(Kind::Quiet, label)
    }
    /// With an icon before the label.
    pub fn icon(self, icon: &'a str) -> Self {
        Self { icon: Some(icon), ..self }
    }
    /// With an icon after the label.
    pub fn icon_after(self, icon: &'a str) -> Self {
        Self { icon: Some(icon), trailing: true, ..self }
    }
    /// With an accessible name of its own.
    pub fn named(self, name: &'a str) -> Self {
        Self { name: Some(name), ..self }
    }
    /// A choice that is on or off.
    pub fn selected(self, selected: bool) -> Self {
        Self { selected: Some(selected), ..self }
    }
    /// With other lettering.
    pub fn lettering(self, lettering: Lettering) -> Self {
        Self { lettering: Some(lettering), ..self }
    }

    /// Width that icon and label take, without padding.
    pub fn inner_width(&self, ui: &Ui, cx: &Cx<'_>) -> f32 {
        let label = width_of(ui, self.label, self.letters(cx, Color32::PLACEHOLDER));
        let (side, gap) = self.icon_size(cx);
        if self.icon.is_none() { label } else { label + side + gap }
    }

    fn letters(&self, cx: &Cx<'_>, color: Color32) -> Lettering {
        let role = match self.kind {
            Kind::Key => TypeRole::Field,
            Kind::Header | Kind::FunctionKey => TypeRole::Strong,
            Kind::Pill => TypeRole::Body,
            _ => TypeRole::Button,
        };
        let own = match self.kind {
            Kind::Header => {
                cx.letters(role, color).sized(cx.theme.pick(24.0, 32.0), cx.theme.pick(38.0, 46.0))
            }
            _ => cx.letters(role, color),
        };
        self.lettering.map_or(own, |lettering| lettering.color(color)).quiet()
    }

    fn icon_size(&self, cx: &Cx<'_>) -> (f32, f32) {
        match self.kind {
            Kind::Header => (cx.theme.pick(34.0, 40.0), 10.0),
            Kind::Key | Kind::FunctionKey => (cx.theme.pick(34.0, 44.0), 8.0),
            _ => (cx.theme.metrics.button_icon, 14.0),
        }
    }
}

/// Draws a button; `clicked()` of the answer says that it was tapped or pressed.
pub fn button(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, button: &Button<'_>) -> Response {
    let name = button.name.unwrap_or(button.label);
    let response = target(ui, rect, name, button.selected);
    let down = response.is_pointer_button_down_on();
    let paint = paint_of(cx, button, down);
    let shown = if down { rect.shrink2(rect.size() * 0.0075) } else { rect };
    let corner = corner_of(button.kind);
    if matches!(button.kind, Kind::Key | Kind::FunctionKey) && !cx.theme.high_contrast {
        ui.painter().add(shadow(2, 2, 32).as_shape(shown, corner));
    }
    if paint.fill != Color32::TRANSPARENT {
        fill(ui.painter(), shown, corner, paint.fill);
    }
    if paint.border.width > 0.0 {
        outline_rect(ui.painter(), shown, corner, paint.border);
    }
    inside(ui, cx, shown, (button, paint.text));
    if response.has_focus() {
        focus_ring(ui, cx, rect, corner);
    }
    response
}

/// Draws a button that asks for `command` when tapped.
pub fn press(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, look: &Button<'_>, command: Command) {
    if button(ui, cx, rect, look).clicked() {
        cx.push(command);
    }
}

/// A tappable rectangle with an accessible name; everything that can be tapped is made by this.
pub fn target(ui: &mut Ui, rect: Rect, name: &str, selected: Option<bool>) -> Response {
    let id = ui.scope_id().with(("target", name, rect.min.x.to_bits(), rect.min.y.to_bits()));
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| match selected {
        Some(on) => WidgetInfo::selected(Role::RadioButton, true, on, name),
        None => WidgetInfo::labeled(Role::Button, true, name),
    });
    response
}

/// A tappable rectangle that is on or off by itself, whatever others are.
pub fn check_box(ui: &mut Ui, rect: Rect, name: &str, on: bool) -> Response {
    let response = target(ui, rect, name, Some(on));
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, on, name));
    response
}

struct Paint {
    fill: Color32,
    border: Stroke,
    text: Color32,
}

fn paint_of(cx: &Cx<'_>, button: &Button<'_>, down: bool) -> Paint {
    let colors = &cx.theme.colors;
    let bordered = |text| Paint { fill: colors.surface, border: Stroke::new(2.0, colors.border), text };
    let plain = |fill, text| Paint { fill, border: Stroke::NONE, text };
    if button.selected == Some(true) {
        let border = Stroke::new(4.0, colors.brand600);
        return Paint { fill: colors.brand100, border, text: colors.ink };
    }
    match button.kind {
        Kind::Primary => plain(if down { colors.brand800 } else { colors.brand700 }, colors.on_brand),
        _ if down => Paint {
            fill: colors.brand50,
            border: Stroke::new(4.0, colors.brand600),
            text: if button.kind == Kind::Danger { colors.error } else { colors.ink },
        },
        Kind::Secondary | Kind::Pill => bordered(colors.ink),
        Kind::Danger => bordered(colors.error),
        Kind::Quiet => plain(Color32::TRANSPARENT, colors.brand600),
        Kind::Header => plain(Color32::TRANSPARENT, colors.ink),
        Kind::Key if cx.theme.high_contrast => bordered(colors.ink),
        Kind::Key => plain(colors.surface, colors.ink),
        Kind::FunctionKey if cx.theme.high_contrast => bordered(colors.ink),
        Kind::FunctionKey => plain(colors.line, colors.ink),
    }
}

fn corner_of(kind: Kind) -> u8 {
    match kind {
        Kind::Key | Kind::FunctionKey | Kind::Header => radius::FIELD,
        Kind::Pill => radius::PILL,
        _ => radius::BUTTON,
    }
}

/// The same lettering, smaller where a label is wider than its button: down to two thirds.
fn narrowed(ui: &Ui, label: &str, letters: Lettering, room: f32) -> Lettering {
    let width = width_of(ui, label, letters);
    let by = (room / width.max(1.0)).clamp(2.0 / 3.0, 1.0);
    if by < 1.0 { letters.sized((letters.style.size * by).floor(), letters.style.line) } else { letters }
}

fn inside(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, (button, color): (&Button<'_>, Color32)) {
    let (side, gap) = button.icon.map_or((0.0, 0.0), |_| button.icon_size(cx));
    let room = rect.width() - 16.0 - side - gap;
    let letters = narrowed(ui, button.label, button.letters(cx, color), room);
    let Some(name) = button.icon else {
        text(ui, cx, rect.shrink2(vec2(8.0, 0.0)), button.label, letters.center());
        return;
    };
    let gap = if button.label.is_empty() { 0.0 } else { gap };
    let room = rect.width() - 16.0 - side - gap;
    let label = if button.label.is_empty() { 0.0 } else { width_of(ui, button.label, letters).min(room) };
    let left = rect.center().x - (label + gap + side) / 2.0;
    let (icon_left, label_left) =
        if button.trailing { (left + label + gap, left) } else { (left, left + side + gap) };
    let icon_color = if button.kind == Kind::Header { cx.theme.colors.brand600 } else { color };
    icon(ui, cx, at(icon_left, rect.center().y - side / 2.0, side, side), name, icon_color);
    let place =
        Rect::from_min_max(pos2(label_left, rect.top()), pos2(label_left + label + 1.0, rect.bottom()));
    text(ui, cx, place, button.label, letters.middle());
    if button.kind == Kind::Quiet {
        let y = rect.center().y + letters.style.size * 0.62;
        ui.painter().hline(label_left..=label_left + label, y, Stroke::new(2.0, color));
    }
}
