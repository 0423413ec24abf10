//! Reads a manifest in slices: one of 10 000 chunks, read at once, is a task that users feel.
//!
//! The first step finds where each chunk is in the text and reads all the rest; the chunks follow as time allows.

use alloc::{borrow::Cow, boxed::Box, format, string::String, vec, vec::Vec};
use core::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer,
    },
};
use serde_json::value::RawValue;

use super::{Chunk, DOCUMENT, MANIFEST_LIMIT, Manifest};
use crate::{
    engine::format::{self, ParseError, RelativePath, check},
    ids::{Entries, Names},
};

/// A manifest that is being read.
pub struct Reading<'t> {
    text: Cow<'t, str>,
    /// All but the chunks; `None` once it is handed out.
    manifest: Option<Box<Manifest>>,
    /// Up to where in the text chunks are read.
    at: usize,
    /// Where in the text the chunks are that are still to be read.
    rest: vec::IntoIter<(String, Range<usize>)>,
    chunks: Vec<(String, Chunk)>,
}

impl fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reading({} chunks left)", self.rest.len())
    }
}

impl<'t> Reading<'t> {
    pub fn new(text: impl Into<Cow<'t, str>>) -> Result<Self, ParseError> {
        let text = text.into();
        let Outline { manifest, chunks } = match format::read(DOCUMENT, &text, MANIFEST_LIMIT) {
            Ok(outline) => outline,
            Err(error) => {
                return match format::repaired(&error, &text) {
                    Some(text) => Self::new(text),
                    None => Err(error),
                };
            }
        };
        let start = text.as_ptr() as usize;
        for (path, _) in &chunks.0 {
            check::<RelativePath, _>(path)
                .map_err(|error| ParseError::of(DOCUMENT, "chunks", &error))?;
        }
        let places = chunks.0.into_iter().map(|(path, chunk)| {
            let at = chunk.get().as_ptr() as usize - start;
            (path, at..at + chunk.get().len())
        });
        let rest = places.collect::<Vec<_>>().into_iter();
        let first = rest.as_slice().first();
        Ok(Self {
            at: first.map_or(0, |(_, place)| place.start),
            manifest: Some(Box::new(manifest)),
            chunks: Vec::with_capacity(rest.len()),
            rest,
            text,
        })
    }

    /// Of the text, in bytes.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// Reads chunks of about `bytes` bytes. Hands out the manifest, or what is wrong with it, at the end.
    pub fn step(&mut self, bytes: usize) -> Option<Result<Manifest, ParseError>> {
        let enough = self.at.saturating_add(bytes);
        while self.at < enough
            && let Some((path, place)) = self.rest.next()
        {
            self.at = place.end;
            let text = self.text.get(place).unwrap_or_default();
            match format::read_part(DOCUMENT, text) {
                Ok(chunk) => self.chunks.push((path, chunk)),
                Err(error) => return Some(Err(error.inside(&format!("chunks.{path}")))),
            }
        }
        if self.rest.len() > 0 {
            return None;
        }
        let mut manifest = *self.manifest.take()?;
        manifest.chunks = Names::from_iter(core::mem::take(&mut self.chunks));
        Some(Ok(manifest))
    }
}

/// The chunks as they are in the text.
type RawChunks<'t> = Entries<&'t RawValue>;

/// A manifest whose chunks are not read yet.
struct Outline<'t> {
    manifest: Manifest,
    chunks: RawChunks<'t>,
}

impl<'de> Deserialize<'de> for Outline<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OutlineVisitor)
    }
}

struct OutlineVisitor;

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Outline<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let mut chunks = None;
        let others = WithoutChunks {
            map,
            chunks: &mut chunks,
        };
        Ok(Outline {
            manifest: Manifest::deserialize(MapAccessDeserializer::new(others))?,
            chunks: chunks.unwrap_or(Entries(Vec::new())),
        })
    }
}

/// The fields of a manifest but for its chunks, which are put aside.
struct WithoutChunks<'a, 'de, A> {
    map: A,
    chunks: &'a mut Option<RawChunks<'de>>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithoutChunks<'_, 'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.map.next_key::<String>()? {
            if name != "chunks" {
                return seed.deserialize(name.into_deserializer()).map(Some);
            }
            if self.chunks.is_some() {
                return Err(de::Error::duplicate_field("chunks"));
            }
            *self.chunks = Some(self.map.next_value()?);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
