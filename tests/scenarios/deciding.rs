//! What a page does about a release, and why.

use changeover::engine::{
    io::{FetchFailure, Input, Reason},
    release::{How, Retire, Rollout, Urgency},
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{
    Answer, HOUR, MINUTE, NOON, Page, SECOND, build, build_ref, chunk, manifest, page, release,
    unchanged,
};

#[test]
fn a_new_build_is_asked_for_with_the_releases_own_words() {
    page()
        .opens()
        .meanwhile("a release", |server| {
            let mut release = release(2, "b");
            release.message = Some("Faster search".into());
            server.publishes(release);
        })
        .when("the app asks", Input::CheckRequested)
        .then(&["FetchRelease"])
        .later("the answers come", SECOND)
        .then(&[
            "RememberSequence 2",
            "releaseSeen 2 b",
            "FetchManifest b",
            "ListLoadedFiles",
            "decision Wait ManifestPending",
            "skewFound a to b",
            "CheckFiles b",
            "decision Wait FilesPending",
            "decision Prompt NewBuild",
            "prompt NewBuild 2 b",
        ])
        .so("the prompt says it", |status| {
            status.skew
                && status.prompt.as_ref().is_some_and(|prompt| {
                    prompt.message.as_deref() == Some("Faster search")
                        && prompt.can_snooze
                        && prompt.busy.is_none()
                })
        });
}

#[test]
fn nothing_is_said_when_nothing_this_page_has_loaded_changed() {
    page()
        .with(|server| {
            let mut next = manifest("a");
            next.id = build("b");
            next.chunks
                .insert("assets/help.js".into(), chunk("src/help.js", "better help"));
            server.has(next);
        })
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .asks_nothing()
        .so("it knows", |status| {
            status.skew && status.decision.reason == Reason::NothingLoadedChanged
        })
        .meanwhile("the user opens the help", |server| {
            server
                .loaded
                .push("https://shop.test/assets/help.js?x".into())
        })
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn a_changed_document_matters_though_no_loaded_file_changed() {
    page()
        .with(|server| {
            let mut running = manifest("a");
            running.html = Some(hash('a'));
            let mut next = running.clone();
            next.id = build("b");
            next.html = Some(hash('b'));
            server.has(running);
            server.has(next);
        })
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn a_running_build_whose_manifest_is_gone_counts_as_changed() {
    page()
        .with(|server| drop(server.manifests.remove("a")))
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn half_a_deploy_is_waited_for_and_never_asked_for() {
    page()
        .with(|server| drop(server.manifests.remove("b")))
        .opens()
        .meanwhile("a release whose manifest is not there", |server| {
            server.publishes(release(2, "b"))
        })
        .later("ten minutes", 10 * MINUTE)
        .then_among(&[
            "problem manifest_unavailable",
            "decision Wait ManifestUnavailable",
        ])
        .asks_nothing()
        .so("no skew is claimed", |status| {
            !status.skew && status.release.as_ref().is_some_and(|r| r.sequence == 2)
        })
        .meanwhile("the manifest arrives", |server| server.has(manifest("b")))
        .later("at most five minutes", 5 * MINUTE + SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn a_manifest_that_is_html_or_of_another_build_is_none() {
    for (what, answer) in [
        ("HTML", Answer::Body("<html>".into())),
        ("another build's", Answer::Body(manifest("c").to_json())),
        ("tampered with", Answer::Fails(FetchFailure::Integrity)),
        ("never answered", Answer::Never),
    ] {
        page()
            .opens()
            .meanwhile(what, |server| {
                server.publishes(release(2, "b"));
                server.manifests.insert("b".into(), answer);
            })
            .later("ten minutes", 10 * MINUTE)
            .asks_nothing()
            .so("it waits", |status| {
                status.decision.reason == Reason::ManifestUnavailable
            });
    }
}

#[test]
fn what_was_offered_stands_while_the_next_release_is_half_deployed() {
    asking()
        .meanwhile("the next one is half there", |server| {
            server.publishes(release(3, "c"));
            server.manifests.remove("c");
        })
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild)
        .so("for build b still", |status| {
            status
                .prompt
                .as_ref()
                .is_some_and(|prompt| prompt.build == build("b"))
        })
        .meanwhile("it is whole", |server| server.has(manifest("c")))
        .later("five minutes", 5 * MINUTE)
        .so("for build c now", |status| {
            status
                .prompt
                .as_ref()
                .is_some_and(|prompt| prompt.build == build("c"))
        });
}

#[test]
fn later_puts_a_routine_release_off_for_an_hour() {
    asking()
        .when("the user says later", Input::SnoozeRequested)
        .then(&["RememberSnooze 2", "decision Wait Snoozed", "promptHidden"])
        .later("fifty-nine minutes", 59 * MINUTE)
        .asks_nothing()
        .later("one more", MINUTE)
        .asks(Reason::NewBuild);
}

#[test]
fn later_puts_a_release_that_should_be_soon_off_for_ten_minutes() {
    page()
        .with(|server| server.publishes(urgent(2, "b", Urgency::Soon)))
        .opens()
        .asks(Reason::NewBuild)
        .when("the user says later", Input::SnoozeRequested)
        .later("nine minutes", 9 * MINUTE)
        .asks_nothing()
        .later("one more", MINUTE)
        .asks(Reason::NewBuild);
}

#[test]
fn a_newer_release_asks_although_the_last_one_was_put_off() {
    asking()
        .when("the user says later", Input::SnoozeRequested)
        .meanwhile("a newer release", |server| {
            server.publishes(release(3, "c"))
        })
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn a_page_that_was_put_off_before_a_reload_of_its_own_stays_quiet() {
    let snooze = |until| changeover::engine::io::Snooze {
        sequence: 2,
        until: changeover::time::Timestamp(until),
    };
    page()
        .where_(|start| start.snooze = Some(snooze(NOON + 20 * MINUTE)))
        .with(|server| server.publishes(release(2, "b")))
        .opens()
        .asks_nothing()
        .later("twenty minutes", 20 * MINUTE)
        .asks(Reason::NewBuild);
    page()
        .where_(|start| start.snooze = Some(snooze(NOON + 1_000 * HOUR)))
        .with(|server| server.publishes(release(2, "b")))
        .opens()
        .asks_nothing()
        .later("an hour, the longest there is", HOUR)
        .asks(Reason::NewBuild);
}

#[test]
fn a_rollback_is_a_newer_release_of_an_older_build() {
    asking()
        .meanwhile("the page's own build again", |server| {
            server.publishes(release(3, "a"))
        })
        .later("an interval", 73 * SECOND)
        .then_among(&["skewGone", "decision Ignore SameBuild", "promptHidden"])
        .asks_nothing()
        .so("no skew", |status| !status.skew);
    asking()
        .meanwhile("another build", |server| server.publishes(release(3, "c")))
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild)
        .meanwhile("the build before it", |server| {
            server.publishes(release(4, "b"))
        })
        .later("an interval", 73 * SECOND)
        .asks(Reason::Rollback)
        .meanwhile("released again, unchanged", |server| {
            server.publishes(release(5, "b"))
        })
        .later("an interval", 73 * SECOND)
        .asks(Reason::Rollback);
}

#[test]
fn a_build_released_again_is_no_rollback() {
    asking()
        .meanwhile("the same build again", |server| {
            server.publishes(release(3, "b"))
        })
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn a_page_that_does_not_know_its_build_takes_the_first_release_for_it() {
    page()
        .where_(|start| start.build = None)
        .opens()
        .asks_nothing()
        .so("and says so", |status| {
            status.decision.reason == Reason::UnknownRunningBuild && status.build.is_none()
        })
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .then_among(&["skewFound ? to b"])
        .asks(Reason::NewBuild);
}

#[test]
fn an_expired_release_may_ask_but_nothing_happens_by_itself() {
    page()
        .opens()
        .meanwhile("an urgent release that expires in ten minutes", |server| {
            let mut release = urgent(2, "b", Urgency::Now);
            release.expires = Some("2026-07-31T12:10:00Z".into());
            server.publishes(release);
        })
        .when("the app asks", Input::CheckRequested)
        .later("the answers come", SECOND)
        .asks(Reason::Urgent)
        .when("the network goes", Input::WentOffline)
        .later("ten minutes", 10 * MINUTE)
        .asks(Reason::Expired)
        .when("the network is back", Input::WentOnline)
        .later("ten minutes", 10 * MINUTE)
        .never("changeoverStarted")
        .asks(Reason::Expired);
}

#[test]
fn only_the_admitted_part_of_the_visitors_is_asked() {
    let rollout = |percent, otherwise: Option<&str>| {
        let mut release = release(2, "b");
        release.rollout = Some(Rollout {
            percent,
            salt: "s".into(),
            otherwise: otherwise.map(build_ref),
        });
        release
    };
    let run = |release| page().with(|server| server.publishes(release)).opens();
    run(rollout(100, None)).asks(Reason::NewBuild);
    run(rollout(0, None))
        .asks_nothing()
        .so("it stays", |status| {
            status.decision.reason == Reason::SameBuild
        });
    run(rollout(0, Some("a"))).asks_nothing();
    run(rollout(0, Some("c")))
        .asks(Reason::NewBuild)
        .so("on the other build", |status| {
            status
                .prompt
                .as_ref()
                .is_some_and(|prompt| prompt.build == build("c"))
        });
    run(rollout(0, None))
        .meanwhile("the rollout grows", |server| {
            let mut release = rollout(100, None);
            release.sequence = 3;
            server.publishes(release);
        })
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild);
}

#[test]
fn a_retired_build_is_left_though_nothing_loaded_changed() {
    let retired = |how, by: Option<&str>| {
        let mut release = release(2, "b");
        release.retire = vec![Retire {
            build: build("a"),
            how,
            by: by.map(Into::into),
        }];
        unchanged().with(|server| server.publishes(release)).opens()
    };
    retired(How::Drain, None)
        .asks(Reason::Retired)
        .so("gently", |status| {
            status
                .prompt
                .as_ref()
                .is_some_and(|p| p.can_snooze && p.countdown_until.is_none())
        })
        .when("the user says later", Input::SnoozeRequested)
        .asks_nothing();
    retired(How::Force, None)
        .asks(Reason::Retired)
        .so("now", |status| {
            status
                .prompt
                .as_ref()
                .is_some_and(|p| !p.can_snooze && p.countdown_until.is_some())
        });
    retired(How::Drain, Some("2026-07-31T12:30:00Z"))
        .so("gently", |status| {
            status.prompt.as_ref().is_some_and(|p| p.can_snooze)
        })
        .when("the user says later", Input::SnoozeRequested)
        .asks_nothing()
        .when("the user leaves", Input::BecameHidden)
        .later("until half past", 30 * MINUTE)
        .asks(Reason::Retired)
        .so("now", |status| {
            status.prompt.as_ref().is_some_and(|p| !p.can_snooze)
        });
}

#[test]
fn a_page_below_the_floor_is_asked_though_nothing_loaded_changed() {
    let floor = |floor| {
        let mut release = release(2, "b");
        release.floor = Some(floor);
        release
    };
    unchanged()
        .opens()
        .meanwhile("a release", |server| server.publishes(floor(1)))
        .later("soon", 73 * SECOND)
        .asks_nothing();
    unchanged()
        .opens()
        .meanwhile("a release", |server| server.publishes(floor(2)))
        .later("soon", 73 * SECOND)
        .asks(Reason::Retired);
}

#[test]
fn what_must_be_left_has_somewhere_to_go_even_outside_the_rollout() {
    page()
        .with(|server| {
            let mut release = release(2, "b");
            release.rollout = Some(Rollout {
                percent: 0,
                salt: "s".into(),
                otherwise: None,
            });
            release.retire = vec![Retire {
                build: build("a"),
                how: How::Drain,
                by: None,
            }];
            server.publishes(release);
        })
        .opens()
        .asks(Reason::Retired);
}

/// Release 2 of build b is asked for.
fn asking() -> Page {
    page()
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .later("an interval", 73 * SECOND)
        .asks(Reason::NewBuild)
}

fn urgent(sequence: u64, id: &str, urgency: Urgency) -> changeover::engine::release::Release {
    let mut release = release(sequence, id);
    release.urgency = urgency;
    release
}

fn hash(letter: char) -> String {
    format!("sha384-{}", letter.to_string().repeat(64))
}
