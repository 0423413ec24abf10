//! The manifest: the server's statement of one build, its chunk graph and facts. Immutable, named by the build's id.

use alloc::{borrow::Cow, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    format::{self, ANY, FORMAT, Fields, ID, INTEGRITY, Large, PATH, ParseError, SMALL, Whole},
    names::Names,
};
use crate::ids::BuildId;

/// Most bytes of a manifest that are read: room for 40 000 chunks.
pub const MANIFEST_LIMIT: usize = 16 * 1024 * 1024;

const DOCUMENT: &str = "the manifest";

/// One build: its files and what is known about them. Paths are relative to the site root, the base not included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`FORMAT`].
    pub format: u32,
    pub app: String,
    pub id: BuildId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// ISO 8601.
    pub created: String,
    /// The path, or the URL, that the bundler put before the name of every file.
    #[serde(default = "root")]
    pub base: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// A page never swaps from one epoch to another.
    #[serde(default = "first_epoch")]
    pub epoch: u32,
    /// The scripts that start the app.
    #[serde(default)]
    pub entries: Vec<String>,
    /// Hash of `index.html` without the stamp; says whether the document changed in substance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The exact bytes of every HTML file.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub documents: Names<Document>,
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub slots: Names<Slot>,
    #[serde(default)]
    pub chunks: Names<Chunk>,
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub stores: Names<Store>,
}

/// The commit that a build was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub sha: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

/// An HTML file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub integrity: String,
    /// In bytes.
    pub size: u64,
}

/// A named, replaceable place in the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub file: String,
    pub kind: SlotKind,
    #[serde(default)]
    pub schema: u32,
}

/// What code a slot runs. A kind of a later version is never swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlotKind {
    Module,
    /// The file is the glue, and the binary is among what it imports: the two are one unit.
    Wasm,
    #[serde(other)]
    Unknown,
}

/// A file of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chunk {
    /// The same from build to build for what is the same module to the developer.
    pub id: String,
    /// Hash of the code without the hashed names of other files in it.
    pub code: String,
    pub integrity: String,
    /// In bytes.
    pub size: u64,
    pub kind: ChunkKind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic_imports: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub css: Vec<String>,
    /// The names that other chunks can import; empty also when the build does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exports: Vec<String>,
    pub owner: Owner,
}

/// What a chunk is. A kind of a later version counts as an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChunkKind {
    Script,
    Style,
    Wasm,
    #[serde(other)]
    Asset,
}

/// Who holds a chunk. An owner of a later version counts as the shell, which is never swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    Slot,
    Shared,
    Pinned,
    #[serde(other)]
    Shell,
}

/// A named piece of client state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// The version that the build writes.
    pub schema: u32,
    /// The versions that the build can read.
    #[serde(default)]
    pub reads: Vec<u32>,
}

impl Manifest {
    /// Reads and checks the text of a manifest. Unknown fields pass.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut reading = Reading::new(text)?;
        loop {
            if let Some(read) = reading.step(usize::MAX) {
                return read;
            }
        }
    }

    fn read(
        fields: &mut Fields<'_>,
        chunks: Option<Names<Chunk>>,
        error: Option<ParseError>,
    ) -> Self {
        Self {
            format: FORMAT,
            app: fields.text("app", ID),
            id: BuildId(fields.text("id", ID)),
            version: fields.maybe_text("version", ANY),
            created: fields.text("created", ANY),
            base: fields.maybe_text("base", ANY).unwrap_or_else(root),
            commit: fields
                .maybe_inner("commit")
                .map(|mut commit| Commit::read(&mut commit)),
            epoch: fields
                .maybe_number("epoch", SMALL)
                .map_or_else(first_epoch, |epoch| epoch as u32),
            entries: fields.texts("entries", PATH),
            html: fields.maybe_text("html", INTEGRITY),
            documents: fields.named("documents", PATH, Document::read),
            slots: fields.named("slots", ANY, Slot::read),
            chunks: match chunks {
                Some(chunks) => {
                    fields.blame(error);
                    chunks
                }
                None => fields.named("chunks", PATH, Chunk::read),
            },
            stores: fields.named("stores", ANY, Store::read),
        }
    }

    /// Writes the manifest, indented, fields in the order of the type and names in the order of bytes.
    pub fn to_json(&self) -> String {
        // Only maps with odd keys or failing writers make serde_json fail; there is neither.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// A manifest without files.
    pub fn new(app: &str, id: BuildId, created: &str) -> Self {
        Self {
            format: FORMAT,
            app: app.into(),
            id,
            version: None,
            created: created.into(),
            base: root(),
            commit: None,
            epoch: first_epoch(),
            entries: Vec::new(),
            html: None,
            documents: Names::new(),
            slots: Names::new(),
            chunks: Names::new(),
            stores: Names::new(),
        }
    }
}

/// A manifest that is being read, slice by slice.
#[derive(Debug)]
pub struct Reading<'t>(format::Reading<'t, Chunk>);

impl<'t> Reading<'t> {
    pub fn new(text: impl Into<Cow<'t, str>>) -> Result<Self, ParseError> {
        let chunks = Large {
            field: "chunks",
            names: PATH,
            read: Chunk::read,
        };
        format::Reading::new(DOCUMENT, text.into(), MANIFEST_LIMIT, chunks).map(Self)
    }

    /// Of the text, in bytes.
    pub fn size(&self) -> usize {
        self.0.size()
    }

    /// Reads about `bytes` more. Hands out the manifest, or what is wrong with it, at the end.
    pub fn step(&mut self, bytes: usize) -> Option<Result<Manifest, ParseError>> {
        let whole = match self.0.step(bytes)? {
            Ok(whole) => whole,
            Err(error) => return Some(Err(error)),
        };
        let Whole {
            fields,
            large,
            error,
        } = whole;
        Some(format::finish(DOCUMENT, fields, |fields| {
            Manifest::read(fields, large, error)
        }))
    }
}

impl Commit {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            sha: fields.text("sha", ANY),
            author: fields.maybe_text("author", ANY),
            message: fields.maybe_text("message", ANY),
            time: fields.maybe_text("time", ANY),
        }
    }
}

impl Document {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            integrity: fields.text("integrity", INTEGRITY),
            size: fields.number("size", u64::MAX),
        }
    }
}

impl Slot {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            file: fields.text("file", PATH),
            kind: match fields.text("kind", ANY).as_str() {
                "module" => SlotKind::Module,
                "wasm" => SlotKind::Wasm,
                _ => SlotKind::Unknown,
            },
            schema: fields.maybe_number("schema", SMALL).unwrap_or_default() as u32,
        }
    }
}

impl Chunk {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            id: fields.text("id", ANY),
            code: fields.text("code", ANY),
            integrity: fields.text("integrity", INTEGRITY),
            size: fields.number("size", u64::MAX),
            kind: match fields.text("kind", ANY).as_str() {
                "script" => ChunkKind::Script,
                "style" => ChunkKind::Style,
                "wasm" => ChunkKind::Wasm,
                _ => ChunkKind::Asset,
            },
            imports: fields.texts("imports", PATH),
            dynamic_imports: fields.texts("dynamicImports", PATH),
            css: fields.texts("css", PATH),
            exports: fields.texts("exports", ANY),
            owner: match fields.text("owner", ANY).as_str() {
                "slot" => Owner::Slot,
                "shared" => Owner::Shared,
                "pinned" => Owner::Pinned,
                _ => Owner::Shell,
            },
        }
    }
}

impl Store {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            schema: fields.number("schema", SMALL) as u32,
            reads: fields.smalls("reads"),
        }
    }
}

fn root() -> String {
    "/".into()
}

fn first_epoch() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const HASH: &str = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn the_smallest_manifest_gets_the_defaults() {
        let manifest = Manifest::parse(
            r#"{"format":1,"app":"shop","id":"a","created":"2026-07-31T12:00:00Z"}"#,
        )
        .unwrap();
        assert_eq!(
            manifest,
            Manifest::new("shop", BuildId("a".into()), "2026-07-31T12:00:00Z")
        );
        assert_eq!(Manifest::parse(&manifest.to_json()).unwrap(), manifest);
    }

    #[test]
    fn kinds_and_owners_of_a_later_version_pass() {
        let manifest = Manifest::parse(&with_chunk("a.js", "worker", "tenant")).unwrap();
        let chunk = &manifest.chunks["a.js"];
        assert_eq!((chunk.kind, chunk.owner), (ChunkKind::Asset, Owner::Shell));
        let slot = r#""slots":{"cart":{"file":"a.js","kind":"worklet"}},"chunks""#;
        let text = with_chunk("a.js", "script", "slot").replacen(r#""chunks""#, slot, 1);
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest.slots["cart"].kind, SlotKind::Unknown);
        assert_eq!(
            Manifest::parse(&manifest.to_json()).unwrap().slots["cart"].kind,
            SlotKind::Unknown
        );
    }

    #[test]
    fn a_file_outside_the_site_is_refused_by_name() {
        let error = Manifest::parse(&with_chunk("../a.js", "script", "shell")).unwrap_err();
        assert_eq!(error.code(), "invalid_value");
        assert_eq!(
            error.to_string(),
            "the manifest has chunks \"../a.js\", which must be a relative path without '..', scheme or host"
        );
    }

    fn with_chunk(path: &str, kind: &str, owner: &str) -> String {
        alloc::format!(
            r#"{{"format":1,"app":"shop","id":"a","created":"x","chunks":{{"{path}":
                {{"id":"a","code":"c","integrity":"{HASH}","size":1,"kind":"{kind}","owner":"{owner}"}}}}}}"#
        )
    }
}
