//! What a page is told of the build to come before its state is captured.

use changeover::engine::{
    io::{Asker, Input},
    manifest::{Manifest, Store},
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{SECOND, manifest, page, release};

#[test]
fn the_capture_learns_what_the_build_to_come_reads() {
    page()
        .with(|server| server.has(reading("b", 2, &[1, 2])))
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app looks", Input::CheckRequested)
        .later("it is known", SECOND)
        .when("the user says yes", yes())
        .later("the answers come", SECOND)
        .then(&[
            "changeoverStarted a to b",
            "decision Reload Reloading",
            "ProbeDocument",
            "prompt NewBuild 2 b reloading",
            "CaptureState a to b, draft 2 reads [1, 2]",
            "RememberReload b 1",
            "Reload",
        ]);
}

#[test]
fn when_another_release_comes_meanwhile_the_capture_learns_what_its_build_reads() {
    let upload = Input::HoldTaken {
        hold: 1,
        reason: "upload".into(),
        deadline: None,
    };
    page()
        .with(|server| {
            server.has(reading("b", 2, &[1, 2]));
            server.has(reading("c", 1, &[]));
        })
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the app looks", Input::CheckRequested)
        .later("it is known", SECOND)
        .when("an upload begins", upload)
        .when("the user says yes", yes())
        .meanwhile("a release of an older build", |server| {
            server.publishes(release(3, "c"));
        })
        .when("the app looks again", Input::CheckRequested)
        .later("it is known", SECOND)
        .when("the upload ends", Input::HoldReleased { hold: 1 })
        .later("the answers come", SECOND)
        .then(&[
            "ProbeDocument",
            "prompt NewBuild 3 c reloading",
            "CaptureState a to c, draft 1 reads []",
            "RememberReload c 1",
            "Reload",
        ]);
}

fn reading(build: &str, schema: u32, reads: &[u32]) -> Manifest {
    let mut manifest = manifest(build);
    let reads = reads.into();
    let store = Store { schema, reads };
    manifest.stores.insert("draft".into(), store);
    manifest
}

fn yes() -> Input {
    Input::ReloadRequested { by: Asker::User }
}
