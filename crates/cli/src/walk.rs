//! Lists the files of a dist folder, and refuses those that cannot be served safely.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use changeover::engine::format::is_relative_path;

use crate::error::{At, Error, Result};
use crate::stores;

/// The files of a dist, by their path relative to it with `/` between the parts.
#[derive(Debug, Default)]
pub struct Listing {
    /// Where the bytes are on this machine: for a symbolic link, what it points to.
    pub files: BTreeMap<String, PathBuf>,
    /// Hidden files and folders (`.DS_Store`, `.vite`) at any depth; never part of a build.
    pub hidden: Vec<String>,
    /// Links to hidden files, which are not part of a build either.
    pub links_to_hidden: Vec<String>,
    /// Whether there is a `changeover/` folder, which belongs to the guard and not to the app.
    pub has_changeover: bool,
    /// The file in the top folder that describes the stores. Only `publish` reads it.
    pub stores: Option<PathBuf>,
}

/// Walks `dist`. Links may point to other places of the dist, but not out of it.
pub fn list(dist: &Path) -> Result<Listing> {
    let root = dist.canonicalize().at("open", dist)?;
    let mut listing = Listing::default();
    walk(&root, &root, "", &mut vec![root.clone()], &mut listing)?;
    Ok(listing)
}

fn walk(
    root: &Path,
    folder: &Path,
    prefix: &str,
    inside: &mut Vec<PathBuf>,
    listing: &mut Listing,
) -> Result<()> {
    for entry in fs::read_dir(folder).at("list", folder)? {
        let path = entry.at("list", folder)?.path();
        let name = path.file_name().expect("an entry has a name");
        let Some(name) = name.to_str() else {
            return Err(Error::new(
                "file-name",
                format!(
                    "the name of {} is not Unicode, so no URL can name it; rename the file",
                    path.display()
                ),
            ));
        };
        let relative = format!("{prefix}{name}");
        if is_hidden(name) {
            listing.hidden.push(relative);
            continue;
        }
        if prefix.is_empty() && name == "changeover" {
            listing.has_changeover = true;
            continue;
        }
        if !is_relative_path(&relative) {
            return Err(Error::new(
                "file-name",
                format!(
                    "the name {relative:?} cannot be part of a URL safely (control characters, '\\\\', '?', '#', a ':' \
                     in the first part and more than 1024 bytes are refused); rename the file"
                ),
            ));
        }
        let real = real_path(root, &path, &relative)?;
        if is_below_hidden(root, &real) {
            listing.links_to_hidden.push(relative);
            continue;
        }
        if relative == stores::FILE {
            listing.stores = Some(real);
            continue;
        }
        let kind = fs::metadata(&real).at("read", &path)?;
        if kind.is_dir() {
            if inside.contains(&real) {
                return Err(Error::new(
                    "link-loop",
                    format!("the symbolic link {relative} leads back to a folder that contains it"),
                ));
            }
            inside.push(real.clone());
            walk(root, &real, &format!("{relative}/"), inside, listing)?;
            inside.pop();
        } else if kind.is_file() {
            listing.files.insert(relative, real);
        } else {
            return Err(Error::new(
                "not-a-file",
                format!("{relative} is neither a file nor a folder (a socket, pipe or device)"),
            ));
        }
    }
    Ok(())
}

/// `.well-known` is part of the web; every other dot name is private.
pub fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && name != ".well-known"
}

/// Whether a name on the way from `root` to `path` is hidden.
fn is_below_hidden(root: &Path, path: &Path) -> bool {
    path.strip_prefix(root).is_ok_and(|below| {
        below
            .components()
            .any(|part| part.as_os_str().to_str().is_none_or(is_hidden))
    })
}

fn real_path(root: &Path, path: &Path, relative: &str) -> Result<PathBuf> {
    if !fs::symlink_metadata(path).at("read", path)?.is_symlink() {
        return Ok(path.to_path_buf());
    }
    let real = path.canonicalize().map_err(|error| {
        Error::new(
            "link-broken",
            format!("the symbolic link {relative} leads nowhere: {error}"),
        )
    })?;
    if real.starts_with(root) {
        Ok(real)
    } else {
        Err(Error::new(
            "link-outside",
            format!(
                "the symbolic link {relative} leads out of the dist, to {}; copy the file instead",
                real.display()
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dist(files: &[&str]) -> tempfile::TempDir {
        let dist = tempfile::tempdir().unwrap();
        for file in files {
            let path = dist.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        dist
    }

    fn names(listing: &Listing) -> Vec<&str> {
        listing.files.keys().map(String::as_str).collect()
    }

    #[test]
    fn odd_but_legal_names_are_listed_and_hidden_ones_are_not() {
        let dist = dist(&[
            "index.html",
            "a b/ü%.js",
            ".env",
            "x/.DS_Store",
            ".vite/manifest.json",
            ".well-known/assetlinks.json",
            "changeover/builds/x.json",
        ]);
        let listing = list(dist.path()).unwrap();
        assert_eq!(
            names(&listing),
            [".well-known/assetlinks.json", "a b/ü%.js", "index.html"]
        );
        assert!(listing.has_changeover);
        let mut hidden = listing.hidden;
        hidden.sort();
        assert_eq!(hidden, [".env", ".vite", "x/.DS_Store"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_inside_are_followed_and_links_outside_loops_and_dead_ends_are_refused() {
        use std::os::unix::fs::symlink;
        let dist = dist(&["index.html", "a/x.js"]);
        symlink("a/x.js", dist.path().join("y.js")).unwrap();
        symlink("a", dist.path().join("b")).unwrap();
        assert_eq!(
            names(&list(dist.path()).unwrap()),
            ["a/x.js", "b/x.js", "index.html", "y.js"]
        );

        for (target, code) in [
            ("/etc/hostname", "link-outside"),
            ("..", "link-outside"),
            ("nowhere", "link-broken"),
            (".", "link-loop"),
        ] {
            let link = dist.path().join("bad");
            symlink(target, &link).unwrap();
            assert_eq!(list(dist.path()).unwrap_err().code(), code, "{target}");
            fs::remove_file(link).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_something_hidden_is_not_listed() {
        use std::os::unix::fs::symlink;
        let dist = dist(&[
            "index.html",
            ".env",
            ".git/config",
            ".well-known/x.json",
            "a/.secret",
        ]);
        for (target, link) in [
            (".env", "env.txt"),
            (".git", "repository"),
            (".git/config", "config.txt"),
            ("a/.secret", "b.txt"),
            ("env.txt", "twice.txt"),
            (".well-known", "known"),
        ] {
            symlink(target, dist.path().join(link)).unwrap();
        }
        let listing = list(dist.path()).unwrap();
        assert_eq!(
            names(&listing),
            [".well-known/x.json", "index.html", "known/x.json"]
        );
        let mut links = listing.links_to_hidden;
        links.sort();
        assert_eq!(
            links,
            ["b.txt", "config.txt", "env.txt", "repository", "twice.txt"]
        );
    }

    #[cfg(unix)]
    #[test]
    fn names_that_no_url_can_carry_are_refused_with_the_name() {
        use std::os::unix::ffi::OsStrExt;
        for name in [&b"a\nb"[..], b"a\\b", b"a?b", b"\xff.js"] {
            let dist = dist(&["index.html"]);
            fs::write(dist.path().join(std::ffi::OsStr::from_bytes(name)), "").unwrap();
            let error = list(dist.path()).unwrap_err();
            assert_eq!(error.code(), "file-name");
            assert!(error.to_string().ends_with("rename the file"), "{error}");
        }
    }
}
