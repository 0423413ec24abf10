//! The head of a store: the record that describes its layout and who uses it.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    engine::{
        format::{self, FORMAT, ParseError, maybe_number, number, or_default},
        lineage::Lineage,
    },
    time::Timestamp,
};

const DOCUMENT: &str = "its head";

/// Most bytes of a head that are read. Most of it are lineages, of at most a thousand steps each.
const LIMIT: usize = 1024 * 1024;

/// What all builds agree on about one store; a single record beside the namespaces.
///
/// It names schemas and builds, never values. A change of the layout (`schema`, the set of namespaces, the fences)
/// raises `epoch`; a change of `fill` or `alone_since` does not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    #[serde(deserialize_with = "format::format")]
    pub format: u32,
    #[serde(deserialize_with = "number")]
    pub epoch: u64,
    /// The primary: the namespace that holds every record and every write.
    pub schema: u32,
    /// Builds with a lower schema may not read. At least `schema`.
    pub min_reader: u32,
    /// Builds with a lower schema may not write. At least `schema`.
    pub min_writer: u32,
    /// In order of their schemas. Those below `schema` are being revived.
    #[serde(default, deserialize_with = "or_default")]
    pub namespaces: Vec<Namespace>,
    /// Namespaces that are no longer in use, as they were left.
    #[serde(default, deserialize_with = "or_default")]
    pub backups: Vec<Backup>,
    /// The build that changed the layout last.
    pub build: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "StoredNamespace", from = "StoredNamespace")]
pub struct Namespace {
    pub schema: u32,
    /// The steps that lead to the schema in the build that added it.
    pub lineage: Lineage,
    pub fill: Fill,
    /// Counts how often the filling was started over: a batch that was read before is invalid.
    pub round: u32,
    /// Since when no tab on this schema has been seen; cleared by any sign of one.
    pub alone_since: Option<Timestamp>,
    /// What it knows of the records above it.
    pub roots: Vec<Root>,
}

/// Up to which schema a namespace knows the records above it that were written in `epoch` or later, until the next higher
/// root: one that was added from below in the middle never got to know what was written above it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Root {
    #[serde(deserialize_with = "number")]
    pub epoch: u64,
    pub schema: u32,
}

/// How far a namespace is filled from the primary: the journal of a migration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fill {
    /// Records may be missing or out of date.
    Partial,
    /// Being copied; all keys up to and including `after` are there.
    Copying { after: Option<String> },
    /// All copied, being read back and checked; all keys up to and including `after` are good.
    Checking { after: Option<String> },
    /// Every record is there, up to date and valid.
    Full,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Backup {
    pub schema: u32,
    /// When the schema was left: how old the backup is.
    pub at: Timestamp,
    /// When a tab on the schema opened it last; while it is used it is kept.
    pub used: Timestamp,
    pub lineage: Lineage,
}

/// Names one write: equal stamps mean the same write, in whatever schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Drawn by the driver for each start of a tab.
    pub writer: u64,
    pub count: u64,
}

/// The phase of a store's migration; derived from the namespaces, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Only one schema is in use.
    Steady,
    /// `to` is the next schema to become the primary.
    Coexist { from: u32, to: u32 },
    /// An older schema is being revived.
    Revive { from: u32, to: u32 },
}

impl Head {
    /// The head of a store that begins with `schema`.
    pub fn first(schema: u32, lineage: Lineage, build: &str) -> Self {
        let mut only = Namespace::new(schema, lineage);
        only.fill = Fill::Full;
        only.roots.push(Root { epoch: 0, schema });
        Self {
            format: FORMAT,
            epoch: 1,
            schema,
            min_reader: schema,
            min_writer: schema,
            namespaces: [only].into(),
            backups: Vec::new(),
            build: build.into(),
        }
    }

    /// Reads a stored head. One of a later format or with parts missing is an error, never an empty store.
    pub fn read(json: &str) -> Result<Self, ParseError> {
        let mut head: Self = format::read_owned(DOCUMENT, json, LIMIT)?;
        head.namespaces.sort_unstable_by_key(|it| it.schema);
        match head.namespace(head.schema) {
            Some(_) => Ok(head),
            None => Err(ParseError::missing(DOCUMENT, "primary")),
        }
    }

    pub fn to_json(&self) -> String {
        format::to_json(self)
    }

    pub fn namespace(&self, schema: u32) -> Option<&Namespace> {
        self.namespaces.iter().find(|it| it.schema == schema)
    }

    pub(super) fn namespace_mut(&mut self, schema: u32) -> Option<&mut Namespace> {
        self.namespaces.iter_mut().find(|it| it.schema == schema)
    }

    pub fn backup(&self, schema: u32) -> Option<&Backup> {
        self.backups.iter().find(|it| it.schema == schema)
    }

    /// The lowest namespace above the primary, which takes over next.
    pub fn next_above(&self) -> Option<&Namespace> {
        self.namespaces.iter().find(|it| it.schema > self.schema)
    }

    /// The namespaces that are being revived, which every writer must fill, too.
    pub fn reviving(&self) -> impl Iterator<Item = &Namespace> {
        self.namespaces.iter().filter(|it| it.schema < self.schema)
    }

    pub fn phase(&self) -> Phase {
        if let Some(lower) = self.reviving().next() {
            return Phase::Revive {
                from: self.schema,
                to: lower.schema,
            };
        }
        match self.next_above() {
            Some(next) => Phase::Coexist {
                from: self.schema,
                to: next.schema,
            },
            None => Phase::Steady,
        }
    }

    /// Adds an empty namespace, in order. A backup under the same number gives way.
    pub(super) fn add(&mut self, mut namespace: Namespace, build: &str) {
        let schema = namespace.schema;
        self.next_epoch(build);
        self.backups.retain(|it| it.schema != schema);
        namespace.roots = self.roots_of(schema);
        let place = self.namespaces.partition_point(|it| it.schema <= schema);
        self.namespaces.insert(place, namespace);
    }

    /// What a new namespace knows: as much as the one it is made from, and from now on everything.
    fn roots_of(&self, schema: u32) -> Vec<Root> {
        let from = match schema < self.schema {
            true => self.namespace(self.schema),
            false => self.namespaces.iter().rfind(|it| it.schema < schema),
        };
        let now = Root {
            epoch: self.epoch,
            schema,
        };
        let known = from.map(|it| it.roots.as_slice()).unwrap_or_default();
        let known = known.iter().map(|root| Root {
            epoch: root.epoch,
            schema: root.schema.min(schema),
        });
        // From the latest to the earliest; of several for one schema the earliest says it all.
        let mut roots: Vec<Root> = Vec::new();
        for root in [now].into_iter().chain(known) {
            match roots.last_mut() {
                Some(last) if last.schema == root.schema => last.epoch = root.epoch,
                _ => roots.push(root),
            }
        }
        roots
    }

    /// Notes that the layout has changed; a tab that works with the one before is fenced.
    pub(super) fn next_epoch(&mut self, build: &str) {
        self.epoch += 1;
        self.build = build.into();
    }

    /// Moves the primary.
    pub(super) fn move_to(&mut self, schema: u32, build: &str) {
        self.schema = schema;
        self.min_reader = schema;
        self.min_writer = schema;
        self.next_epoch(build);
    }
}

impl Namespace {
    pub fn new(schema: u32, lineage: Lineage) -> Self {
        Self {
            schema,
            lineage,
            fill: Fill::Partial,
            round: 0,
            alone_since: None,
            roots: Vec::new(),
        }
    }

    /// Notes that some record is out of date again.
    pub(super) fn fall_behind(&mut self) {
        if self.fill != Fill::Partial {
            self.fill = Fill::Partial;
            self.round = self.round.wrapping_add(1);
        }
    }
}

/// A namespace as it is stored: how far it is filled is a word, and up to which key stands beside it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredNamespace {
    schema: u32,
    lineage: Lineage,
    fill: FillWord,
    #[serde(default)]
    after: Option<String>,
    round: u32,
    #[serde(default, deserialize_with = "maybe_number")]
    alone_since: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    roots: Vec<Root>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FillWord {
    Partial,
    Copying,
    Checking,
    Full,
}

impl From<Namespace> for StoredNamespace {
    fn from(it: Namespace) -> Self {
        let (fill, after) = match it.fill {
            Fill::Partial => (FillWord::Partial, None),
            Fill::Copying { after } => (FillWord::Copying, after),
            Fill::Checking { after } => (FillWord::Checking, after),
            Fill::Full => (FillWord::Full, None),
        };
        Self {
            schema: it.schema,
            lineage: it.lineage,
            fill,
            after,
            round: it.round,
            alone_since: it.alone_since.map(|at| at.0),
            roots: it.roots,
        }
    }
}

impl From<StoredNamespace> for Namespace {
    fn from(it: StoredNamespace) -> Self {
        let after = it.after;
        Self {
            schema: it.schema,
            lineage: it.lineage,
            fill: match it.fill {
                FillWord::Partial => Fill::Partial,
                FillWord::Copying => Fill::Copying { after },
                FillWord::Checking => Fill::Checking { after },
                FillWord::Full => Fill::Full,
            },
            round: it.round,
            alone_since: it.alone_since.map(Timestamp),
            roots: it.roots,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_head_comes_back_as_it_was_stored() {
        let mut head = Head::first(2, Lineage::default(), "9eedfbeeca");
        let mut next = Namespace::new(3, Lineage::default());
        next.fill = Fill::Copying {
            after: Some("k".into()),
        };
        head.add(next, "b");
        head.backups.push(Backup {
            schema: 1,
            at: Timestamp(5),
            used: Timestamp(6),
            lineage: Lineage::default(),
        });
        assert_eq!(Head::read(&head.to_json()), Ok(head));
    }

    #[test]
    fn a_head_from_the_future_or_half_a_head_is_an_error_and_not_an_empty_store() {
        let text = Head::first(2, Lineage::default(), "b").to_json();
        let future = text.replace("\"format\":1", "\"format\":2,\"more\":true");
        let error = Head::read(&future).unwrap_err();
        assert_eq!(
            error.to_string(),
            "its head has format 2, and only format 1 is known"
        );
        for (broken, sentence) in [
            ("", "its head is empty"),
            ("null", "its head is JSON, but not an object"),
            ("{}", "its head has no format"),
            ("{\"format\":1}", "its head has no epoch"),
            (
                &text.replace("\"schema\":2,\"min", "\"schema\":3,\"min"),
                "its head has no primary",
            ),
            (
                &text.replace("\"lineage\":\"\"", "\"lineage\":\"?\""),
                "its head has a wrong namespaces[0].lineage: \"?\" is no list of steps such as 1-2-0a0b0c0d0e0f0a",
            ),
            (&text[..50], "its head ends in the middle"),
        ] {
            assert_eq!(Head::read(broken).unwrap_err().sentence(), sentence);
        }
        let newer = text.replace("\"format\":1", "\"format\":1,\"added\":[1]");
        assert!(Head::read(&newer).is_ok(), "unknown fields pass");
    }

    #[test]
    fn a_namespace_knows_what_was_written_above_it_since_it_was_there() {
        let add = |head: &mut Head, schema| {
            head.add(Namespace::new(schema, Lineage::default()), "b");
            head.epoch
        };
        let knows = |head: &Head, schema, epoch| {
            let roots = &head.namespace(schema).unwrap().roots;
            roots
                .iter()
                .find(|root| root.epoch <= epoch)
                .map(|root| root.schema)
        };
        let mut head = Head::first(1, Lineage::default(), "b");
        let before = add(&mut head, 4);
        let second = add(&mut head, 2);
        let third = add(&mut head, 3);
        assert_eq!(
            knows(&head, 1, before),
            Some(1),
            "all writes go to the primary"
        );
        assert_eq!(
            knows(&head, 3, before),
            Some(1),
            "neither 2 nor 3 was there"
        );
        assert_eq!(knows(&head, 3, second), Some(2));
        assert_eq!(knows(&head, 3, third), Some(3));
        head.namespaces.retain(|it| it.schema > 2);
        head.move_to(3, "b");
        let revived = add(&mut head, 2);
        assert_eq!(
            knows(&head, 2, before),
            Some(1),
            "made from 3, which does not know"
        );
        assert_eq!(knows(&head, 2, second), Some(2));
        assert_eq!(knows(&head, 2, revived), Some(2));
    }

    #[test]
    fn the_phase_follows_from_the_namespaces() {
        let mut head = Head::first(2, Lineage::default(), "b");
        assert_eq!(head.phase(), Phase::Steady);
        head.add(Namespace::new(4, Lineage::default()), "b");
        head.add(Namespace::new(3, Lineage::default()), "b");
        assert_eq!(head.phase(), Phase::Coexist { from: 2, to: 3 });
        head.add(Namespace::new(1, Lineage::default()), "b");
        assert_eq!(head.phase(), Phase::Revive { from: 2, to: 1 });
    }
}
