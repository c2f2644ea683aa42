//! A Rust file taken apart just enough for the rules: code without comments and literals, the literals, the paths.
//!
//! Refuses to be a parser: it never fails, and what it does not understand it leaves as code.

/// A Rust file. Offsets are those of the text.
#[derive(Debug)]
pub struct Source {
    /// The text with comments and the insides of literals blanked out; lines stay lines.
    pub code: String,
    /// String and character literals with their offsets.
    pub literals: Vec<(usize, String)>,
}

impl Source {
    /// Takes a text apart.
    pub fn new(text: &str) -> Self {
        let mut source = Self { code: String::with_capacity(text.len()), literals: Vec::new() };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let offset = text.len() - rest.len();
            let (length, literal) = piece(rest, source.code.chars().last());
            let (taken, left) = rest.split_at(length.max(first.len_utf8()));
            match literal {
                Piece::Code => source.code.push_str(taken),
                Piece::Comment => blank(&mut source.code, taken),
                Piece::Literal => {
                    source.literals.push((offset, taken.to_owned()));
                    blank(&mut source.code, taken);
                }
            }
            rest = left;
        }
        source
    }

    /// The same without what is built for tests only (`#[cfg(test)]` items).
    pub fn product(mut self) -> Self {
        const MARK: &str = "#[cfg(test)]";
        let mut from = 0;
        while let Some(start) = self.code[from..].find(MARK).map(|at| at + from) {
            let end = item_end(&self.code, start + MARK.len());
            let mut blanked = String::new();
            blank(&mut blanked, &self.code[start..end]);
            self.code.replace_range(start..end, &blanked);
            self.literals.retain(|(at, _)| !(start..end).contains(at));
            from = end;
        }
        self
    }

    /// Paths that the code names: use trees unfolded, and everything with `::` in it, each with its line.
    pub fn paths(&self) -> Vec<(usize, String)> {
        let tokens = tokens(&self.code);
        let mut paths = Vec::new();
        let mut at = 0;
        while let Some((line, token)) = tokens.get(at) {
            if *token == "use" {
                at = use_tree(&tokens, at + 1, "", &mut paths);
            } else if is_name(token) {
                let (path, next) = path_at(&tokens, at);
                if path.contains("::") {
                    paths.push((*line, path));
                }
                at = next;
            } else {
                at += 1;
            }
        }
        paths
    }

    /// The line of an offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }
}

enum Piece {
    Code,
    Comment,
    Literal,
}

/// How long the piece at the beginning is, and what it is.
fn piece(rest: &str, before: Option<char>) -> (usize, Piece) {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), Piece::Comment);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), Piece::Comment);
    }
    if let Some(length) = raw_string(rest).filter(|_| !in_word) {
        return (length, Piece::Literal);
    }
    if rest.starts_with('"') {
        return (quoted(rest, '"'), Piece::Literal);
    }
    if let Some(length) = character(rest) {
        return (length, Piece::Literal);
    }
    (1, Piece::Code)
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let body = rest.trim_start_matches(['b', 'c']).strip_prefix('r')?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inner = body[hashes..].strip_prefix('"')?;
    let prefix = rest.len() - inner.len();
    let end = format!("\"{}", "#".repeat(hashes));
    Some(inner.find(&end).map_or(rest.len(), |at| prefix + at + end.len()))
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A character literal; a lifetime or label is none.
fn character(rest: &str) -> Option<usize> {
    let mut chars = rest.strip_prefix('\'')?.chars();
    match (chars.next()?, chars.next()) {
        ('\\', _) => Some(quoted(rest, '\'')),
        (c, Some('\'')) => Some(2 + c.len_utf8()),
        _ => None,
    }
}

/// Spaces in place of a text, as many bytes as it has; lines stay lines.
fn blank(code: &mut String, text: &str) {
    code.extend(text.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
}

/// Where the item behind an attribute ends: at its `;` or its matching brace.
fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[from..].char_indices() {
        match c {
            ';' if depth == 0 => return from + at + 1,
            '{' => depth += 1,
            '}' if depth <= 1 => return from + at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Names, `::` and single signs, each with its line.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                _ if is_name(&rest[..first.len_utf8()]) => {
                    rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
                }
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            if !first.is_whitespace() {
                tokens.push((index + 1, &rest[..length]));
            }
            rest = &rest[length..];
        }
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
}

fn path_at(tokens: &[(usize, &str)], mut at: usize) -> (String, usize) {
    let mut path = tokens[at].1.to_owned();
    while let (Some((_, "::")), Some((_, name))) = (tokens.get(at + 1), tokens.get(at + 2)) {
        if !is_name(name) {
            break;
        }
        path = format!("{path}::{name}");
        at += 2;
    }
    (path, at + 1)
}

/// Unfolds one branch of a use tree; gives the place behind it.
fn use_tree(
    tokens: &[(usize, &str)],
    mut at: usize,
    prefix: &str,
    paths: &mut Vec<(usize, String)>,
) -> usize {
    let mut path = prefix.to_owned();
    let start = at;
    while let Some((line, token)) = tokens.get(at) {
        match *token {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|(_, t)| *t != "}" && *t != ";") {
                    at = use_tree(tokens, at, &path, paths);
                    at += usize::from(tokens.get(at).is_some_and(|(_, t)| *t == ","));
                }
                return at + 1;
            }
            "," | "}" | ";" => {
                paths.push((*line, path));
                return at.max(start);
            }
            "as" => at += 2,
            name => {
                path = if path.is_empty() { name.to_owned() } else { format!("{path}::{name}") };
                at += 1;
            }
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let text = "/// doc { \"x\nfn a<'a>(b: &'a str) { '{'; '\\''; \"}\\\"{\"; r#\"\"}\"#; b\"}\" } // }\n/* } /* } */ */ z";
        let source = Source::new(text);
        assert_eq!(source.code.len(), text.len());
        assert_eq!(source.code.matches(['{', '}']).count(), 2, "{}", source.code);
        assert!(source.code.contains("<'a>(b: &'a str)") && source.code.ends_with('z'));
        let literals: Vec<_> = source.literals.iter().map(|(_, l)| l.as_str()).collect();
        assert_eq!(literals, ["'{'", "'\\''", "\"}\\\"{\"", "r#\"\"}\"#", "\"}\""]);
    }

    #[test]
    fn tests_are_no_product() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { \"}\" }\n}\nfn c() {}\n#[cfg(test)]\nmod d;\nfn e() {}";
        let source = Source::new(text).product();
        let left: Vec<_> = source.code.split_whitespace().filter(|w| w.ends_with("()")).collect();
        assert_eq!(left, ["a()", "c()", "e()"]);
        assert!(source.literals.is_empty());
    }

    #[test]
    fn use_trees_are_unfolded() {
        let source = Source::new("use a::{b::{self, C}, d as e};\nuse pcsc;\nlet x = f::g(h::<T>::i);");
        let paths: Vec<_> = source.paths().into_iter().map(|(line, p)| format!("{line} {p}")).collect();
        assert_eq!(paths, ["1 a::b::self", "1 a::b::C", "1 a::d", "2 pcsc", "3 f::g"]);
    }
}
