//! A certificate authority of one test, and a certificate of a server of this machine, made with `openssl` (which the
//! package of PostgreSQL brings along).
//!
//! Refuses to make anything that a real server could use: it is good for two days and for 127.0.0.1.
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// What the certificates say, for `openssl`.
const CONFIG: &str = "[req]\ndistinguished_name = name\n[name]\n[ca]\nbasicConstraints = critical,CA:TRUE\n\
                      keyUsage = critical,keyCertSign\n[server]\nbasicConstraints = critical,CA:FALSE\n\
                      subjectAltName = IP:127.0.0.1\nextendedKeyUsage = serverAuth\n";
/// A new key of its own.
const NEW_KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/// The authority; its files are gone with it.
pub struct Authority(tempfile::TempDir);

impl Authority {
    /// Makes one.
    ///
    /// # Errors
    /// If there is no `openssl`, with what it says.
    pub fn new() -> Result<Self> {
        let made = Self(tempfile::tempdir()?);
        std::fs::write(made.0.path().join("config"), CONFIG)?;
        let own =
            ["req", "-x509", "-config", "config", "-extensions", "ca", "-days", "2", "-subj", "/CN=Test CA"];
        made.openssl(&[&own[..], &NEW_KEY, &["-keyout", "ca.key", "-out", "ca.pem"]].concat())?;
        let wish = ["req", "-new", "-config", "config", "-subj", "/CN=Test server"];
        made.openssl(&[&wish[..], &NEW_KEY, &["-keyout", "server.key", "-out", "server.csr"]].concat())?;
        let sign =
            ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
        let said = ["-days", "2", "-extfile", "config", "-extensions", "server", "-out", "server.pem"];
        made.openssl(&[&sign[..], &said].concat())?;
        Ok(made)
    }

    /// The file of its own certificate.
    pub fn root(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    /// Puts `server.pem` and `server.key` into a folder, for the folder's owner only.
    ///
    /// # Errors
    /// If they cannot be written there.
    pub fn equip(&self, folder: &Path) -> Result<()> {
        let owner = std::fs::metadata(folder)?;
        for name in ["server.pem", "server.key"] {
            let file = folder.join(name);
            std::fs::copy(self.0.path().join(name), &file)?;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
            chown(&file, Some(owner.uid()), Some(owner.gid()))?;
        }
        Ok(())
    }

    fn openssl(&self, arguments: &[&str]) -> Result<()> {
        let output = Command::new("openssl").args(arguments).current_dir(self.0.path()).output();
        let output = output.context("openssl")?;
        ensure!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}
