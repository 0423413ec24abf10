//! The transactions of a store, and what each reads and writes.

use alloc::{string::String, vec::Vec};

use super::{
    head::{Fill, Head, Namespace, Stamp},
    mode::Link,
};
use crate::time::{Millis, Timestamp};

/// One transaction as a value: its purpose, and the layout that it was planned with. `V` stands for a stored value.
///
/// A driver opens a transaction, reads the head and what [`Transaction::reads`] names, calls [`evaluate`](super::evaluate) and performs
/// the writes of the result, all inside that one transaction of the database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Transaction<V> {
    /// A tab on `schema` starts, or wakes again.
    Open { schema: u32 },
    /// Reads the head and nothing else.
    Look,
    /// Creates the store.
    Create {
        head: Head,
        initial: Vec<(String, Stamp, V)>,
    },
    /// Adds a namespace above the primary.
    Expand {
        layout: LayoutVersion,
        namespace: Namespace,
        build: String,
    },
    Get {
        layout: LayoutVersion,
        key: String,
        links: Vec<Link>,
    },
    /// Reads a record in some namespaces, the primary first, to merge a write with it.
    Copies {
        layout: LayoutVersion,
        key: String,
        schemas: Vec<u32>,
    },
    /// Reads up to `limit` records of the primary whose keys come after `after`.
    Scan {
        layout: LayoutVersion,
        links: Vec<Link>,
        after: Option<String>,
        limit: usize,
    },
    /// Reads one record of a namespace that has been left.
    GetBackup { schema: u32, key: String },
    ScanBackup {
        schema: u32,
        after: Option<String>,
        limit: usize,
    },
    /// Writes one record to its writer's namespace and to all that it translates to.
    Put {
        layout: LayoutVersion,
        schema: u32,
        key: String,
        stamp: Stamp,
        /// The write counts only if the record is still the one the writer has seen.
        seen: Option<Seen>,
        values: Vec<(u32, V)>,
    },
    /// Removes one record everywhere.
    Delete {
        layout: LayoutVersion,
        schema: u32,
        key: String,
        seen: Option<Seen>,
    },
    /// Starts to fill a namespace, or starts over.
    BeginFill {
        layout: LayoutVersion,
        schema: u32,
        round: u32,
    },
    /// Copies a batch that was read with `Scan`.
    FillBatch {
        layout: LayoutVersion,
        schema: u32,
        batch: Batch,
        records: Vec<Filled<V>>,
    },
    /// Confirms a batch that was read back and found valid.
    CheckBatch {
        layout: LayoutVersion,
        schema: u32,
        batch: Batch,
        keys: Vec<String>,
    },
    /// The author holds the exclusive lock of `schema`: no tab on it is awake.
    Alone { layout: LayoutVersion, schema: u32 },
    /// Moves the primary up. The author holds the exclusive lock of the old primary.
    Contract {
        layout: LayoutVersion,
        to: u32,
        dwell: Millis,
        build: String,
    },
    /// Adds a namespace below the primary.
    Revive {
        layout: LayoutVersion,
        namespace: Namespace,
        build: String,
    },
    /// Gives up a namespace below the primary, which its author cannot write to.
    Abandon {
        layout: LayoutVersion,
        schema: u32,
        build: String,
    },
    /// Moves the primary down to a revived namespace.
    Return {
        layout: LayoutVersion,
        to: u32,
        build: String,
    },
    /// Drops a backup that has not been used for long enough. The author holds the exclusive lock of its schema.
    Sweep { schema: u32, retention: Millis },
}

/// The layout that a transaction was planned with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayoutVersion {
    pub epoch: u64,
    /// [`Head::schema`], which stands for the same thing as long as the epoch does.
    pub primary: u32,
}

/// A stored value and the write it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record<V> {
    pub stamp: Stamp,
    /// The head's epoch at the time: says which namespaces below know of it.
    pub epoch: u64,
    pub value: V,
}

/// What a writer has seen of a record: its stamp, or that there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen(pub Option<Stamp>);

/// Where in a filling a batch belongs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Batch {
    pub round: u32,
    pub at: Fill,
    pub next: Fill,
}

/// A copy made from the record with this stamp.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filled<V> {
    pub key: String,
    pub stamp: Stamp,
    pub value: V,
}

/// What the transaction has to read beside the head.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReadSet {
    /// Single records, as `(schema, key)`.
    pub records: Vec<(u32, String)>,
    pub scan: Option<ScanRead>,
    /// Whether nothing will be written.
    pub only: bool,
}

/// Up to `limit` records of `schema` after a key, in key order, each with its copies in the namespaces `also`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScanRead {
    pub schema: u32,
    pub after: Option<String>,
    pub limit: usize,
    pub also: Vec<u32>,
}

/// What the transaction has read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReadValues<V> {
    /// When the transaction runs, which may be long after it was planned.
    pub now: Timestamp,
    pub head: Option<Head>,
    /// In the order of [`ReadSet::records`].
    pub records: Vec<Option<Record<V>>>,
    /// Rows of [`ReadSet::scan`]; each with the record itself and then its copies, in the order asked for.
    pub rows: Vec<(String, Vec<Option<Record<V>>>)>,
}

/// What the transaction does, and what its author learns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TransactionResult<V> {
    pub writes: Vec<Write<V>>,
    pub answer: Answer<V>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Write<V> {
    Head(Head),
    Put {
        schema: u32,
        key: String,
        record: Record<V>,
    },
    Delete {
        schema: u32,
        key: String,
    },
    /// All records of the schema.
    Clear {
        schema: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer<V> {
    /// The head as it is now.
    Head(Option<Head>),
    Found(Option<TranslationPlan<V>>),
    Copies(Vec<Option<Record<V>>>),
    /// `last`: there are no more.
    Rows {
        rows: Vec<Row<V>>,
        last: bool,
    },
    Written,
    Refused(Refusal),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Row<V> {
    pub key: String,
    pub recipe: TranslationPlan<V>,
}

/// How to make the value a reader asked for: translate `value` hop by hop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TranslationPlan<V> {
    /// The stamp of the primary.
    pub stamp: Stamp,
    /// The schema of `value`.
    pub schema: u32,
    pub value: V,
    pub hops: Vec<Hop<V>>,
}

/// Translate from one schema to another, and merge with `ours` if it is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hop<V> {
    pub from: u32,
    pub to: u32,
    pub ours: Option<LocalCopy<V>>,
}

/// An out-of-date copy that stands at the end of a hop, and knows things that those below do not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LocalCopy<V> {
    pub value: V,
    /// The highest schema below in which it is known.
    pub base: u32,
}

impl<V> TranslationPlan<V> {
    /// The same recipe for values in another form.
    pub fn map<W>(self, change: impl Fn(V) -> W) -> TranslationPlan<W> {
        let hops = self.hops.into_iter().map(|Hop { from, to, ours }| Hop {
            from,
            to,
            ours: ours.map(|LocalCopy { value, base }| LocalCopy {
                value: change(value),
                base,
            }),
        });
        TranslationPlan {
            stamp: self.stamp,
            schema: self.schema,
            hops: hops.collect(),
            value: change(self.value),
        }
    }
}

impl<V: Clone> TranslationPlan<V> {
    /// Makes the value. `translate` takes a value from one schema to another; `merge(base, ours, theirs)` takes from
    /// `theirs` what it changes against `base`, and everything else from `ours`.
    pub fn apply<E>(
        self,
        translate: &mut impl FnMut(u32, u32, V) -> Result<V, E>,
        merge: &mut impl FnMut(V, V, V) -> V,
    ) -> Result<V, E> {
        let mut value = self.value;
        for Hop { from, to, ours } in self.hops {
            let theirs = translate(from, to, value)?;
            value = match ours {
                None => theirs,
                Some(ours) => {
                    let mut base = translate(to, ours.base, ours.value.clone())?;
                    if ours.base != from {
                        base = translate(ours.base, from, base)?;
                    }
                    merge(translate(from, to, base)?, ours.value, theirs)
                }
            };
        }
        Ok(value)
    }
}

/// Why a transaction wrote nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Its author believed in another layout; this is the one there is.
    Stale(Option<Head>),
    /// The record is not the one the writer has seen.
    Conflict,
    /// The layout is the believed one, and still the author may not.
    Fenced,
    /// Another tab went on with the same migration, or a record changed in between.
    Overtaken(Head),
    /// Not full, not alone, or not for long enough.
    NotYet(Head),
}

impl<V> Transaction<V> {
    pub fn reads(&self) -> ReadSet {
        let none = ReadSet::default();
        let only = ReadSet {
            only: true,
            ..ReadSet::default()
        };
        match self {
            Self::Open { .. }
            | Self::Create { .. }
            | Self::Expand { .. }
            | Self::BeginFill { .. }
            | Self::Alone { .. }
            | Self::Contract { .. }
            | Self::Revive { .. }
            | Self::Abandon { .. }
            | Self::Return { .. }
            | Self::Sweep { .. } => none,
            Self::Look => only,
            Self::Get { key, links, .. } => ReadSet {
                records: stored(links).map(|it| (it, key.clone())).collect(),
                ..only
            },
            Self::Copies { key, schemas, .. } => ReadSet {
                records: schemas.iter().map(|it| (*it, key.clone())).collect(),
                ..only
            },
            Self::Scan {
                links,
                after,
                limit,
                ..
            } => {
                let mut schemas = stored(links);
                let primary = schemas.next();
                let also = schemas.collect();
                let scan = primary.map(|schema| ScanRead {
                    schema,
                    after: after.clone(),
                    limit: (*limit).max(1),
                    also,
                });
                ReadSet { scan, ..only }
            }
            Self::ScanBackup {
                schema,
                after,
                limit,
            } => ReadSet {
                scan: Some(ScanRead {
                    schema: *schema,
                    after: after.clone(),
                    limit: (*limit).max(1),
                    also: Vec::new(),
                }),
                ..only
            },
            Self::GetBackup { schema, key } => ReadSet {
                records: [(*schema, key.clone())].into(),
                ..only
            },
            Self::Put {
                layout, key, seen, ..
            }
            | Self::Delete {
                layout, key, seen, ..
            } => ReadSet {
                records: seen.iter().map(|_| (layout.primary, key.clone())).collect(),
                ..none
            },
            Self::FillBatch {
                layout,
                schema,
                records,
                ..
            } => ReadSet {
                records: pairs(layout, *schema, records.iter().map(|it| &it.key)),
                ..none
            },
            Self::CheckBatch {
                layout,
                schema,
                keys,
                ..
            } => ReadSet {
                records: pairs(layout, *schema, keys.iter()),
                ..none
            },
        }
    }
}

/// For each key the primary's record and the copy of it.
fn pairs<'a>(
    layout: &LayoutVersion,
    schema: u32,
    keys: impl Iterator<Item = &'a String>,
) -> Vec<(u32, String)> {
    keys.flat_map(|key| [(layout.primary, key.clone()), (schema, key.clone())])
        .collect()
}

fn stored(links: &[Link]) -> impl Iterator<Item = u32> {
    links.iter().filter(|it| it.stored).map(|it| it.schema)
}
