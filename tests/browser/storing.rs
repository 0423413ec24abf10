//! Durable stores of Rust apps: two builds over one database, each with its own type.

use std::{cell::RefCell, rc::Rc};

use changeover::{
    engine::{
        migration::typed::{Chain, Step, Typed, Versioned},
        store::{Mode, Timing},
    },
    web::store::{Store, StoreOptions},
};
use serde::{Deserialize, Serialize};
use wasm_bindgen_test::*;

use crate::sleep;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct NoteV1 {
    text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct NoteV2 {
    text: String,
    done: bool,
}

impl Versioned for NoteV1 {
    const SCHEMA: u32 = 1;
}

impl Versioned for NoteV2 {
    const SCHEMA: u32 = 2;
}

fn first(name: &str) -> Typed<NoteV1> {
    Chain::<NoteV1>::new(name).build().unwrap()
}

fn second(name: &str) -> Typed<NoteV2> {
    let step = Step::up(|note: NoteV1| NoteV2 {
        text: note.text,
        done: false,
    });
    let step = step.down(|note: NoteV2| NoteV1 { text: note.text });
    let chain = Chain::<NoteV1>::new(name).step(step.lossy_down());
    chain.build().unwrap()
}

/// A name that no test before this one has used.
fn fresh() -> String {
    format!("notes-{}", js_sys::Math::random())
}

fn options() -> StoreOptions {
    StoreOptions {
        timing: Timing {
            dwell: 0,
            retention: 60_000,
            census: 50,
        },
        ..StoreOptions::default()
    }
}

fn note(text: &str) -> NoteV1 {
    NoteV1 { text: text.into() }
}

#[wasm_bindgen_test]
async fn two_builds_read_and_write_one_store_each_in_its_own_type() {
    let name = fresh();
    let initial = vec![("a".to_owned(), note("tea"))];
    let old = Store::open(first(&name), options(), initial).unwrap();
    assert_eq!(old.get("a").await.unwrap(), Some(note("tea")));
    assert_eq!(old.mode(), Some(Mode::ReadWrite));
    let new = Store::open(second(&name), options(), Vec::new()).unwrap();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let told = heard.clone();
    let listening = old.listen(move |change| {
        let key = change.key.map(str::to_owned);
        told.borrow_mut().push((key, change.value));
    });
    let done = |note: Option<NoteV2>| note.map(|note| NoteV2 { done: true, ..note });
    new.update("a", done).await.unwrap();
    new.set(
        "b",
        &NoteV2 {
            text: "milk".into(),
            done: false,
        },
    )
    .await
    .unwrap();
    old.set("a", &note("green tea")).await.unwrap();
    let expected = NoteV2 {
        text: "green tea".into(),
        done: true,
    };
    assert_eq!(
        new.get("a").await.unwrap(),
        Some(expected),
        "what the old build cannot know is still there"
    );
    let keys = |rows: Vec<(String, NoteV1)>| -> Vec<String> {
        rows.into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(keys(old.list(None, 10).await.unwrap()), ["a", "b"]);
    assert_eq!(keys(old.list(Some("a"), 10).await.unwrap()), ["b"]);
    sleep(300).await;
    let last = |key: &str| {
        let heard = heard.borrow();
        let found = heard.iter().rfind(|(it, _)| it.as_deref() == Some(key));
        found.and_then(|(_, value)| value.clone())
    };
    assert_eq!(last("a"), Some(note("green tea")));
    assert_eq!(last("b"), Some(note("milk")));
    drop(listening);
    let count = heard.borrow().len();
    new.delete("b").await.unwrap();
    sleep(200).await;
    assert_eq!(heard.borrow().len(), count, "there is no listener any more");
    assert_eq!(old.get("b").await.unwrap(), None);
}

#[wasm_bindgen_test]
async fn the_old_schema_is_left_when_no_tab_uses_it_and_read_as_a_backup_afterwards() {
    let name = fresh();
    let old = Store::open(first(&name), options(), Vec::new()).unwrap();
    for count in 0..30 {
        let key = format!("{count:02}");
        old.set(&key, &note(&key)).await.unwrap();
    }
    drop(old);
    let few = StoreOptions {
        batch: 7,
        ..options()
    };
    let new = Store::open(second(&name), few, Vec::new()).unwrap();
    assert_eq!(new.list(None, 100).await.unwrap().len(), 30);
    sleep(1_500).await;
    let back = Store::open(first(&name), options(), Vec::new()).unwrap();
    assert_eq!(back.get("07").await.unwrap(), Some(note("07")));
    let refused = back.set("07", &note("x")).await;
    match refused {
        // The newer build is still open: it may have brought the schema back already.
        Ok(()) => assert_eq!(back.mode(), Some(Mode::ReadWrite)),
        Err(error) => assert_eq!(error.code(), "backup_only", "{error}"),
    }
}

#[wasm_bindgen_test]
async fn what_is_stored_and_is_no_value_of_the_type_is_named_and_stays() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Other {
        count: u32,
    }
    impl Versioned for Other {
        const SCHEMA: u32 = 1;
    }
    let name = fresh();
    let old = Store::open(first(&name), options(), Vec::new()).unwrap();
    old.set("a", &note("tea")).await.unwrap();
    let chain = Chain::<Other>::new(&name).build().unwrap();
    let other = Store::open(chain, options(), Vec::new()).unwrap();
    let error = other.get("a").await.unwrap_err();
    assert_eq!(error.code(), "invalid_value");
    assert!(error.to_string().contains("count"), "{error}");
    assert_eq!(old.get("a").await.unwrap(), Some(note("tea")));
}
