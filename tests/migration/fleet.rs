//! Tabs of several builds over one database in memory, with real migrations between JSON values.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use changeover::{
    engine::{
        migration::{Loss, Registry, reconcile},
        store::{
            Capabilities, DurableError, Failure, Fill, Input, Memory, Mode, Output, Reachability,
            Reply, Request, RequestKind, Seen, Stamp, StoreClient, Ticket, Timing, Transaction,
            evaluate,
        },
    },
    time::Timestamp,
};
use serde_json::Value;

pub type Database = Rc<RefCell<Memory<Value>>>;

/// Takes a value from one schema to another, as the functions of a build do.
pub type Translate = Rc<dyn Fn(u32, u32, Value) -> Result<Value, String>>;

pub const DAY: u64 = 86_400_000;

/// A build: what it can do, and its functions.
#[derive(Clone)]
pub struct Build {
    pub capabilities: Capabilities,
    pub translate: Translate,
}

impl Build {
    /// A build whose head is `schema`, from the steps registered for the store "cart".
    pub fn new(registry: &Registry, schema: u32, translate: Translate) -> Self {
        let known = |it: &&(u32, u32, bool)| it.0 <= schema && it.1 <= schema;
        let ways = registry.ways("cart", 64).unwrap();
        Self {
            capabilities: Capabilities {
                schema,
                build: format!("build-{schema}"),
                ways: Reachability::new(ways.iter().filter(known).copied()),
                lineage: registry.lineage("cart", schema).unwrap(),
                accepts: Vec::new(),
                expand: true,
                locks: true,
                timing: Timing::default(),
                batch: 100,
            },
            translate,
        }
    }

    /// The functions of a store of typed steps.
    pub fn functions<H: changeover::engine::migration::typed::Versioned>(
        typed: Rc<changeover::engine::migration::typed::Typed<H>>,
    ) -> Translate {
        Rc::new(move |from, to, value| {
            let migrated = typed.migrate(from, to, value, Loss::Accept);
            migrated.map_err(|error| error.to_string())
        })
    }
}

/// One open page.
pub struct Page {
    pub tab: StoreClient<Value>,
    build: Build,
    db: Database,
    locks: Locks,
    me: u64,
    pub now: u64,
    replies: BTreeMap<u32, Result<Reply<Value>, DurableError>>,
    requests: u32,
    pub problems: Vec<DurableError>,
    pub modes: Vec<Mode>,
    /// Transactions that commit before the page dies.
    pub lives: Option<usize>,
    /// Whether transactions that write values fail for lack of space.
    pub full: bool,
    /// Whether the database does not open.
    pub shut: bool,
    pub committed: usize,
    wake: Option<u64>,
    pub held_back: Vec<(Ticket, Transaction<Value>)>,
    /// Keeps transactions back until `release`.
    pub hold: bool,
}

/// Who holds which lock: schema -> holders.
pub type Locks = Rc<RefCell<BTreeMap<u32, Vec<u64>>>>;

pub struct World {
    pub db: Database,
    pub locks: Locks,
    opened: u64,
    pub now: u64,
}

impl World {
    pub fn new() -> Self {
        Self {
            db: Rc::default(),
            locks: Rc::default(),
            opened: 0,
            now: 1_000_000,
        }
    }

    pub fn open(&mut self, build: &Build) -> Page {
        self.open_with(build, Vec::new())
    }

    pub fn open_with(&mut self, build: &Build, initial: Vec<(String, Value)>) -> Page {
        let mut page = self.prepare(build, initial);
        page.run();
        page
    }

    /// A page that has not run yet.
    pub fn prepare(&mut self, build: &Build, initial: Vec<(String, Value)>) -> Page {
        self.opened += 1;
        Page {
            tab: StoreClient::new("cart", build.capabilities.clone(), self.opened, initial),
            build: build.clone(),
            db: self.db.clone(),
            locks: self.locks.clone(),
            me: self.opened,
            now: self.now,
            replies: BTreeMap::new(),
            requests: 0,
            problems: Vec::new(),
            modes: Vec::new(),
            lives: None,
            full: false,
            shut: false,
            committed: 0,
            wake: None,
            held_back: Vec::new(),
            hold: false,
        }
    }

    /// Lets time pass for some pages: each does what it wants to do in it.
    pub fn pass(&mut self, span: u64, pages: &mut [&mut Page]) {
        let end = self.now + span;
        loop {
            let next = pages.iter().filter_map(|page| page.wake).min();
            match next.filter(|at| *at <= end) {
                Some(at) => self.now = self.now.max(at),
                None => break,
            }
            for page in pages.iter_mut() {
                page.now = self.now;
                if page.wake.is_some_and(|at| at <= self.now) {
                    page.wake = None;
                    page.feed(Input::Woke);
                }
            }
        }
        self.now = end;
        for page in pages {
            page.now = end;
        }
    }

    pub fn primary(&self) -> u32 {
        self.db.borrow().head().unwrap().schema
    }

    pub fn schemas(&self) -> Vec<u32> {
        let db = self.db.borrow();
        let head = db.head().unwrap();
        head.namespaces.iter().map(|it| it.schema).collect()
    }

    pub fn fill(&self, schema: u32) -> Fill {
        let db = self.db.borrow();
        db.head().unwrap().namespace(schema).unwrap().fill.clone()
    }
}

impl Page {
    pub fn is_dead(&self) -> bool {
        self.lives.is_some_and(|lives| self.committed >= lives)
    }

    pub fn feed(&mut self, input: Input<Value>) {
        if self.is_dead() {
            return;
        }
        self.tab.handle_input(input, Timestamp(self.now));
        self.run();
    }

    /// Does what the tab says until it sleeps.
    pub fn run(&mut self) {
        while !self.is_dead() {
            match self.tab.poll_output() {
                Output::LockShared { schema } => {
                    self.locks
                        .borrow_mut()
                        .entry(schema)
                        .or_default()
                        .push(self.me);
                    self.handle(Input::LockGranted);
                }
                Output::UnlockShared { schema } => self.unlock(schema),
                Output::TryExclusive { schema } => {
                    let free = self.locks.borrow().get(&schema).is_none_or(Vec::is_empty);
                    self.handle(match free {
                        true => Input::ExclusiveGranted { schema },
                        false => Input::ExclusiveRefused { schema },
                    });
                }
                Output::ReleaseExclusive { .. }
                | Output::AskRevive { .. }
                | Output::HeadChanged => {}
                Output::Transact { ticket, op, .. } => match self.hold {
                    true => self.held_back.push((ticket, op)),
                    false => self.transact(ticket, &op),
                },
                Output::Translate {
                    ticket,
                    recipes,
                    check: _,
                } => {
                    let translate = self.build.translate.clone();
                    let mut values = Vec::new();
                    let mut failed = None;
                    for (place, recipe) in recipes.into_iter().enumerate() {
                        let cooked = recipe.apply(
                            &mut |from, to, value| translate(from, to, value),
                            &mut |base, ours, theirs| reconcile(&base, &ours, &theirs),
                        );
                        match cooked {
                            Ok(value) => values.push(value),
                            Err(message) => failed = failed.or(Some((place, message))),
                        }
                    }
                    self.handle(match failed {
                        None => Input::Translated { ticket, values },
                        Some((place, message)) => Input::TranslateFailed {
                            ticket,
                            place,
                            why: message.into(),
                        },
                    });
                }
                Output::Reply { id, result } => {
                    self.replies.insert(id, result);
                }
                Output::ModeChanged { mode } => self.modes.push(mode),
                Output::Problem { error } => self.problems.push(error),
                Output::Wake { at } => {
                    self.wake = at.map(|at| at.0);
                    return;
                }
            }
        }
        // A dead page holds no locks.
        self.unlock(self.build.capabilities.schema);
    }

    fn handle(&mut self, input: Input<Value>) {
        self.tab.handle_input(input, Timestamp(self.now));
    }

    fn transact(&mut self, ticket: Ticket, op: &Transaction<Value>) {
        let copies = matches!(
            op,
            Transaction::Create { .. }
                | Transaction::Expand { .. }
                | Transaction::Put { .. }
                | Transaction::FillBatch { .. }
        );
        if self.shut {
            let failure = Failure::Unavailable {
                message: "it did not open within 10 s".into(),
            };
            return self.handle(Input::Failed { ticket, failure });
        }
        // On a disk that is full to the last byte, not even the note fits that a tab is there.
        let notes = matches!(op, Transaction::Open { .. }) && {
            let facts = self.db.borrow().facts(&op.reads(), Timestamp(self.now));
            !evaluate(op, facts).writes.is_empty()
        };
        if self.full && (copies || notes) {
            let failure = Failure::Quota;
            return self.handle(Input::Failed { ticket, failure });
        }
        let answer = self.db.borrow_mut().transact(op, Timestamp(self.now));
        if !op.reads().only {
            self.committed += 1;
            if self.is_dead() {
                return;
            }
        }
        self.handle(Input::Judged { ticket, answer });
    }

    /// Runs what was held back.
    pub fn release(&mut self) {
        self.hold = false;
        for (ticket, op) in std::mem::take(&mut self.held_back) {
            self.transact(ticket, &op);
        }
        self.run();
    }

    fn unlock(&mut self, schema: u32) {
        if let Some(holders) = self.locks.borrow_mut().get_mut(&schema) {
            holders.retain(|holder| *holder != self.me);
        }
    }

    /// The browser freezes the page and takes its lock without a word.
    pub fn freeze(&mut self) {
        self.unlock(self.build.capabilities.schema);
    }

    pub fn close(mut self) {
        self.feed(Input::Closed);
    }

    pub fn ask(&mut self, want: RequestKind<Value>) -> u32 {
        self.requests += 1;
        let id = self.requests;
        self.feed(Input::Requested(Request { id, want }));
        id
    }

    pub fn reply(&mut self, id: u32) -> Option<Result<Reply<Value>, DurableError>> {
        self.replies.remove(&id)
    }

    fn now_or_never(&mut self, want: RequestKind<Value>) -> Result<Reply<Value>, DurableError> {
        let id = self.ask(want);
        self.reply(id).expect("nothing holds the answer back")
    }

    pub fn read(&mut self, key: &str) -> Result<Option<Value>, DurableError> {
        Ok(self.read_stamped(key)?.map(|(value, _)| value))
    }

    pub fn read_stamped(&mut self, key: &str) -> Result<Option<(Value, Stamp)>, DurableError> {
        match self.now_or_never(RequestKind::Read { key: key.into() })? {
            Reply::Value(value) => Ok(value),
            other => panic!("{other:?}"),
        }
    }

    pub fn write(&mut self, key: &str, value: Value) -> Result<(), DurableError> {
        self.write_if(key, value, None)
    }

    pub fn write_if(
        &mut self,
        key: &str,
        value: Value,
        seen: Option<Seen>,
    ) -> Result<(), DurableError> {
        let key = key.into();
        self.now_or_never(RequestKind::Write { key, value, seen })
            .map(|_| ())
    }

    pub fn delete(&mut self, key: &str) -> Result<(), DurableError> {
        let key = key.into();
        self.now_or_never(RequestKind::Delete { key, seen: None })
            .map(|_| ())
    }

    /// Everything, page by page.
    pub fn list(&mut self) -> Result<BTreeMap<String, Value>, DurableError> {
        let mut all = BTreeMap::new();
        let mut after = None;
        loop {
            let want = RequestKind::List { after, limit: 37 };
            match self.now_or_never(want)? {
                Reply::Rows { rows, last } => {
                    after = rows.last().map(|(key, ..)| key.clone());
                    all.extend(rows.into_iter().map(|(key, value, _)| (key, value)));
                    if last {
                        return Ok(all);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// The same numbers for the same seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
