//! The sample rule sets in `assets/rules`: they load, fit the sample catalogue's forms, and decide as they say.
use std::collections::BTreeMap;

use super::*;
use crate::applicant::{Applicant, IdentitySource};
use crate::form::Answers;

const COMPANY: &[u8] = include_bytes!("../../../../assets/rules/one.ent-open.json");
const FLEXIBLE: &[u8] = include_bytes!("../../../../assets/rules/hrss.flex-job-reg.json");

fn load(json: &[u8]) -> RuleSet {
    RuleSet::parse(json).unwrap_or_else(|errors| unreachable!("{errors:#?}"))
}

fn evidence(list: Value) -> BTreeMap<String, Evidence> {
    let sources: BTreeMap<String, BTreeMap<String, FactValue>> =
        serde_json::from_value(list).expect("sources");
    sources
        .into_iter()
        .map(|(source, values)| (source, Evidence { on: today(), answer: Ok(values) }))
        .collect()
}

struct Matter {
    answers: Value,
    person: Applicant,
    evidence: BTreeMap<String, Evidence>,
}

impl Matter {
    fn outcome(&self, set: &RuleSet) -> Outcome {
        let Value::Object(answers) = self.answers.clone() else { unreachable!("an object") };
        let answers = Answers::from_map(answers);
        let sources = Sources { answers: &answers, applicant: &self.person, evidence: &self.evidence };
        set.decide(&Facts::gather(set, &sources, today())).outcome
    }
}

fn company() -> Matter {
    Matter {
        answers: json!({
            "biz_name": "西宁市样例餐饮有限公司", "biz_scope": "餐饮服务", "legal_rep": "样例", "biz_capital": 10,
            "biz_addr": {"region": "630102", "detail": "样例路1号"},
        }),
        person: person(IdentitySource::Read),
        evidence: evidence(json!({
            "company_name": {"verdict": {"text": "free"}, "faults": {"int": 0}, "forbidden": {"bool": false}},
            "market_register": {"representative_barred": {"bool": false}, "premises_irregular": {"bool": false}},
        })),
    }
}

#[test]
fn a_company_in_order_is_approved_at_once() {
    let by = vec!["in-order".to_owned()];
    assert_eq!(company().outcome(&load(COMPANY)), Outcome::Approve { by });
}

#[test]
fn each_thing_that_is_not_in_order_goes_to_a_person() {
    let set = load(COMPANY);
    type Change = fn(&mut Matter);
    fn say(matter: &mut Matter, source: &str, value: &str, said: FactValue) {
        let evidence = matter.evidence.get_mut(source).expect("the source");
        evidence.answer.as_mut().expect("an answer").insert(value.to_owned(), said);
    }
    let table: [(&str, bool, Change); 12] = [
        ("name-taken", true, |m| say(m, "company_name", "verdict", FactValue::Text("same".into()))),
        ("name-alike", false, |m| say(m, "company_name", "verdict", FactValue::Text("alike".into()))),
        ("name-words", false, |m| say(m, "company_name", "forbidden", FactValue::Bool(true))),
        ("name-words", false, |m| say(m, "company_name", "faults", FactValue::Int(1))),
        ("representative-barred", true, |m| {
            say(m, "market_register", "representative_barred", FactValue::Bool(true));
        }),
        ("representative-minor", true, |m| m.person.birth = "2008-12-01".parse().ok()),
        ("representative-other", false, |m| m.answers["legal_rep"] = json!("别人")),
        ("identity-typed", false, |m| m.person.source = IdentitySource::Typed),
        ("capital-range", false, |m| m.answers["biz_capital"] = json!(1_001)),
        ("scope-permit", false, |m| m.answers["biz_scope"] = json!("零售，烟草制品零售")),
        ("premises-outside", false, |m| m.answers["biz_addr"]["region"] = json!("110101")),
        ("premises-irregular", false, |m| {
            say(m, "market_register", "premises_irregular", FactValue::Bool(true))
        }),
    ];
    for (rule, refusal, change) in table {
        let mut matter = company();
        change(&mut matter);
        let Outcome::Manual { reasons } = matter.outcome(&set) else {
            unreachable!("{rule} lets it through")
        };
        let id = rule.to_owned();
        let reason = if refusal { Reason::ProposesRefusal(id) } else { Reason::Rule(id) };
        assert_eq!(reasons.first(), Some(&reason));
    }
}

#[test]
fn a_register_that_is_down_is_waited_for() {
    let set = load(COMPANY);
    let mut matter = company();
    let down = Evidence { on: today(), answer: Err(Why::SourceDown) };
    matter.evidence.insert("market_register".into(), down);
    let Outcome::NeedsFacts { facts } = matter.outcome(&set) else {
        unreachable!("decided without the register")
    };
    let names: Vec<&str> = facts.iter().map(|needed| needed.fact.as_str()).collect();
    assert_eq!(names, ["premises.used", "register.barred"]);
    assert!(facts.iter().all(|needed| needed.why == Why::SourceDown));
    // An objection elsewhere is enough, also while it is down.
    matter.person.source = IdentitySource::Typed;
    assert_eq!(matter.outcome(&set).kind(), OutcomeKind::Manual);
}

fn flexible() -> Matter {
    Matter {
        answers: json!({
            "job_type": "家政", "start_date": "2026-12-01", "residence_addr": {"region": "630103", "detail": "x"},
        }),
        person: person(IdentitySource::Read),
        evidence: evidence(json!({
            "promise": {"given": {"bool": true}}, "credit": {"promise_broken": {"bool": false}},
            "social_insurance": {"insured_by_employer": {"bool": false}},
        })),
    }
}

#[test]
fn a_pledge_is_believed_unless_one_was_broken() {
    let set = load(FLEXIBLE);
    assert_eq!(flexible().outcome(&set).kind(), OutcomeKind::Approve);
    let broken = evidence(json!({"credit": {"promise_broken": {"bool": true}}}));
    let mut matter = flexible();
    matter.evidence.extend(broken);
    assert_eq!(
        matter.outcome(&set),
        Outcome::Manual { reasons: vec![Reason::Rule("promise-broken".into())] }
    );
    let mut matter = flexible();
    matter.evidence.extend(evidence(json!({"promise": {"given": {"bool": false}}})));
    assert_eq!(matter.outcome(&set), Outcome::Manual { reasons: vec![Reason::NothingApproves] });
}

#[test]
fn only_who_drives_needs_the_drivers_permit() {
    let set = load(FLEXIBLE);
    let mut matter = flexible();
    matter.answers["job_type"] = json!("网约车驾驶");
    let needed = vec![Needed { fact: "licence.ridehail".into(), why: Why::NotAsked }];
    assert_eq!(matter.outcome(&set), Outcome::NeedsFacts { facts: needed });
    for (permit, kind) in [(true, OutcomeKind::Approve), (false, OutcomeKind::Manual)] {
        matter.evidence.extend(evidence(json!({"transport": {"ridehail_permit": {"bool": permit}}})));
        assert_eq!(matter.outcome(&set).kind(), kind);
    }
}

#[test]
fn the_samples_say_that_they_are_samples_and_ask_forms_for_what_they_have() {
    let entries = [
        (COMPANY, &include_bytes!("../../../../assets/catalogue/bundles/one.ent-open.json")[..]),
        (FLEXIBLE, &include_bytes!("../../../../assets/catalogue/items/hrss.flex-job-reg.json")[..]),
    ];
    for (json, entry) in entries {
        let set = load(json);
        assert_eq!(set.file().data_label, "sample");
        assert!(set.file().notice.zh.contains("示例") && set.file().name.zh.contains("示例"));
        let entry: Value = serde_json::from_slice(entry).expect("an entry");
        assert_eq!(entry["code"], json!(set.file().entry));
        for fact in set.facts() {
            let Origin::Form { field, part, .. } = &fact.from else { continue };
            let property = &entry["form"]["schema"]["properties"][field];
            let part = part.as_ref().map_or(property, |part| &property["properties"][part]);
            assert!(part.is_object(), "{field}");
        }
        let steps = entry.get("steps").and_then(Value::as_array);
        let known = steps.is_none_or(|steps| steps.iter().any(|step| step["id"] == json!(set.file().step)));
        assert!(known, "{}", set.file().step);
    }
}
