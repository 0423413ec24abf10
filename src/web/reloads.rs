//! The reloads of this tab, by the build that each was for, in session storage.
//!
//! Each count has a name of its own there: an id of a build may be any word, and none is safe in a map of JavaScript.
//! Versions until 04766e4 keep all counts in one such map. A tab goes from one version to another and back with its site,
//! so both are read and both are written: no version reloads a page once more for what another has tried.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsCast;

use super::{
    json,
    storage::{Area, Storage},
};
use crate::{engine::io::Reloads, ids::BuildId};

/// How the names of counts begin; the build follows.
const PREFIX: &str = "reload:";
/// The name of the map of earlier versions.
const MAP: &str = "reloads";

/// The counts of this tab so far. A build may be named twice, by two versions.
pub fn read(storage: &Storage) -> Vec<Reloads> {
    let map = read_map(storage);
    let in_map = Object::keys(&map).into_iter().filter_map(|target| {
        let target = target.as_string()?;
        let count = json::number(&map, &target)?;
        Some((target, count))
    });
    storage
        .list(Area::Session, PREFIX)
        .into_iter()
        .filter_map(|(target, count)| Some((target, json::whole(&json::parse(&count))?)))
        .chain(in_map)
        .map(|(target, count)| Reloads {
            target: BuildId(target),
            count: count as u32,
        })
        .collect()
}

/// Writes a count; 0 forgets it.
pub fn remember(storage: &Storage, target: &BuildId, count: u32) {
    let name = format!("{}{}", PREFIX, target.0);
    let map = read_map(storage);
    if count == 0 {
        storage.remove(Area::Session, &name);
        let _ = Reflect::delete_property(&map, &target.0.as_str().into());
    } else {
        let _ = storage.write(Area::Session, &name, &count.to_string());
        json::set(&map, &target.0, &count.into());
    }
    match json::write(&map).filter(|text| text != "{}") {
        Some(text) => drop(storage.write(Area::Session, MAP, &text)),
        None => storage.remove(Area::Session, MAP),
    }
}

fn read_map(storage: &Storage) -> Object {
    let text = storage.read(Area::Session, MAP).unwrap_or_default();
    json::parse(&text).dyn_into().unwrap_or_default()
}
