//! How an attempt ends, and what the composition remembers of it.
//!
//! Before the switch, the page is unchanged and the attempt only ends. After the switch, a failure rolls everything back,
//! unless the new code has already written durable data.

use alloc::string::String;

use super::Swap;
use crate::{
    engine::{
        io::FetchFailure,
        swap::{
            attempt::Attempt,
            composition::Bad,
            phase::Phase,
            reason::{SwapReason, Verdict},
            steps::{Ending, Failure, SwapOutput},
        },
    },
    time::Timestamp,
};

impl Swap {
    /// Ends the attempt for a reason that is not the build's fault. After the switch it does nothing.
    pub(super) fn abort(&mut self, reason: SwapReason) {
        if self.attempt.is_some() && !self.is_past_switch() {
            self.end_early(Failure {
                reason,
                slot: None,
                message: None,
                fetch: None,
            });
        }
    }

    /// Ends the attempt because this page cannot be swapped now; the page stays as it is.
    pub(super) fn decline(&mut self, reason: SwapReason, slot: String) {
        self.end_early(Failure {
            reason,
            slot: Some(slot),
            message: None,
            fetch: None,
        });
    }

    /// Ends the attempt before the switch.
    fn end_early(&mut self, failure: Failure) {
        self.discard();
        if let Some(attempt) = self.attempt.take() {
            if attempt.has_imported {
                self.composition.on_imported_in_vain(&attempt.swap_plan);
            }
            self.end(attempt, Ending::Aborted(failure));
        }
    }

    /// Ends the attempt for now: the network may recover, and a missing or truncated file may become complete.
    pub(super) fn fetch_failed(&mut self, file: String, failure: FetchFailure) {
        self.end_early(Failure {
            reason: SwapReason::FetchFailed,
            slot: None,
            message: None,
            fetch: Some((file, failure)),
        });
    }

    /// Ends the attempt because the build failed. The build is not tried again, unless only a time limit passed. After the
    /// switch, the page is rolled back, or stays on the new code if that has written durable data.
    pub(super) fn fail(
        &mut self,
        reason: SwapReason,
        slot: Option<String>,
        message: Option<String>,
        now: Timestamp,
    ) {
        let Some(attempt) = &mut self.attempt else {
            return;
        };
        let mut moved = attempt.swap_plan.slots.iter();
        let file = moved
            .find(|moved| Some(&moved.pointer.slot) == slot.as_ref())
            .map(|moved| moved.pointer.file.clone());
        let build = attempt.swap_plan.to.clone();
        match reason.verdict() {
            Verdict::Bad => self.composition.on_bad(Bad { build, file }),
            // Snapshot or migration failed, not the new code: the same file may work in another page.
            Verdict::State => self.composition.on_bad(Bad { build, file: None }),
            Verdict::Unproven => {
                *self.composition.tries.entry(build.0.clone()).or_insert(0) += 1;
            }
            Verdict::Missing | Verdict::Declined | Verdict::Moot => {}
        }
        let failure = Failure {
            reason,
            slot,
            message,
            fetch: None,
        };
        if !attempt.phase.is_past_switch() {
            self.end_early(failure);
            return;
        }
        let has_written = attempt.has_written;
        attempt.failure = Some(failure);
        self.enter(
            if has_written {
                Phase::Committing
            } else {
                Phase::RollingBack
            },
            now,
        );
    }

    /// The new code is in place for good.
    pub(super) fn finish(&mut self) {
        if let Some(mut attempt) = self.attempt.take() {
            self.composition.on_committed(&attempt.swap_plan);
            let ending = match attempt.failure.take() {
                None => Ending::Committed,
                Some(failure) => Ending::Kept(failure),
            };
            self.end(attempt, ending);
        }
    }

    /// The old code runs again.
    pub(super) fn rolled_back(&mut self) {
        if let Some((attempt, failure)) = self.take_failed() {
            self.composition.on_imported_in_vain(&attempt.swap_plan);
            self.end(attempt, Ending::RolledBack(failure));
        }
    }

    /// The rollback failed: this page cannot be swapped any more.
    pub(super) fn broken(&mut self, message: Option<String>) {
        if let Some((attempt, failure)) = self.take_failed() {
            self.composition.is_broken = true;
            let message = message.or(failure.message);
            self.end(attempt, Ending::Broken(Failure { message, ..failure }));
        }
    }

    fn take_failed(&mut self) -> Option<(Attempt, Failure)> {
        let mut attempt = self.attempt.take()?;
        // A rollback has a reason.
        let failure = attempt.failure.take()?;
        Some((attempt, failure))
    }

    fn end(&mut self, attempt: Attempt, ending: Ending) {
        self.outputs.push(SwapOutput::Ended {
            changeover: attempt.id,
            to: attempt.swap_plan.to,
            ending,
        });
    }
}
