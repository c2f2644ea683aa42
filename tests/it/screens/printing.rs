//! The print button and where the paper is: on the slip, in my cases, and for staff on the attract page.
use domain::ids::EnvelopeId;
use hardware::device::{DeviceKind, DeviceState, Trouble};
use terminal::command::Command;
use terminal::event::Event;
use terminal::model::{Look, Model, PrintKind, PrintStep, Screen};

use super::devices::view;
use super::slip::{DELIVERED, SAVED, at_cases, at_slip, lines};
use super::stage::{FLEX, Stage, looks, usual};

/// Every place where a paper can be.
fn steps() -> Vec<PrintStep> {
    let mut all =
        vec![PrintStep::Printing, PrintStep::Printed, PrintStep::Failed(None), PrintStep::Doubtful(None)];
    for trouble in Trouble::ALL {
        all.push(PrintStep::Waiting(trouble));
        all.push(PrintStep::Failed(Some(trouble)));
        all.push(PrintStep::Doubtful(Some(trouble)));
    }
    all
}

fn with_printer(mut model: Model) -> Model {
    set_printer(&mut model, DeviceState::Ready);
    model
}

/// The only device is a receipt printer in this state.
fn set_printer(model: &mut Model, state: DeviceState) {
    model.devices.list = vec![view(DeviceKind::ReceiptPrinter, state)];
}

fn slip_with(look: Look, step: Option<PrintStep>) -> Model {
    let mut model = with_printer(at_slip(look, FLEX, SAVED, None));
    let session = model.session.as_mut().expect("a session");
    let id = session.slip.as_ref().expect("a slip").envelope_id;
    session.print = step.map(|step| (id, step));
    model
}

#[test]
fn the_slip_says_where_its_paper_is_in_every_look() {
    for look in looks() {
        let mut stage = Stage::of(slip_with(look, None));
        stage.assert_sound(&format!("before {look:?}"));
        assert_eq!(stage.tap(&stage.t("slip.print.print")), [Command::Print]);
        for step in steps() {
            stage.change(|model| *model = slip_with(look, Some(step)));
            stage.assert_sound(&format!("{step:?} {look:?}"));
            assert_eq!(stage.elided(), Vec::<String>::new(), "{step:?} {look:?}");
            let buttons = ["print", "again", "retry"].map(|key| stage.t(&format!("slip.print.{key}")));
            let offered = buttons.iter().any(|label| stage.has(label));
            assert_eq!(offered, !step.is_open(), "{step:?} {look:?}: a button does something");
            let code = stage.place(&stage.t("slip.qr"));
            assert!(code.width() >= 240.0, "the code stays large");
            if let Some(trouble) = step.trouble() {
                let words = stage.t(&format!("print.trouble.{}", trouble.name()));
                assert!(
                    stage.names().iter().any(|name| name.contains(&words)),
                    "{step:?}: {:?}",
                    stage.names()
                );
            }
            let done = stage.t("slip.print.printed");
            let said = stage.names().contains(&done);
            assert_eq!(said, step == PrintStep::Printed, "{step:?}: printed is said when it is true");
        }
        // What comes next is to finish: by the button of the footer, while the paper waits and once it is there.
        for step in [PrintStep::Waiting(Trouble::NoPaper), PrintStep::Printed] {
            stage.change(|model| *model = slip_with(look, Some(step)));
            assert_eq!(stage.tap(&stage.t("slip.finish")), [Command::Finish], "{step:?} {look:?}");
        }
        assert_eq!(stage.tap(&stage.t("slip.print.again")), [Command::Print], "one more is beside it");
        stage.change(|model| *model = slip_with(look, Some(PrintStep::Doubtful(None))));
        assert_eq!(stage.tap(&stage.t("slip.print.again")), [Command::Print]);
        assert_eq!(stage.tap(&stage.t(finish(look))), [Command::Finish], "nobody is kept");
    }
}

/// Where the visit ends: in the elder version the slip's own button prints.
fn finish(look: Look) -> &'static str {
    if look.size == terminal::model::TextSize::Elder { "footer.finish" } else { "slip.finish" }
}

#[test]
fn with_two_printers_the_slip_offers_a_page_beside_the_strip() {
    for look in looks() {
        let elder = look.size == terminal::model::TextSize::Elder;
        let both = |step| {
            let mut model = slip_with(look, step);
            model.devices.list.push(view(DeviceKind::PagePrinter, DeviceState::Ready));
            model
        };
        let mut stage = Stage::of(both(None));
        let page = stage.t("slip.print.page");
        assert_eq!(stage.has(&page), !elder, "one thing at a time in the elder version");
        for step in steps().into_iter().map(Some).chain([None]) {
            stage.change(|model| *model = both(step));
            stage.assert_sound(&format!("{step:?} {look:?}"));
            assert_eq!(stage.elided(), Vec::<String>::new(), "{step:?} {look:?}");
            if !elder && step != Some(PrintStep::Printing) {
                assert_eq!(stage.tap(&page), [Command::PrintPage], "{step:?}");
            } else {
                assert!(!stage.has(&page), "{step:?}: a tap would do nothing");
            }
        }
        assert_eq!(stage.tap(&stage.t("slip.print.print")), [Command::Print]);
        // A page that waits may become a strip.
        stage.change(|model| {
            *model = both(Some(PrintStep::Waiting(Trouble::NoPaper)));
            model.session.as_mut().expect("a session").print_kind = Some(PrintKind::Page);
        });
        stage.assert_sound(&format!("a page waits {look:?}"));
        let strip = stage.t("slip.print.print");
        assert_eq!(stage.has(&strip), !elder, "{look:?}");
        if !elder {
            assert_eq!(stage.tap(&strip), [Command::Print]);
            assert!(!stage.has(&page), "it waits for that one");
        }
        // What came out is called by what it is.
        for (command, said, other) in [
            (Command::PrintPage, "slip.print.page_printed", "slip.print.printed"),
            (Command::Print, "slip.print.printed", "slip.print.page_printed"),
        ] {
            stage.change(|model| {
                *model = both(None);
                assert_eq!(model.command(command).len(), 1);
                let session = model.session.as_mut().expect("a session");
                session.print = session.print.map(|(id, _)| (id, PrintStep::Printed));
            });
            stage.assert_sound(&format!("{said} {look:?}"));
            assert!(stage.has(&stage.t(said)) && !stage.has(&stage.t(other)), "{:?}", stage.names());
        }
        stage.change(|model| *model = slip_with(look, None));
        assert!(!stage.has(&page), "only where there are two");
        let mut model = slip_with(look, None);
        assert!(model.command(Command::PrintPage).is_empty());
    }
}

#[test]
fn without_a_printer_nothing_offers_paper() {
    for look in looks() {
        let stage = Stage::of(at_slip(look, FLEX, SAVED, None));
        assert!(!stage.has(&stage.t("slip.print.print")));
        let stage = Stage::of(at_cases(look, Some(lines(2))));
        assert!(!stage.painted().contains(&stage.t("my_cases.print")));
    }
}

#[test]
fn the_slip_of_every_item_has_room_for_its_button() {
    let catalogue = super::stage::catalogue();
    for look in looks().into_iter().filter(|look| !look.high_contrast) {
        let mut stage = Stage::of(slip_with(look, None));
        for code in catalogue.items.keys().chain(catalogue.bundles.keys()) {
            stage.change(|model| *model = with_printer(at_slip(look, code.as_str(), DELIVERED, None)));
            stage.assert_sound(&format!("{code} {look:?}"));
        }
    }
}

#[test]
fn own_cases_are_printed_by_their_number() {
    for look in looks() {
        let mut stage = Stage::of(with_printer(at_cases(look, Some(lines(6)))));
        stage.assert_sound(&format!("cases {look:?}"));
        let first = lines(1)[0].clone();
        let name = stage.t("my_cases.print_name").replace("{number}", first.number.as_str());
        assert_eq!(stage.tap(&name), [Command::PrintCase(first.envelope_id)]);
        for step in steps() {
            stage.change(|model| {
                let session = model.session.as_mut().expect("a session");
                session.print = Some((first.envelope_id, step));
            });
            stage.assert_sound(&format!("{step:?} {look:?}"));
            assert_eq!(stage.elided(), Vec::<String>::new(), "{step:?} {look:?}");
            assert_eq!(stage.has(&name), !step.is_open(), "{step:?} {look:?}: a button does something");
            let instead = match step {
                PrintStep::Printing => "slip.print.printing".to_owned(),
                PrintStep::Waiting(trouble) => format!("print.trouble.{}", trouble.name()),
                _ => continue,
            };
            assert!(stage.has(&stage.t(&instead)), "{step:?} {look:?}: {:?}", stage.names());
            let other = stage.t("my_cases.print_name").replace("{number}", lines(2)[1].number.as_str());
            assert!(stage.has(&other), "{step:?} {look:?}: the others can be printed");
        }
        stage.change(|model| {
            let session = model.session.as_mut().expect("a session");
            session.print = None;
            session.cases.as_mut().expect("cases")[0].print =
                Some((PrintKind::Slip, PrintStep::Doubtful(None)));
        });
        let words = stage.t("slip.print.interrupted");
        assert!(stage.names().contains(&words), "paper that may lie there is told: {:?}", stage.names());
    }
}

#[test]
fn an_own_case_says_that_it_is_being_printed_until_it_is_and_what_may_go_elsewhere_keeps_its_button() {
    let first = lines(1)[0].clone();
    for look in looks() {
        let mut stage = Stage::of(with_printer(at_cases(look, Some(lines(2)))));
        let name = stage.t("my_cases.print_name").replace("{number}", first.number.as_str());
        let tapped = stage.tap(&name);
        stage.change(|model| {
            for command in tapped {
                assert_eq!(model.command(command).len(), 1, "it is asked for");
            }
        });
        assert!(!stage.has(&name) && stage.has(&stage.t("slip.print.printing")), "{:?}", stage.names());
        let ended = told(first.envelope_id, PrintKind::Slip, PrintStep::Printed);
        stage.change(|model| drop(model.event(ended)));
        assert_eq!(stage.tap(&name), [Command::PrintCase(first.envelope_id)], "one more");
        // A page that waits for its printer may become a strip.
        stage.change(|model| {
            model.devices.list.push(view(DeviceKind::PagePrinter, DeviceState::Ready));
            model.event(told(first.envelope_id, PrintKind::Page, PrintStep::Waiting(Trouble::NoPaper)));
        });
        let tapped = stage.tap(&name);
        stage.change(|model| {
            for command in tapped {
                assert_eq!(model.command(command).len(), 1, "{look:?}");
            }
        });
        assert!(!stage.has(&name), "{look:?}: now it is on its way there");
    }
}

#[test]
fn staff_see_on_the_attract_page_what_a_printer_wants() {
    for look in looks() {
        let mut model = with_printer(at_slip(look, FLEX, SAVED, None));
        model.screen = Screen::Attract;
        model.session = None;
        let mut stage = Stage::of(model);
        for trouble in Trouble::ALL {
            stage.change(|model| set_printer(model, DeviceState::Trouble(trouble)));
            stage.assert_sound(&format!("{trouble:?} {look:?}"));
            let what = stage.t(&format!("print.trouble.{}", trouble.name()));
            let words = stage.t("attract.for_staff").replace("{what}", &what);
            assert!(stage.has(&words), "{:?}", stage.names());
        }
        stage.change(|model| set_printer(model, DeviceState::Ready));
        assert!(!stage.names().iter().any(|name| name.contains("{what}")));
    }
}

#[test]
fn further_taps_ask_for_no_second_paper() {
    let mut model = slip_with(usual(), None);
    assert_eq!(model.command(Command::Print).len(), 1);
    for _ in 0..5 {
        assert!(model.command(Command::Print).is_empty(), "it is on its way");
    }
    let id = model.session.as_ref().and_then(|s| s.slip.as_ref()).expect("a slip").envelope_id;
    for step in steps() {
        model.event(told(id, PrintKind::Slip, step));
        assert_eq!(model.print_of(id), Some(step));
        assert_eq!(model.screen, Screen::Slip, "no fault leads away");
    }
}

/// What store and printer's thread say.
fn told(envelope_id: EnvelopeId, kind: PrintKind, step: PrintStep) -> Event {
    Event::Print { envelope_id, kind, step }
}

/// Both printers, and a strip that waits for its roll.
fn strip_waits(look: Look) -> (Model, EnvelopeId) {
    let mut model = slip_with(look, None);
    model.devices.list.push(view(DeviceKind::PagePrinter, DeviceState::Ready));
    let id = model.session.as_ref().and_then(|s| s.slip.as_ref()).expect("a slip").envelope_id;
    assert_eq!(model.command(Command::Print).len(), 1);
    model.event(told(id, PrintKind::Slip, PrintStep::Waiting(Trouble::NoPaper)));
    (model, id)
}

#[test]
fn the_words_are_of_the_paper_that_is_printed_whatever_was_tapped_meanwhile() {
    for look in looks() {
        // A4 is tapped just as the roll begins: the store knows that the strip is being printed.
        let (mut model, id) = strip_waits(look);
        assert_eq!(model.command(Command::PrintPage).len(), 1);
        model.event(told(id, PrintKind::Slip, PrintStep::Printing));
        let mut stage = Stage::of(model);
        let says = |stage: &Stage, own: &str, other: &str| {
            assert!(stage.has(&stage.t(own)), "{look:?} {:?}", stage.names());
            assert!(!stage.has(&stage.t(other)), "{look:?} {:?}", stage.names());
        };
        says(&stage, "slip.print.printing", "slip.print.page_printing");
        stage.change(|model| drop(model.event(told(id, PrintKind::Slip, PrintStep::Printed))));
        says(&stage, "slip.print.printed", "slip.print.page_printed");
        // In time it becomes a page.
        let (mut model, id) = strip_waits(look);
        model.command(Command::PrintPage);
        model.event(told(id, PrintKind::Page, PrintStep::Printing));
        let mut stage = Stage::of(model);
        says(&stage, "slip.print.page_printing", "slip.print.printing");
        stage.change(|model| drop(model.event(told(id, PrintKind::Page, PrintStep::Printed))));
        says(&stage, "slip.print.page_printed", "slip.print.printed");
        assert_eq!(stage.tap(&stage.t("slip.print.again")), [Command::PrintPage], "one more of the same");
    }
}

#[test]
fn a_second_tap_on_the_large_print_button_ends_no_visit() {
    for look in looks().into_iter().filter(|look| look.size == terminal::model::TextSize::Elder) {
        let mut stage = Stage::of(slip_with(look, None));
        let button = stage.place(&stage.t("slip.print.print")).center();
        let id = stage.model().session.as_ref().and_then(|s| s.slip.as_ref()).expect("a slip").envelope_id;
        stage.change(|model| drop(model.command(Command::Print)));
        assert_eq!(stage.tap_at(button), [], "it is being printed");
        let waiting = PrintStep::Waiting(Trouble::NoPaper);
        stage.change(|model| drop(model.event(told(id, PrintKind::Slip, waiting))));
        assert_eq!(stage.tap_at(button), [], "it waits since a moment");
        stage.assert_sound(&format!("{look:?}"));
        let now_ms = stage.model().now_ms + 2_000;
        stage.change(|model| drop(model.event(Event::Tick { now_ms })));
        assert_eq!(stage.tap_at(button), [Command::Finish]);
    }
}
