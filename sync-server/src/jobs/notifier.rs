//! Sends what waits to be told to citizens, and takes what the gateway says of it.
//!
//! A message is noted as handed over, committed, before it goes; its name at the gateway behind it. If everything breaks in
//! between, it is handed over once more after ten minutes: told twice rather than never. Without a gateway, or with one
//! that is away, messages wait, and expire. One that cannot be read keeps no other from its turn. Number and text live in
//! this file's calls only.
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::case::CaseView;
use domain::date::CivilDate;
use domain::text::Language;
use rand_core::CryptoRng;

use super::ticker::Ticker;
use crate::centre::Centre;
use crate::error::ServiceError;
use crate::moments::last_moment;
use crate::services::cases::{self, CaseRow};
use crate::services::clock_guard::{self, Verdict};
use crate::services::contact::{self, Contact};
use crate::services::notifications::{self, Kind, LIFE_MS, MAX_TRIES, Notification, State};
use crate::services::{Context, audit, citizen_cases, meta};
use crate::sms::{Fate, Gateway, Report, SendError};
use crate::store::{StoreError, Tx};
use crate::words::Words;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);
/// How long a look listens to the gateway.
const LISTEN: Duration = Duration::from_millis(50);
/// Messages handed over in one look, at most.
const TOGETHER: u64 = 50;
/// The first pause after a message that was not taken; each further one is twice as long, half of it by chance.
const PAUSE_MS: i64 = 30_000;
/// The longest pause.
const LONGEST_MS: i64 = 3_600_000;
/// A message waits for so long before people are told: an hour.
const LONG_MS: i64 = 3_600_000;
/// Looks between two times of forgetting old rows.
const TRIM_EVERY: u32 = 1_800;
/// Reports whose message is not known yet, or that could not be written, are looked at again in the next looks; so many are
/// kept.
const MAX_EARLY: usize = 20_000;
/// In so many looks.
const EARLY_LOOKS: u8 = 30;
/// Reports written in one transaction, at most.
const REPORTS_TOGETHER: usize = 200;
/// The alarm about a gateway that takes nothing.
const WAITS: &str = "notification.waits";

/// Starts the thread; it looks at once.
///
/// # Errors
/// The operating system's, if it cannot make a thread.
pub fn start(centre: Arc<Centre>, gateway: Option<Box<dyn Gateway>>) -> std::io::Result<Ticker> {
    let mut post = Post::new(gateway);
    Ticker::start("notifier", move |stop| {
        if let Err(e) = post.look(&centre, &mut centre.random(), stop) {
            tracing::error!(
                error = &e as &dyn std::error::Error,
                "messages could not be sent; they are tried again"
            );
        }
        LOOK
    })
}

/// A gateway, since when it is away, and what it said too early.
pub struct Post {
    gateway: Option<Box<dyn Gateway>>,
    early: VecDeque<(Report, u8)>,
    looks: u32,
    away: Away,
}

/// How often in a row the gateway could not be reached, and when it is tried again, milliseconds since 1970.
#[derive(Default)]
struct Away {
    times: u64,
    until_ms: i64,
}

/// A message that can be handed over, still sealed.
struct Letter {
    contact: Option<Contact>,
    text: Option<String>,
}

/// What became of handing a message over.
enum Handed {
    Over,
    Not,
    Down,
}

impl Post {
    /// With this gateway, or with none.
    pub fn new(gateway: Option<Box<dyn Gateway>>) -> Self {
        Self { gateway, early: VecDeque::new(), looks: 0, away: Away::default() }
    }

    /// Sends what is due and takes what the gateway says; gives how many were handed over.
    ///
    /// # Errors
    /// [`ServiceError`] if the store fails; what was done stays done.
    pub fn look(
        &mut self,
        centre: &Arc<Centre>,
        rng: &mut dyn CryptoRng,
        stop: &AtomicBool,
    ) -> Result<usize, ServiceError> {
        let now_ms = centre.now_ms();
        let sent = self.send_due(centre, now_ms, rng, stop);
        // Whatever happened to single messages: what the gateway says is taken.
        self.listen(centre, now_ms, rng)?;
        self.tell_of_waiting(centre, now_ms)?;
        sent
    }

    fn send_due(
        &mut self,
        centre: &Arc<Centre>,
        now_ms: i64,
        rng: &mut dyn CryptoRng,
        stop: &AtomicBool,
    ) -> Result<usize, ServiceError> {
        // A clock that is not believed ends no message and forgets none.
        let (believed, sample) = centre.read(|tx| {
            let believed = clock_guard::judge(tx, now_ms)? == Verdict::Plausible;
            Ok::<_, ServiceError>((believed, meta::sample_data(tx)?.is_some()))
        })?;
        if believed && self.looks.is_multiple_of(TRIM_EVERY) {
            centre.write(move |tx| Ok::<_, ServiceError>(notifications::trim(tx, now_ms)?))?;
        }
        self.looks = self.looks.wrapping_add(1);
        if self.gateway.is_some() && self.away.lasts(now_ms) {
            return Ok(0);
        }
        let due = centre.read(|tx| Ok::<_, ServiceError>(notifications::due(tx, now_ms, TOGETHER)?))?;
        let mut sent = 0;
        for of in due {
            if stop.load(Ordering::Acquire) {
                break;
            }
            let id = of.envelope_id;
            if sample {
                // Invented people have numbers that may be somebody's.
                set_aside(centre, now_ms, of, (State::Unreachable, None, "sample"))?;
            } else if believed && now_ms.saturating_sub(of.queued_at_ms) > LIFE_MS {
                set_aside(centre, now_ms, of, (State::Expired, None, ""))?;
            } else if self.gateway.is_none() {
                // Looked at again in an hour, so that it expires.
                let (state, next_ms) = (of.state, now_ms.saturating_add(LONGEST_MS));
                set_aside(centre, now_ms, of, (state, Some(next_ms), "no_gateway"))?;
            } else if of.tries >= MAX_TRIES {
                set_aside(centre, now_ms, of, (State::Failed, None, "unknown"))?;
            } else {
                match self.hand_over(centre, now_ms, &of, rng) {
                    Ok(Handed::Over) => sent += 1,
                    Ok(Handed::Not) => {}
                    Ok(Handed::Down) => break,
                    Err(e) if is_the_stores(&e) => return Err(e),
                    Err(e) => {
                        tracing::error!(
                            error = &e as &dyn std::error::Error,
                            envelope_id = %id,
                            "a message cannot be made of a case"
                        );
                        settle(centre, now_ms, &of, (State::Failed, None, "unreadable"))?;
                    }
                }
            }
        }
        Ok(sent)
    }

    fn hand_over(
        &mut self,
        centre: &Arc<Centre>,
        now_ms: i64,
        of: &Notification,
        rng: &mut dyn CryptoRng,
    ) -> Result<Handed, ServiceError> {
        let Some(gateway) = self.gateway.as_mut() else { return Ok(Handed::Not) };
        let claimed = of.clone();
        if !centre.write(move |tx| Ok::<_, ServiceError>(notifications::claim(tx, now_ms, &claimed)?))? {
            return Ok(Handed::Not);
        }
        let letter = centre.read(|tx| letter(tx, centre.context(), of, now_ms))?;
        let Some(text) = letter.text else {
            settle(centre, now_ms, of, (State::Overtaken, None, ""))?;
            return Ok(Handed::Not);
        };
        let Some(contact) = letter.contact else {
            settle(centre, now_ms, of, (State::Unreachable, None, "erased"))?;
            return Ok(Handed::Not);
        };
        let Some(mobile) = contact.mobile(&centre.context().keys)? else {
            settle(centre, now_ms, of, (State::Unreachable, None, "no_number"))?;
            return Ok(Handed::Not);
        };
        let answer = gateway.send(&mobile, &text);
        if !matches!(answer, Err(SendError::Down(_))) {
            self.away.is_back();
        }
        match answer {
            Ok(id) => {
                settle(centre, now_ms, of, (State::Sent, Some(&id), ""))?;
                Ok(Handed::Over)
            }
            Err(SendError::Refused(status)) => {
                tracing::warn!(status, "the gateway refused a message");
                settle(centre, now_ms, of, (State::Failed, None, "refused"))?;
                Ok(Handed::Not)
            }
            Err(SendError::Busy(status)) => {
                tracing::warn!(status, "the gateway has no room for a message");
                again_later(centre, now_ms, of, ("busy", rng))?;
                Ok(Handed::Not)
            }
            Err(SendError::Unknown(why)) => {
                tracing::warn!(why, "the gateway broke off; perhaps it has the message");
                again_later(centre, now_ms, of, ("unknown", rng))?;
                Ok(Handed::Down)
            }
            Err(SendError::Down(why)) => {
                // It did not get this one: no try is counted, and all wait for it together.
                self.away.begins(now_ms, &why, rng);
                put_off(centre, now_ms, of, (self.away.until_ms, "down", false))?;
                Ok(Handed::Down)
            }
        }
    }

    /// Takes what the gateway says. A report can be there before its message has its name: it is kept for a while, as is
    /// one that cannot be written now; the gateway was told that we have it.
    fn listen(
        &mut self,
        centre: &Arc<Centre>,
        now_ms: i64,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), ServiceError> {
        let away = self.away.lasts(now_ms);
        let Some(gateway) = self.gateway.as_mut().filter(|_| !away) else { return Ok(()) };
        match gateway.reports(LISTEN) {
            Ok(said) => {
                self.away.is_back();
                self.early.extend(said.into_iter().map(|report| (report, EARLY_LOOKS)));
            }
            Err(e) => self.away.begins(now_ms, &e.to_string(), rng),
        }
        while self.early.len() > MAX_EARLY {
            self.early.pop_front();
        }
        let mut waiting = std::mem::take(&mut self.early);
        while !waiting.is_empty() {
            let some: Vec<(Report, u8)> = waiting.drain(..waiting.len().min(REPORTS_TOGETHER)).collect();
            let told = some.clone();
            let known = centre.write(move |tx| {
                told.iter().map(|(report, _)| take(tx, now_ms, report)).collect::<Result<Vec<bool>, _>>()
            });
            match known {
                Ok(known) => {
                    let unknown =
                        some.into_iter().zip(known).filter(|((_, looks), known)| !known && *looks > 0);
                    self.early.extend(unknown.map(|((report, looks), _)| (report, looks - 1)));
                }
                Err(e) => {
                    self.early.extend(some);
                    self.early.extend(waiting);
                    return Err(e);
                }
            }
        }
        Ok(())
    }

    /// Raises an alarm, once a day, if messages have waited for a gateway for long.
    fn tell_of_waiting(&self, centre: &Arc<Centre>, now_ms: i64) -> Result<(), ServiceError> {
        if self.gateway.is_none() {
            return Ok(());
        }
        let day = CivilDate::in_china(now_ms).to_string();
        let waits = centre.read(|tx| {
            let oldest = notifications::oldest_waiting_ms(tx)?;
            let long = oldest.is_some_and(|at_ms| now_ms.saturating_sub(at_ms) > LONG_MS);
            Ok::<_, ServiceError>(long && !audit::is_raised(tx, WAITS, &day)?)
        })?;
        if waits {
            centre
                .write(move |tx| Ok::<_, ServiceError>(audit::raise_alarm(tx, now_ms, WAITS, &day, None)?))?;
        }
        Ok(())
    }
}

impl Away {
    /// It could not be reached; each pause is longer.
    fn begins(&mut self, now_ms: i64, why: &str, rng: &mut dyn CryptoRng) {
        if self.times == 0 {
            tracing::warn!(why, "the gateway of messages cannot be reached; messages wait");
        }
        self.times = self.times.saturating_add(1);
        self.until_ms = now_ms.saturating_add(pause_ms(self.times, rng));
    }

    /// Whether it is not tried yet. A pause that is longer than any was begun by a clock that had jumped ahead.
    fn lasts(&self, now_ms: i64) -> bool {
        let left_ms = self.until_ms.saturating_sub(now_ms);
        left_ms > 0 && left_ms <= LONGEST_MS
    }

    fn is_back(&mut self) {
        if self.times > 0 {
            tracing::info!("the gateway of messages is there again");
        }
        *self = Self::default();
    }
}

/// Whether the store failed, and not this one case.
fn is_the_stores(error: &ServiceError) -> bool {
    match error {
        ServiceError::Store(e) => !matches!(e, StoreError::Stored { .. }),
        ServiceError::Write(_) => true,
        ServiceError::Refused { .. } | ServiceError::Inconsistent(_) => false,
    }
}

/// Takes one report; says no if no message has its name yet.
fn take(tx: &mut Tx<'_>, now_ms: i64, report: &Report) -> Result<bool, ServiceError> {
    let (state, why) = match &report.fate {
        Fate::Delivered => (State::Delivered, String::new()),
        Fate::Undelivered(why) => (State::Failed, short(why)),
        Fate::OnItsWay => return Ok(true),
    };
    Ok(notifications::report(tx, now_ms, &report.id, (state, &why))?)
}

fn settle(
    centre: &Arc<Centre>,
    now_ms: i64,
    of: &Notification,
    (state, gateway_id, reason): (State, Option<&str>, &'static str),
) -> Result<(), ServiceError> {
    let (id, version, gateway_id) = (of.envelope_id, of.version, gateway_id.map(str::to_owned));
    centre.write(move |tx| {
        notifications::rise(tx, now_ms, (&id, version), (state, gateway_id.as_deref(), reason))?;
        Ok::<_, ServiceError>(())
    })
}

/// Ends a message that nobody handed over, or lets it wait.
fn set_aside(
    centre: &Arc<Centre>,
    now_ms: i64,
    of: Notification,
    to: (State, Option<i64>, &'static str),
) -> Result<(), ServiceError> {
    centre.write(move |tx| Ok::<_, ServiceError>(notifications::set_aside(tx, now_ms, &of, to)?))
}

fn put_off(
    centre: &Arc<Centre>,
    now_ms: i64,
    of: &Notification,
    to: (i64, &'static str, bool),
) -> Result<(), ServiceError> {
    let (id, version) = (of.envelope_id, of.version);
    centre.write(move |tx| Ok::<_, ServiceError>(notifications::put_off(tx, now_ms, (&id, version), to)?))
}

/// Tries a message again after a pause, or gives it up after the last try.
fn again_later(
    centre: &Arc<Centre>,
    now_ms: i64,
    of: &Notification,
    (reason, rng): (&'static str, &mut dyn CryptoRng),
) -> Result<(), ServiceError> {
    let tries = of.tries + 1;
    if tries >= MAX_TRIES {
        return settle(centre, now_ms, of, (State::Failed, None, reason));
    }
    put_off(centre, now_ms, of, (now_ms.saturating_add(pause_ms(tries, rng)), reason, true))
}

/// The pause after so many tries, milliseconds: between half of it and the whole.
fn pause_ms(tries: u64, rng: &mut dyn CryptoRng) -> i64 {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    let whole = PAUSE_MS.saturating_mul(1_i64 << doublings).min(LONGEST_MS);
    let chance = i64::from(rng.next_u32()) % (whole / 2).max(1);
    whole / 2 + chance
}

/// A gateway's word, cut to what a table of words can have.
fn short(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).take(16).collect()
}

fn letter(
    tx: &mut Tx<'_>,
    context: &Context,
    of: &Notification,
    now_ms: i64,
) -> Result<Letter, ServiceError> {
    let (row, view) = cases::current(tx, &of.envelope_id)?;
    let overtaken = notifications::is_overtaken(tx, of)?;
    let text = if overtaken { None } else { text(tx, of, (&row, &view), now_ms)? };
    Ok(Letter { contact: contact::find(tx, context, (&row, &view))?, text })
}

/// What a message says; nothing if the case has gone on meanwhile. Never the name of the item: others see a phone too.
fn text(
    tx: &mut Tx<'_>,
    of: &Notification,
    (row, view): (&CaseRow, &CaseView),
    now_ms: i64,
) -> Result<Option<String>, ServiceError> {
    let w = Words(Language::ZhCn);
    let last_four = row.number.groups()[3];
    Ok(match of.kind {
        Kind::Accepted => {
            (!row.standing).then(|| accepted(w, last_four, (row.due_ms, row.due_expected), now_ms))
        }
        Kind::Supplement => citizen_cases::request(tx, (row, view))?.map(|request| {
            let count = request.wants.len().to_string();
            let until = last_moment(w, request.due_at_ms, now_ms);
            w.fill("sms.supplement", &[("last", last_four), ("n", &count), ("time", &until)])
        }),
        Kind::Returned => Some(w.fill("sms.returned", &[("last", last_four)])),
        Kind::Completed => Some(w.fill("sms.completed", &[("last", last_four)])),
    })
}

/// That a case was accepted, and until when it is promised; a case of no time has none.
fn accepted(w: Words, last_four: &str, (due_ms, expected): (Option<i64>, bool), now_ms: i64) -> String {
    let Some(due_ms) = due_ms else { return w.fill("sms.accepted_undated", &[("last", last_four)]) };
    let key = if expected { "sms.accepted_expected" } else { "sms.accepted" };
    w.fill(key, &[("last", last_four), ("time", &last_moment(w, due_ms, now_ms))])
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::sms::smpp::MAX_CHARS;

    #[test]
    fn pauses_grow_stay_in_their_bounds_and_spread() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for tries in [1, 2, 3, 4, 5, 20, u64::MAX] {
            let whole = (PAUSE_MS << tries.saturating_sub(1).min(16)).min(LONGEST_MS);
            let drawn: Vec<_> = (0..50).map(|_| pause_ms(tries, &mut rng)).collect();
            assert!(drawn.iter().all(|ms| (whole / 2..=whole).contains(ms)), "{tries}: {drawn:?}");
            assert!(drawn.iter().any(|ms| *ms != drawn[0]), "{tries}: {drawn:?}");
        }
    }

    #[test]
    fn each_message_is_one_short_message_and_names_no_item() {
        let w = Words(Language::ZhCn);
        for key in [
            "sms.accepted",
            "sms.accepted_undated",
            "sms.accepted_expected",
            "sms.supplement",
            "sms.returned",
            "sms.completed",
        ] {
            let values = [("last", "073R"), ("n", "20"), ("time", "2027-01-05 24:00")];
            let text = w.fill(key, &values);
            assert!(!text.contains('{') && text != key, "{text}");
            assert!(text.encode_utf16().count() <= MAX_CHARS, "{}: {text}", text.chars().count());
        }
    }

    #[test]
    fn a_case_without_a_time_is_told_without_one() {
        let (w, now_ms) = (Words(Language::ZhCn), 1_795_541_400_000);
        let undated = accepted(w, "073R", (None, false), now_ms);
        assert!(undated.contains("073R") && !undated.contains('{'), "{undated}");
        let dated = accepted(w, "073R", (Some(now_ms), false), now_ms);
        assert!(dated.len() > undated.len() && !dated.contains('{'), "{dated}");
    }

    #[test]
    fn a_pause_of_a_clock_that_had_jumped_is_over() {
        let now_ms = 1_795_541_400_000;
        for (until_ms, lasts) in [
            (0, false),
            (now_ms, false),
            (now_ms + 1, true),
            (now_ms + LONGEST_MS, true),
            (now_ms + LONGEST_MS + 1, false),
            (i64::MAX, false),
        ] {
            assert_eq!(Away { times: 3, until_ms }.lasts(now_ms), lasts, "{until_ms}");
        }
    }

    #[test]
    fn a_gateways_word_is_cut() {
        assert_eq!(short("UNDELIV<script>aaaaaaaaaaaaaaaaaaaaaaaa"), "UNDELIVscriptaaa");
    }
}
