//! 送达件: what carries a result (or papers between two centres) to whoever gets it: by post or at a window. Its life is a
//! fold over append-only events.
//!
//! | module | what it holds |
//! |---|---|
//! | this one | states and which may follow which, the events, the parcel |
//! | [`number`] | its number |
//!
//! A carrier tells late, twice, out of order and of parcels that were made again: [`Parcel::hear`] says what of it is news.
//! Refuses to know addresses, names and what is written on a parcel: those lie sealed beside the events.
pub mod number;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use number::ParcelNo;

use crate::certificate::CertificateNo;

/// Events of one parcel behind which a carrier is not heard any more; behind half of them not of earlier rounds.
pub const MAX_EVENTS: u64 = 200;
/// Events of one parcel that there can be: what people do and what is revoked is bounded by itself (99 certificates of a
/// case, [`MAX_ROUNDS`]), and no carrier holds it up.
pub const MOST_EVENTS: u64 = 3 * MAX_EVENTS;
/// How often a parcel is made again, at most.
pub const MAX_ROUNDS: u16 = 9;

/// Where a parcel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParcelState {
    /// 待封装: it is to be sent by post, and nothing is packed yet.
    ToPack,
    /// 已封装: packed, listed and sealed.
    Packed,
    /// 已交寄: the carrier has the order.
    Handed,
    /// 运输中
    OnTheWay,
    /// 已签收
    Delivered,
    /// 拒收: whoever it is for did not take it.
    Refused,
    /// 丢失
    Lost,
    /// 已退回: it is back where it was sent from.
    Returned,
    /// 待领取: it waits at a window.
    AtWindow,
    /// 已领取: handed over at a window.
    PickedUp,
    /// 已撤下: nothing is handed over any more.
    Withdrawn,
}

impl ParcelState {
    /// All, in the order of lists.
    pub const ALL: [ParcelState; 11] = [
        Self::ToPack,
        Self::Packed,
        Self::Handed,
        Self::OnTheWay,
        Self::Refused,
        Self::Lost,
        Self::Returned,
        Self::AtWindow,
        Self::Delivered,
        Self::PickedUp,
        Self::Withdrawn,
    ];

    /// The name used in JSON, in tables and in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToPack => "to_pack",
            Self::Packed => "packed",
            Self::Handed => "handed",
            Self::OnTheWay => "on_the_way",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Lost => "lost",
            Self::Returned => "returned",
            Self::AtWindow => "at_window",
            Self::PickedUp => "picked_up",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether another state may follow this one.
    pub fn allows(self, next: Self) -> bool {
        use ParcelState::*;
        match self {
            ToPack => matches!(next, Packed | AtWindow | Withdrawn),
            Packed => matches!(next, ToPack | Handed | AtWindow | Withdrawn),
            Handed => matches!(next, OnTheWay | Delivered | Refused | Lost | Returned),
            OnTheWay => matches!(next, Delivered | Refused | Lost | Returned),
            // Whoever did not want it may want it after all, and what was lost is found.
            Refused => matches!(next, Delivered | Lost | Returned | Withdrawn),
            Lost => matches!(next, Delivered | Returned | ToPack | AtWindow | Withdrawn),
            Returned => matches!(next, ToPack | AtWindow | Withdrawn),
            AtWindow => matches!(next, PickedUp | Withdrawn),
            Delivered | PickedUp | Withdrawn => false,
        }
    }

    /// Whether the carrier has it, as far as anybody knows.
    pub fn is_with_carrier(self) -> bool {
        matches!(self, Self::Handed | Self::OnTheWay | Self::Refused | Self::Lost)
    }

    /// Whether it reached whoever it is for.
    pub fn is_received(self) -> bool {
        matches!(self, Self::Delivered | Self::PickedUp)
    }
}

/// How it is to get to whoever it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// 邮寄
    Post,
    /// 领取
    PickUp,
}

/// What a carrier tells of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// It was taken up, or is at some place on its way.
    OnTheWay,
    /// Somebody took it.
    Delivered,
    /// It was not taken.
    Refused,
    /// Nobody knows where it is.
    Lost,
    /// It is back.
    Returned,
}

impl News {
    /// All, in the order of forms.
    pub const ALL: [News; 5] = [Self::OnTheWay, Self::Delivered, Self::Refused, Self::Lost, Self::Returned];

    /// The state that it leads to.
    pub fn state(self) -> ParcelState {
        match self {
            Self::OnTheWay => ParcelState::OnTheWay,
            Self::Delivered => ParcelState::Delivered,
            Self::Refused => ParcelState::Refused,
            Self::Lost => ParcelState::Lost,
            Self::Returned => ParcelState::Returned,
        }
    }

    /// The name used in JSON, in forms and in texts.
    pub fn as_str(self) -> &'static str {
        self.state().as_str()
    }

    /// The news with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|news| news.as_str() == name)
    }
}

/// What happens to a parcel. Fields are only added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Event {
    /// It is to be handed over.
    Made { way: Way },
    /// 封装: packed, listed, sealed with this number (封条号). The certificates that are in it name nobody.
    Packed {
        seal: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        certificates: Vec<CertificateNo>,
    },
    /// 拆封: what is to be in it changed.
    Opened,
    /// 变更: what is to be in it changed, and it stands where it stood. A page of before is old.
    Changed,
    /// 交寄: a carrier has the order of this round.
    Handed { carrier: String },
    /// What a carrier told of a round, at its own moment (milliseconds since 1970).
    Told { round: u16, news: News, at_ms: i64 },
    /// 改为领取: it waits at a window; a new round, if it is lost or came back.
    ToWindow,
    /// 重新制作: what is lost or came back is packed anew.
    MadeAgain,
    /// 领取: it was handed over at a window, with these certificates.
    PickedUp {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        certificates: Vec<CertificateNo>,
    },
    /// 追回: what is in it is no longer good.
    Recalled,
    /// 处理完毕: somebody saw to it that what was called back does no harm, or that nobody can get it any more.
    Settled,
}

impl Event {
    /// The name used in tables and texts.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Made { .. } => "made",
            Self::Packed { .. } => "packed",
            Self::Opened => "opened",
            Self::Changed => "changed",
            Self::Handed { .. } => "handed",
            Self::Told { .. } => "told",
            Self::ToWindow => "to_window",
            Self::MadeAgain => "made_again",
            Self::PickedUp { .. } => "picked_up",
            Self::Recalled => "recalled",
            Self::Settled => "settled",
        }
    }
}

/// An event with its place in the life of the parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// Version of the parcel after it: 1 for the first, without gaps.
    pub version: u64,
    /// When the centre committed it, milliseconds since 1970.
    pub at_ms: i64,
    /// What happened.
    pub event: Event,
}

/// Events that make no parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParcelError {
    /// The event may not follow where the parcel stands.
    #[error("{event} does not fit a parcel that is {state}")]
    Misfit {
        /// The event.
        event: &'static str,
        /// The state.
        state: &'static str,
    },
    /// A version is left out or stands twice, or the first event makes no parcel.
    #[error("event {0} is not the next one")]
    Order(u64),
}

/// What becomes of what a carrier told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is news: the parcel goes on.
    News,
    /// It is of a parcel that was made again since: noted, and nothing moves.
    OfBefore,
    /// It says nothing new, comes too late, or is one of too many.
    Late,
}

/// A parcel as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Where it stands.
    pub state: ParcelState,
    /// How many events made it.
    pub version: u64,
    /// How often it was made, from 1.
    pub round: u16,
    /// Paper of it is no longer good, and is not back.
    pub recalled: bool,
    /// The carrier of this round; empty before it has one.
    pub carrier: String,
    /// The number of the seal of this round; empty before it is packed.
    pub seal: String,
    /// When it was made, milliseconds since 1970.
    pub made_at_ms: i64,
    /// When it last changed, milliseconds since 1970.
    pub changed_at_ms: i64,
}

impl Parcel {
    /// A parcel of its first event.
    ///
    /// # Errors
    /// [`ParcelError::Order`] if the event makes none.
    pub fn begin(first: &Happened) -> Result<Self, ParcelError> {
        let state = match first.event {
            Event::Made { way: Way::Post } if first.version == 1 => ParcelState::ToPack,
            Event::Made { way: Way::PickUp } if first.version == 1 => ParcelState::AtWindow,
            _ => return Err(ParcelError::Order(first.version)),
        };
        Ok(Self {
            state,
            version: 1,
            round: 1,
            recalled: false,
            carrier: String::new(),
            seal: String::new(),
            made_at_ms: first.at_ms,
            changed_at_ms: first.at_ms,
        })
    }

    /// A parcel of all its events.
    ///
    /// # Errors
    /// [`ParcelError`] if they make none.
    pub fn of(events: &[Happened]) -> Result<Self, ParcelError> {
        let (first, rest) = events.split_first().ok_or(ParcelError::Order(0))?;
        let mut parcel = Self::begin(first)?;
        rest.iter().try_for_each(|event| parcel.apply(event))?;
        Ok(parcel)
    }

    /// Goes on by an event; one that does not fit changes nothing.
    ///
    /// # Errors
    /// [`ParcelError`].
    pub fn apply(&mut self, happened: &Happened) -> Result<(), ParcelError> {
        if happened.version != self.version + 1 {
            return Err(ParcelError::Order(happened.version));
        }
        let event = &happened.event;
        let misfit = ParcelError::Misfit { event: event.name(), state: self.state.as_str() };
        let next = self.next(event).ok_or(misfit)?;
        match event {
            Event::Packed { seal, .. } => self.seal.clone_from(seal),
            Event::Handed { carrier } => self.carrier.clone_from(carrier),
            Event::Opened => self.seal.clear(),
            Event::MadeAgain | Event::ToWindow => {
                let back = self.state == ParcelState::Returned;
                self.round += u16::from(back || self.state == ParcelState::Lost);
                // What is lost may turn up yet.
                self.recalled = self.recalled && !back;
                (self.carrier, self.seal) = Default::default();
            }
            Event::Recalled => self.recalled = next != ParcelState::Withdrawn,
            Event::Settled => self.recalled = false,
            Event::Made { .. } | Event::Told { .. } | Event::Changed | Event::PickedUp { .. } => {}
        }
        self.state = next;
        self.version = happened.version;
        self.changed_at_ms = happened.at_ms;
        Ok(())
    }

    /// Where an event leads; none if it may not follow.
    fn next(&self, event: &Event) -> Option<ParcelState> {
        use ParcelState::*;
        let next = match event {
            Event::Made { .. } => return None,
            Event::Packed { seal, .. } if self.state == ToPack && !seal.is_empty() => Packed,
            Event::Opened if self.state == Packed => ToPack,
            Event::Changed if matches!(self.state, ToPack | AtWindow | Returned) => return Some(self.state),
            Event::Handed { .. } if self.state == Packed => Handed,
            Event::Told { round, news, .. } => {
                return match self.hear(*round, *news) {
                    Heard::News => Some(news.state()),
                    Heard::OfBefore => Some(self.state),
                    Heard::Late => None,
                };
            }
            Event::ToWindow if matches!(self.state, ToPack | Packed | Returned | Lost) => AtWindow,
            Event::MadeAgain if matches!(self.state, Returned | Lost) && self.round < MAX_ROUNDS => ToPack,
            Event::PickedUp { .. } if self.state == AtWindow => PickedUp,
            Event::Recalled => return self.recalled_to(),
            Event::Settled => return self.settled_to(),
            _ => return None,
        };
        self.state.allows(next).then_some(next)
    }

    /// What is still here is not handed out; what is with a carrier is called back; what was taken is beyond reach.
    fn recalled_to(&self) -> Option<ParcelState> {
        use ParcelState::*;
        match self.state {
            ToPack | Packed | AtWindow | Returned => Some(Withdrawn),
            Handed | OnTheWay | Refused | Lost if !self.recalled => Some(self.state),
            _ => None,
        }
    }

    /// Whoever has it keeps it, and what is made anew goes on; what nobody can get any more is withdrawn.
    fn settled_to(&self) -> Option<ParcelState> {
        use ParcelState::*;
        match self.state {
            ToPack | Packed | AtWindow | Delivered | PickedUp if self.recalled => Some(self.state),
            ToPack | Packed | AtWindow => Some(Withdrawn),
            Refused | Lost | Returned if self.recalled => Some(Withdrawn),
            _ => None,
        }
    }

    /// What becomes of what a carrier tells of a round.
    pub fn hear(&self, round: u16, news: News) -> Heard {
        let handed = !self.carrier.is_empty();
        match round.cmp(&self.round) {
            _ if round == 0 || self.version >= MAX_EVENTS => Heard::Late,
            // Old news leaves room for what is new.
            std::cmp::Ordering::Less if self.version < MAX_EVENTS / 2 => Heard::OfBefore,
            std::cmp::Ordering::Equal if handed && self.state.allows(news.state()) => Heard::News,
            _ => Heard::Late,
        }
    }

    /// Whether somebody has to see to it: it did not arrive, or something in it is no longer good.
    pub fn needs_somebody(&self) -> bool {
        matches!(self.state, ParcelState::Refused | ParcelState::Lost | ParcelState::Returned)
            || self.recalled
    }
}
