//! The driver of one shared store in one tab: runs its transactions, holds its locks, listens to the other tabs.
//!
//! `open` makes the machine ([`StoreClient`]), which requests the lock of its schema and then the head. Requests of the app
//! go in, transactions and translations come out. Changes are sent to the other tabs as hints, and their hints make the
//! listeners here read again. A page that is suspended gives its lock back and requests it again when it wakes.

mod changes;
mod listeners;
mod progress;
mod schema_locks;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use js_sys::Math;
use wasm_bindgen::JsValue;
use web_sys::BroadcastChannel;

pub use self::progress::Progress;
use self::progress::step_of;
use super::{
    callback::{Listener, Timer},
    clock::Clock,
    idb::{Database, Outcome},
    locks::Lock,
};
use crate::{
    engine::store::{
        Answer, Capabilities, DurableError, Head, Input, Mode, Output, RecordVersions, Reply,
        Request, RequestKind, Row, Seen, StoreClient, Ticket, Transaction, TranslationPlan,
        Untranslated,
    },
    time::{Millis, Timestamp},
};

/// What the app does for its store.
pub trait App {
    /// Translates values; with `check`, also validates each against that schema. `done` takes the values in order, or the
    /// error and the number of the value.
    fn translate(
        &self,
        recipes: Vec<TranslationPlan<JsValue>>,
        check: Option<u32>,
        done: Translated,
    );
    /// The answer to a request.
    fn on_reply(&self, id: u32, result: Result<Reply<JsValue>, DurableError>);
    fn on_mode(&self, mode: &Mode);
    /// Background work stopped; it is tried again later.
    fn on_problem(&self, error: &DurableError);
    fn on_progress(&self, progress: &Progress);
    /// A record has changed. `None` if listeners may have missed changes of any record.
    fn on_change(&self, key: Option<&str>, value: Option<JsValue>);
}

/// An error, with the number of the translation that failed.
pub type Translated = Box<dyn FnOnce(Result<Vec<JsValue>, (usize, Untranslated)>)>;

/// A store handle. Dropping it closes the store without notifying listeners.
#[must_use = "dropping it closes the store"]
pub struct Shared(Rc<Inner>);

struct Inner {
    /// Prefix of the names of locks and of the channel.
    name: String,
    app: Box<dyn App>,
    clock: Rc<Clock>,
    database: Database,
    tab: RefCell<StoreClient<JsValue>>,
    versions: RefCell<RecordVersions>,
    inputs: RefCell<VecDeque<Input<JsValue>>>,
    draining: Cell<bool>,
    closed: Cell<bool>,
    asked: RefCell<Vec<Asked>>,
    reads: Cell<u32>,
    /// The locks that are requested or held: the shared one of this tab's schema, and an exclusive one.
    shared: RefCell<Option<Lock>>,
    exclusive: RefCell<Option<Lock>>,
    progress: RefCell<Progress>,
    /// Whether this tab does not see what the others write.
    detached: Cell<bool>,
    /// Keys of changed records that the other tabs have not been told yet.
    unannounced: RefCell<Vec<String>>,
    wake: Cell<Option<Timestamp>>,
    ticked: Cell<Timestamp>,
    open: RefCell<Open>,
}

/// What has to be closed.
#[derive(Default)]
struct Open {
    timer: Option<Timer>,
    /// Delays suspension until the app's pagehide handlers have run.
    suspend_timer: Option<Timer>,
    /// Ends a pause between two messages about changed records.
    pause: Option<Timer>,
    channel: Option<Channel>,
    _listeners: Vec<Listener>,
}

/// The channel on which tabs tell each other of changes; dropping it closes it.
struct Channel {
    port: BroadcastChannel,
    _listener: Listener,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.port.close();
    }
}

/// A request under way.
struct Asked {
    id: u32,
    /// `None` for a request about many records.
    key: Option<String>,
    /// The driver reads the record for its listeners.
    own: bool,
}

/// The ids of the driver's own reads start here, above those of the app.
const OWN: u32 = 1 << 31;
/// Even a background page runs its timers once a minute; a longer gap is a suspension.
const HEARTBEAT: Millis = 60_000;
const SLEPT: Millis = 180_000;
impl Shared {
    /// Opens a store. `initial` is what it begins with if it does not exist yet.
    pub fn open(
        scope: &str,
        store: &str,
        build: Capabilities,
        initial: Vec<(String, JsValue)>,
        app: Box<dyn App>,
    ) -> Self {
        let name = name_of(scope, store);
        let clock = Rc::new(Clock::default());
        // As many bits as a JavaScript number holds exactly.
        let writer = (Math::random() * 9_007_199_254_740_992.0) as u64;
        let inner = Rc::new(Inner {
            database: Database::new(name.clone(), clock.clone()),
            name,
            app,
            ticked: Cell::new(clock.now()),
            clock,
            tab: RefCell::new(StoreClient::new(store, build, writer, initial)),
            versions: RefCell::default(),
            inputs: RefCell::default(),
            draining: Cell::new(false),
            closed: Cell::new(false),
            asked: RefCell::default(),
            reads: Cell::new(OWN),
            shared: RefCell::default(),
            exclusive: RefCell::default(),
            progress: RefCell::new(Progress {
                phase: "",
                from: 0,
                to: 0,
                done: 0,
            }),
            detached: Cell::new(false),
            unannounced: RefCell::default(),
            wake: Cell::new(None),
            open: RefCell::default(),
        });
        inner.listen();
        inner.drain();
        Self(inner)
    }

    pub fn read(&self, id: u32, key: String) {
        self.0.request(id, RequestKind::Read { key });
    }

    pub fn list(&self, id: u32, after: Option<String>, limit: usize) {
        self.0.request(id, RequestKind::List { after, limit });
    }

    /// Writes a record. With `seen`, only if the record is still that one.
    pub fn write(&self, id: u32, key: String, value: JsValue, seen: Option<Seen>) {
        self.0.notice_sleep();
        let seen = seen.or_else(|| self.0.versions.borrow().condition(&key));
        self.0.request(id, RequestKind::Write { key, value, seen });
    }

    pub fn delete(&self, id: u32, key: String, seen: Option<Seen>) {
        self.0.notice_sleep();
        let seen = seen.or_else(|| self.0.versions.borrow().condition(&key));
        self.0.request(id, RequestKind::Delete { key, seen });
    }

    /// Reports changes of a record to the app, or of all records.
    pub fn listen(&self, key: Option<&str>) {
        self.0.versions.borrow_mut().on_listened(key);
    }

    pub fn unlisten(&self, key: Option<&str>) {
        self.0.versions.borrow_mut().on_unlistened(key);
    }

    /// The release is rolled back to a build with an older schema.
    pub fn revive(&self, schema: u32) {
        self.0.feed(Input::ReviveRequested { schema });
    }

    /// The layout that this tab works with.
    pub fn head(&self) -> Option<Head> {
        self.0.tab.borrow().head().cloned()
    }

    /// Reads some records of a schema that is no longer in use.
    pub fn read_backup(
        &self,
        schema: u32,
        after: Option<String>,
        limit: usize,
        done: impl FnOnce(Option<(Vec<Row<JsValue>>, bool)>) + 'static,
    ) {
        let op = Transaction::ScanBackup {
            schema,
            after,
            limit,
        };
        self.0.database.transact(op, move |outcome| {
            done(match outcome {
                Outcome::Judged(Answer::Rows { rows, last }) => Some((rows, last)),
                _ => None,
            });
        });
    }

    /// Drops a schema that is no longer in use, whatever its age. `done` gets whether it is gone.
    pub fn drop_backup(&self, schema: u32, done: impl FnOnce(bool) + 'static) {
        let op = Transaction::Sweep {
            schema,
            retention: 0,
        };
        let weak = Rc::downgrade(&self.0);
        self.0.database.transact(op, move |outcome| {
            let gone = matches!(outcome, Outcome::Judged(Answer::Head(_)));
            if let (true, Some(this)) = (gone, weak.upgrade()) {
                this.feed(Input::Hinted);
            }
            done(gone);
        });
    }

    pub fn close(&self) {
        self.0.feed(Input::Closed);
        self.0.close();
    }
}

/// Whether a store exists. `done` gets an error if that cannot be found out.
pub fn exists(scope: &str, store: &str, done: impl FnOnce(Result<bool, String>) + 'static) {
    let database = Rc::new(Database::new(
        name_of(scope, store),
        Rc::new(Clock::default()),
    ));
    let kept = database.clone();
    database.transact(Transaction::Look, move |outcome| {
        kept.close();
        done(match outcome {
            Outcome::Judged(answer) => Ok(!matches!(answer, Answer::Head(None))),
            // There is a head, even if this build cannot read it.
            Outcome::HeadUnreadable(_) => Ok(true),
            Outcome::Failed(failure) => Err(failure.sentence()),
        });
    });
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn name_of(scope: &str, store: &str) -> String {
    format!("changeover:{scope}:store:{store}")
}

impl Inner {
    fn request(self: &Rc<Self>, id: u32, want: RequestKind<JsValue>) {
        let key = match &want {
            RequestKind::Read { key }
            | RequestKind::Write { key, .. }
            | RequestKind::Delete { key, .. } => Some(key.clone()),
            RequestKind::List { .. } => None,
        };
        let own = id >= OWN;
        self.asked.borrow_mut().push(Asked { id, key, own });
        self.feed(Input::Requested(Request { id, want }));
    }

    fn feed(self: &Rc<Self>, input: Input<JsValue>) {
        self.inputs.borrow_mut().push_back(input);
        self.drain();
    }

    /// Runs the engine until it waits for an input or a time.
    fn drain(self: &Rc<Self>) {
        if self.draining.replace(true) {
            return;
        }
        loop {
            let now = self.clock.now();
            // A statement of its own, because nothing may be borrowed while outputs are performed.
            let output = self.tab.borrow_mut().poll_output();
            match output {
                Output::Wake { at } => {
                    let input = self.inputs.borrow_mut().pop_front();
                    match input {
                        Some(input) => self.tab.borrow_mut().handle_input(input, now),
                        None => {
                            self.sleep_until(at, now);
                            break;
                        }
                    }
                }
                output => self.perform(output),
            }
        }
        self.draining.set(false);
    }

    fn perform(self: &Rc<Self>, output: Output<JsValue>) {
        match output {
            Output::LockShared { schema } => self.lock_shared(schema),
            Output::UnlockShared { .. } => drop(self.shared.take()),
            Output::TryExclusive { schema } => self.try_exclusive(schema),
            Output::ReleaseExclusive { .. } => drop(self.exclusive.take()),
            Output::Transact {
                ticket,
                op,
                background: _,
            } => self.transact(ticket, op),
            Output::Translate {
                ticket,
                recipes,
                check,
            } => self.translate(ticket, recipes, check),
            Output::Reply { id, result } => self.on_reply(id, result),
            Output::ModeChanged { mode } => self.on_mode(&mode),
            Output::AskRevive { schema } => self.tell(&format!("r{}", schema)),
            Output::HeadChanged => self.tell("h"),
            Output::Problem { error } => self.app.on_problem(&error),
            // Handled in the loop.
            Output::Wake { .. } => {}
        }
    }

    /// Has the app translate values for the engine.
    fn translate(
        self: &Rc<Self>,
        ticket: Ticket,
        recipes: Vec<TranslationPlan<JsValue>>,
        check: Option<u32>,
    ) {
        let weak = Rc::downgrade(self);
        let done = move |made: Result<Vec<JsValue>, (usize, Untranslated)>| {
            let Some(this) = weak.upgrade() else { return };
            this.feed(match made {
                Ok(values) => Input::Translated { ticket, values },
                Err((place, why)) => Input::TranslateFailed { ticket, place, why },
            });
        };
        self.app.translate(recipes, check, Box::new(done));
    }

    /// Runs a transaction for the engine.
    fn transact(self: &Rc<Self>, ticket: Ticket, op: Transaction<JsValue>) {
        let step = step_of(&op);
        let weak = Rc::downgrade(self);
        self.database.transact(op, move |outcome| {
            let Some(this) = weak.upgrade() else { return };
            this.feed(match outcome {
                Outcome::Judged(answer) => {
                    if let (Some(step), Answer::Head(_)) = (step, &answer) {
                        this.on_step(step);
                    }
                    Input::Judged { ticket, answer }
                }
                Outcome::Failed(failure) => Input::Failed { ticket, failure },
                Outcome::HeadUnreadable(error) => Input::HeadUnreadable { ticket, error },
            });
        });
    }

    fn on_mode(self: &Rc<Self>, mode: &Mode) {
        self.app.on_mode(mode);
        let detached = matches!(mode, Mode::UseBackup { .. } | Mode::Refuse { .. });
        if self.detached.replace(detached) && !detached {
            // Versions of backup records do not apply to the store.
            self.versions.borrow_mut().on_slept();
            self.tell_missed();
        }
    }

    fn on_step(&self, step: Progress) {
        let mut progress = self.progress.borrow_mut();
        let same = (progress.phase, progress.from, progress.to) == (step.phase, step.from, step.to);
        let before = if same { progress.done } else { 0 };
        *progress = Progress {
            done: before + step.done,
            ..step
        };
        let told = progress.clone();
        drop(progress);
        self.app.on_progress(&told);
    }

    fn on_reply(self: &Rc<Self>, id: u32, result: Result<Reply<JsValue>, DurableError>) {
        let place = self.asked.borrow().iter().position(|it| it.id == id);
        let Some(place) = place else { return };
        let Asked { key, own, .. } = self.asked.borrow_mut().swap_remove(place);
        if own {
            return self.on_own_read(&key.unwrap_or_default(), result);
        }
        let changed = match &result {
            Ok(reply) => self.note_versions(key.as_deref().unwrap_or_default(), reply),
            Err(_) => false,
        };
        self.app.on_reply(id, result);
        if let (true, Some(key)) = (changed, key) {
            self.on_hint(&key);
            self.on_changed(key);
        }
    }

    /// Remembers which versions of the records the app has seen. Returns whether the reply is to a change.
    fn note_versions(&self, key: &str, reply: &Reply<JsValue>) -> bool {
        let mut versions = self.versions.borrow_mut();
        match reply {
            Reply::Value(found) => versions.on_seen(key, found.as_ref().map(|it| it.1)),
            Reply::Rows { rows, .. } => {
                for (key, _, stamp) in rows {
                    versions.on_seen(key, Some(*stamp));
                }
            }
            Reply::Written(stamp) => versions.on_seen(key, Some(*stamp)),
            Reply::Deleted => versions.on_seen(key, None),
        }
        matches!(reply, Reply::Written(_) | Reply::Deleted)
    }
}
