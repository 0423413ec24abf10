//! What a transaction does, decided from the records that it read.

use alloc::{string::String, vec::Vec};

use super::{
    head::{Backup, Fill, Head, Namespace, Stamp},
    mode::Link,
    transaction::{
        Answer, Batch, Filled, Hop, LayoutVersion, LocalCopy, ReadValues, Record, Refusal, Row,
        Transaction, TransactionResult, TranslationPlan, Write,
    },
};
use crate::time::Timestamp;

/// The result of a transaction, given what it has read. Everything that a write depends on is checked here.
#[inline(never)]
pub fn evaluate<V: Clone>(op: &Transaction<V>, facts: ReadValues<V>) -> TransactionResult<V> {
    let ReadValues {
        now,
        head,
        mut records,
        rows,
    } = facts;
    match op {
        Transaction::Look => told(Answer::Head(head)),
        Transaction::Open { schema } => opened(head, *schema, now),
        Transaction::Create {
            head: first,
            initial,
        } => match head {
            None => created(first, initial),
            Some(head) => refused(Refusal::Stale(Some(head))),
        },
        Transaction::Get { layout, links, .. } => match believed(head, *layout) {
            Ok(_) => told(Answer::Found(recipe(links, records))),
            Err(refusal) => refused(refusal),
        },
        Transaction::Copies { layout, .. } => match believed(head, *layout) {
            Ok(_) => told(Answer::Copies(records)),
            Err(refusal) => refused(refusal),
        },
        Transaction::Scan {
            layout,
            links,
            limit,
            ..
        } => match believed(head, *layout) {
            Ok(_) => {
                let last = rows.len() < (*limit).max(1);
                let rows = rows.into_iter().filter_map(|(key, copies)| {
                    recipe(links, copies).map(|recipe| Row { key, recipe })
                });
                told(Answer::Rows {
                    rows: rows.collect(),
                    last,
                })
            }
            Err(refusal) => refused(refusal),
        },
        Transaction::GetBackup { schema, .. } => match left(&head, *schema) {
            true => {
                let record = records.pop().flatten();
                told(Answer::Found(record.map(|it| as_it_is(*schema, it))))
            }
            false => refused(Refusal::Stale(head)),
        },
        Transaction::ScanBackup { schema, limit, .. } => match left(&head, *schema) {
            true => {
                let last = rows.len() < (*limit).max(1);
                let rows = rows.into_iter().filter_map(|(key, mut copies)| {
                    let record = copies.pop().flatten()?;
                    let recipe = as_it_is(*schema, record);
                    Some(Row { key, recipe })
                });
                told(Answer::Rows {
                    rows: rows.collect(),
                    last,
                })
            }
            false => refused(Refusal::Stale(head)),
        },
        Transaction::Put {
            layout,
            schema,
            key,
            stamp,
            seen,
            values,
        } => {
            let head = match believed(head, *layout) {
                Ok(head) => head,
                Err(refusal) => return refused(refusal),
            };
            let covered = |schema: u32| values.iter().any(|(it, _)| *it == schema);
            if *schema < head.min_writer || !required(&head).all(covered) {
                return refused(Refusal::Fenced);
            }
            if seen.is_some_and(|seen| seen.0 != stamp_of(records.first())) {
                return refused(Refusal::Conflict);
            }
            let mut writes: Vec<Write<V>> = Vec::new();
            for (schema, value) in values {
                if head.namespace(*schema).is_none() {
                    return refused(Refusal::Fenced);
                }
                writes.push(Write::Put {
                    schema: *schema,
                    key: key.clone(),
                    record: Record {
                        stamp: *stamp,
                        epoch: head.epoch,
                        value: value.clone(),
                    },
                });
            }
            if let Some(head) = after_write(head, *schema, covered) {
                writes.push(Write::Head(head));
            }
            written(writes)
        }
        Transaction::Delete {
            layout,
            schema,
            key,
            seen,
        } => {
            let head = match believed(head, *layout) {
                Ok(head) => head,
                Err(refusal) => return refused(refusal),
            };
            if *schema < head.min_writer {
                return refused(Refusal::Fenced);
            }
            if seen.is_some_and(|seen| seen.0 != stamp_of(records.first())) {
                return refused(Refusal::Conflict);
            }
            // A deletion needs no translation: the record is removed from every namespace, and none falls behind.
            let everywhere = head.namespaces.iter().map(|it| Write::Delete {
                schema: it.schema,
                key: key.clone(),
            });
            let mut writes: Vec<Write<V>> = everywhere.collect();
            if let Some(head) = after_write(head, *schema, |_| true) {
                writes.push(Write::Head(head));
            }
            written(writes)
        }
        Transaction::FillBatch {
            layout,
            schema,
            batch,
            records: copies,
        } => match filling(head, *layout, *schema, batch) {
            Ok(head) => fill(head, *schema, batch, copies, &records),
            Err(refusal) => refused(refusal),
        },
        Transaction::CheckBatch {
            layout,
            schema,
            batch,
            keys: _,
        } => match filling(head, *layout, *schema, batch) {
            Ok(head) => check(head, *schema, batch, &records),
            Err(refusal) => refused(refusal),
        },
        Transaction::Expand { .. }
        | Transaction::BeginFill { .. }
        | Transaction::Alone { .. }
        | Transaction::Contract { .. }
        | Transaction::Revive { .. }
        | Transaction::Abandon { .. }
        | Transaction::Return { .. }
        | Transaction::Sweep { .. } => change_layout(op, head, now),
    }
}

/// The transactions that change only the head, or whole namespaces.
#[inline(never)]
fn change_layout<V>(
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
        // A backup is no part of the layout.
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
                // Remains of an earlier use of this schema are older than anything above it.
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
                // If the clock was set back, the time before must not count.
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
            // One at a time: a namespace in between would count as filled from above without being so.
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

/// The fence of all transactions: the layout is still the one that they were planned with.
fn believed(head: Option<Head>, layout: LayoutVersion) -> Result<Head, Refusal> {
    match head {
        Some(head) if head.epoch == layout.epoch && head.schema == layout.primary => Ok(head),
        other => Err(Refusal::Stale(other)),
    }
}

fn opened<V>(head: Option<Head>, schema: u32, now: Timestamp) -> TransactionResult<V> {
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

fn created<V: Clone>(head: &Head, initial: &[(String, Stamp, V)]) -> TransactionResult<V> {
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

/// The namespaces that every write must reach: the primary, and those that are being revived.
fn required(head: &Head) -> impl Iterator<Item = u32> {
    let namespaces = head.namespaces.iter().map(|it| it.schema);
    namespaces.filter(|schema| *schema <= head.schema)
}

/// The head after a write by a tab on `schema`, if it changes: the writer is alive, and what it did not cover is behind.
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

/// Notes that a tab on a schema is alive. Returns whether that changes the head.
fn show_up(namespace: &mut Namespace) -> bool {
    namespace.alone_since.take().is_some()
}

/// The head, if the namespace is filled exactly up to where the batch begins.
fn filling(
    head: Option<Head>,
    layout: LayoutVersion,
    schema: u32,
    batch: &Batch,
) -> Result<Head, Refusal> {
    let head = believed(head, layout)?;
    match head.namespace(schema) {
        Some(it) if it.round == batch.round && it.fill == batch.at => Ok(head),
        Some(_) | None => Err(Refusal::Overtaken(head)),
    }
}

/// Writes the copies whose source is still the one they were made from. What a tab on this schema or a later one has
/// written since is up to date already; anything else throws the batch back.
fn fill<V: Clone>(
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

/// Goes on if every record of the batch has an up-to-date copy or is gone. Otherwise the filling starts over.
fn check<V>(
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

fn advance(head: &mut Head, schema: u32, batch: &Batch) {
    if let Some(namespace) = head.namespace_mut(schema) {
        namespace.fill = batch.next.clone();
    }
}

/// How to make the record for the end of `links` out of the copies in the stored ones: from the highest that is up to
/// date, upwards.
#[inline(never)]
fn recipe<V>(links: &[Link], copies: Vec<Option<Record<V>>>) -> Option<TranslationPlan<V>> {
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

/// What an out-of-date copy adds to a value that comes up from below, if anything: what was known there of the copy is
/// what the value may have changed, and the rest is the copy's own.
fn ours<V>(link: &Link, copy: Record<V>) -> Option<LocalCopy<V>> {
    let known = link.bases.iter().find(|base| base.epoch <= copy.epoch);
    known.filter(|base| base.more).map(|base| LocalCopy {
        value: copy.value,
        base: base.schema,
    })
}

fn as_it_is<V>(schema: u32, record: Record<V>) -> TranslationPlan<V> {
    TranslationPlan {
        stamp: record.stamp,
        schema,
        value: record.value,
        hops: Vec::new(),
    }
}

fn left(head: &Option<Head>, schema: u32) -> bool {
    head.as_ref().is_some_and(|it| it.backup(schema).is_some())
}

fn stamp_of<V>(record: Option<&Option<Record<V>>>) -> Option<Stamp> {
    record.and_then(|record| record.as_ref().map(|record| record.stamp))
}

fn clear<V>(schema: u32) -> Write<V> {
    Write::Clear { schema }
}

fn told<V>(answer: Answer<V>) -> TransactionResult<V> {
    TransactionResult {
        writes: Vec::new(),
        answer,
    }
}

#[inline(never)]
fn refused<V>(refusal: Refusal) -> TransactionResult<V> {
    told(Answer::Refused(refusal))
}

fn written<V>(writes: Vec<Write<V>>) -> TransactionResult<V> {
    TransactionResult {
        writes,
        answer: Answer::Written,
    }
}
