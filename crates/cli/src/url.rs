//! Percent-encoding of paths, and URLs as they may be shown.

use changeover::engine::excerpt::discreet;

/// Encodes each part of a `/`-separated path for use in a URL.
pub fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte);
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Decodes percent-encoding. Invalid escapes and invalid UTF-8 stay as they are.
pub fn decoded(text: &str) -> String {
    try_decoded(text).unwrap_or_else(|| text.to_owned())
}

/// Decodes percent-encoding; `None` when the bytes are not UTF-8. A `%` without two hex digits stays as it is.
pub fn try_decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| Some((hex(*bytes.get(at + 1)?)?, hex(*bytes.get(at + 2)?)?)))
            .flatten();
        if let Some((high, low)) = escape {
            out.push(high * 16 + low);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).ok()
}

/// A URL, or a text with URLs in it, without the parts that may be secret, since output ends up in logs. Paths stay as
/// they are.
pub fn shown(text: &str) -> String {
    if text.contains("://") {
        discreet(text)
    } else {
        text.to_owned()
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_secrets() {
        assert_eq!(
            shown("https://ada:p@ss@shop.test/a.js?key=1 is missing"),
            "https://shop.test/a.js is missing"
        );
        assert_eq!(shown("dist/a?b"), "dist/a?b");
    }

    #[test]
    fn what_is_encoded_comes_back() {
        for path in ["a/b.js", "a b/ü%41.js", "[id].js", "😀", "100%", "a+b&c=d"] {
            let url = encoded(path);
            assert!(url.is_ascii() && !url.contains(' '));
            assert_eq!(try_decoded(&url).as_deref(), Some(path));
        }
        assert_eq!(try_decoded("%zz%4"), Some("%zz%4".into()));
        assert_eq!(try_decoded("%ff"), None);
    }
}
