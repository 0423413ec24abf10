//! Checks the protocol of shared stores: the real code of `changeover::engine::store` runs three tabs of three builds
//! over one database, in every order of their steps, crashes, freezes and lost locks.
//!
//! `changeover-model` checks all scenarios and then all mutants; `changeover-model NAME…` those whose name contains one
//! of the words. Exits with 1 when a rule is broken, with the shortest way to it, or when a mutant is not found.

mod check;
mod expected;
mod mutant;
mod page;
mod protocol;
mod rules;
mod scenarios;
mod value;
mod world;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use crate::mutant::Mutant;
use crate::protocol::Protocol;
use crate::scenarios::Scenario;
use crate::world::Action;

/// A search that takes longer is incomplete and proves nothing, so it fails.
const LONGEST: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word));
    let mut good = true;
    for scenario in scenarios::all().into_iter().filter(|it| wanted(it.name)) {
        good &= holds(scenario);
    }
    for (name, schemas) in WALKS {
        if wanted(name) {
            good &= walks(name, schemas);
        }
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

/// The tabs of random walks, which go further than a search can.
const WALKS: [(&str, [u32; 3]); 3] = [
    ("long random walks of three builds", [1, 2, 3]),
    ("long random walks of two builds and a newer one", [1, 1, 3]),
    ("long random walks around a build in between", [2, 1, 3]),
];

/// Walks at random with every kind of fault, and lets the store come to rest at the end.
fn walks(name: &'static str, schemas: [u32; 3]) -> bool {
    const WALKS: u64 = 1_500;
    const STEPS: usize = 400;
    let start = Instant::now();
    let mut contracted = 0;
    for seed in 0..WALKS {
        let model = Protocol {
            scenario: scenarios::walk(name, schemas, seed),
            mutant: Mutant::None,
        };
        let mut random = Random(seed);
        let mut world = model.begin();
        let mut way = Vec::new();
        for _ in 0..STEPS {
            let mut actions = Vec::new();
            model.actions(&world, &mut actions);
            // Faults are rarer than progress, or no migration would ever complete.
            actions.retain(|action| match action {
                Action::Tick => random.below(6) == 0,
                Action::Write(..) | Action::Read(..) => random.below(12) == 0,
                other => other.is_progress() || random.below(30) == 0,
            });
            if actions.is_empty() {
                continue;
            }
            let action = actions[random.below(actions.len())];
            way.push(action);
            world.spend(action);
            model.act(&mut world, action);
            if world.wrong.is_some() {
                break;
            }
        }
        contracted += u32::from(world.db.head().is_some_and(|it| !it.backups.is_empty()));
        if broken(&model, &way).is_some() {
            let way = shortest(&model, way);
            let rule = broken(&model, &way).unwrap_or_default();
            println!("{name}: seed {seed}: broken: {rule}");
            show(&model, &way);
            return false;
        }
    }
    println!(
        "ok   {name}: {WALKS} walks of {STEPS} steps, a schema was left in {contracted}, {:.1} s",
        start.elapsed().as_secs_f64()
    );
    true
}

/// The rule that is broken on this way, or while the store comes to rest after it.
fn broken(model: &Protocol, way: &[Action]) -> Option<&'static str> {
    let mut world = model.begin();
    for action in way {
        let mut possible = Vec::new();
        model.actions(&world, &mut possible);
        if possible.contains(action) {
            world.spend(*action);
            model.act(&mut world, *action);
        }
        if world.wrong.is_some() {
            return world.wrong;
        }
    }
    let end = model.unsettled(&world)?;
    Some(end.wrong.unwrap_or(rules::RULES[5]))
}

/// Removes actions as long as the same rule is broken without them.
fn shortest(model: &Protocol, mut way: Vec<Action>) -> Vec<Action> {
    let rule = broken(model, &way);
    let mut size = way.len();
    while size > 0 {
        let mut at = 0;
        while at < way.len() {
            let mut fewer = way.clone();
            fewer.drain(at..(at + size).min(way.len()));
            match broken(model, &fewer) == rule {
                true => way = fewer,
                false => at += size,
            }
        }
        size /= 2;
    }
    way
}

fn show(model: &Protocol, way: &[Action]) {
    let mut world = model.begin();
    for action in way {
        let mut possible = Vec::new();
        model.actions(&world, &mut possible);
        if possible.contains(action) {
            let op = match action {
                Action::Transact(at) => world.pages[*at].pending.front().map(|(_, op)| op.clone()),
                _ => None,
            };
            world.spend(*action);
            model.act(&mut world, *action);
            println!("  now {} {action:?} {op:?}", world.now);
        }
    }
    println!("  {:?}", world.db.head());
    for ((schema, key), record) in world.db.records() {
        println!("  [{schema}, {key}] {record:?}");
    }
    println!("  {:?}", world.expected);
}

/// SplitMix64; the same walk for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
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
            format!(
                "primary {} epoch {} {namespaces:?}",
                head.schema, head.epoch
            )
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
