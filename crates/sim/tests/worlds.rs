//! Some hundred worlds, and every world that once broke a promise.

use changeover_sim::world::run;

/// The number of worlds; each takes a few milliseconds of real time.
const WORLDS: u64 = 300;

/// Seeds of worlds in which a promise was broken once.
const ONCE_BROKEN: &[u64] = &[14, 847];

#[test]
fn every_world_keeps_every_promise() {
    for seed in (0..WORLDS).chain(ONCE_BROKEN.iter().copied()) {
        if let Err(broken) = run(seed) {
            panic!("seed {seed}: {broken}");
        }
    }
}

#[test]
fn the_same_seed_lives_the_same_life() {
    for seed in 0..20 {
        assert_eq!(run(seed).unwrap(), run(seed).unwrap());
    }
    assert_ne!(run(1).unwrap().trace, run(2).unwrap().trace);
}

#[test]
fn worlds_are_lively() {
    let total = (0..50)
        .map(|seed| run(seed).unwrap())
        .reduce(|one, other| one.and(&other))
        .unwrap();
    assert!(
        total.prompts > 100 && total.reloads > 50 && total.checks > 1_000,
        "{total}"
    );
}
