//! What of an item can be edited, part by part: which fields, where they stand in the item's JSON, and how each is
//! entered. The one table that drawing, reading and comparing share.
//!
//! Refuses to hold words: labels are under `item_field`, values of choices under `choice`.

/// The most rows of a list.
pub const MOST_ROWS: usize = 60;

/// A part of an item: one page of the editor.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name in addresses; words are under `item_part`.
    pub name: &'static str,
    /// Its fields in order.
    pub fields: &'static [Field],
}

/// A field of an item.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Where it stands, such as `guide.one_line`.
    pub path: &'static str,
    /// How it is entered.
    pub kind: Kind,
}

/// How a field is entered, and what it is in the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text on one line, of at most so many characters.
    Line(usize),
    /// A text in Chinese and English, of at most so many Chinese characters.
    Words(usize),
    /// As `Words`; absent if both are empty.
    OptionalWords(usize),
    /// A whole number from and to.
    Number(i64, i64),
    /// An amount in yuan; kept in fen.
    Yuan,
    /// A length of time in halves of its unit; kept in tenths.
    Period,
    /// One of these.
    Choice(&'static str, &'static [&'static str]),
    /// Any of these.
    Set(&'static str, &'static [&'static str]),
    /// Any of the catalogue's life events.
    LifeEvents,
    /// Yes or no.
    Flag,
    /// A list of texts in Chinese and English.
    WordRows(usize),
    /// A list of plain texts.
    LineRows(usize),
    /// Materials: name and source.
    Materials,
    /// Laws: title and certainty.
    Basis,
    /// JSON text; absent if it is empty and may be so.
    Json {
        /// It may be absent.
        optional: bool,
    },
}

impl Kind {
    /// The inputs of a row, if it is a list.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::WordRows(_) => &["zh", "en"],
            Self::LineRows(_) => &["text"],
            Self::Materials => &["zh", "en", "source"],
            Self::Basis => &["name", "certainty"],
            _ => &[],
        }
    }

    /// Whether it is a list.
    pub fn is_list(self) -> bool {
        !self.columns().is_empty()
    }
}

const CATEGORIES: &[&str] = &["apply", "certificate", "query", "pay", "book"];
const AUDIENCES: &[&str] = &["person", "legal_person"];
const CARDS: &[&str] = &["idcard", "sscard", "hmt_rp", "fpr", "ebl", "manual"];
const REGIONS: &[&str] = &["nationwide", "province", "none"];
const OFFLINE: &[&str] = &["queue", "online", "tentative"];

/// How sure a figure or a basis is.
pub const CERTAINTIES: &[&str] = &["published", "confirmed", "to_confirm", "sample"];
/// Where a material comes from.
pub const SOURCES: &[&str] = &["card", "shared", "bring", "sign", "promise"];
/// Units of a length of time.
pub const UNITS: &[&str] = &["working_day", "natural_day", "minute"];

const fn field(path: &'static str, kind: Kind) -> Field {
    Field { path, kind }
}

/// All parts in the order in which people see them.
pub static PARTS: [Part; 9] = [
    Part {
        name: "basics",
        fields: &[
            field("name", Kind::Words(60)),
            field("short_name", Kind::Words(20)),
            field("sensitive", Kind::Flag),
            field("neutral_title", Kind::OptionalWords(20)),
            field("department", Kind::Line(20)),
            field("theme", Kind::Line(20)),
            field("category", Kind::Choice("category", CATEGORIES)),
            field("audience", Kind::Set("audience", AUDIENCES)),
            field("guide.icon", Kind::Line(30)),
            field("guide.life_events", Kind::LifeEvents),
            field("elder_popular", Kind::Flag),
        ],
    },
    Part {
        name: "guide",
        fields: &[
            field("guide.one_line", Kind::Words(40)),
            field("guide.who", Kind::WordRows(60)),
            field("guide.how", Kind::WordRows(60)),
            field("guide.after", Kind::Words(160)),
            field("guide.minutes", Kind::Number(1, 120)),
            field("guide.common_mistakes", Kind::WordRows(80)),
        ],
    },
    Part {
        name: "materials",
        fields: &[
            field("accepted_cards", Kind::Set("card", CARDS)),
            field("materials", Kind::Materials),
            field("results", Kind::LineRows(40)),
        ],
    },
    Part { name: "situations", fields: &[field("situations", Kind::Json { optional: true })] },
    Part { name: "form", fields: &[field("form", Kind::Json { optional: false })] },
    Part {
        name: "terms",
        fields: &[
            field("immediate", Kind::Flag),
            field("promised", Kind::Period),
            field("legal", Kind::Period),
            field("days_source", Kind::Choice("certainty", CERTAINTIES)),
            field("guide.fee_fen", Kind::Yuan),
            field("guide.fee_unsure", Kind::Flag),
            field("guide.fee_note", Kind::OptionalWords(60)),
        ],
    },
    Part {
        name: "reach",
        fields: &[
            field("offline_mode", Kind::Choice("offline", OFFLINE)),
            field("guide.offline_note", Kind::Words(120)),
            field("cross_region", Kind::Choice("region", REGIONS)),
            field("needs_staff", Kind::Flag),
            field("proxy_allowed", Kind::Flag),
            field("withdrawn", Kind::Json { optional: true }),
        ],
    },
    Part {
        name: "search",
        fields: &[
            field("synonyms", Kind::LineRows(20)),
            field("pinyin", Kind::Line(400)),
            field("short_pinyin", Kind::Line(200)),
        ],
    },
    Part { name: "basis", fields: &[field("legal_basis", Kind::Basis)] },
];

/// The part of this name; the first one for any other.
pub fn part_named(name: &str) -> &'static Part {
    PARTS.iter().find(|part| part.name == name).unwrap_or(&PARTS[0])
}

/// The part and the field that a path of a mistake or of a difference lies in, such as `guide.who[1].zh`.
pub fn owner_of(path: &str) -> Option<(&'static Part, &'static Field)> {
    let inside = |field: &Field| {
        path.strip_prefix(field.path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    PARTS.iter().find_map(|part| Some((part, part.fields.iter().find(|field| inside(field))?)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_path_stands_once_and_names_its_part() {
        let paths: Vec<_> = PARTS.iter().flat_map(|part| part.fields).map(|field| field.path).collect();
        assert_eq!(paths.iter().collect::<BTreeSet<_>>().len(), paths.len());
        assert_eq!(owner_of("guide.who[1].zh").map(|(p, f)| (p.name, f.path)), Some(("guide", "guide.who")));
        assert_eq!(owner_of("name").map(|(p, f)| (p.name, f.path)), Some(("basics", "name")));
        assert_eq!(owner_of("names"), None);
        assert_eq!(owner_of("synonym_pinyin[0]"), None);
    }
}
