//! Which modules may use which. Reads every path and `use` line of `src/**`, inside macros too, and checks it against
//! the tables below.

mod circles;
mod paths;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use self::circles::circles;
use self::paths::{Named, names_in};

/// What a layer must not use: other layers, crates, items of `std`, single words.
struct Layer {
    name: &'static str,
    layers: &'static [&'static str],
    crates: &'static [&'static str],
    std: &'static [&'static str],
    words: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer {
        name: "engine",
        layers: &["web", "js", "yew"],
        crates: &[
            "web_sys",
            "js_sys",
            "wasm_bindgen",
            "wasm_bindgen_futures",
            "serde_wasm_bindgen",
            "gloo",
            "gloo_net",
            "gloo_timers",
            "gloo_events",
            "gloo_utils",
            "console_error_panic_hook",
            "futures",
            "futures_util",
            "futures_channel",
            "tokio",
            "rand",
            "fastrand",
            "getrandom",
            "chrono",
            "yew",
        ],
        std: &[
            "env", "fs", "future", "io", "net", "os", "process", "random", "sync", "task", "thread",
        ],
        // A trace could not be replayed with clocks, randomness, or the iteration order of hash maps.
        words: &[
            "async",
            "await",
            "Instant",
            "SystemTime",
            "UNIX_EPOCH",
            "HashMap",
            "HashSet",
            "RandomState",
            "thread_local",
            "unsafe",
        ],
    },
    Layer {
        name: "web",
        layers: &["js", "yew"],
        crates: &["yew"],
        std: &["fs", "net", "process", "thread"],
        words: &[],
    },
    Layer {
        name: "js",
        layers: &["yew"],
        crates: &["yew"],
        std: &["fs", "net", "process", "thread"],
        words: &[],
    },
    Layer {
        name: "yew",
        layers: &["js"],
        crates: &["serde_wasm_bindgen"],
        std: &["fs", "net", "process", "thread"],
        words: &[],
    },
];

/// Crates outside `src/`, which use the engine and never the browser.
const NATIVE: &[&str] = &["cli", "sim", "model"];

/// Modules below all layers. They are as pure as the engine and must not use any layer.
const BASE: &[&str] = &["ids", "listed", "rng", "time"];

/// The parts of the engine, which must not use each other.
const PARTS: &[&str] = &[
    "release",
    "releases",
    "manifest",
    "skew",
    "check_schedule",
    "stream",
    "policy",
    "hold",
    "migration",
    "store",
    "changeover",
    "departure",
    "recovery",
    "manifest_cache",
    "swap",
    "tabs",
    "rollout",
];

/// Modules that every part may use. They may use each other and the types of the documents.
const LEAVES: &[&str] = &[
    "io",
    "burst",
    "excerpt",
    "failure",
    "error",
    "format",
    "graph",
    "poll_role",
    "status",
    "lineage",
    "news",
    "sequence",
    "slots",
];

/// The only module that uses the parts.
const HUB: &str = "guard";

/// The two documents. Other parts may use their types, but not their functions.
const DOCUMENTS: &[&str] = &["release", "manifest"];

/// Fails with one line for each violation.
pub fn check(workspace: &Path) -> Result<()> {
    let mut files = BTreeMap::new();
    read(&workspace.join("src"), Path::new("src"), &mut files)?;
    for name in NATIVE {
        let folder = Path::new("crates").join(name).join("src");
        read(&workspace.join(&folder), &folder, &mut files)?;
    }
    ensure!(
        !files.is_empty(),
        "there is no Rust file in {}",
        workspace.join("src").display()
    );
    let mut violations = Vec::new();
    for (path, text) in &files {
        violations.extend(judge(path, text).with_context(|| path.clone())?);
    }
    violations.extend(circles(&files)?);
    println!(
        "layers: {} files, {} violations",
        files.len(),
        violations.len()
    );
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    ensure!(lines.is_empty(), "{}", lines.join("\n"));
    Ok(())
}

fn read(folder: &Path, shown: &Path, files: &mut BTreeMap<String, String>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let (path, name): (PathBuf, PathBuf) =
            entry.map(|entry| (entry.path(), shown.join(entry.file_name())))?;
        if path.is_dir() {
            read(&path, &name, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = name.to_string_lossy().replace('\\', "/");
            files.insert(
                name,
                fs::read_to_string(&path).with_context(|| path.display().to_string())?,
            );
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Violation {
    file: String,
    line: usize,
    named: String,
    why: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: `{}`: {}",
            self.file, self.line, self.named, self.why
        )
    }
}

/// All violations of one file; `file` is its path from the workspace's folder.
fn judge(file: &str, text: &str) -> Result<Vec<Violation>> {
    let names = names_in(text)?;
    let home = module_of(file);
    let mut violations = Vec::new();
    if let Some(why) = misplaced(file, &home) {
        violations.push(Violation {
            file: file.to_owned(),
            line: 1,
            named: home.join("::"),
            why,
        });
    }
    for name in names {
        if let Some(why) = refuse(file, &home, &name) {
            violations.push(Violation {
                file: file.to_owned(),
                line: name.line,
                named: name.segments.join("::"),
                why,
            });
        }
    }
    Ok(violations)
}

/// `src/engine/check_schedule/jitter.rs` is `["engine", "check_schedule", "jitter"]`.
fn module_of(file: &str) -> Vec<String> {
    let inside = file
        .strip_prefix("src/")
        .unwrap_or(file)
        .trim_end_matches(".rs");
    let mut module: Vec<String> = inside.split('/').map(str::to_owned).collect();
    if module
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        module.pop();
    }
    module
}

fn misplaced(file: &str, home: &[String]) -> Option<String> {
    if !file.starts_with("src/") {
        return None;
    }
    let layer = home.first()?;
    if BASE.contains(&layer.as_str()) {
        return None;
    }
    if !LAYERS.iter().any(|known| known.name == layer) {
        return Some(format!(
            "{layer} is no layer; the layers are engine, web, js, yew, and below them {}",
            BASE.join(", ")
        ));
    }
    let part = home.get(1)?;
    let known = PARTS.contains(&part.as_str()) || LEAVES.contains(&part.as_str()) || part == HUB;
    (layer == "engine" && !known).then(|| format!("{part} is neither a part nor a leaf of the engine; add it to a table in crates/xtask/src/layers.rs"))
}

fn refuse(file: &str, home: &[String], name: &Named) -> Option<String> {
    if let Some(crate_name) = file
        .strip_prefix("crates/")
        .and_then(|rest| rest.split('/').next())
    {
        return refuse_native(crate_name, &name.segments);
    }
    let own = home.first()?.as_str();
    let is_base = BASE.contains(&own);
    let layer = LAYERS
        .iter()
        .find(|layer| layer.name == if is_base { "engine" } else { own })?;
    let first = name.segments.first()?.as_str();
    if let Some(word) = name
        .segments
        .iter()
        .find(|segment| layer.words.contains(&segment.as_str()))
    {
        return Some(format!("{own} may not use {word}"));
    }
    if layer.crates.contains(&first) {
        return Some(format!("{own} may not use the crate {first}"));
    }
    if matches!(first, "std" | "core" | "alloc") {
        let item = name
            .segments
            .get(1)
            .filter(|item| layer.std.contains(&item.as_str()))?;
        return Some(format!("{own} may not use {first}::{item}"));
    }
    let target = resolve(home, &name.segments)?;
    let other = target.first()?;
    if other != own {
        let is_above = layer.layers.contains(&other.as_str()) || is_base && other == "engine";
        return is_above.then(|| format!("{own} may not use the layer {other}"));
    }
    if own == "engine" && !name.in_tests {
        refuse_part(home, &target)
    } else {
        None
    }
}

fn refuse_native(crate_name: &str, segments: &[String]) -> Option<String> {
    let names_browser = match segments {
        [first, ..] if ["web_sys", "js_sys", "wasm_bindgen", "yew"].contains(&first.as_str()) => {
            first
        }
        [first, second, ..]
            if first == "changeover" && ["web", "js", "yew"].contains(&second.as_str()) =>
        {
            second
        }
        _ => return None,
    };
    Some(format!(
        "{crate_name} may not use {names_browser}: it knows the engine only"
    ))
}

/// Parts may use leaves, and only the guard may use parts.
fn refuse_part(home: &[String], target: &[String]) -> Option<String> {
    let (from, to) = (home.get(1)?.as_str(), target.get(1)?.as_str());
    if from == to || from == HUB || LEAVES.contains(&to) {
        return None;
    }
    if to == HUB {
        return Some(format!("{from} may not use {HUB}: parts return values"));
    }
    if !PARTS.contains(&to) {
        return None;
    }
    let is_type = |segment: &String| segment.starts_with(char::is_uppercase);
    let names_type = target.get(2).is_some_and(is_type);
    if DOCUMENTS.contains(&to) && names_type {
        return None;
    }
    if LEAVES.contains(&from) {
        return Some(format!(
            "{from} is a leaf of the engine and may not use the part {to}"
        ));
    }
    Some(format!(
        "the part {from} may not use the part {to}: only {HUB} knows the parts"
    ))
}

/// The path from the crate's root, for paths that start with `crate`, `self` or `super`.
fn resolve(home: &[String], segments: &[String]) -> Option<Vec<String>> {
    let mut rest = segments;
    let mut base = match rest.first()?.as_str() {
        "crate" => {
            rest = &rest[1..];
            Vec::new()
        }
        "self" | "super" => home.to_vec(),
        _ => return None,
    };
    while let Some(first) = rest.first() {
        match first.as_str() {
            "self" => {}
            "super" => {
                base.pop();
            }
            _ => break,
        }
        rest = &rest[1..];
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

#[cfg(test)]
mod tests;
