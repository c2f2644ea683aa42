//! The one cookie: a token, invisible to scripts, never sent from other sites, and only over TLS where there is TLS.
use axum::http::{HeaderMap, HeaderValue, header};

use crate::auth::token::{SessionKey, Token};

/// Its name without TLS.
const PLAIN: &str = "jinban_session";
/// Its name with TLS: browsers take one of this prefix from this very host only (RFC 6265bis, section 4.1.3.2).
const SECURE: &str = "__Host-jinban_session";
/// Lines of cookies that are looked at.
const MAX_LINES: usize = 20;

fn name(tls: bool) -> &'static str {
    if tls { SECURE } else { PLAIN }
}

/// The session that a browser says it has. Two different tokens at once are none: one of them is not ours.
pub fn session_in(headers: &HeaderMap, tls: bool) -> Option<SessionKey> {
    let lines = headers.get_all(header::COOKIE).iter().take(MAX_LINES).filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut keys =
        pairs.filter(|(n, _)| *n == name(tls)).map(|(_, text)| text.parse().map(|t: Token| t.key()));
    let first = keys.next()?.ok()?;
    keys.all(|other| other.is_ok_and(|other| other == first)).then_some(first)
}

/// Gives the browser a token until it is closed.
pub fn set(token: &Token, tls: bool) -> Option<HeaderValue> {
    let text = token.to_text();
    let mut value =
        HeaderValue::from_str(&format!("{}={}{}", name(tls), text.as_str(), attributes(tls))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Takes the token from the browser.
pub fn clear(tls: bool) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{}=; Max-Age=0{}", name(tls), attributes(tls))).ok()
}

fn attributes(tls: bool) -> String {
    let secure = if tls { "; Secure" } else { "" };
    format!("; Path=/; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let pairs = lines.iter().map(|l| (header::COOKIE, HeaderValue::from_str(l).expect("a value")));
        pairs.collect()
    }

    #[test]
    fn a_cookie_comes_back_and_carries_all_its_guards() {
        let token = Token::new(&mut ChaCha20Rng::seed_from_u64(1));
        for (tls, guards) in [
            (false, "; Path=/; HttpOnly; SameSite=Strict"),
            (true, "; Path=/; HttpOnly; SameSite=Strict; Secure"),
        ] {
            let set = set(&token, tls).expect("a value");
            let text = set.to_str().expect("text").to_owned();
            assert!(text.ends_with(guards) && text.starts_with(name(tls)), "{text}");
            assert!(!format!("{set:?}").contains(token.to_text().as_str()), "never printed");
            let pair = text.split(';').next().unwrap_or_default();
            assert_eq!(session_in(&headers(&[&format!("a=b; {pair}; c")]), tls), Some(token.key()));
            assert_eq!(session_in(&headers(&["a=b", pair]), tls), Some(token.key()));
            assert_eq!(session_in(&headers(&[pair]), !tls), None, "the other name is not looked at");
            assert!(clear(tls).expect("a value").to_str().expect("text").contains("Max-Age=0"));
        }
    }

    #[test]
    fn odd_and_doubled_cookies_are_none() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let texts = [Token::new(&mut rng).to_text(), Token::new(&mut rng).to_text()];
        let pair = |n: usize| format!("{PLAIN}={}", texts[n].as_str());
        assert_eq!(session_in(&headers(&[&pair(0), &pair(1)]), false), None);
        assert!(session_in(&headers(&[&pair(0), &pair(0)]), false).is_some());
        for odd in
            ["", ";;;", "=", "jinban_session", "jinban_session=", "jinban_session=x", "xjinban_session=1"]
        {
            assert_eq!(session_in(&headers(&[odd]), false), None, "{odd}");
        }
    }
}
