//! The two hashes of the formats: SHA-384 integrity strings of files, and the id of a build.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
// Assembly: as fast in a debug build, where every test publishes megabytes.
use ring::digest::{Algorithm, Context, SHA256, SHA384, SHA512, digest};

/// Files are read in pieces of this size: large enough for few system calls, small enough to hold many at once.
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
            integrity: written("sha384", digest(&SHA384, bytes).as_ref()),
            size: bytes.len() as u64,
        }
    }

    /// Streams the file, so the memory needed does not depend on its size.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        Self::of_reader(&mut File::open(path)?, &mut io::sink())
    }

    /// Hashes what is read and writes it to `sink`.
    pub fn of_reader(reader: &mut dyn Read, sink: &mut dyn io::Write) -> io::Result<Self> {
        measure("sha384", &SHA384, reader, sink)
    }

    /// With the algorithm of `integrity`, so that the two can be compared.
    pub fn like(integrity: &str, reader: &mut dyn Read) -> io::Result<Self> {
        let (name, algorithm) = match integrity.split_once('-').map_or("", |(name, _)| name) {
            "sha256" => ("sha256", &SHA256),
            "sha512" => ("sha512", &SHA512),
            _ => ("sha384", &SHA384),
        };
        measure(name, algorithm, reader, &mut io::sink())
    }
}

fn measure(
    name: &str,
    algorithm: &'static Algorithm,
    reader: &mut dyn Read,
    sink: &mut dyn io::Write,
) -> io::Result<Fingerprint> {
    let mut hash = Context::new(algorithm);
    let mut size = 0;
    let mut piece = vec![0; PIECE];
    loop {
        let n = match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&piece[..n]);
        sink.write_all(&piece[..n])?;
        size += n as u64;
    }
    Ok(Fingerprint {
        integrity: written(name, hash.finish().as_ref()),
        size,
    })
}

fn written(name: &str, hash: &[u8]) -> String {
    format!("{name}-{}", STANDARD.encode(hash))
}

/// The first ten hex digits of SHA-256 over the sorted `(path, integrity)` pairs: same content, same id.
pub fn build_id<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut sha = Context::new(&SHA256);
    for (path, integrity) in files {
        sha.update(path.as_bytes());
        sha.update(&[0]);
        sha.update(integrity.as_bytes());
        sha.update(b"\n");
    }
    sha.finish()
        .as_ref()
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
    fn an_integrity_is_compared_in_its_own_algorithm() {
        for (integrity, of_nothing) in [
            (
                "sha256-",
                "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            ),
            (
                "sha512-",
                "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
            ),
        ] {
            assert_eq!(
                Fingerprint::like(integrity, &mut io::empty())
                    .unwrap()
                    .integrity,
                of_nothing
            );
        }
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
