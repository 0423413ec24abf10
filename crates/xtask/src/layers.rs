//! Who may name whom. Reads every path and `use` line of `src/**`, inside macros too, and holds it against the tables
//! below.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, ensure};
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// What a layer may not name: other layers, crates, items of `std`, single words.
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
        // Clocks and randomness make a trace unrepeatable, and so does the order in which a hash map is walked.
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
        crates: &["yew", "serde_wasm_bindgen"],
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

/// Crates outside `src/`: they use the engine and never the browser.
const NATIVE: &[&str] = &["cli", "sim", "model"];

/// The parts of the engine, which know nothing of each other.
const PARTS: &[&str] = &[
    "release",
    "releases",
    "manifest",
    "skew",
    "watch",
    "stream",
    "policy",
    "hold",
    "migration",
    "durable",
    "changeover",
    "recovery",
    "shelf",
    "swap",
    "tabs",
    "rollout",
];

/// What every part may use; these modules use each other and the documents' types.
const LEAVES: &[&str] = &[
    "io", "time", "ids", "hash", "random", "chance", "json", "error", "format", "duty", "status",
    "lineage", "names", "text", "written",
];

/// The one module that knows all parts.
const HUB: &str = "guard";

/// Parts whose *types* others may name: the two documents everything is about. Their functions stay out of reach.
const DOCUMENTS: &[&str] = &["release", "manifest"];

/// Fails with one line for each path that crosses a border.
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

/// A path as it is written, `use` trees unfolded, with the line it starts on.
#[derive(Debug)]
struct Named {
    segments: Vec<String>,
    line: usize,
    in_tests: bool,
}

/// All violations of one file; `file` is its path from the workspace's folder.
fn judge(file: &str, text: &str) -> Result<Vec<Violation>> {
    let tokens = TokenStream::from_str(text).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut names = Vec::new();
    collect(tokens, &[], false, &mut names);
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

/// `src/engine/watch/jitter.rs` is `["engine", "watch", "jitter"]`.
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
    if !LAYERS.iter().any(|known| known.name == layer) {
        return Some(format!(
            "{layer} is no layer; the layers are engine, web, js, yew"
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
    let layer = LAYERS
        .iter()
        .find(|layer| home.first().is_some_and(|first| first == layer.name))?;
    let first = name.segments.first()?.as_str();
    if let Some(word) = name
        .segments
        .iter()
        .find(|segment| layer.words.contains(&segment.as_str()))
    {
        return Some(format!("{} may not use {word}", layer.name));
    }
    if layer.crates.contains(&first) {
        return Some(format!("{} may not use the crate {first}", layer.name));
    }
    if matches!(first, "std" | "core" | "alloc") {
        let item = name
            .segments
            .get(1)
            .filter(|item| layer.std.contains(&item.as_str()))?;
        return Some(format!("{} may not use {first}::{item}", layer.name));
    }
    let target = resolve(home, &name.segments)?;
    let other = target.first()?;
    if other != layer.name {
        return layer
            .layers
            .contains(&other.as_str())
            .then(|| format!("{} may not use the layer {other}", layer.name));
    }
    if layer.name == "engine" && !name.in_tests {
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

/// The star: parts know leaves, the guard knows the parts.
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

/// Gathers every path of a token stream. A `{…}` after `::` continues the path in front of it, so `use` trees unfold.
fn collect(tokens: TokenStream, prefix: &[String], in_tests: bool, names: &mut Vec<Named>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    let mut test_item = false;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Punct(mark)
                if mark.as_char() == '#' && is_test_attribute(&tokens[at + 1..]) =>
            {
                test_item = true;
                at += 2;
            }
            TokenTree::Punct(mark) => {
                test_item &= mark.as_char() != ';';
                at += 1;
            }
            TokenTree::Group(group) => {
                let inside = in_tests || test_item;
                collect(
                    group.stream(),
                    if prefix.is_empty() { &[] } else { prefix },
                    inside,
                    names,
                );
                test_item &= group.delimiter() != Delimiter::Brace;
                at += 1;
            }
            TokenTree::Literal(_) => at += 1,
            TokenTree::Ident(start) => {
                let mut segments = prefix.to_vec();
                segments.push(plain(&start.to_string()));
                let line = start.span().start().line;
                at += 1;
                let mut unfolded = false;
                while is_double_colon(&tokens[at..]) {
                    match tokens.get(at + 2) {
                        Some(TokenTree::Ident(next)) => {
                            segments.push(plain(&next.to_string()));
                            at += 3;
                        }
                        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                            collect(group.stream(), &segments, in_tests || test_item, names);
                            unfolded = true;
                            at += 3;
                        }
                        _ => {
                            at += 2;
                            break;
                        }
                    }
                }
                if !unfolded {
                    names.push(Named {
                        segments,
                        line,
                        in_tests: in_tests || test_item,
                    });
                }
            }
        }
    }
}

fn plain(identifier: &str) -> String {
    identifier.trim_start_matches("r#").to_owned()
}

fn is_double_colon(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(a), TokenTree::Punct(b), ..]
        if a.as_char() == ':' && a.spacing() == Spacing::Joint && b.as_char() == ':')
}

/// Whether the tokens after a `#` are `[cfg(test)]`.
fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    matches!(tokens.first(), Some(TokenTree::Group(group)) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whys(file: &str, text: &str) -> Vec<String> {
        judge(file, text)
            .unwrap()
            .into_iter()
            .map(|violation| violation.why)
            .collect()
    }

    #[test]
    fn the_engine_may_not_name_the_browser() {
        assert_eq!(
            whys("src/engine/watch.rs", "use web_sys::Window;"),
            ["engine may not use the crate web_sys"]
        );
        assert_eq!(
            whys("src/engine/watch.rs", "fn f() -> js_sys::Array { todo!() }"),
            ["engine may not use the crate js_sys"]
        );
        assert_eq!(
            whys("src/engine/watch.rs", "use gloo_timers::callback::Timeout;"),
            ["engine may not use the crate gloo_timers"]
        );
        assert_eq!(
            whys(
                "src/engine/watch.rs",
                "#[wasm_bindgen::prelude::wasm_bindgen] fn f() {}"
            ),
            ["engine may not use the crate wasm_bindgen"]
        );
    }

    #[test]
    fn the_engine_may_not_read_a_clock() {
        assert_eq!(
            whys("src/engine/watch.rs", "use std::time::Instant;"),
            ["engine may not use Instant"]
        );
        assert_eq!(
            whys(
                "src/engine/watch.rs",
                "use std::{fmt, time::{Duration, SystemTime}};"
            ),
            ["engine may not use SystemTime"]
        );
        assert_eq!(
            whys(
                "src/engine/watch.rs",
                "use std::time; fn f() { time::Instant::now(); }"
            ),
            ["engine may not use Instant"]
        );
        assert!(whys("src/engine/watch.rs", "use core::time::Duration;").is_empty());
    }

    #[test]
    fn the_engine_may_not_draw_random_numbers_or_walk_hash_maps() {
        assert_eq!(
            whys("src/engine/tabs.rs", "fn f() -> u8 { rand::random() }"),
            ["engine may not use the crate rand"]
        );
        assert_eq!(
            whys(
                "src/engine/tabs.rs",
                "use std::collections::{BTreeMap, HashMap};"
            ),
            ["engine may not use HashMap"]
        );
        assert_eq!(
            whys(
                "src/engine/tabs.rs",
                "struct A { b: std::collections::HashSet<u8> }"
            ),
            ["engine may not use HashSet"]
        );
    }

    #[test]
    fn the_engine_may_not_wait_or_do_io() {
        assert_eq!(
            whys("src/engine/tabs.rs", "async fn f() {}"),
            ["engine may not use async"]
        );
        assert_eq!(
            whys("src/engine/tabs.rs", "fn f() { x.await }"),
            ["engine may not use await"]
        );
        assert_eq!(
            whys("src/engine/tabs.rs", "use std::fs::read;"),
            ["engine may not use std::fs"]
        );
        assert!(
            whys(
                "src/engine/tabs.rs",
                "use super::io::Input; use crate::engine::io::Effect;"
            )
            .is_empty()
        );
    }

    #[test]
    fn macros_are_read_too() {
        assert_eq!(
            whys(
                "src/engine/tabs.rs",
                "fn f() { log!(\"{:?}\", std::time::SystemTime::now()) }"
            ),
            ["engine may not use SystemTime"]
        );
    }

    #[test]
    fn words_in_comments_and_strings_are_not_names() {
        assert!(
            whys(
                "src/engine/tabs.rs",
                "//! A HashMap, std::time::Instant.\nconst A: &str = \"web_sys::Window\"; // async"
            )
            .is_empty()
        );
    }

    #[test]
    fn layers_look_down_only() {
        assert_eq!(
            whys("src/engine/tabs.rs", "use crate::web::clock;"),
            ["engine may not use the layer web"]
        );
        assert_eq!(
            whys("src/engine/tabs.rs", "use super::super::js::api;"),
            ["engine may not use the layer js"]
        );
        assert_eq!(
            whys(
                "src/web/clock.rs",
                "use crate::{engine::io::Input, js::Api};"
            ),
            ["web may not use the layer js"]
        );
        assert_eq!(
            whys("src/js/mod.rs", "use crate::yew::Provider;"),
            ["js may not use the layer yew"]
        );
        assert!(
            whys(
                "src/js/mod.rs",
                "use crate::{engine::guard::Guard, web::driver::Driver};"
            )
            .is_empty()
        );
        assert_eq!(
            whys("src/net/mod.rs", ""),
            ["net is no layer; the layers are engine, web, js, yew"]
        );
    }

    #[test]
    fn native_crates_know_the_engine_only() {
        assert_eq!(
            whys("crates/cli/src/main.rs", "use changeover::web::driver;"),
            ["cli may not use web: it knows the engine only"]
        );
        assert_eq!(
            whys("crates/sim/src/world.rs", "use js_sys::Date;"),
            ["sim may not use js_sys: it knows the engine only"]
        );
        assert!(
            whys(
                "crates/cli/src/main.rs",
                "use changeover::engine::release::Release; use std::fs;"
            )
            .is_empty()
        );
    }

    #[test]
    fn parts_do_not_know_each_other() {
        let why = "the part policy may not use the part watch: only guard knows the parts";
        assert_eq!(
            whys("src/engine/policy.rs", "use super::watch::Watch;"),
            [why]
        );
        assert_eq!(
            whys(
                "src/engine/policy.rs",
                "use crate::engine::{io::Input, watch::Watch};"
            ),
            [why]
        );
        assert_eq!(
            whys(
                "src/engine/policy/rules.rs",
                "use super::super::watch::Watch;"
            ),
            [why]
        );
        assert_eq!(
            whys("src/engine/policy.rs", "use super::guard::Guard;"),
            ["policy may not use guard: parts return values"]
        );
        assert_eq!(
            whys("src/engine/io.rs", "use super::watch::Watch;"),
            ["io is a leaf of the engine and may not use the part watch"]
        );
        assert!(whys("src/engine/guard.rs", "use super::{policy, watch::Watch};").is_empty());
        assert!(
            whys(
                "src/engine/policy/rules.rs",
                "use super::Decision; use crate::engine::policy::Reason;"
            )
            .is_empty()
        );
    }

    #[test]
    fn parts_may_name_the_documents_but_not_call_their_functions() {
        assert!(
            whys(
                "src/engine/skew.rs",
                "use super::manifest::{Chunk, Manifest};"
            )
            .is_empty()
        );
        assert_eq!(
            whys("src/engine/skew.rs", "use super::manifest::parse;"),
            ["the part skew may not use the part manifest: only guard knows the parts"]
        );
        assert_eq!(
            whys("src/engine/skew.rs", "use super::manifest;"),
            ["the part skew may not use the part manifest: only guard knows the parts"]
        );
    }

    #[test]
    fn tests_of_a_part_may_use_other_parts_but_stay_pure() {
        assert!(
            whys(
                "src/engine/skew.rs",
                "#[cfg(test)] mod tests { use super::super::watch::Watch; }"
            )
            .is_empty()
        );
        assert_eq!(
            whys(
                "src/engine/skew.rs",
                "#[cfg(test)] mod tests { use std::time::Instant; }"
            ),
            ["engine may not use Instant"]
        );
        let after = "#[cfg(test)] mod tests {} use super::watch::Watch;";
        assert_eq!(
            whys("src/engine/skew.rs", after),
            ["the part skew may not use the part watch: only guard knows the parts"]
        );
    }

    #[test]
    fn an_unknown_module_of_the_engine_must_be_put_into_a_table() {
        let why = "stuff is neither a part nor a leaf of the engine; add it to a table in crates/xtask/src/layers.rs";
        assert_eq!(whys("src/engine/stuff.rs", ""), [why]);
    }

    #[test]
    fn a_violation_names_its_file_and_line() {
        let found = judge("src/engine/tabs.rs", "\n\nuse web_sys::Window;").unwrap();
        assert_eq!(
            found[0].to_string(),
            "src/engine/tabs.rs:3: `web_sys::Window`: engine may not use the crate web_sys"
        );
    }
}
