//! The control socket: takes orders from local programs of the same user and passes them to the reader.
//!
//! One thread serves all clients without blocking on any. A client that sends too much, reads too little or sits
//! still while others wait is dropped; none can hold up the reader or fill memory.
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, poll};

use crate::order::{MAX_LINE_LEN, Order};
use crate::reader::Reader;

/// Most clients at a time; one more takes the place of the one that was silent longest.
const MAX_CLIENTS: usize = 8;

/// A running control socket; dropping it ends the thread and removes the socket.
#[derive(Debug)]
pub(crate) struct Server {
    stop: UnixStream,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

impl Server {
    /// Opens the socket, for this user only, and serves it. A socket left behind by a killed process is replaced;
    /// one that still answers is not.
    pub(crate) fn start(path: &Path, reader: Arc<Reader>) -> io::Result<Self> {
        let listener = bind(path)?;
        let (stop, stopped) = UnixStream::pair()?;
        let thread = std::thread::Builder::new()
            .name("virtual-reader-control".into())
            .spawn(move || serve(&listener, &stopped, &reader))?;
        Ok(Self { stop, thread: Some(thread), path: path.to_path_buf() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The thread must be gone before pcscd unloads this library.
        let _ = self.stop.shutdown(std::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Binds under a name of its own and renames: there is no moment at which others may connect.
fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Ok(meta) = std::fs::symlink_metadata(path)
        && (!meta.file_type().is_socket() || UnixStream::connect(path).is_ok())
    {
        return Err(ErrorKind::AddrInUse.into());
    }
    let fresh = path.with_extension("new");
    let _ = std::fs::remove_file(&fresh);
    let listener = UnixListener::bind(&fresh)?;
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&fresh, path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

struct Client {
    stream: UnixStream,
    pending: Vec<u8>,
    /// When it last said something, counted in rounds.
    last: u64,
}

fn serve(listener: &UnixListener, stopped: &UnixStream, reader: &Reader) {
    let mut clients: Vec<Client> = Vec::new();
    for round in 0.. {
        let mut fds = vec![PollFd::new(stopped, PollFlags::IN), PollFd::new(listener, PollFlags::IN)];
        fds.extend(clients.iter().map(|client| PollFd::new(&client.stream, PollFlags::IN)));
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        if ready[0] {
            return;
        }
        let mut told = ready[2..].iter();
        clients.retain_mut(|client| !told.next().is_some_and(|told| *told) || client.hear(round, reader));
        if ready[1]
            && let Some(client) = accept(listener, round)
        {
            if clients.len() >= MAX_CLIENTS
                && let Some(silent) = (0..clients.len()).min_by_key(|at| clients[*at].last)
            {
                clients.remove(silent);
            }
            clients.push(client);
        }
    }
}

fn accept(listener: &UnixListener, round: u64) -> Option<Client> {
    let (stream, _) = listener.accept().ok()?;
    stream.set_nonblocking(true).ok()?;
    Some(Client { stream, pending: Vec::new(), last: round })
}

impl Client {
    /// Takes in what the client sent and answers whole lines; `false` if the client is to be dropped.
    fn hear(&mut self, round: u64, reader: &Reader) -> bool {
        self.last = round;
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) => self.pending.extend_from_slice(&buffer[..count]),
            Err(error) => return matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
        while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            if !self.answer(&reply(&line, reader)) {
                return false;
            }
        }
        if self.pending.len() >= MAX_LINE_LEN {
            self.answer("error line too long");
            return false;
        }
        true
    }

    /// Answers are short: a client whose buffer has no room for one does not read.
    fn answer(&mut self, line: &str) -> bool {
        self.stream.write_all(format!("{line}\n").as_bytes()).is_ok()
    }
}

fn reply(line: &[u8], reader: &Reader) -> String {
    if line.len() > MAX_LINE_LEN {
        return "error line too long".into();
    }
    let Ok(line) = std::str::from_utf8(line) else { return "error not UTF-8".into() };
    match line.parse::<Order>() {
        Ok(order) => format!("ok {}", reader.obey(order)).trim_end().to_owned(),
        Err(error) => format!("error {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::time::Duration;

    use super::*;

    struct Bench {
        directory: tempfile::TempDir,
        reader: Arc<Reader>,
        server: Option<Server>,
    }

    fn bench() -> Bench {
        let directory = tempfile::tempdir().expect("a directory");
        let reader = Arc::new(Reader::default());
        let server = Server::start(&directory.path().join("c"), Arc::clone(&reader)).expect("started");
        Bench { directory, reader, server: Some(server) }
    }

    impl Bench {
        fn path(&self) -> PathBuf {
            self.directory.path().join("c")
        }

        fn connect(&self) -> BufReader<UnixStream> {
            let stream = UnixStream::connect(self.path()).expect("connected");
            stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
            BufReader::new(stream)
        }
    }

    /// Sends bytes and gives the next line; empty if the server closed the connection.
    fn tell(client: &mut BufReader<UnixStream>, bytes: &[u8]) -> String {
        let _ = client.get_mut().write_all(bytes);
        let mut line = String::new();
        let _ = client.read_line(&mut line);
        line.trim_end().to_owned()
    }

    #[test]
    fn orders_reach_the_reader() {
        let bench = bench();
        let mut client = bench.connect();
        assert_eq!(tell(&mut client, b"insert 0102\n"), "ok");
        assert!(bench.reader.present());
        assert!(tell(&mut client, b"status\n").starts_with("ok card=present "));
        assert_eq!(tell(&mut client, b"fly\n"), "error unknown order");
        assert_eq!(tell(&mut client, b"\xFF\xFE\n"), "error not UTF-8");
        client.get_mut().write_all(b"rem").expect("half a line");
        assert_eq!(tell(&mut client, b"ove\n"), "ok");
        assert!(!bench.reader.has_card());
    }

    #[test]
    fn bad_clients_harm_nobody() {
        let bench = bench();
        let idle: Vec<_> = (0..MAX_CLIENTS * 3).map(|_| bench.connect()).collect();
        let mut flood = bench.connect();
        assert_eq!(tell(&mut flood, &[b'x'; MAX_LINE_LEN * 2]), "error line too long");
        assert_eq!(tell(&mut flood, b"status\n"), "", "closed");
        drop(bench.connect());
        let mut good = bench.connect();
        assert!(tell(&mut good, b"status\n").starts_with("ok card=absent "));
        drop(idle);
    }

    #[test]
    fn the_socket_is_private_and_goes_away_with_the_server() {
        let mut bench = bench();
        let mode = std::fs::metadata(bench.path()).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = Server::start(&bench.path(), Arc::clone(&bench.reader));
        assert_eq!(second.err().map(|e| e.kind()), Some(ErrorKind::AddrInUse));
        bench.server = None;
        assert!(!bench.path().exists());
    }

    #[test]
    fn a_socket_left_behind_is_replaced_but_another_file_is_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("c");
        drop(UnixListener::bind(&path).expect("bound"));
        assert!(path.exists(), "std leaves the file behind");
        let reader = Arc::new(Reader::default());
        drop(Server::start(&path, Arc::clone(&reader)).expect("replaced"));
        std::fs::write(&path, "mine").expect("written");
        assert!(Server::start(&path, reader).is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("kept"), "mine");
    }
}
