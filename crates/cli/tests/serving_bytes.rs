//! The bytes and the caching of what `serve` answers: codings, conditions, proofs, and what is never shown.

mod common;

use std::fs;
use std::io::Read;

use changeover_cli::hash::Fingerprint;
use common::{Response, Served, changeover_json, folder, index, json, path, publish, put};
use serde_json::json;

const LONG: &str = "public, max-age=31536000, immutable";

fn text_of(length: usize) -> String {
    (0..length / 20)
        .map(|n| format!("const value{n} = {n};\n"))
        .collect()
}

fn decoded(coding: &str, answer: &Response) -> Vec<u8> {
    assert_eq!(answer.header("content-encoding"), coding);
    let mut plain = Vec::new();
    let bytes = answer.body.as_slice();
    match coding {
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain),
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain),
        "zstd" => zstd::Decoder::new(bytes).unwrap().read_to_end(&mut plain),
        other => panic!("{other}"),
    }
    .unwrap();
    plain
}

fn asked(served: &Served, path: &str, coding: &str) -> Response {
    served.request("GET", path, &[("accept-encoding", coding)])
}

/// A site with a large script, a picture, and WebAssembly.
fn site() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let dist = path(&root, "dist");
    put(&dist, "index.html", index(&["/app.js"]) + &text_of(2000));
    put(&dist, "app.js", text_of(40_000));
    put(&dist, "app.wasm", text_of(10_000));
    put(&dist, "photo.png", text_of(10_000));
    put(&dist, "small.js", "1");
    publish(&dist, &path(&root, "site"), &[]);
    root
}

#[test]
fn everything_worth_it_is_compressed_and_says_so_to_caches() {
    let root = site();
    let served = Served::start(&path(&root, "site"));
    let release = json(&path(&root, "site"), "changeover/release.json");
    let manifest = format!(
        "changeover/{}",
        release["build"]["manifest"].as_str().unwrap()
    );
    for path in [
        "",
        "app.js",
        "app.wasm",
        "some/route",
        "changeover/release.json",
        &manifest,
    ] {
        let plain = served.get(path);
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        assert_eq!(plain.header("vary"), "accept-encoding", "{path}");
        let mut tags = vec![plain.header("etag").to_owned()];
        for coding in ["br", "gzip", "zstd"] {
            let coded = asked(&served, path, coding);
            assert_eq!(decoded(coding, &coded), plain.body, "{path} {coding}");
            assert!(coded.body.len() < plain.body.len(), "{path} {coding}");
            assert_eq!(coded.header("vary"), "accept-encoding", "{path} {coding}");
            for header in ["content-type", "cache-control", "changeover-events"] {
                assert_eq!(coded.header(header), plain.header(header), "{path}");
            }
            // Ranges of two codings must never be joined, so each coding has its own tag.
            let tag = coded.header("etag").to_owned();
            assert!(!tags.contains(&tag), "{path} {coding} {tag}");
            let known = [("accept-encoding", coding), ("if-none-match", &tag)];
            let same = served.request("GET", path, &known);
            assert_eq!((same.status, same.body.len()), (304, 0), "{path} {coding}");
            assert_eq!(
                (same.header("vary"), same.header("etag")),
                ("accept-encoding", tag.as_str())
            );
            let head = served.request("HEAD", path, &[("accept-encoding", coding)]);
            assert_eq!(
                (
                    head.header("content-length"),
                    head.header("content-encoding")
                ),
                (coded.body.len().to_string().as_str(), coding)
            );
            tags.push(tag);
        }
    }
    for path in ["photo.png", "small.js"] {
        let answer = asked(&served, path, "br, gzip");
        assert_eq!(
            (answer.header("content-encoding"), answer.header("vary")),
            ("", ""),
            "{path}"
        );
    }
    assert!(asked(&served, "app.js", "br").body.len() < 40_000 / 5);
}

#[test]
fn the_client_chooses_the_coding() {
    let root = site();
    let served = Served::start(&path(&root, "site"));
    for (offer, coding) in [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.1, gzip;q=0.9", "gzip"),
        ("*;q=0", ""),
        ("identity", ""),
        ("gzip;q=0", ""),
        ("*", "br"),
    ] {
        let answer = asked(&served, "app.js", offer);
        assert_eq!(
            (answer.status, answer.header("content-encoding")),
            (200, coding),
            "{offer}"
        );
    }
}

#[test]
fn files_compressed_ahead_of_time_are_used_when_they_are_the_same_file() {
    let root = tempfile::tempdir().unwrap();
    let dist = path(&root, "dist");
    let script = text_of(20_000);
    put(&dist, "index.html", index(&["/app.js", "/old.js"]));
    put(&dist, "app.js", &script);
    put(&dist, "old.js", &script);
    put(&dist, "data.bin", &script);
    let best = |bytes: &str| {
        let params = brotli::enc::BrotliEncoderParams::default();
        let mut out = Vec::new();
        brotli::BrotliCompress(&mut bytes.as_bytes(), &mut out, &params).unwrap();
        out
    };
    let ahead = best(&script);
    put(&dist, "app.js.br", &ahead);
    put(
        &dist,
        "app.js.zst",
        zstd::encode_all(script.as_bytes(), 19).unwrap(),
    );
    put(&dist, "data.bin.br", &ahead);
    put(&dist, "old.js.br", best("of another build"));
    put(&dist, "old.js.gz", "not gzip at all");
    publish(&dist, &path(&root, "site"), &[]);
    let served = Served::start(&path(&root, "site"));
    for file in ["app.js", "data.bin"] {
        let answer = asked(&served, file, "gzip, br");
        assert_eq!(answer.body, ahead, "{file}");
        assert_eq!(
            (answer.header("content-encoding"), answer.header("vary")),
            ("br", "accept-encoding"),
            "{file}"
        );
        assert_eq!(served.get(file).text(), script);
    }
    assert_eq!(
        decoded("zstd", &asked(&served, "app.js", "zstd")),
        script.as_bytes()
    );
    for coding in ["br", "gzip"] {
        let answer = asked(&served, "old.js", coding);
        assert_eq!(decoded(coding, &answer), script.as_bytes());
    }
    // By its own name it is a file like any other.
    let copy = asked(&served, "app.js.br", "br");
    assert_eq!((copy.header("content-encoding"), &copy.body), ("", &ahead));
}

#[test]
fn parts_are_parts_of_the_coding_that_was_chosen() {
    let root = site();
    let served = Served::start(&path(&root, "site"));
    let whole = asked(&served, "app.js", "br");
    let tag = whole.header("etag").to_owned();
    let part = |headers: &[(&str, &str)]| {
        let headers = [
            &[("accept-encoding", "br"), ("range", "bytes=10-19")],
            headers,
        ]
        .concat();
        served.request("GET", "app.js", &headers)
    };
    for same in [part(&[]), part(&[("if-range", &tag)])] {
        assert_eq!(
            (same.status, same.body.as_slice()),
            (206, &whole.body[10..20])
        );
        assert_eq!(
            same.header("content-range"),
            format!("bytes 10-19/{}", whole.body.len())
        );
        assert_eq!(
            (same.header("content-encoding"), same.header("vary")),
            ("br", "accept-encoding")
        );
    }
    let plain = served.get("app.js").header("etag").to_owned();
    for other in [
        plain.as_str(),
        "\"x\"",
        "Sat, 29 Oct 1994 19:43:31 GMT",
        "?",
    ] {
        let answer = part(&[("if-range", other)]);
        assert_eq!((answer.status, &answer.body), (200, &whole.body), "{other}");
    }
    let plain_part = served.request("GET", "app.js", &[("range", "bytes=0-3")]);
    assert_eq!((plain_part.status, plain_part.text()), (206, "cons"));
}

#[test]
fn a_condition_on_the_tag_is_obeyed() {
    let root = site();
    let served = Served::start(&path(&root, "site"));
    let tag = served.get("app.js").header("etag").to_owned();
    for (condition, status) in [
        (tag.as_str(), 200),
        ("*", 200),
        (&format!("\"a,b\", {tag}"), 200),
        ("\"other\"", 412),
        (&format!("W/{tag}"), 412),
    ] {
        let answer = served.request("GET", "app.js", &[("if-match", condition)]);
        assert_eq!(answer.status, status, "{condition}");
        if status == 412 {
            assert_eq!(answer.header("vary"), "accept-encoding");
            assert!(answer.body.len() < 100);
        }
    }
    let comma = served.request("GET", "app.js", &[("if-none-match", "\"a,b\"")]);
    assert_eq!(comma.status, 200);
}

#[test]
fn files_larger_than_memory_are_streamed_and_encoded_on_the_way() {
    let root = tempfile::tempdir().unwrap();
    let site = path(&root, "site");
    let large = text_of(12_000_000);
    put(&site, "large.txt", &large);
    put(&site, "large.bin", &large);
    let served = Served::start(&site);
    let plain = served.get("large.txt");
    assert_eq!(plain.text(), large);
    for coding in ["br", "gzip", "zstd"] {
        let head = served.request("HEAD", "large.txt", &[("accept-encoding", coding)]);
        assert_eq!(head.header("content-encoding"), coding);
        assert!(
            head.header("etag").starts_with("W/"),
            "{}",
            head.header("etag")
        );
        assert_eq!(
            (head.header("accept-ranges"), head.header("vary")),
            ("", "accept-encoding")
        );
        // Chunks have no length; HTTP/1.0 has none of them either way.
        let coded = common::until_the_end(&served, "large.txt", coding);
        assert_eq!(decoded(coding, &coded).len(), large.len(), "{coding}");
    }
    let binary = served.request(
        "GET",
        "large.bin",
        &[
            ("accept-encoding", "br"),
            ("range", "bytes=9000000-9000009"),
        ],
    );
    assert_eq!(
        (binary.status, binary.body.as_slice()),
        (206, &large.as_bytes()[9_000_000..9_000_010])
    );
    assert!(binary.header("etag").starts_with('"'));
}

#[test]
fn only_a_proof_makes_a_file_immutable() {
    let root = tempfile::tempdir().unwrap();
    let dist = path(&root, "dist");
    // A manifest of a bundler, with names made from content and names by an author.
    let named = [
        ("assets/main-B4qR8tz2.js", "src/main.js", true),
        ("assets/logo-Dx7yZ12a.png", "src/logo.png", true),
        ("assets/team-facade01.webp", "src/team-facade01.webp", false),
        ("assets/one-3f2a1b9c.js", "src/one.js", false),
        ("assets/two-3f2a1b9c.js", "src/two.js", false),
        ("cafe2024.png", "cafe2024.png", false),
        ("best-of-decade2020.jpg", "best-of-decade2020.jpg", false),
        ("copied-B4qR8tz3.js", "copied-B4qR8tz3.js", false),
        // The SHA-256 of what is in it.
        ("proved-2c26b46b.txt", "proved-2c26b46b.txt", true),
    ];
    put(&dist, "index.html", index(&["/assets/main-B4qR8tz2.js"]));
    let mut chunks = serde_json::Map::new();
    for (path, id, _) in named {
        put(&dist, path, "foo");
        let hash = Fingerprint::of(b"foo").integrity;
        chunks.insert(path.into(), json!({ "id": id, "code": hash, "integrity": hash, "size": 3, "kind": "asset", "owner": "shell" }));
    }
    let page = fs::read(dist.join("index.html")).unwrap();
    let document = json!({ "integrity": Fingerprint::of(&page).integrity, "size": page.len() });
    let manifest = json!({ "format": 1, "app": "shop", "id": "abc", "created": "2026-01-01T00:00:00Z", "chunks": chunks, "documents": { "index.html": document } });
    put(&dist, "changeover/builds/abc.json", manifest.to_string());
    let site = path(&root, "site");
    publish(&dist, &site, &[]);
    put(&site, "by-hand-B4qR8tz2.js", "mine");
    let served = Served::start(&site);
    for (path, _, immutable) in named {
        let wanted = if immutable { LONG } else { "no-cache" };
        assert_eq!(served.get(path).header("cache-control"), wanted, "{path}");
    }
    let by_hand = served.get("by-hand-B4qR8tz2.js");
    assert_eq!(by_hand.header("cache-control"), "no-cache");
    assert_eq!(
        by_hand.header("etag"),
        served.get("by-hand-B4qR8tz2.js").header("etag")
    );
}

#[test]
fn bytes_that_the_manifest_does_not_promise_are_never_kept_for_ever() {
    let root = tempfile::tempdir().unwrap();
    let (dist, site) = (path(&root, "dist"), path(&root, "site"));
    put(&dist, "index.html", index(&["/main-2c26b46b.js"]));
    put(&dist, "main-2c26b46b.js", "foo");
    publish(&dist, &site, &[]);
    fs::remove_dir_all(site.join("changeover/files")).unwrap();
    let served = Served::start(&site);
    let right = served.get("main-2c26b46b.js");
    assert_eq!((right.text(), right.header("cache-control")), ("foo", LONG));
    // Half a copy, or another build under the same name.
    for wrong in ["fo", "bar"] {
        put(&site, "main-2c26b46b.js", wrong);
        let answer = served.get("main-2c26b46b.js");
        assert_eq!(
            (answer.text(), answer.header("cache-control")),
            (wrong, "no-cache")
        );
        assert_ne!(answer.header("etag"), right.header("etag"));
    }
    put(&site, "main-2c26b46b.js", "foo");
    let again = served.get("main-2c26b46b.js");
    assert_eq!(
        (again.text(), again.header("etag")),
        ("foo", right.header("etag"))
    );
    // Nor a manifest that is not the one that the release names.
    let release = json(&site, "changeover/release.json");
    let manifest = format!(
        "changeover/{}",
        release["build"]["manifest"].as_str().unwrap()
    );
    assert_eq!(served.get(&manifest).header("cache-control"), LONG);
    put(&site, &manifest, "{");
    assert_eq!(served.get(&manifest).header("cache-control"), "no-cache");
}

#[cfg(unix)]
#[test]
fn links_never_lead_to_what_is_hidden_or_outside() {
    use std::os::unix::fs::symlink;
    let root = folder([
        ("secret.txt", "secret"),
        ("dist/index.html", "<p>"),
        ("dist/listed.js", "secret"),
        ("dist/folder/x.txt", "secret"),
    ]);
    let site = path(&root, "site");
    publish(&path(&root, "dist"), &site, &[]);
    // By hand, so that the files of the build may be links as well.
    fs::remove_dir_all(site.join("changeover/files")).unwrap();
    put(&site, ".env", "secret");
    put(&site, ".git/config", "secret");
    put(&site, "open/.secret/key.txt", "secret");
    put(&site, "open/shown.txt", "shown");
    put(&site, "changeover/releases/private.txt", "secret");
    for (link, target) in [
        ("env.txt", ".env"),
        ("git", ".git"),
        ("key.txt", "open/.secret/key.txt"),
        ("open/key", ".secret"),
        ("outside.txt", "../secret.txt"),
        ("outside", ".."),
        ("twice.txt", "env.txt"),
        ("history", "changeover/releases"),
        ("round", "round"),
    ] {
        symlink(target, site.join(link)).unwrap();
    }
    symlink("open/shown.txt", site.join("inside.txt")).unwrap();
    for (listed, target) in [("listed.js", ".env"), ("folder/x.txt", "../../secret.txt")] {
        fs::remove_file(site.join(listed)).unwrap();
        symlink(target, site.join(listed)).unwrap();
    }
    let served = Served::start(&site);
    for path in [
        "env.txt",
        "git/config",
        "key.txt",
        "open/key/key.txt",
        "outside.txt",
        "outside/secret.txt",
        "twice.txt",
        "history/private.txt",
        "listed.js",
        "folder/x.txt",
        "round",
    ] {
        let answer = served.get(path);
        assert!(!answer.text().contains("secret"), "{path}");
        // What has no ending may be a route of the app.
        assert!(
            answer.status == 404 || answer.text().starts_with("<p>"),
            "{path} {}",
            answer.status
        );
    }
    assert_eq!(served.get("inside.txt").text(), "shown");
}

#[test]
fn what_serve_answers_is_what_verify_expects() {
    let root = site();
    let served = Served::start(&path(&root, "site"));
    asked(&served, "app.js", "br");
    let (exit, verdict) = changeover_json(["verify", &served.url]);
    assert_eq!(exit, 0, "{verdict}");
}
