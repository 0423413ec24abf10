//! A file, or a document in memory, as it is sent: its bytes in one coding, and the headers about them.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bytes::Bytes;
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, HeaderValue, VARY, X_CONTENT_TYPE_OPTIONS,
};

use super::coding::{CODINGS, Coding};
use super::hashed_names::content_proves;
use super::stamp::Stamp;
use crate::build::extension;
use crate::hash::Fingerprint;

/// Files up to this size are served from memory; the cache has room for a few of the largest.
pub const IN_MEMORY: u64 = 8 * 1024 * 1024;

/// Files up to this size are hashed before their first response, which takes a fraction of a second. Larger ones have
/// an ETag made from size and time, and are never immutable.
const HASHED: u64 = 64 * 1024 * 1024;

/// Shorter files are not compressed: they fit into one packet anyway.
const WORTH_CODING: u64 = 64;

/// The bytes of one resource in one coding.
#[derive(Debug)]
pub struct Representation {
    pub stamp: Option<Stamp>,
    pub content: Content,
    pub size: u64,
    pub etag: String,
    /// The hash of the plain resource; `None` when it is too large to be hashed.
    pub integrity: Option<String>,
    /// Whether the name contains the beginning of a hash of the bytes.
    pub names_itself: bool,
    /// Whether there may be other codings of it.
    pub varies: bool,
    pub coding: Option<Coding>,
    /// The headers of a response with status 200. `Cache-Control` is replaced for immutable files.
    pub headers: HeaderMap,
    selected: OnceLock<HeaderMap>,
}

/// Browsers have to ask before they use their copy.
pub const ASK_EVERY_TIME: HeaderValue = HeaderValue::from_static("no-cache");

/// Where the bytes are.
#[derive(Debug)]
pub enum Content {
    Memory(Bytes),
    Disk(PathBuf),
    /// A file on disk that is encoded while it is sent.
    Encoded(PathBuf),
}

impl Representation {
    /// JSON that is in memory.
    pub fn of_json(body: Vec<u8>) -> Self {
        let kind = HeaderValue::from_static("application/json");
        let integrity = Fingerprint::of(&body).integrity;
        let size = body.len() as u64;
        Self::new(Plain {
            etag: etag_of(&integrity),
            content: Content::Memory(body.into()),
            size,
            integrity: Some(integrity),
            stamp: None,
            names_itself: false,
            varies: true,
            kind,
        })
    }

    /// Reads a file, at least to hash it. `like` is an integrity that its own will be compared with.
    pub fn of_file(path: &Path, like: Option<&str>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let stamp = Stamp::from(&meta);
        let kind = media_type(path);
        let varies = (is_compressible(&kind) && meta.len() >= WORTH_CODING)
            || CODINGS
                .iter()
                .any(|coding| sibling(path, *coding).is_file());
        let name = path.to_string_lossy();
        let mut plain = Plain {
            content: Content::Disk(path.to_path_buf()),
            size: meta.len(),
            etag: String::new(),
            integrity: None,
            names_itself: false,
            varies,
            kind,
            stamp: Some(stamp.clone()),
        };
        if meta.len() <= IN_MEMORY {
            let mut bytes = Vec::with_capacity(meta.len() as usize);
            file.read_to_end(&mut bytes)?;
            plain.size = bytes.len() as u64;
            plain.integrity = Some(integrity_of(&mut bytes.as_slice(), like)?);
            plain.names_itself = content_proves(&name, &bytes);
            plain.content = Content::Memory(bytes.into());
        } else if meta.len() <= HASHED {
            plain.integrity = Some(integrity_of(&mut file, like)?);
            file.rewind()?;
        }
        plain.etag = match &plain.integrity {
            Some(integrity) => etag_of(integrity),
            None if stamp.is_young() => format!("W/\"{}\"", stamp.text()),
            None => format!("\"{}\"", stamp.text()),
        };
        Ok(Self::new(plain))
    }

    /// The same resource in a coding, precompressed or compressed here. `None` when that is not shorter.
    pub fn coded(&self, coding: Coding, file: Option<&Path>) -> io::Result<Option<Self>> {
        if let Some(file) = file
            && let Some(found) = self.sibling(coding, file)?
        {
            return Ok(Some(found));
        }
        let kind = &self.headers[CONTENT_TYPE];
        if !is_compressible(kind) || self.size < WORTH_CODING {
            return Ok(None);
        }
        match &self.content {
            Content::Memory(bytes) => {
                let coded = coding.encode(bytes)?;
                Ok((coded.len() < bytes.len()).then(|| self.with(coding, coded)))
            }
            Content::Disk(path) => Ok(Some(self.encoded(coding, path))),
            Content::Encoded(_) => Ok(None),
        }
    }

    /// The precompressed file beside it, if that has the same content: it may be left from an older build.
    fn sibling(&self, coding: Coding, file: &Path) -> io::Result<Option<Self>> {
        let path = sibling(file, coding);
        let Ok(mut beside) = File::open(&path) else {
            return Ok(None);
        };
        let meta = beside.metadata()?;
        let Some(own) = self.integrity.as_deref().filter(|_| meta.is_file()) else {
            return Ok(None);
        };
        let decoded = coding
            .decoded(io::BufReader::new(&beside))
            .and_then(|mut decoded| {
                // A small compressed file may decode to any amount of data.
                Fingerprint::like(own, &mut decoded.by_ref().take(self.size + 1))
            });
        if !decoded.is_ok_and(|print| print.integrity == own) {
            return Ok(None);
        }
        beside.rewind()?;
        if meta.len() > IN_MEMORY {
            let mut found = self.with(coding, Vec::new());
            found.size = meta.len();
            found.content = Content::Disk(path);
            let etag = self.etag.trim_end_matches('"');
            found.set_etag(format!("{etag}-{}-{:x}\"", coding.name(), meta.len()));
            found.headers.insert(CONTENT_LENGTH, meta.len().into());
            return Ok(Some(found));
        }
        let mut bytes = Vec::with_capacity(meta.len() as usize);
        beside.read_to_end(&mut bytes)?;
        Ok(Some(self.with(coding, bytes)))
    }

    fn with(&self, coding: Coding, coded: Vec<u8>) -> Self {
        let mut found = self.alike(coding);
        found.size = coded.len() as u64;
        // Each coding has its own ETag: ranges of two codings must never be joined.
        found.set_etag(etag_of(&Fingerprint::of(&coded).integrity));
        found.headers.insert(CONTENT_LENGTH, coded.len().into());
        found.content = Content::Memory(coded.into());
        found
    }

    /// Encoded while it is sent: without length or ranges, and with a weak ETag.
    fn encoded(&self, coding: Coding, path: &Path) -> Self {
        let mut found = self.alike(coding);
        let tag = self.etag.trim_start_matches("W/").trim_end_matches('"');
        found.set_etag(format!("W/{tag}-{}\"", coding.name()));
        found.headers.remove(ACCEPT_RANGES);
        found.headers.remove(CONTENT_LENGTH);
        found.content = Content::Encoded(path.to_path_buf());
        found
    }

    fn alike(&self, coding: Coding) -> Self {
        let mut headers = self.headers.clone();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        Self {
            stamp: self.stamp.clone(),
            content: Content::Memory(Bytes::new()),
            size: self.size,
            etag: self.etag.clone(),
            integrity: self.integrity.clone(),
            names_itself: self.names_itself,
            varies: true,
            coding: Some(coding),
            headers,
            selected: OnceLock::new(),
        }
    }

    /// The headers with which a cache identifies its copy when a response has no body. RFC 9110, 15.4.5.
    pub fn selected(&self) -> &HeaderMap {
        self.selected.get_or_init(|| {
            let names = [ETAG, VARY, X_CONTENT_TYPE_OPTIONS, CACHE_CONTROL];
            let has = |name: HeaderName| Some((name.clone(), self.headers.get(&name)?.clone()));
            names.into_iter().filter_map(has).collect()
        })
    }

    fn new(plain: Plain) -> Self {
        let mut headers = HeaderMap::with_capacity(12);
        headers.insert(CONTENT_TYPE, plain.kind);
        headers.insert(CONTENT_LENGTH, plain.size.into());
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CACHE_CONTROL, ASK_EVERY_TIME);
        if plain.varies {
            headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        let mut made = Self {
            stamp: plain.stamp,
            content: plain.content,
            size: plain.size,
            etag: String::new(),
            integrity: plain.integrity,
            names_itself: plain.names_itself,
            varies: plain.varies,
            coding: None,
            headers,
            selected: OnceLock::new(),
        };
        made.set_etag(plain.etag);
        made
    }

    fn set_etag(&mut self, etag: String) {
        // ETags made here are ASCII. If one ever is not, the response has none.
        if let Ok(value) = HeaderValue::try_from(&etag) {
            self.headers.insert(ETAG, value);
        }
        self.etag = etag;
    }

    /// Its size in the cache.
    pub fn weight(&self) -> u64 {
        let bytes = match &self.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::Disk(_) | Content::Encoded(_) => 0,
        };
        bytes + 1024
    }
}

struct Plain {
    stamp: Option<Stamp>,
    content: Content,
    size: u64,
    etag: String,
    integrity: Option<String>,
    names_itself: bool,
    varies: bool,
    kind: HeaderValue,
}

fn sibling(path: &Path, coding: Coding) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(coding.ending());
    beside.into()
}

fn integrity_of(reader: &mut dyn Read, like: Option<&str>) -> io::Result<String> {
    Ok(Fingerprint::like(like.unwrap_or_default(), reader)?.integrity)
}

/// Enough of the hash to distinguish any two files.
fn etag_of(integrity: &str) -> String {
    let hash = integrity
        .split_once('-')
        .map_or(integrity, |(_, hash)| hash);
    format!("\"{}\"", &hash[..hash.len().min(22)])
}

fn is_compressible(kind: &HeaderValue) -> bool {
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || matches!(
            kind,
            "application/json"
                | "application/javascript"
                | "application/wasm"
                | "application/xml"
                | "application/rtf"
                | "application/vnd.ms-fontobject"
                | "font/otf"
                | "font/ttf"
                | "image/bmp"
                | "image/x-icon"
                | "image/vnd.microsoft.icon"
        )
}

/// The types that browsers require are listed here; the others are the usual ones.
fn media_type(path: &Path) -> HeaderValue {
    let ending = extension(&path.to_string_lossy());
    let known = match ending.as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" | "cjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        _ => "",
    };
    if !known.is_empty() {
        return HeaderValue::from_static(known);
    }
    let guessed = mime_guess::from_path(path).first_or_octet_stream();
    let text = if guessed.type_() == "text" {
        format!("{}; charset=utf-8", guessed.essence_str())
    } else {
        guessed.essence_str().to_owned()
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_those_that_browsers_insist_on() {
        for (name, kind) in [
            ("a.wasm", "application/wasm"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("A.JS", "text/javascript; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.woff2", "font/woff2"),
            ("a.webmanifest", "application/manifest+json"),
            ("a.png", "image/png"),
            ("a.unknown", "application/octet-stream"),
            ("a", "application/octet-stream"),
        ] {
            assert_eq!(media_type(Path::new(name)), kind, "{name}");
        }
    }

    #[test]
    fn what_is_compressed_already_is_left_alone() {
        for (name, yes) in [
            ("a.js", true),
            ("a.wasm", true),
            ("a.html", true),
            ("a.svg", true),
            ("a.webmanifest", true),
            ("a.json", true),
            ("a.ttf", true),
            ("a.ico", true),
            ("a.woff2", false),
            ("a.png", false),
            ("a.mp4", false),
            ("a.zip", false),
            ("a", false),
        ] {
            assert_eq!(is_compressible(&media_type(Path::new(name))), yes, "{name}");
        }
    }
}
