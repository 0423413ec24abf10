//! L0: every decision of the guard, pure. Time and seed are handed in.
//!
//! A star: `guard` is the one door, and only it knows the parts; parts return values and never call each other.
//!
//! | module | what it decides |
//! |---|---|
//! | [`check_schedule`] | when to ask the server for the release |
//! | [`stream`] | when the event stream opens and closes |
//! | [`tabs`] | which tab of the origin polls for all of them |
//! | [`releases`] | which releases count |
//! | [`rollout`] | which build a release wants for this browser, and what must be left |
//! | [`manifest_cache`] | which manifests to fetch |
//! | [`skew`] | what differs between two builds, for this page |
//! | [`policy`] | what to do about it, and why |
//! | [`hold`] | who says "not now" |
//! | [`changeover`] | the steps of one move |
//! | [`departure`] | which document may take what a reloading page leaves |
//! | [`swap`] | which slots can take another build, and the steps of that |
//! | [`recovery`] | whether an error is a missing chunk |
//!
//! Two parts stand apart from the guard, and a page without them does not load them: [`migration`] takes state from one
//! schema to another, and [`store`] lets tabs of several builds share data; [`lineage`] says for both what a schema means.
//!
//! Leaves that every part may use: [`io`], the documents [`release`] and [`manifest`] with their [`format`], the [`graph`]
//! of a build, the [`status`], the steps of a swap in [`slots`], and the small ones: [`burst`], [`excerpt`], [`failure`],
//! [`poll_role`], [`sequence`].

pub mod burst;
pub mod changeover;
pub mod check_schedule;
pub mod departure;
pub mod excerpt;
pub mod failure;
pub mod format;
pub mod graph;
pub mod guard;
pub mod hold;
pub mod io;
pub mod lineage;
pub mod manifest;
pub mod manifest_cache;
pub mod migration;
pub mod news;
pub mod policy;
pub mod poll_role;
pub mod recovery;
pub mod release;
pub mod releases;
pub mod rollout;
pub mod sequence;
pub mod skew;
pub mod slots;
pub mod status;
pub mod store;
pub mod stream;
pub mod swap;
pub mod tabs;
