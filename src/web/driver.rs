//! The driver of a guard: feeds inputs, drains outputs, sleeps on one timer.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use js_sys::{Math, Object, Promise};
use web_sys::Url;

use super::{
    Emit,
    callback::Timer,
    clock::Clock,
    departing::Departing,
    election::Election,
    events::EventStream,
    fetch::Request,
    files::LoadedFiles,
    lifecycle::{self, Lifecycle},
    locks,
    manifests::Errand,
    peers::Peers,
    reloads,
    scroll::ScrollRestore,
    state::Envelope,
    storage::{Area, Storage},
    trace::Trace,
};
use crate::{
    engine::{
        format::{MAX_SAFE_INTEGER, from_own_json},
        guard::{Config, Guard},
        io::{AbortReason, Effect, Event, Input, Output, Snooze, Start},
        manifest::Store,
        status::Status,
    },
    ids::{BuildId, Names},
    rng::hexadecimal,
    time::{Millis, Timestamp},
};

/// A timer that goes off this late was held up by a frozen page or a sleeping machine.
const LATE: Millis = 10_000;

/// What the page is and how it is to be watched.
pub struct Options {
    /// Absolute URL of `release.json`.
    pub release: String,
    pub build: Option<BuildId>,
    /// Of the release that the document was made for.
    pub sequence: Option<u64>,
    pub app: Option<String>,
    pub channel: Option<String>,
    /// Between two checks of the release, before jitter.
    pub interval: Millis,
    pub stream: Stream,
    pub trace: bool,
}

/// Where the event stream is.
pub enum Stream {
    /// Where the server's `Changeover-Events` header says; nowhere without it.
    Auto,
    Off,
    At(String),
}

/// The app's side of the driver.
pub trait Host {
    /// News; called while the guard is between two steps, so everything may be asked and fed from here.
    fn on_event(&self, event: &Event);
    /// The guard has seen what there is to see: [`Driver::is_settled`] has become true.
    fn on_settled(&self);
    /// Captures the state of the page for a build that reads `stores`: resolves to the envelope's parts of it and
    /// `failed: string | null`.
    fn capture(&self, stores: &Names<Store>) -> Promise;
    /// Waits for what is being restored: resolves to `{restored: string[], failed: string[]}`.
    fn restore(&self) -> Promise;
    /// Takes a step of a swap, or drops what one has prepared, and answers with [`Input::SwapAnswered`]. Pages without slots
    /// are never asked.
    fn swap(&self, _effect: &Effect) {}
    /// Has files of a build looked at ([`Effect::CheckFiles`]), and answers with [`Input::FilesChecked`]. `false`: it cannot,
    /// and there is no answer.
    fn check(&self, _effect: &Effect) -> bool {
        false
    }
    /// The page was to be reloaded and lives on: what was captured for that is old now.
    fn on_stayed(&self) {}
    /// Has the service worker of the page take its next version, and answers with [`Input::WorkerRenewed`]. `false`: there is
    /// no answer.
    fn renew(&self, _changeover: &str) -> bool {
        false
    }
}

/// Drives one guard in this page. Dropping it, like [`Driver::dispose`], closes everything it opened.
#[must_use = "dropping it stops the guard"]
pub struct Driver {
    inner: Rc<Inner>,
}

pub(super) struct Inner {
    pub options: Options,
    /// The path of `release.json`: tabs, storage and locks of one site share it.
    pub scope: String,
    pub host: Box<dyn Host>,
    pub clock: Clock,
    pub storage: Storage,
    pub envelope: Envelope,
    pub open: RefCell<Open>,
    pub emit: Emit,
    guard: RefCell<Guard>,
    inbox: RefCell<VecDeque<Input>>,
    draining: Cell<bool>,
    disposed: Cell<bool>,
    settled: Cell<bool>,
    wake: Cell<Option<Timestamp>>,
    trace: RefCell<Option<Trace>>,
}

/// Everything that is open; each closes itself when dropped.
#[derive(Default)]
pub(super) struct Open {
    pub _lifecycle: Option<Lifecycle>,
    pub files: Option<LoadedFiles>,
    pub timer: Option<Timer>,
    pub release: Option<Request>,
    pub manifests: Vec<(BuildId, Errand)>,
    pub document: Option<Request>,
    pub stream: Option<EventStream>,
    pub election: Option<Election>,
    pub peers: Option<Peers>,
    pub scroll: Option<ScrollRestore>,
    pub departing: Option<Departing>,
}

impl Driver {
    /// Makes a driver that has not checked anything yet; `None` when `options.release` is no absolute URL.
    pub fn new(options: Options, host: Box<dyn Host>) -> Option<Self> {
        let scope = Url::new(&options.release).ok()?.pathname();
        let storage = Storage::open(&scope);
        let clock = Clock::default();
        let envelope = Envelope::open(&storage, clock.now());
        let inner = Rc::new_cyclic(|inner: &std::rc::Weak<Inner>| {
            let inner = inner.clone();
            let emit: Emit = Rc::new(move |input| {
                if let Some(inner) = inner.upgrade() {
                    inner.feed(input);
                }
            });
            let config = Config {
                app: options.app.clone(),
                channel: options.channel.clone(),
                interval: options.interval,
                release: options.release.clone(),
            };
            Inner {
                trace: RefCell::new(options.trace.then(|| Trace::new(clock.now(), &config))),
                guard: RefCell::new(Guard::new(config)),
                inbox: RefCell::default(),
                draining: Cell::new(false),
                disposed: Cell::new(false),
                settled: Cell::new(true),
                wake: Cell::new(None),
                open: RefCell::default(),
                options,
                scope,
                host,
                clock,
                storage,
                envelope,
                emit,
            }
        });
        Some(Self { inner })
    }

    /// Opens the listeners and tells the guard about the page.
    pub fn start(&self) {
        let inner = &self.inner;
        let (emit, weak) = (inner.emit.clone(), Rc::downgrade(inner));
        *inner.open.borrow_mut() = Open {
            _lifecycle: Some(Lifecycle::listen(&emit)),
            files: Some(LoadedFiles::watch()),
            timer: Some(Timer::new(move || {
                if let Some(inner) = weak.upgrade() {
                    inner.on_timer();
                }
            })),
            ..Open::default()
        };
        let start = inner.look_around();
        inner.feed(Input::Started(start));
    }

    pub fn feed(&self, input: Input) {
        self.inner.feed(input);
    }

    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Whether the guard has seen what there is to see: no request for release or manifest is under way or due.
    pub fn is_settled(&self) -> bool {
        self.inner.is_settled()
    }

    pub fn status(&self) -> Status {
        // The guard is borrowed only for a step, never while the host is called.
        self.inner.guard.borrow().status()
    }

    /// The envelope that came with this page: states that no provider has claimed are still in it.
    pub fn carried(&self) -> Object {
        self.inner.envelope.carried()
    }

    /// Writes down what has been changed in [`Driver::carried`].
    pub fn keep(&self) {
        self.inner.envelope.keep(&self.inner.storage);
    }

    pub fn trace(&self) -> String {
        self.inner
            .trace
            .borrow()
            .as_ref()
            .map_or(String::new(), |trace| trace.lines().to_owned())
    }

    /// Stops the guard and closes everything.
    pub fn dispose(&self) {
        self.inner.feed(Input::Disposed);
    }

    /// Closes everything without asking the guard, after a trap has left it in an unknown state.
    pub fn abandon(&self) {
        self.inner.close();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.inner.close();
    }
}

impl Inner {
    /// Takes an input, or leaves it for the step that is going on: handlers may feed from anywhere.
    pub fn feed(self: &Rc<Self>, input: Input) {
        if self.disposed.get() {
            return;
        }
        self.inbox.borrow_mut().push_back(input);
        if self.draining.replace(true) {
            return;
        }
        loop {
            let Some(input) = self.inbox.borrow_mut().pop_front() else {
                break;
            };
            let last = matches!(input, Input::Disposed);
            self.step(input);
            if last {
                self.close();
                break;
            }
        }
        self.draining.set(false);
        if !self.settled.replace(self.is_settled()) && self.is_settled() {
            self.host.on_settled();
        }
    }

    fn step(self: &Rc<Self>, input: Input) {
        let now = self.clock.now();
        self.record(|trace| trace.input(now, &input));
        self.guard.borrow_mut().handle_input(input, now);
        // A handler may have closed everything after a trap.
        while !self.disposed.get() {
            let output = self.guard.borrow_mut().poll_output();
            match output {
                Output::Effect(effect) => {
                    self.record(|trace| trace.output(now, &effect));
                    self.perform(effect);
                }
                Output::Event(event) => {
                    self.record(|trace| trace.output(now, &event));
                    self.on_event(&event);
                    self.host.on_event(&event);
                }
                Output::Wake { at, .. } => return self.sleep_until(at, now),
            }
        }
    }

    fn sleep_until(&self, at: Option<Timestamp>, now: Timestamp) {
        if self.wake.replace(at) == at {
            return;
        }
        if let Some(timer) = &self.open.borrow().timer {
            match at {
                Some(at) => timer.arm(at.0.saturating_sub(now.0)),
                None => timer.clear(),
            }
        }
    }

    fn on_timer(self: &Rc<Self>) {
        let due = self.wake.take();
        if due.is_some_and(|due| self.clock.now().0.saturating_sub(due.0) > LATE) {
            self.feed(Input::Resumed);
        }
        self.feed(Input::Woke);
    }

    /// Keeps the envelope in step with the changeover it belongs to.
    fn on_event(self: &Rc<Self>, event: &Event) {
        match event {
            Event::ChangeoverStarted { .. } => self.shut(|open| open.departing.take()),
            // A reload that only looks ignored may still be under way to a slow server.
            Event::ChangeoverAborted {
                reason: AbortReason::ReloadIgnored,
                ..
            } => {}
            // An app that disposes of the guard while its page goes wants its state all the same.
            Event::ChangeoverAborted {
                reason: AbortReason::Disposed,
                ..
            } if self.open.borrow().departing.is_some() => {}
            Event::ChangeoverAborted { .. } => self.envelope.keep(&self.storage),
            _ => {}
        }
    }

    fn look_around(&self) -> Start {
        let random = Math::random;
        let saved = |kept, name: &str| self.storage.read(kept, name);
        let visitor = saved(Area::Local, "visitor")
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| {
                let part = || hexadecimal((random() * 4_294_967_296.0) as u64, 8);
                let visitor = format!("\"{}{}\"", part(), part());
                let _ = self.storage.write(Area::Local, "visitor", &visitor);
                visitor
            });
        let highest: Option<u64> = saved(Area::Local, "sequence")
            .and_then(|text| from_own_json(&text))
            .filter(|sequence| *sequence <= MAX_SAFE_INTEGER);
        Start {
            build: self.options.build.clone(),
            document_sequence: self.options.sequence,
            // As many bits as JavaScript could read back from a trace.
            seed: (random() * 9_007_199_254_740_992.0) as u64,
            visitor: visitor.trim_matches('"').to_owned(),
            visible: lifecycle::is_visible(),
            online: lifecycle::is_online(),
            locks: locks::has_locks(),
            storage: self.storage.survives_reload(),
            highest_sequence: highest,
            highest_app: saved(Area::Local, "sequenceOf").and_then(|text| {
                // Another version of changeover may have written the sequence alone since.
                let (sequence, app) = text.split_once(' ')?;
                (highest == from_own_json(sequence)).then(|| app.to_owned())
            }),
            reloads: reloads::read(&self.storage),
            snooze: self.snooze(),
            arrival: self.envelope.arrival(),
        }
    }

    fn snooze(&self) -> Option<Snooze> {
        from_own_json(&self.storage.read(Area::Session, "snooze")?)
    }

    pub fn is_settled(&self) -> bool {
        self.disposed.get() || self.guard.borrow().is_settled()
    }

    /// Takes something out of what is open and closes it afterwards, when nothing is borrowed any more.
    pub fn shut<T>(&self, take: impl FnOnce(&mut Open) -> Option<T>) {
        let taken = take(&mut self.open.borrow_mut());
        drop(taken);
    }

    fn close(&self) {
        self.disposed.set(true);
        // After a trap something may be borrowed for ever; then its listeners stay and find a disposed guard.
        if let Ok(mut open) = self.open.try_borrow_mut() {
            let all = std::mem::take(&mut *open);
            drop(open);
            drop(all);
        }
        self.host.on_settled();
    }

    fn record(&self, write: impl FnOnce(&mut Trace)) {
        if let Some(trace) = self.trace.borrow_mut().as_mut() {
            write(trace);
        }
    }
}
