//! The locks of a store: a shared one that says which schema this tab uses, and an exclusive one for the tab that migrates.

use std::{cell::Cell, rc::Rc};

use super::Inner;
use crate::{
    engine::store::Input,
    web::locks::{Lock, LockEvent, LockMode},
};

impl Inner {
    pub(super) fn lock_shared(self: &Rc<Self>, schema: u32) {
        let weak = Rc::downgrade(self);
        let had = Cell::new(false);
        let lock = Lock::request(&self.lock_of(schema), LockMode::Shared, move |fate| {
            if let Some(this) = weak.upgrade() {
                let lost = had.replace(true) && fate != LockEvent::Granted;
                // A page that never gets the lock works without it: the head fences it.
                this.feed(match lost {
                    true => Input::LockLost,
                    false => Input::LockGranted,
                });
            }
        });
        if lock.is_none() {
            self.inputs.borrow_mut().push_back(Input::LockGranted);
        }
        let before = self.shared.replace(lock);
        drop(before);
    }

    pub(super) fn try_exclusive(self: &Rc<Self>, schema: u32) {
        let weak = Rc::downgrade(self);
        let lock = Lock::request(&self.lock_of(schema), LockMode::ExclusiveNow, move |fate| {
            if let Some(this) = weak.upgrade() {
                this.feed(match fate {
                    LockEvent::Granted => Input::ExclusiveGranted { schema },
                    LockEvent::Refused | LockEvent::Lost => Input::ExclusiveRefused { schema },
                });
            }
        });
        if lock.is_none() {
            self.inputs
                .borrow_mut()
                .push_back(Input::ExclusiveRefused { schema });
        }
        let before = self.exclusive.replace(lock);
        drop(before);
    }

    fn lock_of(&self, schema: u32) -> String {
        format!("{}:schema:{}", self.name, schema)
    }
}
