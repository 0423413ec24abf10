//! Values of stores that two builds wrote, brought together.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value};

/// Brings together what two schemas know of one record.
///
/// `ours` was written in this schema, `base` is what became of it on its way through the other schema and back, and
/// `theirs` is what the other schema says now, translated. Whatever `theirs` has changed against `base` is news and
/// wins; everything else is taken from `ours`, so a field that only this schema knows survives a write by the other.
///
/// Elements of arrays are recognised by equality, then by an `id` or `key`, and by their place only while nothing has
/// moved.
pub fn reconcile(base: &Value, ours: &Value, theirs: &Value) -> Value {
    match (base, ours, theirs) {
        _ if theirs == base => ours.clone(),
        (Value::Object(base), Value::Object(ours), Value::Object(theirs)) => {
            Value::Object(objects(base, ours, theirs))
        }
        (Value::Array(base), Value::Array(ours), Value::Array(theirs))
            if base.len() == ours.len() =>
        {
            Value::Array(arrays(base, ours, theirs))
        }
        _ => theirs.clone(),
    }
}

fn objects(
    base: &Map<String, Value>,
    ours: &Map<String, Value>,
    theirs: &Map<String, Value>,
) -> Map<String, Value> {
    let mut all = Map::new();
    for (key, their) in theirs {
        let value = match (base.get(key), ours.get(key)) {
            (Some(base), Some(our)) => reconcile(base, our, their),
            // We took it out, and they have not touched it since.
            (Some(base), None) if base == their => continue,
            (Some(_) | None, None) => their.clone(),
            (None, Some(_)) => their.clone(),
        };
        all.insert(key.clone(), value);
    }
    for (key, our) in ours {
        // In `base`, but not in `theirs`: they took it out.
        if !theirs.contains_key(key) && !base.contains_key(key) {
            all.insert(key.clone(), our.clone());
        }
    }
    all
}

fn arrays(base: &[Value], ours: &[Value], theirs: &[Value]) -> Vec<Value> {
    let mut free: Vec<bool> = base.iter().map(|_| true).collect();
    let mut partner: Vec<Option<usize>> = theirs.iter().map(|_| None).collect();
    let pair = |free: &mut Vec<bool>, partner: &mut Vec<Option<usize>>, same: Same| {
        for (at, their) in theirs.iter().enumerate() {
            if partner[at].is_some() {
                continue;
            }
            // The same place first, so that equal elements keep theirs.
            let places = core::iter::once(at).chain(0..base.len());
            let found = places.into_iter().find(|place| {
                free.get(*place) == Some(&true) && same(&base[*place], their, at == *place)
            });
            if let Some(place) = found {
                free[place] = false;
                partner[at] = Some(place);
            }
        }
    };
    pair(&mut free, &mut partner, |base, their, _| base == their);
    pair(&mut free, &mut partner, |base, their, _| {
        identity(base).is_some() && identity(base) == identity(their)
    });
    let at_home = |(at, place): (usize, &Option<usize>)| place.is_none_or(|place| place == at);
    if base.len() == theirs.len() && partner.iter().enumerate().all(at_home) {
        pair(&mut free, &mut partner, |base, their, here| {
            here && identity(base).is_none() && identity(their).is_none()
        });
    }
    let merged = theirs
        .iter()
        .zip(partner)
        .map(|(their, place)| match place {
            Some(place) => reconcile(&base[place], &ours[place], their),
            None => their.clone(),
        });
    merged.collect()
}

type Same = fn(&Value, &Value, bool) -> bool;

fn identity(value: &Value) -> Option<&Value> {
    let object = value.as_object()?;
    object.get("id").or_else(|| object.get("key"))
}

/// The first place where two values differ, as `items[0].price`; the empty path is the whole value.
pub(super) fn difference(left: &Value, right: &Value) -> Option<String> {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let keys = left.keys().chain(right.keys());
            keys.into_iter()
                .find_map(|key| match (left.get(key), right.get(key)) {
                    (Some(left), Some(right)) => {
                        difference(left, right).map(|rest| joined(key, &rest))
                    }
                    _ => Some(key.to_string()),
                })
        }
        (Value::Array(left), Value::Array(right)) => {
            let both = left.iter().zip(right).enumerate();
            both.into_iter()
                .find_map(|(at, (left, right))| {
                    difference(left, right).map(|rest| joined(&format!("[{at}]"), &rest))
                })
                .or_else(|| {
                    (left.len() != right.len())
                        .then(|| format!("[{}]", left.len().min(right.len())))
                })
        }
        _ => (left != right).then(String::new),
    }
}

/// `items` and `[0].price` make `items[0].price`.
pub(super) fn joined(first: &str, rest: &str) -> String {
    match rest.chars().next() {
        None => first.to_string(),
        Some('[') => format!("{first}{rest}"),
        Some(_) => format!("{first}.{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_field_only_we_know_survives_their_write() {
        let merged = reconcile(
            &json!({"name": "tea", "note": ""}),
            &json!({"name": "tea", "note": "green"}),
            &json!({"name": "coffee", "note": ""}),
        );
        assert_eq!(merged, json!({"name": "coffee", "note": "green"}));
    }

    #[test]
    fn what_they_add_change_or_take_out_is_news() {
        let base = json!({"a": 1, "b": {"c": 2}, "d": 3});
        let ours = json!({"a": 1, "b": {"c": 2, "mine": 0}, "d": 3, "e": 4});
        let theirs = json!({"a": 9, "b": {"c": 2}, "f": 5});
        assert_eq!(
            reconcile(&base, &ours, &theirs),
            json!({"a": 9, "b": {"c": 2, "mine": 0}, "e": 4, "f": 5})
        );
        assert_eq!(
            reconcile(&base, &ours, &Value::Null),
            Value::Null,
            "a value that is no object any more"
        );
    }

    #[test]
    fn elements_are_recognised_when_they_move() {
        let base = json!([{"id": 1, "n": 1}, {"id": 2, "n": 2}, {"id": 3, "n": 3}]);
        let ours = json!([{"id": 1, "n": 1, "x": "a"}, {"id": 2, "n": 2, "x": "b"}, {"id": 3, "n": 3, "x": "c"}]);
        let theirs = json!([{"id": 3, "n": 3}, {"id": 1, "n": 7}, {"id": 4, "n": 4}]);
        assert_eq!(
            reconcile(&base, &ours, &theirs),
            json!([{"id": 3, "n": 3, "x": "c"}, {"id": 1, "n": 7, "x": "a"}, {"id": 4, "n": 4}])
        );
    }

    #[test]
    fn elements_without_identity_are_told_apart_by_place_only_while_nothing_moves() {
        let base = json!([{"n": 1}, {"n": 2}]);
        let ours = json!([{"n": 1, "x": "a"}, {"n": 2, "x": "b"}]);
        assert_eq!(
            reconcile(&base, &ours, &json!([{"n": 9}, {"n": 2}])),
            json!([{"n": 9, "x": "a"}, {"n": 2, "x": "b"}])
        );
        assert_eq!(
            reconcile(&base, &ours, &json!([{"n": 2}, {"n": 9}])),
            json!([{"n": 2, "x": "b"}, {"n": 9}]),
            "9 may be the old 1 or a new one; nothing is made up"
        );
    }

    #[test]
    fn equal_elements_keep_their_places() {
        let base = json!([{"n": 1}, {"n": 1}]);
        let ours = json!([{"n": 1, "x": "a"}, {"n": 1, "x": "b"}]);
        let theirs = json!([{"n": 1}, {"n": 1}, {"n": 1}]);
        assert_eq!(
            reconcile(&base, &ours, &theirs),
            json!([{"n": 1, "x": "a"}, {"n": 1, "x": "b"}, {"n": 1}])
        );
    }

    #[test]
    fn a_difference_is_named_by_its_path() {
        for (left, right, path) in [
            (json!(1), json!(1), None),
            (json!(1), json!(2), Some("")),
            (
                json!({"a": [1, {"b": 2}]}),
                json!({"a": [1, {"b": 3}]}),
                Some("a[1].b"),
            ),
            (json!({"a": 1}), json!({}), Some("a")),
            (json!({}), json!({"a": {"b": 1}}), Some("a")),
            (json!([[1]]), json!([[1, 2]]), Some("[0][1]")),
        ] {
            assert_eq!(difference(&left, &right).as_deref(), path);
        }
    }
}
