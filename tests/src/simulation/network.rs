//! The network of a simulation: what becomes of each message, by the weather of the seed and the state of the link.
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use terminal::sync::tls::Trouble;
use terminal::sync::transport::{Request, Response, TransportError, UploadAnswer, UploadCall, UploadStep};

use super::faults::Fault;
use super::skew;

/// How long a terminal waits for an answer, milliseconds; as its HTTP client does.
pub const PATIENCE_MS: u64 = 30_000;

/// The longest that a piece of a page is on its way besides, milliseconds: pages are large and links are slow.
const PIECE_MS: u64 = 20_000;

/// What a terminal asks.
#[derive(Debug)]
pub enum Call {
    /// A call of its texts, news or heartbeats.
    Text(Request),
    /// A call of an upload.
    Page(UploadCall),
}

/// What came back.
#[derive(Debug)]
pub enum Answer {
    /// To a call of texts.
    Text(Result<Response, TransportError>),
    /// To a call of an upload.
    Page(Result<UploadAnswer, TransportError>),
}

impl Call {
    /// Its method.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Text(request) => request.method.as_str(),
            Self::Page(call) => call.step.method(),
        }
    }

    /// What the terminal hears if this comes back: of a stranger's answer the head is all that an upload looks at.
    pub fn answered(&self, by: Result<Response, TransportError>) -> Answer {
        match self {
            Self::Text(_) => Answer::Text(by),
            Self::Page(_) => Answer::Page(by.map(|r| UploadAnswer {
                status: r.status,
                content_type: r.content_type,
                version: None,
                retry_after_secs: r.retry_after_secs,
                location: None,
                offset: None,
            })),
        }
    }

    /// Makes it a newer terminal's, if that strikes; whether it did.
    pub fn may_be_newer(&mut self, weather: &Weather, rng: &mut ChaCha20Rng) -> bool {
        let Self::Text(Request { body: Some(body), .. }) = self else { return false };
        let strikes = weather.strikes(Fault::RequestNewer, rng);
        if strikes {
            *body = skew::of_newer(body);
        }
        strikes
    }

    /// How long it is on its way if nothing befalls it, milliseconds.
    fn travels_ms(&self, rng: &mut ChaCha20Rng) -> u64 {
        let piece = matches!(self, Self::Page(UploadCall { step: UploadStep::Add { .. }, .. }));
        latency_ms(rng) + if piece { rng.next_u64() % PIECE_MS } else { 0 }
    }
}

impl Answer {
    /// Its status; 0 if there is none.
    pub fn status(&self) -> u16 {
        match self {
            Self::Text(answer) => answer.as_ref().map_or(0, |r| r.status),
            Self::Page(answer) => answer.as_ref().map_or(0, |r| r.status),
        }
    }

    /// Makes it another version's, if that strikes; which did.
    fn may_be_of_another(&mut self, weather: &Weather, rng: &mut ChaCha20Rng) -> Option<Fault> {
        let Self::Text(Ok(response)) = self else { return None };
        let fault = struck(weather, &[Fault::AnswerNewer, Fault::AnswerOlder], rng)?;
        let change = if fault == Fault::AnswerNewer { skew::of_newer } else { skew::of_older };
        response.body = change(&response.body);
        Some(fault)
    }

    /// What is left of it when the link breaks in its middle: some of a body, and nothing of a head.
    fn cut(&mut self, rng: &mut ChaCha20Rng) {
        match self {
            Self::Text(Ok(response)) => {
                let left = response.body.len() as u64 * u64::from(rng.next_u32() % 100) / 100;
                response.body.truncate(usize::try_from(left).unwrap_or(0));
            }
            Self::Page(answer) => *answer = Err(TransportError::Unreachable),
            Self::Text(Err(_)) => {}
        }
    }
}

/// The link of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It works, as well as the weather lets it.
    Up,
    /// Nothing gets through; nobody says so.
    Down,
    /// The centre's name is not found.
    NoName,
    /// Whoever answers is not the centre, or speaks no TLS.
    Stranger,
    /// Requests get through, answers do not.
    OneWay,
    /// A captive portal answers.
    Portal,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Way {
    /// It arrives after this time, and, for each further time, once more.
    Arrives(u64, Vec<u64>),
    /// It is gone; the sender hears nothing.
    Lost,
    /// The link breaks after this time, when so many of a hundred of its bytes have arrived.
    Cut(u64, u8),
    /// Somebody else answers, or nobody can, after this time.
    Answered(u64, Answer),
}

/// What becomes of an answer.
#[derive(Debug)]
pub enum WayBack {
    /// It arrives after this time.
    Arrives(u64, Answer),
    /// It is gone.
    Lost,
}

/// How bad the weather is: faults of single messages, each with its chance in ten thousand.
#[derive(Debug, Default)]
pub struct Weather(pub Vec<(Fault, u32)>);

impl Weather {
    /// Whether a fault strikes now.
    pub fn strikes(&self, fault: Fault, rng: &mut ChaCha20Rng) -> bool {
        let chance = self.0.iter().find(|(f, _)| *f == fault).map_or(0, |(_, chance)| *chance);
        chance > 0 && rng.next_u32() % 10_000 < chance
    }
}

/// The first fault of a list that strikes.
fn struck(weather: &Weather, faults: &[Fault], rng: &mut ChaCha20Rng) -> Option<Fault> {
    faults.iter().copied().find(|fault| weather.strikes(*fault, rng))
}

fn latency_ms(rng: &mut ChaCha20Rng) -> u64 {
    5 + u64::from(rng.next_u32() % 120)
}

fn later_ms(rng: &mut ChaCha20Rng, least_ms: u64, most_ms: u64) -> u64 {
    least_ms + rng.next_u64() % (most_ms - least_ms)
}

fn foreign(status: u16, content_type: &str, retry_after_secs: Option<u32>, body: &str) -> Response {
    Response {
        status,
        content_type: content_type.to_owned(),
        retry_after_secs,
        body: body.as_bytes().to_vec(),
    }
}

fn portal() -> Response {
    foreign(200, "text/html", None, "<html>please sign in to this network</html>")
}

/// What becomes of a call over this link; and which faults struck.
pub fn send((link, weather): (Link, &Weather), call: &Call, rng: &mut ChaCha20Rng) -> (Way, Vec<Fault>) {
    let soon = call.travels_ms(rng);
    let heard = |by| Way::Answered(soon, call.answered(by));
    match link {
        Link::Down => return (Way::Lost, vec![]),
        Link::NoName => return (heard(Err(TransportError::Unreachable)), vec![]),
        Link::Stranger => {
            let strangers = [Trouble::Foreign, Trouble::Expired, Trouble::OtherName, Trouble::NoTls];
            let trouble = strangers[rng.next_u32() as usize % strangers.len()];
            return (heard(Err(TransportError::Untrusted(trouble))), vec![]);
        }
        Link::Portal => return (heard(Ok(portal())), vec![]),
        Link::Up | Link::OneWay => {}
    }
    let foreign_answers = [Fault::Status500, Fault::Status503, Fault::Status429, Fault::Redirect];
    if let Some(fault) = struck(weather, &foreign_answers, rng) {
        let secs = Some(1 + rng.next_u32() % 120);
        let answer = match fault {
            Fault::Status500 => foreign(500, "text/html", None, "oops"),
            Fault::Status503 => foreign(503, "text/plain", secs, "busy"),
            Fault::Status429 => foreign(429, "text/plain", secs, "slow down"),
            _ => foreign(302, "text/html", None, ""),
        };
        return (heard(Ok(answer)), vec![fault]);
    }
    if weather.strikes(Fault::RequestLost, rng) {
        return (Way::Lost, vec![Fault::RequestLost]);
    }
    if weather.strikes(Fault::RequestCut, rng) {
        let came = u8::try_from(rng.next_u32() % 100).unwrap_or(0);
        return (Way::Cut(soon, came), vec![Fault::RequestCut]);
    }
    let (mut faults, mut again) = (Vec::new(), Vec::new());
    let first = if weather.strikes(Fault::Delay, rng) {
        faults.push(Fault::Delay);
        later_ms(rng, 1_000, 4 * PATIENCE_MS)
    } else {
        soon
    };
    for (fault, least_ms, most_ms) in
        [(Fault::Duplicate, 1, 2_000), (Fault::LateDuplicate, 60_000, 4 * 3_600_000)]
    {
        if weather.strikes(fault, rng) {
            faults.push(fault);
            again.push(later_ms(rng, least_ms, most_ms));
        }
    }
    (Way::Arrives(first, again), faults)
}

/// What becomes of the answer to a call over this link, none if nobody gave one; and which fault struck.
pub fn answer(
    (link, weather): (Link, &Weather),
    (call, answer): (&Call, Option<Answer>),
    rng: &mut ChaCha20Rng,
) -> (WayBack, Option<Fault>) {
    let soon = latency_ms(rng);
    let Some(mut answer) = answer else {
        return (WayBack::Arrives(soon, call.answered(Err(TransportError::Unreachable))), None);
    };
    if link != Link::Up {
        return (WayBack::Lost, None);
    }
    match struck(weather, &[Fault::AnswerLost, Fault::AnswerCut], rng) {
        Some(Fault::AnswerLost) => (WayBack::Lost, Some(Fault::AnswerLost)),
        Some(fault) => {
            answer.cut(rng);
            (WayBack::Arrives(soon, answer), Some(fault))
        }
        None => {
            let fault = answer.may_be_of_another(weather, rng);
            (WayBack::Arrives(soon, answer), fault)
        }
    }
}
