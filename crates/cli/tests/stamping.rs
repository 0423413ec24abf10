//! A folder that is a deploy by itself: `stamp` and `publish --in-place`, and how `publish` takes such a folder.

mod common;

use std::fs;
use std::path::Path;

use changeover_cli::hash::Fingerprint;
use changeover_cli::html::HtmlDocument;
use common::shop::{Shop, error_of};
use common::{changeover_json, files_below, json, kill, note_codes, publish_up_to, put, text};
use serde_json::{Value, json};

fn stamp(folder: &Path, more: &[&str]) -> Value {
    let words = ["stamp", folder.to_str().unwrap()];
    let (code, value) = changeover_json(words.into_iter().chain(more.iter().copied()));
    assert_eq!(code, 0, "{value}");
    value
}

fn verify(folder: &Path) -> Value {
    changeover_json(["verify", folder.to_str().unwrap()]).1
}

/// What the document says: build and number.
fn said(folder: &Path) -> (String, u64) {
    let html = text(folder, "index.html");
    let page = HtmlDocument::parse(html.as_bytes());
    let changeover_cli::html::Claim::Build(build) = page.claim() else {
        panic!("{html}");
    };
    (build, page.sequence().unwrap())
}

fn snapshot(folder: &Path) -> Vec<(String, Vec<u8>)> {
    files_below(folder)
        .into_iter()
        .map(|file| (file.clone(), fs::read(folder.join(file)).unwrap()))
        .collect()
}

#[test]
fn a_stamped_folder_is_a_whole_deploy_and_stamping_it_again_changes_nothing() {
    let shop = Shop::new();
    let dist = shop.dist();
    let stamped = stamp(&dist, &["--app", "shop"]);
    let (id, number) = (
        stamped["build"].as_str().unwrap(),
        stamped["sequence"].as_u64().unwrap(),
    );
    assert!(number > 1_700_000_000, "the number is the time: {number}");
    assert_eq!(said(&dist), (id.to_owned(), number));
    let release = json(&dist, "changeover/release.json");
    assert_eq!(
        (
            &release["app"],
            &release["sequence"],
            &release["build"]["id"]
        ),
        (&json!("shop"), &json!(number), &json!(id))
    );
    assert_eq!(verify(&dist)["faults"], json!([]));
    let mut files = files_below(&dist);
    files.retain(|file| file.starts_with("changeover/"));
    assert_eq!(
        files,
        [
            format!("changeover/builds/{id}.json"),
            "changeover/release.json".into()
        ]
    );

    let before = snapshot(&dist);
    let again = stamp(&dist, &[]);
    assert_eq!(
        (&again["live"], &again["sequence"]),
        (&json!("already"), &json!(number))
    );
    assert_eq!(snapshot(&dist), before);

    // A host that gets plain copies goes back to it by a newer number.
    let anew = stamp(&dist, &["--anew"]);
    assert!(anew["sequence"].as_u64().unwrap() > number);
    assert_eq!(
        (&anew["build"], said(&dist).1),
        (&json!(id), anew["sequence"].as_u64().unwrap())
    );
    assert_eq!(verify(&dist)["faults"], json!([]));
}

#[test]
fn a_bundler_that_builds_over_a_stamped_folder_makes_the_next_build() {
    let shop = Shop::new();
    let dist = shop.dist();
    let first = stamp(&dist, &[]);
    // New documents, a new entry beside the old one, and `changeover/` as it was.
    let kept = snapshot(&dist);
    shop.build("2");
    for (file, bytes) in kept
        .iter()
        .filter(|(file, _)| file.starts_with("changeover/"))
    {
        put(&dist, file, bytes);
    }
    let second = stamp(&dist, &[]);
    assert_ne!(first["build"], second["build"]);
    assert!(second["sequence"].as_u64() > first["sequence"].as_u64());
    assert_eq!(note_codes(&second), Vec::<&str>::new(), "{second}");
    assert_eq!(
        fs::read_dir(dist.join("changeover/builds"))
            .unwrap()
            .count(),
        1
    );
    assert_eq!(verify(&dist)["faults"], json!([]));
}

#[test]
fn in_place_takes_the_words_of_a_publish_and_keeps_what_was_set_by_hand() {
    let shop = Shop::new();
    let dist = shop.dist();
    let folder = dist.to_str().unwrap();
    stamp(&dist, &[]);
    let release = text(&dist, "changeover/release.json").replacen('{', "{\n  \"mine\": 1.0,", 1);
    put(&dist, "changeover/release.json", release);
    let (code, done) = changeover_json([
        "publish",
        folder,
        "--in-place",
        "--urgency",
        "soon",
        "--message",
        "Hi",
    ]);
    assert_eq!((code, &done["live"]), (0, &json!("new")), "{done}");
    assert_eq!(note_codes(&done), ["fields-kept"]);
    let release = json(&dist, "changeover/release.json");
    assert_eq!(
        (&release["urgency"], &release["message"], &release["mine"]),
        (&json!("soon"), &json!("Hi"), &json!(1.0))
    );
    assert!(
        said(&dist).1 < release["sequence"].as_u64().unwrap(),
        "the documents stay"
    );
    // A stamp without an announcement keeps the one before.
    assert_eq!(stamp(&dist, &[])["live"], "already");
    assert_eq!(verify(&dist)["faults"], json!([]));
    assert_eq!(
        error_of(&["publish", folder, "--in-place", "--channel", "a b"]).0,
        "name-invalid"
    );
    shop.publish(&[]);
    let site = shop.site();
    let (code, sentence) = error_of(&["stamp", site.to_str().unwrap()]);
    assert_eq!(code, "in-place-site");
    assert!(sentence.contains("publish DIST --to"), "{sentence}");
}

#[test]
fn a_dist_with_a_release_of_its_own_is_published_above_both_numbers() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    put(&shop.site(), "changeover/mine.txt", "mine");
    shop.build("2");
    stamp(&shop.dist(), &[]);
    let theirs = first["sequence"].as_u64().unwrap() + 1_000;
    let own = text(&shop.dist(), "changeover/release.json");
    let number = json(&shop.dist(), "changeover/release.json")["sequence"].to_string();
    put(
        &shop.dist(),
        "changeover/release.json",
        own.replace(&number, &theirs.to_string()),
    );
    let before = snapshot(&shop.dist());
    let second = shop.publish(&["--app", "shop"]);
    assert_eq!(second["sequence"], json!(theirs + 1));
    assert_eq!(second["described_by"], "changeover");
    assert_eq!(snapshot(&shop.dist()), before, "the dist stays as it is");
    assert_eq!(
        said(&shop.site()),
        (second["build"].as_str().unwrap().to_owned(), theirs + 1)
    );
    assert_eq!(shop.release()["app"], "shop");
    assert_eq!(text(&shop.site(), "changeover/mine.txt"), "mine");
    assert_eq!(shop.publish(&["--app", "shop"])["live"], "already");
    assert_eq!(shop.rollback(&[]).1["build"], first["build"]);
    assert_eq!(shop.verify().0, 0);

    // An impossible number is ignored.
    let own = text(&shop.dist(), "changeover/release.json");
    put(
        &shop.dist(),
        "changeover/release.json",
        own.replace(&theirs.to_string(), "9007199254740991"),
    );
    let third = shop.publish(&["--app", "shop"]);
    assert!(
        note_codes(&third).contains(&"dist-release-ignored"),
        "{third}"
    );
    assert!(third["sequence"].as_u64().unwrap() < theirs + 10);
}

#[test]
fn a_folder_that_got_several_copies_is_the_build_that_its_documents_say() {
    let shop = Shop::new();
    let folder = shop.root.path().join("copies");
    for content in ["1", "2"] {
        shop.build(content);
        stamp(&shop.dist(), &[]);
        for (file, bytes) in snapshot(&shop.dist()) {
            put(&folder, &file, bytes);
        }
    }
    let (build, _) = said(&folder);
    let site = shop.site();
    let published = common::publish(&folder, &site, &[]);
    assert_eq!(published["build"], json!(build));
    assert_eq!(
        published["files"]["copied"], 4,
        "what only the first build has is no part of it"
    );
}

#[test]
fn the_document_says_which_release_it_was_made_for_and_says_the_same_for_ever() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    let number = |published: &Value| published["sequence"].as_u64().unwrap();
    assert_eq!(said(&shop.site()).1, number(&first));
    shop.build("2");
    let second = shop.publish(&[]);
    assert_eq!(said(&shop.site()).1, number(&second));
    // An older build again, by a rollback and by a publish, and one with other words.
    shop.rollback(&[]);
    assert_eq!(said(&shop.site()).1, number(&first));
    shop.publish(&["--urgency", "soon"]);
    assert_eq!(said(&shop.site()).1, number(&second));
    shop.build("1");
    shop.publish(&[]);
    assert_eq!(said(&shop.site()).1, number(&first));
    assert_eq!(shop.verify().0, 0);
}

#[test]
fn a_publish_killed_before_the_pointer_leaves_documents_that_know_they_are_newer() {
    for step in ["documents placed", "history placed"] {
        let shop = Shop::new();
        shop.publish(&[]);
        shop.build("2");
        kill(publish_up_to(step, &shop.dist(), &shop.site(), &[]));
        let (build, number) = said(&shop.site());
        let live = shop.release();
        assert_ne!(live["build"]["id"], json!(build), "the window is open");
        assert!(number > live["sequence"].as_u64().unwrap());
        // The next release is newer for a page with such a document.
        shop.build("3");
        let third = shop.publish(&[]);
        assert!(third["sequence"].as_u64().unwrap() >= number);
        assert_eq!(shop.verify().0, 0);
    }
}

#[test]
fn documents_that_a_killed_publish_has_placed_stay_what_the_manifest_says() {
    let shop = Shop::new();
    shop.publish(&[]);
    shop.build("2");
    kill(publish_up_to(
        "history placed",
        &shop.dist(),
        &shop.site(),
        &[],
    ));
    let placed = text(&shop.site(), "index.html");
    let (build, number) = said(&shop.site());
    // The next try is killed where the manifest is there and the documents are not.
    kill(publish_up_to(
        "manifest placed",
        &shop.dist(),
        &shop.site(),
        &[],
    ));
    assert_eq!(text(&shop.site(), "index.html"), placed);
    let manifest = json(&shop.site(), &format!("changeover/builds/{build}.json"));
    let integrity = Fingerprint::of(placed.as_bytes()).integrity;
    assert_eq!(
        manifest["documents"]["index.html"]["integrity"],
        json!(integrity)
    );
    let published = shop.publish(&[]);
    assert_eq!(said(&shop.site()), (build, number));
    assert!(published["sequence"].as_u64().unwrap() >= number);
    assert_eq!(shop.verify().0, 0);
}

#[test]
fn compressed_copies_of_documents_follow_the_stamp() {
    use std::io::Read;
    let shop = Shop::new();
    let html = text(&shop.dist(), "index.html");
    for ending in ["gz", "br", "zst"] {
        put(&shop.dist(), &format!("index.html.{ending}"), &html);
    }
    let published = shop.publish(&[]);
    assert_eq!(note_codes(&published), ["twins-dropped"]);
    assert_eq!(published["notes"][0]["files"], json!(["index.html.zst"]));
    let document = text(&shop.site(), "index.html");
    let mut plain = String::new();
    let file = fs::read(shop.site().join("index.html.gz")).unwrap();
    flate2::read::GzDecoder::new(file.as_slice())
        .read_to_string(&mut plain)
        .unwrap();
    assert_eq!(plain, document);
    let mut plain = String::new();
    let file = fs::read(shop.site().join("index.html.br")).unwrap();
    brotli::Decompressor::new(file.as_slice(), 4096)
        .read_to_string(&mut plain)
        .unwrap();
    assert_eq!(plain, document);
    assert_eq!(shop.verify().0, 0);
}

fn md5(bytes: &[u8]) -> String {
    use md5::Digest;
    md5::Md5::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn sha1(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The lists of two service workers, about `html`.
fn lists(html: &[u8], other: &[u8]) -> (String, String) {
    let ngsw = format!(
        "{{\n  \"configVersion\": 1,\n  \"hashTable\": {{\n    \"/shop/index.html\": \"{}\",\n    \"/shop/plain.js\": \"{}\"\n  }}\n}}",
        sha1(html),
        sha1(other)
    );
    let worker = format!(
        "precacheAndRoute([{{url:\"plain.js\",revision:\"{}\"}},{{\"revision\":\"{}\",\"url\":\"index.html\"}},{{url:`/`,revision:'{}',integrity:\"{}\"}}],{{}})",
        md5(other),
        md5(html),
        md5(md5(html).as_bytes()),
        Fingerprint::of(html).integrity
    );
    (ngsw, worker)
}

#[test]
fn the_lists_of_service_workers_stay_true() {
    for in_place in [false, true] {
        let shop = Shop::new();
        let html = fs::read(shop.dist().join("index.html")).unwrap();
        let (ngsw, worker) = lists(&html, b"1");
        put(&shop.dist(), "ngsw.json", ngsw);
        put(&shop.dist(), "sw.js", &worker);
        put(&shop.dist(), "sw.js.map", &worker);
        let (done, folder) = if in_place {
            (stamp(&shop.dist(), &[]), shop.dist())
        } else {
            (shop.publish(&[]), shop.site())
        };
        assert_eq!(note_codes(&done), ["hashes-updated"]);
        assert_eq!(done["notes"][0]["files"], json!(["ngsw.json", "sw.js"]));
        let html = fs::read(folder.join("index.html")).unwrap();
        said(&folder);
        let (ngsw, worker) = lists(&html, b"1");
        assert_eq!(
            (text(&folder, "ngsw.json"), text(&folder, "sw.js")),
            (ngsw, worker)
        );
        assert_eq!(verify(&folder)["faults"], json!([]));
        if in_place {
            assert_eq!(stamp(&folder, &[])["live"], "already");
        }
    }
}

#[test]
fn a_document_whose_hash_stands_in_an_unknown_file_is_left_alone_and_named() {
    let shop = Shop::new();
    let html = fs::read(shop.dist().join("index.html")).unwrap();
    let (ngsw, _) = lists(&html, b"1");
    put(&shop.dist(), "ngsw.json", &ngsw);
    put(
        &shop.dist(),
        "other.html",
        "<script data-release=/r></script>",
    );
    put(
        &shop.dist(),
        "sums.txt",
        format!("{}  index.html\n", md5(&html)),
    );
    let published = shop.publish(&[]);
    assert_eq!(note_codes(&published), ["document-left-alone"]);
    let text_of_note = published["notes"][0]["message"].as_str().unwrap();
    assert!(
        text_of_note.starts_with("index.html is left as it is")
            && text_of_note.contains("sums.txt")
    );
    assert_eq!(fs::read(shop.site().join("index.html")).unwrap(), html);
    assert_eq!(text(&shop.site(), "ngsw.json"), ngsw);
    assert!(
        text(&shop.site(), "other.html").contains("data-build"),
        "the others are stamped"
    );
    assert_eq!(shop.verify().0, 0);

    // A list whose own hash is listed in a file that cannot be updated.
    let shop = Shop::new();
    put(&shop.dist(), "ngsw.json", &ngsw);
    put(
        &shop.dist(),
        "meta.json",
        json!({ "ngsw": sha1(ngsw.as_bytes()) }).to_string(),
    );
    let published = shop.publish(&[]);
    assert_eq!(note_codes(&published), ["document-left-alone"]);
    assert_eq!(fs::read(shop.site().join("index.html")).unwrap(), html);
    assert_eq!(text(&shop.site(), "ngsw.json"), ngsw);
}
