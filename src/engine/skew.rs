//! What differs between the build a page runs and the build the release wants for it.
//!
//! Two files are the same in substance when they carry the same module and the same code; that a file was renamed
//! because something it imports was renamed changes nothing for who has loaded it.

use alloc::{string::String, vec, vec::Vec};

use super::{
    manifest::{Chunk, Manifest},
    names::sort,
    text::find,
};

/// The differences that matter to one page. Paths are those of the running build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skew {
    /// The HTML document changed.
    pub document: bool,
    /// Entries that changed or are gone.
    pub entries: Vec<String>,
    /// Files this page has loaded that changed or are gone; entries included.
    pub loaded: Vec<String>,
    /// How many files changed that this page has not loaded.
    pub unloaded: usize,
}

impl Skew {
    /// Whether anything changed that this page uses.
    pub fn touches_the_page(&self) -> bool {
        self.document || !self.loaded.is_empty()
    }
}

/// Compares `running` with `target` for a page that has loaded `files` (URLs or paths). Takes n log n in the chunks
/// when their order differs, else linear time.
///
/// `root`: the path of the site. What the entries import statically counts as loaded too, since browsers forget
/// what they loaded after some hundred files.
pub fn between(running: &Manifest, target: &Manifest, files: &[String], root: &str) -> Skew {
    let mut code: Vec<(&str, &str)> = target.chunks.values().map(substance).collect();
    sort(&mut code, |one, other| one < other);
    let is_same = |path: &str, chunk: &Chunk| {
        let kept = target
            .chunks
            .get(path)
            .is_some_and(|other| other.integrity == chunk.integrity);
        kept || code.binary_search(&substance(chunk)).is_ok()
    };
    let loaded = loaded(running, files, root);
    let mut skew = Skew {
        document: matches!((&running.html, &target.html), (Some(ours), Some(theirs)) if ours != theirs),
        ..Skew::default()
    };
    for ((path, chunk), loaded) in running.chunks.iter().zip(loaded) {
        if is_same(path, chunk) {
            continue;
        }
        if loaded {
            skew.loaded.push(path.clone());
        } else {
            skew.unloaded += 1;
        }
    }
    for entry in &running.entries {
        match running.chunks.get(entry) {
            Some(chunk) if is_same(entry, chunk) => {}
            Some(_) => skew.entries.push(entry.clone()),
            // An entry that the running manifest does not list cannot be compared; its name has to do.
            None if target.entries.contains(entry) => {}
            None => {
                skew.entries.push(entry.clone());
                skew.loaded.push(entry.clone());
            }
        }
    }
    skew
}

/// What makes two chunks the same to who has loaded one.
fn substance(chunk: &Chunk) -> (&str, &str) {
    (&chunk.id, &chunk.code)
}

/// For each chunk of `running`, whether the page has loaded it.
fn loaded(running: &Manifest, files: &[String], root: &str) -> Vec<bool> {
    let mut open: Vec<usize> = running
        .entries
        .iter()
        .filter_map(|entry| running.chunks.position(entry))
        .collect();
    for file in files {
        let path = decoded(path_of(file));
        for base in [path_of(&running.base), root] {
            let below = path.strip_prefix(base).filter(|_| base.starts_with('/'));
            open.extend(
                below.and_then(|path| running.chunks.position(path.trim_start_matches('/'))),
            );
        }
    }
    let mut loaded = vec![false; running.chunks.len()];
    while let Some(place) = open.pop() {
        let (Some(mark), Some((_, chunk))) = (loaded.get_mut(place), running.chunks.nth(place))
        else {
            continue;
        };
        if !core::mem::replace(mark, true) {
            let inner = chunk.imports.iter().chain(&chunk.css);
            open.extend(inner.filter_map(|path| running.chunks.position(path)));
        }
    }
    loaded
}

/// The path in a URL or a path, without query and fragment.
pub(super) fn path_of(url: &str) -> &str {
    let host = find(url, "://").and_then(|at| url.get(at + 3..));
    let path = match host {
        Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => url,
    };
    let end = path.find(['?', '#']).unwrap_or(path.len());
    path.get(..end).unwrap_or_default()
}

/// Undoes percent-encoding; what is not valid stays as it is.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| {
                core::str::from_utf8(digits)
                    .ok()
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            });
        match escape {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        io::BuildId,
        manifest::{ChunkKind, Owner},
    };
    use alloc::{format, string::ToString};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_file_that_was_only_renamed_has_not_changed() {
        let target = build(
            "b",
            &[
                ("assets/main-2.js", "main", "1"),
                ("assets/cart-2.js", "cart", "1"),
            ],
        );
        assert_eq!(
            between(&running(), &target, &files(&["/assets/cart-1.js"]), "/"),
            Skew::default()
        );
    }

    #[test]
    fn what_changed_matters_when_the_page_has_loaded_it() {
        let target = build(
            "b",
            &[
                ("assets/main-1.js", "main", "1"),
                ("assets/cart-2.js", "cart", "2"),
            ],
        );
        let skew = between(&running(), &target, &[], "/");
        assert_eq!((skew.touches_the_page(), skew.unloaded), (false, 1));
        for url in [
            "/assets/cart-1.js",
            "https://shop.test/assets/cart-1.js?v=1#x",
            "/assets/c%61rt-1.js",
        ] {
            let skew = between(&running(), &target, &files(&[url]), "/");
            assert_eq!(skew.loaded, ["assets/cart-1.js"], "{url}");
        }
    }

    #[test]
    fn entries_and_what_they_import_are_always_loaded() {
        let mut running = running();
        let mut main = running.chunks["assets/main-1.js"].clone();
        main.imports.push("assets/cart-1.js".into());
        running.chunks.insert("assets/main-1.js".into(), main);
        let target = build(
            "b",
            &[
                ("assets/main-1.js", "main", "1"),
                ("assets/cart-2.js", "cart", "2"),
            ],
        );
        assert_eq!(
            between(&running, &target, &[], "/").loaded,
            ["assets/cart-1.js"]
        );
        let target = build(
            "b",
            &[
                ("assets/main-2.js", "main", "2"),
                ("assets/cart-1.js", "cart", "1"),
            ],
        );
        let skew = between(&running, &target, &[], "/");
        assert_eq!(
            (skew.entries, skew.loaded),
            (files(&["assets/main-1.js"]), files(&["assets/main-1.js"]))
        );
    }

    #[test]
    fn files_are_found_below_the_base_and_below_the_root() {
        let target = build("b", &[("assets/main-1.js", "main", "1")]);
        for (base, root, url) in [
            ("/app/", "/", "/app/assets/cart-1.js"),
            ("./", "/deep/", "https://shop.test/deep/assets/cart-1.js"),
            (
                "https://cdn.test/shop/",
                "/",
                "https://cdn.test/shop/assets/cart-1.js",
            ),
        ] {
            let mut running = running();
            running.base = base.into();
            assert_eq!(
                between(&running, &target, &files(&[url]), root).loaded,
                ["assets/cart-1.js"],
                "{base}"
            );
            assert_eq!(
                between(&running, &target, &files(&["/api/cart-1.js"]), root)
                    .loaded
                    .len(),
                0
            );
        }
    }

    #[test]
    fn a_document_counts_when_both_builds_name_theirs() {
        let (mut one, mut other) = (running(), running());
        one.html = Some("x".into());
        assert!(!between(&one, &other, &[], "/").document);
        other.html = Some("y".into());
        assert!(between(&one, &other, &[], "/").touches_the_page());
    }

    #[test]
    fn ten_thousand_chunks_in_any_order_are_compared_in_a_moment() {
        let many = |id: &str, code: &str| {
            let mut manifest = Manifest::new("shop", BuildId(id.into()), "");
            manifest.chunks = (0..10_000_u32)
                .map(|number| {
                    let number = number.wrapping_mul(2_654_435_761);
                    (
                        format!("assets/{number}-{id}.js"),
                        chunk(&number.to_string(), code),
                    )
                })
                .collect();
            manifest
        };
        let (running, target) = (many("a", "1"), many("b", "1"));
        let files: Vec<String> = running
            .chunks
            .keys()
            .map(|path| format!("/{path}"))
            .collect();
        assert!(!between(&running, &target, &files, "/").touches_the_page());
        assert_eq!(
            between(&running, &many("b", "2"), &files, "/").loaded.len(),
            10_000
        );
    }

    fn running() -> Manifest {
        build(
            "a",
            &[
                ("assets/main-1.js", "main", "1"),
                ("assets/cart-1.js", "cart", "1"),
            ],
        )
    }

    /// A build of (path, id, code); the first is its entry.
    fn build(id: &str, chunks: &[(&str, &str, &str)]) -> Manifest {
        let mut manifest = Manifest::new("shop", BuildId(id.into()), "");
        manifest.entries = chunks
            .iter()
            .take(1)
            .map(|(path, ..)| path.to_string())
            .collect();
        manifest.chunks = chunks
            .iter()
            .map(|(path, id, code)| (path.to_string(), chunk(id, code)))
            .collect();
        manifest
    }

    fn chunk(id: &str, code: &str) -> Chunk {
        Chunk {
            id: id.into(),
            code: code.into(),
            integrity: format!("{id} {code}"),
            size: 1,
            kind: ChunkKind::Script,
            imports: Vec::new(),
            dynamic_imports: Vec::new(),
            css: Vec::new(),
            exports: Vec::new(),
            owner: Owner::Shell,
        }
    }

    fn files(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }
}
