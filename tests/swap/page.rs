//! A page that loads modules as browsers do: by URL, one instance for each, for ever; and a server that has the files of
//! every build.

use std::collections::{BTreeMap, BTreeSet};

use changeover::engine::{
    manifest::{Chunk, ChunkKind, Manifest},
    swap::{Page, SwapPlan, Use},
};

/// What is at each path now.
#[derive(Clone, Debug, Default)]
pub struct Server {
    files: BTreeMap<String, Chunk>,
}

impl Server {
    pub fn publish(&mut self, build: &Manifest) {
        for (path, chunk) in &build.chunks {
            self.files.insert(path.clone(), chunk.clone());
        }
    }
}

#[derive(Clone, Debug)]
pub struct Tab {
    /// The module map.
    instances: BTreeMap<String, Chunk>,
    entries: Vec<String>,
    pub pointers: BTreeMap<String, String>,
    /// The file that each used slot runs.
    pub running: BTreeMap<String, (Use, String)>,
    pub styles: BTreeSet<String>,
}

/// Files by path, with the module in each and the code that was evaluated.
pub type Picture = BTreeMap<String, (String, String)>;

impl Tab {
    /// A fresh load.
    pub fn open(build: &Manifest, server: &Server) -> Self {
        let mut tab = Self {
            instances: BTreeMap::new(),
            entries: build.entries.clone(),
            pointers: BTreeMap::new(),
            running: BTreeMap::new(),
            styles: BTreeSet::new(),
        };
        for (name, slot) in &build.slots {
            tab.pointers.insert(name.clone(), slot.file.clone());
        }
        for entry in &build.entries {
            tab.import(entry, server);
        }
        tab.styles = styles_of(build, tab.entries.iter(), false);
        tab
    }

    /// Returns what had to be requested.
    pub fn import(&mut self, path: &str, server: &Server) -> BTreeSet<String> {
        let mut requested = BTreeSet::new();
        let mut open = vec![path.to_owned()];
        while let Some(path) = open.pop() {
            if !self.instances.contains_key(&path) {
                let Some(chunk) = server.files.get(&path) else {
                    continue;
                };
                self.instances.insert(path.clone(), chunk.clone());
                open.extend(chunk.imports.iter().cloned());
                requested.insert(path);
            }
        }
        requested
    }

    /// The app shows a slot, hides it, or loads it without a word.
    pub fn use_slot(&mut self, slot: &str, used: Option<Use>, build: &Manifest, server: &Server) {
        match used {
            None => {}
            Some(used) => {
                let file = match self.running.get(slot) {
                    Some((_, file)) => file.clone(),
                    None => self.pointers[slot].clone(),
                };
                self.import(&file, server);
                self.styles
                    .extend(styles_of(build, [&file].into_iter(), false));
                self.running.insert(slot.into(), (used, file));
            }
        }
    }

    pub fn page(&self) -> Page {
        Page {
            slots: self
                .running
                .iter()
                .map(|(name, (used, _))| (name.clone(), *used))
                .collect(),
            ..Page::default()
        }
    }

    /// Whether a slot runs what a build has for it.
    pub fn runs(&self, slot: &str, build: &Manifest) -> bool {
        let (_, file) = &self.running[slot];
        let ran = self.instances.get(file).map(|chunk| &chunk.integrity);
        *file == build.slots.get(slot).unwrap().file
            && ran == build.chunks.get(file).map(|chunk| &chunk.integrity)
    }

    /// Whether a slot runs other code than a build has for it. The bytes of its file may differ in the names of other
    /// files: what the shell has loaded too is not loaded again.
    pub fn is_behind(&self, slot: &str, build: &Manifest) -> bool {
        let (_, file) = &self.running[slot];
        let code = |chunk: Option<&Chunk>| chunk.map(|chunk| chunk.code.clone());
        *file != build.slots.get(slot).unwrap().file
            || code(self.instances.get(file)) != code(build.chunks.get(file))
    }

    /// Does what a plan says. Returns what had to be requested for the slots.
    pub fn execute(&mut self, moves: &SwapPlan, server: &Server) -> BTreeSet<String> {
        let mut requested = BTreeSet::new();
        for slot in &moves.slots {
            requested.extend(self.import(&slot.pointer.file, server));
            let running = self.running.get_mut(&slot.pointer.slot).unwrap();
            assert_eq!((running.0, &running.1), (Use::Mounted, &slot.from_file));
            running.1.clone_from(&slot.pointer.file);
        }
        for pointer in moves
            .slots
            .iter()
            .map(|slot| &slot.pointer)
            .chain(&moves.moved)
        {
            self.pointers
                .insert(pointer.slot.clone(), pointer.file.clone());
            // Nothing shows it; the next one to do so asks for the pointer.
            let idle =
                |(used, file): &mut (Use, String)| *used == Use::Idle && *file != pointer.file;
            if self.running.get_mut(&pointer.slot).is_some_and(idle) {
                self.running.remove(&pointer.slot);
            }
        }
        for style in &moves.styles_out {
            assert!(self.styles.remove(style), "{style} is not in the page");
        }
        self.styles.extend(moves.styles_in.iter().cloned());
        requested
    }

    /// All that the shell and the pointers lead to, now or later, as it would be evaluated.
    pub fn picture(&self, server: &Server, without: &BTreeSet<String>) -> Picture {
        let pointers = self
            .pointers
            .iter()
            .filter(|(slot, _)| !without.contains(*slot));
        self.reach(
            self.entries.iter().chain(pointers.map(|(_, file)| file)),
            server,
        )
    }

    /// What the code that runs in slots leads to.
    pub fn used(&self, slots: &BTreeSet<String>, server: &Server) -> Picture {
        let running = self
            .running
            .iter()
            .filter(|(slot, _)| slots.contains(*slot));
        self.reach(running.map(|(_, (_, file))| file), server)
    }

    fn reach<'a>(&self, starts: impl Iterator<Item = &'a String>, server: &Server) -> Picture {
        let mut found = Picture::new();
        let mut open: Vec<&String> = starts.collect();
        while let Some(path) = open.pop() {
            let chunk = self.instances.get(path).or_else(|| server.files.get(path));
            let Some(chunk) = chunk else { continue };
            let seen = (chunk.id.clone(), chunk.code.clone());
            if found.insert(path.clone(), seen).is_none() {
                open.extend(chunk.imports.iter().chain(&chunk.dynamic_imports));
            }
        }
        found
    }
}

/// Some files and what they import at once, or also later.
pub fn reached<'a>(
    build: &'a Manifest,
    starts: impl Iterator<Item = &'a String>,
    later: bool,
) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&String> = starts.collect();
    while let Some(path) = open.pop() {
        if seen.insert(path.clone())
            && let Some(chunk) = build.chunks.get(path)
        {
            open.extend(chunk.imports.iter().chain(&chunk.css));
            open.extend(chunk.dynamic_imports.iter().filter(|_| later));
        }
    }
    seen
}

pub fn styles_of<'a>(
    build: &'a Manifest,
    starts: impl Iterator<Item = &'a String>,
    later: bool,
) -> BTreeSet<String> {
    let mut styles = reached(build, starts, later);
    styles.retain(|path| {
        let chunk = build.chunks.get(path);
        chunk.is_some_and(|chunk| chunk.kind == ChunkKind::Style)
    });
    styles
}
