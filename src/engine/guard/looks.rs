//! What comes back from looking: releases, manifests, failures, and what failed chunks make of them.

use alloc::{string::String, vec::Vec};

use super::{Guard, decide::Want};
use crate::engine::{
    format::ParseError,
    io::{BuildId, Effect, Event, FetchFailure, LoadKind, Millis, Reason, Timestamp},
    manifest::Manifest,
    recovery,
    release::Release,
    releases::Verdict,
    status::Trouble,
    text::{decimal, join, quoted},
    watch::{Answer, Wish},
};

/// Most failed chunks that are kept and told about at a time; a broken page fails them by the dozen.
const MOST_CHUNKS: usize = 20;

/// The same chunk is told about again after this time at the earliest.
const CHUNK_QUIET: Millis = 10_000;

/// A new build explains the chunks that failed so long before it was seen: about the length of a deploy.
const CHUNK_MEMORY: Millis = 5 * 60 * 1_000;

/// Failed chunks and what is known about them.
#[derive(Debug, Default)]
pub(super) struct ChunkFailures {
    /// They wait for a look to tell whether another build explains them.
    open: Vec<FailedChunk>,
    told: Vec<(FailedChunk, Timestamp)>,
    /// When the last one failed that nothing explained.
    unexplained: Option<Timestamp>,
    /// The build that explains them: it is asked for at once.
    pub(super) explained_by: Option<BuildId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FailedChunk {
    url: Option<String>,
    message: String,
}

impl Guard {
    pub(super) fn on_release_text(&mut self, body: &str, events: Option<String>) {
        let release = match Release::parse(body) {
            Ok(release) => release,
            Err(error) => return self.on_look_failed(parse_trouble(&error), None),
        };
        if let Some(trouble) = self.foreign(&release) {
            self.problem(&trouble);
            return self.on_look_failed(trouble, None);
        }
        self.stream.on_url(events);
        let sequence = release.sequence;
        let build = release.build.id.clone();
        let trouble = match self.releases.on_release(release) {
            verdict @ (Verdict::New | Verdict::Known) => {
                if verdict == Verdict::New {
                    self.perform(Effect::RememberSequence { sequence });
                }
                self.tell(Event::ReleaseSeen {
                    sequence,
                    build: build.clone(),
                });
                self.listing.on_stale();
                self.watch.on_accepted(sequence, &build);
                None
            }
            Verdict::Same => {
                self.watch.on_accepted(sequence, &build);
                None
            }
            Verdict::Older { highest } => Some(Trouble {
                code: "older_release".into(),
                message: join(&[
                    "release.json has sequence ",
                    &decimal(sequence),
                    ", older than ",
                    &decimal(highest),
                    ", which was seen before",
                ]),
            }),
            Verdict::Reused { accepted } => {
                let message = join(&[
                    "release.json has sequence ",
                    &decimal(sequence),
                    " with build ",
                    &quoted(&build.0),
                    ", and the same sequence had build ",
                    &quoted(&accepted.0),
                    " before",
                ]);
                let trouble = Trouble {
                    code: "sequence_reused".into(),
                    message,
                };
                self.problem(&trouble);
                Some(trouble)
            }
        };
        if trouble.is_none() {
            self.last_problem = None;
        }
        self.last_failure = trouble;
        if self.decision.reason == Reason::NothingLoadedChanged {
            // The page may have loaded more since.
            self.listing.on_stale();
        }
        self.on_look_over(Answer::Read);
    }

    pub(super) fn on_look_failed(&mut self, trouble: Trouble, retry_after: Option<Millis>) {
        self.last_failure = Some(trouble);
        self.on_look_over(Answer::Failed { retry_after });
    }

    fn on_look_over(&mut self, answer: Answer) {
        let now = self.now;
        self.last_check = Some(now);
        self.watch.on_answer(answer, now, &mut self.chance);
        let highest = self.releases.highest();
        self.tabs_say(|tabs| tabs.on_look_over(highest, now));
    }

    /// A release for somebody else, with both names.
    fn foreign(&self, release: &Release) -> Option<Trouble> {
        let differs = |code: &str, field: &str, wanted: &Option<String>, found: &String| {
            wanted
                .as_ref()
                .filter(|wanted| *wanted != found)
                .map(|wanted| Trouble {
                    code: code.into(),
                    message: join(&[
                        "release.json is for ",
                        field,
                        " ",
                        &quoted(found),
                        ", and this page belongs to ",
                        field,
                        " ",
                        &quoted(wanted),
                    ]),
                })
        };
        differs("wrong_app", "app", &self.config.app, &release.app).or_else(|| {
            differs(
                "wrong_channel",
                "channel",
                &self.config.channel,
                &release.channel,
            )
        })
    }

    pub(super) fn on_manifest_text(&mut self, build: &BuildId, body: &str) {
        match Manifest::parse(body) {
            Ok(manifest) if manifest.id == *build => {
                if self.running.best_guess() == Some(build) {
                    self.home.base = Some(manifest.base.clone());
                }
                self.shelf.on_manifest(build, manifest);
            }
            Ok(manifest) => {
                let message = join(&[
                    &manifest_name(build),
                    " describes build ",
                    &quoted(&manifest.id.0),
                ]);
                self.on_manifest_failed(
                    build,
                    Trouble {
                        code: "wrong_build".into(),
                        message,
                    },
                );
            }
            Err(error) => self.on_manifest_failed(build, parse_trouble(&error)),
        }
    }

    pub(super) fn on_manifest_failed(&mut self, build: &BuildId, trouble: Trouble) {
        if self.shelf.on_failed(build, self.now, &mut self.chance) {
            let code = "manifest_unavailable".into();
            self.tell(Event::Problem {
                code,
                message: trouble.message,
            });
        }
    }

    pub(super) fn on_load_failed(&mut self, kind: LoadKind, message: String, url: Option<&str>) {
        let Some(failure) = recovery::recognise(kind, &message, url, &self.home) else {
            return;
        };
        let chunk = FailedChunk {
            url: failure.url,
            message,
        };
        let now = self.now;
        self.chunks
            .told
            .retain(|(_, at)| now.0 < at.0.saturating_add(CHUNK_QUIET));
        let told = self.chunks.told.iter().any(|(told, _)| *told == chunk);
        if told || self.chunks.open.contains(&chunk) || self.chunks.open.len() >= MOST_CHUNKS {
            return;
        }
        self.chunks.open.push(chunk);
        self.watch.on_wish(Wish::Chunk, now);
    }

    /// Tells what failed chunks mean, as soon as it is known. Returns whether that changes anything.
    pub(super) fn judge_chunks(&mut self, want: &Want) -> bool {
        let now = self.now;
        let recent = self
            .chunks
            .unexplained
            .is_some_and(|at| now.0 < at.0.saturating_add(CHUNK_MEMORY));
        let explained_by = match want {
            Want::Ready { build, .. } if recent || !self.chunks.open.is_empty() => {
                Some(build.clone())
            }
            // Its manifest says whether the deploy is whole.
            Want::Pending { .. } => return false,
            Want::Ready { .. } | Want::Missing { .. } | Want::Nothing => None,
        };
        let skew = explained_by.is_some();
        let wait = self.chunks.open.is_empty() || self.watch.is_looking();
        if wait && !skew {
            return false;
        }
        if skew {
            self.chunks.unexplained = None;
            self.chunks.explained_by = explained_by;
            self.watch.on_chunk_explained();
        } else {
            self.chunks.unexplained = Some(now);
            self.watch.on_chunk_unexplained(now, &mut self.chance);
        }
        for chunk in core::mem::take(&mut self.chunks.open) {
            if self.chunks.told.len() < MOST_CHUNKS {
                self.chunks.told.push((chunk.clone(), now));
                self.tell(Event::ChunkFailed {
                    url: chunk.url,
                    message: chunk.message,
                    skew,
                });
            }
        }
        skew
    }

    /// Tells a problem once until something else, or nothing, is wrong.
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

pub(super) fn manifest_name(build: &BuildId) -> String {
    join(&["the manifest of build ", &build.0])
}

pub(super) fn look_timed_out() -> Trouble {
    fetch_trouble("release.json", &FetchFailure::Timeout)
}

/// Says in a sentence why `what` could not be had.
pub(super) fn fetch_trouble(what: &str, failure: &FetchFailure) -> Trouble {
    let (code, message) = match failure {
        FetchFailure::Network => (
            "network",
            join(&[what, " could not be fetched: no connection"]),
        ),
        FetchFailure::Timeout => ("timeout", join(&[what, " was not answered in time"])),
        FetchFailure::Status { status } => (
            "status",
            join(&[
                what,
                " was answered with status ",
                &decimal((*status).into()),
            ]),
        ),
        FetchFailure::TooLarge { limit } => (
            "too_large",
            join(&[
                what,
                " has more than the ",
                &decimal((*limit).into()),
                " bytes that are read",
            ]),
        ),
        FetchFailure::Integrity => ("integrity", join(&[what, " does not match its integrity"])),
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
