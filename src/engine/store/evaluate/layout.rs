//! Creates and changes the layout of a store: the head with its namespaces and backups.

use alloc::{string::String, vec::Vec};

use super::{
    fence::believed,
    outcome::{refused, told},
    record::show_up,
};
use crate::{
    engine::store::{
        head::{Backup, Fill, Head, Stamp},
        transaction::{Answer, Record, Refusal, Transaction, TransactionResult, Write},
    },
    time::Timestamp,
};

/// Reports the head to a tab that opens the store, and notes that its schema is in use.
pub(super) fn opened<V>(head: Option<Head>, schema: u32, now: Timestamp) -> TransactionResult<V> {
    let mut head = match head {
        Some(head) => head,
        None => return told(Answer::Head(None)),
    };
    let mut news = head.namespace_mut(schema).is_some_and(show_up);
    for backup in head.backups.iter_mut().filter(|it| it.schema == schema) {
        news |= backup.used != now;
        backup.used = now;
    }
    let write = news.then(|| Write::Head(head.clone()));
    TransactionResult {
        writes: write.into_iter().collect(),
        answer: Answer::Head(Some(head)),
    }
}

/// Writes the first head and the first records of a store.
pub(super) fn created<V: Clone>(
    head: &Head,
    initial: &[(String, Stamp, V)],
) -> TransactionResult<V> {
    let puts = initial.iter().map(|(key, stamp, value)| Write::Put {
        schema: head.schema,
        key: key.clone(),
        record: Record {
            stamp: *stamp,
            epoch: head.epoch,
            value: value.clone(),
        },
    });
    TransactionResult {
        writes: puts.chain([Write::Head(head.clone())]).collect(),
        answer: Answer::Head(Some(head.clone())),
    }
}

/// Changes only the head, or whole namespaces.
#[inline(never)]
pub(super) fn change_layout<V>(
    op: &Transaction<V>,
    head: Option<Head>,
    now: Timestamp,
) -> TransactionResult<V> {
    let layout = match op {
        Transaction::Expand { layout, .. }
        | Transaction::BeginFill { layout, .. }
        | Transaction::Alone { layout, .. }
        | Transaction::Contract { layout, .. }
        | Transaction::Revive { layout, .. }
        | Transaction::Abandon { layout, .. }
        | Transaction::Return { layout, .. } => Some(*layout),
        // Backups do not belong to the layout.
        _ => None,
    };
    let mut head = match (head, layout) {
        (None, _) => return refused(Refusal::Stale(None)),
        (Some(head), None) => head,
        (head, Some(layout)) => match believed(head, layout) {
            Ok(head) => head,
            Err(refusal) => return refused(refusal),
        },
    };
    let mut writes = Vec::new();
    let done = match op {
        Transaction::Expand {
            namespace, build, ..
        } => {
            let above = namespace.schema > head.schema && namespace.schema >= head.min_reader;
            let fits = above && head.namespace(namespace.schema).is_none();
            if fits {
                // Records left from an earlier use of this schema are out of date.
                writes.push(clear(namespace.schema));
                head.add(namespace.clone(), build);
            }
            fits
        }
        Transaction::BeginFill { schema, round, .. } => match head.namespace_mut(*schema) {
            Some(it) if it.round == *round && it.fill != Fill::Full => {
                it.round = it.round.wrapping_add(1);
                it.fill = Fill::Copying { after: None };
                true
            }
            Some(_) | None => return refused(Refusal::Overtaken(head)),
        },
        Transaction::Alone { schema, .. } => match head.namespace_mut(*schema) {
            Some(it) => {
                // If the clock was set back, the dwell time starts again.
                if it.alone_since.is_none_or(|since| since > now) {
                    it.alone_since = Some(now);
                }
                true
            }
            None => false,
        },
        Transaction::Contract {
            to, dwell, build, ..
        } => {
            let next = head.next_above();
            let full = next.is_some_and(|it| it.schema == *to && it.fill == Fill::Full);
            let old = head.namespace(head.schema).cloned();
            let long = old.as_ref().and_then(|it| it.alone_since);
            let long = long.is_some_and(|since| since.0.saturating_add(*dwell) <= now.0);
            // A namespace below that is being revived would lose its source.
            let settled = head.reviving().next().is_none();
            match old {
                Some(old) if full && long && settled => {
                    head.namespaces.retain(|it| it.schema != old.schema);
                    head.backups.retain(|it| it.schema != old.schema);
                    head.backups.push(Backup {
                        schema: old.schema,
                        at: now,
                        used: now,
                        lineage: old.lineage,
                    });
                    head.move_to(*to, build);
                    true
                }
                Some(_) | None => return refused(Refusal::NotYet(head)),
            }
        }
        Transaction::Revive {
            namespace, build, ..
        } => {
            let below = namespace.schema < head.schema && head.min_writer == head.schema;
            // One at a time: a namespace in between would count as filled from above although it is not.
            let fits = below && head.reviving().next().is_none();
            if fits {
                writes.push(clear(namespace.schema));
                head.add(namespace.clone(), build);
            }
            fits
        }
        Transaction::Abandon { schema, build, .. } => {
            let below = *schema < head.schema && head.namespace(*schema).is_some();
            if below {
                writes.push(clear(*schema));
                head.namespaces.retain(|it| it.schema != *schema);
                head.next_epoch(build);
            }
            below
        }
        Transaction::Return { to, build, .. } => {
            let full = head.namespace(*to).is_some_and(|it| it.fill == Fill::Full);
            if !full {
                return refused(Refusal::NotYet(head));
            }
            let below = *to < head.schema && head.min_writer == head.schema;
            if below {
                head.move_to(*to, build);
            }
            below
        }
        Transaction::Sweep { schema, retention } => {
            let over = |it: &Backup| it.used.0.saturating_add(*retention) <= now.0;
            let over = head.backup(*schema).is_some_and(over);
            if !over || head.namespace(*schema).is_some() {
                return refused(Refusal::NotYet(head));
            }
            head.backups.retain(|it| it.schema != *schema);
            writes.push(clear(*schema));
            true
        }
        _ => false,
    };
    if !done {
        return refused(Refusal::Fenced);
    }
    writes.push(Write::Head(head.clone()));
    TransactionResult {
        writes,
        answer: Answer::Head(Some(head)),
    }
}

/// Removes every record of a namespace.
fn clear<V>(schema: u32) -> Write<V> {
    Write::Clear { schema }
}
