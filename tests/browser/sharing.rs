//! Tabs of one origin: the election and the channel. Two handles of one page compete like two tabs do.

use changeover::{
    engine::io::{Input, PeerMessage, Source},
    web::{election::Election, peers::Peers},
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{Heard, Replaced, eventually, js, js_later, sleep};

#[wasm_bindgen_test]
async fn one_leads_and_the_next_takes_over_when_it_leaves() {
    let (first, second, third) = (Heard::default(), Heard::default(), Heard::default());
    let leader = Election::join("/takeover", &first.emit()).unwrap();
    assert_eq!(first.take(1).await, [Input::Elected]);
    let withdrawn = Election::join("/takeover", &second.emit()).unwrap();
    let follower = Election::join("/takeover", &third.emit()).unwrap();
    sleep(50).await;
    assert_eq!(third.all(), []);
    drop(withdrawn);
    drop(leader);
    assert_eq!(third.take(1).await, [Input::Elected]);
    assert_eq!((first.all(), second.all()), (vec![], vec![]));
    drop(follower);
    becomes_free("/takeover").await;
}

#[wasm_bindgen_test]
async fn a_stolen_lock_deposes_the_leader() {
    let heard = Heard::default();
    let _leader = Election::join("/stolen", &heard.emit()).unwrap();
    heard.take(1).await;
    js_later("return navigator.locks.request('changeover:/stolen:leader', { steal: true }, async () => {})").await;
    assert_eq!(heard.take(1).await, [Input::Deposed]);
}

#[wasm_bindgen_test]
async fn who_leaves_at_once_never_leads() {
    let heard = Heard::default();
    drop(Election::join("/at-once", &heard.emit()));
    becomes_free("/at-once").await;
    assert_eq!(heard.all(), []);
}

#[wasm_bindgen_test]
fn without_locks_there_is_no_election() {
    let _none = Replaced::new("navigator", "locks", "undefined");
    assert!(!changeover::web::locks::has_locks());
    assert!(Election::join("/none", &Heard::default().emit()).is_none());
}

#[wasm_bindgen_test]
async fn peers_hear_each_other_and_nothing_they_cannot_understand() {
    let (one, other, elsewhere) = (Heard::default(), Heard::default(), Heard::default());
    let speaker = Peers::join("/talk", &one.emit()).unwrap();
    let listener = Peers::join("/talk", &other.emit()).unwrap();
    let _far = Peers::join("/far", &elsewhere.emit()).unwrap();
    js("const channel = new BroadcastChannel('changeover:/talk');
        for (const odd of [null, 1, '{', '[]', '{\"type\":\"fromTheFuture\"}', '{\"type\":\"visible\"}', { type: 'checked' }]) channel.postMessage(odd);
        setTimeout(() => channel.close(), 500)");
    // So that all of this is no flood.
    sleep(400).await;
    assert_eq!(other.all(), []);
    let messages = [
        PeerMessage::Checked {
            sequence: Some(3_115),
        },
        PeerMessage::Checked { sequence: None },
        PeerMessage::WhoIsVisible,
        PeerMessage::Visible { tab: "a".into() },
        PeerMessage::Hidden { tab: "a".into() },
    ];
    for message in &messages {
        speaker.tell(message);
    }
    assert_eq!(
        other.take(messages.len()).await,
        messages.clone().map(|message| Input::PeerHeard { message })
    );
    assert_eq!((one.all(), elsewhere.all()), (vec![], vec![]));
    drop(listener);
    speaker.tell(&messages[0]);
    sleep(50).await;
    assert_eq!(other.all(), []);
}

#[wasm_bindgen_test]
async fn of_a_flood_from_another_tab_a_few_messages_are_read_and_the_last_one_always() {
    let heard = Heard::default();
    let _listener = Peers::join("/flood", &heard.emit()).unwrap();
    js("const channel = new BroadcastChannel('changeover:/flood');
        for (let i = 1; i <= 10_000; i++) channel.postMessage(`{\"type\":\"checked\",\"sequence\":${i}}`);
        setTimeout(() => channel.close(), 3_000)");
    let last = Input::PeerHeard {
        message: PeerMessage::Checked {
            sequence: Some(10_000),
        },
    };
    eventually("the last message", || heard.all().last() == Some(&last)).await;
    let all = heard.all();
    assert!(all.len() < 1_000, "{} inputs", all.len());
    assert!(all.contains(&Input::Sighted {
        source: Source::Peer,
        sequence: None,
        build: None,
    }));
}

/// Waits until no tab holds or wants the lock of this scope.
async fn becomes_free(scope: &str) {
    let count = "return navigator.locks.query().then(({ held, pending }) => [...held, ...pending].filter(({ name }) => name === 'changeover:SCOPE:leader').length)";
    for _ in 0..100 {
        sleep(20).await;
        if js_later(&count.replace("SCOPE", scope)).await == 0.0 {
            return;
        }
    }
    panic!("the lock of {scope} is not free within 2 s");
}
