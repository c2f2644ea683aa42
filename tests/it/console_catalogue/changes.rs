//! A change from the first draft to the history: two at once, somebody else's check, the version, its publication.
use anyhow::{Context as _, Result};
use domain::catalogue::Catalogue;
use sync_server::services::catalogue::publish;
use sync_server::store::in_transaction;
use tests::device::{CATALOGUE, now_ms};

use super::{CODE, Console, leads_to};

#[test]
fn a_change_is_made_by_one_checked_by_another_and_becomes_a_version() -> Result<()> {
    let console = Console::new()?;
    let server = &console.server;
    let saved = console.save(&console.maker, "guide", &[("guide.one_line.zh", "看社保卡好了没有")])?;
    assert!(leads_to(&saved)?.contains("saved=1"));
    let page = console.editor(&console.maker, "guide")?;
    assert!(page.contains("看社保卡好了没有") && page.contains("草稿"), "{page}");
    assert!(server.page("/catalogue/items?state=editing").is_ok());

    let refused = console.step(&console.maker, "ready", &[("note", "")])?;
    assert_eq!(leads_to(&refused)?, "/catalogue/changes?said=note");
    leads_to(&console.step(&console.maker, "ready", &[("note", "说得更短")])?)?;
    let changes = server.page_of(&console.checker, "/catalogue/changes")?.text();
    for words in ["待审核", "说得更短", "看社保卡做好了没有", "看社保卡好了没有", "一句话说明", "通过"]
    {
        assert!(changes.contains(words), "{words}: {changes}");
    }
    assert_eq!(console.step(&console.maker, "approve", &[])?.status, 403, "not his role");
    leads_to(&console.step(&console.checker, "return", &[("reason", "还要改英文")])?)?;
    assert!(console.editor(&console.maker, "guide")?.contains("还要改英文"));
    leads_to(&console.save(&console.maker, "guide", &[("guide.one_line.en", "Is the card ready?")])?)?;
    leads_to(&console.step(&console.maker, "ready", &[("note", "英文也改了")])?)?;
    leads_to(&console.step(&console.checker, "approve", &[])?)?;

    let made = server.submit(&console.checker.cookie, "/catalogue/candidate", &[])?;
    assert_eq!(leads_to(&made)?, "/catalogue/changes");
    let file = server.page_of(&console.checker, "/catalogue/candidate.json")?;
    let next = Catalogue::from_document(&file.text()).map_err(|e| anyhow::anyhow!("{e:?}"))?;
    assert_eq!(next.version, CATALOGUE + 1);
    assert_eq!(next.items[&CODE.parse()?].guide.one_line.en, "Is the card ready?");
    let digest = file.header("etag").context("a tag")?.trim_matches('"').to_owned();
    assert_eq!(digest, next.to_document().digest.to_string());

    in_transaction(server.database()?.open()?.as_mut(), |tx| publish(tx, now_ms(), &next))?;
    assert_eq!(console.version()?, 0, "its draft is closed");
    let item = server.page_of(&console.maker, &format!("/catalogue/items/{CODE}"))?.text();
    assert!(item.contains("英文也改了") && item.contains("样例员 改，样例员 审"), "{item}");
    let versions = format!("/catalogue/versions?from={CATALOGUE}&to={}", CATALOGUE + 1);
    let versions = server.page_of(&console.checker, &versions)?.text();
    for words in ["看社保卡好了没有", "Is the card ready?", "guide.one_line.en", CODE] {
        assert!(versions.contains(words), "{words}");
    }
    Ok(())
}

#[test]
fn who_saves_second_sees_both_and_chooses_field_by_field() -> Result<()> {
    let console = Console::new()?;
    let (mine, theirs) = (console.editor(&console.maker, "guide")?, console.editor(&console.other, "guide")?);
    let first = [("guide.one_line.zh", "他的一句话"), ("guide.minutes", "7"), ("guide.after.zh", "他的以后")];
    leads_to(&console.press(&console.other, &theirs, &first, "save")?)?;
    let second = [("guide.one_line.zh", "我的一句话"), ("guide.minutes", "9")];
    let conflict = console.press(&console.maker, &mine, &second, "save")?;
    assert_eq!(conflict.status, 409);
    let text = conflict.text();
    for words in ["他的一句话", "我的一句话", "take.guide.one_line", "take.guide.minutes", "take.guide.after"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("take.guide.who"), "what is the same is not asked");
    let chosen =
        [("take.guide.one_line", "mine"), ("take.guide.minutes", "theirs"), ("take.guide.after", "theirs")];
    leads_to(&console.press(&console.maker, &text, &chosen, "save")?)?;
    let page = console.editor(&console.maker, "guide")?;
    for words in ["我的一句话", "value=\"7\"", "他的以后"] {
        assert!(page.contains(words), "{words}");
    }
    assert_eq!(console.press(&console.other, &theirs, &first, "save")?.status, 409, "an old page stays old");
    leads_to(&console.step(&console.other, "discard", &[])?)?;
    assert_eq!(console.version()?, 0);
    assert!(console.editor(&console.maker, "guide")?.contains("看社保卡做好了没有"), "as it is published");
    Ok(())
}

#[test]
fn a_draft_of_an_older_content_is_brought_to_the_new_one() -> Result<()> {
    let console = Console::new()?;
    leads_to(&console.save(&console.maker, "guide", &[("guide.minutes", "9")])?)?;
    let base = sync_server::startup::load_catalogue(&tests::binaries::repository().join("assets/catalogue"))?;
    let mut elsewhere = base.clone();
    elsewhere.items.get_mut(&CODE.parse()?).context("the item")?.guide.one_line.zh = "别处改的一句话".into();
    let elsewhere = elsewhere.succeeding(&base);
    in_transaction(console.server.database()?.open()?.as_mut(), |tx| publish(tx, now_ms(), &elsewhere))?;
    let page = console.editor(&console.maker, "guide")?;
    assert!(page.contains("换到新内容上") && !page.contains("别处改的一句话"), "{page}");
    leads_to(&console.step(&console.maker, "renew", &[])?)?;
    let page = console.editor(&console.maker, "guide")?;
    assert!(
        !page.contains("换到新内容上") && page.contains("别处改的一句话") && page.contains("value=\"9\"")
    );
    Ok(())
}

#[test]
fn rows_are_moved_without_scripts_and_every_mistake_is_told_with_what_was_typed() -> Result<()> {
    let console = Console::new()?;
    let page = console.editor(&console.maker, "search")?;
    let more = console.press(&console.maker, &page, &[], "add:synonyms")?;
    assert_eq!((more.status, console.version()?), (200, 0), "nothing is kept yet");
    let typed = [("synonyms.4.text", "社保卡制好没"), ("synonyms.rows", "5")];
    leads_to(&console.press(&console.maker, &more.text(), &typed, "save")?)?;
    let stored = console.server.rows("SELECT content FROM catalogue_draft", &[])?;
    let item: serde_json::Value = serde_json::from_str(stored[0].text(0)?)?;
    assert_eq!(item["synonyms"][4], "社保卡制好没");
    assert_eq!(item["synonym_pinyin"][4], "she bao ka zhi hao mei", "readings are made");

    let wrong = console.save(
        &console.maker,
        "basics",
        &[("name.zh", ""), ("short_name.zh", &"长".repeat(300)), ("theme", "甲\u{202e}乙")],
    )?;
    assert_eq!(wrong.status, 422);
    let text = wrong.text();
    for words in ["中文不能空着", "最多 20 个字，现在 300 个", "U+202E", "href=\"#name\"", &"长".repeat(300)]
    {
        assert!(text.contains(words), "{words}");
    }
    // What breaks a rule of the whole is kept, told, and not handed on.
    leads_to(&console.save(&console.maker, "search", &[("synonyms.0.text", "查社保")])?)?;
    leads_to(&console.save(&console.maker, "terms", &[("promised.value", "9"), ("legal.value", "2")])?)?;
    assert!(console.editor(&console.maker, "basics")?.contains("承诺期限比法定期限长"));
    let step = console.step(&console.maker, "ready", &[("note", "因为")])?;
    assert_eq!(leads_to(&step)?, "/catalogue/changes?said=unfit");
    Ok(())
}
