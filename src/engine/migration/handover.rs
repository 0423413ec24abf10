//! In which schema a state is handed to the build that takes the page over.
//!
//! The newer side migrates. A newer build takes what it is given and runs its own `up` steps; an older one has no step
//! that leads down to it, so the build that leaves runs them. When nothing says what the next build reads, the state goes
//! along in several schemas.

use alloc::vec::Vec;

use super::error::MigrationError;
use super::registry::{Loss, Registry};

/// A page that goes back skips few schemas: more of them would be steps run for nothing on every reload.
const SPREAD: usize = 3;

/// What the next build does with a store, as its manifest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taker<'a> {
    pub schema: u32,
    pub reads: &'a [u32],
}

/// The schema, or the schemas, that a state is handed over in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handover {
    /// As it is.
    AsIs,
    /// Taken down to this schema.
    Down { to: u32 },
    /// As it is, and beside it in these older schemas, the nearest first.
    Spread { to: Vec<u32> },
}

impl Registry {
    /// How `store` is handed over to `taker`; `None`: nothing is known about it. Fails when `taker` is older and no
    /// way without a loss leads back to anything that it reads.
    pub fn handover(
        &self,
        store: &str,
        taker: Option<Taker<'_>>,
    ) -> Result<Handover, MigrationError> {
        let own = self.head(store)?;
        let back = |to| self.way_back(store, own, to);
        let Some(taker) = taker else {
            let older = self.schemas(store)?.iter().rev().copied();
            let reached = older.filter(|schema| *schema < own && back(*schema).is_ok());
            return Ok(Handover::Spread {
                to: reached.take(SPREAD).collect(),
            });
        };
        if taker.schema >= own || taker.reads.contains(&own) {
            return Ok(Handover::AsIs);
        }
        let first = back(taker.schema);
        if first.is_ok() {
            return Ok(Handover::Down { to: taker.schema });
        }
        let mut others: Vec<u32> = taker.reads.iter().copied().filter(|to| *to < own).collect();
        others.sort_unstable_by_key(|schema| core::cmp::Reverse(*schema));
        match others.into_iter().find(|to| back(*to).is_ok()) {
            Some(to) => Ok(Handover::Down { to }),
            None => first.map(|()| Handover::AsIs),
        }
    }

    fn way_back(&self, store: &str, from: u32, to: u32) -> Result<(), MigrationError> {
        if !self.schemas(store)?.contains(&to) {
            return Err(self.no_path(store, from, to));
        }
        self.plan(store, from, to, Loss::Refuse).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::migration::{Edge, StepRef, StoreSpec};
    use alloc::{string::ToString, vec};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_newer_build_and_one_that_reads_it_get_a_state_as_it_is() {
        let registry = registry(4, &[(3, 4, Way::Clean)]);
        for (schema, reads) in [(4, &[][..]), (5, &[]), (9, &[8]), (3, &[1, 4])] {
            let taker = Taker { schema, reads };
            assert_eq!(
                registry.handover("draft", Some(taker)).unwrap(),
                Handover::AsIs,
                "{taker:?}"
            );
        }
    }

    #[test]
    fn an_older_build_gets_what_it_works_with_or_the_newest_that_it_reads() {
        let steps = [(1, 2, Way::Clean), (2, 3, Way::Lossy), (2, 4, Way::Clean)];
        let registry = registry(4, &steps);
        for (schema, reads, to) in [
            (2, &[1][..], 2),
            (1, &[], 1),
            (3, &[1, 2], 2),
            (3, &[9, 1], 1),
        ] {
            let taker = Taker { schema, reads };
            assert_eq!(
                registry.handover("draft", Some(taker)).unwrap(),
                Handover::Down { to },
                "{taker:?}"
            );
        }
    }

    #[test]
    fn an_older_build_without_a_way_back_is_an_error_about_the_schema_that_it_works_with() {
        let registry = registry(
            4,
            &[(1, 2, Way::None), (2, 3, Way::Lossy), (3, 4, Way::Clean)],
        );
        for (schema, reads, code, sentence) in [
            (
                1,
                &[1][..],
                "no_path",
                "store \"draft\": no path leads from schema 4 to 1; from 4 the steps reach 2, 3",
            ),
            (
                2,
                &[1],
                "lossy_path",
                "store \"draft\": every path from schema 4 to 2 is lossy, here through 3 -> 2 (down), and a loss is not allowed",
            ),
            (
                0,
                &[],
                "no_path",
                "store \"draft\": no path leads from schema 4 to 0; from 4 the steps reach 2, 3",
            ),
        ] {
            let taker = Taker { schema, reads };
            let error = registry.handover("draft", Some(taker)).unwrap_err();
            assert_eq!((error.code(), error.to_string().as_str()), (code, sentence));
        }
        let error = registry.handover("cart", None).unwrap_err();
        assert_eq!(error.code(), "unknown_store");
    }

    #[test]
    fn when_nothing_is_known_the_three_nearest_schemas_that_a_clean_way_reaches_go_along() {
        let chain: Vec<_> = (1..7).map(|from| (from, from + 1, Way::Clean)).collect();
        let spread = |to: &[u32]| Handover::Spread { to: to.into() };
        assert_eq!(
            registry(7, &chain).handover("draft", None).unwrap(),
            spread(&[6, 5, 4])
        );
        assert_eq!(
            registry(5, &chain).handover("draft", None).unwrap(),
            spread(&[4, 3, 2])
        );
        assert_eq!(
            registry(1, &[]).handover("draft", None).unwrap(),
            spread(&[])
        );
        let steps = [(1, 2, Way::Clean), (2, 3, Way::Lossy), (2, 4, Way::Clean)];
        assert_eq!(
            registry(4, &steps).handover("draft", None).unwrap(),
            spread(&[2, 1])
        );
    }

    #[derive(Clone, Copy)]
    enum Way {
        None,
        Lossy,
        Clean,
    }

    /// Every build whose head is below the last schema knows only the steps up to it.
    fn registry(head: u32, steps: &[(u32, u32, Way)]) -> Registry {
        let mut spec = StoreSpec::new("draft", head);
        spec.reads = Some(vec![head]);
        for (place, (from, to, way)) in (0_u32..).zip(steps) {
            let mut edge = Edge::new(*from, *to, StepRef(2 * place));
            edge.down = (!matches!(way, Way::None)).then_some(StepRef(2 * place + 1));
            edge.lossy_down = matches!(way, Way::Lossy);
            edge.lossy_up = edge.lossy_down;
            spec.edges.push(edge);
        }
        let mut registry = Registry::new();
        registry.register(spec).unwrap();
        registry
    }
}
