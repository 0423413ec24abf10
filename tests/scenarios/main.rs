//! What the guard does, told as stories on a virtual clock.
//!
//! Each scenario is a list of described steps; what comes out is compared as a list of short sentences. The same
//! stories run natively and, compiled to WebAssembly, in a JavaScript engine.

mod arriving;
mod deciding;
mod handing;
mod holding;
mod looking;
mod moving;
mod odd_answers;
mod page;
mod recovering;
mod sharing;
mod staying;
mod streaming;
mod words;
