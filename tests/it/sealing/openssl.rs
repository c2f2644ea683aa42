//! The program `openssl` as the other side of the national suite. A check that it cannot do fails and says so.
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// An SM2 key pair that OpenSSL made.
pub struct Sm2Pair {
    folder: tempfile::TempDir,
    /// The private key, big-endian.
    pub secret: [u8; 32],
    /// The public key, uncompressed.
    pub public: Vec<u8>,
}

/// What stands before the 32 bytes of the private key: version 1, then an octet string (SEC 1, ECPrivateKey).
const BEFORE_SECRET: [u8; 5] = [0x02, 0x01, 0x01, 0x04, 0x20];

impl Sm2Pair {
    pub fn make() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let key = folder.path().join("key.pem");
        run(&["genpkey", "-algorithm", "SM2", "-out", text(&key)?], &[])?;
        let private = run(&["pkey", "-in", text(&key)?, "-outform", "DER"], &[])?;
        let at = private.windows(5).position(|w| w == BEFORE_SECRET).context("a private key")? + 5;
        let secret = private.get(at..at + 32).context("32 bytes")?.try_into()?;
        let spki = run(&["pkey", "-in", text(&key)?, "-pubout", "-outform", "DER"], &[])?;
        let public = spki.get(spki.len().saturating_sub(65)..).context("a point")?.to_vec();
        let pair = Self { folder, secret, public };
        run(&["pkey", "-in", text(&key)?, "-pubout", "-out", text(&pair.path("public.pem"))?], &[])?;
        Ok(pair)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Encrypts; gives C1C3C2.
    pub fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let key = self.path("public.pem");
        raw_of(&run(&["pkeyutl", "-encrypt", "-pubin", "-inkey", text(&key)?], plain)?)
    }

    /// Decrypts C1C3C2.
    pub fn decrypt(&self, raw: &[u8]) -> Result<Vec<u8>> {
        let key = self.path("key.pem");
        run(&["pkeyutl", "-decrypt", "-inkey", text(&key)?], &der_of(raw)?)
    }
}

/// SM3.
pub fn sm3(bytes: &[u8]) -> Result<Vec<u8>> {
    run(&["dgst", "-sm3", "-binary"], bytes)
}

/// SM4-GCM (SP 800-38D, 7.1) from OpenSSL's SM4: the key of the hash and the mask of the tag by ECB, the text by CTR. The
/// command line has no SM4-GCM of its own.
pub fn sm4_gcm(key: &[u8], nonce: &[u8; 12], plain: &[u8], bound_to: &[u8]) -> Result<Vec<u8>> {
    let sealed = sm4("-sm4-ctr", key, Some(&counter(nonce, 2)), plain)?;
    let tag = tag(key, nonce, &sealed, bound_to)?;
    Ok([sealed, tag].concat())
}

/// Opens what SM4-GCM sealed.
pub fn sm4_gcm_open(key: &[u8], nonce: &[u8; 12], sealed: &[u8], bound_to: &[u8]) -> Result<Vec<u8>> {
    let (text, said) = sealed.split_at_checked(sealed.len().saturating_sub(16)).context("a tag")?;
    ensure!(tag(key, nonce, text, bound_to)? == said, "the tag is another one");
    sm4("-sm4-ctr", key, Some(&counter(nonce, 2)), text)
}

fn tag(key: &[u8], nonce: &[u8; 12], sealed: &[u8], bound_to: &[u8]) -> Result<Vec<u8>> {
    let block = |bytes: [u8; 16]| -> Result<u128> {
        Ok(u128::from_be_bytes(sm4("-sm4-ecb", key, None, &bytes)?.as_slice().try_into()?))
    };
    let hash_key = block([0; 16])?;
    let mut hash = 0;
    let lengths = ((bound_to.len() as u128 * 8) << 64) | (sealed.len() as u128 * 8);
    for part in [bound_to, sealed, &lengths.to_be_bytes()] {
        for chunk in part.chunks(16) {
            let mut padded = [0; 16];
            padded[..chunk.len()].copy_from_slice(chunk);
            hash = times(hash ^ u128::from_be_bytes(padded), hash_key);
        }
    }
    Ok((hash ^ block(counter(nonce, 1))?).to_be_bytes().to_vec())
}

/// Multiplication in GF(2^128) (SP 800-38D, 6.3).
fn times(x: u128, y: u128) -> u128 {
    let (mut product, mut shifted) = (0, y);
    for bit in (0..128).rev() {
        if x >> bit & 1 == 1 {
            product ^= shifted;
        }
        let carry = shifted & 1 == 1;
        shifted >>= 1;
        if carry {
            shifted ^= 0xe1 << 120;
        }
    }
    product
}

fn counter(nonce: &[u8; 12], n: u32) -> [u8; 16] {
    let mut block = [0; 16];
    block[..12].copy_from_slice(nonce);
    block[12..].copy_from_slice(&n.to_be_bytes());
    block
}

fn sm4(cipher: &str, key: &[u8], iv: Option<&[u8; 16]>, bytes: &[u8]) -> Result<Vec<u8>> {
    let key = hex(key);
    let mut arguments = vec!["enc", cipher, "-e", "-nopad", "-K", &key];
    let iv = iv.map(|iv| hex(iv));
    if let Some(iv) = &iv {
        arguments.extend(["-iv", iv]);
    }
    run(&arguments, bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path")
}

/// Runs `openssl` to its end.
fn run(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("the program `openssl` is needed: run `cargo xtask setup`")?;
    child.stdin.take().context("a pipe")?.write_all(input)?;
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "openssl {arguments:?}: {said}");
    Ok(output.stdout)
}

/// The ciphertext as OpenSSL writes it (GB/T 35276): a sequence of two integers, C3 and C2.
fn der_of(raw: &[u8]) -> Result<Vec<u8>> {
    ensure!(raw.len() > 97 && raw[0] == 4, "C1 is a whole point");
    let (point, rest) = raw[1..].split_at(64);
    let (c3, c2) = rest.split_at(32);
    let parts = [integer(&point[..32])?, integer(&point[32..])?, element(4, c3)?, element(4, c2)?];
    element(0x30, &parts.concat())
}

/// C1C3C2 of what OpenSSL wrote.
fn raw_of(der: &[u8]) -> Result<Vec<u8>> {
    let (mut rest, nothing) = take(der, 0x30)?;
    ensure!(nothing.is_empty(), "something behind the sequence");
    let mut raw = vec![4];
    for tag in [2, 2, 4, 4] {
        let (content, behind) = take(rest, tag)?;
        rest = behind;
        if tag == 2 {
            let digits = content.strip_prefix(&[0]).unwrap_or(content);
            ensure!(digits.len() <= 32, "a coordinate has 32 bytes");
            raw.extend(std::iter::repeat_n(0, 32 - digits.len()));
            raw.extend(digits);
        } else {
            raw.extend(content);
        }
    }
    ensure!(rest.is_empty(), "something behind C2");
    Ok(raw)
}

fn integer(bytes: &[u8]) -> Result<Vec<u8>> {
    let zeros = bytes.iter().take_while(|b| **b == 0).count().min(bytes.len() - 1);
    let digits = &bytes[zeros..];
    let sign: &[u8] = if digits[0] & 0x80 == 0 { &[] } else { &[0] };
    element(2, &[sign, digits].concat())
}

fn element(tag: u8, content: &[u8]) -> Result<Vec<u8>> {
    let length = u8::try_from(content.len()).ok().filter(|n| *n < 128).context("a short element")?;
    Ok([&[tag, length], content].concat())
}

fn take(der: &[u8], tag: u8) -> Result<(&[u8], &[u8])> {
    ensure!(der.len() >= 2 && der[0] == tag && der[1] < 128, "an element with tag {tag}");
    der[2..].split_at_checked(usize::from(der[1])).context("a whole element")
}
