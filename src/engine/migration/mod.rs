//! Takes the state of a page from the schemas of one build to those of another.
//!
//! 1. At start an app registers its stores: [`Registry::register`] finds steps that repeat themselves, go in a circle,
//!    leave a gap or are ambiguous, so that none of this waits for the field.
//! 2. A [`Plan`] is the cheapest path of one store, without a loss whenever there is such a path. What was stored comes
//!    with its [`Lineage`](super::lineage::Lineage); a "schema 7" that another branch built is refused.
//! 3. A [`Run`] takes several plans through all or nothing: snapshot everything, migrate copies step by step with a time
//!    budget, validate, and only then say [`RunOutput::Ready`]. A dry run ends in a [`Report`] instead.
//!
//! 4. Before a page goes, [`Registry::handover`] says in which schema the next build gets a state.
//!
//! Values and functions stay with the caller; the engine holds numbers for them. For Rust types, [`typed`] keeps both.
//! [`laws`] are the properties every migration should have, as checks for an app's own tests.

mod error;
mod handover;
pub mod laws;
mod reconcile;
mod registry;
mod run;
mod search;
mod step;
pub mod typed;

pub use error::MigrationError;
pub use handover::{Handover, Taker};
pub use reconcile::reconcile;
pub use registry::{Edge, Loss, Plan, Registry, STEP_LIMIT, StoreSpec};
pub use run::{
    Carried, Outcome, Report, Run, RunInput, RunOptions, RunOutput, StepReport, StoreReport,
};
pub use step::{Direction, Step, StepName, StepRef};
