//! The two hashes of the formats: SHA-384 integrity strings of files, and the id of a build.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha384};

/// Read in pieces of this size: large enough to make the system calls cheap, small enough to hold many at once.
const PIECE: usize = 128 * 1024;

/// What identifies the bytes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// `sha384-<base64>`, as in the `integrity` attribute of HTML.
    pub integrity: String,
    /// In bytes.
    pub size: u64,
}

impl Fingerprint {
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            integrity: format!("sha384-{}", STANDARD.encode(Sha384::digest(bytes))),
            size: bytes.len() as u64,
        }
    }

    /// Streams the file: memory stays constant however large it is.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        Self::of_reader(&mut File::open(path)?, &mut io::sink())
    }

    /// Hashes what is read while handing it on to `sink`.
    pub fn of_reader(reader: &mut dyn Read, sink: &mut dyn io::Write) -> io::Result<Self> {
        let mut sha = Sha384::new();
        let mut size = 0;
        let mut piece = vec![0; PIECE];
        loop {
            let n = match reader.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            sha.update(&piece[..n]);
            sink.write_all(&piece[..n])?;
            size += n as u64;
        }
        Ok(Self {
            integrity: format!("sha384-{}", STANDARD.encode(sha.finalize())),
            size,
        })
    }
}

/// The first ten hex digits of SHA-256 over the sorted `(path, integrity)` pairs: same content, same id.
pub fn build_id<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut sha = Sha256::new();
    for (path, integrity) in files {
        sha.update(path);
        sha.update([0]);
        sha.update(integrity);
        sha.update([b'\n']);
    }
    sha.finalize()
        .iter()
        .take(5)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_what_browsers_compute() {
        // The SHA-384 of no bytes, a published constant.
        assert_eq!(
            Fingerprint::of(b"").integrity,
            "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb"
        );
    }

    #[test]
    fn hashing_in_pieces_gives_the_hash_of_the_whole() {
        let bytes: Vec<u8> = (0..PIECE * 2 + 77).map(|i| (i * 7 % 251) as u8).collect();
        let mut copy = Vec::new();
        let streamed = Fingerprint::of_reader(&mut bytes.as_slice(), &mut copy).unwrap();
        assert_eq!(streamed, Fingerprint::of(&bytes));
        assert_eq!(copy, bytes);
    }

    #[test]
    fn a_build_id_depends_on_names_and_content_but_not_on_order() {
        let id = build_id([("a.js", "sha384-x"), ("b.js", "sha384-y")]);
        assert_eq!(id.len(), 10);
        assert_eq!(id, build_id([("b.js", "sha384-y"), ("a.js", "sha384-x")]));
        assert_ne!(id, build_id([("a.js", "sha384-y"), ("b.js", "sha384-x")]));
        assert_ne!(id, build_id([("a.js", "sha384-x")]));
    }
}
