//! Certificates read back by other programs: what kind of PDF, which fonts, which words, which code; and texts that nobody
//! would write but somebody might send.
use std::path::Path;

use super::*;
use crate::tests::{said, typeface};

const CODE_TEXT: &str = "https://jinban.example/certificates/ZZ2611240010001010?t=0123456789abcdef";

fn fact(caption: &str, words: &str) -> Fact {
    Fact { caption: caption.to_owned(), words: words.to_owned() }
}

fn paper() -> CertificatePaper {
    CertificatePaper {
        title: "食品经营许可".to_owned(),
        sample: Some("示例数据 不作凭证".to_owned()),
        facts: vec![
            fact("证照编号", "ZZ26 1124 0010 001010"),
            fact("持证人", "样小川"),
            fact("证件号码", "639900199005201035"),
            fact("办件编号", "XN26 1124 0010 0013"),
            fact("有效期", "2026-11-24 至 2031-11-23"),
        ],
        code: CODE_TEXT.to_owned(),
        code_notes: vec!["手机扫一扫，看这张证照是不是真的、现在还有没有效。".to_owned()],
        signed: vec!["市场监管".to_owned(), "2026-11-24".to_owned()],
        seal: Some(Seal { owner: "市场监管".to_owned(), words: "示例印章".to_owned() }),
        foot: "办件 XN26112400100013".to_owned(),
        language: "zh-CN".to_owned(),
        made: Moment { year: 2026, month: 11, day: 24, hour: 14, minute: 30 },
    }
}

/// The page in a file, and a picture of it.
fn printed(paper: &CertificatePaper, folder: &Path, name: &str) -> (String, String) {
    let pdf = certificate(paper, &typeface()).expect("a page");
    assert!(pdf.len() < 200_000, "{} bytes", pdf.len());
    let file = folder.join(format!("{name}.pdf"));
    std::fs::write(&file, pdf).unwrap();
    let stem = folder.join(name);
    said("pdftoppm", &["-png", "-r", "150", "-singlefile", file.to_str().unwrap(), stem.to_str().unwrap()]);
    let png = stem.with_extension("png");
    if let Some(keep) = std::env::var_os("JINBAN_KEEP_PICTURES") {
        std::fs::copy(&png, Path::new(&keep).join(format!("certificate-{name}.png"))).unwrap();
    }
    (file.to_str().unwrap().to_owned(), png.to_str().unwrap().to_owned())
}

/// Whether a file says that it is PDF/A-2u; the library refuses to say so of one that is not.
fn is_pdf_a_2u(file: &str) -> bool {
    let said = said("pdfinfo", &["-meta", file]);
    said.contains("<pdfaid:part>2<") && said.contains("<pdfaid:conformance>U<")
}

#[test]
fn a_certificate_is_pdf_a_with_embedded_subsets_a_code_and_its_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, png) = printed(&paper(), folder.path(), "usual");
    let about = said("pdfinfo", &[&file]);
    for part in ["A4", "Pages: 1", "Title: 食品经营许可"] {
        // Names of lines are padded otherwise by other versions.
        let squeezed = about.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(part), "{part}: {about}");
    }
    assert!(is_pdf_a_2u(&file));
    let fonts = said("pdffonts", &[&file]);
    let rows: Vec<&str> = fonts.lines().skip(2).collect();
    assert_eq!(rows.len(), 2, "{fonts}");
    for row in rows {
        let columns: Vec<_> = row.split_whitespace().collect();
        assert!(columns.windows(3).any(|w| w == ["yes", "yes", "yes"]), "embedded, subset, Unicode: {row}");
    }
    let words = said("pdftotext", &["-layout", &file, "-"]);
    for part in
        ["食品经营许可", "样小川", "639900199005201035", "ZZ26 1124 0010 001010", "示例印章", "示例数据"]
    {
        assert!(words.contains(part), "{part} is not in {words}");
    }
    assert_eq!(said("zbarimg", &["--quiet", "--raw", &png]).trim(), CODE_TEXT);
}

#[test]
fn without_a_seal_nothing_red_is_drawn() {
    let red = |paper: &CertificatePaper, name: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let (_, png) = printed(paper, folder.path(), name);
        let picture = image::open(png).unwrap().to_rgb8();
        picture.pixels().filter(|p| p.0[0] > 150 && p.0[1] < 90 && p.0[2] < 90).count()
    };
    let bare = CertificatePaper { seal: None, sample: None, ..paper() };
    assert_eq!(red(&bare, "bare"), 0);
    assert!(red(&paper(), "sealed") > 2_000, "the seal is there");
}

#[test]
fn long_and_hostile_texts_stand_whole_on_the_page_or_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut odd = paper();
    odd.title = "网络预约出租汽车运输证及道路旅客运输经营许可的换发与补发（含临时许可）".to_owned();
    let long = "样".repeat(120);
    odd.facts[1].words = long.clone();
    // Of a private area, of no font, turned round, of no width, controls, the mark of byte order, brackets of PDF.
    odd.facts[2].words = "甲\u{e000}\u{20164}\u{202e}\u{200b}\0\u{7}\u{feff}\u{fffe}) Tj (乙<>\\".to_owned();
    odd.signed[0] = "青海省西宁市城东区市场监督管理局行政审批服务科".to_owned();
    if let Some(seal) = &mut odd.seal {
        seal.owner.clone_from(&odd.signed[0]);
    }
    let (file, png) = printed(&odd, folder.path(), "long");
    assert!(is_pdf_a_2u(&file));
    let words: String = said("pdftotext", &[&file, "-"]).split_whitespace().collect();
    assert!(words.contains(&long) && words.contains("（含临时许可）") && words.contains(")Tj("), "{words}");
    assert_eq!(said("zbarimg", &["--quiet", "--raw", &png]).trim(), CODE_TEXT);

    // Some fonts have a glyph for the mark of byte order, and no archive takes it.
    let typeface_ = typeface();
    assert_eq!(typeface_.open().unwrap().signs("\u{feff}\u{7}甲", Weight::Regular).len(), 1);

    let mut name = paper();
    name.facts[1].words = "样".repeat(2_000);
    let mut title = paper();
    title.title = "许可".repeat(500);
    let mut owner = paper();
    owner.seal = Some(Seal { owner: "局".repeat(60), words: "示例印章".to_owned() });
    let mut words = paper();
    words.seal = Some(Seal { owner: "局".to_owned(), words: "示例印章示例印章".to_owned() });
    let mut notes = paper();
    notes.code_notes = vec!["码".repeat(400)];
    let mut unit = paper();
    unit.signed[0] = "局".repeat(400);
    for (what, paper) in [name, title, owner, words, notes, unit].iter().enumerate() {
        let refused = certificate(paper, &typeface());
        assert!(matches!(refused, Err(DocumentError::TooLong)), "{what}: {:?}", refused.map(|_| ()));
    }
    let code = CertificatePaper { code: "x".repeat(3_000), ..paper() };
    assert!(matches!(certificate(&code, &typeface()), Err(DocumentError::Code)));
    assert!(!format!("{:?}", paper()).contains("样小川"));
}
