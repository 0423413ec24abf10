//! Migrations from outside: paths over random graphs, runs that go wrong in every way, chains of typed steps, and the
//! laws that find a bad step. And stores that builds share: tabs on several schemas over one database.

mod builds;
mod chains;
mod durable;
mod fleet;
mod graphs;
mod laws;
mod moving;
mod runs;
