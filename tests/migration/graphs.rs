//! Paths over random migration graphs, against a search that tries every path.

use changeover::engine::migration::{
    Direction, Edge, Loss, Registry, STEP_LIMIT, StepRef, StoreSpec,
};
use proptest::prelude::*;

/// A small graph without circles; numbers follow the order of creation or not.
fn specs() -> impl Strategy<Value = StoreSpec> {
    let edge = (
        0_usize..7,
        0_usize..7,
        1_u32..4,
        any::<[bool; 2]>(),
        prop::option::of(any::<bool>()),
    );
    (
        Just((1..=7).collect::<Vec<u32>>()).prop_shuffle(),
        any::<bool>(),
        0_usize..7,
        prop::collection::vec(edge, 0..14),
    )
        .prop_map(|(shuffled, in_order, head, edges)| {
            let number = |place: usize| match in_order {
                true => place as u32 + 1,
                false => shuffled[place],
            };
            let mut spec = StoreSpec::new("cart", number(head));
            spec.reads = Some(vec![]);
            for (a, b, cost, [lossy_up, _], down) in edges {
                let (from, to) = (number(a.min(b)), number(a.max(b)));
                let known = |edge: &Edge| (edge.from, edge.to) == (from, to);
                if from == to || spec.edges.iter().any(known) {
                    continue;
                }
                let reference = spec.edges.len() as u32 * 2;
                let mut edge = Edge::new(from, to, StepRef(reference));
                edge.cost = cost;
                edge.lossy_up = lossy_up;
                edge.down = down.map(|_| StepRef(reference + 1));
                edge.lossy_down = down == Some(true);
                spec.edges.push(edge);
            }
            spec
        })
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Way {
    schemas: Vec<u32>,
    steps: Vec<StepRef>,
    lossy: u32,
    cost: u64,
}

/// Every path that visits no schema twice.
fn all_ways(spec: &StoreSpec, from: u32, to: u32) -> Vec<Way> {
    let mut found = Vec::new();
    let start = Way {
        schemas: vec![from],
        ..Way::default()
    };
    let mut open = vec![start];
    while let Some(way) = open.pop() {
        let here = *way.schemas.last().unwrap();
        if here == to {
            found.push(way);
            continue;
        }
        for edge in &spec.edges {
            let up = (edge.from, edge.to, Some(edge.up), edge.lossy_up);
            let down = (edge.to, edge.from, edge.down, edge.lossy_down);
            for (from, next, step, lossy) in [up, down] {
                let Some(step) = step.filter(|_| from == here && !way.schemas.contains(&next))
                else {
                    continue;
                };
                let mut longer = way.clone();
                longer.schemas.push(next);
                longer.steps.push(step);
                longer.lossy += u32::from(lossy);
                longer.cost += u64::from(edge.cost);
                open.push(longer);
            }
        }
    }
    found
}

/// The best ways: fewest lossy steps, then lowest cost. More than one is a tie.
fn best_ways(spec: &StoreSpec, from: u32, to: u32) -> Vec<Way> {
    let all = all_ways(spec, from, to);
    let best = all.iter().map(|way| (way.lossy, way.cost)).min();
    let is_best = |way: &Way| Some((way.lossy, way.cost)) == best;
    all.into_iter().filter(is_best).collect()
}

fn schemas(spec: &StoreSpec) -> Vec<u32> {
    let named = spec.edges.iter().flat_map(|edge| [edge.from, edge.to]);
    let mut all: Vec<u32> = named.chain([spec.head]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_is_found_exactly_when_a_path_exists_and_it_is_the_cheapest_without_a_needless_loss(spec in specs()) {
        let mut registry = Registry::new();
        let registered = registry.register(spec.clone());
        let all = schemas(&spec);
        let tied = |from, to| best_ways(&spec, from, to).len() > 1;
        let tie_at_head = all.iter().any(|it| tied(*it, spec.head) || tied(spec.head, *it));
        if let Err(error) = registered {
            prop_assert_eq!(error.code(), "ambiguous_path");
            prop_assert!(tie_at_head, "{}", error);
            return Ok(());
        }
        prop_assert!(!tie_at_head, "a tie on the way to or from the head must be found at registration");
        for &from in &all {
            for &to in &all {
                let best = best_ways(&spec, from, to);
                let lossless = best.first().is_some_and(|way| way.lossy == 0);
                for loss in [Loss::Refuse, Loss::Accept] {
                    let planned = registry.plan("cart", from, to, loss);
                    match (&best[..], planned) {
                        ([], Err(error)) => prop_assert_eq!(error.code(), "no_path"),
                        (_, Err(error)) if !lossless && loss == Loss::Refuse => {
                            prop_assert_eq!(error.code(), "lossy_path");
                        }
                        ([_, _, ..], Err(error)) => prop_assert_eq!(error.code(), "ambiguous_path"),
                        ([way], Ok(plan)) => {
                            prop_assert!(lossless || loss == Loss::Accept);
                            let steps: Vec<StepRef> = plan.steps.iter().map(|step| step.run).collect();
                            prop_assert_eq!(&steps, &way.steps);
                            prop_assert_eq!(plan.lossy, way.lossy > 0);
                            let ends: Vec<u32> = plan.steps.iter().map(|step| step.name.to).collect();
                            prop_assert_eq!(&ends[..], &way.schemas[1..]);
                        }
                        (best, planned) => prop_assert!(false, "{} -> {}: {:?} {:?}", from, to, best, planned),
                    }
                }
            }
        }
    }

    #[test]
    fn an_ambiguity_names_two_paths_that_really_cost_the_same(spec in specs()) {
        let mut registry = Registry::new();
        let Err(error) = registry.register(spec.clone()) else { return Ok(()) };
        let text = error.to_string();
        let paths = text.strip_prefix("store \"cart\": the paths ").unwrap();
        let paths = paths.strip_suffix(" cost the same; give one of their steps another cost").unwrap();
        let paths: Vec<Vec<u32>> = paths.split(" and ")
            .map(|path| path.split(" -> ").map(|schema| schema.parse().unwrap()).collect())
            .collect();
        let [first, second] = &paths[..] else { panic!("{text}") };
        prop_assert_ne!(first, second);
        let best = best_ways(&spec, first[0], *first.last().unwrap());
        for path in [first, second] {
            prop_assert!(best.iter().any(|way| &way.schemas == path), "{}", text);
        }
    }

    #[test]
    fn a_schema_that_must_be_read_and_cannot_is_found_at_registration(mut spec in specs()) {
        spec.reads = None;
        let mut registry = Registry::new();
        let stuck = schemas(&spec).into_iter().find(|schema| {
            best_ways(&spec, *schema, spec.head).first().is_none_or(|way| way.lossy > 0)
        });
        let registered = registry.register(spec.clone()).map_err(|error| error.code());
        match (stuck, registered) {
            (None, Ok(()) | Err("ambiguous_path")) => {}
            (Some(schema), Err(code)) => {
                let none = best_ways(&spec, schema, spec.head).is_empty();
                prop_assert_eq!(code, if none { "no_path" } else { "lossy_path" });
            }
            (stuck, registered) => prop_assert!(false, "{:?} {:?}", stuck, registered),
        }
    }
}

fn edge(from: u32, to: u32) -> Edge {
    Edge::new(from, to, StepRef(from * 100 + to))
}

fn refusal(edges: Vec<Edge>, head: u32) -> String {
    let mut spec = StoreSpec::new("cart", head);
    spec.edges = edges;
    Registry::new().register(spec).unwrap_err().to_string()
}

#[test]
fn a_bad_registration_is_refused_by_name() {
    assert_eq!(
        refusal(vec![edge(1, 2), edge(3, 4)], 4),
        "store \"cart\": no path leads from schema 1 to 4; from 1 the steps reach 2"
    );
    assert_eq!(
        refusal(vec![edge(1, 2)], 3),
        "store \"cart\": no path leads from schema 1 to 3; from 1 the steps reach 2"
    );
    assert_eq!(
        refusal(vec![edge(1, 2), edge(2, 3), edge(3, 1)], 3),
        "store \"cart\": the steps 1 -> 2 -> 3 -> 1 go in a circle"
    );
    assert_eq!(
        refusal(vec![edge(1, 2), edge(2, 1)], 2),
        "store \"cart\": the steps 1 -> 2 -> 1 go in a circle"
    );
    assert_eq!(
        refusal(vec![edge(2, 2)], 2),
        "store \"cart\": the step 2 -> 2 leads nowhere; a changed shape needs a new schema number"
    );
    let mut other = edge(1, 2);
    other.hash = 5;
    assert_eq!(
        refusal(vec![edge(1, 2), other], 2),
        "store \"cart\": the step 1 -> 2 is registered twice, with different content (hashes 00000000000000 and 00000000000005)"
    );
    let mut free = edge(1, 2);
    free.cost = 0;
    assert_eq!(
        refusal(vec![free], 2),
        "store \"cart\": the step 1 -> 2 has cost 0; the least is 1"
    );
    assert_eq!(
        refusal(vec![edge(1, 2), edge(1, 3), edge(2, 4), edge(3, 4)], 4),
        "store \"cart\": the paths 1 -> 2 -> 4 and 1 -> 3 -> 4 cost the same; give one of their steps another cost"
    );
    let many = |count: u32| (0..count).map(|from| edge(from, from + 1)).collect();
    assert_eq!(
        refusal(many(1001), 1001),
        "store \"cart\" has 1001 steps, more than 1000"
    );
    assert_eq!(
        refusal(many(1000), 1000),
        "store \"cart\" has 1001 schemas, more than 1000"
    );
}

#[test]
fn a_store_is_registered_once_and_may_come_back() {
    let mut registry = Registry::new();
    registry.register(StoreSpec::new("cart", 1)).unwrap();
    let again = registry.register(StoreSpec::new("cart", 1)).unwrap_err();
    assert_eq!(again.to_string(), "store \"cart\" is registered twice");
    registry.unregister("cart");
    let gone = registry.plan("cart", 1, 1, Loss::Refuse).unwrap_err();
    assert_eq!(gone.to_string(), "store \"cart\" is not registered");
    registry.register(StoreSpec::new("cart", 1)).unwrap();
    assert!(
        registry
            .plan("cart", 1, 1, Loss::Refuse)
            .unwrap()
            .steps
            .is_empty()
    );
}

#[test]
fn a_schema_from_the_future_is_refused_and_not_guessed_at() {
    let mut registry = Registry::new();
    let mut spec = StoreSpec::new("cart", 2);
    spec.edges = vec![edge(1, 2)];
    registry.register(spec).unwrap();
    let error = registry
        .plan_stored("cart", 9, &Default::default(), Loss::Accept)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "store \"cart\" holds schema 9, which this build (head 2, knows 1, 2) does not know"
    );
}

#[test]
fn a_branch_goes_back_to_the_fork_and_on_from_there() {
    let mut hotfix = edge(7, 8);
    hotfix.down = Some(StepRef(1));
    let mut registry = Registry::new();
    let mut spec = StoreSpec::new("cart", 9);
    spec.edges = vec![edge(6, 7), hotfix, edge(7, 9)];
    registry.register(spec).unwrap();
    let plan = registry.plan("cart", 8, 9, Loss::Refuse).unwrap();
    let names: Vec<String> = plan
        .steps
        .iter()
        .map(|step| step.name.to_string())
        .collect();
    assert_eq!(names, ["8 -> 7 (down)", "7 -> 9 (up)"]);
    assert_eq!(plan.steps[0].name.direction, Direction::Down);
}

/// The largest store that is allowed, searched from every schema: stays far from quadratic.
#[test]
fn the_largest_registry_is_searched_in_one_go() {
    let mut registry = Registry::new();
    let last = STEP_LIMIT as u32 - 1;
    let mut spec = StoreSpec::new("cart", last);
    spec.edges = (0..last).map(|from| edge(from, from + 1)).collect();
    for edge in &mut spec.edges {
        edge.down = Some(StepRef(0));
    }
    registry.register(spec).unwrap();
    for from in [0, 1, last / 2, last] {
        let plan = registry.plan("cart", from, last, Loss::Refuse).unwrap();
        assert_eq!(plan.steps.len() as u32, last - from);
        let back = registry.plan("cart", last, from, Loss::Refuse).unwrap();
        assert_eq!(back.steps.len() as u32, last - from);
    }
}
