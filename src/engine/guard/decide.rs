//! From what is known to a decision and a prompt.

use alloc::{string::String, vec::Vec};

use super::Guard;
use crate::{
    engine::{
        changeover::Availability,
        io::{Busy, Decision, DecisionKind, Effect, Event, Prompt, Reason, Snooze, WakeReason},
        policy::{self, Changed, Facts, Files, Target},
        release::{BuildRef, How, Urgency},
        rollout,
        shelf::{self, Lookup, Need, Way},
        skew,
        text::join,
    },
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// A driver that does not list the loaded files by then never will.
const LISTING_TIMEOUT: Millis = 5_000;

/// So many chunks are compared in no time.
const LARGE: usize = 500;

/// What the release wants of this page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// To stay as it is.
    Nothing,
    /// Another build, whose manifest is on its way.
    Pending { build: BuildId, sequence: u64 },
    /// Another build, whose manifest is not there.
    Missing { build: BuildId, sequence: u64 },
    /// Another build, whose manifest was read, or that has none.
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

/// A comparison of two builds, kept because it takes time for large ones.
#[derive(Debug)]
pub(super) struct Comparison {
    from: BuildId,
    to: BuildId,
    revision: u64,
    touches_the_page: bool,
}

/// What one step may do: a page is kept from its own work by one large thing at a time at most.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// A large part was done in this step.
    pub(super) is_spent: bool,
    /// Another is left for the next.
    pub(super) is_put_off: bool,
}

impl Work {
    /// Whether something may be done with so many chunks now; else it is put off to the next step.
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

    /// The list should be asked for again; the old one serves meanwhile.
    pub(super) fn on_stale(&mut self) {
        self.stale = true;
        self.asked = None;
    }

    /// The files and the elements, once they were told.
    pub(super) fn known(&self) -> Option<(&[String], &[String])> {
        Some((self.files.as_deref()?, &self.elements))
    }

    /// The first list is on its way.
    pub(super) fn is_awaited(&self, now: Timestamp) -> bool {
        let asked = self.asked.filter(|_| self.files.is_none());
        asked.is_some_and(|asked| now.0 < asked.0.saturating_add(LISTING_TIMEOUT))
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
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
        self.check_files(&want);
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

    /// Whether the release was made by hand, without a manifest: then what it changes is not known.
    fn is_told_without_manifest(&self) -> bool {
        self.wanted()
            .is_some_and(|wanted| wanted.manifest.is_none())
    }

    /// Asks for the manifests of the build that is wanted and, as soon as there is a release, of the one that runs: a host
    /// that is made anew by each deploy has it only until then.
    fn fetch_what_is_wanted(&mut self) {
        let target = self
            .wanted()
            .filter(|wanted| Some(&wanted.id) != self.running.best_guess());
        let waits = target.is_some();
        let mut wants: Vec<shelf::Want> = target
            .and_then(|target| {
                Some(shelf::Want {
                    build: target.id.clone(),
                    path: target.manifest.clone()?,
                    integrity: target.integrity.clone(),
                    need: Need::Vital,
                })
            })
            .into_iter()
            .collect();
        wants.extend(self.own_manifest(waits));
        self.shelf.on_wanted(&wants, self.now);
        while let Some((want, way)) = self.shelf.poll(self.now, &mut self.rng) {
            let shelf::Want {
                build,
                path,
                integrity,
                need: _,
            } = want;
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

    /// Where the manifest of the running build is: where the release says, or where it always is. It is of no use when the
    /// build that is wanted has none.
    fn own_manifest(&self, is_left: bool) -> Option<shelf::Want> {
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
        Some(shelf::Want {
            build: running.clone(),
            path: named
                .and_then(|named| named.manifest.clone())
                .unwrap_or_else(|| join(&["builds/", &running.0, ".json"])),
            integrity: named.and_then(|named| named.integrity.clone()),
            need: if is_left { Need::Helpful } else { Need::Early },
        })
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
        if wanted.manifest.is_none() {
            return Want::Ready { build, sequence };
        }
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
            files: self.files_in(want),
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
        let Some(own) = self.running.best_guess().cloned() else {
            return Changed::Yes;
        };
        if self.is_told_without_manifest() {
            return Changed::Yes;
        }
        match (self.shelf.find(&own), self.shelf.find(target)) {
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

    /// Whether builds may be gone through in this step, side by side. What the files of a large one ask for is looked up in
    /// a step before.
    pub(super) fn may_compare(&mut self, builds: &[&BuildId]) -> bool {
        let (work, mut largest) = (&mut self.work, 0);
        for build in builds {
            match self.shelf.link(build, |files| work.allows(files)) {
                Some(files) => largest = largest.max(files),
                None => return false,
            }
        }
        work.allows(largest)
    }

    fn compare(&self, from: BuildId, to: &BuildId) -> Option<Comparison> {
        let Lookup::Ready(target) = self.shelf.find(to) else {
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
        let skew = skew::between(self.shelf.graph(&from)?, target, &page);
        Some(Comparison {
            from,
            to: to.clone(),
            revision: self.listing.revision,
            touches_the_page: skew.touches_the_page(),
        })
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
            Reason::ManifestPending
                | Reason::ManifestUnavailable
                | Reason::FilesPending
                | Reason::TargetNotReady
        );
        let whole = matches!(want, Want::Ready { .. }) && facts.files == Files::Ready;
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
            } else if changeover.is_renewing() {
                Busy::ServiceWorker
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
