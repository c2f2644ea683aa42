//! From the bill to the end of the case, and every way of paying wrongly.
use anyhow::{Result, ensure};
use tests::payment_gateway::Manner;

use super::Till;

#[test]
fn a_citizen_pays_from_the_slip_and_the_case_goes_on() -> Result<()> {
    let mut till = Till::new()?;
    let (case, bill) = till.billed()?;
    let page = till.slip(&case)?;
    let words = ["请您缴费", "25.50 元", "前缴", "去缴费", "模拟支付", "办理时间已暂停"];
    for told in words {
        ensure!(page.contains(told), "{told}: {page}");
    }
    ensure!(page.contains(&format!("/pay/{bill}")), "{page}");
    let english =
        tests::http::get(&till.server.people, &format!("{}&lang=en", till.slip_address(&case)?), &[])?;
    ensure!(english.text().contains("25.50 yuan") && english.text().contains("pay before"));
    let verified = till.server.submit("", "/verify", &[("number", &case.number), ("proof", "9000")])?.text();
    ensure!(
        !verified.contains(&bill) && !verified.contains("25.50"),
        "four digits tell no amount: {verified}"
    );

    let transaction = till.gateway.pay(&bill, 2_550)?;
    till.gateway.answered(&transaction, 1)?;
    let page = till.slip(&case)?;
    ensure!(page.contains("已缴费") && !page.contains("去缴费") && !page.contains("请您缴费"), "{page}");
    till.does(&case, "pass", &[])?;
    ensure!(till.sums(&bill)? == ("paid".to_owned(), [2_550, 2_550, 0, 0]));
    till.is_sound()
}

#[test]
fn short_over_and_twice_each_end_right() -> Result<()> {
    let mut till = Till::new()?;
    let (case, bill) = till.billed()?;
    let short = till.gateway.pay(&bill, 1_000)?;
    till.gateway.answered(&short, 1)?;
    let page = till.slip(&case)?;
    ensure!(page.contains("已缴 10.00 元，还差 15.50 元") && page.contains("去缴费"), "{page}");
    let over = till.gateway.pay(&bill, 2_000)?;
    till.gateway.answered(&over, 1)?;
    let twice = till.gateway.pay(&bill, 2_550)?;
    till.gateway.answered(&twice, 1)?;
    let refunds = till.gateway.refunds(2)?;
    let back: Vec<_> =
        refunds.values().map(|refund| (refund.transaction.clone(), refund.fen.get())).collect();
    ensure!(back == [(over, 450), (twice, 2_550)], "{back:?}");
    till.until("the refunds", |till| Ok(till.sums(&bill)?.1 == [5_550, 2_550, 3_000, 0]))?;
    ensure!(till.slip(&case)?.contains("已退 4.50 元，原路返回"));
    till.is_sound()
}

#[test]
fn a_withdrawal_after_payment_gives_the_money_back() -> Result<()> {
    let mut till = Till::new()?;
    let (case, bill) = till.billed()?;
    let transaction = till.gateway.pay(&bill, 2_550)?;
    till.gateway.answered(&transaction, 1)?;
    till.gateway.set(Manner::NoRefunds);
    till.does(&case, "withdraw", &[])?;
    ensure!(till.sums(&bill)? == ("given_back".to_owned(), [2_550, 0, 0, 2_550]));
    // How it ended stands nowhere else on the page of the slip, so money must not tell it.
    let page = till.slip(&case)?;
    ensure!(!page.contains("正在退") && !page.contains("已转退费") && page.contains("已缴费"), "{page}");
    till.gateway.set(Manner::Honest);
    till.gateway.refunds(1)?;
    till.until("the refund", |till| Ok(till.sums(&bill)?.1 == [2_550, 0, 2_550, 0]))?;
    let page = till.page(&till.operator, &format!("/payments?q={bill}"))?;
    ensure!(page.contains("已转退费") && page.contains(&case.number), "{page}");
    till.is_sound()
}

#[test]
fn a_gateway_that_is_away_or_talks_nonsense_is_asked_again() -> Result<()> {
    let mut till = Till::new()?;
    let case = till.accepted()?;
    for manner in [Manner::Away, Manner::Nonsense, Manner::OtherKey] {
        till.gateway.set(manner);
        if manner == Manner::Away {
            let asks = [("amount", "25.50"), ("basis", "0"), ("text", "样例：工本费")];
            till.does(&case, "bill", &asks)?;
        }
        let tries = till.server.number("SELECT MAX(tries) FROM bill")?;
        till.until("another try", |till| Ok(till.server.number("SELECT MAX(tries) FROM bill")? > tries))?;
        ensure!(till.slip(&case)?.contains("缴费链接马上就来"), "{manner:?}");
    }
    till.gateway.set(Manner::Honest);
    till.until("the link", |till| Ok(till.slip(&case)?.contains("去缴费")))?;
    till.is_sound()
}

#[test]
fn an_amount_that_is_none_is_told_beside_its_field() -> Result<()> {
    let mut till = Till::new()?;
    let case = till.accepted()?;
    for (amount, text, told) in [
        ("12.345", "样例", "金额填元"),
        ("-5", "样例", "金额填元"),
        ("0", "样例", "金额填元"),
        ("=1+1", "样例", "金额填元"),
        ("99999999999999999999", "样例", "金额填元"),
        ("12", "", "请写明理由"),
    ] {
        let page = till.page(&till.reviewer, &format!("/desk/{}?step=review", case.number))?;
        let hidden = crate::desk::form(&page, "bill").unwrap_or_default();
        let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        fields.extend([("amount", amount), ("basis", "0"), ("text", text)]);
        let answer = till.server.submit(&till.reviewer.cookie, &format!("/desk/{}", case.number), &fields)?;
        ensure!(answer.status == 422 && answer.text().contains(told), "{amount}: {}", answer.text());
    }
    ensure!(till.server.number("SELECT COUNT(*) FROM bill")? == 0);
    Ok(())
}
