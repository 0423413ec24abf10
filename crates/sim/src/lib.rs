//! The guard outside a browser.
//!
//! [`replay`] feeds a recorded trace to a new guard and compares the outputs. [`world`] runs many tabs of one origin
//! against a server that flaps, lags and fails, on a virtual clock and from one seed, and checks the promises at each
//! step.

pub mod replay;
pub mod world;
