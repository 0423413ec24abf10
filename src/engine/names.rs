//! A map by name: a sorted list. Smaller in the runtime than a tree for each kind of value, and read far more often
//! than changed.

use alloc::{string::String, vec::Vec};
use core::{fmt, ops::Index};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Values by name, in the order of the names' bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Names<V>(Vec<(String, V)>);

impl<V> Names<V> {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes pairs in any order; of several with one name, one is kept.
    pub fn from_pairs(mut pairs: Vec<(String, V)>) -> Self {
        sort(&mut pairs, |one, other| one.0 < other.0);
        pairs.dedup_by(|one, other| one.0 == other.0);
        Self(pairs)
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(other, _)| other.as_str().cmp(name))
    }

    /// The place of `name` in the order.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.place(name).ok()
    }

    pub fn get(&self, name: &str) -> Option<&V> {
        self.0.get(self.place(name).ok()?).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        let place = self.place(name).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// The name and the value at a place in the order.
    pub fn nth(&self, place: usize) -> Option<(&String, &V)> {
        self.0.get(place).map(|(name, value)| (name, value))
    }

    pub fn contains_key(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    /// Returns the value that had the name before.
    pub fn insert(&mut self, name: String, value: V) -> Option<V> {
        match self.place(&name) {
            Ok(place) => self
                .0
                .get_mut(place)
                .map(|(_, old)| core::mem::replace(old, value)),
            Err(place) => {
                self.0.insert(place, (name, value));
                None
            }
        }
    }

    pub fn remove(&mut self, name: &str) -> Option<V> {
        self.place(name).ok().map(|place| self.0.remove(place).1)
    }

    /// The value of `name`, made when it is not there.
    pub fn get_or_insert_with(&mut self, name: &str, make: impl FnOnce() -> V) -> &mut V {
        let place = match self.place(name) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (name.into(), make()));
                place
            }
        };
        &mut self.0[place].1
    }

    pub fn retain(&mut self, mut keeps: impl FnMut(&String, &mut V) -> bool) {
        self.0.retain_mut(|(name, value)| keeps(name, value));
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&String, &V)> + ExactSizeIterator {
        self.0.iter().map(|(name, value)| (name, value))
    }

    pub fn iter_mut(
        &mut self,
    ) -> impl DoubleEndedIterator<Item = (&String, &mut V)> + ExactSizeIterator {
        self.0.iter_mut().map(|(name, value)| (&*name, value))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &String> + ExactSizeIterator {
        self.0.iter().map(|(name, _)| name)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator {
        self.0.iter().map(|(_, value)| value)
    }

    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> + ExactSizeIterator {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

impl<V> Default for Names<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: fmt::Debug> fmt::Debug for Names<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<V> Index<&str> for Names<V> {
    type Output = V;

    /// Panics when there is no such name, as every map does.
    fn index(&self, name: &str) -> &V {
        self.get(name).expect("the name is in the map")
    }
}

impl<V> FromIterator<(String, V)> for Names<V> {
    fn from_iter<I: IntoIterator<Item = (String, V)>>(pairs: I) -> Self {
        Self::from_pairs(pairs.into_iter().collect())
    }
}

impl<V> IntoIterator for Names<V> {
    type Item = (String, V);
    type IntoIter = alloc::vec::IntoIter<(String, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, V> IntoIterator for &'a Names<V> {
    type Item = (&'a String, &'a V);
    type IntoIter = core::iter::Map<
        core::slice::Iter<'a, (String, V)>,
        fn(&'a (String, V)) -> (&'a String, &'a V),
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl<V: Serialize> Serialize for Names<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Names<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<V>(core::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> de::Visitor<'de> for Visitor<V> {
            type Value = Names<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Names<V>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Names::from_pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor(core::marker::PhantomData))
    }
}

/// Sorts in place, in no time for what is in order and in n log n for the rest. The library's sort is ten times the
/// code for each type.
pub fn sort<T>(items: &mut [T], is_less: impl Fn(&T, &T) -> bool) {
    let in_order = items.windows(2).all(|pair| match pair {
        [one, next] => !is_less(next, one),
        _ => true,
    });
    if in_order {
        return;
    }
    let less = |items: &[T], one: usize, other: usize| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => is_less(one, other),
        _ => false,
    };
    // A heap sort: the largest on top, sunk below its place from the middle up, then taken off one by one.
    let sink = |items: &mut [T], mut top: usize, end: usize| {
        loop {
            let mut child = 2 * top + 1;
            if child >= end {
                return;
            }
            if child + 1 < end && less(items, child, child + 1) {
                child += 1;
            }
            if !less(items, top, child) {
                return;
            }
            items.swap(top, child);
            top = child;
        }
    };
    for top in (0..items.len() / 2).rev() {
        sink(items, top, items.len());
    }
    for end in (1..items.len()).rev() {
        items.swap(0, end);
        sink(items, 0, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn whatever_the_order_it_is_sorted_afterwards() {
        let mut seed = 1_u32;
        for length in 0..64 {
            let mut items: Vec<u32> = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    seed >> 28
                })
                .collect();
            let mut expected = items.clone();
            expected.sort_unstable();
            sort(&mut items, |one, other| one < other);
            assert_eq!(items, expected);
        }
    }

    #[test]
    fn a_name_has_one_value() {
        let mut names: Names<u32> = [("b", 1), ("a", 2), ("c", 3)]
            .map(|(name, value)| (name.into(), value))
            .into_iter()
            .collect();
        assert_eq!(
            names.keys().map(String::as_str).collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
        assert_eq!(names.insert("b".into(), 9), Some(1));
        assert_eq!(names.insert("aa".into(), 4), None);
        assert_eq!(names["b"], 9);
        assert_eq!(names.position("aa"), Some(1));
        assert_eq!(names.remove("a"), Some(2));
        assert_eq!(names.remove("a"), None);
        assert_eq!(names.len(), 3);
        assert_eq!(names.get("d").map(ToString::to_string), None);
    }
}
