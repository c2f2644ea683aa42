//! The bank's picture stands beside the product's name on every page that has one, and leaves everything else whole.
use std::io::Cursor;
use std::sync::Arc;

use domain::text::Language;
use egui::epaint::{ClippedShape, Shape};
use egui::{ColorImage, Rect, TextureId};
use hardware::image::{Policy, clean};
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use terminal::command::Command;
use terminal::model::Model;
use terminal::widgets::bank_mark::pixels_of;

use super::stage::{NOW_MS, Stage, catalogue, looks};

/// Pixels of a picture with a see-through ground, as a bank hands it over.
fn picture(width: u32, height: u32) -> Arc<ColorImage> {
    let dot = |x: u32, y: u32| Rgba([190, 20, 40, if (x / 8 + y / 8).is_multiple_of(2) { 255 } else { 0 }]);
    let mut file = Vec::new();
    DynamicImage::ImageRgba8(RgbaImage::from_fn(width, height, dot))
        .write_to(&mut Cursor::new(&mut file), ImageFormat::Png)
        .expect("a file");
    pixels_of(&clean(&file, &Policy::MARK).expect("taken")).expect("pixels")
}

/// Where pictures are painted; letters come from the one texture that fonts have.
pub fn pictures(shapes: &[ClippedShape]) -> Vec<Rect> {
    let of = |shape: &ClippedShape| match &shape.shape {
        Shape::Mesh(m) => (m.texture_id != TextureId::default()).then(|| m.calc_bounds()),
        _ => None,
    };
    shapes.iter().filter_map(of).collect()
}

#[test]
fn it_stands_on_the_attract_and_home_page_in_every_look_and_shape() {
    for (width, height) in [(240, 240), (1_500, 240), (60, 400)] {
        let picture = picture(width, height);
        for look in looks() {
            for home in [false, true] {
                let mut model = Model::new(catalogue(), NOW_MS);
                model.station = model.catalogue.stations.values().next().cloned();
                if home {
                    model.command(Command::Start(look.size));
                }
                model.look = look;
                let about = format!("{width}x{height} home {home} {look:?}");
                let stage = Stage::with(model, |kit| kit.mark = Some(Arc::clone(&picture)));
                let [place] = pictures(stage.shapes())[..] else { panic!("{about}: not one picture") };
                stage.assert_sound(&about);
                let name = stage.place(&stage.t("header.name"));
                assert!(
                    place.left() > name.right() && place.left() < name.right() + 60.0,
                    "{about}: {place:?}"
                );
                assert!(
                    place.height() >= 18.0 && place.height() <= 70.0 && place.width() <= 215.0,
                    "{about}"
                );
                let (painted, drawn) = (place.width() / place.height(), width as f32 / height as f32);
                assert!(
                    (painted / drawn - 1.0).abs() < 0.05,
                    "{about}: its shape is kept: {painted} {drawn}"
                );
            }
        }
    }
}

#[test]
fn without_one_nothing_is_painted() {
    let mut model = Model::new(catalogue(), NOW_MS);
    model.look.language = Language::ZhCn;
    assert_eq!(pictures(Stage::of(model).shapes()), []);
}
