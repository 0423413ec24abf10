//! What a build says about its stores, and which builds may not follow each other because of it.

mod common;

use std::fs;

use changeover::engine::{
    graph::{Graph, Links},
    manifest::Manifest,
    skew,
};
use changeover_cli::build::{Build, Hints};
use changeover_cli::stores;
use common::shop::{Shop, error_of};
use common::{changeover, changeover_json, files_below, folder, index, json, note_codes, put};
use serde_json::{Value, json};

/// Cases that the bundler plugin is held to as well.
const CASES: &str = include_str!("stores.json");

#[test]
fn the_file_is_checked_in_the_words_of_the_bundler_plugin() {
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    for case in cases {
        let text = case["text"].as_str().unwrap();
        match (stores::parse(text, "F"), case["sentence"].as_str()) {
            (Ok(stores), None) => {
                assert_eq!(
                    serde_json::to_value(&stores).unwrap(),
                    case["stores"],
                    "{text}"
                );
            }
            (Err(error), Some(sentence)) => {
                assert_eq!(error.code(), "stores-invalid");
                let said = error.to_string();
                match sentence.strip_suffix('…') {
                    Some(start) => assert!(said.starts_with(&format!("F {start}")), "{said}"),
                    None => assert_eq!(said, format!("F {sentence}")),
                }
            }
            (result, _) => panic!("{text}: {result:?}"),
        }
    }
}

#[test]
fn stores_come_from_the_file_in_the_dist_or_the_one_that_is_named_and_neither_is_published() {
    let shop = Shop::new();
    say(&shop, json!({ "cart": { "schema": 3, "reads": [1] } }));
    let published = shop.publish(&[]);
    assert_eq!(
        manifest(&shop, &published)["stores"],
        json!({ "cart": { "schema": 3, "reads": [1, 3] } })
    );
    assert!(
        !files_below(&shop.site())
            .iter()
            .any(|file| file.contains("changeover.stores"))
    );
    assert_eq!(shop.verify().0, 0);

    shop.build("2");
    say(&shop, json!({ "cart": { "schema": 9 } }));
    let other = folder([(
        "s.json",
        r#"{ "cart": { "schema": 3 }, "log": { "schema": 1 } }"#,
    )]);
    let published = shop.publish(&["--stores", other.path().join("s.json").to_str().unwrap()]);
    assert_eq!(
        manifest(&shop, &published)["stores"],
        json!({ "cart": { "schema": 3, "reads": [3] }, "log": { "schema": 1, "reads": [1] } })
    );
}

#[test]
fn a_file_that_is_missing_or_wrong_is_named_and_nothing_is_written() {
    let shop = Shop::new();
    let (dist, site) = (shop.dist(), shop.site());
    let words = [
        "publish",
        dist.to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ];
    let gone = shop.root.path().join("gone.json");
    let gone = gone.to_str().unwrap();
    assert_eq!(
        error_of(&[words.as_slice(), &["--stores", gone]].concat()),
        (
            "stores-missing".into(),
            format!("there is no file {gone} that would say what the stores are")
        )
    );
    say(&shop, json!({ "cart": { "schema": "3" } }));
    let (code, sentence) = error_of(&words);
    assert_eq!(code, "stores-invalid");
    assert!(
        sentence.ends_with(
            "changeover.stores.json gives the store \"cart\" the schema \"3\"; it must be a whole number from 1 to 4294967295"
        ),
        "{sentence}"
    );
    assert!(!site.exists());
}

#[test]
fn what_the_stores_are_is_part_of_what_a_build_is() {
    let html = index(&["/a.js"]);
    let dist = folder([("index.html", html.as_str()), ("a.js", "1")]);
    let id = || {
        Build::read(dist.path(), &Hints::default())
            .unwrap()
            .id()
            .to_owned()
    };
    let without = id();
    put(dist.path(), stores::FILE, "{}");
    assert_eq!(id(), without);
    put(dist.path(), stores::FILE, r#"{ "cart": { "schema": 2 } }"#);
    let two = id();
    assert_ne!(two, without);
    put(
        dist.path(),
        stores::FILE,
        r#"{"cart":{"reads":[2],"schema":2}}"#,
    );
    assert_eq!(id(), two, "the same said otherwise");
    put(dist.path(), stores::FILE, r#"{ "cart": { "schema": 3 } }"#);
    assert_ne!(id(), two);
}

#[test]
fn a_build_with_a_name_of_its_own_cannot_change_its_stores() {
    let html = index(&[]).replace("data-release", "data-build=v1 data-release");
    let dist = folder([
        ("index.html", html.as_str()),
        (stores::FILE, r#"{ "cart": { "schema": 1 } }"#),
    ]);
    let root = tempfile::tempdir().unwrap();
    let site = root.path().join("site");
    common::publish(dist.path(), &site, &[]);
    put(
        dist.path(),
        stores::FILE,
        r#"{ "cart": { "schema": 2, "reads": [1] } }"#,
    );
    let words = [
        "publish",
        dist.path().to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ];
    assert_eq!(
        error_of(&words),
        (
            "build-id-reused".into(),
            "build v1 was published before with other stores, and a build never changes; give this one an id of its own"
                .into()
        )
    );
}

#[test]
fn the_plugins_manifest_keeps_its_stores_gets_those_of_a_file_and_is_not_contradicted() {
    let own = |stores: Value| {
        let html = "<script data-build=own data-release=/r></script>";
        let print = changeover_cli::hash::Fingerprint::of(html.as_bytes());
        let dist = folder([("index.html", html)]);
        let manifest = json!({ "format": 1, "app": "shop", "id": "own", "created": "2026-01-01T00:00:00Z", "later": 1,
            "documents": { "index.html": { "integrity": print.integrity, "size": print.size } }, "stores": stores });
        put(
            dist.path(),
            "changeover/builds/own.json",
            manifest.to_string(),
        );
        dist
    };
    let read = |dist: &tempfile::TempDir| Build::read(dist.path(), &Hints::default());
    let written =
        |build: Build| -> Value { serde_json::from_slice(&build.manifest_bytes).unwrap() };

    let dist = own(json!({ "cart": { "schema": 2, "reads": [2] } }));
    let bytes = fs::read(dist.path().join("changeover/builds/own.json")).unwrap();
    assert_eq!(read(&dist).unwrap().manifest_bytes, bytes);
    put(dist.path(), stores::FILE, r#"{ "cart": { "schema": 2 } }"#);
    assert_eq!(read(&dist).unwrap().manifest_bytes, bytes);
    put(dist.path(), stores::FILE, r#"{ "cart": { "schema": 3 } }"#);
    let error = read(&dist).unwrap_err();
    assert_eq!(error.code(), "stores-differ");
    assert!(
        error.to_string().contains(
            "own.json says what the stores of build own are, and changeover.stores.json in the dist says something else"
        ),
        "{error}"
    );

    let dist = own(json!({}));
    put(dist.path(), stores::FILE, r#"{ "cart": { "schema": 3 } }"#);
    let manifest = written(read(&dist).unwrap());
    assert_eq!(
        (&manifest["stores"], &manifest["id"], &manifest["later"]),
        (
            &json!({ "cart": { "schema": 3, "reads": [3] } }),
            &json!("own"),
            &json!(1)
        )
    );

    let error = read(&own(json!({ "cart": { "schema": 0 } }))).unwrap_err();
    assert_eq!(error.code(), "manifest-invalid");
    assert!(
        error.to_string().ends_with(
            "own.json gives the store \"cart\" the schema 0; it must be a whole number from 1 to 4294967295"
        ),
        "{error}"
    );
}

#[test]
fn a_build_that_reads_what_open_tabs_hold_follows_them() {
    let shop = Shop::new();
    for (content, schema, reads) in [
        ("1", 1, json!([])),
        ("2", 2, json!([1])),
        ("3", 3, json!([1, 2])),
    ] {
        shop.build(content);
        say(
            &shop,
            json!({ "cart": { "schema": schema, "reads": reads } }),
        );
        assert!(!codes(&shop.publish(&[])).contains(&"store-gap".to_owned()));
    }
}

#[test]
fn a_build_that_cannot_read_what_open_tabs_hold_is_refused_before_anything_is_written() {
    let shop = Shop::new();
    say(
        &shop,
        json!({ "cart": { "schema": 1 }, "log": { "schema": 5 } }),
    );
    let first = id_of(&shop.publish(&[]));
    shop.build("2");
    say(
        &shop,
        json!({ "cart": { "schema": 2, "reads": [1] }, "log": { "schema": 5 } }),
    );
    let second = id_of(&shop.publish(&[]));
    let before = snapshot(&shop);

    // The live build is read, the one before it is not.
    shop.build("3");
    say(
        &shop,
        json!({ "cart": { "schema": 3, "reads": [2] }, "log": { "schema": 5 } }),
    );
    assert_eq!(
        refused(&shop),
        (
            "store-gap".into(),
            format!(
                "tabs of build {first} hold the store \"cart\" in schema 1, and this build, on schema 3, reads only 2, 3: \
                 keep the step from 1 in `migrations` and list 1 in `reads`; --allow-store-gap publishes all the same"
            )
        )
    );
    // Both stores, the second one in both builds, and back to a lower schema.
    say(
        &shop,
        json!({ "cart": { "schema": 1 }, "log": { "schema": 6 } }),
    );
    assert_eq!(
        refused(&shop).1,
        format!(
            "tabs of build {second} hold the store \"cart\" in schema 2, and this build, on schema 1, reads only 1: go back \
             with `changeover rollback` or by publishing the earlier dist, or list 2 in `reads` when a step of \
             `migrations` leads from it to 1; tabs of builds {second}, {first} hold the store \"log\" in schema 5, and \
             this build, on schema 6, reads only 6: keep the step from 5 in `migrations` and list 5 in `reads`; \
             --allow-store-gap publishes all the same"
        )
    );
    assert_eq!(snapshot(&shop), before, "nothing was written");
    let (dist, site) = (shop.dist(), shop.site());
    let out = changeover([
        "publish",
        dist.to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ]);
    assert_eq!(out.status.code(), Some(1));
    assert!(
        String::from_utf8(out.stderr)
            .unwrap()
            .trim_end()
            .ends_with("[store-gap]")
    );
}

#[test]
fn going_ahead_over_a_gap_is_warned_about_and_need_not_be_allowed_again() {
    let shop = Shop::new();
    say(&shop, json!({ "cart": { "schema": 1 } }));
    let first = id_of(&shop.publish(&[]));
    shop.build("2");
    say(&shop, json!({ "cart": { "schema": 2 } }));
    assert_eq!(refused(&shop).0, "store-gap");
    let second = shop.publish(&["--allow-store-gap"]);
    let note = note(&second, "store-gap");
    assert_eq!(
        note,
        format!(
            "tabs of build {first} hold the store \"cart\" in schema 1, and this build, on schema 2, reads only 2; what they \
             hold is kept, but this build cannot use it"
        )
    );
    // The same gap as in the live build is old news; one more is not.
    shop.build("3");
    say(&shop, json!({ "cart": { "schema": 3, "reads": [2] } }));
    assert!(codes(&shop.publish(&[])).contains(&"store-gap".to_owned()));
    shop.build("4");
    say(&shop, json!({ "cart": { "schema": 4, "reads": [3] } }));
    let (code, sentence) = refused(&shop);
    assert_eq!(code, "store-gap");
    assert!(
        sentence.starts_with(&format!(
            "tabs of build {} hold the store \"cart\" in schema 2,",
            id_of(&second)
        )),
        "{sentence}"
    );
    assert!(!sentence.contains("schema 1"), "{sentence}");
}

#[test]
fn a_schema_that_was_rolled_back_from_is_still_held_by_open_tabs() {
    let shop = Shop::new();
    say(&shop, json!({ "cart": { "schema": 1 } }));
    shop.publish(&[]);
    shop.build("2");
    say(&shop, json!({ "cart": { "schema": 2, "reads": [1] } }));
    shop.publish(&[]);
    shop.rollback(&[]);
    shop.build("3");
    say(&shop, json!({ "cart": { "schema": 3, "reads": [1] } }));
    let (code, sentence) = refused(&shop);
    assert_eq!(code, "store-gap");
    assert!(sentence.contains("in schema 2"), "{sentence}");
}

#[test]
fn a_broken_pointer_does_not_hide_what_tabs_hold() {
    let shop = Shop::new();
    say(&shop, json!({ "cart": { "schema": 1 } }));
    shop.publish(&[]);
    put(&shop.site(), "changeover/release.json", "{\"format\":1,");
    shop.build("2");
    say(&shop, json!({ "cart": { "schema": 2 } }));
    assert_eq!(refused(&shop).0, "store-gap");
}

#[test]
fn the_other_build_of_a_rollout_and_one_made_by_hand_count() {
    let shop = Shop::new();
    let by_hand = |id: &str, schema: u32| {
        let manifest = json!({ "format": 1, "app": "app", "id": id, "created": "2026-01-01T00:00:00Z",
            "stores": { "cart": { "schema": schema } } });
        put(
            &shop.site(),
            &format!("changeover/builds/hand-{id}.json"),
            manifest.to_string(),
        );
        json!({ "id": id, "manifest": format!("builds/hand-{id}.json") })
    };
    let release = json!({ "format": 1, "app": "app", "sequence": 41, "issued": "2026-01-01T00:00:00Z",
        "build": by_hand("b", 2), "rollout": { "percent": 10, "salt": "x", "otherwise": by_hand("a", 1) } });
    put(&shop.site(), "changeover/release.json", release.to_string());
    say(&shop, json!({ "cart": { "schema": 3 } }));
    let (code, sentence) = refused(&shop);
    assert_eq!(code, "store-gap");
    for part in [
        "build b hold the store \"cart\" in schema 2",
        "build a hold the store \"cart\" in schema 1",
    ] {
        assert!(sentence.contains(part), "{sentence}");
    }
    say(&shop, json!({ "cart": { "schema": 3, "reads": [1, 2] } }));
    shop.publish(&[]);
}

#[test]
fn a_store_that_the_live_build_has_and_the_new_one_has_not_is_a_note() {
    let shop = Shop::new();
    say(
        &shop,
        json!({ "cart": { "schema": 1 }, "log": { "schema": 1 }, "old": { "schema": 1 } }),
    );
    let first = id_of(&shop.publish(&[]));
    shop.build("2");
    say(
        &shop,
        json!({ "cart": { "schema": 1 }, "log": { "schema": 1 } }),
    );
    let published = shop.publish(&[]);
    let second = id_of(&published);
    assert_eq!(
        note(&published, "store-dropped"),
        format!(
            "build {first} has the store \"old\", and build {second} does not: its data stay in the browsers, unread"
        )
    );
    shop.build("3");
    let published = shop.publish(&[]);
    assert_eq!(
        note(&published, "store-dropped"),
        format!(
            "build {second} has the stores \"cart\", \"log\", and build {} does not: their data stay in the browsers, \
             unread",
            id_of(&published)
        )
    );
}

#[test]
fn going_back_is_never_refused_and_says_which_stores_are_handed_back() {
    let shop = Shop::new();
    say(
        &shop,
        json!({ "cart": { "schema": 1 }, "log": { "schema": 1, "reads": [2] } }),
    );
    let first = id_of(&shop.publish(&[]));
    let dist = folder([]);
    copy(&shop.dist(), dist.path());
    shop.build("2");
    say(
        &shop,
        json!({ "cart": { "schema": 2, "reads": [1] }, "log": { "schema": 2, "reads": [1] } }),
    );
    let second = id_of(&shop.publish(&[]));
    let expected = format!(
        "build {second} has the store \"cart\" in schema 2, which build {first}, on schema 1, does not read: tabs hand \
         state back through `down`; without a step down they are asked"
    );
    let (code, back) = shop.rollback(&[]);
    assert_eq!((code, codes(&back).len()), (0, 2), "{back}");
    assert_eq!(note(&back, "store-handed-back"), expected);

    // Forth again, which the newer build can read, and back by publishing the earlier dist.
    let (_, forth) = shop.rollback(&[&second]);
    assert_eq!(note_codes(&forth), ["colliding-names"]);
    let again = common::publish(dist.path(), &shop.site(), &[]);
    assert_eq!(again["build"], json!(first));
    assert_eq!(note(&again, "store-handed-back"), expected);
    assert_eq!(shop.verify().0, 0);
}

#[test]
fn verify_names_stores_that_no_plugin_would_write() {
    let shop = Shop::new();
    say(&shop, json!({ "cart": { "schema": 7 } }));
    let published = shop.publish(&[]);
    let place = format!("changeover/builds/{}.json", id_of(&published));
    let mut manifest = json(&shop.site(), &place);
    manifest["stores"]["cart"]["schema"] = json!(0);
    put(&shop.site(), &place, manifest.to_string());
    let site = shop.site();
    let (exit, verdict) = changeover_json(["verify", site.to_str().unwrap()]);
    let codes: Vec<_> = verdict["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        (exit, codes),
        (1, vec!["manifest-wrong-bytes", "manifest-stores"])
    );
}

#[test]
fn the_parts_of_changeover_beside_a_bare_app_are_files_and_no_entries() {
    let dist = |stores: &str| {
        let dist = folder([("index.html", &*index(&["/app.js"])), ("app.js", "1")]);
        for (name, text) in [
            ("changeover.js", "loader"),
            ("runtime.js", "runtime"),
            ("stores.js", stores),
        ] {
            put(dist.path(), name, text);
        }
        Build::read(dist.path(), &Hints::default())
            .unwrap()
            .manifest
    };
    let (one, two) = (dist("stores"), dist("other stores"));
    assert_eq!(one.entries, ["app.js"]);
    assert!(
        ["changeover.js", "runtime.js", "stores.js"]
            .iter()
            .all(|file| one.chunks.contains_key(file))
    );
    let touched = |loaded: &[&str]| {
        let files: Vec<_> = loaded.iter().map(|file| format!("/{file}")).collect();
        let page = skew::Loaded {
            files: &files,
            complete: true,
            root: "/",
            ..Default::default()
        };
        let links = Links::of(&one);
        skew::between(Graph::new(&one, &links), &two, &page).touches_the_page()
    };
    assert!(!touched(&["app.js", "changeover.js", "runtime.js"]));
    assert!(touched(&[
        "app.js",
        "changeover.js",
        "runtime.js",
        "stores.js"
    ]));
}

/// Writes the file about the stores into the dist.
fn say(shop: &Shop, stores: Value) {
    put(&shop.dist(), stores::FILE, stores.to_string());
}

fn id_of(published: &Value) -> String {
    published["build"].as_str().unwrap().to_owned()
}

fn manifest(shop: &Shop, published: &Value) -> Value {
    let place = format!("changeover/builds/{}.json", id_of(published));
    Manifest::parse(&common::text(&shop.site(), &place)).unwrap();
    json(&shop.site(), &place)
}

fn refused(shop: &Shop) -> (String, String) {
    let (dist, site) = (shop.dist(), shop.site());
    error_of(&[
        "publish",
        dist.to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ])
}

fn codes(done: &Value) -> Vec<String> {
    note_codes(done).into_iter().map(str::to_owned).collect()
}

/// What the one note with this code says.
fn note(done: &Value, code: &str) -> String {
    let notes: Vec<_> = done["notes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|note| note["code"] == code)
        .collect();
    assert_eq!(notes.len(), 1, "{done}");
    notes[0]["message"].as_str().unwrap().to_owned()
}

/// Every file of the site with its bytes.
fn snapshot(shop: &Shop) -> Vec<(String, Vec<u8>)> {
    files_below(&shop.site())
        .into_iter()
        .map(|file| {
            let bytes = fs::read(shop.site().join(&file)).unwrap();
            (file, bytes)
        })
        .collect()
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for file in files_below(from) {
        put(to, &file, fs::read(from.join(&file)).unwrap());
    }
}
