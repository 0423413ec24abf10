//! What names things in every layer.

use alloc::{
    string::String,
    vec::{self, Vec},
};

use core::{
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use litemap::LiteMap;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

/// The opaque name of a build; compared, never ordered in meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BuildId(pub String);

/// Values by name, in the order of the names' bytes: a sorted list, since it is read far more often than changed.
///
/// A type of its own, since an empty [`LiteMap`] is written as `[]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names<V>(LiteMap<String, V>);

impl<V> Names<V> {
    pub const fn new() -> Self {
        Self(LiteMap::new_vec())
    }
}

impl<V> Default for Names<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> Deref for Names<V> {
    type Target = LiteMap<String, V>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<V> DerefMut for Names<V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// Takes entries in any order; of several with one name the last counts.
impl<V> FromIterator<(String, V)> for Names<V> {
    fn from_iter<I: IntoIterator<Item = (String, V)>>(entries: I) -> Self {
        let entries: Vec<(String, V)> = entries.into_iter().collect();
        if entries.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Self(LiteMap::from_sorted_store_unchecked(entries));
        }
        // A sort for each type of value, as LiteMap has it, is 1 kB of the runtime each time.
        let mut order: Vec<(&str, usize)> = entries
            .iter()
            .enumerate()
            .map(|(place, (name, _))| (name.as_str(), place))
            .collect();
        order.sort_unstable();
        let order: Vec<usize> = order.into_iter().map(|(_, place)| place).collect();
        let mut entries: Vec<Option<(String, V)>> = entries.into_iter().map(Some).collect();
        let mut names = LiteMap::with_capacity(entries.len());
        for place in order {
            let entry = entries.get_mut(place).and_then(Option::take);
            if let Some((name, value)) = entry
                && let Some((name, value)) = names.try_append(name, value)
            {
                names.insert(name, value);
            }
        }
        Self(names)
    }
}

impl<V> IntoIterator for Names<V> {
    type Item = (String, V);
    type IntoIter = vec::IntoIter<(String, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, V> IntoIterator for &'a Names<V> {
    type Item = (&'a String, &'a V);
    type IntoIter = <&'a LiteMap<String, V> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (&self.0).into_iter()
    }
}

impl<V: Serialize> Serialize for Names<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Names<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Entries::deserialize(deserializer).map(|Entries(entries)| Self::from_iter(entries))
    }
}

/// The entries of an object, in the order of the text.
#[derive(Debug)]
pub struct Entries<V>(pub Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for EntriesVisitor<V> {
    type Value = Entries<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn entries_in_any_order_come_by_name_and_the_last_of_several_counts() {
        for (given, expected) in [
            ("", ""),
            ("a1 b2 c3", "a1 b2 c3"),
            ("c3 a1 b2", "a1 b2 c3"),
            ("b1 a2 b3 a4", "a4 b3"),
            ("a1 a2", "a2"),
        ] {
            let entries = given.split_whitespace().map(|word| word.split_at(1));
            let names: Names<&str> = entries.map(|(name, value)| (name.into(), value)).collect();
            let found: Vec<String> = names
                .iter()
                .map(|(name, value)| [name, *value].concat())
                .collect();
            assert_eq!(found.join(" "), expected, "{given}");
        }
    }
}
