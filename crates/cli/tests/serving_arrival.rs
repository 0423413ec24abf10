//! What `serve` does while a deploy is copied into its folder by other means than `publish`.

mod common;

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Served, changeover_json, files_below, index, json, path, publish, put, text, until};

/// Where deploys are made, and the folder that is served, which gets copies.
struct Copied {
    root: tempfile::TempDir,
}

impl Copied {
    /// Both have the first build.
    fn new() -> Self {
        let copied = Self {
            root: tempfile::tempdir().unwrap(),
        };
        copied.publish("one");
        for file in files_below(&copied.origin()) {
            copied.copy(&file);
        }
        copied
    }

    fn origin(&self) -> PathBuf {
        path(&self.root, "origin")
    }

    fn site(&self) -> PathBuf {
        path(&self.root, "site")
    }

    /// Makes a build live at the origin and returns its id.
    fn publish(&self, content: &str) -> String {
        let dist = path(&self.root, "dist");
        let _ = fs::remove_dir_all(&dist);
        let entry = format!("assets/main-{content}.js");
        put(
            &dist,
            "index.html",
            index(&[&format!("/{entry}"), "/plain.js"]),
        );
        put(&dist, &entry, content);
        put(&dist, "plain.js", content);
        put(&dist, "style.css", content);
        put(&dist, "logo.png", content);
        publish(&dist, &self.origin(), &[]);
        let release = json(&self.origin(), "changeover/release.json");
        release["build"]["id"].as_str().unwrap().to_owned()
    }

    /// As rsync does: under another name first.
    fn copy(&self, file: &str) {
        let (from, to) = (self.origin().join(file), self.site().join(file));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let temporary = to.with_file_name(".arriving");
        fs::copy(from, &temporary).unwrap();
        fs::rename(temporary, to).unwrap();
    }

    /// The files that differ from the origin or are missing, the pointer first.
    fn lacks(&self) -> Vec<String> {
        let is_lacking = |file: &String| {
            fs::read(self.site().join(file)).ok() != fs::read(self.origin().join(file)).ok()
        };
        let mut files: Vec<_> = files_below(&self.origin())
            .into_iter()
            .filter(|file| !file.ends_with(".lock"))
            .filter(is_lacking)
            .collect();
        files.sort_by_key(|file| file != "changeover/release.json");
        files
    }
}

fn manifest_of(id: &str) -> String {
    format!("changeover/builds/{id}.json")
}

#[test]
fn a_pointer_that_comes_first_is_served_with_its_last_file_and_not_before() {
    let copied = Copied::new();
    let served = Served::start(&copied.site());
    let one = served.live();
    let two = copied.publish("two");
    let lacks = copied.lacks();
    assert_eq!(lacks[0], "changeover/release.json");
    assert!(lacks.contains(&manifest_of(&two)), "{lacks:?}");
    let own = format!("changeover/files/{two}/");
    let is_needed = |file: &&String| file.starts_with(&own) || **file == manifest_of(&two);
    let mut needed = lacks.iter().filter(is_needed).count();
    assert_eq!(needed, 6);
    for file in &lacks {
        assert_eq!(served.live(), one, "before {file}");
        assert_eq!(served.get("plain.js").text(), "one", "before {file}");
        copied.copy(file);
        std::thread::sleep(Duration::from_millis(30));
        needed -= usize::from(is_needed(&file));
        if needed == 0 {
            break;
        }
    }
    until("the second build is served", || served.live() == two);
    assert_eq!(served.get("assets/main-two.js").text(), "two");
    assert_eq!(served.get("assets/main-one.js").text(), "one");
    let said = served.said();
    assert!(
        said.contains(&format!(
            "warning: waiting for the manifest of build {two}, which is not at "
        )) && said.contains("; the release before stays served"),
        "{said}"
    );
    until("it is said", || {
        served.said().contains(&format!("build {two} is served"))
    });
    assert!(!said.contains("refused"), "{said}");
    assert_eq!(changeover_json(["verify", &served.url]).0, 0);
}

#[test]
fn files_that_come_after_their_manifest_are_waited_for() {
    let copied = Copied::new();
    let served = Served::start(&copied.site());
    let one = served.live();
    let two = copied.publish("two");
    let mut lacks = copied.lacks();
    lacks.retain(|file| !file.ends_with("assets/main-two.js"));
    lacks.iter().for_each(|file| copied.copy(file));
    until("it is said", || {
        let waits = format!("waiting for files of build {two}: assets/main-two.js");
        served.said().contains(&waits)
    });
    assert_eq!(served.live(), one);
    copied.copy(&format!("changeover/files/{two}/assets/main-two.js"));
    until("the second build is served", || served.live() == two);
}

#[test]
fn a_copy_that_writes_in_place_is_served_when_it_is_whole() {
    let copied = Copied::new();
    let served = Served::start(&copied.site());
    let one = served.live();
    let two = copied.publish("two");
    let (site, origin) = (copied.site(), copied.origin());
    for file in copied.lacks() {
        let whole = fs::read(origin.join(&file)).unwrap();
        // A size that its manifest does not name, and JSON that ends too early.
        put(&site, &file, &whole[..whole.len() / 2]);
        std::thread::sleep(Duration::from_millis(30));
        let live = served.live();
        assert!(live == one || live == two, "{file}: {live:?}");
        if live == two {
            assert_eq!(served.get("assets/main-two.js").text(), "two", "{file}");
        }
        put(&site, &file, &whole);
    }
    until("the second build is served", || served.live() == two);
    let said = served.said();
    assert!(!said.contains("refused"), "{said}");
}

#[test]
fn a_manifest_of_other_bytes_than_the_release_names_is_waited_for() {
    let copied = Copied::new();
    let served = Served::start(&copied.site());
    let one = served.live();
    let two = copied.publish("two");
    put(
        &copied.site(),
        &manifest_of(&two),
        text(&copied.origin(), &manifest_of(&one)),
    );
    let lacks = copied.lacks();
    let rest = lacks.iter().filter(|file| **file != manifest_of(&two));
    rest.for_each(|file| copied.copy(file));
    until("it is said", || {
        served
            .said()
            .contains("does not have the bytes that release.json names")
    });
    assert_eq!(served.live(), one);
    copied.copy(&manifest_of(&two));
    until("the second build is served", || served.live() == two);
}

#[test]
fn a_release_that_cannot_be_read_for_lack_of_file_handles_is_served_when_there_are_some() {
    let copied = Copied::new();
    // More connections than files: the server must run out of them.
    let words = ["--max-connections", "1000"];
    let served = Served::start_with(&copied.site(), &words, Some(48));
    let one = served.live();
    let crowd: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(&served.address).unwrap())
        .collect();
    until("it is said", || {
        served.said().contains("no connection can be accepted now")
    });
    let two = copied.publish("two");
    let lacks = copied.lacks();
    lacks.iter().for_each(|file| copied.copy(file));
    std::thread::sleep(Duration::from_secs(1));
    drop(crowd);
    until("the second build is served", || served.live() == two);
    let said = served.said();
    assert!(!said.contains("refused"), "{said}");
    assert_eq!(
        said.matches("no connection can be accepted now").count(),
        1,
        "{said}"
    );
    assert_ne!(one, two);
}

#[test]
fn what_is_wrong_in_itself_is_refused_once_and_looked_at_again() {
    let copied = Copied::new();
    let served = Served::start(&copied.site());
    let one = served.live();
    let two = copied.publish("two");
    let site = copied.site();
    let mut release = json(&copied.origin(), "changeover/release.json");
    release["build"]
        .as_object_mut()
        .unwrap()
        .remove("integrity");
    // A manifest that was read once stays known.
    put(&site, &manifest_of(&two), r#"{"format":99}"#);
    for file in copied.lacks() {
        if file != manifest_of(&two) && file != "changeover/release.json" {
            copied.copy(&file);
        }
    }
    put(&site, "changeover/release.json", release.to_string());
    until("it is said", || {
        served.said().contains("warning: refused: ")
    });
    assert_eq!(served.live(), one);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(served.said().matches("refused").count(), 1);
    copied.copy(&manifest_of(&two));
    until("the second build is served", || served.live() == two);
}

#[test]
fn a_picture_that_never_comes_does_not_hold_up_a_release_for_good() {
    let copied = Copied::new();
    let served = Served::start(&copied.site());
    let one = served.live();
    let two = copied.publish("two");
    for file in copied.lacks() {
        if !file.ends_with("logo.png") {
            copied.copy(&file);
        }
    }
    until("it is said", || {
        served
            .said()
            .contains(&format!("waiting for files of build {two}: logo.png"))
    });
    assert_eq!(served.live(), one);
    until("the second build is served", || served.live() == two);
    until("what it lacks is said", || {
        served
            .said()
            .contains("does not have 1 of its files as its manifest says: logo.png")
    });
    assert_eq!(served.get("logo.png").status, 404);
    assert_eq!(served.get("plain.js").text(), "two");
}

#[test]
fn a_server_that_starts_in_the_middle_of_a_copy_waits_for_the_manifest() {
    let copied = Copied::new();
    let site = copied.site();
    let id = {
        let release = json(&site, "changeover/release.json");
        release["build"]["id"].as_str().unwrap().to_owned()
    };
    fs::remove_file(site.join(manifest_of(&id))).unwrap();
    let served = Served::start(&site);
    assert_eq!(served.get("changeover/release.json").status, 404);
    until("it is said", || {
        served.said().contains("waiting for the manifest of build")
    });
    copied.copy(&manifest_of(&id));
    until("the build is served", || served.live() == id);
    assert!(!served.said().contains("stays served"), "{}", served.said());
}

#[test]
fn builds_of_the_history_that_come_after_the_pointer_are_served_too() {
    let copied = Copied::new();
    let two = copied.publish("two");
    let site = copied.site();
    fs::remove_dir_all(&site).unwrap();
    let is_old = |file: &String| file.contains("one") || !file.contains(&two);
    let (old, new): (Vec<_>, Vec<_>) = copied
        .lacks()
        .into_iter()
        .filter(|file| file != "changeover/release.json")
        .partition(|file| file.starts_with("changeover/") && is_old(file));
    let pointer = "changeover/release.json".to_owned();
    new.iter()
        .chain([&pointer])
        .for_each(|file| copied.copy(file));
    let served = Served::start(&site);
    assert_eq!(served.live(), two);
    fs::remove_file(site.join("assets/main-one.js")).unwrap();
    assert_eq!(served.get("assets/main-one.js").status, 404);
    old.iter().for_each(|file| copied.copy(file));
    until("the file of the build before is served", || {
        served.get("assets/main-one.js").status == 200
    });
}

#[test]
fn a_folder_of_its_own_that_comes_bit_by_bit_is_taken_when_it_is_whole() {
    let copied = Copied::new();
    let (site, origin) = (copied.site(), copied.origin());
    let own = Path::new("changeover/files");
    fs::remove_dir_all(site.join(own)).unwrap();
    let served = Served::start(&site);
    assert_eq!(served.get("plain.js").text(), "one");
    for file in files_below(&origin.join(own)) {
        copied.copy(&format!("changeover/files/{file}"));
        assert_eq!(served.get("plain.js").text(), "one", "after {file}");
        assert_eq!(
            served.get("assets/main-one.js").text(),
            "one",
            "after {file}"
        );
    }
    // The build is now served from its own folder, so the other copies of its files may change.
    until("the folder is taken", || {
        put(&site, "plain.js", "by hand");
        served.get("plain.js").text() == "one"
    });
}
