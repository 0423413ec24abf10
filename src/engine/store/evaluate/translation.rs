//! Plans how a record is made for a schema from the copies that other schemas have of it.

use alloc::vec::Vec;

use crate::engine::store::{
    head::Stamp,
    mode::Link,
    transaction::{Hop, LocalCopy, Record, TranslationPlan},
};

/// How to make the record for the last of `links` from the stored copies: from the highest copy that is up to date,
/// upwards.
#[inline(never)]
pub(super) fn recipe<V>(
    links: &[Link],
    copies: Vec<Option<Record<V>>>,
) -> Option<TranslationPlan<V>> {
    let mut copies = copies.into_iter();
    let mut way: Vec<(&Link, Option<Record<V>>)> = links
        .iter()
        .map(|link| match link.stored {
            true => (link, copies.next().flatten()),
            false => (link, None),
        })
        .collect();
    let stamp = stamp_of(way.first().map(|(_, copy)| copy))?;
    let up_to_date = |(_, copy): &(&Link, Option<Record<V>>)| stamp_of(Some(copy)) == Some(stamp);
    let start = way.iter().rposition(up_to_date)?;
    let mut way = way.drain(start..);
    let (first, copy) = way.next()?;
    let mut from = first.schema;
    let hops = way.map(|(link, copy)| {
        let hop = Hop {
            from,
            to: link.schema,
            ours: copy.and_then(|copy| ours(link, copy)),
        };
        from = link.schema;
        hop
    });
    let hops = hops.collect();
    Some(TranslationPlan {
        stamp,
        schema: first.schema,
        value: copy?.value,
        hops,
    })
}

/// What an out-of-date copy adds to a value that is translated up from below. The value may have changed what was known
/// below of the copy; the rest is only in the copy.
fn ours<V>(link: &Link, copy: Record<V>) -> Option<LocalCopy<V>> {
    let known = link.bases.iter().find(|base| base.epoch <= copy.epoch);
    known.filter(|base| base.more).map(|base| LocalCopy {
        value: copy.value,
        base: base.schema,
    })
}

/// A plan without any translation, for a record of a backup.
pub(super) fn as_it_is<V>(schema: u32, record: Record<V>) -> TranslationPlan<V> {
    TranslationPlan {
        stamp: record.stamp,
        schema,
        value: record.value,
        hops: Vec::new(),
    }
}

/// The stamp of a record, if there is one.
pub(super) fn stamp_of<V>(record: Option<&Option<Record<V>>>) -> Option<Stamp> {
    record.and_then(|record| record.as_ref().map(|record| record.stamp))
}
