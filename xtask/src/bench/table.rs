//! The figures as a table for a person, also ready to be pasted into `docs/performance.md`.
use super::row::Row;
use super::targets;

const HEAD: [&str; 7] = ["figure", "value", "unit", "floor", "ratio", "target", ""];

/// Draws a Markdown table whose columns also line up in a terminal.
pub fn draw(rows: &[Row]) -> String {
    let mut lines = vec![HEAD.map(str::to_owned), HEAD.map(|_| "-".to_owned())];
    lines.extend(rows.iter().map(cells));
    let width = |at: usize| lines.iter().map(|l| l[at].chars().count()).max().unwrap_or_default();
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut text = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(widths) {
            let fill = if cell == "-" { '-' } else { ' ' };
            text.push_str("| ");
            text.push_str(cell);
            text.extend(std::iter::repeat_n(fill, width.saturating_sub(cell.chars().count())));
            text.push(' ');
        }
        text.push_str("|\n");
    }
    text
}

fn cells(row: &Row) -> [String; 7] {
    let bound = targets::bound(&row.name);
    let optional = |n: Option<f64>| n.map(|n| n.to_string()).unwrap_or_default();
    let met = bound.map(|b| if b.is_met(row) { "met" } else { "MISSED" });
    [
        row.name.clone(),
        row.value.to_string(),
        row.unit.clone(),
        optional(row.floor),
        optional(row.ratio_to_floor),
        bound.map(|b| b.words(&row.unit)).unwrap_or_default(),
        met.unwrap_or_default().to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up_and_says_what_was_missed() {
        let row = |name: &str, ratio: Option<f64>| Row {
            name: name.into(),
            value: 3_100.0,
            unit: "1/s".into(),
            floor: ratio.map(|r| 3_100.0 / r),
            ratio_to_floor: ratio,
        };
        let rows = [
            row("ingest.throughput", Some(0.5)),
            row("ingest.throughput", Some(0.4)),
            row("ingest.opened", None),
        ];
        let text = draw(&rows);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5);
        assert!(lines.iter().all(|l| l.chars().count() == lines[0].chars().count()), "{text}");
        assert!(lines[2].contains("6200") && lines[2].contains(">= 0.5 of the floor"), "{text}");
        let ends = ["| met    |", "| MISSED |", "|        |"];
        assert!(lines[2..].iter().zip(ends).all(|(l, end)| l.ends_with(end)), "{text}");
    }
}
