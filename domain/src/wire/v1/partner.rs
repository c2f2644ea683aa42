//! What two centres tell each other about a handoff (异地代收转办): versioned, small, signed, and in one order.
//!
//! A message travels as a [`SignedDocument`]: the exact bytes of a [`PartnerMessage`], written the one way that
//! [`PartnerMessage::to_bytes`] writes it, signed by the centre that sends. What is personal lies sealed to the other
//! centre's key. A decision has no variant with a reason: the accepting side is told that there is one, and no more.
use serde::{Deserialize, Serialize};

use super::{Person, Submission};
use crate::envelope::{
    Bytes, DataKey, Digest, Nonce, OpenError, SealingKey, SealingPublicKey, SignedDocument, Suite, WrappedKey,
};
use crate::handoff::{Adcode, Mode, ResultWay, Side, Step};
use crate::ids::{CaseNo, EnvelopeId, ItemCode, KeyId};
use crate::item::Item;
use crate::text::Text;

/// The version of messages that this program writes and reads.
pub const PARTNER_VERSION: u32 = 1;
/// Bytes of a message, at most.
pub const MAX_PARTNER_MESSAGE_BYTES: usize = 240 * 1024;
/// Bytes of a form with its item, at most.
pub const MAX_PARTNER_FORM_BYTES: usize = 256 * 1024;
/// Items in the list of a region, at most.
pub const MAX_PARTNER_ITEMS: usize = 500;
/// What one side writes to the other, in characters, at most.
pub const MAX_PARTNER_WORDS: usize = 500;
/// Messages of one side about one handoff, at most.
pub const MAX_PARTNER_SEQ: u32 = 200;

/// One message of one centre to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerMessage {
    /// [`PARTNER_VERSION`].
    pub v: u32,
    /// Its own id: whoever sends it again sends the same.
    pub id: EnvelopeId,
    /// The handoff that it is about.
    pub handoff: EnvelopeId,
    /// Which region says it.
    pub from: Adcode,
    /// To which region.
    pub to: Adcode,
    /// Its place among what this side says about this handoff, from 1 and without gaps.
    pub seq: u32,
    /// The newest message of the other side that it had when it said this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<EnvelopeId>,
    /// When it was said by its own clock, milliseconds since 1970.
    pub made_at_ms: i64,
    /// What it says.
    pub said: PartnerSaid,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PartnerSaid {
    /// 已传: an application, or the same once more after a return.
    HandedOver {
        /// How it is done.
        mode: Mode,
        /// Which item of the home region.
        item: ItemCode,
        /// The catalogue version of the home region whose form was filled in.
        form_version: u64,
        /// The how manieth time, from 1.
        round: u16,
        /// A [`PartnerContent`] of the kind `submission`.
        sealed: PartnerSealed,
    },
    /// 属地签收
    SignedFor,
    /// 受理
    Accepted {
        /// The number of the home region's case.
        number: CaseNo,
    },
    /// 退回补正, with what is missing.
    Returned {
        /// A [`PartnerContent`] of the kind `words`.
        sealed: PartnerSealed,
    },
    /// 不属本地, with who may be asked.
    NotOurs {
        /// A [`PartnerContent`] of the kind `words`.
        sealed: PartnerSealed,
    },
    /// 决定: there is a decision.
    Decided,
    /// 结果寄送
    ResultSent {
        /// How it comes.
        way: ResultWay,
    },
    /// 签收: the person has it.
    ResultReceived,
}

impl PartnerSaid {
    /// The step that both sides write down.
    pub fn step(&self) -> Step {
        match self {
            Self::HandedOver { round, form_version, .. } => {
                Step::Sent { round: *round, form_version: *form_version }
            }
            Self::SignedFor => Step::SignedFor,
            Self::Accepted { number } => Step::Accepted { number: number.clone() },
            Self::Returned { .. } => Step::Returned,
            Self::NotOurs { .. } => Step::NotOurs,
            Self::Decided => Step::Decided,
            Self::ResultSent { way } => Step::ResultSent { way: *way },
            Self::ResultReceived => Step::ResultReceived,
        }
    }

    /// Which side says it.
    pub fn side(&self) -> Side {
        if self.step().is_of(Side::Accepting) { Side::Accepting } else { Side::Home }
    }

    /// What of it is sealed.
    pub fn sealed(&self) -> Option<&PartnerSealed> {
        match self {
            Self::HandedOver { sealed, .. } | Self::Returned { sealed } | Self::NotOurs { sealed } => {
                Some(sealed)
            }
            _ => None,
        }
    }
}

impl PartnerMessage {
    /// The one way in which it is written.
    ///
    /// # Errors
    /// If it cannot be written as JSON, which is never the case.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Reads a message of this version that is written the one way.
    ///
    /// # Errors
    /// [`PartnerMistake`]
    pub fn read(bytes: &[u8]) -> Result<Self, PartnerMistake> {
        if bytes.len() > MAX_PARTNER_MESSAGE_BYTES {
            return Err(PartnerMistake::TooLarge);
        }
        #[derive(Deserialize)]
        struct Versioned {
            v: u32,
        }
        let Versioned { v } = serde_json::from_slice(bytes).map_err(|_| PartnerMistake::Malformed)?;
        if v != PARTNER_VERSION {
            return Err(PartnerMistake::Version(v));
        }
        let message: Self = serde_json::from_slice(bytes).map_err(|_| PartnerMistake::Malformed)?;
        let sound = (1..=MAX_PARTNER_SEQ).contains(&message.seq) && message.from != message.to;
        let same = message.to_bytes().is_ok_and(|written| written == bytes);
        if sound && same { Ok(message) } else { Err(PartnerMistake::Malformed) }
    }
}

/// Why bytes are no message that this program takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartnerMistake {
    /// More bytes than a message has.
    #[error("larger than a message may be")]
    TooLarge,
    /// Of another version; it is kept by whoever sent it, until this program knows it.
    #[error("version {0}, and this program reads {PARTNER_VERSION}")]
    Version(u32),
    /// No message, or one that is written otherwise.
    #[error("not a message as it is written")]
    Malformed,
}

/// Something personal, for the other centre only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerSealed {
    /// The key of the other centre.
    pub key_id: KeyId,
    /// The data key, wrapped to it.
    pub wrapped_key: WrappedKey,
    /// Nonce of the data.
    pub nonce: Nonce,
    /// A [`PartnerContent`], encrypted.
    pub ciphertext: Bytes,
}

/// What lies inside. Never printed: it is a person's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PartnerContent {
    /// Who applies, and with which answers.
    Submission {
        /// As at a window.
        submission: Submission,
    },
    /// What somebody wrote.
    Words {
        /// [`MAX_PARTNER_WORDS`] at most.
        words: String,
    },
}

impl std::fmt::Debug for PartnerContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Submission { .. } => "Submission(..)",
            Self::Words { .. } => "Words(..)",
        })
    }
}

impl PartnerContent {
    /// Who applies, if this says it.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::Submission { submission } => Some(&submission.applicant),
            Self::Words { .. } => None,
        }
    }
}

/// To which message something sealed belongs; it opens as part of no other.
#[derive(Debug, Clone, Copy)]
pub struct SealedFor<'a> {
    /// Id of the message.
    pub message: EnvelopeId,
    /// The handoff.
    pub handoff: EnvelopeId,
    /// Who seals it.
    pub from: &'a Adcode,
    /// For whom.
    pub to: &'a Adcode,
}

impl SealedFor<'_> {
    fn bound(&self) -> Vec<u8> {
        format!("jinban/partner-content/1 {} {} {} {}", self.message, self.handoff, self.from, self.to)
            .into_bytes()
    }
}

impl PartnerSealed {
    /// Seals something for a centre.
    ///
    /// # Errors
    /// [`OpenError`] if the key is none.
    pub fn seal<R: rand_core::CryptoRng>(
        content: &PartnerContent,
        place: SealedFor<'_>,
        key: &SealingPublicKey,
        rng: &mut R,
    ) -> Result<Self, OpenError> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(content).map_err(|_| OpenError::Tag)?);
        let suite = if key.0.0.len() == 32 { Suite::One } else { Suite::Two };
        let data_key = DataKey::random(suite, rng);
        let wrapped_key = data_key.wrap(key, place.message, rng)?;
        let nonce = Nonce::new(rng);
        let ciphertext = Bytes(data_key.encrypt(nonce, &plain, &place.bound())?);
        Ok(Self { key_id: key.key_id(), wrapped_key, nonce, ciphertext })
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`OpenError`] if it is not for this key, or belongs to another message.
    pub fn open(&self, place: SealedFor<'_>, key: &SealingKey) -> Result<PartnerContent, OpenError> {
        let data_key = key.unwrap_key(&self.wrapped_key, place.message)?;
        let plain = data_key.decrypt(self.nonce, &self.ciphertext.0, &place.bound())?;
        serde_json::from_slice(&plain).map_err(|_| OpenError::Tag)
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerOutcome {
    /// It is kept; it need not be sent again.
    Taken,
    /// It was kept before.
    Duplicate,
    /// Others of its handoff come first: `expected` is the place of the next.
    Early,
    /// Its id or place has another message; people have to look.
    Conflict,
}

/// The signed answer to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerReceipt {
    /// Which message.
    pub message: EnvelopeId,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// What became of it.
    pub outcome: PartnerOutcome,
    /// The place of the next message of this handoff.
    pub expected: u32,
}

/// The answer to a message: a [`PartnerReceipt`] as JSON, signed by the centre that took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartnerAnswer {
    /// The receipt.
    pub receipt: SignedDocument,
}

/// The body of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartnerRequest {
    /// A [`PartnerMessage`] as JSON, signed by the centre that sends it.
    pub message: SignedDocument,
}

/// What a region takes from elsewhere: signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerItems {
    /// [`PARTNER_VERSION`].
    pub v: u32,
    /// Whose.
    pub region: Adcode,
    /// The catalogue version from which it is.
    pub catalogue_version: u64,
    /// The items, [`MAX_PARTNER_ITEMS`] at most.
    pub items: Vec<PartnerItem>,
}

/// One item of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerItem {
    /// Its code.
    pub code: ItemCode,
    /// Its name.
    pub name: Text,
    /// Initials of its name.
    pub initials: String,
    /// Who decides it.
    pub department: String,
}

/// An item with its form, as the region has it now: signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartnerForm {
    /// [`PARTNER_VERSION`].
    pub v: u32,
    /// Whose.
    pub region: Adcode,
    /// The catalogue version from which it is.
    pub catalogue_version: u64,
    /// The item.
    pub item: Item,
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    fn message(said: PartnerSaid) -> PartnerMessage {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        PartnerMessage {
            v: PARTNER_VERSION,
            id: EnvelopeId::new(1, &mut rng),
            handoff: EnvelopeId::new(2, &mut rng),
            from: "630100".parse().expect("a code"),
            to: "632700".parse().expect("a code"),
            seq: 1,
            in_reply_to: None,
            made_at_ms: 5,
            said,
        }
    }

    #[test]
    fn a_message_reads_as_it_was_written_and_no_other_way() {
        for said in [PartnerSaid::SignedFor, PartnerSaid::ResultSent { way: ResultWay::Mail }] {
            let whole = message(said);
            let bytes = whole.to_bytes().expect("JSON");
            assert_eq!(PartnerMessage::read(&bytes), Ok(whole.clone()));
            let text = String::from_utf8(bytes).expect("text");
            for (from, to) in [
                ("{\"v\":1,", "{ \"v\":1,"),
                ("\"seq\":1", "\"seq\":0"),
                ("\"seq\":1", "\"seq\":201"),
                ("\"to\":\"632700\"", "\"to\":\"630100\""),
                ("\"to\":\"632700\"", "\"to\":\"63270\""),
                ("\"made_at_ms\":5", "\"made_at_ms\":5,\"made_at_ms\":5"),
                ("\"made_at_ms\":5", "\"made_at_ms\":5,\"more\":1"),
            ] {
                let odd = text.replace(from, to);
                assert_ne!(odd, text, "{from}");
                assert_eq!(PartnerMessage::read(odd.as_bytes()), Err(PartnerMistake::Malformed), "{odd}");
            }
            let newer = text.replace("{\"v\":1,", "{\"v\":2,");
            assert_eq!(PartnerMessage::read(newer.as_bytes()), Err(PartnerMistake::Version(2)));
            for end in 0..text.len() {
                assert!(PartnerMessage::read(&text.as_bytes()[..end]).is_err(), "{end}");
            }
        }
        let huge = vec![b' '; MAX_PARTNER_MESSAGE_BYTES + 1];
        assert_eq!(PartnerMessage::read(&huge), Err(PartnerMistake::TooLarge));
    }

    #[test]
    fn what_is_sealed_opens_in_its_message_only() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let said = message(PartnerSaid::Decided);
        let place = SealedFor { message: said.id, handoff: said.handoff, from: &said.from, to: &said.to };
        let content = PartnerContent::Words { words: "w".into() };
        for suite in Suite::ALL {
            let key = SealingKey::random(suite, &mut rng);
            let sealed = PartnerSealed::seal(&content, place, &key.public(), &mut rng).expect("sealed");
            assert_eq!(sealed.open(place, &key), Ok(content.clone()));
            let elsewhere = SealedFor { handoff: said.id, ..place };
            assert_eq!(sealed.open(elsewhere, &key), Err(OpenError::Tag));
            let turned = SealedFor { from: &said.to, to: &said.from, ..place };
            assert_eq!(sealed.open(turned, &key), Err(OpenError::Tag));
            assert!(sealed.open(place, &SealingKey::random(suite, &mut rng)).is_err());
        }
    }

    #[test]
    fn a_decision_says_nothing_of_itself() {
        let text = serde_json::to_string(&PartnerSaid::Decided).expect("JSON");
        assert_eq!(text, "{\"kind\":\"decided\"}");
    }

    #[test]
    fn each_message_is_a_step_of_the_side_that_says_it() {
        for said in [PartnerSaid::SignedFor, PartnerSaid::Decided, PartnerSaid::ResultReceived] {
            assert!(said.step().is_of(said.side()) && said.step().is_told());
        }
        assert_eq!(PartnerSaid::ResultReceived.side(), Side::Accepting);
    }
}
