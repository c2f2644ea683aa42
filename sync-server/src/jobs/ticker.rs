//! A thread that looks, waits and looks again, until it is to end: what all jobs by the clock have in common.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The thread; dropping it ends it and waits for it.
pub struct Ticker {
    name: &'static str,
    stop: Arc<AtomicBool>,
    end: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts the thread, which looks at once. `look` says how long to wait before the next one; a long look breaks off
    /// soon after the flag that it is given was raised.
    ///
    /// # Errors
    /// The operating system's, if it cannot make a thread.
    pub fn start(
        name: &'static str,
        mut look: impl FnMut(&AtomicBool) -> Duration + Send + 'static,
    ) -> std::io::Result<Self> {
        let (end, ended) = sync_channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let raised = stop.clone();
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
            loop {
                let pause = look(&raised);
                if ended.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { name, stop, end: Some(end), thread: Some(thread) })
    }

    /// Lets the thread end by itself, after what it has in hand; dropping waits for it.
    pub fn end(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.end = None;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.end();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(thread = self.name, "a thread ended with a panic");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn looks_at_once_and_again_and_ends_while_it_waits() {
        let (tell, told) = channel();
        let ticker = Ticker::start("ticks", move |_| {
            let looks = tell.send(()).map_or(0, |()| 1);
            Duration::from_millis(looks)
        });
        assert!(ticker.is_ok());
        assert_eq!((told.recv(), told.recv()), (Ok(()), Ok(())));
        drop(ticker);
        let (tell, told) = channel();
        let ticker = Ticker::start("waits", move |_| {
            let _ = tell.send(());
            Duration::from_secs(3_600)
        });
        assert_eq!(told.recv(), Ok(()));
        drop(ticker);
        assert_eq!(told.iter().count(), 0, "it looked once, and its drop did not wait for an hour");
    }

    #[test]
    fn a_look_in_hand_hears_that_it_is_to_end() {
        let (tell, told) = channel();
        let ticker = Ticker::start("works", move |stop| {
            let _ = tell.send(());
            while !stop.load(Ordering::Acquire) {
                std::hint::spin_loop();
            }
            Duration::ZERO
        });
        assert_eq!(told.recv(), Ok(()));
        drop(ticker);
        assert_eq!(told.iter().count(), 0);
    }
}
