//! changeover lets a single-page app move from one build to the next while people are using it.
//!
//! | layer | module | what lives there | may use |
//! |---|---|---|---|
//! | | [`ids`], [`time`], [`rng`], [`listed`] | names, moments, the seeded generator and listed enums that every layer shares | alloc, serde |
//! | L0 | [`engine`] | every decision, pure: no browser, no clock, no randomness | alloc, serde |
//! | L1 | `web` (feature `web`) | the browser drivers: fetch, streams, storage, timers; no decision | engine |
//! | L2 | `js` (features `js`, `stores`) | the `#[wasm_bindgen]` surfaces of the npm package | engine, web |
//! | L2 | `yew` (feature `yew`) | slots for Yew apps | engine, web |
//!
//! One event, end to end: a driver turns what the browser says into an [`engine::io::Input`], feeds it to the
//! [`engine::guard::Guard`], and performs each [`engine::io::Effect`] that the guard hands out until it says when it
//! wants to be woken. `cargo xtask layers` holds the table above, and that no modules use each
//! other in a circle.

extern crate alloc;

pub mod engine;
pub mod ids;
#[cfg(any(feature = "js", feature = "stores"))]
pub mod js;
pub mod listed;
pub mod rng;
pub mod time;
#[cfg(feature = "web")]
pub mod web;
#[cfg(feature = "yew")]
pub mod yew;
