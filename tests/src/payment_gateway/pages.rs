//! The pages of the simulator, for whoever shows the product: which orders there are, and paying one rightly or wrongly.
use domain::money::Fen;

use super::wire::Request;
use super::{Manner, Ordered, Shared};

const STYLE: &str = "body{font:18px/1.6 sans-serif;max-width:560px;margin:0 auto;padding:24px;color:#1b1f24;background:#fff}\
    h1{font-size:44px;line-height:1.2;margin:0 0 8px;color:#a61b1b}.note{border:2px solid #a61b1b;border-radius:6px;padding:12px 16px}\
    b.sum{font-size:32px}button{display:block;width:100%;min-height:52px;margin:10px 0;font:700 18px sans-serif;border:1px solid #8a929c;\
    border-radius:6px;background:#fff}button.pri{background:#0b5fae;border-color:#0b5fae;color:#fff}code{overflow-wrap:anywhere}\
    h2{font-size:20px;margin:28px 0 8px}";

/// The answer to a browser; none for a call of the server.
pub(super) fn answer(shared: &Shared, request: &Request) -> Option<String> {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let field = |name: &str| {
        let pair = body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        pair.unwrap_or_default().to_owned()
    };
    match (request.method.as_str(), request.path.strip_prefix("/pay/")) {
        ("GET", Some(order)) => Some(order_page(shared, order, "")),
        ("POST", Some(order)) => {
            let told = pay(shared, order, &field("way"));
            Some(order_page(shared, order, &told))
        }
        ("GET", None) if request.path == "/" => Some(list(shared)),
        ("POST", None) if request.path == "/manner" => {
            let manner = MANNERS.iter().find(|(name, ..)| *name == field("manner"));
            shared.state().manner = manner.map(|(_, manner, _)| *manner).unwrap_or_default();
            shared.changed.notify_all();
            Some(list(shared))
        }
        _ => None,
    }
}

const MANNERS: [(&str, Manner, &str); 5] = [
    ("honest", Manner::Honest, "正常"),
    ("away", Manner::Away, "断线"),
    ("nonsense", Manner::Nonsense, "乱回答"),
    ("norefunds", Manner::NoRefunds, "拒绝退费"),
    ("nocalls", Manner::NoCalls, "通知丢失"),
];

fn page(body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>模拟支付</title><style>{STYLE}</style></head><body>\
         <h1>模拟支付</h1><p class=\"note\">这是演示用的模拟支付，不会真的扣钱，也不要输入银行卡号。</p>{body}</body></html>"
    )
}

fn pay(shared: &Shared, order: &str, way: &str) -> String {
    let mut state = shared.state();
    let Some(left) = state.orders.get(order).map(left) else { return "没有这张订单".to_owned() };
    let full = left.get().max(1);
    let amounts: &[i64] = match way {
        "short" => &[(full / 2).max(1)],
        "over" => &[full + 500],
        "twice" => &[full, full],
        _ => &[full],
    };
    for fen in amounts {
        let paid = Fen::new(*fen).map_err(anyhow::Error::from).and_then(|fen| state.paid(order, fen, "CNY"));
        if paid.is_err() {
            return "没有付成".to_owned();
        }
    }
    drop(state);
    shared.changed.notify_all();
    "付好了（模拟）。可以回到凭条网页看。".to_owned()
}

/// What is still to be paid; all of it once more if nothing is.
fn left(ordered: &Ordered) -> Fen {
    let paid: i64 = ordered.paid.iter().map(|told| told.fen.get()).sum();
    let left = Fen::new(ordered.order.fen.get().saturating_sub(paid)).unwrap_or_default();
    if left.is_nothing() { ordered.order.fen } else { left }
}

fn order_page(shared: &Shared, order: &str, told: &str) -> String {
    let state = shared.state();
    let Some(ordered) = state.orders.get(order) else { return page("<p>没有这张订单。</p>") };
    let ways =
        [("exact", "pri", "付清"), ("short", "", "少付"), ("over", "", "多付 5 元"), ("twice", "", "付两次")];
    let button = |(way, look, word): &(&str, &str, &str)| {
        format!("<button class=\"{look}\" name=\"way\" value=\"{way}\">{word}</button>")
    };
    let buttons: String = ways.iter().map(button).collect();
    let told = if told.is_empty() { String::new() } else { format!("<p><b>{told}</b></p>") };
    let closed = if ordered.closed { "<p>订单已关闭，现在付款算迟缴。</p>" } else { "" };
    page(&format!(
        "{told}<p>订单 <code>{}</code></p><p><b class=\"sum\">{} 元</b></p>{closed}<form method=\"post\">{buttons}</form>",
        ordered.order.order,
        left(ordered)
    ))
}

fn list(shared: &Shared) -> String {
    let state = shared.state();
    let order = |ordered: &Ordered| {
        let number = &ordered.order.order;
        format!("<p><a href=\"/pay/{number}\"><code>{number}</code></a> {} 元</p>", ordered.order.fen)
    };
    let orders: String = state.orders.values().map(order).collect();
    let orders = if orders.is_empty() { "<p>还没有订单。</p>".to_owned() } else { orders };
    let manner = |(name, manner, word): &(&str, Manner, &str)| {
        let look = if *manner == state.manner { "pri" } else { "" };
        format!("<button class=\"{look}\" name=\"manner\" value=\"{name}\">{word}</button>")
    };
    let manners: String = MANNERS.iter().map(manner).collect();
    page(&format!(
        "<h2>订单</h2>{orders}<h2>平台状态</h2><form method=\"post\" action=\"/manner\">{manners}</form>"
    ))
}
