//! The stores of an app with their migrations, checked when they are registered.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::error::{Kind, MigrationError};
use super::search::{self, Arc};
use super::step::{Direction, Step, StepName, StepRef};
use crate::engine::lineage::{Lineage, Mark};
use crate::ids::Names;

/// Most steps and most schemas of one store; keeps every search far below a millisecond.
pub const STEP_LIMIT: usize = 1000;

/// A registered migration between two schemas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edge {
    pub from: u32,
    pub to: u32,
    pub up: StepRef,
    #[serde(default)]
    pub down: Option<StepRef>,
    /// `up` drops something that `down` cannot bring back.
    #[serde(default)]
    pub lossy_up: bool,
    /// `down` drops something that `up` cannot bring back.
    #[serde(default)]
    pub lossy_down: bool,
    #[serde(default)]
    pub is_async: bool,
    /// At least 1; the cheapest path is taken.
    #[serde(default = "one")]
    pub cost: u32,
    /// Hash of the content, as in [`Mark::hash`].
    #[serde(default)]
    pub hash: u64,
}

fn one() -> u32 {
    1
}

impl Edge {
    /// A synchronous edge of cost 1 without a way back.
    pub fn new(from: u32, to: u32, up: StepRef) -> Self {
        Self {
            from,
            to,
            up,
            down: None,
            lossy_up: false,
            lossy_down: false,
            is_async: false,
            cost: 1,
            hash: 0,
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            from: self.from,
            to: self.to,
            hash: self.hash,
        }
    }
}

/// What an app registers for one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreSpec {
    pub name: String,
    /// The schema this build works with.
    pub head: u32,
    #[serde(default)]
    pub edges: Vec<Edge>,
    /// Schemas that must have a path to `head`; `None`: every schema that an edge names.
    #[serde(default)]
    pub reads: Option<Vec<u32>>,
    /// Whether a schema of `reads` may reach `head` by a lossy path only.
    #[serde(default)]
    pub allow_lossy: bool,
    /// Set hashes of foreign lineages that mean the same as this build's, for instance after squashing steps.
    #[serde(default)]
    pub accepts: Vec<u64>,
}

impl StoreSpec {
    pub fn new(name: impl Into<String>, head: u32) -> Self {
        Self {
            name: name.into(),
            head,
            edges: Vec::new(),
            reads: None,
            allow_lossy: false,
            accepts: Vec::new(),
        }
    }
}

/// Whether a plan may take a lossy path when there is no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    Refuse,
    Accept,
}

/// The way of one store from one schema to another; no steps when they are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub store: String,
    pub from: u32,
    pub to: u32,
    pub steps: Vec<Step>,
    pub lossy: bool,
}

/// The stores of an app with their migrations, checked when they are registered.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    stores: Names<Store>,
}

#[derive(Clone, Debug)]
struct Store {
    spec: StoreSpec,
    arcs: Vec<Arc>,
    schemas: Vec<u32>,
}

impl Registry {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a store, unless its steps repeat themselves, go in a circle, leave a gap or are ambiguous.
    pub fn register(&mut self, spec: StoreSpec) -> Result<(), MigrationError> {
        if self.stores.contains_key(&spec.name) {
            return Err(MigrationError::new(&spec.name, Kind::DuplicateStore));
        }
        let store = Store::checked(spec)?;
        self.stores.insert(store.spec.name.clone(), store);
        Ok(())
    }

    /// Forgets a store; the app has unmounted it.
    pub fn unregister(&mut self, store: &str) {
        self.stores.remove(store);
    }

    /// The names of all stores, sorted.
    pub fn stores(&self) -> impl Iterator<Item = &str> {
        self.stores.keys().map(String::as_str)
    }

    pub fn head(&self, store: &str) -> Result<u32, MigrationError> {
        Ok(self.store(store)?.spec.head)
    }

    /// Every schema the store's steps name, and its head, sorted.
    pub fn schemas(&self, store: &str) -> Result<&[u32], MigrationError> {
        Ok(&self.store(store)?.schemas)
    }

    /// The cheapest path without a loss; else, if accepted, the cheapest of those with the fewest lossy steps.
    pub fn plan(
        &self,
        store: &str,
        from: u32,
        to: u32,
        loss: Loss,
    ) -> Result<Plan, MigrationError> {
        self.store(store)?.plan(from, to, loss)
    }

    /// The path from what is stored to the head, unless what is stored is of another lineage.
    pub fn plan_stored(
        &self,
        store: &str,
        schema: u32,
        lineage: &Lineage,
        loss: Loss,
    ) -> Result<Plan, MigrationError> {
        self.check_lineage(store, schema, lineage)?;
        let store = self.store(store)?;
        store.plan(schema, store.spec.head, loss)
    }

    /// The steps that lead to `schema`; stored together with every value of that schema.
    pub fn lineage(&self, store: &str, schema: u32) -> Result<Lineage, MigrationError> {
        Ok(self.store(store)?.lineage(schema))
    }

    /// Fails when `theirs`, which came with a stored value of `schema`, shows that its schemas are not this build's.
    pub fn check_lineage(
        &self,
        store: &str,
        schema: u32,
        theirs: &Lineage,
    ) -> Result<(), MigrationError> {
        let store = self.store(store)?;
        let set_hash = theirs.set_hash();
        if store.spec.accepts.contains(&set_hash) {
            return Ok(());
        }
        match store.all_steps().disagreement(theirs) {
            Some(disagreement) => Err(store.error(Kind::ForeignLineage {
                schema,
                disagreement,
                set_hash,
            })),
            None => Ok(()),
        }
    }

    /// Every registered step and every way back, for checking each by itself.
    pub fn single_steps(&self, store: &str) -> Result<Vec<Step>, MigrationError> {
        Ok(self.store(store)?.arcs.iter().map(|arc| arc.step).collect())
    }

    /// Which of the store's newest `most` schemas lead to which, as `(from, to, lossy)`: what a build needs to know to share
    /// the store with others. An ambiguous way is none.
    pub fn ways(&self, store: &str, most: usize) -> Result<Vec<(u32, u32, bool)>, MigrationError> {
        let store = self.store(store)?;
        let newest = store.schemas.len().saturating_sub(most);
        let schemas = &store.schemas[newest..];
        let mut ways = Vec::new();
        for &from in schemas {
            let search = search::from(&store.arcs, &store.schemas, from);
            for &to in schemas.iter().filter(|to| **to != from) {
                if let Some(loss) = search.loss_of(to)
                    && search.tie_on_path(to).is_none()
                {
                    ways.push((from, to, loss > 0));
                }
            }
        }
        Ok(ways)
    }

    /// The error that says where the steps that start at `from` lead, and that it is not `to`.
    pub(super) fn no_path(&self, store: &str, from: u32, to: u32) -> MigrationError {
        self.store(store)
            .map_or_else(|error| error, |store| store.gap(from, to))
    }

    fn store(&self, name: &str) -> Result<&Store, MigrationError> {
        self.stores
            .get(name)
            .ok_or_else(|| MigrationError::new(name, Kind::UnknownStore))
    }
}

impl Store {
    fn checked(spec: StoreSpec) -> Result<Self, MigrationError> {
        let fail = |kind| Err(MigrationError::new(&spec.name, kind));
        if spec.edges.len() > STEP_LIMIT {
            return fail(Kind::TooManySteps {
                count: spec.edges.len(),
                limit: STEP_LIMIT,
            });
        }
        let mut schemas = Vec::from([spec.head]);
        for (place, edge) in spec.edges.iter().enumerate() {
            let (from, to) = (edge.from, edge.to);
            if from == to {
                return fail(Kind::SelfStep { schema: from });
            }
            if edge.cost == 0 {
                return fail(Kind::InvalidCost { from, to });
            }
            let mut before = spec.edges[..place].iter();
            if let Some(first) = before.find(|it| (it.from, it.to) == (from, to)) {
                let hashes = (first.hash, edge.hash);
                return fail(Kind::DuplicateStep { from, to, hashes });
            }
            schemas.extend([from, to]);
        }
        schemas.sort_unstable();
        schemas.dedup();
        if schemas.len() > STEP_LIMIT {
            return fail(Kind::TooManySchemas {
                count: schemas.len(),
                limit: STEP_LIMIT,
            });
        }
        if let Some(schemas) = cycle(&spec.edges, &schemas) {
            return fail(Kind::Cycle { schemas });
        }
        let store = Self {
            arcs: arcs(&spec.edges),
            schemas,
            spec,
        };
        store.check_paths()?;
        Ok(store)
    }

    /// Finds gaps and ambiguities on the paths that will be needed: to the head on an upgrade, from it on a rollback.
    fn check_paths(&self) -> Result<(), MigrationError> {
        let head = self.spec.head;
        let to_head = search::to(&self.arcs, &self.schemas, head);
        let reads = self.spec.reads.as_ref().unwrap_or(&self.schemas);
        for &schema in reads {
            match to_head.loss_of(schema) {
                None => return Err(self.gap(schema, head)),
                Some(0) => {}
                Some(_) if self.spec.allow_lossy => {}
                Some(_) => return Err(self.lossy_only(schema, head, &to_head.path(schema))),
            }
        }
        for search in [to_head, search::from(&self.arcs, &self.schemas, head)] {
            if let Some((first, second)) = search.first_tie() {
                return Err(self.error(Kind::Ambiguous { first, second }));
            }
        }
        Ok(())
    }

    fn plan(&self, from: u32, to: u32, loss: Loss) -> Result<Plan, MigrationError> {
        for schema in [from, to] {
            if self.schemas.binary_search(&schema).is_err() {
                return Err(self.error(Kind::UnknownSchema {
                    schema,
                    head: self.spec.head,
                    known: self.schemas.clone(),
                }));
            }
        }
        let search = search::from(&self.arcs, &self.schemas, from);
        let lossy = match search.loss_of(to) {
            None => return Err(self.gap(from, to)),
            Some(count) => count > 0,
        };
        let path = search.path(to);
        if lossy && loss == Loss::Refuse {
            return Err(self.lossy_only(from, to, &path));
        }
        if let Some((first, second)) = search.tie_on_path(to) {
            return Err(self.error(Kind::Ambiguous { first, second }));
        }
        Ok(Plan {
            store: self.spec.name.clone(),
            from,
            to,
            steps: path,
            lossy,
        })
    }

    fn lineage(&self, schema: u32) -> Lineage {
        self.all_steps().leading_to(schema)
    }

    fn all_steps(&self) -> Lineage {
        Lineage::from(self.spec.edges.iter().map(Edge::mark).collect::<Vec<_>>())
    }

    fn gap(&self, from: u32, to: u32) -> MigrationError {
        let search = search::from(&self.arcs, &self.schemas, from);
        self.error(Kind::Gap {
            from,
            to,
            reached: search.reached().filter(|schema| *schema != from).collect(),
        })
    }

    fn lossy_only(&self, from: u32, to: u32, path: &[Step]) -> MigrationError {
        let lossy = path.iter().filter(|step| step.lossy);
        self.error(Kind::LossyOnly {
            from,
            to,
            steps: lossy.map(|step| step.name).collect(),
        })
    }

    fn error(&self, kind: Kind) -> MigrationError {
        MigrationError::new(&self.spec.name, kind)
    }
}

/// Both ways of every edge.
fn arcs(edges: &[Edge]) -> Vec<Arc> {
    let mut arcs = Vec::new();
    for edge in edges {
        let mut add = |from, to, direction, run, inverse, lossy| {
            let name = StepName {
                from,
                to,
                direction,
            };
            let step = Step {
                name,
                run,
                inverse,
                lossy,
                is_async: edge.is_async,
            };
            arcs.push(Arc {
                step,
                cost: edge.cost,
            });
        };
        let (from, to) = (edge.from, edge.to);
        add(from, to, Direction::Up, edge.up, edge.down, edge.lossy_up);
        if let Some(down) = edge.down {
            add(
                to,
                from,
                Direction::Down,
                down,
                Some(edge.up),
                edge.lossy_down,
            );
        }
    }
    arcs
}

/// The first circle of `up` steps, closed: `[1, 2, 1]`.
fn cycle(edges: &[Edge], schemas: &[u32]) -> Option<Vec<u32>> {
    let mut done: Vec<u32> = Vec::new();
    for &start in schemas {
        // The path from `start`, each schema with the number of edges already tried.
        let mut path = Vec::from([(start, 0_usize)]);
        while let Some(&mut (schema, ref mut tried)) = path.last_mut() {
            if done.contains(&schema) {
                path.pop();
                continue;
            }
            let rest = edges.iter().enumerate().skip(*tried);
            let next = rest.into_iter().find(|(_, edge)| edge.from == schema);
            let Some((place, Edge { to, .. })) = next else {
                done.push(schema);
                path.pop();
                continue;
            };
            *tried = place + 1;
            if let Some(at) = path.iter().position(|(on_path, _)| on_path == to) {
                let mut circle: Vec<u32> = path[at..].iter().map(|(schema, _)| *schema).collect();
                circle.push(*to);
                return Some(circle);
            }
            path.push((*to, 0));
        }
    }
    None
}
