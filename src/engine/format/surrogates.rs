//! Halves of characters. JavaScript cuts a text between the two parts of an emoji and writes the rest as `"\ud83d"`; serde_json
//! refuses a document for it, and a whole release would be lost for the end of its message.

use alloc::string::String;

/// The JSON with `\ufffd` in place of each half of a character; `None` when there is no such half.
pub(super) fn replaced(json: &str) -> Option<String> {
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    let mut is_changed = false;
    while let Some(at) = rest.find('\\') {
        let (before, from) = rest.split_at(at);
        whole.push_str(before);
        let length = match (half(from), from.get(6..).and_then(half)) {
            (Some(Half::First), Some(Half::Second)) => 12,
            (Some(_), _) => {
                is_changed = true;
                whole.push_str("\\ufffd");
                rest = from.get(6..)?;
                continue;
            }
            (None, _) => 2,
        };
        let (escape, after) = from.split_at_checked(length)?;
        whole.push_str(escape);
        rest = after;
    }
    whole.push_str(rest);
    is_changed.then_some(whole)
}

/// Which part of a character beyond U+FFFF an escape stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

/// At the beginning of `json`.
fn half(json: &str) -> Option<Half> {
    let digits = json.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..0xdc00 => Some(Half::First),
        0xdc00..0xe000 => Some(Half::Second),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn halves_of_characters_are_replaced_and_nothing_else_is() {
        for (json, expected) in [
            (r#""a\ud83d""#, Some(r#""a\ufffd""#)),
            (r#""\uDE00 b""#, Some(r#""\ufffd b""#)),
            (r#""\ud83d\ud83d\ude00""#, Some(r#""\ufffd\ud83d\ude00""#)),
            (r#""\ud83d\u0041""#, Some(r#""\ufffd\u0041""#)),
            (r#""\ud83d\ude00 \u00e9 \n""#, None),
            (r#""\\ud83d""#, None),
            (r#""ä😀""#, None),
            ("\"\\", None),
            ("\"\\ud8", None),
            ("", None),
        ] {
            assert_eq!(replaced(json).as_deref(), expected, "{json}");
        }
    }
}
