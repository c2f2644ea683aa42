//! Values of the store as PostgreSQL sends and takes them: four types, and nothing is converted in silence.
use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::store::{Row, StoreError, Value};

/// Parameters as the client takes them.
pub(super) fn borrowed(parameters: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    parameters.iter().map(|v| v as &(dyn ToSql + Sync)).collect()
}

/// A row out of the client's.
pub(super) fn read(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let value = |column| {
        row.try_get::<_, Value>(column)
            .map_err(|_| StoreError::Shape { column, wanted: "one of the four types" })
    };
    Ok(Row((0..row.len()).map(value).collect::<Result<_, _>>()?))
}

type Conversion = Box<dyn Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Conversion> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            // A parameter that stands beside a literal such as `1` is taken for a shorter whole number.
            Self::Int(n) if *ty == Type::INT4 => i32::try_from(*n)?.to_sql(ty, out),
            Self::Int(n) if *ty == Type::INT8 => n.to_sql(ty, out),
            Self::Text(s) if <&str as ToSql>::accepts(ty) => s.as_str().to_sql(ty, out),
            Self::Blob(b) if *ty == Type::BYTEA => b.as_slice().to_sql(ty, out),
            other => Err(format!("{other:?} for a parameter of type {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Conversion> {
        match *ty {
            Type::INT8 => Ok(Self::Int(i64::from_sql(ty, raw)?)),
            Type::INT4 => Ok(Self::Int(i32::from_sql(ty, raw)?.into())),
            Type::BYTEA => Ok(Self::Blob(raw.to_vec())),
            _ => Ok(Self::Text(String::from_sql(ty, raw)?)),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Conversion> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::BYTEA) || <String as FromSql>::accepts(ty)
    }
}
