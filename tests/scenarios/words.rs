//! One line for each effect and event, as the stories spell them.

use changeover::{
    engine::{
        io::{Busy, Effect, Event, PeerMessage, WaitReason},
        slots::Step,
    },
    ids::BuildId,
};

use super::page::{NOON, SECOND};

pub fn effect_text(effect: &Effect) -> String {
    match effect {
        Effect::FetchRelease => "FetchRelease".into(),
        Effect::RefetchManifest { build, .. } => format!("RefetchManifest {}", build.0),
        Effect::FetchManifest { build, .. } => format!("FetchManifest {}", build.0),
        Effect::ListLoadedFiles => "ListLoadedFiles".into(),
        Effect::CheckFiles { build, .. } => format!("CheckFiles {}", build.0),
        Effect::OpenStream { url } => format!("OpenStream {url}"),
        Effect::CloseStream => "CloseStream".into(),
        Effect::JoinElection => "JoinElection".into(),
        Effect::LeaveElection => "LeaveElection".into(),
        Effect::TellPeers { message } => match message {
            PeerMessage::Checked { sequence } => {
                format!(
                    "TellPeers checked {}",
                    sequence.map_or("nothing".into(), |sequence| sequence.to_string())
                )
            }
            PeerMessage::WhoIsVisible => "TellPeers whoIsVisible".into(),
            PeerMessage::Visible { .. } => "TellPeers visible".into(),
            PeerMessage::Hidden { .. } => "TellPeers hidden".into(),
        },
        Effect::ProbeDocument => "ProbeDocument".into(),
        Effect::CaptureState {
            changeover: _,
            from,
            to,
            stores,
        } => {
            let mut text = format!("CaptureState {}", step(from.as_ref(), to));
            for (name, store) in stores.iter() {
                text += &format!(", {name} {} reads {:?}", store.schema, store.reads);
            }
            text
        }
        Effect::RestoreState => "RestoreState".into(),
        Effect::MarkEnvelope { mark } => format!("MarkEnvelope {}", mark.code()),
        Effect::RememberSequence { sequence, .. } => format!("RememberSequence {sequence}"),
        Effect::RememberReload { target, count } => format!("RememberReload {} {count}", target.0),
        Effect::RememberSnooze { snooze } => format!("RememberSnooze {}", snooze.sequence),
        Effect::Advise { message } => format!("Advise {message}"),
        Effect::RenewWorker { .. } => "RenewWorker".into(),
        Effect::Reload => "Reload".into(),
        Effect::TakeSwapStep {
            to, step: taken, ..
        } => {
            format!("TakeSwapStep {} to {}", name_of(taken), to.0)
        }
        Effect::DiscardSwap { .. } => "DiscardSwap".into(),
    }
}

pub fn event_text(event: &Event) -> String {
    match event {
        Event::StatusChanged => "statusChanged".into(),
        Event::ReleaseSeen { sequence, build } => format!("releaseSeen {sequence} {}", build.0),
        Event::SkewFound { from, to, .. } => format!("skewFound {}", step(from.as_ref(), to)),
        Event::SkewGone => "skewGone".into(),
        Event::DecisionMade { decision } => {
            format!("decision {:?} {:?}", decision.kind, decision.reason)
        }
        Event::PromptShown { prompt } => {
            let mut text = format!(
                "prompt {:?} {} {}",
                prompt.reason, prompt.sequence, prompt.build.0
            );
            match &prompt.busy {
                Some(Busy::Holds { reasons }) => {
                    text += &format!(" waiting for {}", reasons.join(" and "))
                }
                Some(Busy::ServiceWorker) => text += " waiting for the service worker",
                Some(Busy::Reloading) => text += " reloading",
                None => {}
            }
            if let Some(until) = prompt.countdown_until {
                text += &format!(" until {} s", until.0.saturating_sub(NOON) / SECOND);
            }
            if let Some(trouble) = prompt.trouble {
                text += &format!(" after {trouble:?}");
            }
            text
        }
        Event::PromptHidden => "promptHidden".into(),
        Event::ChangeoverStarted { from, to, .. } => {
            format!("changeoverStarted {}", step(from.as_ref(), to))
        }
        Event::ChangeoverWaiting {
            reason: WaitReason::ServiceWorker,
            ..
        } => "changeoverWaiting for the service worker".into(),
        Event::ChangeoverWaiting { holds, .. } => {
            format!("changeoverWaiting {}", holds.join(" and "))
        }
        Event::ChangeoverAborted { reason, .. } => format!("changeoverAborted {reason:?}"),
        Event::ChangeoverDone { from, to, .. } => {
            format!("changeoverDone {}", step(from.as_ref(), to))
        }
        Event::SwapRefused { to, refusals } => {
            let whys: Vec<&str> = refusals.iter().map(|it| it.why.as_str()).collect();
            format!("swapRefused {} {}", to.0, whys.join(" and "))
        }
        Event::SwapEnded {
            from,
            to,
            slots,
            outcome,
            reason,
            ..
        } => format!(
            "swapEnded {} of {} {outcome:?} {}",
            step(from.as_ref(), to),
            slots.join(" and "),
            reason.as_deref().unwrap_or("well")
        ),
        Event::StateRestored { restored, failed } => {
            format!(
                "stateRestored {} of {}",
                restored.len(),
                restored.len() + failed.len()
            )
        }
        Event::ChunkFailed { url, skew, .. } => {
            format!(
                "chunkFailed {} {}",
                url.as_deref().unwrap_or("somewhere"),
                if *skew { "skew" } else { "no skew" }
            )
        }
        Event::Problem { code, .. } => format!("problem {code}"),
    }
}

fn step(from: Option<&BuildId>, to: &BuildId) -> String {
    format!("{} to {}", from.map_or("?", |from| &from.0), to.0)
}

/// A step by name, as scenarios plan trouble.
pub fn name_of(step: &Step) -> &'static str {
    match step {
        Step::Fetch { .. } => "fetch",
        Step::Import { .. } => "import",
        Step::AwaitQuiet { .. } => "quiet",
        Step::Snapshot { .. } => "snapshot",
        Step::Migrate { .. } => "migrate",
        Step::Mount { .. } => "mount",
        Step::Switch { .. } => "switch",
        Step::Watch { .. } => "watch",
        Step::Commit { .. } => "commit",
        Step::RollBack { .. } => "rollBack",
    }
}
