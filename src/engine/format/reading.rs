//! Reading a large document in slices, so that no slice keeps the page from what it does.
//!
//! In order: the text is looked at as any is, each step reads on from where the last one ended, one field or one entry of an
//! object at a time, and the last one hands out what was read. The entries of one field, by far the largest, become
//! values at once; the others wait for the end.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{fmt, ops::Range};

use super::{Fields, Kind, ParseError, Rule, kind_of, look};
use crate::engine::{
    json::{Fault, Reader, Value},
    names::{Names, sort},
    text::join,
};

/// The field whose entries are read at once.
pub(in crate::engine) struct Large<V> {
    pub(in crate::engine) field: &'static str,
    pub(in crate::engine) names: Rule,
    pub(in crate::engine) read: fn(&mut Fields<'_>) -> V,
}

/// A document that is being read.
pub(in crate::engine) struct Reading<'t, V> {
    document: &'static str,
    text: Cow<'t, str>,
    /// Where in `text` the document is.
    part: Range<usize>,
    /// Where in that the next step begins.
    at: usize,
    large: Large<V>,
    fields: Vec<(String, Value)>,
    inside: Option<Inside>,
    /// Whether a value was read that a comma or the end of its object must follow.
    is_after_value: bool,
    is_large_met: bool,
    is_large_read: bool,
    /// Entries in order, run after run; of two neighbours the later one is the shorter.
    runs: Vec<Vec<(String, V)>>,
    slice: Vec<(String, V)>,
    error: Option<ParseError>,
}

impl<V> fmt::Debug for Reading<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reading({} of {})", self.at, self.text.len())
    }
}

/// The object that a step has ended in.
enum Inside {
    Large,
    Other(String, Vec<(String, Value)>),
}

/// A document that has been read.
pub(in crate::engine) struct Whole<V> {
    pub(in crate::engine) fields: Vec<(String, Value)>,
    /// `None`: the large field is not there, or is no object.
    pub(in crate::engine) large: Option<Names<V>>,
    /// What is wrong in it.
    pub(in crate::engine) error: Option<ParseError>,
}

impl<'t, V> Reading<'t, V> {
    pub(in crate::engine) fn new(
        document: &'static str,
        text: Cow<'t, str>,
        limit: usize,
        large: Large<V>,
    ) -> Result<Self, ParseError> {
        let part = look(&text, limit).map_err(|kind| ParseError::new(document, kind))?;
        let mut reader = Reader::new(text.get(part.clone()).unwrap_or_default(), 0);
        if reader.expect(b'{').is_err() {
            let kind = match reader.value(0) {
                Ok(_) => Kind::NotAnObject,
                Err(fault) => kind_of(fault),
            };
            return Err(ParseError::new(document, kind));
        }
        Ok(Self {
            document,
            text,
            part,
            at: 1,
            large,
            fields: Vec::new(),
            inside: None,
            is_after_value: false,
            is_large_met: false,
            is_large_read: false,
            runs: Vec::new(),
            slice: Vec::new(),
            error: None,
        })
    }

    pub(in crate::engine) fn size(&self) -> usize {
        self.text.len()
    }

    /// Reads about `bytes` more; what it hands out is the end.
    pub(in crate::engine) fn step(&mut self, bytes: usize) -> Option<Result<Whole<V>, ParseError>> {
        let enough = self.at.saturating_add(bytes);
        let mut ended = Ok(false);
        while let Ok(false) = ended
            && self.at < enough
        {
            ended = self.read_one();
        }
        self.put_in_order();
        match ended {
            Ok(false) => None,
            Err(fault) => Some(Err(ParseError::new(self.document, kind_of(fault)))),
            Ok(true) => {
                while self.runs.len() > 1 {
                    self.merge();
                }
                let entries = self.runs.pop().unwrap_or_default();
                Some(Ok(Whole {
                    fields: core::mem::take(&mut self.fields),
                    large: self.is_large_read.then(|| Names::from_pairs(entries)),
                    error: self.error.take(),
                }))
            }
        }
    }

    /// Reads one field, or one entry of one. Returns whether that was the end.
    fn read_one(&mut self) -> Result<bool, Fault> {
        let text = self.text.get(self.part.clone()).unwrap_or_default();
        let mut reader = Reader::new(text, self.at);
        reader.skip_space();
        if reader.take(b'}') {
            match self.inside.take() {
                Some(Inside::Large) => {}
                Some(Inside::Other(name, entries)) => {
                    self.fields.push((name, Value::Object(entries)));
                }
                None => {
                    reader.skip_space();
                    return match reader.peek() {
                        None => Ok(true),
                        Some(_) => Err(reader.fault()),
                    };
                }
            }
            self.is_after_value = true;
            self.at = reader.at();
            return Ok(false);
        }
        if self.is_after_value {
            reader.expect(b',')?;
            reader.skip_space();
        }
        let name = reader.string()?;
        reader.skip_space();
        reader.expect(b':')?;
        reader.skip_space();
        self.is_after_value = true;
        match &mut self.inside {
            Some(Inside::Large) => {
                let value = reader.value(2)?;
                let path = join(&[self.large.field, ".", &name]);
                let mut fields = Fields {
                    document: self.document,
                    path: String::new(),
                    fields: Vec::new(),
                    error: &mut self.error,
                };
                fields.check(self.large.field, &name, self.large.names);
                let value = (self.large.read)(&mut fields.enter(&path, value));
                self.slice.push((name, value));
            }
            Some(Inside::Other(_, entries)) => entries.push((name, reader.value(2)?)),
            None => {
                let is_large = name == self.large.field && !self.is_large_met;
                self.is_large_met |= is_large;
                if reader.take(b'{') {
                    self.is_after_value = false;
                    self.is_large_read |= is_large;
                    self.inside = Some(match is_large {
                        true => Inside::Large,
                        false => Inside::Other(name, Vec::new()),
                    });
                } else {
                    self.fields.push((name, reader.value(1)?));
                }
            }
        }
        self.at = reader.at();
        Ok(false)
    }

    /// Adds what this step has read to the entries before it. A document in order costs nothing here, and any other
    /// n log n in all.
    fn put_in_order(&mut self) {
        if self.slice.is_empty() {
            return;
        }
        let mut slice = core::mem::take(&mut self.slice);
        sort(&mut slice, |one, other| one.0 < other.0);
        match self.runs.last_mut() {
            Some(run) if run.last().map(|it| &it.0) < slice.first().map(|it| &it.0) => {
                run.append(&mut slice);
            }
            _ => self.runs.push(slice),
        }
        while let [.., before, last] = self.runs.as_slice()
            && before.len() <= last.len()
        {
            self.merge();
        }
    }

    /// Makes one run of the last two.
    fn merge(&mut self) {
        let (Some(later), Some(earlier)) = (self.runs.pop(), self.runs.pop()) else {
            return;
        };
        let mut run = Vec::with_capacity(earlier.len() + later.len());
        let mut later = later.into_iter().peekable();
        for entry in earlier {
            while let Some(first) = later.next_if(|it| it.0 < entry.0) {
                run.push(first);
            }
            run.push(entry);
        }
        run.extend(later);
        self.runs.push(run);
    }
}
