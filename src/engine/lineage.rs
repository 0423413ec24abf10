//! Where a schema comes from: the registered steps that lead to it, each with a hash of its content.
//!
//! A schema number alone does not say what it names: two branches may both have built a "schema 7". So the steps that
//! lead to a schema travel with everything stored in it, and the build that reads it compares them with its own.
//!
//! Compared are steps, not one hash over all of them: a build that no longer registers its oldest steps, or that has
//! added a shortcut, still means the same by the schemas in between.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{excerpt::quoted, format::MAX_SAFE_INTEGER};
use crate::rng::{FNV_OFFSET, fnv, hexadecimal};

/// One registered step as it travels with stored values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    pub from: u32,
    pub to: u32,
    /// Hash of the step's content as the app gave it, below 2^53; 0 when it gave none.
    pub hash: u64,
}

impl From<(u32, u32, u64)> for Mark {
    fn from((from, to, hash): (u32, u32, u64)) -> Self {
        Self { from, to, hash }
    }
}

/// The steps that lead to a schema, in order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Lineage(Vec<Mark>);

impl From<Lineage> for String {
    fn from(lineage: Lineage) -> Self {
        lineage.to_text()
    }
}

impl TryFrom<String> for Lineage {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::read(&text).ok_or_else(|| {
            format!(
                "{} is no list of steps such as 1-2-0a0b0c0d0e0f0a",
                quoted(&text)
            )
        })
    }
}

impl From<Vec<Mark>> for Lineage {
    fn from(mut marks: Vec<Mark>) -> Self {
        marks.sort_unstable();
        marks.dedup();
        Self(marks)
    }
}

/// How two lineages differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disagreement {
    /// Both have this step, with different content.
    Step {
        from: u32,
        to: u32,
        ours: u64,
        theirs: u64,
    },
    /// Both lead to this schema, and by no common step.
    Schema {
        schema: u32,
        ours: Vec<u32>,
        theirs: Vec<u32>,
    },
}

impl Lineage {
    pub fn marks(&self) -> &[Mark] {
        &self.0
    }

    /// Reads what [`Lineage::to_text`] has written.
    pub fn read(text: &str) -> Option<Self> {
        let words = text.split(' ').filter(|word| !word.is_empty());
        let marks = words.map(|word| {
            let mut parts = word.split('-');
            let mark = Mark {
                from: small(parts.next()?)?,
                to: small(parts.next()?)?,
                hash: number(parts.next()?, 16)?,
            };
            (parts.next().is_none() && mark.hash <= MAX_SAFE_INTEGER).then_some(mark)
        });
        let marks: Option<Vec<Mark>> = marks.collect();
        marks.map(Self::from)
    }

    /// The form in which it is stored: `1-2-00c0ffee000000 2-3-…`, schemas in decimal and hashes in hexadecimal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for mark in &self.0 {
            let between = if text.is_empty() { "" } else { " " };
            let (from, to) = (mark.from.to_string(), mark.to.to_string());
            let hash = hexadecimal(mark.hash, HASH_DIGITS);
            text.push_str(&format!("{between}{from}-{to}-{hash}"));
        }
        text
    }

    /// A hash of the whole set, below 2^53; an app lists it to accept a foreign lineage.
    pub fn set_hash(&self) -> u64 {
        let mut state = FNV_OFFSET;
        for mark in &self.0 {
            for part in [u64::from(mark.from), u64::from(mark.to), mark.hash] {
                state = fnv(state, &part.to_le_bytes());
            }
        }
        folded(state)
    }

    /// The first difference to `theirs`; `None` when the two agree.
    ///
    /// A step without a hash (0) agrees with any other of the same numbers.
    pub fn disagreement(&self, theirs: &Lineage) -> Option<Disagreement> {
        for their in &theirs.0 {
            let same_step = |mark: &&Mark| (mark.from, mark.to) == (their.from, their.to);
            if let Some(our) = self.0.iter().find(same_step)
                && our.hash != their.hash
                && our.hash != 0
                && their.hash != 0
            {
                return Some(Disagreement::Step {
                    from: their.from,
                    to: their.to,
                    ours: our.hash,
                    theirs: their.hash,
                });
            }
            let ours = self.sources(their.to);
            let sources = theirs.sources(their.to);
            if !ours.is_empty() && !ours.iter().any(|from| sources.contains(from)) {
                return Some(Disagreement::Schema {
                    schema: their.to,
                    ours,
                    theirs: sources,
                });
            }
        }
        None
    }

    /// The part of it that leads to `schema`.
    pub fn leading_to(&self, schema: u32) -> Self {
        let mut open = Vec::from([schema]);
        let mut marks: Vec<Mark> = Vec::new();
        while let Some(to) = open.pop() {
            for mark in self.0.iter().filter(|mark| mark.to == to) {
                if !marks.contains(mark) {
                    marks.push(*mark);
                    open.push(mark.from);
                }
            }
        }
        Self::from(marks)
    }

    fn sources(&self, schema: u32) -> Vec<u32> {
        let into = self.0.iter().filter(|mark| mark.to == schema);
        into.map(|mark| mark.from).collect()
    }
}

impl Disagreement {
    /// The difference as half a sentence about the other side.
    pub fn sentence(&self) -> String {
        match self {
            Self::Step {
                from,
                to,
                ours,
                theirs,
            } => {
                let (from, to) = (from.to_string(), to.to_string());
                let [ours, theirs] = [ours, theirs].map(|hash| hexadecimal(*hash, HASH_DIGITS));
                format!(
                    "its step {from} -> {to} has hash {theirs}, and this build's step {from} -> {to} has hash {ours}{}{to}",
                    BRANCHES
                )
            }
            Self::Schema {
                schema,
                ours,
                theirs,
            } => {
                let schema = schema.to_string();
                let (ours, theirs) = (numbers(ours, ", "), numbers(theirs, ", "));
                format!(
                    "its schema {schema} comes from schema {theirs}, and this build's schema {schema} from schema {ours}{}{schema}",
                    BRANCHES
                )
            }
        }
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

const BRANCHES: &str = ": two branches call different things schema ";

/// 53 bits.
pub const HASH_DIGITS: u32 = 14;

/// Schema numbers in a row.
pub fn numbers(schemas: &[u32], between: &str) -> String {
    let mut text = String::new();
    for (place, schema) in schemas.iter().enumerate() {
        if place > 0 {
            text.push_str(between);
        }
        text.push_str(&schema.to_string());
    }
    text
}

fn small(digits: &str) -> Option<u32> {
    u32::try_from(number(digits, 10)?).ok()
}

fn number(digits: &str, radix: u32) -> Option<u64> {
    let mut value = 0_u64;
    for digit in digits.chars() {
        let digit = digit.to_digit(radix)?;
        value = value.checked_mul(radix.into())?.checked_add(digit.into())?;
    }
    (!digits.is_empty()).then_some(value)
}

/// A hash of a step's content for [`Mark::hash`]: never 0, below 2^53. It finds accidents, not attacks.
pub fn content_hash(content: &[u8]) -> u64 {
    folded(fnv(FNV_OFFSET, content)).max(1)
}

/// JavaScript must be able to carry it as a number.
fn folded(hash: u64) -> u64 {
    (hash ^ (hash >> 53)) & MAX_SAFE_INTEGER
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn lineage(marks: &[(u32, u32, u64)]) -> Lineage {
        Lineage::from(
            marks
                .iter()
                .map(|mark| Mark::from(*mark))
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn two_branches_that_built_the_same_number_disagree() {
        let ours = lineage(&[(5, 6, 1), (6, 7, 2)]);
        let theirs = lineage(&[(5, 6, 1), (6, 7, 3)]);
        let found = ours.disagreement(&theirs).unwrap();
        assert_eq!(
            found.to_string(),
            "its step 6 -> 7 has hash 00000000000003, and this build's step 6 -> 7 has hash 00000000000002: two branches call different things schema 7"
        );
        let theirs = lineage(&[(4, 5, 9), (5, 7, 3)]);
        let found = ours.disagreement(&theirs).unwrap();
        assert_eq!(
            found.to_string(),
            "its schema 7 comes from schema 5, and this build's schema 7 from schema 6: two branches call different things schema 7"
        );
        assert_eq!(
            lineage(&[(5, 6, 8), (6, 7, 2)]).disagreement(&ours),
            Some(Disagreement::Step {
                from: 5,
                to: 6,
                ours: 8,
                theirs: 1
            }),
            "an older step may differ too"
        );
    }

    #[test]
    fn forgotten_old_steps_added_shortcuts_and_missing_hashes_are_no_disagreement() {
        let full = lineage(&[(1, 2, 1), (2, 3, 2), (3, 4, 3)]);
        let trimmed = lineage(&[(3, 4, 3)]);
        let shortcut = lineage(&[(2, 3, 2), (2, 4, 9), (3, 4, 3)]);
        let unhashed = lineage(&[(1, 2, 0), (2, 3, 0), (3, 4, 0)]);
        let all = [full, trimmed, shortcut, unhashed, Lineage::default()];
        for ours in &all {
            for theirs in &all {
                assert_eq!(ours.disagreement(theirs), None, "{ours:?} {theirs:?}");
            }
        }
    }

    #[test]
    fn the_set_hash_depends_on_every_step_and_not_on_their_order() {
        let first = lineage(&[(1, 2, 5), (2, 3, 6)]);
        assert_eq!(
            first.set_hash(),
            lineage(&[(2, 3, 6), (1, 2, 5)]).set_hash()
        );
        for other in [
            vec![(1, 2, 5)],
            vec![(1, 2, 5), (2, 3, 7)],
            vec![(1, 2, 5), (2, 4, 6)],
        ] {
            assert_ne!(first.set_hash(), lineage(&other).set_hash());
        }
        assert!(first.set_hash() <= MAX_SAFE_INTEGER);
        assert!((1..=MAX_SAFE_INTEGER).contains(&content_hash(b"")));
    }

    #[test]
    fn the_part_that_leads_to_an_older_schema_leaves_out_other_branches() {
        let all = lineage(&[(1, 2, 1), (2, 3, 2), (2, 4, 3), (3, 5, 4), (4, 5, 5)]);
        assert_eq!(all.leading_to(4), lineage(&[(1, 2, 1), (2, 4, 3)]));
        assert_eq!(all.leading_to(5), all);
        assert_eq!(all.leading_to(1), Lineage::default());
    }

    #[test]
    fn a_lineage_is_stored_as_text_and_read_back() {
        let marks = lineage(&[(2, 3, 6), (1, 2, MAX_SAFE_INTEGER)]);
        assert_eq!(marks.to_text(), "1-2-1fffffffffffff 2-3-00000000000006");
        assert_eq!(Lineage::read(&marks.to_text()), Some(marks));
        assert_eq!(Lineage::read(""), Some(Lineage::default()));
        for bad in [
            "1",
            "1-2",
            "1-2-",
            "1-2-3-4",
            "a-2-3",
            "1-2-g",
            "-1-2-3",
            "4294967296-2-0",
            "1-2-20000000000000",
            "1-2-fffffffffffffffff",
        ] {
            assert_eq!(Lineage::read(bad), None, "{bad}");
        }
    }
}
