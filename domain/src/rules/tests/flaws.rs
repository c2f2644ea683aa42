//! Rule sets that cannot stand, each with the place and the words of its mistake.
use super::*;

fn told(facts: &[Value], rules: &[Value]) -> String {
    match RuleSet::new(file(facts, rules)) {
        Ok(_) => "good".to_owned(),
        Err(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    }
}

fn unreadable(document: &Value) -> String {
    match RuleSet::parse(document.to_string().as_bytes()) {
        Ok(_) => "good".to_owned(),
        Err(errors) => errors[0].to_string(),
    }
}

fn approve(when: &Value) -> Value {
    rule("approve", when, &json!("approve"))
}

fn derived(id: &str, kind: &str, expr: &Value) -> Value {
    json!({"id": id, "type": kind, "label": {"zh": "事实"}, "from": {"derived": expr}})
}

#[test]
fn names_and_types_are_checked() {
    let (a, n) = (fact("a", "bool"), fact("n", "int"));
    let cmp = |expr: Value| json!({ "is": expr });
    let table: Vec<(Vec<Value>, Value, &str)> = vec![
        (vec![a.clone()], is("a"), "good"),
        (vec![a.clone()], is("b"), "facts.a: no rule uses it: nobody is asked for what is not needed"),
        (vec![], is("b"), "rules.approve: there is no fact `b`"),
        (vec![n.clone()], is("n"), "rules.approve: wants bool and got int"),
        (
            vec![n.clone()],
            cmp(json!({"eq": [{"field": "n"}, {"value": "x"}]})),
            "rules.approve: `eq` got int and text",
        ),
        (
            vec![a.clone()],
            json!({"contains": [{"field": "a"}, {"value": "x"}]}),
            "rules.approve: wants text and got bool",
        ),
        (vec![a.clone()], json!({"all": []}), "facts.a: no rule uses"),
        (vec![a.clone()], cmp(json!({"not": {"field": "a"}})), "rules.approve: write `all`, `any` and `not`"),
        (
            vec![a.clone()],
            cmp(json!({"eq": [{"value": true}, {"or": [{"field": "a"}]}]})),
            "rules.approve: write `all`",
        ),
        (vec![a.clone()], cmp(json!({"answered": "a"})), "rules.approve: `answered` has no place in a rule"),
        (
            vec![a.clone()],
            json!({"all": [is("a"), cmp(json!({"eq": [{"card": "name"}, {"value": "x"}]}))]}),
            "rules.approve.1: `card` has no place",
        ),
        (vec![a.clone(), a.clone()], is("a"), "facts.a: stands twice"),
        (vec![fact("A", "bool")], is("A"), "facts.A: is no name"),
    ];
    for (facts, when, words) in table {
        let told = told(&facts, &[approve(&when)]);
        assert!(told.contains(words), "{when}: {told}");
    }
}

#[test]
fn facts_are_checked_against_where_they_come_from() {
    let from =
        |kind: &str, from: Value| json!({"id": "f", "type": kind, "label": {"zh": "事实"}, "from": from});
    let with = |mut fact: Value, values: Value| {
        fact["values"] = values;
        fact
    };
    let table = [
        (from("text", json!({"applicant": "birth"})), "facts.f: is Date where it comes from"),
        (from("text", json!({"rows": "x"})), "facts.f: is Int where it comes from"),
        (from("int", json!({"form": {"field": "x", "absent": "0"}})), "facts.f: `absent` does not fit"),
        (from("int", json!({"form": {"field": ""}})), "facts.f: is no name"),
        (from("int", json!({"source": {"source": "s", "value": "有"}})), "facts.f: is no name"),
        (with(from("int", json!({"rows": "x"})), json!(["x"])), "facts.f: `values` are"),
        (with(from("text", json!({"form": {"field": "x"}})), json!(["x", "x"])), "facts.f: `values` are"),
        (
            from("int", json!({"derived": {"today": true}})),
            "facts.f: is declared as int and is worked out as date",
        ),
        (from("bool", json!({"derived": {"field": "g"}})), "facts.f: there is no fact `g`"),
        (from("int", json!({"derived": {"count": "f"}})), "facts.f: `f` cannot be used with `count`"),
    ];
    for (fact, words) in table {
        let needs = rule("need", &is("a"), &json!({"need": {"facts": ["f"]}}));
        let told = told(&[self::fact("a", "bool"), fact.clone()], &[approve(&is("a")), needs]);
        assert!(told.contains(words), "{fact}: {told}");
    }
}

#[test]
fn facts_that_are_derived_from_themselves_are_told_as_a_ring() {
    let field = |name: &str| json!({ "field": name });
    let facts = [
        derived("a", "bool", &field("b")),
        derived("b", "bool", &field("c")),
        derived("c", "bool", &field("b")),
        derived("d", "bool", &field("e")),
        fact("e", "bool"),
    ];
    let told = told(&facts, &[approve(&json!({"all": [is("a"), is("d")]}))]);
    assert_eq!(told, "facts.b: is derived from itself: b <- c");
    let alone = [derived("a", "bool", &field("a"))];
    assert!(self::told(&alone, &[approve(&is("a"))]).contains("is derived from itself: a"));
}

#[test]
fn derived_facts_may_stand_in_any_order() {
    let facts = [
        derived("z", "int", &json!({"sum": [{"field": "y"}, {"value": 1}]})),
        derived("y", "int", &json!({"sum": [{"field": "x"}, {"value": 1}]})),
        fact("x", "int"),
    ];
    let set = set(&facts, &[approve(&json!({"is": {"eq": [{"field": "z"}, {"value": 3}]}}))]);
    assert_eq!(set.decide(&super::facts(&[("x", number(1))])).outcome.kind(), OutcomeKind::Approve);
}

#[test]
fn rules_that_never_do_anything_are_told() {
    let kind = |value: &str| json!({"is": {"eq": [{"field": "k"}, {"value": value}]}});
    let k = json!({"id": "k", "type": "text", "label": {"zh": "项"}, "from": {"form": {"field": "x"}}, "values": ["x", "y"]});
    let facts = || vec![fact("a", "bool"), fact("n", "int"), k.clone()];
    let n = json!({"is": {"gt": [{"field": "n"}, {"value": 1}]}});
    let use_all = json!({"all": [is("a"), n, kind("x")]});
    let with = |extra: Vec<Value>| {
        let mut rules = vec![approve(&use_all)];
        rules.extend(extra);
        told(&facts(), &rules)
    };
    let constant = |truth: bool| json!({"is": {"value": truth}});
    let overflow = json!({"is": {"eq": [{"product": [{"value": i64::MAX}, {"value": 2}]}, {"value": 1}]}});
    let table = [
        (rule("m", &constant(false), &manual()), "rules.m: never holds"),
        (rule("m", &overflow, &manual()), "rules.m: never holds"),
        (rule("m", &constant(true), &manual()), "rules.m: always holds"),
        (rule("m", &json!({"any": [constant(true), is("a")]}), &json!("approve")), "rules.m: always holds"),
        (rule("m", &json!({"all": [is("a"), {"not": is("a")}]}), &manual()), "rules.m: never holds"),
        (rule("m", &json!({"all": [kind("x"), kind("y")]}), &manual()), "rules.m: never holds"),
        (rule("m", &kind("z"), &manual()), "rules.m: `k` has no choice `z`"),
        (rule("m", &is("a"), &manual()), "rules.approve: approves nothing: whenever it holds, `m` objects"),
        (rule("m", &json!({"any": [kind("x"), is("a")]}), &manual()), "rules.approve: approves nothing"),
        (rule("twin", &use_all, &json!("approve")), "rules.twin: says the same as `approve`"),
        (rule("approve", &is("a"), &json!("approve")), "rules.approve: stands twice"),
        (rule("m", &kind("y"), &manual()), "good"),
        (rule("m", &json!({"is": {"lt": [{"today": true}, {"date": "2020-01-01"}]}}), &manual()), "good"),
    ];
    for (extra, words) in table {
        let told = with(vec![extra.clone()]);
        assert!(told.contains(words), "{extra}: {told}");
    }
    assert_eq!(
        told(&[fact("a", "bool")], &[rule("m", &is("a"), &manual())]),
        "rules: no rule approves anything"
    );
}

#[test]
fn nothing_can_refuse_and_a_proposal_to_refuse_has_a_basis() {
    for effect in ["refuse", "reject", "deny"] {
        let told = unreadable(&document(&[fact("a", "bool")], &[rule("r", &is("a"), &json!(effect))]));
        assert!(told.contains("unknown variant") && told.contains("rules[0].then"), "{told}");
    }
    let mut bare = rule("r", &is("a"), &refusal());
    bare.as_object_mut().expect("an object").remove("basis");
    let told = told(&[fact("a", "bool"), fact("b", "bool")], &[approve(&is("b")), bare]);
    assert_eq!(told, "rules.r: a refusal is proposed only with a legal basis");
}

#[test]
fn what_is_too_large_is_refused_before_it_is_looked_at() {
    let many = |count: usize| (0..count).map(|n| fact(&format!("f{n}"), "bool")).collect::<Vec<_>>();
    assert!(told(&many(MAX_FACTS + 1), &[]).contains("facts: at most 200 facts"));
    let a = [fact("a", "bool")];
    let rules: Vec<Value> =
        (0..=MAX_RULES).map(|n| rule(&format!("r{n}"), &is("a"), &json!("approve"))).collect();
    assert!(told(&a, &rules).contains("rules: at most 200 rules"));
    let wide = |parts: usize| json!({"any": vec![is("a"); parts]});
    let wide_rule = |n: usize| rule(&format!("r{n}"), &wide(MAX_CONDITION_PARTS), &manual());
    assert!(told(&a, &(0..50).map(wide_rule).collect::<Vec<_>>()).contains("conditions: at most 2000"));
    assert!(told(&a, &[approve(&wide(MAX_CONDITION_PARTS + 1))]).contains("have 1 to 40 parts"));
    let deep = |levels: usize| (1..levels).fold(is("a"), |part, _| json!({ "not": part }));
    assert_eq!(told(&a, &[approve(&deep(MAX_CONDITION_LEVELS))]), "good");
    assert!(told(&a, &[approve(&deep(MAX_CONDITION_LEVELS + 1))]).contains("at most 8 levels"));
    let mut errors = many(150);
    errors.iter_mut().for_each(|fact| fact["id"] = json!("BAD"));
    assert_eq!(RuleSet::new(file(&errors, &[])).expect_err("bad names").len(), MAX_RULE_ERRORS);
    let mut long = file(&a, &[approve(&is("a"))]);
    long.notice.en = "x".repeat(MAX_RULE_SET_BYTES);
    assert!(RuleSet::new(long).expect_err("too long")[0].to_string().contains("at most 262144 bytes"));
    let blank = vec![b' '; MAX_RULE_SET_BYTES + 1];
    assert!(RuleSet::parse(&blank).expect_err("too long")[0].to_string().contains("at most 262144 bytes"));
}

#[test]
fn a_text_that_is_no_rule_set_is_told_with_its_path() {
    let good = document(&[fact("a", "bool")], &[approve(&is("a"))]);
    assert_eq!(unreadable(&good), "good");
    let put = |path: &str, value: Value| {
        let mut document = good.clone();
        *document.pointer_mut(path).expect("the place is there") = value;
        unreadable(&document)
    };
    assert!(put("/facts/0/type", json!("float")).starts_with("facts[0].type: unknown variant"));
    assert!(
        put("/facts/0/from", json!({"form": {"field": "x", "more": 1}})).contains("unknown field `more`")
    );
    assert!(put("/rules/0/when", json!({"is": {"field": "a"}, "not": is("a")})).contains("rules[0].when"));
    assert!(put("/rules/0/when", json!({"loop": []})).contains("unknown variant `loop`"));
    assert!(put("/version", json!(0)).contains("version: must be 1 or more"));
    assert!(put("/data_label", json!("real")).contains("data_label: must be"));
    assert!(put("/name/zh", json!("a\u{202e}b")).contains("name: Chinese words"));
    assert!(put("/notice/zh", json!(" ")).contains("notice: Chinese words"));
    let mut twice = good.to_string();
    twice.push_str("{}");
    assert!(RuleSet::parse(twice.as_bytes()).expect_err("two")[0].to_string().contains("something follows"));
    let bottomless = format!("{}1{}", "{\"not\":".repeat(5_000), "}".repeat(5_000));
    let text = good.to_string().replace(&is("a").to_string(), &bottomless);
    assert!(RuleSet::parse(text.as_bytes()).expect_err("deep")[0].to_string().contains("recursion limit"));
}

#[test]
fn the_digest_names_the_content_and_not_the_writing() {
    let good = document(&[fact("a", "bool")], &[approve(&is("a"))]);
    let tight = RuleSet::parse(good.to_string().as_bytes()).expect("good");
    let wide = RuleSet::parse(&serde_json::to_vec_pretty(&good).expect("json")).expect("good");
    assert_eq!(tight.reference(), wide.reference());
    let again = RuleSet::parse(tight.to_json().as_bytes()).expect("its own text");
    assert_eq!((again.to_json(), again.reference()), (tight.to_json(), tight.reference()));
    let mut other = good.clone();
    other["rules"][0]["name"]["zh"] = json!("别的");
    assert_ne!(RuleSet::parse(other.to_string().as_bytes()).expect("good").reference(), tight.reference());
}
