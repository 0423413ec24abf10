//! The rules that must hold in every order of steps, and the checks for them.

use changeover::engine::store::{
    Answer, Head, LayoutVersion, Link, Memory, Record, Transaction, TranslationPlan, links,
};
use changeover::time::Timestamp;

use crate::mutant::Mutant;
use crate::page::{Life, Lock, Page};
use crate::protocol::Protocol;
use crate::value::{Shape, Value};
use crate::world::{DWELL, World};

/// The rules, as they are named in reports.
pub const RULES: [&str; 8] = [
    "no acknowledged write is lost",
    "no read is of the wrong schema or mixes what was never together",
    "no stale writer passes the fence",
    "nothing is taken from under a tab that may still write it",
    "the primary is there and every record in it is valid",
    "the store comes to rest and its migration completes once faults stop",
    "no request is given up because others were faster",
    "no backup is swept from under a tab that has opened it",
];

impl Protocol {
    /// The rule that a successful transaction has broken.
    pub fn broken_by(
        &self,
        world: &World,
        at: usize,
        before: Option<&Head>,
        op: &Transaction<Value>,
        answer: &Answer<Value>,
        now: Timestamp,
    ) -> Option<&'static str> {
        let shape = self.scenario.shape;
        let schema = world.pages[at].schema;
        match (op, answer, before) {
            (_, Answer::Refused(_), _) => None,
            (
                Transaction::Put { layout, .. } | Transaction::Delete { layout, .. },
                _,
                Some(head),
            ) => {
                let stale = layout.epoch != head.epoch || schema < head.min_writer;
                stale.then_some(RULES[2])
            }
            (Transaction::Get { key, .. }, Answer::Found(found), Some(_)) => {
                let read = found.clone().map(|recipe| shape.apply(recipe));
                (read != world.expected.view(shape, schema, key)).then_some(RULES[1])
            }
            (Transaction::GetBackup { schema, key }, Answer::Found(found), Some(_)) => {
                let read = found.clone().map(|recipe| shape.apply(recipe));
                (read != world.expected.backup(*schema, key)).then_some(RULES[1])
            }
            (Transaction::Contract { .. }, _, Some(head)) if shape != Shape::NoWayDown => {
                let lives = |page: &Page| {
                    let fresh = world.now < page.seen + DWELL;
                    let held = page.shared == Lock::Held && page.opened.is_some();
                    page.life != Life::Closed && (fresh || held)
                };
                let mut old = world.pages.iter().filter(|it| it.schema == head.schema);
                old.any(|page| lives(page)).then_some(RULES[3])
            }
            (Transaction::Sweep { schema, retention }, _, Some(head)) => {
                let fresh = |opened: u64| now.0 < opened + retention;
                let mut old = world.pages.iter().filter(|it| it.schema == *schema);
                let read = old.any(|it| it.life != Life::Closed && it.opened.is_some_and(fresh));
                (read || head.namespace(*schema).is_some()).then_some(RULES[7])
            }
            _ => None,
        }
    }

    /// Reads all records as every build would, and compares them with the acknowledged writes.
    pub fn lost(&self, world: &World) -> Option<&'static str> {
        let shape = self.scenario.shape;
        let head = world.db.head()?;
        let mut records = world.db.records();
        let invalid = |((schema, _), record): (&(u32, String), &Record<Value>)| {
            *schema == head.schema && !record.value.is_valid()
        };
        if head.namespace(head.schema).is_none() || records.any(invalid) {
            return Some(RULES[4]);
        }
        for schema in head.schema..=3 {
            let build = self.capabilities(schema);
            let Some(links) = links(head, &build, schema) else {
                continue;
            };
            for key in self.scenario.keys {
                let read = read(self.mutant, &world.db, head, &links, key);
                let read = read.map(|recipe| shape.apply(recipe));
                if read != world.expected.view(shape, schema, key) {
                    return Some(RULES[0]);
                }
            }
        }
        None
    }
}

fn read(
    mutant: Mutant,
    db: &Memory<Value>,
    head: &Head,
    links: &[Link],
    key: &str,
) -> Option<TranslationPlan<Value>> {
    let op = Transaction::Get {
        layout: LayoutVersion {
            epoch: head.epoch,
            primary: head.schema,
        },
        key: key.to_string(),
        links: links.to_vec(),
    };
    match mutant.evaluate(db, &op, Timestamp(0)).answer {
        Answer::Found(found) => found,
        other => panic!("a read with the layout of the moment was answered {other:?}"),
    }
}
