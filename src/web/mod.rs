//! L1: the browser drivers. They turn what the browser says into inputs and perform effects; they decide nothing.
//!
//! | module | what it drives |
//! |---|---|
//! | [`driver`] | the loop: feed, drain, one timer |
//! | [`perform`] | every effect, one arm each |
//! | [`fetch`] | requests with a cap in bytes and time |
//! | [`manifests`] | manifests, and the copies that tabs share |
//! | [`events`] | the event stream |
//! | [`inlet`] | messages that may come in floods |
//! | [`lifecycle`] | visibility, focus, network, freezing, the back/forward cache |
//! | [`election`], [`locks`], [`peers`] | one leading tab, and the channel between tabs |
//! | [`store_driver`], [`idb`] | a store that tabs on several builds share, and its database |
//! | [`store`] | the same for Rust apps, with typed records |
//! | [`departing`] | a page that was told to reload and is still there |
//! | [`storage`], [`state`], [`scroll`], [`reloads`] | what outlives a reload |
//! | [`files`] | what the page has loaded |
//! | [`callback`], [`clock`], [`reflect`], [`trace`] | what the others are made of |

pub mod callback;
pub mod clock;
pub mod departing;
pub mod driver;
pub mod election;
pub mod events;
pub mod fetch;
pub mod files;
pub mod idb;
mod inlet;
pub mod lifecycle;
pub mod locks;
pub mod manifests;
pub mod peers;
mod perform;
pub(crate) mod reflect;
pub mod reloads;
pub mod scroll;
pub mod state;
pub mod storage;
pub mod store;
pub mod store_driver;
pub mod trace;

pub use driver::{Driver, Host, Options, Stream};

/// Where a driver puts what it learns.
pub type Emit = std::rc::Rc<dyn Fn(crate::engine::io::Input)>;
