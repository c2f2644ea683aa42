//! JSON read strictly and by its meaning: no key twice, no NUL in any text, and `148.0` is the whole number 148, as
//! JSON Schema has it.
//!
//! RFC 8259 leaves the meaning of a repeated key open, so two readers could see two requests in one signed or logged
//! body. NUL cannot be stored by every database. Depth is bounded by serde_json (128). A body is read once, straight
//! into its type: the rules stand between the text and the type, also for fields that the type does not know.
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer as _, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde_json::error::Category;

/// Floats up to here are whole numbers exactly: 2^53.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Why a text was not read. Names places, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    /// Not JSON, or nested too deeply.
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A key that stands twice, or a text with NUL.
    Ambiguous {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// JSON, but not what was asked for.
    Shape {
        /// Fields of the type and places in lists.
        path: String,
    },
}

/// Reads a whole text.
///
/// # Errors
/// [`Mistake`]
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Mistake> {
    let broken = Cell::new(false);
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(Strict { inner: &mut json, broken: &broken });
    value
        .map_err(|e| (e.path().to_string(), e.into_inner()))
        .and_then(|value| {
            // White space may follow, nothing else.
            json.end().map(|()| value).map_err(|e| (String::new(), e))
        })
        .map_err(|(path, error): (String, serde_json::Error)| {
            let (line, column) = (error.line(), error.column());
            match error.classify() {
                Category::Data if broken.get() => Mistake::Ambiguous { line, column },
                Category::Data => Mistake::Shape { path },
                _ => Mistake::NotJson { line, column },
            }
        })
}

/// Anything of serde's, with the rules around it. `broken` is set when a rule was.
struct Strict<'b, T> {
    inner: T,
    broken: &'b Cell<bool>,
}

impl<'b, T> Strict<'b, T> {
    fn around<U>(&self, inner: U) -> Strict<'b, U> {
        Strict { inner, broken: self.broken }
    }

    fn text<E: Error>(&self, text: &str) -> Result<(), E> {
        if !text.contains('\0') {
            return Ok(());
        }
        self.broken.set(true);
        Err(E::custom("a text with NUL"))
    }
}

macro_rules! deserialize {
    ($($method:ident ($($name:ident: $kind:ty),*))*) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.around(visitor);
            self.inner.$method($($name,)* visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<'_, D> {
    type Error = D::Error;

    deserialize! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32()
        deserialize_i64() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_option() deserialize_unit()
        deserialize_unit_struct(name: &'static str) deserialize_newtype_struct(name: &'static str)
        deserialize_seq() deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize) deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) deserialize_identifier()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        // What is skipped is looked at all the same.
        self.deserialize_any(visitor)
    }
}

macro_rules! visit {
    ($($method:ident $kind:ty)*) => {
        $(fn $method<E: Error>(self, value: $kind) -> Result<V::Value, E> {
            self.inner.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! { visit_bool bool visit_i64 i64 visit_u64 u64 }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and below 2^53")]
    fn visit_f64<E: Error>(self, n: f64) -> Result<V::Value, E> {
        match n {
            n if n.fract() != 0.0 || n.abs() > MAX_EXACT => self.inner.visit_f64(n),
            n if n < 0.0 => self.inner.visit_i64(n as i64),
            n => self.inner.visit_u64(n as u64),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.text(text)?;
        self.inner.visit_str(text)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<V::Value, E> {
        self.text(text)?;
        self.inner.visit_borrowed_str(text)
    }

    fn visit_string<E: Error>(self, text: String) -> Result<V::Value, E> {
        self.text(&text)?;
        self.inner.visit_string(text)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        let d = self.around(d);
        self.inner.visit_some(d)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        let d = self.around(d);
        self.inner.visit_newtype_struct(d)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        let items = self.around(items);
        self.inner.visit_seq(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        let entries = Entries { entries: self.around(entries), seen: HashSet::new() };
        self.inner.visit_map(entries)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        let variant = self.around(variant);
        self.inner.visit_enum(variant)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<S::Value, D::Error> {
        let d = self.around(d);
        self.inner.deserialize(d)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.around(seed);
        self.inner.next_element_seed(seed)
    }
}

/// Entries of an object, whose keys must differ.
struct Entries<'b, 'de, A> {
    entries: Strict<'b, A>,
    seen: HashSet<Cow<'de, str>>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, 'de, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Some(key) = self.entries.inner.next_key_seed(self.entries.around(Key))? else { return Ok(None) };
        if !self.seen.insert(key.clone()) {
            self.entries.broken.set(true);
            return Err(A::Error::custom("a key stands twice"));
        }
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.entries.around(seed);
        self.entries.inner.next_value_seed(seed)
    }
}

/// Reads a key, borrowed from the text where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
}

impl<'de, 'b, A: EnumAccess<'de>> EnumAccess<'de> for Strict<'b, A> {
    type Error = A::Error;
    type Variant = Strict<'b, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (seed, broken) = (self.around(seed), self.broken);
        let (value, inner) = self.inner.variant_seed(seed)?;
        Ok((value, Strict { inner, broken }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Strict<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.around(seed);
        self.inner.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.around(visitor);
        self.inner.tuple_variant(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.around(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    fn read(text: &str) -> Option<Value> {
        super::read(text.as_bytes()).ok()
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Small {
        a: Option<u64>,
        #[serde(default)]
        b: Vec<Kind>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        Two(u8),
        #[serde(untagged)]
        Other(String),
    }

    #[test]
    fn a_type_is_read_as_from_a_value_and_what_it_does_not_know_is_read_strictly_too() {
        let good = r#"{"a": 148.0, "b": ["one", {"two": 2.0}, "three"], "unknown": {"x": [1, "y"]}}"#;
        let small = super::read::<Small>(good.as_bytes()).ok();
        let b = vec![Kind::One, Kind::Two(2), Kind::Other("three".into())];
        assert_eq!(small, Some(Small { a: Some(148), b }));
        for bad in [
            r#"{"a":1,"unknown":{"x":1,"x":2}}"#,
            r#"{"a":1,"unknown":1,"unknown":2}"#,
            r#"{"a":1,"unknown":["x\u0000"]}"#,
            r#"{"a":1,"unknown":{"x\u0000":1}}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":["x\u0000"]}"#,
        ] {
            let mistake = super::read::<Small>(bad.as_bytes()).err();
            assert!(matches!(mistake, Some(Mistake::Ambiguous { line: 1, .. })), "{bad} {mistake:?}");
        }
        let shape = super::read::<Small>(br#"{"a":1,"b":["one",{"two":"x"}]}"#).err();
        assert_eq!(shape, Some(Mistake::Shape { path: "b[1]".into() }));
        for bad in [r#"{"a":1} x"#, r#"{"a":1"#, ""] {
            let mistake = super::read::<Small>(bad.as_bytes()).err();
            assert!(matches!(mistake, Some(Mistake::NotJson { .. })), "{bad} {mistake:?}");
        }
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
