//! Small things done to text without the machinery of `core::fmt` and of `str` patterns, which would be a tenth of
//! the runtime.

use alloc::string::String;

/// The parts, one after the other.
pub fn join(parts: &[&str]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        text.push_str(part);
    }
    text
}

/// `number` in decimal.
pub fn decimal(number: u64) -> String {
    let mut text = String::new();
    let mut place = 1_u64;
    while number / place >= 10 {
        place *= 10;
    }
    while place > 0 {
        let digit = u32::try_from(number / place % 10).unwrap_or_default();
        text.extend(char::from_digit(digit, 10));
        place /= 10;
    }
    text
}

/// `text` in quotation marks, cut where a sentence would burst, without characters that end a line.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut quoted = String::from("\"");
    for (place, character) in text.chars().enumerate() {
        if place == LONGEST {
            quoted.push('…');
            break;
        }
        quoted.push(if character < ' ' { ' ' } else { character });
    }
    quoted.push('"');
    quoted
}

/// `text` without what the URLs in it may keep secret: user and password, query and fragment.
pub fn discreet(text: &str) -> String {
    let ends = |character: char| {
        character <= ' '
            || matches!(
                character,
                '"' | '\'' | '\\' | '(' | ')' | '<' | '>' | '“' | '”'
            )
    };
    let mut kept = String::with_capacity(text.len());
    for word in text.split_inclusive(ends) {
        let end = word.trim_end_matches(ends).len();
        let (word, rest) = word.split_at(end);
        let host = find(word, "://").map_or(0, |at| at + 3);
        let (scheme, word) = word.split_at(host);
        let is_over = |character: char| matches!(character, '/' | '?' | '#');
        let authority = word.find(is_over).unwrap_or(word.len());
        let user = word
            .get(..authority)
            .filter(|_| host > 0)
            .and_then(|authority| authority.rfind('@'));
        let (_, word) = word.split_at(user.map_or(0, |at| at + 1));
        let path = if host > 0 { Some(0) } else { word.find('/') };
        let secret = path.and_then(|path| {
            let query = word.get(path..)?.find(['?', '#'])?;
            Some(path + query)
        });
        let (word, _) = word.split_at(secret.unwrap_or(word.len()));
        for part in [scheme, word, rest] {
            kept.push_str(part);
        }
    }
    kept
}

/// Where `part` begins in `text`, in bytes.
pub fn find(text: &str, part: &str) -> Option<usize> {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    (0..=text.len().checked_sub(part.len())?)
        .find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(part)))
}

/// A number for a text; not for what an attacker may choose. FNV, eight bytes at a time, its upper half mixed in: the lower one alone does not see the ends of the words.
pub fn hash(text: &str) -> u64 {
    let hash = text
        .as_bytes()
        .chunks(8)
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, bytes| {
            let word = bytes
                .iter()
                .fold(0, |word, byte| (word << 8) | u64::from(*byte));
            (hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
        });
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn numbers_read_as_the_formatter_writes_them() {
        for number in [0, 1, 9, 10, 99, 100, 12_345, 1 << 53, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }

    #[test]
    fn parts_are_found_where_the_library_finds_them() {
        for (text, part) in [
            ("", ""),
            ("a", ""),
            ("", "a"),
            ("über das", "das"),
            ("aab", "ab"),
            ("abc", "abcd"),
        ] {
            assert_eq!(find(text, part), text.find(part), "{part:?} in {text:?}");
        }
    }

    #[test]
    fn what_urls_may_keep_secret_is_left_out() {
        for (text, kept) in [
            (
                "https://ada:pw@shop.test/a.js?token=1#x failed",
                "https://shop.test/a.js failed",
            ),
            (
                "Unable to preload CSS for /a.css?token=1",
                "Unable to preload CSS for /a.css",
            ),
            (
                "Loading chunk 5 failed.\n(error: https://shop.test/a.js?token=1)",
                "Loading chunk 5 failed.\n(error: https://shop.test/a.js)",
            ),
            (
                r#"{"manifest":"builds/a.json?token=1","n":"Why? Über #3"}"#,
                r#"{"manifest":"builds/a.json","n":"Why? Über #3"}"#,
            ),
            ("“https://shop.test?token=1”", "“https://shop.test”"),
            (
                "ada@shop.test, 1/2 and https://shop.test/@ada",
                "ada@shop.test, 1/2 and https://shop.test/@ada",
            ),
            ("", ""),
        ] {
            assert_eq!(discreet(text), kept);
        }
    }

    #[test]
    fn a_quotation_stays_on_its_line_and_short() {
        assert_eq!(quoted("a\nb"), "\"a b\"");
        assert_eq!(
            quoted(&"ä".repeat(121)),
            format!("\"{}…\"", "ä".repeat(120))
        );
        assert_eq!(join(&["a", "", "b"]), "ab");
    }
}
