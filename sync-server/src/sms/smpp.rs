//! SMPP 3.4, what gateways of short messages speak: one connection as transceiver, one message in hand at a time.
//!
//! Plain TCP, so that the gateway is reached on this machine or through a tunnel that ends here. Everything waits for a
//! bounded time; whatever a gateway says that is not SMPP ends the connection, and the next message makes a new one.
use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rusmpp_core::CommandStatus;
use rusmpp_core::command::owned::Command;
use rusmpp_core::pdus::owned::{BindTransceiver, DeliverSm, DeliverSmResp, Pdu, SubmitSm};
use rusmpp_core::tlvs::owned::TlvValue;
use rusmpp_core::tokio_codec::CommandCodec;
use rusmpp_core::types::owned::{COctetString, OctetString};
use rusmpp_core::values::{
    DataCoding, InterfaceVersion, MCDeliveryReceipt, MessageState, Npi, RegisteredDelivery, Ton,
};
use tokio_util::codec::{Decoder as _, Encoder as _};

use super::{Fate, Gateway, Report, SendError, receipt};
use crate::services::contact::Mobile;

/// A gateway has so long to take a connection, and to answer.
const ANSWER: Duration = Duration::from_secs(4);
/// Without a word the connection is looked at after this.
const QUIET: Duration = Duration::from_secs(30);
/// Longest thing that a gateway may say, in bytes: the longest payload of SMPP with room around it.
const MAX_PDU: usize = 66 * 1_024;
/// Length, command, status and sequence stand before everything that is said.
const HEADER: usize = 16;
/// The bit of a command that is an answer.
const ANSWERS: u32 = 0x8000_0000;
/// What a gateway delivers: a receipt, or a message of somebody.
const DELIVER_SM: u32 = 0x0000_0005;
/// Bytes read in one go.
const CHUNK: usize = 4_096;
/// Reports that are kept until somebody asks for them; older ones make room.
const MAX_REPORTS: usize = 10_000;
/// The highest sequence number of SMPP.
const LAST_SEQUENCE: u32 = 0x7FFF_FFFF;
/// Characters of one short message in UCS-2.
pub const MAX_CHARS: usize = 70;

/// Where a gateway is, and who this is to it.
#[derive(Clone)]
pub struct Account {
    address: SocketAddr,
    name: COctetString<1, 16>,
    password: COctetString<1, 9>,
    sender: COctetString<1, 21>,
}

impl Account {
    /// An account with the name (`system_id`, at most 15 characters) and the password (at most 8) that the gateway gave,
    /// and the number that people see; an empty one is the gateway's own.
    ///
    /// # Errors
    /// Which of them SMPP cannot carry.
    pub fn new(
        address: SocketAddr,
        (name, password): (&str, &str),
        sender: &str,
    ) -> Result<Self, &'static str> {
        Ok(Self {
            address,
            name: name.parse().map_err(|_| "expected a name of at most 15 ASCII characters")?,
            password: password.parse().map_err(|_| "expected a password of at most 8 ASCII characters")?,
            sender: sender.parse().map_err(|_| "expected a sender of at most 20 digits")?,
        })
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({})", self.address)
    }
}

/// A gateway that speaks SMPP.
pub struct Smpp {
    account: Account,
    line: Option<Line>,
    reports: VecDeque<Report>,
}

/// Something that the gateway said.
enum Said {
    Command(Box<Command>),
    /// Whole, and not to be understood: its command and its sequence.
    Unreadable(u32, u32),
}

/// An open connection.
struct Line {
    stream: TcpStream,
    read: BytesMut,
    sequence: u32,
    spoken: Instant,
}

impl Smpp {
    /// Connects with the first message.
    pub fn new(account: Account) -> Self {
        Self { account, line: None, reports: VecDeque::new() }
    }

    /// The connection, which is made and bound if there is none.
    fn line(&mut self) -> Result<&mut Line, SendError> {
        if self.line.is_none() {
            let mut line = Line::open(self.account.address)?;
            let bind = BindTransceiver::builder()
                .system_id(self.account.name.clone())
                .password(self.account.password.clone())
                .interface_version(InterfaceVersion::Smpp3_4)
                .build();
            let answer = line.ask(bind, &mut self.reports)?;
            if answer.status() != CommandStatus::EsmeRok {
                return Err(SendError::Down(format!("bind: {:?}", answer.status())));
            }
            self.line = Some(line);
        }
        self.line.as_mut().ok_or_else(|| SendError::Down("no connection".to_owned()))
    }

    /// Does something with the connection; one that broke is left.
    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Line, &mut VecDeque<Report>) -> Result<T, SendError>,
    ) -> Result<T, SendError> {
        self.line()?;
        let Some(mut line) = self.line.take() else {
            return Err(SendError::Down("no connection".to_owned()));
        };
        let done = act(&mut line, &mut self.reports);
        if !matches!(done, Err(SendError::Down(_) | SendError::Unknown(_))) {
            self.line = Some(line);
        }
        done
    }
}

impl Gateway for Smpp {
    fn send(&mut self, to: &Mobile, text: &str) -> Result<String, SendError> {
        let ucs2: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let message =
            OctetString::from_vec(ucs2).map_err(|_| SendError::Refused("the text is too long".to_owned()))?;
        let number =
            to.digits().parse().map_err(|_| SendError::Refused("the number is too long".to_owned()))?;
        let receipt = RegisteredDelivery::new(
            MCDeliveryReceipt::McDeliveryReceiptRequestedWhereFinalDeliveryOutcomeIsSuccessOrFailure,
            Default::default(),
            Default::default(),
            0,
        );
        let submit = SubmitSm::builder()
            .source_addr(self.account.sender.clone())
            .dest_addr_ton(Ton::National)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(number)
            .registered_delivery(receipt)
            .data_coding(DataCoding::Ucs2)
            .short_message(message)
            .build();
        self.with(|line, reports| {
            // Once a byte of it went out, the gateway may have it.
            let answer = line.ask(submit, reports).map_err(|e| match e {
                SendError::Down(why) => SendError::Unknown(why),
                other => other,
            })?;
            match (answer.status(), answer.pdu()) {
                (CommandStatus::EsmeRok, Some(Pdu::SubmitSmResp(taken))) => {
                    Ok(taken.message_id().as_str().to_owned())
                }
                (CommandStatus::EsmeRok, _) => {
                    Err(SendError::Unknown("not an answer to a message".to_owned()))
                }
                (status, _) => Err(refused(status)),
            }
        })
    }

    fn reports(&mut self, wait: Duration) -> Result<Vec<Report>, SendError> {
        self.with(|line, reports| {
            if line.spoken.elapsed() >= QUIET {
                let answer = line.ask(Pdu::EnquireLink, reports)?;
                if answer.status() != CommandStatus::EsmeRok {
                    return Err(SendError::Down(format!("enquire_link: {:?}", answer.status())));
                }
            }
            let end = Instant::now() + wait;
            while let Some(said) = line.next(end)? {
                line.take(&said, reports)?;
            }
            Ok(())
        })?;
        Ok(self.reports.drain(..).collect())
    }
}

/// Whether a status is for ever; what is not known may pass.
fn refused(status: CommandStatus) -> SendError {
    use CommandStatus::{
        EsmeRinvdcs, EsmeRinvdstadr, EsmeRinvdstnpi, EsmeRinvdstton, EsmeRinvmsglen, EsmeRinvsrcadr,
    };
    let word = format!("{status:?}");
    match status {
        EsmeRinvdstadr | EsmeRinvdstton | EsmeRinvdstnpi | EsmeRinvmsglen | EsmeRinvsrcadr | EsmeRinvdcs => {
            SendError::Refused(word)
        }
        _ => SendError::Busy(word),
    }
}

fn down(what: &str) -> impl Fn(std::io::Error) -> SendError + '_ {
    move |e| SendError::Down(format!("{what}: {e}"))
}

impl Line {
    fn open(address: SocketAddr) -> Result<Self, SendError> {
        let stream = TcpStream::connect_timeout(&address, ANSWER).map_err(down("connecting"))?;
        stream.set_nodelay(true).map_err(down("connecting"))?;
        stream.set_write_timeout(Some(ANSWER)).map_err(down("connecting"))?;
        Ok(Self { stream, read: BytesMut::new(), sequence: 0, spoken: Instant::now() })
    }

    /// Says something and waits for its answer; what comes meanwhile is taken.
    fn ask(&mut self, pdu: impl Into<Pdu>, reports: &mut VecDeque<Report>) -> Result<Command, SendError> {
        self.sequence = if self.sequence >= LAST_SEQUENCE { 1 } else { self.sequence + 1 };
        let sequence = self.sequence;
        self.say(&Command::new(CommandStatus::EsmeRok, sequence, pdu))?;
        let end = Instant::now() + ANSWER;
        while let Some(said) = self.next(end)? {
            match said {
                Said::Command(command) if command.sequence_number() == sequence && is_answer(&command) => {
                    return Ok(*command);
                }
                Said::Unreadable(id, of) if of == sequence && id & ANSWERS != 0 => {
                    return Err(SendError::Down("an answer that nobody understands".to_owned()));
                }
                said => self.take(&said, reports)?,
            }
        }
        Err(SendError::Down("no answer".to_owned()))
    }

    fn say(&mut self, command: &Command) -> Result<(), SendError> {
        let mut bytes = BytesMut::new();
        CommandCodec::new().encode(command, &mut bytes).map_err(|e| SendError::Down(e.to_string()))?;
        self.stream.write_all(&bytes).map_err(down("sending"))?;
        self.spoken = Instant::now();
        Ok(())
    }

    /// What the gateway says next; nothing if it says nothing until then, or this is over.
    fn next(&mut self, end: Instant) -> Result<Option<Said>, SendError> {
        let mut chunk = [0_u8; CHUNK];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            if let Some(frame) = self.frame()? {
                return Ok(Some(said(frame)));
            }
            self.stream.set_read_timeout(Some(left)).map_err(down("receiving"))?;
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(SendError::Down("the gateway hung up".to_owned())),
                Ok(n) => self.read.extend_from_slice(chunk.get(..n).unwrap_or_default()),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(down("receiving")(e)),
            }
        }
    }

    /// The bytes of the next thing that was said, if they are all there. Each is cut by its own length, so that one that
    /// cannot be understood spoils no other.
    fn frame(&mut self) -> Result<Option<BytesMut>, SendError> {
        let Some(length) = number(&self.read, 0).and_then(|n| usize::try_from(n).ok()) else {
            return Ok(None);
        };
        if !(HEADER..=MAX_PDU).contains(&length) {
            return Err(SendError::Down("not SMPP".to_owned()));
        }
        Ok((self.read.len() >= length).then(|| self.read.split_to(length)))
    }

    /// Takes what the gateway says by itself, and answers it; also what nobody understands, or it would come for ever.
    fn take(&mut self, said: &Said, reports: &mut VecDeque<Report>) -> Result<(), SendError> {
        let command = match said {
            Said::Command(command) => command,
            Said::Unreadable(DELIVER_SM, sequence) => {
                return self.say(&Command::new(CommandStatus::EsmeRok, *sequence, DeliverSmResp::default()));
            }
            Said::Unreadable(id, sequence) if id & ANSWERS == 0 => {
                return self.say(&Command::new(CommandStatus::EsmeRinvcmdid, *sequence, Pdu::GenericNack));
            }
            Said::Unreadable(..) => return Ok(()),
        };
        let sequence = command.sequence_number();
        match command.pdu() {
            Some(Pdu::DeliverSm(delivered)) => {
                if let Some(report) = report(delivered) {
                    if reports.len() >= MAX_REPORTS {
                        reports.pop_front();
                    }
                    reports.push_back(report);
                }
                self.say(&Command::new(CommandStatus::EsmeRok, sequence, DeliverSmResp::default()))
            }
            Some(Pdu::EnquireLink) => {
                self.say(&Command::new(CommandStatus::EsmeRok, sequence, Pdu::EnquireLinkResp))
            }
            Some(Pdu::Unbind) => {
                self.say(&Command::new(CommandStatus::EsmeRok, sequence, Pdu::UnbindResp))?;
                Err(SendError::Down("the gateway ended the session".to_owned()))
            }
            // An answer that came too late, or something that nobody asked for.
            _ => Ok(()),
        }
    }
}

fn is_answer(command: &Command) -> bool {
    u32::from(command.id()) & ANSWERS != 0
}

/// A number of the header, big-endian.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// What a whole frame says.
fn said(mut frame: BytesMut) -> Said {
    let (id, sequence) = (number(&frame, 4).unwrap_or(0), number(&frame, 12).unwrap_or(0));
    match CommandCodec::new().with_max_length(MAX_PDU).decode(&mut frame) {
        Ok(Some(command)) => Said::Command(Box::new(command)),
        _ => Said::Unreadable(id, sequence),
    }
}

/// The receipt in a message of the gateway; a message of a citizen is none.
fn report(delivered: &DeliverSm) -> Option<Report> {
    let (mut id, mut state) = (None, None);
    for tlv in delivered.tlvs() {
        match tlv.value() {
            Some(TlvValue::ReceiptedMessageId(name)) => id = Some(name.as_str().to_owned()),
            Some(TlvValue::MessageState(told)) => state = Some(*told),
            _ => {}
        }
    }
    match (id, state) {
        (Some(id), Some(state)) if receipt::is_name(&id) => Some(Report { id, fate: fate(state) }),
        _ => receipt::of_text(delivered.short_message().as_ref()),
    }
}

fn fate(state: MessageState) -> Fate {
    match state {
        MessageState::Delivered => Fate::Delivered,
        MessageState::Expired
        | MessageState::Deleted
        | MessageState::Undeliverable
        | MessageState::Rejected
        | MessageState::Skipped => Fate::Undelivered(format!("{state:?}")),
        _ => Fate::OnItsWay,
    }
}
