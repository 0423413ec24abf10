//! L0: every decision of the guard, pure. Time and seed are handed in.

pub mod format;
pub mod io;
pub mod manifest;
pub mod release;
