//! Every kind of dist becomes a build with a manifest that the engine reads.

#[path = "../common/mod.rs"]
mod common;
mod own_manifest;
mod vite;

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
    let chunk = manifest.chunks.get("a b.js").unwrap();
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
