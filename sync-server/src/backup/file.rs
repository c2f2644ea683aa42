//! The file of a backup: a mark, a head that everybody may read, and the sealed stream of records.
//!
//! Records are tables, their rows, and one signed summary at the end. Refuses what is longer than any record is.
use std::io::{self, Read, Write};

use domain::envelope::{
    DataKey, DeviceKey, Digest, KeyRing, PublicKey, SealingKey, SealingPublicKey, SignedDocument, SignedKind,
    WrappedKey, sign_document, verify_document,
};
use domain::ids::{EnvelopeId, KeyId, ServerEpoch};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::BackupError;
use super::blobs::BlobFile;
use super::seal::{Opener, Sealer, invalid};
use crate::store::Value;
use crate::whole_tables::{Walked, read_row, write_row};

/// The first bytes of each backup.
const MARK: &[u8] = b"jinban-backup/1\n";
/// Bytes of a head, at most.
const MAX_HEAD: usize = 64 * 1024;
/// Bytes of a record, at most: far more than the largest row, a catalogue.
const MAX_RECORD: usize = 256 * 1024 * 1024;
const TABLE: u8 = b'T';
const ROW: u8 = b'R';
const END: u8 = b'E';

/// What everybody may read of a backup: no content, no person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Names the backup; a UUIDv7 as envelopes have it, bound into the wrapped key.
    pub id: EnvelopeId,
    /// When the state was taken, milliseconds since 1970.
    pub made_at_ms: i64,
    /// Version of the program that made it.
    pub program: String,
    /// Schema of its tables.
    pub schema: u64,
    /// Epoch of the centre.
    pub epoch: ServerEpoch,
    /// The highest place in the centre's order that is inside; 0 if there is none.
    pub server_seq: u64,
    /// The last row of the audit chain that is inside; 0 if there is none.
    pub audit_seq: u64,
    /// Tells the centre's private keys from others.
    pub keys: String,
    /// Verifies receipts, and the summary of this backup.
    pub receipt_key: PublicKey,
    /// Where terminals wrap data keys to.
    pub sealing_key: SealingPublicKey,
    /// For whom the backup is sealed.
    pub recipient: KeyId,
    /// The key of the stream, wrapped to the recipient.
    pub wrapped_key: WrappedKey,
}

/// One table of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableHead {
    /// Its name.
    pub name: String,
    /// Its columns, in the order of its rows.
    pub columns: Vec<String>,
}

/// What a backup holds, signed by the centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Summary {
    /// Digest of the head, so that a head belongs to one content only.
    pub(super) head: Digest,
    /// Each table with what a walk over it finds.
    pub(super) tables: Vec<(String, Walked)>,
    /// Files of attachments that belong to it.
    pub(super) blobs: Vec<BlobFile>,
}

/// One record.
pub(super) enum Record {
    Table(TableHead),
    Row(Vec<Value>),
    End(Summary),
}

/// Writes a backup.
pub(super) struct Writer<W: Write> {
    stream: Sealer<W>,
    head: Digest,
    scratch: Vec<u8>,
}

impl<W: Write> Writer<W> {
    pub(super) fn begin(mut out: W, head: &Head, key: DataKey) -> io::Result<Self> {
        let text = json(head)?;
        out.write_all(MARK)?;
        out.write_all(&length(&text)?)?;
        out.write_all(&text)?;
        let head = Digest::of(&text);
        Ok(Self { stream: Sealer::new(out, key, head), head, scratch: Vec::new() })
    }

    pub(super) fn table(&mut self, table: &TableHead) -> io::Result<()> {
        let text = json(table)?;
        self.record(TABLE, &text)
    }

    pub(super) fn row(&mut self, row: &[Value]) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        write_row(row, &mut bytes);
        let written = self.record(ROW, &bytes);
        self.scratch = bytes;
        written
    }

    /// Writes the signed summary and gives back where the file went.
    pub(super) fn finish(
        mut self,
        tables: Vec<(String, Walked)>,
        blobs: Vec<BlobFile>,
        key: &DeviceKey,
    ) -> io::Result<W> {
        let summary = Summary { head: self.head, tables, blobs };
        let text = json(&sign_document(SignedKind::Backup, json(&summary)?, key))?;
        self.record(END, &text)?;
        self.stream.finish()
    }

    fn record(&mut self, kind: u8, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(&[kind])?;
        self.stream.write_all(&length(bytes)?)?;
        self.stream.write_all(bytes)
    }
}

/// Reads a backup whose key is known.
pub(super) struct Reader<R: Read> {
    stream: Opener<R>,
    head: Digest,
    ring: KeyRing,
}

impl<R: Read> Reader<R> {
    /// The next record; the summary is the last one, and counts only if its signature holds and nothing stands behind
    /// it.
    pub(super) fn next(&mut self) -> Result<Record, BackupError> {
        let mut kind = [0; 1];
        self.stream.read_exact(&mut kind).map_err(damaged)?;
        let bytes = sized(&mut self.stream, MAX_RECORD).map_err(damaged)?;
        match kind[0] {
            TABLE => Ok(Record::Table(parse(&bytes)?)),
            ROW => read_row(&bytes).map(Record::Row).ok_or_else(|| damaged(invalid("a row is none"))),
            END => {
                let document: SignedDocument = parse(&bytes)?;
                let body = verify_document(SignedKind::Backup, &document, &self.ring)
                    .map_err(|_| BackupError::NotSigned)?;
                let summary: Summary = parse(body)?;
                if summary.head != self.head || !self.stream.is_at_end().map_err(damaged)? {
                    return Err(damaged(invalid("the summary belongs to something else")));
                }
                Ok(Record::End(summary))
            }
            _ => Err(damaged(invalid("a record of an unknown kind"))),
        }
    }
}

/// A backup whose head was read and whose content is still sealed.
pub(super) struct Sealed<R: Read> {
    pub(super) head: Head,
    digest: Digest,
    input: R,
}

impl<R: Read> Sealed<R> {
    pub(super) fn open(mut input: R) -> Result<Self, BackupError> {
        let mut mark = [0; MARK.len()];
        input.read_exact(&mut mark).map_err(|_| BackupError::None)?;
        if mark != MARK {
            return Err(BackupError::None);
        }
        let text = sized(&mut input, MAX_HEAD).map_err(damaged)?;
        let head = parse(&text)?;
        Ok(Self { head, digest: Digest::of(&text), input })
    }

    /// With the key of the stream.
    pub(super) fn unseal(self, key: DataKey) -> (Head, Reader<R>) {
        let ring = KeyRing::new([self.head.receipt_key.clone()]);
        let stream = Opener::new(self.input, key, self.digest);
        (self.head, Reader { stream, head: self.digest, ring })
    }

    /// With the recipient's secret key.
    pub(super) fn unseal_for(self, recipient: &SealingKey) -> Result<(Head, Reader<R>), BackupError> {
        if recipient.public().key_id() != self.head.recipient {
            return Err(BackupError::OtherKey { wanted: self.head.recipient.clone() });
        }
        let key = recipient
            .unwrap_key(&self.head.wrapped_key, self.head.id)
            .map_err(|_| damaged(invalid("its key does not unwrap")))?;
        Ok(self.unseal(key))
    }
}

pub(super) fn damaged(source: io::Error) -> BackupError {
    if source.kind() == io::ErrorKind::UnexpectedEof {
        return BackupError::Damaged(invalid("the file was cut off"));
    }
    BackupError::Damaged(source)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BackupError> {
    serde_json::from_slice(bytes).map_err(|_| damaged(invalid("a record cannot be read")))
}

fn json(value: &impl Serialize) -> io::Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(io::Error::other)
}

fn length(bytes: &[u8]) -> io::Result<[u8; 4]> {
    let fits = u32::try_from(bytes.len()).ok().filter(|n| (*n as usize) <= MAX_RECORD);
    fits.map(u32::to_be_bytes).ok_or_else(|| invalid("a record is too long"))
}

fn sized(input: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > most {
        return Err(invalid("a record is longer than any"));
    }
    let mut bytes = Vec::new();
    input.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
