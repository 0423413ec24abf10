//! Tabs of one origin share the looks.

use changeover::engine::io::{Input, PeerMessage, Reason, WakeReason};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{HOUR, MINUTE, Page, SECOND, checked, page, peer, release};

#[test]
fn a_tab_asks_for_leadership_and_looks_once_before_it_has_it() {
    tab()
        .starts()
        .then(&["JoinElection", "TellPeers visible", "FetchRelease"]);
}

#[test]
fn a_follower_does_not_look_while_it_hears_the_leader() {
    let mut tab = tab().opens();
    for _ in 0..30 {
        tab = tab
            .when("the leader has looked", checked(1))
            .later("an interval", MINUTE);
    }
    tab.looked(1);
}

#[test]
fn a_visible_follower_that_hears_nothing_looks_itself() {
    tab()
        .opens()
        .sleeps(WakeReason::Backstop, 118 * SECOND, 180 * SECOND)
        .later("three minutes", 3 * MINUTE)
        .looked(2);
}

#[test]
fn a_hidden_follower_waits() {
    tab()
        .opens()
        .when("the user leaves", Input::BecameHidden)
        .then(&["TellPeers hidden"])
        .later("a day", 24 * HOUR)
        .looked(1);
}

#[test]
fn a_follower_that_hears_of_a_newer_release_looks_itself_within_a_moment() {
    tab()
        .opens()
        .meanwhile("a release", |server| server.publishes(release(2, "b")))
        .when("the leader tells", checked(2))
        .later("a moment", 300 + 60)
        .asks(Reason::NewBuild);
}

#[test]
fn the_leader_tells_the_others_after_each_look_and_shows_signs_of_life() {
    leader()
        .later("an interval", 73 * SECOND)
        .then_among(&["FetchRelease", "TellPeers checked 1"])
        .so("it leads", |status| status.leader);
}

#[test]
fn a_leader_that_backs_off_still_shows_signs_of_life() {
    leader()
        .meanwhile("the server is down", |server| {
            server.release = crate::page::Answer::RetryAfter(503, 24 * HOUR);
        })
        .later("one look", 73 * SECOND)
        .meanwhile("and then", |_| ())
        .later("a minute", MINUTE + SECOND)
        .then(&["TellPeers checked 1"]);
}

#[test]
fn a_hidden_leader_looks_while_a_peer_is_visible() {
    leader()
        .when("a peer is visible", visible("t2"))
        .when("the user goes there", Input::BecameHidden)
        .later("an interval", 73 * SECOND)
        .looked(2)
        .when(
            "the peer is hidden",
            peer(PeerMessage::Hidden { tab: "t2".into() }),
        )
        .sleeps_for_ever()
        .later("a day", 24 * HOUR)
        .looked(2);
}

#[test]
fn a_visible_peer_that_says_nothing_more_is_given_up() {
    leader()
        .when("a peer is visible", visible("t2"))
        .when("the user goes there", Input::BecameHidden)
        .later("and it crashes", 10 * MINUTE)
        .sleeps_for_ever();
}

#[test]
fn a_visible_peer_that_answers_keeps_the_leader_looking() {
    let mut tab = leader()
        .when("a peer is visible", visible("t2"))
        .when("the user goes there", Input::BecameHidden);
    for _ in 0..20 {
        tab = tab
            .later("a minute", MINUTE)
            .when("the peer answers", visible("t2"));
    }
    let looks = tab.looks();
    assert!(
        (15..=26).contains(&looks),
        "{looks} looks in twenty minutes"
    );
}

#[test]
fn a_visible_follower_answers_who_is_visible() {
    tab()
        .opens()
        .when("a leader asks", peer(PeerMessage::WhoIsVisible))
        .then(&["TellPeers visible"]);
    tab()
        .where_(|start| start.visible = false)
        .opens()
        .when("a leader asks", peer(PeerMessage::WhoIsVisible))
        .then(&[]);
}

#[test]
fn a_new_leader_asks_who_is_visible_and_opens_the_stream() {
    tab()
        .with(|server| server.events = Some("/events".into()))
        .opens()
        .when("the tab is elected", Input::Elected)
        .then(&["TellPeers whoIsVisible", "OpenStream /events"])
        .so("it leads", |status| status.leader);
}

#[test]
fn a_tab_that_is_put_away_gives_everything_up_and_starts_over_when_it_is_shown() {
    tab()
        .with(|server| server.events = Some("/events".into()))
        .opens()
        .when("the tab is elected", Input::Elected)
        .when("the stream opens", Input::StreamOpened)
        .when("the page is put away", Input::PageHid)
        .then(&["TellPeers hidden", "LeaveElection", "CloseStream"])
        .sleeps_for_ever()
        .later("an hour", HOUR)
        .when(
            "the page is shown again",
            Input::PageShown { persisted: true },
        )
        .then(&["JoinElection", "TellPeers visible", "FetchRelease"])
        .so("it does not lead", |status| !status.leader);
}

#[test]
fn a_follower_that_is_put_away_leaves_the_election() {
    tab()
        .opens()
        .when("the page is put away", Input::PageHid)
        .then(&["TellPeers hidden", "LeaveElection"]);
}

#[test]
fn a_tab_elected_while_it_is_away_gives_it_up() {
    tab()
        .opens()
        .when("the page is put away", Input::PageHid)
        .when("the answer to the old request comes", Input::Elected)
        .then(&["LeaveElection"])
        .so("it does not lead", |status| !status.leader);
}

#[test]
fn a_page_put_away_that_turns_out_to_be_there_is_there() {
    tab()
        .opens()
        .when("the page is put away", Input::PageHid)
        .later("a while", MINUTE)
        .when("the user clicks", Input::Focused)
        .then(&["JoinElection", "TellPeers visible", "FetchRelease"]);
}

#[test]
fn a_deposed_leader_closes_its_stream_and_asks_again() {
    tab()
        .with(|server| server.events = Some("/events".into()))
        .opens()
        .when("the tab is elected", Input::Elected)
        .when("another tab steals the lock", Input::Deposed)
        .then(&["JoinElection", "TellPeers visible", "CloseStream"])
        .so("it does not lead", |status| !status.leader);
}

#[test]
fn a_disposed_tab_leaves_nothing_behind() {
    tab()
        .with(|server| server.events = Some("/events".into()))
        .opens()
        .when("the tab is elected", Input::Elected)
        .when("the app disposes of the guard", Input::Disposed)
        .then(&["TellPeers hidden", "LeaveElection", "CloseStream"])
        .sleeps_for_ever();
}

#[test]
fn tabs_without_locks_look_for_themselves() {
    let looks = page()
        .opens()
        .when("a peer", checked(1))
        .later("ten minutes", 10 * MINUTE)
        .looks();
    assert!((9..=13).contains(&looks), "{looks} looks in ten minutes");
}

fn tab() -> Page {
    page().where_(|start| start.locks = true)
}

fn leader() -> Page {
    tab()
        .opens()
        .when("the tab is elected", Input::Elected)
        .then(&["TellPeers whoIsVisible"])
}

fn visible(tab: &str) -> Input {
    peer(PeerMessage::Visible { tab: tab.into() })
}
