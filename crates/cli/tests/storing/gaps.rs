//! Builds that can or cannot read what tabs of earlier builds hold.

use super::*;

#[test]
fn a_build_that_reads_what_open_tabs_hold_follows_them() {
    let shop = Shop::new();
    for (content, schema, reads) in [
        ("1", 1, json!([])),
        ("2", 2, json!([1])),
        ("3", 3, json!([1, 2])),
    ] {
        shop.build(content);
        say(
            &shop,
            json!({ "cart": { "schema": schema, "reads": reads } }),
        );
        assert!(!codes(&shop.publish(&[])).contains(&"store-gap".to_owned()));
    }
}

#[test]
fn a_build_that_cannot_read_what_open_tabs_hold_is_refused_before_anything_is_written() {
    let shop = Shop::new();
    say(
        &shop,
        json!({ "cart": { "schema": 1 }, "log": { "schema": 5 } }),
    );
    let first = id_of(&shop.publish(&[]));
    shop.build("2");
    say(
        &shop,
        json!({ "cart": { "schema": 2, "reads": [1] }, "log": { "schema": 5 } }),
    );
    let second = id_of(&shop.publish(&[]));
    let before = snapshot(&shop);

    // The live build is read, the one before it is not.
    shop.build("3");
    say(
        &shop,
        json!({ "cart": { "schema": 3, "reads": [2] }, "log": { "schema": 5 } }),
    );
    assert_eq!(
        refused(&shop),
        (
            "store-gap".into(),
            format!(
                "tabs of build {first} hold the store \"cart\" in schema 1, and this build, on schema 3, reads only 2, 3: \
                 keep the step from 1 in `migrations` and list 1 in `reads`; --allow-store-gap publishes all the same"
            )
        )
    );
    // Both stores, the second one in both builds, and back to a lower schema.
    say(
        &shop,
        json!({ "cart": { "schema": 1 }, "log": { "schema": 6 } }),
    );
    assert_eq!(
        refused(&shop).1,
        format!(
            "tabs of build {second} hold the store \"cart\" in schema 2, and this build, on schema 1, reads only 1: go back \
             with `changeover rollback` or by publishing the earlier dist, or list 2 in `reads` when a step of \
             `migrations` leads from it to 1; tabs of builds {second}, {first} hold the store \"log\" in schema 5, and \
             this build, on schema 6, reads only 6: keep the step from 5 in `migrations` and list 5 in `reads`; \
             --allow-store-gap publishes all the same"
        )
    );
    assert_eq!(snapshot(&shop), before, "nothing was written");
    let (dist, site) = (shop.dist(), shop.site());
    let out = changeover([
        "publish",
        dist.to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ]);
    assert_eq!(out.status.code(), Some(1));
    assert!(
        String::from_utf8(out.stderr)
            .unwrap()
            .trim_end()
            .ends_with("[store-gap]")
    );
}

#[test]
fn going_ahead_over_a_gap_is_warned_about_and_need_not_be_allowed_again() {
    let shop = Shop::new();
    say(&shop, json!({ "cart": { "schema": 1 } }));
    let first = id_of(&shop.publish(&[]));
    shop.build("2");
    say(&shop, json!({ "cart": { "schema": 2 } }));
    assert_eq!(refused(&shop).0, "store-gap");
    let second = shop.publish(&["--allow-store-gap"]);
    let note = note(&second, "store-gap");
    assert_eq!(
        note,
        format!(
            "tabs of build {first} hold the store \"cart\" in schema 1, and this build, on schema 2, reads only 2; what they \
             hold is kept, but this build cannot use it"
        )
    );
    // The gap that the live build has is accepted; another one is not.
    shop.build("3");
    say(&shop, json!({ "cart": { "schema": 3, "reads": [2] } }));
    assert!(codes(&shop.publish(&[])).contains(&"store-gap".to_owned()));
    shop.build("4");
    say(&shop, json!({ "cart": { "schema": 4, "reads": [3] } }));
    let (code, sentence) = refused(&shop);
    assert_eq!(code, "store-gap");
    assert!(
        sentence.starts_with(&format!(
            "tabs of build {} hold the store \"cart\" in schema 2,",
            id_of(&second)
        )),
        "{sentence}"
    );
    assert!(!sentence.contains("schema 1"), "{sentence}");
}

#[test]
fn a_schema_that_was_rolled_back_from_is_still_held_by_open_tabs() {
    let shop = Shop::new();
    say(&shop, json!({ "cart": { "schema": 1 } }));
    shop.publish(&[]);
    shop.build("2");
    say(&shop, json!({ "cart": { "schema": 2, "reads": [1] } }));
    shop.publish(&[]);
    shop.rollback(&[]);
    shop.build("3");
    say(&shop, json!({ "cart": { "schema": 3, "reads": [1] } }));
    let (code, sentence) = refused(&shop);
    assert_eq!(code, "store-gap");
    assert!(sentence.contains("in schema 2"), "{sentence}");
}

#[test]
fn a_broken_pointer_does_not_hide_what_tabs_hold() {
    let shop = Shop::new();
    say(&shop, json!({ "cart": { "schema": 1 } }));
    shop.publish(&[]);
    put(&shop.site(), "changeover/release.json", "{\"format\":1,");
    shop.build("2");
    say(&shop, json!({ "cart": { "schema": 2 } }));
    assert_eq!(refused(&shop).0, "store-gap");
}

#[test]
fn the_other_build_of_a_rollout_and_one_made_by_hand_count() {
    let shop = Shop::new();
    let by_hand = |id: &str, schema: u32| {
        let manifest = json!({ "format": 1, "app": "app", "id": id, "created": "2026-01-01T00:00:00Z",
            "stores": { "cart": { "schema": schema } } });
        put(
            &shop.site(),
            &format!("changeover/builds/hand-{id}.json"),
            manifest.to_string(),
        );
        json!({ "id": id, "manifest": format!("builds/hand-{id}.json") })
    };
    let release = json!({ "format": 1, "app": "app", "sequence": 41, "issued": "2026-01-01T00:00:00Z",
        "build": by_hand("b", 2), "rollout": { "percent": 10, "salt": "x", "otherwise": by_hand("a", 1) } });
    put(&shop.site(), "changeover/release.json", release.to_string());
    say(&shop, json!({ "cart": { "schema": 3 } }));
    let (code, sentence) = refused(&shop);
    assert_eq!(code, "store-gap");
    for part in [
        "build b hold the store \"cart\" in schema 2",
        "build a hold the store \"cart\" in schema 1",
    ] {
        assert!(sentence.contains(part), "{sentence}");
    }
    say(&shop, json!({ "cart": { "schema": 3, "reads": [1, 2] } }));
    shop.publish(&[]);
}

#[test]
fn a_store_that_the_live_build_has_and_the_new_one_has_not_is_a_note() {
    let shop = Shop::new();
    say(
        &shop,
        json!({ "cart": { "schema": 1 }, "log": { "schema": 1 }, "old": { "schema": 1 } }),
    );
    let first = id_of(&shop.publish(&[]));
    shop.build("2");
    say(
        &shop,
        json!({ "cart": { "schema": 1 }, "log": { "schema": 1 } }),
    );
    let published = shop.publish(&[]);
    let second = id_of(&published);
    assert_eq!(
        note(&published, "store-dropped"),
        format!(
            "build {first} has the store \"old\", and build {second} does not: its data stay in the browsers, unread"
        )
    );
    shop.build("3");
    let published = shop.publish(&[]);
    assert_eq!(
        note(&published, "store-dropped"),
        format!(
            "build {second} has the stores \"cart\", \"log\", and build {} does not: their data stay in the browsers, \
             unread",
            id_of(&published)
        )
    );
}

#[test]
fn going_back_is_never_refused_and_says_which_stores_are_handed_back() {
    let shop = Shop::new();
    say(
        &shop,
        json!({ "cart": { "schema": 1 }, "log": { "schema": 1, "reads": [2] } }),
    );
    let first = id_of(&shop.publish(&[]));
    let dist = folder([]);
    copy(&shop.dist(), dist.path());
    shop.build("2");
    say(
        &shop,
        json!({ "cart": { "schema": 2, "reads": [1] }, "log": { "schema": 2, "reads": [1] } }),
    );
    let second = id_of(&shop.publish(&[]));
    let expected = format!(
        "build {second} has the store \"cart\" in schema 2, which build {first}, on schema 1, does not read: tabs hand \
         state back through `down`; without a step down they are asked"
    );
    let (code, back) = shop.rollback(&[]);
    assert_eq!((code, codes(&back).len()), (0, 2), "{back}");
    assert_eq!(note(&back, "store-handed-back"), expected);

    // Forth again, which the newer build can read, and back by publishing the earlier dist.
    let (_, forth) = shop.rollback(&[&second]);
    assert_eq!(note_codes(&forth), ["colliding-names"]);
    let again = common::publish(dist.path(), &shop.site(), &[]);
    assert_eq!(again["build"], json!(first));
    assert_eq!(note(&again, "store-handed-back"), expected);
    assert_eq!(shop.verify().0, 0);
}
