//! Values and rows as they pass between services and a driver: four types, no floats, no dates.
//!
//! Refuses to guess: a column of another type than asked for is an error, never a default.
use super::StoreError;

/// A value of a column or parameter.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number: BIGINT; also booleans and instants.
    Int(i64),
    /// A text without NUL.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl std::fmt::Debug for Value {
    /// Says the type only: a value may be a person's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Int(_) => "Int(..)",
            Self::Text(_) => "Text(..)",
            Self::Blob(_) => "Blob(..)",
        })
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<u64> for Value {
    /// Sequence numbers stay far below 2^63; a larger one is stored as the largest.
    fn from(n: u64) -> Self {
        Self::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Int(i64::from(b))
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Self::Text(s.to_owned())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::Text(s)
    }
}

impl From<&[u8]> for Value {
    fn from(b: &[u8]) -> Self {
        Self::Blob(b.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(b: Vec<u8>) -> Self {
        Self::Blob(b)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(o: Option<T>) -> Self {
        o.map_or(Self::Null, Into::into)
    }
}

/// A row of an answer, columns in the order of the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// A whole number.
    ///
    /// # Errors
    /// [`StoreError::Shape`] for another type or a missing column; so do all below.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.0.get(column) {
            Some(Value::Int(n)) => Ok(*n),
            _ => Err(StoreError::Shape { column, wanted: "a whole number" }),
        }
    }

    /// A whole number that is not negative.
    pub fn uint(&self, column: usize) -> Result<u64, StoreError> {
        u64::try_from(self.int(column)?).map_err(|_| StoreError::Shape { column, wanted: "not negative" })
    }

    /// A text.
    pub fn text(&self, column: usize) -> Result<&str, StoreError> {
        match self.0.get(column) {
            Some(Value::Text(s)) => Ok(s),
            _ => Err(StoreError::Shape { column, wanted: "a text" }),
        }
    }

    /// A text or nothing.
    pub fn text_or_null(&self, column: usize) -> Result<Option<&str>, StoreError> {
        if matches!(self.0.get(column), Some(Value::Null)) { Ok(None) } else { self.text(column).map(Some) }
    }

    /// A whole number or nothing.
    pub fn int_or_null(&self, column: usize) -> Result<Option<i64>, StoreError> {
        if matches!(self.0.get(column), Some(Value::Null)) { Ok(None) } else { self.int(column).map(Some) }
    }

    /// Bytes.
    pub fn blob(&self, column: usize) -> Result<&[u8], StoreError> {
        match self.0.get(column) {
            Some(Value::Blob(b)) => Ok(b),
            _ => Err(StoreError::Shape { column, wanted: "bytes" }),
        }
    }

    /// A text that is the written form of some type, such as an id.
    pub fn parsed<T: std::str::FromStr>(&self, column: usize) -> Result<T, StoreError> {
        let wanted = std::any::type_name::<T>();
        self.text(column)?.parse().map_err(|_| StoreError::Shape { column, wanted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_another_type_is_an_error() {
        let row = Row(vec![Value::Int(-1), Value::Text("x".into()), Value::Null, Value::Blob(vec![1])]);
        assert_eq!(row.int(0).ok(), Some(-1));
        assert!(row.uint(0).is_err() && row.text(0).is_err() && row.int(1).is_err() && row.int(9).is_err());
        assert_eq!(row.text_or_null(2).ok(), Some(None));
        assert!(row.text_or_null(3).is_err() && row.blob(1).is_err());
        assert!(row.parsed::<domain::ids::CaseNo>(1).is_err());
    }

    #[test]
    fn printing_a_value_shows_no_content() {
        let value = format!("{:?}", Value::from("张三"));
        assert!(!value.contains('张'), "{value}");
    }
}
