//! Taking a document apart, field by field, with a rule for each.

use alloc::{string::String, vec::Vec};

use super::{
    Kind, MAX_SAFE_INTEGER, MESSAGE_LIMIT, ParseError, is_id, is_integrity, is_relative_path, time,
};
use crate::engine::{
    json::Value,
    names::Names,
    text::{decimal, discreet, join, quoted},
};

/// The fields of an object, taken out one by one. `null` counts as absent, and a field that is not taken is dropped.
///
/// The first error is kept for the end; what is missing or wrong is empty or 0 until then. An early way out of each
/// field would be a third of the code of the runtime's parsers.
pub(in crate::engine) struct Fields<'e> {
    pub(super) document: &'static str,
    /// Where the object is, for the sentence; empty or ending with a dot.
    pub(super) path: String,
    pub(super) fields: Vec<(String, Value)>,
    pub(super) error: &'e mut Option<ParseError>,
}

impl Fields<'_> {
    #[inline(never)]
    fn take(&mut self, name: &str) -> Option<Value> {
        let (_, value) = self.fields.iter_mut().find(|(field, _)| field == name)?;
        let value = core::mem::replace(value, Value::Null);
        if matches!(value, Value::Null) {
            None
        } else {
            Some(value)
        }
    }

    fn note(&mut self, kind: Kind) {
        if self.error.is_none() {
            *self.error = Some(ParseError::new(self.document, kind));
        }
    }

    #[inline(never)]
    fn missing(&mut self, name: &str) {
        let field = join(&[&self.path, name]);
        self.note(Kind::Missing { field });
    }

    #[inline(never)]
    fn invalid(&mut self, name: &str, value: &Value, rule: &'static str) {
        let value = match value {
            Value::Null => "null".into(),
            Value::Bool(true) => "true".into(),
            Value::Bool(false) => "false".into(),
            Value::Number(Some(number)) => decimal(*number),
            Value::Number(None) => "a number that is not whole, not positive or too large".into(),
            Value::Text(text) => {
                let told = discreet(text);
                let rest = if told == *text { "" } else { "…" };
                quoted(&join(&[&told, rest]))
            }
            Value::List(_) => "a list".into(),
            Value::Object(_) => "an object".into(),
        };
        let field = join(&[&self.path, name]);
        self.note(Kind::Invalid { field, value, rule });
    }

    /// A text that keeps `rule`, if it is there.
    #[inline(never)]
    pub(in crate::engine) fn maybe_text(&mut self, name: &str, rule: Rule) -> Option<String> {
        match self.take(name)? {
            Value::Text(text) if (rule.keeps)(&text) => Some(text),
            value => {
                self.invalid(name, &value, rule.words);
                None
            }
        }
    }

    /// A text that keeps `rule`.
    #[inline(never)]
    pub(in crate::engine) fn text(&mut self, name: &str, rule: Rule) -> String {
        self.maybe_text(name, rule).unwrap_or_else(|| {
            self.missing(name);
            String::new()
        })
    }

    /// A list of texts that keep `rule`; empty when it is not there.
    #[inline(never)]
    pub(in crate::engine) fn texts(&mut self, name: &str, rule: Rule) -> Vec<String> {
        let mut texts = Vec::new();
        for value in self.list(name) {
            match value {
                Value::Text(text) if (rule.keeps)(&text) => texts.push(text),
                value => self.invalid(name, &value, rule.words),
            }
        }
        texts
    }

    /// A whole number from 0 to `most`, if it is there.
    #[inline(never)]
    pub(in crate::engine) fn maybe_number(&mut self, name: &str, most: u64) -> Option<u64> {
        match self.take(name)? {
            Value::Number(Some(number)) if number <= most => Some(number),
            value => {
                self.invalid(name, &value, number_rule(most));
                None
            }
        }
    }

    /// A whole number from 0 to `most`.
    #[inline(never)]
    pub(in crate::engine) fn number(&mut self, name: &str, most: u64) -> u64 {
        self.maybe_number(name, most).unwrap_or_else(|| {
            self.missing(name);
            0
        })
    }

    /// A list of whole numbers from 0 to 2^32 - 1; empty when it is not there.
    #[inline(never)]
    pub(in crate::engine) fn smalls(&mut self, name: &str) -> Vec<u32> {
        let mut numbers = Vec::new();
        for value in self.list(name) {
            match value {
                Value::Number(Some(number)) if number <= SMALL => numbers.push(number as u32),
                value => self.invalid(name, &value, number_rule(SMALL)),
            }
        }
        numbers
    }

    /// One of `words`, by its place among them, if it is there; `rule` names them.
    #[inline(never)]
    pub(in crate::engine) fn maybe_word(
        &mut self,
        name: &str,
        words: &[&str],
        rule: &'static str,
    ) -> Option<usize> {
        let value = self.take(name)?;
        let place = match &value {
            Value::Text(text) => words.iter().position(|word| word == text),
            _ => None,
        };
        if place.is_none() {
            self.invalid(name, &value, rule);
        }
        place
    }

    /// One of `words`, by its place among them; `rule` names them.
    pub(in crate::engine) fn word(
        &mut self,
        name: &str,
        words: &[&str],
        rule: &'static str,
    ) -> usize {
        self.maybe_word(name, words, rule).unwrap_or_else(|| {
            self.missing(name);
            0
        })
    }

    /// The fields of an inner object, if it is there.
    #[inline(never)]
    pub(in crate::engine) fn maybe_inner(&mut self, name: &str) -> Option<Fields<'_>> {
        let value = self.take(name)?;
        Some(self.enter(name, value))
    }

    /// The fields of an inner object.
    pub(in crate::engine) fn inner(&mut self, name: &str) -> Fields<'_> {
        let value = self.take(name).unwrap_or_else(|| {
            self.missing(name);
            Value::Object(Vec::new())
        });
        self.enter(name, value)
    }

    /// A list of objects, each read by `read`; empty when it is not there.
    pub(in crate::engine) fn inners<V>(
        &mut self,
        name: &str,
        read: fn(&mut Fields<'_>) -> V,
    ) -> Vec<V> {
        let mut inners = Vec::new();
        for value in self.list(name) {
            inners.push(read(&mut self.enter(name, value)));
        }
        inners
    }

    /// A map whose names keep `rule`, each object read by `read`; empty when it is not there.
    pub(in crate::engine) fn named<V>(
        &mut self,
        name: &str,
        rule: Rule,
        read: fn(&mut Fields<'_>) -> V,
    ) -> Names<V> {
        let mut pairs = Vec::new();
        for (key, value) in self.entries(name, rule) {
            let value = read(&mut self.enter(&join(&[name, ".", &key]), value));
            pairs.push((key, value));
        }
        Names::from_pairs(pairs)
    }

    #[inline(never)]
    fn entries(&mut self, name: &str, rule: Rule) -> Vec<(String, Value)> {
        let Some(inner) = self.maybe_inner(name) else {
            return Vec::new();
        };
        let entries = inner.fields;
        for (key, _) in &entries {
            self.check(name, key, rule);
        }
        entries
    }

    /// Looks at a name in the map `name`.
    pub(super) fn check(&mut self, name: &str, key: &str, rule: Rule) {
        if !(rule.keeps)(key) {
            self.invalid(name, &Value::Text(key.into()), rule.words);
        }
    }

    /// Something was wrong elsewhere.
    pub(in crate::engine) fn blame(&mut self, error: Option<ParseError>) {
        if self.error.is_none() {
            *self.error = error;
        }
    }

    #[inline(never)]
    fn list(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            None => Vec::new(),
            Some(Value::List(values)) => values,
            Some(value) => {
                self.invalid(name, &value, "a list");
                Vec::new()
            }
        }
    }

    #[inline(never)]
    pub(super) fn enter(&mut self, name: &str, value: Value) -> Fields<'_> {
        let path = join(&[&self.path, name, "."]);
        let fields = match value {
            Value::Object(fields) => fields,
            value => {
                self.invalid(name, &value, "an object");
                Vec::new()
            }
        };
        Fields {
            document: self.document,
            path,
            fields,
            error: self.error,
        }
    }
}

/// The largest number of the smaller kind.
pub(in crate::engine) const SMALL: u64 = u32::MAX as u64;

pub(super) fn number_rule(most: u64) -> &'static str {
    match most {
        100 => "a whole number from 0 to 100",
        0xffff_ffff => "a whole number from 0 to 4294967295",
        MAX_SAFE_INTEGER => "a whole number from 0 to 9007199254740991",
        _ => "a whole number",
    }
}

/// What a text must be.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Rule {
    keeps: fn(&str) -> bool,
    words: &'static str,
}

impl Rule {
    pub(in crate::engine) const fn new(keeps: fn(&str) -> bool, words: &'static str) -> Self {
        Self { keeps, words }
    }
}

pub(in crate::engine) const ANY: Rule = Rule {
    keeps: |_| true,
    words: "a text",
};

pub(in crate::engine) const ID: Rule = Rule {
    keeps: is_id,
    words: "1 to 64 letters, digits, '.', '_' or '-', and not only dots",
};

pub(in crate::engine) const PATH: Rule = Rule {
    keeps: is_relative_path,
    words: "a relative path without '..', scheme or host",
};

pub(in crate::engine) const INTEGRITY: Rule = Rule {
    keeps: is_integrity,
    words: "'sha256-', 'sha384-' or 'sha512-' and the hash in base64",
};

pub(in crate::engine) const TIME: Rule = Rule {
    keeps: |text| time(text).is_some(),
    words: "a time such as 2026-07-31T12:00:00Z",
};

pub(in crate::engine) const MESSAGE: Rule = Rule {
    keeps: |text| text.chars().count() <= MESSAGE_LIMIT,
    words: "a text of at most 500 characters",
};
