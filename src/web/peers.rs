//! The channel to the other tabs of this origin.

use serde::Deserialize;
use web_sys::BroadcastChannel;

use super::{Emit, inlet::Inlet};
use crate::engine::{
    burst::OF_TABS,
    format::{from_own_json, to_json},
    io::{Input, PeerMessage, Source},
};

/// An open channel; dropping it closes it.
#[must_use = "dropping it closes the channel"]
pub struct Peers {
    channel: BroadcastChannel,
    _heard: Inlet,
}

impl Peers {
    /// Joins the channel; `None` where there is none.
    pub fn join(scope: &str, emit: &Emit) -> Option<Self> {
        let channel = BroadcastChannel::new(&format!("changeover:{scope}")).ok()?;
        let emit = emit.clone();
        let heard = Inlet::new(&channel, "message", OF_TABS, move |data| {
            let Some(data) = data else {
                // One of those that were left out may have told of a release.
                return emit(Input::Sighted {
                    source: Source::Peer,
                    sequence: None,
                    build: None,
                });
            };
            // Another version of changeover may speak here: what is not understood is not for us.
            if let Some(message) = data.as_string().and_then(|text| read(&text)) {
                emit(Input::PeerHeard { message });
            }
        });
        Some(Self {
            channel,
            _heard: heard,
        })
    }

    pub fn tell(&self, message: &PeerMessage) {
        let _ = self.channel.post_message(&to_json(message).into());
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.channel.close();
    }
}

/// A message as other tabs write it. Read by hand: serde would keep whole copies of it to look for the `type` first.
#[derive(Deserialize)]
struct Heard {
    r#type: String,
    #[serde(default)]
    sequence: Option<u64>,
    #[serde(default)]
    tab: Option<String>,
}

fn read(text: &str) -> Option<PeerMessage> {
    let Heard {
        r#type,
        sequence,
        tab,
    } = from_own_json(text)?;
    Some(match r#type.as_str() {
        "checked" => PeerMessage::Checked { sequence },
        "whoIsVisible" => PeerMessage::WhoIsVisible,
        "visible" => PeerMessage::Visible { tab: tab? },
        "hidden" => PeerMessage::Hidden { tab: tab? },
        _ => return None,
    })
}
