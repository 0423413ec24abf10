//! A `release.json` with every field in its order and spelling, including fields that this version does not know.
//!
//! [`Release`] is the part that pages read. [`Draft`](crate::amend::Draft) changes the document.

use std::fmt;
use std::ops::Deref;

use changeover::engine::release::Release;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The order of fields that a change adds.
const ORDER: [&str; 21] = [
    "format",
    "app",
    "channel",
    "sequence",
    "issued",
    "expires",
    // Of a build.
    "id",
    "manifest",
    "integrity",
    "build",
    "urgency",
    "message",
    // Of a rollout.
    "percent",
    "salt",
    "otherwise",
    "rollout",
    "floor",
    "retire",
    // Of an order to retire a build.
    "how",
    "by",
    "",
];

/// A release that was read and checked, with all fields of its file.
#[derive(Clone, Debug)]
pub struct ReleaseDocument {
    release: Release,
    fields: Fields,
}

impl ReleaseDocument {
    /// Errors: `release-invalid` with what is wrong, `release-newer` for a format of the future; `place` is named.
    pub fn parse(text: &str, place: &str) -> crate::error::Result<Self> {
        let error = |code, why: &dyn fmt::Display| {
            crate::error::Error::new(code, format!("{place} cannot be used: {why}"))
        };
        let release = Release::parse(text).map_err(|why| match why.code() {
            "unknown_format" => error("release-newer", &why),
            _ => error("release-invalid", &why),
        })?;
        let fields = Fields::parse(text).map_err(|why| error("release-invalid", &why))?;
        Ok(Self { release, fields })
    }

    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Indented, with a line feed at the end.
    pub fn to_json(&self) -> String {
        self.fields.to_json() + "\n"
    }

    /// Whether the two differ only in number and time.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let essence = |document: &Self| {
            let mut fields = document.fields.clone();
            fields.remove("sequence");
            fields.remove("issued");
            serde_json::from_str::<serde_json::Value>(&fields.to_json()).ok()
        };
        essence(self) == essence(other)
    }
}

impl From<Release> for ReleaseDocument {
    fn from(release: Release) -> Self {
        let fields = Fields::parse(&release.to_json()).expect("a release is written as an object");
        Self { release, fields }
    }
}

impl Deref for ReleaseDocument {
    type Target = Release;

    fn deref(&self) -> &Release {
        &self.release
    }
}

impl PartialEq for ReleaseDocument {
    fn eq(&self, other: &Self) -> bool {
        self.release == other.release && self.fields.to_json() == other.fields.to_json()
    }
}

impl Serialize for ReleaseDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.fields.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ReleaseDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let release = Release::parse(&fields.to_json()).map_err(de::Error::custom)?;
        Ok(Self { release, fields })
    }
}

/// The fields of an object in their order, each value as it is written.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text.trim_start_matches('\u{feff}'))
    }

    /// The fields of an inner object; empty when there is no such object.
    pub fn inner(&self, name: &str) -> Self {
        self.value(name)
            .and_then(|value| Self::parse(&value.get().replace("\n  ", "\n")).ok())
            .unwrap_or_default()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// `null` counts as absent.
    pub fn value(&self, name: &str) -> Option<&RawValue> {
        self.0
            .iter()
            .find(|(known, value)| known == name && value.get() != "null")
            .map(|(_, value)| &**value)
    }

    /// Replaces the value in its place, or adds it where the order has it.
    pub fn set(&mut self, name: &str, value: &impl Serialize) {
        // JSON strings contain no line feed, so every line feed is part of the indentation.
        let value = serde_json::to_string_pretty(value)
            .map(|text| text.replace('\n', "\n  "))
            .and_then(RawValue::from_string)
            .expect("what is set has only string keys and no failing writer");
        if let Some((_, old)) = self.0.iter_mut().find(|(known, _)| known == name) {
            *old = value;
            return;
        }
        let rank = |name: &str| ORDER.iter().position(|known| *known == name);
        let mine = rank(name);
        let later = self
            .0
            .iter()
            .position(|(known, _)| mine.is_some() && rank(known) > mine);
        let at = later.unwrap_or(self.0.len());
        self.0.insert(at, (name.to_owned(), value));
    }

    /// [`Self::set`], or [`Self::remove`] when there is no value.
    pub fn set_or_remove(&mut self, name: &str, value: Option<&impl Serialize>) {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    pub fn to_json(&self) -> String {
        // `serde_json::Value` would indent everything correctly, but lose the order and the spelling of numbers.
        serde_json::to_string_pretty(self).expect("raw values are valid JSON")
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    // Tools disagree about which of them counts, so changing either would be a guess.
                    if fields.iter().any(|(known, _)| *known == name) {
                        return Err(de::Error::custom(format!("it has {name:?} twice")));
                    }
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_numbers_and_spelling_of_every_field_are_kept() {
        let text = "{\n  \"zeta\": 1.10,\n  \"big\": 123456789012345678901234567890,\n  \"sequence\": 3,\n  \"tiny\": 1e-3,\n  \"text\": \"\\u00e4\",\n  \"nested\": {\"b\":1, \"a\":[ ]}\n}";
        let mut fields = Fields::parse(text).unwrap();
        assert_eq!(fields.to_json(), text);
        fields.set("sequence", &4);
        assert_eq!(
            fields.to_json(),
            text.replace("\"sequence\": 3", "\"sequence\": 4")
        );
        fields.set("issued", &"x");
        assert_eq!(
            fields.names().collect::<Vec<_>>(),
            [
                "zeta", "big", "sequence", "tiny", "text", "nested", "issued"
            ]
        );
    }

    #[test]
    fn a_new_field_goes_where_it_belongs() {
        let mut fields = Fields::parse(r#"{"format":1,"build":{},"retire":[]}"#).unwrap();
        fields.set("issued", &"x");
        fields.set("floor", &1);
        fields.set("mine", &1);
        assert_eq!(
            fields.names().collect::<Vec<_>>(),
            ["format", "issued", "build", "floor", "retire", "mine"]
        );
    }

    #[test]
    fn a_name_that_is_there_twice_is_an_error() {
        let error = Fields::parse(r#"{"a":1,"a":2}"#).unwrap_err();
        assert!(
            error.to_string().starts_with("it has \"a\" twice"),
            "{error}"
        );
    }
}
