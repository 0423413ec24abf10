//! Why something could not be had from the server.

use alloc::string::String;
use serde::{Deserialize, Serialize};

/// Why an answer is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum FetchFailure {
    Network,
    Timeout,
    Status {
        status: u16,
    },
    TooLarge {
        limit: u32,
    },
    Integrity,
    /// It has another length than it must have.
    Length {
        bytes: u64,
    },
    /// The app's page, or an error page, instead of the file.
    Html,
    /// The answer came from another origin, to which this one sent the request.
    Redirected {
        origin: String,
    },
}
