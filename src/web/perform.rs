//! Performs effects: one arm each, no decision.

use std::rc::Rc;

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;
use web_sys::Url;

use super::{
    driver::{Inner, Stream},
    election::Election,
    events::EventStream,
    fetch::{self, Refusal, Step},
    handle::{settle, window},
    json,
    peers::Peers,
    scroll::ScrollRestore,
    state::Departure,
    storage::Kept,
};
use crate::engine::{
    io::{BuildId, Effect, FetchFailure, Input},
    text::{decimal, join},
    written::ToJson,
};

impl Inner {
    pub fn perform(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::FetchRelease => self.fetch_release(),
            Effect::FetchManifest {
                build,
                path,
                integrity,
            } => self.fetch_manifest(build, path, integrity, Step::First),
            Effect::ListLoadedFiles => {
                let files = self
                    .open
                    .borrow()
                    .files
                    .as_ref()
                    .map(|files| files.list())
                    .unwrap_or_default();
                (self.emit)(Input::LoadedFilesListed { files });
            }
            Effect::OpenStream { url } => {
                let stream = EventStream::open(&url, &self.emit);
                if stream.is_none() {
                    (self.emit)(Input::StreamClosed);
                }
                self.shut(|open| std::mem::replace(&mut open.stream, stream));
            }
            Effect::CloseStream => self.shut(|open| open.stream.take()),
            Effect::JoinElection => {
                let election = Election::join(&self.scope, &self.emit);
                self.shut(|open| std::mem::replace(&mut open.election, election));
                let peers = Peers::join(&self.scope, &self.emit);
                self.shut(|open| std::mem::replace(&mut open.peers, peers));
            }
            Effect::LeaveElection => {
                self.shut(|open| open.election.take());
                self.shut(|open| open.peers.take());
            }
            Effect::TellPeers { message } => {
                if let Some(peers) = &self.open.borrow().peers {
                    peers.tell(&message);
                }
            }
            Effect::ProbeDocument => self.probe_document(),
            Effect::CaptureState {
                changeover,
                from,
                to,
                stores,
            } => self.capture_state(changeover, from, to, &stores.to_json()),
            Effect::RestoreState => self.restore_state(),
            Effect::TakeSwapStep { .. } | Effect::DiscardSwap { .. } => {
                #[cfg(feature = "swap")]
                self.host.swap(&effect.to_json());
            }
            Effect::RememberSequence { sequence } => {
                let _ = self
                    .storage
                    .write(Kept::Local, "sequence", &decimal(sequence));
            }
            Effect::RememberReload { target, count } => {
                let counts = self.reload_counts();
                json::set(&counts, &target.0, &count.into());
                if count == 0 {
                    let _ = Reflect::delete_property(&counts, &target.0.into());
                }
                self.remember(Kept::Session, "reloads", &counts);
            }
            Effect::RememberSnooze { snooze } => {
                let record = Object::new();
                json::set(&record, "sequence", &(snooze.sequence as f64).into());
                json::set(&record, "until", &(snooze.until.0 as f64).into());
                self.remember(Kept::Session, "snooze", &record);
            }
            Effect::Reload => {
                let _ = window().location().reload();
            }
        }
    }

    fn remember(&self, kept: Kept, name: &str, what: &Object) {
        if let Some(text) = json::write(what) {
            let _ = self.storage.write(kept, name, &text);
        }
    }

    fn fetch_release(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let request = fetch::release(&self.options.release, move |outcome| {
            let Some(this) = weak.upgrade() else { return };
            this.shut(|open| open.release.take());
            this.feed(match outcome {
                Ok(answer) => {
                    let events = match &this.options.stream {
                        Stream::Auto => answer.events,
                        Stream::Off => None,
                        Stream::At(url) => Some(url.clone()),
                    };
                    Input::ReleaseFetched {
                        body: answer.body,
                        events,
                    }
                }
                Err(Refusal {
                    failure,
                    retry_after,
                }) => Input::ReleaseFailed {
                    failure,
                    retry_after,
                },
            });
        });
        if request.is_none() {
            (self.emit)(Input::ReleaseFailed {
                failure: FetchFailure::Network,
                retry_after: None,
            });
        }
        self.shut(|open| std::mem::replace(&mut open.release, request));
    }

    fn fetch_manifest(
        self: &Rc<Self>,
        build: BuildId,
        path: String,
        integrity: Option<String>,
        step: Step,
    ) {
        let url = Url::new_with_base(&path, &self.options.release)
            .map(|url| url.href())
            .unwrap_or_default();
        let weak = Rc::downgrade(self);
        let checked = integrity.clone();
        let asked = build.clone();
        let request = fetch::manifest(&url, integrity.as_deref(), step, move |outcome| {
            let Some(this) = weak.upgrade() else { return };
            this.shut_manifest(&asked);
            let failure = match (outcome, step) {
                // Fetched past the cache but unchecked: whether it is the right one, the cache now answers.
                (Ok(_), Step::Refresh) => {
                    return this.fetch_manifest(asked, path, checked, Step::Recheck);
                }
                (Ok(answer), Step::First | Step::Recheck) => {
                    return this.feed(Input::ManifestFetched {
                        build: asked,
                        body: answer.body,
                    });
                }
                (
                    Err(Refusal {
                        failure: FetchFailure::Network,
                        ..
                    }),
                    Step::First,
                ) if checked.is_some() => {
                    return this.fetch_manifest(asked, path, checked, Step::Refresh);
                }
                (
                    Err(Refusal {
                        failure: FetchFailure::Network,
                        ..
                    }),
                    Step::Recheck,
                ) => FetchFailure::Integrity,
                (Err(refusal), _) => refusal.failure,
            };
            this.feed(Input::ManifestFailed {
                build: asked,
                failure,
            });
        });
        self.shut_manifest(&build);
        match request {
            Some(request) => self.open.borrow_mut().manifests.push((build, request)),
            None => (self.emit)(Input::ManifestFailed {
                build,
                failure: FetchFailure::Network,
            }),
        }
    }

    fn shut_manifest(&self, build: &BuildId) {
        self.shut(|open| {
            let index = open
                .manifests
                .iter()
                .position(|(asked, _)| asked == build)?;
            Some(open.manifests.swap_remove(index))
        });
    }

    fn probe_document(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let location = window().location();
        let [origin, path, query] = [location.origin(), location.pathname(), location.search()]
            .map(Result::unwrap_or_default);
        let url = join(&[&origin, &path, &query]);
        let request = fetch::document(&url, move |outcome| {
            let Some(this) = weak.upgrade() else { return };
            this.shut(|open| open.document.take());
            this.feed(Input::DocumentProbed {
                failure: outcome.err().map(|refusal| refusal.failure),
            });
        });
        if request.is_none() {
            (self.emit)(Input::DocumentProbed {
                failure: Some(FetchFailure::Network),
            });
        }
        self.shut(|open| std::mem::replace(&mut open.document, request));
    }

    fn capture_state(
        self: &Rc<Self>,
        changeover: String,
        from: Option<BuildId>,
        to: BuildId,
        stores: &str,
    ) {
        let weak = Rc::downgrade(self);
        settle(&self.host.capture(stores), move |captured| {
            let Some(this) = weak.upgrade() else { return };
            let (captured, broken) = match captured {
                Ok(captured) => (captured, None),
                Err(_) => (
                    JsValue::UNDEFINED,
                    Some("the page's state could not be captured".to_owned()),
                ),
            };
            let departure = Departure {
                changeover: &changeover,
                from: from.as_ref(),
                to: &to,
                at: this.clock.now(),
            };
            // What could be captured is written even if something could not: the user may choose to go on.
            let written = this.envelope.write(&this.storage, &departure, &captured);
            this.feed(
                match (json::text(&captured, "failed").or(broken), written) {
                    (None, Ok(())) => Input::StateSaved,
                    (Some(message), _) | (None, Err(message)) => Input::StateSaveFailed { message },
                },
            );
        });
    }

    fn restore_state(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        settle(&self.host.restore(), move |settled| {
            let Some(this) = weak.upgrade() else { return };
            let settled = settled.unwrap_or(JsValue::UNDEFINED);
            let restored = json::texts(&settled, "restored");
            let failed = json::texts(&settled, "failed");
            // Providers that come later tell by themselves.
            if !restored.is_empty() || !failed.is_empty() {
                this.feed(Input::StateRestored { restored, failed });
            }
            if let Some(position) = this.envelope.take_scroll() {
                this.shut(|open| open.scroll.replace(ScrollRestore::start(position)));
            }
        });
    }
}
