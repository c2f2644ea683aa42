//! Makes pictures smaller. Refuses to make any larger.
use image::imageops::FilterType;
use image::{DynamicImage, RgbaImage};

/// A picture whose longer side has at most so many pixels.
pub(super) fn to_fit(picture: DynamicImage, side: u32) -> DynamicImage {
    if picture.width().max(picture.height()) <= side {
        return picture;
    }
    match picture {
        // What an invisible pixel is coloured like must not show at an edge: colours count by how opaque they are.
        DynamicImage::ImageRgba8(pixels) => {
            let weighed = DynamicImage::ImageRgba8(recoloured(pixels, |c, a| c * a / 255));
            let small = weighed.resize(side, side, FilterType::Triangle).into_rgba8();
            DynamicImage::ImageRgba8(recoloured(small, |c, a| (c * 255).checked_div(a).unwrap_or(0)))
        }
        opaque => opaque.resize(side, side, FilterType::Triangle),
    }
}

/// The pixels with each colour made anew from what it was and how opaque the pixel is.
fn recoloured(mut pixels: RgbaImage, colour: impl Fn(u16, u16) -> u16) -> RgbaImage {
    for pixel in pixels.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        let new = |c: u8| u8::try_from(colour(c.into(), alpha.into())).unwrap_or(u8::MAX);
        pixel.0 = [new(red), new(green), new(blue), alpha];
    }
    pixels
}
