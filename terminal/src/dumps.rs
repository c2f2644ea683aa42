//! Keeps what people gave out of core dumps, debuggers and the words of a crash.
//!
//! What was freed is wiped by the allocator of the program (`main.rs`), so that a copy of the memory after a visit holds
//! nothing of it either.
use anyhow::Context as _;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// No core dump, no look into the memory by other programs of the same user, and a crash that says only where it was:
/// the words of a panic may quote what was typed.
///
/// # Errors
/// If the system refuses.
pub fn keep_out() -> anyhow::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).context("core dumps")?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context("looks into the memory")?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        tracing::error!(panic.place = %place, "the program broke off at {place}");
    }));
    Ok(())
}
