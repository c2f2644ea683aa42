//! JSON Schemas of the types that write themselves as one text or number, for the OpenAPI page of the server.
//!
//! Each says exactly what its `Deserialize` takes: a program that makes requests from these schemas is never told
//! that they were malformed. Where a bound is checked for one envelope and not for the call, it stands in words only.
use std::borrow::Cow;

use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::{BlobKind, CaseNews, ChangeNews, EnvelopeKind};
use crate::date::CivilDate;
use crate::envelope::{Bytes, Digest, Nonce, PublicKey, SealingPublicKey, Signature, Suite};
use crate::ids::{CaseNo, EnvelopeId, Issuer, ItemCode, KeyId, Lineage, ServerEpoch, StationId, TerminalId};

/// Canonical base64: no bits are left over in the last sign.
const BASE64: &str = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";
/// 32 bytes in canonical base64.
const BASE64_32: &str = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$";
/// 32 bytes, or 65 that begin with 4, in canonical base64.
const BASE64_SEALING_KEY: &str =
    "^(?:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=|B[A-P][A-Za-z0-9+/]{84}[AEIMQUYcgkosw048]=)$";
/// 12 bytes in base64.
const BASE64_12: &str = "^[A-Za-z0-9+/]{16}$";
const UUID: &str = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

fn text(description: &str, example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .examples([serde_json::Value::from(example)])
}

fn patterned(description: &str, example: &str, pattern: &str, length: (usize, usize)) -> ObjectBuilder {
    text(description, example).pattern(Some(pattern)).min_length(Some(length.0)).max_length(Some(length.1))
}

fn uuid(description: &str, example: &str) -> ObjectBuilder {
    patterned(description, example, UUID, (36, 36)).format(Some(SchemaFormat::Custom("uuid".to_owned())))
}

fn base64(description: &str, example: &str) -> ObjectBuilder {
    text(description, example).pattern(Some(BASE64)).content_encoding("base64")
}

macro_rules! schemas {
    ($($ty:ident => $schema:expr;)*) => {
        $(
            impl PartialSchema for $ty {
                fn schema() -> RefOr<Schema> {
                    $schema.into()
                }
            }
            impl ToSchema for $ty {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed(stringify!($ty))
                }
            }
        )*
    };
}

schemas! {
    StationId => patterned("A station, as in the catalogue.", "XN-CCB-CD-01", "^[A-Za-z0-9][A-Za-z0-9-]{0,39}$", (1, 40));
    TerminalId => patterned("A terminal, given by the centre at enrolment.", "T-01", "^[A-Za-z0-9][A-Za-z0-9-]{0,39}$", (1, 40));
    KeyId => patterned(
        "Names a public key: the first 16 hexadecimal digits of its SHA-256.",
        "5f70bf18a0860070", "^[A-Za-z0-9][A-Za-z0-9-]{0,63}$", (1, 64));
    ItemCode => patterned(
        "A service item or bundle: a stable slug.", "hrss.flex-enroll",
        "^[a-z0-9][a-z0-9-]{0,19}\\.[a-z0-9][a-z0-9-]{0,39}$", (3, 61));
    CaseNo => patterned(
        "Number of a case: `XN`, yyMMdd, issuer (3), counter (4), check digit (ISO 7064 MOD 11,10).",
        "XN26112400100013", "^XN[0-9]{14}$", (16, 16));
    EnvelopeId => uuid(
        "What makes every send repeatable: a UUIDv7 made when the form or action starts.",
        "019ab2c3-d4e5-7000-8000-000000000001");
    Lineage => uuid("Random id of a terminal's series.", "00000000-0000-4000-8000-0000000000aa");
    ServerEpoch => uuid(
        "Changes when the centre was restored from a backup.", "00000000-0000-4000-8000-0000000000ee");
    Digest => patterned(
        "SHA-256, 64 hexadecimal digits.",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "^[0-9a-fA-F]{64}$", (64, 64));
    Bytes => base64("Bytes in base64: standard alphabet, padded.", "e30=");
    Signature => base64("An Ed25519 signature: 64 bytes in base64.", "AAAA");
    PublicKey => patterned(
        "An Ed25519 public key: 32 bytes in base64.",
        "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", BASE64_32, (44, 44)).content_encoding("base64");
    SealingPublicKey => patterned(
        "A public key in base64: of X25519 (32 bytes) in suite 1, of SM2 (65 bytes, uncompressed) in suite 2.",
        "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=", BASE64_SEALING_KEY, (44, 88)).content_encoding("base64");
    Nonce => patterned("12 bytes in base64.", "AAAAAAAAAAAAAAAA", BASE64_12, (16, 16)).content_encoding("base64");
    CivilDate => patterned("A day, `YYYY-MM-DD`.", "2026-11-24", "^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$", (10, 10))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)));
    Issuer => ObjectBuilder::new().schema_type(Type::Integer)
        .description(Some("Issuer of case numbers: three of their digits."))
        .minimum(Some(1)).maximum(Some(999));
    Suite => ObjectBuilder::new().schema_type(Type::Integer)
        .description(Some("Cipher suite. 1: HPKE X25519, HKDF-SHA256, ChaCha20-Poly1305. 2: SM2, SM3, SM4-GCM."))
        .enum_values(Some([1, 2]));
    EnvelopeKind => text(
        "What the envelope carries: `submission`, `supplement`, `withdrawal`, `rating`, `problem`, `call`, `booking`. \
         A kind that the centre does not know is stored and looked at by people.", "submission");
    BlobKind => text("What the blob is: `page` or `photo`; others are kept.", "page");
    ChangeNews => OneOfBuilder::new()
        .description(Some("What is new. A caller skips kinds that it does not know."))
        .item(utoipa::openapi::schema::AllOfBuilder::new()
            .item(Ref::from_schema_name(CaseNews::name()))
            .item(news_kind("case")))
        .item(news_kind("catalogue")
            .property("version", ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0))
                .description(Some("Version that was published.")))
            .required("version")
            .property("digest", Ref::from_schema_name(Digest::name()))
            .required("digest"));
}

fn news_kind(kind: &str) -> ObjectBuilder {
    let word = Object::builder().schema_type(Type::String).enum_values(Some([kind]));
    ObjectBuilder::new().schema_type(Type::Object).property("kind", word).required("kind")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_are_what_the_types_take() {
        fn takes<T: PartialSchema + serde::de::DeserializeOwned>() {
            let schema = serde_json::to_value(T::schema()).expect("a schema is JSON");
            let examples = schema["examples"].as_array().cloned().unwrap_or_default();
            assert!(!examples.is_empty(), "{}", std::any::type_name::<T>());
            for example in examples {
                assert!(serde_json::from_value::<T>(example.clone()).is_ok(), "{example}");
                if let Some(max) = schema["maxLength"].as_u64() {
                    assert!(example.as_str().is_some_and(|e| e.len() as u64 <= max), "{example}");
                }
            }
        }
        takes::<StationId>();
        takes::<TerminalId>();
        takes::<KeyId>();
        takes::<ItemCode>();
        takes::<CaseNo>();
        takes::<EnvelopeId>();
        takes::<Lineage>();
        takes::<ServerEpoch>();
        takes::<Digest>();
        takes::<Bytes>();
        takes::<Signature>();
        takes::<PublicKey>();
        takes::<SealingPublicKey>();
        takes::<Nonce>();
        takes::<CivilDate>();
        takes::<EnvelopeKind>();
        takes::<BlobKind>();
    }
}
