//! The reloads of this tab, by the build that each was for, in session storage.
//!
//! Each count has a name of its own there: an id of a build may be any word, and none is safe in a map of JavaScript.
//! Versions until 04766e4 keep all counts in one such map. A tab goes from one version to another and back with its site,
//! so both are read and both are written: no version reloads a page once more for what another has tried.

use serde_json::value::RawValue;

use super::storage::{Area, Storage};
use crate::{
    engine::{
        format::{from_own_json, to_json},
        io::Reloads,
    },
    ids::{BuildId, Names},
};

/// How the names of counts begin; the build follows.
const PREFIX: &str = "reload:";
/// The name of the map of earlier versions.
const MAP: &str = "reloads";

/// The counts of this tab so far. A build may be named twice, by two versions.
pub fn read(storage: &Storage) -> Vec<Reloads> {
    let in_map = read_map(storage)
        .into_iter()
        .filter_map(|(target, count)| Some((target, from_own_json(count.get())?)));
    storage
        .list(Area::Session, PREFIX)
        .into_iter()
        .filter_map(|(target, count)| Some((target, from_own_json(&count)?)))
        .chain(in_map)
        .map(|(target, count)| Reloads {
            target: BuildId(target),
            count,
        })
        .collect()
}

/// Writes a count; 0 forgets it.
pub fn remember(storage: &Storage, target: &BuildId, count: u32) {
    let name = format!("{}{}", PREFIX, target.0);
    let mut map = read_map(storage);
    if count == 0 {
        storage.remove(Area::Session, &name);
        map.remove(&target.0);
    } else {
        let count = count.to_string();
        let _ = storage.write(Area::Session, &name, &count);
        if let Ok(count) = RawValue::from_string(count) {
            map.insert(target.0.clone(), count);
        }
    }
    if map.is_empty() {
        storage.remove(Area::Session, MAP);
    } else {
        let _ = storage.write(Area::Session, MAP, &to_json(&map));
    }
}

/// What is no count in it stays there: it is not ours.
fn read_map(storage: &Storage) -> Names<Box<RawValue>> {
    let text = storage.read(Area::Session, MAP).unwrap_or_default();
    from_own_json(&text).unwrap_or_default()
}
