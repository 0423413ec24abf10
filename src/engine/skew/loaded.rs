//! Which files a page has loaded, or may have: unknown means "may be loaded".
//!
//! The browser notes each file that a page loads, but its list is cut after 250 entries and an app may clear it. The list is
//! believed when it has an entry of the build with all that this imports, since a list that was cut or cleared has lost them.

use alloc::{string::String, vec, vec::Vec};

use super::{decoded, path_of};
use crate::engine::{
    manifest::{Chunk, ChunkKind, Manifest},
    names::sort,
    text::hash,
};

/// What is known of the files that a page has loaded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loaded<'a> {
    /// URLs or paths that the browser noted.
    pub files: &'a [String],
    /// URLs or paths of the scripts and styles that stand in the document.
    pub elements: &'a [String],
    /// The browser lost none of what it noted, as far as it tells.
    pub complete: bool,
    /// The slots whose code the page has loaded; `None`: not known.
    pub slots: Option<&'a [&'a str]>,
    /// The path of the site.
    pub root: &'a str,
}

/// For each chunk of `running`, whether the page may have loaded it.
pub(super) fn mark(running: &Manifest, page: &Loaded<'_>) -> Vec<bool> {
    let chunks = &running.chunks;
    let entries = running.entries.iter();
    let entries: Vec<usize> = entries.filter_map(|path| chunks.position(path)).collect();
    let links = Links::of(running);
    let places = |files| places_of(running, files, page.root).into_iter();
    let noted: Vec<usize> = places(page.files).map(|(place, _)| place).collect();
    let elements: Vec<usize> = places(page.elements).map(|(place, _)| place).collect();
    let slots = |loaded: bool| {
        let slots = running.slots.iter().filter(move |(name, _)| {
            page.slots
                .is_some_and(|slots| slots.contains(&name.as_str()) == loaded)
        });
        slots.filter_map(|(_, slot)| chunks.position(&slot.file))
    };
    let mut certain = [&entries[..], &noted, &elements].concat();
    certain.extend(slots(true));
    let mut loaded = links.reach(&certain, Edges::Static);
    let may_be = if page.complete && is_whole(&links, &entries, &noted, &elements) {
        unlisted(running, &links)
    } else {
        let absent: Vec<usize> = slots(false)
            .filter(|place| !certain.contains(place))
            .collect();
        all_but(running, &links, &absent, &certain)
    };
    for (loaded, may_be) in loaded.iter_mut().zip(may_be) {
        *loaded |= may_be;
    }
    loaded
}

/// What no list has: code that workers and worklets load. The build knows nothing that imports it.
fn unlisted(running: &Manifest, links: &Links) -> Vec<bool> {
    let imported = links.imported();
    let chunks = running.chunks.iter().enumerate();
    let starts: Vec<usize> = chunks
        .filter(|(place, (path, chunk))| {
            imported.get(*place) == Some(&false)
                && chunk.kind == ChunkKind::Script
                && is_beside_an_entry(running, path)
                && !is_slot(running, path)
                && !chunk.id.starts_with(OWN_MODULES)
        })
        .map(|(place, _)| place)
        .collect();
    links.reach(&starts, Edges::All)
}

/// All code but what only the `absent` come to load; `certain` are loaded.
fn all_but(running: &Manifest, links: &Links, absent: &[usize], certain: &[usize]) -> Vec<bool> {
    let imported = links.imported();
    let roots = imported.iter().enumerate();
    let roots = roots.filter(|(place, imported)| !**imported && !absent.contains(place));
    let starts: Vec<usize> = certain
        .iter()
        .copied()
        .chain(roots.map(|(place, _)| place))
        .collect();
    let (absent, other) = (
        links.reach(absent, Edges::All),
        links.reach(&starts, Edges::All),
    );
    let chunks = running.chunks.values().zip(absent.into_iter().zip(other));
    // A picture or a text does not run.
    chunks
        .map(|(chunk, (absent, other))| chunk.kind != ChunkKind::Asset && (other || !absent))
        .collect()
}

/// Modules of changeover itself: the page loads them, so that its list has them.
const OWN_MODULES: &str = "changeover/";

/// Whether the list begins where the page began: a list that was cut or cleared has lost the entry, or what that imports.
fn is_whole(links: &Links, entries: &[usize], noted: &[usize], elements: &[usize]) -> bool {
    let mut has = vec![false; links.parts.len()];
    for place in noted {
        if let Some(mark) = has.get_mut(*place) {
            *mark = true;
        }
    }
    let has_all = |places: &[usize]| {
        let needed = links.reach(places, Edges::Imports);
        needed.iter().zip(&has).all(|(needed, has)| *has || !needed)
    };
    match entries {
        [] => !elements.is_empty() && has_all(elements),
        // A build may have several pages, of which each starts with an entry of its own.
        _ => entries.iter().any(|entry| has_all(&[*entry])),
    }
}

/// Which edges of the graph are followed.
#[derive(Clone, Copy)]
enum Edges {
    Imports,
    /// Imports and styles: what is loaded together.
    Static,
    /// What may be loaded later, too.
    All,
}

/// What each chunk names, by place: names are looked up once, and walked often.
struct Links {
    to: Vec<usize>,
    /// For each chunk, where its part of `to` begins, and where its imports, its styles and its dynamic imports end.
    parts: Vec<[usize; 4]>,
}

impl Links {
    fn of(running: &Manifest) -> Self {
        // Numbers are found in a fraction of the time that names take.
        let keys = running.chunks.keys().enumerate();
        let mut index: Vec<(u64, usize)> = keys.map(|(place, path)| (hash(path), place)).collect();
        sort(&mut index, |one, other| one < other);
        let place_of = |path: &String| {
            let wanted = hash(path);
            let first = index.partition_point(|(hash, _)| *hash < wanted);
            let alike = index.get(first..)?.iter();
            let alike = alike.take_while(|(hash, _)| *hash == wanted);
            let is_it = |place: &usize| running.chunks.nth(*place).is_some_and(|it| it.0 == path);
            alike.map(|(_, place)| *place).find(is_it)
        };
        let mut links = Self {
            to: Vec::new(),
            parts: Vec::with_capacity(running.chunks.len()),
        };
        for chunk in running.chunks.values() {
            let mut part = [links.to.len(); 4];
            let lists = [&chunk.imports, &chunk.css, &chunk.dynamic_imports];
            for (list, end) in lists.into_iter().zip(part.iter_mut().skip(1)) {
                links.to.extend(list.iter().filter_map(place_of));
                *end = links.to.len();
            }
            links.parts.push(part);
        }
        links
    }

    fn next(&self, place: usize, edges: Edges) -> &[usize] {
        let [start, imports, css, dynamic] = self.parts.get(place).copied().unwrap_or_default();
        let end = match edges {
            Edges::Imports => imports,
            Edges::Static => css,
            Edges::All => dynamic,
        };
        self.to.get(start..end).unwrap_or_default()
    }

    /// For each chunk, whether it is among `starts` or what they come to load.
    fn reach(&self, starts: &[usize], edges: Edges) -> Vec<bool> {
        let mut reached = vec![false; self.parts.len()];
        let mut open = starts.to_vec();
        while let Some(place) = open.pop() {
            let Some(mark) = reached.get_mut(place) else {
                continue;
            };
            if !core::mem::replace(mark, true) {
                open.extend(self.next(place, edges));
            }
        }
        reached
    }

    /// For each chunk, whether another one names it.
    fn imported(&self) -> Vec<bool> {
        let mut imported = vec![false; self.parts.len()];
        for place in &self.to {
            if let Some(mark) = imported.get_mut(*place) {
                *mark = true;
            }
        }
        imported
    }
}

/// Whether a bundler wrote `path`, as far as one can see: it lies where an entry lies, in a build that knows its modules.
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

/// What the path of a file was found to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The base of the build.
    Own,
    /// The root of the site.
    Root,
}

/// Where the chunks of `files` are, which are URLs or paths below the base of the build or the root of the site.
pub(super) fn places_of(running: &Manifest, files: &[String], root: &str) -> Vec<(usize, Base)> {
    let mut places = Vec::new();
    for file in files {
        let path = decoded(path_of(file));
        for (base, kind) in [(path_of(&running.base), Base::Own), (root, Base::Root)] {
            let below = path.strip_prefix(base).filter(|_| base.starts_with('/'));
            let place =
                below.and_then(|path| running.chunks.position(path.trim_start_matches('/')));
            places.extend(place.map(|place| (place, kind)));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            between,
            tests::{build, chunk, compare, files, running},
        },
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
            between(&running(), &target, &page).loaded
        };
        assert_eq!(between(&["/assets/main-1.js"], true), [""; 0]);
        assert_eq!(between(&["/assets/main-1.js"], false), ["assets/cart-1.js"]);
        assert_eq!(between(&["/tile.svg"], true), ["assets/cart-1.js"]);
        assert_eq!(between(&[], true), ["assets/cart-1.js"]);
    }

    #[test]
    fn a_list_that_lost_an_import_of_the_entry_is_incomplete() {
        let mut running = running();
        let mut main = running.chunks["assets/main-1.js"].clone();
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
        assert!(!between(&running, &target, &page).touches_the_page());
        assert!(compare(&running, &target, &["/assets/a.png"]).touches_the_page());
    }

    /// A page loads the code of slots by their names alone, so that it knows which it has not.
    #[test]
    fn code_of_slots_that_are_not_loaded_is_not_loaded() {
        let mut running = running();
        let mut main = running.chunks["assets/main-1.js"].clone();
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
            between(&running, &target, &page).touches_the_page()
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
