//! The types of the npm package that list the variants of an enum, written from the enums.

use changeover::{
    engine::{
        io::{AbortReason, DecisionKind, Reason, SwapOutcome, WaitReason},
        release::Urgency,
        status::{Level, PhaseName, StreamState},
        swap::{SwapReason, Why},
    },
    listed::Listed,
};
use serde::Serialize;

use crate::is_on_disk;

#[test]
fn the_enum_types_of_the_package_are_those_of_the_engine() {
    let types = [
        // The loader adds a level of its own.
        written::<Level>("GuardLevel"),
        written::<StreamState>("StreamState"),
        written::<Urgency>("Urgency"),
        written::<DecisionKind>("DecisionKind"),
        written::<Reason>("Reason"),
        written::<PhaseName>("ChangeoverPhase"),
        written::<WaitReason>("WaitReason"),
        written::<AbortReason>("AbortReason"),
        coded("SwapRefusalCode", Why::code),
        written::<SwapOutcome>("SwapOutcome"),
        coded("SwapReason", SwapReason::code),
    ];
    let file = format!(
        "// What the texts of a type may be: one for each variant of an enum of the engine. Written by tests/samples/enums.rs.\n{}",
        types.concat()
    );
    is_on_disk("pkg-template/enums.d.ts", &file);
}

/// The type of an enum that is written by its serde names.
fn written<T: Listed + Serialize>(name: &str) -> String {
    union::<T>(name, |variant| serde_json::to_string(&variant).unwrap())
}

/// The type of an enum that is known by its codes.
fn coded<T: Listed>(name: &str, code: fn(T) -> &'static str) -> String {
    union::<T>(name, |variant| {
        serde_json::to_string(code(variant)).unwrap()
    })
}

fn union<T: Listed>(name: &str, json: impl Fn(T) -> String) -> String {
    let mut text = format!("\n{}export type {name} =", comment("", T::ABOUT));
    for (&variant, notes) in T::ALL.iter().zip(T::NOTES) {
        text += "\n";
        text += &comment("  ", notes);
        text += &format!("  | {}", json(variant).replace('"', "'"));
    }
    text + ";\n"
}

fn comment(indent: &str, lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    match lines.join(" ").trim() {
        "" => String::new(),
        text => format!("{indent}/** {text} */\n"),
    }
}
