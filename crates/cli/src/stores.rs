//! The stores that a build describes, and whether it can follow the builds that tabs still run.
//!
//! The description comes from the bundler plugin's manifest, from `--stores FILE` or from [`FILE`] in the dist. It is
//! checked as the plugin checks it, with the same sentences. Before anything is written it is compared with the builds
//! of the site, so that a build which cannot read what open tabs hold is found before it is live.

use std::fs;
use std::io;
use std::path::Path;

use changeover::engine::manifest::{Manifest, Store};
use changeover::ids::Names;
use serde_json::Value;

use crate::build::{Note, named};
use crate::error::{At, Error, Result};

/// Read from the top folder of a dist, and never published.
pub const FILE: &str = "changeover.stores.json";

const NUMBER: &str = "it must be a whole number from 1 to 4294967295";

/// Reads a file such as `{ "cart": { "schema": 3, "reads": [1, 3] } }`.
///
/// Errors: `stores-missing`, `stores-invalid` with what is wrong.
pub fn read(path: &Path) -> Result<Names<Store>> {
    let place = path.display().to_string();
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::new(
                "stores-missing",
                format!("there is no file {place} that would say what the stores are"),
            ));
        }
        bytes => bytes.at("read", path)?,
    };
    parse(&String::from_utf8_lossy(&bytes), &place)
}

/// Checks the text of such a file. Error sentences begin with `place`.
pub fn parse(text: &str, place: &str) -> Result<Names<Store>> {
    let wrong = |what: String| Error::new("stores-invalid", format!("{place} {what}"));
    let value: Value =
        serde_json::from_str(text).map_err(|error| wrong(format!("is not JSON: {error}")))?;
    let Value::Object(entries) = value else {
        return Err(wrong(format!(
            "holds {value}; it must hold an object such as {{ \"cart\": {{ \"schema\": 3, \"reads\": [1, 3] }} }}"
        )));
    };
    let mut stores = Names::new();
    for (name, value) in entries {
        let store = store(&name, &value).map_err(wrong)?;
        stores.insert(name, store);
    }
    Ok(stores)
}

fn store(name: &str, value: &Value) -> Result<Store, String> {
    if name.is_empty() {
        return Err("names a store \"\"; a name has at least one character".into());
    }
    let named = quoted(name);
    let Value::Object(fields) = value else {
        return Err(format!(
            "gives the store {named} as {value}; it must be an object such as {{ \"schema\": 3, \"reads\": [1, 3] }}"
        ));
    };
    if let Some(field) = fields
        .keys()
        .find(|field| !matches!(field.as_str(), "schema" | "reads"))
    {
        return Err(format!(
            "gives the store {named} the field {}; there are only schema and reads",
            quoted(field)
        ));
    }
    let schema = match fields.get("schema") {
        None => return Err(format!("gives the store {named} no schema; {NUMBER}")),
        Some(value) => schema_number(value)
            .ok_or_else(|| format!("gives the store {named} the schema {value}; {NUMBER}"))?,
    };
    let mut reads = Vec::new();
    match fields.get("reads") {
        None => {}
        Some(Value::Array(list)) => {
            for value in list {
                reads.push(schema_number(value).ok_or_else(|| {
                    format!("gives the store {named} the schema {value} in reads; {NUMBER}")
                })?);
            }
        }
        Some(value) => {
            return Err(format!(
                "gives the store {named} the reads {value}; it must be a list of schemas such as [1, 3]"
            ));
        }
    }
    Ok(normal(&Store { schema, reads }))
}

/// `3.0` is the number 3 in JSON.
fn schema_number(value: &Value) -> Option<u32> {
    let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
    (1.0..=f64::from(u32::MAX))
        .contains(&number)
        .then_some(number as u32)
}

/// `reads` in order, each schema once, its own among them.
pub fn normal(store: &Store) -> Store {
    let mut reads = store.reads.clone();
    reads.push(store.schema);
    reads.sort_unstable();
    reads.dedup();
    Store {
        schema: store.schema,
        reads,
    }
}

/// Whether two builds describe the same stores.
pub fn equal(one: &Names<Store>, other: &Names<Store>) -> bool {
    one.iter()
        .map(|(name, store)| (name, normal(store)))
        .eq(other.iter().map(|(name, store)| (name, normal(store))))
}

/// A text that identifies the stores; the id of a build is made from it, too.
pub fn identity(stores: &Names<Store>) -> Option<String> {
    let list: Vec<_> = stores
        .iter()
        .map(|(name, store)| serde_json::json!([name, store.schema, normal(store).reads]))
        .collect();
    (!list.is_empty()).then(|| Value::Array(list).to_string())
}

/// A mistake that pages tolerate in a manifest but the bundler plugin never makes.
pub fn fault(stores: &Names<Store>) -> Option<String> {
    stores.iter().find_map(|(name, store)| {
        let named = quoted(name);
        if name.is_empty() {
            Some("names a store \"\"; a name has at least one character".into())
        } else if store.schema == 0 {
            Some(format!("gives the store {named} the schema 0; {NUMBER}"))
        } else if store.reads.contains(&0) {
            Some(format!(
                "gives the store {named} the schema 0 in reads; {NUMBER}"
            ))
        } else {
            None
        }
    })
}

/// A store that tabs of earlier builds hold in a schema that the new build cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    store: String,
    /// What the tabs hold.
    schema: u32,
    builds: Vec<String>,
    own: Store,
}

/// Compares a build with those that open tabs may run.
pub fn gaps<'m>(build: &Manifest, earlier: impl IntoIterator<Item = &'m Manifest>) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for other in earlier {
        for (name, theirs) in &other.stores {
            let Some(own) = build.stores.get(name) else {
                continue;
            };
            if can_read(own, theirs.schema) {
                continue;
            }
            let id = &other.id.0;
            match gaps
                .iter_mut()
                .find(|gap| gap.store == *name && gap.schema == theirs.schema)
            {
                Some(gap) if gap.builds.contains(id) => {}
                Some(gap) => gap.builds.push(id.clone()),
                None => gaps.push(Gap {
                    store: name.clone(),
                    schema: theirs.schema,
                    builds: vec![id.clone()],
                    own: normal(own),
                }),
            }
        }
    }
    gaps
}

fn can_read(store: &Store, schema: u32) -> bool {
    store.schema == schema || store.reads.contains(&schema)
}

impl Gap {
    /// Whether the live build has a newer schema and cannot read this one either: an earlier publish accepted the gap.
    pub fn is_behind(&self, live: &Manifest) -> bool {
        let store = live.stores.get(&self.store);
        store.is_some_and(|store| self.schema < store.schema && !can_read(store, self.schema))
    }

    fn fact(&self) -> String {
        let reads: Vec<_> = self.own.reads.iter().map(u32::to_string).collect();
        format!(
            "tabs of {} {} hold the store {} in schema {}, and this build, on schema {}, reads only {}",
            if self.builds.len() == 1 {
                "build"
            } else {
                "builds"
            },
            named(&self.builds),
            quoted(&self.store),
            self.schema,
            self.own.schema,
            reads.join(", ")
        )
    }

    fn advice(&self) -> String {
        let old = self.schema;
        if old < self.own.schema {
            format!("keep the step from {old} in `migrations` and list {old} in `reads`")
        } else {
            format!(
                "go back with `changeover rollback` or by publishing the earlier dist, or list {old} in `reads` when a \
                 step of `migrations` leads from it to {}",
                self.own.schema
            )
        }
    }
}

/// The error `store-gap` about them.
pub fn refusal(gaps: &[Gap]) -> Error {
    let list: Vec<_> = gaps
        .iter()
        .map(|gap| format!("{}: {}", gap.fact(), gap.advice()))
        .collect();
    Error::new(
        "store-gap",
        format!(
            "{}; --allow-store-gap publishes all the same",
            list.join("; ")
        ),
    )
}

/// What a gap means when the operator publishes anyway.
pub fn warning(gap: &Gap) -> Note {
    note(
        "store-gap",
        format!(
            "{}; what they hold is kept, but this build cannot use it",
            gap.fact()
        ),
    )
}

/// A note about stores of the live build that the new one does not have.
pub fn dropped(build: &Manifest, live: &Manifest) -> Option<Note> {
    let names: Vec<_> = live
        .stores
        .keys()
        .filter(|name| !build.stores.contains_key(name.as_str()))
        .map(|name| quoted(name))
        .collect();
    let (what, whose) = match names.len() {
        0 => return None,
        1 => ("the store", "its data stay"),
        _ => ("the stores", "their data stay"),
    };
    Some(note(
        "store-dropped",
        format!(
            "build {} has {what} {}, and build {} does not: {whose} in the browsers, unread",
            live.id.0,
            named(&names),
            build.id.0
        ),
    ))
}

/// What tabs of the live build have to do when `build`, which was live before, comes back.
pub fn going_back(build: &Manifest, live: &Manifest) -> Vec<Note> {
    gaps(build, [live])
        .iter()
        .map(|gap| {
            if gap.schema < gap.own.schema {
                return warning(gap);
            }
            note(
                "store-handed-back",
                format!(
                    "build {} has the store {} in schema {}, which build {}, on schema {}, does not read: tabs hand state \
                     back through `down`; without a step down they are asked",
                    live.id.0,
                    quoted(&gap.store),
                    gap.schema,
                    build.id.0,
                    gap.own.schema
                ),
            )
        })
        .collect()
}

fn note(code: &'static str, text: String) -> Note {
    Note {
        code,
        text,
        files: Vec::new(),
    }
}

fn quoted(name: &str) -> String {
    Value::from(name).to_string()
}
