//! What a store hears: the page's life, its timers, the other tabs.

use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::BroadcastChannel;

use super::{Channel, HEARTBEAT, Inner, Open, SLEPT};
use crate::{
    engine::store::Input,
    time::Timestamp,
    web::{
        callback::{Listener, Timer, window},
        reflect,
    },
};

impl Inner {
    pub(super) fn listen(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let timer = Timer::new(move || {
            if let Some(this) = weak.upgrade() {
                this.on_timer();
            }
        });
        let weak = Rc::downgrade(self);
        let suspend_timer = Timer::new(move || {
            if let Some(this) = weak.upgrade() {
                this.feed(Input::Suspended);
                this.database.close();
                // A message to a page in the back/forward cache would throw it out.
                let channel = this.open.borrow_mut().channel.take();
                drop(channel);
            }
        });
        let weak = Rc::downgrade(self);
        let pause = Timer::new(move || {
            if let Some(this) = weak.upgrade() {
                this.end_pause();
            }
        });
        let mut listeners = Vec::new();
        let mut on = |target: &web_sys::EventTarget, kind, hear: fn(&Rc<Self>, &JsValue)| {
            let weak = Rc::downgrade(self);
            listeners.push(Listener::new(target, kind, move |event| {
                if let Some(this) = weak.upgrade() {
                    hear(&this, &event);
                }
            }));
        };
        let window = window();
        if let Some(document) = window.document() {
            on(&document, "freeze", |this, _| {
                this.end_pause();
                this.feed(Input::Suspended);
            });
            on(&document, "resume", |this, _| this.wake_up());
        }
        on(&window, "pagehide", |this, event| {
            this.end_pause();
            // WebKit leaves a page its locks over a reload. Nothing is unsafe without them: every write checks the epoch.
            this.give_back();
            // A page that goes for good has no time to go to sleep, and its last writes must not wait.
            if reflect::property(event, "persisted").is_truthy()
                && let Some(suspend_timer) = &this.open.borrow().suspend_timer
            {
                suspend_timer.arm(0);
            }
        });
        on(&window, "pageshow", |this, event| {
            if reflect::property(event, "persisted").is_truthy() {
                this.wake_up();
            }
        });
        self.open.replace(Open {
            timer: Some(timer),
            suspend_timer: Some(suspend_timer),
            pause: Some(pause),
            channel: self.connect(),
            _listeners: listeners,
        });
    }

    pub(super) fn connect(self: &Rc<Self>) -> Option<Channel> {
        let port = BroadcastChannel::new(&self.name).ok()?;
        let weak = Rc::downgrade(self);
        let listener = Listener::new(&port, "message", move |event| {
            if let Some(this) = weak.upgrade() {
                this.on_told(&reflect::property(&event, "data"));
            }
        });
        Some(Channel {
            port,
            _listener: listener,
        })
    }

    /// What another tab says, perhaps one on another version of changeover.
    pub(super) fn on_told(self: &Rc<Self>, word: &JsValue) {
        if let Some(keys) = word.dyn_ref::<Array>() {
            for key in keys.iter().filter_map(|key| key.as_string()) {
                self.on_hint(&key);
            }
        }
        let word = word.as_string().unwrap_or_default();
        match word.split_at_checked(1) {
            Some(("h", "")) => self.feed(Input::Hinted),
            Some(("r", schema)) => {
                if let Ok(schema) = schema.parse() {
                    self.feed(Input::ReviveRequested { schema });
                }
            }
            _ => {}
        }
    }

    pub(super) fn tell(&self, word: &str) {
        if let Some(channel) = &self.open.borrow().channel {
            let _ = channel.port.post_message(&word.into());
        }
    }

    /// The page was frozen, cached or asleep, and runs again.
    pub(super) fn wake_up(self: &Rc<Self>) {
        if let Some(suspend_timer) = &self.open.borrow().suspend_timer {
            suspend_timer.clear();
        }
        if self.open.borrow().channel.is_none() && !self.closed.get() {
            let channel = self.connect();
            self.open.borrow_mut().channel = channel;
        }
        self.versions.borrow_mut().on_slept();
        self.feed(Input::Resumed);
        self.tell_missed();
    }

    pub(super) fn sleep_until(&self, at: Option<Timestamp>, now: Timestamp) {
        if self.closed.get() {
            return;
        }
        let beat = Timestamp(self.ticked.get().0.saturating_add(HEARTBEAT));
        let at = at.map_or(beat, |at| at.min(beat));
        if self.wake.replace(Some(at)) != Some(at)
            && let Some(timer) = &self.open.borrow().timer
        {
            timer.arm(at.0.saturating_sub(now.0));
        }
    }

    pub(super) fn on_timer(self: &Rc<Self>) {
        self.wake.set(None);
        self.notice_sleep();
        self.ticked.set(self.clock.now());
        self.feed(Input::Woke);
    }

    /// A page that wakes may write before any of its timers runs.
    pub(super) fn notice_sleep(self: &Rc<Self>) {
        let now = self.clock.now();
        if now.0.saturating_sub(self.ticked.get().0) > SLEPT {
            self.ticked.set(now);
            self.wake_up();
        }
    }

    pub(super) fn close(&self) {
        self.closed.set(true);
        self.end_pause();
        // After a trap something may be borrowed for ever; then its listeners stay and find a closed store.
        if let Ok(mut open) = self.open.try_borrow_mut() {
            let all = std::mem::take(&mut *open);
            drop(open);
            drop(all);
        }
        self.give_back();
        self.database.close();
    }

    pub(super) fn give_back(&self) {
        drop(self.shared.take());
        drop(self.exclusive.take());
    }
}
