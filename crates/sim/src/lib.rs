//! The guard outside a browser.
//!
//! [`replay`] feeds a recorded trace to a fresh guard and compares what comes out. [`world`] runs many tabs of one
//! origin against a server that flaps, lags and fails, on a virtual clock and from one seed, and checks at each step
//! what must always hold.

pub mod replay;
pub mod world;
