//! A store in memory, for the model checker.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::ops::Bound;

use super::{
    evaluate::evaluate,
    head::Head,
    transaction::{Answer, ReadSet, ReadValues, Record, ScanRead, Transaction, Write},
};
use crate::time::Timestamp;

/// A database in memory, in the place of a driver and a browser.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Memory<V> {
    head: Option<Head>,
    records: BTreeMap<(u32, String), Record<V>>,
}

impl<V> Default for Memory<V> {
    fn default() -> Self {
        Self {
            head: None,
            records: BTreeMap::new(),
        }
    }
}

impl<V: Clone> Memory<V> {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    pub fn record(&self, schema: u32, key: &str) -> Option<&Record<V>> {
        self.records.get(&(schema, key.to_string()))
    }

    /// Every record of every namespace and backup, as `((schema, key), record)`.
    pub fn records(&self) -> impl Iterator<Item = (&(u32, String), &Record<V>)> {
        self.records.iter()
    }

    /// Runs one transaction: reads, evaluates, writes.
    pub fn transact(&mut self, op: &Transaction<V>, now: Timestamp) -> Answer<V> {
        let verdict = evaluate(op, self.facts(&op.reads(), now));
        self.apply(verdict.writes);
        verdict.answer
    }

    pub fn facts(&self, reads: &ReadSet, now: Timestamp) -> ReadValues<V> {
        let read = |at: &(u32, String)| self.records.get(at).cloned();
        ReadValues {
            now,
            head: self.head.clone(),
            records: reads.records.iter().map(read).collect(),
            rows: reads
                .scan
                .as_ref()
                .map(|scan| self.rows(scan))
                .unwrap_or_default(),
        }
    }

    pub fn apply(&mut self, writes: Vec<Write<V>>) {
        for write in writes {
            match write {
                Write::Head(head) => self.head = Some(head),
                Write::Put {
                    schema,
                    key,
                    record,
                } => {
                    self.records.insert((schema, key), record);
                }
                Write::Delete { schema, key } => {
                    self.records.remove(&(schema, key));
                }
                Write::Clear { schema } => self.records.retain(|(at, _), _| *at != schema),
            }
        }
    }

    fn rows(&self, scan: &ScanRead) -> Vec<(String, Vec<Option<Record<V>>>)> {
        let first = match &scan.after {
            Some(key) => Bound::Excluded((scan.schema, key.clone())),
            None => Bound::Included((scan.schema, String::new())),
        };
        let found = self.records.range((first, Bound::Unbounded));
        let here = found.take_while(|((schema, _), _)| *schema == scan.schema);
        here.take(scan.limit)
            .map(|((_, key), record)| {
                let also = scan
                    .also
                    .iter()
                    .map(|schema| self.record(*schema, key).cloned());
                let all = [Some(record.clone())].into_iter().chain(also);
                (key.clone(), all.collect())
            })
            .collect()
    }
}
