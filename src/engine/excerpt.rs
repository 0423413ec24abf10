//! Text from outside made fit for a sentence: short, on one line, and without secrets.

use alloc::{format, string::String};

/// Longest excerpt of a value, in characters.
const LONGEST: usize = 120;

/// The text without secrets, on one line, cut where a sentence would burst.
pub fn excerpt(text: &str) -> String {
    shortened(&discreet(text), LONGEST)
}

/// The text on one line, cut after so many characters.
pub fn shortened(text: &str, most: usize) -> String {
    let mut short = String::new();
    for (place, character) in text.chars().enumerate() {
        if place == most {
            short.push('…');
            break;
        }
        short.push(if character < ' ' { ' ' } else { character });
    }
    short
}

/// The text in quotation marks, shortened.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", shortened(text, LONGEST))
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
        let host = word.find("://").map_or(0, |at| at + 3);
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

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

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
    }
}
