//! Whether the target build differs in files that this page has loaded.

use super::Guard;
use crate::{
    engine::{manifest_cache::Lookup, policy::Changed, skew},
    ids::BuildId,
};

/// Builds of up to this many chunks are compared at once.
const LARGE: usize = 500;

/// The result of comparing two builds, kept because large ones take time.
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

impl Guard {
    /// Whether `target` differs in files that this page has loaded.
    pub(super) fn changed(&mut self, target: &BuildId) -> Changed {
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
        if self.listing.known().is_none() {
            return if self.listing.is_awaited(self.now) {
                Changed::Pending
            } else {
                Changed::Yes
            };
        }
        let revision = self.listing.revision();
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
        let (files, elements) = self.listing.known()?;
        let slots = self.loaded_slots();
        let page = skew::Loaded {
            files,
            elements,
            // After a swap, the page has files under the names of the build that it was loaded from.
            complete: self.listing.is_complete() && !self.running.swapped,
            slots: slots.as_deref(),
            root: &self.root,
        };
        let skew = skew::between(self.manifests.graph(&from)?, target, &page);
        Some(Comparison {
            from,
            to: to.clone(),
            revision: self.listing.revision(),
            touches_the_page: skew.touches_the_page(),
        })
    }
}
