//! The database of one store: IndexedDB, with a native version that never changes.
//!
//! An upgrade of the native version waits until every other tab has let go of the database, and the requests behind it
//! hang without an event. So there is one version, one object store, and everything that changes lies in records:
//! `"head"` is the head as JSON text, `"<schema>:<key>"` is a record `[writer, count, epoch, value]`. (A list as key would
//! cost an eighth of a write.) It is opened in whatever version it has, in case other code has raised it.
//!
//! A [`Transaction`] runs in one go: read what it names, let the engine evaluate it, write what the result says, all before the
//! browser may commit. A write that depends on the head alone does not wait for it: it is judged by the head as it was
//! last seen and written in the same turn, and taken back in the same transaction if the head turns out to be another.

mod requests;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    IdbDatabase, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction, IdbTransactionMode,
};

use self::requests::{
    MANY, ask, ask_copies, failed, matched, pairs, perform, record, result, schemas, told,
};
use super::{
    callback::{Callback, Timer, once, window},
    clock::Clock,
    json,
};
use crate::engine::{
    excerpt::quoted,
    format::ParseError,
    store::{Answer, Failure, Head, ReadSet, ReadValues, Record, Transaction, Write, evaluate},
};

/// How a transaction ended.
pub enum Outcome {
    /// It was judged and has committed.
    Judged(Answer<JsValue>),
    /// It did not commit; nothing was written.
    Failed(Failure),
    /// Its head cannot be read; nothing was written.
    HeadUnreadable(ParseError),
}

type Done = Box<dyn FnOnce(Outcome)>;

/// A database that opens when it is needed; dropping it closes it.
#[must_use = "dropping it closes the database"]
pub struct Database(Rc<Inner>);

struct Inner {
    name: String,
    clock: Rc<Clock>,
    link: RefCell<Link>,
    waiting: RefCell<Vec<Asked>>,
    /// It is to be closed as soon as it has opened and served who waits for it.
    unwanted: Cell<bool>,
    running: RefCell<Vec<Running>>,
    numbers: Cell<u32>,
    /// The head as it was last seen.
    head: RefCell<Option<Rc<SeenHead>>>,
    on_opening: Callback,
    on_database: Callback,
    on_transaction: Callback,
}

/// The connection.
enum Link {
    Closed,
    Opening {
        request: IdbOpenDbRequest,
        /// Ends our patience with it.
        _timer: Timer,
    },
    Open(IdbDatabase),
}

struct SeenHead {
    text: String,
    head: Head,
}

struct Asked {
    op: Transaction<JsValue>,
    done: Done,
    /// It was tried on a connection that turned out to be closing.
    again: bool,
    /// Nothing is to be written before the head is read: a guess was wrong.
    sure: bool,
}

struct Running {
    number: u32,
    transaction: IdbTransaction,
    store: IdbObjectStore,
    op: Transaction<JsValue>,
    reads: ReadSet,
    asked: Vec<IdbRequest>,
    /// Requests for the copies of the scanned rows, asked once their keys are known.
    copies: Vec<IdbRequest>,
    answer: Option<Answer<JsValue>>,
    failure: Option<Failure>,
    /// The head that the writes were judged by before it was read, and what they answer.
    guess: Option<(Rc<SeenHead>, Answer<JsValue>)>,
    /// The guess was wrong: once this is aborted, it begins again.
    mistaken: bool,
    done: Done,
}

const STORE: &str = "entries";
/// The number of a transaction, as a property of the browser's object.
const NUMBER: &str = "changeover";
/// Opening cannot be cancelled, and a browser may never answer (w3c/IndexedDB#223).
const PATIENCE: u64 = 10_000;

impl Database {
    pub fn new(name: String, clock: Rc<Clock>) -> Self {
        Self(Rc::new_cyclic(|weak: &std::rc::Weak<Inner>| {
            let heard = |hear: fn(&Rc<Inner>, &JsValue)| {
                let weak = weak.clone();
                Callback::new(move |event| {
                    if let Some(this) = weak.upgrade() {
                        hear(&this, &event);
                    }
                    JsValue::UNDEFINED
                })
            };
            Inner {
                name,
                clock,
                link: RefCell::new(Link::Closed),
                waiting: RefCell::default(),
                unwanted: Cell::new(false),
                running: RefCell::default(),
                numbers: Cell::new(0),
                head: RefCell::default(),
                on_opening: heard(Inner::on_opening),
                on_database: heard(Inner::on_database),
                on_transaction: heard(Inner::on_transaction),
            }
        }))
    }

    /// Runs one transaction. `done` may be called before this returns only if the database cannot be used at all.
    pub fn transact(&self, op: Transaction<JsValue>, done: impl FnOnce(Outcome) + 'static) {
        self.0.begin(Asked {
            op,
            done: Box::new(done),
            again: false,
            sure: false,
        });
    }

    /// Lets go of the database once the running transactions are over; the next one opens it again.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.0.close();
        // Events that are still to come would find the functions gone.
        for running in self.0.running.take() {
            running.detach();
            if running.guess.is_some() {
                // It would commit a write that was not checked against the head.
                let _ = running.transaction.abort();
            }
        }
        if let Link::Opening { request, .. } = &*self.0.link.borrow() {
            abandon(request);
        }
    }
}

impl Inner {
    fn begin(self: &Rc<Self>, asked: Asked) {
        self.unwanted.set(false);
        let database = match &*self.link.borrow() {
            Link::Open(database) => Some(database.clone()),
            Link::Closed | Link::Opening { .. } => None,
        };
        match database {
            Some(database) => self.run(&database, asked),
            None => {
                self.waiting.borrow_mut().push(asked);
                self.open();
            }
        }
    }

    fn open(self: &Rc<Self>) {
        if !matches!(*self.link.borrow(), Link::Closed) {
            return;
        }
        let factory = window().indexed_db().ok().flatten();
        let request = factory.and_then(|it| it.open(&self.name).ok());
        let Some(request) = request else {
            return self.fail_waiting("this browser gives the page no IndexedDB");
        };
        let hear = Some(self.on_opening.function());
        request.set_onupgradeneeded(hear);
        request.set_onsuccess(hear);
        request.set_onerror(hear);
        let weak = Rc::downgrade(self);
        let timer = Timer::new(move || {
            if let Some(this) = weak.upgrade() {
                let late = this.link.replace(Link::Closed);
                if let Link::Opening { request, .. } = &late {
                    abandon(request);
                }
                drop(late);
                this.fail_waiting("it did not open within 10 s");
            }
        });
        timer.arm(PATIENCE);
        self.link.replace(Link::Opening {
            request,
            _timer: timer,
        });
    }

    fn on_opening(self: &Rc<Self>, event: &JsValue) {
        let request: IdbOpenDbRequest = json::property(event, "target").unchecked_into();
        let database = || -> Option<IdbDatabase> { request.result().ok()?.dyn_into().ok() };
        match json::text(event, "type").as_deref() {
            Some("upgradeneeded") => {
                if let Some(database) = database() {
                    let _ = database.create_object_store(STORE);
                }
                return;
            }
            Some("success") => {
                if let Some(database) = database() {
                    return self.on_open(database);
                }
            }
            _ => {}
        }
        let message = told(&request.error().ok().flatten().into());
        drop(self.link.replace(Link::Closed));
        self.fail_waiting(&message);
    }

    fn on_open(self: &Rc<Self>, database: IdbDatabase) {
        let hear = Some(self.on_database.function());
        database.set_onversionchange(hear);
        database.set_onclose(hear);
        drop(self.link.replace(Link::Open(database.clone())));
        let waiting = self.waiting.take();
        let unwanted = self.unwanted.get();
        for asked in waiting {
            self.begin(asked);
        }
        if unwanted {
            self.close();
        }
    }

    /// Another connection wants to upgrade or delete the database, or the browser has closed it.
    fn on_database(self: &Rc<Self>, _event: &JsValue) {
        self.close();
    }

    fn close(&self) {
        self.unwanted.set(true);
        if let Link::Open(database) = &*self.link.borrow() {
            database.set_onversionchange(None);
            database.set_onclose(None);
            database.close();
        } else {
            return;
        }
        self.link.replace(Link::Closed);
    }

    fn fail_waiting(&self, message: &str) {
        for asked in self.waiting.take() {
            (asked.done)(Outcome::Failed(Failure::Unavailable {
                message: message.into(),
            }));
        }
    }

    fn run(self: &Rc<Self>, database: &IdbDatabase, asked: Asked) {
        let reads = asked.op.reads();
        let mode = match reads.only {
            true => IdbTransactionMode::Readonly,
            false => IdbTransactionMode::Readwrite,
        };
        let opened = database
            .transaction_with_str_and_mode(STORE, mode)
            .and_then(|transaction| {
                let store = transaction.object_store(STORE)?;
                Ok((transaction, store))
            });
        let (transaction, store) = match opened {
            Ok(opened) => opened,
            Err(_) if !asked.again => {
                // The browser has closed the connection and not said so yet.
                self.close();
                return self.begin(Asked {
                    again: true,
                    ..asked
                });
            }
            Err(error) => {
                let message = told(&error);
                return (asked.done)(Outcome::Failed(Failure::Failed { message }));
            }
        };
        let number = self.numbers.get().wrapping_add(1);
        self.numbers.set(number);
        let _ = Reflect::set(&transaction, &NUMBER.into(), &number.into());
        let hear = Some(self.on_transaction.function());
        transaction.set_oncomplete(hear);
        transaction.set_onabort(hear);
        let requests = ask(&store, &reads);
        let mut running = Running {
            number,
            transaction,
            store,
            op: asked.op,
            reads,
            asked: Vec::new(),
            copies: Vec::new(),
            answer: None,
            failure: None,
            guess: None,
            mistaken: false,
            done: asked.done,
        };
        match requests {
            Ok(requests) => running.asked = requests,
            Err(error) => running.give_up(&error),
        }
        if !asked.sure {
            running.guess(self.head.borrow().clone(), &self.clock);
        }
        running.hear_last(&running.asked, &self.on_transaction);
        self.running.borrow_mut().push(running);
    }

    fn on_transaction(self: &Rc<Self>, event: &JsValue) {
        let target = json::property(event, "target");
        let kind = json::text(event, "type").unwrap_or_default();
        let transaction = match kind.as_str() {
            "success" => json::property(&target, "transaction"),
            _ => target,
        };
        let number = json::number(&transaction, NUMBER);
        let Some(mut running) = self.take(number) else {
            return;
        };
        match kind.as_str() {
            "success" => match running.on_read(&self.head, &self.clock, &self.on_transaction) {
                Some(outcome) => {
                    running.detach();
                    (running.done)(outcome);
                }
                None => self.running.borrow_mut().push(running),
            },
            "complete" => {
                if let Some(answer) = running.answer {
                    (running.done)(Outcome::Judged(answer));
                }
            }
            _ if running.mistaken => self.begin(Asked {
                op: running.op,
                done: running.done,
                again: false,
                sure: true,
            }),
            _ => {
                let failure = running.failure.unwrap_or_else(|| {
                    failed(
                        &running
                            .transaction
                            .error()
                            .map_or(JsValue::NULL, Into::into),
                    )
                });
                (running.done)(Outcome::Failed(failure));
            }
        }
    }

    fn take(&self, number: Option<u64>) -> Option<Running> {
        let mut running = self.running.borrow_mut();
        let place = running
            .iter()
            .position(|it| Some(u64::from(it.number)) == number)?;
        Some(running.swap_remove(place))
    }
}

impl Running {
    /// Requests are answered in order: with the last one, all are.
    fn hear_last(&self, requests: &[IdbRequest], hear: &Callback) {
        if let Some(last) = requests.last() {
            last.set_onsuccess(Some(hear.function()));
        }
    }

    /// Stops listening to the transaction; what was written commits all the same.
    fn detach(&self) {
        self.transaction.set_oncomplete(None);
        self.transaction.set_onabort(None);
        for request in self.asked.iter().chain(&self.copies) {
            request.set_onsuccess(None);
        }
    }

    /// Writes at once, if what is written follows from a head that has probably not changed since.
    fn guess(&mut self, head: Option<Rc<SeenHead>>, clock: &Clock) {
        let plain = matches!(
            self.op,
            Transaction::Put { .. } | Transaction::Delete { .. }
        );
        let Some(seen) = head.filter(|_| plain && self.asked.len() == 1) else {
            return;
        };
        let verdict = evaluate(
            &self.op,
            ReadValues {
                now: clock.now(),
                head: Some(seen.head.clone()),
                records: Vec::new(),
                rows: Vec::new(),
            },
        );
        let changes_head = |write: &Write<JsValue>| matches!(write, Write::Head(_));
        if verdict.writes.is_empty() || verdict.writes.iter().any(changes_head) {
            return;
        }
        self.guess = Some((seen, verdict.answer));
        self.write(verdict.writes);
    }

    fn write(&mut self, writes: Vec<Write<JsValue>>) {
        for write in writes {
            if let Err(error) = perform(&self.store, &write) {
                self.give_up(&error);
                if let (Write::Put { key, .. }, Some(Failure::Failed { message })) =
                    (&write, &mut self.failure)
                {
                    *message = format!("{}: {message}", quoted(key));
                }
                return;
            }
        }
    }

    /// All that was asked for has been read. `None`: more is to come.
    fn on_read(
        &mut self,
        known: &RefCell<Option<Rc<SeenHead>>>,
        clock: &Clock,
        hear: &Callback,
    ) -> Option<Outcome> {
        let text = result(&self.asked[0]).as_string();
        if let Some((seen, answer)) = self.guess.take() {
            if text.as_ref() == Some(&seen.text) {
                self.answer = Some(answer);
            } else {
                self.mistaken = true;
                let _ = self.transaction.abort();
            }
            return None;
        }
        let rows = match &self.reads.scan {
            Some(scan) => {
                let places = self.asked.len() - 2;
                let rows = pairs(&self.asked[places], &self.asked[places + 1]);
                if self.copies.is_empty() && !rows.is_empty() && !scan.also.is_empty() {
                    match ask_copies(&self.store, scan, &rows) {
                        Ok(requests) => self.copies = requests,
                        Err(error) => self.give_up(&error),
                    }
                    self.hear_last(&self.copies, hear);
                    return None;
                }
                self.rows(rows)
            }
            None => Vec::new(),
        };
        let seen = known.borrow().clone();
        let seen = seen.filter(|seen| Some(&seen.text) == text.as_ref());
        let head = match (seen, text) {
            (_, None) => None,
            (Some(seen), _) => Some(seen.head.clone()),
            (None, Some(text)) => match Head::read(&text) {
                Ok(head) => {
                    let seen = SeenHead {
                        text,
                        head: head.clone(),
                    };
                    known.replace(Some(Rc::new(seen)));
                    Some(head)
                }
                Err(error) => return Some(Outcome::HeadUnreadable(error)),
            },
        };
        let facts = ReadValues {
            now: clock.now(),
            head,
            records: self.records(),
            rows,
        };
        let verdict = evaluate(&self.op, facts);
        if verdict.writes.is_empty() {
            return Some(Outcome::Judged(verdict.answer));
        }
        self.answer = Some(verdict.answer);
        self.write(verdict.writes);
        None
    }

    /// Takes everything back; the end is told with `abort`.
    fn give_up(&mut self, error: &JsValue) {
        self.failure = Some(failed(error));
        let _ = self.transaction.abort();
    }

    fn rows(&self, rows: Vec<(String, JsValue)>) -> Vec<(String, Vec<Option<Record<JsValue>>>)> {
        let keys: Vec<&String> = rows.iter().map(|(key, _)| key).collect();
        let copies = self.copies.chunks(2).map(|pair| match pair {
            [names, values] => matched(&keys, pairs(names, values)),
            _ => Vec::new(),
        });
        let mut copies: Vec<Vec<Option<Record<JsValue>>>> = copies.collect();
        let all = rows.iter().enumerate().map(|(place, (key, value))| {
            let own = [record(value)].into_iter();
            let others = copies.iter_mut();
            let others = others.map(|it| it.get_mut(place).and_then(Option::take));
            (key.clone(), own.chain(others).collect())
        });
        all.collect()
    }

    /// In the order of [`ReadSet::records`].
    fn records(&self) -> Vec<Option<Record<JsValue>>> {
        let wanted = &self.reads.records;
        if wanted.len() < MANY {
            let found = self.asked[1..=wanted.len()].iter();
            return found.map(|request| record(&result(request))).collect();
        }
        let mut records: Vec<Option<Record<JsValue>>> = wanted.iter().map(|_| None).collect();
        for (place, schema) in schemas(wanted).into_iter().enumerate() {
            let of_schema: Vec<usize> = (0..wanted.len())
                .filter(|at| wanted[*at].0 == schema)
                .collect();
            let keys: Vec<&String> = of_schema.iter().map(|at| &wanted[*at].1).collect();
            let first = 1 + 2 * place;
            let found = matched(&keys, pairs(&self.asked[first], &self.asked[first + 1]));
            for (at, found) in of_schema.into_iter().zip(found) {
                records[at] = found;
            }
        }
        records
    }
}

/// Leaves a request to itself. It cannot be cancelled: if it is answered after all, it makes what a new database needs and
/// lets go of it.
fn abandon(request: &IdbOpenDbRequest) {
    let late = once(|event| {
        let request = json::property(&event, "target");
        if let Ok(database) = json::property(&request, "result").dyn_into::<IdbDatabase>() {
            match json::text(&event, "type").as_deref() {
                Some("upgradeneeded") => drop(database.create_object_store(STORE)),
                _ => database.close(),
            }
        }
        JsValue::UNDEFINED
    });
    request.set_onupgradeneeded(Some(&late));
    request.set_onsuccess(Some(&late));
    request.set_onerror(None);
}
