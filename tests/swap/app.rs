//! A small app and the bundler that makes a build of it: one chunk for each module, named after its text and the names
//! of what it imports.

use std::collections::{BTreeMap, BTreeSet};

use changeover::{
    engine::{
        graph::{Graph, Links},
        manifest::{Chunk, ChunkKind, Manifest, Owner, Slot, SlotKind, Store},
        swap::{self, Composition, Page, Plan, Use},
    },
    ids::BuildId,
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct App {
    pub modules: BTreeMap<String, Module>,
    pub entries: Vec<String>,
    /// Slot and module.
    pub slots: BTreeMap<String, SlotSource>,
    pub pinned: BTreeSet<String>,
    pub html: u32,
    pub epoch: u32,
    pub base: String,
    pub stores: BTreeMap<String, Store>,
    /// Files keep their names whatever is in them.
    pub plain_names: bool,
    /// As with Vite, a new style gives another name to the script that it belongs to, whose bytes stay.
    pub styles_rename: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SlotSource {
    pub module: String,
    pub kind: SlotKind,
    pub schema: u32,
}

/// What a developer writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Module {
    pub text: u32,
    pub imports: Vec<String>,
    pub later: Vec<String>,
    /// A style and its text.
    pub css: Option<u32>,
    pub exports: Vec<String>,
    pub kind: Option<ChunkKind>,
}

/// What the planner says of two builds.
pub fn plan(running: &Composition, base: &Manifest, target: &Manifest, page: &Page) -> Plan {
    let links = [base, target].map(Links::of);
    let [base, target] =
        [(base, &links[0]), (target, &links[1])].map(|(build, links)| Graph::new(build, links));
    swap::plan(running, base, target, page)
}

pub fn module(text: u32, imports: &[&str]) -> Module {
    Module {
        text,
        imports: imports.iter().map(ToString::to_string).collect(),
        ..Module::default()
    }
}

pub fn slot(module: &str) -> SlotSource {
    SlotSource {
        module: module.into(),
        kind: SlotKind::Module,
        schema: 1,
    }
}

/// A shop: the shell and the routes share `util`, two routes share `widgets`.
pub fn shop() -> App {
    let modules = [
        ("main", module(1, &["framework", "util"])),
        ("framework", module(1, &[])),
        ("util", module(1, &[])),
        ("cart", module(1, &["framework", "util", "widgets"])),
        ("home", module(1, &["framework", "widgets"])),
        ("about", module(1, &["framework"])),
        ("widgets", module(1, &["framework"])),
    ];
    App {
        modules: modules
            .into_iter()
            .map(|(id, module)| (id.into(), module))
            .collect(),
        entries: vec!["main".into()],
        slots: ["about", "cart", "home"]
            .into_iter()
            .map(|id| (id.into(), slot(id)))
            .collect(),
        epoch: 1,
        base: "/".into(),
        ..App::default()
    }
}

impl App {
    /// The same app with an edit.
    pub fn with(&self, edit: impl FnOnce(&mut App)) -> App {
        let mut app = self.clone();
        edit(&mut app);
        app
    }

    pub fn module(&mut self, id: &str) -> &mut Module {
        self.modules.get_mut(id).unwrap()
    }

    pub fn pin(&mut self, id: &str) {
        self.pinned.insert(id.into());
    }

    pub fn build(&self, id: &str) -> Manifest {
        let shell = self.reached(self.entries.iter());
        let slots = self.reached(self.slots.values().map(|slot| &slot.module));
        let mut manifest = Manifest::new("shop", BuildId(id.into()), "2026-07-31T12:00:00Z");
        manifest.base = self.base.clone();
        manifest.epoch = self.epoch;
        manifest.html = Some(format!("html {}", self.html));
        manifest.entries = self.entries.iter().map(|entry| self.file(entry)).collect();
        for module in shell.union(&slots) {
            let source = &self.modules[module];
            let owner = match (shell.contains(module), slots.contains(module)) {
                _ if self.pinned.contains(module) => Owner::Pinned,
                (true, true) => Owner::Shared,
                (false, true) => Owner::Slot,
                (true, false) | (false, false) => Owner::Shell,
            };
            let files = |ids: &[String]| ids.iter().map(|id| self.file(id)).collect();
            let mut chunk = Chunk {
                id: module.clone(),
                code: format!(
                    "{:?}",
                    Module {
                        css: None,
                        ..source.clone()
                    }
                ),
                integrity: format!("sha of {}", hash(&self.text(module))),
                size: 100 + u64::from(source.text),
                kind: source.kind.unwrap_or(ChunkKind::Script),
                imports: files(&source.imports),
                dynamic_imports: files(&source.later),
                css: Vec::new(),
                exports: source.exports.clone(),
                owner,
            };
            if let Some(text) = source.css {
                let style = match self.plain_names {
                    true => format!("assets/{module}.css"),
                    false => format!("assets/{module}-{text}.css"),
                };
                chunk.css.push(style.clone());
                let style_chunk = Chunk {
                    id: format!("{module}.css"),
                    code: format!("css {text}"),
                    integrity: format!("sha of css {text}"),
                    size: 10,
                    kind: ChunkKind::Style,
                    imports: vec![],
                    dynamic_imports: vec![],
                    css: vec![],
                    exports: vec![],
                    owner,
                };
                manifest.chunks.insert(style, style_chunk);
            }
            manifest.chunks.insert(self.file(module), chunk);
        }
        for (name, source) in &self.slots {
            let slot = Slot {
                file: self.file(&source.module),
                kind: source.kind,
                schema: source.schema,
            };
            manifest.slots.insert(name.clone(), slot);
        }
        for (name, store) in &self.stores {
            manifest.stores.insert(name.clone(), store.clone());
        }
        manifest
    }

    pub fn file(&self, module: &str) -> String {
        if self.plain_names {
            return format!("assets/{module}.js");
        }
        let mut named = self.text(module);
        if self.styles_rename {
            named += &format!("{:?}", self.modules[module].css);
        }
        format!("assets/{module}-{:08x}.js", hash(&named) as u32)
    }

    /// What the bundler writes into a file.
    fn text(&self, module: &str) -> String {
        let source = &self.modules[module];
        let mut text = format!("{module} {} {:?}", source.text, source.exports);
        for (at, import) in source.imports.iter().chain(&source.later).enumerate() {
            text += if at < source.imports.len() {
                " import "
            } else {
                " import() "
            };
            // Names that say nothing pass nothing on; then all of it is in the one text.
            text += &match self.plain_names {
                true => self.text(import),
                false => self.file(import),
            };
        }
        // As Vite does: who imports later names the styles that come with it.
        for style in self.styles(source.later.iter()) {
            text += &format!(" {style}");
        }
        text
    }

    fn styles<'a>(&self, starts: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for module in starts {
            let source = &self.modules[module];
            found.extend(source.css.map(|text| format!("{module} {text}")));
            found.extend(self.styles(source.imports.iter()));
        }
        found
    }

    fn reached<'a>(&self, starts: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open: Vec<String> = starts.cloned().collect();
        while let Some(module) = open.pop() {
            if found.insert(module.clone()) {
                let source = &self.modules[&module];
                open.extend(source.imports.iter().chain(&source.later).cloned());
            }
        }
        found
    }
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A page in which these slots are mounted.
pub fn showing(slots: &[&str]) -> Page {
    using(
        &slots
            .iter()
            .map(|slot| (*slot, Use::Mounted))
            .collect::<Vec<_>>(),
    )
}

pub fn using(slots: &[(&str, Use)]) -> Page {
    Page {
        slots: slots
            .iter()
            .map(|(slot, used)| (slot.to_string(), *used))
            .collect(),
        ..Page::default()
    }
}
