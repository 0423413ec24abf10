//! A page is not refreshed to a build whose files are not there, or not whole.

use changeover::engine::{
    io::{Asker, Effect, FetchFailure, Input, LoadKind, Reason, WrongFile},
    manifest::Manifest,
    release::{Release, Urgency},
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{MINUTE, Page, SECOND, build, chunk, manifest, page, release};

const ENTRY: &str = "assets/index-b.js";

#[test]
fn half_a_file_holds_the_prompt_up_until_it_is_whole() {
    broken(FetchFailure::Length { bytes: 512 })
        .then(&[
            "RememberSequence 2",
            "releaseSeen 2 b",
            "FetchManifest b",
            "ListLoadedFiles",
            "decision Wait ManifestPending",
            "skewFound a to b",
            "CheckFiles b",
            "decision Wait FilesPending",
            // What this page runs is as it should be, so the host rewrites nothing.
            "CheckFiles a",
            "problem target_not_ready",
            "decision Wait TargetNotReady",
        ])
        .asks_nothing()
        .later("an hour", 60 * MINUTE)
        .never("problem")
        .asks_nothing()
        .so("it says why", |status| {
            status.decision.reason == Reason::TargetNotReady
        })
        .meanwhile("the file is mended", mend)
        .later("at most six minutes", 6 * MINUTE)
        .then_among(&[
            "CheckFiles b",
            "decision Prompt NewBuild",
            "prompt NewBuild 2 b",
        ]);
}

#[test]
fn what_is_wrong_is_looked_at_again_ever_more_rarely() {
    let mut page = broken(FetchFailure::Status { status: 404 });
    let mut before = page.checks.len();
    for (span, least, most) in [
        (12 * SECOND + 100, 1, 1),
        (24 * SECOND + 100, 1, 1),
        (5 * MINUTE, 2, 4),
        (60 * MINUTE, 9, 15),
    ] {
        page = page.later("time passes", span);
        let looks = page.checks.len() - before;
        assert!(
            (least..=most).contains(&looks),
            "{looks} looks in {span} ms"
        );
        before = page.checks.len();
    }
}

#[test]
fn a_look_of_the_app_and_the_network_that_is_back_look_at_the_files_too() {
    for hope in [Input::CheckRequested, Input::WentOnline] {
        broken(FetchFailure::Html)
            .later("two minutes", 2 * MINUTE)
            .meanwhile("the file is mended", mend)
            .when("there is hope", hope)
            .later("the answers come", SECOND)
            .asks(Reason::NewBuild);
    }
}

#[test]
fn every_kind_of_wrong_file_is_named_with_what_is_wrong() {
    for (failure, words) in [
        (
            FetchFailure::Length { bytes: 512 },
            "has 512 bytes, which is not its length",
        ),
        (FetchFailure::Integrity, "does not match its integrity"),
        (
            FetchFailure::Status { status: 404 },
            "was answered with status 404",
        ),
        (FetchFailure::Html, "was answered with a page of HTML"),
        (FetchFailure::Network, "could not be fetched: no connection"),
    ] {
        let problems = broken(failure).problems;
        let expected =
            format!("{ENTRY} of build \"b\" {words}; no refresh is asked for before it is right");
        assert_eq!(problems, [("target_not_ready".to_owned(), expected)]);
    }
}

#[test]
fn an_app_cannot_reload_into_files_that_are_not_there() {
    let app = || Input::ReloadRequested { by: Asker::App };
    broken(FetchFailure::Status { status: 404 })
        .when("the app reloads", app())
        .later("the answers come", SECOND)
        .then_among(&["CheckFiles b", "changeoverAborted Unreachable"])
        .meanwhile("the file is there", mend)
        .when("the app reloads again", app())
        .later("the answers come", SECOND)
        .then_among(&["CheckFiles b", "ProbeDocument", "Reload"]);
}

#[test]
fn a_page_that_needs_the_refresh_is_held_up_for_a_minute_at_most() {
    let failed = Input::LoadFailed {
        kind: LoadKind::Import,
        message: "Failed to fetch dynamically imported module".into(),
        url: None,
    };
    broken(FetchFailure::Html)
        .later("ten minutes", 10 * MINUTE)
        .when("a chunk fails", failed)
        .later("almost a minute", 59 * SECOND)
        .asks_nothing()
        .later("a minute", 2 * SECOND)
        .asks(Reason::ChunkFailed);
    opens_with(FetchFailure::Html, |release| release.urgency = Urgency::Now)
        .later("almost a minute", 58 * SECOND)
        .asks_nothing()
        .later("a minute", 3 * SECOND)
        .asks(Reason::Urgent)
        .later("the countdown", 31 * SECOND)
        .then_among(&["changeoverStarted a to b", "Reload"]);
}

#[test]
fn a_host_that_rewrites_files_holds_nothing_up() {
    page()
        .with(|server| {
            for file in ["assets/index-a.js", ENTRY] {
                server.wrong.insert(file.into(), FetchFailure::Integrity);
            }
        })
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", SECOND)
        .then_among(&[
            "CheckFiles b",
            "CheckFiles a",
            "problem files_altered",
            "prompt NewBuild 2 b",
        ])
        .meanwhile("another release", |server| {
            server.publishes(release(3, "c"))
        })
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", SECOND)
        .never("CheckFiles");
}

#[test]
fn a_page_that_does_not_know_where_its_files_are_asks_without_a_look() {
    page()
        .with(|server| server.loaded = vec!["/elsewhere/index-a.js".into()])
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", SECOND)
        .never("CheckFiles")
        .asks(Reason::NewBuild);
}

#[test]
fn a_driver_that_never_answers_holds_the_prompt_up_for_a_little_over_a_minute() {
    page()
        .with(|server| server.silent.push("CheckFiles"))
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app asks", Input::CheckRequested)
        .later("a minute", MINUTE)
        .asks_nothing()
        .later("a little more", 16 * SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn the_files_are_those_of_the_entry_with_all_that_it_imports() {
    let page = page()
        .with(|server| server.has(with_imports()))
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", SECOND)
        .asks(Reason::NewBuild);
    let [Effect::CheckFiles { base, files, .. }] = &page.checks[..] else {
        panic!("not one look: {:?}", page.checks);
    };
    let names: Vec<&str> = files.iter().map(|file| file.file.as_str()).collect();
    assert_eq!((&**base, names), ("/", vec![ENTRY, "assets/vendor-b.js"]));
}

#[test]
fn an_answer_about_another_build_changes_nothing() {
    let wrong = WrongFile {
        file: ENTRY.into(),
        failure: FetchFailure::Html,
    };
    page()
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", SECOND)
        .when(
            "a late answer comes",
            Input::FilesChecked {
                build: build("c"),
                wrong: Some(wrong),
            },
        )
        .then(&[])
        .asks(Reason::NewBuild);
}

fn mend(server: &mut crate::page::Server) {
    server.wrong.clear();
}

/// The entry of build b with one file that it imports and one that is larger than all that is looked at.
fn with_imports() -> Manifest {
    let mut next = manifest("b");
    let mut vendor = chunk("vendor", "vendor of b");
    vendor.imports.push("assets/huge.js".into());
    let mut huge = chunk("huge", "huge");
    huge.size = 100 << 20;
    let mut entry = next.chunks.get(ENTRY).unwrap().clone();
    entry.imports.push("assets/vendor-b.js".into());
    next.chunks.insert(ENTRY.into(), entry);
    next.chunks.insert("assets/vendor-b.js".into(), vendor);
    next.chunks.insert("assets/huge.js".into(), huge);
    next
}

/// A page that has just seen a release whose entry is wrong.
fn broken(failure: FetchFailure) -> Page {
    opens_with(failure, |_| {})
}

fn opens_with(failure: FetchFailure, change: impl FnOnce(&mut Release)) -> Page {
    page()
        .opens()
        .meanwhile("a release whose entry is wrong", |server| {
            let mut release = release(2, "b");
            change(&mut release);
            server.publishes(release);
            server.wrong.insert(ENTRY.into(), failure);
        })
        .when("the app asks", Input::CheckRequested)
        .meanwhile("the answers come", |_| {})
        .later("a second", SECOND)
}
