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
        text.push(digit(number / place % 10));
        place /= 10;
    }
    text
}

/// The last `count` hexadecimal digits of `number`.
pub fn hexadecimal(number: u64, count: u32) -> String {
    (0..count)
        .rev()
        .map(|place| digit((number >> (4 * place)) & 15))
        .collect()
}

fn digit(value: u64) -> char {
    char::from_digit(u32::try_from(value).unwrap_or_default(), 16).unwrap_or('?')
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

/// Where `part` begins in `text`, in bytes.
pub fn find(text: &str, part: &str) -> Option<usize> {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    (0..=text.len().checked_sub(part.len())?)
        .find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(part)))
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
            assert_eq!(hexadecimal(number, 16), format!("{number:016x}"));
        }
        assert_eq!(hexadecimal(0xabcdef, 4), "cdef");
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
    fn a_quotation_stays_on_its_line_and_short() {
        assert_eq!(quoted("a\nb"), "\"a b\"");
        assert_eq!(
            quoted(&"ä".repeat(121)),
            format!("\"{}…\"", "ä".repeat(120))
        );
        assert_eq!(join(&["a", "", "b"]), "ab");
    }
}
