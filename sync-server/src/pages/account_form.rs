//! What the forms about an account share: typed values, roles to tick, units to choose from, mistakes at their fields.
use domain::text::Language;

use super::form::Fields;
use crate::auth::role::{Role, Roles};
use crate::error::ServiceError;
use crate::services::Context;
use crate::services::accounts::Account;
use crate::services::profile::Mistake;
use crate::store::Tx;
use crate::words::Words;

const W: Words = Words(Language::ZhCn);
/// Units that are offered, at most.
const MAX_UNITS: usize = 200;

/// A form as it is drawn.
#[derive(Debug, Clone)]
pub(super) struct AccountForm {
    pub(super) name: String,
    pub(super) display: String,
    pub(super) unit: String,
    pub(super) roles: Vec<RoleBox>,
    pub(super) units: Vec<String>,
    pub(super) errors: Vec<FieldError>,
}

/// A role to tick.
#[derive(Debug, Clone)]
pub(super) struct RoleBox {
    pub(super) name: &'static str,
    pub(super) word: String,
    pub(super) about: String,
    pub(super) ticked: bool,
}

/// What is wrong with a field.
#[derive(Debug, Clone)]
pub(super) struct FieldError {
    pub(super) field: &'static str,
    pub(super) text: String,
}

impl Default for AccountForm {
    fn default() -> Self {
        Self::with(["", "", ""], Roles::default())
    }
}

impl AccountForm {
    fn with([name, display, unit]: [&str; 3], roles: Roles) -> Self {
        let boxes = Role::ALL.iter().map(|role| RoleBox {
            name: role.as_str(),
            word: W.of("role", role.as_str()),
            about: W.of("role_about", role.as_str()),
            ticked: roles.has(*role),
        });
        Self {
            name: name.to_owned(),
            display: display.to_owned(),
            unit: unit.to_owned(),
            roles: boxes.collect(),
            units: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// With what somebody typed.
    pub(super) fn typed(form: &Fields, roles: Roles) -> Self {
        Self::with([form.get("name"), form.get("display"), form.get("unit")], roles)
    }

    /// With what an account is.
    pub(super) fn of_account(account: &Account) -> Self {
        let unit = account.unit.as_ref().map_or("", |unit| unit.as_str());
        Self::with([account.name.as_str(), &account.display, unit], account.roles)
    }

    /// Offers the departments of the newest catalogue as units.
    ///
    /// # Errors
    /// [`ServiceError`] if the store fails.
    pub(super) fn offer(&mut self, tx: &mut Tx<'_>, context: &Context) -> Result<(), ServiceError> {
        let volume = context.shelf.newest(tx)?;
        let items = volume.iter().flat_map(|v| v.catalogue.items.values());
        let mut units: Vec<String> = items.map(|item| item.department.to_string()).collect();
        units.sort_unstable();
        units.dedup();
        units.truncate(MAX_UNITS);
        self.units = units;
        Ok(())
    }

    /// Puts mistakes to their fields.
    pub(super) fn note(&mut self, mistakes: &[Mistake]) {
        self.errors = mistakes
            .iter()
            .map(|mistake| FieldError { field: field(*mistake), text: W.of("account_error", mistake.key()) })
            .collect();
    }

    /// What is wrong with a field.
    pub(super) fn of(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|e| e.field == field).map(|e| e.text.as_str())
    }
}

fn field(mistake: Mistake) -> &'static str {
    match mistake {
        Mistake::Name(_) | Mistake::NameTaken => "name",
        Mistake::Unit => "unit",
        Mistake::NoRole | Mistake::RolesConflict | Mistake::LastAdmin => "roles",
        Mistake::Display | Mistake::Changed | Mistake::Unknown | Mistake::Password(_) => "display",
    }
}

/// Names of the boxes.
pub(super) fn role_fields() -> Vec<&'static str> {
    Role::ALL.iter().map(|role| role.as_str()).collect()
}

/// Roles that were ticked.
pub(super) fn roles_in(form: &Fields) -> Roles {
    let ticked: Vec<_> = Role::ALL.iter().copied().filter(|role| form.has(role.as_str())).collect();
    Roles::of(&ticked)
}
