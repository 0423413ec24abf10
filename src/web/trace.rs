//! A record of what went in and came out, one JSON document a line. It replays natively.

use crate::engine::{
    guard::Config,
    io::Timestamp,
    written::{Field, ToJson, write_object},
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
        trace.line(at, "config", config);
        trace
    }

    /// Records an input. Only here is the record cut, so that no input lacks its outputs.
    pub fn input(&mut self, at: Timestamp, input: &dyn ToJson) {
        self.full = self.full || self.lines.len() >= LIMIT;
        self.line(at, "input", input);
    }

    pub fn output(&mut self, at: Timestamp, output: &dyn ToJson) {
        self.line(at, "output", output);
    }

    pub fn lines(&self) -> &str {
        &self.lines
    }

    fn line(&mut self, at: Timestamp, kind: &'static str, what: &dyn ToJson) {
        if !self.full {
            write_object(&mut self.lines, "", &[("at", &at), (kind, what)]);
            self.lines.push('\n');
        }
    }
}

impl ToJson for Config {
    fn write(&self, out: &mut String) {
        let fields: &[Field] = &[
            ("app", &self.app),
            ("channel", &self.channel),
            ("interval", &self.interval),
            ("release", &self.release),
        ];
        write_object(out, "", fields);
    }
}
