//! What each action does to the world, and how the outputs of tabs are carried out.

use std::sync::Arc;

use changeover::engine::lineage::Lineage;
use changeover::engine::store::{
    Answer, Capabilities, Input, Output, Request, RequestKind, StoreClient, Timing, Transaction,
};
use changeover::time::Timestamp;

use crate::mutant::Mutant;
use crate::page::{Life, Lock, Page, closed};
use crate::rules::RULES;
use crate::scenarios::Scenario;
use crate::value::Value;
use crate::world::{Action, DWELL, World};

pub struct Protocol {
    pub scenario: Scenario,
    pub mutant: Mutant,
}

impl Protocol {
    pub fn capabilities(&self, schema: u32) -> Capabilities {
        Capabilities {
            schema,
            build: format!("build{schema}"),
            ways: self.scenario.shape.ways(schema),
            lineage: Lineage::default(),
            accepts: Vec::new(),
            expand: self.scenario.expand,
            locks: true,
            timing: Timing {
                dwell: match self.mutant {
                    Mutant::NoDwell => 0,
                    _ => DWELL,
                },
                retention: self.scenario.retention,
                census: 1,
            },
            batch: 1,
        }
    }

    pub fn begin(&self) -> World {
        let mut world = World {
            db: Arc::default(),
            pages: self
                .scenario
                .schemas
                .iter()
                .map(closed)
                .map(Arc::new)
                .collect(),
            now: 1,
            budget: self.scenario.budget,
            expected: Arc::default(),
            tag: 0,
            returned: false,
            wrong: None,
        };
        // The first tab creates the store, so that every scenario has something to lose.
        self.start(&mut world, 0);
        self.run_alone(&mut world, 0);
        for at in 1..self.scenario.open {
            self.start(&mut world, at);
            if self.scenario.ready {
                self.run_alone(&mut world, at);
            }
        }
        world
    }

    fn run_alone(&self, world: &mut World, at: usize) {
        while let Some(action) = self.next_of(world, at) {
            self.act(world, action);
        }
    }

    /// The next action of a tab that needs no outside cause.
    pub fn next_of(&self, world: &World, at: usize) -> Option<Action> {
        let page = &world.pages[at];
        if page.life != Life::Running {
            return None;
        }
        if page.owes_resume {
            return Some(Action::Resume(at));
        }
        if page.shared == Lock::Asked && world.grantable(at) {
            return Some(Action::Grant(at));
        }
        if matches!(page.exclusive, Some((_, Lock::Asked))) {
            return Some(Action::Exclusive(at));
        }
        if !page.answers.is_empty() {
            return Some(Action::Answer(at));
        }
        if !page.pending.is_empty() {
            return Some(Action::Transact(at));
        }
        page.is_due(world.now).then_some(Action::Wake(at))
    }

    pub fn act(&self, world: &mut World, action: Action) {
        match action {
            Action::Tick => world.now += 1,
            Action::Start(at) => self.start(world, at),
            Action::Crash(at) => {
                let page = world.page(at);
                *page = Page {
                    starts: page.starts,
                    ..closed(&page.schema)
                };
            }
            Action::Freeze(at, lost) => {
                let seen = world.now;
                let page = world.page(at);
                page.life = Life::Frozen;
                // Without the lock, or before it has opened the store, other tabs cannot see it.
                if page.opened.is_some() && page.shared == Lock::Held {
                    page.seen = seen;
                }
                if lost {
                    page.shared = Lock::No;
                    page.exclusive = page.exclusive.map(|(schema, _)| (schema, Lock::No));
                }
            }
            Action::Thaw(at) => {
                world.page(at).thaw();
            }
            Action::Resume(at) => {
                world.page(at).owes_resume = false;
                self.tell(world, at, Input::Resumed);
            }
            Action::Steal(at) => {
                world.page(at).shared = Lock::No;
                self.tell(world, at, Input::LockLost);
            }
            Action::Grant(at) => {
                world.page(at).shared = Lock::Held;
                self.tell(world, at, Input::LockGranted);
            }
            Action::Exclusive(at) => {
                let Some((schema, _)) = world.pages[at].exclusive else {
                    return;
                };
                let free = self.mutant == Mutant::NoCensus || world.no_other_tab_on(schema, at);
                let input = match free {
                    true => {
                        world.page(at).exclusive = Some((schema, Lock::Held));
                        Input::ExclusiveGranted { schema }
                    }
                    false => {
                        world.page(at).exclusive = None;
                        Input::ExclusiveRefused { schema }
                    }
                };
                self.tell(world, at, input);
            }
            Action::Transact(at) => {
                let Some((ticket, op)) = world.page(at).pending.pop_front() else {
                    return;
                };
                let answer = self.transact(world, at, &op);
                match self.scenario.late {
                    true => world.page(at).answers.push_back((ticket, answer)),
                    false => self.tell(world, at, Input::Judged { ticket, answer }),
                }
            }
            Action::Answer(at) => {
                if let Some((ticket, answer)) = world.page(at).answers.pop_front() {
                    self.tell(world, at, Input::Judged { ticket, answer });
                }
            }
            Action::Wake(at) => self.tell(world, at, Input::Woke),
            Action::Write(at, key) => {
                world.tag += 1;
                let value = self
                    .scenario
                    .shape
                    .filled(world.pages[at].schema, world.tag);
                let key = self.key(key);
                let seen = None;
                self.request(world, at, RequestKind::Write { key, value, seen });
            }
            Action::Read(at, key) => {
                let key = self.key(key);
                self.request(world, at, RequestKind::Read { key });
            }
            Action::Delete(at, key) => {
                let key = self.key(key);
                self.request(world, at, RequestKind::Delete { key, seen: None });
            }
            Action::Revive(at, schema) => {
                self.tell(world, at, Input::ReviveRequested { schema });
            }
        }
        if world.wrong.is_none() {
            world.wrong = self.lost(world);
        }
    }

    fn key(&self, at: u8) -> String {
        self.scenario.keys[usize::from(at)].to_string()
    }

    fn start(&self, world: &mut World, at: usize) {
        let page = world.page(at);
        page.starts += 1;
        page.life = Life::Running;
        let first = self.scenario.shape.filled(page.schema, self.scenario.first);
        let initial = self.scenario.keys[..1]
            .iter()
            .map(|key| (key.to_string(), first));
        let writer = at as u64 * 16 + page.starts;
        let capabilities = self.capabilities(page.schema);
        page.tab = Some(StoreClient::new(
            "s",
            capabilities,
            writer,
            initial.collect(),
        ));
        self.drain(world, at);
    }

    fn request(&self, world: &mut World, at: usize, want: RequestKind<Value>) {
        world.page(at).asked = true;
        self.tell(world, at, Input::Requested(Request { id: 0, want }));
    }

    fn tell(&self, world: &mut World, at: usize, input: Input<Value>) {
        let now = Timestamp(world.now);
        if let Some(tab) = &mut world.page(at).tab {
            tab.handle_input(input, now);
        }
        self.drain(world, at);
    }

    /// Carries out the outputs of a tab that affect no other tab. The others become actions.
    fn drain(&self, world: &mut World, at: usize) {
        let now = Timestamp(world.now);
        let shape = self.scenario.shape;
        let mut wrong = None;
        let page = world.page(at);
        let Some(tab) = &mut page.tab else {
            return;
        };
        loop {
            match tab.poll_output() {
                Output::LockShared { .. } => {
                    page.shared = Lock::Asked;
                    page.opened = None;
                }
                Output::UnlockShared { .. } => page.shared = Lock::No,
                Output::TryExclusive { schema } => page.exclusive = Some((schema, Lock::Asked)),
                Output::ReleaseExclusive { .. } => page.exclusive = None,
                Output::Transact { ticket, op, .. } => page.pending.push_back((ticket, op)),
                Output::Translate {
                    ticket,
                    recipes,
                    check,
                } => {
                    let values = recipes.into_iter().map(|recipe| shape.apply(recipe));
                    let values: Vec<Value> = values.collect();
                    let invalid = values.iter().position(|value| !value.is_valid());
                    let check = check.is_some() && self.mutant != Mutant::NoValidation;
                    let input = match invalid.filter(|_| check) {
                        None => Input::Translated { ticket, values },
                        Some(place) => Input::TranslateFailed {
                            ticket,
                            place,
                            why: "invalid".to_string().into(),
                        },
                    };
                    tab.handle_input(input, now);
                }
                Output::Reply { result, .. } => {
                    page.asked = false;
                    match result.as_ref().map_err(|error| error.code()) {
                        Ok(_) | Err("read_only" | "refused" | "backup_only") => {}
                        Err(_) => wrong = Some(RULES[6]),
                    }
                }
                Output::ModeChanged { .. }
                | Output::AskRevive { .. }
                | Output::HeadChanged
                | Output::Problem { .. } => {}
                Output::Wake { at } => {
                    page.wake = at.map(|at| at.0);
                    world.wrong = world.wrong.or(wrong);
                    return;
                }
            }
        }
    }

    fn transact(&self, world: &mut World, at: usize, op: &Transaction<Value>) -> Answer<Value> {
        let before = world.db.head().cloned();
        let now = Timestamp(world.now);
        let answer = self.mutant.transact(Arc::make_mut(&mut world.db), op, now);
        if let Some(rule) = self.broken_by(world, at, before.as_ref(), op, &answer, now) {
            world.wrong = world.wrong.or(Some(rule));
        }
        let shape = self.scenario.shape;
        let alive = matches!(
            op,
            Transaction::Open { .. } | Transaction::Put { .. } | Transaction::Delete { .. }
        );
        if alive && !matches!(answer, Answer::Refused(_)) {
            world.page(at).seen = now.0;
        }
        if matches!(op, Transaction::Return { .. }) && !matches!(answer, Answer::Refused(_)) {
            world.returned = true;
        }
        if let Transaction::Open { .. } = op {
            world.page(at).opened = Some(now.0);
        }
        if !op.reads().only {
            let expected = Arc::make_mut(&mut world.expected);
            expected.follow(shape, before.as_ref(), op, &answer);
        }
        answer
    }
}
