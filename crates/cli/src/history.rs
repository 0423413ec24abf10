//! What was live on a site: one file for each release, written before the pointer names it and marked after.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use changeover::engine::manifest::Commit;
use changeover::engine::release::Release;
use serde::{Deserialize, Serialize};

use crate::build::Note;
use crate::error::Result;
use crate::release_document::{Fields, ReleaseDocument};
use crate::site::{Site, names_in};
use crate::time::{rfc3339, unix_now};

/// A release of the history, and what is known about how it was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub release: ReleaseDocument,
    pub published: Publication,
    /// The id of the build that the release names.
    pub build: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// Set after the pointer moved: without it, and not named by the pointer, the release was never live.
    #[serde(default)]
    pub live: bool,
}

/// Who made a release, when and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// RFC 3339.
    pub time: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// The history as it is on the disk.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Oldest first, those of killed publishes included.
    pub entries: Vec<Entry>,
    /// What is wrong with each file that is not a usable entry. Which build such a file is about is not known.
    pub unusable: Vec<String>,
}

impl Publication {
    /// Made now, on this machine.
    pub fn now(by: Option<String>) -> Self {
        let host = fs::read_to_string("/proc/sys/kernel/hostname")
            .ok()
            .or_else(|| std::env::var("HOSTNAME").ok())
            .or_else(|| std::env::var("COMPUTERNAME").ok())
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty());
        Self {
            by,
            time: rfc3339(unix_now()),
            host,
        }
    }
}

impl Entry {
    /// Reads and checks the text of an entry; its release passes the checks of a pointer. Unknown fields pass.
    fn parse(text: &str, sequence: u64) -> Result<Self, String> {
        let entry: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if entry.release.sequence != sequence {
            return Err(format!("it holds release {}", entry.release.sequence));
        }
        // The id leads to files, so it must be the one that was checked.
        if entry.build != entry.release.build.id.0 {
            return Err(format!(
                "its build is {:?}, but its release names build {}",
                entry.build, entry.release.build.id.0
            ));
        }
        Ok(entry)
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("an entry has only string keys") + "\n"
    }
}

/// The text of an entry, marked as one that was live. Every other field stays as it is written.
pub fn marked_live(text: &str) -> serde_json::Result<String> {
    let mut fields = Fields::parse(text)?;
    fields.set("live", &true);
    Ok(fields.to_json() + "\n")
}

impl Recorded {
    /// Whether a build may be that of an entry which cannot be read.
    pub fn may_hide(&self, build: &str) -> bool {
        !self.unusable.is_empty() && self.entries.iter().all(|entry| entry.build != build)
    }

    /// Says which files of the history are passed over.
    pub fn note(&self) -> Option<Note> {
        let first = self.unusable.first()?;
        let more = match self.unusable.len() - 1 {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        Some(Note {
            code: "history-unusable",
            text: format!(
                "an entry of the history is passed over: {first}{more}. Its build cannot be rolled back to, and builds that \
                 no other entry names are kept; correct the file, or remove it"
            ),
            files: Vec::new(),
        })
    }
}

impl Site {
    /// Every release that was ever live, oldest first. `live` is the one that is now.
    pub fn history(&self, live: Option<&Release>) -> Result<Vec<Entry>> {
        let now = live.map(|release| release.sequence);
        let mut entries = self.recorded()?.entries;
        entries.retain(|entry| entry.live || Some(entry.release.sequence) == now);
        Ok(entries)
    }

    /// Every file of the history.
    pub fn recorded(&self) -> Result<Recorded> {
        let (mut entries, mut unusable) = (BTreeMap::new(), Vec::new());
        for (sequence, path) in self.history_files()? {
            match read(&path, sequence) {
                Ok(entry) => {
                    entries.insert(sequence, entry);
                }
                Err(why) => unusable.push(format!("{} cannot be used: {why}", path.display())),
            }
        }
        Ok(Recorded {
            entries: entries.into_values().collect(),
            unusable,
        })
    }

    /// The history as file names, usable or not, in no order.
    pub fn history_files(&self) -> Result<Vec<(u64, PathBuf)>> {
        let folder = self.guard().join("releases");
        Ok(names_in(&folder)?
            .into_iter()
            .filter_map(|name| Some((name.strip_suffix(".json")?.parse().ok()?, name)))
            .map(|(sequence, name)| (sequence, folder.join(name)))
            .collect())
    }

    pub fn history_file(&self, sequence: u64) -> PathBuf {
        self.guard()
            .join("releases")
            .join(format!("{sequence}.json"))
    }
}

fn read(path: &Path, sequence: u64) -> Result<Entry, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    Entry::parse(&String::from_utf8_lossy(&bytes), sequence)
}

/// The builds of a history, each with its last entry, the most recently released first.
pub fn builds_by_recency(history: &[Entry]) -> Vec<&Entry> {
    let mut builds: Vec<&Entry> = Vec::new();
    for entry in history.iter().rev() {
        if builds.iter().all(|known| known.build != entry.build) {
            builds.push(entry);
        }
    }
    builds
}
