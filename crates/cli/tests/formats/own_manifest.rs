//! Dists with the manifest that the bundler plugin writes.

use super::*;

#[test]
fn our_own_manifest_is_passed_on_byte_for_byte() {
    let dist = own_dist();
    let bytes = fs::read(dist.path().join("changeover/builds/own-1.json")).unwrap();
    let build = read(dist.path());
    assert_eq!(build.described_by, Description::OwnManifest);
    assert_eq!((build.id(), build.notes.len()), ("own-1", 0));
    assert_eq!(build.manifest_bytes, bytes);
    assert!(
        String::from_utf8(bytes)
            .unwrap()
            .contains("fieldOfTheFuture")
    );
}

#[test]
fn a_dist_touched_after_the_build_is_another_build_with_another_stamp() {
    let dist = own_dist();
    fs::remove_file(dist.path().join("app.js.map")).unwrap();
    put(dist.path(), "app.js", "debug id, app");
    put(dist.path(), "robots.txt", "all");
    put(
        dist.path(),
        "index.html.zst",
        "the document with the stamp of before",
    );
    let mut build = read(dist.path());
    build.seal(None).unwrap();
    assert_ne!(build.id(), "own-1");
    let paths: Vec<_> = build.files.keys().map(String::as_str).collect();
    assert_eq!(paths, ["app.js", "index.html", "robots.txt"]);
    assert_eq!(
        build.manifest.chunks.get("app.js").unwrap().id,
        "src/app.js"
    );
    assert_eq!(build.manifest.chunks.get("app.js").unwrap().size, 13);
    let changeover_cli::build::Source::Memory(html) = &build.files["index.html"].source else {
        panic!("documents are in memory");
    };
    let html = String::from_utf8(html.clone()).unwrap();
    assert!(
        html.contains(&format!("data-build=\"{}\"", build.id())),
        "{html}"
    );
    assert!(
        html.contains(&format!("{{\"build\":\"{}\",", build.id())),
        "the list of slots is of the same build: {html}"
    );
    let published: serde_json::Value = serde_json::from_slice(&build.manifest_bytes).unwrap();
    assert_eq!(published["id"], build.id());
    assert_eq!(
        published["html"],
        Fingerprint::of(b"the document").integrity,
        "the document is the one that the bundler described"
    );
    assert_eq!(published["fieldOfTheFuture"], 1);
    assert_eq!(
        published["chunks"]["app.js"]["assets"],
        serde_json::json!(["x.png"])
    );
    let codes: Vec<_> = build.notes.iter().map(|note| note.code).collect();
    assert_eq!(codes, ["changed-after-build", "twins-dropped"]);
    assert_eq!(
        read(dist.path()).id(),
        build.id(),
        "publishing it again is the same build"
    );
}

#[test]
fn a_dist_that_contradicts_its_own_manifest_is_refused() {
    let dist = own_dist();
    fs::remove_file(dist.path().join("app.js")).unwrap();
    assert_eq!(
        refused(dist.path()),
        (
            "file-missing",
            "the manifest of build own-1 lists app.js, but the dist does not have it; build again"
                .into()
        )
    );
    let dist = own_dist();
    put(
        dist.path(),
        "index.html",
        text(dist.path(), "index.html").replace("own-1", "own-2"),
    );
    assert_eq!(refused(dist.path()).0, "build-id-mixed");
    let dist = own_dist();
    put(dist.path(), "changeover/builds/other.json", "{}");
    // The documents decide between the manifests, if they have a stamp.
    assert_eq!(read(dist.path()).id(), "own-1");
    put(dist.path(), "index.html", "<p>");
    assert_eq!(refused(dist.path()).0, "manifest-several");
    let dist = own_dist();
    put(
        dist.path(),
        "changeover/builds/own-1.json",
        r#"{"format":7}"#,
    );
    let (code, sentence) = refused(dist.path());
    assert_eq!(code, "manifest-invalid");
    assert!(
        sentence.ends_with("has format 7, and only format 1 is known"),
        "{sentence}"
    );
}

fn own_dist() -> tempfile::TempDir {
    let html = "<script data-build=\"own-1\" data-release=/changeover/release.json></script><script type=application/json id=changeover-slots>{\"build\":\"own-1\",\"base\":\"/\",\"slots\":{}}</script><script src=/app.js></script>";
    let dist = folder([
        ("index.html", html),
        ("app.js", "app"),
        ("app.js.map", "map"),
    ]);
    let fact = |text: &str| {
        let print = Fingerprint::of(text.as_bytes());
        format!(
            "\"integrity\":\"{}\",\"size\":{}",
            print.integrity, print.size
        )
    };
    put(
        dist.path(),
        "changeover/builds/own-1.json",
        format!(
            r#"{{"format":1,"app":"shop","id":"own-1","created":"2026-01-01T00:00:00Z","fieldOfTheFuture":1,
            "entries":["app.js"],"html":"{}","documents":{{"index.html":{{{}}}}},
            "chunks":{{"app.js":{{"assets":["x.png"],"id":"src/app.js","code":"c",{},"kind":"script","owner":"shell"}},
            "app.js.map":{{"id":"src/app.js.map","code":"c",{},"kind":"asset","owner":"shell"}}}}}}"#,
            Fingerprint::of(b"the document").integrity,
            fact(html),
            fact("app"),
            fact("map")
        ),
    );
    dist
}
