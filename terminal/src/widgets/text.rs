//! Words in a rectangle: wrapped, aligned, with the line height of their role.
//!
//! Refuses to overflow: words that do not fit end in an ellipsis and are told to the audit, unless they are a
//! person's data, which may be of any length.
use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align, Color32, Event, FontId, Galley, Key, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2};

use super::Cx;
use crate::fonts;
use crate::theme::{TextStyle, TypeRole};

/// How words are set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lettering {
    /// Size, line height, weight.
    pub style: TextStyle,
    /// Colour.
    pub color: Color32,
    /// Left, centre, right.
    pub across: Align,
    /// Top, middle, bottom.
    pub down: Align,
    /// May be cut (a person's data, a query); otherwise a cut is a mistake of ours.
    pub may_cut: bool,
    /// Already part of the name of the control that it stands on: no node of its own.
    pub quiet: bool,
    /// Range of characters underlined in this colour.
    pub underlined: Option<(usize, usize, Color32)>,
}

impl Lettering {
    /// In another colour.
    pub fn color(self, color: Color32) -> Self {
        Self { color, ..self }
    }
    /// Centred in both directions.
    pub fn center(self) -> Self {
        Self { across: Align::Center, down: Align::Center, ..self }
    }
    /// Centred from left to right.
    pub fn centered_across(self) -> Self {
        Self { across: Align::Center, ..self }
    }
    /// Right-aligned.
    pub fn right(self) -> Self {
        Self { across: Align::Max, ..self }
    }
    /// In the middle from top to bottom.
    pub fn middle(self) -> Self {
        Self { down: Align::Center, ..self }
    }
    /// A person's data: may be cut.
    pub fn data(self) -> Self {
        Self { may_cut: true, ..self }
    }
    /// Part of a control that has its own name.
    pub fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }
    /// Bold.
    pub fn bold(self) -> Self {
        Self { style: TextStyle { bold: true, ..self.style }, ..self }
    }
    /// Another size and line height, for the few places where a page has its own.
    pub fn sized(self, size: f32, line: f32) -> Self {
        Self { style: TextStyle { size, line, ..self.style }, ..self }
    }
    /// Characters `from..to` underlined and in this colour.
    pub fn underlined(self, from: usize, to: usize, color: Color32) -> Self {
        Self { underlined: Some((from, to, color)), ..self }
    }

    fn format(self, color: Color32) -> TextFormat {
        TextFormat {
            font_id: FontId::new(self.style.size, fonts::family(self.style.bold)),
            extra_letter_spacing: self.style.spacing,
            line_height: Some(self.style.line),
            color,
            ..TextFormat::default()
        }
    }

    fn job(self, words: &str, width: f32, max_rows: usize) -> LayoutJob {
        let mut job = LayoutJob {
            wrap: TextWrapping { max_width: width, max_rows, ..TextWrapping::default() },
            halign: self.across,
            ..LayoutJob::default()
        };
        let Some((from, to, color)) = self.underlined else {
            job.append(words, 0.0, self.format(self.color));
            return job;
        };
        let byte = |at: usize| words.char_indices().nth(at).map_or(words.len(), |(byte, _)| byte);
        let (from, to) = (byte(from.min(to)), byte(to));
        job.append(&words[..from], 0.0, self.format(self.color));
        let marked = TextFormat { underline: Stroke::new(3.0, color), ..self.format(color) };
        job.append(&words[from..to], 0.0, marked);
        job.append(&words[to..], 0.0, self.format(self.color));
        job
    }
}

impl Cx<'_> {
    /// Lettering of a role in this colour.
    pub fn letters(&self, role: TypeRole, color: Color32) -> Lettering {
        Lettering {
            style: self.theme.style(role),
            color,
            across: Align::Min,
            down: Align::Min,
            may_cut: false,
            quiet: false,
            underlined: None,
        }
    }
    /// Page title.
    pub fn h1(&self) -> Lettering {
        self.letters(TypeRole::H1, self.theme.colors.ink)
    }
    /// Section title.
    pub fn h2(&self) -> Lettering {
        self.letters(TypeRole::H2, self.theme.colors.ink)
    }
    /// Tile or row title.
    pub fn title(&self) -> Lettering {
        self.letters(TypeRole::Title, self.theme.colors.ink)
    }
    /// Bold body line.
    pub fn strong(&self) -> Lettering {
        self.letters(TypeRole::Strong, self.theme.colors.ink)
    }
    /// Body text in the secondary ink.
    pub fn body(&self) -> Lettering {
        self.letters(TypeRole::Body, self.theme.colors.ink2)
    }
    /// Meta line in the secondary ink.
    pub fn small(&self) -> Lettering {
        self.letters(TypeRole::Small, self.theme.colors.ink2)
    }
}

/// Words in a rectangle; gives the rectangle that they fill.
pub fn text(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, words: &str, lettering: Lettering) -> Rect {
    if words.is_empty() {
        return Rect::from_min_size(rect.min, egui::Vec2::ZERO);
    }
    let rows = rows_in(rect.height(), lettering.style.line);
    let galley = ui.painter().layout_job(lettering.job(words, rect.width().max(1.0), rows));
    if galley.elided && !lettering.may_cut {
        cx.kit.audit.note(|| format!("cut in {rect:?}: {words}"));
    }
    let filled = place(&galley, rect, lettering);
    if !lettering.quiet {
        let id = ui.scope_id().with(("text", words, filled.min.x.to_bits(), filled.min.y.to_bits()));
        let response = ui.interact(filled, id, Sense::empty());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    }
    let anchor = match lettering.across {
        Align::Min => filled.left(),
        Align::Center => filled.center().x,
        Align::Max => filled.right(),
    };
    ui.painter().galley(pos2(anchor, filled.top()), galley, lettering.color);
    filled
}

/// Width of words on one line.
pub fn width_of(ui: &Ui, words: &str, lettering: Lettering) -> f32 {
    let lettering = Lettering { across: Align::Min, ..lettering };
    ui.painter().layout_job(lettering.job(words, f32::INFINITY, 1)).size().x.ceil()
}

/// Height of words wrapped to a width.
pub fn height_of(ui: &Ui, words: &str, lettering: Lettering, width: f32) -> f32 {
    let lettering = Lettering { across: Align::Min, ..lettering };
    ui.painter().layout_job(lettering.job(words, width, usize::MAX)).size().y
}

/// The first lettering with which the words fit into a size, else the last.
pub fn best_fit<const N: usize>(
    ui: &Ui,
    words: &str,
    size: egui::Vec2,
    letters: [Lettering; N],
) -> Lettering {
    let fits = |l: &&Lettering| height_of(ui, words, **l, size.x) <= size.y + 1.0;
    letters.iter().find(fits).copied().unwrap_or(letters[N - 1])
}

/// What a physical keyboard makes of a text in this frame: typed characters, pasted nothing, backspace. `None` if
/// nothing changed. Control characters never get in; at most `max_chars` remain.
pub fn typed(ui: &Ui, text: &str, max_chars: usize) -> Option<String> {
    let mut changed = text.to_owned();
    ui.input(|input| {
        for event in &input.events {
            match event {
                Event::Text(typed) | Event::Ime(egui::ImeEvent::Commit(typed)) => {
                    changed.extend(typed.chars().filter(|sign| !sign.is_control()));
                }
                Event::Key { key: Key::Backspace, pressed: true, .. } => {
                    changed.pop();
                }
                _ => {}
            }
        }
    });
    if changed.chars().count() > max_chars {
        changed = changed.chars().take(max_chars).collect();
    }
    (changed != text).then_some(changed)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a screen has a few dozen rows
fn rows_in(height: f32, line: f32) -> usize {
    ((height / line + 0.05).floor() as usize).max(1)
}

fn place(galley: &Arc<Galley>, rect: Rect, lettering: Lettering) -> Rect {
    let size = galley.size();
    let left = match lettering.across {
        Align::Min => rect.left(),
        Align::Center => rect.center().x - size.x / 2.0,
        Align::Max => rect.right() - size.x,
    };
    let top = match lettering.down {
        Align::Min => rect.top(),
        Align::Center => rect.center().y - size.y / 2.0,
        Align::Max => rect.bottom() - size.y,
    };
    Rect::from_min_size(pos2(left, top), size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_rows_as_fit_and_never_none() {
        // A twentieth of a line may be missing: rounding of points, not a cut.
        let cases = [(10.0, 1), (38.0, 1), (73.0, 1), (75.0, 2), (76.0, 2), (0.0, 1)];
        for (height, rows) in cases {
            assert_eq!(rows_in(height, 38.0), rows, "{height}");
        }
    }
}
