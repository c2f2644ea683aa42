//! The bank's picture beside the product's name, as the one picture from a file that screens show.
//!
//! Refuses files and formats: it gets pixels that `hardware::image` decoded and made small.
use std::sync::Arc;

use egui::{Color32, ColorImage, Id, Pos2, Rect, TextureFilter, TextureHandle, TextureOptions, Ui, vec2};
use hardware::image::{Cleaned, ImageError};

use super::Cx;
use super::shape::fill;
use crate::model::Look;
use crate::theme::Theme;

/// A wide picture takes so many times the height of the product's mark, at most.
const MOST_WIDE: f32 = 2.5;
/// A picture is painted smaller than it is.
const SMOOTH: TextureOptions = TextureOptions::LINEAR.with_mipmap_mode(Some(TextureFilter::Linear));

/// The pixels of a cleaned picture, as the kit holds them.
///
/// # Errors
/// [`ImageError`] if it cannot be decoded.
pub fn pixels_of(mark: &Cleaned) -> Result<Arc<ColorImage>, ImageError> {
    let size = [mark.width, mark.height].map(|side| usize::try_from(side).unwrap_or(0));
    Ok(Arc::new(ColorImage::from_rgba_unmultiplied(size, &mark.rgba()?)))
}

/// Paints the bank's picture behind this end of the product's name, whose mark is so high; gives the right end of
/// both, which is the same if there is no picture, or no room for it before `right`.
pub fn bank_mark_ui(ui: &Ui, cx: &Cx<'_>, end_middle: Pos2, side: f32, right: f32) -> f32 {
    let Some(picture) = &cx.kit.mark else { return end_middle.x };
    let height = side * 0.8;
    let [width, whole] = picture.size.map(|pixels| pixels.max(1) as f32);
    let scale = (height / whole).min(side * MOST_WIDE / width);
    let left = end_middle.x + side * 0.36;
    let size = vec2(width, whole) * scale;
    let place = Rect::from_min_size(Pos2::new(left, end_middle.y - size.y / 2.0), size);
    if place.right() > right {
        return end_middle.x;
    }
    if cx.theme.high_contrast {
        // Banks draw their marks for white paper; on black they could not be seen.
        fill(ui.painter(), place.expand(4.0), 4, Theme::of(Look::default()).colors.surface);
    }
    let whole_picture = Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0));
    ui.painter().image(texture(ui, picture).id(), place, whole_picture, Color32::WHITE);
    place.right()
}

/// The picture where the painter finds it; brought there once for each window.
fn texture(ui: &Ui, picture: &Arc<ColorImage>) -> TextureHandle {
    let id = Id::unique("bank mark");
    let known = ui.ctx().data(|data| data.get_temp::<TextureHandle>(id));
    known.unwrap_or_else(|| {
        let handle = ui.ctx().load_texture("bank mark", Arc::clone(picture), SMOOTH);
        ui.ctx().data_mut(|data| data.insert_temp(id, handle.clone()));
        handle
    })
}
