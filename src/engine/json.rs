//! Reads JSON into values. Strict, bounded in depth, and without the generated code of a deserialiser for each type,
//! which would be a third of the runtime.

use alloc::{string::String, vec::Vec};

/// Deeper documents are none of ours; each level costs stack.
const DEEPEST: usize = 64;

/// A value of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Bool(bool),
    /// `None`: a number that is no whole number from 0 to 2^64 - 1; none of ours is such a one.
    Number(Option<u64>),
    Text(String),
    List(Vec<Value>),
    /// In the order of the document.
    Object(Vec<(String, Value)>),
}

/// Why a text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It ends too early.
    CutOff,
    /// The byte at this place, counted from 1, cannot stand there.
    At(usize),
    TooDeep,
}

/// Reads a whole document.
pub fn read(text: &str) -> Result<Value, Fault> {
    let mut reader = Reader::new(text, 0);
    let value = reader.value(0)?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.fault()),
    }
}

/// Reads a document part by part.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Begins, or goes on, at a place that [`Reader::at`] has named.
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn fault(&self) -> Fault {
        if self.at < self.text.len() {
            Fault::At(self.at + 1)
        } else {
            Fault::CutOff
        }
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    pub(super) fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.fault())
        }
    }

    pub(super) fn value(&mut self, depth: usize) -> Result<Value, Fault> {
        if depth > DEEPEST {
            return Err(Fault::TooDeep);
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Value::Text),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.fault()),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Fault> {
        word.bytes()
            .try_for_each(|byte| self.expect(byte))
            .map(|()| value)
    }

    fn object(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut fields = Vec::new();
        self.expect(b'{')?;
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(fields));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            self.expect(b':')?;
            fields.push((name, self.value(depth + 1)?));
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(fields));
            }
            self.expect(b',')?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut items = Vec::new();
        self.expect(b'[')?;
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            self.expect(b',')?;
        }
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let negative = self.take(b'-');
        let mut whole = Some(0_u64);
        if !self.take(b'0') {
            whole = self.digits()?;
        }
        let mut odd = negative;
        if self.take(b'.') {
            self.digits()?;
            odd = true;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
            odd = true;
        }
        Ok(Value::Number(whole.filter(|_| !odd)))
    }

    /// At least one digit; `None` when they are too many.
    fn digits(&mut self) -> Result<Option<u64>, Fault> {
        let start = self.at;
        let mut number = Some(0_u64);
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            let digit = u64::from(digit - b'0');
            number = number.and_then(|number| number.checked_mul(10)?.checked_add(digit));
            self.at += 1;
        }
        if self.at == start {
            Err(self.fault())
        } else {
            Ok(number)
        }
    }

    pub(super) fn string(&mut self) -> Result<String, Fault> {
        self.expect(b'"')?;
        let mut string = String::new();
        let mut start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    string.push_str(self.text.get(start..self.at).unwrap_or_default());
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => {
                    string.push_str(self.text.get(start..self.at).unwrap_or_default());
                    self.at += 1;
                    string.push(self.escape()?);
                    start = self.at;
                }
                Some(0x20..) => self.at += 1,
                Some(..0x20) | None => return Err(self.fault()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let character = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let first = self.four_digits()?;
                // Half a pair stands for nothing, and JavaScript writes it all the same.
                if let 0xd800..0xdc00 = first
                    && self
                        .text
                        .get(self.at..)
                        .is_some_and(|rest| rest.starts_with("\\u"))
                {
                    let before = self.at;
                    self.at += 2;
                    let second = self.four_digits()?;
                    if let 0xdc00..0xe000 = second {
                        let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                        return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = before;
                }
                return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            _ => return Err(self.fault()),
        };
        self.at += 1;
        Ok(character)
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let mut number = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return Err(self.fault());
            };
            number = number * 16 + digit;
            self.at += 1;
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_kind_of_value_is_read() {
        let text = r#" {"a": [1, -1, 2.5, 1e3, 18446744073709551616, true, false, null], "b": {}, "c": []} "#;
        let number = |number| Value::Number(number);
        let list = vec![
            number(Some(1)),
            number(None),
            number(None),
            number(None),
            number(None),
            Value::Bool(true),
            Value::Bool(false),
            Value::Null,
        ];
        let fields = vec![
            ("a".into(), Value::List(list)),
            ("b".into(), Value::Object(vec![])),
            ("c".into(), Value::List(vec![])),
        ];
        assert_eq!(read(text), Ok(Value::Object(fields)));
    }

    #[test]
    fn every_escape_is_read() {
        let text = r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 ü""#;
        assert_eq!(
            read(text),
            Ok(Value::Text("\"\\/\u{8}\u{c}\n\r\té😀 ü".into()))
        );
        assert_eq!(
            read(r#""\ud83d \ud83d\u0041""#),
            Ok(Value::Text("\u{fffd} \u{fffd}A".into()))
        );
    }

    #[test]
    fn what_is_not_json_is_refused_where_it_begins() {
        for (text, fault) in [
            ("", Fault::CutOff),
            ("{\"a\":1", Fault::CutOff),
            ("\"a", Fault::CutOff),
            ("\"\\u00", Fault::CutOff),
            ("tru", Fault::CutOff),
            ("-", Fault::CutOff),
            ("{\"a\" 1}", Fault::At(6)),
            ("[1,]", Fault::At(4)),
            ("{,}", Fault::At(2)),
            ("01", Fault::At(2)),
            ("1 2", Fault::At(3)),
            ("\"a\nb\"", Fault::At(3)),
            ("\"\\x\"", Fault::At(3)),
            ("nul!", Fault::At(4)),
            ("'a'", Fault::At(1)),
        ] {
            assert_eq!(read(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_document_that_is_too_deep_is_refused_before_the_stack_is() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&deep(DEEPEST)).is_ok());
        assert_eq!(read(&deep(100_000)), Err(Fault::TooDeep));
    }
}
