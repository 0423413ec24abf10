//! What a site remembers: rollback, retention, sites made by hand, and what a killed publish left behind.

mod common;

use std::fs;

use changeover_cli::hash::Fingerprint;
use common::shop::{Shop, error_of, hashed};
use common::{files_below, note_codes, put, text};
use serde_json::json;

#[test]
fn a_rollback_is_a_newer_release_of_the_build_before() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    shop.build("2");
    let second = shop.publish(&[]);
    let (code, back) = shop.rollback(&["--message", "Sorry"]);
    assert_eq!(
        (code, &back["build"], &back["previous"]),
        (0, &first["build"], &second["build"])
    );
    assert_eq!(
        back["sequence"].as_u64().unwrap(),
        second["sequence"].as_u64().unwrap() + 1
    );
    let release = shop.release();
    assert_eq!(
        (&release["build"]["id"], &release["message"]),
        (&first["build"], &json!("Sorry"))
    );
    assert_eq!(text(&shop.site(), "plain.js"), "1");
    assert_eq!(shop.verify().0, 0);

    // Naming a build, and naming a release.
    assert_eq!(
        shop.rollback(&[second["build"].as_str().unwrap()]).1["build"],
        second["build"]
    );
    let number = first["sequence"].to_string();
    assert_eq!(
        shop.rollback(&["--to-sequence", &number]).1["build"],
        first["build"]
    );
    assert_eq!(
        shop.rollback(&[first["build"].as_str().unwrap()]).1["live"],
        "already"
    );
    assert_eq!(shop.verify().0, 0);
}

#[test]
fn a_rollback_that_is_not_possible_says_why_and_changes_nothing() {
    let shop = Shop::new();
    let site = shop.site();
    let site = site.to_str().unwrap();
    assert_eq!(error_of(&["rollback", "--site", site]).0, "site-missing");
    fs::create_dir(shop.site()).unwrap();
    assert_eq!(
        error_of(&["rollback", "--site", site]).0,
        "nothing-published"
    );
    let first = shop.publish(&[]);
    assert_eq!(
        error_of(&["rollback", "--site", site]).0,
        "no-previous-build"
    );
    let (code, sentence) = error_of(&["rollback", "--site", site, "nosuch"]);
    assert_eq!(
        (code.as_str(), sentence),
        (
            "unknown-build",
            format!(
                "build nosuch was never live here; there are {}",
                first["build"].as_str().unwrap()
            )
        )
    );
    assert_eq!(
        error_of(&["rollback", "--site", site, "--to-sequence", "7"]).0,
        "unknown-sequence"
    );
    shop.build("2");
    shop.publish(&[]);
    let release = shop.release();
    let damaged = format!(
        "changeover/files/{}/plain.js",
        first["build"].as_str().unwrap()
    );
    fs::remove_file(shop.site().join(damaged)).unwrap();
    let (code, sentence) = error_of(&["rollback", "--site", site]);
    assert_eq!(code, "build-incomplete");
    assert!(sentence.contains("plain.js"), "{sentence}");
    assert_eq!(shop.release(), release);
}

#[test]
fn builds_beyond_number_and_age_are_pruned_and_nothing_else() {
    let shop = Shop::new();
    put(&shop.site(), "robots.txt", "mine");
    put(&shop.site(), "assets/mine.txt", "mine");
    let mut ids = Vec::new();
    for content in ["1", "2", "3", "4"] {
        shop.build(content);
        let published = shop.publish(&["--keep", "2", "--keep-days", "0"]);
        ids.push(published["build"].as_str().unwrap().to_owned());
        let pruned: Vec<_> = ids.iter().rev().skip(2).take(1).collect();
        assert_eq!(published["pruned"], json!(pruned), "build {content}");
    }
    let there: Vec<_> = ["1", "2", "3", "4"]
        .iter()
        .map(|content| shop.has(&hashed(content)))
        .collect();
    assert_eq!(there, [false, false, true, true]);
    for (n, id) in ids.iter().enumerate() {
        let kept = n >= 2;
        assert_eq!(shop.has(&format!("changeover/files/{id}")), kept);
        assert_eq!(shop.has(&format!("changeover/builds/{id}.json")), kept);
    }
    assert_eq!(text(&shop.site(), "robots.txt"), "mine");
    assert_eq!(text(&shop.site(), "assets/mine.txt"), "mine");
    assert_eq!(text(&shop.site(), "same.css"), "p{}");
    assert_eq!(shop.verify().0, 0);
    let (code, gone) = shop.rollback(&[&ids[0]]);
    assert_eq!((code, &gone["error"]["code"]), (1, &json!("build-pruned")));
}

#[test]
fn documents_of_older_builds_leave_the_static_view() {
    let shop = Shop::new();
    put(&shop.dist(), "old/page.html", "<p>old");
    shop.publish(&[]);
    assert!(shop.has("old/page.html"));
    shop.build("2");
    shop.publish(&[]);
    assert!(!shop.has("old"), "the page and its folder are gone");
    shop.rollback(&[]);
    assert!(shop.has("old/page.html"));
    assert_eq!(shop.verify().0, 0);
}

#[test]
fn a_site_written_by_hand_is_taken_over_without_losing_a_byte() {
    let shop = Shop::new();
    for (file, text) in [
        ("index.html", "hand-written"),
        ("plain.js", "also"),
        ("assets/old-aaaa.js", "old"),
        ("robots.txt", "all"),
    ] {
        put(&shop.site(), file, text);
    }
    let published = shop.publish(&[]);
    assert_eq!(note_codes(&published), ["replaced"]);
    assert_eq!(
        published["notes"][0]["files"],
        json!(["plain.js", "index.html"])
    );
    let kept: Vec<_> = files_below(&shop.site().join("changeover/replaced"))
        .iter()
        .map(|file| text(&shop.site().join("changeover/replaced"), file))
        .collect();
    assert_eq!(kept, ["hand-written", "also"]);
    assert_eq!(text(&shop.site(), "assets/old-aaaa.js"), "old");
    assert_eq!(text(&shop.site(), "robots.txt"), "all");
    assert_eq!(shop.verify().0, 0);
}

#[test]
fn a_release_written_by_hand_is_continued_and_can_be_rolled_back_to() {
    let shop = Shop::new();
    let fact = |text: &str| {
        let print = Fingerprint::of(text.as_bytes());
        json!({ "integrity": print.integrity, "size": print.size })
    };
    put(&shop.site(), "index.html", "by hand");
    put(&shop.site(), "plain.js", "by hand too");
    let mut chunk = fact("by hand too");
    for (name, value) in [
        ("id", "plain.js"),
        ("code", "x"),
        ("kind", "script"),
        ("owner", "shell"),
    ] {
        chunk[name] = json!(value);
    }
    let manifest = json!({ "format": 1, "app": "shop", "id": "hand", "created": "2026-01-01T00:00:00Z",
        "documents": { "index.html": fact("by hand") }, "chunks": { "plain.js": chunk } });
    put(
        &shop.site(),
        "changeover/builds/special.json",
        manifest.to_string(),
    );
    let release = json!({ "format": 1, "app": "shop", "sequence": 41, "issued": "2026-01-01T00:00:00Z", "floor": 7,
        "build": { "id": "hand", "manifest": "builds/special.json" } });
    put(&shop.site(), "changeover/release.json", release.to_string());

    let published = shop.publish(&[]);
    assert_eq!(
        (
            &published["sequence"],
            &published["previous"],
            &published["app"]
        ),
        (&json!(42), &json!("hand"), &json!("shop"))
    );
    assert_eq!(
        shop.release()["floor"],
        7,
        "orders about older builds outlive a publish"
    );
    assert_eq!(note_codes(&published), ["colliding-names"]);
    let (code, back) = shop.rollback(&[]);
    assert_eq!((code, &back["build"]), (0, &json!("hand")));
    assert_eq!(
        (
            text(&shop.site(), "index.html"),
            text(&shop.site(), "plain.js")
        ),
        ("by hand".into(), "by hand too".into())
    );
    assert_eq!(shop.verify().0, 0);
}

#[test]
fn a_broken_pointer_is_replaced_with_a_note_and_one_of_the_future_is_not() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    put(&shop.site(), "changeover/release.json", "{\"format\":1,");
    let again = shop.publish(&[]);
    assert_eq!(note_codes(&again), ["release-replaced"]);
    assert_eq!(
        again["sequence"].as_u64().unwrap(),
        first["sequence"].as_u64().unwrap() + 1
    );
    put(&shop.site(), "changeover/release.json", "{\"format\":2}");
    let (dist, site) = (shop.dist(), shop.site());
    let words = [
        "publish",
        dist.to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ];
    assert_eq!(error_of(&words).0, "release-newer");
}

#[test]
fn a_pointer_put_back_by_hand_loses_neither_numbers_nor_builds() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    let old = text(&shop.site(), "changeover/release.json");
    shop.build("2");
    let second = shop.publish(&[]);
    put(&shop.site(), "changeover/release.json", old);
    shop.build("3");
    let third = shop.publish(&[]);
    // Browsers have seen the second release and ignore whatever is not above it.
    assert_eq!(
        third["sequence"].as_u64().unwrap(),
        second["sequence"].as_u64().unwrap() + 1
    );
    assert_eq!(third["pruned"], json!([]));
    for build in [&first, &second] {
        assert!(shop.has(&format!(
            "changeover/files/{}",
            build["build"].as_str().unwrap()
        )));
    }
}

#[test]
fn what_a_killed_publish_left_is_not_history() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    shop.build("2");
    let (dist, site) = (shop.dist(), shop.site());
    common::kill(common::publish_up_to("history placed", &dist, &site, &[]));
    assert_eq!(
        fs::read_dir(shop.site().join("changeover/releases"))
            .unwrap()
            .count(),
        2
    );
    let (code, gone) = shop.rollback(&[]);
    assert_eq!(
        (code, &gone["error"]["code"]),
        (1, &json!("no-previous-build")),
        "it was never live"
    );

    shop.build("3");
    let third = shop.publish(&[]);
    assert_eq!(third["previous"], first["build"]);
    assert_eq!(
        third["pruned"].as_array().unwrap().len(),
        1,
        "the build that never was"
    );
    assert!(!shop.has(&hashed("2")));
    assert_eq!(shop.rollback(&[]).1["build"], first["build"]);
    assert_eq!(shop.verify().0, 0);
}

#[test]
fn an_entry_that_cannot_be_used_is_named_and_its_build_is_kept() {
    for damage in [
        |entry: &str| entry[..entry.len() / 2].to_owned(),
        // A release that pages refuse, one of a later version, and an id that was not checked.
        |entry: &str| entry.replace("\"urgency\": \"routine\"", "\"urgency\": \"never\""),
        |entry: &str| entry.replace("\"format\": 1", "\"format\": 2"),
        |entry: &str| {
            let id = entry.rsplit("\"build\": \"").next().unwrap();
            let id = id.split('"').next().unwrap();
            entry.replace(
                &format!("\"build\": \"{id}\""),
                "\"build\": \"../../other\"",
            )
        },
    ] {
        let shop = Shop::new();
        let first = shop.publish(&[]);
        let entry = format!("changeover/releases/{}.json", first["sequence"]);
        let damaged = damage(&text(&shop.site(), &entry));
        put(&shop.site(), &entry, &damaged);
        let mut last = first.clone();
        for content in ["2", "3", "4"] {
            shop.build(content);
            last = shop.publish(&["--keep", "2", "--keep-days", "0"]);
        }
        assert_eq!(note_codes(&last)[0], "history-unusable", "{last}");
        let said = last["notes"][0]["message"].as_str().unwrap();
        assert!(said.contains(&entry), "{said}");
        assert!(
            shop.has(&format!(
                "changeover/files/{}",
                first["build"].as_str().unwrap()
            )),
            "what the entry was about is not known, so nothing that it may be about is removed"
        );
        assert!(!shop.has(&hashed("2")), "other builds are pruned as ever");
        assert_eq!(text(&shop.site(), &entry), damaged);
        let (_, back) = shop.rollback(&[first["build"].as_str().unwrap()]);
        assert_eq!(back["error"]["code"], "unknown-build");
        assert_eq!(shop.verify().0, 0);
    }
}
