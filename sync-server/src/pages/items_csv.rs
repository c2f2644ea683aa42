//! Items as CSV for people with a spreadsheet: RFC 4180, UTF-8 with a byte order mark, and nothing that a spreadsheet
//! would run.
use domain::item::Item;

/// Columns, by their names in the item's JSON.
const COLUMNS: [&str; 14] = [
    "code",
    "revision",
    "name",
    "short_name",
    "department",
    "theme",
    "category",
    "promised",
    "legal",
    "days_source",
    "offline_mode",
    "cross_region",
    "fee_fen",
    "synonyms",
];
/// A spreadsheet takes what begins so for a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The file.
pub(super) fn items_csv(items: Vec<&Item>) -> Vec<u8> {
    let mut text = String::from('\u{feff}');
    line(&mut text, COLUMNS.map(str::to_owned));
    for item in items {
        line(&mut text, row(item));
    }
    text.into_bytes()
}

fn row(item: &Item) -> [String; 14] {
    let value = serde_json::to_value(item).unwrap_or_default();
    let plain = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let period = |key: &str| format!("{}/10 {}", value[key]["tenths"], plain_at(&value[key], "unit"));
    [
        item.code.to_string(),
        item.revision.to_string(),
        item.name.zh.clone(),
        item.short_name.zh.clone(),
        item.department.to_string(),
        item.theme.clone(),
        plain("category"),
        period("promised"),
        period("legal"),
        plain("days_source"),
        plain("offline_mode"),
        plain("cross_region"),
        item.guide.fee_fen.to_string(),
        item.synonyms.join("; "),
    ]
}

fn plain_at(value: &serde_json::Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn line(text: &mut String, cells: [String; 14]) {
    let cells = cells.map(|cell| {
        let cell = if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell };
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    });
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formula_is_left() {
        let mut text = String::new();
        let mut cells = COLUMNS.map(str::to_owned);
        cells[0] = "=1+1".into();
        cells[1] = "a,\"b\"\n".into();
        line(&mut text, cells);
        assert!(text.starts_with("'=1+1,\"a,\"\"b\"\"\n\",name,"), "{text}");
        assert!(text.ends_with("synonyms\r\n"));
    }
}
