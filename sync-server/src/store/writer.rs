//! The one writer of a process: a thread that commits in groups.
//!
//! Work is queued (bounded), up to [`MAX_GROUP`] pieces share one transaction. If all of them are good, which is
//! nearly always so, they just follow each other. If one is bad, the whole group is undone and done again with a
//! savepoint around each piece, so that a bad one never undoes its neighbours: a piece may therefore run twice, and
//! only what its last run gave counts. A piece is answered only after the COMMIT; if that fails, all of the group hear
//! it. Refuses new work once it is stopping, and finishes what it has taken.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use super::group::{self, Piece};
use super::{Driver, StoreError, Tx};
use crate::metrics;

/// Pieces of work that share one COMMIT, at most.
const MAX_GROUP: usize = 256;
/// Pieces of work that may wait, at most; beyond, callers are told to come again.
const MAX_WAITING: usize = 1_024;

/// A piece of work was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Too much is waiting, or the server is stopping: come again.
    #[error("the writer takes no more work now")]
    Unavailable,
    /// The group could not be committed. Nothing of it is in the store, or the answer to its COMMIT was lost: then it
    /// may be there, and the same again finds it.
    #[error("the group could not be committed")]
    NotCommitted,
    /// The disk of the store is full; nothing of the group is in the store.
    #[error("the disk of the store is full")]
    Full,
    /// The work panicked; its part was undone.
    #[error("the work broke off and was undone")]
    BrokeOff,
}

/// What a piece of work gives back: written and committed, or refused by the work itself and undone, or not written.
pub type Written<T, E> = Result<Result<T, E>, WriteError>;

/// Says whether a transaction may write at all.
pub type Guard = fn(&mut Tx<'_>) -> Result<(), StoreError>;

/// How long somebody waits for the COMMIT of what was queued.
const ANSWER_TIME: Duration = Duration::from_secs(25);

/// Handle to the writer thread. Dropping it stops the thread after the work that was taken.
pub struct Writer {
    queue: Mutex<Option<SyncSender<Box<dyn Piece>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread on a connection.
    ///
    /// # Errors
    /// The operating system's, if it cannot make a thread.
    pub fn start(driver: Box<dyn Driver>) -> std::io::Result<Self> {
        Self::start_guarded(driver, |_| Ok(()))
    }

    /// As [`Writer::start`]; `guard` is asked in each transaction before anything is written.
    ///
    /// # Errors
    /// The operating system's, if it cannot make a thread.
    pub fn start_guarded(driver: Box<dyn Driver>, guard: Guard) -> std::io::Result<Self> {
        let (queue, work) = sync_channel(MAX_WAITING);
        let thread =
            std::thread::Builder::new().name("writer".into()).spawn(move || run(driver, guard, &work))?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    /// Queues work; `answer` is called on the writer's thread, once, after the COMMIT or the failure.
    /// It must not block. The work may run twice, the first time undone.
    pub fn submit<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        answer: impl FnOnce(Written<T, E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: Send + 'static,
    {
        let piece = Box::new(Typed { work, done: None, answer: Some(answer) });
        metrics::writer_waits();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refused: Option<Box<dyn Piece>> = match queue.map(|q| q.try_send(piece as Box<dyn Piece>)) {
            Some(Ok(())) => None,
            Some(Err(TrySendError::Full(p) | TrySendError::Disconnected(p))) => Some(p),
            // The piece was not even built into the queue: its Drop answers.
            None => {
                metrics::writer_took();
                metrics::writer_refused();
                None
            }
        };
        if let Some(mut piece) = refused {
            metrics::writer_took();
            metrics::writer_refused();
            piece.finish(Some(WriteError::Unavailable));
        }
    }

    /// Writes and waits for the COMMIT. The work may run twice, the first time undone.
    ///
    /// # Errors
    /// [`WriteError`] if it was not written; the inner result is the work's own.
    pub fn write<T, E>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Written<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (answer, answered) = sync_channel(1);
        self.submit(work, move |written| {
            let _ = answer.try_send(written);
        });
        answered.recv_timeout(ANSWER_TIME).unwrap_or(Err(WriteError::Unavailable))
    }

    /// Takes no more work, finishes what it has and ends the thread.
    pub fn stop(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|t| t.join().is_err()) {
            tracing::error!("the writer thread ended with a panic");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Typed<W, A, T, E>
where
    A: FnOnce(Written<T, E>),
{
    work: W,
    done: Option<Result<T, E>>,
    answer: Option<A>,
}

impl<W, A, T, E> Piece for Typed<W, A, T, E>
where
    W: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    A: FnOnce(Written<T, E>) + Send,
    T: Send,
    E: Send,
{
    fn work(&mut self, tx: &mut Tx<'_>) -> bool {
        // A panic must not leave the outcome of an earlier run behind.
        self.done = None;
        self.done.insert((self.work)(tx)).is_ok()
    }

    fn finish(&mut self, failure: Option<WriteError>) {
        let Some(answer) = self.answer.take() else { return };
        answer(match (failure, self.done.take()) {
            (Some(e), _) => Err(e),
            (None, Some(done)) => Ok(done),
            (None, None) => Err(WriteError::BrokeOff),
        });
    }
}

impl<W, A, T, E> Drop for Typed<W, A, T, E>
where
    A: FnOnce(Written<T, E>),
{
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            answer(Err(WriteError::Unavailable));
        }
    }
}

fn run(mut driver: Box<dyn Driver>, guard: Guard, work: &Receiver<Box<dyn Piece>>) {
    while let Ok(first) = work.recv() {
        let mut group = vec![first];
        while group.len() < MAX_GROUP
            && let Ok(next) = work.try_recv()
        {
            group.push(next);
        }
        group.iter().for_each(|_| metrics::writer_took());
        let begun = Instant::now();
        let failures = group::commit(driver.as_mut(), guard, &mut group);
        fail::fail_point!("server::writer::after_commit");
        let committed =
            !failures.iter().any(|f| matches!(f, Some(WriteError::NotCommitted | WriteError::Full)));
        metrics::group(group.len(), begun.elapsed(), committed);
        for (piece, failure) in group.iter_mut().zip(failures) {
            if catch_unwind(AssertUnwindSafe(|| piece.finish(failure))).is_err() {
                tracing::error!("an answer of the writer broke off");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use super::*;
    use crate::store::Sqlite;

    fn store() -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("w.db");
        let mut db = Sqlite::open(&path).expect("opens");
        db.run_script("CREATE TABLE t (n BIGINT UNIQUE)").expect("script");
        (dir, path)
    }

    /// Holds the writer, alone in its group, until it is dropped: what is queued meanwhile becomes one group.
    fn gate(writer: &Writer) -> std::sync::mpsc::Sender<()> {
        let (open, gate) = channel::<()>();
        let (reached_in, reached) = channel();
        let hold = move |_: &mut Tx<'_>| {
            let _ = reached_in.send(());
            let _ = gate.recv();
            Ok::<_, StoreError>(())
        };
        writer.submit(hold, |_| {});
        reached.recv().expect("the writer took it");
        open
    }

    fn insert(tx: &mut Tx<'_>, n: i64) -> Result<u64, StoreError> {
        tx.execute("INSERT INTO t (n) VALUES ($1)", &[n.into()])
    }

    #[test]
    fn a_bad_piece_and_a_panicking_piece_leave_their_neighbours_alone() {
        let (_dir, path) = store();
        let writer = Writer::start(Box::new(Sqlite::open(&path).expect("opens"))).expect("starts");
        let gate = gate(&writer);
        let (out, results) = channel();
        let runs = Arc::new(AtomicUsize::new(0));
        for n in [1, 2, 1, 3] {
            let (out, runs) = (out.clone(), runs.clone());
            let answer = move |w: Written<u64, StoreError>| {
                let _ = out.send((n, matches!(w, Ok(Ok(_)))));
            };
            let work = move |tx: &mut Tx<'_>| {
                runs.fetch_add(1, Ordering::AcqRel);
                insert(tx, n)
            };
            writer.submit(work, answer);
        }
        let (broke_in, broke) = channel();
        let panicking = |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            insert(tx, 9)?;
            panic!("in a piece of work")
        };
        writer.submit(panicking, move |w| {
            let _ = broke_in.send(matches!(w, Err(WriteError::BrokeOff)));
        });
        drop(gate);
        writer.stop();
        drop(out);
        assert_eq!(runs.load(Ordering::Acquire), 3 + 4, "until the bad one, then all of them once more");
        assert_eq!(results.iter().collect::<Vec<_>>(), [(1, true), (2, true), (1, false), (3, true)]);
        assert_eq!(broke.recv(), Ok(true));
        let mut db = Sqlite::open(&path).expect("opens");
        assert_eq!(Tx::new(&mut db).query_int("SELECT SUM(n) FROM t", &[]).ok(), Some(6));
    }

    #[test]
    fn a_group_of_good_pieces_runs_once() {
        let (_dir, path) = store();
        let writer = Writer::start(Box::new(Sqlite::open(&path).expect("opens"))).expect("starts");
        let gate = gate(&writer);
        let runs = Arc::new(AtomicUsize::new(0));
        for n in 0..40 {
            let runs = runs.clone();
            let work = move |tx: &mut Tx<'_>| {
                runs.fetch_add(1, Ordering::AcqRel);
                insert(tx, n)
            };
            writer.submit(work, |_| {});
        }
        drop(gate);
        writer.stop();
        assert_eq!(runs.load(Ordering::Acquire), 40);
    }

    #[test]
    fn a_panic_of_the_second_run_leaves_nothing_of_the_first() {
        let (_dir, path) = store();
        let writer = Writer::start(Box::new(Sqlite::open(&path).expect("opens"))).expect("starts");
        let gate = gate(&writer);
        let (broke_in, broke) = channel();
        let mut runs = 0;
        let work = move |tx: &mut Tx<'_>| {
            runs += 1;
            insert(tx, runs)?;
            assert!(runs < 2, "the second run breaks off");
            Ok::<_, StoreError>(())
        };
        writer.submit(work, move |w| {
            let _ = broke_in.send(matches!(w, Err(WriteError::BrokeOff)));
        });
        writer.submit(|_| Err::<(), _>(StoreError::Full), |_| {});
        drop(gate);
        writer.stop();
        assert_eq!(broke.recv(), Ok(true));
        let mut db = Sqlite::open(&path).expect("opens");
        assert_eq!(Tx::new(&mut db).query_int("SELECT COUNT(*) FROM t", &[]).ok(), Some(0));
    }

    #[test]
    fn a_failed_commit_is_told_to_everybody() {
        let (_dir, path) = store();
        let mut setup = Sqlite::open(&path).expect("opens");
        setup
            .run_script("CREATE TABLE child (n BIGINT REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)")
            .expect("script");
        let writer = Writer::start(Box::new(Sqlite::open(&path).expect("opens"))).expect("starts");
        let gate = gate(&writer);
        let (out, results) = channel();
        let out2 = out.clone();
        writer.submit(
            |tx| insert(tx, 5),
            move |w| {
                let _ = out.send(matches!(w, Err(WriteError::NotCommitted)));
            },
        );
        writer.submit(
            |tx| tx.execute("INSERT INTO child (n) VALUES (404)", &[]),
            move |w| {
                let _ = out2.send(matches!(w, Err(WriteError::NotCommitted)));
            },
        );
        drop(gate);
        writer.stop();
        assert_eq!(results.iter().collect::<Vec<_>>(), [true, true]);
        assert_eq!(Tx::new(&mut setup).query_int("SELECT COUNT(*) FROM t", &[]).ok(), Some(0));
    }

    #[test]
    fn after_stop_work_is_refused_not_lost_silently() {
        let (_dir, path) = store();
        let writer = Writer::start(Box::new(Sqlite::open(&path).expect("opens"))).expect("starts");
        writer.stop();
        assert!(matches!(writer.write(|tx| insert(tx, 1)), Err(WriteError::Unavailable)));
    }
}
