//! The licences that code in a user's page may have.
//!
//! Checks the SPDX expression of each package that the runtime links for the browser against a list of licences that
//! require nothing but attribution. Build tools and tests are not shipped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Fails when a package of the runtime has no licence, or one outside the list.
pub fn check(workspace: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--features=js",
            "--filter-platform=wasm32-unknown-unknown",
        ])
        .current_dir(workspace)
        .output()
        .context("cargo metadata could not be started")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let packages = shipped(&serde_json::from_slice(&output.stdout)?)?;
    let refused: Vec<String> = packages
        .iter()
        .filter_map(|(name, licence)| refusal(name, licence.as_deref()))
        .collect();
    println!(
        "licences: {} packages in the runtime, {} refused",
        packages.len(),
        refused.len()
    );
    ensure!(refused.is_empty(), "{}", refused.join("\n"));
    Ok(())
}

/// Every package the runtime links, with its licence expression.
fn shipped(metadata: &Value) -> Result<BTreeMap<String, Option<String>>> {
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"]["nodes"])?
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let packages: BTreeMap<&str, &Value> = list(&metadata["packages"])?
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let root = metadata["resolve"]["root"]
        .as_str()
        .context("the workspace has no root package")?;

    let mut seen = BTreeSet::from([root]);
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        let node = nodes
            .get(id)
            .with_context(|| format!("{id} is not resolved"))?;
        for dependency in list(&node["deps"])? {
            // `kind` is null for an ordinary dependency, else "dev" or "build".
            let linked = list(&dependency["dep_kinds"])?
                .iter()
                .any(|kind| kind["kind"].is_null());
            let id = dependency["pkg"]
                .as_str()
                .context("a dependency has no id")?;
            if linked && seen.insert(id) {
                open.push(id);
            }
        }
    }
    seen.into_iter()
        .map(|id| {
            let package = packages
                .get(id)
                .with_context(|| format!("{id} is not described"))?;
            let name = format!(
                "{} {}",
                package["name"].as_str().unwrap_or("?"),
                package["version"].as_str().unwrap_or("?")
            );
            Ok((name, package["license"].as_str().map(str::to_owned)))
        })
        .collect()
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    value
        .as_array()
        .context("cargo metadata has an unexpected shape")
}

fn refusal(name: &str, licence: Option<&str>) -> Option<String> {
    match licence {
        None => Some(format!("{name} names no licence")),
        Some(expression) => match allows(expression) {
            Ok(true) => None,
            Ok(false) => Some(format!(
                "{name} is under {expression}, which is not in the list of allowed licences"
            )),
            Err(error) => Some(format!(
                "{name}: the licence {expression:?} cannot be read: {error}"
            )),
        },
    }
}

/// Evaluates an SPDX expression; `/` is cargo's old spelling of `OR`.
fn allows(expression: &str) -> Result<bool> {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let allowed = either(&mut rest)?;
    ensure!(rest.is_empty(), "unexpected {:?}", rest[0]);
    Ok(allowed)
}

fn either(rest: &mut &[&str]) -> Result<bool> {
    let mut allowed = both(rest)?;
    while rest.first() == Some(&"OR") {
        *rest = &rest[1..];
        allowed |= both(rest)?;
    }
    Ok(allowed)
}

fn both(rest: &mut &[&str]) -> Result<bool> {
    let mut allowed = term(rest)?;
    while rest.first() == Some(&"AND") {
        *rest = &rest[1..];
        allowed &= term(rest)?;
    }
    Ok(allowed)
}

fn term(rest: &mut &[&str]) -> Result<bool> {
    match *rest {
        ["(", tail @ ..] => {
            *rest = tail;
            let allowed = either(rest)?;
            ensure!(rest.first() == Some(&")"), "a parenthesis is not closed");
            *rest = &rest[1..];
            Ok(allowed)
        }
        [licence, "WITH", exception, tail @ ..] => {
            *rest = tail;
            Ok(ALLOWED.contains(&format!("{licence} WITH {exception}").as_str()))
        }
        [")" | "OR" | "AND" | "WITH", ..] | [] => bail!("a licence is missing"),
        [licence, tail @ ..] => {
            *rest = tail;
            Ok(ALLOWED.contains(licence))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alternative_needs_one_allowed_side() {
        assert!(allows("MIT OR GPL-3.0-only").unwrap());
        assert!(allows("GPL-2.0/MIT").unwrap());
        assert!(!allows("GPL-3.0-only OR AGPL-3.0-only").unwrap());
    }

    #[test]
    fn a_conjunction_needs_both_sides() {
        assert!(allows("(MIT OR Apache-2.0) AND Unicode-3.0").unwrap());
        assert!(!allows("MIT AND MPL-2.0").unwrap());
        assert!(!allows("(MIT OR Apache-2.0) AND LGPL-3.0-only").unwrap());
    }

    #[test]
    fn an_exception_is_part_of_the_licence() {
        assert!(allows("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT").unwrap());
        assert!(!allows("GPL-3.0-only WITH Classpath-exception-2.0").unwrap());
    }

    #[test]
    fn an_expression_that_cannot_be_read_is_refused() {
        for expression in ["", "MIT OR", "(MIT", "MIT Apache-2.0", "AND MIT"] {
            assert!(
                refusal("a 1.0.0", Some(expression)).is_some(),
                "{expression:?} passed"
            );
        }
        assert_eq!(
            refusal("a 1.0.0", None).unwrap(),
            "a 1.0.0 names no licence"
        );
    }

    #[test]
    fn only_linked_packages_count() {
        let metadata = serde_json::json!({
            "packages": [
                { "id": "app", "name": "app", "version": "1.0.0", "license": "MIT" },
                { "id": "linked", "name": "linked", "version": "2.0.0", "license": "GPL-3.0-only" },
                { "id": "tool", "name": "tool", "version": "3.0.0", "license": "AGPL-3.0-only" },
            ],
            "resolve": { "root": "app", "nodes": [
                { "id": "app", "deps": [
                    { "pkg": "linked", "dep_kinds": [{ "kind": null }] },
                    { "pkg": "tool", "dep_kinds": [{ "kind": "dev" }, { "kind": "build" }] },
                ] },
                { "id": "linked", "deps": [] },
                { "id": "tool", "deps": [] },
            ] },
        });
        let names: Vec<String> = shipped(&metadata).unwrap().into_keys().collect();
        assert_eq!(names, ["app 1.0.0", "linked 2.0.0"]);
    }
}
