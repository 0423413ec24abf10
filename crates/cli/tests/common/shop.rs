//! A small app that is built, published and rolled back.

use std::fs;

use changeover_cli::hash::Fingerprint;
use serde_json::{Value, json};

use super::{changeover_json, index, json, path, publish, put};

/// A dist and the site it goes to.
pub struct Shop {
    pub root: tempfile::TempDir,
}

impl Shop {
    pub fn new() -> Self {
        let shop = Self {
            root: tempfile::tempdir().unwrap(),
        };
        shop.build("1");
        shop
    }

    pub fn dist(&self) -> std::path::PathBuf {
        path(&self.root, "dist")
    }

    pub fn site(&self) -> std::path::PathBuf {
        path(&self.root, "site")
    }

    /// One hashed file, one that keeps its name, one that never changes.
    pub fn build(&self, content: &str) {
        let _ = fs::remove_dir_all(self.dist());
        let entry = hashed(content);
        put(
            &self.dist(),
            "index.html",
            index(&[&format!("/{entry}"), "/plain.js"]),
        );
        put(&self.dist(), &entry, content);
        put(&self.dist(), "plain.js", content);
        put(&self.dist(), "same.css", "p{}");
    }

    pub fn publish(&self, more: &[&str]) -> Value {
        publish(&self.dist(), &self.site(), more)
    }

    pub fn rollback(&self, more: &[&str]) -> (i32, Value) {
        let site = self.site();
        let words = ["rollback", "--site", site.to_str().unwrap()];
        changeover_json(words.into_iter().chain(more.iter().copied()))
    }

    pub fn release(&self) -> Value {
        json(&self.site(), "changeover/release.json")
    }

    pub fn verify(&self) -> (i32, Value) {
        changeover_json(["verify", self.site().to_str().unwrap()])
    }

    pub fn has(&self, file: &str) -> bool {
        self.site().join(file).exists()
    }
}

pub fn hashed(content: &str) -> String {
    let hash = Fingerprint::of(content.as_bytes()).integrity;
    let hash: String = hash[7..]
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    format!("assets/main-{hash}.js")
}

pub fn error_of(words: &[&str]) -> (String, String) {
    let (code, value) = changeover_json(words.iter().copied());
    assert_eq!((code, &value["ok"]), (1, &json!(false)), "{value}");
    let field = |name: &str| value["error"][name].as_str().unwrap().to_owned();
    (field("code"), field("message"))
}
