//! The manifest: the server's statement of one build, its chunk graph and facts. Immutable, named by the build's id.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    format::{
        self, FORMAT, ID_RULE, INTEGRITY_RULE, PATH_RULE, ParseError, is_id, is_integrity,
        is_relative_path,
    },
    io::BuildId,
};

/// Most bytes of a manifest that are read. 10 000 chunks take about 4 MiB.
pub const MANIFEST_LIMIT: usize = 8 * 1024 * 1024;

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
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub documents: BTreeMap<String, Document>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slots: BTreeMap<String, Slot>,
    #[serde(default)]
    pub chunks: BTreeMap<String, Chunk>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stores: BTreeMap<String, Store>,
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

/// What code a slot runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlotKind {
    Module,
    Wasm,
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
        let manifest: Self = format::read(DOCUMENT, text, MANIFEST_LIMIT)?;
        manifest.check()?;
        Ok(manifest)
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
            documents: BTreeMap::new(),
            slots: BTreeMap::new(),
            chunks: BTreeMap::new(),
            stores: BTreeMap::new(),
        }
    }

    fn check(&self) -> Result<(), ParseError> {
        if !is_id(&self.app) {
            return Err(invalid("app", &self.app, ID_RULE));
        }
        if !is_id(&self.id.0) {
            return Err(invalid("id", &self.id.0, ID_RULE));
        }
        check_paths("entries", &self.entries)?;
        if let Some(html) = &self.html {
            check_integrity("html", html)?;
        }
        for (path, document) in &self.documents {
            check_path("documents", path)?;
            check_integrity("documents.integrity", &document.integrity)?;
        }
        for slot in self.slots.values() {
            check_path("slots.file", &slot.file)?;
        }
        for (path, chunk) in &self.chunks {
            check_path("chunks", path)?;
            check_integrity("chunks.integrity", &chunk.integrity)?;
            check_paths("chunks.imports", &chunk.imports)?;
            check_paths("chunks.dynamicImports", &chunk.dynamic_imports)?;
            check_paths("chunks.css", &chunk.css)?;
        }
        Ok(())
    }
}

fn root() -> String {
    "/".into()
}

fn first_epoch() -> u32 {
    1
}

fn invalid(field: &str, value: &str, rule: &'static str) -> ParseError {
    ParseError::invalid(DOCUMENT, field, value, rule)
}

fn check_path(field: &str, path: &str) -> Result<(), ParseError> {
    if is_relative_path(path) {
        Ok(())
    } else {
        Err(invalid(field, path, PATH_RULE))
    }
}

fn check_paths(field: &str, paths: &[String]) -> Result<(), ParseError> {
    paths.iter().try_for_each(|path| check_path(field, path))
}

fn check_integrity(field: &str, integrity: &str) -> Result<(), ParseError> {
    if is_integrity(integrity) {
        Ok(())
    } else {
        Err(invalid(field, integrity, INTEGRITY_RULE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

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
