//! The connection to the database: it opens when a transaction waits, and closes when another connection wants to upgrade
//! or delete the database.

use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbDatabase, IdbOpenDbRequest};

use super::{
    Inner,
    link::{Link, OPEN_TIMEOUT, STORE, abandon},
    requests::told,
    running::Outcome,
};
use crate::{
    engine::store::Failure,
    web::{
        callback::{Timer, window},
        reflect,
    },
};

impl Inner {
    pub(super) fn open(self: &Rc<Self>) {
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
        timer.arm(OPEN_TIMEOUT);
        self.link.replace(Link::Opening {
            request,
            _timer: timer,
        });
    }

    /// The request to open the database has an event.
    pub(super) fn on_opening(self: &Rc<Self>, event: &JsValue) {
        let request: IdbOpenDbRequest = reflect::property(event, "target").unchecked_into();
        let database = || -> Option<IdbDatabase> { request.result().ok()?.dyn_into().ok() };
        match reflect::text(event, "type").as_deref() {
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

    /// Runs what waits for the database.
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
    pub(super) fn on_database(self: &Rc<Self>, _event: &JsValue) {
        self.close();
    }

    pub(super) fn close(&self) {
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
}
