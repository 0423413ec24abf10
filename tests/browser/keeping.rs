//! What outlives a reload: storage, the envelope, the scroll position.

use changeover::{
    engine::io::{Arrival, Reloads},
    ids::BuildId,
    time::Timestamp,
    web::{
        reloads,
        scroll::ScrollRestore,
        state::{Departure, Envelope},
        storage::{Area, Storage},
    },
};
use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{Replaced, eventually, js, sleep};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const DAY: u64 = 24 * 60 * 60 * 1000;

fn later(ms: u64) -> Timestamp {
    Timestamp(NOW.0 + ms)
}

fn write(storage: &Storage, envelope: &Envelope, states: &str) -> Result<(), String> {
    let (from, to) = (BuildId("a".into()), BuildId("b".into()));
    let departure = Departure {
        changeover: "c1",
        from: Some(&from),
        to: &to,
        at: NOW,
    };
    let captured = ["{\"states\":", states, "}"].concat();
    envelope.write(storage, &departure, &JSON::parse(&captured).unwrap())
}

fn states(envelope: &Envelope) -> String {
    part(envelope, "states")
}

fn part(envelope: &Envelope, name: &str) -> String {
    let part = Reflect::get(&envelope.carried(), &name.into()).unwrap();
    JSON::stringify(&part)
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_else(|| "{}".into())
}

fn take_out(envelope: &Envelope, storage: &Storage, name: &str) {
    let states = Reflect::get(&envelope.carried(), &"states".into()).unwrap();
    Reflect::delete_property::<Object>(&states.unchecked_into(), &name.into()).unwrap();
    envelope.keep(storage);
}

fn text(storage: &Storage) -> Option<String> {
    storage.read(Area::Session, "envelope")
}

#[wasm_bindgen_test]
fn storage_keeps_what_is_written_per_site() {
    let (one, other) = (Storage::open("/one"), Storage::open("/other"));
    assert!(one.survives_reload());
    one.write(Area::Session, "snooze", "1").unwrap();
    one.write(Area::Local, "sequence", "2").unwrap();
    assert_eq!(one.read(Area::Session, "snooze").as_deref(), Some("1"));
    assert_eq!(js("return localStorage['changeover:/one:sequence']"), "2");
    assert_eq!(other.read(Area::Session, "snooze"), None);
    one.remove(Area::Session, "snooze");
    one.remove(Area::Local, "sequence");
    assert_eq!(one.read(Area::Session, "snooze"), None);
    assert_eq!(
        js(
            "return Object.keys(sessionStorage).concat(Object.keys(localStorage)).filter((key) => key.includes('/one')).length"
        ),
        0.0
    );
}

#[wasm_bindgen_test]
fn storage_that_throws_or_is_missing_or_full_is_no_storage() {
    for code in [
        "null",
        "{ setItem() { throw new Error('full') }, removeItem() {}, getItem() { throw 1 } }",
    ] {
        let _session = Replaced::new("window", "sessionStorage", &format!("({code})"));
        let storage = Storage::open("/broken");
        assert!(!storage.survives_reload(), "{code}");
        assert!(storage.write(Area::Session, "snooze", "1").is_err());
        assert_eq!(storage.read(Area::Session, "snooze"), None);
        let envelope = Envelope::open(&storage, NOW);
        assert_eq!(envelope.arrival(), None);
        assert!(write(&storage, &envelope, r#"{"draft":1}"#).is_err());
        assert_eq!(write(&storage, &envelope, "{}"), Ok(()), "nothing is lost");
    }
    js("const real = Object.getOwnPropertyDescriptor(Window.prototype, 'localStorage') ?? Object.getOwnPropertyDescriptor(window, 'localStorage');
        window.realLocal = real; Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError') }, configurable: true })");
    let storage = Storage::open("/denied");
    js("Object.defineProperty(window, 'localStorage', realLocal)");
    assert!(storage.survives_reload());
    assert_eq!(storage.read(Area::Local, "sequence"), None);
}

#[wasm_bindgen_test]
fn an_envelope_brings_state_from_one_page_to_the_next() {
    let storage = Storage::open("/round");
    let old = Envelope::open(&storage, NOW);
    let carried = r#"{"draft":"hällo \"wörld\"","cart":{"items":[1,0.1,1e21,null,true]}}"#;
    write(&storage, &old, carried).unwrap();

    let new = Envelope::open(&storage, later(5));
    let arrival = Arrival {
        changeover: "c1".into(),
        from: Some(BuildId("a".into())),
        to: BuildId("b".into()),
        at: NOW,
    };
    assert_eq!(new.arrival(), Some(arrival));
    assert_eq!(new.take_scroll(), Some((0.0, 0.0)));
    assert_eq!(new.take_scroll(), None);
    assert_eq!(
        states(&new),
        r#"{"draft":"hällo \"wörld\"","cart":{"items":[1,0.1,1e+21,null,true]}}"#
    );

    take_out(&new, &storage, "draft");
    let reloaded = Envelope::open(&storage, later(10));
    assert_eq!(reloaded.arrival(), None, "a reload by hand is no arrival");
    assert_eq!(reloaded.take_scroll(), None);
    assert_eq!(
        states(&reloaded),
        r#"{"cart":{"items":[1,0.1,1e+21,null,true]}}"#
    );

    take_out(&reloaded, &storage, "cart");
    assert_eq!(text(&storage), None, "nothing is left of it");
}

#[wasm_bindgen_test]
fn what_the_page_came_with_is_put_back_when_the_changeover_is_off() {
    let storage = Storage::open("/on");
    write(
        &storage,
        &Envelope::open(&storage, NOW),
        r#"{"lazy":1,"cart":2}"#,
    )
    .unwrap();
    let page = Envelope::open(&storage, later(1));
    let before = text(&storage);
    write(&storage, &page, r#"{"lazy":1,"cart":3}"#).unwrap();
    assert_eq!(
        states(&Envelope::open(&Storage::open("/on"), later(2))),
        r#"{"lazy":1,"cart":3}"#
    );
    page.keep(&storage);
    assert_eq!(text(&storage), before);
    storage.remove(Area::Session, "envelope");
}

#[wasm_bindgen_test]
fn a_part_that_was_not_captured_stays_as_it_came() {
    let storage = Storage::open("/parts");
    let first = Envelope::open(&storage, NOW);
    let (from, to) = (BuildId("a".into()), BuildId("b".into()));
    let departure = Departure {
        changeover: "c1",
        from: Some(&from),
        to: &to,
        at: NOW,
    };
    let about = r#"{"large":{"token":"t","kept":"t:large"}}"#;
    let captured = [r#"{"states":{"draft":1},"about":"#, about, "}"].concat();
    let captured = JSON::parse(&captured).unwrap();
    first.write(&storage, &departure, &captured).unwrap();
    let page = Envelope::open(&storage, later(1));
    assert_eq!(part(&page, "about"), about);
    page.write(&storage, &departure, &JsValue::UNDEFINED)
        .unwrap();
    let next = Envelope::open(&storage, later(2));
    assert_eq!(
        (states(&next).as_str(), part(&next, "about").as_str()),
        (r#"{"draft":1}"#, about)
    );
    take_out(&next, &storage, "draft");
    assert!(text(&storage).is_some(), "what is kept elsewhere counts");
    storage.remove(Area::Session, "envelope");
}

#[wasm_bindgen_test]
fn an_envelope_without_state_still_tells_of_the_arrival_once() {
    let storage = Storage::open("/empty");
    write(&storage, &Envelope::open(&storage, NOW), "{}").unwrap();
    assert!(Envelope::open(&storage, later(1)).arrival().is_some());
    assert_eq!(text(&storage), None);
}

#[wasm_bindgen_test]
fn a_damaged_foreign_or_stale_envelope_is_nothing() {
    let storage = Storage::open("/odd");
    write(
        &storage,
        &Envelope::open(&storage, NOW),
        r#"{"draft":"hello"}"#,
    )
    .unwrap();
    let good = text(&storage).unwrap();
    let odd = [
        good.replace("hello", "hellp"),
        good.replace("\"format\":1", "\"format\":2"),
        good[..good.len() / 2].to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        r#"{"format":1}"#.to_owned(),
    ];
    for odd in odd {
        storage.write(Area::Session, "envelope", &odd).unwrap();
        let envelope = Envelope::open(&storage, later(1));
        assert_eq!(
            (envelope.arrival(), states(&envelope)),
            (None, "{}".to_owned()),
            "{odd}"
        );
        assert_eq!(text(&storage), None, "{odd}");
    }
    storage.write(Area::Session, "envelope", &good).unwrap();
    assert_eq!(states(&Envelope::open(&storage, later(DAY + 1))), "{}");
    // The loader level seals nothing.
    let unsealed = [&good[..good.find(",\"sum\"").unwrap()], "}"].concat();
    storage.write(Area::Session, "envelope", &unsealed).unwrap();
    assert_eq!(
        states(&Envelope::open(&storage, later(DAY))),
        r#"{"draft":"hello"}"#
    );
    storage.remove(Area::Session, "envelope");
}

#[wasm_bindgen_test]
fn state_that_does_not_fit_is_refused_with_its_size_and_leaves_the_old_envelope() {
    let storage = Storage::open("/full");
    let page = Envelope::open(&storage, NOW);
    let states = js("return { states: { big: 'x'.repeat(6_000_000) } }");
    let (from, to) = (BuildId("a".into()), BuildId("b".into()));
    let refused = page.write(
        &storage,
        &Departure {
            changeover: "c1",
            from: Some(&from),
            to: &to,
            at: NOW,
        },
        &states,
    );
    let message = refused.unwrap_err();
    assert!(
        message.starts_with("the session storage took none of the page's state (60001"),
        "{message}"
    );
    assert_eq!(text(&storage), None);
}

#[wasm_bindgen_test]
async fn the_page_scrolls_back_when_it_has_grown_unless_the_user_scrolls() {
    let tall = || js("document.body.style.height = '9000px'; document.body.style.width = '9000px'");
    let top = || js("document.body.style = ''; scrollTo(0, 0)");
    let at = || js("return scrollX + ',' + scrollY").as_string().unwrap();
    top();
    let restore = ScrollRestore::start((40.0, 1234.0));
    sleep(150).await;
    tall();
    eventually("the old position", || at() == "40,1234").await;
    drop(restore);

    top();
    let _restore = ScrollRestore::start((40.0, 1234.0));
    sleep(80).await;
    js("dispatchEvent(new WheelEvent('wheel'))");
    tall();
    sleep(200).await;
    assert_eq!(at(), "0,0");
    top();
    let _: JsValue = js("document.body.removeAttribute('style')");
}

#[wasm_bindgen_test]
fn reloads_are_counted_in_the_words_of_earlier_versions_too() {
    let storage = Storage::open("/reloads/");
    let map = || storage.read(Area::Session, "reloads");
    let counts = || {
        let mut counts: Vec<_> = reloads::read(&storage)
            .into_iter()
            .map(|Reloads { target, count }| (target.0, count))
            .collect();
        counts.sort();
        counts.dedup();
        counts
    };
    storage
        .write(Area::Session, "reloads", "{\"earlier\":1,\"odd\":\"x\"}")
        .unwrap();
    storage.write(Area::Session, "reload:loader", "1").unwrap();
    assert_eq!(counts(), [("earlier".into(), 1), ("loader".into(), 1)]);

    for target in ["b", "__proto__"] {
        reloads::remember(&storage, &BuildId(target.into()), 2);
    }
    assert_eq!(
        map().as_deref(),
        Some("{\"__proto__\":2,\"b\":2,\"earlier\":1,\"odd\":\"x\"}")
    );
    assert_eq!(counts().len(), 4);
    assert!(counts().contains(&("__proto__".into(), 2)));

    storage.write(Area::Session, "reloads", "no map").unwrap();
    assert_eq!(counts().len(), 3, "damage costs the counts that it hits");

    for (target, _) in counts() {
        reloads::remember(&storage, &BuildId(target), 0);
    }
    assert_eq!(counts(), []);
    assert_eq!(map(), None);
}
