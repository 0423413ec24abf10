//! A store that tabs on several builds share, in one database that never changes its native version.
//!
//! Every record is kept once for each schema that some build still works with, under the key `[schema, key]`. These
//! *namespaces* and everything else that the builds must agree on stand in one small [`Head`]. Because all of it lies in
//! one database, each step below is one transaction: it happened, or it did not.
//!
//! 1. **Open.** A tab takes a shared lock on its schema, reads the head, and [`open`] says what it may do.
//! 2. **Expand.** A build with a newer schema adds a namespace of its own beside the others, at first empty.
//! 3. **Coexist.** The lowest namespace is the *primary*: every write goes there, and to each other namespace that the
//!    writer can translate to, all with the same [`Stamp`]. So a copy with the primary's stamp is up to date, and any other
//!    is not: it is translated from below when it is read, and what only it knows is merged in. So a build need not
//!    know the schemas of later builds.
//! 4. **Fill.** Once no tab on the primary's schema holds its lock, its records are copied upwards in batches, each with a
//!    checkpoint in the head, and then checked. A write that leaves the copy behind starts the filling again.
//! 5. **Contract.** When the copy is full and checked, and no tab has been seen on the old schema for the dwell time,
//!    the head's pointer moves up, in one transaction. A tab that still works with the old layout has the wrong *epoch* and
//!    is fenced. The old namespace stays as a backup until its time is over.
//! 6. **Revive.** For a rollback, a tab of the newer build fills the old namespace again through `down`, and the pointer
//!    moves back down. Until then the older build reads the backup, or is told why it cannot.
//!
//! A transaction is a value: [`Transaction`] says what to read, and [`evaluate`] says, from what was read, what is written. A driver
//! runs both inside one transaction of the database. [`StoreClient`] is the machine that decides which transactions to run, and when.

mod client;
mod error;
mod evaluate;
mod head;
mod job;
mod memory;
mod mode;
mod record_versions;
mod transaction;

pub use client::{Input, Output, Reply, Request, RequestKind, StoreClient, Ticket};
pub use error::{DurableError, Failure, Untranslated};
pub use evaluate::evaluate;
pub use head::{Backup, Fill, Head, Namespace, Phase, Root, Stamp};
pub use memory::Memory;
pub use mode::{
    Base, Capabilities, Link, Mirror, Mode, Reachability, ReadOnlyReason, RefuseReason, Timing,
    Want, links, may_write, mirrors, open, want,
};
pub use record_versions::{News, RecordVersions};
pub use transaction::{
    Answer, Batch, Filled, Hop, LayoutVersion, LocalCopy, ReadSet, ReadValues, Record, Refusal,
    Row, ScanRead, Seen, Transaction, TransactionResult, TranslationPlan, Write,
};
