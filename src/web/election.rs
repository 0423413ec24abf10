//! The election of one tab per origin: the tab that holds the Web Lock leads.

use std::{cell::Cell, rc::Rc};

use super::{
    Emit,
    locks::{Lock, LockEvent, LockMode},
};
use crate::engine::io::Input;

/// A candidacy, and later the leadership; dropping it withdraws the one and hands the other over.
#[must_use = "dropping it leaves the election"]
pub struct Election {
    _lock: Lock,
}

impl Election {
    /// Asks for the lock; `Elected` comes when it is granted, `Deposed` if it is taken away.
    pub fn join(scope: &str, emit: &Emit) -> Option<Self> {
        let emit = emit.clone();
        let leading = Rc::new(Cell::new(false));
        let name = format!("changeover:{scope}:leader");
        let lock = Lock::request(&name, LockMode::Exclusive, move |fate| match fate {
            LockEvent::Granted => {
                leading.set(true);
                emit(Input::Elected);
            }
            LockEvent::Refused | LockEvent::Lost => {
                if leading.replace(false) {
                    emit(Input::Deposed);
                }
            }
        });
        Some(Self { _lock: lock? })
    }
}
