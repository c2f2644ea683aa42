//! Results on their way over a real server: packed, handed to a carrier that calls back, delivered, refused, lost, called
//! back, picked up at a window; and what whoever waits for them sees.
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use sync_server::auth::role::Role;
use sync_server::carriers::signature;
use sync_server::keys::Seed;
use sync_server::store::in_transaction;
use tests::browser::Browser;
use tests::device::now_ms;
use tests::http::{self, Answer};
use tests::people::Person;

use super::certificates::change;
use super::{Case, Desk, ID_NUMBER, NAME, PHONE, leads_to};

const CHANGE: &str = "one.ent-change";
const REGISTRY: &str = "市场监管";
const STREET: &str = "样例路 8 号 canary-street";
const SECRET: [u8; 32] = [7; 32];
const CARRIER: &str = "EMS";

/// People of the registry, and somebody at a window.
struct Office {
    desk: Desk,
    clerk: Person,
    other: Person,
    leader: Person,
    tax: Person,
    window: Person,
}

impl Office {
    fn new() -> Result<Self> {
        let desk = Desk::new()?;
        let person = |name: &str, unit: &str, roles: &[Role]| desk.server.person_of((name, unit), roles);
        Ok(Self {
            clerk: person("市甲", REGISTRY, &[Role::Clerk, Role::Reviewer])?,
            other: person("市乙", REGISTRY, &[Role::Clerk])?,
            leader: person("市长", REGISTRY, &[Role::Leader])?,
            tax: person("税甲", "税务", &[Role::Reviewer, Role::Clerk])?,
            window: person("窗甲", "政务服务中心", &[Role::Window])?,
            desk,
        })
    }

    /// A case that was granted; with an address where its result is sent to, or without.
    fn granted(&mut self, by_post: bool) -> Result<Case> {
        let mut submission = change();
        if by_post {
            let address = json!({ "region": "630103", "detail": STREET });
            submission.answers.insert("mail_addr".to_owned(), address);
        }
        let case = self.desk.comes_in(&submission, CHANGE)?;
        leads_to(&self.desk.does((&self.clerk, &case), "s1", "accept", &[])?)?;
        leads_to(&self.desk.does((&self.clerk, &case), "s2", "pass", &[])?)?;
        leads_to(&self.desk.does((&self.tax, &case), "s4", "pass", &[])?)?;
        Ok(case)
    }

    /// The number of the parcel of a case, as the list of the unit has it.
    fn parcel(&self, case: &Case) -> Result<String> {
        let page = self.desk.page(&self.clerk, &format!("/parcels?q={}", case.number))?;
        let number = page.split("href=\"/parcels/").nth(1).and_then(|rest| rest.split('"').next());
        Ok(number.with_context(|| format!("no parcel in {page}"))?.to_owned())
    }

    fn page(&self, number: &str) -> Result<String> {
        self.desk.page(&self.clerk, &format!("/parcels/{number}"))
    }

    /// Sends the form of a deed as a page has it.
    fn sends(&self, who: &Person, page: &str, deed: &str, more: &[(&str, &str)]) -> Result<Answer> {
        let hidden = super::form(page, deed).with_context(|| format!("no {deed} in {page}"))?;
        let path = page.split(&format!("<form id=\"deed-{deed}\"")).nth(1);
        let path =
            path.and_then(|rest| rest.split("action=\"").nth(1)).and_then(|rest| rest.split('"').next());
        let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        fields.extend(more);
        self.desk.server.submit(&who.cookie, path.context("an address")?, &fields)
    }

    /// Does something with the parcel as it is now.
    fn does(&self, number: &str, deed: &str, more: &[(&str, &str)]) -> Result<()> {
        let answer = self.sends(&self.clerk, &self.page(number)?, deed, more)?;
        let to = leads_to(&answer)?;
        ensure!(to == format!("/parcels/{number}"), "{to}");
        Ok(())
    }

    fn state(&self, number: &str) -> Result<String> {
        let sql = format!("SELECT state FROM parcel WHERE number = '{number}'");
        let rows = self.desk.server.rows(&sql, &[])?;
        Ok(rows.first().context("a parcel")?.text(0)?.to_owned())
    }

    /// What no program does.
    fn changes(&self, sql: &str) -> Result<()> {
        let mut store = self.desk.server.database()?.open()?;
        in_transaction(store.as_mut(), |tx| tx.execute(sql, &[]))?;
        Ok(())
    }

    fn tells(&self, message: &Value) -> Result<Answer> {
        let body = serde_json::to_vec(message)?;
        self.signed(&body, &signature::sign(&Seed::new(SECRET), now_ms(), &body))
    }

    fn signed(&self, body: &[u8], header: &str) -> Result<Answer> {
        let headers = [(signature::HEADER, header), ("content-type", "application/json")];
        http::post(&self.desk.server.terminals, &format!("/api/v1/carriers/{CARRIER}/events"), &headers, body)
    }

    /// What became of a message.
    fn told(&self, id: &str, order: &str, news: &str, words: &str) -> Result<String> {
        let message = json!({ "id": id, "order": order, "news": news, "at_ms": 1, "words": words });
        let answer = self.tells(&message)?;
        ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
        Ok(answer.json::<Value>()?["outcome"].as_str().unwrap_or_default().to_owned())
    }
}

/// A carrier that is there: takes orders on a socket and gives each its number.
fn carrier(office: &Office, folder: &std::path::Path) -> Result<Receiver<Value>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let (orders, came) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if take(stream, &orders).is_none() {
                return;
            }
        }
    });
    let secret = folder.join("secret.key");
    let hex: String = SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(&secret, hex)?;
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let file = json!({ "carriers": { CARRIER: { "order": { "address": address, "path": "/orders" }, "secret": secret } } });
    std::fs::write(office.desk.server.data().join("carriers.json"), serde_json::to_vec(&file)?)?;
    Ok(came)
}

fn take(mut stream: std::net::TcpStream, orders: &std::sync::mpsc::Sender<Value>) -> Option<()> {
    let mut came = Vec::new();
    let body = loop {
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece).ok()?;
        came.extend_from_slice(piece.get(..n)?);
        let text = String::from_utf8_lossy(&came).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|l| l.strip_prefix("Content-Length: "))?.parse::<usize>().ok()?;
        if body.len() >= length {
            break body.to_owned();
        }
    };
    let order: Value = serde_json::from_str(&body).ok()?;
    let answer = json!({ "tracking": format!("EM{}", order["order"].as_str()?.len()) }).to_string();
    orders.send(order).ok()?;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(answer.as_bytes())).ok()
}

#[test]
fn a_parcel_goes_to_the_door_and_whoever_waits_sees_where_it_is() -> Result<()> {
    let mut office = Office::new()?;
    let folder = tempfile::tempdir()?;
    let orders = carrier(&office, folder.path())?;
    let case = office.granted(true)?;
    let slip = office.desk.slip_address(&case)?;
    ensure!(office.desk.slip(&slip)?.contains("正在封装"));
    let number = office.parcel(&case)?;
    let list = office.desk.page(&office.clerk, "/parcels")?;
    ensure!(
        list.contains(&number) && [NAME, STREET, PHONE, ID_NUMBER].iter().all(|word| !list.contains(word))
    );
    let page = office.page(&number)?;
    ensure!(page.contains("变更登记") && !page.contains(NAME) && !page.contains(STREET), "{page}");
    // Others have none of it.
    ensure!(!office.desk.page(&office.tax, "/parcels")?.contains(&number));
    for path in [format!("/parcels/{number}"), format!("/parcels/{number}/paper")] {
        ensure!(office.desk.server.page_of(&office.tax, &path)?.status == 403, "{path}");
        ensure!(office.desk.server.page_of(&office.window, &path)?.status == 403, "{path}");
    }
    ensure!(office.desk.server.page_of(&office.clerk, &format!("/parcels/{number}/paper"))?.status == 404);

    office.does(&number, "pack", &[("seal", "f-0001"), ("lines", "公章一枚\n\n财务章一枚")])?;
    let paper = office.desk.page(&office.clerk, &format!("/parcels/{number}/paper"))?;
    for part in [NAME, PHONE, STREET, "城中区", "F-0001", "变更登记", "公章一枚", "财务章一枚"]
    {
        ensure!(paper.contains(part), "{part}: {paper}");
    }
    ensure!(office.desk.audited(&case, "parcel.seen")? == 1, "each look is noted");
    ensure!(office.page(&number)?.contains("模拟快递"), "sample data may use the simulator");

    // Two clerks hand it over at once, from the same page: one order, one number.
    let packed = office.page(&number)?;
    let hand = [("carrier", CARRIER)];
    leads_to(&office.sends(&office.clerk, &packed, "hand", &hand)?)?;
    let second = office.sends(&office.other, &packed, "hand", &hand)?;
    ensure!(leads_to(&second)?.ends_with("?said=changed"));
    let same = office.sends(&office.clerk, &packed, "hand", &hand)?;
    ensure!(leads_to(&same)? == format!("/parcels/{number}"), "the same click again is the same click");
    let order = orders.try_recv()?;
    ensure!(orders.try_recv().is_err(), "one order");
    ensure!(
        order["name"] == NAME && order["order"] == format!("{number}-1") && order["pieces"] == 3,
        "{order}"
    );
    let waits = office.desk.slip(&slip)?;
    ensure!(waits.contains(CARRIER) && waits.contains("EM20"), "{waits}");

    // Late, twice, out of order.
    let order = format!("{number}-1");
    for (id, news, outcome) in [
        ("m1", "on_the_way", "taken"),
        ("m1", "on_the_way", "known"),
        ("m2", "on_the_way", "late"),
        ("m3", "delivered", "taken"),
        ("m3", "delivered", "known"),
        ("m4", "delivered", "late"),
        ("m5", "on_the_way", "late"),
        ("m6", "lost", "late"),
    ] {
        ensure!(office.told(id, &order, news, "=1+1<script>alert(1)</script>")? == outcome, "{id}");
    }
    ensure!(office.state(&number)? == "delivered");
    ensure!(office.desk.slip(&slip)?.contains("已签收"));
    let page = office.page(&number)?;
    ensure!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"), "{page}");
    ensure!(!page.contains("<script>alert"), "{page}");
    ensure!(office.desk.page(&office.clerk, "/parcels?list=done")?.contains(&number));
    let found = office.desk.page(&office.clerk, "/parcels?q=em20")?;
    ensure!(found.contains(&number), "by the number of the carrier");
    Ok(())
}

#[test]
fn call_backs_that_are_wrong_old_or_of_nobody_change_nothing() -> Result<()> {
    let mut office = Office::new()?;
    let folder = tempfile::tempdir()?;
    let _orders = carrier(&office, folder.path())?;
    let case = office.granted(true)?;
    let number = office.parcel(&case)?;
    office.does(&number, "pack", &[("seal", "F-2")])?;
    office.does(&number, "hand", &[("carrier", CARRIER)])?;
    let order = format!("{number}-1");
    let good = json!({ "id": "a", "order": order, "news": "lost", "at_ms": 1 });
    let body = serde_json::to_vec(&good)?;
    let now_ms = now_ms();
    let (right, other) = (Seed::new(SECRET), Seed::new([9; 32]));
    let old = now_ms - signature::WINDOW_MS - 60_000;
    for header in [
        String::new(),
        signature::sign(&other, now_ms, &body),
        signature::sign(&right, now_ms, b"{}"),
        signature::sign(&right, old, &body),
        signature::sign(&right, now_ms + 2 * signature::WINDOW_MS, &body),
    ] {
        let answer = office.signed(&body, &header)?;
        ensure!((answer.status, answer.problem()?.as_str()) == (401, "signature-invalid"), "{header}");
    }
    let unknown = http::post(
        &office.desk.server.terminals,
        "/api/v1/carriers/nobody/events",
        &[(signature::HEADER, &signature::sign(&right, now_ms, &body))],
        &body,
    )?;
    ensure!(unknown.status == 401, "{}", unknown.status);
    for (message, status) in [
        (json!({ "id": "b", "order": "JP2611240010001010-1", "news": "lost", "at_ms": 1 }), 404),
        (json!({ "id": "b", "order": format!("{number}-2"), "news": "lost", "at_ms": 1 }), 404),
        (json!({ "id": "b", "order": number, "news": "lost", "at_ms": 1 }), 404),
        (json!({ "id": "", "order": order, "news": "lost", "at_ms": 1 }), 400),
        (json!({ "id": "b", "order": order, "news": "stolen", "at_ms": 1 }), 400),
        (json!({ "id": "b", "order": order, "news": "lost", "at_ms": 1, "more": 1 }), 400),
        (json!([]), 400),
        (json!({ "id": "b", "order": order, "news": "lost", "at_ms": 1, "words": "长".repeat(9_000) }), 413),
    ] {
        let answer = office.tells(&message)?;
        ensure!(answer.status == status, "{message}: {} {}", answer.status, answer.text());
    }
    ensure!(office.state(&number)? == "handed");
    ensure!(office.tells(&good)?.status == 200 && office.state(&number)? == "lost", "the right one is taken");
    Ok(())
}

#[test]
fn what_is_refused_or_lost_is_made_again_or_picked_up_once() -> Result<()> {
    let mut office = Office::new()?;
    let folder = tempfile::tempdir()?;
    let _orders = carrier(&office, folder.path())?;
    let case = office.granted(true)?;
    let number = office.parcel(&case)?;
    office.does(&number, "pack", &[("seal", "F-3")])?;
    office.does(&number, "by_hand", &[("carrier", "=顺丰"), ("tracking", "sf-1")])?;
    let csv = office.desk.server.page_of(&office.clerk, "/parcels.csv?list=way")?;
    ensure!(csv.status == 200 && csv.text().contains(",'=顺丰,SF-1,F-3,1,"), "{}", csv.text());
    office.does(&number, "tell", &[("news", "refused"), ("words", "<b>不要</b>")])?;
    let needs = office.desk.page(&office.clerk, "/parcels?list=needs")?;
    ensure!(needs.contains(&number) && needs.contains("拒收"), "{needs}");
    let slip = office.desk.slip_address(&case)?;
    ensure!(office.desk.slip(&slip)?.contains("快递没有送到"));
    office.does(&number, "tell", &[("news", "returned"), ("words", "")])?;
    office.does(&number, "again", &[])?;
    office.does(&number, "pack", &[("seal", "F-4")])?;
    office.does(&number, "hand", &[("carrier", CARRIER)])?;
    ensure!(office.told("x1", &format!("{number}-2"), "lost", "")? == "taken");
    office.does(&number, "again", &[])?;
    ensure!(
        office.told("x2", &format!("{number}-2"), "delivered", "")? == "of_before",
        "it is noted, and moves nothing"
    );
    ensure!(office.state(&number)? == "to_pack");
    let bad = office.sends(&office.clerk, &office.page(&number)?, "pack", &[("seal", "=1")])?;
    ensure!(leads_to(&bad)?.ends_with("?said=malformed"));
    office.does(&number, "window", &[])?;
    ensure!(office.desk.slip(&slip)?.contains("请带身份证来领"));

    picked_up_once(&office, &case)?;
    ensure!(office.desk.slip(&slip)?.contains("已在窗口领取"));
    let said = office.desk.server.command(&["verify"])?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    let sql = format!("UPDATE parcel SET state = 'lost' WHERE number = '{number}'");
    office.changes(&sql)?;
    let said = office.desk.server.command(&["verify"])?;
    ensure!(
        !said.status.success() && String::from_utf8_lossy(&said.stdout).contains("parcel JP"),
        "it is seen"
    );
    office.changes(&sql.replace("lost", "picked_up"))
}

/// Somebody stands at the window: found by both numbers only, and handed over once.
fn picked_up_once(office: &Office, case: &Case) -> Result<()> {
    let find = |number: &str, id: &str| -> Result<String> {
        let fields = [("number", number), ("id_number", id)];
        let answer = office.desk.server.submit(&office.window.cookie, "/window/pick-up", &fields)?;
        ensure!(answer.status == 200, "{}", answer.status);
        Ok(answer.text())
    };
    for (number, id) in [
        (case.number.as_str(), "639900199005201027"),
        ("XN26112400100013", ID_NUMBER),
        ("x", ID_NUMBER),
        ("", ""),
    ] {
        let page = find(number, id)?;
        ensure!(page.contains("没有找到") && !page.contains("变更登记"), "{page}");
    }
    let page = find(&case.number, ID_NUMBER)?;
    ensure!(page.contains("变更登记") && page.contains("样*川") && !page.contains(NAME), "{page}");
    ensure!(office.desk.audited(case, "parcel.seen")? == 1, "a look that finds something is noted");
    let value = |name: &str| {
        let start = format!("name=\"{name}\" value=\"");
        page.split(&start).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    };
    let (seen, click) = (value("seen"), value("click"));
    let hand = |who: &Person, click: &str| {
        let fields =
            [("number", case.number.as_str()), ("id_number", ID_NUMBER), ("seen", &seen), ("click", click)];
        office.desk.server.submit(&who.cookie, "/window/pick-up/hand", &fields)
    };
    ensure!(hand(&office.clerk, &click)?.status == 403, "only at a window");
    for _ in 0..2 {
        ensure!(hand(&office.window, &click)?.text().contains("已交给本人，记下了"), "twice is once");
    }
    let late = hand(&office.window, "another")?;
    ensure!(late.text().contains("不能再领一次") && late.text().contains("窗甲"), "{}", late.text());
    ensure!(office.desk.audited(case, "parcel.picked_up")? == 1);
    Ok(())
}

#[test]
fn what_is_revoked_on_its_way_is_called_back_and_what_is_here_stays_here() -> Result<()> {
    let mut office = Office::new()?;
    let way = office.granted(true)?;
    let here = office.granted(false)?;
    let (on_its_way, waits) = (office.parcel(&way)?, office.parcel(&here)?);
    ensure!(office.state(&waits)? == "at_window");
    office.does(&on_its_way, "pack", &[("seal", "F-5")])?;
    office.does(&on_its_way, "hand", &[("carrier", "simulated")])?;
    let page = office.page(&on_its_way)?;
    ensure!(page.contains("SIM") && page.contains("模拟快递"), "{page}");
    for case in [&way, &here] {
        let page = office.desk.case(&office.leader, case, "s2")?;
        let path = page.split("action=\"").find(|rest| rest.contains("/revoke\"")).context("a form")?;
        let path = path.split('"').next().context("an address")?;
        leads_to(&office.desk.server.submit(&office.leader.cookie, path, &[("text", "错发")])?)?;
    }
    ensure!(office.state(&waits)? == "withdrawn" && office.state(&on_its_way)? == "handed");
    let needs = office.desk.page(&office.clerk, "/parcels?list=needs")?;
    ensure!(needs.contains(&on_its_way) && needs.contains("须追回"), "{needs}");
    let slip = office.desk.slip_address(&way)?;
    ensure!(!office.desk.slip(&slip)?.contains("id=\"result\""), "nothing is promised");
    let fields = [("number", here.number.as_str()), ("id_number", ID_NUMBER)];
    let window = office.desk.server.submit(&office.window.cookie, "/window/pick-up", &fields)?.text();
    ensure!(window.contains("不在窗口：已撤下") && !window.contains("已交给本人"), "{window}");
    office.does(&on_its_way, "tell", &[("news", "returned"), ("words", "")])?;
    ensure!(super::form(&office.page(&on_its_way)?, "again").is_none(), "nothing good is left to send");
    office.does(&on_its_way, "settle", &[])?;
    ensure!(office.state(&on_its_way)? == "withdrawn");
    Ok(())
}

#[test]
fn its_pages_fit_a_workstation_and_a_phone() -> Result<()> {
    let mut office = Office::new()?;
    let first = office.granted(true)?;
    let second = office.granted(true)?;
    let third = office.granted(false)?;
    let number = office.parcel(&first)?;
    office.does(&number, "pack", &[("seal", "F-6"), ("lines", "公章一枚")])?;
    let sent = office.parcel(&second)?;
    office.does(&sent, "pack", &[("seal", "F-7")])?;
    office.does(&sent, "hand", &[("carrier", "simulated")])?;
    office.does(&sent, "tell", &[("news", "refused"), ("words", "收件人说不要了")])?;
    let browser = Browser::start()?;
    browser.become_person(&office.desk.server, &office.clerk)?;
    let people = office.desk.server.people.clone();
    for (name, path) in [
        ("parcels-pack", "/parcels".to_owned()),
        ("parcels-empty", "/parcels?list=way".to_owned()),
        ("parcels-needs", "/parcels?list=needs".to_owned()),
        ("parcel-packed", format!("/parcels/{number}")),
        ("parcel-refused", format!("/parcels/{sent}")),
        ("parcel-paper", format!("/parcels/{number}/paper")),
        ("parcel-said", format!("/parcels/{sent}?said=changed")),
        ("slip-result", office.desk.slip_address(&third)?),
    ] {
        super::fits::fits(&browser, &people, (name, &path))?;
    }
    browser.become_person(&office.desk.server, &office.window)?;
    super::fits::fits(&browser, &people, ("pick-up", "/window/pick-up"))?;
    ensure!(browser.complaints()?.is_empty());
    Ok(())
}
