//! CSV and XLSX: stable columns, the same figures as the page, and no cell that a spreadsheet runs.
use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use tests::python::python_with;

use super::{Centre, PERIOD, tile};

/// The columns that others read: names are only added.
const ITEMS: &str = "item_code,item_name,kind,cases,decided,open,excluded,first_time,supplemented,supplement_rounds,\
                     overdue,clock,promised_tenths,promised_unit,median_s,d1_s,d2_s,d3_s,d4_s,d5_s,d6_s,d7_s,d8_s,d9_s,\
                     visits_saved,materials_saved,sample";
const CASES: &str = "number,item_code,item_name,station,station_name,received_at,state,clock,used_s,wall_s,\
                     supplement_rounds,overdue,sample";

/// Opens a workbook with somebody else's program, and prints its sheets with the type of each cell.
const OPEN: &str = r"
import sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
for sheet in book:
    for row in sheet.iter_rows():
        for cell in row:
            assert cell.data_type in 'sn', (sheet.title, cell.coordinate, cell.data_type)
    print(sheet.title, sheet.max_row, ','.join(str(c.value) for c in sheet[1]))
about = openpyxl.load_workbook(sys.argv[2])['about']
print('about', ascii([cell.value for row in about.iter_rows() for cell in row]))
print('formula', openpyxl.load_workbook(sys.argv[1])['items']['B2'].data_type)
";

fn lines(text: &str) -> Vec<&str> {
    text.trim_start_matches('\u{feff}').lines().collect()
}

#[test]
fn files_have_the_columns_and_the_figures_of_the_page() -> Result<()> {
    let centre = Centre::filled("2")?;
    let get = |path: &str| centre.page(&centre.operator, &format!("{path}?{PERIOD}"));
    let (items, cases) = (get("/statistics/items.csv")?, get("/statistics/cases.csv")?);
    let (items, cases) = (lines(&items), lines(&cases));
    assert_eq!((items[0], cases[0]), (ITEMS, CASES));
    let all: usize = tile(&get("/statistics")?, "办件")?.parse()?;
    assert_eq!(cases.len(), all + 1, "a line each");
    let estate = items.iter().find(|line| line.starts_with("one.realestate,")).context("real estate")?;
    let fields: BTreeMap<_, _> = ITEMS.split(',').zip(estate.split(',')).collect();
    assert_eq!((fields["kind"], fields["clock"], fields["sample"]), ("bundle", "minutes", "yes"));
    let page = centre.page(&centre.operator, &format!("/statistics?{PERIOD}&item=one.realestate"))?;
    assert_eq!(fields["cases"], tile(&page, "办件")?);
    assert_eq!(fields["median_s"], fields["d5_s"]);
    let minutes: i64 = fields["median_s"].parse::<i64>()? * 10 / 60;
    ensure!((minutes as f64 / 10.0 - tile(&page, "办理用时中位")?.parse::<f64>()?).abs() <= 0.6);
    ensure!(!cases.iter().any(|line| line.contains("639900")), "nothing of a person");
    let only = centre
        .page(&centre.operator, &format!("/statistics/cases.csv?{PERIOD}&item=one.ridehail&of=decided"))?;
    ensure!(lines(&only)[1..].iter().all(|line| line.contains("one.ridehail")));
    // Nothing came in at the window, and nothing without an item: neither leads to everything.
    for narrow in ["item=-", "station=WINDOW"] {
        let none = centre.page(&centre.operator, &format!("/statistics/cases.csv?{PERIOD}&{narrow}"))?;
        assert_eq!(lines(&none).len(), 1, "{narrow}");
        let page = centre.page(&centre.operator, &format!("/statistics?{PERIOD}&{narrow}"))?;
        ensure!(page.contains(">服务窗口</option>") && page.contains(">没有写明事项</option>"), "{narrow}");
    }

    // A station of which the catalogue gives a formula for a name.
    let database = centre.server.database()?;
    database.open()?.execute("UPDATE station SET name = '=HYPERLINK(\"http://evil\")'", &[])?;
    let hostile = get("/statistics/cases.csv")?;
    ensure!(
        hostile.contains("'=HYPERLINK")
            && !hostile.contains(",=HYPERLINK")
            && !hostile.contains(",\"=HYPERLINK")
    );
    let page = centre.page(&centre.operator, &format!("/statistics?{PERIOD}&item=one.realestate"))?;
    ensure!(page.contains("=HYPERLINK(&#34;") || page.contains("=HYPERLINK(&quot;"), "words, escaped");
    let answer = centre.server.page_of(&centre.operator, &format!("/statistics/export.xlsx?{PERIOD}"))?;
    assert_eq!(
        answer.header("content-type"),
        Some("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    );
    let Some(python) = python_with("openpyxl", &["openpyxl==3.1.5"])? else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("a.xlsx");
    std::fs::write(&file, &answer.body)?;
    let narrow =
        format!("/statistics/export.xlsx?{PERIOD}&item=one.ridehail&station=XN-CCB-CD-01&of=decided");
    let (narrow, second) = (centre.server.page_of(&centre.operator, &narrow)?, folder.path().join("b.xlsx"));
    std::fs::write(&second, &narrow.body)?;
    let opened = std::process::Command::new(python).args(["-c", OPEN]).args([&file, &second]).output()?;
    let said = String::from_utf8_lossy(&opened.stdout).into_owned();
    ensure!(opened.status.success(), "{said} {}", String::from_utf8_lossy(&opened.stderr));
    let about = said.lines().find(|line| line.starts_with("about [")).context("what the file is")?;
    ensure!(about.contains("one.ridehail") && about.contains("XN-CCB-CD-01"), "all filters: {about}");
    ensure!(about.contains(r"\u5df2\u51b3\u5b9a\u7684\u529e\u4ef6"), "which cases: {about}");
    ensure!(said.contains(&format!("items {} {ITEMS}", items.len())), "{said}");
    ensure!(said.contains(&format!("cases {} {CASES}", cases.len())), "{said}");
    Ok(())
}
