//! How a tab may use a store: the mode that follows from the head, and the times of its background work.

use alloc::{string::String, vec::Vec};
use core::fmt;

use super::head::{Head, Root};
use crate::{
    engine::lineage::Lineage,
    time::{Millis, Timestamp},
};

/// What a build can do with a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// The schema its code works with.
    pub schema: u32,
    pub build: String,
    pub ways: Reachability,
    /// The steps that lead to `schema`.
    pub lineage: Lineage,
    /// Set hashes of foreign lineages that mean the same.
    pub accepts: Vec<u64>,
    /// Whether it may add a namespace of its own; not when space is short.
    pub expand: bool,
    /// Whether locks are available, which show the other tabs. Without them nothing is ever contracted.
    pub locks: bool,
    pub timing: Timing,
    /// Records in one batch of a migration; at least 1.
    pub batch: usize,
}

/// Times of the background work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timing {
    /// An old schema is contracted when no tab was seen on it for this long: a frozen tab has no lock.
    pub dwell: Millis,
    /// How long a left namespace is kept as a backup after its last use.
    pub retention: Millis,
    /// Between two checks for tabs on older schemas.
    pub census: Millis,
}

impl Default for Timing {
    fn default() -> Self {
        const DAY: Millis = 86_400_000;
        Self {
            // Tabs are frozen overnight and over weekends.
            dwell: 3 * DAY,
            retention: 14 * DAY,
            census: 30_000,
        }
    }
}

/// Which schemas the build translates into which, and whether that is lossy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reachability(Vec<(u32, u32, bool)>);

impl Reachability {
    /// From `(from, to, lossy)`.
    pub fn new(ways: impl IntoIterator<Item = (u32, u32, bool)>) -> Self {
        let mut ways: Vec<(u32, u32, bool)> = ways.into_iter().collect();
        ways.sort_unstable();
        Self(ways)
    }

    /// Whether `from -> to` is lossy; `None` when there is no path. `from -> from` is never lossy.
    pub fn lossy(&self, from: u32, to: u32) -> Option<bool> {
        if from == to {
            return Some(false);
        }
        let place = self
            .0
            .binary_search_by(|way| (way.0, way.1).cmp(&(from, to)));
        place.ok().map(|place| self.0[place].2)
    }

    fn lead(&self, from: u32, to: u32) -> bool {
        self.lossy(from, to).is_some()
    }
}

/// What a tab may do with a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Its schema has a namespace of its own.
    ReadWrite,
    /// It has none: reads are translated up from the primary and writes down to it, without loss.
    ReadWriteThroughDown,
    ReadOnly {
        reason: ReadOnlyReason,
    },
    /// It reads the backup of its schema.
    UseBackup {
        schema: u32,
        at: Timestamp,
    },
    Refuse {
        reason: RefuseReason,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReadOnlyReason {
    /// Tabs on `schema` are open, and what this build writes cannot be translated for them.
    NoDown { schema: u32 },
    /// The translation to `schema` is lossy, and this build has no namespace of its own to keep the rest in.
    LossyDown { schema: u32 },
    /// Only builds from this schema on may write.
    MinWriter { schema: u32 },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RefuseReason {
    /// The head cannot be read.
    Head { message: String },
    /// Another branch has stored something else under the same schema number.
    ForeignSchema { schema: u32, message: String },
    /// The store holds `schema`, an older one that this build has no steps from.
    NoPath { schema: u32 },
    /// The store has gone on to `schema`, and there is no backup for this build.
    Newer { schema: u32 },
    /// The schema of this build is being revived.
    Reviving { schema: u32 },
    /// Only builds from this schema on may read.
    MinReader { schema: u32 },
}

impl ReadOnlyReason {
    /// A stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoDown { .. } => "no_down",
            Self::LossyDown { .. } => "lossy_down",
            Self::MinWriter { .. } => "min_writer",
        }
    }

    /// Why, as the end of a sentence.
    pub fn sentence(&self) -> String {
        let around = |before, schema: &u32, after| format!("{before}{}{after}", schema);
        match self {
            Self::NoDown { schema } => around(
                "tabs on schema ",
                schema,
                " may be open, and this build has no step down to it",
            ),
            Self::LossyDown { schema } => around(
                "the way down to schema ",
                schema,
                " is lossy, and there is no room for a copy beside it",
            ),
            Self::MinWriter { schema } => {
                around("only builds from schema ", schema, " on may write")
            }
        }
    }
}

impl fmt::Display for ReadOnlyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl RefuseReason {
    /// A stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Head { .. } => "head",
            Self::ForeignSchema { .. } => "foreign_schema",
            Self::NoPath { .. } => "no_path",
            Self::Newer { .. } => "newer",
            Self::Reviving { .. } => "reviving",
            Self::MinReader { .. } => "min_reader",
        }
    }

    /// Why, as the end of a sentence.
    pub fn sentence(&self) -> String {
        let around = |before, schema: &u32, after| format!("{before}{}{after}", schema);
        match self {
            Self::Head { message } => message.clone(),
            Self::ForeignSchema { schema, message } => {
                let start = around("it holds schema ", schema, " of another lineage: ");
                format!("{start}{message}")
            }
            Self::NoPath { schema } => around(
                "it holds schema ",
                schema,
                ", and this build has no path from there",
            ),
            Self::Newer { schema } => around(
                "it has gone on to schema ",
                schema,
                ", and nothing is left of the one this build knows",
            ),
            Self::Reviving { schema } => around(
                "it is on its way back to schema ",
                schema,
                "; try again soon",
            ),
            Self::MinReader { schema } => {
                around("only builds from schema ", schema, " on may read")
            }
        }
    }
}

impl fmt::Display for RefuseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

/// The change of the layout that a tab needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Want {
    /// There is no store yet.
    Create,
    /// Its schema has no namespace.
    Expand,
    /// Its schema has been left; a tab on a newer build can bring it back.
    AskRevive,
}

/// The mode of a tab with these capabilities.
pub fn open(head: &Head, build: &Capabilities) -> Mode {
    if let Some(reason) = foreign(head, build) {
        return Mode::Refuse { reason };
    }
    let (own, primary) = (build.schema, head.schema);
    if own < primary {
        return below(head, own);
    }
    if own < head.min_reader {
        let schema = head.min_reader;
        let reason = RefuseReason::MinReader { schema };
        return Mode::Refuse { reason };
    }
    if !build.ways.lead(primary, own) {
        let reason = RefuseReason::NoPath { schema: primary };
        return Mode::Refuse { reason };
    }
    match may_write(head, build) {
        Err(reason) => Mode::ReadOnly { reason },
        Ok(()) if head.namespace(own).is_some() => Mode::ReadWrite,
        Ok(()) => Mode::ReadWriteThroughDown,
    }
}

/// The mode of a build whose schema is older than the primary.
fn below(head: &Head, own: u32) -> Mode {
    let reason = match (head.namespace(own), head.backup(own)) {
        (Some(_), _) => RefuseReason::Reviving { schema: own },
        (None, Some(backup)) => {
            return Mode::UseBackup {
                schema: own,
                at: backup.at,
            };
        }
        (None, None) => RefuseReason::Newer {
            schema: head.schema,
        },
    };
    Mode::Refuse { reason }
}

pub fn want(head: Option<&Head>, build: &Capabilities) -> Option<Want> {
    let Some(head) = head else {
        return Some(Want::Create);
    };
    if foreign(head, build).is_some() || head.namespace(build.schema).is_some() {
        return None;
    }
    if build.schema < head.schema {
        return Some(Want::AskRevive);
    }
    let able = build.expand && build.ways.lead(head.schema, build.schema);
    (able && build.schema >= head.min_reader).then_some(Want::Expand)
}

/// Whether a write of this build reaches every place it has to: the primary, and what is being revived.
pub fn may_write(head: &Head, build: &Capabilities) -> Result<(), ReadOnlyReason> {
    let own = build.schema;
    if own < head.min_writer {
        let schema = head.min_writer;
        return Err(ReadOnlyReason::MinWriter { schema });
    }
    for namespace in &head.namespaces {
        let schema = namespace.schema;
        if schema <= head.schema && !build.ways.lead(own, schema) {
            return Err(ReadOnlyReason::NoDown { schema });
        }
    }
    let alone = head.namespace(own).is_none();
    if alone && build.ways.lossy(own, head.schema) == Some(true) {
        let schema = head.schema;
        return Err(ReadOnlyReason::LossyDown { schema });
    }
    Ok(())
}

/// One namespace that a read passes on its way up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    pub schema: u32,
    /// Whether it is a namespace; the end of the way need not be one.
    pub stored: bool,
    /// Schemas below in which others may know of a copy that stands here: the build translates down to each of them, and
    /// from there to the link before.
    pub bases: Vec<Base>,
}

/// Where a copy may be known below.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Base {
    pub schema: u32,
    /// Copies written in this epoch or later are known there, until the next higher base.
    pub epoch: u64,
    /// Whether the copy knows more than what is known there.
    pub more: bool,
}

/// The namespaces from the primary to `to`, as this build climbs them; `None` when it has no path.
///
/// A namespace in between is passed only if the build's own writes go there as well, or it cannot write at all: then what
/// stands there is at least as new as what stands above.
pub fn links(head: &Head, build: &Capabilities, to: u32) -> Option<Vec<Link>> {
    let primary = head.schema;
    let mut way = Vec::from([to]);
    let between = |schema: u32| primary < schema && schema < to;
    for namespace in head.namespaces.iter().rev() {
        let schema = namespace.schema;
        let above = way.last().copied().unwrap_or(to);
        if between(schema)
            && build.ways.lead(schema, above)
            && build.ways.lead(primary, schema)
            && (build.ways.lead(build.schema, schema) || !build.ways.lead(build.schema, primary))
        {
            way.push(schema);
        }
    }
    if to != primary {
        let above = way.last().copied().unwrap_or(to);
        if !build.ways.lead(primary, above) {
            return None;
        }
        way.push(primary);
    }
    way.reverse();
    let mut below = primary;
    let links = way.into_iter().map(|schema| {
        let namespace = head.namespace(schema);
        let known = head.namespace(below).filter(|_| schema > below);
        let roots = known.map(|it| it.roots.as_slice()).unwrap_or_default();
        let base = |root: &Root| {
            let more = build.ways.lossy(schema, root.schema)?;
            build.ways.lead(root.schema, below).then_some(Base {
                schema: root.schema,
                epoch: root.epoch,
                more,
            })
        };
        let bases = roots.iter().filter_map(base);
        let link = Link {
            schema,
            stored: namespace.is_some(),
            bases: bases.filter(|_| namespace.is_some()).collect(),
        };
        below = schema;
        link
    });
    Some(links.collect())
}

/// One namespace that a write has to go to beside the writer's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mirror {
    pub schema: u32,
    /// Whether the copy there knows something that the writer's schema does not, so it has to be merged.
    pub keep: bool,
}

/// Where this build's writes go: every other namespace below its own schema that it translates to.
pub fn mirrors(head: &Head, build: &Capabilities) -> Vec<Mirror> {
    let own = build.schema;
    let lower = head.namespaces.iter().filter(|it| it.schema < own);
    lower
        .filter(|it| build.ways.lead(own, it.schema))
        .map(|it| Mirror {
            schema: it.schema,
            keep: build.ways.lossy(it.schema, own) == Some(true),
        })
        .collect()
}

/// The first schema in the store that means something else than in this build.
fn foreign(head: &Head, build: &Capabilities) -> Option<RefuseReason> {
    let namespaces = head.namespaces.iter().map(|it| (it.schema, &it.lineage));
    let backups = head.backups.iter().map(|it| (it.schema, &it.lineage));
    let strange = |lineage: &Lineage| {
        let known = build.accepts.contains(&lineage.set_hash());
        (!known)
            .then(|| build.lineage.disagreement(lineage))
            .flatten()
    };
    namespaces.chain(backups).find_map(|(schema, lineage)| {
        strange(lineage).map(|disagreement| RefuseReason::ForeignSchema {
            schema,
            message: disagreement.sentence(),
        })
    })
}

#[cfg(test)]
mod tests;
