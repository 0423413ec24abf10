//! Slots for Yew: a whole app, or an island, that another build of itself can replace while people use it.
//!
//! 1. [`slot!`](crate::slot) makes a crate the content of a slot: it exports what `changeover/wasm-slot` calls, and says in a
//!    custom section which schemas its state can have.
//! 2. Each mount is an instance of the WebAssembly of its own, so two generations share nothing; the state goes from one to the
//!    other as JSON.
//! 3. Values of [`use_kept`] are that state. They are there again, migrated, when the components of the next build ask for them.
//! 4. A panic is told to the slot, which takes back a generation that has just come, and leaves one alone that was there.

mod kept;
mod mounted;
mod section;

pub use kept::{UseKept, kept, use_kept};

use std::{format, string::String};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;
use yew::html::BaseComponent;

use crate::engine::migration::typed::Versioned;

/// A Yew component that is the content of a slot.
///
/// ```
/// use changeover::engine::migration::typed::Versioned;
/// use changeover::yew::{SlotApp, use_kept};
/// use serde::{Deserialize, Serialize};
/// use yew::prelude::*;
///
/// #[component]
/// fn Counter() -> Html {
///     let count = use_kept("count", || 0);
///     let onclick = { let count = count.clone(); move |_| count.update(|count| *count += 1) };
///     html! { <button {onclick}>{ *count }</button> }
/// }
///
/// /// What the keys of `use_kept` hold.
/// #[derive(Serialize, Deserialize)]
/// struct State {
///     count: i32,
/// }
/// impl Versioned for State {
///     const SCHEMA: u32 = 1;
/// }
///
/// impl SlotApp for Counter {
///     type State = State;
/// }
/// changeover::slot!(Counter);
/// ```
pub trait SlotApp: BaseComponent<Properties: Default> {
    /// All values of [`use_kept`] as one type, a field for each key. Its number is the schema of the slot. A key that a component
    /// adds later than the others needs `#[serde(default)]`. [`Unchecked`] fits everything.
    type State: Versioned;

    /// What the root component gets. Asked for once, before it is mounted.
    fn props(_context: &SlotContext) -> Self::Properties {
        Self::Properties::default()
    }
}

/// What the page gives to a slot when it mounts it.
#[derive(Clone, Debug)]
pub struct SlotContext {
    props: JsValue,
    signal: JsValue,
}

impl SlotContext {
    /// What the page has said in `mount(host, props)`.
    pub fn props(&self) -> &JsValue {
        &self.props
    }

    /// Is aborted when this generation ends: for listeners and requests that no component owns.
    pub fn signal(&self) -> Option<&AbortSignal> {
        self.signal.dyn_ref()
    }
}

/// State of which only the number is known: no type is held against the values of [`use_kept`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unchecked<const SCHEMA: u32 = 1>(pub Map<String, Value>);

impl<const SCHEMA: u32> Versioned for Unchecked<SCHEMA> {
    const SCHEMA: u32 = SCHEMA;
}

/// Makes a [`SlotApp`] the content of a slot. Once per crate, which is compiled as a `cdylib`.
///
/// `slot!(App)` reads the state of its own schema. `slot!(App, V1 => V2 => V3)` reads that of older builds too: the types are
/// [`Versioned`](crate::engine::migration::typed::Versioned), each has a
/// [`Migrate`](crate::engine::migration::typed::Migrate) to the next, and the last is the state of the app. Steps that need more
/// than that come from a function, with the schemas that it reads:
/// `slot!(App, chain = chain, reads = [1, 2])`, where `fn chain() -> Result<Typed<State>, MigrationError>`.
///
/// ```
/// use changeover::engine::migration::MigrationError;
/// use changeover::engine::migration::typed::{Chain, Step, Typed};
/// use changeover::yew::{SlotApp, Unchecked};
/// use yew::prelude::*;
///
/// #[component]
/// fn App() -> Html {
///     html! {}
/// }
///
/// impl SlotApp for App {
///     type State = Unchecked<3>;
/// }
///
/// fn chain() -> Result<Typed<Unchecked<3>>, MigrationError> {
///     let rename = |Unchecked(mut values): Unchecked<1>| {
///         if let Some(note) = values.remove("remark") {
///             values.insert("note".into(), note);
///         }
///         Unchecked(values)
///     };
///     Chain::new("slot").step(Step::up(rename)).build()
/// }
/// changeover::slot!(App, chain = chain, reads = [1]);
/// ```
#[macro_export]
macro_rules! slot {
    ($app:ty $(,)?) => {
        $crate::slot!(@ $app, [], $crate::engine::migration::typed::Chain::<
            <$app as $crate::yew::SlotApp>::State,
        >::new("slot").build());
    };
    ($app:ty, chain = $chain:expr, reads = [$($schema:expr),* $(,)?] $(,)?) => {
        $crate::slot!(@ $app, [$($schema),*], ($chain)());
    };
    ($app:ty, $first:ty $(=> $rest:ty)+ $(,)?) => {
        $crate::slot!(
            @ $app,
            [$crate::slot!(schema $first) $(, $crate::slot!(schema $rest))+],
            $crate::migrations!("slot": $first $(=> $rest)+).build()
        );
    };
    (schema $state:ty) => { <$state as $crate::engine::migration::typed::Versioned>::SCHEMA };
    (@ $app:ty, [$($schema:expr),*], $chain:expr) => {
        const _: () = {
            use $crate::yew::exports::{self, Element, Function, JsValue, wasm_bindgen};

            type State = <$app as $crate::yew::SlotApp>::State;

            const SCHEMAS: &[u32] = &[$crate::slot!(schema State) $(, $schema)*];

            #[used]
            #[cfg_attr(target_family = "wasm", unsafe(link_section = "changeover.slot"))]
            static SECTION: [u8; SCHEMAS.len() * 4] = exports::section(SCHEMAS);

            fn chain() -> exports::Chain<State> {
                $chain
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::yew::exports::wasm_bindgen)]
            pub fn changeover_slot_mount(
                place: Element,
                state: Option<String>,
                props: JsValue,
                signal: JsValue,
                panicked: Function,
            ) -> Result<(), JsValue> {
                exports::mount::<$app>(chain, place, state, props, signal, panicked)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::yew::exports::wasm_bindgen)]
            pub fn changeover_slot_snapshot() -> Result<Option<String>, JsValue> {
                exports::snapshot(chain)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::yew::exports::wasm_bindgen)]
            pub fn changeover_slot_migrate(from: u32, state: String) -> Result<String, JsValue> {
                exports::migrate(chain, from, &state)
            }

            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::yew::exports::wasm_bindgen)]
            pub fn changeover_slot_unmount() {
                exports::unmount();
            }
        };
    };
}

/// What [`slot!`](crate::slot) writes calls of.
#[doc(hidden)]
pub mod exports {
    pub use js_sys::Function;
    pub use wasm_bindgen::{self, JsValue};
    pub use web_sys::Element;

    pub use super::mounted::{Chain, migrate, mount, snapshot, unmount};
    pub use super::section::section;
}

/// An error as the page sees it.
fn thrown(error: impl core::fmt::Display) -> JsValue {
    js_sys::Error::new(&format!("{error}")).into()
}
