//! The project's own JSON Schema keywords, and the one place where a schema becomes a validator.
//!
//! Checked by the validator: `x-idcard`, `x-bank-card`, `x-uscc`, `x-vin`, `x-plate`, `x-phone` (`mobile`, `any`),
//! `x-signature`. Regular expressions run in linear time; a schema can fetch nothing.
use jsonschema::paths::Location;
use jsonschema::{Keyword, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use super::error::FormError;
use super::validators;
use crate::applicant::check_id_number;

/// The fewest points of a signature over all its strokes.
pub const MIN_SIGNATURE_POINTS: usize = 10;
/// The most bytes that a signature takes as JSON; a terminal thins its strokes to fit.
pub const MAX_SIGNATURE_BYTES: usize = 8 * 1024;

/// What a broken signature keyword says in its message, to tell the two apart.
pub(super) const SIGNATURE_LARGE: &str = "large";

/// Whether a text may stand.
type Check = fn(&str) -> bool;

/// Keywords of ours that hold `true`, with their checks.
const TEXT_CHECKS: [(&str, Check); 5] = [
    ("x-idcard", |text| check_id_number(text, None).is_ok()),
    ("x-bank-card", validators::is_bank_card),
    ("x-uscc", validators::is_uscc),
    ("x-vin", validators::is_vin),
    ("x-plate", validators::is_plate),
];

/// Compiles a schema; its own structure is checked against JSON Schema 2020-12.
pub(super) fn validator(schema: &Value) -> Result<Validator, FormError> {
    let mut options = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex().size_limit(1 << 20).dfa_size_limit(1 << 20))
        .with_keyword("x-phone", phone_keyword)
        .with_keyword("x-signature", signature_keyword);
    for (name, check) in TEXT_CHECKS {
        options = options.with_keyword(name, move |_, value, _| match value {
            Value::Bool(true) => Ok(Box::new(TextCheck(check)) as Box<dyn for<'i> Keyword<'i>>),
            _ => Err(ValidationError::schema("must be true")),
        });
    }
    options.build(schema).map_err(|error| {
        let at = error.instance_path().as_str().to_owned();
        let key =
            at.strip_prefix("/properties/").and_then(|rest| rest.split('/').next()).unwrap_or("-").to_owned();
        FormError::new(key, format!("the JSON Schema is not valid at {at}: {}", error.masked()))
    })
}

struct TextCheck(Check);

impl<'i> Keyword<'i> for TextCheck {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) { Ok(()) } else { Err(ValidationError::custom("")) }
    }
    fn is_valid(&self, instance: &'i Value) -> bool {
        instance.as_str().is_none_or(self.0)
    }
}

fn phone_keyword<'a>(
    _: &'a Map<String, Value>,
    value: &'a Value,
    _: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    match value.as_str() {
        Some("mobile") => Ok(Box::new(TextCheck(validators::is_mobile))),
        Some("any") => {
            Ok(Box::new(TextCheck(|text| validators::is_mobile(text) || validators::is_landline(text))))
        }
        _ => Err(ValidationError::schema("must be \"mobile\" or \"any\"")),
    }
}

struct SignatureCheck;

impl<'i> Keyword<'i> for SignatureCheck {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        let strokes = instance.get("strokes").and_then(Value::as_array);
        let points: usize =
            strokes.into_iter().flatten().map(|stroke| stroke.as_array().map_or(0, Vec::len)).sum();
        if points < MIN_SIGNATURE_POINTS {
            return Err(ValidationError::custom("short"));
        }
        let bytes =
            serde_json::to_vec(instance).map_or(usize::MAX, |json| zeroize::Zeroizing::new(json).len());
        if bytes > MAX_SIGNATURE_BYTES { Err(ValidationError::custom(SIGNATURE_LARGE)) } else { Ok(()) }
    }
    fn is_valid(&self, instance: &'i Value) -> bool {
        self.validate(instance).is_ok()
    }
}

fn signature_keyword<'a>(
    _: &'a Map<String, Value>,
    value: &'a Value,
    _: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    match value {
        Value::Bool(true) => Ok(Box::new(SignatureCheck)),
        _ => Err(ValidationError::schema("must be true")),
    }
}
