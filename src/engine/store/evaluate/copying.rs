//! Fills a namespace from another one, batch by batch, and checks the copies.

use alloc::vec::Vec;

use super::{outcome::refused, translation::stamp_of};
use crate::engine::store::{
    head::Head,
    transaction::{Answer, Batch, Filled, Record, Refusal, TransactionResult, Write},
};

/// Writes the copies whose source is still the one that they were made from. A record that a tab on this schema or a later
/// one wrote since is already up to date; any other change refuses the batch.
pub(super) fn fill<V: Clone>(
    mut head: Head,
    schema: u32,
    batch: &Batch,
    copies: &[Filled<V>],
    records: &[Option<Record<V>>],
) -> TransactionResult<V> {
    let mut writes = Vec::new();
    for (copy, found) in copies.iter().zip(records.chunks(2)) {
        let (source, there) = (stamp_of(found.first()), stamp_of(found.get(1)));
        if source.is_none() || source == there {
            continue;
        }
        if source != Some(copy.stamp) {
            return refused(Refusal::Overtaken(head));
        }
        writes.push(Write::Put {
            schema,
            key: copy.key.clone(),
            record: Record {
                stamp: copy.stamp,
                epoch: head.epoch,
                value: copy.value.clone(),
            },
        });
    }
    advance(&mut head, schema, batch);
    writes.push(Write::Head(head.clone()));
    TransactionResult {
        writes,
        answer: Answer::Head(Some(head)),
    }
}

/// Moves on if every record of the batch has an up-to-date copy or was deleted. Otherwise the filling starts again.
pub(super) fn check<V>(
    mut head: Head,
    schema: u32,
    batch: &Batch,
    records: &[Option<Record<V>>],
) -> TransactionResult<V> {
    let good = |found: &[Option<Record<V>>]| stamp_of(found.first()) == stamp_of(found.get(1));
    if records.chunks(2).all(good) {
        advance(&mut head, schema, batch);
    } else if let Some(namespace) = head.namespace_mut(schema) {
        namespace.fall_behind();
    }
    TransactionResult {
        writes: [Write::Head(head.clone())].into(),
        answer: Answer::Head(Some(head)),
    }
}

/// Sets the checkpoint of the namespace to the end of the batch.
fn advance(head: &mut Head, schema: u32, batch: &Batch) {
    if let Some(namespace) = head.namespace_mut(schema) {
        namespace.fill = batch.next.clone();
    }
}
