//! Which files a page may have loaded; unknown means "may be loaded".
//!
//! The browser lists each file that a page loads, but the list is limited to 250 entries, and an app may clear it. It is
//! trusted when it contains an entry of the build with all its imports, since a truncated or cleared list lacks them.

use alloc::{string::String, vec, vec::Vec};

use super::{decoded, path_of};
use crate::engine::{
    graph::{Graph, Reach},
    manifest::{Chunk, ChunkKind, Manifest},
};

/// What is known of the files that a page has loaded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loaded<'a> {
    /// URLs or paths that the browser lists.
    pub files: &'a [String],
    /// URLs or paths of the scripts and styles in the document.
    pub elements: &'a [String],
    /// Whether the list is complete, as far as is known.
    pub complete: bool,
    /// The slots whose code the page has loaded; `None`: not known.
    pub slots: Option<&'a [&'a str]>,
    /// The path of the site.
    pub root: &'a str,
}

/// For each chunk of `running`, whether the page may have loaded it.
pub(super) fn mark(running: &Graph<'_>, page: &Loaded<'_>) -> Vec<bool> {
    let build = running.build;
    let entries = running.places(&mut build.entries.iter());
    let places = |files| places_of(running.build, files, page.root).into_iter();
    let noted: Vec<usize> = places(page.files).map(|(place, _)| place).collect();
    let elements: Vec<usize> = places(page.elements).map(|(place, _)| place).collect();
    let slots = |loaded: bool| {
        let slots = build.slots.iter().filter(|(name, _)| {
            page.slots
                .is_some_and(|slots| slots.contains(&name.as_str()) == loaded)
        });
        running.places(&mut slots.map(|(_, slot)| &slot.file))
    };
    let certain = [&entries[..], &noted, &elements, &slots(true)].concat();
    let mut loaded = reached(running, &certain, Reach::Static);
    let may_be = if page.complete && is_whole(running, &entries, &noted, &elements) {
        unlisted(running)
    } else {
        let mut absent = slots(false);
        absent.retain(|place| !certain.contains(place));
        all_but(running, &absent, &certain)
    };
    for (loaded, may_be) in loaded.iter_mut().zip(may_be) {
        *loaded |= may_be;
    }
    loaded
}

/// For each chunk, whether it is among `starts` or can be loaded by them.
fn reached(running: &Graph<'_>, starts: &[usize], reach: Reach) -> Vec<bool> {
    running.walk(starts, reach, &|_| false).marks
}

/// Files that no list contains: code that workers and worklets load. No file of the build imports them.
fn unlisted(running: &Graph<'_>) -> Vec<bool> {
    let imported = running.imported();
    let chunks = running.build.chunks.iter().enumerate();
    let starts: Vec<usize> = chunks
        .filter(|(place, (path, chunk))| {
            imported.get(*place) == Some(&false)
                && chunk.kind == ChunkKind::Script
                && is_beside_an_entry(running.build, path)
                && !is_slot(running.build, path)
                && !chunk.id.starts_with(OWN_MODULES)
        })
        .map(|(place, _)| place)
        .collect();
    reached(running, &starts, Reach::Whole)
}

/// All code except what only `absent` files can load; `certain` ones are loaded.
fn all_but(running: &Graph<'_>, absent: &[usize], certain: &[usize]) -> Vec<bool> {
    let imported = running.imported();
    let roots = imported.iter().enumerate();
    let roots = roots.filter(|(place, imported)| !**imported && !absent.contains(place));
    let starts: Vec<usize> = certain
        .iter()
        .copied()
        .chain(roots.map(|(place, _)| place))
        .collect();
    let (absent, other) = (
        reached(running, absent, Reach::Whole),
        reached(running, &starts, Reach::Whole),
    );
    let chunks = running.build.chunks.values();
    let chunks = chunks.zip(absent.into_iter().zip(other));
    // A picture or a text does not run.
    chunks
        .map(|(chunk, (absent, other))| chunk.kind != ChunkKind::Asset && (other || !absent))
        .collect()
}

/// Modules of changeover itself, which the page loads, so that its list contains them.
const OWN_MODULES: &str = "changeover/";

/// Whether the list goes back to the start of the page: a truncated or cleared one lacks the entry or its imports.
fn is_whole(running: &Graph<'_>, entries: &[usize], noted: &[usize], elements: &[usize]) -> bool {
    let mut has = vec![false; running.build.chunks.len()];
    for place in noted {
        if let Some(mark) = has.get_mut(*place) {
            *mark = true;
        }
    }
    let has_all = |places: &[usize]| {
        let needed = reached(running, places, Reach::Imports);
        needed.iter().zip(&has).all(|(needed, has)| *has || !needed)
    };
    match entries {
        [] => !elements.is_empty() && has_all(elements),
        // A build may have several pages, of which each starts with an entry of its own.
        _ => entries.iter().any(|entry| has_all(&[*entry])),
    }
}

/// Whether a bundler seems to have written `path`: it lies beside an entry, in a build that names its modules.
fn is_beside_an_entry(running: &Manifest, path: &str) -> bool {
    running.entries.iter().any(|entry| {
        let is_described = |chunk: &Chunk| chunk.id != *entry;
        entry != path
            && folder(entry) == folder(path)
            && running.chunks.get(entry).is_some_and(is_described)
    })
}

fn folder(path: &str) -> Option<&str> {
    path.rfind('/').and_then(|slash| path.get(..slash))
}

fn is_slot(running: &Manifest, path: &str) -> bool {
    running.slots.values().any(|slot| slot.file == path)
}

/// What the path of a loaded file begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The base of the build.
    Own,
    /// The root of the site.
    Root,
}

/// Where the chunks of `files` are, which are URLs or paths below the base of the build or the root of the site.
pub(super) fn places_of(running: &Manifest, files: &[String], root: &str) -> Vec<(usize, Base)> {
    let own = path_of(&running.base);
    let mut places = Vec::new();
    for file in files {
        let path = decoded(path_of(file));
        for (base, kind) in [(own, Base::Own), (root, Base::Root)] {
            let below = path.strip_prefix(base).filter(|_| base.starts_with('/'));
            let place =
                below.and_then(|path| running.chunks.find_index(path.trim_start_matches('/')).ok());
            places.extend(place.map(|place| (place, kind)));
        }
    }
    places
}

/// Whether `running` has a file of this URL or path. `None`: nothing in the page shows how the files of the build are addressed.
pub fn has(running: &Manifest, page: &Loaded<'_>, url: &String) -> Option<bool> {
    let is_any = |files: &[String]| !places_of(running, files, page.root).is_empty();
    (is_any(page.elements) || is_any(page.files)).then(|| is_any(core::slice::from_ref(url)))
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{between_builds, build, chunk, compare, files, running},
        *,
    };
    use crate::engine::manifest::{Slot, SlotKind};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// A list that misses the entry was cut or cleared; one that was cut at its end says so itself.
    #[test]
    fn what_an_incomplete_list_does_not_have_may_be_loaded() {
        let target = build(
            "b",
            &[
                ("assets/main-1.js", "main", "1"),
                ("assets/cart-2.js", "cart", "2"),
            ],
        );
        let between = |files: &[&str], complete| {
            let files = self::files(files);
            let page = Loaded {
                files: &files,
                complete,
                root: "/",
                ..Loaded::default()
            };
            between_builds(&running(), &target, &page).loaded
        };
        assert_eq!(between(&["/assets/main-1.js"], true), [""; 0]);
        assert_eq!(between(&["/assets/main-1.js"], false), ["assets/cart-1.js"]);
        assert_eq!(between(&["/tile.svg"], true), ["assets/cart-1.js"]);
        assert_eq!(between(&[], true), ["assets/cart-1.js"]);
    }

    #[test]
    fn a_list_that_lost_an_import_of_the_entry_is_incomplete() {
        let mut running = running();
        let mut main = running.chunks.get("assets/main-1.js").unwrap().clone();
        main.imports.push("assets/vendor-1.js".into());
        running.chunks.insert("assets/main-1.js".into(), main);
        running
            .chunks
            .insert("assets/vendor-1.js".into(), chunk("vendor", "1"));
        let mut target = running.clone();
        target
            .chunks
            .insert("assets/cart-1.js".into(), chunk("cart", "2"));
        assert_eq!(compare(&running, &target, &[]).loaded, ["assets/cart-1.js"]);
        assert!(!compare(&running, &target, &["/assets/vendor-1.js"]).touches_the_page());
    }

    #[test]
    fn a_picture_that_may_be_shown_is_no_code_that_may_run() {
        let mut running = running();
        let mut picture = chunk("picture", "1");
        picture.kind = ChunkKind::Asset;
        running
            .chunks
            .insert("assets/a.png".into(), picture.clone());
        let mut target = running.clone();
        picture.code = "2".into();
        picture.integrity = "2".into();
        target.chunks.insert("assets/a.png".into(), picture);
        let page = Loaded::default();
        assert!(!between_builds(&running, &target, &page).touches_the_page());
        assert!(compare(&running, &target, &["/assets/a.png"]).touches_the_page());
    }

    /// A page loads the code of slots by their names alone, so that it knows which it has not.
    #[test]
    fn code_of_slots_that_are_not_loaded_is_not_loaded() {
        let mut running = running();
        let mut main = running.chunks.get("assets/main-1.js").unwrap().clone();
        main.dynamic_imports.clear();
        running.chunks.insert("assets/main-1.js".into(), main);
        running.slots.insert(
            "cart".into(),
            Slot {
                file: "assets/cart-1.js".into(),
                kind: SlotKind::Module,
                schema: 0,
            },
        );
        let target = build("b", &[("assets/main-1.js", "main", "1")]);
        let touches = |slots: Option<&[&str]>| {
            let page = Loaded {
                slots,
                root: "/",
                ..Loaded::default()
            };
            between_builds(&running, &target, &page).touches_the_page()
        };
        assert!(touches(None));
        assert!(touches(Some(&["cart"])));
        assert!(!touches(Some(&[])));
    }

    /// No list has what a worker imports, or a shared worker's own file.
    #[test]
    fn bundled_code_that_nothing_imports_may_run_in_a_worker() {
        let mut running = running();
        for path in ["assets/worker-1.js", "sw.js"] {
            running.chunks.insert(path.into(), chunk(path, "1"));
        }
        let changes = |path: &str| {
            let mut target = running.clone();
            target.chunks.insert(path.into(), chunk(path, "2"));
            compare(&running, &target, &[]).touches_the_page()
        };
        assert!(changes("assets/worker-1.js"));
        assert!(!changes("sw.js"));
        assert!(!changes("assets/cart-1.js"));
    }
}
