//! From what is known to a decision and a prompt.

use alloc::{string::String, vec::Vec};

use super::Guard;
use crate::engine::{
    changeover::Availability,
    io::{
        BuildId, Busy, Decision, DecisionKind, Effect, Event, Millis, Prompt, Reason, Snooze,
        Timestamp, WakeReason,
    },
    policy::{self, Changed, Facts, Target},
    release::{BuildRef, How, Urgency},
    rollout,
    shelf::{self, Lookup},
    skew,
    text::join,
};

/// A driver that does not list the loaded files by then never will.
const LISTING_TIMEOUT: Millis = 5_000;

/// What the release wants of this page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// To stay as it is.
    Nothing,
    /// Another build, whose manifest is on its way.
    Pending { build: BuildId, sequence: u64 },
    /// Another build, whose manifest is not there.
    Missing { build: BuildId, sequence: u64 },
    /// Another build.
    Ready { build: BuildId, sequence: u64 },
}

/// The files that this page has loaded.
#[derive(Debug, Default)]
pub(super) struct Listing {
    files: Option<Vec<String>>,
    asked: Option<Timestamp>,
    stale: bool,
    revision: u64,
}

/// A comparison of two builds, kept because it takes time for large ones.
#[derive(Debug)]
pub(super) struct Comparison {
    from: BuildId,
    to: BuildId,
    revision: u64,
    touches_the_page: bool,
}

impl Listing {
    pub(super) fn on_listed(&mut self, files: Vec<String>) {
        self.files = Some(files);
        self.asked = None;
        self.revision += 1;
    }

    /// The list should be asked for again; the old one serves meanwhile.
    pub(super) fn on_stale(&mut self) {
        self.stale = true;
        self.asked = None;
    }

    /// Whether to ask for the list now.
    fn poll(&mut self, now: Timestamp) -> bool {
        let due = self.asked.is_none() && (self.stale || self.files.is_none());
        if due {
            self.stale = false;
            self.asked = Some(now);
        }
        due
    }
}

impl Want {
    pub(super) fn target(&self) -> Option<(BuildId, u64)> {
        match self {
            Self::Nothing => None,
            Self::Pending { build, sequence }
            | Self::Missing { build, sequence }
            | Self::Ready { build, sequence } => Some((build.clone(), *sequence)),
        }
    }

    pub(super) fn manifest(&self) -> Availability {
        match self {
            Self::Pending { .. } => Availability::Pending,
            Self::Missing { .. } => Availability::Missing,
            Self::Nothing | Self::Ready { .. } => Availability::Ready,
        }
    }
}

impl Guard {
    /// Decides, moves, and decides again until nothing changes, and brings the prompt up to date.
    pub(super) fn settle(&mut self) {
        self.on_swap_time();
        // Each round but the last begins or ends an attempt, or explains a chunk; none of that happens twice.
        for _ in 0..4 {
            if !self.settle_once() {
                break;
            }
        }
        let want = self.want();
        let facts = self.facts(&want);
        self.show(&facts, &want);
    }

    /// Returns whether what was decided may be different now.
    fn settle_once(&mut self) -> bool {
        self.assume_running();
        self.fetch_what_is_wanted();
        let want = self.want();
        self.tell_skew(&want);
        let explained = self.judge_chunks(&want);
        let facts = self.facts(&want);
        self.decide(policy::decide(&facts));
        let began = self.drive_countdown(&facts, &want);
        let ended = self.drive_changeover(&want);
        let swapped = self.drive_swap(&want);
        explained || began || ended || swapped
    }

    /// Nothing in the page says what runs: the first release is taken for it, as nothing else is known.
    fn assume_running(&mut self) {
        if self.running.build.is_none()
            && self.running.assumed.is_none()
            && let Some(build) = self.wanted()
        {
            self.running.assumed = Some(build.id.clone());
        }
    }

    fn leave(&self) -> Option<How> {
        let (release, running) = (self.releases.accepted()?, self.running.best_guess()?);
        rollout::leave(release, running, self.releases.born(running), self.now)
    }

    fn wanted(&self) -> Option<&BuildRef> {
        rollout::wanted(self.releases.accepted()?, &self.visitor, self.leave())
    }

    fn fetch_what_is_wanted(&mut self) {
        let target = self
            .wanted()
            .filter(|wanted| Some(&wanted.id) != self.running.best_guess());
        let mut wants = Vec::new();
        if let Some(target) = target {
            wants.push(shelf::Want {
                build: target.id.clone(),
                path: target.manifest.clone(),
                integrity: target.integrity.clone(),
                needed: true,
            });
            if let Some(running) = self.running.best_guess() {
                let path = join(&["builds/", &running.0, ".json"]);
                wants.push(shelf::Want {
                    build: running.clone(),
                    path,
                    integrity: None,
                    needed: false,
                });
            }
        }
        let waits = target.is_some();
        self.shelf.on_wanted(&wants, self.now);
        while let Some(shelf::Want {
            build,
            path,
            integrity,
            needed: _,
        }) = self.shelf.poll(self.now, &mut self.chance)
        {
            self.perform(Effect::FetchManifest {
                build,
                path,
                integrity,
            });
        }
        if waits && self.listing.poll(self.now) {
            self.perform(Effect::ListLoadedFiles);
        }
    }

    pub(super) fn want(&self) -> Want {
        let Some(release) = self.releases.accepted() else {
            return Want::Nothing;
        };
        let Some(wanted) = self
            .wanted()
            .filter(|wanted| Some(&wanted.id) != self.running.best_guess())
        else {
            return Want::Nothing;
        };
        let (build, sequence) = (wanted.id.clone(), release.sequence);
        match self.shelf.find(&build) {
            Lookup::Ready(_) => Want::Ready { build, sequence },
            Lookup::Pending => Want::Pending { build, sequence },
            Lookup::Missing => Want::Missing { build, sequence },
        }
    }

    pub(super) fn facts(&mut self, want: &Want) -> Facts {
        let changed = match want {
            Want::Ready { build, .. } => self.changed(build),
            Want::Nothing | Want::Pending { .. } | Want::Missing { .. } => Changed::Pending,
        };
        let release = self.releases.accepted();
        let target = match want {
            Want::Nothing if release.is_none() => Target::NoRelease,
            Want::Nothing if self.running.build.is_none() => Target::Assumed,
            Want::Nothing => Target::Same,
            Want::Pending { .. } => Target::Pending,
            Want::Missing { .. } => Target::Unavailable,
            Want::Ready { .. } => Target::Other,
        };
        let build = want.target().map(|(build, _)| build);
        let snoozed =
            |snooze: &Snooze| release.is_some_and(|release| snooze.sequence >= release.sequence);
        Facts {
            target,
            changed,
            urgency: release.map_or(Urgency::Routine, |release| release.urgency),
            leave: self.leave(),
            chunk_failed: build.is_some() && self.chunks.explained_by == build,
            expired: release.is_some_and(|release| rollout::is_expired(release, self.now)),
            rollback: self.releases.goes_back(),
            snoozed: self
                .snooze
                .as_ref()
                .is_some_and(|snooze| self.now < snooze.until && snoozed(snooze)),
            reload_did_not_take: build.is_some_and(|build| self.had_reload(&build)),
            reloading: self.changeover.is_some(),
        }
    }

    pub(super) fn had_reload(&self, build: &BuildId) -> bool {
        self.reloads
            .iter()
            .any(|reloads| reloads.target == *build && reloads.count > 0)
    }

    /// Whether `target` differs in what this page has loaded.
    fn changed(&mut self, target: &BuildId) -> Changed {
        let Some(running) = self.running.best_guess().cloned() else {
            return Changed::Yes;
        };
        match (self.shelf.find(&running), self.shelf.find(target)) {
            (Lookup::Ready(_), Lookup::Ready(_)) => {}
            (Lookup::Pending, _) => return Changed::Pending,
            (Lookup::Ready(_) | Lookup::Missing, _) => return Changed::Yes,
        }
        if let Some(changed) = self.changed_slots(target) {
            return changed;
        }
        let both = (self.shelf.find(&running), self.shelf.find(target));
        let (Lookup::Ready(running), Lookup::Ready(target)) = both else {
            return Changed::Pending;
        };
        let Some(files) = &self.listing.files else {
            let waits = self
                .listing
                .asked
                .is_some_and(|asked| self.now.0 < asked.0.saturating_add(LISTING_TIMEOUT));
            return if waits {
                Changed::Pending
            } else {
                Changed::Yes
            };
        };
        let revision = self.listing.revision;
        let touches_the_page = match &self.comparison {
            Some(known)
                if known.revision == revision
                    && known.from == running.id
                    && known.to == target.id =>
            {
                known.touches_the_page
            }
            _ => skew::between(running, target, files, &self.root).touches_the_page(),
        };
        self.comparison = Some(Comparison {
            from: running.id.clone(),
            to: target.id.clone(),
            revision,
            touches_the_page,
        });
        if touches_the_page {
            Changed::Yes
        } else {
            Changed::No
        }
    }

    fn tell_skew(&mut self, want: &Want) {
        match want {
            Want::Nothing => {
                if self.skew_told.take().is_some() {
                    self.tell(Event::SkewGone);
                }
            }
            Want::Ready { build, sequence } => {
                if self.skew_told.as_ref() != Some(build) {
                    self.skew_told = Some(build.clone());
                    let from = self.running.build.clone();
                    self.tell(Event::SkewFound {
                        from,
                        to: build.clone(),
                        sequence: *sequence,
                    });
                }
            }
            Want::Pending { .. } | Want::Missing { .. } => {}
        }
    }

    fn decide(&mut self, decision: Decision) {
        if self.decision != decision {
            self.decision = decision.clone();
            self.tell(Event::DecisionMade { decision });
        }
    }

    fn show(&mut self, facts: &Facts, want: &Want) {
        let prompt = self.wanted_prompt(facts, want);
        if self.prompt == prompt {
            return;
        }
        self.prompt.clone_from(&prompt);
        self.tell(match prompt {
            Some(prompt) => Event::PromptShown { prompt },
            None => Event::PromptHidden,
        });
    }

    fn wanted_prompt(&self, facts: &Facts, want: &Want) -> Option<Prompt> {
        let (build, sequence) = want.target()?;
        let calm = policy::decide(&Facts {
            reloading: false,
            ..facts.clone()
        });
        let moving = self.changeover.as_ref();
        let pending = matches!(
            calm.reason,
            Reason::ManifestPending | Reason::ManifestUnavailable
        );
        let whole = matches!(want, Want::Ready { .. });
        let holds = self.holds.reasons();
        let shown = match moving {
            // An app that reloads by itself needs no prompt, unless there is something to wait for.
            Some(_) => self.prompt.is_some() || whole && !holds.is_empty(),
            None => calm.kind == DecisionKind::Prompt || pending && self.prompt.is_some(),
        };
        if !shown {
            return None;
        }
        let trouble = self
            .trouble
            .as_ref()
            .filter(|(about, _)| *about == build)
            .map(|(_, reason)| *reason);
        let busy = moving.map(|changeover| {
            if changeover.is_draining() && !holds.is_empty() {
                Busy::Holds { reasons: holds }
            } else {
                Busy::Reloading
            }
        });
        let stands = if moving.is_some() { !whole } else { pending };
        if let Some(before) = self.prompt.as_ref().filter(|_| stands) {
            // The next release is not whole yet; what was offered before still stands.
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
            None if calm.kind == DecisionKind::Prompt => calm.reason,
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

    /// When time alone changes the decision.
    pub(super) fn next_in_mind(&self) -> Option<(Timestamp, WakeReason)> {
        let snoozed = self.decision.reason == Reason::Snoozed;
        let snooze = self
            .snooze
            .as_ref()
            .filter(|_| snoozed)
            .map(|snooze| (snooze.until, WakeReason::SnoozeOver));
        let listing = self
            .listing
            .asked
            .map(|asked| Timestamp(asked.0.saturating_add(LISTING_TIMEOUT)));
        let listing = listing
            .filter(|at| *at > self.now)
            .map(|at| (at, WakeReason::Timeout));
        [snooze, listing]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }
}
