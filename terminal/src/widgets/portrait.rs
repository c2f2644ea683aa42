//! The face on the card that was read: its photo where a licensed decoder gave one, otherwise a silhouette.
//!
//! Refuses to keep a photo once the page that shows it is left: [`forget`] is called then.
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use egui::{ColorImage, Id, Pos2, Rect, Stroke, TextureHandle, TextureOptions, Ui, pos2, vec2};
use hardware::photo::{HEIGHT, Photo, WIDTH};

use super::Cx;
use super::shape::outline_rect;
use crate::theme::radius;

/// Width of a portrait by its height.
pub const ASPECT: f32 = WIDTH as f32 / HEIGHT as f32;

fn texture_id() -> Id {
    Id::unique("photo of a card")
}

/// Lets the photo go.
pub fn forget(ui: &Ui) {
    ui.data_mut(|data| data.remove::<(u64, TextureHandle)>(texture_id()));
}

/// Draws the portrait into a place of its [`ASPECT`].
pub fn portrait(ui: &Ui, cx: &Cx<'_>, place: Rect, photo: Option<&Photo>) {
    let colors = &cx.theme.colors;
    let painter = ui.painter().with_clip_rect(place.intersect(ui.clip_rect()));
    match photo {
        Some(photo) => {
            let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
            painter.image(texture(ui, photo).id(), place, whole, egui::Color32::WHITE);
        }
        None => {
            painter.rect_filled(place, radius::BUTTON, colors.brand50);
            let unit = place.width();
            painter.circle_filled(place.center_top() + vec2(0.0, unit * 0.5), unit * 0.2, colors.brand600);
            let shoulders = Rect::from_center_size(
                pos2(place.center().x, place.bottom() + unit * 0.05),
                vec2(unit * 0.76, unit * 0.8),
            );
            painter.rect_filled(shoulders, shoulders.width() / 2.0, colors.brand600);
        }
    }
    outline_rect(ui.painter(), place, radius::BUTTON, Stroke::new(2.0, colors.border));
}

/// The photo where the painter finds it; brought there once.
fn texture(ui: &Ui, photo: &Photo) -> TextureHandle {
    let mut hasher = DefaultHasher::new();
    photo.bmp().hash(&mut hasher);
    let of = hasher.finish();
    let known = ui.data(|data| data.get_temp::<(u64, TextureHandle)>(texture_id()));
    if let Some((_, handle)) = known.filter(|(known, _)| *known == of) {
        return handle;
    }
    let pixels = ColorImage::from_rgb([WIDTH as usize, HEIGHT as usize], &photo.rgb());
    let handle = ui.ctx().load_texture("photo of a card", pixels, TextureOptions::LINEAR);
    ui.data_mut(|data| data.insert_temp(texture_id(), (of, handle.clone())));
    handle
}
