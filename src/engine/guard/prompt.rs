//! The prompt that the app shows: whether there is one, and what it says.

use super::{Guard, target::TargetState};
use crate::engine::{
    changeover::Changeover,
    io::{Busy, DecisionKind, Event, Prompt, Reason},
    policy::{self, Facts, Files},
};

impl Guard {
    /// Tells the app if the prompt has changed.
    pub(super) fn show(&mut self, facts: &Facts, target_state: &TargetState) {
        let prompt = self.wanted_prompt(facts, target_state);
        if self.prompt == prompt {
            return;
        }
        self.prompt.clone_from(&prompt);
        self.tell(match prompt {
            Some(prompt) => Event::PromptShown { prompt },
            None => Event::PromptHidden,
        });
    }

    /// The prompt that the page needs now.
    fn wanted_prompt(&self, facts: &Facts, target_state: &TargetState) -> Option<Prompt> {
        let (build, sequence) = target_state.target()?;
        let undisturbed = policy::decide(&Facts {
            reloading: false,
            ..facts.clone()
        });
        let moving = self.changeover.as_ref();
        let pending = matches!(
            undisturbed.reason,
            Reason::ManifestPending
                | Reason::ManifestUnavailable
                | Reason::FilesPending
                | Reason::TargetNotReady
        );
        let whole =
            matches!(target_state, TargetState::Ready { .. }) && facts.files == Files::Ready;
        let shown = match moving {
            // An app that reloads by itself needs no prompt, unless there is something to wait for.
            Some(_) => self.prompt.is_some() || whole && !self.holds.reasons().is_empty(),
            None => undisturbed.kind == DecisionKind::Prompt || pending && self.prompt.is_some(),
        };
        if !shown {
            return None;
        }
        let trouble = self
            .trouble
            .as_ref()
            .filter(|(about, _)| *about == build)
            .map(|(_, reason)| *reason);
        let busy = moving.map(|changeover| self.busy(changeover));
        let keep_shown = if moving.is_some() { !whole } else { pending };
        if let Some(before) = self.prompt.as_ref().filter(|_| keep_shown) {
            // The files of the next release are not all there yet, so the earlier offer stays.
            return Some(Prompt {
                busy,
                trouble,
                countdown_until: None,
                ..before.clone()
            });
        }
        // The mark that the reload leaves must not change the words of the prompt that led to it.
        let standing = self.prompt.as_ref().filter(|_| moving.is_some());
        let reason = match standing {
            Some(prompt) => prompt.reason,
            None if undisturbed.kind == DecisionKind::Prompt => undisturbed.reason,
            None => Reason::NewBuild,
        };
        Some(Prompt {
            reason,
            sequence,
            build,
            message: self
                .releases
                .accepted()
                .and_then(|release| release.message.clone()),
            can_snooze: policy::may_wait(facts)
                && moving.is_none_or(|changeover| changeover.is_draining()),
            countdown_until: self.countdown.until.filter(|_| moving.is_none()),
            busy,
            trouble,
        })
    }

    /// What the page is doing on its way to the new build.
    fn busy(&self, changeover: &Changeover) -> Busy {
        let holds = self.holds.reasons();
        if changeover.is_draining() && !holds.is_empty() {
            Busy::Holds { reasons: holds }
        } else if changeover.is_renewing() {
            Busy::ServiceWorker
        } else {
            Busy::Reloading
        }
    }
}
