//! Programs of other people: the tus client `tuspy`, and an S3 server (`moto`) as the place of whole pages.
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use domain::envelope::Digest;
use sync_server::blobs::{BlobError, BlobPlace, Blobs, Credentials};
use tests::python::python_with;
use tests::server::Server;
use tests::signing_proxy::{self, Signer};

use super::{Awaited, noise};

/// Sends a file in parts; stops in the middle and goes on with a new client, which asks how far it has come.
const TUSPY: &str = "
import sys
from tusclient import client
door, path, chunk = sys.argv[1], sys.argv[2], int(sys.argv[3])
first = client.TusClient(door).uploader(path, chunk_size=chunk)
first.upload_chunk()
second = client.TusClient(door).uploader(path, chunk_size=chunk, url=first.url, upload_checksum=False)
assert second.offset == chunk, second.offset
second.upload()
assert second.offset == second.get_file_size()
";

/// A server in memory with one bucket; says its port, ends with its input.
const MOTO: &str = "
import sys, boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0)
server.start()
host, port = server.get_host_and_port()
boto3.client('s3', endpoint_url=f'http://{host}:{port}', region_name='us-east-1',
    aws_access_key_id='jinban', aws_secret_access_key='a-secret').create_bucket(Bucket='jinban-pages')
print(f'port={port}', flush=True)
sys.stdin.read()
server.stop()
";

#[test]
fn the_client_tuspy_sends_a_page_and_goes_on_after_a_break() -> Result<()> {
    let Some(python) = python_with("tuspy", &["tuspy==1.1.0"])? else { return Ok(()) };
    let awaited = Awaited::with(&[500_000])?;
    let server = awaited.server.terminals.strip_prefix("http://").context("an address")?.parse()?;
    let signer =
        Signer { terminal: awaited.device.enrolled.terminal.clone(), key: awaited.device.key.clone() };
    let proxy = signing_proxy::start(server, signer)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("page");
    std::fs::write(&file, &awaited.pages[0].bytes)?;
    let door = format!("http://{proxy}{}", awaited.door(0));
    let sent = Command::new(python).args(["-c", TUSPY, &door]).arg(&file).arg("120000").output()?;
    ensure!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    awaited.assert_complete()
}

/// A running S3 server of other people.
struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    fn start() -> Result<Option<Self>> {
        let Some(python) = python_with("moto", &["moto[s3,server]==5.2.5"])? else { return Ok(None) };
        let mut child = Command::new(python)
            .args(["-c", MOTO])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // It greets in lines of its own before.
        let lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        let mut ports =
            lines.map_while(Result::ok).filter_map(|l| l.strip_prefix("port=").map(str::to_owned));
        let url = format!("http://127.0.0.1:{}", ports.next().context("a port")?);
        Ok(Some(Self { child, url }))
    }

    fn place(&self, bucket: &str) -> BlobPlace {
        let credentials = Credentials::new("jinban", "a-secret");
        BlobPlace::S3 { url: self.url.clone(), bucket: bucket.to_owned(), credentials }
    }

    fn credentials(&self, folder: &Path) -> Result<String> {
        let file = folder.join("s3");
        std::fs::write(&file, "jinban\na-secret\n")?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
        Ok(file.to_string_lossy().into_owned())
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn pages_lie_in_s3_when_it_is_set_and_come_back_as_they_were() -> Result<()> {
    let Some(moto) = Moto::start()? else { return Ok(()) };
    let blobs = Blobs::open(&moto.place("jinban-pages"))?;
    blobs.check()?;
    for (seed, length) in [(1, 1), (2, 300_000), (3, 6_000_000)] {
        let bytes = noise(seed, length);
        let digest = Digest::of(&bytes);
        assert!(matches!(blobs.read(&digest), Err(BlobError::Gone(d)) if d == digest));
        for _ in 0..2 {
            blobs.keep(&digest, bytes.clone())?;
        }
        assert_eq!(blobs.read(&digest)?, bytes);
        for _ in 0..2 {
            blobs.remove(&digest)?;
        }
        assert!(blobs.read(&digest).is_err());
    }
    // A bucket that is not there says nothing of what should be in it.
    let nowhere = Blobs::open(&moto.place("no-such-bucket"))?;
    let said = [
        nowhere.check(),
        nowhere.keep(&Digest::of(b"x"), b"x".to_vec()),
        nowhere.read(&Digest::of(b"x")).map(|_| ()),
    ];
    ensure!(said.iter().all(|said| matches!(said, Err(BlobError::Objects(_)))), "{said:?}");
    // The whole way, with the real server.
    let folder = tempfile::tempdir()?;
    let credentials = moto.credentials(folder.path())?;
    let arguments = ["--s3-url", &moto.url, "--s3-bucket", "jinban-pages", "--s3-credentials", &credentials];
    let awaited = Awaited::at(Server::start_with(&arguments)?, &[200_000])?;
    let address = awaited.begin(0)?;
    awaited.send_rest(0, &address)?;
    assert!(awaited.send()?.2.complete);
    assert_eq!(blobs.read(&awaited.pages[0].digest)?, awaited.pages[0].bytes);
    assert!(awaited.kept(0).is_err(), "not in the folder");
    Ok(())
}
