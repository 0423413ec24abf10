//! What the guard does, told as stories on a virtual clock.
//!
//! Each scenario is a list of described steps; what comes out is compared as a list of short sentences. The same
//! stories run natively and, compiled to WebAssembly, in a JavaScript engine.

mod arriving;
mod by_hand;
mod counting_down;
mod deciding;
mod flooding;
mod handing;
mod hinting;
mod holding;
mod keeping;
mod leaving;
mod loading;
mod looking;
mod moving;
mod odd_answers;
mod page;
mod poisoned;
mod readying;
mod recovering;
mod renewing;
mod samples;
mod server;
mod sharing;
mod staying;
mod streaming;
mod words;
