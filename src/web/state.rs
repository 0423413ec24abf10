//! The envelope: what a page leaves in session storage for the page that a reload puts in its place.
//!
//! In order: the old page captures and writes; the new page reads, learns how it came to be, and hands each state to the
//! provider that claims its name; a claimed state is taken out, and with the last one the envelope goes. A state
//! that no provider claims is kept for a day and carried on: the part of the app that owns it may be opened later.
//!
//! Beside it lies a mark that says which page may take it: what a page that was not reloaded after all leaves behind is
//! older than what its user did since.
//!
//! What the parts say is for `states.js` alone: `states` are values by name, `about` is what is known of them.

use std::cell::{Cell, RefCell};

use js_sys::{Array, JSON, Object, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};

use super::{
    callback::window,
    clock, lifecycle, reflect, scroll,
    storage::{Area, Storage},
};
use crate::{
    engine::{
        departure,
        format::{from_own_json, to_json},
        io::{Arrival, EnvelopeMark},
    },
    ids::BuildId,
    rng::{FNV_OFFSET, fnv, hexadecimal},
    time::Timestamp,
};

const NAME: &str = "envelope";
/// `{id, mark, at}`: apart, since an envelope can be large and a page that is going has no time.
const MARK: &str = "leaving";
const FORMAT: f64 = 1.0;
const PARTS: [&str; 2] = ["states", "about"];
/// A tab left over the night still gets its state back; older state would surprise more than help.
const LIFETIME: u64 = 24 * 60 * 60 * 1000;
/// Room that has to be left in the storage for the count of reloads, which is written after the envelope.
const MARGIN: usize = 512;

/// The envelope this page came with, and the one it may leave.
pub struct Envelope {
    /// What came and is not claimed yet, as it is in the storage.
    came: RefCell<Option<Object>>,
    arrival: Option<Arrival>,
    scroll: Cell<Option<(f64, f64)>>,
    /// The changeover that may write.
    expected: RefCell<Option<String>>,
}

/// The head of an envelope.
pub struct Departure<'a> {
    pub changeover: &'a str,
    pub from: Option<&'a BuildId>,
    pub to: &'a BuildId,
    pub at: Timestamp,
}

impl Envelope {
    /// Reads what a page before this one left. Something damaged, foreign or stale is nothing.
    pub fn open(storage: &Storage, now: Timestamp) -> Self {
        let came = storage
            .read(Area::Session, NAME)
            .and_then(|text| read(&text, now))
            .filter(|came| is_ours(storage, came));
        storage.remove(Area::Session, MARK);
        let mut this = Self {
            came: RefCell::new(came),
            arrival: None,
            scroll: Cell::new(None),
            expected: RefCell::new(None),
        };
        let Some(came) = this.came.borrow().clone() else {
            storage.remove(Area::Session, NAME);
            return this;
        };
        // Set by the first page that reads it, so that a later reload by hand is no second arrival.
        if !reflect::property(&came, "arrived").is_truthy() {
            this.arrival = arrival(&came);
            if reflect::text(&came, "url") == window().location().href().ok() {
                this.scroll
                    .set(numbers(&reflect::property(&came, "scroll")));
            }
            reflect::set(&came, "arrived", &JsValue::TRUE);
            reflect::set(&came, "scroll", &JsValue::NULL);
            this.keep(storage);
        }
        this
    }

    /// How this page came to be, when a changeover reloaded it.
    pub fn arrival(&self) -> Option<Arrival> {
        self.arrival.clone()
    }

    /// Where the page before this one was scrolled to; told once.
    pub fn take_scroll(&self) -> Option<(f64, f64)> {
        self.scroll.take()
    }

    /// What came and is not claimed, to be read and changed in place; empty when nothing came.
    pub fn carried(&self) -> Object {
        self.came.borrow().clone().unwrap_or_default()
    }

    /// From now on this changeover may write.
    pub fn expect(&self, changeover: &str) {
        self.expected.replace(Some(changeover.to_owned()));
    }

    pub fn is_expected(&self, changeover: &str) -> bool {
        self.expected.borrow().as_deref() == Some(changeover)
    }

    /// Says which document may take what was written.
    pub fn mark(&self, storage: &Storage, mark: EnvelopeMark) {
        let expected = self.expected.borrow();
        let Some(id) = expected.as_deref() else {
            return;
        };
        let record = Mark {
            id: Some(id.to_owned()),
            mark: Some(mark.code().to_owned()),
            at: Some(Timestamp(clock::latest() as u64)),
        };
        let _ = storage.write(Area::Session, MARK, &to_json(&record));
    }

    /// Writes the envelope that the next page will read. A part that is missing stays as it came.
    pub fn write(
        &self,
        storage: &Storage,
        departure: &Departure,
        captured: &JsValue,
    ) -> Result<(), String> {
        let (x, y) = scroll::position();
        let envelope = Object::new();
        reflect::set(&envelope, "format", &FORMAT.into());
        reflect::set(&envelope, "id", &departure.changeover.into());
        reflect::set(
            &envelope,
            "from",
            &departure
                .from
                .map_or(JsValue::NULL, |from| from.0.as_str().into()),
        );
        reflect::set(&envelope, "to", &departure.to.0.as_str().into());
        reflect::set(&envelope, "at", &(departure.at.0 as f64).into());
        reflect::set(
            &envelope,
            "url",
            &window().location().href().unwrap_or_default().into(),
        );
        reflect::set(&envelope, "scroll", &Array::of2(&x.into(), &y.into()));
        let came = self.carried();
        for part in PARTS {
            let given = Some(reflect::property(captured, part)).filter(JsValue::is_object);
            let value = given.unwrap_or_else(|| parts(&came, part).into());
            reflect::set(&envelope, part, &value);
        }
        let text = sealed(&envelope).ok_or("the page's state is not JSON")?;
        let refused = |_| {
            let size = text.len().to_string();
            format!("the session storage took none of the page's state ({size} bytes)")
        };
        let written = storage
            .write(
                Area::Session,
                NAME,
                &format!("{text}{}", " ".repeat(MARGIN)),
            )
            .and_then(|()| storage.write(Area::Session, NAME, &text));
        match written {
            // No work of the user is in it.
            Err(_) if !holds_state(&envelope) => {
                storage.remove(Area::Session, NAME);
                Ok(())
            }
            written => written.map_err(refused),
        }
    }

    /// Puts back what is left of what this page came with.
    pub fn keep(&self, storage: &Storage) {
        let came = self.carried();
        let text = holds_state(&came).then(|| sealed(&came)).flatten();
        match text {
            Some(text) => drop(storage.write(Area::Session, NAME, &text)),
            None => storage.remove(Area::Session, NAME),
        }
    }
}

/// Which document may take an envelope, as it lies in the storage.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Mark {
    id: Option<String>,
    mark: Option<String>,
    at: Option<Timestamp>,
}

/// Whether this page may take an envelope. One that a page has taken before is this tab's; one without a mark comes from
/// a version that wrote none.
fn is_ours(storage: &Storage, came: &Object) -> bool {
    let text = storage.read(Area::Session, MARK).unwrap_or_default();
    let record: Mark = from_own_json(&text).unwrap_or_default();
    let marked = [EnvelopeMark::Left, EnvelopeMark::Asked, EnvelopeMark::Gone]
        .into_iter()
        .find(|mark| record.mark.as_deref() == Some(mark.code()));
    let (Some(mark), Some(at)) = (marked, record.at) else {
        return true;
    };
    reflect::property(came, "arrived").is_truthy()
        || record.id != reflect::text(came, "id")
        || departure::is_for(mark, at, lifecycle::origin())
}

fn read(text: &str, now: Timestamp) -> Option<Object> {
    let envelope: Object = JSON::parse(text).ok()?.dyn_into().ok()?;
    let sum = reflect::text(&envelope, "sum");
    let _ = Reflect::delete_property(&envelope, &"sum".into());
    // The loader, which has no bytes for it, writes no sum.
    if sum.is_some() && sum != checksum(&envelope) {
        return None;
    }
    let at = reflect::number(&envelope, "at")?;
    let fresh = now.0.saturating_sub(at) <= LIFETIME;
    (fresh
        && reflect::property(&envelope, "format") == FORMAT
        && reflect::property(&envelope, "states").is_object())
    .then_some(envelope)
}

fn parts(envelope: &Object, part: &str) -> Object {
    reflect::property(envelope, part)
        .dyn_into()
        .unwrap_or_default()
}

fn holds_state(envelope: &Object) -> bool {
    PARTS
        .iter()
        .any(|part| Object::keys(&parts(envelope, part)).length() > 0)
}

fn arrival(envelope: &Object) -> Option<Arrival> {
    let text = |name| reflect::text(envelope, name);
    Some(Arrival {
        changeover: text("id")?,
        from: text("from").map(BuildId),
        to: BuildId(text("to")?),
        at: Timestamp(reflect::number(envelope, "at")?),
    })
}

/// `None` when something in it has no JSON.
fn text_of(envelope: &Object) -> Option<String> {
    JSON::stringify(envelope).ok()?.as_string()
}

/// The envelope as text, with its checksum as the last field.
fn sealed(envelope: &Object) -> Option<String> {
    reflect::set(envelope, "sum", &checksum(envelope)?.into());
    let text = text_of(envelope);
    let _ = Reflect::delete_property(envelope, &"sum".into());
    text
}

/// 64-bit FNV-1a over the JSON text, in hexadecimal: against accidents, not against attackers, who could as well
/// change the page. JSON written by the browser and read back is written the same way again.
fn checksum(envelope: &Object) -> Option<String> {
    let text = text_of(envelope)?;
    Some(hexadecimal(fnv(FNV_OFFSET, text.as_bytes()), 16))
}

fn numbers(pair: &JsValue) -> Option<(f64, f64)> {
    let pair: &Array = pair.dyn_ref()?;
    Some((pair.get(0).as_f64()?, pair.get(1).as_f64()?))
}
