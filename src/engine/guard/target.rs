//! The build that the release selects for this page, and the manifests that tell what changes.

use alloc::vec::Vec;

use super::Guard;
use crate::{
    engine::{
        changeover::Availability,
        io::Effect,
        manifest_cache::{Lookup, ManifestRequest, Need, Way},
        release::{BuildRef, How},
        rollout,
    },
    ids::BuildId,
};

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
    /// If the page does not name its build, assumes that it runs the first release that is seen.
    pub(super) fn assume_running(&mut self) {
        if self.running.build.is_none()
            && self.running.assumed.is_none()
            && let Some(build) = self.wanted()
        {
            self.running.assumed = Some(build.id.clone());
        }
    }

    /// How the release wants this page to leave its build, if it does.
    pub(super) fn leave(&self) -> Option<How> {
        let (release, running) = (self.releases.accepted()?, self.running.best_guess()?);
        rollout::leave(
            release,
            running,
            self.releases.first_sequence(running),
            self.now,
        )
    }

    /// The build that the release selects for this visitor.
    pub(super) fn wanted(&self) -> Option<&BuildRef> {
        rollout::wanted(self.releases.accepted()?, &self.visitor, self.leave())
    }

    /// Fetches the manifests of the target build and, as soon as there is a release, of the running one: some hosts serve
    /// it only until the next deploy.
    pub(super) fn fetch_manifests(&mut self) {
        let target = self
            .wanted()
            .filter(|wanted| Some(&wanted.id) != self.running.best_guess());
        let waits = target.is_some();
        let mut requests: Vec<ManifestRequest> = target
            .and_then(|target| {
                Some(ManifestRequest {
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
        while let Some((request, way)) = self.manifests.poll(self.now, &mut self.rng) {
            let ManifestRequest {
                build,
                path,
                integrity,
                need: _,
            } = request;
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
    fn own_manifest(&self, is_left: bool) -> Option<ManifestRequest> {
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
        Some(ManifestRequest {
            build: running.clone(),
            path: named
                .and_then(|named| named.manifest.clone())
                .unwrap_or_else(|| format!("builds/{}.json", running.0)),
            integrity: named.and_then(|named| named.integrity.clone()),
            need: if is_left { Need::Helpful } else { Need::Early },
        })
    }

    /// The build that the page should run, and whether its manifest is there.
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

    /// Whether the selected build has no manifest, as in a release made by hand: its changes are unknown.
    pub(super) fn is_told_without_manifest(&self) -> bool {
        self.wanted()
            .is_some_and(|wanted| wanted.manifest.is_none())
    }
}
