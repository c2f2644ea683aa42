//! Texts of a form: there, short enough to be drawn, and without characters that nobody sees.
use super::error::FormError;
use super::spec::{FormSpec, UiField};
use crate::expr::Expr;
use crate::text::{Text, is_hidden};

/// The most characters of a label, question, hint, title or choice, in each language.
pub const MAX_LABEL_CHARS: usize = 200;

/// Checks every text that somebody may see.
pub(super) fn check(spec: &FormSpec) -> Result<(), FormError> {
    for page in &spec.pages {
        label(&page.title, "-", "the title of a page")?;
        rule(page.show_if.as_ref(), "-")?;
        for group in &page.groups {
            group.title.iter().try_for_each(|title| label(title, "-", "the title of a group"))?;
            rule(group.show_if.as_ref(), "-")?;
            if let Some(repeat) = &group.repeat {
                label(&repeat.label, &repeat.key, "the label")?;
                label(&repeat.row, &repeat.key, "the heading of a row")?;
            }
            group.fields.iter().try_for_each(field)?;
        }
    }
    Ok(())
}

fn field(field: &UiField) -> Result<(), FormError> {
    label(&field.label, &field.key, "the label")?;
    field.question.iter().try_for_each(|text| label(text, &field.key, "the question"))?;
    field.hint.iter().try_for_each(|text| label(text, &field.key, "the hint"))?;
    for choice in &field.choices {
        label(&choice.label, &field.key, "the label of a choice")?;
        line(&choice.value, &field.key, "the value of a choice")?;
    }
    field.mask.iter().try_for_each(|mask| line(mask, &field.key, "the mask"))?;
    for expr in [&field.required_if, &field.show_if, &field.computed, &field.default] {
        rule(expr.as_ref(), &field.key)?;
    }
    Ok(())
}

fn label(text: &Text, key: &str, what: &str) -> Result<(), FormError> {
    if text.zh.trim().is_empty() {
        return Err(FormError::new(key, format!("{what} is empty")));
    }
    line(&text.zh, key, what)?;
    line(&text.en, key, what)
}

fn line(text: &str, key: &str, what: &str) -> Result<(), FormError> {
    let most = MAX_LABEL_CHARS;
    if text.chars().take(most + 1).count() > most {
        return Err(FormError::new(key, format!("{what} has more than {most} characters")));
    }
    visible(text, key, what)
}

fn rule(expr: Option<&Expr>, key: &str) -> Result<(), FormError> {
    let mut found = Ok(());
    if let Some(expr) = expr {
        expr.each_text(&mut |text| {
            if found.is_ok() {
                found = visible(text, key, "a text of a rule");
            }
        });
    }
    found
}

fn visible(text: &str, key: &str, what: &str) -> Result<(), FormError> {
    match text.chars().find(|sign| is_hidden(*sign)) {
        Some(c) => {
            Err(FormError::new(key, format!("{what} holds the invisible character U+{:04X}", u32::from(c))))
        }
        None => Ok(()),
    }
}
