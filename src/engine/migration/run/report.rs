//! The report of a dry run: for each store, the steps that ran and how the migration ended.

use alloc::{string::String, vec::Vec};

use crate::{
    engine::migration::{error::MigrationError, registry::Plan, step::StepName},
    time::Millis,
};

/// What a migration of these stores would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub stores: Vec<StoreReport>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreReport {
    pub store: String,
    pub from: u32,
    pub to: u32,
    pub lossy: bool,
    /// The steps that ran, the failed one included.
    pub steps: Vec<StepReport>,
    pub outcome: Outcome,
}

impl StoreReport {
    /// The report of a store that no step has run for.
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            store: plan.store.clone(),
            from: plan.from,
            to: plan.to,
            lossy: plan.lossy,
            steps: Vec::new(),
            outcome: Outcome::Ready,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepReport {
    pub name: StepName,
    pub lossy: bool,
    pub took: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ready,
    Failed(MigrationError),
}
