//! Takes the slots of an open page from one build to another, or says why that cannot be.
//!
//! 1. [`Composition`] is what really runs: the shell that the document started, the build that the slots point to, code
//!    that stayed behind, what did not work before.
//! 2. [`plan`] compares it with a target build: nothing to do, styles alone, slots to swap, or a refusal that names the
//!    module at the root of it. Any build may follow any other; builds have no order.
//! 3. [`Swap`] takes a plan through its steps: fetch, import, wait for quiet, snapshot, migrate, mount, switch,
//!    probation, commit. Before the switch whatever fails leaves the page as it is, after it everything goes back
//!    together.
//!
//! Why this is safe: a plan is refused unless the shell of the target has the code of the page's shell, module by module.
//! What the target's slots import was built together with that shell, so after a swap the page runs the code that a
//! fresh load of the target would run. Two things need a look of their own: code that stays behind, and modules of the
//! shell that the page has loaded under another name (a bundler renames a script for the sake of its style); no module may
//! import those by their new one.
//!
//! Refused although it may be possible: a pinned module that no slot of this page has loaded changed; a slot is gone
//! that nothing asks for any more; a file was replaced under its old name before the page had loaded it; a style gave a
//! new name to a module that slots share with the shell.

mod attempt;
mod build_plan;
mod comparison;
mod composition;
mod phase;
mod phase_steps;
mod plan;
mod reason;
mod refusal;
mod run;
mod stale;
mod steps;
mod swap_plan;

pub use composition::{Bad, Composition};
pub use phase::Phase;
pub use plan::plan;
pub use reason::{SwapReason, Verdict};
pub use refusal::{Refusal, Why};
pub use run::Swap;
pub use stale::StaleSlot;
pub use steps::{Ending, Failure, SwapInput, SwapOutput, Timeouts};
pub use swap_plan::{Budget, Page, Plan, SlotMove, SwapPlan};

pub use crate::engine::slots::{Answer, Fetch, Migration, Module, Pointer, Step, Use};
