//! Which build a release selects for one browser.

use super::{
    format,
    release::{BuildRef, How, Release, Rollout},
};
use crate::{
    ids::BuildId,
    rng::{FNV_OFFSET, fnv, scramble},
    time::Timestamp,
};

/// The build that `release` selects for `visitor`; `None`: the running one.
pub fn wanted<'a>(release: &'a Release, visitor: &str, leave: Option<How>) -> Option<&'a BuildRef> {
    match &release.rollout {
        Some(rollout) if !admits(rollout, visitor) => match &rollout.otherwise {
            Some(otherwise) => Some(otherwise),
            // A page that must leave its build gets the new build, since there is no other.
            None => leave.map(|_| &release.build),
        },
        _ => Some(&release.build),
    }
}

/// Whether `visitor` belongs to the percentage. A visitor who is in at 10 % is in at 20 % of the same salt.
pub fn admits(rollout: &Rollout, visitor: &str) -> bool {
    place(&rollout.salt, visitor) < u64::from(rollout.percent) * (PLACES / 100)
}

const PLACES: u64 = 10_000;

/// FNV-1a over both texts, scrambled. It must never change: that would reshuffle every rollout under way.
fn place(salt: &str, visitor: &str) -> u64 {
    let parts = [salt.as_bytes(), &[0], visitor.as_bytes()];
    scramble(parts.into_iter().fold(FNV_OFFSET, fnv)) % PLACES
}

/// Whether and how a page on `build` must leave it. `first_sequence`: the sequence that named the build, when this tab saw it.
pub fn leave(
    release: &Release,
    build: &BuildId,
    first_sequence: Option<u64>,
    now: Timestamp,
) -> Option<How> {
    let retired = release
        .retire
        .iter()
        .filter(|retire| retire.build == *build)
        .map(|retire| {
            let due = retire
                .by
                .as_deref()
                .and_then(format::time)
                .is_some_and(|by| now >= by);
            if due { How::Force } else { retire.how }
        });
    let below_floor = release
        .floor
        .filter(|floor| first_sequence.is_none_or(|first_sequence| first_sequence < *floor))
        .map(|_| How::Drain);
    retired
        .chain(below_floor)
        .max_by_key(|how| matches!(how, How::Force))
}

/// The next moment at which time alone changes what `release` means.
pub fn next_term(release: &Release, now: Timestamp) -> Option<Timestamp> {
    let by = release
        .retire
        .iter()
        .filter_map(|retire| retire.by.as_deref());
    by.chain(release.expires.as_deref())
        .filter_map(format::time)
        .filter(|term| *term > now)
        .min()
}

/// Whether `release` has expired.
pub fn is_expired(release: &Release, now: Timestamp) -> bool {
    release
        .expires
        .as_deref()
        .and_then(format::time)
        .is_some_and(|expires| now >= expires)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::String};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_percentage_admits_about_that_part_and_growing_keeps_who_is_in() {
        let visitors: alloc::vec::Vec<String> = (0..2_000)
            .map(|number| format!("visitor-{number}"))
            .collect();
        let admitted = |percent| {
            let rollout = Rollout {
                percent,
                salt: "s".into(),
                otherwise: None,
            };
            visitors
                .iter()
                .filter(|visitor| admits(&rollout, visitor))
                .collect::<alloc::collections::BTreeSet<_>>()
        };
        assert_eq!(admitted(0).len(), 0);
        assert_eq!(admitted(100).len(), visitors.len());
        let quarter = admitted(25).len();
        assert!((440..=560).contains(&quarter), "{quarter} of 2000");
        assert!(admitted(10).is_subset(&admitted(25)));
    }

    #[test]
    fn the_place_of_a_visitor_never_changes() {
        assert_eq!(
            (
                place("spring", "ada"),
                place("autumn", "ada"),
                place("spring", "bob")
            ),
            PINNED
        );
    }

    /// Written down from the first version.
    const PINNED: (u64, u64, u64) = (2003, 4688, 9562);
}
