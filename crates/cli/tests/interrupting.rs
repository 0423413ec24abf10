//! Commands that are killed while they change a release: either the old or the new release is live, with every field,
//! and running the command again completes it.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use changeover::engine::release::{How, Release, Retire, Rollout, Urgency};
use changeover::ids::BuildId;
use changeover_cli::amend::{Announcement, Draft, amend};
use changeover_cli::deploy::Who;
use changeover_cli::error::Result;
use common::shop::Shop;
use common::{
    BINARY, changeover_json, files_below, json, kill, note_codes, publish_up_to, put, run_up_to,
    start_up_to, text,
};
use serde_json::{Value, json};

/// Fields of an operator and of a later version, at every level that a release has.
fn set_fields(site: &Path, rollout: &str) {
    let release = text(site, "changeover/release.json");
    let edited = release
        .replacen(
            '{',
            &format!(
                "{{\n  \"colour\": 1.10, \"floor\": 7, {rollout} \"retire\": [{{ \"build\": \"x\", \"how\": \"drain\", \"mine\": 1.0 }}],"
            ),
            1,
        )
        .replace("\"build\": {", "\"build\": {\n    \"mirror\": [ 1.0 ],");
    Release::parse(&edited).unwrap();
    put(site, "changeover/release.json", edited);
}

fn has_fields(site: &Path) {
    let release = text(site, "changeover/release.json");
    for field in ["\"colour\": 1.10", "\"mirror\": [ 1.0 ]", "\"mine\": 1.0"] {
        assert!(release.contains(field), "{field} is not in {release}");
    }
    assert_eq!(json(site, "changeover/release.json")["floor"], 7);
}

fn copy(from: &Path, to: &Path) {
    for file in files_below(from) {
        put(to, &file, fs::read(from.join(&file)).unwrap());
    }
}

/// How many failpoints the binary passes.
fn failpoints(words: &[&str]) -> usize {
    let mut command = Command::new(BINARY);
    command.args(words);
    failpoints_of(command)
}

fn failpoints_of(mut command: Command) -> usize {
    let out = command
        .env("CHANGEOVER_FAILPOINTS", "trace")
        .stdout(Stdio::null())
        .output()
        .unwrap();
    assert!(out.status.success());
    String::from_utf8(out.stderr)
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("failpoint "))
        .count()
}

/// Every entry of the history was live, and the last one is that of the pointer.
fn assert_history(site: &Path) {
    let live = json(site, "changeover/release.json");
    let mut entries: Vec<Value> = files_below(&site.join("changeover/releases"))
        .iter()
        .map(|file| json(&site.join("changeover/releases"), file))
        .collect();
    entries.sort_by_key(|entry| entry["release"]["sequence"].as_u64());
    assert!(entries.iter().all(|entry| entry["live"] == true));
    assert_eq!(entries.last().unwrap()["release"], live);
}

#[test]
fn a_rollback_killed_at_any_point_leaves_the_old_or_the_new_release_with_every_field() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    let target = first["build"].as_str().unwrap();
    shop.build("2");
    shop.publish(&[]);
    set_fields(&shop.site(), "");
    let before = shop.release();
    let (mut old, mut new) = (0, 0);
    let count = {
        let root = tempfile::tempdir().unwrap();
        copy(&shop.site(), root.path());
        failpoints(&["rollback", "--site", root.path().to_str().unwrap(), target])
    };
    assert!(count >= 10, "{count} failpoints");
    for failpoint in 1..=count {
        let root = tempfile::tempdir().unwrap();
        let site = root.path();
        copy(&shop.site(), site);
        let words = ["rollback", "--site", site.to_str().unwrap(), target];
        kill(run_up_to(&failpoint.to_string(), words));
        let release = json(site, "changeover/release.json");
        if release == before {
            old += 1;
        } else {
            assert_eq!(release["build"]["id"], target);
            new += 1;
        }
        has_fields(site);

        let (code, again) = changeover_json(words);
        assert_eq!((code, &again["build"]), (0, &json!(target)), "{again}");
        has_fields(site);
        // The next change marks the entry that a kill after the pointer left unmarked.
        let (code, away) = changeover_json(["rollback", "--site", site.to_str().unwrap()]);
        assert_eq!(
            (code, &away["build"]),
            (0, &before["build"]["id"]),
            "{away}"
        );
        has_fields(site);
        assert_history(site);
        let (code, verdict) = changeover_json(["verify", site.to_str().unwrap()]);
        assert_eq!(code, 0, "failpoint {failpoint}: {verdict}");
    }
    assert!(old > 5 && new > 0, "{old} old, {new} new");
}

#[test]
fn an_amendment_killed_at_any_point_is_made_whole_or_not_at_all() {
    let shop = Shop::new();
    shop.publish(&[]);
    set_fields(&shop.site(), "");
    let before = shop.release();
    let amending = |site: &Path| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "amends_the_site", "--ignored", "--nocapture"])
            .env(SITE, site);
        command
    };
    let copied = || {
        let root = tempfile::tempdir().unwrap();
        copy(&shop.site(), root.path());
        root
    };
    let root = copied();
    let count = failpoints_of(amending(root.path()));
    assert!(count >= 6, "{count} failpoints");
    let (mut old, mut new) = (0, 0);
    for failpoint in 1..=count {
        let root = copied();
        let site = root.path();
        kill(start_up_to(&failpoint.to_string(), amending(site)));
        let release = json(site, "changeover/release.json");
        if release == before {
            old += 1;
        } else {
            assert_eq!(
                (&release["urgency"], &release["rollout"]["percent"]),
                (&json!("now"), &json!(10))
            );
            new += 1;
        }
        has_fields(site);
        let amended = amend(site, &Who::default(), amendment).unwrap();
        assert_eq!(amended.is_new, release == before);
        assert_eq!(amended.release.retire.len(), 2);
        has_fields(site);
        let away = amend(site, &Who::default(), |draft| {
            draft.end_rollout("of this test");
            Ok(())
        });
        assert!(away.unwrap().is_new);
        assert_history(site);
    }
    assert!(old > 2 && new > 0, "{old} old, {new} new");
}

const SITE: &str = "CHANGEOVER_TEST_SITE";

#[test]
#[ignore = "the test above runs this in a process that it kills"]
fn amends_the_site() {
    let site = std::env::var(SITE).expect("the path of a site");
    amend(Path::new(&site), &Who::default(), amendment).unwrap();
}

fn amendment(draft: &mut Draft) -> Result<()> {
    draft.set_announcement(&Announcement {
        urgency: Urgency::Now,
        message: Some("Leave".into()),
    });
    draft.retire(Retire {
        build: BuildId("y".into()),
        how: How::Force,
        by: None,
    });
    draft.set_rollout(Some(Rollout {
        percent: 10,
        salt: "s".into(),
        otherwise: None,
    }));
    Ok(())
}

#[test]
fn a_rollout_survives_a_publish_that_was_killed_and_its_end_is_said_once_it_comes() {
    for failpoint in [
        "build placed",
        "new assets placed",
        "manifest placed",
        "documents placed",
        "history placed",
        "pointer moved",
    ] {
        let shop = Shop::new();
        shop.publish(&[]);
        let otherwise = shop.release()["build"].to_string();
        shop.build("2");
        shop.publish(&[]);
        set_fields(
            &shop.site(),
            &format!(
                "\"rollout\": {{ \"percent\": 25, \"salt\": \"s\", \"mine\": 1.0, \"otherwise\": {otherwise} }},"
            ),
        );
        shop.build("3");
        kill(publish_up_to(failpoint, &shop.dist(), &shop.site(), &[]));
        let third = shop.publish(&[]);
        assert_eq!(shop.release()["rollout"]["percent"], 25, "{failpoint}");
        assert_eq!(shop.release()["rollout"]["mine"], 1.0, "{failpoint}");
        // A release that went live before the kill needs no second one, and no notes.
        let is_live = failpoint == "pointer moved";
        assert_eq!(third["live"], if is_live { "already" } else { "new" });
        assert_eq!(note_codes(&third).contains(&"rollout-kept"), !is_live);
        has_fields(&shop.site());
        let ended = shop.publish(&["--end-rollout"]);
        assert!(note_codes(&ended).contains(&"rollout-ended"), "{ended}");
        assert_eq!(shop.release()["rollout"], Value::Null);
        has_fields(&shop.site());
        assert_history(&shop.site());
        assert_eq!(shop.verify().0, 0);
    }
}

#[test]
fn marking_a_release_that_a_kill_left_unmarked_keeps_what_else_stands_in_its_entry() {
    let shop = Shop::new();
    shop.publish(&[]);
    shop.build("2");
    kill(publish_up_to(
        "pointer moved",
        &shop.dist(),
        &shop.site(),
        &[],
    ));
    let entry = format!("changeover/releases/{}.json", shop.release()["sequence"]);
    let written = text(&shop.site(), &entry)
        .replacen('{', "{\n  \"approved\": 1.10,", 1)
        .replace(
            "\"published\": {",
            "\"published\": {\n    \"ticket\": [ 7.0 ],",
        );
    assert_eq!(json(&shop.site(), &entry)["live"], false);
    put(&shop.site(), &entry, written);
    shop.build("3");
    shop.publish(&[]);
    let after = text(&shop.site(), &entry);
    for field in [
        "\"approved\": 1.10",
        "\"ticket\": [ 7.0 ]",
        "\"live\": true",
    ] {
        assert!(after.contains(field), "{field} is not in {after}");
    }
}

#[test]
fn a_stamp_killed_at_any_point_leaves_a_pointer_whose_manifest_is_there() {
    let shop = Shop::new();
    let dist = shop.dist();
    let words = ["stamp", dist.to_str().unwrap()];
    let (code, stamped) = changeover_json(words);
    assert_eq!(code, 0, "{stamped}");
    set_fields(&dist, "");
    let own: Vec<_> = files_below(&dist)
        .into_iter()
        .filter(|file| file.starts_with("changeover/"))
        .map(|file| (file.clone(), fs::read(dist.join(&file)).unwrap()))
        .collect();
    let build_over = |content: &str| {
        shop.build(content);
        for (file, bytes) in &own {
            put(&dist, file, bytes);
        }
    };
    build_over("2");
    let count = failpoints(&words);
    assert!(count >= 8, "{count} failpoints");
    let mut released = Vec::new();
    for failpoint in 1..=count {
        build_over("2");
        kill(run_up_to(&failpoint.to_string(), words));
        let release = json(&dist, "changeover/release.json");
        released.push(release["build"]["id"] != stamped["build"]);
        let manifest = release["build"]["manifest"].as_str().unwrap();
        assert!(
            dist.join("changeover").join(manifest).is_file(),
            "failpoint {failpoint}: the pointer names {manifest}"
        );
        has_fields(&dist);
        let (code, again) = changeover_json(words);
        assert_eq!(code, 0, "{again}");
        has_fields(&dist);
        let (code, verdict) = changeover_json(["verify", dist.to_str().unwrap()]);
        assert_eq!(code, 0, "failpoint {failpoint}: {verdict}");
        let mut left = files_below(&dist.join("changeover"));
        left.retain(|file| file != "release.json");
        assert_eq!(left.len(), 1, "{left:?}");
    }
    assert!(released.contains(&true) && released.contains(&false));
}

#[test]
fn two_stamps_of_a_folder_take_turns() {
    let shop = Shop::new();
    let dist = shop.dist();
    let words = ["stamp", dist.to_str().unwrap()];
    let first = run_up_to("manifest placed", words);
    let mut second = Command::new(BINARY)
        .args(words)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(second.try_wait().unwrap().is_none(), "it did not wait");
    kill(first);
    assert!(second.wait().unwrap().success());
    assert!(!dist.join("changeover/.lock").exists());
    let (code, verdict) = changeover_json(["verify", dist.to_str().unwrap()]);
    assert_eq!(code, 0, "{verdict}");
}
