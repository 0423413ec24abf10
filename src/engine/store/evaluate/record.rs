//! Writes and deletes single records, in every namespace that a write must reach.

use alloc::vec::Vec;

use super::{
    fence::believed,
    outcome::{refused, written},
    translation::stamp_of,
};
use crate::engine::store::{
    head::{Fill, Head, Namespace, Stamp},
    transaction::{LayoutVersion, Record, Refusal, Seen, TransactionResult, Write},
};

/// The head, if a tab on `schema` may write.
pub(super) fn writable(
    head: Option<Head>,
    layout: LayoutVersion,
    schema: u32,
) -> Result<Head, Refusal> {
    match believed(head, layout) {
        Ok(head) if schema < head.min_writer => Err(Refusal::Fenced),
        other => other,
    }
}

/// Whether the record that was read is still the one that the writer has seen, if that matters to it.
pub(super) fn is_current<V>(seen: Option<Seen>, records: &[Option<Record<V>>]) -> bool {
    seen.is_none_or(|seen| seen.0 == stamp_of(records.first()))
}

/// Writes the values, one for each schema that the writer can translate to, unless it misses one that must not fall behind.
pub(super) fn put<V: Clone>(
    head: Head,
    schema: u32,
    key: &str,
    stamp: Stamp,
    values: &[(u32, V)],
    is_current: bool,
) -> TransactionResult<V> {
    let covered = |schema: u32| values.iter().any(|(it, _)| *it == schema);
    if !required(&head).all(covered) {
        return refused(Refusal::Fenced);
    }
    if !is_current {
        return refused(Refusal::Conflict);
    }
    let mut writes: Vec<Write<V>> = Vec::new();
    for (schema, value) in values {
        if head.namespace(*schema).is_none() {
            return refused(Refusal::Fenced);
        }
        writes.push(Write::Put {
            schema: *schema,
            key: key.into(),
            record: Record {
                stamp,
                epoch: head.epoch,
                value: value.clone(),
            },
        });
    }
    if let Some(head) = after_write(head, schema, covered) {
        writes.push(Write::Head(head));
    }
    written(writes)
}

/// Removes the record from every namespace. A deletion needs no translation, so no namespace falls behind.
pub(super) fn delete<V>(head: Head, schema: u32, key: &str) -> TransactionResult<V> {
    let everywhere = head.namespaces.iter().map(|it| Write::Delete {
        schema: it.schema,
        key: key.into(),
    });
    let mut writes: Vec<Write<V>> = everywhere.collect();
    if let Some(head) = after_write(head, schema, |_| true) {
        writes.push(Write::Head(head));
    }
    written(writes)
}

/// The namespaces that every write must reach: the primary, and those that are being revived.
fn required(head: &Head) -> impl Iterator<Item = u32> {
    let namespaces = head.namespaces.iter().map(|it| it.schema);
    namespaces.filter(|schema| *schema <= head.schema)
}

/// The head after a write by a tab on `schema`, if it changes: the schema is in use, and the copies in namespaces that the
/// write did not reach are out of date.
fn after_write(mut head: Head, schema: u32, covered: impl Fn(u32) -> bool) -> Option<Head> {
    let mut changed = false;
    for namespace in &mut head.namespaces {
        if namespace.schema == schema {
            changed |= show_up(namespace);
        }
        if !covered(namespace.schema) && namespace.fill != Fill::Partial {
            namespace.fall_behind();
            changed = true;
        }
    }
    changed.then_some(head)
}

/// Notes that a tab uses this schema. Returns whether that changes the head.
pub(super) fn show_up(namespace: &mut Namespace) -> bool {
    namespace.alone_since.take().is_some()
}
