//! What the pages demand, said in JSON Schema: `required`, and `if`/`then` for rules that JSON Schema can say.
//!
//! A condition is written so that the schema accepts it exactly when the rule is *true*; a rule that is unknown is
//! therefore no condition met. Refuses rules with today, the card, sums or other groups: those are judged by the
//! engine alone, on both ends.
use serde_json::{Map, Value, json};

use super::spec::{FormSpec, UiField, UiGroup};
use crate::expr::{Expr, Literal, Many, Two, Type};

/// What one object of the schema must demand.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Demands<'s> {
    /// Keys that are always required, in form order.
    pub required: Vec<&'s str>,
    /// Keys that are required under a condition, with the member of `allOf` that says it.
    pub conditions: Vec<(&'s str, Value)>,
}

/// Fields of one object: their types, and `None` for names of repeat groups.
type Fields<'s> = Vec<(&'s str, Option<Type>)>;

/// The demands of the form itself.
pub(super) fn of_form(spec: &FormSpec) -> Demands<'_> {
    let mut demands = Demands::default();
    let names = spec.groups().flat_map(|group| match &group.repeat {
        Some(repeat) => vec![(repeat.key.as_str(), None)],
        None => fields_of(group),
    });
    let names: Fields<'_> = names.collect();
    for page in &spec.pages {
        for group in &page.groups {
            let around = [page.show_if.as_ref(), group.show_if.as_ref()];
            match &group.repeat {
                Some(repeat) if repeat.min > 0 => {
                    demands.add(&repeat.key, around.into_iter().flatten(), &names)
                }
                Some(_) => {}
                None => group.fields.iter().for_each(|field| demands.add_field(field, &around, &names)),
            }
        }
    }
    demands
}

/// The demands of a row of a repeat group.
pub(super) fn of_row(group: &UiGroup) -> Demands<'_> {
    let mut demands = Demands::default();
    let names = fields_of(group);
    group.fields.iter().for_each(|field| demands.add_field(field, &[], &names));
    demands
}

fn fields_of(group: &UiGroup) -> Fields<'_> {
    group.fields.iter().map(|field| (field.key.as_str(), field.widget.value_type())).collect()
}

impl<'s> Demands<'s> {
    fn add_field(&mut self, field: &'s UiField, around: &[Option<&'s Expr>], names: &Fields<'_>) {
        if field.required || field.required_if.is_some() {
            let own = [field.show_if.as_ref(), field.required_if.as_ref()];
            self.add(&field.key, around.iter().copied().chain(own).flatten(), names);
        }
    }

    fn add(&mut self, key: &'s str, rules: impl Iterator<Item = &'s Expr>, names: &Fields<'_>) {
        let mut rules = rules.peekable();
        if rules.peek().is_none() {
            self.required.push(key);
            return;
        }
        let said: Option<Vec<Value>> = rules.map(|rule| say(rule, true, names)).collect();
        if let Some(said) = said {
            self.conditions.push((key, json!({"if": all_of(said), "then": {"required": [key]}})));
        }
    }
}

impl FormSpec {
    /// Writes `required` and `allOf` of the schema as the pages demand them: what an editor of forms calls after a
    /// change, so that nobody has to say a rule twice.
    pub fn align_schema(&mut self) {
        let mut schema = self.schema.take();
        write(&mut schema, &of_form(self));
        for group in self.groups() {
            let Some(repeat) = &group.repeat else { continue };
            let row = schema.get_mut("properties").and_then(|p| p.get_mut(&repeat.key)?.get_mut("items"));
            row.into_iter().for_each(|row| write(row, &of_row(group)));
        }
        self.schema = schema;
    }
}

fn write(schema: &mut Value, demands: &Demands<'_>) {
    let Some(map) = schema.as_object_mut() else { return };
    map.remove("required");
    map.remove("allOf");
    if !demands.required.is_empty() {
        map.insert("required".to_owned(), json!(demands.required));
    }
    if !demands.conditions.is_empty() {
        let conditions: Vec<&Value> = demands.conditions.iter().map(|(_, condition)| condition).collect();
        map.insert("allOf".to_owned(), json!(conditions));
    }
}

fn all_of(mut said: Vec<Value>) -> Value {
    if said.len() == 1 { said.remove(0) } else { json!({"allOf": said}) }
}

/// A schema that accepts answers exactly when the rule has this truth; `None` if no schema can say it.
fn say(rule: &Expr, truth: bool, names: &Fields<'_>) -> Option<Value> {
    let kind = |key: &str| names.iter().find(|(name, _)| *name == key).map(|(_, kind)| *kind);
    match rule {
        Expr::OneOf { field, one_of } => {
            // A number is compared with texts by its digits: no schema says that.
            (kind(field)?? != Type::Int).then(|| answer(field, choose(json!({"enum": one_of}), truth)))
        }
        Expr::In(part, list) => match part.as_ref() {
            Expr::Field(field) if kind(field)?.is_some() => {
                Some(answer(field, choose(json!({"enum": list}), truth)))
            }
            _ => None,
        },
        Expr::Answered(name) => {
            kind(name)?;
            Some(choose(json!({"required": [name]}), truth))
        }
        Expr::Value(Literal::Bool(value)) => Some(Value::Bool(*value == truth)),
        Expr::Not(part) => say(part, !truth, names),
        Expr::Many(op @ (Many::And | Many::Or), parts) => {
            let said: Option<Vec<Value>> = parts.iter().map(|part| say(part, truth, names)).collect();
            let together = (*op == Many::And) == truth;
            said.map(|said| if together { all_of(said) } else { json!({"anyOf": said}) })
        }
        Expr::Two(op, parts) => match parts.as_ref() {
            [Expr::Field(field), Expr::Value(value)] if kind(field)?.is_some() => {
                compare(*op, value, truth).map(|schema| answer(field, schema))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The field is answered, and the answer fits.
fn answer(field: &str, schema: Value) -> Value {
    let mut properties = Map::new();
    properties.insert(field.to_owned(), schema);
    json!({"properties": properties, "required": [field]})
}

fn choose(schema: Value, truth: bool) -> Value {
    if truth { schema } else { json!({"not": schema}) }
}

fn compare(op: Two, value: &Literal, truth: bool) -> Option<Value> {
    let limit = |keyword: &str, n: Option<i64>| n.map(|n| json!({"type": "integer", keyword: n}));
    match (op, value) {
        (Two::Eq | Two::Ne, _) => Some(choose(json!({"enum": [value]}), (op == Two::Eq) == truth)),
        (Two::Ge, Literal::Int(n)) if truth => limit("minimum", Some(*n)),
        (Two::Lt, Literal::Int(n)) if !truth => limit("minimum", Some(*n)),
        (Two::Gt, Literal::Int(n)) if truth => limit("minimum", n.checked_add(1)),
        (Two::Le, Literal::Int(n)) if !truth => limit("minimum", n.checked_add(1)),
        (Two::Le, Literal::Int(n)) if truth => limit("maximum", Some(*n)),
        (Two::Gt, Literal::Int(n)) if !truth => limit("maximum", Some(*n)),
        (Two::Lt, Literal::Int(n)) if truth => limit("maximum", n.checked_sub(1)),
        (Two::Ge, Literal::Int(n)) if !truth => limit("maximum", n.checked_sub(1)),
        _ => None,
    }
}
