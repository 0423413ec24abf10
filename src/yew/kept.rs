//! The values that go along when a slot is swapped.
//!
//! They lie in a table of this instance of the WebAssembly. A value of the build before stays as it came until the app
//! asks for its key; from then on the table has the value itself. One that the app does not ask for goes on as it came.

use std::any::Any;
use std::boxed::Box;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::rc::Rc;
use std::string::{String, ToString};
use std::vec::Vec;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use yew::{hook, use_effect_with, use_force_update, use_memo};

std::thread_local! {
    static TABLE: RefCell<BTreeMap<String, Entry>> = const { RefCell::new(BTreeMap::new()) };
}

enum Entry {
    Given(Value),
    Live(Rc<dyn Live>),
}

trait Live: Any {
    fn save(&self) -> serde_json::Result<Value>;
}

/// One value, and who renders it.
struct Place<T> {
    value: RefCell<Rc<T>>,
    listeners: RefCell<BTreeMap<u32, Rc<dyn Fn()>>>,
    next: Cell<u32>,
}

impl<T: Serialize + 'static> Live for Place<T> {
    fn save(&self) -> serde_json::Result<Value> {
        let value = Rc::clone(&self.value.borrow());
        serde_json::to_value(&*value)
    }
}

impl<T> Place<T> {
    fn put(&self, value: T) {
        self.value.replace(Rc::new(value));
        let listeners: Vec<_> = self.listeners.borrow().values().cloned().collect();
        for listener in listeners {
            listener();
        }
    }

    /// Calls `listener` after each change until what it returns is dropped.
    fn listen(self: Rc<Self>, listener: impl Fn() + 'static) -> impl FnOnce() {
        let number = self.next.replace(self.next.get() + 1);
        self.listeners
            .borrow_mut()
            .insert(number, Rc::new(listener));
        move || {
            self.listeners.borrow_mut().remove(&number);
        }
    }
}

/// A value that goes along when the slot is swapped; reads like a `&T` of the time it was rendered.
pub struct UseKept<T> {
    seen: Rc<T>,
    place: Rc<Place<T>>,
}

impl<T> UseKept<T> {
    /// Puts another value in its place, and renders the components that use it.
    pub fn set(&self, value: T) {
        self.place.put(value);
    }

    /// Changes the value as it is now, which may be newer than the one this was rendered with: for timers and listeners.
    pub fn update(&self, change: impl FnOnce(&mut T))
    where
        T: Clone,
    {
        let mut value = (*self.now()).clone();
        change(&mut value);
        self.place.put(value);
    }

    /// The value as it is now.
    pub fn now(&self) -> Rc<T> {
        Rc::clone(&self.place.value.borrow())
    }
}

impl<T> Clone for UseKept<T> {
    fn clone(&self) -> Self {
        Self {
            seen: Rc::clone(&self.seen),
            place: Rc::clone(&self.place),
        }
    }
}

impl<T> Deref for UseKept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.seen
    }
}

/// The same value of the same place.
impl<T> PartialEq for UseKept<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.seen, &other.seen) && Rc::ptr_eq(&self.place, &other.place)
    }
}

impl<T: core::fmt::Debug> core::fmt::Debug for UseKept<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.seen.fmt(f)
    }
}

/// `use_state` whose value goes along when the slot is swapped. `key` names it within the slot: who uses the same key shares the
/// value.
///
/// # Panics
///
/// When the build before has left something under this key that is no `T`, or another component of this one uses the key for
/// another type. As this generation has just come, the swap is taken back.
#[hook]
pub fn use_kept<T, K, F>(key: K, init: F) -> UseKept<T>
where
    T: Serialize + DeserializeOwned + 'static,
    K: ToString,
    F: FnOnce() -> T,
{
    let place = use_memo(key.to_string(), |key| place(key, init));
    let kept = UseKept {
        seen: Rc::clone(&place.value.borrow()),
        place: Rc::clone(&place),
    };
    let renders = use_force_update();
    let rendered = kept.clone();
    use_effect_with(key.to_string(), move |_| {
        // It may have changed since it was rendered.
        if !Rc::ptr_eq(&rendered.seen, &rendered.now()) {
            renders.force_update();
        }
        Rc::clone(&rendered.place).listen(move || renders.force_update())
    });
    kept
}

/// The same for struct components, which render when they choose to.
///
/// # Panics
///
/// As [`use_kept`].
pub fn kept<T>(key: impl ToString, init: impl FnOnce() -> T) -> UseKept<T>
where
    T: Serialize + DeserializeOwned + 'static,
{
    let place = place(&key.to_string(), init);
    let seen = Rc::clone(&place.value.borrow());
    UseKept { seen, place }
}

fn place<T>(key: &str, init: impl FnOnce() -> T) -> Rc<Place<T>>
where
    T: Serialize + DeserializeOwned + 'static,
{
    let wanted = core::any::type_name::<T>();
    let value = TABLE.with_borrow(|table| match table.get(key) {
        None => Ok(None),
        Some(Entry::Given(value)) => match T::deserialize(value) {
            Ok(value) => Ok(Some(value)),
            Err(error) => panic!("the kept value \"{key}\" is no {wanted}: {error}"),
        },
        Some(Entry::Live(live)) => {
            let live: Rc<dyn Any> = Rc::clone(live) as Rc<dyn Any>;
            match live.downcast::<Place<T>>() {
                Ok(place) => Err(place),
                Err(_) => {
                    panic!("the kept value \"{key}\" is used as {wanted} and as another type")
                }
            }
        }
    });
    let value = match value {
        Err(place) => return place,
        Ok(value) => value.unwrap_or_else(init),
    };
    let place = Rc::new(Place {
        value: RefCell::new(Rc::new(value)),
        listeners: RefCell::default(),
        next: Cell::new(0),
    });
    let live: Rc<dyn Live> = Rc::clone(&place) as Rc<dyn Live>;
    TABLE.with_borrow_mut(|table| table.insert(key.to_string(), Entry::Live(live)));
    place
}

/// Lays out what the build before has kept.
pub(super) fn fill(values: Map<String, Value>) {
    TABLE.with_borrow_mut(|table| {
        table.extend(
            values
                .into_iter()
                .map(|(key, value)| (key, Entry::Given(value))),
        );
    });
}

/// All values; an error names the key that cannot be written down.
pub(super) fn values() -> Result<Map<String, Value>, Box<str>> {
    TABLE.with_borrow(|table| {
        table
            .iter()
            .map(|(key, entry)| {
                let value = match entry {
                    Entry::Given(value) => value.clone(),
                    Entry::Live(live) => live.save().map_err(|error| {
                        std::format!("the kept value \"{key}\" cannot be written down: {error}")
                    })?,
                };
                Ok((key.clone(), value))
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn given(values: Value) {
        let Value::Object(values) = values else {
            panic!("no object");
        };
        fill(values);
    }

    #[test]
    fn a_value_of_the_build_before_is_there_when_the_app_asks_for_it() {
        given(json!({ "count": 3 }));
        assert_eq!(*kept("count", || 0), 3);
        assert_eq!(*kept("text", || "new".to_string()), "new");
        assert_eq!(
            Value::Object(values().unwrap()),
            json!({ "count": 3, "text": "new" })
        );
    }

    #[test]
    fn a_value_that_the_app_does_not_ask_for_goes_on_as_it_came() {
        given(json!({ "route": { "closed": [1, null] } }));
        kept("count", || 1).update(|count| *count += 1);
        assert_eq!(
            Value::Object(values().unwrap()),
            json!({ "count": 2, "route": { "closed": [1, null] } })
        );
    }

    #[test]
    fn who_uses_the_same_key_shares_the_value_and_hears_of_it() {
        let (one, other) = (kept("count", || 1), kept("count", || 2));
        let heard = Rc::new(Cell::new(0));
        let listener = Rc::clone(&heard);
        let stop = Rc::clone(&other.place).listen(move || listener.set(listener.get() + 1));
        one.set(5);
        one.update(|count| *count += 1);
        assert_eq!((*other, *other.now(), heard.get()), (1, 6, 2));
        stop();
        one.set(0);
        assert_eq!(heard.get(), 2);
    }

    #[test]
    #[should_panic(expected = "the kept value \"count\" is no u8: invalid value: integer `300`")]
    fn a_value_that_does_not_fit_is_not_replaced_in_silence() {
        given(json!({ "count": 300 }));
        kept::<u8>("count", || 0);
    }

    #[test]
    #[should_panic(
        expected = "the kept value \"count\" is used as alloc::string::String and as another type"
    )]
    fn a_key_has_one_type() {
        kept("count", || 0);
        kept("count", String::new);
    }

    #[test]
    fn a_value_that_cannot_be_written_down_is_named() {
        kept("odd", || BTreeMap::from([((1, 2), 3)]));
        let error = values().unwrap_err();
        assert_eq!(
            &*error,
            "the kept value \"odd\" cannot be written down: key must be a string"
        );
    }
}
