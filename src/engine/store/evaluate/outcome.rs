//! The kinds of results that transactions have.

use alloc::vec::Vec;

use crate::engine::store::transaction::{Answer, Refusal, TransactionResult, Write};

/// Only an answer.
pub(super) fn told<V>(answer: Answer<V>) -> TransactionResult<V> {
    TransactionResult {
        writes: Vec::new(),
        answer,
    }
}

/// A refusal, which writes nothing.
#[inline(never)]
pub(super) fn refused<V>(refusal: Refusal) -> TransactionResult<V> {
    told(Answer::Refused(refusal))
}

/// The writes of a change of records.
pub(super) fn written<V>(writes: Vec<Write<V>>) -> TransactionResult<V> {
    TransactionResult {
        writes,
        answer: Answer::Written,
    }
}
