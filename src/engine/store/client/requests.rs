//! What the app asks for: planned with the layout the tab believes in, and again whenever that turns out to be old.

use alloc::vec::Vec;

use super::{Reply, RequestKind, Stage, StoreClient, TRIES, Task, Work};
use crate::engine::store::client::Output;
use crate::engine::store::error::{DurableError, Kind};
use crate::engine::store::head::Stamp;
use crate::engine::store::mode::{Mode, RefuseReason, links, mirrors};
use crate::engine::store::transaction::{
    Hop, LocalCopy, Record, Seen, Transaction, TranslationPlan,
};

impl<V: Clone> StoreClient<V> {
    pub(super) fn take(&mut self, work: Work<V>) {
        if !self.is_ready() {
            self.waiting.push(work);
            // The database may be there again, and the caller does not wait for the next look.
            if self.stage == Stage::Opening && !self.has(&Task::Open) {
                self.open();
            }
            return;
        }
        if let Some(Mode::Refuse { reason }) = &self.mode {
            let reason = reason.clone();
            return self.fail(work, Kind::Refused { reason });
        }
        let (Some(head), Some(layout), Some(mode)) = (&self.head, self.layout(), &self.mode) else {
            self.waiting.push(work);
            return self.settle();
        };
        match (mode, &work.request.want) {
            (Mode::UseBackup { schema, .. }, RequestKind::List { after, limit }) => {
                let op = Transaction::ScanBackup {
                    schema: *schema,
                    after: after.clone(),
                    limit: *limit,
                };
                self.transact(Task::Read(work), op, false);
            }
            (Mode::UseBackup { schema, .. }, RequestKind::Read { key }) => {
                let op = Transaction::GetBackup {
                    schema: *schema,
                    key: key.clone(),
                };
                self.transact(Task::Read(work), op, false);
            }
            (Mode::UseBackup { schema, .. }, _) => {
                let schema = *schema;
                self.fail(work, Kind::Backup { schema });
            }
            (_, RequestKind::Read { .. } | RequestKind::List { .. }) => {
                let Some(links) = links(head, &self.build, self.build.schema) else {
                    let reason = RefuseReason::NoPath {
                        schema: head.schema,
                    };
                    return self.fail(work, Kind::Refused { reason });
                };
                let op = match work.request.want.clone() {
                    RequestKind::List { after, limit } => Transaction::Scan {
                        layout,
                        links,
                        after,
                        limit,
                    },
                    RequestKind::Read { key }
                    | RequestKind::Write { key, .. }
                    | RequestKind::Delete { key, .. } => Transaction::Get { layout, key, links },
                };
                self.transact(Task::Read(work), op, false);
            }
            (Mode::ReadOnly { reason }, _) => {
                let reason = reason.clone();
                self.fail(work, Kind::ReadOnly { reason });
            }
            (_, RequestKind::Delete { key, seen }) => {
                let op = Transaction::Delete {
                    layout,
                    schema: self.build.schema,
                    key: key.clone(),
                    seen: *seen,
                };
                let stamp = self.stamp();
                self.transact(Task::Write(work, stamp), op, false);
            }
            (_, RequestKind::Write { key, seen, .. }) => {
                let mirrors = mirrors(head, &self.build);
                let merge = mirrors.iter().any(|mirror| mirror.keep);
                let mut schemas: Vec<u32> = mirrors.iter().map(|mirror| mirror.schema).collect();
                if !merge {
                    let seen = *seen;
                    return self.translate_write(work, schemas, seen, &[]);
                }
                // The primary first: its stamp says whether what was read is still there.
                if let Some(place) = schemas.iter().position(|schema| *schema == layout.primary) {
                    schemas.swap(0, place);
                }
                let op = Transaction::Copies {
                    layout,
                    key: key.clone(),
                    schemas: schemas.clone(),
                };
                self.transact(Task::Copies(work, schemas), op, false);
            }
        }
    }

    /// Translates a write for the namespaces beside the writer's own; `copies` is what stands there, if it matters.
    pub(super) fn translate_write(
        &mut self,
        work: Work<V>,
        schemas: Vec<u32>,
        seen: Option<Seen>,
        copies: &[Option<Record<V>>],
    ) {
        let RequestKind::Write { value, .. } = &work.request.want else {
            return;
        };
        let own = self.build.schema;
        let keeps = |to: u32| self.build.ways.lossy(to, own) == Some(true);
        let recipes = schemas.iter().enumerate().map(|(place, to)| {
            let there = copies.get(place).and_then(Option::as_ref);
            TranslationPlan {
                stamp: Stamp {
                    writer: self.writer,
                    count: self.count,
                },
                schema: own,
                value: value.clone(),
                hops: Vec::from([Hop {
                    from: own,
                    to: *to,
                    ours: there.filter(|_| keeps(*to)).map(|record| LocalCopy {
                        value: record.value.clone(),
                        base: own,
                    }),
                }]),
            }
        });
        let recipes: Vec<TranslationPlan<V>> = recipes.collect();
        match recipes.is_empty() {
            true => self.put(work, Vec::new(), seen),
            false => self.translate(Task::MakeWrite(work, schemas, seen), recipes, None),
        }
    }

    pub(super) fn put(&mut self, work: Work<V>, mut values: Vec<(u32, V)>, seen: Option<Seen>) {
        let (Some(head), Some(layout)) = (&self.head, self.layout()) else {
            return self.waiting.push(work);
        };
        let RequestKind::Write { key, value, .. } = &work.request.want else {
            return;
        };
        let own = self.build.schema;
        if head.namespace(own).is_some() {
            values.push((own, value.clone()));
        }
        let key = key.clone();
        let stamp = self.stamp();
        let op = Transaction::Put {
            layout,
            schema: own,
            key,
            stamp,
            seen,
            values,
        };
        self.transact(Task::Write(work, stamp), op, false);
    }

    /// Starts a request again, now that more is known.
    pub(super) fn again(&mut self, mut work: Work<V>) {
        work.tries += 1;
        if work.tries < TRIES {
            return self.take(work);
        }
        let key = work.request.want.key();
        self.fail(work, Kind::Busy { key });
    }

    pub(super) fn fail(&mut self, work: Work<V>, kind: Kind) {
        self.out.push(Output::Reply {
            id: work.request.id,
            result: Err(DurableError::new(&self.store, kind)),
        });
    }

    pub(super) fn reply(&mut self, work: &Work<V>, reply: Reply<V>) {
        self.out.push(Output::Reply {
            id: work.request.id,
            result: Ok(reply),
        });
    }
}
