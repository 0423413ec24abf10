//! Whether a file is named after its content, and so may be cached for ever.
//!
//! A wrong yes pins old bytes in browsers for a year, a wrong no costs one conditional request. So: certain, or no.

/// Whether the name of `path` holds a content hash. `id` is the bundler's name for the module; where it differs from the
/// path, a bundler made the name.
pub fn looks_hashed(path: &str, id: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    // Everything before the last ending; maps and licences end twice: `x-hash.js.map`.
    let Some((stem, _)) = name.rsplit_once('.') else {
        return false;
    };
    // What the module is called by its author is no hash: `src/my-darkMode.jsx`.
    let bundled = |tail: &str| id != path && !id.contains(tail);
    let mut tails = vec![stem];
    // wasm-bindgen ends its names so, after the hash that Trunk puts in.
    tails.extend(stem.strip_suffix("_bg"));
    if let Some((shorter, ending)) = stem.rsplit_once('.')
        && ending.len() <= 5
    {
        tails.push(shorter);
    }
    tails.into_iter().any(|stem| {
        stem.rmatch_indices(['-', '.', '_'])
            // A base64url hash may itself hold `-` and `_`, so more than the last part may be it.
            .any(|(cut, _)| is_hash(&stem[cut + 1..], bundled(&stem[cut + 1..])))
            || is_hash(stem, false)
    })
}

/// The hashes bundlers write: hex (webpack, Parcel), eight upper-case letters and digits (esbuild), eight characters of
/// base64url (Vite, Rollup).
fn is_hash(text: &str, bundled: bool) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let all = |allowed: fn(u8) -> bool| bytes.iter().all(|b| allowed(*b));
    if (8..=64).contains(&bytes.len())
        && digits > 0
        && letters > 0
        && all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
    {
        return true;
    }
    if bytes.len() != 8 || !all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return false;
    }
    if digits > 0 && letters > 0 && all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
        return true;
    }
    // A word has few changes between small, capital and digit (`iPhone15`: 3); a hash has many.
    let changes = bytes
        .windows(2)
        .filter(|pair| class(pair[0]) != class(pair[1]))
        .count();
    changes >= if bundled { 1 } else { 4 }
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
    fn names_with_a_hash_of_a_common_bundler_are_recognised() {
        for path in [
            "assets/index-B4qR8tz2.js",
            "assets/index-aB_3-xYz.css",
            "static/js/main.3f2a1b9c.js",
            "static/js/main.3f2a1b9c.chunk.js",
            "assets/index-B4qR8tz2.js.map",
            "chunk-5X2GZ7QK.js",
            "_app-3c2f9be177eb0c1a_bg.wasm",
            "0a1b2c3d4e5f60718293.png",
        ] {
            assert!(looks_hashed(path, path), "{path}");
        }
        assert!(looks_hashed("assets/Cart-DiwrgTda.js", "src/Cart.jsx"));
        assert!(!looks_hashed(
            "assets/my-darkMode.js",
            "src/my-darkMode.jsx"
        ));
    }

    #[test]
    fn names_that_people_give_are_not_taken_for_hashes() {
        for path in [
            "swagger-ui-standalone-preset.js",
            "swagger-ui-bundle.js",
            "jquery-3.7.1.min.js",
            "report-20240131.js",
            "logo-darkBlue.svg",
            "logo-iPhone15.png",
            "app-version1.js",
            "favicon.ico",
            "README",
            "deadbeef.js",
            "oauth2-redirect.js",
        ] {
            assert!(!looks_hashed(path, path), "{path}");
        }
    }
}
