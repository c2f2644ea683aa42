//! The pages about money in a real Chromium: the simulator says what it is, and everything fits a phone and a workstation.
use anyhow::{Result, ensure};
use tests::browser::Browser;
use tests::payment_gateway::Manner;

use super::Till;
use crate::desk::fits::fits;

#[test]
fn a_citizen_pays_in_a_browser_at_a_page_that_says_that_it_is_simulated() -> Result<()> {
    let mut till = Till::new()?;
    let (case, bill) = till.billed()?;
    let browser = Browser::start()?;
    browser.resize(390, 844)?;
    browser.open(&format!("{}{}", till.server.people, till.slip_address(&case)?))?;
    browser.press("去缴费")?;
    browser.find_words("模拟支付")?;
    browser.find_words("不会真的扣钱")?;
    browser.press("付清")?;
    browser.find_words("付好了（模拟）")?;
    till.until("the payment", |till| Ok(till.sums(&bill)?.0 == "paid"))?;
    browser.open(&format!("{}{}", till.server.people, till.slip_address(&case)?))?;
    browser.find_words("已缴费")?;
    Ok(())
}

#[test]
fn the_pages_about_money_fit_a_phone_and_a_workstation() -> Result<()> {
    let mut till = Till::new()?;
    let browser = Browser::start()?;
    browser.become_person(&till.server, &till.operator)?;
    fits(&browser, &till.server.people, ("payments-empty", "/payments"))?;
    let (paid, first) = till.billed()?;
    let (open, second) = till.billed()?;
    for (bill, fen) in [(&first, 5_000), (&second, 1_000)] {
        let transaction = till.gateway.pay(bill, fen)?;
        till.gateway.answered(&transaction, 1)?;
    }
    till.gateway.refunds(1)?;
    till.gateway.set(Manner::NoRefunds);
    let stray = till.gateway.pay_astray("JF0000000000", (1_234, "CNY"), &till.server.people)?;
    let dollars = till.gateway.pay_astray(&second, (999, "USD"), &till.server.people)?;
    till.gateway.answered(&stray, 1)?;
    till.gateway.answered(&dollars, 1)?;
    for (name, path) in [("payments-needs", "/payments"), ("payments-all", "/payments?show=all")] {
        fits(&browser, &till.server.people, (name, path))?;
    }
    fits(&browser, &till.server.people, ("slip-to-pay", &till.slip_address(&open)?))?;
    fits(&browser, &till.server.people, ("slip-paid", &till.slip_address(&paid)?))?;
    browser.become_person(&till.server, &till.reviewer)?;
    fits(&browser, &till.server.people, ("desk-bills", &format!("/desk/{}?step=review", open.number)))?;
    let third = till.accepted()?;
    fits(
        &browser,
        &till.server.people,
        ("desk-before-bill", &format!("/desk/{}?step=review#box-bill", third.number)),
    )?;
    let file = till.server.page_of(&till.operator, "/payments.csv?show=all")?;
    let text = file.text();
    ensure!(file.status == 200 && text.lines().count() == 5 && text.contains(&first), "{text}");
    ensure!(text.lines().skip(1).all(|line| !line.starts_with(['=', '+', '-', '@'])));
    ensure!(browser.complaints()?.is_empty());
    Ok(())
}
