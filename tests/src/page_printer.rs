//! A page printer: CUPS's `ippeveprinter`, a real IPP printer in software, with a D-Bus and an Avahi of its own.
//!
//! It announces itself by DNS-SD and does not start without; so both run here in a folder and a mount namespace of their
//! own, and nobody else's are touched. Dropping ends all three, by their ids, and the kernel does where whoever started
//! them is killed. What it "prints" lies in a folder.
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use virtual_reader::daemon::spawn_for_process;

/// How long each of the three may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running printer.
pub struct PagePrinterProcess {
    folder: tempfile::TempDir,
    port: u16,
    /// Address of its D-Bus.
    bus: String,
    /// In the order in which they are ended; the printer itself is the first while it is plugged in.
    children: Vec<Child>,
    plugged: bool,
}

const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=SOCKET</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_type="signal"/><allow send_requested_reply="true" send_type="method_return"/>
<allow send_requested_reply="true" send_type="error"/><allow receive_type="method_call"/>
<allow receive_type="signal"/><allow receive_type="method_return"/><allow receive_type="error"/>
</policy></busconfig>"#;

/// What the printer runs for each job: keeps the file, and stands still or gives up while a file says so; not longer than
/// the printer is there.
const WORK: &str = r#"#!/bin/sh
if [ -e FOLDER/no-paper ]; then
  echo "STATE: +media-empty-error" >&2
  while [ -e FOLDER/no-paper ] && kill -0 $PPID; do sleep 0.05; done
  echo "STATE: -media-empty-error" >&2
fi
[ -e FOLDER/gives-up ] && exit 1
cp "$1" "FOLDER/printed-$$.pdf" && mv "FOLDER/printed-$$.pdf" "FOLDER/out/$$.pdf"
"#;

impl PagePrinterProcess {
    /// Starts it.
    ///
    /// # Errors
    /// If one of the programs is missing or does not come up; that takes root, as for a private pcscd.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().to_owned();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut printer = Self { folder, port, bus: String::new(), children: Vec::new(), plugged: false };
        let socket = path.join("bus");
        let bus = path.join("bus.conf");
        std::fs::write(&bus, BUS.replace("SOCKET", &socket.to_string_lossy()))?;
        let mut command = tied("dbus-daemon");
        command.arg("--config-file").arg(&bus).args(["--nofork", "--nopidfile", "--print-address=1"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        printer.spawn(("dbus-daemon", command), |child| {
            says(child.stdout.take().context("its output")?, "unix:path=")
        })?;
        let address = format!("unix:path={}", socket.display());
        let mut command = tied("unshare");
        command.args(["-m", "sh", "-c"]).arg(
            "mount -t tmpfs tmpfs /run && mkdir /run/avahi-daemon && \
             exec avahi-daemon --no-drop-root --no-chroot --no-rlimits",
        );
        command.env("DBUS_SYSTEM_BUS_ADDRESS", &address).stdout(Stdio::null()).stderr(Stdio::piped());
        printer.spawn(("avahi-daemon", command), |child| {
            says(child.stderr.take().context("its words")?, "startup complete")
        })?;
        printer.bus = address;
        printer.plug_in()?;
        Ok(printer)
    }

    /// Starts the printer itself, at the same place as before; what was printed stays.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn plug_in(&mut self) -> Result<()> {
        if self.plugged {
            return Ok(());
        }
        let path = self.folder.path().to_owned();
        self.start_printer(&path)?;
        self.plugged = true;
        Ok(())
    }

    /// Ends the printer itself as a pulled plug does; a job that it has is gone.
    pub fn unplug(&mut self) {
        if std::mem::take(&mut self.plugged) {
            let mut printer = self.children.remove(0);
            let _ = printer.kill();
            let _ = printer.wait();
        }
    }

    fn start_printer(&mut self, path: &Path) -> Result<()> {
        let work = path.join("work.sh");
        std::fs::write(&work, WORK.replace("FOLDER", &path.to_string_lossy()))?;
        std::fs::set_permissions(&work, std::fs::Permissions::from_mode(0o700))?;
        std::fs::create_dir_all(path.join("out"))?;
        std::fs::create_dir_all(path.join("spool"))?;
        let mut command = tied("ippeveprinter");
        command.args(["-p", &self.port.to_string(), "-r", "off", "-f", "application/pdf", "-c"]).arg(&work);
        command.arg("-d").arg(path.join("spool")).arg(format!("jinban-{}", self.port));
        command.env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus).stdout(Stdio::null()).stderr(Stdio::null());
        let port = self.port;
        self.spawn(("ippeveprinter", command), |child| listens(child, port))
    }

    fn spawn(
        &mut self,
        (name, command): (&str, Command),
        ready: impl FnOnce(&mut Child) -> Result<()>,
    ) -> Result<()> {
        let mut child =
            spawn_for_process(command).with_context(|| format!("{name} (see cargo xtask setup)"))?;
        let up = ready(&mut child);
        self.children.insert(0, child);
        up.with_context(|| format!("{name} does not come up"))
    }

    /// As the terminal's settings name it.
    pub fn place(&self) -> String {
        format!("ipp://127.0.0.1:{}/ipp/print", self.port)
    }

    /// Takes its paper away, or gives it some.
    ///
    /// # Errors
    /// If the file that says so cannot be written.
    pub fn has_paper(&self, has: bool) -> Result<()> {
        self.flag("no-paper", !has)
    }

    /// From now on it gives every job up, or works.
    ///
    /// # Errors
    /// As [`PagePrinterProcess::has_paper`].
    pub fn gives_up(&self, does: bool) -> Result<()> {
        self.flag("gives-up", does)
    }

    fn flag(&self, name: &str, on: bool) -> Result<()> {
        let file = self.folder.path().join(name);
        match on {
            true => std::fs::write(file, "")?,
            false if file.exists() => std::fs::remove_file(file)?,
            false => {}
        }
        Ok(())
    }

    /// Files that were printed.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn printed(&self) -> Result<Vec<PathBuf>> {
        let mut all: Vec<PathBuf> =
            std::fs::read_dir(self.folder.path().join("out"))?.flatten().map(|e| e.path()).collect();
        all.sort();
        Ok(all)
    }

    /// Ends it as a pulled plug does.
    pub fn kill(&mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.plugged = false;
        for mut child in self.children.drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for PagePrinterProcess {
    fn drop(&mut self) {
        self.end();
    }
}

/// A program that the kernel ends when this process is gone, however it ended.
fn tied(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", program]).stdin(Stdio::null());
    command
}

/// Waits for a line with these words, and reads on behind it so that nobody waits at a full pipe.
fn says(stream: impl std::io::Read + Send + 'static, words: &'static str) -> Result<()> {
    let (sender, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if line.contains(words) {
                let _ = sender.send(());
            }
        }
    });
    heard.recv_timeout(PATIENCE).with_context(|| format!("it never said {words}"))
}

fn listens(child: &mut Child, port: u16) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        if let Some(status) = child.try_wait()? {
            bail!("it ended with {status}");
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    bail!("nobody listens on port {port}")
}
