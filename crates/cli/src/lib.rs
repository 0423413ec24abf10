//! The server side of changeover: publishes builds, goes back to them, serves them and checks them.
//!
//! | module | what it does |
//! |---|---|
//! | [`build`] | reads a dist folder and describes it: manifest, stamp, id |
//! | [`publish`], [`rollback`] | the two commands that make a build live on a site |
//! | [`stamp`] | makes a folder a deploy by itself, for hosts that get a plain copy |
//! | [`amend`] | the one way to change a release: what a change does not mention stays, and what it ends is named |
//! | [`deploy`] | the one order of the writes, from the lock to the pointer |
//! | [`history`], [`retain`] | what was live; which builds are kept, and the removal of the others |
//! | [`stores`] | whether a build can follow the builds that tabs still run |
//! | [`serve`] | a site over HTTP |
//! | [`diff`] | what a deploy means for the tabs that run another build |
//! | [`verify`] | whether everything is there that the live release needs |
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
pub mod history;
pub mod html;
mod lock;
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
