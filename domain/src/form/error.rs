//! What can be wrong with a form or an answer. No words: they stand in `assets/text` under `form.error.{name}`.

/// The schema or UI schema is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct FormError {
    /// Field key, or `-`.
    pub field: String,
    /// What is wrong.
    pub reason: String,
}

impl FormError {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// One answer that cannot stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field: its key, or `children[2].name` in a row; of a repeat group its key.
    pub key: String,
    /// What is wrong with it; the words come from `assets/text`, key `form.error.{kind}`.
    pub kind: FieldErrorKind,
}

/// Kinds of field errors, each with what its words need.
///
/// All names (`form.error.NAME` in `assets/text`) and their placeholders:
///
/// | name | placeholders |
/// |---|---|
/// | `required` | |
/// | `too_short` | `have`, `need`, `missing` (characters) |
/// | `too_long` | `have`, `most`, `over` (characters) |
/// | `phone_length` | `have`, `need` (always 11) |
/// | `phone_too_short` | `have`, `missing` (digits of an 11-digit mobile number that lacks some) |
/// | `phone`, `bank_card`, `id_number`, `uscc`, `vin`, `pattern`, `shape`, `unknown_field` | |
/// | `date`, `date_in_future`, `date_in_past`, `date_order` | |
/// | `date_too_late` | `latest` |
/// | `date_too_early` | `earliest` |
/// | `number` | |
/// | `below` | `least` |
/// | `above` | `most` |
/// | `not_a_choice`, `region`, `same_region`, `address_incomplete` | |
/// | `signature_too_short`, `signature_too_large` | |
/// | `computed`, `file_kind` | |
/// | `too_few_rows` | `have`, `need`, `missing` |
/// | `too_many_rows` | `most` |
/// | `too_few_files` | `need` |
/// | `too_many_files` | `most` |
/// | `file_too_large` | `most` (MiB) |
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FieldErrorKind {
    Required,
    TooShort {
        have: usize,
        need: usize,
    },
    TooLong {
        have: usize,
        most: usize,
    },
    /// A phone number with the wrong count of digits; named `phone_too_short` if some are missing.
    PhoneLength {
        have: usize,
    },
    Phone,
    BankCard,
    IdNumber,
    Uscc,
    Vin,
    /// No such day or month.
    Date,
    /// Lies after today (or this month).
    DateInFuture,
    /// Lies before today (or this month).
    DateInPast,
    /// Lies after another limit, given as it would be entered.
    DateTooLate {
        latest: String,
    },
    /// Lies before another limit, given as it would be entered.
    DateTooEarly {
        earliest: String,
    },
    /// The end lies before the start; the payload is the key of the start.
    DateOrder {
        other: String,
    },
    Number,
    Below {
        least: String,
    },
    Above {
        most: String,
    },
    NotAChoice,
    Region,
    /// The same region as in another field, whose key is the payload.
    SameRegion {
        other: String,
    },
    AddressIncomplete,
    SignatureTooShort,
    SignatureTooLarge,
    Pattern,
    /// A value was sent that is not the computed one.
    Computed,
    /// A repeat group lacks rows.
    TooFewRows {
        have: usize,
        need: usize,
    },
    TooManyRows {
        most: u64,
    },
    TooFewFiles {
        need: u64,
    },
    TooManyFiles {
        most: u64,
    },
    /// A file is larger than allowed, given in MiB as it would be said.
    FileTooLarge {
        most: String,
    },
    /// A file of a kind (media type) that is not taken.
    FileKind,
    /// Answers that the form does not have.
    UnknownField,
    /// Wrong JSON type or another keyword of the schema.
    Shape,
}

/// Digits of a mobile number.
const MOBILE_DIGITS: usize = 11;

impl FieldErrorKind {
    /// Name in `assets/text`, such as `phone_length`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::PhoneLength { have } if *have < MOBILE_DIGITS => "phone_too_short",
            Self::PhoneLength { .. } => "phone_length",
            Self::Phone => "phone",
            Self::BankCard => "bank_card",
            Self::IdNumber => "id_number",
            Self::Uscc => "uscc",
            Self::Vin => "vin",
            Self::Date => "date",
            Self::DateInFuture => "date_in_future",
            Self::DateInPast => "date_in_past",
            Self::DateTooLate { .. } => "date_too_late",
            Self::DateTooEarly { .. } => "date_too_early",
            Self::DateOrder { .. } => "date_order",
            Self::Number => "number",
            Self::Below { .. } => "below",
            Self::Above { .. } => "above",
            Self::NotAChoice => "not_a_choice",
            Self::Region => "region",
            Self::SameRegion { .. } => "same_region",
            Self::AddressIncomplete => "address_incomplete",
            Self::SignatureTooShort => "signature_too_short",
            Self::SignatureTooLarge => "signature_too_large",
            Self::Pattern => "pattern",
            Self::Computed => "computed",
            Self::TooFewRows { .. } => "too_few_rows",
            Self::TooManyRows { .. } => "too_many_rows",
            Self::TooFewFiles { .. } => "too_few_files",
            Self::TooManyFiles { .. } => "too_many_files",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::FileKind => "file_kind",
            Self::UnknownField => "unknown_field",
            Self::Shape => "shape",
        }
    }

    /// Values for the placeholders of the words, such as `("have", "10")`.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::TooShort { have, need } | Self::TooFewRows { have, need } => vec![
                ("have", have.to_string()),
                ("need", need.to_string()),
                ("missing", need.saturating_sub(*have).to_string()),
            ],
            Self::TooLong { have, most } => vec![
                ("have", have.to_string()),
                ("most", most.to_string()),
                ("over", have.saturating_sub(*most).to_string()),
            ],
            Self::PhoneLength { have } => vec![
                ("have", have.to_string()),
                ("need", MOBILE_DIGITS.to_string()),
                ("missing", MOBILE_DIGITS.saturating_sub(*have).to_string()),
            ],
            Self::DateTooLate { latest } => vec![("latest", latest.clone())],
            Self::DateTooEarly { earliest } => vec![("earliest", earliest.clone())],
            Self::Below { least } => vec![("least", least.clone())],
            Self::Above { most } | Self::FileTooLarge { most } => vec![("most", most.clone())],
            Self::TooFewFiles { need } => vec![("need", need.to_string())],
            Self::TooManyRows { most } | Self::TooManyFiles { most } => vec![("most", most.to_string())],
            _ => Vec::new(),
        }
    }

    /// Which of several errors of one field is told: the lowest.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Shape | Self::Number => 0,
            Self::Required => 1,
            Self::PhoneLength { .. } | Self::Phone => 2,
            Self::TooShort { .. } | Self::TooLong { .. } => 3,
            Self::SignatureTooLarge | Self::SignatureTooShort => 4,
            Self::Pattern => 6,
            _ => 5,
        }
    }
}
