//! What a tab does next for the store as a whole, derived from the head, which alone holds the progress.

use alloc::{string::String, vec::Vec};

use super::{
    head::{Fill, Head, Namespace},
    mode::{Capabilities, ReadOnlyReason, may_write},
};
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// Nothing to do, or nothing before this time.
    Rest(Option<Timestamp>),
    /// Check whether any tab is on this schema.
    Census(u32),
    Begin {
        schema: u32,
        round: u32,
    },
    Copy(Portion),
    Check(Portion),
    Contract {
        to: u32,
    },
    Return {
        to: u32,
    },
    Abandon {
        schema: u32,
    },
    Sweep {
        schema: u32,
    },
}

/// The next records of a namespace that is being filled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Portion {
    pub schema: u32,
    pub round: u32,
    pub at: Fill,
    pub after: Option<String>,
}

/// `census`: the earliest time of the next check for other tabs.
pub(super) fn next_step(
    head: &Head,
    build: &Capabilities,
    census: Timestamp,
    now: Timestamp,
) -> Step {
    if build.schema < head.schema || build.schema < head.min_writer {
        return Step::Rest(None);
    }
    if let Some(below) = head.reviving().next() {
        return revive(head, build, below);
    }
    let mut rest = Rest(None);
    if let Some(step) = upwards(head, build, census, now, &mut rest) {
        return step;
    }
    for backup in head.backups.iter().filter(|_| build.locks) {
        let end = after(backup.used, build.timing.retention);
        match (end <= now, census <= now) {
            (true, true) => {
                return Step::Sweep {
                    schema: backup.schema,
                };
            }
            (true, false) => rest.until(census),
            (false, _) => rest.until(end),
        }
    }
    Step::Rest(rest.0)
}

fn revive(head: &Head, build: &Capabilities, below: &Namespace) -> Step {
    let schema = below.schema;
    let leads = |from: u32, to: u32| build.ways.lossy(from, to).is_some();
    if leads(build.schema, head.schema) && !leads(build.schema, schema) {
        // It could write if this namespace were not there.
        return Step::Abandon { schema };
    }
    if !leads(head.schema, schema) {
        return Step::Rest(None);
    }
    filling(below).unwrap_or(Step::Return { to: schema })
}

/// The next step of a contraction: whether older tabs are gone, the copy is complete, and the dwell time is over.
fn upwards(
    head: &Head,
    build: &Capabilities,
    census: Timestamp,
    now: Timestamp,
    rest: &mut Rest,
) -> Option<Step> {
    let next = head.next_above()?;
    let old = head.namespace(head.schema)?;
    if !build.locks || next.schema > build.schema {
        return None;
    }
    let unseen = |it: &Namespace| it.alone_since.is_none_or(|since| since > now);
    let others: Vec<&Namespace> = head
        .namespaces
        .iter()
        .filter(|it| it.schema < build.schema)
        .collect();
    for other in &others {
        if unseen(other) {
            if census <= now {
                return Some(Step::Census(other.schema));
            }
            rest.until(census);
        }
    }
    let since = old.alone_since.filter(|since| *since <= now)?;
    build.ways.lossy(head.schema, next.schema)?;
    if let Some(step) = filling(next) {
        return Some(step);
    }
    let due = after(since, dwell(head, build));
    if due > now {
        rest.until(due);
        return None;
    }
    if census > now {
        rest.until(census);
        return None;
    }
    Some(Step::Contract { to: next.schema })
}

/// A build without a translation down cannot write while older tabs live, so it takes over as soon as none of them is awake:
/// frozen ones are fenced, and their schema stays as a backup.
pub(super) fn dwell(head: &Head, build: &Capabilities) -> u64 {
    let stuck = matches!(may_write(head, build), Err(ReadOnlyReason::NoDown { .. }));
    let mut older = head.namespaces.iter().filter(|it| it.schema < build.schema);
    match stuck && older.all(|it| it.alone_since.is_some()) {
        true => 0,
        false => build.timing.dwell,
    }
}

fn filling(namespace: &Namespace) -> Option<Step> {
    let portion = |after: &Option<String>| Portion {
        schema: namespace.schema,
        round: namespace.round,
        at: namespace.fill.clone(),
        after: after.clone(),
    };
    match &namespace.fill {
        Fill::Partial => Some(Step::Begin {
            schema: namespace.schema,
            round: namespace.round,
        }),
        Fill::Copying { after } => Some(Step::Copy(portion(after))),
        Fill::Checking { after } => Some(Step::Check(portion(after))),
        Fill::Full => None,
    }
}

fn after(time: Timestamp, span: u64) -> Timestamp {
    Timestamp(time.0.saturating_add(span))
}

/// The earliest of several times.
struct Rest(Option<Timestamp>);

impl Rest {
    fn until(&mut self, time: Timestamp) {
        self.0 = Some(self.0.map_or(time, |earlier| earlier.min(time)));
    }
}
