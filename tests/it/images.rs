//! Pictures from anywhere become pixels and nothing else; bombs are refused by their header.
use std::io::{Cursor, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use hardware::image::{Cleaned, Format, ImageError, Policy, clean};
use hardware::pages::invented::Invented;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use tests::binaries::binary;

/// Memory that a refused picture may take.
const MOST_KIB: u64 = 64 * 1024;

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xEDB8_8320 } else { c >> 1 })
    })
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [&name[..], data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &named, &crc(&named).to_be_bytes()].concat()
}

fn header(width: u32, height: u32) -> Vec<u8> {
    let data = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    chunk(b"IHDR", &data)
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture whose four corners differ, so that turning it shows.
pub fn picture(width: u32, height: u32) -> DynamicImage {
    let color =
        |x: u32, y: u32| Rgb([if x * 2 < width { 250 } else { 5 }, if y * 2 < height { 250 } else { 5 }, 60]);
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, color))
}

pub fn file(picture: &DynamicImage, format: ImageFormat) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    picture.write_to(&mut Cursor::new(&mut out), format)?;
    Ok(out)
}

/// Puts chunks behind the header of a PNG.
fn with_chunks(png: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    let behind = PNG.len() + 25;
    [&png[..behind], &chunks.concat(), &png[behind..]].concat()
}

/// Puts segments behind the first marker of a JPEG.
pub fn with_segments(jpeg: &[u8], segments: &[(u8, &[u8])]) -> Vec<u8> {
    let segments = segments
        .iter()
        .map(|(marker, data)| [&[0xff, *marker][..], &(data.len() as u16 + 2).to_be_bytes(), data].concat());
    [&jpeg[..2], &segments.collect::<Vec<_>>().concat(), &jpeg[2..]].concat()
}

/// EXIF with nothing but an orientation, and a secret behind it.
pub fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0, 0]);
    exif.extend_from_slice(b"GPS-36.6172N-101.7985E");
    exif
}

fn holds(cleaned: &Cleaned, secret: &[u8]) -> bool {
    cleaned.bytes.windows(secret.len()).any(|w| w == secret)
}

#[test]
fn a_picture_keeps_its_pixels_and_loses_everything_else() -> Result<()> {
    let good = file(&picture(40, 30), ImageFormat::Png)?;
    let text = chunk(b"tEXt", b"Author\0SECRET-PERSON");
    let profile = chunk(b"iCCP", b"p\0\0SECRET-PROFILE");
    let mut dirty = with_chunks(&good, &[text, profile, chunk(b"eXIf", b"SECRET-PLACE")]);
    dirty.extend_from_slice(b"PK\x03\x04 SECRET-ARCHIVE");
    let cleaned = clean(&dirty, &Policy::PHOTO)?;
    assert_eq!((cleaned.format, cleaned.width, cleaned.height), (Format::Png, 40, 30));
    assert!(!holds(&cleaned, b"SECRET"));
    assert_eq!(image::load_from_memory(&cleaned.bytes)?.into_rgb8(), picture(40, 30).into_rgb8());
    assert_eq!(clean(&cleaned.bytes, &Policy::PHOTO)?, cleaned, "once is enough");

    let good = file(&picture(64, 32), ImageFormat::Jpeg)?;
    let mut dirty =
        with_segments(&good, &[(0xe1, &exif(1)), (0xfe, b"SECRET-COMMENT"), (0xed, b"SECRET-IPTC")]);
    dirty.extend_from_slice(b"\xff\xd8\xff SECRET-PREVIEW");
    let cleaned = clean(&dirty, &Policy::PHOTO)?;
    assert_eq!((cleaned.format, cleaned.width, cleaned.height), (Format::Jpeg, 64, 32));
    assert!(!holds(&cleaned, b"SECRET") && !holds(&cleaned, b"GPS"));
    Ok(())
}

#[test]
fn a_photo_is_turned_as_its_camera_says() -> Result<()> {
    let good = file(&picture(64, 32), ImageFormat::Jpeg)?;
    let turned = clean(&with_segments(&good, &[(0xe1, &exif(6))]), &Policy::PHOTO)?;
    assert_eq!((turned.width, turned.height), (32, 64));
    let expected = picture(64, 32).rotate90().into_rgb8();
    let pixels = image::load_from_memory(&turned.bytes)?.into_rgb8();
    for (x, y) in [(4, 4), (28, 4), (4, 60), (28, 60)] {
        let near = |a: &Rgb<u8>, b: &Rgb<u8>| a.0.iter().zip(b.0).all(|(a, b)| a.abs_diff(b) < 24);
        assert!(near(pixels.get_pixel(x, y), expected.get_pixel(x, y)), "{x} {y}");
    }
    Ok(())
}

#[test]
fn grey_transparent_and_deep_pictures_come_out_with_eight_bits() -> Result<()> {
    let grey =
        DynamicImage::ImageLuma16(image::ImageBuffer::from_fn(9, 9, |x, _| image::Luma([x as u16 * 7_000])));
    let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(5, 5, Rgba([1, 2, 3, 0])));
    for (picture, color) in [(grey, image::ColorType::L8), (clear, image::ColorType::Rgba8)] {
        let cleaned = clean(&file(&picture, ImageFormat::Png)?, &Policy::PAGE)?;
        assert_eq!(image::load_from_memory(&cleaned.bytes)?.color(), color);
    }
    Ok(())
}

#[test]
fn a_mark_is_made_small_and_nothing_may_stand_behind_it() -> Result<()> {
    let marks = |bytes: &[u8]| clean(bytes, &Policy::MARK);
    let large = marks(&file(&picture(1_000, 250), ImageFormat::Png)?)?;
    assert_eq!((large.width, large.height), (256, 64));
    let small = file(&picture(40, 30), ImageFormat::Png)?;
    assert_eq!((marks(&small)?.width, marks(&small)?.height), (40, 30), "never made larger");
    // Invisible black beside visible red: where they meet it is half red, not dark red.
    let edge = |x: u32, _| if x < 500 { Rgba([200, 0, 0, 255]) } else { Rgba([0, 0, 0, 0]) };
    let edge = DynamicImage::ImageRgba8(RgbaImage::from_fn(1_000, 8, edge));
    let pixels = marks(&file(&edge, ImageFormat::Png)?)?.rgba()?;
    let seen: Vec<_> = pixels.chunks(4).filter(|p| p[3] > 32).collect();
    assert!(seen.iter().all(|p| p[0] > 190 && p[1] == 0), "{seen:?}");
    assert!(seen.iter().any(|p| p[3] < 250), "an edge was found");
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let two = [file(&picture(40, 30), format)?, b"PK\x03\x04".to_vec()].concat();
        assert!(matches!(marks(&two), Err(ImageError::Tail(4))), "{format:?}");
        assert!(clean(&two, &Policy::PHOTO).is_ok(), "{format:?}");
    }
    Ok(())
}

/// Cleans in a process of its own.
fn in_a_process(bytes: &[u8]) -> Result<serde_json::Value> {
    ran(&[], bytes)
}

/// Runs it with the picture on its input. It has ten seconds of the processor and a gibibyte: a bound that is gone is a
/// red test and no machine that hangs.
fn ran(arguments: &[&str], bytes: &[u8]) -> Result<serde_json::Value> {
    let mut command = Command::new("prlimit");
    command.args(["--cpu=10", "--as=1073741824"]).arg(binary("clean-image")).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().context("a pipe")?.write_all(bytes)?;
    let output = child.wait_with_output()?;
    serde_json::from_slice(&output.stdout).context("what it said")
}

/// So many zeros, compressed by the encoder of the library: about a thousandth of them.
pub fn zeros(width: u32, height: u32) -> Result<Vec<u8>> {
    file(&DynamicImage::new_luma8(width, height), ImageFormat::Png)
}

#[test]
fn bombs_are_refused_by_their_header_and_take_no_memory() -> Result<()> {
    let real = zeros(12_000, 12_000)?;
    assert!(real.len() < 1024 * 1024, "it is small on the wire: {}", real.len());
    let claimed = [PNG, &header(100_000, 100_000), &chunk(b"IDAT", &[0; 64]), &chunk(b"IEND", &[])].concat();
    let small = file(&picture(8, 8), ImageFormat::Jpeg)?;
    let frame = small.windows(2).position(|w| w == [0xff, 0xc0]).context("a frame header")?;
    let mut giant = small.clone();
    giant[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    // TIFF is refused by its first bytes, whatever size its header names: here 100,000 by 100,000.
    let entry = |tag: u16, value: u32| {
        [&tag.to_le_bytes()[..], &4_u16.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let tiff = [&b"II*\0\x08\0\0\0\x02\0"[..], &entry(256, 100_000), &entry(257, 100_000), &[0; 4]].concat();
    let table = [
        ("12000x12000", real),
        ("100000x100000", claimed),
        ("65535x65535", giant),
        ("neither a PNG nor a JPEG", tiff.clone()),
        ("neither a PNG nor a JPEG", [&b"MM\0*"[..], &tiff[4..]].concat()),
    ];
    for (size, bytes) in table {
        let said = in_a_process(&bytes)?;
        assert!(said["micros"].as_u64().is_some_and(|micros| micros < 5_000), "{said}");
        assert!(said["outcome"].as_str().is_some_and(|o| o.contains(size)), "{said}");
        assert!(said["grown_kib"].as_u64().is_some_and(|k| k < MOST_KIB), "{said}");
    }
    Ok(())
}

#[test]
fn compressed_texts_and_profiles_never_reach_the_decoder() -> Result<()> {
    // A text of 200 MiB in a small chunk: who unpacks it needs the memory for it.
    let zlib = zeros(200_000, 1_000)?;
    let at = zlib.windows(4).position(|w| w == b"IDAT").context("pixels")?;
    let length = u32::from_be_bytes(zlib[at - 4..at].try_into()?) as usize;
    let packed = &zlib[at + 4..at + 4 + length];
    let good = file(&picture(16, 16), ImageFormat::Png)?;
    let text = chunk(b"zTXt", &[b"Comment\0\0", packed].concat());
    let profile = chunk(b"iCCP", &[b"p\0\0", packed].concat());
    let said = in_a_process(&with_chunks(&good, &[text, profile]))?;
    assert_eq!(said["outcome"], "clean", "{said}");
    assert!(said["grown_kib"].as_u64().is_some_and(|k| k < 16 * 1024), "{said}");
    Ok(())
}

#[test]
fn the_largest_page_that_is_taken_stays_within_its_memory() -> Result<()> {
    let said = in_a_process(&zeros(4_000, 4_000)?)?;
    assert_eq!(said["outcome"], "clean", "{said}");
    assert!(said["grown_kib"].as_u64().is_some_and(|k| k < MOST_KIB), "{said}");
    Ok(())
}

#[test]
fn a_photo_of_twelve_megapixels_becomes_a_page_within_its_memory() -> Result<()> {
    let photo = Invented { width: 4_000, height: 3_000, tilt: 0.1, ..Invented::default() }.jpeg()?;
    let said = ran(&["page"], &photo)?;
    assert_eq!(said["outcome"], "clean", "{said}");
    assert!(said["grown_kib"].as_u64().is_some_and(|k| k < 128 * 1024), "{said}");
    Ok(())
}

#[test]
fn what_is_no_single_whole_picture_is_refused() -> Result<()> {
    let png = file(&picture(16, 16), ImageFormat::Png)?;
    let jpeg = file(&picture(16, 16), ImageFormat::Jpeg)?;
    let refusal =
        |bytes: &[u8]| clean(bytes, &Policy::PHOTO).map(|c| format!("{c:?}")).map_err(|e| e.to_string());
    let animated = with_chunks(&png, &[chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0])]);
    let mut many_scans = jpeg.clone();
    let scan = jpeg.windows(2).position(|w| w == [0xff, 0xda]).context("a scan")?;
    for _ in 0..60 {
        many_scans.splice(scan..scan, jpeg[scan..scan + 14].iter().copied());
    }
    let odd = [
        (vec![], "empty"),
        (b"GIF89a\x01\0\x01\0".to_vec(), "neither"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "neither"),
        ([PNG, &jpeg].concat(), "damaged"),
        ([&jpeg[..3], &png].concat(), "damaged"),
        (animated, "several pictures"),
        (with_chunks(&png, &[header(16, 16)]), "second header"),
        (with_chunks(&png, &[chunk(b"ABCD", &[])]), "not taken"),
        ([PNG, &header(16, 16), &chunk(b"IEND", &[])].concat(), "no pixels"),
        ([PNG, &header(0, 16)].concat(), "no pixels"),
        ([&jpeg[..2], &jpeg].concat(), "several pictures"),
        (many_scans, "many scans"),
        (vec![0xff; 4_000], "neither"),
        (vec![0; Policy::PHOTO.max_bytes + 1], "at most"),
    ];
    for (bytes, expected) in odd {
        let said = refusal(&bytes).err().with_context(|| format!("{expected}: was taken"))?;
        assert!(said.contains(expected), "{expected}: {said}");
    }
    Ok(())
}

#[test]
fn no_cut_and_no_flipped_byte_breaks_anything() -> Result<()> {
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let whole = file(&picture(24, 24), format)?;
        for cut in 0..whole.len() {
            // A JPEG without its end marker is cut as well: nobody knows what is missing.
            assert!(clean(&whole[..cut], &Policy::PHOTO).is_err(), "{format:?} cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x55;
            if let Ok(cleaned) = clean(&flipped, &Policy::PHOTO) {
                assert!(cleaned.width <= Policy::PHOTO.max_side, "{format:?} flipped at {at}");
            }
        }
    }
    let Err(error) = clean(&[PNG, &header(9_000, 2)].concat(), &Policy::PAGE) else { anyhow::bail!("taken") };
    anyhow::ensure!(matches!(error, ImageError::TooLarge { width: 9_000, height: 2 }), "{error}");
    Ok(())
}
