//! Runs the plans of several stores as one transaction: either every store is migrated, or no store changes.
//!
//! The run takes a snapshot of every store, then migrates and validates the stores one after another, and then reports
//! that the results may be used. Only one question to the driver is open at a time after the snapshots, and each has a
//! time limit.

mod messages;
mod report;

use alloc::{string::String, vec::Vec};

use super::{
    error::{Kind, MigrationError},
    registry::Plan,
    step::{Step, StepName},
};
use crate::time::Timestamp;

pub use messages::{Carried, RunInput, RunOptions, RunOutput};
pub use report::{Outcome, Report, StepReport, StoreReport};

/// One migration of several stores: all of them or none.
#[derive(Clone, Debug)]
pub struct Run {
    options: RunOptions,
    plans: Vec<Plan>,
    stage: Stage,
    /// When the driver was last asked for something.
    asked: Timestamp,
    reports: Vec<StoreReport>,
    done: usize,
    total: usize,
    queue: Vec<RunOutput>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Waiting for the snapshots of these stores.
    Snapshots(Vec<String>),
    /// Working on the store with this index in `plans`.
    Store(usize, Work),
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Step(usize),
    GoBack(usize),
    Validate,
}

impl Run {
    /// Starts with a snapshot of every store. The plans must name different stores.
    pub fn new(plans: Vec<Plan>, options: RunOptions, now: Timestamp) -> Self {
        let waiting: Vec<String> = plans.iter().map(|plan| plan.store.clone()).collect();
        let mut run = Self {
            options,
            stage: Stage::Snapshots(waiting),
            asked: now,
            reports: plans.iter().map(StoreReport::of).collect(),
            done: 0,
            total: plans.iter().map(|plan| plan.steps.len()).sum(),
            queue: Vec::new(),
            plans,
        };
        for plan in &run.plans {
            let store = plan.store.clone();
            run.queue.push(RunOutput::Snapshot { store });
        }
        run.tell_progress();
        if run.plans.is_empty() {
            run.finish();
        }
        run
    }

    /// Whether nothing more will happen.
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// The next thing to do; call until it is `Wake`.
    pub fn poll_output(&mut self) -> RunOutput {
        let at = match self.stage {
            Stage::Over => None,
            _ => Some(self.deadline()),
        };
        match self.queue.is_empty() {
            true => RunOutput::Wake { at },
            false => self.queue.remove(0),
        }
    }

    pub fn handle_input(&mut self, input: RunInput, now: Timestamp) {
        if self.is_over() {
            return;
        }
        if now >= self.deadline() && input != RunInput::Cancelled {
            return self.time_out(now);
        }
        match input {
            RunInput::SnapshotTaken { store } => self.on_snapshot(&store, now),
            RunInput::SnapshotFailed { store, message } => {
                let place = self.plans.iter().position(|plan| plan.store == store);
                if let (Stage::Snapshots(waiting), Some(place)) = (&mut self.stage, place)
                    && took(waiting, &store)
                {
                    self.fail(place, Kind::SnapshotFailed { message }, now);
                }
            }
            RunInput::StepDone { store, index } => {
                if let Some(place) = self.open(&store, Work::Step(index)) {
                    self.on_step_done(place, index, now);
                }
            }
            RunInput::StepFailed {
                store,
                index,
                message,
                path,
            } => {
                if let Some((place, step)) = self.open_step(&store, index) {
                    let kind = Kind::StepFailed {
                        step,
                        path,
                        message,
                    };
                    self.fail(place, kind, now);
                }
            }
            RunInput::StepTimedOut { store, index } => {
                if self.open_step(&store, index).is_some() {
                    self.time_out(now);
                }
            }
            RunInput::Restored { store, index } => {
                if let Some(place) = self.open(&store, Work::GoBack(index)) {
                    self.go_on(place, index + 1, now);
                }
            }
            RunInput::NotRestored { store, index, path } => {
                if let Some(place) = self.open(&store, Work::GoBack(index)) {
                    let step = self.plans[place].steps[index].name;
                    self.fail(place, Kind::Lost { step, path }, now);
                }
            }
            RunInput::Validated { store } => {
                if let Some(place) = self.open(&store, Work::Validate) {
                    self.begin(place + 1, now);
                }
            }
            RunInput::Invalid {
                store,
                path,
                message,
            } => {
                if let Some(place) = self.open(&store, Work::Validate) {
                    let schema = self.plans[place].to;
                    let kind = Kind::Invalid {
                        schema,
                        path,
                        message,
                    };
                    self.fail(place, kind, now);
                }
            }
            RunInput::Woke => {}
            RunInput::Cancelled => {
                let place = match self.stage {
                    Stage::Store(place, _) => place,
                    Stage::Snapshots(_) | Stage::Over => 0,
                };
                self.options.dry = false;
                self.fail(place, Kind::Cancelled, now);
            }
        }
    }

    fn on_snapshot(&mut self, store: &str, now: Timestamp) {
        if let Stage::Snapshots(waiting) = &mut self.stage
            && took(waiting, store)
            && waiting.is_empty()
        {
            self.begin(0, now);
        }
    }

    fn on_step_done(&mut self, place: usize, index: usize, now: Timestamp) {
        let step = self.plans[place].steps[index];
        self.note_step(place, step, now);
        self.done += 1;
        self.tell_progress();
        match step.inverse {
            Some(inverse) if self.options.verify && !step.lossy => {
                self.ask(place, Work::GoBack(index), now);
                self.queue.push(RunOutput::GoBack {
                    store: self.plans[place].store.clone(),
                    index,
                    step: inverse,
                });
            }
            _ => self.go_on(place, index + 1, now),
        }
    }

    /// Begins the first store from `place` on that has not failed, or ends the run.
    fn begin(&mut self, place: usize, now: Timestamp) {
        let failed = |report: &StoreReport| report.outcome != Outcome::Ready;
        match self.reports.get(place) {
            Some(report) if failed(report) => self.begin(place + 1, now),
            Some(_) => self.go_on(place, 0, now),
            None => self.finish(),
        }
    }

    fn go_on(&mut self, place: usize, index: usize, now: Timestamp) {
        let plan = &self.plans[place];
        let store = plan.store.clone();
        match plan.steps.get(index) {
            Some(step) => {
                self.queue.push(RunOutput::RunStep {
                    store,
                    index,
                    name: step.name,
                    step: step.run,
                    is_async: step.is_async,
                });
                self.ask(place, Work::Step(index), now);
            }
            None => {
                let schema = plan.to;
                self.queue.push(RunOutput::Validate { store, schema });
                self.ask(place, Work::Validate, now);
            }
        }
    }

    fn ask(&mut self, place: usize, work: Work, now: Timestamp) {
        self.stage = Stage::Store(place, work);
        self.asked = now;
    }

    fn time_out(&mut self, now: Timestamp) {
        let budget = self.options.budget;
        match self.stage.clone() {
            Stage::Snapshots(mut waiting) => {
                while !waiting.is_empty() {
                    let store = waiting.remove(0);
                    let place = self.plans.iter().position(|plan| plan.store == store);
                    self.stage = Stage::Snapshots(waiting.clone());
                    if let Some(place) = place {
                        self.fail(place, Kind::SnapshotTimedOut { budget }, now);
                    }
                }
            }
            Stage::Store(place, Work::Step(index) | Work::GoBack(index)) => {
                let store = self.plans[place].store.clone();
                if let Some((place, step)) = self.open_step(&store, index) {
                    self.fail(place, Kind::StepTimedOut { step, budget }, now);
                }
            }
            Stage::Store(place, Work::Validate) => {
                let schema = self.plans[place].to;
                self.fail(place, Kind::ValidationTimedOut { schema, budget }, now);
            }
            Stage::Over => {}
        }
    }

    /// Ends the run; a dry run ends only this store.
    fn fail(&mut self, place: usize, kind: Kind, now: Timestamp) {
        if self.is_over() {
            return;
        }
        let store = self.plans.get(place).map_or("", |plan| &plan.store);
        let error = MigrationError::new(store, kind);
        if !self.options.dry {
            self.stage = Stage::Over;
            self.queue.clear();
            self.queue.push(RunOutput::Failed { error });
            return;
        }
        if let Stage::Store(_, Work::Step(index)) = self.stage {
            let step = self.plans[place].steps[index];
            self.note_step(place, step, now);
        }
        self.reports[place].outcome = Outcome::Failed(error);
        match &self.stage {
            Stage::Snapshots(waiting) if waiting.is_empty() => self.begin(0, now),
            Stage::Snapshots(_) | Stage::Over => {}
            Stage::Store(place, _) => self.begin(place + 1, now),
        }
    }

    fn finish(&mut self) {
        self.stage = Stage::Over;
        let output = if self.options.dry {
            let stores = core::mem::take(&mut self.reports);
            RunOutput::Reported {
                report: Report { stores },
            }
        } else {
            let carried = self.plans.iter().map(|plan| Carried {
                store: plan.store.clone(),
                schema: plan.to,
            });
            RunOutput::Ready {
                stores: carried.collect(),
            }
        };
        self.queue.push(output);
    }

    /// The index of `store` if the driver was asked for exactly this work.
    fn open(&self, store: &str, work: Work) -> Option<usize> {
        match self.stage {
            Stage::Store(place, open) if open == work && self.plans[place].store == store => {
                Some(place)
            }
            _ => None,
        }
    }

    /// The same for a step or its inverse, with the name of the one that runs.
    fn open_step(&self, store: &str, index: usize) -> Option<(usize, StepName)> {
        let name = |place: usize| self.plans[place].steps[index].name;
        match self.open(store, Work::Step(index)) {
            Some(place) => Some((place, name(place))),
            None => self
                .open(store, Work::GoBack(index))
                .map(|place| (place, name(place).reversed())),
        }
    }

    fn deadline(&self) -> Timestamp {
        Timestamp(self.asked.0.saturating_add(self.options.budget))
    }

    fn note_step(&mut self, place: usize, step: Step, now: Timestamp) {
        self.reports[place].steps.push(StepReport {
            name: step.name,
            lossy: step.lossy,
            took: now.0.saturating_sub(self.asked.0),
        });
    }

    fn tell_progress(&mut self) {
        self.queue.push(RunOutput::Progress {
            done: self.done,
            total: self.total,
        });
    }
}

/// Removes `store` from the list. Returns whether it was there.
fn took(waiting: &mut Vec<String>, store: &str) -> bool {
    let before = waiting.len();
    waiting.retain(|it| it != store);
    waiting.len() < before
}
