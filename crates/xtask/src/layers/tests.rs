//! Snippets that break each rule, and snippets that do not.

use super::*;

fn whys(file: &str, text: &str) -> Vec<String> {
    judge(file, text)
        .unwrap()
        .into_iter()
        .map(|violation| violation.why)
        .collect()
}

#[test]
fn the_engine_may_not_name_the_browser() {
    assert_eq!(
        whys("src/engine/check_schedule.rs", "use web_sys::Window;"),
        ["engine may not use the crate web_sys"]
    );
    assert_eq!(
        whys(
            "src/engine/check_schedule.rs",
            "fn f() -> js_sys::Array { todo!() }"
        ),
        ["engine may not use the crate js_sys"]
    );
    assert_eq!(
        whys(
            "src/engine/check_schedule.rs",
            "use gloo_timers::callback::Timeout;"
        ),
        ["engine may not use the crate gloo_timers"]
    );
    assert_eq!(
        whys(
            "src/engine/check_schedule.rs",
            "#[wasm_bindgen::prelude::wasm_bindgen] fn f() {}"
        ),
        ["engine may not use the crate wasm_bindgen"]
    );
}

#[test]
fn the_engine_may_not_read_a_clock() {
    assert_eq!(
        whys("src/engine/check_schedule.rs", "use std::time::Instant;"),
        ["engine may not use Instant"]
    );
    assert_eq!(
        whys(
            "src/engine/check_schedule.rs",
            "use std::{fmt, time::{Duration, SystemTime}};"
        ),
        ["engine may not use SystemTime"]
    );
    assert_eq!(
        whys(
            "src/engine/check_schedule.rs",
            "use std::time; fn f() { time::Instant::now(); }"
        ),
        ["engine may not use Instant"]
    );
    assert!(whys("src/engine/check_schedule.rs", "use core::time::Duration;").is_empty());
}

#[test]
fn the_engine_may_not_draw_random_numbers_or_walk_hash_maps() {
    assert_eq!(
        whys("src/engine/tabs.rs", "fn f() -> u8 { rand::random() }"),
        ["engine may not use the crate rand"]
    );
    assert_eq!(
        whys(
            "src/engine/tabs.rs",
            "use std::collections::{BTreeMap, HashMap};"
        ),
        ["engine may not use HashMap"]
    );
    assert_eq!(
        whys(
            "src/engine/tabs.rs",
            "struct A { b: std::collections::HashSet<u8> }"
        ),
        ["engine may not use HashSet"]
    );
}

#[test]
fn the_engine_may_not_wait_or_do_io() {
    assert_eq!(
        whys("src/engine/tabs.rs", "async fn f() {}"),
        ["engine may not use async"]
    );
    assert_eq!(
        whys("src/engine/tabs.rs", "fn f() { x.await }"),
        ["engine may not use await"]
    );
    assert_eq!(
        whys("src/engine/tabs.rs", "use std::fs::read;"),
        ["engine may not use std::fs"]
    );
    assert!(
        whys(
            "src/engine/tabs.rs",
            "use super::io::Input; use crate::engine::io::Effect;"
        )
        .is_empty()
    );
}

#[test]
fn macros_are_read_too() {
    assert_eq!(
        whys(
            "src/engine/tabs.rs",
            "fn f() { log!(\"{:?}\", std::time::SystemTime::now()) }"
        ),
        ["engine may not use SystemTime"]
    );
}

#[test]
fn words_in_comments_and_strings_are_not_names() {
    assert!(
        whys(
            "src/engine/tabs.rs",
            "//! A HashMap, std::time::Instant.\nconst A: &str = \"web_sys::Window\"; // async"
        )
        .is_empty()
    );
}

#[test]
fn layers_look_down_only() {
    assert_eq!(
        whys("src/engine/tabs.rs", "use crate::web::clock;"),
        ["engine may not use the layer web"]
    );
    assert_eq!(
        whys("src/engine/tabs.rs", "use super::super::js::api;"),
        ["engine may not use the layer js"]
    );
    assert_eq!(
        whys(
            "src/web/clock.rs",
            "use crate::{engine::io::Input, js::Api};"
        ),
        ["web may not use the layer js"]
    );
    assert_eq!(
        whys("src/js/mod.rs", "use crate::yew::Provider;"),
        ["js may not use the layer yew"]
    );
    assert!(
        whys(
            "src/js/mod.rs",
            "use crate::{engine::guard::Guard, web::driver::Driver};"
        )
        .is_empty()
    );
    assert_eq!(
        whys("src/net/mod.rs", ""),
        [
            "net is no layer; the layers are engine, web, js, yew, and below them ids, listed, rng, time"
        ]
    );
}

#[test]
fn native_crates_know_the_engine_only() {
    assert_eq!(
        whys("crates/cli/src/main.rs", "use changeover::web::driver;"),
        ["cli may not use web: it knows the engine only"]
    );
    assert_eq!(
        whys("crates/sim/src/world.rs", "use js_sys::Date;"),
        ["sim may not use js_sys: it knows the engine only"]
    );
    assert!(
        whys(
            "crates/cli/src/main.rs",
            "use changeover::engine::release::Release; use std::fs;"
        )
        .is_empty()
    );
}

#[test]
fn parts_do_not_know_each_other() {
    let why = "the part policy may not use the part check_schedule: only guard knows the parts";
    assert_eq!(
        whys(
            "src/engine/policy.rs",
            "use super::check_schedule::CheckSchedule;"
        ),
        [why]
    );
    assert_eq!(
        whys(
            "src/engine/policy.rs",
            "use crate::engine::{io::Input, check_schedule::CheckSchedule};"
        ),
        [why]
    );
    assert_eq!(
        whys(
            "src/engine/policy/rules.rs",
            "use super::super::check_schedule::CheckSchedule;"
        ),
        [why]
    );
    assert_eq!(
        whys("src/engine/policy.rs", "use super::guard::Guard;"),
        ["policy may not use guard: parts return values"]
    );
    assert_eq!(
        whys(
            "src/engine/io.rs",
            "use super::check_schedule::CheckSchedule;"
        ),
        ["io is a leaf of the engine and may not use the part check_schedule"]
    );
    assert!(
        whys(
            "src/engine/guard.rs",
            "use super::{policy, check_schedule::CheckSchedule};"
        )
        .is_empty()
    );
    assert!(
        whys(
            "src/engine/policy/rules.rs",
            "use super::Decision; use crate::engine::policy::Reason;"
        )
        .is_empty()
    );
}

#[test]
fn parts_may_name_the_documents_but_not_call_their_functions() {
    assert!(
        whys(
            "src/engine/skew.rs",
            "use super::manifest::{Chunk, Manifest};"
        )
        .is_empty()
    );
    assert_eq!(
        whys("src/engine/skew.rs", "use super::manifest::parse;"),
        ["the part skew may not use the part manifest: only guard knows the parts"]
    );
    assert_eq!(
        whys("src/engine/skew.rs", "use super::manifest;"),
        ["the part skew may not use the part manifest: only guard knows the parts"]
    );
}

#[test]
fn tests_of_a_part_may_use_other_parts_but_stay_pure() {
    assert!(
        whys(
            "src/engine/skew.rs",
            "#[cfg(test)] mod tests { use super::super::check_schedule::CheckSchedule; }"
        )
        .is_empty()
    );
    assert_eq!(
        whys(
            "src/engine/skew.rs",
            "#[cfg(test)] mod tests { use std::time::Instant; }"
        ),
        ["engine may not use Instant"]
    );
    let after = "#[cfg(test)] mod tests {} use super::check_schedule::CheckSchedule;";
    assert_eq!(
        whys("src/engine/skew.rs", after),
        ["the part skew may not use the part check_schedule: only guard knows the parts"]
    );
}

#[test]
fn an_unknown_module_of_the_engine_must_be_put_into_a_table() {
    let why = "stuff is neither a part nor a leaf of the engine; add it to a table in crates/xtask/src/layers.rs";
    assert_eq!(whys("src/engine/stuff.rs", ""), [why]);
}

#[test]
fn a_violation_names_its_file_and_line() {
    let found = judge("src/engine/tabs.rs", "\n\nuse web_sys::Window;").unwrap();
    assert_eq!(
        found[0].to_string(),
        "src/engine/tabs.rs:3: `web_sys::Window`: engine may not use the crate web_sys"
    );
}

#[test]
fn what_stands_below_the_layers_is_pure_and_names_none_of_them() {
    for (text, why) in [
        (
            "use crate::engine::io::Input;",
            "rng may not use the layer engine",
        ),
        (
            "use crate::web::clock::Clock;",
            "rng may not use the layer web",
        ),
        (
            "fn f() -> u8 { rand::random() }",
            "rng may not use the crate rand",
        ),
        ("use std::time::Instant;", "rng may not use Instant"),
    ] {
        assert_eq!(whys("src/rng.rs", text), [why], "{text}");
    }
    assert!(whys("src/rng.rs", "use crate::time::Millis;").is_empty());
    assert!(
        whys(
            "src/engine/check_schedule.rs",
            "use crate::{rng::Rng, time::Millis};"
        )
        .is_empty()
    );
    assert_eq!(
        whys("src/dice.rs", ""),
        [
            "dice is no layer; the layers are engine, web, js, yew, and below them ids, listed, rng, time"
        ]
    );
}

fn circles_in(files: &[(&str, &str)]) -> Vec<String> {
    let file = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    let files = files.iter().map(file).collect();
    let violations = circles(&files).unwrap();
    violations.into_iter().map(|it| it.named).collect()
}

#[test]
fn modules_may_not_use_each_other_in_a_circle() {
    assert_eq!(
        circles_in(&[
            ("src/engine/a.rs", "use super::b::B;"),
            (
                "src/engine/b.rs",
                "pub struct B; fn f(c: crate::engine::c::C) {}"
            ),
            ("src/engine/c.rs", "use crate::engine::{a::A, d};"),
            ("src/engine/d.rs", "use alloc::vec::Vec;"),
        ]),
        ["engine::a -> engine::b -> engine::c"]
    );
    assert_eq!(
        circles_in(&[
            (
                "src/web/idb.rs",
                "mod requests; use self::requests::ask; const HEAD: u8 = 0;"
            ),
            (
                "src/web/idb/requests.rs",
                "pub(super) fn ask() -> u8 { super::HEAD }"
            ),
        ]),
        ["web::idb -> web::idb::requests"]
    );
}

#[test]
fn what_only_tests_use_and_who_may_see_an_item_makes_no_circle() {
    let files = [
        ("src/engine/a.rs", "mod b; use self::b::B;"),
        (
            "src/engine/a/b.rs",
            "pub(super) struct B; #[cfg(test)] mod tests { use super::super::C; }",
        ),
        ("src/lib.rs", "pub mod engine;"),
    ];
    assert!(circles_in(&files).is_empty());
}
