//! Swaps: whether a release can be swapped to, when a swap begins, how it ends.
//!
//! Only for pages with slots. A release with the same shell needs no refresh: its slots are swapped, and then the page runs
//! the same code as if it had been loaded from the new build.

use alloc::{string::String, vec::Vec};

use super::{Guard, target::TargetState};
use crate::{
    engine::{
        io::{
            AbortReason, DecisionKind, Effect, Event, Reason, SwapOutcome, SwapRefusal, WakeReason,
        },
        policy::Changed,
        slots::{Answer, SlotUse, Use},
        status::{ChangeoverSummary, PhaseName},
        swap::{
            self, Composition, Ending, Failure, Page, Phase, Plan, Refusal, Swap, SwapInput,
            SwapOutput, SwapPlan, SwapReason, Timeouts, Verdict,
        },
    },
    ids::{BuildId, Names},
    time::{Millis, Timestamp},
};

/// Between two tries to find out whether the page is online again.
const PAUSE: Millis = 10_000;

/// Pauses before the second try, the third, and each later one.
const BACK_OFF: [Millis; 3] = [30_000, 2 * 60_000, 10 * 60_000];

/// After so many attempts that took too long the user is asked.
const MOST_TRIES: u32 = 3;

/// The slots of the page and their swaps.
#[derive(Debug, Default)]
pub(super) struct Swaps {
    is_hidden: bool,
    /// Created when the page first lists its slots.
    machine: Option<Swap>,
    uses: Names<Use>,
    /// Counts changes of `uses`.
    revision: u64,
    cached_plan: Option<CachedPlan>,
    /// The build that was last reported as impossible to swap to.
    refused: Option<BuildId>,
    /// A swap to this build never found the page idle: the user is asked to refresh instead.
    never_idle: Option<BuildId>,
    /// A build whose code failed in this page. A refresh would load the same code.
    failed_build: Option<BuildId>,
    /// The app has asked for a check since, so that the user may be asked about a build that failed here.
    is_asked: bool,
    retry_at: Option<RetryAt>,
    /// How often in a row the files of a build could not be fetched.
    missed: Option<(BuildId, u32)>,
    current: Option<Current>,
    wake: Option<Timestamp>,
}

/// When a build is tried again.
#[derive(Debug)]
struct RetryAt {
    build: BuildId,
    until: Timestamp,
    /// And not before the page is visible.
    needs_visible: bool,
}

/// The last plan, cached since planning takes time for large builds.
#[derive(Debug)]
struct CachedPlan {
    from: BuildId,
    to: BuildId,
    revision: u64,
    /// And whether it changes code or styles; `None` when the swap is refused.
    plan: Option<(SwapPlan, bool)>,
}

#[derive(Debug)]
struct Current {
    id: String,
    to: BuildId,
    slots: Vec<String>,
}

impl Guard {
    pub(super) fn on_slots_listed(&mut self, slots: Vec<SlotUse>) {
        let uses: Names<Use> = slots.into_iter().map(|it| (it.slot, it.state)).collect();
        if self.swaps.machine.is_none()
            && let Some(build) = self.running.build.clone()
        {
            let composition = Composition::new(build);
            let mut machine = Swap::new(composition, Timeouts::default());
            let visible = !self.swaps.is_hidden;
            machine.handle_input(SwapInput::Visible { visible }, self.now);
            self.swaps.machine = Some(machine);
        }
        if self.swaps.uses == uses {
            return;
        }
        self.swaps.uses = uses;
        self.comparison = None;
        self.swaps.revision += 1;
        let now = self.now;
        if let Some(machine) = &mut self.swaps.machine {
            machine.handle_input(SwapInput::PageChanged, now);
            self.drain_swap();
        }
    }

    pub(super) fn on_swap_visible(&mut self, visible: bool) {
        let now = self.now;
        self.swaps.is_hidden = !visible;
        if let Some(machine) = &mut self.swaps.machine {
            machine.handle_input(SwapInput::Visible { visible }, now);
            self.drain_swap();
        }
    }

    /// The app asks for a check, or the page is online again: the next try is made at once.
    pub(super) fn on_swap_retry(&mut self, by_app: bool) {
        self.swaps.is_asked |= by_app && self.swaps.failed_build.is_some();
        self.swaps.retry_at = None;
    }

    pub(super) fn on_swap_answered(&mut self, changeover: String, round: u32, answer: Answer) {
        let now = self.now;
        if let Some(machine) = &mut self.swaps.machine {
            machine.handle_input(
                SwapInput::Answered {
                    changeover,
                    round,
                    answer,
                },
                now,
            );
            self.drain_swap();
        }
    }

    /// Lets a swap do what is due before the next decision.
    pub(super) fn on_swap_time(&mut self) {
        let now = self.now;
        if let Some(machine) = &mut self.swaps.machine {
            machine.handle_input(SwapInput::Woke, now);
            self.drain_swap();
        }
    }

    /// The slots whose code the page has loaded; `None`: not known.
    pub(super) fn loaded_slots(&self) -> Option<Vec<&str>> {
        self.swaps.machine.as_ref()?;
        Some(self.swaps.uses.keys().map(String::as_str).collect())
    }

    /// Whether slots can be swapped to a build; `None` when that cannot be decided by slots.
    pub(super) fn changed_slots(&mut self, target: &BuildId) -> Option<Changed> {
        let machine = self.swaps.machine.as_ref()?;
        if machine.phase() != Phase::Idle {
            return Some(Changed::Slots);
        }
        if self.swaps.never_idle.as_ref() == Some(target) {
            return None;
        }
        if self.swaps.failed_build.as_ref() == Some(target) {
            // The check may bring a better build.
            let is_asked = self.swaps.is_asked && !self.checks.is_checking();
            return (!is_asked).then_some(Changed::Broke);
        }
        let waits = |pause: &RetryAt| {
            pause.build == *target
                && (self.now < pause.until || pause.needs_visible && self.swaps.is_hidden)
        };
        if self.swaps.retry_at.as_ref().is_some_and(waits) {
            return Some(Changed::Paused);
        }
        let composition = machine.composition();
        let is_known = self.swaps.cached_plan.as_ref().is_some_and(|known| {
            known.from == composition.build
                && known.to == *target
                && known.revision == self.swaps.revision
        });
        if !is_known {
            let from = composition.build.clone();
            if !self.may_compare(&[&from, target]) {
                return Some(Changed::Pending);
            }
            self.plan_swap(target);
        }
        let known = self.swaps.cached_plan.as_ref()?;
        // Code that no adapter can replace would become stale: that takes a refresh, unless a chunk is missing right now.
        let is_missed = self.chunks.explained_by.as_ref() == Some(target);
        let goes = |(swap_plan, _): &&(SwapPlan, bool)| swap_plan.stale.is_empty() || is_missed;
        known.plan.as_ref().filter(goes).map(|_| Changed::Slots)
    }

    fn plan_swap(&mut self, target: &BuildId) {
        let Some(machine) = &self.swaps.machine else {
            return;
        };
        let composition = machine.composition();
        let both = [&composition.build, target].map(|build| self.manifests.graph(build));
        let [Some(base), Some(other)] = both else {
            self.swaps.cached_plan = None;
            return;
        };
        let page = Page {
            slots: self.swaps.uses.clone(),
            ..Page::default()
        };
        let plan = swap::plan(composition, base, other, &page);
        let (plan, refusals) = match plan {
            Plan::Nothing(swap_plan) => (Some((swap_plan, false)), Vec::new()),
            Plan::Styles(swap_plan) | Plan::Swap(swap_plan) => {
                (Some((swap_plan, true)), Vec::new())
            }
            Plan::Refuse(refusals) => (None, refusals),
        };
        self.swaps.cached_plan = Some(CachedPlan {
            from: composition.build.clone(),
            to: target.clone(),
            revision: self.swaps.revision,
            plan,
        });
        if !refusals.is_empty() && self.swaps.refused.as_ref() != Some(target) {
            self.swaps.refused = Some(target.clone());
            self.tell(Event::SwapRefused {
                to: target.clone(),
                refusals: refusals.into_iter().map(told).collect(),
            });
        }
    }

    /// Takes all steps of a swap that are possible now. Returns whether one began or ended.
    pub(super) fn drive_swap(&mut self, target_state: &TargetState) -> bool {
        let now = self.now;
        let reloads = self.changeover.is_some();
        let target = target_state.target().map(|(build, _)| build);
        let held = !self.holds.reasons().is_empty();
        let Some(machine) = &mut self.swaps.machine else {
            return false;
        };
        let build = target.clone().filter(|_| !reloads);
        machine.handle_input(SwapInput::Wanted { build }, now);
        machine.handle_input(SwapInput::Held { held }, now);
        let mut news = self.drain_swap();
        if let Some(target) = target.filter(|_| !reloads) {
            news |= self.begin_swap(&target);
        }
        news
    }

    fn begin_swap(&mut self, target: &BuildId) -> bool {
        let wanted = self.decision.kind == DecisionKind::Swap
            && self.decision.reason == Reason::SlotsChanged;
        let is_idle = self
            .swaps
            .machine
            .as_ref()
            .is_some_and(|machine| machine.phase() == Phase::Idle);
        if !wanted
            || !is_idle
            || self
                .swaps
                .cached_plan
                .as_ref()
                .is_none_or(|it| it.to != *target)
        {
            return false;
        }
        let Some((swap_plan, moves_code)) =
            self.swaps.cached_plan.take().and_then(|known| known.plan)
        else {
            return false;
        };
        if !moves_code {
            if let Some(machine) = &mut self.swaps.machine {
                machine.note(&swap_plan);
            }
            self.run_build(target.clone());
            return true;
        }
        if !self.online && !swap_plan.fetch.is_empty() {
            self.swaps.retry_at = Some(RetryAt {
                build: target.clone(),
                until: Timestamp(self.now.0 + PAUSE),
                needs_visible: false,
            });
            return false;
        }
        let id = self.rng.random_id();
        let slots = swap_plan.slots.iter().map(|it| it.pointer.slot.clone());
        let current = Current {
            id: id.clone(),
            to: target.clone(),
            slots: slots.collect(),
        };
        let now = self.now;
        let began = self
            .swaps
            .machine
            .as_mut()
            .is_some_and(|machine| machine.begin(id.clone(), swap_plan, now));
        if !began {
            return false;
        }
        self.swaps.current = Some(current);
        self.trouble = None;
        let from = self.running.build.clone();
        self.tell(Event::ChangeoverStarted {
            changeover: id,
            from,
            to: target.clone(),
        });
        self.drain_swap();
        true
    }

    /// Hands out the outputs of the swap machine. Returns whether the swap ended.
    fn drain_swap(&mut self) -> bool {
        let mut ended = false;
        while let Some(machine) = &mut self.swaps.machine {
            match machine.poll_output() {
                SwapOutput::Ask {
                    changeover,
                    round,
                    step,
                } => {
                    let to = machine.target().cloned();
                    let to = to.or_else(|| self.swaps.current.as_ref().map(|it| it.to.clone()));
                    if let Some(to) = to {
                        self.perform(Effect::TakeSwapStep {
                            changeover,
                            round,
                            to,
                            step,
                        });
                    }
                }
                SwapOutput::Discard { changeover } => {
                    self.perform(Effect::DiscardSwap { changeover });
                }
                SwapOutput::Ended {
                    changeover,
                    to,
                    ending,
                } => {
                    ended = true;
                    self.end_swap(changeover, to, ending);
                }
                SwapOutput::Wake { at, waits: _ } => {
                    self.swaps.wake = at;
                    break;
                }
            }
        }
        ended
    }

    fn end_swap(&mut self, changeover: String, to: BuildId, ending: Ending) {
        let from = self.running.build.clone();
        let current = self.swaps.current.take();
        let (outcome, failure) = match ending {
            Ending::Committed => (SwapOutcome::Committed, None),
            Ending::Kept(failure) => (SwapOutcome::Kept, Some(failure)),
            Ending::Aborted(failure) => (SwapOutcome::Aborted, Some(failure)),
            Ending::RolledBack(failure) => (SwapOutcome::RolledBack, Some(failure)),
            Ending::Broken(failure) => (SwapOutcome::Broken, Some(failure)),
        };
        let reason = failure.as_ref().map(|failure| failure.reason);
        let machine = self.swaps.machine.as_ref();
        let tries = machine.map_or(0, |machine| machine.composition().tries(&to));
        match reason.map(SwapReason::verdict) {
            Some(Verdict::Declined) => self.swaps.never_idle = Some(to.clone()),
            Some(Verdict::Missing) => {
                let known = self.swaps.missed.take().filter(|(build, _)| *build == to);
                let times = known.map_or(1, |(_, times)| times + 1);
                self.swaps.missed = Some((to.clone(), times));
                self.pause_swap(&to, times, false);
            }
            // A build that was rolled back before the user's eyes is not shown again.
            Some(Verdict::Unproven) if outcome == SwapOutcome::Aborted && tries < MOST_TRIES => {
                self.pause_swap(&to, tries, true);
            }
            Some(Verdict::Unproven) => self.swaps.never_idle = Some(to.clone()),
            Some(Verdict::Bad) => {
                self.swaps.failed_build = Some(to.clone());
                self.swaps.is_asked = false;
            }
            // The planner refuses it from now on.
            Some(Verdict::State) | Some(Verdict::Moot) | None => {}
        }
        self.swaps.cached_plan = None;
        self.tell(Event::SwapEnded {
            changeover: changeover.clone(),
            from: from.clone(),
            to: to.clone(),
            slots: current.map(|it| it.slots).unwrap_or_default(),
            outcome,
            reason: reason.map(|reason| reason.code().into()),
            slot: failure.as_ref().and_then(|failure| failure.slot.clone()),
            message: failure.and_then(message),
        });
        if matches!(outcome, SwapOutcome::Committed | SwapOutcome::Kept) {
            self.run_build(to.clone());
            return self.tell(Event::ChangeoverDone {
                changeover,
                from,
                to,
            });
        }
        let reason = match reason {
            Some(SwapReason::Superseded | SwapReason::PageChanged) => AbortReason::Superseded,
            Some(SwapReason::Disposed) => AbortReason::Disposed,
            _ => AbortReason::SwapFailed,
        };
        self.tell(Event::ChangeoverAborted { changeover, reason });
    }

    fn pause_swap(&mut self, build: &BuildId, times: u32, needs_visible: bool) {
        let nth = (times.max(1) as usize - 1).min(BACK_OFF.len() - 1);
        let span = BACK_OFF.get(nth).copied().unwrap_or(PAUSE);
        // With jitter, so that pages do not retry all at once.
        let span = self.rng.jittered(span);
        self.swaps.retry_at = Some(RetryAt {
            build: build.clone(),
            until: Timestamp(self.now.0.saturating_add(span)),
            needs_visible,
        });
    }

    /// The page runs another build without a reload.
    fn run_build(&mut self, build: BuildId) {
        self.running.build = Some(build);
        self.running.assumed = None;
        self.running.swapped = true;
        self.comparison = None;
        self.swaps.cached_plan = None;
        self.swaps.retry_at = None;
        self.chunks.explained_by = None;
        self.listing.on_stale();
    }

    pub(super) fn dispose_swap(&mut self) {
        let now = self.now;
        if let Some(machine) = &mut self.swaps.machine {
            machine.handle_input(SwapInput::Disposed, now);
            self.drain_swap();
        }
        self.swaps = Swaps::default();
    }

    /// The swap under way, for the status.
    pub(super) fn swap_summary(&self) -> Option<ChangeoverSummary> {
        let (machine, current) = (self.swaps.machine.as_ref()?, self.swaps.current.as_ref()?);
        Some(ChangeoverSummary {
            id: current.id.clone(),
            from: self.running.build.clone(),
            to: current.to.clone(),
            phase: match machine.phase() {
                Phase::Probation => PhaseName::Probation,
                _ => PhaseName::Swapping,
            },
        })
    }

    pub(super) fn next_swap(&self) -> Option<(Timestamp, WakeReason)> {
        let pause = self.swaps.retry_at.as_ref().map(|pause| pause.until);
        let pause = pause.filter(|until| *until > self.now);
        let next = [self.swaps.wake, pause].into_iter().flatten().min()?;
        Some((next, WakeReason::Swap))
    }
}

fn told(refusal: Refusal) -> SwapRefusal {
    SwapRefusal {
        why: refusal.why.code().into(),
        slot: refusal.slot,
        file: refusal.file,
        root: refusal.root,
    }
}

/// The failure as the driver or the app worded it.
fn message(failure: Failure) -> Option<String> {
    let file = failure.fetch.map(|(file, _)| file);
    failure.message.or(file).filter(|text| !text.is_empty())
}
