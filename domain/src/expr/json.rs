//! Expressions from and to JSON: strict, and bounded before anything is built.
//!
//! Written by hand because a derived reader would follow a hostile text as deep as it goes and would take an object
//! with two operators. Refuses to know whether the parts fit: that is [`super::check`].
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CardFact, Expr, Literal, MAX_DEPTH, MAX_PARTS, Many, Two};
use crate::date::CivilDate;

/// The most members of one object: `if`, `then`, `else`.
const MAX_MEMBERS: usize = 3;

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Level(MAX_DEPTH).deserialize(deserializer)
    }
}

/// An expression that may have this many levels more.
#[derive(Clone, Copy)]
struct Level(usize);

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Expr;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Expr, D::Error> {
        if self.0 == 0 {
            return Err(D::Error::custom(format!("an expression has at most {MAX_DEPTH} levels")));
        }
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Expr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an expression: an object with one operator")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Expr, A::Error> {
        let mut members: BTreeMap<String, Part> = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let part = Part::read(&name, Self(self.0 - 1), &mut map)?;
            if members.insert(name, part).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
            if members.len() > MAX_MEMBERS {
                return Err(A::Error::custom("an expression has one operator"));
            }
        }
        assemble(members).map_err(A::Error::custom)
    }
}

/// A list of expressions.
struct Levels(Level);

impl<'de> DeserializeSeed<'de> for Levels {
    type Value = Vec<Expr>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Expr>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Levels {
    type Value = Vec<Expr>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of expressions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Expr>, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = list.next_element_seed(self.0)? {
            if parts.len() == MAX_PARTS {
                return Err(A::Error::custom(format!("an operator has at most {MAX_PARTS} parts")));
            }
            parts.push(part);
        }
        Ok(parts)
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Plain)
    }
}

/// Reads a literal; a list or object is refused without a look inside.
struct Plain;

impl Visitor<'_> for Plain {
    type Value = Literal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, a whole number or a text")
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Literal, E> {
        Ok(Literal::Bool(truth))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Literal, E> {
        Ok(Literal::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Literal, E> {
        i64::try_from(number).map(Literal::Int).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Literal, E> {
        Ok(Literal::Text(text.to_owned()))
    }
}

/// A member of an expression's object.
enum Part {
    Name(String),
    Names(Vec<String>),
    List(Vec<Literal>),
    Fact(CardFact),
    Today(bool),
    Value(Literal),
    Date(CivilDate),
    One(Box<Expr>),
    All(Vec<Expr>),
}

impl Part {
    fn read<'de, A: MapAccess<'de>>(name: &str, below: Level, map: &mut A) -> Result<Self, A::Error> {
        Ok(match name {
            "field" | "answered" | "count" => Self::Name(map.next_value()?),
            "one_of" => Self::Names(map.next_value()?),
            "list" => Self::List(map.next_value()?),
            "card" => Self::Fact(map.next_value()?),
            "today" => Self::Today(map.next_value()?),
            "value" => Self::Value(map.next_value()?),
            "date" => Self::Date(map.next_value()?),
            "in" | "not" | "age" | "if" | "then" | "else" => Self::One(Box::new(map.next_value_seed(below)?)),
            many_or_two if is_operator(many_or_two) => Self::All(map.next_value_seed(Levels(below))?),
            unknown => {
                let unknown: String = unknown.chars().take(40).collect();
                return Err(A::Error::custom(format!("unknown operator `{unknown}`")));
            }
        })
    }
}

fn is_operator(name: &str) -> bool {
    many(name).is_some() || two(name).is_some()
}

fn many(name: &str) -> Option<Many> {
    Many::NAMES.iter().find(|(n, _)| *n == name).map(|(_, op)| *op)
}

fn two(name: &str) -> Option<Two> {
    Two::NAMES.iter().find(|(n, _)| *n == name).map(|(_, op)| *op)
}

/// One expression from its members.
fn assemble(members: BTreeMap<String, Part>) -> Result<Expr, String> {
    let names: Vec<String> = members.keys().cloned().collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let parts: Vec<Part> = members.into_values().collect();
    let misfit = || Err(format!("`{}` do not make one expression", names.join("`, `")));
    match <[Part; 1]>::try_from(parts) {
        Ok([part]) => single(names.first().copied().unwrap_or_default(), part).map_or_else(misfit, Ok),
        Err(parts) => several(&names, parts).map_or_else(misfit, Ok),
    }
}

fn single(name: &str, part: Part) -> Option<Expr> {
    Some(match (name, part) {
        ("field", Part::Name(key)) => Expr::Field(key),
        ("answered", Part::Name(key)) => Expr::Answered(key),
        ("count", Part::Name(key)) => Expr::Count(key),
        (_, Part::Fact(fact)) => Expr::Card(fact),
        (_, Part::Today(true)) => Expr::Today,
        (_, Part::Value(literal)) => Expr::Value(literal),
        (_, Part::Date(date)) => Expr::Date(date),
        ("not", Part::One(part)) => Expr::Not(part),
        ("age", Part::One(part)) => Expr::Age(part),
        (name, Part::All(parts)) => match (many(name), two(name)) {
            (Some(op), _) => Expr::Many(op, parts),
            (_, Some(op)) => Expr::Two(op, Box::new(<[Expr; 2]>::try_from(parts).ok()?)),
            _ => return None,
        },
        _ => return None,
    })
}

/// Names and parts come in the order of the names.
fn several(names: &[&str], parts: Vec<Part>) -> Option<Expr> {
    let mut parts = parts.into_iter();
    match (names, parts.next()?, parts.next()?, parts.next()) {
        (["field", "one_of"], Part::Name(field), Part::Names(one_of), None) => {
            Some(Expr::OneOf { field, one_of })
        }
        (["in", "list"], Part::One(part), Part::List(list), None) => Some(Expr::In(part, list)),
        (["else", "if", "then"], Part::One(other), Part::One(when), Some(Part::One(then))) => {
            Some(Expr::If(Box::new([*when, *then, *other])))
        }
        _ => None,
    }
}

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Field(key) => map.serialize_entry("field", key)?,
            Self::OneOf { field, one_of } => {
                map.serialize_entry("field", field)?;
                map.serialize_entry("one_of", one_of)?;
            }
            Self::Answered(key) => map.serialize_entry("answered", key)?,
            Self::Count(key) => map.serialize_entry("count", key)?,
            Self::Card(fact) => map.serialize_entry("card", fact)?,
            Self::Today => map.serialize_entry("today", &true)?,
            Self::Value(literal) => map.serialize_entry("value", literal)?,
            Self::Date(date) => map.serialize_entry("date", date)?,
            Self::In(part, list) => {
                map.serialize_entry("in", part)?;
                map.serialize_entry("list", list)?;
            }
            Self::Not(part) => map.serialize_entry("not", part)?,
            Self::Age(part) => map.serialize_entry("age", part)?,
            Self::Many(op, parts) => map.serialize_entry(op.name(), parts)?,
            Self::Two(op, parts) => map.serialize_entry(op.name(), parts.as_slice())?,
            Self::If(parts) => {
                let [when, then, other] = parts.as_ref();
                map.serialize_entry("if", when)?;
                map.serialize_entry("then", then)?;
                map.serialize_entry("else", other)?;
            }
        }
        map.end()
    }
}
