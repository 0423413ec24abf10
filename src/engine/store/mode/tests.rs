//! Which mode follows from which head.

use super::*;
use crate::engine::store::{Backup, Namespace};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Builds of a chain of schemas, each with a lossy way down.
fn build(schema: u32) -> Capabilities {
    let pairs = (1..=schema).flat_map(|from| (1..=schema).map(move |to| (from, to)));
    let pairs = pairs.filter(|(from, to)| from != to);
    Capabilities {
        schema,
        build: "b".into(),
        ways: Reachability::new(pairs.map(|(from, to)| (from, to, from > to))),
        lineage: Lineage::default(),
        accepts: Vec::new(),
        expand: true,
        locks: true,
        timing: Timing::default(),
        batch: 1,
    }
}

fn head(primary: u32, others: &[u32]) -> Head {
    let mut head = Head::first(primary, Lineage::default(), "b");
    for schema in others {
        head.add(Namespace::new(*schema, Lineage::default()), "b");
    }
    head
}

#[test]
fn what_a_tab_may_do_follows_from_the_head_and_its_build() {
    let fenced = |min_reader, min_writer| Head {
        min_reader,
        min_writer,
        ..head(2, &[3, 4])
    };
    let mut left = head(2, &[]);
    left.backups.push(Backup {
        schema: 1,
        at: Timestamp(7),
        used: Timestamp(8),
        lineage: Lineage::default(),
    });
    let read_only = |reason| Mode::ReadOnly { reason };
    let refuse = |reason| Mode::Refuse { reason };
    let table = [
        (head(2, &[]), 2, Mode::ReadWrite, None),
        (head(1, &[2]), 2, Mode::ReadWrite, None),
        (head(1, &[2]), 1, Mode::ReadWrite, None),
        (
            head(1, &[]),
            2,
            read_only(ReadOnlyReason::LossyDown { schema: 1 }),
            Some(Want::Expand),
        ),
        (
            fenced(2, 4),
            3,
            read_only(ReadOnlyReason::MinWriter { schema: 4 }),
            None,
        ),
        (fenced(2, 4), 4, Mode::ReadWrite, None),
        (
            fenced(4, 4),
            3,
            refuse(RefuseReason::MinReader { schema: 4 }),
            None,
        ),
        (
            head(2, &[1]),
            1,
            refuse(RefuseReason::Reviving { schema: 1 }),
            None,
        ),
        (head(2, &[1]), 2, Mode::ReadWrite, None),
        (
            head(2, &[]),
            1,
            refuse(RefuseReason::Newer { schema: 2 }),
            Some(Want::AskRevive),
        ),
        (
            left,
            1,
            Mode::UseBackup {
                schema: 1,
                at: Timestamp(7),
            },
            Some(Want::AskRevive),
        ),
    ];
    for (head, schema, mode, wanted) in table {
        let build = build(schema);
        assert_eq!(open(&head, &build), mode, "{schema} on {head:?}");
        assert_eq!(want(Some(&head), &build), wanted, "{schema} on {head:?}");
    }
    assert_eq!(want(None, &build(1)), Some(Want::Create));
}

#[test]
fn a_build_that_cannot_write_to_what_comes_back_does_not_write_at_all() {
    let mut newer = build(3);
    newer.ways = Reachability::new([(2, 3, false), (3, 2, true)]);
    let reason = ReadOnlyReason::NoDown { schema: 1 };
    assert_eq!(open(&head(2, &[1, 3]), &newer), Mode::ReadOnly { reason });
    assert_eq!(open(&head(2, &[3]), &newer), Mode::ReadWrite);
}

#[test]
fn a_read_climbs_every_namespace_it_writes_to_and_merges_where_more_may_be_known() {
    let known = |links: Option<Vec<Link>>| -> Vec<(u32, bool, usize)> {
        let links = links.into_iter().flatten();
        links
            .map(|it| (it.schema, it.stored, it.bases.len()))
            .collect()
    };
    let three = build(3);
    assert_eq!(
        known(links(&head(1, &[2, 3]), &three, 3)),
        [(1, true, 0), (2, true, 1), (3, true, 2)],
        "what was written to 3 before 2 was there is known in 1 only"
    );
    assert_eq!(
        known(links(&head(1, &[2]), &three, 3)),
        [(1, true, 0), (2, true, 1), (3, false, 0)]
    );
    let mut skips = three.clone();
    skips.ways = Reachability::new([(1, 3, false), (3, 1, true), (2, 3, false)]);
    assert_eq!(
        known(links(&head(1, &[2, 3]), &skips, 3)),
        [(1, true, 0), (3, true, 1)],
        "it does not write to 2, so what stands there may be older than its own"
    );
    assert_eq!(links(&head(1, &[]), &build(2), 3), None);
    assert_eq!(mirrors(&head(1, &[2, 3]), &three).len(), 2);
    assert_eq!(mirrors(&head(1, &[2, 3]), &skips).len(), 1);
}
