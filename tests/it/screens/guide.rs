//! The guide and the pages after it: what an editor writes is what a citizen reads, and a sensitive matter is not named.
use std::sync::Arc;

use domain::catalogue::Entry;
use domain::ids::ItemCode;
use terminal::command::Command;
use terminal::model::{Look, Model, Network, Screen, TextSize};

use super::stage::{FLEX, NOW_MS, Stage, answer_all, catalogue, in_form, looks, person, usual};

/// Emergency help: a sensitive matter.
const SENSITIVE: &str = "mca.temp-relief";
/// Registering that somebody has no work: one that can be filled in here.
const SENSITIVE_FORM: &str = "hrss.unemp-reg";
/// Pages of the largest guide, and some.
const MOST_PAGES: usize = 8;

fn elder() -> Look {
    Look { size: TextSize::Elder, ..usual() }
}

fn at_guide(look: Look, code: &str) -> Model {
    let mut model = Model::new(catalogue(), NOW_MS);
    model.network = Network::Online;
    model.command(Command::Start(look.size));
    model.look = look;
    model.command(Command::OpenGuide(code.parse().expect("a code")));
    model
}

/// Every name of the guide and of the pages after it, each of which is sound.
fn read_all(stage: &mut Stage, about: &str) -> Vec<String> {
    let mut names = Vec::new();
    let next = stage.t("pager.next");
    let mut page = 0;
    loop {
        assert!(page < MOST_PAGES, "{about} does not end");
        stage.change(|model| model.list_page = page);
        stage.assert_sound(&format!("{about}, page {page}"));
        names.extend(stage.names());
        if page > 0 && !stage.has(&next) {
            return names;
        }
        page += 1;
    }
}

#[test]
fn the_summary_stands_on_the_guide_and_the_steps_are_one_tap_away() {
    let item = catalogue().items[&FLEX.parse::<ItemCode>().expect("a code")].clone();
    for look in [usual(), elder()] {
        for mut stage in [Stage::of(at_guide(look, FLEX)), Stage::upright(at_guide(look, FLEX))] {
            assert!(stage.has(&item.guide.one_line.zh), "{look:?}");
            let open = stage.t("guide.details_open");
            stage.go_on(&open);
            assert_eq!(
                (stage.model().list_page, &stage.model().screen),
                (1, &Screen::Guide(item.code.clone()))
            );
            assert!(stage.has(&item.guide.how[0].zh), "{look:?}");
            assert!(stage.has(&stage.t("guide.begin")), "it can be begun here as well");
            stage.go_on(&stage.t("pager.previous"));
            assert!(stage.has(&open), "back on the guide");
        }
    }
}

#[test]
fn what_an_editor_writes_is_what_a_citizen_reads() {
    let catalogue = catalogue();
    for look in [usual(), elder()] {
        let mut wide = Stage::of(at_guide(look, FLEX));
        let mut narrow = Stage::upright(at_guide(look, FLEX));
        for code in catalogue.items.keys().chain(catalogue.bundles.keys()) {
            let entry = catalogue.entry(code).expect("there");
            for stage in [&mut wide, &mut narrow] {
                stage.change(|model| model.screen = Screen::Guide(code.clone()));
                let names = read_all(stage, &format!("{code} {look:?}"));
                let told =
                    |words: &str| assert!(names.iter().any(|n| n == words), "{code}: {words} {names:?}");
                entry.guide().how.iter().chain(&entry.guide().common_mistakes).for_each(|t| told(&t.zh));
                let Entry::Item(item) = entry else { continue };
                assert!(names.iter().any(|name| name.starts_with("法定期限：")), "{code}");
                if !item.sensitive {
                    told(&item.guide.one_line.zh);
                    item.legal_basis.iter().for_each(|basis| told(&basis.name));
                }
            }
        }
    }
}

#[test]
fn the_pages_after_the_guide_stand_in_every_look() {
    for look in looks() {
        for code in
            [FLEX, "hrss.survivor-benefit", "one.afterlife", "psb.no-crime", "hrss.resident-pension-claim"]
        {
            read_all(&mut Stage::of(at_guide(look, code)), &format!("{code} {look:?}"));
            read_all(&mut Stage::upright(at_guide(look, code)), &format!("{code} upright {look:?}"));
        }
    }
}

#[test]
fn a_sensitive_matter_is_not_named_once_it_is_opened() {
    let unnamed = |code: &str, names: &[String]| {
        let item = catalogue().items[&code.parse::<ItemCode>().expect("a code")].clone();
        let basis = item.legal_basis.iter().map(|basis| basis.name.clone());
        for cause in [item.name.zh.clone(), item.guide.one_line.zh.clone()].into_iter().chain(basis) {
            // A paper to be signed may be called after the matter; nothing else is.
            let named = |name: &String| *name == cause || name.starts_with(&format!("{cause} ·"));
            assert!(!names.iter().any(named), "{code}: {cause} in {names:?}");
        }
        let neutral = item.neutral_title.as_ref().expect("a neutral title").zh.clone();
        assert!(names.iter().any(|name| name.contains(&neutral)), "{code}: {neutral} in {names:?}");
    };
    for look in [usual(), elder()] {
        for code in [SENSITIVE, SENSITIVE_FORM] {
            unnamed(code, &read_all(&mut Stage::of(at_guide(look, code)), code));
        }
        let form = || in_form(look, SENSITIVE_FORM, person()).expect("its form");
        unnamed(SENSITIVE_FORM, &Stage::of(form()).names());
        let mut model = form();
        answer_all(&mut model);
        model.screen = Screen::Check;
        unnamed(SENSITIVE_FORM, &Stage::of(model).names());
    }
}

#[test]
fn an_item_that_is_offered_instead_is_told_by_its_neutral_title() {
    let mut changed = catalogue().as_ref().clone();
    let code: ItemCode = FLEX.parse().expect("a code");
    let item = changed.items.get_mut(&code).expect("the item");
    item.withdrawn = Some(domain::item::Withdrawal {
        since: "2026-01-01".parse().expect("a date"),
        reason: domain::text::Text::new("停办", "Stopped"),
        instead: Some(SENSITIVE.parse().expect("a code")),
    });
    let mut model = at_guide(usual(), FLEX);
    model.catalogue = Arc::new(changed);
    let stage = Stage::of(model);
    assert!(stage.names().iter().any(|name| name.contains("民政临时事项")), "{:?}", stage.names());
    assert!(!stage.names().iter().any(|name| name.contains("临时救助")));
}
