//! Fields of a release that `publish` and `rollback` did not write: they stay, or a note says that they end.

mod common;

use std::fs;

use changeover::{
    engine::release::{How, Release, Retire, Rollout},
    ids::BuildId,
};
use changeover_cli::amend::amend;
use changeover_cli::deploy::Who;
use common::shop::Shop;
use common::{json, kill, note_codes, publish_up_to, put, text};
use serde_json::{Value, json};

/// Writes fields into `release.json` as an operator with an editor does.
fn edit(shop: &Shop, fields: &str) {
    let release = text(&shop.site(), "changeover/release.json");
    let edited = release.replacen('{', &format!("{{\n  {fields},"), 1);
    Release::parse(&edited).unwrap();
    put(&shop.site(), "changeover/release.json", edited);
}

fn note<'p>(published: &'p Value, code: &str) -> &'p str {
    let notes = published["notes"].as_array().unwrap();
    notes
        .iter()
        .find(|note| note["code"] == code)
        .unwrap_or_else(|| panic!("no {code} in {published}"))["message"]
        .as_str()
        .unwrap()
}

fn future() -> &'static str {
    "2999-01-01T00:00:00Z"
}

#[test]
fn a_rollout_set_by_hand_goes_on_with_the_next_build() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    let otherwise = shop.release()["build"].to_string();
    shop.build("2");
    shop.publish(&[]);
    edit(
        &shop,
        &format!(
            "\"rollout\": {{ \"percent\": 25, \"salt\": \"s\", \"mine\": 1.50, \"otherwise\": {otherwise} }}"
        ),
    );
    shop.build("3");
    let third = shop.publish(&[]);
    let said = note(&third, "rollout-kept");
    let (new, old) = (third["build"].as_str().unwrap(), &first["build"]);
    assert!(
        said.contains(&format!("build {new} is for the same 25 %"))
            && said.contains(&format!("the others run build {}", old.as_str().unwrap())),
        "{said}"
    );
    let release = shop.release();
    assert_eq!(release["build"]["id"], new);
    assert_eq!(
        (
            &release["rollout"]["percent"],
            &release["rollout"]["salt"],
            &release["rollout"]["otherwise"]["id"]
        ),
        (&json!(25), &json!("s"), old)
    );
    assert!(text(&shop.site(), "changeover/release.json").contains("\"mine\": 1.50"));
    assert_eq!(shop.verify().0, 0);

    let all = shop.publish(&["--end-rollout"]);
    assert_eq!(
        (&all["live"], &shop.release()["rollout"]),
        (&json!("new"), &Value::Null)
    );
    assert!(note(&all, "rollout-ended").contains("25 %"));
}

#[test]
fn a_rollout_ends_when_its_other_build_is_published_or_rolled_back_to() {
    for rolls_back in [false, true] {
        let shop = Shop::new();
        let first = shop.publish(&[]);
        let otherwise = shop.release()["build"].to_string();
        shop.build("2");
        shop.publish(&[]);
        edit(
            &shop,
            &format!(
                "\"rollout\": {{ \"percent\": 25, \"salt\": \"s\", \"otherwise\": {otherwise} }}"
            ),
        );
        shop.build("1");
        let done = if rolls_back {
            shop.rollback(&[]).1
        } else {
            shop.publish(&[])
        };
        assert_eq!(done["build"], first["build"]);
        note(&done, "rollout-ended");
        assert_eq!(shop.release()["rollout"], Value::Null);
    }
}

#[test]
fn a_rollback_to_a_third_build_is_for_every_browser() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    shop.build("2");
    shop.publish(&[]);
    edit(&shop, "\"rollout\": { \"percent\": 25, \"salt\": \"s\" }");
    let (_, back) = shop.rollback(&[first["build"].as_str().unwrap()]);
    assert_eq!(
        note(&back, "rollout-ended"),
        "the rollout to 25 % of the browsers ends, because a rollback is for every browser"
    );
    assert_eq!(shop.release()["rollout"], Value::Null);
}

#[test]
fn what_this_version_does_not_know_survives_a_publish_and_a_rollback_as_it_is_written() {
    let shop = Shop::new();
    shop.publish(&[]);
    edit(
        &shop,
        "\"colour\": \"bl\\u0075e\",\n  \"big\": 123456789012345678901234567890,\n  \"ratio\": 1.10",
    );
    let release = text(&shop.site(), "changeover/release.json");
    put(
        &shop.site(),
        "changeover/release.json",
        release.replace("\"build\": {", "\"build\": {\n    \"mirror\": [ 1.0 ],"),
    );
    shop.build("2");
    let published = shop.publish(&[]);
    let written = |shop: &Shop| {
        let release = text(&shop.site(), "changeover/release.json");
        for field in [
            "\"colour\": \"bl\\u0075e\"",
            "\"big\": 123456789012345678901234567890",
            "\"ratio\": 1.10",
            "\"mirror\": [ 1.0 ]",
        ] {
            assert!(release.contains(field), "{field} is not in {release}");
        }
        // The history has them as well.
        let sequence = shop.release()["sequence"].to_string();
        let history = json(
            &shop.site(),
            &format!("changeover/releases/{sequence}.json"),
        );
        assert_eq!(history["release"], shop.release());
    };
    written(&shop);
    assert!(
        note(&published, "fields-kept").ends_with("colour, big, ratio, build.mirror"),
        "{published}"
    );
    let (code, back) = shop.rollback(&[]);
    assert_eq!(code, 0, "{back}");
    written(&shop);
    note(&back, "fields-kept");
    // Nothing changes, so there is no note and the file stays.
    shop.build("1");
    assert_eq!(shop.publish(&[])["live"], "already");
}

#[test]
fn whatever_a_command_does_not_carry_over_is_named() {
    let shop = Shop::new();
    shop.publish(&["--message", "Prices are new"]);
    shop.build("2");
    let second = shop.publish(&[]);
    assert_eq!(
        note(&second, "fields-dropped"),
        "not carried over from the release before: message \"Prices are new\""
    );
    edit(
        &shop,
        "\"floor\": 7, \"rollout\": { \"percent\": 25, \"salt\": \"s\", \"mine\": 1.50, \"otherwise\": { \"id\": \"a\", \"theirs\": 1 } },
         \"retire\": [{ \"build\": \"x\", \"how\": \"drain\", \"by\": \"2999-01-01T00:00:00Z\" }, { \"build\": \"x.y\", \"how\": \"drain\" }]",
    );
    let retire = |build: &str| Retire {
        build: BuildId(build.into()),
        how: How::Force,
        by: None,
    };
    let amended = amend(&shop.site(), &Who::default(), |draft| {
        draft.set_floor(None);
        draft.retire(retire("x"));
        draft.set_rollout(Some(Rollout {
            percent: 50,
            salt: "s".into(),
            otherwise: None,
        }));
        Ok(())
    })
    .unwrap();
    let dropped = |notes: &[changeover_cli::build::Note]| {
        let note = notes.iter().find(|note| note.code == "fields-dropped");
        note.map(|note| note.files.clone()).unwrap_or_default()
    };
    assert_eq!(
        dropped(&amended.notes),
        [
            "floor",
            "rollout.otherwise.id",
            "rollout.otherwise.theirs",
            "retire.x.by"
        ]
    );
    assert_eq!(shop.release()["rollout"]["mine"], 1.5);
    // A field that has a note of its own is not named twice, and that note does not cover orders about other builds.
    let amended = amend(&shop.site(), &Who::default(), |draft| {
        draft.end_rollout("of this test");
        draft.allow(&BuildId("x".into()));
        Ok(())
    })
    .unwrap();
    assert!(dropped(&amended.notes).is_empty(), "{:?}", amended.notes);
    assert_eq!(
        shop.release()["retire"],
        json!([{ "build": "x.y", "how": "drain" }])
    );
}

#[test]
fn an_expiry_to_come_stays_and_one_that_has_passed_is_dropped_and_named() {
    for (expires, code, after) in [
        (future(), "expires-kept", json!(future())),
        ("2001-01-01T00:00:00Z", "expires-dropped", Value::Null),
    ] {
        for rolls_back in [false, true] {
            let shop = Shop::new();
            shop.publish(&[]);
            shop.build("2");
            shop.publish(&[]);
            edit(&shop, &format!("\"expires\": \"{expires}\""));
            shop.build("3");
            let done = if rolls_back {
                shop.rollback(&[]).1
            } else {
                shop.publish(&[])
            };
            assert!(note(&done, code).contains(expires));
            assert_eq!(shop.release()["expires"], after);
        }
    }
}

#[test]
fn orders_stay_but_never_against_the_build_that_becomes_live() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    let old = first["build"].as_str().unwrap();
    shop.build("2");
    shop.publish(&["--channel", "beta"]);
    edit(
        &shop,
        &format!(
            "\"floor\": 7, \"retire\": [{{ \"build\": \"{old}\", \"how\": \"force\" }}, {{ \"build\": \"x\", \"how\": \"drain\", \"mine\": 1.0 }}]"
        ),
    );
    shop.build("3");
    let third = shop.publish(&[]);
    assert_eq!(note_codes(&third), ["fields-kept", "colliding-names"]);
    let release = shop.release();
    assert_eq!(
        (&release["floor"], &release["channel"]),
        (&json!(7), &json!("beta")),
        "the channel stays, too"
    );
    assert_eq!(release["retire"].as_array().unwrap().len(), 2);
    let (_, back) = shop.rollback(&[old]);
    assert!(note(&back, "retire-ended").contains(old));
    assert_eq!(
        shop.release()["retire"],
        json!([{ "build": "x", "how": "drain", "mine": 1.0 }])
    );
}

#[test]
fn a_floor_above_its_own_release_is_named() {
    let shop = Shop::new();
    shop.publish(&[]);
    edit(&shop, "\"floor\": 9007199254740991");
    shop.build("2");
    assert!(note(&shop.publish(&[]), "floor-above").contains("9007199254740991"));
}

#[test]
fn a_pointer_that_cannot_be_read_is_replaced_and_kept() {
    let shop = Shop::new();
    shop.publish(&[]);
    let damaged = text(&shop.site(), "changeover/release.json").replacen(
        '{',
        "{ \"rollout\": { \"percent\": 250, \"salt\": \"\" },",
        1,
    );
    put(&shop.site(), "changeover/release.json", &damaged);
    shop.build("2");
    let published = shop.publish(&[]);
    let said = note(&published, "release-replaced");
    assert!(
        said.contains("a wrong rollout.percent: invalid value: integer `250`"),
        "{said}"
    );
    let place = said.rsplit(' ').next().unwrap();
    assert_eq!(fs::read_to_string(place).unwrap(), damaged);
}

#[test]
fn a_rollout_a_floor_and_an_order_are_one_amendment_each() {
    let shop = Shop::new();
    let first = shop.publish(&[]);
    let old = BuildId(first["build"].as_str().unwrap().into());
    let otherwise = Release::parse(&text(&shop.site(), "changeover/release.json"))
        .unwrap()
        .build;
    shop.build("2");
    let second = shop.publish(&[]);
    edit(&shop, "\"colour\": 1.0");
    let who = Who {
        by: Some("Ada".into()),
    };
    let rollout = Rollout {
        percent: 10,
        salt: "s".into(),
        otherwise: Some(otherwise),
    };
    let amended = amend(&shop.site(), &who, |draft| {
        draft.set_rollout(Some(rollout.clone()));
        draft.set_floor(Some(5));
        draft.retire(Retire {
            build: old.clone(),
            how: How::Drain,
            by: None,
        });
        draft.retire(Retire {
            build: old.clone(),
            how: How::Force,
            by: None,
        });
        Ok(())
    })
    .unwrap();
    assert!(amended.is_new);
    let release = shop.release();
    assert_eq!(
        release["sequence"].as_u64(),
        second["sequence"].as_u64().map(|n| n + 1)
    );
    assert_eq!(
        (
            &release["build"]["id"],
            &release["rollout"]["percent"],
            &release["floor"],
            &release["retire"]
        ),
        (
            &second["build"],
            &json!(10),
            &json!(5),
            &json!([{ "build": old.0, "how": "force" }])
        )
    );
    assert!(text(&shop.site(), "changeover/release.json").contains("\"colour\": 1.0"));
    let history = json(
        &shop.site(),
        &format!("changeover/releases/{}.json", release["sequence"]),
    );
    assert_eq!(history["published"]["by"], "Ada");
    // A change without effect makes no release.
    let again = amend(&shop.site(), &who, |draft| {
        draft.set_floor(Some(5));
        Ok(())
    });
    assert!(!again.unwrap().is_new);
    // A release that pages would refuse is refused before anything is written.
    let before = text(&shop.site(), "changeover/release.json");
    let refused = amend(&shop.site(), &who, |draft| {
        draft.set_rollout(Some(Rollout {
            percent: 101,
            ..rollout.clone()
        }));
        Ok(())
    });
    assert_eq!(refused.unwrap_err().code(), "release-invalid");
    assert_eq!(text(&shop.site(), "changeover/release.json"), before);
    assert_eq!(shop.verify().0, 0);
}

#[test]
fn going_back_to_the_live_build_after_a_killed_publish_is_a_release_of_its_own() {
    for rolls_back in [false, true] {
        let shop = Shop::new();
        let first = shop.publish(&[]);
        shop.build("2");
        kill(publish_up_to(
            "documents placed",
            &shop.dist(),
            &shop.site(),
            &[],
        ));
        shop.build("1");
        let done = if rolls_back {
            shop.rollback(&[first["build"].as_str().unwrap()]).1
        } else {
            shop.publish(&[])
        };
        // Tabs with the document of the build that was never live must get a newer release.
        assert_eq!(
            (&done["live"], &done["build"]),
            (&json!("new"), &first["build"])
        );
        assert!(shop.release()["sequence"].as_u64() > first["sequence"].as_u64());
        assert_eq!(text(&shop.site(), "plain.js"), "1");
        assert_eq!(shop.verify().0, 0);
    }
}
