//! Reads HTML as far as a form needs it: tags with their attributes, and what a browser would send.
//!
//! Strict enough to fail on markup that is broken: an attribute without its end, an unknown entity.

/// A tag with its attributes, and the text up to the next tag.
#[derive(Debug, Clone)]
pub struct Tag {
    /// Its name; closing tags begin with `/`.
    pub name: String,
    /// Names and values.
    pub attributes: Vec<(String, String)>,
    /// The text after it.
    pub text: String,
}

impl Tag {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// All tags of a page, in order.
pub fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = end_of_tag(rest);
        let (name, attributes) = attributes(&rest[..end]);
        rest = &rest[end + 1..];
        let text = &rest[..rest.find('<').unwrap_or(rest.len())];
        tags.push(Tag { name, attributes, text: unescaped(text) });
    }
    tags
}

fn end_of_tag(text: &str) -> usize {
    let mut quote = None;
    for (at, sign) in text.char_indices() {
        match (quote, sign) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(sign),
            (Some(open), sign) if open == sign => quote = None,
            _ => {}
        }
    }
    unreachable!("a tag without its end: {}", text.chars().take(80).collect::<String>())
}

fn attributes(tag: &str) -> (String, Vec<(String, String)>) {
    let tag = tag.trim_end_matches('/');
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let key = &rest[..end];
        if key.is_empty() {
            return (name.to_owned(), attributes);
        }
        rest = &rest[end..];
        let value = match rest.strip_prefix("=\"").or_else(|| rest.strip_prefix("='")) {
            Some(quoted) => {
                let quote = rest.chars().nth(1).expect("a quote");
                let (value, after) = quoted.split_once(quote).expect("an attribute without its end");
                rest = after;
                unescaped(value)
            }
            None => String::new(),
        };
        assert!(attributes.iter().all(|(n, _)| n != key), "{key} stands twice in <{tag}>");
        attributes.push((key.to_owned(), value));
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';').expect("an entity without its end");
        out.push(match entity {
            "#38" | "amp" => '&',
            "#60" | "lt" => '<',
            "#62" | "gt" => '>',
            "#34" | "quot" => '"',
            "#39" => '\'',
            other => unreachable!("an unknown entity: {other}"),
        });
        rest = after;
    }
    out + rest
}

/// What a browser sends of all forms of a page, without buttons.
pub fn sent(tags: &[Tag]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut list: Option<(String, Vec<(String, bool)>)> = None;
    for tag in tags {
        let name = tag.get("name").unwrap_or_default().to_owned();
        let value = tag.get("value").unwrap_or_default().to_owned();
        match tag.name.as_str() {
            "input"
                if matches!(tag.get("type"), Some("radio" | "checkbox")) && tag.get("checked").is_none() => {}
            "input" => pairs.push((name, value)),
            // The first line break of a text area is not part of it.
            "textarea" => pairs.push((name, tag.text.strip_prefix('\n').unwrap_or(&tag.text).to_owned())),
            "select" => list = Some((name, Vec::new())),
            "option" => {
                if let Some((_, options)) = &mut list {
                    options.push((value, tag.get("selected").is_some()));
                }
            }
            "/select" => {
                if let Some((name, options)) = list.take() {
                    let chosen = options.iter().find(|(_, chosen)| *chosen).or(options.first());
                    pairs.extend(chosen.map(|(value, _)| (name, value.clone())));
                }
            }
            _ => {}
        }
    }
    pairs.retain(|(name, _)| !name.is_empty());
    pairs
}

/// Sets a value as somebody who types or chooses it.
pub fn put(pairs: &mut Vec<(String, String)>, name: &str, value: &str) {
    match pairs.iter_mut().find(|(n, _)| n == name) {
        Some((_, old)) => value.clone_into(old),
        None => pairs.push((name.to_owned(), value.to_owned())),
    }
}
