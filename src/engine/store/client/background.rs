//! The work that no caller waits for: census, filling, contraction, revival, sweeping.

use alloc::vec::Vec;

use super::{Name, Output, Stage, StoreClient, Task, named};
use crate::{
    engine::store::{
        error::{DurableError, Kind},
        head::{Fill, Namespace},
        job::{self, Portion, Step},
        mode::{Mode, Want, links, may_write, want},
        transaction::{Batch, Filled, LayoutVersion, Refusal, Row, Transaction},
    },
    time::Timestamp,
};

impl<V: Clone> StoreClient<V> {
    /// Looks at the head if it is time to.
    pub(super) fn work(&mut self, now: Timestamp) {
        let due = self.look.is_some_and(|at| at <= now);
        match self.stage {
            Stage::Opening if due && !self.has(&Task::Open) => {
                self.look = None;
                self.open();
            }
            Stage::Open if due && self.is_idle() => {
                self.look = None;
                self.storage_full = false;
                self.busy = true;
                self.transact(Task::Look, Transaction::Look, true);
            }
            _ => {}
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.is_ready() && !self.busy && self.exclusive.is_none()
    }

    pub(super) fn has(&self, task: &Task<V>) -> bool {
        let same = |it: &Task<V>| core::mem::discriminant(it) == core::mem::discriminant(task);
        self.tasks.iter().any(|(_, task)| same(task))
    }

    /// Begins the next step of background work that the head calls for.
    pub(super) fn plan(&mut self, now: Timestamp) {
        let (Some(head), Some(layout)) = (&self.head, self.layout()) else {
            return;
        };
        if !self.is_idle() {
            return;
        }
        if want(Some(head), &self.build) == Some(Want::AskRevive) {
            let schema = self.build.schema;
            self.out.push(Output::AskRevive { schema });
        }
        if matches!(
            self.mode,
            Some(Mode::Refuse { .. } | Mode::UseBackup { .. }) | None
        ) {
            // Another tab may bring back a schema that this build can use.
            return self.put_off_look(now);
        }
        let step = job::next_step(head, &self.build, self.census, now);
        let build = self.build.build.clone();
        let op = match step {
            Step::Rest(at) => {
                self.look = at;
                return;
            }
            Step::Census(schema) | Step::Sweep { schema } => return self.ask(schema, step),
            Step::Contract { .. } => {
                let old = head.schema;
                return self.ask(old, step);
            }
            Step::Begin { schema, round } => Transaction::BeginFill {
                layout,
                schema,
                round,
            },
            Step::Return { to } => Transaction::Return { layout, to, build },
            Step::Abandon { schema } => Transaction::Abandon {
                layout,
                schema,
                build,
            },
            Step::Copy(portion) | Step::Check(portion) => {
                let Some(links) = links(head, &self.build, portion.schema) else {
                    self.look = None;
                    return;
                };
                let op = Transaction::Scan {
                    layout,
                    links,
                    after: portion.after.clone(),
                    limit: self.build.batch.max(1),
                };
                self.busy = true;
                return self.transact(Task::Scan(portion), op, true);
            }
        };
        self.busy = true;
        self.transact(Task::Step, op, true);
    }

    pub(super) fn ask(&mut self, schema: u32, step: Step) {
        self.exclusive = Some((schema, step));
        self.out.push(Output::TryExclusive { schema });
    }

    pub(super) fn on_exclusive(&mut self, schema: u32) {
        let step = match &self.exclusive {
            Some((asked, step)) if *asked == schema => step.clone(),
            _ => return self.out.push(Output::ReleaseExclusive { schema }),
        };
        let (Some(head), Some(layout)) = (&self.head, self.layout()) else {
            return self.release();
        };
        let build = self.build.build.clone();
        let op = match step {
            Step::Census(schema) => Transaction::Alone { layout, schema },
            Step::Contract { to } => Transaction::Contract {
                layout,
                to,
                dwell: job::dwell(head, &self.build),
                build,
            },
            Step::Sweep { schema } => Transaction::Sweep {
                schema,
                retention: self.build.timing.retention,
            },
            _ => return self.release(),
        };
        self.busy = true;
        self.transact(Task::Step, op, true);
    }

    pub(super) fn release(&mut self) {
        if let Some((schema, _)) = self.exclusive.take() {
            self.out.push(Output::ReleaseExclusive { schema });
        }
    }

    pub(super) fn on_step_refused(&mut self, refusal: Refusal, now: Timestamp) {
        let moved = matches!(refusal, Refusal::Stale(_));
        self.learn_refusal(refusal);
        match moved {
            true => self.go_on(now),
            // Another tab is at the same work; it is left to it for a while.
            false => {
                self.put_off_census(now);
                self.put_off_look(now);
            }
        }
    }

    pub(super) fn make_batch(&mut self, portion: Portion, rows: Vec<Row<V>>, last: bool) {
        let (names, recipes) = named(rows);
        if let (true, Some(layout)) = (recipes.is_empty(), self.layout()) {
            let op = batch_op(layout, portion, names, Vec::new(), last);
            return self.transact(Task::Step, op, true);
        }
        let check = Some(portion.schema);
        let task = Task::MakeBatch(portion, names, last);
        self.translate(task, recipes, check);
    }

    pub(super) fn revive(&mut self, schema: u32) {
        let (Some(head), Some(layout)) = (&self.head, self.layout()) else {
            return;
        };
        let able = schema < head.schema
            && may_write(head, &self.build).is_ok()
            && self.build.ways.lossy(head.schema, schema).is_some()
            && self.build.ways.lossy(self.build.schema, schema).is_some();
        if !self.is_idle() || !able || head.reviving().next().is_some() {
            return;
        }
        let op = Transaction::Revive {
            layout,
            namespace: Namespace::new(schema, self.build.lineage.leading_to(schema)),
            build: self.build.build.clone(),
        };
        self.busy = true;
        self.transact(Task::Step, op, true);
    }

    pub(super) fn give_up_for_now(&mut self, kind: Kind, now: Timestamp) {
        self.busy = false;
        self.report(kind);
        self.put_off_look(now);
    }

    pub(super) fn report(&mut self, kind: Kind) {
        self.out.push(Output::Problem {
            error: DurableError::new(&self.store, kind),
        });
    }

    pub(super) fn put_off_census(&mut self, now: Timestamp) {
        self.census = Timestamp(now.0.saturating_add(self.build.timing.census));
    }

    pub(super) fn put_off_look(&mut self, now: Timestamp) {
        self.look = Some(Timestamp(now.0.saturating_add(self.build.timing.census)));
    }
}

/// The transaction that records a batch, and where the filling stands after it.
pub(super) fn batch_op<V>(
    layout: LayoutVersion,
    portion: Portion,
    names: Vec<Name>,
    values: Vec<V>,
    last: bool,
) -> Transaction<V> {
    let after = names.last().map(|name| name.key.clone());
    let copying = matches!(portion.at, Fill::Copying { .. });
    let next = match (copying, last) {
        (true, false) => Fill::Copying { after },
        (true, true) => Fill::Checking { after: None },
        (false, false) => Fill::Checking { after },
        (false, true) => Fill::Full,
    };
    let batch = Batch {
        round: portion.round,
        at: portion.at,
        next,
    };
    let schema = portion.schema;
    if !copying {
        return Transaction::CheckBatch {
            layout,
            schema,
            batch,
            keys: names.into_iter().map(|name| name.key).collect(),
        };
    }
    let made = names.into_iter().zip(values);
    Transaction::FillBatch {
        layout,
        schema,
        batch,
        records: made
            .map(|(name, value)| Filled {
                key: name.key,
                stamp: name.stamp,
                value,
            })
            .collect(),
    }
}
