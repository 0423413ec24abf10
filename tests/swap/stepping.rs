//! Takes a swap through its steps on a virtual clock, and looks at what it asks for on the way.

use changeover::{
    engine::{
        manifest::Manifest,
        swap::{
            Answer, Composition, Ending, Phase, Plan, Step, Swap, SwapInput, SwapOutput, SwapPlan,
            Timeouts,
        },
    },
    ids::BuildId,
    time::Timestamp,
};

use crate::app::{plan, shop, showing};

pub const START: Timestamp = Timestamp(1_000_000);

/// The steps of a swap that goes well.
pub const ORDER: [&str; 9] = [
    "fetch",
    "import",
    "awaitQuiet",
    "snapshot",
    "migrate",
    "mount",
    "switch",
    "watch",
    "commit",
];

pub struct Scene {
    pub swap: Swap,
    pub now: Timestamp,
    pub asked: Vec<(String, u32, Step)>,
    pub endings: Vec<Ending>,
    pub discards: usize,
    pub wake: Option<Timestamp>,
    is_hidden: bool,
    /// The question that is not answered yet.
    open: Option<(String, u32, Step)>,
}

impl Scene {
    pub fn begin(moves: SwapPlan) -> Self {
        let composition = Composition::new(moves.from.clone());
        let mut scene = Self {
            swap: Swap::new(composition, Timeouts::default()),
            now: START,
            asked: Vec::new(),
            endings: Vec::new(),
            discards: 0,
            wake: None,
            is_hidden: false,
            open: None,
        };
        scene.begin_again("first", moves);
        scene
    }

    pub fn begin_again(&mut self, id: &str, moves: SwapPlan) {
        self.open = None;
        self.swap.begin(id.into(), moves, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.swap.poll_output() {
                SwapOutput::Ask {
                    changeover,
                    round,
                    step,
                } => {
                    self.check_order(&changeover, round, &step);
                    self.open = Some((changeover.clone(), round, step.clone()));
                    self.asked.push((changeover, round, step));
                }
                SwapOutput::Discard { .. } => self.discards += 1,
                SwapOutput::Ended { ending, .. } => self.endings.push(ending),
                SwapOutput::Wake { at, waits } => {
                    assert_eq!(waits, self.swap.phase());
                    assert!(
                        self.is_hidden || at.is_none() == (waits == Phase::Idle),
                        "it would wait for ever: {waits:?}"
                    );
                    self.wake = at;
                    break;
                }
            }
        }
    }

    /// Nothing is asked before what must come before it.
    fn check_order(&self, changeover: &str, round: u32, step: &Step) {
        let place = |step: &Step| ORDER.iter().position(|kind| *kind == kind_of(step));
        let last = self.asked.last();
        let Some((.., last)) =
            last.filter(|(id, before, _)| (id.as_str(), *before) == (changeover, round))
        else {
            return;
        };
        match place(step) {
            Some(now) => assert!(
                place(last).is_some_and(|last| last < now),
                "{last:?} and then {step:?}"
            ),
            // Back is the way only from where new code is shown.
            None => assert!(matches!(last, Step::Switch { .. } | Step::Watch { .. })),
        }
    }

    pub fn feed(&mut self, input: SwapInput) {
        if let SwapInput::Visible { visible } = input {
            self.is_hidden = !visible;
        }
        self.swap.handle_input(input, self.now);
        self.drain();
    }

    pub fn answer(&mut self, answer: Answer) {
        if let Some((changeover, round, _)) = self.asked.last().cloned() {
            self.answer_as(&changeover, round, answer);
        }
    }

    pub fn answer_as(&mut self, changeover: &str, round: u32, answer: Answer) {
        let changeover = changeover.into();
        self.feed(SwapInput::Answered {
            changeover,
            round,
            answer,
        });
    }

    /// Answers the open question; returns whether there was one.
    pub fn answer_agreeably(&mut self) -> bool {
        let Some((changeover, round, step)) = self.open.take() else {
            return false;
        };
        match agreeable(&step, false) {
            Some(answer) => self.answer_as(&changeover, round, answer),
            None => return false,
        }
        true
    }

    /// Answers all questions.
    pub fn run(&mut self) {
        while self.answer_agreeably() {}
    }

    /// Answers all questions up to the one of this kind, and waits through probation.
    pub fn run_to(&mut self, kind: &str) {
        for _ in 0..20 {
            if self
                .open
                .as_ref()
                .is_some_and(|(.., step)| kind_of(step) == kind)
                || !self.endings.is_empty()
            {
                return;
            }
            if !self.answer_agreeably() {
                self.pass(10_000);
            }
        }
        panic!("{kind} is not asked for: {:?}", self.kinds());
    }

    pub fn pass(&mut self, millis: u64) {
        self.now = Timestamp(self.now.0 + millis);
        self.feed(SwapInput::Woke);
    }

    pub fn phase(&self) -> Phase {
        self.swap.phase()
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.asked.iter().map(|(.., step)| kind_of(step)).collect()
    }

    /// There is nothing left that could happen by itself.
    pub fn rests(&mut self) {
        let asked = self.asked.len();
        let endings = self.endings.len();
        self.run();
        self.pass(1_000_000);
        assert_eq!((self.phase(), self.wake), (Phase::Idle, None));
        assert_eq!((self.asked.len(), self.endings.len()), (asked, endings));
    }
}

pub fn kind_of(step: &Step) -> &'static str {
    match step {
        Step::Fetch { .. } => "fetch",
        Step::Import { .. } => "import",
        Step::AwaitQuiet { .. } => "awaitQuiet",
        Step::Snapshot { .. } => "snapshot",
        Step::Migrate { .. } => "migrate",
        Step::Mount { .. } => "mount",
        Step::Switch { .. } => "switch",
        Step::Watch { .. } => "watch",
        Step::Commit { .. } => "commit",
        Step::RollBack { .. } => "rollBack",
    }
}

/// The answer of a page in which everything works, or breaks once it is shown. Probation is answered by silence.
pub fn agreeable(step: &Step, is_broken: bool) -> Option<Answer> {
    Some(match step {
        Step::Fetch { .. } => Answer::Fetched,
        Step::Import { .. } => Answer::Imported,
        Step::AwaitQuiet { .. } => Answer::Quiet,
        Step::Snapshot { .. } => Answer::Snapshotted,
        Step::Migrate { .. } => Answer::Migrated,
        Step::Mount { .. } => Answer::Mounted,
        Step::Switch { .. } => Answer::Switched,
        Step::Watch { .. } if is_broken => Answer::Threw {
            slot: None,
            message: "cart is undefined".into(),
        },
        Step::Watch { .. } => return None,
        Step::Commit { .. } => Answer::Committed,
        Step::RollBack { .. } => Answer::RolledBack,
    })
}

pub fn id(text: &str) -> BuildId {
    BuildId(text.into())
}

pub fn base() -> Manifest {
    shop()
        .with(|app| app.module("cart").css = Some(1))
        .build("a")
}

pub fn edited() -> Manifest {
    let edited = shop().with(|app| {
        app.module("widgets").text = 2;
        app.module("about").text = 2;
        app.module("cart").css = Some(2);
        app.slots.get_mut("cart").unwrap().schema = 2;
    });
    edited.build("b")
}

/// A swap of two slots, one with another schema and styles, and a third slot's pointer.
pub fn moves() -> SwapPlan {
    let base = base();
    let running = Composition::new(base.id.clone());
    match plan(&running, &base, &edited(), &showing(&["cart", "home"])) {
        Plan::Swap(moves) => moves,
        other => panic!("{other:?}"),
    }
}
