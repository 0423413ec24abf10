//! Hot swap from outside: what the planner says to every kind of change, what a page looks like after a plan, and swaps
//! that go wrong in every way.

mod app;
mod asking;
mod limits;
mod machine;
mod meeting;
mod page;
mod random;
mod sequences;
mod stepping;
mod table;
mod trouble;
