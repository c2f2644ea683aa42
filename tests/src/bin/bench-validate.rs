//! `validate`: one check of a filled form, beside the bare JSON Schema validator on the same answers; compiling all
//! forms of the sample catalogue; planning and checking the largest form that compiles; and, apart from it, opening a
//! sealed submission in each suite.
use std::hint::black_box;

use anyhow::{Context as _, Result, ensure};
use domain::catalogue::Catalogue;
use domain::date::CivilDate;
use domain::envelope::{DataKey, Nonce, SealingKey, Suite};
use domain::form::{Answers, Facts, Form, FormSpec, Layout, MAX_CELLS};
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::Value;
use sync_server::startup::load_catalogue;
use tests::bench::largest_form::largest_form;
use tests::bench::row::Row;
use tests::bench::stats::{in_turns, median, micros_a_call};
use tests::binaries::repository;
use tests::device::{ITEM, courier, now_ms};

fn main() -> Result<()> {
    let rounds = if std::env::args().any(|a| a == "--quick") { 3 } else { 9 };
    let catalogue = load_catalogue(&repository().join("assets/catalogue"))?;
    let entry = catalogue.entry(&ITEM.parse()?).context("the sample item")?;
    let form = Form::compile(entry.form())?;
    let bare = bare(entry.form())?;
    let today = CivilDate::in_china(now_ms());
    let answers = Answers::from_map(courier().answers);
    let instance = Value::Object(answers.as_map().clone());
    ensure!(form.validate(&answers, today).is_empty() && bare.is_valid(&instance), "the sample is valid");
    let real = |_| Ok(micros_a_call(5, || drop(black_box(form.validate(black_box(&answers), today)))));
    let floor = |_| {
        Ok(micros_a_call(5, || {
            black_box(bare.is_valid(black_box(&instance)));
        }))
    };
    let (real, floor) = in_turns(rounds, real, floor)?;
    Row::beside("validate.check", median(&real), "us", median(&floor)).tell()?;
    let content = serde_json::to_vec(answers.as_map())?;
    for suite in Suite::ALL {
        opening(suite, &content, rounds)?;
    }
    compiling(&catalogue, rounds)?;
    largest(today, rounds)
}

/// What a screen pays at each change of an answer, at most 2 ms: the plan of the largest form.
fn largest(today: CivilDate, rounds: usize) -> Result<()> {
    let (spec, answers) = largest_form()?;
    let (form, facts) = (Form::compile(&spec)?, Facts::on(today));
    let plan = form.plan(&answers, &facts, Layout::Grouped);
    let fields: usize = plan.pages.iter().map(|page| page.fields.len()).sum();
    ensure!(fields == MAX_CELLS && form.validate(&answers, today).is_empty(), "{fields} fields are planned");
    let timed =
        |call: &dyn Fn()| median(&(0..rounds).map(|_| micros_a_call(1, call) / 1e3).collect::<Vec<_>>());
    let planned = timed(&|| drop(black_box(form.plan(black_box(&answers), &facts, Layout::Grouped))));
    Row::alone("form.plan_largest", planned, "ms").tell()?;
    let checked = timed(&|| drop(black_box(form.validate(black_box(&answers), today))));
    Row::alone("form.validate_largest", checked, "ms").tell()
}

/// What the centre pays before it can check a form: its data key is unwrapped, its content opened.
fn opening(suite: Suite, content: &[u8], rounds: usize) -> Result<()> {
    const HEADER: &[u8] = b"a header";
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let centre = SealingKey::random(suite, &mut rng);
    let (key, id, nonce) =
        (DataKey::random(suite, &mut rng), EnvelopeId::new(now_ms(), &mut rng), Nonce::new(&mut rng));
    let wrapped = key.wrap(&centre.public(), id, &mut rng)?;
    let sealed = key.encrypt(nonce, content, HEADER)?;
    let open = || centre.unwrap_key(&wrapped, id).and_then(|key| key.decrypt(nonce, &sealed, HEADER));
    ensure!(open()?.as_slice() == content, "it opens");
    let timed: Vec<_> = (0..rounds).map(|_| micros_a_call(5, || drop(black_box(open())))).collect();
    Row::alone(&format!("open.suite_{}", u8::from(suite)), median(&timed), "us").tell()
}

fn compiling(catalogue: &Catalogue, rounds: usize) -> Result<()> {
    let items = catalogue.items.values().map(|i| &i.form);
    let specs: Vec<&FormSpec> = items.chain(catalogue.bundles.values().map(|b| &b.form)).collect();
    let all = |compile: &dyn Fn(&FormSpec) -> bool| {
        micros_a_call(1, || {
            black_box(specs.iter().filter(|spec| compile(spec)).count());
        }) / 1e3
    };
    let real = |_| Ok(all(&|spec| Form::compile(spec).is_ok()));
    let floor = |_| Ok(all(&|spec| bare_compiles(spec)));
    let (real, floor) = in_turns(rounds.min(5), real, floor)?;
    Row::beside("validate.compile_all_forms", median(&real), "ms", median(&floor)).tell()
}

/// The library's own validator, which ignores keywords that it does not know.
fn bare(spec: &FormSpec) -> Result<jsonschema::Validator> {
    jsonschema::draft202012::new(&spec.schema).map_err(|e| anyhow::anyhow!("{e}"))
}

fn bare_compiles(spec: &FormSpec) -> bool {
    bare(spec).is_ok()
}
