//! Cheapest paths. Fewer lossy steps come before lower cost, so a path without a loss wins whenever there is one.

use alloc::vec::Vec;

use super::step::Step;

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
    /// In order of their schemas.
    nodes: Vec<Node>,
}

struct Node {
    schema: u32,
    /// `None`: there is no path.
    price: Option<Price>,
    /// The arc between this schema and the next one on the way to the start; none at the start itself.
    via: Option<Arc>,
    /// Another first arc of the same price.
    tie: Option<Arc>,
}

/// Paths from `start`, one of `schemas`, to all of them.
pub(super) fn from(arcs: &[Arc], schemas: &[u32], start: u32) -> Search {
    search(arcs, schemas, start, false)
}

/// Paths from all schemas to `start`.
pub(super) fn to(arcs: &[Arc], schemas: &[u32], start: u32) -> Search {
    search(arcs, schemas, start, true)
}

fn search(arcs: &[Arc], schemas: &[u32], start: u32, towards: bool) -> Search {
    let ends = |arc: &Arc| match towards {
        false => (arc.from(), arc.to()),
        true => (arc.to(), arc.from()),
    };
    let nodes = schemas.iter().map(|schema| Node {
        schema: *schema,
        price: (*schema == start).then_some((0, 0)),
        via: None,
        tie: None,
    });
    let nodes = nodes.collect();
    let mut search = Search { towards, nodes };
    // For each schema the arcs that leave it.
    let mut leaving: Vec<Vec<usize>> = schemas.iter().map(|_| Vec::new()).collect();
    for (index, arc) in arcs.iter().enumerate() {
        if let Some(place) = search.place(ends(arc).0) {
            leaving[place].push(index);
        }
    }
    let mut open = Heap(Vec::new());
    open.push((0, 0), search.place(start).unwrap_or_default());
    while let Some((price, place)) = open.pop() {
        if search.nodes[place].price != Some(price) {
            continue;
        }
        for index in &leaving[place] {
            let arc = &arcs[*index];
            let Some(other) = search.place(ends(arc).1) else {
                continue;
            };
            let offer = (
                price.0 + u32::from(arc.step.lossy),
                price.1 + u64::from(arc.cost),
            );
            let node = &mut search.nodes[other];
            match node.price {
                Some(known) if known < offer => {}
                Some(known) if known == offer => {
                    // A schema is taken from the heap once at its price, so this is another arc.
                    node.tie = node.tie.or(Some(*arc));
                }
                _ => {
                    node.price = Some(offer);
                    node.via = Some(*arc);
                    node.tie = None;
                    open.push(offer, other);
                }
            }
        }
    }
    search
}

impl Search {
    /// Number of lossy steps on the path of `schema`; `None` when there is no path.
    pub fn loss_of(&self, schema: u32) -> Option<u32> {
        self.node(schema)?.price.map(|price| price.0)
    }

    /// Every schema with a path.
    pub fn reached(&self) -> impl Iterator<Item = u32> {
        let reached = self.nodes.iter().filter(|node| node.price.is_some());
        reached.map(|node| node.schema)
    }

    /// The arcs between the start and `schema`, in the order they are walked.
    pub fn path(&self, schema: u32) -> Vec<Step> {
        let via = self.node(schema).and_then(|node| node.via);
        let arcs = self.path_by(via);
        arcs.iter().map(|arc| arc.step).collect()
    }

    /// Two equally cheap paths that part on the way to `schema`, as the schemas they visit.
    pub fn tie_on_path(&self, schema: u32) -> Option<(Vec<u32>, Vec<u32>)> {
        let mut at = schema;
        loop {
            let node = self.node(at)?;
            if let Some(tie) = node.tie {
                return Some((self.visited(node.via), self.visited(Some(tie))));
            }
            at = self.nearer(&node.via?);
        }
    }

    /// The lowest schema whose path is ambiguous by itself, with two of its paths.
    pub fn first_tie(&self) -> Option<(Vec<u32>, Vec<u32>)> {
        let tied = self.nodes.iter().find(|node| node.tie.is_some());
        tied.and_then(|node| self.tie_on_path(node.schema))
    }

    fn place(&self, schema: u32) -> Option<usize> {
        let place = self.nodes.binary_search_by(|node| node.schema.cmp(&schema));
        place.ok()
    }

    fn node(&self, schema: u32) -> Option<&Node> {
        self.place(schema).map(|place| &self.nodes[place])
    }

    fn path_by(&self, mut via: Option<Arc>) -> Vec<Arc> {
        let mut path = Vec::new();
        while let Some(arc) = via {
            path.push(arc);
            via = self.node(self.nearer(&arc)).and_then(|node| node.via);
        }
        if !self.towards {
            path.reverse();
        }
        path
    }

    fn visited(&self, via: Option<Arc>) -> Vec<u32> {
        let path = self.path_by(via);
        let first = path.first().map(|arc| arc.from());
        let rest = path.iter().map(|arc| arc.to());
        first.into_iter().chain(rest).collect()
    }

    /// The end of `arc` that is nearer to the start.
    fn nearer(&self, arc: &Arc) -> u32 {
        if self.towards { arc.to() } else { arc.from() }
    }
}

/// The cheapest on top. The library's heap is several times the code.
struct Heap(Vec<(Price, usize)>);

impl Heap {
    fn push(&mut self, price: Price, place: usize) {
        self.0.push((price, place));
        let mut at = self.0.len() - 1;
        while at > 0 && self.0[at] < self.0[(at - 1) / 2] {
            self.0.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn pop(&mut self) -> Option<(Price, usize)> {
        if self.0.is_empty() {
            return None;
        }
        let top = self.0.swap_remove(0);
        let mut at = 0;
        loop {
            let children = [2 * at + 1, 2 * at + 2];
            let there = children.into_iter().filter(|child| *child < self.0.len());
            let Some(child) = there.min_by(|one, other| self.0[*one].cmp(&self.0[*other])) else {
                return Some(top);
            };
            if self.0[at] <= self.0[child] {
                return Some(top);
            }
            self.0.swap(at, child);
            at = child;
        }
    }
}
