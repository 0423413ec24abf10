//! Worlds in which the promises are kept.

use super::*;

#[test]
fn of_twenty_tabs_one_looks_one_has_the_stream_and_each_asks_as_soon_as_the_answers_are_there() {
    let mut world = World::calm(1, 20);
    world.runs(10 * SECOND);
    assert_eq!(leaders(&world).len(), 1);
    assert_eq!(streams(&world), 1);
    let before = world.outcome.checks;
    world.runs(30 * MINUTE);
    let checks = world.outcome.checks - before;
    assert!((5..=8).contains(&checks), "{checks} checks in half an hour");
    let build = world.server.new_build(true);
    world.release(build, Urgency::Routine);
    // The stream takes up to 200 ms here and each of three answers up to 400 ms: checks are spread over 300 ms twice.
    world.runs(SECOND + 1_600);
    for tab in &world.tabs {
        let status = tab.guard.as_ref().expect("all tabs are open").status();
        assert!(status.prompt.is_some(), "{status:#?}");
    }
}

#[test]
fn when_the_leaders_tab_is_closed_another_takes_over_within_five_seconds() {
    let mut world = World::calm(2, 20);
    world.runs(10 * SECOND);
    for _ in 0..10 {
        let leader = leaders(&world)[0];
        world.close(leader);
        world.runs(5 * SECOND);
        assert_eq!(leaders(&world).len(), 1);
        assert_ne!(leaders(&world), [leader]);
        assert_eq!(streams(&world), 1);
    }
}

#[test]
fn a_frozen_leader_does_not_keep_the_news_from_the_others() {
    let mut world = World::calm(3, 5);
    world.runs(10 * SECOND);
    let leader = leaders(&world)[0];
    world.freeze(leader);
    let other = (leader + 1) % 5;
    world.give(other, Input::BecameVisible);
    world.runs(10 * SECOND);
    let build = world.server.new_build(true);
    world.release(build, Urgency::Routine);
    world.runs(3 * MINUTE + 10 * SECOND);
    let status = world.tabs[other]
        .guard
        .as_ref()
        .expect("the tab is open")
        .status();
    assert!(
        status.prompt.is_some() || status.changeover.is_some() || world.tabs[other].build.0 == "b1",
        "{status:#?}"
    );
}

fn leaders(world: &World) -> Vec<usize> {
    let leads = |tab: &Tab| {
        tab.guard
            .as_ref()
            .is_some_and(|guard| guard.status().leader)
    };
    (0..world.tabs.len())
        .filter(|tab| leads(&world.tabs[*tab]))
        .collect()
}

fn streams(world: &World) -> usize {
    world.tabs.iter().filter(|tab| tab.stream.is_some()).count()
}
