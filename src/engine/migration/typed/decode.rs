//! Reads a type out of a JSON value and says where in the value it went wrong, which serde alone does not.

use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, map};

use super::StepError;
use crate::engine::migration::reconcile::joined;

pub(super) fn decode<T: DeserializeOwned>(value: &Value) -> Result<T, StepError> {
    T::deserialize(At(value)).map_err(|Trace { message, path }| StepError {
        message,
        path: (!path.is_empty()).then_some(path),
    })
}

/// An error on its way up: each level adds its part of the path in front.
#[derive(Debug)]
struct Trace {
    message: String,
    path: String,
}

impl Trace {
    fn below(mut self, segment: &str) -> Self {
        self.path = joined(segment, &self.path);
        self
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl core::error::Error for Trace {}

impl de::Error for Trace {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            message: message.to_string(),
            path: String::new(),
        }
    }
}

fn untraced(error: serde_json::Error) -> Trace {
    de::Error::custom(error)
}

struct At<'a>(&'a Value);

impl<'de> Deserializer<'de> for At<'de> {
    type Error = Trace;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trace> {
        match self.0 {
            Value::Array(all) => {
                let mut elements = Elements { all, next: 0 };
                let value = visitor.visit_seq(&mut elements)?;
                match all.len().saturating_sub(elements.next) {
                    0 => Ok(value),
                    _ => Err(de::Error::invalid_length(
                        all.len(),
                        &format!("{} elements", elements.next).as_str(),
                    )),
                }
            }
            Value::Object(object) => visitor.visit_map(Fields::of(object)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.0.deserialize_any(visitor).map_err(untraced)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trace> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Trace> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Trace> {
        match self.0 {
            Value::Object(object) if object.len() == 1 => {
                visitor.visit_enum(Variant::of(object.iter().next()))
            }
            Value::String(name) => visitor.visit_enum(Variant { name, inside: None }),
            other => Err(de::Error::invalid_type(
                unexpected(other),
                &"a variant's name, alone or as the only key of an object",
            )),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

fn unexpected(value: &Value) -> de::Unexpected<'_> {
    match value {
        Value::Null => de::Unexpected::Unit,
        Value::Bool(value) => de::Unexpected::Bool(*value),
        Value::Number(_) => de::Unexpected::Other("number"),
        Value::String(value) => de::Unexpected::Str(value),
        Value::Array(_) => de::Unexpected::Seq,
        Value::Object(_) => de::Unexpected::Map,
    }
}

struct Elements<'a> {
    all: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for &mut Elements<'de> {
    type Error = Trace;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Trace> {
        let Some(value) = self.all.get(self.next) else {
            return Ok(None);
        };
        let place = self.next;
        self.next += 1;
        let value = seed.deserialize(At(value));
        value
            .map(Some)
            .map_err(|error| error.below(&format!("[{place}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.all.len() - self.next)
    }
}

struct Fields<'a> {
    rest: map::Iter<'a>,
    open: Option<(&'a String, &'a Value)>,
}

impl<'a> Fields<'a> {
    fn of(object: &'a Map<String, Value>) -> Self {
        Self {
            rest: object.iter(),
            open: None,
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Trace;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Trace> {
        self.open = self.rest.next();
        match self.open {
            Some((key, _)) => {
                let read = seed.deserialize(Key(key));
                read.map(Some).map_err(|error| error.below(key))
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Trace> {
        match self.open.take() {
            Some((key, value)) => seed
                .deserialize(At(value))
                .map_err(|error| error.below(key)),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A key is text, but a map may want numbers for keys.
struct Key<'a>(&'a str);

macro_rules! numeric_keys {
    ($($method:ident $visit:ident $number:ty,)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trace> {
            match self.0.parse::<$number>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        }
    )* };
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Trace;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trace> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Trace> {
        let text: de::value::StrDeserializer<'_, Trace> = self.0.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Trace> {
        visitor.visit_newtype_struct(self)
    }

    numeric_keys! {
        deserialize_i8 visit_i64 i64,
        deserialize_i16 visit_i64 i64,
        deserialize_i32 visit_i64 i64,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u64 u64,
        deserialize_u16 visit_u64 u64,
        deserialize_u32 visit_u64 u64,
        deserialize_u64 visit_u64 u64,
        deserialize_bool visit_bool bool,
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

struct Variant<'a> {
    name: &'a str,
    inside: Option<&'a Value>,
}

impl<'a> Variant<'a> {
    fn of(field: Option<(&'a String, &'a Value)>) -> Self {
        match field {
            Some((name, inside)) => Self {
                name,
                inside: Some(inside),
            },
            None => Self {
                name: "",
                inside: None,
            },
        }
    }

    fn trace(&self) -> impl Fn(Trace) -> Trace + use<> {
        let name = self.name.to_string();
        move |error| error.below(&name)
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Trace;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Trace> {
        Ok((seed.deserialize(Key(self.name))?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'de> {
    type Error = Trace;

    fn unit_variant(self) -> Result<(), Trace> {
        match self.inside {
            None | Some(Value::Null) => Ok(()),
            Some(other) => Err(de::Error::invalid_type(unexpected(other), &"nothing")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Trace> {
        let inside = self.inside.unwrap_or(&Value::Null);
        seed.deserialize(At(inside)).map_err(self.trace())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Trace> {
        let inside = At(self.inside.unwrap_or(&Value::Null));
        inside.deserialize_any(visitor).map_err(self.trace())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Trace> {
        let inside = At(self.inside.unwrap_or(&Value::Null));
        inside.deserialize_any(visitor).map_err(self.trace())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{collections::BTreeMap, vec, vec::Vec};
    use serde::{Deserialize, Serialize};
    use serde_json::json;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Everything {
        text: String,
        number: i32,
        maybe: Option<u8>,
        list: Vec<Inner>,
        by_number: BTreeMap<u32, Inner>,
        pair: (bool, f64),
        kind: KindOf,
        #[serde(flatten)]
        rest: Map<String, Value>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        value: Wrapped,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(u16);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum KindOf {
        Plain,
        Of(Inner),
        Pair(u8, u8),
        With { inner: Inner },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Strict {
        list: Vec<Inner>,
        by_number: BTreeMap<u32, Inner>,
        maybe: Option<Inner>,
        pair: (bool, f64),
        kind: KindOf,
    }

    #[test]
    fn whatever_serde_writes_is_read_back() {
        for kind in [
            KindOf::Plain,
            KindOf::Of(Inner { value: Wrapped(1) }),
            KindOf::Pair(1, 2),
            KindOf::With {
                inner: Inner { value: Wrapped(1) },
            },
        ] {
            let value = Everything {
                text: "é".into(),
                number: -7,
                maybe: None,
                list: vec![Inner { value: Wrapped(9) }],
                by_number: BTreeMap::from([(4, Inner { value: Wrapped(2) })]),
                pair: (true, 0.5),
                kind,
                rest: Map::from_iter([("more".to_string(), json!({"deep": [1]}))]),
            };
            let json = serde_json::to_value(&value).unwrap();
            assert_eq!(decode::<Everything>(&json), Ok(value));
        }
    }

    #[test]
    fn an_error_names_the_place() {
        let good = json!({
            "list": [{"value": 1}],
            "by_number": {"4": {"value": 1}},
            "maybe": {"value": 1},
            "pair": [true, 1.5],
            "kind": {"With": {"inner": {"value": 1}}},
        });
        assert!(decode::<Strict>(&good).is_ok());
        for (place, bad, path) in [
            ("/list/0/value", json!("x"), Some("list[0].value")),
            ("/list/0", json!({}), Some("list[0]")),
            ("/by_number/4/value", json!(-1), Some("by_number.4.value")),
            (
                "/by_number",
                json!({"x": {"value": 1}}),
                Some("by_number.x"),
            ),
            ("/maybe/value", json!(70000), Some("maybe.value")),
            ("/pair/1", json!(null), Some("pair[1]")),
            ("/pair", json!([true, 1, 2]), Some("pair")),
            (
                "/kind/With/inner/value",
                json!([]),
                Some("kind.With.inner.value"),
            ),
            ("/kind", json!("Nothing"), Some("kind")),
            ("/kind", json!(5), Some("kind")),
            ("", json!({}), None),
        ] {
            let mut value = good.clone();
            *value.pointer_mut(place).unwrap() = bad;
            let error = decode::<Strict>(&value).unwrap_err();
            assert_eq!(error.path.as_deref(), path, "{error}");
        }
    }
}
