//! The hashes of documents that other files of a dist list. A service worker compares them, so they must change with
//! the stamp of a document.
//!
//! Two formats are updated: `hashTable` of Angular's `ngsw.json`, and `revision` or `integrity` of a precache list, as
//! Workbox and `vite-plugin-pwa` write it into the worker. A document whose hash appears anywhere else stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use md5::Md5;
use regex::bytes::Regex;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};

use super::{Build, Note, Source, extension, named};
use crate::error::{At, Result};

/// Larger files are not searched for hashes.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Files with these endings list no hashes; a source map only repeats those of its script.
const NO_LISTS: [&str; 20] = [
    "png", "jpg", "jpeg", "gif", "webp", "avif", "ico", "woff", "woff2", "ttf", "otf", "mp3",
    "mp4", "webm", "pdf", "wasm", "gz", "br", "zst", "map",
];

/// What changes with some documents.
#[derive(Debug, Default)]
pub struct Followed {
    /// Files that list hashes, with the new hashes in them.
    pub rewritten: BTreeMap<String, Vec<u8>>,
    /// Documents that must stay as they are, and the files that list their hashes.
    pub untouchable: BTreeMap<String, Vec<String>>,
}

impl Followed {
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        if !self.rewritten.is_empty() {
            let files: Vec<_> = self.rewritten.keys().cloned().collect();
            notes.push(Note {
                code: "hashes-updated",
                text: format!(
                    "the hashes of stamped documents are brought up to date in {}",
                    named(&files)
                ),
                files,
            });
        }
        for (path, places) in &self.untouchable {
            notes.push(Note {
                code: "document-left-alone",
                text: format!(
                    "{path} is left as it is and gets no stamp, because {} lists its hash in a way that this tool cannot \
                     bring up to date; pages of a document without a stamp do not know their build and are left alone",
                    named(places)
                ),
                files: std::iter::once(path).chain(places).cloned().collect(),
            });
        }
        notes
    }
}

/// Finds what has to change when the documents of `build` are replaced by `stamped`.
pub fn follow(build: &Build, stamped: &BTreeMap<String, Vec<u8>>) -> Result<Followed> {
    let mut followed = Followed::default();
    if stamped.is_empty() {
        return Ok(followed);
    }
    let mut texts = Vec::new();
    let mut digests = Vec::new();
    for (path, bytes) in stamped {
        let pairs = digests_of(&build.originals[path])
            .into_iter()
            .zip(digests_of(bytes));
        for (old, new) in pairs {
            texts.push(old);
            digests.push((path, new));
        }
    }
    let finder = finder(&texts);
    let mut rewritten = BTreeMap::new();
    // The files that must be rewritten for each document, in case one of them cannot be.
    let mut listed_in: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
    let mut unknown: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
    each_text(build, &mut |file, bytes| {
        let hits: Vec<_> = finder.find_iter(bytes).collect();
        if hits.is_empty() {
            return;
        }
        let is_hash_table = is_hash_table(file, bytes);
        let mut new = bytes.to_vec();
        // Backwards, so that earlier positions stay valid.
        for hit in hits.iter().rev() {
            let (document, digest) = &digests[hit.pattern().as_usize()];
            if is_hash_table || is_in_a_list(bytes, hit.range()) {
                new.splice(hit.range(), digest.bytes());
                listed_in
                    .entry(document)
                    .or_default()
                    .insert(file.to_owned());
            } else {
                unknown.entry(document).or_default().insert(file.to_owned());
            }
        }
        rewritten.insert(file.to_owned(), new);
    })?;
    if rewritten.is_empty() {
        return Ok(followed);
    }
    // If the hash of a list is itself listed somewhere, rewriting the list would make that hash wrong.
    let lists: Vec<_> = rewritten.keys().cloned().collect();
    let mut texts = Vec::new();
    for list in &lists {
        let bytes = read(build, list)?;
        texts.extend(digests_of(&bytes));
    }
    let finder = self::finder(&texts);
    let kinds = texts.len() / lists.len();
    each_text(build, &mut |file, bytes| {
        for hit in finder.find_iter(bytes) {
            let list = &lists[hit.pattern().as_usize() / kinds];
            for (document, files) in &listed_in {
                if files.contains(list) {
                    unknown.entry(document).or_default().insert(file.to_owned());
                }
            }
        }
    })?;
    for (document, places) in unknown {
        // A list that stays as it is has the old hashes of its other documents, so those stay as well.
        for list in listed_in.get(document).into_iter().flatten() {
            rewritten.remove(list);
            let others = listed_in.iter().filter(|(_, lists)| lists.contains(list));
            for (other, _) in others {
                let places = followed.untouchable.entry((*other).clone()).or_default();
                places.push(list.clone());
            }
        }
        let known = followed.untouchable.entry(document.clone()).or_default();
        known.extend(places.iter().cloned());
        for place in &places {
            rewritten.remove(place);
        }
    }
    followed.rewritten = rewritten;
    Ok(followed)
}

/// Calls `look` for every file that could list hashes, including documents.
fn each_text(build: &Build, look: &mut dyn FnMut(&str, &[u8])) -> Result<()> {
    for (path, content) in &build.files {
        if content.print.size > LARGEST || NO_LISTS.contains(&extension(path).as_str()) {
            continue;
        }
        let bytes = read(build, path)?;
        if std::str::from_utf8(&bytes).is_ok() {
            look(path, &bytes);
        }
    }
    Ok(())
}

fn read(build: &Build, path: &str) -> Result<Vec<u8>> {
    match &build.files[path].source {
        Source::Disk(file) => fs::read(file).at("read", file),
        Source::Memory(bytes) => Ok(bytes.clone()),
    }
}

fn finder(texts: &[String]) -> AhoCorasick {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(texts)
        .expect("the documents of one dist are few enough")
}

/// The hashes of `bytes` in every known spelling, always in the same order.
fn digests_of(bytes: &[u8]) -> Vec<String> {
    use md5::Digest as _;
    let md5 = Md5::digest(bytes).to_vec();
    // For a URL without a file of its own, Workbox hashes the hashes of the files that it is made from.
    let md5_of_md5 = Md5::digest(hex(&md5)).to_vec();
    let ring = |algorithm| digest(algorithm, bytes).as_ref().to_vec();
    let hashes = [
        md5,
        md5_of_md5,
        ring(&SHA1_FOR_LEGACY_USE_ONLY),
        ring(&SHA256),
        ring(&SHA384),
        ring(&SHA512),
    ];
    let mut texts = Vec::new();
    for hash in hashes {
        let hex = hex(&hash);
        texts.push(hex.to_uppercase());
        texts.push(hex);
        texts.push(STANDARD.encode(&hash));
        texts.push(STANDARD_NO_PAD.encode(&hash));
        texts.push(URL_SAFE_NO_PAD.encode(&hash));
    }
    texts
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether every hash in this file is one of Angular's table.
fn is_hash_table(path: &str, bytes: &[u8]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("ngsw")
        && extension(path) == "json"
        && serde_json::from_slice::<serde_json::Value>(bytes)
            .is_ok_and(|value| value["hashTable"].is_object())
}

/// Whether the hash at `place` is the value of `revision` or `integrity`.
fn is_in_a_list(bytes: &[u8], place: Range<usize>) -> bool {
    static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?-u)(?:^|[^\w$])["']?(?:revision|integrity)["']?\s*:\s*["'`](?:sha\d{3}-)?$"#,
        )
        .expect("it is right")
    });
    // More than any tool writes between the two.
    let from = place.start.saturating_sub(80);
    BEFORE.is_match(&bytes[from..place.start])
}
