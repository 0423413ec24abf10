//! The small worlds that are searched.

use crate::value::{Shape, Value};

/// What happens in a scenario, and how often at most.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: &'static str,
    pub schemas: [u32; 3],
    pub shape: Shape,
    /// The tag of the record that the store begins with.
    pub first: u8,
    /// Tabs that are there from the beginning; the others are opened later.
    pub open: usize,
    pub expand: bool,
    pub keys: &'static [&'static str],
    pub budget: Budget,
    /// How long an abandoned namespace is kept, in ticks.
    pub retention: u64,
    /// Whether they have all opened the store at the beginning; if not, every order of opening is tried.
    pub ready: bool,
    /// Whether a page may stop between the end of a transaction and its result.
    pub late: bool,
    /// Whether the scenario only counts if some schema is abandoned in it.
    pub leaves: bool,
    /// Whether to check from every state that the store comes to rest when faults stop.
    pub settles: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    pub ticks: u8,
    pub writes: u8,
    pub reads: u8,
    pub deletes: u8,
    pub starts: u8,
    pub crashes: u8,
    pub freezes: u8,
    pub thefts: u8,
    pub revivals: u8,
}

impl Budget {
    pub const NONE: Self = Self {
        ticks: 0,
        writes: 0,
        reads: 0,
        deletes: 0,
        starts: 0,
        crashes: 0,
        freezes: 0,
        thefts: 0,
        revivals: 0,
    };
}

const ONE: &[&str] = &["a"];
const TWO: &[&str] = &["a", "b"];

const BASE: Scenario = Scenario {
    name: "",
    schemas: [1, 2, 3],
    shape: Shape::Growing,
    first: 100,
    open: 3,
    expand: true,
    keys: ONE,
    budget: Budget::NONE,
    retention: 100,
    ready: true,
    late: false,
    leaves: false,
    settles: false,
};

const NONE: Budget = Budget::NONE;

/// A scenario in which every action may happen often.
pub fn walk(name: &'static str, schemas: [u32; 3], seed: u64) -> Scenario {
    Scenario {
        name,
        schemas,
        keys: TWO,
        late: seed.is_multiple_of(2),
        expand: !seed.is_multiple_of(7),
        shape: match seed % 5 {
            0 => Shape::Renaming,
            1 => Shape::NoWayDown,
            _ => Shape::Growing,
        },
        ready: false,
        retention: 4,
        open: 2,
        budget: Budget {
            ticks: 120,
            writes: 90,
            reads: 60,
            deletes: 20,
            starts: 60,
            crashes: 30,
            freezes: 30,
            thefts: 20,
            revivals: 30,
        },
        ..BASE
    }
}

pub fn all() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "three builds write at once",
            budget: Budget {
                writes: 4,
                deletes: 1,
                reads: 1,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "three builds open in any order",
            ready: false,
            budget: Budget {
                crashes: 1,
                writes: 1,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "two migrations with crashes",
            leaves: true,
            budget: Budget {
                ticks: 4,
                crashes: 2,
                writes: 1,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "a frozen tab comes back",
            leaves: true,
            open: 2,
            budget: Budget {
                ticks: 4,
                freezes: 1,
                writes: 2,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "one of three freezes",
            leaves: true,
            budget: Budget {
                ticks: 3,
                freezes: 1,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "a lock is stolen",
            leaves: true,
            open: 2,
            budget: Budget {
                ticks: 3,
                thefts: 1,
                crashes: 1,
                writes: 2,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "answers come late",
            leaves: true,
            late: true,
            open: 2,
            budget: Budget {
                ticks: 3,
                crashes: 1,
                freezes: 1,
                writes: 1,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "two records in two batches",
            leaves: true,
            keys: TWO,
            schemas: [1, 2, 1],
            open: 2,
            budget: Budget {
                ticks: 3,
                starts: 1,
                crashes: 1,
                writes: 1,
                deletes: 1,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "an older build comes back",
            leaves: true,
            schemas: [1, 2, 1],
            open: 2,
            budget: Budget {
                ticks: 4,
                starts: 1,
                crashes: 1,
                revivals: 1,
                writes: 1,
                deletes: 1,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "a build between two others",
            schemas: [1, 3, 2],
            open: 2,
            leaves: true,
            budget: Budget {
                ticks: 3,
                starts: 1,
                crashes: 1,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "a build between two others writes",
            schemas: [1, 3, 2],
            open: 2,
            budget: Budget {
                starts: 1,
                writes: 4,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "a record that cannot migrate until it is written again",
            first: Value::POISON,
            leaves: true,
            open: 2,
            budget: Budget {
                ticks: 4,
                crashes: 1,
                writes: 1,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "no room for a copy",
            shape: Shape::Renaming,
            expand: false,
            budget: Budget {
                ticks: 1,
                crashes: 1,
                deletes: 1,
                writes: 3,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "no way down",
            shape: Shape::NoWayDown,
            leaves: true,
            budget: Budget {
                ticks: 3,
                crashes: 2,
                writes: 1,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "everything comes to rest",
            leaves: true,
            settles: true,
            budget: Budget {
                ticks: 3,
                crashes: 1,
                writes: 1,
                ..NONE
            },
            ..BASE
        },
        Scenario {
            name: "everything comes to rest after a rollback",
            leaves: true,
            settles: true,
            retention: 3,
            schemas: [1, 2, 1],
            open: 2,
            budget: Budget {
                ticks: 3,
                starts: 1,
                crashes: 1,
                revivals: 1,
                writes: 1,
                ..NONE
            },
            ..BASE
        },
    ]
}
