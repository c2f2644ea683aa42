//! A real PostgreSQL of this test process: in a temporary folder, on a free loopback port, gone when the process ends
//! (however it ends).
//!
//! Refuses to use a cluster of the machine. Root cannot run `initdb`, so as root everything runs as user `postgres`.
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};

/// Starts the cluster and keeps it while its standard input is open; then ends it at once and removes its folder.
const KEEPER: &str = r#"
start() {
    "$1/pg_ctl" -D "$2/data" -l "$2/log" -s -w -t 60 start -o "-k $2 -p $3 -c listen_addresses=127.0.0.1 \
        -c max_connections=200 -c timezone=UTC" >/dev/null 2>&1 </dev/null && echo up || echo failed
}
stop() { "$1/pg_ctl" -D "$2/data" -s -w -t 60 -m immediate stop >/dev/null 2>&1 </dev/null; echo down; }
start "$@"
while read -r order; do
    case $order in
        kill) stop "$@" ;;
        start) start "$@" ;;
    esac
done
# Nobody listens any more.
stop "$@" >/dev/null
rm -rf "$2"
"#;

/// A running cluster.
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    keeper: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// The cluster that all tests of a process share.
static SHARED: Mutex<Option<Cluster>> = Mutex::new(None);
static DATABASES: AtomicU64 = AtomicU64::new(0);

/// The address of a fresh, empty database in the cluster of this process.
///
/// # Errors
/// If PostgreSQL is not installed or does not start.
pub fn fresh_database() -> Result<String> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.is_none() {
        *shared = Some(Cluster::start()?);
    }
    let cluster = shared.as_ref().context("a cluster")?;
    cluster.create_database(&format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed)))
}

impl Cluster {
    /// Makes a cluster of its own and starts it.
    ///
    /// # Errors
    /// If PostgreSQL is not installed or does not start; the error holds its log.
    pub fn start() -> Result<Self> {
        let programs = programs()?;
        // Not below the system's folder for temporary files of root only: the user postgres must reach it.
        let folder =
            std::env::temp_dir().join(format!("jinban-postgres-{}-{}", std::process::id(), free_port()?));
        std::fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        if rustix::process::geteuid().is_root() {
            let owner = Command::new("chown").arg("postgres:").arg(&folder).status()?;
            anyhow::ensure!(owner.success(), "the folder cannot be given to user postgres");
        }
        let made = as_postgres(&programs.join("initdb"))
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-U", "jinban", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
            .current_dir(&folder)
            .output()
            .context("initdb")?;
        if !made.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
        }
        let port = free_port()?;
        let mut keeper = as_postgres(Path::new("/bin/sh"))
            .args(["-c", KEEPER, "keeper"])
            .arg(&programs)
            .arg(&folder)
            .arg(port.to_string())
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let answers = BufReader::new(keeper.stdout.take().context("a pipe")?);
        let orders = keeper.stdin.take();
        let mut cluster = Self { folder, port, keeper, orders, answers };
        cluster.expect("up")?;
        Ok(cluster)
    }

    /// Makes an empty database and gives its address.
    ///
    /// # Errors
    /// If the cluster does not answer.
    pub fn create_database(&self, name: &str) -> Result<String> {
        let mut client = postgres::Client::connect(&self.address("postgres"), postgres::NoTls)?;
        client.batch_execute(&format!("CREATE DATABASE {name}"))?;
        Ok(self.address(name))
    }

    /// Ends the server at once, as a crash would.
    ///
    /// # Errors
    /// If the keeper is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.order("kill", "down")
    }

    /// Starts it again on the same port.
    ///
    /// # Errors
    /// If it does not answer in time.
    pub fn start_again(&mut self) -> Result<()> {
        self.order("start", "up")
    }

    /// The address of one of its databases.
    pub fn address(&self, name: &str) -> String {
        format!("postgresql://jinban@127.0.0.1:{}/{name}", self.port)
    }

    fn order(&mut self, order: &str, expected: &str) -> Result<()> {
        let orders = self.orders.as_mut().context("the keeper is gone")?;
        writeln!(orders, "{order}")?;
        orders.flush()?;
        self.expect(expected)
    }

    /// Reads the keeper's answer; it waits for PostgreSQL itself, for a minute at most.
    fn expect(&mut self, expected: &str) -> Result<()> {
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        if answer.trim() != expected {
            let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            bail!("PostgreSQL: {answer:?} instead of {expected}\n{log}");
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.keeper.wait();
    }
}

/// The folder of the newest PostgreSQL of this machine.
fn programs() -> Result<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .context("PostgreSQL is not installed: run `cargo xtask setup`")?
        .flatten()
        .map(|e| e.path().join("bin"))
        .filter(|p| p.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().context("PostgreSQL is not installed: run `cargo xtask setup`")
}

fn as_postgres(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
    command
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
