//! From what is known to a decision and a prompt.

use alloc::{string::String, vec::Vec};

use super::Guard;
use crate::{
    engine::{
        changeover::Availability,
        io::{Busy, Decision, DecisionKind, Effect, Event, Prompt, Reason, Snooze, WakeReason},
        manifest_cache::{self, Lookup, Need, Way},
        policy::{self, Changed, Facts, Files, Target},
        release::{BuildRef, How, Urgency},
        rollout, skew,
    },
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// Give up waiting for the list of loaded files after this time.
const LISTING_TIMEOUT: Millis = 5_000;

/// Builds of up to this many chunks are compared at once.
const LARGE: usize = 500;

/// The build that the release selects for this page, and its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TargetState {
    /// The running build: nothing to do.
    Nothing,
    /// Another build; its manifest is being fetched.
    Pending { build: BuildId, sequence: u64 },
    /// Another build; its manifest is missing.
    Missing { build: BuildId, sequence: u64 },
    /// Another build; its manifest is parsed, or it has none.
    Ready { build: BuildId, sequence: u64 },
}

/// The files that this page has loaded.
#[derive(Debug, Default)]
pub(super) struct Listing {
    files: Option<Vec<String>>,
    elements: Vec<String>,
    complete: bool,
    asked: Option<Timestamp>,
    stale: bool,
    revision: u64,
}

/// The result of comparing two builds, cached since large ones take time.
#[derive(Debug)]
pub(super) struct Comparison {
    from: BuildId,
    to: BuildId,
    revision: u64,
    touches_the_page: bool,
}

/// The budget of one step: at most one large piece of work, so that the page is not blocked for long.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// A large piece was done in this step.
    pub(super) is_spent: bool,
    /// Another one waits for the next step.
    pub(super) is_put_off: bool,
}

impl Work {
    /// Whether work on so many chunks may be done now; otherwise it waits for the next step.
    pub(super) fn allows(&mut self, chunks: usize) -> bool {
        let is_large = chunks > LARGE;
        self.is_put_off |= is_large && self.is_spent;
        let allowed = !is_large || !self.is_spent;
        self.is_spent |= is_large;
        allowed
    }
}

impl Listing {
    pub(super) fn on_listed(&mut self, files: Vec<String>, elements: Vec<String>, complete: bool) {
        self.files = Some(files);
        self.elements = elements;
        self.complete = complete;
        self.asked = None;
        self.revision += 1;
    }

    /// The list is out of date: it is requested again, and used until then.
    pub(super) fn on_stale(&mut self) {
        self.stale = true;
        self.asked = None;
    }

    /// The files and the elements, once they are known.
    pub(super) fn known(&self) -> Option<(&[String], &[String])> {
        Some((self.files.as_deref()?, &self.elements))
    }

    /// The first list was requested and may still come.
    pub(super) fn is_awaited(&self, now: Timestamp) -> bool {
        let asked = self.asked.filter(|_| self.files.is_none());
        asked.is_some_and(|asked| now.0 < asked.0.saturating_add(LISTING_TIMEOUT))
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether to request the list now.
    fn poll(&mut self, now: Timestamp) -> bool {
        let due = self.asked.is_none() && (self.stale || self.files.is_none());
        if due {
            self.stale = false;
            self.asked = Some(now);
        }
        due
    }
}

impl TargetState {
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
    /// Decides and acts until nothing changes any more, then updates the prompt.
    pub(super) fn settle(&mut self) {
        self.on_swap_time();
        // Each round but the last begins or ends an attempt, or explains a chunk; none of that happens twice.
        for _ in 0..4 {
            if !self.settle_once() {
                break;
            }
        }
        let target_state = self.target_state();
        let facts = self.facts(&target_state);
        self.show(&facts, &target_state);
    }

    /// Returns whether the decision may have changed.
    fn settle_once(&mut self) -> bool {
        self.assume_running();
        self.fetch_manifests();
        let target_state = self.target_state();
        self.announce_skew(&target_state);
        let explained = self.judge_chunks(&target_state);
        self.check_files(&target_state);
        let facts = self.facts(&target_state);
        self.decide(policy::decide(&facts));
        let began = self.drive_countdown(&facts, &target_state);
        let ended = self.drive_changeover(&target_state);
        let swapped = self.drive_swap(&target_state);
        explained || began || ended || swapped
    }

    /// If the page does not name its build, assumes that it runs the first release that is seen.
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
        rollout::leave(
            release,
            running,
            self.releases.first_sequence(running),
            self.now,
        )
    }

    fn wanted(&self) -> Option<&BuildRef> {
        rollout::wanted(self.releases.accepted()?, &self.visitor, self.leave())
    }

    /// Whether the release has no manifest, as one made by hand: then nothing is known about its changes.
    fn is_told_without_manifest(&self) -> bool {
        self.wanted()
            .is_some_and(|wanted| wanted.manifest.is_none())
    }

    /// Fetches the manifests of the target build and, as soon as there is a release, of the running one: some hosts serve
    /// it only until the next deploy.
    fn fetch_manifests(&mut self) {
        let target = self
            .wanted()
            .filter(|wanted| Some(&wanted.id) != self.running.best_guess());
        let waits = target.is_some();
        let mut requests: Vec<manifest_cache::ManifestRequest> = target
            .and_then(|target| {
                Some(manifest_cache::ManifestRequest {
                    build: target.id.clone(),
                    path: target.manifest.clone()?,
                    integrity: target.integrity.clone(),
                    need: Need::Vital,
                })
            })
            .into_iter()
            .collect();
        requests.extend(self.own_manifest(waits));
        self.manifests.on_requests(&requests, self.now);
        while let Some((target_state, way)) = self.manifests.poll(self.now, &mut self.rng) {
            let manifest_cache::ManifestRequest {
                build,
                path,
                integrity,
                need: _,
            } = target_state;
            self.perform(match way {
                Way::Usual => Effect::FetchManifest {
                    build,
                    path,
                    integrity,
                },
                Way::Anew => Effect::RefetchManifest {
                    build,
                    path,
                    integrity,
                },
            });
        }
        if (waits || self.chunks.are_open()) && self.listing.poll(self.now) {
            self.perform(Effect::ListLoadedFiles);
        }
    }

    /// The path of the running build's manifest: the one in the release, or the usual one. Not needed when the target build
    /// has no manifest.
    fn own_manifest(&self, is_left: bool) -> Option<manifest_cache::ManifestRequest> {
        let (release, running) = (self.releases.accepted()?, self.running.best_guess()?);
        let otherwise = release
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.otherwise.as_ref());
        let named = [Some(&release.build), otherwise]
            .into_iter()
            .flatten()
            .find(|named| named.id == *running);
        if self.is_told_without_manifest() {
            return None;
        }
        Some(manifest_cache::ManifestRequest {
            build: running.clone(),
            path: named
                .and_then(|named| named.manifest.clone())
                .unwrap_or_else(|| format!("builds/{}.json", running.0)),
            integrity: named.and_then(|named| named.integrity.clone()),
            need: if is_left { Need::Helpful } else { Need::Early },
        })
    }

    pub(super) fn target_state(&self) -> TargetState {
        let Some(release) = self.releases.accepted() else {
            return TargetState::Nothing;
        };
        let Some(wanted) = self
            .wanted()
            .filter(|wanted| Some(&wanted.id) != self.running.best_guess())
        else {
            return TargetState::Nothing;
        };
        let (build, sequence) = (wanted.id.clone(), release.sequence);
        if wanted.manifest.is_none() {
            return TargetState::Ready { build, sequence };
        }
        match self.manifests.find(&build) {
            Lookup::Ready(_) => TargetState::Ready { build, sequence },
            Lookup::Pending => TargetState::Pending { build, sequence },
            Lookup::Missing => TargetState::Missing { build, sequence },
        }
    }

    pub(super) fn facts(&mut self, target_state: &TargetState) -> Facts {
        let changed = match target_state {
            TargetState::Ready { build, .. } => self.changed(build),
            TargetState::Nothing | TargetState::Pending { .. } | TargetState::Missing { .. } => {
                Changed::Pending
            }
        };
        let release = self.releases.accepted();
        let target = match target_state {
            TargetState::Nothing if release.is_none() => Target::NoRelease,
            TargetState::Nothing if self.running.build.is_none() => Target::Assumed,
            TargetState::Nothing => Target::Same,
            TargetState::Pending { .. } => Target::Pending,
            TargetState::Missing { .. } => Target::Unavailable,
            TargetState::Ready { .. } => Target::Other,
        };
        let build = target_state.target().map(|(build, _)| build);
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
            files: self.files_in(target_state),
            reloading: self.changeover.is_some(),
        }
    }

    pub(super) fn had_reload(&self, build: &BuildId) -> bool {
        self.reloads
            .iter()
            .any(|reloads| reloads.target == *build && reloads.count > 0)
    }

    /// Whether `target` differs in files that this page has loaded.
    fn changed(&mut self, target: &BuildId) -> Changed {
        let Some(own) = self.running.best_guess().cloned() else {
            return Changed::Yes;
        };
        if self.is_told_without_manifest() {
            return Changed::Yes;
        }
        match (self.manifests.find(&own), self.manifests.find(target)) {
            (Lookup::Ready(_), Lookup::Ready(_)) => {}
            (Lookup::Pending, _) => return Changed::Pending,
            (Lookup::Ready(_) | Lookup::Missing, _) => return Changed::Yes,
        }
        if let Some(changed) = self.changed_slots(target) {
            return changed;
        }
        if self.listing.files.is_none() {
            return if self.listing.is_awaited(self.now) {
                Changed::Pending
            } else {
                Changed::Yes
            };
        }
        let revision = self.listing.revision;
        let is_known = self.comparison.as_ref().is_some_and(|known| {
            known.revision == revision && known.from == own && known.to == *target
        });
        if !is_known {
            if !self.may_compare(&[&own]) {
                return Changed::Pending;
            }
            self.comparison = self.compare(own, target);
        }
        let touches_the_page =
            (self.comparison.as_ref()).is_none_or(|known| known.touches_the_page);
        if touches_the_page {
            Changed::Yes
        } else {
            Changed::No
        }
    }

    /// Whether builds may be compared in this step. The links of a large one are made in a step before.
    pub(super) fn may_compare(&mut self, builds: &[&BuildId]) -> bool {
        let (work, mut largest) = (&mut self.work, 0);
        for build in builds {
            match self.manifests.link(build, |files| work.allows(files)) {
                Some(files) => largest = largest.max(files),
                None => return false,
            }
        }
        work.allows(largest)
    }

    fn compare(&self, from: BuildId, to: &BuildId) -> Option<Comparison> {
        let Lookup::Ready(target) = self.manifests.find(to) else {
            return None;
        };
        let slots = self.loaded_slots();
        let page = skew::Loaded {
            files: self.listing.files.as_deref()?,
            elements: &self.listing.elements,
            // After a swap, the page has files under the names of the build that it was loaded from.
            complete: self.listing.complete && !self.running.swapped,
            slots: slots.as_deref(),
            root: &self.root,
        };
        let skew = skew::between(self.manifests.graph(&from)?, target, &page);
        Some(Comparison {
            from,
            to: to.clone(),
            revision: self.listing.revision,
            touches_the_page: skew.touches_the_page(),
        })
    }

    fn announce_skew(&mut self, target_state: &TargetState) {
        match target_state {
            TargetState::Nothing => {
                if self.announced_skew.take().is_some() {
                    self.tell(Event::SkewGone);
                }
            }
            TargetState::Ready { build, sequence } => {
                if self.announced_skew.as_ref() != Some(build) {
                    self.announced_skew = Some(build.clone());
                    let from = self.running.build.clone();
                    self.tell(Event::SkewFound {
                        from,
                        to: build.clone(),
                        sequence: *sequence,
                    });
                }
            }
            TargetState::Pending { .. } | TargetState::Missing { .. } => {}
        }
    }

    fn decide(&mut self, decision: Decision) {
        if self.decision != decision {
            self.decision = decision.clone();
            self.tell(Event::DecisionMade { decision });
        }
    }

    fn show(&mut self, facts: &Facts, target_state: &TargetState) {
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
        let holds = self.holds.reasons();
        let shown = match moving {
            // An app that reloads by itself needs no prompt, unless there is something to wait for.
            Some(_) => self.prompt.is_some() || whole && !holds.is_empty(),
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
        let busy = moving.map(|changeover| {
            if changeover.is_draining() && !holds.is_empty() {
                Busy::Holds { reasons: holds }
            } else if changeover.is_renewing() {
                Busy::ServiceWorker
            } else {
                Busy::Reloading
            }
        });
        let keep_shown = if moving.is_some() { !whole } else { pending };
        if let Some(before) = self.prompt.as_ref().filter(|_| keep_shown) {
            // The next release is not whole yet; what was offered before stays.
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

    /// When the decision changes by time alone.
    pub(super) fn next_decision_at(&self) -> Option<(Timestamp, WakeReason)> {
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
