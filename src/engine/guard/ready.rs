//! Whether the files that a refresh would load are available.
//!
//! A refresh that gets a truncated file, a 404 or an HTML page destroys a working page, and if a cache keeps that answer,
//! it breaks all pages of the browser. So before the page asks for a refresh, or reloads by itself, the files that the new
//! document loads at once are fetched and compared with the manifest; a wrong file is checked again until it is right.
//!
//! A host that rewrites scripts never serves what a manifest says. There the running code differs from its own manifest as
//! well, which is checked once something is wrong; then nothing is delayed.

use alloc::{string::String, vec::Vec};

use super::{Guard, checks::fetch_trouble, target::TargetState};
use crate::{
    engine::{
        changeover::Availability,
        excerpt::quoted,
        io::{DecisionKind, Effect, Event, FetchFailure, WakeReason, WrongFile},
        manifest::Chunk,
        manifest_cache::Lookup,
        policy::{self, Facts, Files},
        skew,
        slots::Fetch,
    },
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// Most bytes that are checked: several times the size of an app's entry. What would come after that is not checked.
const MOST_BYTES: u64 = 8 << 20;

/// Most files that are checked.
const MOST_FILES: usize = 100;

/// Before the second check; doubled each time.
const PAUSE: Millis = 10_000;

/// Longest time between two checks.
const LONGEST_PAUSE: Millis = 5 * 60 * 1_000;

/// Time limit for the driver's answer, which gives up after a minute itself.
const TIMEOUT: Millis = 75_000;

/// Longest delay for a page in which a chunk has failed, or which must leave its build: after that, a refresh that may fail
/// is better than none.
const RESCUE: Millis = 60_000;

/// What is known of the files of one build.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    build: Option<BuildId>,
    state: State,
    tries: u32,
    is_told: bool,
    /// A prompt or a reload waits for the answer.
    is_asked: bool,
    /// Since when a page that needs the refresh is delayed.
    rescue: Option<Timestamp>,
    /// The host rewrites files.
    is_altered: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    New,
    Asked {
        since: Timestamp,
    },
    /// Something was wrong; the files of the running build are checked for comparison.
    Comparing {
        since: Timestamp,
        build: BuildId,
        wrong: WrongFile,
    },
    Wrong {
        until: Timestamp,
    },
    Whole,
}

impl Readiness {
    /// Checks now what was wrong, as if for the first time.
    pub(super) fn retry_now(&mut self, now: Timestamp) {
        self.tries = 0;
        if let State::Wrong { until } = &mut self.state {
            *until = now;
        }
    }

    /// Whether an answer is pending that a prompt or a reload depends on.
    pub(super) fn is_checking(&self) -> bool {
        self.is_asked && matches!(self.state, State::Asked { .. } | State::Comparing { .. })
    }

    /// Whether the files of `build` are ready.
    fn of(&self, build: &BuildId, now: Timestamp) -> Availability {
        if self.is_altered {
            return Availability::Ready;
        }
        if self.build.as_ref() != Some(build) {
            return Availability::Pending;
        }
        let rescued = self.rescue.is_some_and(|since| now >= after(since, RESCUE));
        match self.state {
            State::Whole => Availability::Ready,
            _ if rescued => Availability::Ready,
            State::New | State::Asked { .. } | State::Comparing { .. } if self.tries == 0 => {
                Availability::Pending
            }
            // A wrong file counts as wrong until it is found to be right.
            State::New | State::Asked { .. } | State::Comparing { .. } | State::Wrong { .. } => {
                Availability::Missing
            }
        }
    }

    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let look = match self.state {
            State::Asked { since } | State::Comparing { since, .. } => Some(after(since, TIMEOUT)),
            State::Wrong { until } if self.is_asked => Some(until),
            State::New | State::Wrong { .. } | State::Whole => None,
        };
        let rescue = self.rescue.filter(|_| self.is_asked);
        let rescue = rescue.map(|since| after(since, RESCUE));
        let moments = [look, rescue].into_iter().flatten();
        moments.filter(|at| *at > now).min()
    }
}

impl Guard {
    pub(super) fn files_of(&self, target_state: &TargetState) -> Availability {
        match target_state {
            TargetState::Ready { build, .. } => self.ready.of(build, self.now),
            TargetState::Nothing | TargetState::Pending { .. } | TargetState::Missing { .. } => {
                Availability::Ready
            }
        }
    }

    pub(super) fn files_in(&self, target_state: &TargetState) -> Files {
        match self.files_of(target_state) {
            Availability::Ready => Files::Ready,
            Availability::Pending => Files::Pending,
            Availability::Missing => Files::Wrong,
        }
    }

    /// Checks the files of the build that a refresh would load.
    pub(super) fn check_files(&mut self, target_state: &TargetState) {
        let facts = Facts {
            files: Files::Ready,
            reloading: false,
            ..self.facts(target_state)
        };
        let TargetState::Ready { build, .. } = target_state else {
            self.ready.is_asked = false;
            return;
        };
        let asks = policy::decide(&facts).kind == DecisionKind::Prompt;
        self.ready.is_asked = asks || self.changeover.is_some();
        if !self.ready.is_asked || self.ready.is_altered {
            return;
        }
        let now = self.now;
        if self.ready.build.as_ref() != Some(build) {
            self.ready = Readiness {
                build: Some(build.clone()),
                is_asked: true,
                ..Readiness::default()
            };
        }
        let must = asks && (facts.chunk_failed || !policy::may_wait(&facts));
        self.ready.rescue = self.ready.rescue.or(Some(now)).filter(|_| must);
        match self.ready.state {
            State::New if self.online => self.ask_for_files(build),
            State::Wrong { until } if now >= until && self.online => self.ask_for_files(build),
            State::Asked { since } | State::Comparing { since, .. }
                if now >= after(since, TIMEOUT) =>
            {
                self.ready.state = State::Whole;
            }
            State::New
            | State::Asked { .. }
            | State::Comparing { .. }
            | State::Wrong { .. }
            | State::Whole => {}
        }
    }

    fn ask_for_files(&mut self, build: &BuildId) {
        let running = self.running.best_guess();
        let comes = running.is_some_and(|own| matches!(self.manifests.find(own), Lookup::Pending));
        let is_listed = matches!(self.manifests.find(build), Lookup::Ready(_));
        if is_listed && (comes || self.listing.is_awaited(self.now)) {
            return;
        }
        if let Some(own) = running.cloned()
            && is_listed
            && !self.may_compare(&[&own, build])
        {
            return;
        }
        // A release without a manifest, or a page whose files have unknown addresses.
        let Some((base, files)) = self.files_to_check(build) else {
            self.ready.state = State::Whole;
            return;
        };
        self.ready.state = State::Asked { since: self.now };
        self.perform(Effect::CheckFiles {
            build: build.clone(),
            base,
            files,
        });
    }

    fn files_to_check(&self, build: &BuildId) -> Option<(String, Vec<Fetch>)> {
        let running = self.manifests.graph(self.running.best_guess()?)?;
        let target = self.manifests.graph(build)?;
        let needed = skew::needed(running, target, &self.page()?)?;
        Some((needed.base, some_of(needed.files)?))
    }

    /// Files of the running build that no deploy has replaced since.
    fn files_to_compare(&self, build: &BuildId) -> Option<(BuildId, String, Vec<Fetch>)> {
        let running = self.manifests.graph(self.running.best_guess()?)?;
        let Lookup::Ready(target) = self.manifests.find(build) else {
            return None;
        };
        let mut needed = skew::needed(running, running, &self.page()?)?;
        needed.files.retain(|(path, chunk)| {
            let other = target.chunks.get(path.as_str());
            other.is_none_or(|other| other.integrity == chunk.integrity)
        });
        let own = running.build.id.clone();
        Some((own, needed.base, some_of(needed.files)?))
    }

    /// What is known of the files that this page has loaded.
    pub(super) fn page(&self) -> Option<skew::Loaded<'_>> {
        let (files, elements) = self.listing.known()?;
        Some(skew::Loaded {
            files,
            elements,
            complete: self.listing.is_complete(),
            slots: None,
            root: &self.root,
        })
    }

    pub(super) fn on_files_checked(&mut self, checked: &BuildId, wrong: Option<WrongFile>) {
        let Some(build) = self.ready.build.clone() else {
            return;
        };
        match (core::mem::take(&mut self.ready.state), wrong) {
            (State::Asked { .. }, None) if *checked == build => self.ready.state = State::Whole,
            (State::Asked { .. }, Some(wrong)) if *checked == build => {
                let is_other = is_other(&wrong.failure) && self.ready.tries == 0;
                match self.files_to_compare(&build).filter(|_| is_other) {
                    Some((own, base, files)) => {
                        self.ready.state = State::Comparing {
                            since: self.now,
                            build: own.clone(),
                            wrong,
                        };
                        self.perform(Effect::CheckFiles {
                            build: own,
                            base,
                            files,
                        });
                    }
                    None => self.on_wrong_file(&build, &wrong),
                }
            }
            (State::Comparing { build: own, .. }, Some(same))
                if *checked == own && is_other(&same.failure) =>
            {
                self.ready.is_altered = true;
                let message = format!(
                    "{}{}",
                    same.file,
                    ", which this page runs, is not what the manifest of its build says: the host rewrites files, so that \
                     nothing can tell whether those of a new build are whole"
                );
                self.tell(Event::Problem {
                    code: "files_altered".into(),
                    message,
                });
            }
            (
                State::Comparing {
                    build: own, wrong, ..
                },
                _,
            ) if *checked == own => {
                self.on_wrong_file(&build, &wrong);
            }
            // The answer to an earlier check.
            (state, _) => self.ready.state = state,
        }
    }

    fn on_wrong_file(&mut self, build: &BuildId, wrong: &WrongFile) {
        let span = PAUSE.saturating_mul(1 << self.ready.tries.min(10));
        let span = self.rng.jittered(span.min(LONGEST_PAUSE));
        self.ready.tries = self.ready.tries.saturating_add(1);
        self.ready.state = State::Wrong {
            until: after(self.now, span),
        };
        if !core::mem::replace(&mut self.ready.is_told, true) {
            let what = format!("{} of build {}", wrong.file, quoted(&build.0));
            let message = fetch_trouble(&what, &wrong.failure).message;
            self.tell(Event::Problem {
                code: "target_not_ready".into(),
                message: format!("{message}; no refresh is asked for before it is right"),
            });
        }
    }

    pub(super) fn next_in_files(&self) -> Option<(Timestamp, WakeReason)> {
        Some((self.ready.next(self.now)?, WakeReason::Files))
    }
}

/// Whether the file arrived with other content than it should have.
fn is_other(failure: &FetchFailure) -> bool {
    matches!(
        failure,
        FetchFailure::Integrity | FetchFailure::Length { .. }
    )
}

/// The files that are checked, up to the limits; `None` when there are no such files.
fn some_of(files: Vec<(&String, &Chunk)>) -> Option<Vec<Fetch>> {
    let mut rest = MOST_BYTES;
    let files = files.into_iter().filter(|(_, chunk)| {
        let fits = chunk.size <= rest;
        rest -= if fits { chunk.size } else { 0 };
        fits
    });
    let files = files.take(MOST_FILES).map(|(file, chunk)| Fetch {
        file: file.clone(),
        integrity: chunk.integrity.clone(),
        size: chunk.size,
        kind: chunk.kind,
    });
    let files: Vec<Fetch> = files.collect();
    (!files.is_empty()).then_some(files)
}

fn after(since: Timestamp, span: Millis) -> Timestamp {
    Timestamp(since.0.saturating_add(span))
}
