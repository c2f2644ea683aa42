//! A real PostgreSQL of this test process: in a temporary folder, on a free loopback port, gone when the process ends
//! (however it ends). What a killed run left behind is removed by the next one.
//!
//! Refuses to use a cluster of the machine. Root cannot run `initdb`, so as root everything runs as user `postgres`.
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use sync_server::store::{Driver as _, Postgres};

/// Names of clusters' folders begin with this.
const PREFIX: &str = "jinban-postgres-";
/// The file that says whose cluster it is: process and its start.
const OWNER: &str = "owner";
/// Folders of earlier runs that one start removes, at most.
const MAX_LEFTOVERS: usize = 16;

/// Starts the cluster and keeps it while its standard input is open; then ends it at once and removes its folder.
const KEEPER: &str = r#"
# A Ctrl-C for the tests, or the end of who started this: neither may leave a server behind.
trap '' INT TERM HUP PIPE
# Neither may a lock that whoever started the tests holds live on in the server.
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
start() {
    "$1/pg_ctl" -D "$2/data" -l "$2/log" -s -w -t 60 start -o "-k $2 -p $3 -c listen_addresses=127.0.0.1 \
        -c max_connections=200 -c timezone=UTC $4" >/dev/null 2>&1 </dev/null && echo up || echo failed
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
        Self::start_with(&[], |_| Ok(()))
    }

    /// As [`Cluster::start`] with settings of the server, such as `fsync=off`; `prepare` puts files that they name
    /// into the folder of the data.
    ///
    /// # Errors
    /// As [`Cluster::start`], and those of `prepare`.
    pub fn start_with(settings: &[&str], prepare: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let programs = programs()?;
        remove_leftovers(&std::env::temp_dir())?;
        // Not below the system's folder for temporary files of root only: the user postgres must reach it.
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}-{}", std::process::id(), free_port()?));
        std::fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        std::fs::write(folder.join(OWNER), owner(std::process::id()).context("this process")?)?;
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
        prepare(&folder.join("data"))?;
        let port = free_port()?;
        let mut keeper = as_postgres(Path::new("/bin/sh"))
            .args(["-c", KEEPER, "keeper"])
            .arg(&programs)
            .arg(&folder)
            .arg(port.to_string())
            .arg(settings.iter().map(|s| format!("-c {s} ")).collect::<String>())
            .current_dir(&folder)
            .process_group(0)
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
        self.order_database("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.address(name))
    }

    /// Runs a statement in one of its databases.
    ///
    /// # Errors
    /// If the cluster does not answer, or refuses it.
    pub fn order_database(&self, name: &str, sql: &str) -> Result<()> {
        Ok(Postgres::open(&self.address(name))?.run_script(sql)?)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
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

/// A process and when it began (clock ticks since boot), so that a number that is used again is not taken for it.
fn owner(pid: u32) -> Option<String> {
    let about = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets; the start is the 20th word after it.
    let began = about.rsplit_once(')')?.1.split_whitespace().nth(19)?;
    Some(format!("{pid} {began}"))
}

/// Whether nobody is there any more whose cluster this is.
fn is_left_over(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()?.parse().ok());
    let Some(pid) = pid else { return false };
    match (std::fs::read_to_string(folder.join(OWNER)), owner(pid)) {
        (_, None) => true,
        (Ok(written), Some(now)) => written != now,
        // Just being made.
        (Err(_), Some(_)) => false,
    }
}

/// Ends and removes clusters whose process was killed in a way that its keeper did not survive either.
///
/// # Errors
/// If the folder of temporary files cannot be read; what cannot be removed stays for the next run.
fn remove_leftovers(folder: &Path) -> Result<()> {
    let programs = programs()?;
    let found = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    for left in found.filter(|path| is_left_over(path)).take(MAX_LEFTOVERS) {
        let data = left.join("data");
        if data.join("postmaster.pid").exists() {
            let mut stop = as_postgres(&programs.join("pg_ctl"));
            stop.arg("-D").arg(&data).args(["-s", "-w", "-t", "20", "-m", "immediate", "stop"]);
            let _ = stop.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
        let _ = std::fs::remove_dir_all(&left);
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn what_a_killed_run_left_behind_is_ended_and_removed_and_nothing_else() -> Result<()> {
        let mut cluster = Cluster::start()?;
        // Neither the process nor its keeper could clean up; the number of the process belongs to another one now.
        cluster.keeper.kill()?;
        cluster.keeper.wait()?;
        std::fs::write(cluster.folder.join(OWNER), "1 1")?;
        let mut gone = Command::new("true").spawn()?;
        gone.wait()?;
        let (half_made, other) = (
            std::env::temp_dir().join(format!("{PREFIX}{}-1", gone.id())),
            std::env::temp_dir().join(format!("{PREFIX}of-somebody-{}", std::process::id())),
        );
        std::fs::create_dir_all(half_made.join("data"))?;
        std::fs::create_dir(&other)?;
        let living = Cluster::start()?;
        assert!(!cluster.folder.exists() && !half_made.exists());
        assert!(TcpStream::connect(("127.0.0.1", cluster.port)).is_err(), "its server is gone too");
        assert!(other.exists(), "not ours to remove");
        remove_leftovers(&std::env::temp_dir())?;
        living.create_database("still_there")?;
        std::fs::remove_dir(&other)?;
        Ok(())
    }
}
