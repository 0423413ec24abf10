//! How `serve` follows the releases of its site.

mod common;

use std::fs;
use std::time::Duration;

use common::site::{ENTRY, NEXT_ENTRY, build, next_build, site};
use common::{Events, Served, changeover, changeover_json, json, path, publish, put};
use serde_json::json;

#[test]
fn a_publish_is_announced_within_a_second() {
    let root = site();
    let served = Served::start(&path(&root, "site"));
    let mut events = Events::open(&served);
    let live = || {
        let release = json(&path(&root, "site"), "changeover/release.json");
        json!({ "sequence": release["sequence"], "build": release["build"]["id"] })
    };
    assert_eq!(events.next().0, live(), "on connecting");
    for turn in 0..4 {
        if turn == 0 {
            next_build(&root);
        } else {
            let site = path(&root, "site");
            let (exit, back) = changeover_json(["rollback", "--site", site.to_str().unwrap()]);
            assert_eq!((exit, &back["live"]), (0, &json!("new")));
        }
        let (event, waited) = events.next();
        assert_eq!(event, live());
        assert!(
            waited < Duration::from_secs(1),
            "{waited:?} after the command was done"
        );
    }
    let out = changeover(["verify", &served.url]);
    assert!(out.status.success());
}

#[test]
fn old_hashed_files_stay_and_colliding_names_switch_with_the_pointer() {
    let root = site();
    let site = path(&root, "site");
    let served = Served::start(&site);
    let before = served.get("plain.js");
    assert_eq!(before.text(), "one");
    next_build(&root);
    assert_eq!(served.get(NEXT_ENTRY).text(), "two");
    let old = served.get(ENTRY);
    assert_eq!(
        (old.text(), old.header("cache-control")),
        ("one", "public, max-age=31536000, immutable")
    );
    let after = served.request(
        "GET",
        "plain.js",
        &[("if-none-match", before.header("etag"))],
    );
    assert_eq!((after.status, after.text()), (200, "two"));

    // Only the pointer decides, whichever files a static host would answer with.
    let (pointer, other) = (
        site.join("changeover/release.json"),
        site.join("changeover/other.json"),
    );
    let history: Vec<_> = common::files_below(&site.join("changeover/releases"));
    let first = json(&site.join("changeover/releases"), &history[0]);
    put(&site, "changeover/other.json", first["release"].to_string());
    fs::rename(&other, &pointer).unwrap();
    assert_eq!(served.get("plain.js").text(), "one");
    assert!(served.get("").text().contains(ENTRY));
    assert_eq!(
        served.get("changeover/release.json").text(),
        first["release"].to_string()
    );
}

#[test]
fn a_name_that_two_builds_use_differently_is_never_immutable() {
    let root = tempfile::tempdir().unwrap();
    for content in ["one", "two"] {
        build(&root, ENTRY, content);
        publish(&path(&root, "dist"), &path(&root, "site"), &[]);
    }
    let served = Served::start(&path(&root, "site"));
    let answer = served.get(ENTRY);
    assert_eq!(
        (answer.text(), answer.header("cache-control")),
        ("two", "no-cache")
    );
}

#[test]
fn a_pointer_that_breaks_leaves_the_last_good_release_served() {
    let root = site();
    let site = path(&root, "site");
    let served = Served::start(&site);
    let good = served.get("changeover/release.json").body;
    for broken in [
        "",
        "{",
        "<html>",
        r#"{"format":1,"app":"a","sequence":9,"issued":"2026-01-01T00:00:00Z","build":{"id":"none","manifest":"builds/none.json"}}"#,
    ] {
        put(&site, "changeover/release.json", broken);
        assert_eq!(served.get("changeover/release.json").body, good, "{broken}");
        assert_eq!(served.get(ENTRY).text(), "one");
    }
    put(&site, "changeover/release.json", &good);
    next_build(&root);
    assert_eq!(served.get("plain.js").text(), "two");
}

#[test]
fn an_unreleased_build_is_not_served_even_when_its_files_are_there() {
    let root = site();
    let site = path(&root, "site");
    put(&site, "changeover/files/half/new.js", "new");
    put(&site, "new.js", "new");
    put(&site, "changeover/files/half/new.html", "new");
    put(&site, "new.html", "new");
    put(&site, "mine.js", "by hand");
    let served = Served::start(&site);
    assert_eq!(served.get("new.js").status, 404);
    assert!(!served.get("new.html").text().contains("new"));
    assert_eq!(served.get("mine.js").text(), "by hand");
}

#[test]
fn a_site_made_by_hand_without_build_folders_is_served_from_its_files() {
    let root = site();
    let site = path(&root, "site");
    fs::remove_dir_all(site.join("changeover/files")).unwrap();
    fs::remove_dir_all(site.join("changeover/releases")).unwrap();
    let served = Served::start(&site);
    assert_eq!(served.get(ENTRY).text(), "one");
    assert!(served.get("cart").text().contains("data-release"));
    assert_eq!(changeover_json(["verify", &served.url]).0, 0);

    // A publish that stops right before the pointer has replaced colliding names for static hosts, but not for `serve`.
    build(&root, NEXT_ENTRY, "two");
    let dist = path(&root, "dist");
    common::kill(common::publish_up_to("history placed", &dist, &site, &[]));
    assert_eq!(common::text(&site, "plain.js"), "two");
    assert_eq!(served.get("plain.js").text(), "one");
    assert_eq!(changeover_json(["verify", &served.url]).0, 0);
    publish(&dist, &site, &[]);
    assert_eq!(served.get("plain.js").text(), "two");
}

#[test]
fn a_site_without_a_release_is_served_and_comes_alive_with_the_first_publish() {
    let root = tempfile::tempdir().unwrap();
    let site = path(&root, "site");
    put(&site, "index.html", "old site");
    let served = Served::start(&site);
    assert_eq!(served.get("").text(), "old site");
    assert_eq!(served.get("changeover/release.json").status, 404);
    let mut events = Events::open(&served);
    build(&root, ENTRY, "one");
    let published = publish(&path(&root, "dist"), &site, &[]);
    assert_eq!(events.next().0["sequence"], published["sequence"]);
    assert!(served.get("").text().contains(ENTRY));
}
