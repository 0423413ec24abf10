//! What names things in every layer.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// The opaque name of a build; compared, never ordered in meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BuildId(pub String);
