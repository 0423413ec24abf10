//! Every kind of dist becomes a build with a manifest that the engine reads.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use changeover::engine::manifest::{ChunkKind, Manifest, Owner};
use changeover_cli::build::{Build, Description, Hints};
use changeover_cli::hash::Fingerprint;
use common::{folder, index, path, put, text};

fn read(dist: &Path) -> Build {
    Build::read(dist, &Hints::default()).unwrap()
}

fn refused(dist: &Path) -> (&'static str, String) {
    let error = Build::read(dist, &Hints::default()).unwrap_err();
    (error.code(), error.to_string())
}

#[test]
fn a_bare_dist_is_all_shell_with_ids_that_are_paths() {
    let dist = folder([
        (
            "index.html",
            &*index(&["/a b.js", "https://cdn.example/x.js"]),
        ),
        ("a b.js", "1"),
        ("changeover.js", "2"),
        ("sub/page.html", "<p>"),
        ("style.css", "p{}"),
        ("x.wasm", "3"),
        ("logo.svg", "<svg/>"),
        (".env", "SECRET"),
        ("changeover/notes.txt", "not the app's"),
    ]);
    let build = read(dist.path());
    assert_eq!(build.described_by, Description::Plain);
    let manifest = Manifest::parse(std::str::from_utf8(&build.manifest_bytes).unwrap()).unwrap();
    assert_eq!(manifest, build.manifest);
    assert_eq!(manifest.entries, ["a b.js"]);
    let chunks: Vec<_> = manifest
        .chunks
        .iter()
        .map(|(path, chunk)| (path.as_str(), chunk.kind, chunk.owner))
        .collect();
    assert_eq!(
        chunks,
        [
            ("a b.js", ChunkKind::Script, Owner::Shell),
            ("changeover.js", ChunkKind::Script, Owner::Shell),
            ("logo.svg", ChunkKind::Asset, Owner::Shell),
            ("style.css", ChunkKind::Style, Owner::Shell),
            ("x.wasm", ChunkKind::Wasm, Owner::Shell),
        ]
    );
    let chunk = &manifest.chunks["a b.js"];
    assert_eq!(
        (chunk.id.as_str(), &chunk.code, &chunk.integrity, chunk.size),
        (
            "a b.js",
            &Fingerprint::of(b"1").integrity,
            &Fingerprint::of(b"1").integrity,
            1
        )
    );
    let documents: Vec<_> = manifest.documents.keys().collect();
    assert_eq!(documents, ["index.html", "sub/page.html"]);
    assert_eq!(
        manifest.html,
        Some(Fingerprint::of(&fs::read(dist.path().join("index.html")).unwrap()).integrity)
    );
    let codes: Vec<_> = build.notes.iter().map(|note| note.code).collect();
    assert_eq!(codes, ["hidden-skipped"]);
}

#[test]
fn the_same_content_has_the_same_id_and_any_edit_has_another() {
    let files = [("index.html", index(&["/a.js"])), ("a.js", "1".into())];
    let one = folder(files.iter().map(|(path, text)| (*path, text.as_str())));
    let two = folder(files.iter().map(|(path, text)| (*path, text.as_str())));
    assert_eq!(read(one.path()).id(), read(two.path()).id());
    put(two.path(), "a.js", "2");
    assert_ne!(read(one.path()).id(), read(two.path()).id());
    put(two.path(), "a.js", "1");
    assert_eq!(read(one.path()).id(), read(two.path()).id());
    put(two.path(), "index.html", index(&["/a.js"]) + " ");
    assert_ne!(read(one.path()).id(), read(two.path()).id());
}

#[test]
fn the_dist_itself_is_never_written_to() {
    let html = index(&["/a.js"]);
    let dist = folder([("index.html", html.as_str()), ("a.js", "1")]);
    let site = tempfile::tempdir().unwrap();
    common::publish(dist.path(), &path(&site, "s"), &[]);
    assert_eq!(text(dist.path(), "index.html"), html);
    assert_eq!(common::files_below(dist.path()), ["a.js", "index.html"]);
}

#[test]
fn a_stamp_written_by_hand_is_the_id_of_the_build() {
    let html = index(&[]).replace("data-release", "data-build=2024.1 data-release");
    let dist = folder([("index.html", html.as_str())]);
    let build = read(dist.path());
    assert_eq!(build.id(), "2024.1");
    put(dist.path(), "other.html", html.replace("2024.1", "2024.2"));
    assert_eq!(
        refused(dist.path()),
        (
            "build-id-mixed",
            "index.html says it is build 2024.1, but other.html says it is build 2024.2; a dist is one build".into()
        )
    );
    fs::remove_file(dist.path().join("other.html")).unwrap();
    put(dist.path(), "index.html", html.replace("2024.1", "a/b"));
    assert_eq!(refused(dist.path()).0, "build-id-invalid");
}

#[test]
fn a_document_in_utf_16_is_published_as_it_is_and_named() {
    let html = index(&["/a.js"]);
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(html.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let dist = folder([("index.html", html.as_str()), ("a.js", "1")]);
    put(dist.path(), "wide.html", &wide);
    let build = read(dist.path());
    let note = &build.notes[0];
    assert_eq!(
        (note.code, note.files.as_slice()),
        ("document-unread", &["wide.html".to_owned()][..])
    );
    assert!(
        note.text.starts_with("wide.html is published as it is"),
        "{}",
        note.text
    );
    let site = tempfile::tempdir().unwrap();
    common::publish(dist.path(), &path(&site, "s"), &[]);
    assert_eq!(fs::read(site.path().join("s/wide.html")).unwrap(), wide);
}

#[test]
fn the_base_is_what_the_index_implies_unless_it_is_given() {
    let dist = folder([
        ("index.html", "<script src=/shop/a.js></script>"),
        ("a.js", "1"),
    ]);
    let build = read(dist.path());
    assert_eq!(
        (
            build.manifest.base.as_str(),
            build.manifest.entries.as_slice()
        ),
        ("/shop/", &["a.js".to_owned()][..])
    );
    let hints = Hints {
        base: Some("/x".into()),
        ..Hints::default()
    };
    assert_eq!(
        Build::read(dist.path(), &hints).unwrap().manifest.base,
        "/x/"
    );
    assert!(build.notes.iter().any(|note| note.code == "no-tag"));
}

#[test]
fn a_vite_manifest_gives_the_graph() {
    let dist = vite_dist("aaaaaaaa", "Cart");
    let build = read(dist.path());
    assert_eq!(build.described_by, Description::Vite);
    let manifest = &build.manifest;
    assert_eq!(manifest.entries, ["assets/index-aaaaaaaa.js"]);
    let entry = &manifest.chunks["assets/index-aaaaaaaa.js"];
    assert_eq!(entry.id, "index.html");
    assert_eq!(entry.imports, ["assets/shared-aaaaaaaa.js"]);
    assert_eq!(entry.dynamic_imports, ["assets/Cart-aaaaaaaa.js"]);
    assert_eq!(entry.css, ["assets/index-aaaaaaaa.css"]);
    let owners: Vec<_> = manifest
        .chunks
        .iter()
        .map(|(path, chunk)| {
            (
                path.replace("-aaaaaaaa", ""),
                chunk.id.as_str(),
                chunk.owner,
            )
        })
        .collect();
    assert_eq!(
        owners,
        [
            ("assets/Cart.js".to_owned(), "src/Cart.jsx", Owner::Shared),
            (
                "assets/Cart.js.map".to_owned(),
                "src/Cart.jsx.map",
                Owner::Shared
            ),
            (
                "assets/index.css".to_owned(),
                "index.html?css=0",
                Owner::Shell
            ),
            ("assets/index.js".to_owned(), "index.html", Owner::Shell),
            ("assets/shared.js".to_owned(), "_shared", Owner::Shell),
            ("robots.txt".to_owned(), "robots.txt", Owner::Shell),
        ]
    );
}

#[test]
fn with_a_vite_manifest_renamed_files_have_the_same_code_and_edited_ones_do_not() {
    let (one, renamed, edited) = (
        vite_dist("aaaaaaaa", "Cart"),
        vite_dist("bbbbbbbb", "Cart"),
        vite_dist("cccccccc", "Basket"),
    );
    let codes = |dist: &tempfile::TempDir| -> (String, String, Option<String>) {
        let manifest = read(dist.path()).manifest;
        let code = |id: &str| {
            manifest
                .chunks
                .values()
                .find(|chunk| chunk.id == id)
                .unwrap()
                .code
                .clone()
        };
        (
            code("index.html"),
            code("src/Cart.jsx"),
            manifest.html.clone(),
        )
    };
    let (entry, cart, html) = codes(&one);
    assert_eq!(codes(&renamed), (entry.clone(), cart.clone(), html.clone()));
    let other = codes(&edited);
    assert_eq!((&other.0, &other.2), (&entry, &html));
    assert_ne!(other.1, cart);
}

#[test]
fn a_vite_manifest_that_lists_a_missing_file_or_is_none_is_an_error() {
    let dist = vite_dist("aaaaaaaa", "Cart");
    fs::remove_file(dist.path().join("assets/shared-aaaaaaaa.js")).unwrap();
    assert_eq!(
        refused(dist.path()),
        (
            "file-missing",
            ".vite/manifest.json lists assets/shared-aaaaaaaa.js for _shared-aaaaaaaa.js, but the dist does not have it; build again"
                .into()
        )
    );
    put(dist.path(), ".vite/manifest.json", "[]");
    assert_eq!(refused(dist.path()).0, "vite-manifest-invalid");
}

/// What Vite writes for an entry, a shared chunk, a route, a style and a public file.
fn vite_dist(hash: &str, cart: &str) -> tempfile::TempDir {
    let records = format!(
        r#"{{
        "_shared-{hash}.js": {{ "file": "assets/shared-{hash}.js", "name": "shared" }},
        "index.html": {{ "file": "assets/index-{hash}.js", "name": "index", "src": "index.html", "isEntry": true,
            "imports": ["_shared-{hash}.js"], "dynamicImports": ["src/Cart.jsx"], "css": ["assets/index-{hash}.css"] }},
        "src/Cart.jsx": {{ "file": "assets/Cart-{hash}.js", "name": "Cart", "src": "src/Cart.jsx", "isDynamicEntry": true,
            "imports": ["_shared-{hash}.js", "index.html"] }} }}"#
    );
    let dist = folder([
        ("robots.txt", "all"),
        (".vite/manifest.json", records.as_str()),
    ]);
    put(
        dist.path(),
        "index.html",
        index(&[&format!("/assets/index-{hash}.js")]),
    );
    for (name, code) in [
        ("shared", "shared".to_owned()),
        (
            "index",
            format!("import './shared-{hash}.js'; import('./Cart-{hash}.js')"),
        ),
        (
            "Cart",
            format!(
                "import './index-{hash}.js'; '{cart}'\n//# sourceMappingURL=Cart-{hash}.js.map"
            ),
        ),
    ] {
        put(dist.path(), &format!("assets/{name}-{hash}.js"), code);
    }
    put(dist.path(), &format!("assets/Cart-{hash}.js.map"), cart);
    put(dist.path(), &format!("assets/index-{hash}.css"), "p{}");
    dist
}

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
    assert_eq!(build.manifest.chunks["app.js"].id, "src/app.js");
    assert_eq!(build.manifest.chunks["app.js"].size, 13);
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
    // The documents say which of them it is, as long as they say anything.
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

#[test]
fn what_is_no_dist_is_refused_with_a_sentence() {
    let empty = tempfile::tempdir().unwrap();
    let missing = path(&empty, "gone");
    assert_eq!(
        refused(&missing),
        (
            "dist-missing",
            format!(
                "there is no folder {}; build the app first",
                missing.display()
            )
        )
    );
    assert_eq!(refused(empty.path()).0, "no-index");
    put(empty.path(), "file", "");
    assert_eq!(refused(&path(&empty, "file")).0, "dist-not-a-folder");
}

#[test]
fn the_commit_is_recorded_when_git_knows_one_and_its_absence_is_no_error() {
    let around = tempfile::tempdir().unwrap();
    let dist = path(&around, "app/dist");
    put(&dist, "index.html", index(&[]));
    put(
        around.path(),
        "app/package.json",
        r#"{"name":"@acme/shop","version":"1.2.3"}"#,
    );
    let before = read(&dist).manifest;
    assert_eq!(
        (
            before.commit,
            before.app.as_str(),
            before.version.as_deref()
        ),
        (None, "acme-shop", Some("1.2.3"))
    );

    let git = |words: &[&str]| {
        let done = Command::new("git")
            .current_dir(around.path())
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
            .args(words)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    git(&["init", "-q"]);
    assert_eq!(
        read(&dist).manifest.commit,
        None,
        "a repository without a commit"
    );
    git(&[
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "Say hello\n\nat length",
    ]);
    let commit = read(&dist).manifest.commit.unwrap();
    assert_eq!(commit.sha.len(), 40);
    assert_eq!(
        (commit.author.as_deref(), commit.message.as_deref()),
        (Some("Ada"), Some("Say hello"))
    );

    let foreign = path(&around, "node_modules/pkg/dist");
    put(&foreign, "index.html", index(&[]));
    assert_eq!(read(&foreign).manifest.commit, None);
}
