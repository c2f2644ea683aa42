//! The part of the conformance suite about the catalogue's editing: drafts, the version that waits, the history.
use anyhow::{Context as _, Result, ensure};
use sync_server::auth::names::AccountId;
use sync_server::services::catalogue::{Shelf, publish};
use sync_server::services::editing::{self, Request, candidate};
use sync_server::services::item_history;
use sync_server::startup::load_catalogue;
use sync_server::store::{Driver, in_transaction};
use tests::binaries::repository;

/// A change of an item from the first draft to its version, with every statement that it needs.
pub fn live(driver: &mut dyn Driver, now_ms: i64) -> Result<()> {
    let base = load_catalogue(&repository().join("assets/catalogue"))?;
    let (code, item) = base.items.iter().next().context("an item")?;
    let mut changed = item.clone();
    changed.theme = "测试".into();
    let request = |place, seen| Request { by: AccountId::at(place), code: code.clone(), seen };
    in_transaction(driver, |tx| -> Result<()> {
        let gone = editing::save(tx, now_ms, &request(1, 0), (base.version, &changed))??;
        editing::discard(tx, now_ms, &request(1, gone.version))??;
        let draft = editing::save(tx, now_ms, &request(1, 0), (base.version, &changed))??;
        let draft = editing::save(tx, now_ms, &request(1, draft.version), (base.version, &changed))??;
        let draft = editing::mark_ready(tx, now_ms, &request(1, draft.version), "因为")??;
        let draft = editing::send_back(tx, now_ms, &request(2, draft.version), "再改")??;
        let draft = editing::mark_ready(tx, now_ms, &request(1, draft.version), "因为")??;
        ensure!(editing::counts(tx)? == (1, 1));
        editing::approve(tx, now_ms, &request(2, draft.version))??;
        let (next, drafts) = candidate::assemble(tx, &base)??;
        let document = next.to_document();
        ensure!(candidate::is_free(tx, document.version)?);
        candidate::keep(tx, now_ms, &AccountId::at(2), (base.version, &document), &drafts)?;
        candidate::document(tx, document.version)?.context("a document")?;
        ensure!(publish(tx, now_ms, &next)?);
        ensure!(candidate::open(tx)?.is_none() && editing::all(tx)?.is_empty());
        ensure!(item_history::of_item(tx, code)?.len() == 2);
        ensure!(item_history::versions(tx)?.len() == 2);
        tx.execute("DELETE FROM item_revision", &[])?;
        item_history::catch_up(tx, &Shelf::default())?;
        ensure!(item_history::of_item(tx, code)?.len() == 2);
        Ok(())
    })
}
