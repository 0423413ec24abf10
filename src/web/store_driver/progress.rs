//! How far a migration of the store is, as the app is told.

use wasm_bindgen::JsValue;

use crate::engine::store::Transaction;

/// A committed step of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// `expand`, `copy`, `check`, `contract`, `revive`, `return` or `sweep`.
    pub phase: &'static str,
    pub from: u32,
    pub to: u32,
    /// Records so far in this phase.
    pub done: usize,
}

/// What a transaction means for the progress of a migration, once it has committed.
pub(super) fn step_of(op: &Transaction<JsValue>) -> Option<Progress> {
    let step = |phase, from, to, done| {
        Some(Progress {
            phase,
            from,
            to,
            done,
        })
    };
    match op {
        Transaction::Expand {
            layout, namespace, ..
        } => step("expand", layout.primary, namespace.schema, 0),
        Transaction::BeginFill { layout, schema, .. } => step("copy", layout.primary, *schema, 0),
        Transaction::FillBatch {
            layout,
            schema,
            records,
            ..
        } => step("copy", layout.primary, *schema, records.len()),
        Transaction::CheckBatch {
            layout,
            schema,
            keys,
            ..
        } => step("check", layout.primary, *schema, keys.len()),
        Transaction::Contract { layout, to, .. } => step("contract", layout.primary, *to, 0),
        Transaction::Revive {
            layout, namespace, ..
        } => step("revive", layout.primary, namespace.schema, 0),
        Transaction::Return { layout, to, .. } => step("return", layout.primary, *to, 0),
        Transaction::Sweep { schema, .. } => step("sweep", *schema, *schema, 0),
        Transaction::Open { .. }
        | Transaction::Look
        | Transaction::Create { .. }
        | Transaction::Get { .. }
        | Transaction::Copies { .. }
        | Transaction::Scan { .. }
        | Transaction::GetBackup { .. }
        | Transaction::ScanBackup { .. }
        | Transaction::Put { .. }
        | Transaction::Delete { .. }
        | Transaction::Alone { .. }
        | Transaction::Abandon { .. } => None,
    }
}
