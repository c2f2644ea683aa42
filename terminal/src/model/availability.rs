//! Whether an item can be begun on this terminal now, and if not, why: told before anything is typed.
use domain::catalogue::Entry;
use domain::form::{Form, Widget};
use domain::ids::ItemCode;
use domain::item::OfflineMode;

use super::{Model, Network};

/// Why an item cannot be begun; each has its own words (`guide.unavailable.{name}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// It needs a scanner or camera, which this version does not have.
    FieldType(Widget),
    /// It needs the network, and there is none.
    OnlineOnly,
    /// Queries, prints and payments come with a later version.
    NotBuiltYet,
    /// The terminal takes nothing now.
    Outage,
    /// The catalogue does not have it, or its form cannot be used.
    NoForm,
}

impl Unavailable {
    /// Name in `assets/text`.
    pub fn name(self) -> &'static str {
        match self {
            Self::FieldType(_) => "field_type",
            Self::OnlineOnly => "online_only",
            Self::NotBuiltYet => "not_built_yet",
            Self::Outage => "outage",
            Self::NoForm => "no_form",
        }
    }
}

impl Model {
    /// Whether an item or bundle can be begun now.
    ///
    /// # Errors
    /// [`Unavailable`], to be told on the guide page.
    pub fn can_begin(&self, code: &ItemCode) -> Result<(), Unavailable> {
        if self.outage.is_some() {
            return Err(Unavailable::Outage);
        }
        let entry = self.catalogue.entry(code).ok_or(Unavailable::NoForm)?;
        if let Entry::Item(item) = entry
            && item.offline_mode == OfflineMode::Online
        {
            let offline = self.network == Network::Offline;
            return Err(if offline { Unavailable::OnlineOnly } else { Unavailable::NotBuiltYet });
        }
        let form = Form::compile(entry.form()).map_err(|_| Unavailable::NoForm)?;
        form.unsupported().first().map_or(Ok(()), |widget| Err(Unavailable::FieldType(*widget)))
    }
}
