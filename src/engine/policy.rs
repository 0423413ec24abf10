//! The policy: from the facts to one decision with its reason. A pure table, read from top to bottom.

use super::{
    io::{Decision, DecisionKind, Reason},
    release::{How, Urgency},
};

/// All that the decision depends on.
#[derive(Clone, Debug)]
pub struct Facts {
    pub target: Target,
    pub changed: Changed,
    pub urgency: Urgency,
    /// The running build must be left.
    pub leave: Option<How>,
    pub chunk_failed: bool,
    pub expired: bool,
    pub rollback: bool,
    pub snoozed: bool,
    /// This tab was already reloaded for the target and still runs another build.
    pub reload_did_not_take: bool,
    pub reloading: bool,
    /// The files that a refresh would load.
    pub files: Files,
}

/// What the release asks of this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    NoRelease,
    /// The page does not name its build; it is assumed to run the first release.
    Assumed,
    Same,
    /// Another build, whose manifest is not read yet.
    Pending,
    /// Another build, whose manifest is missing: the deploy may be half done.
    Unavailable,
    /// Another build.
    Other,
}

/// Whether the files that a refresh would load are available and intact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    Ready,
    Pending,
    Wrong,
}

/// Whether the target differs in files that this page has loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Not known yet.
    Pending,
    /// It differs, or that is unknown.
    Yes,
    No,
    /// Only in slots, which can be swapped in the open page.
    Slots,
    /// Only in slots, but the new code is unavailable for now, or the page was too slow for it.
    Paused,
    /// The new code was tried in this page and failed.
    Broke,
}

/// What to do, and why.
pub fn decide(facts: &Facts) -> Decision {
    use DecisionKind::{Ignore, Prompt, Reload, Swap, Wait};
    let (kind, reason) = if facts.reloading {
        (Reload, Reason::Reloading)
    } else {
        match facts.target {
            Target::NoRelease => (Ignore, Reason::NoReleaseYet),
            Target::Assumed => (Ignore, Reason::UnknownRunningBuild),
            Target::Same => (Ignore, Reason::SameBuild),
            Target::Pending => (Wait, Reason::ManifestPending),
            Target::Unavailable => (Wait, Reason::ManifestUnavailable),
            // A swap disturbs the user least, whatever the urgency.
            Target::Other if facts.changed == Changed::Slots => (Swap, Reason::SlotsChanged),
            Target::Other if facts.reload_did_not_take && !(facts.snoozed && may_wait(facts)) => {
                (Prompt, Reason::ReloadDidNotTake)
            }
            Target::Other if facts.chunk_failed => (Prompt, Reason::ChunkFailed),
            Target::Other if !may_wait(facts) => (Prompt, stale_or(facts, urgent(facts))),
            Target::Other if facts.snoozed => (Wait, Reason::Snoozed),
            Target::Other if facts.leave.is_some() => (Prompt, stale_or(facts, Reason::Retired)),
            Target::Other => match facts.changed {
                Changed::Pending => (Wait, Reason::ManifestPending),
                Changed::No => (Ignore, Reason::NothingLoadedChanged),
                Changed::Slots => (Swap, Reason::SlotsChanged),
                Changed::Paused => (Wait, Reason::SwapPaused),
                Changed::Broke => (Wait, Reason::BadBuild),
                Changed::Yes if facts.rollback => (Prompt, stale_or(facts, Reason::Rollback)),
                Changed::Yes => (Prompt, stale_or(facts, Reason::NewBuild)),
            },
        }
    };
    // The user is not asked for a refresh that would fail.
    let (kind, reason) = match (kind, facts.files) {
        (Prompt, Files::Pending) => (Wait, Reason::FilesPending),
        (Prompt, Files::Wrong) => (Wait, Reason::TargetNotReady),
        (Ignore | Wait | Swap | Prompt | Reload, _) => (kind, reason),
    };
    Decision { kind, reason }
}

/// Whether the user may postpone it.
pub fn may_wait(facts: &Facts) -> bool {
    facts.urgency != Urgency::Now && facts.leave != Some(How::Force)
}

/// Whether the page may reload by itself, after a countdown.
pub fn may_act(facts: &Facts) -> bool {
    !may_wait(facts) && !facts.expired && !facts.reload_did_not_take
}

fn urgent(facts: &Facts) -> Reason {
    if facts.leave == Some(How::Force) {
        Reason::Retired
    } else {
        Reason::Urgent
    }
}

fn stale_or(facts: &Facts, reason: Reason) -> Reason {
    if facts.expired {
        Reason::Expired
    } else {
        reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// A routine release of another build that changes what the page has loaded.
    const PLAIN: Facts = Facts {
        target: Target::Other,
        changed: Changed::Yes,
        urgency: Urgency::Routine,
        leave: None,
        chunk_failed: false,
        expired: false,
        rollback: false,
        snoozed: false,
        reload_did_not_take: false,
        reloading: false,
        files: Files::Ready,
    };

    #[test]
    fn every_reason_has_its_row_and_what_weighs_more_wins() {
        use DecisionKind::{Ignore, Prompt, Reload, Swap, Wait};
        let urgent = Facts {
            urgency: Urgency::Now,
            ..PLAIN
        };
        let forced = Facts {
            leave: Some(How::Force),
            ..PLAIN
        };
        let drained = Facts {
            leave: Some(How::Drain),
            ..PLAIN
        };
        let unseen = Facts {
            changed: Changed::No,
            ..PLAIN
        };
        for (facts, kind, reason) in [
            (
                Facts {
                    target: Target::NoRelease,
                    ..PLAIN
                },
                Ignore,
                Reason::NoReleaseYet,
            ),
            (
                Facts {
                    target: Target::Assumed,
                    ..PLAIN
                },
                Ignore,
                Reason::UnknownRunningBuild,
            ),
            (
                Facts {
                    target: Target::Same,
                    ..urgent.clone()
                },
                Ignore,
                Reason::SameBuild,
            ),
            (
                Facts {
                    target: Target::Pending,
                    ..urgent.clone()
                },
                Wait,
                Reason::ManifestPending,
            ),
            (
                Facts {
                    target: Target::Unavailable,
                    ..urgent.clone()
                },
                Wait,
                Reason::ManifestUnavailable,
            ),
            (
                Facts {
                    reloading: true,
                    ..urgent.clone()
                },
                Reload,
                Reason::Reloading,
            ),
            (PLAIN, Prompt, Reason::NewBuild),
            (
                Facts {
                    files: Files::Pending,
                    ..urgent.clone()
                },
                Wait,
                Reason::FilesPending,
            ),
            (
                Facts {
                    files: Files::Wrong,
                    chunk_failed: true,
                    ..PLAIN
                },
                Wait,
                Reason::TargetNotReady,
            ),
            (
                Facts {
                    files: Files::Wrong,
                    ..unseen.clone()
                },
                Ignore,
                Reason::NothingLoadedChanged,
            ),
            (
                Facts {
                    changed: Changed::Pending,
                    ..PLAIN
                },
                Wait,
                Reason::ManifestPending,
            ),
            (unseen.clone(), Ignore, Reason::NothingLoadedChanged),
            (
                Facts {
                    changed: Changed::Slots,
                    snoozed: true,
                    reload_did_not_take: true,
                    ..urgent.clone()
                },
                Swap,
                Reason::SlotsChanged,
            ),
            (
                Facts {
                    changed: Changed::Paused,
                    ..PLAIN
                },
                Wait,
                Reason::SwapPaused,
            ),
            (
                Facts {
                    changed: Changed::Broke,
                    ..PLAIN
                },
                Wait,
                Reason::BadBuild,
            ),
            (
                Facts {
                    changed: Changed::Broke,
                    ..urgent.clone()
                },
                Prompt,
                Reason::Urgent,
            ),
            (
                Facts {
                    snoozed: true,
                    ..PLAIN
                },
                Wait,
                Reason::Snoozed,
            ),
            (
                Facts {
                    snoozed: true,
                    ..urgent.clone()
                },
                Prompt,
                Reason::Urgent,
            ),
            (
                Facts {
                    snoozed: true,
                    ..forced.clone()
                },
                Prompt,
                Reason::Retired,
            ),
            (
                Facts {
                    snoozed: true,
                    ..drained.clone()
                },
                Wait,
                Reason::Snoozed,
            ),
            (
                Facts {
                    changed: Changed::No,
                    ..drained
                },
                Prompt,
                Reason::Retired,
            ),
            (
                Facts {
                    changed: Changed::No,
                    ..urgent.clone()
                },
                Prompt,
                Reason::Urgent,
            ),
            (
                Facts {
                    chunk_failed: true,
                    snoozed: true,
                    ..unseen.clone()
                },
                Prompt,
                Reason::ChunkFailed,
            ),
            (
                Facts {
                    rollback: true,
                    ..PLAIN
                },
                Prompt,
                Reason::Rollback,
            ),
            (
                Facts {
                    expired: true,
                    ..urgent.clone()
                },
                Prompt,
                Reason::Expired,
            ),
            (
                Facts {
                    expired: true,
                    rollback: true,
                    ..PLAIN
                },
                Prompt,
                Reason::Expired,
            ),
            (
                Facts {
                    expired: true,
                    ..unseen.clone()
                },
                Ignore,
                Reason::NothingLoadedChanged,
            ),
            (
                Facts {
                    reload_did_not_take: true,
                    ..unseen
                },
                Prompt,
                Reason::ReloadDidNotTake,
            ),
            (
                Facts {
                    reload_did_not_take: true,
                    snoozed: true,
                    ..PLAIN
                },
                Wait,
                Reason::Snoozed,
            ),
            (
                Facts {
                    reload_did_not_take: true,
                    snoozed: true,
                    ..urgent.clone()
                },
                Prompt,
                Reason::ReloadDidNotTake,
            ),
        ] {
            assert_eq!(decide(&facts), Decision { kind, reason }, "{facts:?}");
        }
        assert!(may_act(&urgent) && may_act(&forced) && !may_act(&PLAIN));
        assert!(!may_act(&Facts {
            expired: true,
            ..urgent.clone()
        }));
        assert!(!may_act(&Facts {
            reload_did_not_take: true,
            ..urgent
        }));
    }
}
