//! An item or a bundle, whichever a code names: what screens, checks and the search need of both.
use super::check_item::file_of;
use crate::bundle::Bundle;
use crate::form::FormSpec;
use crate::ids::ItemCode;
use crate::item::{Guide, Item, Material, Withdrawal};
use crate::situation::Situations;
use crate::text::Text;

/// An item or a bundle, seen as what both have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entry<'a> {
    /// A single item.
    Item(&'a Item),
    /// A bundle.
    Bundle(&'a Bundle),
}

impl<'a> Entry<'a> {
    /// Stable code.
    pub fn code(self) -> &'a ItemCode {
        match self {
            Self::Item(i) => &i.code,
            Self::Bundle(b) => &b.code,
        }
    }
    /// Title on pages, slips and lists once opened: neutral for sensitive matters.
    pub fn title(self) -> &'a Text {
        match self {
            Self::Item(i) => i.neutral_title.as_ref().filter(|_| i.sensitive).unwrap_or(&i.short_name),
            Self::Bundle(b) => b.neutral_title.as_ref().filter(|_| b.sensitive).unwrap_or(&b.short_name),
        }
    }
    /// Name for tiles and lists, before it is opened.
    pub fn short_name(self) -> &'a Text {
        match self {
            Self::Item(i) => &i.short_name,
            Self::Bundle(b) => &b.short_name,
        }
    }
    /// The form.
    pub fn form(self) -> &'a FormSpec {
        match self {
            Self::Item(i) => &i.form,
            Self::Bundle(b) => &b.form,
        }
    }
    /// The guide.
    pub fn guide(self) -> &'a Guide {
        match self {
            Self::Item(i) => &i.guide,
            Self::Bundle(b) => &b.guide,
        }
    }
    /// Materials of the list, before any question.
    pub fn materials(self) -> &'a [Material] {
        match self {
            Self::Item(i) => &i.materials,
            Self::Bundle(b) => &b.materials,
        }
    }
    /// Its situation questions.
    pub fn situations(self) -> &'a Situations {
        match self {
            Self::Item(i) => &i.situations,
            Self::Bundle(b) => &b.situations,
        }
    }
    /// A bank employee must be there.
    pub fn needs_staff(self) -> bool {
        match self {
            Self::Item(i) => i.needs_staff,
            Self::Bundle(b) => b.needs_staff,
        }
    }
    /// It is no longer offered.
    pub fn withdrawn(self) -> Option<&'a Withdrawal> {
        match self {
            Self::Item(i) => i.withdrawn.as_ref(),
            Self::Bundle(b) => b.withdrawn.as_ref(),
        }
    }
    /// Folder and name of its file.
    pub fn file(self) -> String {
        match self {
            Self::Item(i) => file_of("items", &i.code),
            Self::Bundle(b) => file_of("bundles", &b.code),
        }
    }
    /// Official name.
    pub fn name(self) -> &'a Text {
        match self {
            Self::Item(i) => &i.name,
            Self::Bundle(b) => &b.name,
        }
    }
    /// Title that names no cause, if it has one.
    pub fn neutral_title(self) -> Option<&'a Text> {
        match self {
            Self::Item(i) => i.neutral_title.as_ref(),
            Self::Bundle(b) => b.neutral_title.as_ref(),
        }
    }
    /// It may not be told by what it is about: see [`Self::title`].
    pub fn is_sensitive(self) -> bool {
        match self {
            Self::Item(i) => i.sensitive,
            Self::Bundle(b) => b.sensitive,
        }
    }
    /// What people say.
    pub fn synonyms(self) -> &'a [String] {
        match self {
            Self::Item(i) => &i.synonyms,
            Self::Bundle(b) => &b.synonyms,
        }
    }
    /// Full pinyin of each synonym; may be empty.
    pub fn synonym_pinyin(self) -> &'a [String] {
        match self {
            Self::Item(i) => &i.synonym_pinyin,
            Self::Bundle(b) => &b.synonym_pinyin,
        }
    }
    /// Full pinyin of the official name.
    pub fn pinyin(self) -> &'a str {
        match self {
            Self::Item(i) => &i.pinyin,
            Self::Bundle(b) => &b.pinyin,
        }
    }
    /// Full pinyin of the short name.
    pub fn short_pinyin(self) -> &'a str {
        match self {
            Self::Item(i) => &i.short_pinyin,
            Self::Bundle(b) => &b.short_pinyin,
        }
    }
}
