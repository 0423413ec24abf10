//! Three tabs over one database, and every action that may happen to them.

use std::sync::Arc;

use changeover::engine::store::Memory;

use crate::expected::Expected;
use crate::page::{Lock, Page};
use crate::scenarios::Budget;
use crate::value::Value;

/// The ticks without activity after which a schema is abandoned, in every scenario.
pub const DWELL: u64 = 2;

#[derive(Clone, Debug)]
pub struct World {
    pub db: Arc<Memory<Value>>,
    pub pages: Vec<Arc<Page>>,
    pub now: u64,
    pub budget: Budget,
    pub expected: Arc<Expected>,
    /// The tag of the last write.
    pub tag: u8,
    /// Whether a schema was revived.
    pub returned: bool,
    /// The first rule that was broken.
    pub wrong: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Tick,
    Start(usize),
    Crash(usize),
    /// The page is frozen. `true`: the browser takes its lock away without an event.
    Freeze(usize, bool),
    Thaw(usize),
    Resume(usize),
    /// Another script steals the lock.
    Steal(usize),
    Grant(usize),
    /// The answer to a request for the exclusive lock.
    Exclusive(usize),
    /// The oldest transaction of the tab runs.
    Transact(usize),
    /// The tab gets the result of its oldest finished transaction.
    Answer(usize),
    Wake(usize),
    Write(usize, u8),
    Read(usize, u8),
    Delete(usize, u8),
    Revive(usize, u32),
}

impl Action {
    /// Whether it advances a tab without a request of the app, a fault or the clock.
    pub fn is_progress(self) -> bool {
        match self {
            Self::Resume(_)
            | Self::Thaw(_)
            | Self::Grant(_)
            | Self::Exclusive(_)
            | Self::Transact(_)
            | Self::Answer(_)
            | Self::Wake(_) => true,
            Self::Tick
            | Self::Start(_)
            | Self::Crash(_)
            | Self::Freeze(..)
            | Self::Steal(_)
            | Self::Write(..)
            | Self::Read(..)
            | Self::Delete(..)
            | Self::Revive(..) => false,
        }
    }
}

impl World {
    pub fn page(&mut self, at: usize) -> &mut Page {
        Arc::make_mut(&mut self.pages[at])
    }

    pub fn grantable(&self, at: usize) -> bool {
        let schema = self.pages[at].schema;
        let taken = |page: &Page| page.exclusive == Some((schema, Lock::Held));
        !self.pages.iter().any(|page| taken(page))
    }

    pub fn no_other_tab_on(&self, schema: u32, at: usize) -> bool {
        self.pages.iter().enumerate().all(|(other, page)| {
            let shared = page.schema == schema && page.shared == Lock::Held;
            let exclusive = other != at && page.exclusive == Some((schema, Lock::Held));
            !shared && !exclusive
        })
    }

    pub fn spend(&mut self, action: Action) {
        let budget = &mut self.budget;
        match action {
            Action::Tick => budget.ticks -= 1,
            Action::Start(_) => budget.starts -= 1,
            Action::Crash(_) => budget.crashes -= 1,
            Action::Freeze(..) => budget.freezes -= 1,
            Action::Steal(_) => budget.thefts -= 1,
            Action::Write(..) => budget.writes -= 1,
            Action::Read(..) => budget.reads -= 1,
            Action::Delete(..) => budget.deletes -= 1,
            Action::Revive(..) => budget.revivals -= 1,
            Action::Thaw(_)
            | Action::Resume(_)
            | Action::Grant(_)
            | Action::Exclusive(_)
            | Action::Transact(_)
            | Action::Answer(_)
            | Action::Wake(_) => {}
        }
    }
}
