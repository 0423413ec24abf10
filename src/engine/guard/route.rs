//! Which parts each input goes to.

use super::{Guard, checks};
use crate::engine::{
    check_schedule::CheckTrigger,
    io::{AbortReason, Event, Input, PeerMessage},
    manifest_cache::Way,
    tabs::Tabs,
};

impl Guard {
    /// Hands one input of a running page to the parts that it concerns.
    pub(super) fn route(&mut self, input: Input) {
        let now = self.now;
        match input {
            // A page starts once.
            Input::Started(_) => {}
            // Handled above.
            Input::Disposed => {}
            Input::ReleaseFetched { body, events, date } => {
                self.on_release_text(&body, events, date);
            }
            Input::ReleaseFailed {
                failure,
                retry_after,
            } => self.on_release_failed(&failure, retry_after),
            Input::ManifestFetched { build, body } => {
                self.on_manifest_text(&build, body, Way::Anew)
            }
            Input::ManifestKept { build, body } => self.on_manifest_text(&build, body, Way::Usual),
            Input::ManifestFailed { build, failure } => {
                self.on_manifest_failed(
                    &build,
                    Way::Usual,
                    checks::fetch_trouble(&checks::manifest_name(&build), &failure),
                );
            }
            Input::LoadedFilesListed {
                files,
                elements,
                complete,
            } => self.listing.on_listed(files, elements, complete),
            Input::FilesChecked { build, wrong } => self.on_files_checked(&build, wrong),
            Input::SlotsListed { slots } => self.on_slots_listed(slots),
            Input::SwapAnswered {
                changeover,
                round,
                answer,
            } => self.on_swap_answered(changeover, round, answer),
            Input::Sighted {
                source: _,
                sequence,
                build,
            } => self.on_sighted(sequence, build),
            Input::LoadFailed { kind, message, url } => {
                self.on_load_failed(kind, message, url.as_deref())
            }
            Input::StreamOpened => self.stream.on_opened(now),
            Input::StreamClosed => self.stream.on_closed(now, &mut self.rng),
            Input::BecameVisible => {
                self.on_swap_visible(true);
                self.apply_tabs(|tabs| tabs.on_visible(true));
                self.on_page_back(CheckTrigger::Focus);
            }
            Input::BecameHidden => {
                self.on_swap_visible(false);
                self.apply_tabs(|tabs| tabs.on_visible(false));
            }
            Input::Focused => self.on_page_back(CheckTrigger::Focus),
            Input::Resumed => self.on_page_back(CheckTrigger::Return),
            Input::PageShown { persisted } => {
                if persisted {
                    self.stay();
                }
                self.on_page_back(if persisted {
                    CheckTrigger::Return
                } else {
                    CheckTrigger::Focus
                });
            }
            Input::PageHid => {
                self.chunks.on_gone();
                self.mark_envelope(|departure| departure.on_hid());
                self.apply_tabs(Tabs::on_away);
            }
            Input::LeavingBegan => self.chunks.on_leaving(now),
            Input::UnloadAsked { objected } => {
                self.mark_envelope(|departure| Some(departure.on_unload_asked(objected)));
            }
            Input::UnloadSettled => {
                self.mark_envelope(|departure| Some(departure.on_unload_settled()));
            }
            Input::UserActed => self.capture_again(),
            Input::WentOnline => {
                self.online = true;
                self.trouble
                    .take_if(|(_, reason)| *reason == AbortReason::Offline);
                self.stream.on_online(now, &mut self.rng);
                self.manifests.retry_now(now);
                self.ready.retry_now(now);
                self.on_swap_retry(false);
                self.checks.on_trigger(CheckTrigger::Return, now);
            }
            Input::WentOffline => self.online = false,
            Input::Elected => self.apply_tabs(|tabs| tabs.on_elected(now)),
            Input::Deposed => self.apply_tabs(Tabs::on_deposed),
            Input::PeerHeard { message } => self.on_peer(&message),
            Input::HoldTaken {
                hold,
                reason,
                deadline,
            } => self.holds.on_taken(hold, reason, deadline, now),
            Input::HoldReleased { hold } => self.holds.on_released(hold),
            Input::CheckRequested => {
                self.manifests.retry_now(now);
                self.ready.retry_now(now);
                self.on_swap_retry(true);
                self.checks.on_trigger(CheckTrigger::App, now);
            }
            Input::ReloadRequested { by } => self.on_reload_requested(by.into()),
            Input::SnoozeRequested => self.on_snooze_requested(),
            Input::DocumentProbed { failure, ours } => {
                self.on_document_probed(failure.as_ref(), ours)
            }
            Input::WorkerSeen { controls } => self.controlled = controls,
            Input::WorkerRenewed {
                changeover,
                outcome: _,
            } => self.on_worker_renewed(&changeover),
            Input::StateSaved => self.on_state_saved(None),
            Input::StateSaveFailed { message } => self.on_state_saved(Some(message)),
            Input::StateRestored { restored, failed } => {
                self.tell(Event::StateRestored { restored, failed })
            }
            Input::Woke => {}
        }
    }

    /// The page was shown, possibly after it was hidden or frozen.
    fn on_page_back(&mut self, trigger: CheckTrigger) {
        let was_away = self.tabs.is_away();
        self.apply_tabs(Tabs::on_back);
        self.checks.on_trigger(
            if was_away {
                CheckTrigger::Return
            } else {
                trigger
            },
            self.now,
        );
    }

    /// Another tab said something.
    fn on_peer(&mut self, message: &PeerMessage) {
        self.apply_tabs(|tabs| tabs.on_peer(message));
        match message {
            PeerMessage::Checked {
                sequence: Some(sequence),
            } if !self.releases.knows(*sequence) => {
                self.checks
                    .on_hint(Some(*sequence), None, self.now, &mut self.rng);
            }
            PeerMessage::Checked { .. } if !self.tabs.is_leader() => {
                self.checks.on_all_quiet(self.now, &mut self.rng);
            }
            PeerMessage::Checked { .. }
            | PeerMessage::WhoIsVisible
            | PeerMessage::Visible { .. }
            | PeerMessage::Hidden { .. } => {}
        }
    }
}
