//! Wrong variants of the protocol. Each lacks one rule, and the checker must find what that breaks: a checker that
//! misses it would prove nothing about the real protocol.

use changeover::{
    engine::store::{
        Answer, Fill, Head, Memory, Record, Refusal, Transaction, TransactionResult,
        TranslationPlan, Write, evaluate,
    },
    time::Timestamp,
};

use crate::value::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// The protocol as it is.
    None,
    /// A write does not check the epoch.
    NoFence,
    /// The primary moves as soon as no other tab is awake.
    NoDwell,
    /// The primary moves up before the copy is there and checked.
    FlipEarly,
    /// The primary moves back down before the copy is there.
    ReturnEarly,
    /// The primary moves although others hold the lock.
    NoCensus,
    /// A write goes to its writer's own namespace only.
    NoMirror,
    /// A batch is copied although its source has changed since and the copying has been set back.
    StaleBatch,
    /// The result of a step is not validated.
    NoValidation,
    /// A write does not record which copies are out of date after it.
    NoFallBehind,
    /// Activity on an old schema is not recorded.
    NoSignOfLife,
    /// An out-of-date copy is thrown away instead of merged.
    NoMerge,
    /// A record is deleted from its deleter's own namespace only.
    DeleteOwn,
    /// Records from an earlier use of a schema are not cleared.
    NoClear,
}

impl Mutant {
    pub const ALL: [Self; 13] = [
        Self::NoFence,
        Self::NoDwell,
        Self::FlipEarly,
        Self::ReturnEarly,
        Self::NoCensus,
        Self::NoMirror,
        Self::StaleBatch,
        Self::NoValidation,
        Self::NoFallBehind,
        Self::NoSignOfLife,
        Self::NoMerge,
        Self::DeleteOwn,
        Self::NoClear,
    ];

    /// The scenario in which it breaks a rule.
    pub fn shown_in(self) -> &'static str {
        match self {
            Self::None => "",
            Self::NoFence | Self::NoMirror | Self::NoMerge | Self::DeleteOwn => {
                "three builds write at once"
            }
            Self::FlipEarly | Self::NoCensus => "two migrations with crashes",
            Self::NoDwell | Self::StaleBatch | Self::NoFallBehind | Self::NoSignOfLife => {
                "a frozen tab comes back"
            }
            Self::ReturnEarly | Self::NoClear => "an older build comes back",
            Self::NoValidation => "a record that cannot migrate until it is written again",
        }
    }

    /// Runs a transaction as this variant would.
    pub fn transact(
        self,
        db: &mut Memory<Value>,
        op: &Transaction<Value>,
        now: Timestamp,
    ) -> Answer<Value> {
        let verdict = self.evaluate(db, op, now);
        db.apply(verdict.writes);
        verdict.answer
    }

    pub fn evaluate(
        self,
        db: &Memory<Value>,
        op: &Transaction<Value>,
        now: Timestamp,
    ) -> TransactionResult<Value> {
        let facts = db.facts(&op.reads(), now);
        let mut op = op.clone();
        let before = facts.head.clone();
        if let Some(head) = &facts.head {
            self.before(head, &mut op);
        }
        if let (Self::StaleBatch, Transaction::FillBatch { records, .. }) = (self, &mut op) {
            for (record, found) in records.iter_mut().zip(facts.records.chunks(2)) {
                if let Some(source) = found.first().and_then(Option::as_ref) {
                    record.stamp = source.stamp;
                }
            }
        }
        let mut verdict = evaluate(&op, facts);
        self.after(&op, before.as_ref(), &mut verdict);
        verdict
    }

    fn before(self, head: &Head, op: &mut Transaction<Value>) {
        if let (Self::StaleBatch, Transaction::FillBatch { schema, batch, .. }) = (self, op)
            && let Some(namespace) = head.namespace(*schema)
        {
            batch.round = namespace.round;
            batch.at = namespace.fill.clone();
        }
    }

    fn after(
        self,
        op: &Transaction<Value>,
        before: Option<&Head>,
        verdict: &mut TransactionResult<Value>,
    ) {
        let bare = |recipe: &mut TranslationPlan<Value>| {
            for hop in &mut recipe.hops {
                hop.ours = None;
            }
        };
        if let (Self::FlipEarly | Self::ReturnEarly, Transaction::BeginFill { schema, .. }) =
            (self, op)
        {
            for head in heads(verdict) {
                let up = *schema > head.schema;
                let begun = head.namespaces.iter_mut().find(|it| it.schema == *schema);
                if let (true, Some(begun)) = (up == (self == Self::FlipEarly), begun) {
                    begun.fill = Fill::Full;
                }
            }
        }
        if let (Self::NoFallBehind, Transaction::Put { .. }, Some(before)) = (self, op, before) {
            for head in heads(verdict) {
                for namespace in &mut head.namespaces {
                    if let Some(known) = before.namespace(namespace.schema) {
                        namespace.fill = known.fill.clone();
                        namespace.round = known.round;
                    }
                }
            }
        }
        if let (
            Self::NoSignOfLife,
            Transaction::Open { .. } | Transaction::Put { .. } | Transaction::Delete { .. },
            Some(before),
        ) = (self, op, before)
        {
            for head in heads(verdict) {
                for namespace in &mut head.namespaces {
                    let known = before.namespace(namespace.schema);
                    namespace.alone_since = known.and_then(|it| it.alone_since);
                }
            }
        }
        match (self, op, &mut verdict.answer) {
            (
                Self::NoFence,
                Transaction::Put {
                    key, stamp, values, ..
                },
                Answer::Refused(Refusal::Stale(Some(head))),
            ) => {
                let epoch = head.epoch;
                let puts = values.iter().map(|(schema, value)| Write::Put {
                    schema: *schema,
                    key: key.clone(),
                    record: Record {
                        stamp: *stamp,
                        epoch,
                        value: *value,
                    },
                });
                verdict.writes = puts.collect();
                verdict.answer = Answer::Written;
            }
            (Self::NoMirror, Transaction::Put { schema, .. }, _) => verdict
                .writes
                .retain(|write| !matches!(write, Write::Put { schema: at, .. } if at != schema)),
            (Self::DeleteOwn, Transaction::Delete { schema, .. }, _) => verdict
                .writes
                .retain(|write| !matches!(write, Write::Delete { schema: at, .. } if at != schema)),
            (Self::NoMerge, _, Answer::Found(Some(recipe))) => bare(recipe),
            (Self::NoMerge, _, Answer::Rows { rows, .. }) => {
                rows.iter_mut().for_each(|row| bare(&mut row.recipe));
            }
            (Self::NoClear, Transaction::Expand { .. } | Transaction::Revive { .. }, _) => verdict
                .writes
                .retain(|write| !matches!(write, Write::Clear { .. })),
            _ => {}
        }
    }
}

/// The head as it is written and as the tab gets it.
fn heads(verdict: &mut TransactionResult<Value>) -> impl Iterator<Item = &mut Head> {
    let told = match &mut verdict.answer {
        Answer::Head(head) => head.as_mut(),
        _ => None,
    };
    let written = verdict.writes.iter_mut().filter_map(|write| match write {
        Write::Head(head) => Some(head),
        _ => None,
    });
    written.chain(told)
}
