//! Refuses transactions that were planned with a state of the store that has changed since.

use crate::engine::store::{
    head::Head,
    transaction::{Batch, LayoutVersion, Refusal},
};

/// The head, if its layout is still the one that the transaction was planned with.
pub(super) fn believed(head: Option<Head>, layout: LayoutVersion) -> Result<Head, Refusal> {
    match head {
        Some(head) if head.epoch == layout.epoch && head.schema == layout.primary => Ok(head),
        other => Err(Refusal::Stale(other)),
    }
}

/// The head, if the namespace is filled exactly up to the start of the batch.
pub(super) fn filling(
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

/// Whether the store keeps a backup of this schema.
pub(super) fn has_backup(head: &Option<Head>, schema: u32) -> bool {
    head.as_ref().is_some_and(|it| it.backup(schema).is_some())
}
