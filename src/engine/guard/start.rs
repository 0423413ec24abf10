//! The start of a page, its arrival by a changeover's reload, and the end of the guard.

use super::{Guard, LONGEST_SNOOZE, Life, Running};
use crate::{
    engine::{
        check_schedule::CheckTrigger,
        io::{AbortReason, Arrival, Effect, Event, Reloads, Snooze, Start},
        releases::{Releases, Remembered},
        tabs::Tabs,
    },
    ids::BuildId,
    rng::Rng,
    time::Timestamp,
};

impl Guard {
    pub(super) fn start(&mut self, start: Start) {
        let now = self.now;
        self.life = Life::Running;
        self.rng = Rng::new(start.seed);
        self.tabs = Tabs::new(
            self.rng.random_id(),
            self.checks.interval(),
            start.locks,
            start.visible,
        );
        self.running = Running {
            build: start.build,
            assumed: None,
            swapped: false,
        };
        self.visitor = start.visitor;
        self.on_swap_visible(start.visible);
        self.online = start.online;
        self.storage = start.storage;
        // A document is a statement of the server as well: a pointer from before it is an old copy, or one that a publish
        // did not get to.
        let is_of_document = start.document_sequence > start.highest_sequence;
        let (remembered, app) = if is_of_document {
            (start.document_sequence, None)
        } else {
            (start.highest_sequence, start.highest_app)
        };
        self.releases = Releases::new(remembered.map(|sequence| Remembered {
            sequence,
            app,
            is_of_document,
        }));
        self.reloads = start.reloads;
        let latest = Timestamp(now.0.saturating_add(LONGEST_SNOOZE));
        self.snooze = start.snooze.map(|snooze| Snooze {
            until: snooze.until.min(latest),
            ..snooze
        });
        if let Some(arrival) = start.arrival {
            self.arrive(arrival);
        }
        self.apply_tabs(Tabs::on_back);
        self.checks.on_trigger(CheckTrigger::Start, now);
    }

    /// The page was reached by a changeover's reload. Its state comes back in any case.
    fn arrive(&mut self, arrival: Arrival) {
        self.perform(Effect::RestoreState);
        let Arrival {
            changeover,
            from,
            to,
            at: _,
        } = arrival;
        let landed = self.running.build.clone().unwrap_or_else(|| to.clone());
        let took = landed == to;
        if took {
            self.forget_reload(&to);
        } else if !self.had_reload(&to) {
            // The mark was lost, and yet the one reload was had.
            self.reloads.push(Reloads {
                target: to,
                count: 1,
            });
        }
        // This page's predecessor ran that build, and may have been of a version that knows nothing of these counts.
        if let Some(from) = &from {
            self.forget_reload(from);
        }
        // Another build than either is a move too: the release went on, or a replica lags behind.
        if Some(&landed) != from.as_ref() {
            self.tell(Event::ChangeoverDone {
                changeover,
                from,
                to: landed,
            });
        }
    }

    /// A reload to this build has taken. The build may be left and wanted again, and then it may be tried again.
    fn forget_reload(&mut self, build: &BuildId) {
        if self.had_reload(build) {
            self.reloads.retain(|reloads| reloads.target != *build);
            self.perform(Effect::RememberReload {
                target: build.clone(),
                count: 0,
            });
        }
    }

    pub(super) fn dispose(&mut self) {
        if let Some(changeover) = self.changeover.take() {
            self.tell(Event::ChangeoverAborted {
                changeover: changeover.id,
                reason: AbortReason::Disposed,
            });
        }
        self.dispose_swap();
        if self.prompt.take().is_some() {
            self.tell(Event::PromptHidden);
        }
        self.apply_tabs(Tabs::on_away);
        self.stream.on_allowed(false);
        self.drive_stream();
        self.life = Life::Disposed;
    }
}
