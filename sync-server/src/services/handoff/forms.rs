//! Forms across regions: what this centre takes from elsewhere, signed, and what it heard of the others.
use domain::envelope::{Digest, SignedDocument, SignedKind, sign_document};
use domain::handoff::Adcode;
use domain::ids::ItemCode;
use domain::item::{CrossRegion, Item, OfflineMode};
use domain::wire::v1::{
    MAX_PARTNER_FORM_BYTES, MAX_PARTNER_ITEMS, PARTNER_VERSION, PartnerForm, PartnerItem, PartnerItems,
};
use serde::Serialize;

use super::Own;
use crate::error::{ProblemCode, ServiceError};
use crate::store::Tx;

/// The items that this centre takes from elsewhere.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn items_here(tx: &mut Tx<'_>, own: Own<'_>) -> Result<SignedDocument, ServiceError> {
    let volume = own.context.shelf.newest(tx)?.ok_or(ProblemCode::NotFound)?;
    let items = volume.catalogue.items.values().filter(|item| is_handed_over(item));
    let items = items.take(MAX_PARTNER_ITEMS).map(|item| PartnerItem {
        code: item.code.clone(),
        name: item.name.clone(),
        initials: item.pinyin_initials.clone(),
        department: item.department.to_string(),
    });
    let list = PartnerItems {
        v: PARTNER_VERSION,
        region: own.register.own.adcode.clone(),
        catalogue_version: volume.catalogue.version,
        items: items.collect(),
    };
    signed(own, SignedKind::PartnerItems, &list)
}

/// The form of an item as it is now, for another region.
///
/// # Errors
/// [`ServiceError`] `not-found` if it is not taken from elsewhere.
pub fn form_here(tx: &mut Tx<'_>, own: Own<'_>, code: &ItemCode) -> Result<SignedDocument, ServiceError> {
    let volume = own.context.shelf.newest(tx)?.ok_or(ProblemCode::NotFound)?;
    let item = volume.catalogue.items.get(code).filter(|item| is_handed_over(item));
    let item = item.ok_or(ProblemCode::NotFound)?;
    let form = PartnerForm {
        v: PARTNER_VERSION,
        region: own.register.own.adcode.clone(),
        catalogue_version: volume.catalogue.version,
        item: item.clone(),
    };
    signed(own, SignedKind::PartnerForm, &form)
}

/// Whether an item is taken from elsewhere. Queries, prints and payments are done online by everybody (全程网办): nothing
/// of them is handed over.
pub(super) fn is_handed_over(item: &Item) -> bool {
    let open = item.cross_region != CrossRegion::None && item.withdrawn.is_none();
    open && item.offline_mode != OfflineMode::Online
}

fn signed(own: Own<'_>, kind: SignedKind, body: &impl Serialize) -> Result<SignedDocument, ServiceError> {
    let bytes = serde_json::to_vec(body).map_err(|e| ServiceError::Inconsistent(e.to_string()))?;
    if bytes.len() > MAX_PARTNER_FORM_BYTES {
        return Err(ServiceError::Inconsistent("a form or list that is too large for other regions".into()));
    }
    Ok(sign_document(kind, bytes, &own.context.keys.receipt))
}

/// A form of another region.
#[derive(Debug, Clone)]
pub struct Heard {
    /// It.
    pub form: PartnerForm,
    /// Of its item: tells whether its rules changed.
    pub digest: Digest,
    /// When it was heard of last, milliseconds since 1970.
    pub heard_at_ms: i64,
}

impl Heard {
    /// A form that was just read.
    ///
    /// # Errors
    /// [`ServiceError`] if it cannot be written, which is never the case.
    pub fn now(form: PartnerForm, heard_at_ms: i64) -> Result<Self, ServiceError> {
        let digest = digest_of(&form)?;
        Ok(Self { form, digest, heard_at_ms })
    }
}

fn digest_of(form: &PartnerForm) -> Result<Digest, ServiceError> {
    let bytes = serde_json::to_vec(&form.item).map_err(|e| ServiceError::Inconsistent(e.to_string()))?;
    Ok(Digest::of(&bytes))
}

/// Keeps a form of another region.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn keep_heard(tx: &mut Tx<'_>, heard: &Heard) -> Result<(), ServiceError> {
    let text = serde_json::to_string(&heard.form).map_err(|e| ServiceError::Inconsistent(e.to_string()))?;
    tx.execute(
        "INSERT INTO partner_form (partner, item, catalogue_version, digest, document, heard_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (partner, item) DO UPDATE SET
         catalogue_version = excluded.catalogue_version, digest = excluded.digest, document = excluded.document,
         heard_at_ms = excluded.heard_at_ms",
        &[
            heard.form.region.as_str().into(),
            heard.form.item.code.as_str().into(),
            heard.form.catalogue_version.into(),
            heard.digest.to_string().into(),
            text.into(),
            heard.heard_at_ms.into(),
        ],
    )?;
    Ok(())
}

/// The form of another region as it was heard of last.
///
/// # Errors
/// [`ServiceError`] if it cannot be read.
pub fn heard(tx: &mut Tx<'_>, partner: &Adcode, code: &ItemCode) -> Result<Option<Heard>, ServiceError> {
    let sql = "SELECT document, heard_at_ms FROM partner_form WHERE partner = $1 AND item = $2";
    let row = tx.query_first(sql, &[partner.as_str().into(), code.as_str().into()])?;
    let Some(row) = row else { return Ok(None) };
    let form: PartnerForm = serde_json::from_str(row.text(0)?)
        .map_err(|_| ServiceError::Inconsistent(format!("the form of {code} of {partner} cannot be read")))?;
    Heard::now(form, row.int(1)?).map(Some)
}

/// Items of another region whose forms were heard of, for a list while it does not answer.
///
/// # Errors
/// [`ServiceError`] if one cannot be read.
pub fn heard_items(tx: &mut Tx<'_>, partner: &Adcode) -> Result<Vec<PartnerItem>, ServiceError> {
    let sql = "SELECT document FROM partner_form WHERE partner = $1 ORDER BY item LIMIT 100";
    let mut items = Vec::new();
    for row in tx.query(sql, &[partner.as_str().into()])? {
        let Ok(PartnerForm { item, .. }) = serde_json::from_str(row.text(0)?) else { continue };
        items.push(PartnerItem {
            code: item.code,
            name: item.name,
            initials: item.pinyin_initials,
            department: item.department.to_string(),
        });
    }
    Ok(items)
}
