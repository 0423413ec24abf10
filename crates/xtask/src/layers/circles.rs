//! Circular use of modules.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Result;

use super::paths::names_in;
use super::{Violation, module_of, resolve};

/// Finds modules of `src/` that use each other, directly or through others, and reports the shortest circle of each.
/// Tests are exempt.
pub fn circles(files: &BTreeMap<String, String>) -> Result<Vec<Violation>> {
    let modules: BTreeMap<Vec<String>, &String> = files
        .keys()
        .filter(|file| file.starts_with("src/"))
        .map(|file| (module_of(file), file))
        .collect();
    let mut uses: BTreeMap<&Vec<String>, BTreeMap<&Vec<String>, usize>> = BTreeMap::new();
    for (home, file) in &modules {
        for name in names_in(&files[*file])? {
            // A lone `super` is a visibility.
            let counts = !name.in_tests && name.segments.len() > 1;
            let target = resolve(home, &name.segments).filter(|_| counts);
            let target = target.and_then(|target| {
                (1..=target.len())
                    .rev()
                    .find_map(|length| modules.get_key_value(&target[..length]))
            });
            if let Some((target, _)) = target
                && target != home
            {
                let lines = uses.entry(home).or_default();
                lines.entry(target).or_insert(name.line);
            }
        }
    }
    let mut violations = Vec::new();
    let mut told = BTreeSet::new();
    for start in uses.keys() {
        let Some(circle) = shortest_way_back(start, &uses) else {
            continue;
        };
        if circle.iter().all(|module| told.insert(*module)) {
            let names: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
            violations.push(Violation {
                file: modules[*start].clone(),
                line: uses[*start][circle[1 % circle.len()]],
                named: names.join(" -> "),
                why: "modules may not use each other in a circle".into(),
            });
        }
    }
    Ok(violations)
}

/// The modules of the shortest circle through `start`, which comes first.
fn shortest_way_back<'a>(
    start: &'a Vec<String>,
    uses: &BTreeMap<&'a Vec<String>, BTreeMap<&'a Vec<String>, usize>>,
) -> Option<Vec<&'a Vec<String>>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in uses.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
            if *next == start {
                return Some(way);
            }
            if seen.insert(*next) {
                ways.push_back(way.iter().copied().chain([*next]).collect());
            }
        }
    }
    None
}
