//! 事项: one service item as the catalogue describes it. Data only; every word and number comes from central IT.
use serde::{Deserialize, Serialize};

use crate::date::CivilDate;
use crate::form::FormSpec;
use crate::ids::{ItemCode, UnitId};
use crate::situation::Situations;
use crate::text::Text;

/// A service item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Stable slug.
    pub code: ItemCode,
    /// Rises with each version of the catalogue in which anything else of the item changed.
    #[serde(default = "first_revision")]
    pub revision: u64,
    /// Official name.
    pub name: Text,
    /// Name for tiles and lists.
    pub short_name: Text,
    /// Deciding department.
    pub department: UnitId,
    /// apply, certificate, query, pay, book.
    pub category: Category,
    /// Who may apply.
    pub audience: Vec<Audience>,
    /// Cards that identify the applicant.
    pub accepted_cards: Vec<AcceptedCard>,
    /// What is needed, and from where.
    pub materials: Vec<Material>,
    /// Promised time.
    pub promised: Period,
    /// Legal time limit.
    pub legal: Period,
    /// How sure the two periods are.
    pub days_source: Certainty,
    /// Decided at once.
    pub immediate: bool,
    /// 跨省, 省内 or none.
    pub cross_region: CrossRegion,
    /// A bank employee must be there.
    pub needs_staff: bool,
    /// Somebody else may apply for the person.
    pub proxy_allowed: bool,
    /// What comes out.
    pub results: Vec<String>,
    /// Laws it stands on, each with how sure that is.
    pub legal_basis: Vec<LegalBasis>,
    /// Often used by old people.
    pub elder_popular: bool,
    /// What happens without a network.
    pub offline_mode: OfflineMode,
    /// Subject group, such as 社保.
    pub theme: String,
    /// Full pinyin, syllables separated by spaces, of the official name.
    pub pinyin: String,
    /// Initials of the official name.
    pub pinyin_initials: String,
    /// Full pinyin of the short name.
    pub short_pinyin: String,
    /// What people say (case and spaces ignored).
    pub synonyms: Vec<String>,
    /// Full pinyin of each synonym, in their order; may be empty.
    #[serde(default)]
    pub synonym_pinyin: Vec<String>,
    /// Headings and slips use `neutral_title` once opened.
    pub sensitive: bool,
    /// Title that names no cause, for sensitive items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neutral_title: Option<Text>,
    /// The guide page.
    pub guide: Guide,
    /// The form.
    pub form: FormSpec,
    /// Situation questions.
    #[serde(default, skip_serializing_if = "Situations::is_empty")]
    pub situations: Situations,
    /// It is no longer offered: what was begun may be finished for a time of grace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawal>,
}

/// The revision of what is new.
pub(crate) fn first_revision() -> u64 {
    1
}

/// How sure a figure or a legal basis is; words for people mark what is not published or confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Printed by the city or the state.
    Published,
    /// Checked against the official text.
    Confirmed,
    /// Generally known, not checked.
    #[default]
    ToConfirm,
    /// Made up, plausible, and always shown as a sample.
    Sample,
}

/// A law or rule that an item or bundle stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BasisShape")]
pub struct LegalBasis {
    /// Its title, Chinese, with its number.
    pub name: String,
    /// How sure it is that this is the basis.
    pub certainty: Certainty,
}

/// As today, or as before: the title alone, which nobody has confirmed.
#[derive(Deserialize)]
#[serde(untagged)]
enum BasisShape {
    Title(String),
    Full(FullBasis),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FullBasis {
    name: String,
    certainty: Certainty,
}

impl From<BasisShape> for LegalBasis {
    fn from(shape: BasisShape) -> Self {
        match shape {
            BasisShape::Title(name) => Self { name, certainty: Certainty::default() },
            BasisShape::Full(FullBasis { name, certainty }) => Self { name, certainty },
        }
    }
}

/// 下架: from a day on nobody may start it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// The first day without it. What was begun before may be finished for the grace days of the policies.
    pub since: CivilDate,
    /// What is said to those who look for it.
    pub reason: Text,
    /// What to offer instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<ItemCode>,
}

impl Withdrawal {
    /// Whether it may be started on a day.
    pub fn may_start(&self, today: CivilDate) -> bool {
        today < self.since
    }

    /// Whether what was begun before may still be finished on a day.
    pub fn may_finish(&self, today: CivilDate, grace_days: u16) -> bool {
        today < self.since.plus_days(i64::from(grace_days))
    }
}

/// Words of the guide page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guide {
    /// Icon name.
    pub icon: String,
    /// Life events under which it is found.
    pub life_events: Vec<String>,
    /// One line.
    pub one_line: Text,
    /// Who can apply.
    pub who: Vec<Text>,
    /// How it goes, step by step.
    pub how: Vec<Text>,
    /// What happens afterwards; `{promised}` stands for the promised time.
    pub after: Text,
    /// Minutes at the terminal.
    pub minutes: u16,
    /// Fee that the terminal itself charges, in fen.
    pub fee_fen: i64,
    /// The fee is to be confirmed.
    pub fee_unsure: bool,
    /// What is to be said about the fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_note: Option<Text>,
    /// What happens offline.
    pub offline_note: Text,
    /// Common mistakes.
    pub common_mistakes: Vec<Text>,
}

/// Kind of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Category {
    Apply,
    Certificate,
    Query,
    Pay,
    Book,
}

/// Who may apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// 个人
    Person,
    /// 法人
    LegalPerson,
}

/// Cards that identify an applicant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcceptedCard {
    /// Resident ID card.
    Idcard,
    /// Social-security card.
    Sscard,
    /// Residence permit for people from Hong Kong, Macao, Taiwan.
    HmtRp,
    /// Foreigner's permanent residence card.
    Fpr,
    /// E-business-licence QR.
    Ebl,
    /// Staff check a person whose card is the very thing lost.
    Manual,
}

/// Where a material comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaterialSource {
    /// Read from the card.
    Card,
    /// Data sharing: never asked for (State Council Decree 716 art. 7).
    Shared,
    /// Brought and scanned here.
    Bring,
    /// Generated and signed on screen.
    Sign,
    /// A promise instead of a proof (告知承诺).
    Promise,
}

/// 材料
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// Its name (Chinese; English where known).
    pub name: Text,
    /// Where it comes from.
    pub source: MaterialSource,
}

/// Where people from elsewhere can use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrossRegion {
    /// 跨省
    Nationwide,
    /// 省内
    Province,
    /// Only here.
    None,
}

/// What happens without a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfflineMode {
    /// Fill, sign, queue, send later.
    Queue,
    /// Needs the network; offline it says so at once.
    Online,
    /// Offline it is a wish, confirmed or refused later.
    Tentative,
}

/// A length of time. `value` is in tenths of `unit` (5 working days = 50), so that half a day is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Tenths of the unit; 0 = at once.
    pub tenths: u32,
    /// The unit.
    pub unit: PeriodUnit,
}

/// Unit of a [`Period`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum PeriodUnit {
    Minute,
    WorkingDay,
    NaturalDay,
}

impl Period {
    /// Whether this time is surely longer than another. A working day is at least one natural day; other units are
    /// only compared with "at once".
    pub fn is_longer_than(self, other: Self) -> bool {
        let same = self.unit == other.unit;
        let natural = self.unit == PeriodUnit::WorkingDay && other.unit == PeriodUnit::NaturalDay;
        if same || natural { self.tenths > other.tenths } else { self.tenths > 0 && other.tenths == 0 }
    }
}
