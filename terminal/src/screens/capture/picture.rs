//! A picture that was taken, brought to the painter for as long as it is shown, and the four corners of its page.
//!
//! Refuses to keep a picture once another page is drawn: [`forget`] is called then.
use std::sync::Arc;

use egui::{
    Color32, ColorImage, Id, Pos2, Rect, Role, Sense, Shape, Stroke, TextureHandle, TextureOptions, Ui,
    WidgetInfo, pos2, vec2,
};
use hardware::pages::{Point, Raster};

use crate::command::Command;
use crate::model::Shown;
use crate::widgets::Cx;
use crate::widgets::shape::{focus_ring, outline_rect};

/// Names of the corners, clockwise from the top left.
const NAMES: [&str; 4] =
    ["capture.top_left", "capture.top_right", "capture.bottom_right", "capture.bottom_left"];

fn texture_id() -> Id {
    Id::unique("picture that was taken")
}

fn drag_id() -> Id {
    Id::unique("corner that is dragged")
}

/// Lets the picture go.
pub fn forget(ui: &Ui) {
    ui.data_mut(|data| {
        data.remove::<(u64, TextureHandle)>(texture_id());
        data.remove::<(u64, usize, Pos2)>(drag_id());
    });
}

/// Draws the picture as large as it fits, in the middle; where it is.
pub(super) fn picture_ui(ui: &Ui, cx: &Cx<'_>, room: Rect, (picture, ticket): (&Arc<Raster>, u64)) -> Rect {
    let size = vec2(picture.width() as f32, picture.height() as f32);
    let scale = (room.width() / size.x).min(room.height() / size.y);
    let frame = Rect::from_center_size(room.center(), size * scale);
    let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
    ui.painter().image(texture(ui, picture, ticket).id(), frame, whole, Color32::WHITE);
    outline_rect(ui.painter(), frame, 0, Stroke::new(2.0, cx.theme.colors.border));
    frame
}

/// The picture where the painter finds it; brought there once.
fn texture(ui: &Ui, picture: &Arc<Raster>, ticket: u64) -> TextureHandle {
    let known = ui.data(|data| data.get_temp::<(u64, TextureHandle)>(texture_id()));
    if let Some((_, handle)) = known.filter(|(of, _)| *of == ticket) {
        return handle;
    }
    let pixels = ColorImage::from_rgb([picture.width(), picture.height()], picture.rgb());
    let handle = ui.ctx().load_texture("picture that was taken", pixels, TextureOptions::LINEAR);
    ui.data_mut(|data| data.insert_temp(texture_id(), (ticket, handle.clone())));
    handle
}

/// Draws outline and corners of the page over the picture in `frame`; a corner that was dragged is told when it is let
/// go, one that is tapped is the one that the arrows move.
pub(super) fn handles_ui(ui: &mut Ui, cx: &mut Cx<'_>, frame: Rect, (shown, ticket): (&Shown, u64)) {
    let dragged = ui.data(|data| data.get_temp::<(u64, usize, Pos2)>(drag_id()));
    let dragged = dragged.filter(|(of, ..)| *of == ticket).map(|(_, corner, at)| (corner, at));
    let place = |p: Point| frame.min + vec2(p.x * frame.width(), p.y * frame.height());
    let mut places = shown.cut.corners.points().map(place);
    if let Some((corner, at)) = dragged {
        places[corner] = at;
    }
    let line = Stroke::new(4.0, cx.theme.colors.rape);
    ui.painter().add(Shape::closed_line(places.to_vec(), line));
    for (corner, middle) in places.into_iter().enumerate() {
        handle_ui(ui, cx, (frame, middle), (corner, shown.corner, ticket));
    }
}

fn handle_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    (frame, middle): (Rect, Pos2),
    (corner, chosen, ticket): (usize, usize, u64),
) {
    let target = cx.theme.metrics.target;
    let rect = Rect::from_center_size(middle, vec2(target, target));
    let response = ui.interact(rect, ui.scope_id().with(("corner", corner)), Sense::click_and_drag());
    let name = cx.t(NAMES[corner]);
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, corner == chosen, name));
    let colors = &cx.theme.colors;
    let ground = if corner == chosen { colors.rape } else { colors.surface };
    let painter = ui.painter();
    painter.circle_stroke(middle, target * 0.4, Stroke::new(8.0, colors.brand700));
    painter.circle_stroke(middle, target * 0.4, Stroke::new(3.0, colors.surface));
    painter.circle(middle, 12.0, ground, Stroke::new(3.0, colors.brand700));
    if response.has_focus() {
        focus_ring(ui, cx, rect, 0);
    }
    let fraction = |p: Pos2| {
        let p = frame.clamp(p) - frame.min;
        Point::new(p.x / frame.width().max(1.0), p.y / frame.height().max(1.0))
    };
    if response.dragged()
        && let Some(at) = response.interact_pointer_pos()
    {
        ui.data_mut(|data| data.insert_temp(drag_id(), (ticket, corner, frame.clamp(at))));
    } else if response.drag_stopped() {
        let dragged = ui.data(|data| data.get_temp::<(u64, usize, Pos2)>(drag_id()));
        ui.data_mut(|data| data.remove::<(u64, usize, Pos2)>(drag_id()));
        let at = dragged.filter(|(of, moved, _)| (*of, *moved) == (ticket, corner)).map(|(.., at)| at);
        cx.push(Command::MoveCorner { corner, at: fraction(at.unwrap_or(middle)) });
    } else if response.clicked() {
        cx.push(Command::MoveCorner { corner, at: fraction(middle) });
    }
}
