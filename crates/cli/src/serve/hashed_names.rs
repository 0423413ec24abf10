//! Whether a file is named after its content, so that it can be cached for ever.
//!
//! A wrong "yes" keeps old bytes in browsers for a year, a wrong "no" costs a conditional request. So only a proof
//! counts: the manifest, which tells names by the bundler from names by an author, or the content itself. The look of a
//! name proves nothing: `cafe2024.png` is a picture of a café.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};

/// Bundlers put at least this many characters of a hash into names.
const SHORTEST: usize = 8;

/// The hash that a bundler put into the name of `path`. `id` is the module id that the bundler uses: a copied file has
/// its path as its id, and any part of an id was chosen by an author.
pub fn bundled_hash<'a>(path: &'a str, id: &str) -> Option<&'a str> {
    if id == path {
        return None;
    }
    parts(path)
        .into_iter()
        .find(|part| is_hash(part) && !id.contains(part))
}

/// Whether the name of `path` holds the beginning of a common hash of `bytes`.
pub fn content_proves(path: &str, bytes: &[u8]) -> bool {
    let parts: Vec<_> = parts(path)
        .into_iter()
        .filter(|part| part.len() >= SHORTEST && part.bytes().all(is_of_a_hash))
        .collect();
    !parts.is_empty()
        && [&SHA256, &SHA1_FOR_LEGACY_USE_ONLY, &SHA384, &SHA512]
            .into_iter()
            .any(|algorithm| {
                let hash = digest(algorithm, bytes);
                let hex: String = hash
                    .as_ref()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                let base64 = URL_SAFE_NO_PAD.encode(hash.as_ref());
                parts
                    .iter()
                    .any(|part| hex.starts_with(part) || base64.starts_with(part))
            })
}

/// Every part of the name that may be a hash: from each separator to an ending, and the whole name.
fn parts(path: &str) -> Vec<&str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    // The name without its last ending. Maps and licences have two endings: `x-hash.js.map`.
    let Some((stem, _)) = name.rsplit_once('.') else {
        return Vec::new();
    };
    let mut stems = vec![stem];
    // wasm-bindgen adds this ending after the hash that Trunk puts in.
    stems.extend(stem.strip_suffix("_bg"));
    if let Some((shorter, ending)) = stem.rsplit_once('.')
        && ending.len() <= 5
    {
        stems.push(shorter);
    }
    stems
        .into_iter()
        .flat_map(|stem| {
            // A base64url hash may contain `-` and `_`, so it may span several parts.
            stem.rmatch_indices(['-', '.', '_'])
                .map(|(cut, _)| &stem[cut + 1..])
                .chain([stem])
        })
        .collect()
}

/// The hashes bundlers write: hex (webpack, Parcel), eight upper-case letters and digits (esbuild), eight characters of
/// base64url (Vite, Rollup).
fn is_hash(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().any(u8::is_ascii_digit);
    let letters = bytes.iter().any(u8::is_ascii_alphabetic);
    let all = |allowed: fn(u8) -> bool| bytes.iter().all(|b| allowed(*b));
    if (SHORTEST..=64).contains(&bytes.len())
        && digits
        && letters
        && all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
    {
        return true;
    }
    if bytes.len() != SHORTEST || !all(is_of_a_hash) {
        return false;
    }
    if digits && letters && all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
        return true;
    }
    // A word rarely changes between lower case, upper case and digits (`Version2`: twice); a hash often does.
    let changes = bytes
        .windows(2)
        .filter(|pair| class(pair[0]) != class(pair[1]))
        .count();
    changes >= 3
}

fn is_of_a_hash(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_that_a_bundler_put_into_a_name_is_found() {
        for (path, id, hash) in [
            ("assets/index-B4qR8tz2.js", "src/main.jsx", "B4qR8tz2"),
            ("assets/index-aB_3-xYz.css", "src/main.css", "aB_3-xYz"),
            ("assets/Cart-DiwrgTda.js", "src/Cart.jsx", "DiwrgTda"),
            ("static/js/main.3f2a1b9c.js", "./src/index.js", "3f2a1b9c"),
            ("static/js/main.3f2a1b9c.chunk.js", "main", "3f2a1b9c"),
            (
                "assets/index-B4qR8tz2.js.map",
                "src/main.jsx.map",
                "B4qR8tz2",
            ),
            ("chunk-5X2GZ7QK.js", "chunk:a", "5X2GZ7QK"),
            (
                "_app-3c2f9be177eb0c1a_bg.wasm",
                "app.wasm",
                "3c2f9be177eb0c1a",
            ),
            (
                "0a1b2c3d4e5f60718293.png",
                "src/logo.png",
                "0a1b2c3d4e5f60718293",
            ),
            (
                "assets/cafe2024-Dx7yZ12a.png",
                "src/cafe2024.png",
                "Dx7yZ12a",
            ),
        ] {
            assert_eq!(bundled_hash(path, id), Some(hash), "{path}");
        }
    }

    #[test]
    fn what_the_list_does_not_prove_is_no_hash_however_it_looks() {
        for path in [
            "cafe2024.png",
            "best-of-decade2020.jpg",
            "team-facade01.webp",
            "assets/index-B4qR8tz2.js",
            "0a1b2c3d4e5f60718293.png",
        ] {
            assert_eq!(bundled_hash(path, path), None, "{path}");
        }
    }

    #[test]
    fn what_an_author_named_is_no_hash() {
        for (path, id) in [
            ("assets/my-darkMode.js", "src/my-darkMode.jsx"),
            ("assets/cafe2024.png", "src/img/cafe2024.png"),
            ("assets/team-facade01.webp", "src/team-facade01.webp"),
            ("assets/main-version2.js", "src/main.js"),
            ("assets/main-Version2.js", "src/main.js"),
            ("swagger-ui-standalone-preset.js", "src/index.js"),
            ("jquery-3.7.1.min.js", "src/jquery.js"),
            ("report-20240131.js", "src/report.js"),
            ("logo-iPhone15.svg", "src/logo.svg?iPhone15"),
            ("deadbeef.js", "src/main.js"),
            ("README", "src/README.md"),
        ] {
            assert_eq!(bundled_hash(path, id), None, "{path}");
        }
    }

    #[test]
    fn a_name_that_begins_a_hash_of_the_content_is_proved_by_it() {
        // The published digests of the empty string and of "abc".
        for path in [
            "app.e3b0c442.js",
            "e3b0c44298fc1c14.css",
            "app-da39a3ee.js",
            "a/x-47DEQpj8.js.map",
            "app-e3b0c442_bg.wasm",
        ] {
            assert!(content_proves(path, b""), "{path}");
            assert!(!content_proves(path, b"abc"), "{path}");
        }
        assert!(content_proves("ba7816bf8f01cfea.js", b"abc"));
        for path in ["e3b0.js", "app.js", "e3b0c442", "cafe2024.png"] {
            assert!(!content_proves(path, b""), "{path}");
        }
    }
}
