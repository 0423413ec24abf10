//! What a page reaches: a server that answers as it is told to, and a driver that does.

use std::collections::BTreeMap;

use changeover::{
    engine::{
        io::{Effect, FetchFailure, Input, WorkerOutcome, WrongFile},
        manifest::Manifest,
        release::Release,
        slots::{Answer as SwapAnswer, Fetch, Step},
    },
    time::Timestamp,
};

use super::words::name_of;

/// How long the server takes to answer.
const LATENCY: u64 = 20;

/// What the page reaches over the network, and what its driver finds in the page.
pub struct Server {
    pub release: Answer,
    pub manifests: BTreeMap<String, Answer>,
    /// Copies that the browser has kept, by build.
    pub kept: BTreeMap<String, String>,
    pub events: Option<String>,
    pub date: Option<Timestamp>,
    /// What the browser noted as loaded.
    pub loaded: Vec<String>,
    /// Whether the browser had room for everything that was loaded.
    pub complete: bool,
    /// What is wrong with files, by path.
    pub wrong: BTreeMap<String, FetchFailure>,
    pub document: Option<FetchFailure>,
    pub document_is_ours: bool,
    /// What becomes of the next version of the service worker.
    pub worker: WorkerOutcome,
    pub state: Result<(), String>,
    /// What the next step of a swap by this name is answered with, instead of success; `None`: nothing.
    pub swap: Vec<(&'static str, Option<SwapAnswer>)>,
    /// The driver does not answer these at all, by the name of the effect.
    pub silent: Vec<&'static str>,
    pub looks: Vec<u64>,
}

#[derive(Clone)]
pub enum Answer {
    Body(String),
    Fails(FetchFailure),
    RetryAfter(u16, u64),
    /// Nothing ever comes back.
    Never,
}

impl Server {
    pub fn publishes(&mut self, release: Release) {
        self.release = Answer::Body(release.to_json());
    }

    pub fn has(&mut self, manifest: Manifest) {
        self.manifests
            .insert(manifest.id.0.clone(), Answer::Body(manifest.to_json()));
    }

    pub fn answers(&mut self, effect: Effect, now: u64, inbox: &mut Vec<(u64, Input)>) {
        let failed = |failure, retry_after| Input::ReleaseFailed {
            failure,
            retry_after,
        };
        let answer = match effect {
            Effect::FetchRelease => match self.release.clone() {
                Answer::Body(body) => Input::ReleaseFetched {
                    body,
                    events: self.events.clone(),
                    date: self.date,
                },
                Answer::Fails(failure) => failed(failure, None),
                Answer::RetryAfter(status, pause) => {
                    failed(FetchFailure::Status { status }, Some(pause))
                }
                Answer::Never => return,
            },
            Effect::FetchManifest { build, .. } if self.kept.contains_key(&build.0) => {
                let body = self.kept[&build.0].clone();
                Input::ManifestKept { build, body }
            }
            Effect::FetchManifest { build, .. } | Effect::RefetchManifest { build, .. } => {
                match self.manifests.get(&build.0).cloned() {
                    Some(Answer::Body(body)) => Input::ManifestFetched { build, body },
                    Some(Answer::Fails(failure)) => Input::ManifestFailed { build, failure },
                    Some(Answer::RetryAfter(status, _)) => Input::ManifestFailed {
                        build,
                        failure: FetchFailure::Status { status },
                    },
                    Some(Answer::Never) => return,
                    None => Input::ManifestFailed {
                        build,
                        failure: FetchFailure::Status { status: 404 },
                    },
                }
            }
            Effect::ListLoadedFiles => Input::LoadedFilesListed {
                files: self.loaded.clone(),
                elements: Vec::new(),
                complete: self.complete,
            },
            Effect::CheckFiles { build, files, .. } => {
                let wrong = files.into_iter().find_map(|Fetch { file, .. }| {
                    let failure = self.wrong.get(&file)?.clone();
                    Some(WrongFile { file, failure })
                });
                Input::FilesChecked { build, wrong }
            }
            Effect::ProbeDocument => Input::DocumentProbed {
                failure: self.document.clone(),
                ours: self.document_is_ours,
            },
            Effect::RenewWorker { changeover } => Input::WorkerRenewed {
                changeover,
                outcome: self.worker,
            },
            Effect::CaptureState { .. } => match self.state.clone() {
                Ok(()) => Input::StateSaved,
                Err(message) => Input::StateSaveFailed { message },
            },
            Effect::RestoreState => Input::StateRestored {
                restored: vec!["draft".into()],
                failed: vec![],
            },
            Effect::TakeSwapStep {
                changeover,
                round,
                step,
                ..
            } => {
                let planned = self
                    .swap
                    .iter()
                    .position(|(name, _)| *name == name_of(&step));
                let answer = match planned {
                    Some(place) => self.swap.remove(place).1,
                    None => done(&step),
                };
                match answer {
                    Some(answer) => Input::SwapAnswered {
                        changeover,
                        round,
                        answer,
                    },
                    None => return,
                }
            }
            Effect::OpenStream { .. }
            | Effect::CloseStream
            | Effect::JoinElection
            | Effect::LeaveElection
            | Effect::TellPeers { .. }
            | Effect::RememberSequence { .. }
            | Effect::RememberReload { .. }
            | Effect::RememberSnooze { .. }
            | Effect::Advise { .. }
            | Effect::DiscardSwap { .. }
            | Effect::MarkEnvelope { .. }
            | Effect::Reload => return,
        };
        inbox.push((now + LATENCY, answer));
    }
}

/// What a page answers to a step of a swap when all is well; watching is answered only by trouble.
fn done(step: &Step) -> Option<SwapAnswer> {
    Some(match step {
        Step::Fetch { .. } => SwapAnswer::Fetched,
        Step::Import { .. } => SwapAnswer::Imported,
        Step::AwaitQuiet { .. } => SwapAnswer::Quiet,
        Step::Snapshot { .. } => SwapAnswer::Snapshotted,
        Step::Migrate { .. } => SwapAnswer::Migrated,
        Step::Mount { .. } => SwapAnswer::Mounted,
        Step::Switch { .. } => SwapAnswer::Switched,
        Step::Watch { .. } => return None,
        Step::Commit { .. } => SwapAnswer::Committed,
        Step::RollBack { .. } => SwapAnswer::RolledBack,
    })
}
