//! 企业名称: who has which name. The folded name at its authority is a key of the store, so that of two who come in the same
//! moment one is first, whatever machine they ask.
//!
//! A name is *kept* for the person of a card for some minutes, *wanted* by a case from its first judgement, *registered*
//! with the step that grants it. Refuses a second one silently: it says whether the name was had.
use domain::case::Outcome;
use domain::ids::EnvelopeId;
use domain::rules::company_name::{NameJudgement, NameWords, Taken};

use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::services::audit;
use crate::store::{StoreError, Tx};

/// The answer of a form that names the company.
pub const NAME_FIELD: &str = "biz_name";
/// Names that one person may keep at the same time.
pub const MAX_KEPT: i64 = 3;
/// Names with another 字号 that are looked at for likeness, the newest: likeness is a hint for a person.
const MAX_ALIKE: u64 = 5_000;
/// Names with the same 字号 that are looked at.
const MAX_SAME: u64 = 5_000;
/// The kind of hash under which a person keeps a name.
const HOLDER: &str = "name-holder";
const MINUTE_MS: i64 = 60_000;

/// By which words names are judged, and where they are unique.
#[derive(Clone, Copy)]
pub struct Register<'w> {
    /// Words of regions, trades and forms.
    pub words: &'w NameWords,
    /// Region code of the authority.
    pub authority: u32,
}

/// For whom a name is asked: what is theirs is not in their way.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    /// Keyed hash of the person's ID number.
    pub holder: &'a [u8],
    /// The case, if there is one.
    pub case: Option<&'a EnvelopeId>,
}

/// The person of an ID number, as names know one.
pub fn holder(keys: &Keys, id_number: &str) -> [u8; 32] {
    keys.person_hmac(HOLDER, &id_number.trim().to_ascii_uppercase())
}

impl Register<'_> {
    /// The key of a name.
    pub fn key(&self, name: &str) -> String {
        self.words.propose(name).parts.key(&self.authority.to_string()).as_str().to_owned()
    }

    /// Judges a name against those that others have.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub fn judge(
        &self,
        tx: &mut Tx<'_>,
        now_ms: i64,
        name: &str,
        asker: Asker<'_>,
    ) -> Result<NameJudgement, StoreError> {
        let proposal = self.words.propose(name);
        let key = proposal.parts.key(&self.authority.to_string());
        let case = asker.case.map(ToString::to_string).unwrap_or_default();
        let mut taken = Vec::new();
        for (sign, limit) in [("=", MAX_SAME), ("<>", MAX_ALIKE)] {
            let rows = tx.query(
                &format!(
                    "SELECT name FROM company_name WHERE shop {sign} $1 AND (until_ms IS NULL OR until_ms > $2)
                     AND (envelope_id IS NULL OR envelope_id <> $3) AND NOT (state = 'kept' AND holder = $4)
                     ORDER BY since_ms DESC LIMIT $5"
                ),
                &[
                    key.shop().into(),
                    now_ms.into(),
                    case.as_str().into(),
                    asker.holder.into(),
                    limit.into(),
                ],
            )?;
            for row in &rows {
                let name = row.text(0)?;
                let parts = self.words.propose(name).parts;
                taken.push(Taken { id: name.to_owned(), parts, related: false });
            }
        }
        Ok(self.words.judge(&proposal, &taken))
    }

    /// Keeps a name for a person; gives until when, milliseconds since 1970, or none if somebody else has it.
    ///
    /// # Errors
    /// [`ServiceError`] `too-many-requests` if the person keeps [`MAX_KEPT`] others, or the store's.
    pub fn keep(
        &self,
        tx: &mut Tx<'_>,
        (now_ms, minutes): (i64, u16),
        name: &str,
        holder: &[u8],
    ) -> Result<Option<i64>, ServiceError> {
        let key = self.key(name);
        let until_ms = now_ms + i64::from(minutes) * MINUTE_MS;
        forget(tx, now_ms)?;
        let others = tx.query_int(
            "SELECT COUNT(*) FROM company_name WHERE state = 'kept' AND holder = $1 AND key_ <> $2",
            &[holder.into(), key.as_str().into()],
        )?;
        if others >= MAX_KEPT {
            return Err(ServiceError::refused(
                ProblemCode::TooManyRequests,
                format!("{MAX_KEPT} names are kept already"),
            ));
        }
        let shop = self.shop(name);
        let had = tx.execute(
            "INSERT INTO company_name (key_, shop, name, state, envelope_id, holder, since_ms, until_ms)
             VALUES ($1, $2, $3, 'kept', NULL, $4, $5, $6)
             ON CONFLICT (key_) DO UPDATE SET until_ms = $6, name = $3
                 WHERE company_name.state = 'kept' AND company_name.holder = $4",
            &[
                key.as_str().into(),
                shop.as_str().into(),
                name.into(),
                holder.into(),
                now_ms.into(),
                until_ms.into(),
            ],
        )?;
        if had == 0 {
            return Ok(None);
        }
        let digest = domain::envelope::Digest::of(key.as_bytes()).to_string();
        let event = audit::Event { actor: "centre", event: "name.kept", subject: "", object_digest: &digest };
        audit::append(tx, now_ms, event)?;
        Ok(Some(until_ms))
    }

    /// Gives a name to a case; says whether it is the case's now.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub fn take(
        &self,
        tx: &mut Tx<'_>,
        now_ms: i64,
        name: &str,
        (id, holder): (&EnvelopeId, &[u8]),
    ) -> Result<bool, StoreError> {
        forget(tx, now_ms)?;
        let (key, shop, case) = (self.key(name), self.shop(name), id.to_string());
        // A case wants one name: the one before is free when its answer changed.
        tx.execute(
            "DELETE FROM company_name WHERE envelope_id = $1 AND key_ <> $2",
            &[case.as_str().into(), key.as_str().into()],
        )?;
        let had = tx.execute(
            "INSERT INTO company_name (key_, shop, name, state, envelope_id, holder, since_ms, until_ms)
             VALUES ($1, $2, $3, 'wanted', $4, $5, $6, NULL)
             ON CONFLICT (key_) DO UPDATE SET state = 'wanted', envelope_id = $4, until_ms = NULL
                 WHERE company_name.envelope_id = $4
                    OR (company_name.state = 'kept' AND company_name.holder = $5)",
            &[
                key.as_str().into(),
                shop.as_str().into(),
                name.into(),
                case.as_str().into(),
                holder.into(),
                now_ms.into(),
            ],
        )?;
        Ok(had > 0)
    }

    fn shop(&self, name: &str) -> String {
        self.words.propose(name).parts.key(&self.authority.to_string()).shop().to_owned()
    }
}

/// The name of a case is registered, or only wanted again.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn register(tx: &mut Tx<'_>, id: &EnvelopeId, registered: bool) -> Result<(), StoreError> {
    let state = if registered { "registered" } else { "wanted" };
    tx.execute(
        "UPDATE company_name SET state = $2 WHERE envelope_id = $1",
        &[id.to_string().into(), state.into()],
    )?;
    Ok(())
}

/// A case wants another name that it cannot have: the one before is free.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn let_go(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM company_name WHERE envelope_id = $1 AND state = 'wanted'",
        &[id.to_string().into()],
    )?;
    Ok(())
}

/// A case ended: what it did not get it gives back.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn give_back(
    tx: &mut Tx<'_>,
    id: &EnvelopeId,
    outcome: Option<Outcome>,
) -> Result<(), StoreError> {
    let keeps = matches!(outcome, Some(Outcome::Granted | Outcome::PartlyGranted));
    let kept = if keeps { "registered" } else { "" };
    tx.execute(
        "DELETE FROM company_name WHERE envelope_id = $1 AND state <> $2",
        &[id.to_string().into(), kept.into()],
    )?;
    Ok(())
}

/// Names whose time is over are free.
fn forget(tx: &mut Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
    tx.execute("DELETE FROM company_name WHERE until_ms IS NOT NULL AND until_ms <= $1", &[now_ms.into()])?;
    Ok(())
}
