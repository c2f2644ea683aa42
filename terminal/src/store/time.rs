//! What this terminal knows of the time without its machine's clock: how long it has lived, what the centre said of the
//! time, and since when nobody confirmed the catalogue.
use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};

use super::identity::{get, put};
use super::{Store, StoreError, catalogue_trust, drafts};
use crate::trusted_time::{Lived, Reading, Span};

const TIME: &str = "time";
/// Within one start of the machine nothing is lost if this is written seldom, milliseconds.
const SAVE_EVERY_MS: i64 = 10 * 60_000;

/// What was told at a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedTime {
    /// Milliseconds that this terminal has lived.
    pub lived_ms: i64,
    /// Milliseconds since 1970: the centre's last word and what passed since; none before its first word.
    pub calendar_ms: Option<i64>,
    /// Milliseconds since the centre last confirmed the catalogue; none where no root signs catalogues.
    pub unconfirmed_ms: Option<i64>,
}

/// Something that the centre said, and when it was heard in the time that this terminal has lived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Heard {
    said_ms: Option<i64>,
    lived_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Facts {
    lived: Lived,
    word: Option<Heard>,
    confirmed: Option<Heard>,
}

impl Store {
    /// Looks at the time. Where nobody can say how much passed since the last look, all drafts are erased.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn tell_time(&mut self, now: Reading) -> Result<TrustedTime, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let kept: Option<Facts> = get(&tx, TIME)?;
        let (lived, span) = kept.map_or((Lived::beginning(now), Span::Known), |kept| kept.lived.at(now));
        let word = heard(kept.and_then(|k| k.word), get(&tx, catalogue_trust::AUTHENTICATED)?, lived.ms);
        let facts = Facts {
            lived,
            word: word.filter(|word| word.said_ms.is_some()),
            confirmed: confirmed(&tx, kept.and_then(|k| k.confirmed), lived.ms)?,
        };
        let mut erased = 0;
        if span == Span::AtLeast {
            erased = drafts::erase_all(&tx)?;
        }
        if kept.is_none_or(|kept| is_worth_saving(&kept, &facts, now)) {
            put(&tx, TIME, &facts)?;
        }
        tx.commit()?;
        if erased > 0 {
            tracing::warn!(drafts = erased, "the clock cannot tell how old the drafts are: they were erased");
            self.forget_erased()?;
        }
        Ok(facts.told())
    }
}

/// The time that this terminal has lived, as it was looked at last; none before the first look.
pub(super) fn lived_ms(connection: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(get::<Facts>(connection, TIME)?.map(|facts| facts.lived.ms))
}

impl Facts {
    fn told(&self) -> TrustedTime {
        let since = |heard: Heard| self.lived.ms.saturating_sub(heard.lived_ms);
        let calendar_ms =
            self.word.and_then(|word| word.said_ms.map(|said| said.saturating_add(since(word))));
        // Whoever repeats an old confirmation makes it no younger than what else the centre said since.
        let unconfirmed_ms = self.confirmed.map(|confirmed| {
            let by_words =
                confirmed.said_ms.zip(calendar_ms).map_or(0, |(said, now)| now.saturating_sub(said));
            since(confirmed).max(by_words)
        });
        TrustedTime { lived_ms: self.lived.ms, calendar_ms, unconfirmed_ms }
    }
}

/// The same word as before was heard before; another one is heard now.
fn heard(before: Option<Heard>, said_ms: Option<i64>, lived_ms: i64) -> Option<Heard> {
    Some(before.filter(|before| before.said_ms == said_ms).unwrap_or(Heard { said_ms, lived_ms }))
}

fn confirmed(
    connection: &Connection,
    before: Option<Heard>,
    lived_ms: i64,
) -> Result<Option<Heard>, StoreError> {
    if !catalogue_trust::is_there(connection)? {
        return Ok(None);
    }
    Ok(heard(before, catalogue_trust::standing(connection)?.confirmed_ms, lived_ms))
}

fn is_worth_saving(kept: &Facts, facts: &Facts, now: Reading) -> bool {
    let passed = facts.lived.ms.saturating_sub(kept.lived.ms) >= SAVE_EVERY_MS;
    passed || !kept.lived.is_of_boot(now) || kept.word != facts.word || kept.confirmed != facts.confirmed
}
