//! The guard, used by `runtime.js` alone.

use std::cell::Cell;

#[cfg(feature = "swap")]
use js_sys::Array;
use js_sys::{Object, Promise};
#[cfg(feature = "swap")]
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

use super::{call, promise, report_panics};
use crate::{
    engine::{
        format::MAX_SAFE_INTEGER,
        io::{Asker, Effect, Event, FetchFailure, Input, LoadKind, WorkerOutcome, WrongFile},
        manifest::Store,
    },
    ids::{BuildId, Names},
    time::Timestamp,
    web::{Driver, Host, Options, Stream, reflect},
};

#[cfg(feature = "swap")]
use crate::engine::slots::{Answer, SlotUse, Use};

/// One guard and its driver.
#[wasm_bindgen]
pub struct Core {
    driver: Driver,
    holds: Cell<u32>,
}

#[wasm_bindgen]
impl Core {
    /// Throws when the options name no absolute release URL.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "PageOptions")] options: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Host")] host: JsValue,
    ) -> Result<Core, JsValue> {
        let text = |name| reflect::text(&options, name);
        report_panics(&host);
        let release = text("release").unwrap_or_default();
        let options = Options {
            build: text("build").map(BuildId),
            sequence: reflect::number(&options, "sequence"),
            app: text("app"),
            channel: text("channel"),
            interval: reflect::number(&options, "interval").unwrap_or(60_000),
            stream: match text("stream").as_deref() {
                None | Some("auto") => Stream::Auto,
                Some("off") => Stream::Off,
                Some(url) => Stream::At(url.to_owned()),
            },
            trace: reflect::property(&options, "trace").is_truthy(),
            release: release.clone(),
        };
        let driver = Driver::new(options, Box::new(JsHost(host))).ok_or_else(|| {
            js_sys::Error::new(&format!(
                "\"{release}\" is no absolute URL of a release.json"
            ))
        })?;
        Ok(Core {
            driver,
            holds: Cell::new(0),
        })
    }

    pub fn start(&self) {
        self.driver.start();
    }

    #[wasm_bindgen(unchecked_return_type = "Status")]
    pub fn status(&self) -> JsValue {
        reflect::to_js(&self.driver.status())
    }

    #[wasm_bindgen(js_name = isSettled)]
    pub fn is_settled(&self) -> bool {
        self.driver.is_settled()
    }

    pub fn check(&self) {
        self.driver.feed(Input::CheckRequested);
    }

    /// Takes a hold and returns its number. `deadline`: milliseconds from now; without a finite one the engine sets it.
    pub fn hold(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] reason: JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] deadline: JsValue,
    ) -> u32 {
        let hold = self.holds.get() + 1;
        self.holds.set(hold);
        let deadline = deadline
            .as_f64()
            .filter(|ms| ms.is_finite())
            // JavaScript reads it back: it stays a number that it holds exactly.
            .map(|ms| {
                Timestamp((self.driver.now().0.saturating_add(ms as u64)).min(MAX_SAFE_INTEGER))
            });
        self.driver.feed(Input::HoldTaken {
            hold,
            reason: reason.as_string().unwrap_or_default(),
            deadline,
        });
        hold
    }

    pub fn release(&self, hold: u32) {
        self.driver.feed(Input::HoldReleased { hold });
    }

    /// `by`: `app`, `user`, or `anyway` for a user who has been told that state could not be saved.
    pub fn reload(&self, #[wasm_bindgen(unchecked_param_type = "string")] by: JsValue) {
        let by = match by.as_string().as_deref() {
            Some("user") => Asker::User,
            Some("anyway") => Asker::UserAnyway,
            _ => Asker::App,
        };
        self.driver.feed(Input::ReloadRequested { by });
    }

    pub fn snooze(&self) {
        self.driver.feed(Input::SnoozeRequested);
    }

    #[wasm_bindgen(js_name = loadFailed)]
    pub fn load_failed(
        &self,
        #[wasm_bindgen(unchecked_param_type = "LoadFailure")] failure: JsValue,
    ) {
        let kind = match reflect::text(&failure, "kind").as_deref() {
            Some("script") => LoadKind::Script,
            Some("style") => LoadKind::Style,
            Some("import") => LoadKind::Import,
            _ => LoadKind::Error,
        };
        let message = reflect::text(&failure, "message").unwrap_or_default();
        self.driver.feed(Input::LoadFailed {
            kind,
            message,
            url: reflect::text(&failure, "url"),
        });
    }

    /// What came through a reload and is not claimed: `{states, about}` by name, to be changed in place.
    pub fn carried(&self) -> Object {
        self.driver.carried()
    }

    /// Writes down what has been changed in it.
    pub fn keep(&self) {
        self.driver.keep();
    }

    /// Tells of states restored after the arrival, when their providers came.
    pub fn restored(&self, #[wasm_bindgen(unchecked_param_type = "Restored")] names: JsValue) {
        self.driver.feed(Input::StateRestored {
            restored: reflect::texts(&names, "restored"),
            failed: reflect::texts(&names, "failed"),
        });
    }

    /// The slots whose code the page has loaded, as `[id, use]`.
    #[cfg(feature = "swap")]
    #[wasm_bindgen(js_name = slotsListed)]
    pub fn slots_listed(
        &self,
        #[wasm_bindgen(unchecked_param_type = "[string, string][]")] slots: JsValue,
    ) {
        let slots: Array = slots.dyn_into().unwrap_or_default();
        let slots = slots.iter().map(|pair| {
            let pair: Array = pair.unchecked_into();
            SlotUse {
                slot: pair.get(0).as_string().unwrap_or_default(),
                state: match pair.get(1).as_string().as_deref() {
                    Some("mounted") => Use::Mounted,
                    Some("idle") => Use::Idle,
                    _ => Use::Taken,
                },
            }
        });
        self.driver.feed(Input::SlotsListed {
            slots: slots.collect(),
        });
    }

    /// What came of a step of a swap. An answer of an unknown kind is ignored.
    #[cfg(feature = "swap")]
    #[wasm_bindgen(js_name = swapAnswered)]
    pub fn swap_answered(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] changeover: JsValue,
        round: u32,
        #[wasm_bindgen(unchecked_param_type = "SwapAnswer")] answer: JsValue,
    ) {
        if let Some(answer) = read_answer(&answer) {
            self.driver.feed(Input::SwapAnswered {
                changeover: changeover.as_string().unwrap_or_default(),
                round,
                answer,
            });
        }
    }

    /// The result of checking files of a build: the first that is wrong, as `{file, failure}`, or null.
    #[wasm_bindgen(js_name = filesChecked)]
    pub fn files_checked(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] build: JsValue,
        #[wasm_bindgen(unchecked_param_type = "WrongFile | null")] wrong: JsValue,
    ) {
        self.driver.feed(Input::FilesChecked {
            build: BuildId(build.as_string().unwrap_or_default()),
            wrong: reflect::text(&wrong, "file").map(|file| WrongFile {
                file,
                failure: read_failure(&wrong),
            }),
        });
    }

    /// Whether a service worker answers for the page.
    #[wasm_bindgen(js_name = workerSeen)]
    pub fn worker_seen(&self, controls: bool) {
        self.driver.feed(Input::WorkerSeen { controls });
    }

    /// What became of the next version of that worker: `activated`, `unchanged` or `failed`.
    #[wasm_bindgen(js_name = workerRenewed)]
    pub fn worker_renewed(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] changeover: JsValue,
        #[wasm_bindgen(unchecked_param_type = "string")] outcome: JsValue,
    ) {
        self.driver.feed(Input::WorkerRenewed {
            changeover: changeover.as_string().unwrap_or_default(),
            outcome: match outcome.as_string().as_deref() {
                Some("activated") => WorkerOutcome::Activated,
                Some("unchanged") => WorkerOutcome::Unchanged,
                _ => WorkerOutcome::Failed,
            },
        });
    }

    pub fn trace(&self) -> String {
        self.driver.trace()
    }

    pub fn dispose(&self) {
        self.driver.dispose();
    }

    /// Closes everything after a trap.
    pub fn abandon(&self) {
        self.driver.abandon();
    }
}

/// The object that `runtime.js` hands in.
struct JsHost(JsValue);

impl Host for JsHost {
    fn on_event(&self, event: &Event) {
        let _ = call(&self.0, "event", &reflect::to_js(event));
    }

    fn on_settled(&self) {
        let _ = call(&self.0, "settled", &JsValue::UNDEFINED);
    }

    fn capture(&self, stores: &Names<Store>) -> Promise {
        promise(call(&self.0, "capture", &reflect::to_js(stores)))
    }

    fn restore(&self) -> Promise {
        promise(call(&self.0, "restore", &JsValue::UNDEFINED))
    }

    fn swap(&self, effect: &Effect) {
        let _ = call(&self.0, "swap", &reflect::to_js(effect));
    }

    fn check(&self, effect: &Effect) -> bool {
        call(&self.0, "check", &reflect::to_js(effect)).is_ok()
    }

    fn on_stayed(&self) {
        let _ = call(&self.0, "stayed", &JsValue::UNDEFINED);
    }

    fn renew(&self, changeover: &str) -> bool {
        call(&self.0, "renew", &changeover.into()).is_ok()
    }
}

/// The `failure` in an answer. One that is not known counts as none from the server.
fn read_failure(answer: &JsValue) -> FetchFailure {
    let failure = reflect::property(answer, "failure");
    match reflect::text(&failure, "type").as_deref() {
        Some("integrity") => FetchFailure::Integrity,
        Some("length") => FetchFailure::Length {
            bytes: reflect::number(&failure, "bytes").unwrap_or_default(),
        },
        Some("html") => FetchFailure::Html,
        Some("status") => FetchFailure::Status {
            status: reflect::number(&failure, "status").unwrap_or_default() as u16,
        },
        _ => FetchFailure::Network,
    }
}

#[cfg(feature = "swap")]
fn read_answer(answer: &JsValue) -> Option<Answer> {
    let slot = || reflect::text(answer, "slot").unwrap_or_default();
    let message = || reflect::text(answer, "message").unwrap_or_default();
    Some(match reflect::text(answer, "type")?.as_str() {
        "fetched" => Answer::Fetched,
        "fetchFailed" => Answer::FetchFailed {
            file: reflect::text(answer, "file").unwrap_or_default(),
            failure: read_failure(answer),
        },
        "imported" => Answer::Imported,
        "importFailed" => Answer::ImportFailed {
            slot: slot(),
            message: message(),
        },
        "quiet" => Answer::Quiet,
        "vetoed" => Answer::Vetoed { slot: slot() },
        "placeUnknown" => Answer::PlaceUnknown { slot: slot() },
        "notShown" => Answer::NotShown { slot: slot() },
        "snapshotted" => Answer::Snapshotted,
        "snapshotFailed" => Answer::SnapshotFailed {
            slot: slot(),
            message: message(),
        },
        "migrated" => Answer::Migrated,
        "migrationFailed" => Answer::MigrationFailed {
            slot: slot(),
            message: message(),
        },
        "noMigrationPath" => Answer::NoMigrationPath {
            slot: slot(),
            message: message(),
        },
        "mounted" => Answer::Mounted,
        "mountFailed" => Answer::MountFailed {
            slot: slot(),
            message: message(),
        },
        "disturbed" => Answer::Disturbed,
        "switched" => Answer::Switched,
        "switchFailed" => Answer::SwitchFailed { message: message() },
        "threw" => Answer::Threw {
            slot: reflect::text(answer, "slot"),
            message: message(),
        },
        "empty" => Answer::Empty { slot: slot() },
        "unhealthy" => Answer::Unhealthy { message: message() },
        "wroteDurable" => Answer::WroteDurable,
        "committed" => Answer::Committed,
        "rolledBack" => Answer::RolledBack,
        "rollBackFailed" => Answer::RollBackFailed { message: message() },
        _ => return None,
    })
}
