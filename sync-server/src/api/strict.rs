//! JSON read strictly and by its meaning: no key twice, no NUL in any text, and `148.0` is the whole number 148, as
//! JSON Schema has it.
//!
//! RFC 8259 leaves the meaning of a repeated key open, so two readers could see two requests in one signed or logged
//! body. NUL cannot be stored by every database. Depth is bounded by serde_json (128).
use serde::Deserialize;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Floats up to here are whole numbers exactly: 2^53.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A JSON value that was read strictly.
pub struct Strict(pub Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

fn text<E: Error>(s: String) -> Result<Value, E> {
    if s.contains('\0') { Err(E::custom("a text with NUL")) } else { Ok(Value::String(s)) }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<Value, E> {
        Ok(b.into())
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Value, E> {
        Ok(n.into())
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Value, E> {
        Ok(n.into())
    }

    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    fn visit_f64<E: Error>(self, n: f64) -> Result<Value, E> {
        let whole = n.fract() == 0.0 && n.abs() <= MAX_EXACT;
        Ok(if whole { (n as i64).into() } else { n.into() })
    }

    fn visit_str<E: Error>(self, s: &str) -> Result<Value, E> {
        text(s.to_owned())
    }

    fn visit_string<E: Error>(self, s: String) -> Result<Value, E> {
        text(s)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.contains('\0') {
                return Err(A::Error::custom("a key with NUL"));
            }
            let Strict(value) = entries.next_value()?;
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Value> {
        serde_json::from_str::<Strict>(text).ok().map(|s| s.0)
    }

    #[test]
    fn what_is_ambiguous_or_cannot_be_stored_is_refused() {
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"[{"\u0061":1,"a":2}]"#,
            r#"{"a":"x\u0000y"}"#,
            r#"{"a\u0000":1}"#,
            r#"["\ud800"]"#,
            r#"["\udc00\ud800"]"#,
            "[1e999]",
            "[NaN]",
            "[01]",
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn everything_else_keeps_its_meaning() {
        let same = r#"{"b":[1,-2,1.5,true,null,"\u5f20"],"a":{"x":{},"y":[]}}"#;
        assert_eq!(read(same), serde_json::from_str(same).ok());
        assert_eq!(read("[148.0, -3.0, 1e3, 0.0]"), Some(serde_json::json!([148, -3, 1000, 0])));
        assert_eq!(read("18446744073709551615"), Some(u64::MAX.into()));
        assert_eq!(read("1.5"), Some(1.5.into()));
        assert_eq!(read("1e300"), Some(1e300.into()), "not whole within what is exact");
    }
}
