//! The page as HTML: figures, who sees them, where they lead, odd filters, an empty store.
use anyhow::{Context as _, Result, ensure};
use sync_server::auth::role::Role;
use tests::server::Server;

use super::{Centre, PERIOD, leads, tile};

/// Counts the cases of a list over all its pages.
fn listed(centre: &Centre, path: &str) -> Result<u64> {
    let (mut path, mut seen) = (path.to_owned(), 0);
    loop {
        let page = centre.page(&centre.operator, &path)?;
        ensure!(!page.contains("639900"), "nothing of a person");
        seen += page.matches("href=\"/cases/XN").count() as u64;
        let Some(next) = page
            .split("href=\"")
            .find(|rest| rest.split('>').next().is_some_and(|a| a.contains("rel=\"next\"")))
        else {
            return Ok(seen);
        };
        path = next.split('"').next().context("an address")?.replace("&#38;", "&").replace("&amp;", "&");
    }
}

#[test]
fn published_figures_can_be_read_and_every_number_leads_to_its_cases() -> Result<()> {
    let centre = Centre::filled("6")?;
    let page = |item: &str| centre.page(&centre.operator, &format!("/statistics?{PERIOD}&item={item}"));
    let estate = page("one.realestate")?;
    assert_eq!(tile(&estate, "办件")?, "170", "6 % of 2,842");
    let median: f64 = tile(&estate, "办理用时中位")?.parse()?;
    ensure!((17.0..=24.0).contains(&median), "{median}");
    ensure!(estate.contains("改革前 70 分") && estate.contains("已公布"), "before, and where it is from");
    let open: f64 = tile(&page("one.ent-open")?, "办理用时中位")?.parse()?;
    ensure!((1.6..=2.2).contains(&open), "{open}");
    let ride = page("one.ridehail")?;
    let half: f64 = tile(&ride, "办理用时中位")?.parse()?;
    ensure!((0.3..=0.7).contains(&half) && ride.contains("改革前 20 个工作日"), "{half}");

    let all = centre.page(&centre.operator, &format!("/statistics?{PERIOD}"))?;
    for (page, word) in [(&all, "办件"), (&all, "超期"), (&estate, "办件"), (&estate, "超期")] {
        let wanted: u64 = tile(page, word)?.parse()?;
        assert_eq!(listed(&centre, &leads(page, word)?)?, wanted, "{word}");
    }
    for page in [&all, &estate, &ride] {
        ensure!(page.contains("示例数据") && page.contains("编造"), "it says that it is invented");
        ensure!(page.contains("不计："), "what is left out is said");
    }
    ensure!(centre.page(&centre.operator, "/cases")?.contains("示例数据"));
    // The projection is what the actions say.
    let verified = centre.server.command(&["verify"])?;
    ensure!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    Ok(())
}

#[test]
fn a_leader_sees_the_own_unit_and_others_nothing() -> Result<()> {
    let centre = Centre::filled("2")?;
    let leader = centre.server.person_of(("住建长", "住建"), &[Role::Leader])?;
    let own = centre.page(&leader, &format!("/statistics?{PERIOD}"))?;
    let asked = centre.page(&leader, &format!("/statistics?{PERIOD}&unit=%E5%85%AC%E5%AE%89"))?;
    assert_eq!(tile(&own, "办件")?, tile(&asked, "办件")?, "another unit cannot be asked for");
    ensure!(own.contains("住建参与的办件") && !own.contains("name=\"unit\""));
    let all = centre.page(&centre.operator, &format!("/statistics?{PERIOD}"))?;
    let (mine, whole): (u64, u64) = (tile(&own, "办件")?.parse()?, tile(&all, "办件")?.parse()?);
    ensure!(mine > 0 && mine < whole, "{mine} of {whole}");
    let theirs = centre.page(&centre.operator, &format!("/statistics?{PERIOD}&unit=%E4%BD%8F%E5%BB%BA"))?;
    assert_eq!(tile(&theirs, "办件")?, mine.to_string(), "the operator sees the same of that unit");
    let list = centre.page(&leader, &format!("/statistics/cases?{PERIOD}&of=all"))?;
    ensure!(list.contains("one.") || list.contains("/cases/XN"));
    let file = centre.page(&leader, &format!("/statistics/cases.csv?{PERIOD}"))?;
    assert_eq!(file.lines().count() as u64, mine + 1, "no foreign case is in the leader's file");

    let nobody = centre.server.person_of(("无单位", ""), &[Role::Leader])?;
    for path in ["/statistics", "/statistics/cases", "/statistics/cases.csv", "/statistics/export.xlsx"] {
        assert_eq!(centre.server.page_of(&nobody, path)?.status, 403, "{path}");
        for role in [Role::Clerk, Role::Reviewer, Role::Admin, Role::Editor] {
            let person = centre.server.person_of(("别人", "住建"), &[role])?;
            assert_eq!(centre.server.page_of(&person, path)?.status, 403, "{path} {role:?}");
        }
    }
    Ok(())
}

#[test]
fn an_empty_store_teaches_and_odd_filters_narrow_nothing() -> Result<()> {
    let server = Server::start()?;
    let operator = server.person(&[Role::Operator])?;
    let page = |path: &str| -> Result<String> {
        let answer = server.page_of(&operator, path)?;
        ensure!(answer.status == 200, "{path}: {}", answer.status);
        Ok(answer.text())
    };
    let empty = page("/statistics")?;
    ensure!(empty.contains("还没有办件可以统计") && empty.contains("sync-server sample-data --half-year"));
    ensure!(!empty.contains("NaN") && !empty.contains("<dl"));
    let odd = [
        "from=%3Cscript%3Ealert(1)%3C/script%3E",
        "item=%27%20OR%201%3D1&station=%2F",
        "from=0001-01-01&to=9999-12-31",
        "unit=%3D1%2B1&of=%3Cb%3E&over=-9e99&before=x.y",
    ];
    for query in odd {
        for path in ["/statistics", "/statistics/cases", "/statistics/items.csv", "/statistics/cases.csv"] {
            let text = page(&format!("{path}?{query}"))?;
            ensure!(!text.contains("<script>"), "{path} {query}");
        }
    }
    assert_eq!(server.page_of(&operator, "/statistics?from=a&from=b")?.status, 400);
    Ok(())
}

#[test]
fn sample_data_is_loaded_into_nothing_that_was_used() -> Result<()> {
    let mut server = Server::start()?;
    let load = |server: &Server| {
        server.command(&["sample-data", "--half-year", "--percent", "1", "--until", "2026-11-23"])
    };
    assert_eq!(load(&server)?.status.code(), Some(75), "a server works on the folder");
    let mut device = tests::device::Device::enrol(&server, 1)?;
    let upload = device.seal(&tests::device::courier())?;
    device.send(&server, std::slice::from_ref(&upload))?;
    server.stop()?;
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let refused = load(&server)?;
    ensure!(!refused.status.success() && said(&refused).contains("was used already"), "{}", said(&refused));
    // Nothing was written: it is no store with sample data.
    let noted = "SELECT value FROM meta WHERE name = 'sample_data'";
    ensure!(server.database()?.open()?.query(noted, &[])?.is_empty());
    let future = server.command(&["sample-data", "--half-year", "--until", "2999-01-01"])?;
    ensure!(!future.status.success() && said(&future).contains("not over"), "{}", said(&future));
    Ok(())
}

#[test]
fn a_load_is_not_repeated_and_one_that_broke_off_says_how_to_begin_anew() -> Result<()> {
    let mut server = Server::start()?;
    server.stop()?;
    let load = |server: &Server| {
        server.command(&["sample-data", "--half-year", "--percent", "1", "--until", "2026-11-23"])
    };
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let first = load(&server)?;
    ensure!(first.status.success(), "{}", said(&first));
    let again = load(&server)?;
    ensure!(!again.status.success() && said(&again).contains("loaded before"), "{}", said(&again));
    let sql = "UPDATE meta SET value = 'begun: ' || value WHERE name = 'sample_data'";
    server.database()?.open()?.execute(sql, &[])?;
    let broken = load(&server)?;
    ensure!(!broken.status.success() && said(&broken).contains("was broken off"), "{}", said(&broken));
    ensure!(said(&broken).contains("delete this data folder"), "{}", said(&broken));
    Ok(())
}
