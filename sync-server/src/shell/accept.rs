//! What a caller would rather read, by its `Accept` (RFC 9110, 12.5.1): a problem as JSON, or as a page.
//!
//! Refuses to guess: who does not name JSON gets a page, and so does a browser, which names HTML first.
use axum::http::{HeaderMap, header};

/// The media types of problems as JSON.
const JSON: [&str; 2] = ["application/problem+json", "application/json"];
/// Those of pages.
const PAGES: [&str; 2] = ["text/html", "application/xhtml+xml"];
/// What a page matches without being named.
const WILD: [&str; 2] = ["text/*", "*/*"];

/// Whether a caller names JSON and does not like a page better.
pub fn prefers_json(headers: &HeaderMap) -> bool {
    let json = weight_of(headers, &JSON).unwrap_or(0);
    let page = weight_of(headers, &PAGES);
    json > 0 && json >= page.map_or_else(|| weight_of(headers, &WILD).unwrap_or(0), |page| page + 1)
}

/// The greatest weight that one of these ranges has, in thousandths; nothing if none is named.
fn weight_of(headers: &HeaderMap, ranges: &[&str]) -> Option<u16> {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let named = lines.flat_map(|line| line.split(',')).filter_map(|entry| {
        let (range, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        ranges.iter().any(|r| r.eq_ignore_ascii_case(range.trim())).then(|| weight(parameters))
    });
    named.max()
}

/// The weight among a range's parameters, in thousandths; 1000 without one, 0 for one that is none.
fn weight(parameters: &str) -> u16 {
    let mut pairs = parameters.split(';').filter_map(|p| p.split_once('='));
    let Some((_, value)) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("q")) else {
        return 1_000;
    };
    let value: f32 = value.trim().parse().unwrap_or(0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 1000
    let thousandths = (value.clamp(0.0, 1.0) * 1_000.0).round() as u16;
    thousandths
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn prefers(lines: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ACCEPT, HeaderValue::from_static(line));
        }
        prefers_json(&headers)
    }

    #[test]
    fn programs_get_json() {
        for line in [
            "application/json",
            "application/problem+json",
            "Application/JSON; charset=utf-8",
            "application/json, text/plain, */*",
            "text/html;q=0.5, application/json;q=0.9",
            "*/*;q=0.1, application/problem+json;q=0.2",
        ] {
            assert!(prefers(&[line]), "{line}");
        }
        assert!(prefers(&["text/plain", "application/json"]));
    }

    #[test]
    fn browsers_and_who_says_nothing_get_a_page() {
        for line in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "*/*",
            "",
            "text/html, application/json",
            "application/json;q=0",
            "application/json;q=nonsense",
            "application/json;q=NaN",
            "application/json;q=0.5, */*",
            "application/jsonp",
            "application/*",
        ] {
            assert!(!prefers(&[line]), "{line}");
        }
        assert!(!prefers(&[]));
        assert!(!prefers(&["application/json;q=0.9", "text/html"]));
    }
}
