//! Long lives of one page: builds come forward, back and skipping, slots are shown and hidden between them, and every
//! plan starts from what really runs.

use changeover::engine::{
    manifest::Manifest,
    swap::{Composition, Plan, Swap, SwapInput, SwapOutput, SwapPlan, Use},
};
use proptest::prelude::*;

use crate::{
    app::App,
    page::{Server, Tab},
    random::{Edit, apps, check_moves, check_step, edited, edits},
    stepping::{START, agreeable},
};

/// What happens to the page.
#[derive(Clone, Debug)]
enum Turn {
    /// A build is published: an edit of the newest, or an earlier one again.
    New(Vec<Edit>),
    Again(usize),
    /// A slot is shown, hidden, or loaded without a word.
    Slot(usize, Use),
    /// The page does not move now, although it could.
    Late(Vec<Edit>),
    /// The new code does not work: the page goes back.
    Broken(Vec<Edit>),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let used = prop_oneof![4 => Just(Use::Mounted), 2 => Just(Use::Idle), 1 => Just(Use::Taken)];
    let turn = prop_oneof![
        4 => edits().prop_map(Turn::New),
        2 => (0_usize..8).prop_map(Turn::Again),
        4 => (0_usize..5, used).prop_map(|(slot, used)| Turn::Slot(slot, used)),
        1 => edits().prop_map(Turn::Late),
        1 => edits().prop_map(Turn::Broken),
    ];
    prop::collection::vec(turn, 4..14)
}

struct Life {
    server: Server,
    apps: Vec<App>,
    tab: Tab,
    swap: Swap,
    /// The number of the build that the slots point to.
    at: usize,
    turn: u64,
}

impl Life {
    fn begin(app: App) -> Self {
        let mut server = Server::default();
        let build = app.build("0");
        server.publish(&build);
        Self {
            tab: Tab::open(&build, &server),
            server,
            apps: vec![app],
            swap: Swap::new(Composition::new(build.id), Default::default()),
            at: 0,
            turn: 0,
        }
    }

    fn build(&self, at: usize) -> Manifest {
        self.apps[at].build(&at.to_string())
    }

    fn take(&mut self, turn: &Turn) {
        self.turn += 1;
        match turn {
            Turn::New(edits) => {
                let target = self.edit(edits);
                self.deploy(target, false);
            }
            Turn::Again(at) => self.deploy(at % self.apps.len(), false),
            Turn::Broken(edits) => {
                let target = self.edit(edits);
                self.deploy(target, true);
            }
            Turn::Late(edits) => {
                let target = self.edit(edits);
                // A slot that is loaded meanwhile gets a file of the other build where names do not follow content;
                // against that only hashed names help.
                if !self.apps[target].plain_names {
                    self.server.publish(&self.build(target));
                }
            }
            Turn::Slot(nth, used) => {
                let slots: Vec<String> = self.tab.pointers.keys().cloned().collect();
                let Some(slot) = slots.get(nth % slots.len().max(1)) else {
                    return;
                };
                // Nothing is hidden that was not shown, and what was taken may be given back.
                if *used == Use::Idle && !self.tab.running.contains_key(slot) {
                    return;
                }
                let build = self.build(self.at);
                self.tab.use_slot(slot, Some(*used), &build, &self.server);
            }
        }
    }

    fn edit(&mut self, edits: &[Edit]) -> usize {
        let newest = self.apps.last().unwrap();
        self.apps.push(edited(newest, edits));
        self.apps.len() - 1
    }

    fn deploy(&mut self, to: usize, is_broken: bool) {
        let (base, target) = (self.build(self.at), self.build(to));
        self.server.publish(&target);
        let running = self.swap.composition();
        if running.is_bad(&target.id) {
            return;
        }
        match check_step(running, &self.tab, &base, &target, &self.server) {
            Plan::Refuse(_) => {
                // The page is loaded again, and nothing is shown yet.
                self.tab = Tab::open(&target, &self.server);
                self.swap = Swap::new(Composition::new(target.id), Default::default());
                self.at = to;
            }
            Plan::Nothing(moves) => {
                self.swap.note(&moves);
                self.at = to;
                check_moves(&mut self.tab, &moves, &target, &self.server);
            }
            Plan::Styles(moves) | Plan::Swap(moves) => self.swap(moves, &target, to, is_broken),
        }
        let stale = self.swap.composition().stale();
        let target = self.build(self.at);
        for slot in self.tab.running.keys() {
            let stale = stale.contains_key(slot);
            assert!(stale || !self.tab.is_behind(slot, &target), "{slot}");
            assert!(!stale || !self.tab.runs(slot, &target), "{slot}");
        }
        assert!(stale.keys().all(|slot| self.tab.running.contains_key(slot)));
    }

    /// Takes the machine through its steps; what is broken shows itself on probation.
    fn swap(&mut self, moves: SwapPlan, target: &Manifest, to: usize, is_broken: bool) {
        let before = self.tab.clone();
        let id = format!("changeover {}", self.turn);
        assert!(self.swap.begin(id, moves.clone(), START));
        let has_slots = !moves.slots.is_empty();
        loop {
            match self.swap.poll_output() {
                SwapOutput::Ask {
                    changeover,
                    round,
                    step,
                } => {
                    let answer = agreeable(&step, is_broken);
                    if let Some(answer) = answer {
                        let input = SwapInput::Answered {
                            changeover,
                            round,
                            answer,
                        };
                        self.swap.handle_input(input, START);
                    }
                }
                SwapOutput::Ended { .. } => break,
                SwapOutput::Wake { at: Some(at), .. } => {
                    self.swap.handle_input(SwapInput::Woke, at)
                }
                other => panic!("{other:?}"),
            }
        }
        if is_broken && has_slots {
            self.tab = before;
            // The modules are in the page for ever all the same.
            for slot in &moves.slots {
                self.tab.import(&slot.pointer.file, &self.server);
            }
        } else {
            check_moves(&mut self.tab, &moves, target, &self.server);
            self.at = to;
        }
        assert_eq!(self.swap.composition().build.0, self.at.to_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_after_whatever_the_page_is_right_or_left_alone(app in apps(), turns in turns()) {
        let mut life = Life::begin(app);
        turns.iter().for_each(|turn| life.take(turn));
    }
}
