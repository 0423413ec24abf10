//! The manifest: the server's statement of one build, its chunk graph and facts. Immutable, named by the build's id.

mod reading;

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Deserializer, Serialize};

use super::format::{
    self, FORMAT, Id, Integrity, ParseError, RelativePath, build_id, maybe_text, named, number,
    or_default, text, texts,
};
use crate::ids::{BuildId, Names};

pub use reading::Reading;

/// Most bytes of a manifest that are read: room for 40 000 chunks.
pub const MANIFEST_LIMIT: usize = 16 * 1024 * 1024;

const DOCUMENT: &str = "the manifest";

/// One build: its files and what is known about them. Paths are relative to the site root, the base not included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`FORMAT`].
    #[serde(deserialize_with = "format::format")]
    pub format: u32,
    #[serde(deserialize_with = "text::<Id, _>")]
    pub app: String,
    #[serde(deserialize_with = "build_id")]
    pub id: BuildId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// ISO 8601.
    pub created: String,
    /// The path, or the URL, that the bundler put before the name of every file.
    #[serde(default = "root", deserialize_with = "base")]
    pub base: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// A page never swaps from one epoch to another.
    #[serde(default = "first_epoch", deserialize_with = "epoch")]
    pub epoch: u32,
    /// The scripts that start the app.
    #[serde(default, deserialize_with = "texts::<RelativePath, _>")]
    pub entries: Vec<String>,
    /// Hash of `index.html` without the stamp; says whether the document changed in substance.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "maybe_text::<Integrity, _>"
    )]
    pub html: Option<String>,
    /// The exact bytes of every HTML file.
    #[serde(
        default,
        skip_serializing_if = "is_empty",
        deserialize_with = "named::<RelativePath, _, _>"
    )]
    pub documents: Names<Document>,
    #[serde(
        default,
        skip_serializing_if = "is_empty",
        deserialize_with = "or_default"
    )]
    pub slots: Names<Slot>,
    #[serde(default, deserialize_with = "named::<RelativePath, _, _>")]
    pub chunks: Names<Chunk>,
    #[serde(
        default,
        skip_serializing_if = "is_empty",
        deserialize_with = "or_default"
    )]
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
    #[serde(deserialize_with = "text::<Integrity, _>")]
    pub integrity: String,
    /// In bytes.
    #[serde(deserialize_with = "number")]
    pub size: u64,
}

/// A named, replaceable place in the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    #[serde(deserialize_with = "text::<RelativePath, _>")]
    pub file: String,
    pub kind: SlotKind,
    #[serde(default, deserialize_with = "or_default")]
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
    #[serde(deserialize_with = "text::<Integrity, _>")]
    pub integrity: String,
    /// In bytes.
    #[serde(deserialize_with = "number")]
    pub size: u64,
    pub kind: ChunkKind,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "texts::<RelativePath, _>"
    )]
    pub imports: Vec<String>,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "texts::<RelativePath, _>"
    )]
    pub dynamic_imports: Vec<String>,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "texts::<RelativePath, _>"
    )]
    pub css: Vec<String>,
    /// The names that other chunks can import; empty also when the build does not say.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "or_default"
    )]
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
    #[serde(default, deserialize_with = "or_default")]
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

fn is_empty<V>(names: &Names<V>) -> bool {
    names.len() == 0
}

fn root() -> String {
    "/".into()
}

fn base<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(|base| base.unwrap_or_else(root))
}

fn first_epoch() -> u32 {
    1
}

fn epoch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Option::deserialize(deserializer).map(|epoch| epoch.unwrap_or_else(first_epoch))
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
        let chunk = manifest.chunks.get("a.js").unwrap();
        assert_eq!((chunk.kind, chunk.owner), (ChunkKind::Asset, Owner::Shell));
        let slot = r#""slots":{"cart":{"file":"a.js","kind":"worklet"}},"chunks""#;
        let text = with_chunk("a.js", "script", "slot").replacen(r#""chunks""#, slot, 1);
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest.slots.get("cart").unwrap().kind, SlotKind::Unknown);
        assert_eq!(
            Manifest::parse(&manifest.to_json())
                .unwrap()
                .slots
                .get("cart")
                .unwrap()
                .kind,
            SlotKind::Unknown
        );
    }

    #[test]
    fn a_half_of_a_character_anywhere_costs_that_character_alone() {
        let half = r"\ud83d";
        let text = with_chunk("a.js", "script", "shell")
            .replace(r#""id":"a","code""#, &format!(r#""id":"{half}","code""#))
            .replacen('{', &format!(r#"{{"version":"{half}","#), 1);
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest.version.as_deref(), Some("\u{fffd}"));
        assert_eq!(manifest.chunks.get("a.js").unwrap().id, "\u{fffd}");
    }

    #[test]
    fn a_file_outside_the_site_is_refused_by_name() {
        let error = Manifest::parse(&with_chunk("../a.js", "script", "shell")).unwrap_err();
        assert_eq!(error.code(), "invalid_value");
        assert_eq!(
            error.to_string(),
            "the manifest has a wrong chunks: invalid value: string \"../a.js\", expected a relative path without '..', scheme or host"
        );
    }

    fn with_chunk(path: &str, kind: &str, owner: &str) -> String {
        alloc::format!(
            r#"{{"format":1,"app":"shop","id":"a","created":"x","chunks":{{"{path}":
                {{"id":"a","code":"c","integrity":"{HASH}","size":1,"kind":"{kind}","owner":"{owner}"}}}}}}"#
        )
    }
}
