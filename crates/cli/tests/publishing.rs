//! What `publish` and `rollback` do to a site on disk.

mod common;

use std::fs;
use std::path::Path;

use changeover_cli::hash::Fingerprint;
use common::{
    changeover, changeover_json, files_below, folder, index, json, note_codes, path, publish, put,
    text,
};
use serde_json::{Value, json};

/// A dist and the site it goes to.
struct Shop {
    root: tempfile::TempDir,
}

impl Shop {
    fn new() -> Self {
        let shop = Self {
            root: tempfile::tempdir().unwrap(),
        };
        shop.build("1");
        shop
    }

    fn dist(&self) -> std::path::PathBuf {
        path(&self.root, "dist")
    }

    fn site(&self) -> std::path::PathBuf {
        path(&self.root, "site")
    }

    /// One hashed file, one that keeps its name, one that never changes.
    fn build(&self, content: &str) {
        let _ = fs::remove_dir_all(self.dist());
        let entry = hashed(content);
        put(
            &self.dist(),
            "index.html",
            index(&[&format!("/{entry}"), "/plain.js"]),
        );
        put(&self.dist(), &entry, content);
        put(&self.dist(), "plain.js", content);
        put(&self.dist(), "same.css", "p{}");
    }

    fn publish(&self, more: &[&str]) -> Value {
        publish(&self.dist(), &self.site(), more)
    }

    fn rollback(&self, more: &[&str]) -> (i32, Value) {
        let site = self.site();
        let words = ["rollback", "--site", site.to_str().unwrap()];
        changeover_json(words.into_iter().chain(more.iter().copied()))
    }

    fn release(&self) -> Value {
        json(&self.site(), "changeover/release.json")
    }

    fn verify(&self) -> (i32, Value) {
        changeover_json(["verify", self.site().to_str().unwrap()])
    }

    fn has(&self, file: &str) -> bool {
        self.site().join(file).exists()
    }
}

fn hashed(content: &str) -> String {
    let hash = Fingerprint::of(content.as_bytes()).integrity;
    let hash: String = hash[7..]
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    format!("assets/main-{hash}.js")
}

fn error_of(words: &[&str]) -> (String, String) {
    let (code, value) = changeover_json(words.iter().copied());
    assert_eq!((code, &value["ok"]), (1, &json!(false)), "{value}");
    let field = |name: &str| value["error"][name].as_str().unwrap().to_owned();
    (field("code"), field("message"))
}

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
