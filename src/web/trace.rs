//! A record of what went in and came out, one JSON document a line. It replays natively.

use serde::Serialize;

use crate::engine::io::Timestamp;

/// Enough for days of polling, little beside what an app holds.
const LIMIT: usize = 2 << 20;

/// The beginning of the page's history: replaying needs it from the first input on, so what does not fit is left out at the end.
pub struct Trace {
    lines: String,
    full: bool,
}

impl Trace {
    /// Begins with how the guard was set up.
    pub fn new(at: Timestamp, config: &impl Serialize) -> Self {
        let mut trace = Self {
            lines: String::new(),
            full: false,
        };
        trace.line(at, "config", config);
        trace
    }

    /// Records an input. Only here is the record cut, so that no input lacks its outputs.
    pub fn input(&mut self, at: Timestamp, input: &impl Serialize) {
        self.full = self.full || self.lines.len() >= LIMIT;
        self.line(at, "input", input);
    }

    pub fn output(&mut self, at: Timestamp, output: &impl Serialize) {
        self.line(at, "output", output);
    }

    pub fn lines(&self) -> &str {
        &self.lines
    }

    fn line(&mut self, at: Timestamp, kind: &str, what: &impl Serialize) {
        if self.full {
            return;
        }
        // Everything recorded is plain data: serialising it cannot fail.
        if let (Ok(at), Ok(what)) = (serde_json::to_string(&at), serde_json::to_string(what)) {
            for part in ["{\"at\":", &at, ",\"", kind, "\":", &what, "}\n"] {
                self.lines.push_str(part);
            }
        }
    }
}
