//! News of the centre: asking for it, and taking in cases, orders and how far the series was seen.
use domain::wire::v1::{ChangeNews, ChangesQuery, ChangesResponse, SeriesNews};

use super::client::{Answer, changes_request};
use super::engine::{Engine, Pending, Step};
use super::transport::Request;
use super::tuning::Lane;
use crate::event::Event;
use crate::store::{CaseNewsOutcome, StoreError};

/// How long the centre may let a terminal wait for news, seconds.
const WAIT_SECS: u32 = 25;
/// An answer without news that came sooner is no waiting: the next question comes at the usual pace.
const SOON_MS: i64 = 1_000;

impl Engine {
    pub(super) fn begin_changes(&mut self, now_ms: i64) -> Result<Option<(Request, Pending)>, StoreError> {
        let request = {
            let store = self.store();
            let Some(identity) = store.identity()? else { return Ok(None) };
            let order = Some(store.order()?.map_or(0, |order| order.number));
            let wait = if self.lane == Lane::News { WAIT_SECS } else { 0 };
            let query = ChangesQuery { after: store.cursor()?, wait, order };
            changes_request(query, &identity.terminal, store.device_key())
        };
        fail::fail_point!("terminal::changes::before_exchange", |_| Err(StoreError::Full));
        Ok(Some((request, Pending::Changes { now_ms })))
    }

    pub(super) fn finish_changes(
        &mut self,
        now_ms: i64,
        answer: Answer<ChangesResponse>,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        match answer {
            Answer::Good(news) => {
                fail::fail_point!("terminal::changes::after_exchange", |_| Err(StoreError::Full));
                self.take_series(news.series.as_ref(), now_ms)?;
                let answered_ms = self.clock.now_ms();
                // Waiting says nothing of the link.
                let asked_ms = if self.lane == Lane::News { answered_ms } else { now_ms };
                if !self.reached(asked_ms, &news.contact, step)?.0 {
                    self.take_order(news.order.as_ref(), step);
                    self.take_news(&news, step)?;
                }
                let something = !news.changes.is_empty() || news.order.is_some();
                let waited = something || answered_ms.saturating_sub(now_ms) >= SOON_MS;
                let again = news.more || (self.lane == Lane::News && waited);
                self.next_news_ms = if again { now_ms } else { now_ms + self.tuning.news_every_ms };
            }
            Answer::Later { retry_after_secs, reached, .. } => {
                self.failed(retry_after_secs, reached, step);
            }
            Answer::NotLetIn(why) | Answer::Malformed(why) => {
                tracing::warn!(reason = %why, "the centre gives no news to this terminal");
                self.next_news_ms = now_ms + self.tuning.news_every_ms.saturating_mul(12);
            }
        }
        Ok(())
    }

    pub(super) fn take_series(&mut self, news: Option<&SeriesNews>, now_ms: i64) -> Result<(), StoreError> {
        if let Some(news) = news
            && self.store().take_series_news(news, now_ms)?
        {
            tracing::error!("this store was restored from an older state; a new series begins");
        }
        Ok(())
    }

    fn take_news(&mut self, news: &ChangesResponse, step: &mut Step) -> Result<(), StoreError> {
        let mut store = self.store();
        for change in &news.changes {
            // Who fetches a version is not this thread; unknown news is skipped.
            if matches!(change.news, ChangeNews::Catalogue { .. }) {
                self.ring_catalogue();
            }
            if let ChangeNews::Case(case) = &change.news
                && store.take_case_news(case)? == CaseNewsOutcome::Moved
            {
                step.events.push(Event::CaseChanged {
                    envelope_id: case.envelope_id,
                    state: case.state,
                    at_ms: case.at_ms,
                });
            }
        }
        fail::fail_point!("terminal::cursor::before_move", |_| Err(StoreError::Full));
        store.move_cursor(news.cursor)
    }
}
