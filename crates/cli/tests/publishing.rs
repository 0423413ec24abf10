//! What `publish` does to a site on disk.

mod common;

use std::fs;
use std::path::Path;

use changeover_cli::hash::Fingerprint;
use common::shop::{Shop, error_of, hashed};
use common::{changeover, files_below, folder, json, note_codes, path, publish, put, text};
use serde_json::json;

#[test]
fn a_first_publish_writes_the_whole_layout() {
    let shop = Shop::new();
    let published = shop.publish(&[
        "--by",
        "Ada",
        "--message",
        "Hello",
        "--urgency",
        "soon",
        "--app",
        "shop",
    ]);
    let (id, sequence) = (
        published["build"].as_str().unwrap(),
        published["sequence"].as_u64().unwrap(),
    );
    assert!(
        sequence > 1_700_000_000,
        "a fresh site starts at the time in seconds: {sequence}"
    );
    let entry = hashed("1");
    let mut expected = vec![
        format!("{entry}"),
        "changeover/.lock".to_owned(),
        format!("changeover/builds/{id}.json"),
        format!("changeover/files/{id}/{entry}"),
        format!("changeover/files/{id}/index.html"),
        format!("changeover/files/{id}/plain.js"),
        format!("changeover/files/{id}/same.css"),
        "changeover/release.json".to_owned(),
        format!("changeover/releases/{sequence}.json"),
        "index.html".to_owned(),
        "plain.js".to_owned(),
        "same.css".to_owned(),
    ];
    expected.sort();
    assert_eq!(files_below(&shop.site()), expected);

    let release = shop.release();
    assert_eq!(
        [
            &release["app"],
            &release["channel"],
            &release["urgency"],
            &release["message"],
            &release["build"]["id"]
        ],
        [
            &json!("shop"),
            &json!("stable"),
            &json!("soon"),
            &json!("Hello"),
            &json!(id)
        ]
    );
    let manifest = fs::read(shop.site().join(format!("changeover/builds/{id}.json"))).unwrap();
    assert_eq!(
        release["build"]["integrity"],
        Fingerprint::of(&manifest).integrity
    );
    assert!(text(&shop.site(), "index.html").contains(&format!("data-build=\"{id}\"")));
    let history = json(
        &shop.site(),
        &format!("changeover/releases/{sequence}.json"),
    );
    assert_eq!(
        (
            &history["release"],
            &history["build"],
            &history["published"]["by"]
        ),
        (&release, &json!(id), &json!("Ada"))
    );
    assert_eq!(shop.verify().0, 0);
}

#[test]
fn publishing_the_same_dist_again_changes_nothing() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    let before: Vec<_> = files_below(&shop.site());
    let stamps = |shop: &Shop| -> Vec<_> {
        before
            .iter()
            .map(|file| {
                fs::metadata(shop.site().join(file))
                    .unwrap()
                    .modified()
                    .unwrap()
            })
            .collect()
    };
    let modified = stamps(&shop);
    let again = shop.publish(&[]);
    assert_eq!(
        (&again["live"], &again["sequence"]),
        (&json!("already"), &first["sequence"])
    );
    assert_eq!(
        again["files"],
        json!({ "copied": 0, "linked": 0, "kept": 4 })
    );
    assert_eq!(files_below(&shop.site()), before);
    assert_eq!(stamps(&shop), modified);
    let (dist, site) = (shop.dist(), shop.site());
    let out = changeover([
        "publish",
        dist.to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ]);
    assert!(
        String::from_utf8(out.stdout)
            .unwrap()
            .starts_with("already live: build ")
    );
}

#[test]
fn the_same_build_with_other_words_is_a_new_release_of_it() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    let urgent = shop.publish(&["--urgency", "now"]);
    assert_eq!(
        (&urgent["live"], &urgent["build"]),
        (&json!("new"), &first["build"])
    );
    assert_eq!(
        urgent["sequence"].as_u64().unwrap(),
        first["sequence"].as_u64().unwrap() + 1
    );
    assert_eq!(shop.release()["urgency"], "now");
}

#[test]
fn a_second_build_shares_what_is_the_same_and_says_which_names_collide() {
    let shop = Shop::new();
    shop.publish(&[]);
    shop.build("2");
    let second = shop.publish(&[]);
    assert_eq!(
        second["files"],
        json!({ "copied": 3, "linked": 1, "kept": 0 })
    );
    assert_eq!(note_codes(&second), ["colliding-names"]);
    assert_eq!(second["notes"][0]["files"], json!(["plain.js"]));
    assert!(
        shop.has(&hashed("1")) && shop.has(&hashed("2")),
        "hashed files of both builds are there"
    );
    assert_eq!(text(&shop.site(), "plain.js"), "2");
    // What every page loads is named first.
    for name in ["aaa.txt", "aab.css", "aac.js", "aad.png", "aae.wasm"] {
        put(&shop.dist(), name, "2");
    }
    shop.publish(&[]);
    for name in [
        "aaa.txt", "aab.css", "aac.js", "aad.png", "aae.wasm", "plain.js",
    ] {
        put(&shop.dist(), name, "3");
    }
    let third = shop.publish(&[]);
    assert_eq!(
        third["notes"][0]["files"],
        json!([
            "plain.js", "aac.js", "aab.css", "aae.wasm", "aaa.txt", "aad.png"
        ])
    );

    let (dist, site) = (shop.dist(), shop.site());
    let out = changeover([
        "publish",
        dist.to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ]);
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(
        said.contains("purely static host") && said.contains("plain.js"),
        "{said}"
    );
}

#[test]
fn dist_and_site_may_not_contain_each_other() {
    let shop = Shop::new();
    let dist = shop.dist();
    let dist = dist.to_str().unwrap();
    for (site, how) in [
        (dist.to_owned(), "the same folder as"),
        (format!("{dist}/site/x"), "inside"),
        (format!("{dist}/.."), "around"),
    ] {
        let (code, sentence) = error_of(&["publish", dist, "--to", &site]);
        assert_eq!(code, "nested");
        assert!(sentence.contains(how), "{sentence}");
    }
    assert_eq!(files_below(&shop.dist()).len(), 4, "nothing was written");
    // A name that only begins like the other is another folder.
    publish(&shop.dist(), Path::new(&format!("{dist}-site")), &[]);
}

#[test]
fn a_publish_of_another_app_needs_its_name_said() {
    let shop = Shop::new();
    shop.publish(&["--app", "shop"]);
    let own = folder([("index.html", "<p>")]);
    let print = Fingerprint::of(b"<p>");
    put(
        own.path(),
        "changeover/builds/adm.json",
        json!({ "format": 1, "app": "admin", "id": "adm", "created": "2026-01-01T00:00:00Z",
            "documents": { "index.html": { "integrity": print.integrity, "size": 3 } } })
        .to_string(),
    );
    let site = shop.site();
    let words = [
        "publish",
        own.path().to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ];
    let (code, sentence) = error_of(&words);
    assert_eq!(
        (code.as_str(), sentence.as_str()),
        (
            "app-differs",
            "the site serves the app shop, and this dist is the app admin; if that is meant, say --app admin"
        )
    );
    publish(own.path(), &site, &["--app", "admin"]);
}

#[test]
fn an_id_that_was_used_for_other_files_is_refused() {
    let dist = folder([
        (
            "index.html",
            "<script data-release=/r data-build=v1></script>",
        ),
        ("a.js", "1"),
    ]);
    let site = tempfile::tempdir().unwrap();
    publish(dist.path(), &path(&site, "s"), &[]);
    put(dist.path(), "a.js", "2");
    let words = [
        "publish",
        dist.path().to_str().unwrap(),
        "--to",
        site.path().to_str().unwrap(),
    ];
    let to = path(&site, "s");
    let words = [words[0], words[1], words[2], to.to_str().unwrap()];
    assert_eq!(error_of(&words).0, "build-id-reused");
    assert_eq!(text(&to, "a.js"), "1");
}

#[test]
fn what_is_asked_for_wrongly_is_refused_with_a_sentence() {
    let shop = Shop::new();
    let (dist, site) = (shop.dist(), shop.site());
    let words = [
        "publish",
        dist.to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ];
    let with = |more: &[&'static str]| -> String {
        let words: Vec<_> = words.iter().copied().chain(more.iter().copied()).collect();
        error_of(&words).0
    };
    assert_eq!(with(&["--channel", "a b"]), "name-invalid");
    assert_eq!(with(&["--app", ""]), "name-invalid");
    assert_eq!(with(&["--base", "shop"]), "base-invalid");
    let long = "x".repeat(501);
    let words: Vec<_> = words.iter().copied().chain(["--message", &long]).collect();
    assert_eq!(
        error_of(&words),
        (
            "message-too-long".into(),
            "the message has 501 characters, and a prompt shows at most 500".into()
        )
    );
    assert!(!shop.site().exists(), "nothing was written");
    let out = changeover(["publish", "x"]);
    assert_eq!(
        out.status.code(),
        Some(2),
        "a wrong command line is told apart"
    );
    put(shop.root.path(), "file", "");
    let file = path(&shop.root, "file");
    assert_eq!(
        error_of(&[
            "publish",
            dist.to_str().unwrap(),
            "--to",
            file.to_str().unwrap()
        ])
        .0,
        "site-not-a-folder"
    );
}

#[test]
fn odd_names_big_files_and_folders_survive_the_way() {
    let shop = Shop::new();
    let big: Vec<u8> = (0..12_000_000u32).map(|n| (n % 253) as u8).collect();
    put(&shop.dist(), "a b/ü%41 [x]+&.js", "odd");
    put(&shop.dist(), "video.bin", &big);
    put(&shop.dist(), "empty.txt", "");
    put(&shop.dist(), ".well-known/assetlinks.json", "{}");
    let published = shop.publish(&[]);
    assert_eq!(published["files"]["copied"], 8);
    assert_eq!(text(&shop.site(), "a b/ü%41 [x]+&.js"), "odd");
    assert_eq!(fs::read(shop.site().join("video.bin")).unwrap(), big);
    assert!(shop.has(".well-known/assetlinks.json"));
    assert_eq!(shop.verify().0, 0);
}

#[test]
fn names_that_differ_in_case_and_links_to_hidden_files_are_named() {
    let shop = Shop::new();
    put(&shop.dist(), "App.js", "1");
    put(&shop.dist(), "app.js", "2");
    put(&shop.dist(), ".env", "SECRET=1");
    #[cfg(unix)]
    std::os::unix::fs::symlink(".env", shop.dist().join("env.txt")).unwrap();
    let published = shop.publish(&[]);
    let notes = published["notes"].as_array().unwrap();
    let files_of = |code: &str| {
        notes
            .iter()
            .find(|note| note["code"] == code)
            .map(|note| note["files"].clone())
    };
    assert_eq!(files_of("names-alike"), Some(json!(["App.js", "app.js"])));
    #[cfg(unix)]
    {
        assert_eq!(files_of("link-to-hidden"), Some(json!(["env.txt"])));
        for file in files_below(&shop.site()) {
            let bytes = fs::read(shop.site().join(&file)).unwrap();
            assert_ne!(bytes, b"SECRET=1", "{file}");
        }
    }
}

#[test]
fn two_publishes_at_once_take_turns() {
    let shop = Shop::new();
    let other = folder([("index.html", "<p>other")]);
    shop.publish(&[]);
    shop.build("2");
    let (site, dist) = (shop.site(), shop.dist());
    std::thread::scope(|scope| {
        for dist in [dist.as_path(), other.path()] {
            let site = &site;
            scope.spawn(move || publish(dist, site, &[]));
        }
    });
    assert_eq!(shop.verify().0, 0);
    assert_eq!(
        fs::read_dir(site.join("changeover/releases"))
            .unwrap()
            .count(),
        3
    );
}

#[test]
fn a_release_by_hand_is_followed_by_a_higher_one() {
    let shop = Shop::new();
    put(
        &shop.site(),
        "changeover/release.json",
        r#"{"sequence": 7, "build": {"id": "by-hand"}}"#,
    );
    let published = shop.publish(&[]);
    assert_eq!(published["sequence"], 8);
    assert_eq!(note_codes(&published), ["not-adopted"]);
    assert_eq!(
        published["notes"][0]["message"],
        "the release that was live, 7 of build by-hand, was not made by publish and names no manifest, so it cannot be rolled back to"
    );
}
