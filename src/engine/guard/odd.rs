//! The sentences about releases that do not fit what is known.

use crate::engine::{excerpt::quoted, releases::Odd, status::Trouble};

/// Why a release is ignored. Builds and apps: of the release, and of the one before.
pub(super) fn ignored(
    odd: Odd,
    sequence: u64,
    (build, accepted): (&str, &str),
    (app, ours): (&str, &str),
) -> Trouble {
    let sequence = sequence.to_string();
    let (code, message) = match odd {
        Odd::Older { highest } => (
            "older_release",
            format!(
                "release.json has sequence {sequence}, older than {highest}, which was seen before"
            ),
        ),
        Odd::Reused { .. } => (
            "sequence_reused",
            format!(
                "release.json has sequence {sequence} with build {}, and the same sequence had build {} before",
                quoted(build),
                quoted(accepted)
            ),
        ),
        Odd::Implausible { .. } => (
            IMPLAUSIBLE,
            format!("release.json has sequence {sequence}{}", ABSURD),
        ),
        Odd::OtherApp => (
            "wrong_app",
            format!(
                "release.json is for app {}, and was for app {} before",
                quoted(app),
                quoted(ours)
            ),
        ),
    };
    trouble(code, message)
}

/// A release that was ignored is followed from now on.
pub(super) fn corrected(odd: Odd, sequence: u64) -> Trouble {
    let sequence = sequence.to_string();
    let (before, number) = match odd {
        Odd::Older { highest } => (
            " is followed although it is lower than ",
            highest.to_string(),
        ),
        Odd::Reused { sequence } => (
            " is followed with another build than before, though its number is still ",
            sequence.to_string(),
        ),
        Odd::Implausible { sequence } => (
            " is followed although no release of today has the number ",
            sequence.to_string(),
        ),
        Odd::OtherApp => (" is followed although it is for another app", "".into()),
    };
    let message = format!(
        "release.json with sequence {sequence}{before}{number}: the server answers nothing else"
    );
    trouble("sequence_reset", message)
}

/// A release was followed although its sequence is larger than any that a later release will have.
pub(super) fn absurd(sequence: u64) -> Trouble {
    let message = format!("release.json has sequence {sequence}{}", ABSURD);
    trouble(IMPLAUSIBLE, message)
}

/// What this origin remembered was wrong.
pub(super) fn forgotten(remembered: u64, sequence: u64) -> Trouble {
    let message = format!(
        "sequence {remembered} was remembered, which no release of today has; it is forgotten, and {sequence} counts"
    );
    trouble(IMPLAUSIBLE, message)
}

const IMPLAUSIBLE: &str = "sequence_implausible";
const ABSURD: &str = ", far beyond any count or time of today; it is not remembered";

fn trouble(code: &str, message: alloc::string::String) -> Trouble {
    Trouble {
        code: code.into(),
        message,
    }
}
