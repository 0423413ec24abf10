//! The world as a model: which actions are possible, what must always hold, and whether everything comes to rest.

use std::hash::{DefaultHasher, Hash, Hasher};

use changeover::engine::store::Phase;
use stateright::{Model, Property};

use crate::page::{Life, Lock, Page};
use crate::protocol::Protocol;
use crate::rules::RULES;
use crate::world::{Action, World};

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![self.begin()]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.wrong.is_some() {
            return;
        }
        let budget = &world.budget;
        if budget.ticks > 0 {
            actions.push(Action::Tick);
        }
        for (at, page) in world.pages.iter().enumerate() {
            match page.life {
                Life::Closed if budget.starts > 0 => actions.push(Action::Start(at)),
                Life::Closed => {}
                Life::Frozen => actions.push(Action::Thaw(at)),
                Life::Running => self.running(world, at, actions),
            }
            if page.life != Life::Closed && budget.crashes > 0 {
                actions.push(Action::Crash(at));
            }
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        world.spend(action);
        self.act(&mut world, action);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(RULES[0], |_, world: &World| world.wrong != Some(RULES[0])),
            Property::always(RULES[1], |_, world: &World| world.wrong != Some(RULES[1])),
            Property::always(RULES[2], |_, world: &World| world.wrong != Some(RULES[2])),
            Property::always(RULES[3], |_, world: &World| world.wrong != Some(RULES[3])),
            Property::always(RULES[4], |_, world: &World| world.wrong != Some(RULES[4])),
            Property::always(RULES[6], |_, world: &World| world.wrong != Some(RULES[6])),
            Property::always(RULES[7], |_, world: &World| world.wrong != Some(RULES[7])),
        ];
        if self.scenario.leaves {
            properties.push(Property::sometimes(CONTRACTED, |_, world: &World| {
                let head = world.db.head();
                head.is_some_and(|head| !head.backups.is_empty())
            }));
        }
        if self.scenario.settles {
            properties.push(Property::always(RULES[5], |protocol: &Self, world| {
                world.wrong.is_some() || protocol.settles(world)
            }));
        }
        if self.scenario.budget.revivals > 0 {
            properties.push(Property::sometimes(RETURNED, |_, world: &World| {
                world.returned
            }));
        }
        properties
    }
}

pub const CONTRACTED: &str = "a schema is left";
pub const RETURNED: &str = "a schema comes back";

impl Protocol {
    fn running(&self, world: &World, at: usize, actions: &mut Vec<Action>) {
        let budget = &world.budget;
        let page = &world.pages[at];
        if page.owes_resume {
            actions.push(Action::Resume(at));
        }
        if page.shared == Lock::Asked && world.grantable(at) {
            actions.push(Action::Grant(at));
        }
        if matches!(page.exclusive, Some((_, Lock::Asked))) {
            actions.push(Action::Exclusive(at));
        }
        if !page.pending.is_empty() {
            actions.push(Action::Transact(at));
        }
        if !page.answers.is_empty() {
            actions.push(Action::Answer(at));
        }
        if page.is_due(world.now) {
            actions.push(Action::Wake(at));
        }
        if budget.freezes > 0 {
            actions.push(Action::Freeze(at, false));
            actions.push(Action::Freeze(at, true));
        }
        if budget.thefts > 0 && page.shared == Lock::Held {
            actions.push(Action::Steal(at));
        }
        let mode = page.tab.as_ref().and_then(|tab| tab.mode());
        if page.asked || mode.is_none() {
            return;
        }
        for key in 0..self.scenario.keys.len() as u8 {
            if budget.writes > 0 {
                actions.push(Action::Write(at, key));
            }
            if budget.reads > 0 {
                actions.push(Action::Read(at, key));
            }
            if budget.deletes > 0 {
                actions.push(Action::Delete(at, key));
            }
        }
        if budget.revivals > 0 {
            for schema in 1..page.schema {
                actions.push(Action::Revive(at, schema));
            }
        }
    }

    /// Lets every tab run without further faults, then leaves only the newest build open. The store must come to rest
    /// both times, and end with only the newest schema.
    pub fn settles(&self, world: &World) -> bool {
        self.unsettled(world).is_none()
    }

    /// The state in which it ends, unless it comes to rest.
    pub fn unsettled(&self, world: &World) -> Option<World> {
        let mut world = world.clone();
        for at in 0..world.pages.len() {
            world.page(at).thaw();
        }
        if !self.rests(&mut world) {
            return Some(world);
        }
        let newest = self.scenario.schemas.iter().copied().max().unwrap_or(0);
        let mut kept = false;
        for at in 0..world.pages.len() {
            let keep = !kept && world.pages[at].schema == newest;
            match (keep, world.pages[at].life) {
                (true, Life::Closed) => self.act(&mut world, Action::Start(at)),
                (true, _) => {}
                (false, _) => self.act(&mut world, Action::Crash(at)),
            }
            kept |= keep;
        }
        if !self.rests(&mut world) {
            return Some(world);
        }
        let there = world.db.head().is_some_and(|head| {
            !self.scenario.expand || (head.schema == newest && head.phase() == Phase::Steady)
        });
        (!there || world.wrong.is_some()).then_some(world)
    }

    /// Runs all progress, and lets enough time pass for every timer.
    fn rests(&self, world: &mut World) -> bool {
        const STEPS: usize = 1_500;
        const TICKS: u64 = 12;
        let end = world.now + TICKS;
        for _ in 0..STEPS {
            let next = (0..world.pages.len()).find_map(|at| self.next_of(world, at));
            match next {
                Some(action) => self.act(world, action),
                None if world.now < end => self.act(world, Action::Tick),
                None => {
                    let idle = |page: &Page| {
                        page.life != Life::Running
                            || (!page.asked
                                && page.pending.is_empty()
                                && page.tab.as_ref().is_some_and(|tab| tab.mode().is_some()))
                    };
                    return world.pages.iter().all(|page| idle(page));
                }
            }
        }
        false
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.db.hash(state);
        self.pages.hash(state);
        (self.now, self.budget, &self.expected, self.wrong).hash(state);
        (self.tag, self.returned).hash(state);
    }
}

/// Worlds with the same hash are equal, as for the search itself.
impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        let digest = |world: &Self| {
            let mut hasher = DefaultHasher::new();
            world.hash(&mut hasher);
            hasher.finish()
        };
        digest(self) == digest(other)
    }
}
