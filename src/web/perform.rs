//! Performs effects: one arm each, no decision.

use std::rc::Rc;

use wasm_bindgen::JsValue;
use web_sys::{Url, console};

use super::{
    callback::{on_settled, window},
    departing::Departing,
    driver::{Inner, Stream},
    election::Election,
    events::EventStream,
    fetch::{self, Redirects, Refusal},
    files::LoadedFiles,
    lifecycle,
    manifests::{Errand, Found, Way},
    peers::Peers,
    reflect, reloads,
    scroll::ScrollRestore,
    state::Departure,
    storage::Area,
};
use crate::{
    engine::{
        format::to_json,
        io::{Effect, EnvelopeMark, FetchFailure, Input, WorkerOutcome},
        manifest::Store,
    },
    ids::{BuildId, Names},
};

impl Inner {
    pub fn perform(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::FetchRelease => self.fetch_release(),
            Effect::FetchManifest {
                build,
                path,
                integrity,
            } => self.fetch_manifest(build, path, integrity, Way::Usual),
            Effect::RefetchManifest {
                build,
                path,
                integrity,
            } => self.fetch_manifest(build, path, integrity, Way::Anew),
            Effect::ListLoadedFiles => {
                let listed = self.open.borrow().files.as_ref().map(LoadedFiles::list);
                if let Some(listed) = listed {
                    (self.emit)(Input::LoadedFilesListed {
                        files: listed.files,
                        elements: listed.elements,
                        complete: listed.complete,
                    });
                }
            }
            Effect::CheckFiles { ref build, .. } => {
                if !self.host.check(&effect) {
                    let build = build.clone();
                    (self.emit)(Input::FilesChecked { build, wrong: None });
                }
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
            } => self.capture_state(changeover, from, to, &stores),
            Effect::RestoreState => self.restore_state(),
            Effect::TakeSwapStep { .. } | Effect::DiscardSwap { .. } => {
                #[cfg(feature = "swap")]
                self.host.swap(&effect);
            }
            Effect::RememberSequence { sequence, app } => {
                let sequence = sequence.to_string();
                let of = format!("{sequence} {app}");
                let _ = self.storage.write(Area::Local, "sequence", &sequence);
                let _ = self.storage.write(Area::Local, "sequenceOf", &of);
            }
            Effect::RememberReload { target, count } => {
                reloads::remember(&self.storage, &target, count);
            }
            Effect::RememberSnooze { snooze } => {
                let _ = self
                    .storage
                    .write(Area::Session, "snooze", &to_json(&snooze));
            }
            Effect::Advise { message } => console::info_1(&message.into()),
            Effect::MarkEnvelope {
                mark: EnvelopeMark::Void,
            } => {
                self.envelope.keep(&self.storage);
                self.shut(|open| open.departing.take());
                self.host.on_stayed();
            }
            Effect::MarkEnvelope { mark } => self.envelope.mark(&self.storage, mark),
            Effect::RenewWorker { changeover } => {
                self.depart();
                if !self.host.renew(&changeover) {
                    let outcome = WorkerOutcome::Unchanged;
                    (self.emit)(Input::WorkerRenewed {
                        changeover,
                        outcome,
                    });
                }
            }
            Effect::Reload => {
                self.depart();
                let _ = window().location().reload();
            }
        }
    }

    /// From here on the page may be reloaded.
    fn depart(self: &Rc<Self>) {
        let departing = Departing::listen(&self.emit);
        self.shut(|open| open.departing.replace(departing));
        self.envelope.mark(&self.storage, EnvelopeMark::Left);
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
                        date: answer.date,
                    }
                }
                Err(Refusal {
                    failure,
                    retry_after,
                    mark: _,
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
        way: Way,
    ) {
        let url = Url::new_with_base(&path, &self.options.release)
            .map(|url| url.href())
            .unwrap_or_default();
        let weak = Rc::downgrade(self);
        let asked = build.clone();
        let errand = Errand::new(&self.scope, url, integrity, way, move |found| {
            let Some(this) = weak.upgrade() else { return };
            this.shut_manifest(&asked);
            let build = asked;
            this.feed(match found {
                Found::Fetched(body) => Input::ManifestFetched { build, body },
                Found::Kept(body) => Input::ManifestKept { build, body },
                Found::Failed(failure) => Input::ManifestFailed { build, failure },
            });
        });
        self.shut_manifest(&build);
        let running = errand.start();
        self.open.borrow_mut().manifests.push((build, running));
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
        let location = window().location();
        // Without user and password, which `fetch` refuses, and without the hash.
        let [origin, path, query] = [location.origin(), location.pathname(), location.search()]
            .map(Result::unwrap_or_default);
        self.ask_for_document(format!("{origin}{path}{query}"), Redirects::Followed);
    }

    fn ask_for_document(self: &Rc<Self>, url: String, redirects: Redirects) {
        let weak = Rc::downgrade(self);
        let again = url.clone();
        let request = fetch::document(&url, redirects, move |outcome| {
            let Some(this) = weak.upgrade() else { return };
            this.shut(|open| open.document.take());
            let (failure, ours) = match (outcome, redirects) {
                (Ok(_), _) => (None, true),
                // Another origin that wants a sign-in first answers `fetch` as if there were no network.
                (
                    Err(Refusal {
                        failure: FetchFailure::Network,
                        ..
                    }),
                    Redirects::Followed,
                ) => return this.ask_for_document(again, Redirects::Shown),
                (Err(refusal), Redirects::Shown) => {
                    let redirected = refusal.failure == FetchFailure::Status { status: 302 };
                    let ours = redirected && window().is_secure_context();
                    (Some(refusal.failure), ours)
                }
                (Err(Refusal { failure, mark, .. }), Redirects::Followed) => {
                    let own = matches!(failure, FetchFailure::Status { status }
                        if lifecycle::own_status() == Some(status));
                    (Some(failure), own || mark)
                }
            };
            this.feed(Input::DocumentProbed { failure, ours });
        });
        if request.is_none() {
            (self.emit)(Input::DocumentProbed {
                failure: Some(FetchFailure::Network),
                ours: false,
            });
        }
        self.shut(|open| std::mem::replace(&mut open.document, request));
    }

    fn capture_state(
        self: &Rc<Self>,
        changeover: String,
        from: Option<BuildId>,
        to: BuildId,
        stores: &Names<Store>,
    ) {
        self.envelope.expect(&changeover);
        let weak = Rc::downgrade(self);
        on_settled(&self.host.capture(stores), move |captured| {
            let Some(this) = weak.upgrade() else { return };
            // The attempt is over, or another one has begun: what it has captured must not lie there for a later page.
            if !this.envelope.is_expected(&changeover) {
                return;
            }
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
            let failed = reflect::text(&captured, "failed").or(broken);
            // What could be captured is written even if something could not: the user may choose to go on. But nothing
            // replaces what a page that is going has saved before.
            let going = this.open.borrow().departing.is_some();
            if !going {
                this.envelope.mark(&this.storage, EnvelopeMark::Left);
            }
            let written = if going && failed.is_some() {
                Ok(())
            } else {
                this.envelope.write(&this.storage, &departure, &captured)
            };
            this.feed(match (failed, written) {
                (None, Ok(())) => Input::StateSaved,
                (Some(message), _) | (None, Err(message)) => Input::StateSaveFailed { message },
            });
        });
    }

    fn restore_state(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        on_settled(&self.host.restore(), move |settled| {
            let Some(this) = weak.upgrade() else { return };
            let settled = settled.unwrap_or(JsValue::UNDEFINED);
            let restored = reflect::texts(&settled, "restored");
            let failed = reflect::texts(&settled, "failed");
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
