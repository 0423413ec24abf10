//! The differences between the running build and the target build that matter to a page.
//!
//! Two files are equivalent when they contain the same module and the same code: a file that was only renamed, because a
//! file that it imports was renamed, makes no difference to a page that has loaded it.

mod loaded;
mod needed;

use alloc::{string::String, vec::Vec};

pub use loaded::{Loaded, has};
pub use needed::{Needed, needed};

use super::{
    graph::Graph,
    manifest::{Chunk, Manifest},
};
use crate::rng::hash;

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

/// Compares what runs with `target` for a page. Takes n log n in the chunks when their order differs, else linear time.
///
/// A file counts as loaded unless it is known not to be.
pub fn between(graph: Graph<'_>, target: &Manifest, page: &Loaded<'_>) -> Skew {
    let running = graph.build;
    let same = same(running, target);
    let loaded = loaded::mark(&graph, page);
    let mut skew = Skew {
        document: matches!((&running.html, &target.html), (Some(ours), Some(theirs)) if ours != theirs),
        ..Skew::default()
    };
    for ((path, same), loaded) in running.chunks.keys().zip(&same).zip(loaded) {
        if *same {
            continue;
        }
        if loaded {
            skew.loaded.push(path.clone());
        } else {
            skew.unloaded += 1;
        }
    }
    for entry in &running.entries {
        match graph.place(entry) {
            Some(place) if same.get(place) == Some(&true) => {}
            Some(_) => skew.entries.push(entry.clone()),
            // An entry that the running manifest does not list is compared by its name.
            None if target.entries.contains(entry) => {}
            None => {
                skew.entries.push(entry.clone());
                skew.loaded.push(entry.clone());
            }
        }
    }
    skew
}

/// For each chunk of `running`, whether `target` has it, perhaps under another name.
fn same(running: &Manifest, target: &Manifest) -> Vec<bool> {
    let mut same = Vec::with_capacity(running.chunks.len());
    // Both are in the order of their names.
    let mut at = 0;
    for (path, chunk) in &running.chunks {
        while target
            .chunks
            .get_indexed(at)
            .is_some_and(|(other, _)| other < path)
        {
            at += 1;
        }
        let kept = target.chunks.get_indexed(at);
        same.push(
            kept.is_some_and(|(other, found)| other == path && found.integrity == chunk.integrity),
        );
    }
    if !same.contains(&false) {
        return same;
    }
    let values = target.chunks.values();
    let mut code: Vec<(u64, &Chunk)> = values.map(|chunk| (substance(chunk), chunk)).collect();
    code.sort_unstable_by_key(|(hash, _)| *hash);
    for (same, chunk) in same.iter_mut().zip(running.chunks.values()) {
        if !*same {
            let wanted = substance(chunk);
            let first = code.partition_point(|(other, _)| *other < wanted);
            let mut alike = code.iter().skip(first).take_while(|it| it.0 == wanted);
            *same = alike.any(|(_, other)| other.id == chunk.id && other.code == chunk.code);
        }
    }
    same
}

/// A hash of module and code, equal for equivalent chunks. Sorting numbers takes a tenth of the time.
fn substance(chunk: &Chunk) -> u64 {
    hash(&chunk.id).rotate_left(1) ^ hash(&chunk.code)
}

/// The path in a URL or a path, without query and fragment.
pub(super) fn path_of(url: &str) -> &str {
    let host = url.find("://").and_then(|at| url.get(at + 3..));
    let path = match host {
        Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => url,
    };
    let end = path.find(['?', '#']).unwrap_or(path.len());
    path.get(..end).unwrap_or_default()
}

/// Decodes percent-encoding; invalid sequences are kept as they are.
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
    use crate::{
        engine::{
            graph::Links,
            manifest::{ChunkKind, Owner},
        },
        ids::BuildId,
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
            compare(&running(), &target, &["/assets/cart-1.js"]),
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
        let skew = compare(&running(), &target, &[]);
        assert_eq!((skew.touches_the_page(), skew.unloaded), (false, 1));
        for url in [
            "/assets/cart-1.js",
            "https://shop.test/assets/cart-1.js?v=1#x",
            "/assets/c%61rt-1.js",
        ] {
            let skew = compare(&running(), &target, &[url]);
            assert_eq!(skew.loaded, ["assets/cart-1.js"], "{url}");
        }
    }

    #[test]
    fn entries_and_what_they_import_are_always_loaded() {
        let mut running = running();
        let mut main = running.chunks.get("assets/main-1.js").unwrap().clone();
        main.imports.push("assets/cart-1.js".into());
        running.chunks.insert("assets/main-1.js".into(), main);
        let target = build(
            "b",
            &[
                ("assets/main-1.js", "main", "1"),
                ("assets/cart-2.js", "cart", "2"),
            ],
        );
        assert_eq!(compare(&running, &target, &[]).loaded, ["assets/cart-1.js"]);
        let target = build(
            "b",
            &[
                ("assets/main-2.js", "main", "2"),
                ("assets/cart-1.js", "cart", "1"),
            ],
        );
        let skew = compare(&running, &target, &[]);
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
                compare_below(root, &running, &target, &[url]).loaded,
                ["assets/cart-1.js"],
                "{base}"
            );
            assert_eq!(
                compare_below(root, &running, &target, &["/api/cart-1.js"])
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
        assert!(!compare(&one, &other, &[]).document);
        other.html = Some("y".into());
        assert!(compare(&one, &other, &[]).touches_the_page());
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
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        assert!(!compare(&running, &target, &files).touches_the_page());
        assert_eq!(
            compare(&running, &many("b", "2"), &files).loaded.len(),
            10_000
        );
    }

    /// For a page whose list is whole: it has the first entry, and what the test adds.
    pub(super) fn compare(running: &Manifest, target: &Manifest, files: &[&str]) -> Skew {
        compare_below("/", running, target, files)
    }

    pub(super) fn compare_below(
        root: &str,
        running: &Manifest,
        target: &Manifest,
        files: &[&str],
    ) -> Skew {
        let base = if running.base.starts_with('.') {
            root
        } else {
            &running.base
        };
        let mut all = self::files(files);
        all.extend(running.entries.iter().map(|entry| format!("{base}{entry}")));
        let page = Loaded {
            files: &all,
            complete: true,
            root,
            ..Loaded::default()
        };
        between_builds(running, target, &page)
    }

    pub(super) fn between_builds(running: &Manifest, target: &Manifest, page: &Loaded<'_>) -> Skew {
        between(Graph::new(running, &Links::of(running)), target, page)
    }

    pub(super) fn running() -> Manifest {
        build(
            "a",
            &[
                ("assets/main-1.js", "main", "1"),
                ("assets/cart-1.js", "cart", "1"),
            ],
        )
    }

    /// A build of (path, id, code); the first is its entry, which may import the others later.
    pub(super) fn build(id: &str, chunks: &[(&str, &str, &str)]) -> Manifest {
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
        if let (Some(entry), Some((path, ..))) = (chunks.get(1..), chunks.first()) {
            let later = entry.iter().map(|(path, ..)| path.to_string()).collect();
            manifest.chunks.get_mut(*path).unwrap().dynamic_imports = later;
        }
        manifest
    }

    pub(super) fn chunk(id: &str, code: &str) -> Chunk {
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

    pub(super) fn files(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }
}
