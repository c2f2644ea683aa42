//! The part of the conformance suite about how terminals stand and what people do with them.
use anyhow::{Context as _, Result, ensure};
use domain::ids::TerminalId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::services::rollout::Reason;
use sync_server::services::standing::{self, Filter};
use sync_server::services::terminal_steps::{self, Step, StepError};
use sync_server::store::{Driver, in_transaction};

/// Terminals are listed, looked at, taken out of service, taken in again and replaced.
pub fn live(driver: &mut dyn Driver, now_ms: i64) -> Result<()> {
    let (first, second): (TerminalId, TerminalId) = ("T-01".parse()?, "T-02".parse()?);
    let reason = Reason::typed("丢了 %_!").context("a reason")?;
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    in_transaction(driver, |tx| -> Result<()> {
        for (text, active, after, expected) in [
            ("", None, None, 2),
            ("t-02", Some(true), None, 1),
            ("xn-ccb", None, None, 2),
            ("%", None, None, 0),
            ("", Some(false), None, 0),
            ("", None, Some(first.clone()), 1),
            ("", None, Some(second.clone()), 0),
        ] {
            let (found, next) = standing::list(tx, &Filter { text: text.to_owned(), active, after })?;
            ensure!(found.len() == expected && next.is_none(), "{text}: {found:?}");
        }
        let stands = standing::of(tx, &first)?.context("there")?;
        ensure!(stands.forked && stands.certificate_until_ms.is_some_and(|ms| ms > now_ms), "{stands:?}");
        ensure!(standing::of(tx, &"T-9".parse()?)?.is_none());
        // One place of the first series never came.
        tx.execute(
            "UPDATE series SET highest_seq = highest_seq + 1 WHERE terminal = $1",
            &[first.as_str().into()],
        )?;
        ensure!(standing::series(tx, &first)?.iter().all(|s| s.highest >= s.seen));
        ensure!(standing::counts(tx)? == (2, 0));
        for (step, taken) in [
            (Step::Unblock, false),
            (Step::Block, true),
            (Step::Block, false),
            (Step::Unblock, true),
            (Step::Replace, true),
        ] {
            let done = terminal_steps::take(tx, now_ms, ("A-0001", step), (&second, &reason), &mut rng);
            ensure!(matches!(&done, Err(StepError::Already)) != taken, "{step:?}: {done:?}");
            ensure!(taken || done.is_err());
        }
        ensure!(standing::counts(tx)? == (2, 1));
        let steps: Vec<_> = standing::steps(tx, &second)?.into_iter().map(|s| s.step).collect();
        ensure!(steps == ["replace", "unblock", "block", "enrolled"], "{steps:?}");
        Ok(())
    })
}
