//! Taking pages: the way to it on the form, ways and list, a device at work, and a page that is shown, in all looks.
use std::sync::Arc;

use domain::ids::EnvelopeId;
use hardware::pages::invented::Invented;
use hardware::pages::{Cut, Finding};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use terminal::command::Command;
use terminal::event::{CaptureJob, Event, Job, KeptPage};
use terminal::model::{CaptureDevices, CaptureStep, Look, Model, Screen, Taken, TakenPage, TextSize, Way};

use super::stage::{NOW_MS, Stage, catalogue, looks, person, usual};
use super::visits::{answer_situation, to_field};

/// A person on the form's page of papers, at a terminal with scanner and camera.
fn papers(look: Look) -> Model {
    let catalogue = catalogue();
    let mut model = Model::new(Arc::clone(&catalogue), NOW_MS);
    model.capture_devices = CaptureDevices { scanner: true, camera: true };
    model.station = catalogue.stations.values().find(|s| s.division_code == "630102").cloned();
    model.command(Command::Start(look.size));
    model.look = look;
    model.command(Command::OpenGuide("nhsa.reimb".parse().expect("code")));
    model.command(Command::Begin);
    answer_situation(&mut model);
    model.event(Event::CardRead(Box::new(person())));
    model.command(Command::Continue);
    model.event(Event::FormStarted { envelope_id: id() });
    assert_eq!(model.screen, Screen::Form);
    to_field(&mut model, "scan");
    model
}

fn id() -> EnvelopeId {
    EnvelopeId::new(NOW_MS, &mut ChaCha20Rng::seed_from_u64(1))
}

fn capture(look: Look) -> Model {
    let mut model = papers(look);
    model.command(Command::OpenCapture("scan".to_owned()));
    assert_eq!(model.screen, Screen::Capture);
    model
}

fn page(findings: &[Finding]) -> Arc<TakenPage> {
    Arc::new(TakenPage { jpeg: b"a page".to_vec().into(), findings: findings.to_vec() })
}

/// Asks a device for pages; the number that its news must carry.
fn ask(model: &mut Model, way: Way) -> u64 {
    let jobs = model.command(Command::TakePage(way));
    let ticket = jobs.iter().find_map(|job| match job {
        Job::Capture(CaptureJob::Take(take)) => Some(take.ticket),
        _ => None,
    });
    ticket.expect("an order for a page")
}

/// A photo or scan that is shown.
fn shown(model: &mut Model, way: Way, findings: &[Finding]) {
    let ticket = ask(model, way);
    let scene = match way {
        Way::Camera => Invented { tilt: 0.08, skew: 0.04, ..Invented::default() },
        Way::Glass | Way::Feeder => {
            Invented { table: None, width: 850, height: 1_200, ..Invented::default() }
        }
    };
    let (picture, corners) = scene.draw();
    let (picture, cut) = (Some(Arc::new(picture)), Cut { corners, ..Cut::WHOLE });
    model.event(Event::PageTaken(Box::new(Taken { ticket, picture, cut, page: page(findings) })));
    model.event(Event::TakingEnded { ticket, failed: None });
}

/// So many pages, every third with something wrong.
fn kept(model: &mut Model, count: usize) {
    for number in 0..count {
        let findings = if number % 3 == 2 { vec![Finding::ALL[number % 6]] } else { Vec::new() };
        let hash = format!("{number:064x}");
        let kept = KeptPage { envelope_id: id(), key: "scan".to_owned(), hash, bytes: 9, findings };
        model.event(Event::PageKept(Box::new(kept)));
    }
}

fn sound(about: &str, arrange: impl Fn(&mut Model)) {
    for look in looks() {
        let mut model = capture(look);
        arrange(&mut model);
        Stage::of(model).assert_sound(&format!("{about} {look:?}"));
    }
}

#[test]
fn the_page_stands_in_every_look() {
    for look in looks() {
        Stage::of(papers(look)).assert_sound(&format!("the form {look:?}"));
    }
    sound("no page yet", |_| {});
    sound("pages", |model| kept(model, 4));
    sound("all pages", |model| kept(model, 10));
    sound("scanning", |model| {
        kept(model, 3);
        let ticket = ask(model, Way::Feeder);
        model.event(Event::Taking { ticket, page: 4, percent: 40 });
    });
    sound("taking a photo", |model| {
        ask(model, Way::Camera);
    });
    for findings in [&[][..], &[Finding::Blurred, Finding::Glare, Finding::Finger], &[Finding::Blank]] {
        sound(&format!("a photo, {findings:?}"), |model| shown(model, Way::Camera, findings));
        sound(&format!("a scan, {findings:?}"), |model| shown(model, Way::Glass, findings));
    }
    sound("keeping", |model| {
        shown(model, Way::Camera, &[]);
        model.command(Command::UsePage);
    });
}

#[test]
fn the_list_says_all_that_is_wrong_with_a_page() {
    for look in looks() {
        let mut stage = Stage::of(capture(look));
        stage.change(|model| {
            kept(model, 2);
            let (key, hash) = ("scan".to_owned(), format!("{:064x}", 9));
            let findings = vec![Finding::Blurred, Finding::Small];
            let page = KeptPage { envelope_id: id(), key, hash, bytes: 9, findings };
            model.event(Event::PageKept(Box::new(page)));
        });
        stage.assert_sound(&format!("two findings {look:?}"));
        let words = ["blurred", "small"].map(|name| stage.t(&format!("capture.finding_short.{name}")));
        let both = stage.names().iter().any(|name| words.iter().all(|word| name.contains(word)));
        let more = stage.t("capture.finding_short.more").replace("{first}", &words[0]).replace("{n}", "2");
        // Large English words leave room for the weightiest only.
        let elder = look.size == TextSize::Elder;
        let large_english = elder && look.language == domain::text::Language::En;
        assert!(both || elder && stage.has(&more) || large_english, "{:?}", stage.names());
        stage.change(|model| {
            let (key, hash) = ("scan".to_owned(), format!("{:064x}", 10));
            let page = KeptPage { envelope_id: id(), key, hash, bytes: 9, findings: Finding::ALL.to_vec() };
            model.event(Event::PageKept(Box::new(page)));
        });
        stage.assert_sound(&format!("all findings {look:?}"));
    }
}

#[test]
fn every_finding_and_every_failure_has_words() {
    for look in looks() {
        let mut stage = Stage::of(capture(look));
        for trouble in hardware::device::Trouble::ALL.map(|trouble| trouble.name()) {
            stage.change(|model| {
                let ticket = ask(model, Way::Glass);
                model.event(Event::TakingEnded { ticket, failed: Some(trouble) });
            });
            stage.assert_sound(&format!("{trouble} {look:?}"));
        }
        for key in ["picture", "size", "too_many", "no_room", "store"] {
            stage.change(|model| drop(model.event(Event::PageRefused { envelope_id: id(), key })));
            stage.assert_sound(&format!("{key} {look:?}"));
        }
        for finding in Finding::ALL {
            stage.change(|model| {
                model.command(Command::StopTaking);
                shown(model, Way::Camera, &[finding]);
            });
            stage.assert_sound(&format!("{finding:?} {look:?}"));
        }
    }
}

#[test]
fn a_form_leads_to_its_pages_and_back() {
    let mut stage = Stage::of(papers(usual()));
    stage.go_on(&stage.t("form.take_pages"));
    assert_eq!(stage.model().screen, Screen::Capture);
    assert_eq!(stage.tap(&stage.t("capture.shoot")), [Command::TakePage(Way::Camera)]);
    assert_eq!(stage.tap(&stage.t("capture.scan")), [Command::TakePage(Way::Glass)]);
    assert_eq!(stage.tap(&stage.t("capture.feed")), [Command::TakePage(Way::Feeder)]);
    stage.change(|model| kept(model, 2));
    stage.go_on(&stage.t("capture.done"));
    assert_eq!(stage.model().screen, Screen::Form);
    assert!(stage.painted().iter().any(|words| words.contains("已有 2 页")), "{:?}", stage.painted());
    // A terminal without devices says where to hand it in.
    stage.change(|model| model.capture_devices = CaptureDevices::default());
    assert!(stage.has(&stage.t("form.not_supported")));
}

#[test]
fn a_corner_is_dragged_tapped_and_moved_by_arrows() {
    for look in [usual(), Look { size: TextSize::Elder, ..usual() }] {
        let mut model = capture(look);
        shown(&mut model, Way::Camera, &[]);
        let mut stage = Stage::of(model);
        let corners =
            |stage: &Stage| match &stage.model().session.as_ref().unwrap().capture.as_ref().unwrap().step {
                CaptureStep::Shown(shown) => shown.cut.corners.points(),
                _ => panic!("a page is shown"),
            };
        let before = corners(&stage);
        let from = stage.place(&stage.t("capture.top_right")).center();
        let commands = stage.drag(&[from, from + egui::vec2(-20.0, 10.0), from + egui::vec2(-40.0, 20.0)]);
        let [Command::MoveCorner { corner: 1, at }] = commands[..] else { panic!("{commands:?}") };
        assert!(at.x < before[1].x - 0.01 && at.y > before[1].y, "{at:?} {before:?}");
        let tapped = stage.tap(&stage.t("capture.bottom_left"));
        assert!(matches!(tapped[..], [Command::MoveCorner { corner: 3, .. }]), "{tapped:?}");
        stage.change(|model| tapped.into_iter().for_each(|command| drop(model.command(command))));
        stage.go_on(&stage.t("capture.move_up"));
        assert!(corners(&stage)[3].y < before[3].y - 0.005 && corners(&stage)[..3] == before[..3]);
    }
}

#[test]
fn only_the_last_word_of_a_device_counts() {
    let mut model = capture(usual());
    let old = ask(&mut model, Way::Camera);
    model.command(Command::StopTaking);
    let (picture, corners) = Invented { width: 300, height: 200, ..Invented::default() }.draw();
    let picture = Some(Arc::new(picture));
    let cut = Cut { corners, quarters: 0 };
    let late = || Taken { ticket: old, picture: picture.clone(), cut, page: page(&[]) };
    model.event(Event::PageTaken(Box::new(late())));
    let step =
        |model: &Model| format!("{:?}", model.session.as_ref().unwrap().capture.as_ref().unwrap().step);
    assert_eq!(step(&model), "Pages");
    let new = ask(&mut model, Way::Camera);
    model.event(Event::PageTaken(Box::new(late())));
    model.event(Event::TakingEnded { ticket: old, failed: Some("silent") });
    assert!(step(&model).starts_with("Taking"), "{}", step(&model));
    model.event(Event::PageTaken(Box::new(Taken { ticket: new, ..late() })));
    // A cut that was overtaken by another does not count either.
    model.command(Command::TurnPage);
    model.event(Event::PageTaken(Box::new(Taken { ticket: new, picture: None, ..late() })));
    assert!(model.command(Command::UsePage).is_empty(), "it is still being cut");
    let turned = Cut { quarters: 1, ..cut };
    model.event(Event::PageTaken(Box::new(Taken {
        ticket: new,
        picture: None,
        cut: turned,
        page: page(&[]),
    })));
    assert_eq!(model.command(Command::UsePage).len(), 2);
    // A page of another visit changes nothing.
    let other = EnvelopeId::new(NOW_MS, &mut ChaCha20Rng::seed_from_u64(2));
    let (key, hash) = ("scan".to_owned(), "0".repeat(64));
    let kept = KeptPage { envelope_id: other, key, hash, bytes: 9, findings: Vec::new() };
    assert!(model.event(Event::PageKept(Box::new(kept))).is_empty());
    assert!(model.session.as_ref().unwrap().captured_pages().is_empty());
}
