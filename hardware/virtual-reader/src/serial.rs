//! **Simulator**: a reader at the end of a serial line, which is a pseudo-terminal. It plays the same module as the
//! reader that pcscd loads. Dropping it unplugs it.
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hardware::samv::Parser;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::order::Order;
use crate::reader::Reader;
use crate::server::Server;
use crate::state::Reply;

/// How often it is looked whether somebody opened the port.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Most bytes of a request that are kept: any request has 10.
const MAX_REQUEST: usize = 4096;

/// A simulated reader on a serial line.
#[derive(Debug)]
pub struct SerialReader {
    port: PathBuf,
    reader: Arc<Reader>,
    stop: UnixStream,
    thread: Option<JoinHandle<()>>,
    _control: Option<Server>,
}

impl SerialReader {
    /// Plugs one in, with a control socket at `control` if one is named (the orders of [`crate::order`]).
    ///
    /// # Errors
    /// If the system gives no pseudo-terminal or the socket cannot be made.
    pub fn plug_in(control: Option<&Path>) -> io::Result<Self> {
        let line = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&line)?;
        unlockpt(&line)?;
        let port = PathBuf::from(ptsname(&line, Vec::new())?.into_string().map_err(io::Error::other)?);
        let reader = Arc::new(Reader::default());
        let control = control.map(|path| Server::start(path, Arc::clone(&reader))).transpose()?;
        let (stop, stopped) = UnixStream::pair()?;
        let served = Arc::clone(&reader);
        let thread = std::thread::Builder::new()
            .name("virtual-serial".into())
            .spawn(move || serve(&mut File::from(line), &stopped, &served))?;
        Ok(Self { port, reader, stop, thread: Some(thread), _control: control })
    }

    /// The path of the port, such as `/dev/pts/4`.
    pub fn port(&self) -> &Path {
        &self.port
    }

    /// Carries out an order; gives what a control socket would answer behind `ok`.
    pub fn obey(&self, order: Order) -> String {
        self.reader.obey(order)
    }
}

impl Drop for SerialReader {
    fn drop(&mut self) {
        self.reader.close();
        let _ = self.stop.shutdown(std::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(line: &mut File, stopped: &UnixStream, reader: &Reader) {
    let mut parser = Parser::default();
    let mut request = Vec::new();
    let mut buffer = [0; 512];
    loop {
        let mut fds = [PollFd::new(stopped, PollFlags::IN), PollFd::new(&*line, PollFlags::IN)];
        let (told, there) = match poll(&mut fds, None) {
            Ok(_) => (!fds[0].revents().is_empty(), fds[1].revents().contains(PollFlags::IN)),
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
        };
        if told {
            return;
        }
        if !there {
            // Nobody has the port open: the line hangs up, and says so at every look.
            if pause(stopped) {
                return;
            }
            continue;
        }
        let Ok(count) = line.read(&mut buffer) else { continue };
        request.extend_from_slice(&buffer[..count]);
        let met = parser.feed(&buffer[..count]).len();
        if met > 0 {
            // A broken request is answered too.
            if let Reply::Bytes(answer) = reader.exchange_frame(&request)
                && line.write_all(&answer).is_err()
            {
                continue;
            }
        }
        if met > 0 || request.len() > MAX_REQUEST {
            request.clear();
        }
    }
}

/// Waits a moment; whether it is over.
fn pause(stopped: &UnixStream) -> bool {
    let wait = Timespec { tv_sec: 0, tv_nsec: LOOK_EVERY.subsec_nanos().into() };
    poll(&mut [PollFd::new(stopped, PollFlags::IN)], Some(&wait)).is_ok_and(|ready| ready > 0)
}
