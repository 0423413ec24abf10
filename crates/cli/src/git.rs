//! The commit and the name of the publisher, if git knows them. Failures of git are ignored.

use std::path::Path;
use std::process::{Command, Stdio};

/// Longer subject lines are cut, in characters: every page loads the manifest.
const SUBJECT_CHARS: usize = 200;

/// The commit that a dist was presumably built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitFacts {
    pub sha: String,
    pub author: String,
    /// The subject line.
    pub message: String,
    /// RFC 3339, with the committer's offset.
    pub time: String,
}

/// The head commit of the repository around `dist`; `None` without git, a repository or a commit.
///
/// A dist inside `node_modules` was built from another repository, so this returns `None` for it.
pub fn head_commit(dist: &Path) -> Option<CommitFacts> {
    if dist
        .components()
        .any(|part| part.as_os_str() == "node_modules")
    {
        return None;
    }
    let line = ask(
        dist,
        &[
            "log",
            "-1",
            "--no-show-signature",
            "--format=%H%x00%an%x00%s%x00%cI",
        ],
    )?;
    let mut parts = line.splitn(4, '\0');
    let facts = CommitFacts {
        sha: parts.next()?.to_owned(),
        author: parts.next()?.to_owned(),
        message: parts.next()?.chars().take(SUBJECT_CHARS).collect(),
        time: parts.next()?.to_owned(),
    };
    (!facts.sha.is_empty()).then_some(facts)
}

/// Who publishes: git's `user.name`, else the login name.
pub fn publisher(dist: &Path) -> Option<String> {
    ask(dist, &["config", "user.name"])
        .or_else(|| std::env::var("USER").ok())
        .or_else(|| std::env::var("USERNAME").ok())
        .filter(|name| !name.is_empty())
}

fn ask(folder: &Path, words: &[&str]) -> Option<String> {
    let out = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    if !out.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&out.stdout);
    let text = text.trim_end_matches(['\n', '\r']);
    (!text.is_empty()).then(|| text.to_owned())
}
