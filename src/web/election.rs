//! The election of one tab per origin: whoever holds the Web Lock leads.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use super::{
    Emit,
    handle::{collected, settle, window},
};
use crate::engine::{io::Input, text::join};

#[wasm_bindgen]
extern "C" {
    /// `navigator.locks`; web-sys has it only behind a compiler flag.
    type Locks;
    #[wasm_bindgen(method, catch)]
    fn request(
        this: &Locks,
        name: &str,
        options: &Object,
        granted: &Function,
    ) -> Result<Promise, JsValue>;
}

/// A candidacy, and later the leadership; dropping it withdraws the one and hands the other over.
#[must_use = "dropping it leaves the election"]
pub struct Election {
    candidacy: Rc<Candidacy>,
    controller: AbortController,
}

struct Candidacy {
    emit: Emit,
    left: Cell<bool>,
    leading: Cell<bool>,
    release: RefCell<Option<Function>>,
}

/// Whether this page can elect a leader. Web Locks exist only in secure contexts.
pub fn has_locks() -> bool {
    locks().is_some()
}

impl Election {
    /// Asks for the lock; `Elected` comes when it is granted, `Deposed` if it is taken away.
    pub fn join(scope: &str, emit: &Emit) -> Option<Self> {
        let controller = AbortController::new().ok()?;
        let candidacy = Rc::new(Candidacy {
            emit: emit.clone(),
            left: Cell::new(false),
            leading: Cell::new(false),
            release: RefCell::new(None),
        });
        let winner = candidacy.clone();
        // The browser may still grant a lock whose request is being withdrawn.
        let granted = collected(move |_| winner.hold().into());
        let options = Object::new();
        Reflect::set(&options, &"signal".into(), &controller.signal()).ok()?;
        let name = join(&["changeover:", scope, ":leader"]);
        let asked = locks()?.request(&name, &options, &granted).ok()?;
        let loser = candidacy.clone();
        settle(&asked, move |_| loser.lose());
        Some(Self {
            candidacy,
            controller,
        })
    }
}

impl Drop for Election {
    fn drop(&mut self) {
        self.candidacy.left.set(true);
        match self.candidacy.release.take() {
            Some(release) => drop(release.call0(&JsValue::UNDEFINED)),
            None => self.controller.abort(),
        }
    }
}

impl Candidacy {
    /// Holds the lock until the returned promise is resolved.
    fn hold(self: &Rc<Self>) -> Promise {
        let this = self.clone();
        let held = Promise::new(&mut move |resolve, _| {
            this.release.replace(Some(resolve));
        });
        if self.left.get() {
            // Withdrawn between the grant and this call.
            if let Some(release) = self.release.take() {
                let _ = release.call0(&JsValue::UNDEFINED);
            }
        } else {
            self.leading.set(true);
            (self.emit)(Input::Elected);
        }
        held
    }

    fn lose(&self) {
        self.release.take();
        if self.leading.replace(false) && !self.left.get() {
            (self.emit)(Input::Deposed);
        }
    }
}

fn locks() -> Option<Locks> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    locks.is_object().then(|| locks.unchecked_into())
}
