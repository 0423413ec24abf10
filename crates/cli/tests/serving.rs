//! What `serve` answers.

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::site::{ENTRY, site};
use common::{BINARY, Events, Served, changeover_json, folder, index, json, path, publish, put};

#[test]
fn files_have_their_type_and_the_caching_that_their_name_allows() {
    let root = site();
    let served = Served::start(&path(&root, "site"));
    let long = "public, max-age=31536000, immutable";
    for (path, kind, caching) in [
        ("", "text/html; charset=utf-8", "no-cache"),
        ("index.html", "text/html; charset=utf-8", "no-cache"),
        (ENTRY, "text/javascript; charset=utf-8", long),
        ("plain.js", "text/javascript; charset=utf-8", "no-cache"),
        ("x.wasm", "application/wasm", "no-cache"),
        ("a%20b/%C3%BC.txt", "text/plain; charset=utf-8", "no-cache"),
        ("changeover/release.json", "application/json", "no-cache"),
    ] {
        let answer = served.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(
            (
                answer.header("content-type"),
                answer.header("cache-control")
            ),
            (kind, caching),
            "{path}"
        );
        assert!(answer.header("etag").starts_with('"'), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(served.get("a%20b/%C3%BC.txt").text(), "odd");
    assert_eq!(
        served
            .get("changeover/release.json")
            .header("changeover-events"),
        "events"
    );
    assert_eq!(served.get("").header("changeover-events"), "");
    let release = json(&path(&root, "site"), "changeover/release.json");
    let manifest = served.get(&format!(
        "changeover/{}",
        release["build"]["manifest"].as_str().unwrap()
    ));
    assert_eq!(
        (manifest.status, manifest.header("cache-control")),
        (200, long)
    );
}

#[test]
fn what_the_browser_has_is_answered_with_304() {
    let root = site();
    let served = Served::start(&path(&root, "site"));
    for path in ["", ENTRY, "plain.js", "changeover/release.json"] {
        let etag = served.get(path).header("etag").to_owned();
        for tags in [
            etag.clone(),
            format!("\"other\", {etag}"),
            format!("W/{etag}"),
            "*".into(),
        ] {
            let answer = served.request("GET", path, &[("if-none-match", &tags)]);
            assert_eq!(
                (answer.status, answer.body.len(), answer.header("etag")),
                (304, 0, etag.as_str()),
                "{path} {tags}"
            );
            assert!(!answer.header("cache-control").is_empty());
        }
        let answer = served.request("GET", path, &[("if-none-match", "\"other\"")]);
        assert_eq!(answer.status, 200, "{path}");
    }
    // 304 still says where the stream is.
    let etag = served
        .get("changeover/release.json")
        .header("etag")
        .to_owned();
    let answer = served.request(
        "GET",
        "changeover/release.json",
        &[("if-none-match", &etag)],
    );
    assert_eq!(
        (answer.status, answer.header("changeover-events")),
        (304, "events")
    );
}

#[test]
fn head_and_ranges_are_answered_and_other_methods_are_not() {
    let root = site();
    let served = Served::start(&path(&root, "site"));
    let head = served.request("HEAD", ENTRY, &[]);
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (200, "3", 0)
    );
    let part = served.request("GET", ENTRY, &[("range", "bytes=1-")]);
    assert_eq!(
        (part.status, part.text(), part.header("content-range")),
        (206, "ne", "bytes 1-2/3")
    );
    let beyond = served.request("GET", ENTRY, &[("range", "bytes=9-")]);
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, "bytes */3")
    );
    // Larger files are streamed.
    let large: Vec<u8> = (0..1_000_000u32).map(|n| (n % 251) as u8).collect();
    put(&path(&root, "site"), "large.bin", &large);
    assert_eq!(served.get("large.bin").body, large);
    let part = served.request("GET", "large.bin", &[("range", "bytes=300000-699999")]);
    assert_eq!(
        (part.status, part.header("content-length")),
        (206, "400000")
    );
    assert_eq!(part.body, large[300_000..700_000]);
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = served.request(method, "", &[]);
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, "GET, HEAD"),
            "{method}"
        );
    }
}

#[test]
fn routes_get_the_app_and_missing_files_never_do() {
    let root = site();
    let served = Served::start(&path(&root, "site"));
    let app = served.get("").body;
    for route in ["cart", "cart/1?x=y", "users/jane.doe", "changeoverish"] {
        let answer = served.get(route);
        assert_eq!((answer.status, &answer.body), (200, &app), "{route}");
    }
    for missing in [
        "assets/gone.js",
        "gone.css",
        "x/y.wasm",
        "gone.png",
        "gone.js.map",
        "changeover/gone",
        "changeover/builds/gone.json",
    ] {
        let answer = served.get(missing);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, "text/plain; charset=utf-8"),
            "{missing}"
        );
        assert!(!answer.text().contains('<'), "{missing}");
    }
    let script = served.request("GET", "lazy/route", &[("sec-fetch-dest", "script")]);
    assert_eq!(script.status, 404);
    let api = served.request("GET", "api/cart", &[("accept", "application/json")]);
    assert_eq!(api.status, 404);
}

#[test]
fn documents_are_found_by_folder_and_without_their_ending() {
    let root = site();
    let served = Served::start(&path(&root, "site"));
    assert_eq!(served.get("docs/").text(), "<p>docs");
    assert_eq!(served.get("about").text(), "<p>about");
    assert_eq!(served.get("about.html").text(), "<p>about");
    let bare = served.get("docs");
    assert_eq!((bare.status, bare.header("location")), (307, "/docs/"));
}

#[test]
fn nothing_outside_the_site_and_nothing_private_is_served() {
    let root = site();
    put(root.path(), "secret.txt", "secret");
    for file in [".env", "sub/.git/config", ".htpasswd"] {
        put(&path(&root, "site"), file, "secret");
    }
    put(&path(&root, "site"), ".well-known/security.txt", "public");
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret.txt", path(&root, "site").join("link.txt")).unwrap();
    let served = Served::start(&path(&root, "site"));
    let release = json(&path(&root, "site"), "changeover/release.json");
    let id = release["build"]["id"].as_str().unwrap();
    for probe in [
        "../secret.txt".to_owned(),
        "..%2fsecret.txt".into(),
        "%2e%2e/secret.txt".into(),
        "assets/../../secret.txt".into(),
        "..%5csecret.txt".into(),
        "%00".into(),
        "/etc/passwd".into(),
        "//etc/passwd".into(),
        "link.txt".into(),
        ".env".into(),
        "%2eenv".into(),
        "sub/.git/config".into(),
        ".htpasswd".into(),
        format!("changeover/files/{id}/plain.js"),
        format!("changeover/releases/{}.json", release["sequence"]),
        "changeover/.lock".into(),
        "changeover/builds/../releases".into(),
        "changeover/builds/..%2frelease.json".into(),
    ] {
        let answer = served.get(&probe);
        assert!(
            !answer.text().contains("secret") && !answer.text().contains("root:"),
            "{probe}"
        );
        assert!(
            matches!(answer.status, 400 | 404) || answer.text().contains("data-release"),
            "{probe}: {}",
            answer.status
        );
        assert!(!answer.text().contains("\"published\""), "{probe}");
    }
    for probe in [
        ".env",
        "%2eenv",
        "sub/.git/config",
        "link.txt",
        "..%2fsecret.txt",
    ] {
        assert!(matches!(served.get(probe).status, 400 | 404), "{probe}");
    }
    assert_eq!(served.get(".well-known/security.txt").text(), "public");
}

#[test]
fn a_base_path_is_where_the_site_is_mounted() {
    let root = tempfile::tempdir().unwrap();
    let dist = path(&root, "dist");
    put(&dist, "index.html", index(&["/shop/main.js"]));
    put(&dist, "main.js", "main");
    publish(&dist, &path(&root, "site"), &[]);
    let served = Served::start(&path(&root, "site"));
    assert!(served.url.ends_with("/shop/"), "{}", served.url);
    assert_eq!(served.get("main.js").text(), "main");
    assert_eq!(served.get("changeover/release.json").status, 200);
    assert!(served.get("some/route").text().contains("data-release"));
    for (path, location) in [("/", "/shop/"), ("/shop", "/shop/")] {
        let answer = common::request(&served.address, "GET", path, &[]);
        assert_eq!(
            (answer.status, answer.header("location")),
            (307, location),
            "{path}"
        );
    }
    assert_eq!(
        common::request(&served.address, "GET", "/main.js", &[]).status,
        404
    );
    assert_eq!(changeover_json(["verify", &served.url]).0, 0);
}

#[test]
fn it_ends_within_a_second_of_sigterm_although_streams_are_open() {
    let root = site();
    let mut served = Served::start(&path(&root, "site"));
    let mut events: Vec<_> = (0..5).map(|_| Events::open(&served)).collect();
    for stream in &mut events {
        stream.next();
    }
    let start = Instant::now();
    served.terminate();
    let status = served.child.wait().unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(status.code(), Some(0));
    for stream in &mut events {
        while stream.line().is_some() {}
    }
}

#[test]
fn it_says_why_it_cannot_start() {
    let root = site();
    let site = path(&root, "site");
    let site = site.to_str().unwrap();
    let served = Served::start(&path(&root, "site"));
    let port = served.address.rsplit(':').next().unwrap().to_owned();
    let gone = path(&root, "gone");
    let file = path(&root, "dist/plain.js");
    for (words, code) in [
        (vec!["serve", gone.to_str().unwrap()], "site-missing"),
        (vec!["serve", file.to_str().unwrap()], "site-not-a-folder"),
        (vec!["serve", site, "--port", &port], "port-in-use"),
        (
            vec!["serve", site, "--host", "192.0.2.1", "--port", "0"],
            "host-unknown",
        ),
    ] {
        let (exit, value) = changeover_json(words.iter().copied());
        assert_eq!((exit, value["error"]["code"].as_str()), (1, Some(code)));
        let out = Command::new(BINARY).args(&words).output().unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(
            said.starts_with("error: ") && said.trim_end().ends_with(&format!("[{code}]")),
            "{said}"
        );
    }
    put(&path(&root, "site"), "changeover/release.json", "{");
    let (exit, value) = changeover_json(["serve", site, "--port", "0"]);
    assert_eq!(
        (exit, value["error"]["code"].as_str()),
        (1, Some("release-invalid"))
    );
}

#[test]
fn json_says_where_it_serves() {
    let root = folder([("index.html", "<p>")]);
    let mut child = Command::new(BINARY)
        .args([
            "serve",
            root.path().to_str().unwrap(),
            "--port",
            "0",
            "--json",
        ])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(child.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["url"], format!("http://127.0.0.1:{}/", said["port"]));
    child.kill().unwrap();
    child.wait().unwrap();
}
