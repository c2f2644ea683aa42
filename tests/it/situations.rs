//! Situation answers on both ends: the form that the terminal shows is the form by which the centre judges.
use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use domain::case::CaseState;
use domain::catalogue::{Catalogue, Entry};
use domain::date::CivilDate;
use domain::form::{Answers, Facts, Form, Layout};
use domain::ids::{EnvelopeId, ItemCode};
use domain::situation::{MisfitKind, NoForm, Question, SituationAnswers, form_for, questions, resolve};
use domain::wire::v1::{ChangeNews, Outcome, Submission};
use serde_json::{Value, json};
use sync_server::jobs::open_case::form_of;
use sync_server::services::catalogue::{Shelf, Volume};
use terminal::command::Command;
use terminal::event::Event;
use terminal::model::{Model, Screen, TextSize};
use tests::device::{Device, courier, header_of, now_ms, own_matter};
use tests::link::{Link, State};
use tests::server::Server;
use tests::visit;

use super::screens::stage;

/// The most ways to answer the questions of one entry that are tried.
const MAX_WAYS: usize = 4_096;
/// An item whose form depends on the answers.
const CARE: &str = "nhsa.remote-temp";

/// Every way to answer the questions, those that end the matter included.
fn ways(asked: &[&Question]) -> Vec<SituationAnswers> {
    let mut all = vec![SituationAnswers::new()];
    for question in asked {
        let ids: Vec<&String> = question.options.iter().map(|option| &option.id).collect();
        let sets: Vec<BTreeSet<String>> = match question.multi {
            true => (0..1_u32 << ids.len())
                .map(|set| {
                    (0..ids.len()).filter(|at| set & (1 << at) != 0).map(|at| ids[at].clone()).collect()
                })
                .collect(),
            false => ids.iter().map(|id| BTreeSet::from([(*id).clone()])).collect(),
        };
        let with = |answers: &SituationAnswers, set: &BTreeSet<String>| {
            let mut answers = answers.clone();
            answers.insert(question.id.clone(), set.clone());
            answers
        };
        all = all.iter().flat_map(|answers| sets.iter().map(|set| with(answers, set))).collect();
        assert!(all.len() <= MAX_WAYS);
    }
    all
}

/// Answers the questions on the screen in this way; the model is where that leads.
fn answered(model: &mut Model, code: &ItemCode, way: &SituationAnswers) {
    model.command(Command::Home);
    model.command(Command::OpenGuide(code.clone()));
    model.command(Command::Begin);
    while let Some(question) = model.question().filter(|_| model.screen == Screen::Question) {
        let (id, chosen) = (question.id.clone(), way.get(&question.id).cloned().unwrap_or_default());
        if chosen.is_empty() {
            model.command(Command::Choose { question: id.clone(), option: None });
        }
        for option in chosen {
            model.command(Command::Choose { question: id.clone(), option: Some(option) });
        }
        model.command(Command::Continue);
    }
    if model.screen == Screen::Needs {
        model.command(Command::Continue);
    }
}

/// What the centre makes of a way: its form, or that the matter ends.
fn at_the_centre(volume: &Volume, code: &ItemCode, way: &SituationAnswers) -> Option<Form> {
    match form_of(volume, code, Some(way)) {
        Ok(Ok(form)) => Some(form),
        Ok(Err(misfits)) => {
            let ends = |kind| matches!(kind, MisfitKind::Ends | MisfitKind::NothingLeft);
            assert!(misfits.iter().all(|misfit| ends(misfit.kind)), "{code} {way:?}: {misfits:?}");
            None
        }
        Err(reason) => unreachable!("{code} {way:?}: {reason:?}"),
    }
}

/// Plan, errors of empty answers and errors of every answer being wrong are the same.
fn same_form(one: &Form, other: &Form, about: &str) {
    let facts = Facts::on("2026-11-24".parse().expect("a day"));
    let mut wrong = Answers::default();
    for field in one.spec().fields() {
        wrong.set(&field.key, json!("?"));
    }
    for mut answers in [Answers::default(), wrong] {
        assert_eq!(one.validate_with(&answers, &facts), other.validate_with(&answers, &facts), "{about}");
        one.prefill(&mut answers, &facts);
        let plans = [one, other].map(|form| form.plan(&answers, &facts, Layout::Grouped));
        assert_eq!(plans[0], plans[1], "{about}");
    }
}

fn entries(catalogue: &Catalogue) -> impl Iterator<Item = Entry<'_>> {
    catalogue.items.values().map(Entry::Item).chain(catalogue.bundles.values().map(Entry::Bundle))
}

#[test]
fn both_ends_make_the_same_form_of_every_way_to_answer() {
    let catalogue = stage::catalogue();
    let read = Catalogue::from_document(&catalogue.to_document().json).expect("the document is readable");
    let volume = Shelf::default().put(read);
    let mut model = Model::new(Arc::clone(&catalogue), stage::NOW_MS);
    model.network = terminal::model::Network::Online;
    model.command(Command::Start(TextSize::Normal));
    model.event(Event::CardRead(Box::new(stage::person())));
    let (mut forms, mut ends, mut refused, mut elsewhere) = (0, 0, 0, 0);
    for entry in entries(&catalogue) {
        let code = entry.code().clone();
        for way in ways(&questions(&catalogue, entry)) {
            let about = format!("{code} {way:?}");
            let centre = at_the_centre(&volume, &code, &way);
            answered(&mut model, &code, &way);
            let session = model.session.as_ref().expect("a session");
            match (&model.screen, centre) {
                (Screen::Form, Some(centre)) => {
                    assert_eq!(session.situation.answers, way);
                    same_form(session.form.as_ref().expect("a form"), &centre, &about);
                    forms += 1;
                }
                (Screen::Ended, None) => ends += 1,
                // The form needs what this terminal cannot take, or the card is none for the item.
                (Screen::Needs, Some(centre)) => {
                    assert!(!centre.unsupported().is_empty(), "{about}");
                    refused += 1;
                }
                (Screen::Card, Some(_)) => elsewhere += 1,
                (Screen::Guide(_), _) => {
                    assert!(model.can_begin(&code).is_err(), "{about}");
                    elsewhere += 1;
                }
                (screen, centre) => unreachable!("{about}: {screen:?}, {centre:?}"),
            }
        }
    }
    assert!(forms > 300 && ends > 30 && refused > 50, "{forms} {ends} {refused} {elsewhere}");
}

/// Answers of a terminal that asked about care elsewhere after a referral.
fn referred() -> Submission {
    let mut situation = own_matter();
    situation.insert("why".to_owned(), BTreeSet::from(["referral".to_owned()]));
    let today = CivilDate::in_china(now_ms());
    let before = courier();
    let answers = json!({
        "remote_type": "异地转诊",
        "treat_region": "610102",
        "hospital": "样例医院",
        "start_date": today.to_string(),
        "end_date": today.plus_days(3).to_string(),
        "phone": "13900139000",
        "sign": before.answers["sign"],
    });
    Submission {
        answers: answers.as_object().cloned().unwrap_or_default(),
        situation: Some(situation),
        ..before
    }
}

fn choose(submission: &mut Submission, question: &str, options: &[&str]) {
    let chosen = options.iter().map(|option| (*option).to_owned()).collect();
    submission.situation.get_or_insert_default().insert(question.to_owned(), chosen);
}

/// What a case became when it was opened, heard through the news of its station.
fn opened(server: &Server, device: &Device, id: EnvelopeId) -> Result<CaseState> {
    let mut cursor = 0;
    for _ in 0..200 {
        let news = device.changes(server, cursor, 20)?;
        cursor = news.cursor;
        for change in news.changes {
            if let ChangeNews::Case(case) = change.news
                && case.envelope_id == id
                && case.state != CaseState::Received
            {
                return Ok(case.state);
            }
        }
    }
    bail!("the case was never opened")
}

/// Why the centre sent a case back, `field: kind` each; empty if it took it.
fn judged(server: &Server, device: &mut Device, submission: &Submission) -> Result<Vec<String>> {
    let plain = serde_json::to_vec(submission)?;
    let upload = device.seal_with(&plain, |header| header.item = CARE.parse().ok())?;
    let header = header_of(&upload)?;
    let result = device.send(server, std::slice::from_ref(&upload))?.results.remove(0);
    ensure!(result.outcome == Outcome::Accepted, "{:?}", result.problem);
    let id = header.envelope_id;
    match opened(server, device, id)? {
        CaseState::Submitted => return Ok(Vec::new()),
        CaseState::Returned => {}
        other => bail!("the case is {other:?}"),
    }
    let sql = "SELECT body FROM action WHERE envelope_id = $1 ORDER BY version DESC";
    let rows = server.rows(sql, &[id.to_string().into()])?;
    let action: Value = serde_json::from_str(rows.first().context("an action")?.text(0)?)?;
    let reasons = action["reasons"].as_array().cloned().unwrap_or_default();
    let said = |reason: &Value| {
        format!(
            "{}: {}",
            reason["field"].as_str().unwrap_or_default(),
            reason["kind"].as_str().unwrap_or_default()
        )
    };
    Ok(reasons.iter().map(said).collect())
}

#[test]
fn the_centre_judges_by_the_form_that_the_answers_make() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let mut device = Device::enrol(&server, 1)?;
    let mut table: Vec<(Submission, Vec<&str>)> = vec![(referred(), vec![])];
    // The plain form asks for no hospital; after a referral it must be named.
    let mut bare = referred();
    bare.answers.remove("hospital");
    table.push((bare.clone(), vec!["hospital: required"]));
    // A program that asked nothing filled in the plain form.
    bare.situation = None;
    table.push((bare.clone(), vec![]));
    // On one's own account the kind is another one, and a hospital is not looked at.
    let mut own = referred();
    choose(&mut own, "why", &["own"]);
    table.push((own.clone(), vec!["remote_type: not_a_choice"]));
    own.answers.insert("remote_type".into(), json!("其他临时外出就医"));
    table.push((own, vec![]));
    let wrongs: [(&[&str], &str); 4] = [
        (&["13900139000"], "situation.why: not_a_choice"),
        (&["referral", "own"], "situation.why: not_a_choice"),
        (&[], "situation.why: required"),
        (&["long"], "situation.why: ends"),
    ];
    for (options, kind) in wrongs {
        let mut wrong = referred();
        choose(&mut wrong, "why", options);
        table.push((wrong, vec![kind]));
    }
    let mut unknown = referred();
    choose(&mut unknown, "13900139000", &["x"]);
    table.push((unknown, vec!["-: unknown_field"]));
    // Whose matter it is decides about no field.
    let mut unsaid = referred();
    unsaid.situation.get_or_insert_default().remove("agent");
    table.push((unsaid, vec![]));
    for (at, (submission, wanted)) in table.iter().enumerate() {
        let told = judged(&server, &mut device, submission).with_context(|| format!("row {at}"))?;
        assert_eq!(told, *wanted, "row {at}");
    }
    let sql = "SELECT number FROM case_ WHERE reason = $1";
    let rows = server.rows(sql, &["situation.why:not_a_choice".into()])?;
    let number = rows.first().context("a case")?.text(0)?.to_owned();
    let page = server.page(&format!("/cases/{number}"))?.text();
    let why = &stage::catalogue().items[&CARE.parse::<ItemCode>()?].situations.questions[0].text.zh;
    assert!(page.contains(why.as_str()) && page.contains("不在选项中"), "the reason is told in words");
    assert!(!page.contains("13900139000"));
    Ok(())
}

#[test]
fn a_case_with_its_situation_goes_from_the_terminal_to_its_department() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let data = tempfile::tempdir()?;
    visit::enrol(&server, data.path())?;
    let link = Link::new()?;
    let mut terminal = visit::start(&visit::config(data.path(), &link.secure_url()));
    terminal.command(Command::Start(TextSize::Normal));
    terminal.command(Command::OpenGuide(CARE.parse()?));
    terminal.command(Command::Begin);
    visit::choose(&mut terminal, Some("self"))?;
    terminal.command(Command::Continue);
    visit::choose(&mut terminal, Some("referral"))?;
    terminal.command(Command::Continue);
    visit::laid(&mut terminal, data.path())?;
    let asked = |key: &str| {
        let plan = terminal.model().session.as_ref().map(|session| session.plan.clone()).unwrap_or_default();
        plan.pages.iter().flat_map(|page| &page.fields).any(|field| field.key == key && field.required)
    };
    ensure!(asked("hospital"), "the hospital is not asked for");
    let sent = referred().answers;
    let answers: Vec<(&str, Value)> = ["treat_region", "hospital", "start_date", "end_date", "phone", "sign"]
        .into_iter()
        .map(|key| (key, sent[key].clone()))
        .collect();
    visit::fill_with(&mut terminal, &answers)?;
    visit::submit(&mut terminal)?;
    link.set(State::Up, &server.terminals)?;
    let slip = visit::delivered(&mut terminal)?;
    let became = || -> Result<String> {
        let sql = "SELECT state, reason FROM case_ WHERE envelope_id = $1";
        let rows = server.rows(sql, &[slip.envelope_id.to_string().into()])?;
        let row = rows.first().context("a case")?;
        Ok(format!("{} {}", row.text(0)?, row.text(1)?))
    };
    terminal.wait_until(visit::PATIENCE, |_| became().is_ok_and(|state| !state.starts_with("received")));
    assert_eq!(became()?, "submitted ");
    Ok(())
}

#[test]
fn questions_and_forms_of_the_sample_never_contradict_each_other() {
    let catalogue = stage::catalogue();
    for entry in entries(&catalogue) {
        let form = Form::compile(entry.form()).expect("compiles");
        for way in ways(&questions(&catalogue, entry)) {
            let made = form_for(&catalogue, entry, &form, Some(&way));
            assert!(!matches!(made, Err(NoForm::Form(_))), "{} {way:?}: {made:?}", entry.code());
            let ended = resolve(&catalogue, entry, &way);
            assert_eq!(made.is_err(), ended.ended.is_some() || ended.nothing_left.is_some(), "{way:?}");
        }
    }
}
