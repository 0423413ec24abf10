//! Times, sizes and documents that are wrong.

use super::*;
use crate::time::Timestamp;
use alloc::{collections::BTreeSet, string::ToString};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn every_kind_of_error_has_a_code_and_a_sentence_of_its_own() {
    let table = [
        (Kind::Empty, "release.json is empty"),
        (
            Kind::TooLarge { size: 9, limit: 8 },
            "release.json has 9 bytes, more than the 8 that are read",
        ),
        (Kind::Html, "release.json answered HTML instead of JSON"),
        (Kind::CutOff, "release.json ends in the middle"),
        (
            Kind::NotJson { line: 1, column: 3 },
            "release.json is not JSON: line 1, column 3 is wrong",
        ),
        (Kind::NotAnObject, "release.json is JSON, but not an object"),
        (
            Kind::UnknownFormat { format: 2 },
            "release.json has format 2, and only format 1 is known",
        ),
        (
            Kind::Missing {
                field: "build.id".into(),
            },
            "release.json has no build.id",
        ),
        (
            Kind::Invalid {
                field: "floor".into(),
                what: "invalid value: integer `-1`, expected u64".into(),
            },
            "release.json has a wrong floor: invalid value: integer `-1`, expected u64",
        ),
    ];
    let mut codes = BTreeSet::new();
    for (kind, sentence) in table {
        let error = ParseError::new("release.json", kind);
        assert_eq!(error.to_string(), sentence);
        assert!(codes.insert(error.code()), "{} is used twice", error.code());
    }
}

#[test]
fn a_time_is_read_with_its_fraction_and_offset() {
    for (text, expected) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("2000-02-29T12:00:00Z", Some(951_825_600_000)),
        ("2026-07-31T12:00:00.5Z", Some(1_785_499_200_500)),
        ("2026-07-31T14:00:00.123456+02:00", Some(1_785_499_200_123)),
        ("2026-07-31T02:30:00-09:30", Some(1_785_499_200_000)),
        ("1969-12-31T23:59:59Z", None),
        ("2026-02-29T00:00:00Z", None),
        ("2026-13-01T00:00:00Z", None),
        ("2026-07-31", None),
        ("2026-07-31T12:00:00", None),
        ("2026-07-31T24:00:00Z", None),
        ("2026-07-31T12:00:00+0200", None),
        ("2026-07-31T12:00:00.Z", None),
        ("tomorrow", None),
        ("", None),
    ] {
        assert_eq!(time(text), expected.map(Timestamp), "{text}");
    }
}

#[test]
fn a_relative_path_never_leaves_its_place() {
    for path in [
        "builds/a.json",
        "assets/[id].js",
        "a b/ü.js",
        "builds/a:b.json",
        "...",
        "x/..y",
    ] {
        assert!(is_relative_path(path), "{path}");
    }
    for path in [
        "",
        "/a",
        "//host/a",
        "../a",
        "a/../b",
        "a/./b",
        "a//b",
        "a/",
        "https://host/a",
        "data:x",
        "a\\b",
        "a?b",
        "a#b",
        "a/%2e%2E/b",
        "a/.%2e/b",
        "%2e",
        "a\nb",
    ] {
        assert!(!is_relative_path(path), "{path}");
    }
}

#[test]
fn an_integrity_has_a_known_algorithm_and_the_length_of_its_hash() {
    assert!(is_integrity(
        "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"
    ));
    assert!(is_integrity(
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    ));
    for text in [
        "",
        "sha384-",
        "md5-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha256-x",
        "47DEQpj8",
    ] {
        assert!(!is_integrity(text), "{text}");
    }
}
