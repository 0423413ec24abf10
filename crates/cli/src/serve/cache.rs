//! Keeps requested representations in memory, each until its file changes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quick_cache::sync::Cache as Memory;
use quick_cache::sync::DefaultLifecycle;
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::sync::Semaphore;

use super::coding::{Coding, accepted};
use super::representation::Representation;
use super::snapshot::Found;
use super::stamp::{Stamp, Unchanged, moment};
use crate::walk::is_hidden;
use hyper::header::HeaderMap;

/// Enough for a large app in three codings, and little enough for a small machine.
const CAPACITY: u64 = 128 * 1024 * 1024;

/// Each shard must have room for the largest file that is kept.
const SHARDS: usize = 4;

/// The number of files that are read, hashed and compressed at once. More would only compete for the processors.
const AT_ONCE: usize = 4;

/// A file in a coding, or as it is (`None`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    file: Arc<Path>,
    coding: Option<Coding>,
}

/// `None` when the file is not shorter in that coding.
#[derive(Debug)]
struct Cached {
    basis: Basis,
    /// When the file on disk was found unchanged. Encoded bytes depend on the plain ones instead.
    unchanged: Unchanged,
    representation: Option<Arc<Representation>>,
}

/// What a representation was made from; it is valid while that stays the same.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Basis {
    /// The file on disk.
    File(Stamp),
    /// The ETag of the plain bytes that were encoded.
    Plain(String),
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<Key, Arc<Cached>> for ByBytes {
    fn weight(&self, _: &Key, cached: &Arc<Cached>) -> u64 {
        cached
            .representation
            .as_ref()
            .map_or(256, |representation| representation.weight())
    }
}

/// Shared by all requests.
#[derive(Debug)]
pub struct Cache {
    memory: Memory<Key, Arc<Cached>, ByBytes>,
    /// The root of the site.
    site: PathBuf,
    turns: Arc<Semaphore>,
}

impl Cache {
    pub fn new(site: &Path) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(10_000)
            .weight_capacity(CAPACITY)
            .shards(SHARDS)
            .build()
            .expect("all that must be set is set");
        Self {
            memory: Memory::with_options(
                options,
                ByBytes,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            site: site.to_path_buf(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// The file in the coding that the client prefers. `Ok(None)` when it does not exist or must not be shown.
    ///
    /// Errors: temporary ones, such as too many open files.
    pub async fn chosen(
        &self,
        found: &Found,
        request: &HeaderMap,
    ) -> io::Result<Option<Arc<Representation>>> {
        let Some(plain) = self.plain(found).await? else {
            return Ok(None);
        };
        if plain.varies {
            for coding in accepted(request) {
                let coded = self.coded(&plain, Some(&found.file), found.file.clone(), coding);
                if let Some(coded) = coded.await? {
                    return Ok(Some(coded));
                }
            }
        }
        Ok(Some(plain))
    }

    /// A document from memory in the coding that the client prefers; `name` is its key.
    pub async fn chosen_of(
        &self,
        plain: &Arc<Representation>,
        name: &str,
        request: &HeaderMap,
    ) -> io::Result<Arc<Representation>> {
        for coding in accepted(request) {
            if let Some(coded) = self
                .coded(plain, None, Path::new(name).into(), coding)
                .await?
            {
                return Ok(coded);
            }
        }
        Ok(plain.clone())
    }

    async fn plain(&self, found: &Found) -> io::Result<Option<Arc<Representation>>> {
        let key = Key {
            file: found.file.clone(),
            coding: None,
        };
        let cached = self.memory.get(&key);
        if let Some(cached) = &cached
            && cached.unchanged.holds()
        {
            return Ok(cached.representation.clone());
        }
        let at = moment();
        let basis = match Stamp::of(&found.file) {
            Ok(stamp) => Basis::File(stamp),
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        if let Some(cached) = cached
            && cached.basis == basis
        {
            cached.unchanged.note(at);
            return Ok(cached.representation.clone());
        }
        let _turn = self.turns.acquire().await;
        if let Some(cached) = self.fresh(&key, &basis) {
            return Ok(cached.representation.clone());
        }
        let Found {
            file,
            within,
            integrity,
            ..
        } = found.clone();
        let site = self.site.clone();
        let read = on_a_thread(move || {
            if !is_shown(&file, &within)? && !is_shown(&file, &site)? {
                return Ok(None);
            }
            Representation::of_file(&file, integrity.as_deref()).map(Some)
        });
        match read.await {
            Ok(Some(read)) => Ok(Some(self.keep(
                key,
                Arc::new(read),
                found.integrity.as_deref(),
            ))),
            Ok(None) => Ok(None),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn coded(
        &self,
        plain: &Arc<Representation>,
        file: Option<&Path>,
        name: Arc<Path>,
        coding: Coding,
    ) -> io::Result<Option<Arc<Representation>>> {
        let key = Key {
            file: name,
            coding: Some(coding),
        };
        let basis = Basis::Plain(plain.etag.clone());
        if let Some(cached) = self.fresh(&key, &basis) {
            return Ok(cached.representation.clone());
        }
        let _turn = self.turns.acquire().await;
        if let Some(cached) = self.fresh(&key, &basis) {
            return Ok(cached.representation.clone());
        }
        let (source, file) = (plain.clone(), file.map(Path::to_path_buf));
        let coded = on_a_thread(move || source.coded(coding, file.as_deref())).await?;
        let representation = coded.map(Arc::new);
        self.put(key, basis, representation.clone());
        Ok(representation)
    }

    fn fresh(&self, key: &Key, basis: &Basis) -> Option<Arc<Cached>> {
        self.memory.get(key).filter(|cached| cached.basis == *basis)
    }

    fn put(&self, key: Key, basis: Basis, representation: Option<Arc<Representation>>) {
        let cached = Cached {
            basis,
            unchanged: Unchanged::default(),
            representation,
        };
        self.memory.insert(key, Arc::new(cached));
    }

    /// A file that was written a moment ago may be written again within the same clock tick. Unless it has the bytes
    /// that its manifest promises, the next request reads it again.
    fn keep(
        &self,
        key: Key,
        read: Arc<Representation>,
        promised: Option<&str>,
    ) -> Arc<Representation> {
        let is_promised = promised.is_some() && promised == read.integrity.as_deref();
        if let Some(stamp) = &read.stamp
            && (is_promised || !stamp.is_young())
        {
            self.put(key, Basis::File(stamp.clone()), Some(read.clone()));
        }
        read
    }
}

/// Whether the file, with all links resolved, is in `within` and not hidden.
fn is_shown(file: &Path, within: &Path) -> io::Result<bool> {
    let (file, within) = (file.canonicalize()?, within.canonicalize()?);
    Ok(file.strip_prefix(within).is_ok_and(|inside| {
        inside
            .iter()
            .all(|part| !is_hidden(&part.to_string_lossy()))
    }))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
    ) || leads_round(error)
}

/// Symbolic links that form a loop.
#[cfg(unix)]
fn leads_round(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
}

#[cfg(not(unix))]
fn leads_round(_: &io::Error) -> bool {
    false
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
