//! What a transaction does, decided from the records that it read.
//!
//! `fence` refuses a transaction whose layout is out of date. `record` writes and deletes records, `copying` fills a
//! namespace from another one, `translation` plans how a record is read from older schemas, and `layout` changes the head.

mod copying;
mod fence;
mod layout;
mod outcome;
mod record;
mod translation;

use copying::{check, fill};
use fence::{believed, filling, has_backup};
use layout::{change_layout, created, opened};
use outcome::{refused, told};
use record::{delete, is_current, put, writable};
use translation::{as_it_is, recipe};

use super::transaction::{Answer, ReadValues, Refusal, Row, Transaction, TransactionResult};

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
        Transaction::GetBackup { schema, .. } => match has_backup(&head, *schema) {
            true => {
                let record = records.pop().flatten();
                told(Answer::Found(record.map(|it| as_it_is(*schema, it))))
            }
            false => refused(Refusal::Stale(head)),
        },
        Transaction::ScanBackup { schema, limit, .. } => match has_backup(&head, *schema) {
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
        } => match writable(head, *layout, *schema) {
            Ok(head) => put(
                head,
                *schema,
                key,
                *stamp,
                values,
                is_current(*seen, &records),
            ),
            Err(refusal) => refused(refusal),
        },
        Transaction::Delete {
            layout,
            schema,
            key,
            seen,
        } => match writable(head, *layout, *schema) {
            Ok(head) if is_current(*seen, &records) => delete(head, *schema, key),
            Ok(_) => refused(Refusal::Conflict),
            Err(refusal) => refused(refusal),
        },
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
