//! All bundles of the sample catalogue, run from acceptance to their end: passed throughout, refused at each step, with
//! a shared field that changes late, and with each condition that turns.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use domain::bundle::{Bundle, DoneBy, Step, StepKind};
use domain::case::{Action, CaseView, FailPolicy, Outcome, Plan, PlanError, Recorded, StepState};
use domain::catalogue::{Catalogue, Entry, Review, answers};
use domain::expr::Expr;
use domain::situation::SituationAnswers;

/// More clicks than any case takes.
const MANY: usize = 400;

fn sample() -> Review {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/catalogue");
    let mut files = BTreeMap::new();
    for sub in ["", "items", "bundles"] {
        for entry in std::fs::read_dir(folder.join(sub)).expect("a folder").flatten() {
            let name = Path::new(sub).join(entry.file_name()).to_string_lossy().into_owned();
            if entry.path().is_file() && !name.ends_with(".md") {
                files.insert(name, std::fs::read(entry.path()).expect("a file"));
            }
        }
    }
    Catalogue::review(&files, Vec::new())
}

fn catalogue() -> Catalogue {
    let review = sample();
    assert!(review.errors.is_empty(), "{:#?}", review.errors);
    review.catalogue.expect("a catalogue")
}

/// A bundle with the plans of all combinations of answers, with all conditions true and with all of them false.
fn plans(catalogue: &Catalogue, bundle: &Bundle) -> Vec<(SituationAnswers, Plan)> {
    let mut plans = Vec::new();
    for given in answers(&bundle.situations.questions).expect("not too many answers") {
        for holds in [true, false] {
            let plan = Plan::of(catalogue, Entry::Bundle(bundle), &given, &|_: &Expr| holds);
            match plan {
                Ok(plan) => plans.push((given.clone(), plan)),
                Err(PlanError::NothingToDo) if bundle.situations.if_nothing_left.is_some() => {}
                Err(error) => unreachable!("{}: {given:?}: {error}", bundle.code),
            }
        }
    }
    plans
}

/// A case that people work at.
struct Walk {
    view: CaseView,
    told: String,
}

impl Walk {
    fn begin(bundle: &Bundle, given: &SituationAnswers, plan: Plan) -> Self {
        let number = "XN26112400100013".parse().expect("a number");
        let first = Action::Received { number, slip_number: None };
        let view = CaseView::begin(&Recorded { version: 1, at_ms: 0, action: first }).expect("begins");
        let mut walk = Self { view, told: format!("{} {given:?}", bundle.code) };
        walk.does(Action::Submitted { plan });
        walk.does(Action::accepted());
        walk
    }

    fn does(&mut self, action: Action) {
        let version = self.view.version + 1;
        let next = Recorded { version, at_ms: 1_000 * version as i64, action };
        if let Err(error) = self.view.apply(&next) {
            unreachable!("{}: {:?}: {error}", self.told, next.action);
        }
    }

    fn ready(&self) -> Option<String> {
        self.view.steps.iter().find(|step| step.state == StepState::Ready).map(|step| step.id.clone())
    }

    fn state(&self, id: &str) -> StepState {
        self.view.step(id).expect("the step").state
    }

    /// Another person for each level.
    fn pass(&mut self, step: &str) {
        let by = format!("u{}", self.view.step(step).expect("the step").passed_by.len());
        self.does(Action::Passed { step: step.to_owned(), by, text: None });
    }

    /// Passes all that can be, until a step can be done or nothing is left.
    fn until(&mut self, stop: Option<&str>) {
        for _ in 0..MANY {
            if let Some(again) = self.view.to_reopen() {
                self.does(again);
                continue;
            }
            match self.ready() {
                Some(step) if Some(step.as_str()) == stop => return,
                Some(step) => self.pass(&step),
                None => return,
            }
        }
        unreachable!("{}: goes on for ever: {:?}", self.told, self.view.steps);
    }

    /// Goes on to the end; gives the outcome.
    fn end(mut self) -> (Outcome, CaseView) {
        self.until(None);
        let outcome = self.view.outcome_of_steps();
        let Some(outcome) = outcome else { unreachable!("{}: stuck: {:?}", self.told, self.view.steps) };
        self.does(Action::Completed { outcome: Some(outcome), text: None });
        assert_eq!(self.view.outcome, Some(outcome));
        assert!(self.view.steps.iter().all(|step| !step.state.is_open()) && !self.view.is_standing());
        (outcome, self.view)
    }
}

fn each(mut what: impl FnMut(&Catalogue, &Bundle)) {
    let catalogue = catalogue();
    assert_eq!(catalogue.bundles.len(), 21, "the sample has as many");
    catalogue.bundles.values().for_each(|bundle| what(&catalogue, bundle));
}

fn decides(step: &Step) -> bool {
    step.kind.needs_department()
}

#[test]
fn each_bundle_says_what_there_is_to_say_of_its_steps() {
    each(|_, bundle| {
        let code = &bundle.code;
        assert_eq!(bundle.steps_certainty, Some(domain::item::Certainty::Sample), "{code} is a sample");
        let (mut fields, mut materials) = (BTreeSet::new(), BTreeSet::new());
        for step in &bundle.steps {
            let id = format!("{code} {}", step.id);
            assert!(step.by.is_some(), "{id}: by whom?");
            if step.kind == StepKind::Accept {
                assert!(step.fail.is_none() && bundle.needs(step).is_none(), "{id} sees all");
                continue;
            }
            assert!(step.fail.is_some(), "{id}: and if it is refused?");
            let needs = bundle.needs(step).unwrap_or_else(|| unreachable!("{id} sees all"));
            assert!(
                needs.len() < bundle.form.keys().count() + bundle.materials.len(),
                "{id} sees everything"
            );
            fields.extend(step.fields.iter().flatten().map(String::as_str));
            materials.extend(step.materials.iter().flatten().filter_map(|name| bundle.material(name)));
            if step.by != Some(DoneBy::Department) {
                assert!(!decides(step), "{id} is decided by nobody");
            }
        }
        fields.extend(bundle.desk_only.iter().map(String::as_str));
        assert_eq!(fields, bundle.form.keys().collect(), "{code}: each field is for somebody");
        assert_eq!(materials.len(), bundle.materials.len(), "{code}: each material is for somebody");
        for (key, steps) in &bundle.reopened_by {
            let known = |id: &String| bundle.steps.iter().any(|step| step.id == *id && decides(step));
            assert!(!steps.is_empty() && steps.iter().all(known), "{code} {key}: {steps:?}");
        }
    });
}

#[test]
fn the_sample_has_a_period_of_the_law_levels_conditions_and_each_policy() {
    let catalogue = catalogue();
    let steps: Vec<&Step> = catalogue.bundles.values().flat_map(|bundle| &bundle.steps).collect();
    let count = |what: &dyn Fn(&&&Step) -> bool| steps.iter().filter(what).count();
    assert_eq!(count(&|step| step.statutory.is_some()), 1, "简易注销公示");
    assert!(count(&|step| step.levels > 1) >= 10 && count(&|step| step.when.is_some()) >= 8);
    for fail in [FailPolicy::All, FailPolicy::Partial, FailPolicy::Alone] {
        assert!(count(&|step| step.fail == Some(fail)) >= 20, "{fail:?}");
    }
    for by in [DoneBy::Applicant, DoneBy::Post, DoneBy::System] {
        assert!(count(&|step| step.by == Some(by)) >= 3, "{by:?}");
    }
}

#[test]
fn what_a_bundle_says_of_a_step_stands_in_its_plan() {
    let mut lost = BTreeSet::new();
    each(|catalogue, bundle| {
        for holds in [true, false] {
            let given = SituationAnswers::new();
            let plan = Plan::of(catalogue, Entry::Bundle(bundle), &given, &|_| holds).expect("a plan");
            for (step, planned) in bundle.steps.iter().zip(plan.steps()) {
                let table = [
                    ("id", step.id == planned.id),
                    ("unit", step.department == planned.unit && step.kind == planned.kind),
                    ("by", step.by == planned.by),
                    ("fail", step.fail.unwrap_or_default() == planned.fail),
                    ("levels", step.levels == planned.levels),
                    ("statutory", step.statutory == planned.statutory),
                    ("off", planned.off == (step.when.is_some() && !holds)),
                    ("sees", bundle.needs(step) == planned.sees),
                    ("reopened_by", bundle.reopens(&step.id) == planned.reopened_by),
                ];
                lost.extend(table.into_iter().filter(|(_, kept)| !kept).map(|(name, _)| name));
            }
        }
    });
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn each_step_is_reached_and_each_case_ends_granted() {
    each(|catalogue, bundle| {
        let mut reached = BTreeSet::new();
        for (given, plan) in plans(catalogue, bundle) {
            let (outcome, view) = Walk::begin(bundle, &given, plan).end();
            assert_eq!(outcome, Outcome::Granted, "{} {given:?}", bundle.code);
            let passed = view.steps.iter().filter(|step| step.state == StepState::Passed);
            reached.extend(passed.map(|step| step.id.clone()));
        }
        let all: BTreeSet<String> = bundle.steps.iter().map(|step| step.id.clone()).collect();
        assert_eq!(reached, all, "{}", bundle.code);
    });
}

#[test]
fn a_refusal_at_each_step_leads_to_the_end_that_its_policy_says() {
    each(|catalogue, bundle| {
        for (given, plan) in plans(catalogue, bundle) {
            for step in plan.steps().iter().filter(|step| step.kind != StepKind::Accept && !step.off) {
                let mut walk = Walk::begin(bundle, &given, plan.clone());
                walk.until(Some(&step.id));
                let told = format!("{}: {}", walk.told, step.id);
                assert_eq!(walk.state(&step.id), StepState::Ready, "{told} is never reached");
                let by = "u9".to_owned();
                walk.does(Action::Refused { step: step.id.clone(), by, basis: "0".into(), text: None });
                if step.fail == FailPolicy::All {
                    assert_eq!(walk.view.outcome_of_steps(), Some(Outcome::Refused), "{told}");
                    continue;
                }
                let followers: BTreeSet<String> =
                    plan.followers(&step.id).into_iter().map(str::to_owned).collect();
                let (outcome, view) = walk.end();
                let blocked: BTreeSet<String> = view
                    .steps
                    .iter()
                    .filter(|step| step.state == StepState::Blocked)
                    .map(|step| step.id.clone())
                    .collect();
                let off = |id: &String| plan.step(id).is_some_and(|step| step.off);
                let stopped: BTreeSet<String> = match step.fail {
                    FailPolicy::Partial => followers.into_iter().filter(|id| !off(id)).collect(),
                    _ => BTreeSet::new(),
                };
                assert_eq!(blocked, stopped, "{told}");
                let granted = view.steps.iter().any(|step| {
                    let grants = plan.step(&step.id).is_some_and(|planned| planned.kind.grants());
                    step.state == StepState::Passed && grants
                });
                let expected = match step.fail {
                    FailPolicy::Alone if !step.kind.grants() => Outcome::Granted,
                    _ if granted => Outcome::PartlyGranted,
                    _ => Outcome::Refused,
                };
                assert_eq!(outcome, expected, "{told}");
            }
        }
    });
}

#[test]
fn a_shared_field_that_changes_late_is_decided_on_again_by_each_step_that_says_so() {
    each(|catalogue, bundle| {
        let envelope = "01930000-0000-7000-8000-000000000000".parse().expect("an id");
        let (given, plan) = plans(catalogue, bundle).into_iter().next().expect("a plan");
        for key in bundle.form.keys() {
            let mut walk = Walk::begin(bundle, &given, plan.clone());
            walk.until(None);
            let done: BTreeSet<String> = walk.view.steps.iter().map(|step| step.id.clone()).collect();
            walk.does(Action::supplement(envelope, &[key]));
            let mut reopened = BTreeSet::new();
            while let Some(action) = walk.view.to_reopen() {
                reopened.extend(action.step().map(str::to_owned));
                walk.does(action);
            }
            let said = bundle.reopened_by.get(key).into_iter().flatten();
            let said: BTreeSet<&String> = said.filter(|id| done.contains(*id)).collect();
            let open = |id: &str| walk.state(id).is_open();
            assert!(said.iter().all(|id| open(id)), "{}: {key}: {said:?}", walk.told);
            let told = reopened.iter().all(|id| said.contains(id));
            assert!(told, "{}: {key}: {reopened:?}, {said:?}", walk.told);
            let after = reopened.iter().flat_map(|id| plan.followers(id)).all(&open);
            assert!(after && reopened.is_empty() == said.is_empty(), "{}: {key}", walk.told);
            assert_eq!(walk.end().0, Outcome::Granted);
        }
    });
}

#[test]
fn each_condition_may_turn_and_the_case_goes_on() {
    each(|catalogue, bundle| {
        for (given, plan) in plans(catalogue, bundle) {
            let rules: Vec<&Step> = bundle.steps.iter().filter(|step| step.when.is_some()).collect();
            for step in rules.into_iter().filter(|step| plan.step(&step.id).is_some()) {
                let keys: Vec<String> = bundle.form.keys().map(str::to_owned).collect();
                let mut walk = Walk::begin(bundle, &given, plan.clone());
                let was_on = !plan.step(&step.id).is_some_and(|planned| planned.off);
                for on in [!was_on, was_on, !was_on] {
                    let actions = walk.view.switched(bundle, &keys, &|_| on);
                    actions.into_iter().for_each(|action| walk.does(action));
                    assert_eq!(walk.state(&step.id) != StepState::Skipped, on, "{}: {}", walk.told, step.id);
                }
                assert_eq!(walk.end().0, Outcome::Granted);
            }
        }
    });
}

#[test]
fn a_step_behind_one_that_is_not_needed_still_waits_for_what_comes_before_that() {
    let catalogue = catalogue();
    let mut bundle = catalogue.bundles[&"one.ridehail".parse().expect("a code")].clone();
    let rule = serde_json::json!({"answered": "vin"});
    let step = bundle.steps.iter_mut().find(|step| step.id == "s3").expect("the step");
    step.when = Some(serde_json::from_value(rule).expect("a rule"));
    let given = SituationAnswers::new();
    let plan = Plan::of(&catalogue, Entry::Bundle(&bundle), &given, &|_| false).expect("a plan");
    let depends = &plan.step("s5").expect("the step").depends;
    assert_eq!(depends, &["s3", "s4", "s2"], "s2 stands before s3, which is off");
}
