//! A server or a tab that says something ten thousand times a second.

use changeover::{
    engine::{
        burst::{Burst, OF_A_SERVER, OF_TABS},
        io::{Input, Reason, Source},
    },
    time::Timestamp,
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::page::{MINUTE, Page, SECOND, checked, hint, page, release};

const A_SECOND: u64 = 10_000;

#[test]
fn ten_thousand_messages_a_second_cost_a_few_inputs_a_span_and_few_looks() {
    for (what, most) in [(hint as fn(u64) -> Input, OF_A_SERVER), (checked, OF_TABS)] {
        let mut line = Line {
            burst: Burst::new(most),
            ..Line::to(page().opens())
        };
        for sequence in 0..10 * A_SECOND {
            line.says(what(100 + sequence));
        }
        assert!(
            line.inputs <= 41 * (most + 2),
            "{} inputs in 10 s",
            line.inputs
        );
        assert!(line.page().looks() <= 7, "{} looks", line.page().looks());
    }
}

#[test]
fn a_flood_over_a_slow_server_costs_few_looks_too() {
    let mut line = Line::to(page().opens());
    line.page().server.silent.push("FetchRelease");
    let mut answered = line.page().looks();
    for sequence in 0..10 * A_SECOND {
        line.says(hint(100 + sequence));
        let now = line.page().now;
        let asked = line.page().server.looks.get(answered).copied();
        if asked.is_some_and(|asked| now >= asked + SECOND / 2) {
            answered += 1;
            line.feeds(Input::ReleaseFetched {
                body: release(1, "a").to_json(),
                events: None,
                date: None,
            });
        }
    }
    assert!((3..=6).contains(&answered), "{answered} looks");
}

#[test]
fn the_same_hint_ten_thousand_times_a_second_costs_four_looks() {
    let mut line = Line::to(page().opens());
    for _ in 0..10 * A_SECOND {
        line.says(hint(100));
    }
    assert!(
        line.inputs <= 41 * (OF_A_SERVER + 2),
        "{} inputs in 10 s",
        line.inputs
    );
    assert!(line.page().looks() <= 5, "{} looks", line.page().looks());
}

#[test]
fn a_release_told_in_a_flood_is_found() {
    let mut line = Line::to(page().opens());
    for sequence in 0..30 * A_SECOND {
        if sequence == 3 * A_SECOND {
            line.page().server.publishes(release(2, "b"));
            line.says(hint(2));
        }
        line.says(hint(100 + sequence));
    }
    line.calms_down(0).asks(Reason::NewBuild);
}

#[test]
fn a_release_told_among_hints_of_what_is_known_is_found_at_once() {
    let mut line = Line::to(page().opens());
    line.page().server.publishes(release(2, "b"));
    for old in 0..100 {
        line.says(Input::Sighted {
            source: Source::Stream,
            sequence: Some(1),
            build: Some(crate::page::build(&format!("old-{old}"))),
        });
        if old == 50 {
            line.says(hint(2));
        }
    }
    line.calms_down(SECOND).asks(Reason::NewBuild);
}

#[test]
fn the_last_word_of_a_flood_is_heard_after_it() {
    let mut line = Line::to(page().opens());
    for sequence in 0..A_SECOND {
        line.says(hint(100 + sequence % 7));
    }
    line.page().server.publishes(release(2, "b"));
    line.says(hint(2));
    // No regular look comes that soon.
    line.calms_down(MINUTE / 2).asks(Reason::NewBuild);
}

/// A sender and what the driver lets through of its words, as `web::inlet` does.
struct Line {
    page: Option<Page>,
    burst: Burst<Input>,
    said: u64,
    inputs: usize,
}

impl Line {
    fn to(page: Page) -> Self {
        Self {
            page: Some(page),
            burst: Burst::new(OF_A_SERVER),
            said: 0,
            inputs: 0,
        }
    }

    fn says(&mut self, word: Input) {
        self.said += 1;
        if self.said.is_multiple_of(A_SECOND / SECOND) {
            self.passes(1);
        }
        let now = self.now();
        if self.burst.on_message(&word, now) {
            self.feeds(word);
        }
    }

    fn calms_down(mut self, span: u64) -> Page {
        for _ in 0..span {
            self.passes(1);
        }
        self.page.expect("it is there between two steps")
    }

    fn passes(&mut self, ms: u64) {
        self.change(|page| page.later("a moment", ms));
        let now = self.now();
        if !self.burst.is_over(now) {
            return;
        }
        if let Some(rest) = self.burst.on_over(now) {
            if rest.lost {
                self.feeds(Input::Sighted {
                    source: Source::Stream,
                    sequence: None,
                    build: None,
                });
            }
            self.feeds(rest.last);
        }
    }

    fn feeds(&mut self, input: Input) {
        self.inputs += 1;
        self.change(|page| page.when("a word", input));
    }

    fn change(&mut self, change: impl FnOnce(Page) -> Page) {
        self.page = self.page.take().map(change);
    }

    fn now(&mut self) -> Timestamp {
        Timestamp(self.page().now)
    }

    fn page(&mut self) -> &mut Page {
        self.page.as_mut().expect("it is there between two steps")
    }
}
