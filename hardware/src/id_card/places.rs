//! Where the four layouts keep their fields: a table of offsets and lengths in bytes, one list for each kind.
//!
//! The resident's, the 港澳台 card's and the foreigner's layouts as several agreeing public implementations have
//! them; the standards themselves were not at hand. Reserved places are not named: nothing is read there.
use domain::applicant::IdNumberKind;

/// A piece of the text block: where it begins and how long it is, both in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(pub usize, pub usize);

/// A field of a card; its name is the one in errors and in the output of `card-tool`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Name,
    NameEn,
    Sex,
    Nation,
    Birth,
    Address,
    IdNumber,
    Issuer,
    ValidFrom,
    ValidTo,
    PassNumber,
    IssueCount,
    Country,
    Version,
    FormerLink,
}

impl Field {
    /// The field's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameEn => "name_en",
            Self::Sex => "sex",
            Self::Nation => "nation",
            Self::Birth => "birth",
            Self::Address => "address",
            Self::IdNumber => "id_number",
            Self::Issuer => "issuer",
            Self::ValidFrom => "valid_from",
            Self::ValidTo => "valid_to",
            Self::PassNumber => "pass_number",
            Self::IssueCount => "issue_count",
            Self::Country => "country",
            Self::Version => "version",
            Self::FormerLink => "former_link",
        }
    }
}

/// A field and its pieces, which are joined before anything is trimmed.
pub(super) type Places = (Field, &'static [Place]);

/// 居民身份证.
const RESIDENT: [Places; 9] = [
    (Field::Name, &[Place(0, 30)]),
    (Field::Sex, &[Place(30, 2)]),
    (Field::Nation, &[Place(32, 4)]),
    (Field::Birth, &[Place(36, 16)]),
    (Field::Address, &[Place(52, 70)]),
    (Field::IdNumber, &[Place(122, 36)]),
    (Field::Issuer, &[Place(158, 30)]),
    (Field::ValidFrom, &[Place(188, 16)]),
    (Field::ValidTo, &[Place(204, 16)]),
];

/// 港澳台居民居住证: the resident's layout with two fields behind it; the nation is blank.
const HONG_KONG_MACAO_TAIWAN: [Places; 11] = [
    RESIDENT[0],
    RESIDENT[1],
    RESIDENT[2],
    RESIDENT[3],
    RESIDENT[4],
    RESIDENT[5],
    RESIDENT[6],
    RESIDENT[7],
    RESIDENT[8],
    (Field::PassNumber, &[Place(220, 18)]),
    (Field::IssueCount, &[Place(238, 4)]),
];

/// 外国人永久居留身份证 of 2017; its issuer is the code of the accepting office.
const FOREIGNER_2017: [Places; 10] = [
    (Field::NameEn, &[Place(0, 120)]),
    (Field::Sex, &[Place(120, 2)]),
    (Field::IdNumber, &[Place(122, 30)]),
    (Field::Country, &[Place(152, 6)]),
    (Field::Name, &[Place(158, 30)]),
    (Field::ValidFrom, &[Place(188, 16)]),
    (Field::ValidTo, &[Place(204, 16)]),
    (Field::Birth, &[Place(220, 16)]),
    (Field::Version, &[Place(236, 4)]),
    (Field::Issuer, &[Place(240, 8)]),
];

/// 外国人永久居留身份证 of 2023; the English name lies in two pieces.
const FOREIGNER_2023: [Places; 10] = [
    (Field::Name, &[Place(0, 30)]),
    (Field::Sex, &[Place(30, 2)]),
    (Field::IssueCount, &[Place(32, 4)]),
    (Field::Birth, &[Place(36, 16)]),
    (Field::NameEn, &[Place(52, 70), Place(220, 22)]),
    (Field::IdNumber, &[Place(122, 36)]),
    (Field::ValidFrom, &[Place(188, 16)]),
    (Field::ValidTo, &[Place(204, 16)]),
    (Field::Country, &[Place(242, 6)]),
    (Field::FormerLink, &[Place(250, 6)]),
];

/// The fields of a kind of card.
pub(super) const fn of(kind: IdNumberKind) -> &'static [Places] {
    match kind {
        IdNumberKind::Resident => &RESIDENT,
        IdNumberKind::HongKongMacaoTaiwan => &HONG_KONG_MACAO_TAIWAN,
        IdNumberKind::Foreigner2017 => &FOREIGNER_2017,
        IdNumberKind::Foreigner2023 => &FOREIGNER_2023,
    }
}
