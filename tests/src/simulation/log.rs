//! What happened in a simulation, line by line, and a digest over all of it: two runs of a seed have the same.
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Result;
use domain::envelope::Digest;

/// Lines between two looks at the digest, in bytes.
const STRETCH: usize = 64 * 1024;

/// The log of a run.
pub struct Log {
    file: Option<BufWriter<File>>,
    gathered: Vec<u8>,
    digest: Digest,
    lines: u64,
}

impl Log {
    /// A log that is also written to a file, if one is named.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn new(file: Option<&Path>) -> Result<Self> {
        let file = file.map(File::create).transpose()?.map(BufWriter::new);
        Ok(Self { file, gathered: Vec::new(), digest: Digest::of(b"jinban/simulation/1"), lines: 0 })
    }

    /// Adds a line.
    pub fn say(&mut self, at_ms: i64, who: &str, what: &std::fmt::Arguments<'_>) {
        let start = self.gathered.len();
        // Writing to memory does not fail.
        let _ = writeln!(self.gathered, "{at_ms} {who} {what}");
        if let Some(file) = &mut self.file {
            let _ = file.write_all(&self.gathered[start..]);
        }
        self.lines += 1;
        if self.gathered.len() >= STRETCH {
            self.fold();
        }
    }

    fn fold(&mut self) {
        let all = [self.digest.as_bytes().as_slice(), &self.gathered].concat();
        self.digest = Digest::of(&all);
        self.gathered.clear();
    }

    /// Ends it; gives the digest and how many lines there were.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn end(mut self) -> Result<(Digest, u64)> {
        self.fold();
        if let Some(mut file) = self.file {
            file.flush()?;
        }
        Ok((self.digest, self.lines))
    }
}
