//! Papers made of the subset of the fonts, read back by other programs: dots by eye and code reader, PDF by poppler.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::*;
use crate::typeface::Weight;

fn font(name: &str) -> FontBytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/fonts").join(name);
    FontBytes { data: Arc::new(std::fs::read(path).expect("a font")), face: 0 }
}

pub(crate) fn typeface() -> Typeface {
    let (regular, bold) = (font("JinbanSans-Regular.otf"), font("JinbanSans-Bold.otf"));
    Typeface { regular, bold, rare: Vec::new() }
}

const CODE: &str = "https://jinban.example/slips/XN26112400100312?d=0123456789abcdef#T-01.1795541400000.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn paper() -> Paper {
    let fact = |caption: &str, words: &str| Fact { caption: caption.to_owned(), words: words.to_owned() };
    Paper {
        title: "办件凭条".to_owned(),
        sample: Some("样例".to_owned()),
        number_caption: "办件编号（记住最后四位就行）".to_owned(),
        number: ["XN26", "1124", "0010", "0312"].map(str::to_owned).to_vec(),
        number_note: None,
        item: "灵活就业人员参保登记".to_owned(),
        facts: vec![
            fact("本网点", "中国建设银行西宁东关大街支行（样例）"),
            fact("已保存本机", "2026-11-24 14:00"),
        ],
        next: vec!["不用再跑一趟，网络恢复后自动送出。".to_owned(), "有事打 12345 问。".to_owned()],
        code: CODE.to_owned(),
        code_notes: vec!["手机扫一扫，存下这张凭条".to_owned(), "码里没有姓名和证件号".to_owned()],
        foot: "2026-11-24 14:01".to_owned(),
        language: "zh-CN".to_owned(),
    }
}

/// The strip as a picture in a file, for other programs.
fn picture(bitmap: &Bitmap, folder: &Path) -> PathBuf {
    let (width, rows) = (u32::try_from(bitmap.width()).unwrap(), u32::try_from(bitmap.rows()).unwrap());
    let picture = image::GrayImage::from_fn(width, rows, |x, y| {
        image::Luma([if bitmap.is_black(x as usize, y as usize) { 0 } else { 255 }])
    });
    let path = folder.join(format!("strip-{width}.png"));
    picture.save(&path).expect("saved");
    path
}

pub(crate) fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|e| panic!("{program} is not here: {e}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_receipt_can_be_scanned_on_both_rolls_and_says_its_number_large() {
    let folder = tempfile::tempdir().expect("a folder");
    for width in [RollWidth::Mm80, RollWidth::Mm58] {
        let strip = receipt(&paper(), &typeface(), width).expect("a strip");
        assert_eq!(strip.width(), width.dots());
        assert!((600..1_600).contains(&strip.rows()), "{} rows", strip.rows());
        let black = strip.bytes().iter().map(|byte| byte.count_ones() as usize).sum::<usize>();
        let all = strip.width() * strip.rows();
        assert!(black > all / 30 && black < all / 2, "{black} of {all} dots are black");
        let file = picture(&strip, folder.path());
        let read = said("zbarimg", &["--quiet", "--raw", file.to_str().unwrap()]);
        assert_eq!(read.trim(), CODE, "{width:?}");
        if let Some(keep) = std::env::var_os("JINBAN_KEEP_PICTURES") {
            std::fs::copy(&file, Path::new(&keep).join(file.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn a_sign_without_a_glyph_is_a_box_and_nothing_is_left_out() {
    let typeface = typeface();
    let faces = typeface.open().unwrap();
    // A sign that is in no subset.
    let rare = '\u{20164}';
    assert_eq!(faces.place(rare, Weight::Regular).glyph, None);
    let mut with = paper();
    with.item = format!("样{rare}例");
    let mut without = paper();
    without.item = "样\u{3000}例".to_owned();
    let [with, without] = [with, without].map(|p| receipt(&p, &typeface, RollWidth::Mm80).unwrap());
    assert_eq!(with.rows(), without.rows());
    let black = |strip: &Bitmap| strip.bytes().iter().map(|b| b.count_ones()).sum::<u32>();
    assert!(black(&with) > black(&without) + 100, "a box is drawn");
}

#[test]
fn paper_has_an_end() {
    let typeface = typeface();
    let mut long = paper();
    long.next = vec!["自动送出。".repeat(2_000)];
    for result in [
        receipt(&long, &typeface, RollWidth::Mm58).map(|_| ()),
        acknowledgement(&long, &typeface).map(|_| ()),
    ] {
        assert!(matches!(result, Err(DocumentError::TooLong)), "{result:?}");
    }
    let mut unreadable = paper();
    unreadable.code = "x".repeat(3_000);
    assert!(matches!(receipt(&unreadable, &typeface, RollWidth::Mm80), Err(DocumentError::Code)));
    let nothing = FontBytes { data: Arc::new(b"no font".to_vec()), face: 0 };
    let broken = Typeface { regular: nothing.clone(), ..typeface.clone() };
    assert!(matches!(receipt(&paper(), &broken, RollWidth::Mm80), Err(DocumentError::Font)));
    // A rare face that cannot be used is only missed.
    let odd = Typeface { rare: vec![nothing], ..typeface };
    assert!(receipt(&paper(), &odd, RollWidth::Mm80).is_ok() && acknowledgement(&paper(), &odd).is_ok());
}

#[test]
fn lines_fit_and_together_are_the_text() {
    let typeface = typeface();
    let faces = typeface.open().unwrap();
    let text =
        "中国建设银行西宁东关大街支行（样例），有事打 12345 问。XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX";
    for widest in [3.0_f32, 5.5, 9.0, 100.0] {
        let lines = faces.lines(text, Weight::Regular, widest).unwrap();
        let whole: String = lines.concat().chars().filter(|c| *c != ' ').collect();
        assert_eq!(whole, text.chars().filter(|c| *c != ' ').collect::<String>());
        for line in &lines {
            let width = faces.width(line, Weight::Regular);
            assert!(width <= widest + 1.1, "{line} is {width} of {widest}");
            assert!(!line.starts_with(['，', '。', '）']), "{line}");
        }
    }
}

#[test]
fn an_acknowledgement_is_text_in_embedded_subsets_with_a_code_that_can_be_scanned() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("page.pdf");
    let pdf = acknowledgement(&paper(), &typeface()).expect("a page");
    assert!(pdf.len() < 200_000, "{} bytes", pdf.len());
    std::fs::write(&file, pdf).unwrap();
    let file = file.to_str().unwrap();
    let words = said("pdftotext", &["-layout", file, "-"]);
    for part in ["办件凭条", "XN26 1124 0010 0312", "灵活就业人员参保登记", "样例", "12345"] {
        assert!(words.contains(part), "{part} is not in {words}");
    }
    let fonts = said("pdffonts", &[file]);
    let rows: Vec<&str> = fonts.lines().skip(2).collect();
    assert_eq!(rows.len(), 2, "{fonts}");
    for row in rows {
        // Columns `emb sub uni`.
        assert!(
            row.split_whitespace().collect::<Vec<_>>().windows(3).any(|w| w == ["yes", "yes", "yes"]),
            "{row}"
        );
    }
    let about = said("pdfinfo", &[file]);
    assert!(
        about.contains("A4") && about.lines().any(|l| l.starts_with("Pages:") && l.ends_with('1')),
        "{about}"
    );
    let stem = folder.path().join("page");
    said("pdftoppm", &["-png", "-r", "150", "-singlefile", file, stem.to_str().unwrap()]);
    let png = stem.with_extension("png");
    assert_eq!(said("zbarimg", &["--quiet", "--raw", png.to_str().unwrap()]).trim(), CODE);
    if let Some(keep) = std::env::var_os("JINBAN_KEEP_PICTURES") {
        std::fs::copy(&png, Path::new(&keep).join("page.png")).unwrap();
    }
}

fn jpeg(width: u32, height: u32) -> Zeroizing<Vec<u8>> {
    let picture =
        image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x % 251) as u8, (y % 241) as u8, 90]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    Zeroizing::new(bytes.into_inner())
}

#[test]
fn scanned_pages_keep_their_bytes_and_their_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("scans.pdf");
    let both = [
        ScannedPage { bytes: jpeg(1_240, 1_754), dpi: Some(150) },
        ScannedPage { bytes: jpeg(300, 200), dpi: Some(100) },
    ];
    std::fs::write(&file, pages(both.to_vec()).unwrap().as_slice()).unwrap();
    let file = file.to_str().unwrap();
    let about = said("pdfinfo", &["-f", "1", "-l", "2", file]);
    assert!(about.contains("595.2 x 841.92") && about.contains("216 x 144"), "{about}");
    said("pdfimages", &["-j", file, folder.path().join("out").to_str().unwrap()]);
    for (at, page) in both.iter().enumerate() {
        let out = std::fs::read(folder.path().join(format!("out-00{at}.jpg"))).unwrap();
        assert_eq!(out, page.bytes.as_slice(), "page {at} is as it was");
    }
}

#[test]
fn a_page_of_unknown_resolution_is_as_large_as_a4_holds_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("scans.pdf");
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(30, 40).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let photo = |bytes| ScannedPage { bytes, dpi: None };
    let three = [jpeg(2_480, 3_508), jpeg(3_508, 2_480), Zeroizing::new(png.into_inner())].map(photo);
    std::fs::write(&file, pages(three.to_vec()).unwrap().as_slice()).unwrap();
    let about = said("pdfinfo", &["-f", "1", "-l", "3", file.to_str().unwrap()]);
    let sizes: Vec<_> =
        about.lines().filter(|line| line.starts_with("Page ") && line.contains(" size:")).collect();
    assert_eq!(sizes.len(), 3, "{about}");
    for (line, size) in sizes.iter().zip(["595.179 x 841.89", "841.89 x 595.179", "595.28 x 793.7"]) {
        assert!(line.contains(size), "{about}");
    }
}

#[test]
fn what_is_no_page_is_refused_by_its_number() {
    let good = ScannedPage { bytes: jpeg(40, 40), dpi: Some(100) };
    let refused = |list: &[ScannedPage]| pages(list.to_vec()).map(|_| ()).unwrap_err();
    assert!(matches!(refused(&[]), DocumentError::Pages(0)));
    assert!(matches!(refused(&vec![good.clone(); 101]), DocumentError::Pages(101)));
    let large = ScannedPage { bytes: Zeroizing::new(vec![0xff; MAX + 1]), dpi: Some(100) };
    assert!(matches!(refused(&[large]), DocumentError::TooLarge));
    for (bytes, dpi) in [
        (b"no picture".to_vec(), Some(100)),
        (good.bytes.to_vec(), Some(0)),
        (good.bytes[..60].to_vec(), None),
    ] {
        let bad = ScannedPage { bytes: Zeroizing::new(bytes), dpi };
        assert!(matches!(refused(&[good.clone(), bad]), DocumentError::Picture(2)));
    }
}

const MAX: usize = scans::MAX_BYTES;

#[test]
fn garbage_in_a_picture_is_never_a_panic() {
    let whole = jpeg(64, 48);
    // A simple generator: the same bytes each time.
    let mut state = 7_u64;
    for _ in 0..2_000 {
        let mut bytes = whole.to_vec();
        for _ in 0..4 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(state >> 33).unwrap() % bytes.len().min(700);
            bytes[at] = (state >> 24) as u8;
        }
        let _ = pages(vec![ScannedPage { bytes: Zeroizing::new(bytes), dpi: Some(100) }]);
    }
}
