//! A simulated gateway of short messages: real SMPP on a real socket, no telephone behind it.
//!
//! It says what it is told to say, keeps what it was given, and sends receipts when somebody asks for them. Refuses
//! nothing by itself.
use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::BytesMut;
use rusmpp_core::CommandStatus;
use rusmpp_core::command::owned::Command;
use rusmpp_core::pdus::owned::{BindTransceiverResp, DeliverSm, Pdu, SubmitSm, SubmitSmResp};
use rusmpp_core::tokio_codec::CommandCodec;
use rusmpp_core::types::owned::OctetString;
use tokio_util::codec::{Decoder as _, Encoder as _};

/// The name that it lets in.
pub const NAME: &str = "jinban";
/// Its password.
pub const PASSWORD: &str = "s3cret";
/// Everything here ends far sooner.
const SOON: Duration = Duration::from_secs(30);
/// How long a connection listens before it looks for receipts to send.
const GLANCE: Duration = Duration::from_millis(20);

/// What it does with the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Takes it.
    Take,
    /// Has no room now.
    Throttle,
    /// Refuses the number for ever.
    Refuse,
    /// Takes it and hangs up before it says so.
    HangUp,
    /// Answers with bytes that are not SMPP.
    Nonsense,
}

/// A message that it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its own name for it.
    pub id: String,
    /// To whom.
    pub to: String,
    /// What it says.
    pub text: String,
}

#[derive(Default)]
struct State {
    given: Vec<Given>,
    moods: VecDeque<Mood>,
    receipts: VecDeque<String>,
    binds: usize,
    ends: bool,
}

/// A gateway; dropping it hangs up.
pub struct Smsc {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

impl Smsc {
    /// Listens on a free port.
    ///
    /// # Errors
    /// The operating system's.
    pub fn start() -> Result<Self> {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Listens at an address, as one that comes back.
    ///
    /// # Errors
    /// The operating system's.
    pub fn at(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if lock(&shared).ends {
                    return;
                }
                // Whoever breaks off comes back.
                let _ = talk(stream, &shared);
            }
        });
        Ok(Self { address, state, thread: Some(thread) })
    }

    /// What it does with the next messages; afterwards it takes them.
    pub fn will(&self, moods: &[Mood]) {
        lock(&self.state).moods.extend(moods);
    }

    /// What it was given so far.
    pub fn given(&self) -> Vec<Given> {
        lock(&self.state).given.clone()
    }

    /// How often somebody bound.
    pub fn binds(&self) -> usize {
        lock(&self.state).binds
    }

    /// Sends a receipt with this text.
    pub fn says(&self, text: &str) {
        lock(&self.state).receipts.push_back(text.to_owned());
    }

    /// Waits until it was given so many messages.
    ///
    /// # Errors
    /// If they do not come.
    pub fn wait_for(&self, count: usize) -> Result<Vec<Given>> {
        let end = std::time::Instant::now() + SOON;
        loop {
            let given = self.given();
            if given.len() >= count {
                return Ok(given);
            }
            ensure!(std::time::Instant::now() < end, "{} of {count} messages came", given.len());
            std::thread::yield_now();
        }
    }
}

impl Drop for Smsc {
    fn drop(&mut self) {
        lock(&self.state).ends = true;
        // Wakes whoever waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn talk(mut stream: TcpStream, state: &Mutex<State>) -> Result<()> {
    stream.set_read_timeout(Some(GLANCE))?;
    let (mut codec, mut read, mut chunk) = (CommandCodec::new(), BytesMut::new(), [0_u8; 4_096]);
    let (mut bound, mut sequence) = (false, 1_000_000);
    loop {
        while let Some(command) = codec.decode(&mut read)? {
            answer(&mut stream, &mut codec, (&command, &mut bound), state)?;
        }
        let receipt = if bound { lock(state).receipts.pop_front() } else { None };
        if let Some(text) = receipt {
            sequence += 1;
            let message = OctetString::from_vec(text.into_bytes())?;
            let deliver = DeliverSm::builder().short_message(message).build();
            say(&mut stream, &mut codec, &Command::new(CommandStatus::EsmeRok, sequence, deliver))?;
        }
        if lock(state).ends {
            return Ok(());
        }
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(n) => read.extend_from_slice(chunk.get(..n).context("a chunk")?),
            Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

fn answer(
    stream: &mut TcpStream,
    codec: &mut CommandCodec,
    (command, bound): (&Command, &mut bool),
    state: &Mutex<State>,
) -> Result<()> {
    let sequence = command.sequence_number();
    match command.pdu() {
        Some(Pdu::BindTransceiver(bind)) => {
            *bound = bind.system_id.as_str() == NAME && bind.password.as_str() == PASSWORD;
            lock(state).binds += usize::from(*bound);
            let status = if *bound { CommandStatus::EsmeRok } else { CommandStatus::EsmeRinvpaswd };
            say(stream, codec, &Command::new(status, sequence, BindTransceiverResp::default()))
        }
        Some(Pdu::SubmitSm(submit)) if *bound => {
            let mood = lock(state).moods.pop_front().unwrap_or(Mood::Take);
            let refused = |status| Command::new(status, sequence, SubmitSmResp::default());
            match mood {
                Mood::Throttle => say(stream, codec, &refused(CommandStatus::EsmeRthrottled)),
                Mood::Refuse => say(stream, codec, &refused(CommandStatus::EsmeRinvdstadr)),
                Mood::Nonsense => Ok(stream.write_all(&[0xFF; 64])?),
                Mood::HangUp | Mood::Take => {
                    let id = keep(submit, state)?;
                    ensure!(mood == Mood::Take, "hung up");
                    let taken = SubmitSmResp::builder().message_id(id.parse()?).build();
                    say(stream, codec, &Command::new(CommandStatus::EsmeRok, sequence, taken))
                }
            }
        }
        Some(Pdu::EnquireLink) => {
            say(stream, codec, &Command::new(CommandStatus::EsmeRok, sequence, Pdu::EnquireLinkResp))
        }
        _ => Ok(()),
    }
}

/// Keeps a message; gives its name.
fn keep(submit: &SubmitSm, state: &Mutex<State>) -> Result<String> {
    let units: Vec<u16> =
        submit.short_message().as_ref().chunks(2).map(|c| u16::from_be_bytes([c[0], c[1]])).collect();
    let mut state = lock(state);
    let id = format!("M{}", state.given.len() + 1);
    let to = submit.destination_addr.as_str().to_owned();
    state.given.push(Given { id: id.clone(), to, text: String::from_utf16(&units)? });
    Ok(id)
}

fn say(stream: &mut TcpStream, codec: &mut CommandCodec, command: &Command) -> Result<()> {
    let mut bytes = BytesMut::new();
    codec.encode(command, &mut bytes).map_err(|e| anyhow::anyhow!("{e}"))?;
    Ok(stream.write_all(&bytes)?)
}
