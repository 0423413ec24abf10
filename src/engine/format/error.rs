//! Why a document cannot be read.

use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

use serde_json::error::Category;

use super::FORMAT;
use crate::engine::excerpt::{discreet, shortened};

/// Why a document is not what it claims to be.
#[derive(Clone, PartialEq, Eq)]
pub struct ParseError {
    document: &'static str,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Empty,
    TooLarge {
        size: usize,
        limit: usize,
    },
    Html,
    CutOff,
    NotJson {
        line: usize,
        column: usize,
    },
    NotAnObject,
    UnknownFormat {
        format: u64,
    },
    Missing {
        field: String,
    },
    /// The field is empty where it is not known: only native programs keep track of it.
    Invalid {
        field: String,
        what: String,
    },
}

impl Kind {
    /// What `error` says of the value at `field`.
    pub(super) fn of(field: &str, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            Category::Eof => Self::CutOff,
            Category::Syntax | Category::Io => Self::NotJson { line, column },
            Category::Data => {
                let text = error.to_string();
                let place = format!(" at line {line} column {column}");
                let what = text.strip_suffix(&place).unwrap_or(&text);
                let missing = what
                    .strip_prefix("missing field `")
                    .and_then(|it| it.strip_suffix('`'));
                match missing {
                    Some(name) => Self::Missing {
                        field: joined(field, name),
                    },
                    None => Self::Invalid {
                        field: field.into(),
                        what: shortened(&discreet(what), 300),
                    },
                }
            }
        }
    }
}

impl ParseError {
    pub(super) fn new(document: &'static str, kind: Kind) -> Self {
        Self { document, kind }
    }

    pub(in crate::engine) fn of(
        document: &'static str,
        field: &str,
        error: &serde_json::Error,
    ) -> Self {
        Self::new(document, Kind::of(field, error))
    }

    pub(in crate::engine) fn missing(document: &'static str, field: &str) -> Self {
        let field = field.into();
        Self::new(document, Kind::Missing { field })
    }

    /// The same, of a value that is inside another one.
    pub(in crate::engine) fn inside(mut self, outer: &str) -> Self {
        if let Kind::Missing { field } | Kind::Invalid { field, .. } = &mut self.kind {
            *field = joined(outer, field);
        }
        self
    }

    /// A stable name for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self.kind {
            Kind::Empty => "empty",
            Kind::TooLarge { .. } => "too_large",
            Kind::Html => "html",
            Kind::CutOff => "cut_off",
            Kind::NotJson { .. } => "not_json",
            Kind::NotAnObject => "not_an_object",
            Kind::UnknownFormat { .. } => "unknown_format",
            Kind::Missing { .. } => "missing_field",
            Kind::Invalid { .. } => "invalid_value",
        }
    }

    /// A sentence for people.
    pub fn sentence(&self) -> String {
        let document = self.document;
        match &self.kind {
            Kind::Empty => format!("{document} is empty"),
            Kind::TooLarge { size, limit } => {
                format!("{document} has {size} bytes, more than the {limit} that are read")
            }
            Kind::Html => format!("{document} answered HTML instead of JSON"),
            Kind::CutOff => format!("{document} ends in the middle"),
            Kind::NotJson { line, column } => {
                format!("{document} is not JSON: line {line}, column {column} is wrong")
            }
            Kind::NotAnObject => format!("{document} is JSON, but not an object"),
            Kind::UnknownFormat { format } => {
                format!("{document} has format {format}, and only format {FORMAT} is known")
            }
            Kind::Missing { field } => format!("{document} has no {field}"),
            Kind::Invalid { field, what } if field.is_empty() => {
                format!("{document} is wrong: {what}")
            }
            Kind::Invalid { field, what } => format!("{document} has a wrong {field}: {what}"),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl fmt::Debug for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParseError({}: {self})", self.code())
    }
}

impl core::error::Error for ParseError {}

fn joined(outer: &str, inner: &str) -> String {
    match (outer, inner) {
        ("", one) | (one, "") => one.into(),
        _ => format!("{outer}.{inner}"),
    }
}
