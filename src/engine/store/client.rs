mod answers;
mod background;
mod messages;
mod requests;

use alloc::{string::String, vec::Vec};
use core::hash::{Hash, Hasher};

use super::{
    error::Kind,
    head::{Head, Namespace, Stamp},
    job::{Portion, Step},
    mode::{Capabilities, Mode, Want, open, want},
    transaction::{LayoutVersion, Row, Seen, Transaction, TranslationPlan},
};
use crate::time::Timestamp;

pub use self::messages::{Input, Output, Reply, Request, RequestKind, Ticket};

/// One tab's view of one store.
#[derive(Clone, Debug)]
pub struct StoreClient<V> {
    store: String,
    build: Capabilities,
    writer: u64,
    count: u64,
    /// What the store begins with if it does not exist yet.
    initial: Vec<(String, V)>,
    stage: Stage,
    head: Option<Head>,
    mode: Option<Mode>,
    /// Whether this tab is changing the layout for itself.
    settling: bool,
    /// There was no space, for the note that this tab is here or for a namespace of its own; the next check tries again.
    storage_full: bool,
    tasks: Vec<(Ticket, Task<V>)>,
    tickets: u32,
    waiting: Vec<Work<V>>,
    /// The exclusive lock that was requested, and its purpose.
    exclusive: Option<(u32, Step)>,
    /// Whether background work is under way.
    busy: bool,
    /// When to read the head for background work; `None`: not by time.
    look: Option<Timestamp>,
    census: Timestamp,
    out: Vec<Output<V>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Locking,
    Opening,
    Open,
    Suspended,
    Closed,
}

/// A request under way, with the number of its tries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Work<V> {
    request: Request<V>,
    tries: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Task<V> {
    Open,
    Settle,
    Read(Work<V>),
    MakeRead(Work<V>, Vec<Name>, bool),
    /// Read the copies that the write must be merged with.
    Copies(Work<V>, Vec<u32>),
    /// Translate the write for these namespaces.
    MakeWrite(Work<V>, Vec<u32>, Option<Seen>),
    Write(Work<V>, Stamp),
    /// Background: reading the head, or a step that ends with a new one.
    Look,
    Step,
    Scan(Portion),
    MakeBatch(Portion, Vec<Name>, bool),
}

/// A record whose value is being translated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    key: String,
    stamp: Stamp,
}

/// How often a request starts over because other tabs were faster, before it fails.
const TRIES: u8 = 16;

impl<V: Clone> StoreClient<V> {
    /// `writer` must be different for each start of a tab; `initial` is what a new store begins with.
    pub fn new(
        store: impl Into<String>,
        build: Capabilities,
        writer: u64,
        initial: Vec<(String, V)>,
    ) -> Self {
        let mut tab = Self {
            store: store.into(),
            build,
            writer,
            count: 0,
            initial,
            stage: Stage::Locking,
            head: None,
            mode: None,
            settling: false,
            storage_full: false,
            tasks: Vec::new(),
            tickets: 0,
            waiting: Vec::new(),
            exclusive: None,
            busy: false,
            look: None,
            census: Timestamp(0),
            out: Vec::new(),
        };
        tab.lock();
        tab
    }

    /// What the tab may do; `None` until the store is open.
    pub fn mode(&self) -> Option<&Mode> {
        self.mode.as_ref()
    }

    /// The layout that the tab works with.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    pub fn capabilities(&self) -> &Capabilities {
        &self.build
    }

    /// The next output; call until it is `Wake`.
    pub fn poll_output(&mut self) -> Output<V> {
        let shut = self.stage == Stage::Opening && !self.has(&Task::Open);
        let at = self.look.filter(|_| shut || self.is_idle());
        match self.out.is_empty() {
            true => Output::Wake { at },
            false => self.out.remove(0),
        }
    }

    pub fn handle_input(&mut self, input: Input<V>, now: Timestamp) {
        if self.stage == Stage::Closed {
            return self.on_closed(input);
        }
        match input {
            Input::LockGranted => {
                if self.stage == Stage::Locking {
                    self.stage = Stage::Opening;
                    self.open();
                }
            }
            Input::LockLost | Input::Resumed => {
                self.pause();
                self.lock();
            }
            Input::Suspended => {
                self.pause();
                self.out.push(Output::UnlockShared {
                    schema: self.build.schema,
                });
                self.stage = Stage::Suspended;
            }
            Input::ExclusiveGranted { schema } => self.on_exclusive(schema),
            Input::ExclusiveRefused { schema } => {
                let asked = self.exclusive.take_if(|(asked, _)| *asked == schema);
                if asked.is_some() {
                    self.put_off_census(now);
                    self.plan(now);
                }
            }
            Input::Judged { ticket, answer } => {
                if let Some(task) = self.recall(ticket) {
                    self.on_judged(task, answer, now);
                }
            }
            Input::Failed { ticket, failure } => {
                if let Some(task) = self.recall(ticket) {
                    self.on_failed(task, failure, now);
                }
            }
            Input::HeadUnreadable { ticket, error } => {
                if let Some(task) = self.recall(ticket) {
                    self.on_unreadable(task, &error, now);
                }
            }
            Input::Translated { ticket, values } => {
                if let Some(task) = self.recall(ticket) {
                    self.on_translated(task, values, now);
                }
            }
            Input::TranslateFailed { ticket, place, why } => {
                if let Some(task) = self.recall(ticket) {
                    self.on_untranslated(task, place, why, now);
                }
            }
            Input::Requested(request) => self.take(Work { request, tries: 0 }),
            Input::ReviveRequested { schema } => self.revive(schema),
            Input::Hinted => {
                self.look = Some(now);
                self.work(now);
            }
            Input::Woke => self.work(now),
            Input::Closed => self.close(),
        }
    }

    fn lock(&mut self) {
        match self.build.locks {
            true => {
                self.stage = Stage::Locking;
                self.out.push(Output::LockShared {
                    schema: self.build.schema,
                });
            }
            false => {
                self.stage = Stage::Opening;
                self.open();
            }
        }
    }

    fn open(&mut self) {
        let schema = self.build.schema;
        self.transact(Task::Open, Transaction::Open { schema }, false);
    }

    /// Stops background work and forgets its progress, which is recorded in the head.
    fn pause(&mut self) {
        if let Some((schema, _)) = self.exclusive.take() {
            self.out.push(Output::ReleaseExclusive { schema });
        }
        self.tasks.retain(|(_, task)| !task.is_background());
        self.busy = false;
        self.settling = false;
    }

    fn close(&mut self) {
        self.pause();
        self.out.push(Output::UnlockShared {
            schema: self.build.schema,
        });
        self.stage = Stage::Closed;
        let on_the_way = core::mem::take(&mut self.tasks);
        let waiting = core::mem::take(&mut self.waiting);
        let works = on_the_way
            .into_iter()
            .filter_map(|(_, task)| task.into_work());
        for work in works.chain(waiting) {
            self.fail(work, Kind::Closed);
        }
    }

    fn on_closed(&mut self, input: Input<V>) {
        if let Input::Requested(request) = input {
            self.fail(Work { request, tries: 0 }, Kind::Closed);
        }
    }

    fn is_ready(&self) -> bool {
        self.stage == Stage::Open && !self.settling
    }

    /// Works with this head from now on.
    fn learn(&mut self, head: Option<Head>) {
        self.head = head;
        let mode = self.head.as_ref().map(|head| open(head, &self.build));
        if let Some(mode) = mode {
            self.enter(mode);
        }
        self.settle();
    }

    fn enter(&mut self, mode: Mode) {
        if self.mode.as_ref() == Some(&mode) {
            return;
        }
        self.mode = Some(mode.clone());
        self.out.push(Output::ModeChanged { mode });
    }

    /// Changes the layout if this tab needs another.
    fn settle(&mut self) {
        if self.settling || self.stage != Stage::Open {
            return;
        }
        let build = self.build.build.clone();
        let (schema, lineage) = (self.build.schema, self.build.lineage.clone());
        let op = match (want(self.head.as_ref(), &self.build), self.layout()) {
            (Some(Want::Create), _) => {
                let initial = self
                    .initial
                    .clone()
                    .into_iter()
                    .map(|(key, value)| (key, self.stamp(), value));
                Transaction::Create {
                    initial: initial.collect(),
                    head: Head::first(schema, lineage, &build),
                }
            }
            (Some(Want::Expand), Some(layout)) if !self.storage_full => Transaction::Expand {
                layout,
                namespace: Namespace::new(schema, lineage),
                build,
            },
            (Some(Want::Expand | Want::AskRevive) | None, _) => return,
        };
        self.settling = true;
        self.transact(Task::Settle, op, false);
    }

    fn layout(&self) -> Option<LayoutVersion> {
        self.head.as_ref().map(|head| LayoutVersion {
            epoch: head.epoch,
            primary: head.schema,
        })
    }

    fn stamp(&mut self) -> Stamp {
        self.count += 1;
        Stamp {
            writer: self.writer,
            count: self.count,
        }
    }

    fn transact(&mut self, task: Task<V>, op: Transaction<V>, background: bool) {
        let ticket = self.remember(task);
        self.out.push(Output::Transact {
            ticket,
            op,
            background,
        });
    }

    fn translate(&mut self, task: Task<V>, recipes: Vec<TranslationPlan<V>>, check: Option<u32>) {
        let ticket = self.remember(task);
        self.out.push(Output::Translate {
            ticket,
            recipes,
            check,
        });
    }

    fn remember(&mut self, task: Task<V>) -> Ticket {
        self.tickets = self.tickets.wrapping_add(1);
        let ticket = Ticket(self.tickets);
        self.tasks.push((ticket, task));
        ticket
    }

    fn recall(&mut self, ticket: Ticket) -> Option<Task<V>> {
        let place = self.tasks.iter().position(|(asked, _)| *asked == ticket)?;
        Some(self.tasks.remove(place).1)
    }
}

/// Two tabs in the same state hash the same, however many questions each has asked: ticket numbers do not count.
impl<V: Hash> Hash for StoreClient<V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            store: _,
            build,
            writer,
            count,
            initial: _,
            stage,
            head,
            mode,
            settling,
            storage_full,
            tasks,
            tickets: _,
            waiting,
            exclusive,
            busy,
            look,
            census,
            out: _,
        } = self;
        (build.schema, build.expand, writer, count, stage).hash(state);
        (
            storage_full,
            head,
            mode,
            settling,
            waiting,
            exclusive,
            busy,
            look,
            census,
        )
            .hash(state);
        tasks.len().hash(state);
        tasks.iter().for_each(|(_, task)| task.hash(state));
    }
}

impl<V> Task<V> {
    fn is_background(&self) -> bool {
        match self {
            Self::Look | Self::Step | Self::Scan(..) | Self::MakeBatch(..) => true,
            Self::Open
            | Self::Settle
            | Self::Read(..)
            | Self::MakeRead(..)
            | Self::Copies(..)
            | Self::MakeWrite(..)
            | Self::Write(..) => false,
        }
    }

    /// The request it serves.
    fn into_work(self) -> Option<Work<V>> {
        match self {
            Self::Read(work)
            | Self::MakeRead(work, ..)
            | Self::Copies(work, ..)
            | Self::MakeWrite(work, ..)
            | Self::Write(work, ..) => Some(work),
            Self::Open
            | Self::Settle
            | Self::Look
            | Self::Step
            | Self::Scan(..)
            | Self::MakeBatch(..) => None,
        }
    }
}

fn named<V>(rows: Vec<Row<V>>) -> (Vec<Name>, Vec<TranslationPlan<V>>) {
    let named = rows.into_iter().map(|Row { key, recipe }| {
        let stamp = recipe.stamp;
        (Name { key, stamp }, recipe)
    });
    named.unzip()
}
