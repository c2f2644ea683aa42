//! All readers of a terminal as one reader.
//!
//! Each has a thread of its own, so that one that is silent or far away keeps no other waiting. The card that was laid
//! first counts; others are passed over until it is lifted. The thread of a reader on which a card was laid waits for
//! the word whether to read it, so that nothing is read that nobody asked for. A reader that is missed while another
//! one serves is told beside the status, which stays that of the one that serves.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::card_reader::{CardData, CardReader, ReadError, ReaderEvent, ReaderStatus};
use crate::samv_id::SamId;

/// Most readers in a set; more are left out.
pub const MAX_READERS: usize = 8;
/// How long a reader is waited for at a time: so often its thread hears what it shall do.
const SLICE: Duration = Duration::from_millis(100);
/// How long a read may take at most before it is given up; every transport ends far sooner.
const READ_LIMIT: Duration = Duration::from_secs(30);
/// News that wait to be taken; a reader's thread waits when it is full.
const MAX_NEWS: usize = 64;

type Answer = (Result<CardData, ReadError>, Option<SamId>);

/// One reader's thread.
struct Member {
    status: ReaderStatus,
    misses: bool,
    read: Sender<SyncSender<Answer>>,
    thread: Option<JoinHandle<()>>,
}

/// What a reader's thread tells.
struct News {
    /// Which reader, from 0.
    number: usize,
    event: ReaderEvent,
    /// Whether it is missed, or one behind it.
    misses: bool,
}

/// Several readers.
pub struct ReaderSet {
    members: Vec<Member>,
    news: Receiver<News>,
    stop: Arc<AtomicBool>,
    /// The reader whose card counts.
    active: Option<usize>,
    /// It was lifted and another card may lie there already: what is to be told next.
    then: Option<ReaderStatus>,
    last: ReaderStatus,
    sam_id: Option<SamId>,
}

impl ReaderSet {
    /// Starts a thread for each reader.
    pub fn new(readers: Vec<Box<dyn CardReader>>) -> Self {
        let (tell, news) = sync_channel(MAX_NEWS);
        let stop = Arc::new(AtomicBool::new(false));
        let members = readers.into_iter().take(MAX_READERS).enumerate().map(|(number, reader)| {
            let (read, orders) = channel();
            let (tell, stop) = (tell.clone(), Arc::clone(&stop));
            let serve = move || serve(reader, number, &orders, &tell, &stop);
            let thread = std::thread::Builder::new().name(format!("card-reader-{number}")).spawn(serve).ok();
            Member { status: ReaderStatus::Unknown, misses: false, read, thread }
        });
        let members = members.collect();
        Self { members, news, stop, active: None, then: None, last: ReaderStatus::Unknown, sam_id: None }
    }

    /// Takes in what a reader told; gives what the set tells then.
    fn take_in(&mut self, News { number, event, misses }: News) -> Option<ReaderEvent> {
        self.members.get_mut(number)?.misses = misses;
        let status = match event {
            ReaderEvent::Status(status) => status,
            ReaderEvent::Second => return Some(ReaderEvent::Second),
            ReaderEvent::Nothing => return None,
        };
        let member = self.members.get_mut(number)?;
        let had = self.active == Some(number) && member.status == ReaderStatus::Card;
        member.status = status;
        let lifted = had && status != ReaderStatus::Card;
        if lifted {
            self.active = None;
        }
        if self.active.is_none() {
            self.active = self.members.iter().position(|member| member.status == ReaderStatus::Card);
        }
        let now = self.together();
        if lifted && self.active.is_some() {
            // Another card lies elsewhere: the first was lifted, and only then that one counts.
            self.then = Some(ReaderStatus::Card);
            self.last = ReaderStatus::Empty;
            return Some(ReaderEvent::Status(self.last));
        }
        if status == ReaderStatus::Card && self.active != Some(number) {
            return Some(ReaderEvent::Second);
        }
        (now != self.last).then(|| {
            self.last = now;
            ReaderEvent::Status(now)
        })
    }

    /// What the readers are together: the most useful state of any of them.
    fn together(&self) -> ReaderStatus {
        const USEFUL_FIRST: [ReaderStatus; 7] = [
            ReaderStatus::Card,
            ReaderStatus::Empty,
            ReaderStatus::OutOfOrder,
            ReaderStatus::Busy,
            ReaderStatus::Unknown,
            ReaderStatus::ServiceOff,
            ReaderStatus::NoReader,
        ];
        let is = |status: &ReaderStatus| self.members.iter().any(|member| member.status == *status);
        USEFUL_FIRST.into_iter().find(is).unwrap_or(ReaderStatus::NoReader)
    }
}

impl CardReader for ReaderSet {
    fn wait_event(&mut self, max: Duration) -> ReaderEvent {
        if let Some(status) = self.then.take() {
            self.last = status;
            return ReaderEvent::Status(status);
        }
        let end = Instant::now() + max;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.news.recv_timeout(left) {
                Ok(news) => {
                    if let Some(told) = self.take_in(news) {
                        return told;
                    }
                }
                Err(RecvTimeoutError::Timeout) => return ReaderEvent::Nothing,
                // There is no reader at all: waiting must still take its time.
                Err(RecvTimeoutError::Disconnected) => {
                    if self.last != ReaderStatus::NoReader {
                        self.last = ReaderStatus::NoReader;
                        return ReaderEvent::Status(self.last);
                    }
                    std::thread::sleep(left);
                    return ReaderEvent::Nothing;
                }
            }
        }
    }

    fn read(&mut self) -> Result<CardData, ReadError> {
        self.sam_id = None;
        let number = self.active.ok_or(ReadError::Removed)?;
        let member = self.members.get(number).ok_or(ReadError::ReaderGone)?;
        let (answer, answers) = sync_channel(1);
        member.read.send(answer).map_err(|_| ReadError::ReaderGone)?;
        let (result, sam_id) = answers.recv_timeout(READ_LIMIT).map_err(|_| ReadError::ReaderGone)?;
        self.sam_id = sam_id;
        result
    }

    fn sam_id(&self) -> Option<SamId> {
        self.sam_id
    }

    fn misses(&self) -> bool {
        self.members.iter().any(|member| member.misses)
    }
}

impl Drop for ReaderSet {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for member in &mut self.members {
            // A full channel of news would keep a thread from hearing it.
            while self.news.try_recv().is_ok() {}
            if let Some(thread) = member.thread.take() {
                // A thread that panicked has said so by itself.
                let _ = thread.join();
            }
        }
    }
}

/// One reader's thread: tells its changes, reads when told to.
fn serve(
    mut reader: Box<dyn CardReader>,
    number: usize,
    orders: &Receiver<SyncSender<Answer>>,
    tell: &SyncSender<News>,
    stop: &AtomicBool,
) {
    let mut missed = false;
    while !stop.load(Ordering::SeqCst) {
        let event = reader.wait_event(SLICE);
        let misses = reader.misses();
        if event != ReaderEvent::Nothing || misses != missed {
            missed = misses;
            let laid_down = event == ReaderEvent::Status(ReaderStatus::Card);
            let mut news = News { number, event, misses };
            while let Err(full) = tell.try_send(news) {
                match full {
                    std::sync::mpsc::TrySendError::Full(back) if !stop.load(Ordering::SeqCst) => {
                        news = back;
                        std::thread::sleep(SLICE);
                    }
                    _ => return,
                }
            }
            if laid_down && let Ok(answer) = orders.recv_timeout(SLICE) {
                obey(reader.as_mut(), &answer);
            }
        }
        while let Ok(answer) = orders.try_recv() {
            obey(reader.as_mut(), &answer);
        }
    }
}

fn obey(reader: &mut dyn CardReader, answer: &SyncSender<Answer>) {
    let result = reader.read();
    let sam_id = reader.sam_id();
    // Whoever asked may have given it up.
    let _ = answer.send((result, sam_id));
}

#[cfg(test)]
#[path = "reader_set_tests.rs"]
mod tests;
