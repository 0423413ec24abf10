//! Asks the planner, and looks at what it says.

use changeover::engine::{
    manifest::Manifest,
    swap::{Composition, Page, Plan, Refusal, SwapPlan, Why},
};

use crate::app::{App, plan};

pub const ALL: [&str; 3] = ["about", "cart", "home"];

pub fn started(build: &Manifest) -> Composition {
    Composition::new(build.id.clone())
}

pub fn deploy(before: &App, after: &App, page: &Page) -> Plan {
    let (before, after) = (before.build("a"), after.build("b"));
    plan(&started(&before), &before, &after, page)
}

pub fn swap(before: &App, after: &App, page: &Page) -> SwapPlan {
    match deploy(before, after, page) {
        Plan::Swap(moves) => moves,
        other => panic!("a swap is possible, and the plan is {other:?}"),
    }
}

pub fn refused(before: &App, after: &App, page: &Page) -> Vec<Refusal> {
    match deploy(before, after, page) {
        Plan::Refuse(refusals) => refusals,
        other => panic!("a swap is not possible, and the plan is {other:?}"),
    }
}

pub fn find(refusals: &[Refusal], why: Why) -> &Refusal {
    let found = refusals.iter().find(|refusal| refusal.why == why);
    found.unwrap_or_else(|| panic!("{why:?} is not among {refusals:?}"))
}

pub fn only(refusals: &[Refusal], why: Why) -> &Refusal {
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    find(refusals, why)
}

pub fn names(moves: &SwapPlan) -> Vec<&str> {
    moves
        .slots
        .iter()
        .map(|slot| slot.pointer.slot.as_str())
        .collect()
}

pub fn fetched(moves: &SwapPlan) -> Vec<&str> {
    moves
        .fetch
        .iter()
        .map(|fetch| fetch.file.as_str())
        .collect()
}
