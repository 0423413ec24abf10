//! Migrations from outside: paths over random graphs, runs that go wrong in every way, chains of typed steps, and the
//! laws that find a bad step.

mod chains;
mod graphs;
mod laws;
mod runs;
