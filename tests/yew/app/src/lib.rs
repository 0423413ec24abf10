//! A small app in a slot: a counter, a text, a clock that ticks, and a listener of the window. Built three times: as it was,
//! as it is (`second`), and broken.

use changeover::engine::migration::typed::{Migrate, StepError, Versioned};
use changeover::yew::{SlotApp, SlotContext, use_kept};
use gloo_events::EventListener;
use gloo_timers::callback::Interval;
use serde::{Deserialize, Serialize};
use yew::prelude::*;

#[derive(Serialize, Deserialize)]
struct First {
    count: u32,
    text: String,
    ticks: u32,
}

/// The number became a list of numbers.
#[derive(Serialize, Deserialize)]
#[cfg_attr(not(feature = "second"), allow(dead_code))]
struct Second {
    counts: Vec<u32>,
    text: String,
    ticks: u32,
}

impl Versioned for First {
    const SCHEMA: u32 = 1;
}
impl Versioned for Second {
    const SCHEMA: u32 = 2;
}
impl Migrate<Second> for First {
    fn migrate(self) -> Result<Second, StepError> {
        if self.text == "cannot be migrated" {
            return Err(StepError::new("is not understood").at("text"));
        }
        Ok(Second {
            counts: vec![self.count],
            text: self.text,
            ticks: self.ticks,
        })
    }
}

#[derive(Clone, Default, PartialEq, Properties)]
struct AppProps {
    title: Option<String>,
}

#[component]
fn App(props: &AppProps) -> Html {
    let text = use_kept("text", String::new);
    let oninput = {
        let text = text.clone();
        move |event: InputEvent| {
            text.set(
                event
                    .target_unchecked_into::<web_sys::HtmlInputElement>()
                    .value(),
            );
        }
    };
    let boom = |_: MouseEvent| panic!("the button was pressed");
    let trap = |_: MouseEvent| core::arch::wasm32::unreachable();
    html! {
        <section>
            <h1>{ if cfg!(feature = "second") { "The second build" } else { "The first build" } }</h1>
            <h2>{ props.title.clone() }</h2>
            <Count />
            <input id="text" value={(*text).clone()} {oninput} />
            <Echo />
            <Clock />
            <button id="boom" onclick={boom}>{ "panic" }</button>
            <button id="trap" onclick={trap}>{ "trap" }</button>
            if cfg!(feature = "broken") {
                <Broken />
            }
        </section>
    }
}

#[cfg(not(feature = "second"))]
#[component]
fn Count() -> Html {
    let count = use_kept("count", || 0_u32);
    let onclick = {
        let count = count.clone();
        move |_: MouseEvent| count.update(|count| *count += 1)
    };
    html! { <button id="count" {onclick}>{ *count }</button> }
}

#[cfg(feature = "second")]
#[component]
fn Count() -> Html {
    let counts = use_kept("counts", || vec![0_u32]);
    let onclick = {
        let counts = counts.clone();
        move |_: MouseEvent| counts.update(|counts| counts[0] += 1)
    };
    html! { <button id="count" {onclick}>{ counts[0] }</button> }
}

/// Uses a value that another component keeps.
#[component]
fn Echo() -> Html {
    let text = use_kept("text", String::new);
    html! { <output>{ text.len() }</output> }
}

/// Ticks, and counts how often the window says `ping`.
#[component]
fn Clock() -> Html {
    let ticks = use_kept("ticks", || 0_u32);
    let pings = use_state(|| 0_u32);
    let heard = use_mut_ref(|| 0_u32);
    {
        let (ticks, pings) = (ticks.clone(), pings.clone());
        use_effect_with((), move |()| {
            let interval = Interval::new(20, move || ticks.update(|ticks| *ticks += 1));
            let window = web_sys::window().expect("there is a window");
            let listener = EventListener::new(&window, "ping", move |_| {
                *heard.borrow_mut() += 1;
                pings.set(*heard.borrow());
            });
            move || drop((interval, listener))
        });
    }
    html! { <p><span id="ticks">{ *ticks }</span>{ " ticks, " }<span id="pings">{ *pings }</span>{ " pings" }</p> }
}

#[component]
fn Broken() -> Html {
    panic!("this build is broken")
}

impl SlotApp for App {
    #[cfg(not(feature = "second"))]
    type State = First;
    #[cfg(feature = "second")]
    type State = Second;

    fn props(context: &SlotContext) -> AppProps {
        let given = |name: &str| js_sys::Reflect::get(context.props(), &name.into()).ok();
        if given("forgetful").is_some_and(|value| value.is_truthy()) {
            let window = web_sys::window().expect("there is a window");
            EventListener::new(&window, "ping", |_| ()).forget();
        }
        AppProps {
            title: given("title").and_then(|title| title.as_string()),
        }
    }
}

#[cfg(not(feature = "second"))]
changeover::slot!(App);
#[cfg(feature = "second")]
changeover::slot!(App, First => Second);
