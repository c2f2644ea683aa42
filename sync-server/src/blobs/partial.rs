//! Uploads on their way: one file each in a folder of its own, as long as what came. How far an upload has come is what
//! its file says, so that a kill loses nothing that was written.
//!
//! Refuses to add anywhere but at the end of a file, and to go on beyond the length that was named.
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The folder.
#[derive(Debug, Clone)]
pub struct PartialFiles(PathBuf);

impl PartialFiles {
    /// A folder, made if it is missing.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// How much of an upload is there, in bytes; 0 for one without a file.
    ///
    /// # Errors
    /// The operating system's.
    pub fn length(&self, id: &str) -> io::Result<u64> {
        match fs::metadata(self.path(id)?) {
            Ok(about) => Ok(about.len()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(e) => Err(e),
        }
    }

    /// Begins to add at the end of an upload.
    ///
    /// # Errors
    /// The operating system's.
    pub fn add_to(&self, id: &str) -> io::Result<Piece> {
        let path = self.path(id)?;
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        let from = file.seek(SeekFrom::End(0))?;
        File::open(&self.0)?.sync_all()?;
        Ok(Piece { file, from, at: from })
    }

    /// All bytes of an upload, at most `most`.
    ///
    /// # Errors
    /// The operating system's.
    pub fn read(&self, id: &str, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.path(id)?)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Removes what came of an upload; nothing is removed already.
    ///
    /// # Errors
    /// The operating system's.
    pub fn remove(&self, id: &str) -> io::Result<()> {
        match fs::remove_file(self.path(id)?) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Ids of all uploads that have a file.
    ///
    /// # Errors
    /// The operating system's.
    pub fn ids(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.0)?.collect::<io::Result<Vec<_>>>()?;
        let names = entries.iter().map(|e| e.file_name().to_string_lossy().into_owned());
        Ok(names.filter(|name| is_id(name)).collect())
    }

    fn path(&self, id: &str) -> io::Result<PathBuf> {
        if is_id(id) { Ok(self.0.join(Path::new(id))) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }
}

/// 32 small hexadecimal digits: nothing that leads anywhere else.
fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// What one call adds to an upload. Each write is at the end of the last one; dropped, it keeps what was written.
#[derive(Debug)]
pub struct Piece {
    file: File,
    from: u64,
    at: u64,
}

impl Piece {
    /// How much there is now, in bytes.
    pub fn end(&self) -> u64 {
        self.at
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// The operating system's; what was written before stays.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(e) = self.file.write_all(bytes) {
            // A part may have been written: it is cut off, so that the file ends where this piece says.
            self.file.set_len(self.at)?;
            self.file.seek(SeekFrom::End(0))?;
            return Err(e);
        }
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Has all of it survive a power cut.
    ///
    /// # Errors
    /// The operating system's.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Takes back all that this call added.
    ///
    /// # Errors
    /// The operating system's.
    pub fn undo(&mut self) -> io::Result<()> {
        self.file.set_len(self.from)?;
        self.at = self.file.seek(SeekFrom::End(0))?;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_each_other_and_can_be_taken_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = PartialFiles::open(folder.path().join("uploads")).expect("open");
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(files.length(id).expect("length"), 0);
        let mut piece = files.add_to(id).expect("begun");
        piece.add(b"abc").expect("added");
        piece.sync().expect("synced");
        drop(piece);
        let mut piece = files.add_to(id).expect("begun");
        piece.add(b"def").expect("added");
        assert_eq!((piece.end(), files.length(id).expect("length")), (6, 6));
        piece.undo().expect("undone");
        piece.add(b"DEFG").expect("added");
        assert_eq!(files.read(id, 100).expect("read"), b"abcDEFG");
        assert_eq!(files.read(id, 4).expect("read"), b"abcD");
        assert_eq!(files.ids().expect("ids"), [id]);
        for _ in 0..2 {
            files.remove(id).expect("removed");
        }
        for bad in
            ["", "..", "../keys", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcde/"]
        {
            assert!(files.add_to(bad).is_err() && files.length(bad).is_err(), "{bad}");
        }
    }
}
