//! What a check brings: releases, manifests and failures.

use alloc::string::String;

use super::{Guard, odd};
use crate::{
    engine::{
        check_schedule::Answer,
        excerpt::{discreet, quoted},
        format::ParseError,
        io::{Effect, Event, FetchFailure, Reason},
        manifest::{Manifest, Reading},
        manifest_cache::Way,
        release::Release,
        releases::{Circumstances, Odd, Remembered, Verdict},
        rollout,
        status::Trouble,
    },
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// So many bytes of a manifest are parsed at a time: a few milliseconds on a slow phone.
const SLICE: usize = 64 << 10;

/// The same in a hidden page, where timers fire once a second at most.
const HIDDEN_SLICE: usize = 1 << 20;

impl Guard {
    /// The server or another tab hints at a release.
    pub(super) fn on_sighted(&mut self, sequence: Option<u64>, build: Option<BuildId>) {
        let known = match (sequence, &build) {
            (Some(sequence), _) => self.releases.knows(sequence),
            (None, Some(build)) => self
                .releases
                .accepted()
                .is_some_and(|release| release.build.id == *build),
            (None, None) => false,
        };
        if !known {
            self.checks
                .on_hint(sequence, build, self.now, &mut self.rng);
        }
    }

    pub(super) fn on_release_text(
        &mut self,
        body: &str,
        events: Option<String>,
        date: Option<Timestamp>,
    ) {
        let release = match Release::parse(body) {
            Ok(release) => release,
            Err(error) => {
                let trouble = parse_trouble(&error);
                // Hosts of single-page apps answer with the document when a file is missing.
                if error.code() == "html" {
                    self.advise(&trouble);
                }
                return self.on_check_failed(trouble, None);
            }
        };
        if let Some(trouble) = self.foreign(&release) {
            self.problem(&trouble);
            return self.on_check_failed(trouble, None);
        }
        self.stream.on_url(events);
        let (sequence, build, app) = (
            release.sequence,
            release.build.id.clone(),
            release.app.clone(),
        );
        let wanted = rollout::wanted(&release, &self.visitor, None);
        let about = Circumstances {
            now: self.now,
            date,
            agrees: self.running.build.is_some()
                && wanted.map(|build| &build.id) == self.running.build.as_ref(),
        };
        if let Some(wrong) = self.releases.forget_wrong(&release, about) {
            self.problem(&odd::forgotten(wrong, sequence));
        }
        let before = self
            .releases
            .accepted()
            .and_then(|release| release.app.clone());
        let verdict = self.releases.on_release(release, about);
        if let Some(Remembered { sequence, app, .. }) = self.releases.to_remember() {
            let app = app.unwrap_or_default();
            self.perform(Effect::RememberSequence { sequence, app });
        }
        let trouble = match &verdict {
            Verdict::New | Verdict::Known | Verdict::Corrected(_) => {
                self.tell(Event::ReleaseSeen {
                    sequence,
                    build: build.clone(),
                });
                self.listing.on_stale();
                self.checks.on_accepted(sequence, &build);
                None
            }
            Verdict::Same => {
                self.checks.on_accepted(sequence, &build);
                None
            }
            Verdict::Ignored(odd) => {
                let before = before.as_deref().unwrap_or_default();
                let accepted = self.releases.accepted();
                let accepted = accepted.map_or("", |release| &release.build.id.0);
                Some(odd::ignored(
                    *odd,
                    sequence,
                    (&build.0, accepted),
                    (app.as_deref().unwrap_or_default(), before),
                ))
            }
        };
        let problem = match verdict {
            Verdict::Ignored(Odd::Older { .. }) | Verdict::Same => None,
            Verdict::Ignored(_) => trouble.clone(),
            Verdict::Corrected(odd) => Some(odd::corrected(odd, sequence)),
            Verdict::New | Verdict::Known => {
                let absurd = self.releases.is_absurd(about);
                absurd.then(|| odd::absurd(sequence))
            }
        };
        match problem {
            Some(problem) => self.problem(&problem),
            None if trouble.is_none() => self.last_problem = None,
            None => {}
        }
        self.last_failure = trouble;
        if self.decision.reason == Reason::NothingLoadedChanged {
            // The page may have loaded more files since.
            self.listing.on_stale();
        }
        self.on_look_over(Answer::Read);
    }

    pub(super) fn on_release_failed(
        &mut self,
        failure: &FetchFailure,
        retry_after: Option<Millis>,
    ) {
        let trouble = fetch_trouble("release.json", failure);
        if *failure == (FetchFailure::Status { status: 404 }) {
            self.advise(&trouble);
        }
        self.on_check_failed(trouble, retry_after);
    }

    /// Logs once what to do when there is no release from the start: otherwise a build that was copied to a host without one
    /// would be silent for ever.
    fn advise(&mut self, trouble: &Trouble) {
        if self.is_advised || self.releases.accepted().is_some() {
            return;
        }
        self.is_advised = true;
        let message = format!(
            "changeover: {} at {}, so this page hears of no new build; the Vite plugin, `changeover stamp` and `changeover publish` write that file",
            trouble.message,
            discreet(&self.config.release)
        );
        self.perform(Effect::Advise { message });
    }

    pub(super) fn on_check_failed(&mut self, trouble: Trouble, retry_after: Option<Millis>) {
        self.last_failure = Some(trouble);
        self.on_look_over(Answer::Failed { retry_after });
    }

    fn on_look_over(&mut self, answer: Answer) {
        let now = self.now;
        self.last_check = Some(now);
        self.checks.on_answer(answer, now, &mut self.rng);
        let highest = self.releases.highest();
        self.apply_tabs(|tabs| tabs.on_look_over(highest, now));
    }

    /// A release for another app or channel, with both names.
    fn foreign(&self, release: &Release) -> Option<Trouble> {
        let differs = |code: &str, field: &str, wanted: &Option<String>, found: Option<&String>| {
            wanted
                .as_ref()
                .zip(found)
                .filter(|(wanted, found)| wanted != found)
                .map(|(wanted, found)| Trouble {
                    code: code.into(),
                    message: format!(
                        "release.json is for {field} {}, and this page belongs to {field} {}",
                        quoted(found),
                        quoted(wanted)
                    ),
                })
        };
        differs("wrong_app", "app", &self.config.app, release.app.as_ref()).or_else(|| {
            differs(
                "wrong_channel",
                "channel",
                &self.config.channel,
                Some(&release.channel),
            )
        })
    }

    /// A manifest arrived from the browser's cache, where anything may have changed it, or from the server.
    pub(super) fn on_manifest_text(&mut self, build: &BuildId, body: String, way: Way) {
        match Reading::new(body) {
            Ok(reading) => self.manifests.on_text(build, reading, way),
            Err(error) => self.on_manifest_unread(build, way, parse_trouble(&error)),
        }
    }

    /// Parses the next part of a manifest, with pauses for the page.
    pub(super) fn read_manifests(&mut self) {
        let bytes = if self.tabs.is_visible() {
            SLICE
        } else {
            HIDDEN_SLICE
        };
        self.work.is_spent |= self.manifests.reads_more_than(SLICE);
        while let Some((build, way, read)) = self.manifests.read_on(bytes) {
            let trouble = match read {
                Ok(manifest) if manifest.id == build => {
                    self.on_manifest(&build, manifest);
                    continue;
                }
                Ok(manifest) => wrong_build(&build, &manifest.id),
                Err(error) => parse_trouble(&error),
            };
            self.on_manifest_unread(&build, way, trouble);
        }
    }

    fn on_manifest_unread(&mut self, build: &BuildId, way: Way, trouble: Trouble) {
        match way {
            Way::Usual => self.manifests.on_copy_refused(build, self.now),
            // The browser has cached the new copy.
            Way::Anew => self.on_manifest_failed(build, Way::Anew, trouble),
        }
    }

    fn on_manifest(&mut self, build: &BuildId, manifest: Manifest) {
        if self.running.best_guess() == Some(build) {
            self.app.base = Some(manifest.base.clone());
        }
        self.manifests.on_manifest(build, manifest);
    }

    pub(super) fn on_manifest_failed(&mut self, build: &BuildId, way: Way, trouble: Trouble) {
        if self
            .manifests
            .on_failed(build, way, self.now, &mut self.rng)
        {
            let code = "manifest_unavailable".into();
            self.tell(Event::Problem {
                code,
                message: trouble.message,
            });
        }
    }

    /// Reports a problem once, until another one or none is there.
    fn problem(&mut self, trouble: &Trouble) {
        if self.last_problem.as_ref() != Some(trouble) {
            self.last_problem = Some(trouble.clone());
            self.tell(Event::Problem {
                code: trouble.code.clone(),
                message: trouble.message.clone(),
            });
        }
    }
}

fn wrong_build(build: &BuildId, found: &BuildId) -> Trouble {
    Trouble {
        code: "wrong_build".into(),
        message: format!(
            "{} describes build {}",
            manifest_name(build),
            quoted(&found.0)
        ),
    }
}

pub(super) fn manifest_name(build: &BuildId) -> String {
    format!("the manifest of build {}", build.0)
}

pub(super) fn check_timed_out() -> Trouble {
    fetch_trouble("release.json", &FetchFailure::Timeout)
}

/// A sentence that says why `what` could not be fetched.
pub(super) fn fetch_trouble(what: &str, failure: &FetchFailure) -> Trouble {
    let (code, message) = match failure {
        FetchFailure::Network => (
            "network",
            format!("{what} could not be fetched: no connection"),
        ),
        FetchFailure::Timeout => ("timeout", format!("{what} was not answered in time")),
        FetchFailure::Status { status } => (
            "status",
            format!("{what} was answered with status {}", status),
        ),
        FetchFailure::TooLarge { limit } => (
            "too_large",
            format!("{what} has more than the {} bytes that are read", limit),
        ),
        FetchFailure::Integrity => ("integrity", format!("{what} does not match its integrity")),
        FetchFailure::Length { bytes } => (
            "length",
            format!("{what} has {} bytes, which is not its length", *bytes),
        ),
        FetchFailure::Html => ("html", format!("{what} was answered with a page of HTML")),
        FetchFailure::Redirected { origin } => (
            "redirected",
            format!("{what} was answered by {origin}, another origin, and is not believed"),
        ),
    };
    Trouble {
        code: code.into(),
        message,
    }
}

fn parse_trouble(error: &ParseError) -> Trouble {
    Trouble {
        code: error.code().into(),
        message: error.sentence(),
    }
}
