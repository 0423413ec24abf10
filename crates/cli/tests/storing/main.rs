//! What a build says about its stores.

#[path = "../common/mod.rs"]
mod common;
mod gaps;

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

/// The bundler plugin is tested with the same cases.
const CASES: &str = include_str!("../stores.json");

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
            .all(|file| one.chunks.contains_key(*file))
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
