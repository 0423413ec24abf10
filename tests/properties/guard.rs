//! The guard under any order of events: what it must never do.

use changeover::{
    engine::{
        guard::{Config, Guard},
        io::{
            Arrival, Asker, FetchFailure, Input, LoadKind, Output, PeerMessage, Reloads, Snooze,
            Source, Start, WrongFile,
        },
        release::{How, Retire, Rollout, Urgency},
        status::Level,
    },
    ids::BuildId,
    time::Timestamp,
};
use proptest::{collection, option, prelude::*, sample::select};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::{
    meeting::simple,
    texts::config,
    witness::{NOON, Step, Witness, build_ref, manifest_text, release_of},
};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_happens_the_guard_keeps_its_promises(start in start(), steps in collection::vec(step(), 0..120)) {
        let mut witness = Witness::new();
        witness.feed(Input::Started(start));
        for step in steps {
            witness.take(step);
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_outputs(start in start(), steps in collection::vec(step(), 0..60)) {
        let run = || {
            let mut witness = Witness::new();
            witness.feed(Input::Started(start.clone()));
            for step in steps.clone() {
                witness.take(step);
            }
            witness.seen
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn nothing_comes_of_what_happens_before_the_start(steps in collection::vec(input(), 0..20)) {
        let mut guard = Guard::new(Config::default());
        let early = |input: &Input| !matches!(input, Input::Started(_) | Input::Disposed);
        for input in steps.into_iter().filter(early) {
            guard.handle_input(input, Timestamp(NOON));
            let sleeps = matches!(guard.poll_output(), Output::Wake { at: None, .. });
            prop_assert!(sleeps);
        }
        prop_assert_eq!(guard.status().level, Level::Starting);
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => input().prop_map(Step::Happens),
        1 => Just(Step::Happens(Input::ReloadRequested { by: Asker::User })),
        5 => any::<bool>().prop_map(Step::Answers),
        3 => Just(Step::Answers(true)),
        2 => (0_u64..40_000).prop_map(Step::Passes),
        1 => (0_u64..100_000_000).prop_map(Step::Passes),
    ]
}

fn start() -> impl Strategy<Value = Start> {
    let first = (
        option::of(build()),
        any::<u64>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    let second = (
        option::of(0..6_u64),
        option::of(snooze()),
        option::of(arrival()),
        collection::vec(build(), 0..2),
    );
    (first, second).prop_map(|(first, second)| {
        let (build, seed, visible, online, locks, storage) = first;
        let (highest_sequence, snooze, arrival, reloads) = second;
        let reloads = reloads
            .into_iter()
            .map(|target| Reloads { target, count: 1 })
            .collect();
        let visitor = "ada".into();
        Start {
            build,
            document_sequence: None,
            seed,
            visitor,
            visible,
            online,
            locks,
            storage,
            highest_sequence,
            highest_app: None,
            reloads,
            snooze,
            arrival,
        }
    })
}

fn snooze() -> impl Strategy<Value = Snooze> {
    (0..6_u64, any::<u32>()).prop_map(|(sequence, later)| Snooze {
        sequence,
        until: Timestamp(NOON + u64::from(later)),
    })
}

fn arrival() -> impl Strategy<Value = Arrival> {
    (option::of(build()), build()).prop_map(|(from, to)| Arrival {
        changeover: "c".into(),
        from,
        to,
        at: Timestamp(NOON),
    })
}

fn build() -> impl Strategy<Value = BuildId> {
    select(&["a", "b", "c"][..]).prop_map(|id| BuildId(id.into()))
}

fn input() -> impl Strategy<Value = Input> {
    let text = any::<String>;
    prop_oneof![
        start().prop_map(Input::Started),
        (
            release(),
            option::of(1_700_000_000_000..1_900_000_000_000_u64)
        )
            .prop_map(|((body, events), date)| Input::ReleaseFetched {
                body,
                events,
                date: date.map(Timestamp)
            }),
        text().prop_map(|body| Input::ReleaseFetched {
            body,
            events: None,
            date: None
        }),
        (failure(), option::of(any::<u64>())).prop_map(|(failure, retry_after)| {
            Input::ReleaseFailed {
                failure,
                retry_after,
            }
        }),
        build().prop_map(|build| Input::ManifestFetched {
            body: manifest_text(&build.0),
            build
        }),
        (build(), text()).prop_map(|(build, body)| Input::ManifestFetched { build, body }),
        (build(), text()).prop_map(|(build, body)| Input::ManifestKept { build, body }),
        build().prop_map(|build| Input::ManifestKept {
            body: manifest_text(&build.0),
            build
        }),
        (build(), failure()).prop_map(|(build, failure)| Input::ManifestFailed { build, failure }),
        (collection::vec(text(), 0..3), any::<bool>()).prop_map(|(files, complete)| {
            Input::LoadedFilesListed {
                elements: files.iter().take(1).cloned().collect(),
                files,
                complete,
            }
        }),
        (option::of(any::<u64>()), option::of(build())).prop_map(|(sequence, build)| {
            Input::Sighted {
                source: Source::Stream,
                sequence,
                build,
            }
        }),
        (kind(), text(), option::of(text())).prop_map(|(kind, message, url)| Input::LoadFailed {
            kind,
            message,
            url
        }),
        Just(Input::LoadFailed {
            kind: LoadKind::Script,
            message: String::new(),
            url: Some("/a.js".into())
        }),
        select(simple()),
        peer().prop_map(|message| Input::PeerHeard { message }),
        (0..3_u32, option::of(0..400_000_u64)).prop_map(|(hold, deadline)| Input::HoldTaken {
            hold,
            reason: "busy".into(),
            deadline: deadline.map(|later| Timestamp(NOON + later)),
        }),
        (0..3_u32).prop_map(|hold| Input::HoldReleased { hold }),
        select(&[Asker::App, Asker::User, Asker::UserAnyway][..])
            .prop_map(|by| Input::ReloadRequested { by }),
        option::of(failure()).prop_map(|failure| Input::DocumentProbed {
            failure,
            ours: false
        }),
        (build(), option::of(failure())).prop_map(|(build, failure)| {
            let file = format!("index-{}.js", build.0);
            let wrong = failure.map(|failure| WrongFile { file, failure });
            Input::FilesChecked { build, wrong }
        }),
        text().prop_map(|message| Input::StateSaveFailed { message }),
        any::<bool>().prop_map(|persisted| Input::PageShown { persisted }),
    ]
}

fn failure() -> impl Strategy<Value = FetchFailure> {
    prop_oneof![
        Just(FetchFailure::Network),
        Just(FetchFailure::Timeout),
        any::<u16>().prop_map(|status| FetchFailure::Status { status }),
        any::<u32>().prop_map(|limit| FetchFailure::TooLarge { limit }),
        Just(FetchFailure::Integrity),
        any::<u64>().prop_map(|bytes| FetchFailure::Length { bytes }),
        Just(FetchFailure::Html),
        Just(FetchFailure::Redirected {
            origin: "https://other.test".into()
        }),
    ]
}

fn kind() -> impl Strategy<Value = LoadKind> {
    select(
        &[
            LoadKind::Script,
            LoadKind::Style,
            LoadKind::Import,
            LoadKind::Error,
        ][..],
    )
}

fn peer() -> impl Strategy<Value = PeerMessage> {
    prop_oneof![
        option::of(any::<u64>()).prop_map(|sequence| PeerMessage::Checked { sequence }),
        option::of(0..6_u64).prop_map(|sequence| PeerMessage::Checked { sequence }),
        Just(PeerMessage::WhoIsVisible),
        any::<String>().prop_map(|tab| PeerMessage::Visible { tab }),
        any::<String>().prop_map(|tab| PeerMessage::Hidden { tab }),
    ]
}

fn release() -> impl Strategy<Value = (String, Option<String>)> {
    let events = option::of(Just("/events".to_string()));
    let urgency = select(&[Urgency::Routine, Urgency::Soon, Urgency::Now][..]);
    let rollout = option::of((0..=100_u8, option::of(build())));
    let retire = option::of((build(), any::<bool>()));
    (
        0..6_u64,
        build(),
        urgency,
        rollout,
        retire,
        any::<bool>(),
        events,
    )
        .prop_map(
            |(sequence, build, urgency, rollout, retire, expired, events)| {
                let mut release = release_of(sequence, &build.0);
                release.urgency = urgency;
                release.rollout = rollout.map(|(percent, otherwise)| Rollout {
                    percent,
                    salt: "s".into(),
                    otherwise: otherwise.map(|build| build_ref(&build.0)),
                });
                release.retire = retire
                    .map(|(build, force)| Retire {
                        build,
                        how: if force { How::Force } else { How::Drain },
                        by: None,
                    })
                    .into_iter()
                    .collect();
                release.expires = expired.then(|| "2026-07-31T12:10:00Z".into());
                (release.to_json(), events)
            },
        )
}
