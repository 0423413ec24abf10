//! A page with two stores that carries out a run, and fails where a test wants it to.

use std::collections::BTreeMap;

use changeover::{
    engine::migration::{Edge, Loss, Plan, Registry, Run, RunInput, RunOutput, StepRef, StoreSpec},
    time::Timestamp,
};
use serde_json::{Value, json};

/// How a step goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    Throws,
    Hangs,
    Invalid,
    Loses,
}

/// A page that carries out a run. It holds the values, the working copies and the functions.
pub struct Page {
    pub live: BTreeMap<String, Value>,
    pub copies: BTreeMap<String, Value>,
    pub faults: BTreeMap<StepRef, Fault>,
    /// Store whose snapshot cannot be taken.
    pub unreadable: Option<String>,
    pub now: u64,
    pub log: Vec<String>,
}

impl Page {
    pub fn new() -> Self {
        Self {
            live: BTreeMap::from([
                ("cart".into(), json!({"a": 1, "b": 2})),
                ("draft".into(), json!({"a": 5, "b": 6})),
            ]),
            copies: BTreeMap::new(),
            faults: BTreeMap::new(),
            unreadable: None,
            now: 1_000,
            log: Vec::new(),
        }
    }

    /// Drives the run to its end and returns its last output.
    pub fn drive(&mut self, mut run: Run) -> RunOutput {
        let mut last = None;
        loop {
            let answer = match run.poll_output() {
                RunOutput::Snapshot { store } => {
                    self.log.push(format!("snapshot {store}"));
                    match self.unreadable.as_ref() == Some(&store) {
                        true => Some(RunInput::SnapshotFailed {
                            store,
                            message: "no access".into(),
                        }),
                        false => {
                            self.copies.insert(store.clone(), self.live[&store].clone());
                            Some(RunInput::SnapshotTaken { store })
                        }
                    }
                }
                RunOutput::RunStep {
                    store,
                    index,
                    name,
                    step,
                    ..
                } => {
                    self.log.push(format!("{store} {name}"));
                    self.step(store, index, step)
                }
                RunOutput::GoBack { store, index, .. } => {
                    self.log.push(format!("{store} back"));
                    match self.copies[&store].get("b") {
                        Some(_) => Some(RunInput::Restored { store, index }),
                        None => Some(RunInput::NotRestored {
                            store,
                            index,
                            path: "b".into(),
                        }),
                    }
                }
                RunOutput::Validate { store, schema } => {
                    self.log.push(format!("validate {store} {schema}"));
                    match self.copies[&store]["a"].is_number() {
                        true => Some(RunInput::Validated { store }),
                        false => Some(RunInput::Invalid {
                            store,
                            path: Some("a".into()),
                            message: "is no number".into(),
                        }),
                    }
                }
                RunOutput::Progress { done, total } => {
                    self.log.push(format!("{done}/{total}"));
                    None
                }
                RunOutput::Wake { at: Some(at) } => {
                    assert!(at.0 > self.now, "a run must not wake in the past");
                    self.now = at.0;
                    Some(RunInput::Woke)
                }
                RunOutput::Wake { at: None } => return last.expect("a run ends with a word"),
                end @ (RunOutput::Ready { .. }
                | RunOutput::Failed { .. }
                | RunOutput::Reported { .. }) => {
                    assert!(last.is_none(), "a run ends once");
                    assert!(run.is_over());
                    last = Some(end);
                    None
                }
            };
            if let Some(answer) = answer {
                self.now += 1;
                run.handle_input(answer, Timestamp(self.now));
            }
        }
    }

    fn step(&mut self, store: String, index: usize, step: StepRef) -> Option<RunInput> {
        let copy = self.copies.get_mut(&store).unwrap();
        match self.faults.get(&step).copied().unwrap_or_default() {
            Fault::None => {}
            Fault::Throws => {
                return Some(RunInput::StepFailed {
                    store,
                    index,
                    message: "x is undefined".into(),
                    path: Some("items[0].x".into()),
                });
            }
            Fault::Hangs => return None,
            Fault::Invalid => copy["a"] = json!("nonsense"),
            Fault::Loses => {
                copy.as_object_mut().unwrap().remove("b");
            }
        }
        Some(RunInput::StepDone { store, index })
    }
}

pub fn registry() -> Registry {
    let mut registry = Registry::new();
    for (number, name) in ["cart", "draft"].into_iter().enumerate() {
        let mut spec = StoreSpec::new(name, 3);
        for from in 1..3 {
            let reference = (number as u32 + 1) * 10 + from;
            let mut edge = Edge::new(from, from + 1, StepRef(reference));
            edge.down = Some(StepRef(reference + 100));
            spec.edges.push(edge);
        }
        registry.register(spec).unwrap();
    }
    registry
}

/// The plans of both stores, from schema 1 to 3.
pub fn plans() -> Vec<Plan> {
    let registry = registry();
    let plan = |store| registry.plan(store, 1, 3, Loss::Refuse).unwrap();
    vec![plan("cart"), plan("draft")]
}
