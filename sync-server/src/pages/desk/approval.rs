//! 自动审批 on the page of a case: what the rules said and why, rule by rule, and which data sources were looked into.
//!
//! Names and truths only, for the unit whose step it is: a truth about a person is a value as well. Refuses the rest.
use domain::case::Action;
use domain::rules::{Did, EffectKind, Needed, Reason, RuleSet, SeenState, Truth, Why};

use super::W;
use super::gathered::Gathered;
use crate::pages::view::{self, Badge};
use crate::services::approval::{self, Automatic, Look, Progress};

/// A step that rules judge.
pub struct ApprovalView {
    /// Name of the step.
    pub step: String,
    /// How far it has come.
    pub state: Badge,
    /// The rule set.
    pub set: String,
    /// Why a person decides, or what is waited for.
    pub reasons: Vec<String>,
    /// All rules.
    pub rules: Vec<RuleView>,
    /// Facts that were not known.
    pub unknown: Vec<String>,
    /// The notice of sample rules.
    pub notice: Option<String>,
}

/// A rule in the trace.
pub struct RuleView {
    /// Its name.
    pub name: String,
    /// What it stands on.
    pub basis: String,
    /// Whether it holds.
    pub truth: Badge,
    /// What it does when it holds, and what it did.
    pub about: String,
}

/// A look into a data source.
pub struct LookView {
    /// The source, and whether it is a simulator.
    pub source: String,
    /// It is a simulator.
    pub simulated: bool,
    /// What for and on what ground.
    pub purpose: String,
    /// The ground.
    pub basis: String,
    /// When.
    pub at: String,
    /// Whether it answered.
    pub answered: Badge,
}

/// The steps of a case that rules judge and that the caller's unit books.
pub fn list(of: &Gathered) -> Vec<ApprovalView> {
    of.automatic.iter().filter(|(automatic, _)| theirs(of, &automatic.step)).map(|a| one(of, a)).collect()
}

fn theirs(of: &Gathered, step: &str) -> bool {
    of.view().step(step).is_some_and(|step| of.view().books(&of.unit, step))
}

fn one(of: &Gathered, (automatic, set): &(Automatic, std::sync::Arc<RuleSet>)) -> ApprovalView {
    let last = of.story.told.iter().rev().find_map(|told| match &told.recorded.action {
        Action::Judged { step, decision, over, .. } if *step == automatic.step => Some((decision, *over)),
        _ => None,
    });
    let reasons = match (&last, automatic.progress) {
        (_, Progress::Person) if !automatic.reasons.is_empty() => {
            automatic.reasons.iter().map(|reason| said(set, reason)).collect()
        }
        (_, Progress::Person) => vec![W.t("approval.broke_off").to_owned()],
        (Some((decision, over)), _) => {
            approval::reasons(&decision.outcome, *over).iter().map(|reason| said(set, reason)).collect()
        }
        (None, _) => Vec::new(),
    };
    let version = automatic.set_version.to_string();
    let name = set.file().name.get(W.0);
    ApprovalView {
        step: of.step_name(&automatic.step),
        state: badge(automatic.progress),
        set: W.fill("approval.set", &[("name", name), ("version", &version)]),
        reasons,
        rules: last.iter().flat_map(|(decision, _)| &decision.rules).map(|trace| rule(set, trace)).collect(),
        unknown: last
            .iter()
            .flat_map(|(decision, _)| &decision.facts)
            .filter_map(|fact| match fact.state {
                SeenState::Known => None,
                SeenState::Unknown(why) => Some(missing(set, &fact.fact, why)),
            })
            .collect(),
        notice: (set.file().data_label == "sample").then(|| set.file().notice.get(W.0).to_owned()),
    }
}

fn badge(progress: Progress) -> Badge {
    let glyph = match progress {
        Progress::Waiting => "wait",
        Progress::Person => "warn",
        Progress::Approved => "ok",
        Progress::Over => "off",
    };
    Badge { glyph, word: W.of("approval_progress", progress.as_str()) }
}

fn rule(set: &RuleSet, trace: &domain::rules::RuleTrace) -> RuleView {
    let known = set.rule(&trace.rule);
    let (glyph, truth) = match trace.truth {
        Truth::True => ("ok", "true"),
        Truth::False => ("off", "false"),
        Truth::Unknown => ("warn", "unknown"),
    };
    let effect = match trace.effect {
        EffectKind::Approve => "approve",
        EffectKind::Manual => "manual",
        EffectKind::ProposeRefusal => "propose_refusal",
        EffectKind::Need => "need",
    };
    let did = match trace.did {
        Did::Nothing => "nothing",
        Did::Approved => "approved",
        Did::Objected => "objected",
        Did::Waited => "waited",
    };
    RuleView {
        name: known.map_or_else(|| trace.rule.clone(), |rule| rule.name.get(W.0).to_owned()),
        basis: known.and_then(|rule| rule.basis.as_ref()).map(|basis| basis.name.clone()).unwrap_or_default(),
        truth: Badge { glyph, word: W.of("approval_truth", truth) },
        about: W.fill(
            "approval.rule_about",
            &[("effect", &W.of("approval_effect", effect)), ("did", &W.of("approval_did", did))],
        ),
    }
}

/// Why a person has to look, in words of the rule set.
pub fn said(set: &RuleSet, reason: &Reason) -> String {
    let rule = |id: &str| {
        let rule = set.rule(id);
        let words = rule.and_then(|rule| rule.then.reason()).or(rule.map(|rule| &rule.name));
        words.map_or_else(|| id.to_owned(), |words| words.get(W.0).to_owned())
    };
    match reason {
        Reason::Rule(id) => rule(id),
        Reason::ProposesRefusal(id) => W.fill("approval.proposes_refusal", &[("reason", &rule(id))]),
        Reason::Undecidable(id) => W.fill("approval.undecidable", &[("rule", &rule(id))]),
        Reason::NothingApproves => W.t("approval.nothing_approves").to_owned(),
        Reason::FactsMissing(facts) => {
            let facts: Vec<_> = facts.iter().map(|Needed { fact, why }| missing(set, fact, *why)).collect();
            W.fill("approval.facts_missing", &[("facts", &facts.join(W.t("approval.comma")))])
        }
    }
}

fn missing(set: &RuleSet, fact: &str, why: Why) -> String {
    let label = set.fact(fact).map_or(fact, |fact| fact.label.get(W.0));
    let why = match why {
        Why::NotAsked => "not_asked",
        Why::NotAnswered => "not_answered",
        Why::SourceDown => "source_down",
        Why::NoConsent => "no_consent",
        Why::Unusable => "unusable",
        Why::TooOld => "too_old",
        Why::NotDerivable => "not_derivable",
    };
    W.fill("approval.missing", &[("fact", label), ("why", &W.of("approval_why", why))])
}

/// Who looked where for the case: for the unit of a step that rules judge.
pub fn looks(of: &Gathered) -> Vec<LookView> {
    if !of.automatic.iter().any(|(automatic, _)| theirs(of, &automatic.step)) {
        return Vec::new();
    }
    of.looks.iter().map(|look| looked(of, look)).collect()
}

fn looked(of: &Gathered, look: &Look) -> LookView {
    let glyph = match look.answered.as_str() {
        "yes" => "ok",
        "not_asked" => "off",
        _ => "warn",
    };
    let name = W.of("approval_source", &look.source);
    let known = !name.starts_with("approval_source.");
    let at = view::time(look.asked_at_ms, of.now_ms);
    LookView {
        source: if known { name } else { look.source.clone() },
        simulated: look.simulated,
        purpose: look.purpose.clone(),
        basis: look.basis.clone(),
        at: W.fill("approval.took", &[("time", &at), ("n", &look.took_ms.to_string())]),
        answered: Badge { glyph, word: W.of("approval_answered", look.answered.as_str()) },
    }
}
