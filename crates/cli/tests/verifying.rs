//! What `verify` finds, on disk and behind a URL.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use common::{Served, changeover, changeover_json, index, json, path, publish, put, text};
use serde_json::Value;

/// A site whose build `id` has a script, a style and two documents.
fn site() -> (tempfile::TempDir, String) {
    let root = tempfile::tempdir().unwrap();
    let dist = path(&root, "dist");
    put(&dist, "index.html", index(&["/a b.js"]));
    put(&dist, "sub/page.html", "<p>page");
    put(&dist, "a b.js", "script");
    put(&dist, "style.css", "p{}");
    let published = publish(&dist, &path(&root, "site"), &[]);
    let id = published["build"].as_str().unwrap().to_owned();
    (root, id)
}

/// `(code, last part of the place)` of each fault, sorted.
fn faults(target: &str) -> Vec<(String, String)> {
    let (exit, verdict) = changeover_json(["verify", target]);
    let faults = verdict["faults"].as_array().unwrap();
    assert_eq!(exit, i32::from(!faults.is_empty()), "{verdict}");
    assert_eq!(verdict["ok"], faults.is_empty());
    let part = |fault: &Value| {
        assert!(fault["message"].as_str().unwrap().len() > 20);
        let place = fault["place"].as_str().unwrap();
        (
            fault["code"].as_str().unwrap().to_owned(),
            place.rsplit('/').next().unwrap().to_owned(),
        )
    };
    let mut faults: Vec<_> = faults.iter().map(part).collect();
    faults.sort();
    faults
}

fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(code, place)| ((*code).into(), (*place).into()))
        .collect()
}

#[test]
fn a_whole_site_has_no_faults_by_folder_by_url_and_by_pointer() {
    let (root, id) = site();
    let served = Served::start(&path(&root, "site"));
    assert_eq!(faults(path(&root, "site").to_str().unwrap()), []);
    for url in [
        served.url.clone(),
        served.url.trim_end_matches('/').into(),
        format!("{}changeover/release.json", served.url),
    ] {
        assert_eq!(faults(&url), [], "{url}");
    }
    let out = changeover(["verify", &served.url]);
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(
        said.contains(&format!("(build {id})"))
            && said.trim_end().ends_with("is complete: 4 files match"),
        "{said}"
    );
}

#[test]
fn every_damaged_file_is_listed_in_the_view_it_is_damaged_in() {
    let (root, id) = site();
    let site = path(&root, "site");
    let own = site.join("changeover/files").join(&id);
    for (file, content) in [
        ("a b.js", Some("scripT")),
        ("style.css", Some("p{} ")),
        ("sub/page.html", None),
    ] {
        fs::remove_file(own.join(file)).unwrap();
        if let Some(content) = content {
            put(&own, file, content);
        }
    }
    let found = expected(&[
        ("missing", "page.html"),
        ("wrong-bytes", "a b.js"),
        ("wrong-size", "style.css"),
    ]);
    assert_eq!(faults(site.to_str().unwrap()), found);
    fs::remove_file(site.join("index.html")).unwrap();
    assert_eq!(faults(site.to_str().unwrap()).len(), 4);

    let served = Served::start(&site);
    // A server answers a missing document with the app, so the bytes differ.
    let found = expected(&[
        ("wrong-bytes", "a%20b.js"),
        ("wrong-size", "page.html"),
        ("wrong-size", "style.css"),
    ]);
    assert_eq!(faults(&served.url), found);
}

#[test]
fn a_pointer_or_a_manifest_that_cannot_be_used_is_a_fault_of_its_own() {
    let (root, id) = site();
    let site = path(&root, "site");
    let target = site.to_str().unwrap();
    let manifest = format!("changeover/builds/{id}.json");
    let good = text(&site, &manifest);
    put(&site, &manifest, good.replacen('{', "{ ", 1));
    assert_eq!(
        faults(target),
        expected(&[("manifest-wrong-bytes", &format!("{id}.json"))])
    );
    put(
        &site,
        &manifest,
        good.replace("\"format\": 1", "\"format\": 2"),
    );
    assert!(faults(target).contains(&("manifest-invalid".into(), format!("{id}.json"))));
    fs::remove_file(site.join(&manifest)).unwrap();
    assert_eq!(
        faults(target),
        expected(&[("manifest-missing", &format!("{id}.json"))])
    );
    put(&site, "changeover/release.json", "<html>");
    assert_eq!(
        faults(target),
        expected(&[("release-invalid", "release.json")])
    );
    fs::remove_file(site.join("changeover/release.json")).unwrap();
    assert_eq!(
        faults(target),
        expected(&[("release-missing", "release.json")])
    );
}

#[test]
fn a_host_that_answers_html_for_everything_is_found_out() {
    let (root, _) = site();
    let site = path(&root, "site");
    fs::remove_file(site.join("style.css")).unwrap();
    let host = spa_host(&site);
    assert_eq!(faults(&host), expected(&[("html-instead", "style.css")]));
    fs::remove_file(site.join("changeover/release.json")).unwrap();
    assert_eq!(
        faults(&host),
        expected(&[("release-invalid", "release.json")])
    );
}

#[test]
fn a_server_that_is_not_there_is_a_fault_and_a_target_that_is_none_is_an_error() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    assert_eq!(
        faults(&format!("http://127.0.0.1:{port}/")),
        expected(&[("release-unreachable", "release.json")])
    );
    let out = changeover(["verify", &format!("http://ada:hidden@127.0.0.1:{port}/")]);
    let said = [out.stdout, out.stderr].map(|said| String::from_utf8(said).unwrap());
    assert!(
        said[0].contains(&format!("127.0.0.1:{port}")) && !said.concat().contains("hidden"),
        "{said:?}"
    );
    for (target, code) in [
        ("ftp://x/", "url-invalid"),
        ("http://x/other.json", "url-invalid"),
        ("/no/such/folder", "site-missing"),
    ] {
        let (exit, value) = changeover_json(["verify", target]);
        assert_eq!(
            (exit, value["error"]["code"].as_str()),
            (1, Some(code)),
            "{target}"
        );
    }
}

/// A static host that answers every missing file with `index.html` and status 200.
fn spa_host(site: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let site = site.to_path_buf();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let asked = head.split(' ').nth(1).unwrap_or("/")[1..].replace("%20", " ");
            let (kind, body) = match fs::read(site.join(&asked)) {
                Ok(body) if !asked.is_empty() => ("application/octet-stream", body),
                _ => ("text/html", fs::read(site.join("index.html")).unwrap()),
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(&body));
        }
    });
    url
}

/// What a hostile server does with the requests for files; it serves the site's release and manifest as they are.
#[derive(Clone, Copy)]
enum Files {
    NeverAnswered,
    Dropped,
    Endless,
}

/// A site whose manifest lists 10 000 files of `size` bytes. None of them exists.
fn hostile(files: Files, size: u64) -> String {
    let mut manifest = serde_json::json!({ "format": 1, "app": "shop", "id": "evil", "created": "2026-01-01T00:00:00Z",
        "documents": { "index.html": { "integrity": INTEGRITY, "size": size } }, "chunks": {} });
    for n in 0..10_000 {
        manifest["chunks"][format!("{n}.js")] = serde_json::json!({ "id": format!("{n}"), "code": "c",
            "integrity": INTEGRITY, "size": size, "kind": "script", "owner": "shell" });
    }
    let release = serde_json::json!({ "format": 1, "app": "shop", "sequence": 1, "issued": "2026-01-01T00:00:00Z",
        "build": { "id": "evil", "manifest": "builds/evil.json" } });
    let (manifest, release) = (manifest.to_string(), release.to_string());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        // Requests that get no answer must stay open.
        let mut open = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 2_048];
            let n = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..n]).into_owned();
            let body = if request.contains("release.json") {
                &release
            } else if request.contains("evil.json") {
                &manifest
            } else {
                match files {
                    Files::NeverAnswered => open.push(stream),
                    Files::Dropped => {}
                    Files::Endless => {
                        std::thread::spawn(move || {
                            let piece = vec![b'x'; 1 << 20];
                            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                            while stream.write_all(&piece).is_ok() {}
                        });
                    }
                }
                continue;
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    url
}

const INTEGRITY: &str = "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb";

/// Runs `verify` and returns its result and its peak memory in kilobytes.
fn measured(words: &[&str]) -> (Value, u64) {
    let mut child = std::process::Command::new(common::BINARY)
        .args(["verify", "--json"])
        .args(words)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut most = 0;
    let status = format!("/proc/{}/status", child.id());
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).unwrap();
        text
    });
    while child.try_wait().unwrap().is_none() {
        let peak = fs::read_to_string(&status).unwrap_or_default();
        let peak = peak
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap_or_default();
        let kilobytes: String = peak.chars().filter(char::is_ascii_digit).collect();
        most = most.max(kilobytes.parse().unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    (serde_json::from_str(&reader.join().unwrap()).unwrap(), most)
}

fn last_fault(verdict: &Value) -> (&str, &str) {
    let faults = verdict["faults"].as_array().unwrap();
    let fault = faults
        .iter()
        .find(|fault| ["deadline", "given-up"].contains(&fault["code"].as_str().unwrap()))
        .unwrap_or_else(|| panic!("{verdict}"));
    (
        fault["code"].as_str().unwrap(),
        fault["message"].as_str().unwrap(),
    )
}

#[test]
fn a_check_ends_at_its_deadline_whatever_the_server_does() {
    let url = hostile(Files::NeverAnswered, 5);
    let (verdict, _) = measured(&[&url, "--deadline", "2"]);
    assert_eq!(verdict["ok"], false);
    let (code, sentence) = last_fault(&verdict);
    assert_eq!(code, "deadline");
    assert!(
        sentence.contains("2 seconds")
            && sentence.contains("of 10001 files")
            && sentence.contains("--deadline"),
        "{sentence}"
    );
}

#[test]
fn what_a_manifest_says_of_sizes_costs_no_memory() {
    let url = hostile(Files::Endless, 1 << 29);
    let (verdict, kilobytes) = measured(&[&url, "--deadline", "3"]);
    assert_eq!(last_fault(&verdict).0, "deadline");
    assert!(kilobytes > 0 && kilobytes < 120_000, "{kilobytes} kB");
    // Files of impossible sizes are not requested.
    let url = hostile(Files::Endless, 9_007_199_254_740_991);
    let (verdict, _) = measured(&[&url]);
    assert_eq!(verdict["faults"][0]["code"], "too-large");
    assert_eq!(verdict["faults"].as_array().unwrap().len(), 10_001);
}

#[test]
fn a_server_that_is_gone_is_given_up_on_after_a_few_files() {
    let url = hostile(Files::Dropped, 5);
    let (verdict, _) = measured(&[&url]);
    let (code, sentence) = last_fault(&verdict);
    assert_eq!(code, "given-up");
    assert!(
        sentence.starts_with("12 files in a row could not be fetched"),
        "{sentence}"
    );
    assert!(verdict["faults"].as_array().unwrap().len() < 30);
}

#[test]
fn the_other_build_of_a_rollout_is_checked_too() {
    let (root, first) = site();
    let site = path(&root, "site");
    put(&path(&root, "dist"), "a b.js", "script two");
    publish(&path(&root, "dist"), &site, &[]);
    let mut release = json(&site, "changeover/release.json");
    release["rollout"] = serde_json::json!({ "percent": 10, "salt": "x",
        "otherwise": { "id": first, "manifest": format!("builds/{first}.json") } });
    put(&site, "changeover/release.json", release.to_string());
    assert_eq!(faults(site.to_str().unwrap()), []);
    fs::remove_file(site.join(format!("changeover/files/{first}/a b.js"))).unwrap();
    assert_eq!(
        faults(site.to_str().unwrap()),
        expected(&[("missing", "a b.js")])
    );
}

#[test]
fn a_release_by_hand_lacks_the_manifest_that_verify_needs() {
    let site = common::folder([
        ("index.html", "<p>page"),
        (
            "changeover/release.json",
            r#"{"sequence": 7, "build": {"id": "two"}}"#,
        ),
    ]);
    assert_eq!(
        faults(site.path().to_str().unwrap()),
        expected(&[("manifest-missing", "release.json")])
    );
    let (_, verdict) = changeover_json(["verify", site.path().to_str().unwrap()]);
    assert_eq!(
        verdict["faults"][0]["message"],
        "the release names no manifest of build two; `changeover stamp` writes one"
    );
}
