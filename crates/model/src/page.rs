//! One page: its tab of the store, the locks it holds, and what it has begun.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use changeover::engine::store::{Answer, StoreClient, Ticket, Transaction};

use crate::value::Value;

#[derive(Clone, Debug)]
pub struct Page {
    pub schema: u32,
    pub life: Life,
    pub tab: Option<StoreClient<Value>>,
    /// Transactions that the tab has asked for and that have not run yet, oldest first.
    pub pending: VecDeque<(Ticket, Transaction<Value>)>,
    /// Transactions that have run and whose results the tab has not received.
    pub answers: VecDeque<(Ticket, Answer<Value>)>,
    pub shared: Lock,
    pub exclusive: Option<(u32, Lock)>,
    pub wake: Option<u64>,
    /// When it was last active: by opening, writing, or being frozen.
    pub seen: u64,
    /// When it opened the store, with the lock it holds or held.
    pub opened: Option<u64>,
    /// A request is on its way.
    pub asked: bool,
    /// It was thawed, and its `pageshow` has not run yet.
    pub owes_resume: bool,
    pub starts: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Life {
    Closed,
    Running,
    Frozen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lock {
    No,
    Asked,
    Held,
}

pub fn closed(schema: &u32) -> Page {
    Page {
        schema: *schema,
        life: Life::Closed,
        tab: None,
        pending: VecDeque::new(),
        answers: VecDeque::new(),
        shared: Lock::No,
        exclusive: None,
        wake: None,
        seen: 0,
        opened: None,
        asked: false,
        owes_resume: false,
        starts: 0,
    }
}

impl Page {
    pub fn is_due(&self, now: u64) -> bool {
        self.wake.is_some_and(|wake| wake <= now)
    }

    pub fn thaw(&mut self) {
        if self.life == Life::Frozen {
            self.life = Life::Running;
            self.owes_resume = true;
        }
    }

    /// All small fields that distinguish pages.
    fn flags(&self) -> (Option<u64>, u64, Option<u64>, bool, bool, u64) {
        (
            self.wake,
            self.seen,
            self.opened,
            self.asked,
            self.owes_resume,
            self.starts,
        )
    }
}

impl Hash for Page {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (
            self.schema,
            self.life,
            &self.tab,
            self.shared,
            self.exclusive,
        )
            .hash(state);
        // Tickets are left out: they only name entries in the same place of the tab's list.
        self.pending.iter().for_each(|(_, op)| op.hash(state));
        self.pending.len().hash(state);
        self.answers
            .iter()
            .for_each(|(_, answer)| answer.hash(state));
        self.flags().hash(state);
    }
}
