//! Cheapest paths. Fewer lossy steps come before lower cost, so a path without a loss wins whenever there is one.

use alloc::{
    collections::{BTreeMap, BinaryHeap},
    vec::Vec,
};
use core::cmp::Reverse;

use super::registry::Step;

/// One way along an edge, and what it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arc {
    pub step: Step,
    pub cost: u32,
}

impl Arc {
    fn from(&self) -> u32 {
        self.step.name.from
    }

    fn to(&self) -> u32 {
        self.step.name.to
    }
}

/// Lossy steps first, then cost.
type Price = (u32, u64);

/// The cheapest paths between one schema and all others.
pub(super) struct Search {
    towards: bool,
    nodes: BTreeMap<u32, Node>,
}

struct Node {
    price: Price,
    /// The arc between this schema and the next one on the way to the start; none at the start itself.
    via: Option<Arc>,
    /// Another first arc of the same price.
    tie: Option<Arc>,
}

/// Paths from `start` to all schemas.
pub(super) fn from(arcs: &[Arc], start: u32) -> Search {
    search(arcs, start, false)
}

/// Paths from all schemas to `start`.
pub(super) fn to(arcs: &[Arc], start: u32) -> Search {
    search(arcs, start, true)
}

fn search(arcs: &[Arc], start: u32, towards: bool) -> Search {
    let ends = |arc: &Arc| match towards {
        false => (arc.from(), arc.to()),
        true => (arc.to(), arc.from()),
    };
    let mut leaving: BTreeMap<u32, Vec<Arc>> = BTreeMap::new();
    for arc in arcs {
        leaving.entry(ends(arc).0).or_default().push(*arc);
    }
    let mut nodes = BTreeMap::new();
    nodes.insert(
        start,
        Node {
            price: (0, 0),
            via: None,
            tie: None,
        },
    );
    let mut open = BinaryHeap::from([Reverse(((0, 0), start))]);
    while let Some(Reverse((price, schema))) = open.pop() {
        if nodes
            .get(&schema)
            .is_some_and(|node: &Node| node.price < price)
        {
            continue;
        }
        for arc in leaving.get(&schema).into_iter().flatten() {
            let other = ends(arc).1;
            let offer = (
                price.0 + u32::from(arc.step.lossy),
                price.1 + u64::from(arc.cost),
            );
            match nodes.get_mut(&other) {
                Some(node) if node.price < offer => {}
                Some(node) if node.price == offer => {
                    let first = node.via.map(|via| ends(&via).0);
                    if first != Some(schema) {
                        node.tie = node.tie.or(Some(*arc));
                    }
                }
                _ => {
                    let node = Node {
                        price: offer,
                        via: Some(*arc),
                        tie: None,
                    };
                    nodes.insert(other, node);
                    open.push(Reverse((offer, other)));
                }
            }
        }
    }
    Search { towards, nodes }
}

impl Search {
    /// Number of lossy steps on the path of `schema`; `None` when there is no path.
    pub fn loss_of(&self, schema: u32) -> Option<u32> {
        self.nodes.get(&schema).map(|node| node.price.0)
    }

    /// Every schema with a path.
    pub fn reached(&self) -> impl Iterator<Item = u32> {
        self.nodes.keys().copied()
    }

    /// The arcs between the start and `schema`, in the order they are walked.
    pub fn path(&self, schema: u32) -> Vec<Step> {
        let via = self.nodes.get(&schema).and_then(|node| node.via);
        let arcs = self.path_by(via);
        arcs.iter().map(|arc| arc.step).collect()
    }

    /// Two equally cheap paths that part on the way to `schema`, as the schemas they visit.
    pub fn tie_on_path(&self, schema: u32) -> Option<(Vec<u32>, Vec<u32>)> {
        let mut at = schema;
        loop {
            let node = self.nodes.get(&at)?;
            if let Some(tie) = node.tie {
                return Some((self.visited(node.via), self.visited(Some(tie))));
            }
            at = self.nearer(&node.via?);
        }
    }

    /// The lowest schema whose path is ambiguous by itself, with two of its paths.
    pub fn first_tie(&self) -> Option<(Vec<u32>, Vec<u32>)> {
        let tied = self.nodes.iter().find(|(_, node)| node.tie.is_some());
        tied.and_then(|(schema, _)| self.tie_on_path(*schema))
    }

    fn path_by(&self, mut via: Option<Arc>) -> Vec<Arc> {
        let mut path = Vec::new();
        while let Some(arc) = via {
            path.push(arc);
            via = self.nodes.get(&self.nearer(&arc)).and_then(|node| node.via);
        }
        if !self.towards {
            path.reverse();
        }
        path
    }

    fn visited(&self, via: Option<Arc>) -> Vec<u32> {
        let path = self.path_by(via);
        let first = path.first().map(|arc| arc.from());
        first
            .into_iter()
            .chain(path.iter().map(|arc| arc.to()))
            .collect()
    }

    /// The end of `arc` that is nearer to the start.
    fn nearer(&self, arc: &Arc) -> u32 {
        if self.towards { arc.to() } else { arc.from() }
    }
}
