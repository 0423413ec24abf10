//! The server side of changeover: what publishes builds, goes back to them, serves them and checks them.
//!
//! | module | what it does |
//! |---|---|
//! | [`build`] | reads a dist folder and describes it: manifest, stamp, id |
//! | [`publish`], [`rollback`] | the two ways to make a build live; [`deploy`] holds the order of their writes |
//! | [`amend`] | the one way to change a release: what a change does not speak of stays |
//! | [`stamp`] | makes a folder a deploy by itself, for hosts that get a plain copy |
//! | [`retain`] | which builds are kept, and the removal of the others |
//! | [`stores`] | may a build follow the builds that tabs still run? |
//! | [`serve`] | a site over HTTP |
//! | [`diff`] | what does a deploy mean for the tabs that run another build? |
//! | [`verify`] | is everything there that the live release needs? |
//! | [`site`], [`atomic_write`] | the layout on disk and the atomic writes |
//!
//! The formats are those of the engine: [`changeover::engine::release`] and [`changeover::engine::manifest`].

pub mod amend;
mod args;
pub mod atomic_write;
pub mod build;
pub mod collisions;
pub mod deploy;
pub mod diff;
mod diff_words;
pub mod error;
mod failpoints;
mod git;
pub mod hash;
pub mod html;
pub mod publish;
pub mod release_document;
pub mod retain;
pub mod rollback;
mod run;
pub mod serve;
pub mod site;
pub mod stamp;
pub mod stores;
mod time;
pub mod url;
pub mod verify;
mod walk;

pub use run::run;
