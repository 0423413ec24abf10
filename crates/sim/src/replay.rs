//! Replays a trace that a real page recorded.
//!
//! A trace has one JSON document per line: `{"at":ms,"config":{…}}` first, then `{"at":ms,"input":{…}}` and, after each
//! input, `{"at":ms,"output":{…}}` for every effect and event that it caused. Wakes are not recorded: the `woke` inputs
//! follow from them.

use std::fmt;

use changeover::{
    engine::{
        excerpt::discreet,
        guard::{Config, Guard},
        io::{Input, Output},
    },
    time::Timestamp,
};
use serde_json::Value;

/// A trace that replayed as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    pub inputs: usize,
    pub outputs: usize,
}

/// Why a trace did not replay. Lines count from 1.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// The line is not part of a trace.
    Unreadable { line: usize, reason: String },
    /// The guard's output differs from the recorded one; `None` means that there is no output.
    Output {
        line: usize,
        recorded: Option<Value>,
        replayed: Option<Value>,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            |value: &Option<Value>| value.as_ref().map_or("nothing".into(), Value::to_string);
        match self {
            Self::Unreadable { line, reason } => write!(f, "line {line} cannot be read: {reason}"),
            Self::Output {
                line,
                recorded,
                replayed,
            } => {
                write!(
                    f,
                    "line {line}: recorded {}, replayed {}",
                    text(recorded),
                    text(replayed)
                )
            }
        }
    }
}

impl std::error::Error for Difference {}

/// Feeds the inputs of `trace` to a guard and compares its outputs with the recorded ones.
pub fn replay(trace: &str) -> Result<Replayed, Difference> {
    let mut guard = Guard::new(Config::default());
    let mut pending = Vec::new().into_iter();
    let mut replayed = Replayed {
        inputs: 0,
        outputs: 0,
    };
    let mut last = 0;
    for (number, text) in trace
        .lines()
        .enumerate()
        .filter(|(_, text)| !text.trim().is_empty())
    {
        let line = number + 1;
        last = line;
        let unreadable = |reason: String| Difference::Unreadable { line, reason };
        let mut document: Value =
            serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
        let at = document
            .get("at")
            .and_then(Value::as_u64)
            .ok_or_else(|| unreadable("it has no time `at`".into()))?;
        if let Some(config) = document.get_mut("config") {
            let config = serde_json::from_value(config.take())
                .map_err(|error| unreadable(error.to_string()))?;
            guard = Guard::new(config);
        } else if let Some(input) = document.get_mut("input") {
            if let Some(more) = pending.next() {
                return Err(Difference::Output {
                    line,
                    recorded: None,
                    replayed: Some(more),
                });
            }
            let input: Input = serde_json::from_value(input.take())
                .map_err(|error| unreadable(error.to_string()))?;
            replayed.inputs += 1;
            guard.handle_input(input, Timestamp(at));
            pending = drained(&mut guard).into_iter();
        } else if let Some(output) = document.get_mut("output") {
            let recorded = output.take();
            let next = pending.next();
            if next.as_ref() != Some(&recorded) {
                return Err(Difference::Output {
                    line,
                    recorded: Some(recorded),
                    replayed: next,
                });
            }
            replayed.outputs += 1;
        } else {
            return Err(unreadable(
                "it has neither `config` nor `input` nor `output`".into(),
            ));
        }
    }
    match pending.next() {
        Some(more) => Err(Difference::Output {
            line: last + 1,
            recorded: None,
            replayed: Some(more),
        }),
        None => Ok(replayed),
    }
}

/// The outputs of the guard until it sleeps, as they are recorded.
fn drained(guard: &mut Guard) -> Vec<Value> {
    let mut outputs = Vec::new();
    loop {
        let output = match guard.poll_output() {
            Output::Effect(effect) => serde_json::to_value(effect),
            Output::Event(event) => serde_json::to_value(event),
            Output::Wake { .. } => return outputs,
        };
        // Outputs are plain data with text keys, so they can always be written as JSON.
        let output = output.expect("an output is JSON").to_string();
        // Secrets are not recorded in traces.
        outputs.push(serde_json::from_str(&discreet(&output)).expect("it still is"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = r#"{"at":1785499200000,"config":{"app":null,"channel":null,"interval":60000,"release":"https://shop.test/changeover/release.json"}}
{"at":1785499200000,"input":{"type":"started","build":"a","seed":18446744073709551615,"visitor":"v","visible":true,"online":true,"locks":false,"storage":true,"highestSequence":null,"reloads":[],"snooze":null,"arrival":null}}
{"at":1785499200000,"output":{"type":"fetchRelease"}}
{"at":1785499200000,"output":{"type":"statusChanged"}}
{"at":1785499215000,"input":{"type":"woke"}}
{"at":1785499215000,"output":{"type":"statusChanged"}}
"#;

    #[test]
    fn a_recorded_trace_replays() {
        assert_eq!(
            replay(TRACE),
            Ok(Replayed {
                inputs: 2,
                outputs: 3
            })
        );
    }

    #[test]
    fn the_first_difference_is_named_with_its_line() {
        let other = TRACE.replace("fetchRelease", "reload");
        assert_eq!(
            replay(&other).unwrap_err().to_string(),
            r#"line 3: recorded {"type":"reload"}, replayed {"type":"fetchRelease"}"#
        );
        let shorter = TRACE.lines().take(3).collect::<Vec<_>>().join("\n");
        assert_eq!(
            replay(&shorter).unwrap_err().to_string(),
            r#"line 4: recorded nothing, replayed {"type":"statusChanged"}"#
        );
        assert_eq!(
            replay("{}").unwrap_err().to_string(),
            "line 1 cannot be read: it has no time `at`"
        );
    }
}
