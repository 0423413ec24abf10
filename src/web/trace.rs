//! A record of what went in and came out, one JSON document a line. It replays natively.
//!
//! Nothing in it is secret: the URLs are without user, password and query. The text of a manifest stays as it is, since its
//! ids have queries that tell modules apart.

use js_sys::JSON;
use serde::Serialize;

use super::reflect::to_js;
use crate::{
    engine::{excerpt::discreet, format::to_json, guard::Config, io::Input},
    time::Timestamp,
};

/// Enough for days of polling, little beside what an app holds.
const LIMIT: usize = 2 << 20;

/// The beginning of the page's history: replaying needs it from the first input on, so what does not fit is left out
/// at the end.
pub struct Trace {
    lines: String,
    full: bool,
}

impl Trace {
    /// Begins with how the guard was set up.
    pub fn new(at: Timestamp, config: &Config) -> Self {
        let mut trace = Self {
            lines: String::new(),
            full: false,
        };
        trace.line(at, "config", to_json(config), true);
        trace
    }

    /// Records an input. Only here is the record cut, so that no input lacks its outputs.
    pub fn input(&mut self, at: Timestamp, input: &Input) {
        self.full = self.full || self.lines.len() >= LIMIT;
        let is_manifest = matches!(
            input,
            Input::ManifestFetched { .. } | Input::ManifestKept { .. }
        );
        self.line(at, "input", to_json(input), !is_manifest);
    }

    /// Records what came out, by way of the JavaScript that the app gets of it: a second writer for effects, events and the
    /// status would be 10 kB of the runtime.
    pub fn output(&mut self, at: Timestamp, output: &impl Serialize) {
        if self.full {
            return;
        }
        let json = JSON::stringify(&to_js(output)).map_or_else(|_| String::new(), String::from);
        self.line(at, "output", json, true);
    }

    pub fn lines(&self) -> &str {
        &self.lines
    }

    fn line(&mut self, at: Timestamp, kind: &'static str, json: String, is_told: bool) {
        if self.full {
            return;
        }
        let line = format!("{{\"at\":{},\"{kind}\":{}}}", at.0, json);
        self.lines
            .push_str(&if is_told { discreet(&line) } else { line });
        self.lines.push('\n');
    }
}
