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

mod connection;
mod link;
mod requests;
mod running;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::Reflect;
use wasm_bindgen::JsValue;
use web_sys::{IdbDatabase, IdbTransactionMode};

pub use self::running::Outcome;
use self::{
    link::{Link, STORE, abandon},
    requests::{ask, failed, told},
    running::{Done, Running, SeenHead},
};
use super::{callback::Callback, clock::Clock, reflect};
use crate::engine::store::{Failure, Transaction};

/// A database that opens when it is needed; dropping it closes it.
#[must_use = "dropping it closes the database"]
pub struct Database(Rc<Inner>);

struct Inner {
    name: String,
    clock: Rc<Clock>,
    link: RefCell<Link>,
    waiting: RefCell<Vec<Asked>>,
    /// Close it as soon as it has opened and run the transactions that wait for it.
    unwanted: Cell<bool>,
    running: RefCell<Vec<Running>>,
    numbers: Cell<u32>,
    /// The head as it was last seen.
    head: RefCell<Option<Rc<SeenHead>>>,
    on_opening: Callback,
    on_database: Callback,
    on_transaction: Callback,
}

/// A transaction that waits for the database.
struct Asked {
    op: Transaction<JsValue>,
    done: Done,
    /// The first try was on a connection that was already closing.
    again: bool,
    /// Write nothing before the head is read, since a guess was wrong.
    sure: bool,
}

/// The number of a transaction, as a property of the browser's object.
const NUMBER: &str = "changeover";
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

    /// Closes the database once the running transactions have ended. The next one opens it again.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.0.close();
        // Later events would call functions that no longer exist.
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
    /// Runs a transaction, and opens the database first if it is closed.
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

    /// Starts a transaction on an open database.
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
                // The browser has closed the connection, but its event has not come yet.
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
        let mut running = Running::new(number, transaction, store, asked.op, reads, asked.done);
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

    /// The last request of a transaction has succeeded, or the transaction has ended.
    fn on_transaction(self: &Rc<Self>, event: &JsValue) {
        let target = reflect::property(event, "target");
        let kind = reflect::text(event, "type").unwrap_or_default();
        let transaction = match kind.as_str() {
            "success" => reflect::property(&target, "transaction"),
            _ => target,
        };
        let number = reflect::number(&transaction, NUMBER);
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
