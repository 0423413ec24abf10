//! The state machine that takes a planned swap through its steps.
//!
//! [`Swap::begin`] starts an attempt. Each answer of the driver leads to the next phase, and `phase_steps` says what the
//! driver is asked for in it. Time limits, holds and a change of the target can end the attempt; `endings` says how.

mod endings;

use alloc::{string::String, vec::Vec};

use super::{
    attempt::Attempt,
    composition::Composition,
    phase::Phase,
    phase_steps::{Begin, begin},
    reason::SwapReason,
    steps::{SwapInput, SwapOutput, Timeouts},
    swap_plan::SwapPlan,
};
use crate::{
    engine::{
        io::FetchFailure,
        slots::{Answer, Step},
    },
    ids::BuildId,
    time::Timestamp,
};

/// Swaps the slots of one page.
#[derive(Debug)]
pub struct Swap {
    composition: Composition,
    timeouts: Timeouts,
    attempt: Option<Attempt>,
    is_held: bool,
    hidden_since: Option<Timestamp>,
    outputs: Vec<SwapOutput>,
}

impl Swap {
    pub fn new(composition: Composition, timeouts: Timeouts) -> Self {
        Self {
            composition,
            timeouts,
            attempt: None,
            is_held: false,
            hidden_since: None,
            outputs: Vec::new(),
        }
    }

    pub fn composition(&self) -> &Composition {
        &self.composition
    }

    /// The build that the page is being taken to.
    pub fn target(&self) -> Option<&BuildId> {
        self.attempt.as_ref().map(|attempt| &attempt.swap_plan.to)
    }

    pub fn phase(&self) -> Phase {
        self.attempt
            .as_ref()
            .map_or(Phase::Idle, |attempt| attempt.phase)
    }

    /// Whether new code is shown that is not committed yet. A further release waits until then.
    pub fn is_past_switch(&self) -> bool {
        self.phase().is_past_switch()
    }

    /// Notes that the page is on another build, without any change.
    pub fn note(&mut self, swap_plan: &SwapPlan) {
        if self.attempt.is_none() {
            self.composition.on_committed(swap_plan);
        }
    }

    /// Begins a planned swap. Returns false while another swap is under way, since a page holds two generations at most,
    /// and when the plan starts from another build.
    pub fn begin(&mut self, id: String, swap_plan: SwapPlan, now: Timestamp) -> bool {
        let fits = self.attempt.is_none()
            && swap_plan.from == self.composition.build
            && !self.composition.is_broken;
        if fits {
            self.attempt = Some(Attempt::new(id, swap_plan, now));
            self.enter(Phase::Fetching, now);
        }
        fits
    }

    pub fn handle_input(&mut self, input: SwapInput, now: Timestamp) {
        match input {
            SwapInput::Answered {
                changeover,
                round,
                answer,
            } => {
                let is_ours =
                    |attempt: &&Attempt| attempt.id == changeover && attempt.round == round;
                if self.attempt.as_ref().filter(is_ours).is_none() {
                    return;
                }
                // A finished step counts even if its time limit passes at the same moment.
                self.on_answer(answer, now);
                self.on_time(now);
            }
            SwapInput::Wanted { build } => {
                self.on_time(now);
                if self
                    .target()
                    .is_some_and(|target| Some(target) != build.as_ref())
                {
                    self.abort(SwapReason::Superseded);
                }
            }
            SwapInput::Held { held } => {
                self.is_held = held;
                if !held && self.phase() == Phase::Held {
                    self.enter(Phase::Quiet, now);
                } else if held && self.phase() == Phase::Quiet {
                    self.step(Phase::Held, now);
                }
                self.on_time(now);
            }
            SwapInput::Visible { visible } => {
                self.on_visible(visible, now);
                self.on_time(now);
            }
            SwapInput::PageChanged => self.abort(SwapReason::PageChanged),
            SwapInput::Woke => self.on_time(now),
            SwapInput::Disposed => {
                self.abort(SwapReason::Disposed);
                // The old code is still dropped, or it would stay in the page.
                if matches!(self.phase(), Phase::Switching | Phase::Probation) {
                    self.enter(Phase::Committing, now);
                    self.finish();
                }
                self.attempt = None;
            }
        }
    }

    /// Hands out what follows from the inputs so far; ends with a `Wake`.
    pub fn poll_output(&mut self) -> SwapOutput {
        if !self.outputs.is_empty() {
            return self.outputs.remove(0);
        }
        SwapOutput::Wake {
            at: self.due(),
            waits: self.phase(),
        }
    }

    fn due(&self) -> Option<Timestamp> {
        let attempt = self.attempt.as_ref()?;
        if self.hidden_since.is_some() && attempt.phase.rests_hidden() {
            return None;
        }
        let tries = self.composition.tries(&attempt.swap_plan.to);
        attempt.due(&self.timeouts, tries)
    }

    fn on_visible(&mut self, visible: bool, now: Timestamp) {
        if !visible {
            self.hidden_since.get_or_insert(now);
            return;
        }
        if let Some(hidden) = self.hidden_since.take()
            && let Some(attempt) = &mut self.attempt
        {
            attempt.on_shown(hidden, now);
        }
    }

    fn on_time(&mut self, now: Timestamp) {
        let Some(due) = self.due().filter(|due| *due <= now) else {
            return;
        };
        let attempt = self.attempt.as_mut();
        if attempt.is_some_and(|attempt| attempt.takes_a_stall(due, now)) {
            return;
        }
        match self.phase() {
            Phase::Idle => {}
            Phase::Fetching => self.fetch_failed(String::new(), FetchFailure::Timeout),
            Phase::Importing => self.fail(SwapReason::ImportTimedOut, None, None, now),
            Phase::Held | Phase::Quiet => self.abort(SwapReason::NeverQuiet),
            Phase::Snapshots => self.fail(SwapReason::SnapshotTimedOut, None, None, now),
            Phase::Migrating => self.fail(SwapReason::MigrationTimedOut, None, None, now),
            Phase::Mounting => self.fail(SwapReason::NotReady, None, None, now),
            Phase::Switching => self.fail(SwapReason::SwitchTimedOut, None, None, now),
            Phase::Probation => self.enter(Phase::Committing, now),
            // The new code is in place; old code that could not be dropped only costs memory.
            Phase::Committing => self.finish(),
            Phase::RollingBack => self.broken(None),
        }
    }

    fn on_answer(&mut self, answer: Answer, now: Timestamp) {
        let phase = self.phase();
        match answer {
            Answer::Fetched if phase == Phase::Fetching => self.enter(Phase::Importing, now),
            // An import or a mount fetches files again, and they may be gone by then.
            Answer::FetchFailed { file, failure }
                if matches!(phase, Phase::Fetching | Phase::Importing | Phase::Mounting) =>
            {
                self.fetch_failed(file, failure);
            }
            Answer::Imported if phase == Phase::Importing => self.enter(Phase::Held, now),
            Answer::ImportFailed { slot, message } if phase == Phase::Importing => {
                self.fail(SwapReason::ImportFailed, Some(slot), Some(message), now);
            }
            Answer::Quiet if phase == Phase::Quiet => self.enter(Phase::Snapshots, now),
            Answer::Vetoed { slot } if matches!(phase, Phase::Held | Phase::Quiet) => {
                self.decline(SwapReason::Vetoed, slot);
            }
            Answer::PlaceUnknown { slot } if matches!(phase, Phase::Held | Phase::Quiet) => {
                self.decline(SwapReason::PlaceUnknown, slot);
            }
            Answer::NotShown { slot } if phase == Phase::Mounting => {
                self.decline(SwapReason::NotShown, slot);
            }
            Answer::Snapshotted if phase == Phase::Snapshots => self.enter(Phase::Migrating, now),
            Answer::SnapshotFailed { slot, message } if phase == Phase::Snapshots => {
                self.fail(SwapReason::SnapshotFailed, Some(slot), Some(message), now);
            }
            Answer::Migrated if phase == Phase::Migrating => self.enter(Phase::Mounting, now),
            Answer::MigrationFailed { slot, message } if phase == Phase::Migrating => {
                self.fail(SwapReason::MigrationFailed, Some(slot), Some(message), now);
            }
            Answer::NoMigrationPath { slot, message } if phase == Phase::Migrating => {
                self.fail(SwapReason::NoMigrationPath, Some(slot), Some(message), now);
            }
            Answer::Mounted if phase == Phase::Mounting => self.enter(Phase::Switching, now),
            Answer::MountFailed { slot, message } if phase == Phase::Mounting => {
                self.fail(SwapReason::MountFailed, Some(slot), Some(message), now);
            }
            Answer::Disturbed if phase.has_snapshots() => {
                self.discard();
                self.enter(Phase::Held, now);
            }
            Answer::Switched if phase == Phase::Switching => self.enter(Phase::Probation, now),
            Answer::SwitchFailed { message } if phase == Phase::Switching => {
                self.fail(SwapReason::SwitchFailed, None, Some(message), now);
            }
            Answer::Threw { slot, message } if phase.is_watched() => {
                self.fail(SwapReason::Threw, slot, Some(message), now);
            }
            Answer::Empty { slot } if phase.is_watched() => {
                self.fail(SwapReason::Empty, Some(slot), None, now);
            }
            Answer::Unhealthy { message } if phase.is_watched() => {
                self.fail(SwapReason::Unhealthy, None, Some(message), now);
            }
            Answer::WroteDurable if phase.is_past_switch() => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.has_written = true;
                }
            }
            Answer::Committed if phase == Phase::Committing => self.finish(),
            Answer::RolledBack if phase == Phase::RollingBack => self.rolled_back(),
            Answer::RollBackFailed { message } if phase == Phase::RollingBack => {
                self.broken(Some(message));
            }
            // An answer to an earlier question, or a second answer.
            Answer::Fetched
            | Answer::FetchFailed { .. }
            | Answer::Imported
            | Answer::ImportFailed { .. }
            | Answer::Quiet
            | Answer::Vetoed { .. }
            | Answer::PlaceUnknown { .. }
            | Answer::NotShown { .. }
            | Answer::Snapshotted
            | Answer::SnapshotFailed { .. }
            | Answer::Migrated
            | Answer::MigrationFailed { .. }
            | Answer::NoMigrationPath { .. }
            | Answer::Mounted
            | Answer::MountFailed { .. }
            | Answer::Disturbed
            | Answer::Switched
            | Answer::SwitchFailed { .. }
            | Answer::Threw { .. }
            | Answer::Empty { .. }
            | Answer::Unhealthy { .. }
            | Answer::WroteDurable
            | Answer::Committed
            | Answer::RolledBack
            | Answer::RollBackFailed { .. } => {}
        }
    }

    /// Goes to `phase`, or to the first phase after it that has something to do.
    fn enter(&mut self, phase: Phase, now: Timestamp) {
        if phase == Phase::Held && self.is_held {
            return self.step(phase, now);
        }
        let Some(attempt) = &self.attempt else {
            return;
        };
        match begin(phase, &attempt.swap_plan) {
            Begin::Nothing => {}
            Begin::Skip(next) => self.enter(next, now),
            Begin::Ask(step) => {
                self.step(phase, now);
                self.ask(step);
            }
        }
    }

    /// Asks the driver for a step.
    fn ask(&mut self, step: Step) {
        if let Some(attempt) = &self.attempt {
            self.outputs.push(SwapOutput::Ask {
                changeover: attempt.id.clone(),
                round: attempt.round,
                step,
            });
        }
    }

    /// Notes that the attempt is in `phase` from now on.
    fn step(&mut self, phase: Phase, now: Timestamp) {
        if let Some(attempt) = &mut self.attempt {
            attempt.phase = phase;
            attempt.since = now;
            attempt.stalls = 0;
            match phase {
                Phase::Importing => attempt.has_imported = true,
                Phase::Held | Phase::Quiet => {
                    attempt.quiet_since.get_or_insert(now);
                    attempt.round += 1;
                }
                Phase::Snapshots | Phase::Mounting => attempt.has_copies = true,
                Phase::Idle
                | Phase::Fetching
                | Phase::Migrating
                | Phase::Switching
                | Phase::Probation
                | Phase::Committing
                | Phase::RollingBack => {}
            }
        }
    }

    /// Drops the copies and the hidden new code that the driver made for this attempt.
    fn discard(&mut self) {
        if let Some(attempt) = &mut self.attempt
            && core::mem::take(&mut attempt.has_copies)
        {
            let changeover = attempt.id.clone();
            self.outputs.push(SwapOutput::Discard { changeover });
        }
    }
}
