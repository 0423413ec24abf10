//! Atomic writes: a temporary file, fsync, rename. A reader sees either the whole old file or the whole new one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{At, Error, Result};
use crate::failpoints::failpoint;
use crate::hash::Fingerprint;
use crate::site::Site;

/// Writes into one site. The bytes are durable at once, the names after [`AtomicWriter::settle`].
pub struct AtomicWriter {
    root: PathBuf,
    temporary: PathBuf,
    count: u64,
    /// Folders with new names that have not been synced yet.
    unsettled: BTreeSet<PathBuf>,
}

impl AtomicWriter {
    /// Removes temporary files of a process that was killed. The caller holds the lock of the site.
    pub fn new(site: &Site) -> Result<Self> {
        let temporary = site.temporary();
        remove_folder(&temporary)?;
        fs::create_dir_all(&temporary).at("create the folder", &temporary)?;
        Ok(Self {
            root: site.root().to_path_buf(),
            temporary,
            count: 0,
            unsettled: BTreeSet::new(),
        })
    }

    pub fn write(&mut self, target: &Path, bytes: &[u8]) -> Result<()> {
        let temporary = self.next_temporary();
        let mut file = File::create(&temporary).at("write", &temporary)?;
        file.write_all(bytes).at("write", &temporary)?;
        file.sync_all().at("write", &temporary)?;
        self.rename(&temporary, target)
    }

    /// Copies `source`, which must still have the fingerprint `print`. Errors: `dist-changed`.
    pub fn copy(&mut self, source: &Path, target: &Path, print: &Fingerprint) -> Result<()> {
        let temporary = self.next_temporary();
        let mut from = File::open(source).at("read", source)?;
        let mut to = File::create(&temporary).at("write", &temporary)?;
        let copied = Fingerprint::of_reader(&mut from, &mut to).at("copy", source)?;
        if copied != *print {
            return Err(Error::new(
                "dist-changed",
                format!(
                    "{} changed while it was being published; wait until the bundler is done and publish again",
                    source.display()
                ),
            ));
        }
        to.sync_all().at("write", &temporary)?;
        self.rename(&temporary, target)
    }

    /// Makes a hard link to `source`, or a copy where the file system has no hard links.
    pub fn link(&mut self, source: &Path, target: &Path) -> Result<()> {
        let temporary = self.next_temporary();
        if fs::hard_link(source, &temporary).is_err() {
            fs::copy(source, &temporary).at("copy", source)?;
            File::open(&temporary)
                .and_then(|file| file.sync_all())
                .at("write", &temporary)?;
        }
        self.rename(&temporary, target)
    }

    /// Renames a folder of written files, so that it appears complete.
    pub fn move_folder(&mut self, from: &Path, to: &Path) -> Result<()> {
        self.settle()?;
        fs::create_dir_all(from).at("create the folder", from)?;
        fs::rename(from, to).at("write", to)?;
        self.unsettled.extend(to.parent().map(Path::to_path_buf));
        self.settle()
    }

    /// Syncs the folders of all names written so far, so that later writes can rely on them even after a power failure.
    pub fn settle(&mut self) -> Result<()> {
        for folder in std::mem::take(&mut self.unsettled) {
            // Some systems cannot open folders; there is no way to sync a rename on them.
            if let Ok(open) = File::open(&folder)
                && let Err(error) = open.sync_all()
                && error.kind() != io::ErrorKind::InvalidInput
            {
                return Err(Error::io("write", &folder, &error));
            }
        }
        Ok(())
    }

    fn rename(&mut self, temporary: &Path, target: &Path) -> Result<()> {
        let folder = target.parent().expect("targets are inside the site");
        if !folder.is_dir() {
            fs::create_dir_all(folder).at("create the folder", folder)?;
            let new = folder
                .ancestors()
                .skip(1)
                .take_while(|up| up.starts_with(&self.root));
            self.unsettled.extend(new.map(Path::to_path_buf));
        }
        failpoint("rename");
        fs::rename(temporary, target).at("write", target)?;
        // Renaming a hard link onto another link to the same file leaves both in place.
        let _ = fs::remove_file(temporary);
        self.unsettled.insert(folder.to_path_buf());
        Ok(())
    }

    fn next_temporary(&mut self) -> PathBuf {
        failpoint("write");
        self.count += 1;
        self.temporary.join(self.count.to_string())
    }
}

impl Drop for AtomicWriter {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.temporary);
    }
}

/// Whether the two paths have the same bytes: the same inode, or the same size and hash.
pub fn same_bytes(a: &Path, b: &Path) -> Result<bool> {
    let (Some(one), Some(two)) = (plain_file(a)?, plain_file(b)?) else {
        return Ok(false);
    };
    if same_inode(&one, &two) {
        return Ok(true);
    }
    Ok(one.len() == two.len()
        && Fingerprint::of_file(a).at("read", a)? == Fingerprint::of_file(b).at("read", b)?)
}

/// Whether `path` is a file with exactly these bytes.
pub fn matches(path: &Path, print: &Fingerprint) -> Result<bool> {
    match plain_file(path)? {
        Some(found) if found.len() == print.size => {
            Ok(Fingerprint::of_file(path).at("read", path)? == *print)
        }
        _ => Ok(false),
    }
}

pub fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at("remove", path),
        _ => Ok(()),
    }
}

pub fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at("remove", path),
        _ => Ok(()),
    }
}

fn plain_file(path: &Path) -> Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        Ok(found) => Ok(found.is_file().then_some(found)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error).at("read", path),
    }
}

#[cfg(unix)]
pub fn same_inode(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
pub fn same_inode(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    false
}
