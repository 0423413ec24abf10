//! What holds for every text and for every order of events, not only for those that a developer thought of.

mod documents;
mod guard;
mod meeting;
mod texts;
mod witness;
