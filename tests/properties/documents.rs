//! Releases and manifests: no text panics, and nothing that was written is lost.

use changeover::{
    engine::{
        format::{self, MAX_SAFE_INTEGER, ParseError},
        manifest::{
            Chunk, ChunkKind, Commit, Document, Manifest, Owner, Reading, Slot, SlotKind, Store,
        },
        release::{BuildRef, How, Release, Retire, Rollout, Urgency},
    },
    ids::{BuildId, Names},
};
use proptest::{collection, option, prelude::*, sample::select};
use serde_json::{Map, Value};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::texts::config;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        let _ = Release::parse(&text);
        let _ = Manifest::parse(&text);
        let _ = format::time(&text);
        let _ = format::is_id(&text);
        let _ = format::is_relative_path(&text);
        let _ = format::is_integrity(&text);
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = Release::parse(&text);
        let _ = Manifest::parse(&text);
        let _ = format::time(&text);
    }

    #[test]
    fn no_damage_to_a_release_makes_the_parser_panic(release in release(), at in any::<usize>(), byte in any::<u8>()) {
        let _ = Release::parse(&damaged(&release.to_json(), at, byte));
    }

    #[test]
    fn no_damage_to_a_manifest_makes_the_parser_panic(manifest in manifest(), at in any::<usize>(), byte in any::<u8>()) {
        let _ = Manifest::parse(&damaged(&manifest.to_json(), at, byte));
    }

    #[test]
    fn a_release_that_is_cut_off_is_no_release(release in release(), at in any::<usize>()) {
        let text = release.to_json();
        let end = text.char_indices().map(|(at, _)| at).nth(at % text.chars().count()).unwrap_or(0);
        prop_assert!(Release::parse(&text[..end]).is_err());
    }

    #[test]
    fn every_field_of_a_release_survives(release in release()) {
        prop_assert_eq!(Release::parse(&release.to_json()).unwrap(), release);
    }

    #[test]
    fn every_field_of_a_manifest_survives(manifest in manifest()) {
        prop_assert_eq!(Manifest::parse(&manifest.to_json()).unwrap(), manifest);
    }

    #[test]
    fn a_manifest_is_the_same_however_it_is_sliced(manifest in manifest(), bytes in 1_usize..300) {
        let text = manifest.to_json();
        prop_assert_eq!(sliced(&text, bytes).unwrap(), serde_json::from_str(&text).unwrap());
        prop_assert_eq!(sliced(&text, bytes).unwrap(), manifest);
    }

    #[test]
    fn what_is_wrong_with_a_manifest_is_the_same_however_it_is_sliced(manifest in manifest(), at in any::<usize>(), byte in any::<u8>(), bytes in 1_usize..300) {
        let text = damaged(&manifest.to_json(), at, byte);
        prop_assert_eq!(sliced(&text, bytes), Manifest::parse(&text));
    }

    #[test]
    fn a_manifest_may_list_its_files_in_any_order(mut manifest in manifest(), more in collection::vec(chunk(), 0..40), bytes in 1_usize..2_000) {
        for (index, chunk) in more.into_iter().enumerate() {
            manifest.chunks.insert(format!("assets/{index}.js"), chunk);
        }
        let mut document: Map<String, Value> = serde_json::from_str(&manifest.to_json()).unwrap();
        let Some(Value::Object(chunks)) = document.remove("chunks") else { panic!("a manifest has chunks") };
        // By their hashes, which are in no order.
        let mut chunks: Vec<_> = chunks.into_iter().collect();
        chunks.sort_by_key(|(_, chunk)| chunk["integrity"].to_string());
        let list: Vec<String> = chunks.iter().map(|(name, chunk)| format!("{}:{chunk}", Value::from(name.as_str()))).collect();
        let rest = Value::Object(document).to_string();
        let text = format!("{{\"chunks\":{{{}}},{}", list.join(","), &rest[1..]);
        prop_assert_eq!(sliced(&text, bytes).unwrap(), manifest);
    }

    #[test]
    fn unknown_fields_of_a_release_pass(release in release(), name in "x-[a-z]{1,8}", value in json()) {
        let text = with_field_everywhere(&release.to_json(), &[], &name, &value);
        prop_assert_eq!(Release::parse(&text).unwrap(), release);
    }

    #[test]
    fn unknown_fields_of_a_manifest_pass(manifest in manifest(), name in "x-[a-z]{1,8}", value in json()) {
        let named = ["documents", "slots", "chunks", "stores"];
        let text = with_field_everywhere(&manifest.to_json(), &named, &name, &value);
        prop_assert_eq!(Manifest::parse(&text).unwrap(), manifest);
    }

    #[test]
    fn an_unknown_format_is_named_whatever_else_there_is(format in 2_u64.., name in "[a-z]{1,8}", value in json()) {
        prop_assume!(name != "format");
        let text = serde_json::json!({ "format": format, (name): value }).to_string();
        let error = Release::parse(&text).unwrap_err();
        prop_assert_eq!(error.code(), "unknown_format");
        prop_assert_eq!(
            error.to_string(),
            format!("release.json has format {format}, and only format 1 is known")
        );
    }

    #[test]
    fn a_value_out_of_range_is_refused(mut release in release(), which in 0..9) {
        match which {
            0 => release.app = Some("a b".into()),
            1 => release.sequence = 1 << 53,
            2 => release.build.manifest = Some("../builds/a.json".into()),
            3 => release.build.manifest = Some("https://elsewhere.test/a.json".into()),
            4 => release.build.id = BuildId(String::new()),
            5 => release.issued = Some("yesterday".into()),
            6 => release.message = Some("m".repeat(501)),
            7 => release.build.integrity = Some("sha384-short".into()),
            _ => release.rollout = Some(Rollout { percent: 101, salt: String::new(), otherwise: None }),
        }
        prop_assert_eq!(Release::parse(&release.to_json()).unwrap_err().code(), "invalid_value");
    }

    #[test]
    fn a_time_keeps_its_order(seconds in 0_u64..4_000_000_000, later in 1_u64..1_000_000) {
        let text = |seconds| iso(seconds);
        let first = format::time(&text(seconds)).unwrap();
        prop_assert_eq!(first.0, seconds * 1_000);
        prop_assert!(format::time(&text(seconds + later)).unwrap() > first);
    }
}

fn release() -> impl Strategy<Value = Release> {
    let first = (
        option::of(id()),
        id(),
        0..1_u64 << 53,
        option::of(time()),
        option::of(time()),
        build_ref(),
    );
    let second = (
        select(&[Urgency::Routine, Urgency::Soon, Urgency::Now][..]),
        option::of("\\PC{0,500}"),
        option::of(rollout()),
        option::of(0..1_u64 << 53),
        collection::vec(retire(), 0..3),
    );
    (first, second).prop_map(|(first, second)| {
        let (app, channel, sequence, issued, expires, build) = first;
        let (urgency, message, rollout, floor, retire) = second;
        Release {
            format: 1,
            app,
            channel,
            sequence,
            issued,
            expires,
            build,
            urgency,
            message,
            rollout,
            floor,
            retire,
        }
    })
}

fn build_ref() -> impl Strategy<Value = BuildRef> {
    let integrity = option::of(integrity());
    (id(), option::of(path()), integrity).prop_map(|(id, manifest, integrity)| BuildRef {
        id: BuildId(id),
        manifest,
        integrity,
    })
}

fn rollout() -> impl Strategy<Value = Rollout> {
    (0..=100_u8, any::<String>(), option::of(build_ref())).prop_map(|(percent, salt, otherwise)| {
        Rollout {
            percent,
            salt,
            otherwise,
        }
    })
}

fn retire() -> impl Strategy<Value = Retire> {
    (
        id(),
        select(&[How::Drain, How::Force][..]),
        option::of(time()),
    )
        .prop_map(|(build, how, by)| Retire {
            build: BuildId(build),
            how,
            by,
        })
}

/// Reads a manifest as a page does, some bytes at a time.
fn sliced(text: &str, bytes: usize) -> Result<Manifest, ParseError> {
    let mut reading = Reading::new(text)?;
    for _ in 0..=text.len() {
        if let Some(read) = reading.step(bytes) {
            return read;
        }
    }
    panic!("it never ends: {reading:?} of {text}");
}

#[test]
fn a_slice_is_as_large_as_it_may_be_and_no_field_is_taken_twice() {
    let chunk = r#"{"id":"i","code":"c","integrity":"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","size":1,"kind":"script","owner":"shell"}"#;
    let chunks: Vec<String> = (0..500)
        .map(|place| format!("\"assets/{place:04}.js\":{chunk}"))
        .collect();
    let chunks = format!("{{{}}}", chunks.join(","));
    let with = |more: &str| {
        format!(r#"{{"format":1,"app":"shop","id":"a","created":"x","chunks":{chunks}{more}}}"#)
    };
    let text = with("");
    let mut reading = Reading::new(text.as_str()).unwrap();
    let mut steps = 1;
    let manifest = loop {
        match reading.step(4_096) {
            Some(read) => break read.unwrap(),
            None => steps += 1,
        }
    };
    assert_eq!(manifest.chunks.len(), 500);
    let expected = text.len() / 4_096;
    assert!(
        (expected / 2..=expected + 1).contains(&steps),
        "{steps} steps"
    );
    for twice in [r#","chunks":{"b.js":{}}"#, r#","id":"b""#] {
        let error = sliced(&with(twice), 10).unwrap_err();
        assert!(error.sentence().contains("duplicate field"), "{error}");
    }
    let refused = with("").replacen(&chunks, "7", 1);
    let field = match cfg!(target_family = "wasm") {
        true => "the manifest is wrong",
        false => "the manifest has a wrong chunks",
    };
    assert_eq!(
        sliced(&refused, 10).unwrap_err().to_string(),
        [field, ": invalid type: integer `7`, expected an object"].concat()
    );
    for text in ["[1]", "7", "\"a\""] {
        assert_eq!(sliced(text, 10).unwrap_err().code(), "not_an_object");
    }
    for text in ["{", "{\"chunks\":{", "{\"chunks\":{\"a\":{}}"] {
        assert_eq!(sliced(text, 10).unwrap_err().code(), "cut_off");
    }
    let twice = format!("{text} {{}}");
    for text in [
        twice.as_str(),
        "{\"chunks\":{},}",
        "{\"a\":1 \"b\":2}",
        "{,}",
    ] {
        assert_eq!(sliced(text, 10).unwrap_err().code(), "not_json", "{text}");
    }
}

fn manifest() -> impl Strategy<Value = Manifest> {
    let first = (
        id(),
        id(),
        option::of(any::<String>()),
        time(),
        any::<String>(),
        option::of(commit()),
        any::<u32>(),
    );
    let documents = (integrity(), 0..=MAX_SAFE_INTEGER)
        .prop_map(|(integrity, size)| Document { integrity, size });
    let slots = (
        path(),
        select(&[SlotKind::Module, SlotKind::Wasm, SlotKind::Unknown][..]),
        any::<u32>(),
    )
        .prop_map(|(file, kind, schema)| Slot { file, kind, schema });
    let stores = (any::<u32>(), collection::vec(any::<u32>(), 0..3))
        .prop_map(|(schema, reads)| Store { schema, reads });
    let second = (
        paths(),
        option::of(integrity()),
        named(path(), documents),
        named(any::<String>(), slots),
        named(path(), chunk()),
        named(any::<String>(), stores),
    );
    (first, second).prop_map(|(first, second)| {
        let (app, id, version, created, base, commit, epoch) = first;
        let (entries, html, documents, slots, chunks, stores) = second;
        let id = BuildId(id);
        Manifest {
            format: 1,
            app,
            id,
            version,
            created,
            base,
            commit,
            epoch,
            entries,
            html,
            documents,
            slots,
            chunks,
            stores,
        }
    })
}

fn commit() -> impl Strategy<Value = Commit> {
    (
        any::<String>(),
        option::of(any::<String>()),
        option::of(any::<String>()),
        option::of(any::<String>()),
    )
        .prop_map(|(sha, author, message, time)| Commit {
            sha,
            author,
            message,
            time,
        })
}

fn chunk() -> impl Strategy<Value = Chunk> {
    let kinds = select(
        &[
            ChunkKind::Script,
            ChunkKind::Style,
            ChunkKind::Wasm,
            ChunkKind::Asset,
        ][..],
    );
    let owners = select(&[Owner::Shell, Owner::Slot, Owner::Shared, Owner::Pinned][..]);
    let first = (
        any::<String>(),
        any::<String>(),
        integrity(),
        0..=MAX_SAFE_INTEGER,
    );
    let exports = collection::vec(any::<String>(), 0..4);
    (first, kinds, paths(), paths(), paths(), exports, owners).prop_map(
        |(first, kind, imports, dynamic_imports, css, exports, owner)| {
            let (id, code, integrity, size) = first;
            Chunk {
                id,
                code,
                integrity,
                size,
                kind,
                imports,
                dynamic_imports,
                css,
                exports,
                owner,
            }
        },
    )
}

fn named<V: std::fmt::Debug>(
    names: impl Strategy<Value = String>,
    values: impl Strategy<Value = V>,
) -> impl Strategy<Value = Names<V>> {
    collection::vec((names, values), 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

fn id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}"
}

fn path() -> impl Strategy<Value = String> {
    "[A-Za-z0-9ü_\\[-][A-Za-z0-9 ._\\]-]{0,12}(/[A-Za-z0-9_-][A-Za-z0-9 ._-]{0,12}){0,3}"
}

fn paths() -> impl Strategy<Value = Vec<String>> {
    collection::vec(path(), 0..4)
}

fn integrity() -> impl Strategy<Value = String> {
    "(sha256-[A-Za-z0-9+/]{43}=|sha384-[A-Za-z0-9+/]{64}|sha512-[A-Za-z0-9+/]{86}==)"
}

fn time() -> impl Strategy<Value = String> {
    (0_u64..4_000_000_000).prop_map(iso)
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// `text` with one byte changed; still a text.
fn damaged(text: &str, at: usize, byte: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let length = bytes.len();
    if let Some(place) = bytes.get_mut(at % length) {
        *place = byte;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `text` with a field added to every object, but not to the maps that are `named` by their content.
fn with_field_everywhere(text: &str, named: &[&str], name: &str, value: &Value) -> String {
    fn add(place: &mut Value, is_map: bool, named: &[&str], name: &str, value: &Value) {
        match place {
            Value::Object(fields) => {
                for (field, inner) in fields.iter_mut() {
                    add(
                        inner,
                        !is_map && named.contains(&field.as_str()),
                        named,
                        name,
                        value,
                    );
                }
                if !is_map {
                    fields.insert(name.into(), value.clone());
                }
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| add(item, false, named, name, value)),
            _ => {}
        }
    }
    let mut document: Value = serde_json::from_str(text).unwrap();
    add(&mut document, false, named, name, value);
    document.to_string()
}

/// Seconds since 1970 as ISO 8601, counted day by day: slow, and independent of the code under test.
fn iso(seconds: u64) -> String {
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= if is_leap(year) { 366 } else { 365 } {
        days -= if is_leap(year) { 366 } else { 365 };
        year += 1;
    }
    let lengths = [
        31,
        if is_leap(year) { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!(
        "{year:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
        month + 1,
        days + 1
    )
}
