//! Names of companies by tables of the sample words, and random ones.
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const WORDS: &[u8] = include_bytes!("../../../../assets/rules/company-names.json");
const SIGNS: &[u8] = include_bytes!("../../../../assets/rules/name-signs.json");

thread_local! {
    static SAMPLE: NameWords = NameWords::parse(WORDS, SIGNS).unwrap_or_else(|error| unreachable!("{error}"));
}

fn with<T>(look: impl FnOnce(&NameWords) -> T) -> T {
    SAMPLE.with(look)
}

fn taken(words: &NameWords, id: &str, name: &str) -> Taken {
    Taken { id: id.to_owned(), parts: words.propose(name).parts, related: false }
}

fn collision(one: &str, other: &str) -> Option<NameRule> {
    with(|words| words.collision(&words.propose(one).parts, &taken(words, "x", other)))
}

#[test]
fn a_name_is_taken_apart() {
    let table = [
        ("西宁市万青房地产有限公司", ["西宁市", "万青", "房地产", "有限公司"]),
        ("西宁万青房地产开发有限责任公司", ["西宁", "万青", "房地产开发", "有限责任公司"]),
        ("红光（西宁市）酒业发展有限公司", ["西宁市", "红光", "酒业发展", "有限公司"]),
        ("西宁市城东区红光酒厂", ["西宁市城东区", "红光酒", "", "厂"]),
        ("万青有限公司", ["", "万青", "", "有限公司"]),
        ("西宁市地产有限公司", ["西宁市", "地产", "", "有限公司"]),
        ("青海万青餐饮管理合伙企业（有限合伙）", ["青海", "万青", "餐饮管理", "合伙企业有限合伙"]),
        ("西宁市万青", ["西宁市", "万青", "", ""]),
        ("", ["", "", "", ""]),
        ("有限公司", ["", "", "", "有限公司"]),
        ("（）(", ["", "", "", ""]),
    ];
    for (name, [region, shop, trade, form]) in table {
        let parts = with(|words| words.propose(name)).parts;
        assert_eq!(parts.folded(), [region, shop, trade, form], "{name}");
    }
}

#[test]
fn signs_are_written_in_one_way() {
    with(|words| {
        for (text, folded) in [
            ("萬青", "万青"),
            ("ＡＢＣ１２３", "abc123"),
            ("万\u{3000}青 \u{200b}·（）", "万青"),
            ("後裏麗國", "后里丽国"),
            ("Abc", "abc"),
            ("己已", "己已"),
        ] {
            assert_eq!(words.signs.fold(text), folded, "{text}");
        }
    });
}

#[test]
fn what_is_wrong_with_a_name_is_told() {
    use NameRule as R;
    let table: [(&str, &[NameRule]); 13] = [
        ("西宁市万青餐饮有限公司", &[]),
        ("西宁市萬青餐饮有限公司", &[R::StandardCharacters]),
        ("西宁市ABC餐饮有限公司", &[R::StandardCharacters]),
        ("西宁市万８餐饮有限公司", &[R::StandardCharacters]),
        ("万青餐饮有限公司", &[R::Region]),
        ("西宁市万餐饮有限公司", &[R::Trade]),
        ("西宁市万有限公司", &[R::ShopLength, R::Trade]),
        ("西宁市湟源餐饮有限公司", &[R::ShopIsRegion]),
        ("西宁市餐饮有限公司", &[R::ShopIsTrade, R::Trade]),
        ("西宁市万青餐饮", &[R::Form]),
        ("西宁市万青实业有限公司", &[R::Trade]),
        ("西宁市中国餐饮有限公司", &[R::Forbidden]),
        ("", &[R::Region, R::ShopLength, R::Form, R::Trade]),
    ];
    for (name, rules) in table {
        let faults = with(|words| words.propose(name)).faults;
        assert_eq!(faults.iter().map(|fault| fault.rule).collect::<Vec<_>>(), rules, "{name}");
    }
    let long = format!("西宁市{}餐饮有限公司", "万".repeat(MAX_NAME_CHARS));
    assert!(with(|words| words.propose(&long)).faults.iter().any(|fault| fault.rule == NameRule::Length));
}

#[test]
fn forbidden_words_are_told_with_their_list_and_its_source() {
    let list = |name: &str| with(|words| words.propose(name)).faults.into_iter().find_map(|fault| fault.list);
    assert_eq!(list("西宁市中国餐饮有限公司").as_deref(), Some("state"));
    assert_eq!(list("中国万青餐饮有限公司").as_deref(), Some("state"));
    assert_eq!(list("西宁市爱中国餐饮有限公司"), None, "only at the beginning");
    assert_eq!(list("西宁市老公安餐饮有限公司").as_deref(), Some("organs"));
    assert_eq!(list("西宁市博·彩餐饮有限公司").as_deref(), Some("vice"), "signs between do not hide it");
    assert_eq!(
        list("西宁市聯合國餐饮有限公司").as_deref(),
        Some("foreign"),
        "other characters do not hide it"
    );
    assert!(with(|words| words
        .forbidden_list("vice")
        .is_some_and(|list| list.source.name.contains("第十一条"))));
}

/// Pairs as the official examples have them, with other names and words.
#[test]
fn two_names_are_same_alike_or_neither() {
    use NameRule as R;
    let table = [
        ("西宁市红光酒业有限公司", "西宁市红光酒业有限公司", Some(R::SameText)),
        ("西宁市紅光酒业有限公司", "西宁市 红光酒业有限公司", Some(R::SameText)),
        ("西宁市红光酒业发展有限公司", "红光（西宁市）酒业发展有限公司", Some(R::SameParts)),
        ("西宁市红光酒业有限公司", "红光酒业有限公司", Some(R::SameShopAndTrade)),
        ("西宁市红光酒业有限公司", "西宁市红光酒业厂", Some(R::SameShopAndTrade)),
        ("西宁市红光有限公司", "西宁市红光酒业有限公司", Some(R::SameShopWithoutTrade)),
        ("西宁市红光酒业有限公司", "西宁市红光实业有限公司", Some(R::SameShopWithoutTrade)),
        ("西宁市万青地产有限公司", "西宁市万青置业有限公司", Some(R::AlikeTrade)),
        ("西宁市牛栏酒业有限公司", "西宁市牛兰白酒有限公司", Some(R::AlikeSound)),
        ("西宁市万青酒业有限公司", "西宁市万青青酒业有限公司", Some(R::AlikePart)),
        ("西宁市大未酒业有限公司", "西宁市太末酒业有限公司", Some(R::AlikeShape)),
        ("西宁市红光酒业有限公司", "西宁市红光物流有限公司", None),
        ("西宁市万青酒业有限公司", "西宁市万青青物流有限公司", None),
        ("西宁市红光酒业有限公司", "西宁市蓝天酒业有限公司", None),
        ("西宁市红光有限公司", "西宁市宏光有限公司", Some(R::AlikeSound)),
        // Nothing is left of either but region and form: one key.
        ("西宁市有限公司", "西宁市股份有限公司", Some(R::SameShopAndTrade)),
        ("西宁市有限公司", "西宁市红光有限公司", None),
    ];
    for (one, other, rule) in table {
        assert_eq!(collision(one, other), rule, "{one} {other}");
        assert_eq!(collision(other, one), rule, "{other} {one}");
    }
}

#[test]
fn whoever_holds_shares_may_share_a_name_but_not_the_whole_text() {
    with(|words| {
        let related = |name: &str| Taken { related: true, ..taken(words, "x", name) };
        let wanted = words.propose("西宁市红光酒业有限公司").parts;
        assert_eq!(words.collision(&wanted, &related("西宁市红光酒业厂")), None);
        assert_eq!(words.collision(&wanted, &related("西宁市红光酒业有限公司")), Some(NameRule::SameText));
    });
}

#[test]
fn the_strongest_verdict_stands_and_names_are_counted() {
    with(|words| {
        let proposal = words.propose("西宁市红光酒业有限公司");
        let mut register: Vec<Taken> =
            (0..MAX_HITS + 5).map(|n| taken(words, &n.to_string(), "西宁市宏光酒业有限公司")).collect();
        let judged = words.judge(&proposal, &register);
        assert_eq!((judged.verdict, judged.hits.len(), judged.more), (NameVerdict::Alike, MAX_HITS, 5));
        register.push(taken(words, "last", "西宁市红光酒业厂"));
        let judged = words.judge(&proposal, &register);
        assert_eq!((judged.verdict, judged.hits.len(), judged.more), (NameVerdict::Same, MAX_HITS, 6));
        assert_eq!(
            (judged.hits[0].taken.as_str(), judged.hits[0].rule),
            ("last", NameRule::SameShopAndTrade)
        );
        assert_eq!(words.judge(&proposal, []).verdict, NameVerdict::Free);
        let evidence = judged.as_evidence();
        let said: Vec<String> = evidence.values().map(crate::rules::FactValue::reveal).collect();
        assert_eq!(said, ["0", "false", "same"]);
    });
}

#[test]
fn one_key_is_one_name_at_one_authority() {
    let key = |name: &str| with(|words| words.propose(name).parts.key("630100"));
    assert_eq!(key("西宁市萬青 酒业有限公司"), key("万青酒业厂"));
    assert_ne!(key("西宁市万青酒业有限公司"), key("西宁市万青白酒有限公司"));
    assert_ne!(
        key("西宁市万青酒业有限公司"),
        with(|words| words.propose("西宁市万青酒业有限公司").parts.key("630000"))
    );
    assert_eq!(
        (key("西宁市万青酒业厂").as_str(), key("西宁市万青酒业厂").shop()),
        ("630100|万青|酒业", "630100|万青")
    );
}

#[test]
fn neither_names_nor_keys_are_told_by_debug() {
    let proposal = with(|words| words.propose("西宁市张三餐饮有限公司"));
    assert!(!format!("{proposal:?} {:?}", proposal.parts.key("630100")).contains("张三"));
}

#[test]
fn words_that_contradict_themselves_are_refused() {
    let change = |words: bool, path: &str, value: Value| {
        let mut documents: [Value; 2] =
            [WORDS, SIGNS].map(|json| serde_json::from_slice(json).expect("json"));
        let document = &mut documents[usize::from(!words)];
        *document.pointer_mut(path).expect("the place is there") = value;
        let [words, signs] = documents.map(|document| document.to_string());
        NameWords::parse(words.as_bytes(), signs.as_bytes())
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let table = [
        (true, "/version", json!(0), "a version"),
        (true, "/data_label", json!("real"), "`sample` or `official`"),
        (true, "/sources", json!({}), "sources: nothing for StandardCharacters"),
        (true, "/regions/0/code", json!("63"), "six digits"),
        (true, "/regions/0/words/1", json!("西宁"), "regions: a word stands twice"),
        (true, "/forms", json!([]), "forms: 1 to 5000 words"),
        (true, "/trades/0/words/0", json!("酒业"), "trades: a word stands twice"),
        (true, "/trades/0/words/0", json!("（）"), "trades: a word has 1 to 30 characters"),
        (true, "/trades/0", json!({"class": "x", "words": ["x"], "more": 1}), "unknown field `more`"),
        (false, "/same", json!({"万": "萬", "萬": "卍"}), "is written in another way itself"),
        (false, "/same", json!({"万": "萬", "方": "萬"}), "萬 stands twice"),
        (false, "/alike", json!(["己已", "已巳"]), "已 stands twice"),
        (false, "/readings", json!({"WAN": "万"}), "pinyin in small letters"),
        (false, "/readings", json!({"wan": "万".repeat(60_001)}), "too many signs"),
    ];
    for (words, path, value, told) in table {
        let error = change(words, path, value);
        assert!(error.contains(told), "{path}: {error}");
    }
}

fn any_name() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("西宁市"),
        Just("（西宁）"),
        Just("万青"),
        Just("萬青"),
        Just("红光"),
        Just("宏光"),
        Just("酒业"),
        Just("白酒"),
        Just("地产"),
        Just("实业"),
        Just("有限公司"),
        Just("厂"),
        Just("中国"),
        Just(" "),
        Just("a"),
    ];
    prop_oneof![prop::collection::vec(word, 0..7).prop_map(|words| words.concat()), "\\PC{0,80}",]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged_and_folding_twice_is_folding_once(one in any_name(), other in any_name()) {
        with(|words| {
            let once = words.signs.fold(&one);
            prop_assert_eq!(words.signs.fold(&once), once);
            let (wanted, taken) = (words.propose(&one), taken(words, "x", &other));
            let rule = words.collision(&wanted.parts, &taken);
            let back = Taken { id: "y".into(), parts: wanted.parts.clone(), related: false };
            prop_assert_eq!(words.collision(&taken.parts, &back), rule);
            prop_assert_eq!(words.judge(&wanted, [&taken]).verdict == NameVerdict::Free, rule.is_none());
            let same_key = wanted.parts.key("1") == taken.parts.key("1");
            // Who has the same key is always the same; so the unique index never lets in what the verdict keeps out.
            prop_assert!(!same_key || rule.is_some_and(|rule| rule.verdict() == NameVerdict::Same));
            Ok(())
        })?;
    }
}
