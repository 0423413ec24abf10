//! Checks the protocol of shared stores: the very code of `changeover::engine::durable` runs three tabs of three builds
//! over one database, and every order of their steps, crashes, freezes and lost locks is tried.
//!
//! `changeover-model` checks all scenarios and then all mutants; `changeover-model NAME…` those whose name contains one of
//! the words. Exits with 1 and the shortest way to it when a rule is broken, or when a mutant is not found out.

mod check;
mod expected;
mod mutant;
mod page;
mod scenarios;
mod value;
mod world;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use crate::mutant::Mutant;
use crate::world::{Protocol, Scenario};

/// A search that is cut off proves nothing, so it fails.
const LONGEST: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word));
    let mut good = true;
    for scenario in scenarios::all().into_iter().filter(|it| wanted(it.name)) {
        good &= holds(scenario);
    }
    for mutant in Mutant::ALL {
        if wanted(&format!("mutant {mutant:?}")) {
            good &= is_found(mutant);
        }
    }
    match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Searches the whole scenario; reports the first broken rule with the way to it.
fn holds(scenario: Scenario) -> bool {
    let start = Instant::now();
    let name = scenario.name;
    let model = Protocol {
        scenario,
        mutant: Mutant::None,
    };
    let checker = model
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures)
        .timeout(LONGEST)
        .spawn_bfs()
        .join();
    let discoveries = checker.discoveries();
    let mut good = true;
    for property in checker.model().properties() {
        let found = discoveries.get(property.name);
        match (&property.expectation, found) {
            (Expectation::Always, Some(path)) => {
                good = false;
                println!("{name}: broken: {}\n{}", property.name, way(path));
            }
            (Expectation::Sometimes, None) if good => {
                good = false;
                println!("{name}: never happens: {}", property.name);
            }
            _ => {}
        }
    }
    if start.elapsed() >= LONGEST {
        good = false;
        println!("{name}: not searched to the end within {LONGEST:?}");
    }
    println!(
        "{} {name}: {} states, depth {}, {:.1} s",
        if good { "ok  " } else { "FAIL" },
        checker.unique_state_count(),
        checker.max_depth(),
        start.elapsed().as_secs_f64()
    );
    good
}

/// Searches the scenario that should show what the mutant breaks.
fn is_found(mutant: Mutant) -> bool {
    let start = Instant::now();
    let shown = |scenario: &Scenario| scenario.name == mutant.shown_in();
    for scenario in scenarios::all().into_iter().filter(shown) {
        let name = scenario.name;
        let model = Protocol { scenario, mutant };
        let checker = model
            .checker()
            .threads(2)
            .finish_when(HasDiscoveries::AnyFailures)
            .spawn_bfs()
            .join();
        for property in checker.model().properties() {
            let found = checker.discovery(property.name);
            if let (Expectation::Always, Some(path)) = (&property.expectation, found) {
                println!(
                    "ok   mutant {mutant:?} breaks \"{}\" in \"{name}\" after {} steps, {:.1} s",
                    property.name,
                    path.into_actions().len(),
                    start.elapsed().as_secs_f64()
                );
                return true;
            }
        }
    }
    println!("FAIL mutant {mutant:?} is not found out");
    false
}

fn way(path: &stateright::Path<world::World, world::Action>) -> String {
    let steps = path.clone().into_vec();
    let lines = steps.iter().map(|(world, action)| {
        let head = world.db.head().map(|head| {
            let namespaces = head.namespaces.iter();
            let namespaces: Vec<String> = namespaces
                .map(|it| format!("{}:{:?}", it.schema, it.fill))
                .collect();
            format!("truth {} epoch {} {namespaces:?}", head.schema, head.epoch)
        });
        format!(
            "  {} now {} {}",
            action
                .as_ref()
                .map_or("end".to_string(), |it| format!("{it:?}")),
            world.now,
            head.unwrap_or_default()
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
