//! The manifest of the build that runs: had early, while its server still has it.

use changeover::engine::{
    io::{FetchFailure, Input, Reason, WakeReason},
    manifest::{Manifest, Slot, SlotKind},
    slots::{SlotUse, Use},
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{
    Answer, MINUTE, Page, SECOND, Server, build, chunk, manifest, page, release, unchanged,
};

/// A deploy by `rsync --delete`, or a new container: what was there before is gone.
fn is_made_anew(server: &mut Server, build: &str, sequence: u64) {
    server.manifests.retain(|id, _| id == build);
    server.publishes(release(sequence, build));
}

/// Builds b and c are build a under other names.
fn alike() -> Page {
    unchanged().with(|server| {
        let mut next = manifest("a");
        next.id = build("c");
        server.has(next);
    })
}

#[test]
fn a_page_has_the_manifest_of_its_own_build_as_soon_as_a_release_was_seen() {
    page()
        .starts()
        .later("the answers come", SECOND)
        .then(&[
            "FetchRelease",
            "RememberSequence 1",
            "releaseSeen 1 a",
            "FetchManifest a",
            "decision Ignore SameBuild",
        ])
        .later("a day", 24 * 60 * MINUTE)
        .never("FetchManifest");
}

#[test]
fn a_page_knows_what_changed_although_its_own_manifest_is_gone_by_then() {
    alike()
        .opens()
        .meanwhile("everything is replaced", |server| {
            is_made_anew(server, "b", 2)
        })
        .later("an interval", 73 * SECOND)
        .asks_nothing()
        .so("it knows", |status| {
            status.skew && status.decision.reason == Reason::NothingLoadedChanged
        })
        .meanwhile("and replaced again", |server| {
            server.has(renamed("c"));
            is_made_anew(server, "c", 3)
        })
        .later("an interval", 73 * SECOND)
        .asks_nothing()
        .so("it still knows", |status| {
            status.decision.reason == Reason::NothingLoadedChanged
                && status.release.as_ref().is_some_and(|it| it.sequence == 3)
        });
}

#[test]
fn a_page_that_starts_when_its_build_is_gone_takes_what_another_tab_has_kept() {
    alike()
        .with(|server| {
            server.kept.insert("a".into(), manifest("a").to_json());
            is_made_anew(server, "b", 2);
        })
        .opens()
        .asks_nothing()
        .so("it knows", |status| {
            status.decision.reason == Reason::NothingLoadedChanged
        });
}

#[test]
fn a_kept_copy_that_is_damaged_or_of_another_build_is_fetched_anew() {
    let whole = manifest("a").to_json();
    for (what, copy) in [
        ("of another build", manifest("c").to_json()),
        ("cut off", whole[..whole.len() / 2].to_owned()),
        ("empty", String::new()),
        ("a login page", "<!doctype html>".to_owned()),
        (
            "of a later format",
            whole.replacen("\"format\": 1", "\"format\": 2", 1),
        ),
    ] {
        alike()
            .with(|server| drop(server.kept.insert("a".into(), copy)))
            .starts()
            .later(what, SECOND)
            .then(&[
                "FetchRelease",
                "RememberSequence 1",
                "releaseSeen 1 a",
                "FetchManifest a",
                "decision Ignore SameBuild",
                "RefetchManifest a",
            ])
            .meanwhile("everything is replaced", |server| {
                is_made_anew(server, "b", 2)
            })
            .later("an interval", 73 * SECOND)
            .asks_nothing();
    }
}

#[test]
fn a_damaged_copy_of_the_build_that_is_wanted_holds_nothing_up() {
    page()
        .with(|server| drop(server.kept.insert("b".into(), "{\"format\":1".into())))
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .then_among(&["FetchManifest b", "RefetchManifest b", "skewFound a to b"])
        .asks(Reason::NewBuild);
}

#[test]
fn a_page_whose_own_manifest_is_nowhere_says_so_only_when_that_matters() {
    page()
        .with(|server| drop(server.manifests.remove("a")))
        .starts()
        .later("ten minutes", 10 * MINUTE)
        .never("problem")
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .then_among(&["problem manifest_unavailable"])
        .asks(Reason::NewBuild);
}

#[test]
fn the_own_manifest_is_tried_again_but_not_for_ever() {
    let mut page = page()
        .with(|server| {
            let failure = FetchFailure::Status { status: 502 };
            server.manifests.insert("a".into(), Answer::Fails(failure));
        })
        .starts()
        .later("an hour", 60 * MINUTE);
    assert_eq!(page.count("FetchManifest a"), 3);
    page = page
        .meanwhile("it is there again", |server| server.has(manifest("a")))
        .when("the network was away", Input::WentOnline)
        .later("a second", SECOND);
    assert_eq!(page.count("FetchManifest a"), 1);
}

#[test]
fn what_the_page_runs_is_known_for_good_whatever_later_releases_say_of_it() {
    alike()
        .opens()
        .meanwhile("the same build with another manifest", |server| {
            let mut again = release(2, "a");
            again.build.integrity = Some(format!("sha384-{}", "B".repeat(64)));
            server.publishes(again);
        })
        .later("an interval", 73 * SECOND)
        .never("FetchManifest")
        .meanwhile("everything is replaced", |server| {
            is_made_anew(server, "b", 3)
        })
        .later("an interval", 73 * SECOND)
        .asks_nothing();
}

/// A build of so many files that a page reads its manifest in parts.
fn large(id: &str, code: &str) -> Manifest {
    let mut manifest = renamed(id);
    for number in 0..5_000 {
        let file = format!("assets/page-{number}-{code}.js");
        let module = format!("src/pages/{number}.js");
        manifest.chunks.insert(file, chunk(&module, code));
    }
    manifest
}

#[test]
fn a_large_manifest_is_read_and_compared_in_parts_and_the_page_has_its_turn_between_them() {
    for (code, decision) in [("1", Reason::NothingLoadedChanged), ("2", Reason::NewBuild)] {
        let next = large("b", code);
        let parts = next.to_json().len() / (64 << 10);
        assert!(parts > 15, "{parts} parts");
        let page = page()
            .with(|server| {
                server.has(large("a", "1"));
                server.loaded.push("/assets/page-7-1.js".into());
            })
            .opens()
            .meanwhile("a release", |server| {
                server.has(next);
                server.publishes(release(2, "b"));
            })
            .later("an interval", 73 * SECOND)
            .so("it is decided", |status| status.decision.reason == decision);
        let turns = page.turns();
        assert!(turns > parts * 2, "{turns} turns for {parts} parts");
        assert!(page.is_settled());
    }
}

#[test]
fn what_happens_while_a_large_manifest_is_read_is_not_kept_waiting() {
    let manifest = Input::ManifestFetched {
        build: build("a"),
        body: large("a", "1").to_json(),
    };
    let news = Input::ReleaseFetched {
        body: release(2, "b").to_json(),
        events: None,
        date: None,
    };
    page()
        .with(|server| server.silent.push("FetchManifest"))
        .opens()
        .when_all("a large manifest comes, and news", [manifest, news])
        .then(&[
            "RememberSequence 2",
            "releaseSeen 2 b",
            "FetchManifest b",
            "ListLoadedFiles",
            "decision Wait ManifestPending",
        ])
        .sleeps(WakeReason::Reading, 0, 0);
}

/// Each turn does one thing with a large build: looking up what its files ask for, or going through it.
#[test]
fn large_builds_are_compared_in_one_turn_and_their_files_looked_up_in_a_turn_for_each() {
    let listed = || Input::LoadedFilesListed {
        files: vec!["/assets/index-a.js".into(), "/assets/page-7-1.js".into()],
        elements: Vec::new(),
        complete: true,
    };
    let slots = Input::SlotsListed {
        slots: vec![SlotUse {
            slot: "basket".into(),
            state: Use::Mounted,
        }],
    };
    let opened = |code| {
        page()
            .with(|server| {
                server.silent.push("ListLoadedFiles");
                server.has(with_basket(large("a", "1"), "1"));
                server.has(with_basket(large("b", code), "2"));
            })
            .opens()
            .meanwhile("a release", |server| server.publishes(release(2, "b")))
            .when("the app asks", Input::CheckRequested)
            .later("the manifests are read", SECOND)
            .so("it waits for a list", |status| {
                status.decision.reason == Reason::ManifestPending
            })
    };
    for (code, what, input, turns, outcome) in [
        (
            "1",
            "what is loaded is listed",
            listed(),
            2,
            "decision Ignore NothingLoadedChanged",
        ),
        // The last two are for the files that a refresh would load.
        ("2", "what is loaded is listed", listed(), 4, "CheckFiles b"),
        (
            "1",
            "slots are listed",
            slots,
            3,
            "changeoverStarted a to b",
        ),
    ] {
        let page = opened(code);
        let before = page.turns();
        let page = page
            .when(what, input)
            .sleeps(WakeReason::Reading, 0, 0)
            .later("a moment", 20)
            .then_among(&[outcome]);
        assert_eq!(page.turns() - before, turns - 1, "{outcome}");
    }
}

fn with_basket(mut manifest: Manifest, code: &str) -> Manifest {
    let file = format!("assets/basket-{code}.js");
    let slot = Slot {
        file: file.clone(),
        kind: SlotKind::Module,
        schema: 0,
    };
    manifest.chunks.insert(file, chunk("src/basket.js", code));
    manifest.slots.insert("basket".into(), slot);
    manifest
}

fn renamed(id: &str) -> Manifest {
    let mut manifest = manifest("a");
    manifest.id = build(id);
    manifest
}
