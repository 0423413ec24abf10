//! What comes back from transactions and translations.

use alloc::{string::String, vec::Vec};

use super::{
    Name, Reply, RequestKind, Stage, StoreClient, Task, Work, background::batch_op, named,
};
use crate::{
    engine::{
        format::ParseError,
        store::{
            client::Output,
            error::{Failure, Kind, Untranslated},
            head::Stamp,
            mode::{Mode, RefuseReason, open},
            transaction::{Answer, Refusal, Row, Seen, Transaction},
        },
    },
    time::Timestamp,
};

impl<V: Clone> StoreClient<V> {
    pub(super) fn on_judged(&mut self, task: Task<V>, answer: Answer<V>, now: Timestamp) {
        let was_step = matches!(task, Task::Step);
        match task {
            Task::Open => {
                if self.stage != Stage::Opening {
                    return;
                }
                if let Answer::Head(head) = answer {
                    self.stage = Stage::Open;
                    self.learn(head);
                    self.go_on(now);
                }
            }
            Task::Settle => {
                self.settling = false;
                match answer {
                    Answer::Head(head) => {
                        self.out.push(Output::HeadChanged);
                        self.learn(head);
                    }
                    Answer::Refused(refusal) => self.learn_refusal(refusal),
                    _ => {}
                }
                self.go_on(now);
            }
            Task::Read(work) => match answer {
                Answer::Found(None) => self.reply(&work, Reply::Value(None)),
                Answer::Found(Some(recipe)) => {
                    let row = Row {
                        key: String::new(),
                        recipe,
                    };
                    self.make_read(work, Vec::from([row]), true);
                }
                Answer::Rows { rows, last } => self.make_read(work, rows, last),
                Answer::Refused(refusal) => {
                    self.learn_refusal(refusal);
                    self.again(work);
                }
                _ => {}
            },
            Task::Copies(work, schemas) => match answer {
                Answer::Copies(copies) => {
                    let RequestKind::Write { seen, .. } = work.request.want else {
                        return;
                    };
                    let primary = copies.first().and_then(Option::as_ref);
                    let merged = Seen(primary.map(|record| record.stamp));
                    self.translate_write(work, schemas, seen.or(Some(merged)), &copies);
                }
                Answer::Refused(refusal) => {
                    self.learn_refusal(refusal);
                    self.again(work);
                }
                _ => {}
            },
            Task::Write(work, stamp) => match answer {
                Answer::Written => match work.request.want {
                    RequestKind::Delete { .. } => self.reply(&work, Reply::Deleted),
                    _ => self.reply(&work, Reply::Written(stamp)),
                },
                Answer::Refused(Refusal::Conflict) if work.request.want.has_seen() => {
                    let key = work.request.want.key();
                    self.fail(work, Kind::Conflict { key });
                }
                Answer::Refused(refusal) => {
                    self.learn_refusal(refusal);
                    self.again(work);
                }
                _ => {}
            },
            Task::Look | Task::Step => {
                self.release();
                self.busy = false;
                match answer {
                    Answer::Head(head) => {
                        let before = self.head.as_ref().map(|head| head.epoch);
                        if was_step && before != head.as_ref().map(|head| head.epoch) {
                            self.out.push(Output::HeadChanged);
                        }
                        self.learn(head);
                        self.go_on(now);
                    }
                    Answer::Refused(refusal) => self.on_step_refused(refusal, now),
                    _ => {}
                }
            }
            Task::Scan(portion) => match answer {
                Answer::Rows { rows, last } => self.make_batch(portion, rows, last),
                Answer::Refused(refusal) => {
                    self.busy = false;
                    self.on_step_refused(refusal, now);
                }
                _ => {}
            },
            Task::MakeRead(..) | Task::MakeWrite(..) | Task::MakeBatch(..) => {}
        }
    }

    pub(super) fn on_translated(&mut self, task: Task<V>, values: Vec<V>, now: Timestamp) {
        match task {
            Task::MakeRead(work, names, last) => {
                let made = names.into_iter().zip(values);
                self.reply_read(
                    &work,
                    made.map(|(name, value)| (name.key, value, name.stamp)),
                    last,
                );
            }
            Task::MakeWrite(work, schemas, seen) => {
                // The layout may have changed meanwhile; the fence of the op finds that out.
                self.put(work, schemas.into_iter().zip(values).collect(), seen);
            }
            Task::MakeBatch(portion, names, last) => {
                let Some(layout) = self.layout() else {
                    return;
                };
                let op = batch_op(layout, portion, names, values, last);
                self.transact(Task::Step, op, true);
            }
            _ => self.work(now),
        }
    }

    pub(super) fn on_untranslated(
        &mut self,
        task: Task<V>,
        place: usize,
        why: Untranslated,
        now: Timestamp,
    ) {
        let key_at = |names: &[Name]| names.get(place).map(|name| name.key.clone());
        match task {
            Task::MakeRead(work, names, _) => {
                let key = key_at(&names).filter(|key| !key.is_empty());
                let key = key.unwrap_or_else(|| work.request.want.key());
                self.fail(work, Kind::Untranslated { key, why });
            }
            Task::MakeWrite(work, ..) => {
                let key = work.request.want.key();
                self.fail(work, Kind::Untranslated { key, why });
            }
            Task::MakeBatch(_, names, _) => {
                let key = key_at(&names).unwrap_or_default();
                self.give_up_for_now(Kind::Untranslated { key, why }, now);
            }
            _ => {}
        }
    }

    pub(super) fn on_failed(&mut self, task: Task<V>, failure: Failure, now: Timestamp) {
        let background = task.is_background();
        match task {
            Task::Settle => {
                self.settling = false;
                if failure == Failure::Quota {
                    self.storage_full = true;
                }
                match self.head.as_ref().map(|head| open(head, &self.build)) {
                    Some(mode) => {
                        self.enter(mode);
                        self.go_on(now);
                    }
                    None => self.fail_waiting(&failure),
                }
                self.report(Kind::Storage { failure });
                self.put_off_look(now);
            }
            // A full disk still lets a tab read: it opens without the note that its schema is in use. Its lock says so too.
            Task::Open if failure == Failure::Quota && !self.storage_full => {
                self.storage_full = true;
                self.transact(Task::Open, Transaction::Look, false);
            }
            Task::Open => {
                self.storage_full = false;
                self.fail_waiting(&failure);
                self.report(Kind::Storage { failure });
                self.put_off_look(now);
            }
            _ if background => {
                self.release();
                self.give_up_for_now(Kind::Storage { failure }, now);
            }
            other => {
                if let Some(work) = other.into_work() {
                    self.fail(work, Kind::Storage { failure });
                }
            }
        }
    }

    pub(super) fn fail_waiting(&mut self, failure: &Failure) {
        for work in core::mem::take(&mut self.waiting) {
            let failure = failure.clone();
            self.fail(work, Kind::Storage { failure });
        }
    }

    pub(super) fn on_unreadable(&mut self, task: Task<V>, error: &ParseError, now: Timestamp) {
        let reason = RefuseReason::Head {
            message: error.sentence(),
        };
        self.release();
        self.busy = false;
        self.settling = false;
        self.stage = Stage::Open;
        self.head = None;
        self.put_off_look(now);
        self.enter(Mode::Refuse {
            reason: reason.clone(),
        });
        let waiting = core::mem::take(&mut self.waiting);
        for work in task.into_work().into_iter().chain(waiting) {
            let reason = reason.clone();
            self.fail(work, Kind::Refused { reason });
        }
    }

    pub(super) fn learn_refusal(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Stale(head) => self.learn(head),
            Refusal::Overtaken(head) | Refusal::NotYet(head) => self.learn(Some(head)),
            Refusal::Conflict | Refusal::Fenced => {}
        }
    }

    pub(super) fn make_read(&mut self, work: Work<V>, rows: Vec<Row<V>>, last: bool) {
        let (names, recipes) = named(rows);
        if recipes.iter().all(|recipe| recipe.hops.is_empty()) {
            let as_they_are = names.into_iter().zip(recipes);
            let made = as_they_are.map(|(name, recipe)| (name.key, recipe.value, name.stamp));
            return self.reply_read(&work, made, last);
        }
        self.translate(Task::MakeRead(work, names, last), recipes, None);
    }

    pub(super) fn reply_read(
        &mut self,
        work: &Work<V>,
        rows: impl Iterator<Item = (String, V, Stamp)>,
        last: bool,
    ) {
        let rows: Vec<(String, V, Stamp)> = rows.collect();
        let reply = match work.request.want {
            RequestKind::List { .. } => Reply::Rows { rows, last },
            _ => Reply::Value(
                rows.into_iter()
                    .next()
                    .map(|(_, value, stamp)| (value, stamp)),
            ),
        };
        self.reply(work, reply);
    }

    /// Serves what had to wait, then sees to the background.
    pub(super) fn go_on(&mut self, now: Timestamp) {
        if !self.is_ready() {
            return;
        }
        for work in core::mem::take(&mut self.waiting) {
            self.take(work);
        }
        self.plan(now);
    }
}
