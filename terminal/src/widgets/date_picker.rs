//! A month: this month, the next one, or another one by steps of year and month.
//!
//! Refuses to know what is allowed: the form says it. The calendar's day of today comes from the model.
use domain::date::CivilDate;
use egui::{Rect, Ui};

use super::stepper::{Stepper, height, stepper};
use super::{Cx, at};

/// A month of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    /// Year, 1900 to 2999.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
}

impl Month {
    /// The month of today in China.
    pub fn of_now(now_ms: i64) -> Self {
        let (year, month, _) = CivilDate::in_china(now_ms).parts();
        Self { year, month }
    }

    /// Reads `YYYY-MM`.
    pub fn read(text: &str) -> Option<Self> {
        let date: CivilDate = format!("{text}-01").parse().ok()?;
        let (year, month, _) = date.parts();
        Some(Self { year, month })
    }

    /// So many months later, within 1900 and 2999.
    pub fn plus(self, months: i32) -> Self {
        let all =
            (i32::from(self.year) * 12 + i32::from(self.month) - 1 + months).clamp(1900 * 12, 2999 * 12 + 11);
        let part = |number: i32| i16::try_from(number).unwrap_or(1900);
        Self { year: part(all.div_euclid(12)), month: i8::try_from(all.rem_euclid(12) + 1).unwrap_or(1) }
    }

    /// The answer, `YYYY-MM`.
    pub fn answer(self) -> String {
        format!("{:04}-{:02}", self.year, self.month)
    }

    /// In words, such as 2026 年 11 月.
    pub fn words(self, cx: &Cx<'_>) -> String {
        let (year, month) = (format!("{:04}", self.year), self.month.to_string());
        cx.tf("form.month", &[("year", &year), ("month", &month)])
    }
}

/// Two steppers on the right pane; gives the month after a tap.
pub fn month_picker(ui: &mut Ui, cx: &Cx<'_>, pane: Rect, shown: Month) -> Option<Month> {
    super::shape::well(ui, cx, pane_of(cx, pane), crate::theme::radius::CARD, cx.theme.colors.sunken);
    let inner = pane_of(cx, pane).shrink(cx.theme.pick(24.0, 32.0));
    let (year, month) = (format!("{:04}", shown.year), shown.month.to_string());
    let row = cx.strong().style.line + 8.0 + height(cx);
    let first = at(inner.left(), inner.top(), inner.width(), row);
    let second = first.translate(egui::vec2(0.0, row + cx.theme.space(24.0)));
    let year = stepper(ui, cx, first, &Stepper { name: cx.t("picker.year"), value: &year });
    let month = stepper(ui, cx, second, &Stepper { name: cx.t("picker.month"), value: &month });
    year.map(|by| shown.plus(12 * i32::from(by))).or_else(|| month.map(|by| shown.plus(i32::from(by))))
}

/// Width of the picker.
pub fn width(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(560.0, 688.0)
}

fn pane_of(cx: &Cx<'_>, pane: Rect) -> Rect {
    let row = cx.strong().style.line + 8.0 + height(cx);
    let tall = 2.0 * row + cx.theme.space(24.0) + 2.0 * cx.theme.pick(24.0, 32.0);
    at(pane.right() - width(cx), pane.top(), width(cx), tall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_count_over_years_and_stop_at_the_ends() {
        let table = [
            ("2026-11", 2, "2027-01"),
            ("2026-01", -1, "2025-12"),
            ("2999-12", 5, "2999-12"),
            ("1900-01", -30, "1900-01"),
        ];
        for (from, by, to) in table {
            assert_eq!(Month::read(from).unwrap().plus(by).answer(), to);
        }
        assert_eq!(Month::read("2026-13"), None);
        assert_eq!(Month::read(""), None);
        assert_eq!(Month::of_now(1_795_541_400_000).answer(), "2026-11");
    }
}
