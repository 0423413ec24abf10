//! Which files a page needs when it is reloaded on another build, and where they are.

use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};

use super::{
    Loaded,
    loaded::{Base, places_of},
    path_of,
};
use crate::engine::{
    graph::{Graph, Reach},
    manifest::{Chunk, ChunkKind},
};

/// Files of a build in the order in which they are needed, and the path or URL that precedes their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed<'a> {
    pub base: String,
    pub files: Vec<(&'a String, &'a Chunk)>,
}

/// The scripts and styles of the document of `target` with their imports, and files that have other bytes in `target` under
/// the name of code that this page has loaded. A cache may give the old bytes to the next page: WebKit does so for a module
/// that another one imports, without asking the server.
///
/// `None` when the place of the files is unknown: those that this page has loaded are not where its manifest says.
pub fn needed<'a>(running: Graph<'_>, target: Graph<'a>, page: &Loaded<'_>) -> Option<Needed<'a>> {
    let elements = places_of(running.build, page.elements, page.root);
    let noted = places_of(running.build, page.files, page.root);
    let known: Vec<&(usize, Base)> = elements.iter().chain(&noted).collect();
    let base = match known.first()?.1 {
        Base::Own if is_placed(&target.build.base) => target.build.base.clone(),
        Base::Own | Base::Root => page.root.to_string(),
    };
    let is_loaded = |path: &str| {
        let place = running.place(path);
        known.iter().any(|(known, _)| Some(*known) == place)
    };
    // An app with several pages has an entry for each.
    let is_of_another_page = |entry: &str| {
        let id = target.build.chunks.get(entry).map(|chunk| &chunk.id);
        let mut before = running.build.entries.iter().filter(|entry| {
            let chunk = running.build.chunks.get(entry.as_str());
            chunk.is_some_and(|chunk| Some(&chunk.id) == id)
        });
        page.complete && before.next().is_some_and(|entry| !is_loaded(entry))
    };
    let mut entries: Vec<&String> = target.build.entries.iter().collect();
    if entries.iter().any(|entry| !is_of_another_page(entry)) {
        entries.retain(|entry| !is_of_another_page(entry));
    }
    let mut starts = target.places(&mut entries.into_iter());
    starts.extend(elements.iter().filter_map(|(place, _)| {
        let (path, chunk) = running.chunk(*place)?;
        let mut chunks = target.build.chunks.values();
        let alike = target.place(path);
        alike.or_else(|| chunks.position(|other| other.id == chunk.id))
    }));
    starts.extend(noted.iter().filter_map(|(place, _)| {
        let (path, before) = running.chunk(*place)?;
        let after = target.place(path)?;
        let (_, chunk) = target.chunk(after)?;
        (chunk.integrity != before.integrity).then_some(after)
    }));
    Some(Needed {
        base,
        files: reached(&target, starts),
    })
}

/// Whether a base is absolute, so that it does not depend on the path of the page.
fn is_placed(base: &str) -> bool {
    base.starts_with('/') || base.contains("://") && path_of(base).starts_with('/')
}

/// What `starts` load at once, in the order in which a browser discovers it.
fn reached<'a>(target: &Graph<'a>, starts: Vec<usize>) -> Vec<(&'a String, &'a Chunk)> {
    let mut seen = vec![false; target.build.chunks.len()];
    let mut files = Vec::new();
    let mut round = starts;
    while !round.is_empty() {
        let mut next = Vec::new();
        for place in round {
            let (Some(mark), Some((path, chunk))) = (seen.get_mut(place), target.chunk(place))
            else {
                continue;
            };
            if core::mem::replace(mark, true) {
                continue;
            }
            if chunk.kind != ChunkKind::Asset {
                files.push((path, chunk));
            }
            next.extend(target.next(place, Reach::Static));
        }
        round = next;
    }
    files
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{build, chunk, files},
        *,
    };
    use crate::engine::{graph::Links, manifest::Manifest};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_page_needs_the_scripts_and_styles_of_its_document_with_all_that_they_import() {
        let (running, mut target) = (shop("1"), shop("2"));
        target
            .chunks
            .insert("assets/later-2.js".into(), chunk("later", "2"));
        let needed = ask(
            &running,
            &target,
            &["/assets/main-1.js"],
            &["/print.css"],
            true,
        );
        let (base, names) = needed.unwrap();
        assert_eq!(
            (&*base, names),
            (
                "/",
                files(&[
                    "assets/main-2.js",
                    "print.css",
                    "assets/vendor-2.js",
                    "assets/main-2.css"
                ])
            )
        );
    }

    #[test]
    fn code_that_has_other_bytes_under_its_name_is_needed_where_it_was_loaded() {
        let (mut running, mut target) = (shop("1"), shop("2"));
        for (build, turn) in [(&mut running, "1"), (&mut target, "2")] {
            for name in ["cart", "help"] {
                let later = alloc::format!("{name}.js");
                build.chunks.insert(later, chunk(name, turn));
            }
            build.chunks.insert("same.js".into(), chunk("same", "1"));
        }
        let loaded = ["/assets/main-1.js", "/cart.js", "/same.js"];
        let (_, names) = ask(&running, &target, &loaded, &[], true).unwrap();
        let extra = names.iter().filter(|name| !name.contains('2'));
        assert_eq!(extra.collect::<Vec<_>>(), ["cart.js"]);
    }

    #[test]
    fn entries_of_other_pages_are_not_needed_as_far_as_that_is_known() {
        let (mut running, mut target) = (shop("1"), shop("2"));
        for (build, turn) in [(&mut running, "1"), (&mut target, "2")] {
            let admin = alloc::format!("assets/admin-{turn}.js");
            build.chunks.insert(admin.clone(), chunk("admin", turn));
            build.entries.insert(0, admin);
        }
        let first = |complete| {
            let found = ask(&running, &target, &["/assets/main-1.js"], &[], complete);
            found.unwrap().1[0].clone()
        };
        assert_eq!(first(true), "assets/main-2.js");
        assert_eq!(first(false), "assets/admin-2.js");
    }

    #[test]
    fn files_are_where_those_of_this_page_were_found() {
        let (mut running, mut target) = (shop("1"), shop("2"));
        let base = |running: &Manifest, target: &Manifest, file: &str| {
            ask(running, target, &[file], &[], true).map(|(base, _)| base)
        };
        assert_eq!(base(&running, &target, "/elsewhere/main-1.js"), None);
        running.base = "https://cdn.test/shop/".into();
        target.base = "https://cdn.test/shop/".into();
        let found = base(&running, &target, "/shop/assets/main-1.js");
        assert_eq!(found.as_deref(), Some("https://cdn.test/shop/"));
        let found = base(&running, &target, "/assets/main-1.js");
        assert_eq!(found.as_deref(), Some("/"));
        running.base = "./".into();
        target.base = "./".into();
        let found = base(&running, &target, "/assets/main-1.js");
        assert_eq!(found.as_deref(), Some("/"));
    }

    fn shop(turn: &str) -> Manifest {
        let (main, vendor, style) = (
            alloc::format!("assets/main-{turn}.js"),
            alloc::format!("assets/vendor-{turn}.js"),
            alloc::format!("assets/main-{turn}.css"),
        );
        let mut shop = build(
            turn,
            &[
                (&main, "main", turn),
                (&vendor, "vendor", turn),
                (&style, "style", turn),
                ("print.css", "print.css", turn),
            ],
        );
        let mut entry = shop.chunks.get(main.as_str()).unwrap().clone();
        entry.imports.push(vendor);
        entry.css.push(style);
        entry.dynamic_imports.clear();
        shop.chunks.insert(main.clone(), entry);
        shop.entries = vec![main];
        shop
    }

    fn ask(
        running: &Manifest,
        target: &Manifest,
        noted: &[&str],
        elements: &[&str],
        complete: bool,
    ) -> Option<(String, Vec<String>)> {
        let (noted, elements) = (files(noted), files(elements));
        let page = Loaded {
            files: &noted,
            elements: &elements,
            complete,
            slots: None,
            root: "/",
        };
        let links = (Links::of(running), Links::of(target));
        let running = Graph::new(running, &links.0);
        let needed = needed(running, Graph::new(target, &links.1), &page)?;
        let names = needed.files.iter().map(|(path, _)| path.to_string());
        Some((needed.base.clone(), names.collect()))
    }
}
