//! A site that is served.

use std::fs;

use super::{index, path, publish, put};

/// Named by the beginning of the SHA-256 of what they hold: `one` and `two`.
pub const ENTRY: &str = "assets/index-7692c3ad.js";
pub const NEXT_ENTRY: &str = "assets/index-3fc4ccfe.js";

/// A site with one build: a hashed entry, a plain script and a page in a folder.
pub fn site() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    build(&root, ENTRY, "one");
    publish(&path(&root, "dist"), &path(&root, "site"), &[]);
    root
}

pub fn build(root: &tempfile::TempDir, entry: &str, content: &str) {
    let dist = path(root, "dist");
    let _ = fs::remove_dir_all(&dist);
    put(&dist, "index.html", index(&[&format!("/{entry}")]));
    put(&dist, "docs/index.html", "<p>docs");
    put(&dist, "about.html", "<p>about");
    put(&dist, entry, content);
    put(&dist, "plain.js", content);
    put(&dist, "a b/ü.txt", "odd");
    put(&dist, "x.wasm", "\0asm");
}

pub fn next_build(root: &tempfile::TempDir) {
    build(root, NEXT_ENTRY, "two");
    publish(&path(root, "dist"), &path(root, "site"), &[]);
}
