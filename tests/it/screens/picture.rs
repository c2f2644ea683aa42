//! Pictures of screens, to be looked at: with `JINBAN_PICTURES` set to a folder, each that a test finds sound is kept.
//!
//! Triangles are filled here, one point a pixel, without a graphics card: enough for eyes, and compared with nothing.
use std::path::Path;

use egui::epaint::{ClippedPrimitive, ClippedShape, Mesh, Primitive, Vertex};
use egui::{Color32, ColorImage, Context, Pos2, Rect, TextureId, pos2};

/// The folder, if somebody wants pictures.
const FOLDER: &str = "JINBAN_PICTURES";
/// A part of the names of those that are wanted, if not all are.
const ONLY: &str = "JINBAN_PICTURES_OF";
/// Longest name of a file, without its end.
const MAX_NAME: usize = 150;

/// Keeps what was drawn last, if somebody wants pictures.
pub(super) fn keep(context: &Context, shapes: &[ClippedShape], about: &str) {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default().rsplit("::").next().unwrap_or_default().to_owned();
    let name = format!("{test}-{about}");
    let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let name: String = plain.take(MAX_NAME).collect();
    if std::env::var(ONLY).is_ok_and(|part| !name.contains(&part)) {
        return;
    }
    let picture = draw(context, shapes);
    let [width, height] = picture.size.map(|side| u32::try_from(side).expect("a small side"));
    let bytes = picture.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    let picture = image::RgbImage::from_raw(width, height, bytes).expect("all of its bytes");
    picture.save(Path::new(&folder).join(format!("{name}.png"))).expect("a folder for pictures");
}

fn draw(context: &Context, shapes: &[ClippedShape]) -> ColorImage {
    let window = context.content_rect();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a window has some thousand points
    let size = [window.width() as usize, window.height() as usize];
    let mut picture = ColorImage::filled(size, Color32::BLACK);
    let letters = context.fonts(|fonts| fonts.image());
    for ClippedPrimitive { clip_rect, primitive } in context.tessellate(shapes.to_vec(), 1.0) {
        let Primitive::Mesh(mesh) = primitive else { continue };
        fill(&mut picture, &letters, clip_rect.intersect(window), &mesh);
    }
    picture
}

fn fill(picture: &mut ColorImage, letters: &ColorImage, clip: Rect, mesh: &Mesh) {
    // A bank's mark and a photo are textures of their own: their place is filled with their colour.
    let letters = Some(letters).filter(|_| mesh.texture_id == TextureId::default());
    for corners in mesh.indices.chunks_exact(3) {
        let corners = [corners[0], corners[1], corners[2]].map(|at| &mesh.vertices[at as usize]);
        triangle(picture, letters, clip, corners);
    }
}

/// Twice the area between an edge and a point; the sign says on which side it lies.
fn side(a: Pos2, b: Pos2, p: Pos2) -> f32 {
    (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)
}

/// The pixels of a row whose middles lie between three edges. Of an edge that two share the middles belong to one; lines
/// lie on middles often, so this is counted exactly.
#[allow(clippy::cast_possible_truncation)] // inside the window
fn span(edges: [(Pos2, Pos2); 3], y: f32, [from, to]: [f32; 2]) -> [f32; 2] {
    let (mut from, mut to, y) = (f64::from(from), f64::from(to), f64::from(y));
    for (a, b) in edges {
        let [ax, ay, bx, by] = [a.x, a.y, b.x, b.y].map(f64::from);
        let (at_zero, step) = ((bx - ax) * (y - ay) + (by - ay) * ax, ay - by);
        if step > 0.0 {
            from = from.max(-at_zero / step);
        } else if step < 0.0 {
            to = to.min(-at_zero / step);
        } else if at_zero < 0.0 || (at_zero == 0.0 && bx < ax) {
            return [0.0, 0.0];
        }
    }
    [(from - 0.5).ceil() as f32, (to - 0.5).ceil() as f32]
}

/// One colour of a texture over another.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a channel
fn over(colour: [f32; 4], texel: Color32, under: Color32) -> Color32 {
    let part = |n: usize| colour[n] * f32::from(texel[n]) / 255.0;
    let rest = 1.0 - part(3) / 255.0;
    let channel = |n: usize| (part(n) + f32::from(under[n]) * rest).round() as u8;
    Color32::from_rgb(channel(0), channel(1), channel(2))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // inside the window
fn triangle(
    picture: &mut ColorImage,
    letters: Option<&ColorImage>,
    clip: Rect,
    [a, mut b, mut c]: [&Vertex; 3],
) {
    let mut area = side(a.pos, b.pos, c.pos);
    if area < 0.0 {
        (b, c, area) = (c, b, -area);
    }
    let bounds = Rect::from_points(&[a.pos, b.pos, c.pos]).intersect(clip);
    if area == 0.0 || !bounds.is_positive() {
        return;
    }
    let corners = [a, b, c];
    let plain = corners.iter().all(|corner| (corner.color, corner.uv) == (a.color, a.uv));
    let width = picture.size[0];
    let edges = [(b.pos, c.pos), (c.pos, a.pos), (a.pos, b.pos)];
    let colour_of = |vertex: &Vertex| vertex.color.to_array().map(f32::from);
    let texel_at = |u: f32, v: f32| {
        letters.map_or(Color32::WHITE, |letters| {
            let [w, h] = letters.size;
            letters[(((u * w as f32) as usize).min(w - 1), ((v * h as f32) as usize).min(h - 1))]
        })
    };
    for row in (bounds.top() - 0.5).ceil() as usize..(bounds.bottom() - 0.5).ceil() as usize {
        let y = row as f32 + 0.5;
        let [from, to] = span(edges, y, [bounds.left(), bounds.right()]);
        if to <= from {
            continue;
        }
        let pixels = &mut picture.pixels[row * width + from as usize..row * width + to as usize];
        if plain {
            let (colour, texel) = (colour_of(a), texel_at(a.uv.x, a.uv.y));
            if colour[3] * f32::from(texel.a()) >= 255.0 * 255.0 {
                pixels.fill(over(colour, texel, Color32::BLACK));
            } else {
                pixels.iter_mut().for_each(|under| *under = over(colour, texel, *under));
            }
            continue;
        }
        for (n, under) in pixels.iter_mut().enumerate() {
            let point = pos2(from + n as f32 + 0.5, y);
            let parts = edges.map(|(from, to)| side(from, to, point) / area);
            let mut colour = [0.0; 4];
            let (mut u, mut v) = (0.0, 0.0);
            for (corner, part) in corners.iter().zip(parts) {
                for (sum, channel) in colour.iter_mut().zip(colour_of(corner)) {
                    *sum += channel * part;
                }
                (u, v) = (u + corner.uv.x * part, v + corner.uv.y * part);
            }
            *under = over(colour, texel_at(u, v), *under);
        }
    }
}
