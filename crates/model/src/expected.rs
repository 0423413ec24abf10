//! What every schema should read. It follows only from the acknowledged writes, without the protocol.

use std::collections::BTreeMap;

use changeover::engine::store::{Answer, Head, Transaction};

use crate::value::{Shape, Value};

type Fields = [u8; 3];

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Expected {
    /// For each schema that has a namespace and may be read.
    schemas: BTreeMap<u32, BTreeMap<String, Fields>>,
    /// For each schema that has been left.
    backups: BTreeMap<u32, BTreeMap<String, Fields>>,
}

impl Expected {
    /// What a build of `schema` should read.
    pub fn view(&self, shape: Shape, schema: u32, key: &str) -> Option<Value> {
        let (_, records) = self.schemas.range(..=schema).next_back()?;
        records.get(key).map(|fields| Value {
            schema,
            fields: truncated(*fields, shape.fields(schema)),
        })
    }

    /// What the backup of `schema` should hold.
    pub fn backup(&self, schema: u32, key: &str) -> Option<Value> {
        let fields = *self.backups.get(&schema)?.get(key)?;
        Some(Value { schema, fields })
    }

    /// Follows a transaction that was not refused.
    pub fn follow(
        &mut self,
        shape: Shape,
        before: Option<&Head>,
        op: &Transaction<Value>,
        answer: &Answer<Value>,
    ) {
        match (op, answer, before) {
            (_, Answer::Refused(_), _) => {}
            (Transaction::Create { head, initial }, _, None) => {
                let records = initial.iter();
                let records = records.map(|(key, _, value)| (key.clone(), value.fields));
                self.schemas.insert(head.schema, records.collect());
            }
            (Transaction::Expand { namespace, .. }, _, Some(_)) => {
                // A new schema starts with the values of the one below.
                let below = self.schemas.range(..namespace.schema).next_back();
                let known = below.map(|(_, records)| records.clone());
                self.schemas
                    .insert(namespace.schema, known.unwrap_or_default());
            }
            (Transaction::Contract { .. }, _, Some(head)) => {
                if let Some(left) = self.schemas.remove(&head.schema) {
                    self.backups.insert(head.schema, left);
                }
            }
            (Transaction::Revive { namespace, .. }, _, Some(_)) => {
                self.backups.remove(&namespace.schema);
            }
            (Transaction::Return { to, .. }, _, Some(head)) => {
                let known = self.schemas[&head.schema].iter();
                let count = shape.fields(*to);
                let fewer = known.map(|(key, fields)| (key.clone(), truncated(*fields, count)));
                let fewer = fewer.collect();
                self.schemas.insert(*to, fewer);
            }
            (Transaction::Sweep { schema, .. }, _, Some(_)) => {
                self.backups.remove(schema);
            }
            (Transaction::Put { key, values, .. }, Answer::Written, Some(_)) => {
                let written = values.iter().map(|(_, value)| value.fields[0]).max();
                let tag = written.expect("a write writes somewhere");
                for (schema, records) in &mut self.schemas {
                    // The highest schema that got the write and that this one reads.
                    let reached = values.iter().map(|(at, _)| *at).filter(|at| at <= schema);
                    let Some(reached) = reached.max() else {
                        continue;
                    };
                    let fields = records.entry(key.clone()).or_insert([0; 3]);
                    fields[..shape.fields(reached)].fill(tag);
                }
            }
            (Transaction::Delete { key, .. }, Answer::Written, Some(_)) => {
                for records in self.schemas.values_mut() {
                    records.remove(key);
                }
            }
            _ => {}
        }
    }
}

fn truncated(mut fields: Fields, count: usize) -> Fields {
    fields[count..].fill(0);
    fields
}
