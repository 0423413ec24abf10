//! Whether all files of a build are there. A copy by other tools than `publish` may bring the pointer first.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::snapshot::{Fact, Files};
use super::stamp::Stamp;
use crate::build::named;
use crate::hash::Fingerprint;

/// A copy counts as finished when nothing has arrived for this long: rsync shows a large file only when it is complete.
const QUIET: Duration = Duration::from_secs(10);

/// The files that a build lacks on this disk, with the size of those that exist and differ from the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    files: BTreeMap<String, Option<u64>>,
    /// Whether code, styles or documents are absent, without which the build does not work.
    essential: bool,
}

impl Missing {
    /// What the server is waiting for.
    pub fn sentence(&self, build: &str) -> String {
        format!("files of build {build}: {}", self.names())
    }

    /// Warns that a build is served although files are missing.
    pub fn warn(&self, build: &str) {
        let (count, names) = (self.files.len(), self.names());
        eprintln!(
            "warning: build {build} is served although this server does not have {count} of its files as its manifest says: {names}"
        );
    }

    fn names(&self) -> String {
        named(&self.files.keys().cloned().collect::<Vec<_>>())
    }
}

/// Follows the files of a build while they arrive.
#[derive(Debug, Default)]
pub struct Arriving {
    last: Option<(String, Missing, Instant)>,
    /// Files that had the bytes of their manifest, with their stamps at that time.
    intact: HashMap<Arc<Path>, (Arc<str>, Stamp)>,
}

impl Arriving {
    /// The files that a build lacks; `None` when it is complete. In a folder of its own, sizes are compared; where
    /// files of another build may still be, hashes are.
    pub fn missing(&mut self, files: &Files, is_own: bool) -> Option<Missing> {
        let mut missing = Missing {
            files: BTreeMap::new(),
            essential: false,
        };
        for (path, fact) in &files.facts {
            let found = fs::metadata(&fact.file).ok().filter(fs::Metadata::is_file);
            let size = found.as_ref().map(fs::Metadata::len);
            let is_there = size == Some(fact.size)
                && (is_own || found.is_some_and(|found| self.is_intact(fact, &found)));
            if !is_there {
                missing.essential |= size.is_none() && fact.is_essential;
                missing.files.insert(path.clone(), size);
            }
        }
        (!missing.files.is_empty()).then_some(missing)
    }

    fn is_intact(&mut self, fact: &Fact, found: &fs::Metadata) -> bool {
        let stamp = Stamp::from(found);
        if let Some((integrity, then)) = self.intact.get(&fact.file)
            && (integrity, then) == (&fact.integrity, &stamp)
        {
            return true;
        }
        let is_intact = fs::File::open(&fact.file)
            .and_then(|mut open| Fingerprint::like(&fact.integrity, &mut open))
            .is_ok_and(|print| print.integrity == *fact.integrity);
        if is_intact && !stamp.is_young() {
            self.intact
                .insert(fact.file.clone(), (fact.integrity.clone(), stamp));
        }
        is_intact
    }

    /// Whether the build can be served without the missing files: nothing has arrived for a while, and they are only
    /// pictures, maps or files with other bytes, which may have been left out or changed on purpose.
    pub fn is_over(&mut self, build: &str, missing: &Missing) -> bool {
        let now = Instant::now();
        let since = match &self.last {
            Some((id, last, since)) if id == build && last == missing => *since,
            _ => {
                self.last = Some((build.to_owned(), missing.clone(), now));
                now
            }
        };
        !missing.essential && now.duration_since(since) >= QUIET
    }
}
